//! What a restore or a new member takes from the call, or falls to AWS's defaults: read whole, so that nothing is lost
//! unseen. (AWS-FACTS §8.2, items 5 and 6)

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use aws_sdk_rds::types;
use everseal_planner::rds::migration::observed::{ClusterSettings, InstanceSettings};

/// Settings of an instance.
pub(in crate::rds) fn instance(db: &types::DbInstance) -> InstanceSettings {
    let port = db.endpoint().and_then(types::Endpoint::port).or(db.db_instance_port());
    let replicas = db.read_replica_db_instance_identifiers().iter().chain(db.read_replica_db_cluster_identifiers());
    let source = db.read_replica_source_db_instance_identifier().or(db.read_replica_source_db_cluster_identifier());
    let secret = db.master_user_secret();
    InstanceSettings {
        db_instance_class: text(db.db_instance_class()),
        db_parameter_group: db.db_parameter_groups().first().and_then(|group| text(group.db_parameter_group_name())),
        vpc_security_groups: security_groups(db.vpc_security_groups()),
        db_subnet_group: db.db_subnet_group().and_then(|group| text(group.db_subnet_group_name())),
        option_group: db.option_group_memberships().first().and_then(|group| text(group.option_group_name())),
        multi_az: is(db.multi_az()),
        availability_zone: text(db.availability_zone()),
        publicly_accessible: is(db.publicly_accessible()),
        port: number(port).filter(|port| *port > 0),
        storage_type: text(db.storage_type()),
        iops: number(db.iops()),
        storage_throughput: number(db.storage_throughput()),
        allocated_storage: number(db.allocated_storage()),
        max_allocated_storage: number(db.max_allocated_storage()),
        backup_retention_period: number(db.backup_retention_period()).unwrap_or_default(),
        preferred_backup_window: text(db.preferred_backup_window()),
        preferred_maintenance_window: text(db.preferred_maintenance_window()),
        deletion_protection: is(db.deletion_protection()),
        copy_tags_to_snapshot: is(db.copy_tags_to_snapshot()),
        cloudwatch_logs_exports: set(db.enabled_cloudwatch_logs_exports()),
        iam_database_authentication: is(db.iam_database_authentication_enabled()),
        auto_minor_version_upgrade: is(db.auto_minor_version_upgrade()),
        license_model: text(db.license_model()),
        domains: domains(db.domain_memberships()),
        network_type: text(db.network_type()),
        ca_certificate: text(db.ca_certificate_identifier()),
        processor_features: processor_features(db.processor_features()),
        dedicated_log_volume: is(db.dedicated_log_volume()),
        engine_lifecycle_support: text(db.engine_lifecycle_support()),
        manage_master_user_password: secret.is_some(),
        master_user_secret_kms_key: secret.and_then(|secret| text(secret.kms_key_id())),
        monitoring_interval: number(db.monitoring_interval()).unwrap_or_default(),
        monitoring_role_arn: text(db.monitoring_role_arn()),
        performance_insights: is(db.performance_insights_enabled()),
        performance_insights_kms_key: text(db.performance_insights_kms_key_id()),
        performance_insights_retention: number(db.performance_insights_retention_period()).filter(|days| *days > 0),
        database_insights_mode: db.database_insights_mode().map(|mode| mode.as_str().to_owned()),
        // The order in which Aurora's replicas are promoted: it means nothing outside of a cluster.
        promotion_tier: text(db.db_cluster_identifier()).and_then(|_| number(db.promotion_tier())),
        associated_roles: db.associated_roles().iter().filter_map(|role| role_of(role.feature_name(), role.role_arn())).collect(),
        replica_mode: db.replica_mode().map(|mode| mode.as_str().to_owned()),
        activity_stream: db.activity_stream_status() == Some(&types::ActivityStreamStatus::Started),
        replica_of: text(source),
        read_replicas: replicas.cloned().collect(),
        multi_tenant: is(db.multi_tenant()),
        timezone: text(db.timezone()),
    }
}

