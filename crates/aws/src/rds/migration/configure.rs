//! What only a modification can set on the copy, and what a restore got wrong: one call with the fields that differ.
//! (AWS-FACTS §8.2, item 6)
//!
//! The copy is nobody's yet, so everything is applied at once.

use std::collections::BTreeSet;

use aws_sdk_rds::types::{CloudwatchLogsExportConfiguration, DatabaseInsightsMode};
use everseal_planner::rds::migration::observed::{ClusterSettings, InstanceSettings};

use super::create::{domain, iops, list, processor_features, throughput};
use super::settings::scaling_configuration;
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::rds::operations;

/// `after` where it differs.
fn changed<T: Clone + PartialEq>(before: &T, after: &T) -> Option<T> {
    (before != after).then(|| after.clone())
}

/// `after` where it differs and is there: what AWS shows for nothing is "as it was", not "none".
fn given<T: Clone + PartialEq>(before: Option<&T>, after: Option<&T>) -> Option<T> {
    after.filter(|after| before != Some(*after)).cloned()
}

fn size(gib: Option<u32>) -> Option<i32> {
    gib.and_then(|gib| i32::try_from(gib).ok())
}

fn log_exports(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Option<CloudwatchLogsExportConfiguration> {
    let (enable, disable) = (after - before, before - after);
    let config = CloudwatchLogsExportConfiguration::builder();
    let config = config.set_enable_log_types(list(&enable)).set_disable_log_types(list(&disable));
    (before != after).then(|| config.build())
}

/// Interval and role of Enhanced Monitoring: the role only where there is something to send.
fn monitoring(before: (u16, Option<&String>), after: (u16, Option<&String>)) -> (Option<i32>, Option<String>) {
    if before == after || (before.0, after.0) == (0, 0) {
        return (None, None);
    }
    (Some(i32::from(after.0)), after.1.cloned().filter(|_| after.0 > 0))
}

/// Performance Insights: the key can be chosen only where it is turned on. [rds:ModifyDBInstance]
struct Insights {
    enable: Option<bool>,
    kms_key: Option<String>,
    retention: Option<i32>,
    mode: Option<DatabaseInsightsMode>,
}

impl Insights {
    fn of(before: (bool, Option<u16>, Option<&String>), after: (bool, Option<u16>, Option<&String>), key: Option<&String>) -> Self {
        let mode = given(before.2, after.2);
        let turned_on = after.0 && !before.0;
        // A mode comes with the retention that it needs, and with Insights that are on.
        let told = after.0 && (turned_on || mode.is_some() || before.1 != after.1);
        Self {
            enable: if told { Some(true) } else { changed(&before.0, &after.0) },
            kms_key: key.cloned().filter(|_| turned_on),
            retention: after.1.filter(|_| told).map(i32::from),
            mode: mode.as_deref().map(DatabaseInsightsMode::from),
        }
    }
}

/// `ModifyDBInstance`. A member of an Aurora cluster is known by its promotion tier: what the cluster manages is left to it.
/// No call sets the subnet group of the same VPC, the replica mode of what is no replica, the tenancy and the time zone of
/// data that is there, or takes a password back from Secrets Manager without naming one.
pub(super) async fn instance(ctx: &ScopeContext, name: &str, before: &InstanceSettings, after: &InstanceSettings) -> Result<(), AwsError> {
    let nothing = ctx.rds().modify_db_instance().db_instance_identifier(name).apply_immediately(true);
    let (b, a) = (before, after);
    let (interval, role) =
        monitoring((b.monitoring_interval, b.monitoring_role_arn.as_ref()), (a.monitoring_interval, a.monitoring_role_arn.as_ref()));
    let insights = Insights::of(
        (b.performance_insights, b.performance_insights_retention, b.database_insights_mode.as_ref()),
        (a.performance_insights, a.performance_insights_retention, a.database_insights_mode.as_ref()),
        a.performance_insights_kms_key.as_ref(),
    );
    let member = a.promotion_tier.is_some();
    let request = nothing
        .clone()
        .set_db_instance_class(given(b.db_instance_class.as_ref(), a.db_instance_class.as_ref()))
        .set_db_parameter_group_name(given(b.db_parameter_group.as_ref(), a.db_parameter_group.as_ref()))
        .set_publicly_accessible(changed(&b.publicly_accessible, &a.publicly_accessible))
        .set_preferred_maintenance_window(given(b.preferred_maintenance_window.as_ref(), a.preferred_maintenance_window.as_ref()))
        .set_auto_minor_version_upgrade(changed(&b.auto_minor_version_upgrade, &a.auto_minor_version_upgrade))
        .set_ca_certificate_identifier(given(b.ca_certificate.as_ref(), a.ca_certificate.as_ref()))
        .set_monitoring_interval(interval)
        .set_monitoring_role_arn(role)
        .set_enable_performance_insights(insights.enable)
        .set_performance_insights_kms_key_id(insights.kms_key)
        .set_performance_insights_retention_period(insights.retention)
        .set_database_insights_mode(insights.mode.filter(|_| !member))
        .set_promotion_tier(given(b.promotion_tier.as_ref(), a.promotion_tier.as_ref()).map(i32::from));
    let request = if member { request } else { data(own(request, b, a), b, a) };
    if request.as_input() == nothing.as_input() {
        return Ok(());
    }
    ctx.call(&operations::MODIFY_DB_INSTANCE, request.send()).await.map(drop)
}

type ModifyInstance = aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;

/// How an instance on its own is reached and run.
fn own(request: ModifyInstance, b: &InstanceSettings, a: &InstanceSettings) -> ModifyInstance {
    let (joined, domain_role) = if b.domains == a.domains { (None, None) } else { domain(&a.domains) };
    let features = changed(&b.processor_features, &a.processor_features);
    let secret = a.manage_master_user_password && !b.manage_master_user_password;
    request
        .set_vpc_security_group_ids(changed(&b.vpc_security_groups, &a.vpc_security_groups).as_ref().and_then(list))
        .set_option_group_name(given(b.option_group.as_ref(), a.option_group.as_ref()))
        .set_multi_az(changed(&b.multi_az, &a.multi_az))
        .set_db_port_number(given(b.port.as_ref(), a.port.as_ref()).map(i32::from))
        .set_license_model(given(b.license_model.as_ref(), a.license_model.as_ref()))
        .set_disable_domain((a.domains.is_empty() && !b.domains.is_empty()).then_some(true))
        .set_domain(joined)
        .set_domain_iam_role_name(domain_role)
        .set_network_type(given(b.network_type.as_ref(), a.network_type.as_ref()))
        .set_use_default_processor_features(features.as_ref().and_then(|features| features.is_empty().then_some(true)))
        .set_processor_features(features.as_ref().and_then(processor_features))
        .set_enable_iam_database_authentication(changed(&b.iam_database_authentication, &a.iam_database_authentication))
        .set_engine_lifecycle_support(given(b.engine_lifecycle_support.as_ref(), a.engine_lifecycle_support.as_ref()))
        .set_manage_master_user_password(secret.then_some(true))
        .set_master_user_secret_kms_key_id(a.master_user_secret_kms_key.clone().filter(|_| secret))
}

/// Storage and backups. Storage only grows; more IOPS are told together with the storage that they are for.
fn data(request: ModifyInstance, b: &InstanceSettings, a: &InstanceSettings) -> ModifyInstance {
    let provisioned = (b.storage_type != a.storage_type || b.iops != a.iops).then(|| iops(a)).flatten();
    let grown = a.allocated_storage.max(b.allocated_storage);
    let allocated = grown.filter(|_| grown > b.allocated_storage || provisioned.is_some());
    // Autoscaling is turned off by a limit that is the present size. [RDS: storage autoscaling]
    let limit = changed(&b.max_allocated_storage, &a.max_allocated_storage).and_then(|limit| limit.or(grown));
    request
        .set_storage_type(given(b.storage_type.as_ref(), a.storage_type.as_ref()))
        .set_iops(provisioned)
        .set_storage_throughput((b.storage_throughput != a.storage_throughput).then(|| throughput(a)).flatten())
        .set_allocated_storage(size(allocated))
        .set_max_allocated_storage(size(limit))
        .set_dedicated_log_volume(changed(&b.dedicated_log_volume, &a.dedicated_log_volume))
        .set_backup_retention_period(changed(&b.backup_retention_period, &a.backup_retention_period).map(i32::from))
        .set_preferred_backup_window(given(b.preferred_backup_window.as_ref(), a.preferred_backup_window.as_ref()))
        .set_deletion_protection(changed(&b.deletion_protection, &a.deletion_protection))
        .set_copy_tags_to_snapshot(changed(&b.copy_tags_to_snapshot, &a.copy_tags_to_snapshot))
        .set_cloudwatch_logs_export_configuration(log_exports(&b.cloudwatch_logs_exports, &a.cloudwatch_logs_exports))
}

/// `ModifyDBCluster`.
pub(super) async fn cluster(ctx: &ScopeContext, name: &str, before: &ClusterSettings, after: &ClusterSettings) -> Result<(), AwsError> {
    let nothing = ctx.rds().modify_db_cluster().db_cluster_identifier(name).apply_immediately(true);
    let (b, a) = (before, after);
    let (interval, role) =
        monitoring((b.monitoring_interval, b.monitoring_role_arn.as_ref()), (a.monitoring_interval, a.monitoring_role_arn.as_ref()));
    let insights = Insights::of(
        (b.performance_insights, b.performance_insights_retention, b.database_insights_mode.as_ref()),
        (a.performance_insights, a.performance_insights_retention, a.database_insights_mode.as_ref()),
        a.performance_insights_kms_key.as_ref(),
    );
    let secret = a.manage_master_user_password && !b.manage_master_user_password;
    let request = nothing
        .clone()
        .set_db_cluster_parameter_group_name(given(b.db_cluster_parameter_group.as_ref(), a.db_cluster_parameter_group.as_ref()))
        .set_vpc_security_group_ids(changed(&b.vpc_security_groups, &a.vpc_security_groups).as_ref().and_then(list))
        .set_port(given(b.port.as_ref(), a.port.as_ref()).map(i32::from))
        .set_backup_retention_period(changed(&b.backup_retention_period, &a.backup_retention_period).map(i32::from))
        .set_preferred_backup_window(given(b.preferred_backup_window.as_ref(), a.preferred_backup_window.as_ref()))
        .set_preferred_maintenance_window(given(b.preferred_maintenance_window.as_ref(), a.preferred_maintenance_window.as_ref()))
        .set_deletion_protection(changed(&b.deletion_protection, &a.deletion_protection))
        .set_copy_tags_to_snapshot(changed(&b.copy_tags_to_snapshot, &a.copy_tags_to_snapshot))
        .set_cloudwatch_logs_export_configuration(log_exports(&b.cloudwatch_logs_exports, &a.cloudwatch_logs_exports))
        .set_enable_iam_database_authentication(changed(&b.iam_database_authentication, &a.iam_database_authentication))
        .set_auto_minor_version_upgrade(changed(&b.auto_minor_version_upgrade, &a.auto_minor_version_upgrade));
    let request = request
        .set_monitoring_interval(interval)
        .set_monitoring_role_arn(role)
        .set_enable_performance_insights(insights.enable)
        .set_performance_insights_kms_key_id(insights.kms_key)
        .set_performance_insights_retention_period(insights.retention)
        .set_database_insights_mode(insights.mode)
        .set_manage_master_user_password(secret.then_some(true))
        .set_master_user_secret_kms_key_id(a.master_user_secret_kms_key.clone().filter(|_| secret))
        .set_engine_lifecycle_support(given(b.engine_lifecycle_support.as_ref(), a.engine_lifecycle_support.as_ref()));
    let request = kind(request, b, a);
    if request.as_input() == nothing.as_input() {
        return Ok(());
    }
    ctx.call(&operations::MODIFY_DB_CLUSTER, request.send()).await.map(drop)
}

type ModifyCluster = aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDBClusterFluentBuilder;

/// What only one kind of cluster has, and differs on it alone.
fn kind(request: ModifyCluster, b: &ClusterSettings, a: &ClusterSettings) -> ModifyCluster {
    let (joined, domain_role) = if b.domains == a.domains { (None, None) } else { domain(&a.domains) };
    let scaling = given(b.serverless_v2_scaling.as_ref(), a.serverless_v2_scaling.as_ref());
    let grown = a.allocated_storage.filter(|wanted| a.db_cluster_instance_class.is_some() && Some(*wanted) > b.allocated_storage);
    request
        .set_backtrack_window(changed(&b.backtrack_window, &a.backtrack_window))
        .set_enable_http_endpoint(changed(&b.http_endpoint, &a.http_endpoint))
        .set_serverless_v2_scaling_configuration(scaling.as_deref().and_then(scaling_configuration))
        .set_network_type(given(b.network_type.as_ref(), a.network_type.as_ref()))
        .set_domain(joined)
        .set_domain_iam_role_name(domain_role)
        .set_storage_type(given(b.storage_type.as_ref(), a.storage_type.as_ref()))
        .set_iops(size(given(b.iops.as_ref(), a.iops.as_ref())))
        .set_allocated_storage(size(grown))
        .set_db_cluster_instance_class(given(b.db_cluster_instance_class.as_ref(), a.db_cluster_instance_class.as_ref()))
        .set_ca_certificate_identifier(given(b.ca_certificate.as_ref(), a.ca_certificate.as_ref()))
}
