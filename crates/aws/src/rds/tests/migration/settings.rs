use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::inventory::ErrorClass;
use everseal_planner::rds::migration::change::MigrationChange;
use everseal_planner::rds::migration::observed::{ClusterSettings, InstanceSettings, TAG_OF};

use super::super::{arn, pairs, refused};
use super::applying::{KEY, call, database, done, make, ours, with_tags};
use super::{clusters, operation, tag};
use crate::testing::Answer;

const ROLE: &str = "arn:aws:iam::111122223333:role/em";

fn one(value: &str) -> BTreeSet<String> {
    BTreeSet::from([value.to_owned()])
}

#[allow(clippy::unnecessary_wraps)]
fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// An instance with something of everything.
fn settings() -> InstanceSettings {
    InstanceSettings {
        db_instance_class: text("db.r6g.large"),
        db_parameter_group: text("pg15-tuned"),
        vpc_security_groups: one("sg-1"),
        db_subnet_group: text("private"),
        option_group: text("og"),
        multi_az: true,
        availability_zone: text("us-east-1b"),
        publicly_accessible: true,
        port: Some(5433),
        storage_type: text("gp3"),
        iops: Some(12000),
        storage_throughput: Some(500),
        allocated_storage: Some(500),
        max_allocated_storage: Some(1000),
        backup_retention_period: 14,
        preferred_backup_window: text("03:00-03:30"),
        preferred_maintenance_window: text("sun:02:00-sun:03:00"),
        deletion_protection: true,
        copy_tags_to_snapshot: true,
        cloudwatch_logs_exports: one("postgresql"),
        iam_database_authentication: true,
        auto_minor_version_upgrade: true,
        license_model: text("postgresql-license"),
        domains: one("d-123 directory"),
        network_type: text("DUAL"),
        ca_certificate: text("rds-ca-rsa2048-g1"),
        processor_features: BTreeMap::from([("coreCount".into(), "2".into())]),
        dedicated_log_volume: true,
        engine_lifecycle_support: text("open-source-rds-extended-support-disabled"),
        manage_master_user_password: true,
        master_user_secret_kms_key: text("secret-key"),
        monitoring_interval: 60,
        monitoring_role_arn: text(ROLE),
        performance_insights: true,
        performance_insights_kms_key: text("pi-key"),
        performance_insights_retention: Some(465),
        database_insights_mode: text("advanced"),
        ..InstanceSettings::default()
    }
}

fn restore(settings: InstanceSettings) -> MigrationChange {
    MigrationChange::RestoreInstance {
        snapshot: "a-everseal-kms".into(),
        instance: "a-everseal".into(),
        settings: Box::new(settings),
        tags: ours(),
    }
}

