//! The encrypted copy: restored with everything that would otherwise fall to AWS's defaults. (AWS-FACTS §8.2, item 5)
//!
//! Not given here, because the call would refuse it or has no such field: `AllocatedStorage` (not valid for SQL Server, and
//! the snapshot brings it along), `ManageMasterUserPassword` (a restore takes it for Oracle alone). Both are left to
//! [`super::configure`]. [rds:RestoreDBInstanceFromDBSnapshot]

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::types::{DbClusterAssociatedRole, ProcessorFeature};
use everseal_planner::inventory::ErrorClass;
use everseal_planner::rds::migration::observed::{ClusterSettings, InstanceSettings};

use super::apply::tag_list;
use super::identity::{self, Named, refusal};
use super::settings::scaling_configuration;
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::rds::operations;

/// What a gp3 volume has without asking, where it is too small to be given more: asked for, both are refused. [RDS: gp3]
const GP3_IOPS: u32 = 3000;
const GP3_THROUGHPUT: u32 = 125;

/// `RestoreDBInstanceFromDBSnapshot`. Encryption and key come from the snapshot.
pub(super) async fn instance(ctx: &ScopeContext, named: &Named<'_>, snapshot: &str, settings: &InstanceSettings) -> Result<(), AwsError> {
    let s = settings;
    let (domain, domain_role) = domain(&s.domains);
    let request = ctx
        .rds()
        .restore_db_instance_from_db_snapshot()
        .db_snapshot_identifier(snapshot)
        .db_instance_identifier(named.name)
        .set_tags(tag_list(named.tags))
        .set_db_instance_class(s.db_instance_class.clone())
        .set_db_parameter_group_name(s.db_parameter_group.clone())
        .set_vpc_security_group_ids(list(&s.vpc_security_groups))
        .set_db_subnet_group_name(s.db_subnet_group.clone())
        .set_option_group_name(s.option_group.clone())
        .multi_az(s.multi_az)
        // Both in one call are refused.
        .set_availability_zone(s.availability_zone.clone().filter(|_| !s.multi_az))
        .publicly_accessible(s.publicly_accessible)
        .set_port(s.port.map(i32::from));
    let request = request
        .set_storage_type(s.storage_type.clone())
        .set_iops(iops(s))
        .set_storage_throughput(throughput(s))
        .set_dedicated_log_volume(on(s.dedicated_log_volume))
        .backup_retention_period(i32::from(s.backup_retention_period))
        .set_preferred_backup_window(s.preferred_backup_window.clone())
        .deletion_protection(s.deletion_protection)
        .copy_tags_to_snapshot(s.copy_tags_to_snapshot);
    let request = request
        .set_enable_cloudwatch_logs_exports(list(&s.cloudwatch_logs_exports))
        .set_enable_iam_database_authentication(on(s.iam_database_authentication))
        .auto_minor_version_upgrade(s.auto_minor_version_upgrade)
        .set_license_model(s.license_model.clone())
        .set_domain(domain)
        .set_domain_iam_role_name(domain_role)
        .set_network_type(s.network_type.clone())
        .set_ca_certificate_identifier(s.ca_certificate.clone())
        .set_processor_features(processor_features(&s.processor_features))
        .set_engine_lifecycle_support(s.engine_lifecycle_support.clone());
    let restored = ctx.call(&operations::RESTORE_DB_INSTANCE_FROM_DB_SNAPSHOT, request.send()).await;
    named.made(restored, async { Ok(identity::instance(ctx, named.name).await?.tag_list.unwrap_or_default()) }).await
}

/// What a cluster is restored from, and what encrypts it.
#[derive(Debug)]
pub(super) struct Encrypted<'a> {
    pub(super) snapshot: &'a str,
    pub(super) engine: &'a str,
    pub(super) engine_version: &'a str,
    pub(super) key: &'a str,
}

/// `RestoreDBClusterFromSnapshot`. Which settings are for Aurora and which for Multi-AZ clusters, its reference says.
pub(super) async fn cluster(
    ctx: &ScopeContext,
    named: &Named<'_>,
    from: &Encrypted<'_>,
    settings: &ClusterSettings,
) -> Result<(), AwsError> {
    let (s, aurora) = (settings, from.engine.starts_with("aurora"));
    let (domain, domain_role) = domain(&s.domains);
    let request = ctx
        .rds()
        .restore_db_cluster_from_snapshot()
        .snapshot_identifier(from.snapshot)
        .db_cluster_identifier(named.name)
        .engine(from.engine)
        .engine_version(from.engine_version)
        .kms_key_id(from.key)
        .set_tags(tag_list(named.tags))
        .set_db_cluster_parameter_group_name(s.db_cluster_parameter_group.clone())
        .set_vpc_security_group_ids(list(&s.vpc_security_groups))
        .set_db_subnet_group_name(s.db_subnet_group.clone())
        .set_port(s.port.map(i32::from))
        .set_storage_type(s.storage_type.clone());
    let request = request
        .backup_retention_period(i32::from(s.backup_retention_period))
        .set_preferred_backup_window(s.preferred_backup_window.clone())
        .deletion_protection(s.deletion_protection)
        .copy_tags_to_snapshot(s.copy_tags_to_snapshot)
        .set_enable_cloudwatch_logs_exports(list(&s.cloudwatch_logs_exports))
        .set_enable_iam_database_authentication(on(s.iam_database_authentication))
        .set_engine_lifecycle_support(s.engine_lifecycle_support.clone())
        .set_monitoring_interval(Some(i32::from(s.monitoring_interval)).filter(|seconds| *seconds > 0))
        .set_monitoring_role_arn(s.monitoring_role_arn.clone().filter(|_| s.monitoring_interval > 0))
        .set_enable_performance_insights(on(s.performance_insights))
        .set_performance_insights_kms_key_id(s.performance_insights_kms_key.clone().filter(|_| s.performance_insights))
        .set_performance_insights_retention_period(s.performance_insights_retention.filter(|_| s.performance_insights).map(i32::from));
    let request = if aurora {
        request
            .set_engine_mode(s.engine_mode.clone())
            .set_backtrack_window(Some(s.backtrack_window).filter(|seconds| *seconds > 0))
            .set_serverless_v2_scaling_configuration(s.serverless_v2_scaling.as_deref().and_then(scaling_configuration))
            .set_network_type(s.network_type.clone())
            .set_domain(domain)
            .set_domain_iam_role_name(domain_role)
            .set_associated_roles(roles(&s.associated_roles)?)
    } else {
        request
            .set_db_cluster_instance_class(s.db_cluster_instance_class.clone())
            .set_iops(s.iops.and_then(|iops| i32::try_from(iops).ok()))
            .publicly_accessible(s.publicly_accessible)
    };
    let restored = ctx.call(&operations::RESTORE_DB_CLUSTER_FROM_SNAPSHOT, request.send()).await;
    named.made(restored, async { Ok(identity::cluster(ctx, named.name).await?.tag_list.unwrap_or_default()) }).await
}