/// Settings of a cluster.
pub(in crate::rds) fn cluster(db: &types::DbCluster) -> ClusterSettings {
    let secret = db.master_user_secret();
    ClusterSettings {
        db_cluster_parameter_group: text(db.db_cluster_parameter_group()),
        vpc_security_groups: security_groups(db.vpc_security_groups()),
        db_subnet_group: text(db.db_subnet_group()),
        port: number(db.port()).filter(|port| *port > 0),
        engine_mode: text(db.engine_mode()),
        database_name: text(db.database_name()),
        backup_retention_period: number(db.backup_retention_period()).unwrap_or_default(),
        preferred_backup_window: text(db.preferred_backup_window()),
        preferred_maintenance_window: text(db.preferred_maintenance_window()),
        deletion_protection: is(db.deletion_protection()),
        copy_tags_to_snapshot: is(db.copy_tags_to_snapshot()),
        cloudwatch_logs_exports: set(db.enabled_cloudwatch_logs_exports()),
        iam_database_authentication: is(db.iam_database_authentication_enabled()),
        http_endpoint: is(db.http_endpoint_enabled()),
        backtrack_window: db.backtrack_window().unwrap_or_default(),
        serverless_v2_scaling: db.serverless_v2_scaling_configuration().and_then(scaling),
        storage_type: text(db.storage_type()),
        iops: number(db.iops()),
        allocated_storage: number(db.allocated_storage()),
        db_cluster_instance_class: text(db.db_cluster_instance_class()),
        publicly_accessible: is(db.publicly_accessible()),
        ca_certificate: db.certificate_details().and_then(|details| text(details.ca_identifier())),
        network_type: text(db.network_type()),
        engine_lifecycle_support: text(db.engine_lifecycle_support()),
        manage_master_user_password: secret.is_some(),
        master_user_secret_kms_key: secret.and_then(|secret| text(secret.kms_key_id())),
        monitoring_interval: number(db.monitoring_interval()).unwrap_or_default(),
        monitoring_role_arn: text(db.monitoring_role_arn()),
        performance_insights: is(db.performance_insights_enabled()),
        performance_insights_kms_key: text(db.performance_insights_kms_key_id()),
        performance_insights_retention: number(db.performance_insights_retention_period()).filter(|days| *days > 0),
        database_insights_mode: db.database_insights_mode().map(|mode| mode.as_str().to_owned()),
        auto_minor_version_upgrade: is(db.auto_minor_version_upgrade()),
        associated_roles: db.associated_roles().iter().filter_map(|role| role_of(role.feature_name(), role.role_arn())).collect(),
        domains: domains(db.domain_memberships()),
        replica_of: text(db.replication_source_identifier()),
        read_replicas: set(db.read_replica_identifiers()),
        global_cluster: text(db.global_cluster_identifier()),
        activity_stream: db.activity_stream_status() == Some(&types::ActivityStreamStatus::Started),
    }
}

/// An empty element is how the query protocol spells "none".
fn text(value: Option<&str>) -> Option<String> {
    value.filter(|value| !value.is_empty()).map(str::to_owned)
}

fn is(value: Option<bool>) -> bool {
    value.unwrap_or_default()
}

fn number<N: TryFrom<i32>>(value: Option<i32>) -> Option<N> {
    value.and_then(|value| N::try_from(value).ok())
}

fn set(values: &[String]) -> BTreeSet<String> {
    values.iter().cloned().collect()
}

/// One that is on its way in or out does not count yet, or any more.
fn security_groups(groups: &[types::VpcSecurityGroupMembership]) -> BTreeSet<String> {
    let active = groups.iter().filter(|group| group.status().is_none_or(|status| status == "active"));
    active.filter_map(|group| text(group.vpc_security_group_id())).collect()
}

/// `domain role` of a directory of AWS's; a domain of one's own is known by its name.
fn domains(memberships: &[types::DomainMembership]) -> BTreeSet<String> {
    let domain = |membership: &types::DomainMembership| {
        let domain = text(membership.domain()).or_else(|| text(membership.fqdn()))?;
        Some(text(membership.iam_role_name()).map_or_else(|| domain.clone(), |role| format!("{domain} {role}")))
    };
    memberships.iter().filter_map(domain).collect()
}

fn processor_features(features: &[types::ProcessorFeature]) -> BTreeMap<String, String> {
    features.iter().filter_map(|feature| Some((text(feature.name())?, text(feature.value())?))).collect()
}

fn role_of(feature: Option<&str>, role: Option<&str>) -> Option<(String, String)> {
    Some((feature.unwrap_or_default().to_owned(), text(role)?))
}

fn scaling(info: &types::ServerlessV2ScalingConfigurationInfo) -> Option<String> {
    let mut written = format!("{}-{}", info.min_capacity()?, info.max_capacity()?);
    if let Some(seconds) = info.seconds_until_auto_pause() {
        // Writing to a text can't fail.
        let _ = write!(written, "/{seconds}");
    }
    Some(written)
}

/// The call's form of what [`scaling`] wrote.
pub(in crate::rds) fn scaling_configuration(written: &str) -> Option<types::ServerlessV2ScalingConfiguration> {
    let (range, seconds) = written.split_once('/').map_or((written, None), |(range, seconds)| (range, Some(seconds)));
    let (min, max) = range.split_once('-')?;
    let builder = types::ServerlessV2ScalingConfiguration::builder();
    let builder = builder.min_capacity(min.parse().ok()?).max_capacity(max.parse().ok()?);
    Some(builder.set_seconds_until_auto_pause(seconds.and_then(|seconds| seconds.parse().ok())).build())
}