/// AWS-FACTS §8.2, item 5: each of these would fall to a default.
#[tokio::test]
async fn a_restore_passes_all_that_it_can_take() {
    let (action, sent) = call(restore(settings())).await;
    assert_eq!(action, "RestoreDBInstanceFromDBSnapshot");
    let expected = [
        ("DBSnapshotIdentifier", "a-everseal-kms"),
        ("DBInstanceIdentifier", "a-everseal"),
        ("DBInstanceClass", "db.r6g.large"),
        ("DBParameterGroupName", "pg15-tuned"),
        ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-1"),
        ("DBSubnetGroupName", "private"),
        ("OptionGroupName", "og"),
        ("MultiAZ", "true"),
        ("PubliclyAccessible", "true"),
        ("Port", "5433"),
        ("StorageType", "gp3"),
        ("Iops", "12000"),
        ("StorageThroughput", "500"),
        ("DedicatedLogVolume", "true"),
        ("BackupRetentionPeriod", "14"),
        ("PreferredBackupWindow", "03:00-03:30"),
        ("DeletionProtection", "true"),
        ("CopyTagsToSnapshot", "true"),
        ("EnableCloudwatchLogsExports.member.1", "postgresql"),
        ("EnableIAMDatabaseAuthentication", "true"),
        ("AutoMinorVersionUpgrade", "true"),
        ("LicenseModel", "postgresql-license"),
        ("Domain", "d-123"),
        ("DomainIAMRoleName", "directory"),
        ("NetworkType", "DUAL"),
        ("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        ("ProcessorFeatures.ProcessorFeature.1.Name", "coreCount"),
        ("ProcessorFeatures.ProcessorFeature.1.Value", "2"),
        ("EngineLifecycleSupport", "open-source-rds-extended-support-disabled"),
    ];
    assert_eq!(sent, with_tags(&expected));
}

/// What AWS refuses where it does not fit: a zone of a Multi-AZ instance, a small gp3 volume's own IOPS, switches that the
/// engine does not know.
#[tokio::test]
async fn a_restore_asks_for_nothing_that_would_be_refused() {
    let small = InstanceSettings {
        availability_zone: text("us-east-1b"),
        storage_type: text("gp3"),
        iops: Some(3000),
        storage_throughput: Some(125),
        // One's own Active Directory: AWS does not show what joining it takes.
        domains: one("corp.example.com"),
        ..InstanceSettings::default()
    };
    let always = [
        ("DBSnapshotIdentifier", "a-everseal-kms"),
        ("DBInstanceIdentifier", "a-everseal"),
        ("MultiAZ", "false"),
        ("PubliclyAccessible", "false"),
        ("BackupRetentionPeriod", "0"),
        ("DeletionProtection", "false"),
        ("CopyTagsToSnapshot", "false"),
        ("AutoMinorVersionUpgrade", "false"),
    ];
    let (_, sent) = call(restore(small)).await;
    let expected: Vec<_> = always.iter().copied().chain([("AvailabilityZone", "us-east-1b"), ("StorageType", "gp3")]).collect();
    assert_eq!(sent, with_tags(&expected));

    for (kind, iops, sent_iops) in [("io1", Some(3000), Some("3000")), ("io2", Some(1000), Some("1000")), ("gp2", Some(900), None)] {
        let volume = InstanceSettings { storage_type: text(kind), iops, storage_throughput: Some(250), ..InstanceSettings::default() };
        let (_, sent) = call(restore(volume)).await;
        let expected: Vec<_> = always.iter().copied().chain([("StorageType", kind)]).chain(sent_iops.map(|iops| ("Iops", iops))).collect();
        assert_eq!(sent, with_tags(&expected), "{kind}");
    }
}

#[tokio::test]
async fn a_copy_that_the_same_migration_has_restored_is_done() {
    for (of, same) in [("db-ABC", true), ("db-OTHER", false)] {
        let (outcome, _) = make(restore(settings()), move |seen| match operation(seen).as_str() {
            "DescribeDBInstances" => database(everseal_planner::plan::change::ParameterGroupKind::Instance, "id", &tag(TAG_OF, of)),
            _ => refused(400, "DBInstanceAlreadyExists"),
        })
        .await;
        assert_eq!(outcome.is_ok(), same);
        if let Err(error) = outcome {
            assert_eq!(error.class, ErrorClass::Conflict);
            assert!(error.message.starts_with("a-everseal exists and was not made by this migration"), "{}", error.message);
        }
    }
}

#[tokio::test]
async fn a_restore_that_is_refused_is_explained() {
    let cases = [
        ("InsufficientDBInstanceCapacity", ErrorClass::Unavailable, "tried again"),
        ("InstanceQuotaExceeded", ErrorClass::LimitExceeded, "quota for DB instances"),
        ("DBSubnetGroupDoesNotCoverEnoughAZs", ErrorClass::Invalid, "subnets in two more Availability Zones"),
        ("KMSKeyNotAccessibleFault", ErrorClass::Denied, "kms:DescribeKey"),
    ];
    for (code, class, words) in cases {
        let error = make(restore(settings()), move |_| refused(400, code)).await.0.unwrap_err();
        assert_eq!(error.class, class, "{code}");
        assert!(error.message.contains(words), "{}", error.message);
    }
    // latacora/latacora-service-control-policies#16: a policy that asks for rds:StorageEncrypted denies restores as well.
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized to perform: rds:RestoreDBInstanceFromDBSnapshot \
         with an explicit deny in a service control policy</Message></Error></ErrorResponse>";
    let error = make(restore(settings()), move |_| Answer::new(403, denied)).await.0.unwrap_err();
    assert_eq!(error.class, ErrorClass::Denied);
    assert!(error.message.contains("rds:StorageEncrypted also denies restores"), "{}", error.message);
}

fn configure(before: InstanceSettings, after: InstanceSettings) -> MigrationChange {
    MigrationChange::ConfigureInstance { instance: "a-everseal".into(), before: Box::new(before), after: Box::new(after) }
}

const AT_ONCE: [(&str, &str); 2] = [("DBInstanceIdentifier", "a-everseal"), ("ApplyImmediately", "true")];

async fn modified(before: InstanceSettings, after: InstanceSettings) -> Vec<(String, String)> {
    let (action, sent) = call(configure(before, after)).await;
    assert_eq!(action, "ModifyDBInstance");
    let common = pairs(&AT_ONCE);
    assert!(common.iter().all(|pair| sent.contains(pair)), "{sent:?}");
    sent.into_iter().filter(|pair| !common.contains(pair)).collect()
}

/// AWS-FACTS §8.2, item 6: what a restore has no field for.
#[tokio::test]
async fn what_a_restore_can_not_take_is_set_afterwards() {
    let restored = InstanceSettings {
        max_allocated_storage: None,
        preferred_maintenance_window: text("mon:01:00-mon:01:30"),
        manage_master_user_password: false,
        master_user_secret_kms_key: None,
        monitoring_interval: 0,
        monitoring_role_arn: None,
        performance_insights: false,
        performance_insights_kms_key: None,
        performance_insights_retention: None,
        database_insights_mode: text("standard"),
        ..settings()
    };
    let expected = [
        ("MaxAllocatedStorage", "1000"),
        ("PreferredMaintenanceWindow", "sun:02:00-sun:03:00"),
        ("ManageMasterUserPassword", "true"),
        ("MasterUserSecretKmsKeyId", "secret-key"),
        ("MonitoringInterval", "60"),
        ("MonitoringRoleArn", ROLE),
        ("EnablePerformanceInsights", "true"),
        ("PerformanceInsightsKMSKeyId", "pi-key"),
        ("PerformanceInsightsRetentionPeriod", "465"),
        ("DatabaseInsightsMode", "advanced"),
    ];
    assert_eq!(modified(restored, settings()).await, pairs(&expected));
}

#[tokio::test]
async fn only_what_differs_is_set_and_nothing_is_asked_for_where_nothing_does() {
    for same in [settings(), InstanceSettings::default()] {
        let (outcome, seen) = make(configure(same.clone(), same), done).await;
        outcome.unwrap();
        assert_eq!(seen.len(), 0);
    }
    // What no call can set.
    let fixed = InstanceSettings {
        db_subnet_group: text("other"),
        availability_zone: text("us-east-1c"),
        timezone: text("UTC"),
        multi_tenant: true,
        replica_mode: text("mounted"),
        manage_master_user_password: false,
        associated_roles: BTreeMap::from([("s3Import".into(), ROLE.into())]),
        replica_of: text("source"),
        read_replicas: one("replica"),
        activity_stream: true,
        ..settings()
    };
    let (outcome, seen) = make(configure(settings(), fixed), done).await;
    outcome.unwrap();
    assert_eq!(seen.len(), 0);
}

/// Each field alone: what is set, and that nothing else is.
#[tokio::test]
async fn each_setting_has_its_field() {
    type Case = (fn(&mut InstanceSettings), &'static [(&'static str, &'static str)]);
    let cases: [Case; 30] = [
        (|s| s.db_instance_class = text("db.r6g.xlarge"), &[("DBInstanceClass", "db.r6g.xlarge")]),
        (|s| s.db_parameter_group = text("other"), &[("DBParameterGroupName", "other")]),
        (|s| s.vpc_security_groups = one("sg-9"), &[("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-9")]),
        (|s| s.option_group = text("other"), &[("OptionGroupName", "other")]),
        (|s| s.multi_az = false, &[("MultiAZ", "false")]),
        (|s| s.publicly_accessible = false, &[("PubliclyAccessible", "false")]),
        (|s| s.port = Some(5432), &[("DBPortNumber", "5432")]),
        (|s| s.iops = Some(16000), &[("Iops", "16000"), ("AllocatedStorage", "500")]),
        (|s| s.storage_throughput = Some(1000), &[("StorageThroughput", "1000")]),
        (|s| s.allocated_storage = Some(600), &[("AllocatedStorage", "600")]),
        (|s| s.max_allocated_storage = Some(2000), &[("MaxAllocatedStorage", "2000")]),
        // Autoscaling off.
        (|s| s.max_allocated_storage = None, &[("MaxAllocatedStorage", "500")]),
        (|s| s.backup_retention_period = 35, &[("BackupRetentionPeriod", "35")]),
        (|s| s.preferred_backup_window = text("05:00-05:30"), &[("PreferredBackupWindow", "05:00-05:30")]),
        (|s| s.deletion_protection = false, &[("DeletionProtection", "false")]),
        (|s| s.copy_tags_to_snapshot = false, &[("CopyTagsToSnapshot", "false")]),
        (
            |s| s.cloudwatch_logs_exports = one("upgrade"),
            &[
                ("CloudwatchLogsExportConfiguration.EnableLogTypes.member.1", "upgrade"),
                ("CloudwatchLogsExportConfiguration.DisableLogTypes.member.1", "postgresql"),
            ],
        ),
        (|s| s.iam_database_authentication = false, &[("EnableIAMDatabaseAuthentication", "false")]),
        (|s| s.auto_minor_version_upgrade = false, &[("AutoMinorVersionUpgrade", "false")]),
        (|s| s.license_model = text("bring-your-own-license"), &[("LicenseModel", "bring-your-own-license")]),
        (|s| s.domains = one("d-9"), &[("Domain", "d-9")]),
        (|s| s.domains = BTreeSet::new(), &[("DisableDomain", "true")]),
        (|s| s.network_type = text("IPV4"), &[("NetworkType", "IPV4")]),
        (|s| s.ca_certificate = text("rds-ca-ecc384-g1"), &[("CACertificateIdentifier", "rds-ca-ecc384-g1")]),
        (|s| s.processor_features = BTreeMap::new(), &[("UseDefaultProcessorFeatures", "true")]),
        (|s| s.dedicated_log_volume = false, &[("DedicatedLogVolume", "false")]),
        (
            |s| s.engine_lifecycle_support = text("open-source-rds-extended-support"),
            &[("EngineLifecycleSupport", "open-source-rds-extended-support")],
        ),
        (|s| s.monitoring_interval = 0, &[("MonitoringInterval", "0")]),
        (|s| s.performance_insights = false, &[("EnablePerformanceInsights", "false")]),
        // The key of Insights that are on can't be changed.
        (
            |s| (s.performance_insights_retention, s.performance_insights_kms_key) = (Some(7), text("other")),
            &[("EnablePerformanceInsights", "true"), ("PerformanceInsightsRetentionPeriod", "7")],
        ),
    ];
    for (change, expected) in cases {
        let mut after = settings();
        change(&mut after);
        assert_eq!(modified(settings(), after).await, pairs(expected), "{expected:?}");
    }
    let small = InstanceSettings { storage_type: text("gp2"), ..settings() };
    let gp3 = InstanceSettings { iops: Some(3000), storage_throughput: Some(125), ..settings() };
    assert_eq!(modified(small, gp3).await, pairs(&[("StorageType", "gp3")]), "its own IOPS are not asked for");
    let less = InstanceSettings { allocated_storage: Some(100), ..settings() };
    let (outcome, seen) = make(configure(settings(), less), done).await;
    outcome.unwrap();
    assert_eq!(seen.len(), 0, "storage does not shrink");
}

/// The cluster manages the rest, and a call that bears it is refused.
#[tokio::test]
async fn a_member_of_a_cluster_gets_its_own_settings_alone() {
    let after = InstanceSettings { promotion_tier: Some(2), ..settings() };
    let before =
        InstanceSettings { promotion_tier: Some(1), monitoring_interval: 0, monitoring_role_arn: None, ..InstanceSettings::default() };
    let expected = [
        ("DBInstanceClass", "db.r6g.large"),
        ("DBParameterGroupName", "pg15-tuned"),
        ("PubliclyAccessible", "true"),
        ("PreferredMaintenanceWindow", "sun:02:00-sun:03:00"),
        ("AutoMinorVersionUpgrade", "true"),
        ("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        ("MonitoringInterval", "60"),
        ("MonitoringRoleArn", ROLE),
        ("EnablePerformanceInsights", "true"),
        ("PerformanceInsightsKMSKeyId", "pi-key"),
        ("PerformanceInsightsRetentionPeriod", "465"),
        ("PromotionTier", "2"),
    ];
    assert_eq!(modified(before, after.clone()).await, pairs(&expected));

    let member = MigrationChange::CreateClusterMember {
        cluster: "c-everseal".into(),
        instance: "w-everseal".into(),
        engine: "aurora-postgresql".into(),
        settings: Box::new(after),
        tags: ours(),
    };
    let (action, sent) = call(member.clone()).await;
    assert_eq!(action, "CreateDBInstance");
    let own = [
        ("DBInstanceIdentifier", "w-everseal"),
        ("DBClusterIdentifier", "c-everseal"),
        ("Engine", "aurora-postgresql"),
        ("AvailabilityZone", "us-east-1b"),
    ];
    assert_eq!(sent, with_tags(&expected.into_iter().chain(own).collect::<Vec<_>>()));

    let (outcome, _) = make(member, |seen| match operation(seen).as_str() {
        "DescribeDBInstances" => database(everseal_planner::plan::change::ParameterGroupKind::Instance, "id", &tag(TAG_OF, "db-ABC")),
        _ => refused(400, "DBInstanceAlreadyExists"),
    })
    .await;
    outcome.unwrap();
}

fn cluster_settings() -> ClusterSettings {
    ClusterSettings {
        db_cluster_parameter_group: text("tuned"),
        vpc_security_groups: one("sg-1"),
        db_subnet_group: text("private"),
        port: Some(5433),
        engine_mode: text("provisioned"),
        backup_retention_period: 7,
        preferred_backup_window: text("03:00-03:30"),
        preferred_maintenance_window: text("sun:02:00-sun:03:00"),
        deletion_protection: true,
        copy_tags_to_snapshot: true,
        cloudwatch_logs_exports: one("audit"),
        iam_database_authentication: true,
        http_endpoint: true,
        backtrack_window: 3600,
        serverless_v2_scaling: text("0.5-16/600"),
        storage_type: text("aurora-iopt1"),
        network_type: text("IPV4"),
        engine_lifecycle_support: text("open-source-rds-extended-support"),
        manage_master_user_password: true,
        master_user_secret_kms_key: text("secret-key"),
        monitoring_interval: 30,
        monitoring_role_arn: text(ROLE),
        performance_insights: true,
        performance_insights_kms_key: text("pi-key"),
        performance_insights_retention: Some(31),
        database_insights_mode: text("advanced"),
        associated_roles: BTreeMap::from([("s3Import".into(), ROLE.into()), (String::new(), "arn:aws:iam::111122223333:role/any".into())]),
        domains: one("d-123 directory"),
        ..ClusterSettings::default()
    }
}

fn restore_cluster(engine: &str, settings: ClusterSettings) -> MigrationChange {
    MigrationChange::RestoreCluster {
        snapshot: "c-everseal".into(),
        cluster: "c-everseal".into(),
        engine: engine.into(),
        engine_version: "16.1".into(),
        key: KEY.into(),
        settings: Box::new(settings),
        tags: ours(),
    }
}

const CLUSTER: [(&str, &str); 19] = [
    ("SnapshotIdentifier", "c-everseal"),
    ("DBClusterIdentifier", "c-everseal"),
    ("EngineVersion", "16.1"),
    ("KmsKeyId", KEY),
    ("DBClusterParameterGroupName", "tuned"),
    ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-1"),
    ("DBSubnetGroupName", "private"),
    ("Port", "5433"),
    ("BackupRetentionPeriod", "7"),
    ("PreferredBackupWindow", "03:00-03:30"),
    ("DeletionProtection", "true"),
    ("CopyTagsToSnapshot", "true"),
    ("EnableCloudwatchLogsExports.member.1", "audit"),
    ("EnableIAMDatabaseAuthentication", "true"),
    ("EngineLifecycleSupport", "open-source-rds-extended-support"),
    ("MonitoringInterval", "30"),
    ("MonitoringRoleArn", ROLE),
    ("EnablePerformanceInsights", "true"),
    ("PerformanceInsightsKMSKeyId", "pi-key"),
];

#[tokio::test]
async fn a_cluster_of_aurora_is_restored_with_the_key_and_all_that_it_can_take() {
    let (action, sent) = call(restore_cluster("aurora-mysql", cluster_settings())).await;
    assert_eq!(action, "RestoreDBClusterFromSnapshot");
    let aurora = [
        ("Engine", "aurora-mysql"),
        ("StorageType", "aurora-iopt1"),
        ("PerformanceInsightsRetentionPeriod", "31"),
        ("EngineMode", "provisioned"),
        ("BacktrackWindow", "3600"),
        ("ServerlessV2ScalingConfiguration.MinCapacity", "0.5"),
        ("ServerlessV2ScalingConfiguration.MaxCapacity", "16.0"),
        ("ServerlessV2ScalingConfiguration.SecondsUntilAutoPause", "600"),
        ("NetworkType", "IPV4"),
        ("Domain", "d-123"),
        ("DomainIAMRoleName", "directory"),
        ("AssociatedRoles.DBClusterAssociatedRole.1.RoleArn", "arn:aws:iam::111122223333:role/any"),
        ("AssociatedRoles.DBClusterAssociatedRole.2.RoleArn", ROLE),
        ("AssociatedRoles.DBClusterAssociatedRole.2.FeatureName", "s3Import"),
    ];
    assert_eq!(sent, with_tags(&CLUSTER.into_iter().chain(aurora).collect::<Vec<_>>()));
}

#[tokio::test]
async fn a_multi_az_cluster_gets_its_own_fields() {
    let settings = ClusterSettings {
        storage_type: text("io1"),
        iops: Some(3000),
        db_cluster_instance_class: text("db.m6gd.large"),
        ..cluster_settings()
    };
    let (_, sent) = call(restore_cluster("mysql", settings)).await;
    let own = [
        ("Engine", "mysql"),
        ("StorageType", "io1"),
        ("PerformanceInsightsRetentionPeriod", "31"),
        ("DBClusterInstanceClass", "db.m6gd.large"),
        ("Iops", "3000"),
        ("PubliclyAccessible", "false"),
    ];
    assert_eq!(sent, with_tags(&CLUSTER.into_iter().chain(own).collect::<Vec<_>>()));
}

#[tokio::test]
async fn a_cluster_that_the_same_migration_has_restored_is_done() {
    for (of, same) in [("db-ABC", true), ("db-OTHER", false)] {
        let (outcome, _) = make(restore_cluster("aurora-mysql", cluster_settings()), move |seen| match operation(seen).as_str() {
            "DescribeDBClusters" => clusters(&super::cluster("c-everseal", &tag(TAG_OF, of))),
            _ => refused(400, "DBClusterAlreadyExistsFault"),
        })
        .await;
        assert_eq!(outcome.is_ok(), same);
        assert!(outcome.is_ok() || outcome.unwrap_err().class == ErrorClass::Conflict);
    }
}

#[tokio::test]
async fn a_cluster_gets_what_its_restore_can_not_take() {
    let restored = ClusterSettings {
        preferred_maintenance_window: text("mon:01:00-mon:01:30"),
        http_endpoint: false,
        manage_master_user_password: false,
        master_user_secret_kms_key: None,
        database_insights_mode: text("standard"),
        ..cluster_settings()
    };
    let change = |before: ClusterSettings, after: ClusterSettings| MigrationChange::ConfigureCluster {
        cluster: "c-everseal".into(),
        before: Box::new(before),
        after: Box::new(after),
    };
    let (action, sent) = call(change(restored, cluster_settings())).await;
    assert_eq!(action, "ModifyDBCluster");
    let expected = [
        ("DBClusterIdentifier", "c-everseal"),
        ("ApplyImmediately", "true"),
        ("PreferredMaintenanceWindow", "sun:02:00-sun:03:00"),
        ("EnableHttpEndpoint", "true"),
        ("ManageMasterUserPassword", "true"),
        ("MasterUserSecretKmsKeyId", "secret-key"),
        ("EnablePerformanceInsights", "true"),
        ("PerformanceInsightsRetentionPeriod", "31"),
        ("DatabaseInsightsMode", "advanced"),
    ];
    assert_eq!(sent, pairs(&expected));

    let (outcome, seen) = make(change(cluster_settings(), cluster_settings()), done).await;
    outcome.unwrap();
    assert_eq!(seen.len(), 0);

    let other = ClusterSettings {
        db_cluster_parameter_group: text("other"),
        vpc_security_groups: one("sg-9"),
        port: Some(3306),
        backup_retention_period: 35,
        deletion_protection: false,
        copy_tags_to_snapshot: false,
        cloudwatch_logs_exports: BTreeSet::new(),
        iam_database_authentication: false,
        auto_minor_version_upgrade: true,
        backtrack_window: 0,
        serverless_v2_scaling: text("1-32"),
        network_type: text("DUAL"),
        storage_type: text("aurora"),
        ..cluster_settings()
    };
    let expected = [
        ("DBClusterIdentifier", "c-everseal"),
        ("ApplyImmediately", "true"),
        ("DBClusterParameterGroupName", "other"),
        ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-9"),
        ("Port", "3306"),
        ("BackupRetentionPeriod", "35"),
        ("DeletionProtection", "false"),
        ("CopyTagsToSnapshot", "false"),
        ("CloudwatchLogsExportConfiguration.DisableLogTypes.member.1", "audit"),
        ("EnableIAMDatabaseAuthentication", "false"),
        ("AutoMinorVersionUpgrade", "true"),
        ("BacktrackWindow", "0"),
        ("ServerlessV2ScalingConfiguration.MinCapacity", "1.0"),
        ("ServerlessV2ScalingConfiguration.MaxCapacity", "32.0"),
        ("NetworkType", "DUAL"),
        ("StorageType", "aurora"),
    ];
    assert_eq!(call(change(cluster_settings(), other)).await.1, pairs(&expected));
    assert_eq!(arn("cluster:c").resource(), "cluster:c");
}