/// `CreateDBInstance` in a restored cluster of Aurora: whatever is not given here the cluster decides.
pub(super) async fn member(
    ctx: &ScopeContext,
    named: &Named<'_>,
    (cluster, engine): (&str, &str),
    settings: &InstanceSettings,
) -> Result<(), AwsError> {
    let s = settings;
    let insights = |days: Option<u16>| days.filter(|_| s.performance_insights).map(i32::from);
    let request = ctx
        .rds()
        .create_db_instance()
        .db_instance_identifier(named.name)
        .db_cluster_identifier(cluster)
        .engine(engine)
        .set_tags(tag_list(named.tags))
        .set_db_instance_class(s.db_instance_class.clone())
        .set_db_parameter_group_name(s.db_parameter_group.clone())
        .set_availability_zone(s.availability_zone.clone())
        .publicly_accessible(s.publicly_accessible)
        .auto_minor_version_upgrade(s.auto_minor_version_upgrade)
        .set_preferred_maintenance_window(s.preferred_maintenance_window.clone())
        .set_promotion_tier(s.promotion_tier.map(i32::from))
        .set_ca_certificate_identifier(s.ca_certificate.clone())
        .set_monitoring_interval(Some(i32::from(s.monitoring_interval)).filter(|seconds| *seconds > 0))
        .set_monitoring_role_arn(s.monitoring_role_arn.clone().filter(|_| s.monitoring_interval > 0))
        .set_enable_performance_insights(on(s.performance_insights))
        .set_performance_insights_kms_key_id(s.performance_insights_kms_key.clone().filter(|_| s.performance_insights))
        .set_performance_insights_retention_period(insights(s.performance_insights_retention));
    let created = ctx.call(&operations::CREATE_DB_INSTANCE, request.send()).await;
    named.made(created, async { Ok(identity::instance(ctx, named.name).await?.tag_list.unwrap_or_default()) }).await
}

/// Switches that are off by default, and that not every engine knows: given only where they are on.
fn on(value: bool) -> Option<bool> {
    value.then_some(true)
}

pub(super) fn list(values: &BTreeSet<String>) -> Option<Vec<String>> {
    (!values.is_empty()).then(|| values.iter().cloned().collect())
}

pub(super) fn iops(settings: &InstanceSettings) -> Option<i32> {
    let asked = match settings.storage_type.as_deref() {
        Some("io1" | "io2") => settings.iops,
        Some("gp3") => settings.iops.filter(|iops| *iops > GP3_IOPS),
        _ => None,
    };
    asked.and_then(|iops| i32::try_from(iops).ok())
}

pub(super) fn throughput(settings: &InstanceSettings) -> Option<i32> {
    let gp3 = settings.storage_type.as_deref() == Some("gp3");
    let asked = settings.storage_throughput.filter(|throughput| gp3 && *throughput > GP3_THROUGHPUT);
    asked.and_then(|throughput| i32::try_from(throughput).ok())
}

/// Directory and role. Only AWS's directories (`d-…`) can be joined with what AWS shows of a membership.
pub(super) fn domain(domains: &BTreeSet<String>) -> (Option<String>, Option<String>) {
    let Some(joined) = domains.iter().find(|domain| domain.starts_with("d-")) else { return (None, None) };
    joined.split_once(' ').map_or_else(|| (Some(joined.clone()), None), |(domain, role)| (Some(domain.to_owned()), Some(role.to_owned())))
}

pub(super) fn processor_features(features: &BTreeMap<String, String>) -> Option<Vec<ProcessorFeature>> {
    let feature = |(name, value): (&String, &String)| ProcessorFeature::builder().name(name).value(value).build();
    (!features.is_empty()).then(|| features.iter().map(feature).collect())
}

fn roles(roles: &BTreeMap<String, String>) -> Result<Option<Vec<DbClusterAssociatedRole>>, AwsError> {
    let role = |(feature, role): (&String, &String)| {
        let feature = Some(feature.clone()).filter(|feature| !feature.is_empty());
        DbClusterAssociatedRole::builder().role_arn(role).set_feature_name(feature).build().map_err(|error| {
            refusal(&operations::RESTORE_DB_CLUSTER_FROM_SNAPSHOT, "InvalidRequest", ErrorClass::Invalid, &error.to_string())
        })
    };
    if roles.is_empty() { Ok(None) } else { roles.iter().map(role).collect::<Result<Vec<_>, _>>().map(Some) }
}
