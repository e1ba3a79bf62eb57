use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::inventory::{ErrorClass, Reading};
use everseal_planner::plan::{Reads, Target};
use everseal_planner::rds::migration::observed::{
    BlueGreenDeployment, ClusterSettings, DbSnapshot, InstanceSettings, TAG_ISOLATED_AT, TAG_OF,
};
use everseal_planner::rds::observed::StorageEncryption;

use super::super::{actions, form, marker, refused, xml};
use super::{NOON, cluster, clusters, for_migrations, instance, instances, look, nothing, only, operation, tag};
use crate::rds::tests::arn;
use crate::testing::{Answer, Seen};

fn snapshot(name: &str, more: &str) -> String {
    format!(
        "<DBSnapshot><DBSnapshotIdentifier>{name}</DBSnapshotIdentifier><DBInstanceIdentifier>a</DBInstanceIdentifier>\
         <DBSnapshotArn>{}</DBSnapshotArn><Status>available</Status>{more}</DBSnapshot>",
        arn(&format!("snapshot:{name}"))
    )
}

fn cluster_snapshot(name: &str, more: &str) -> String {
    format!(
        "<DBClusterSnapshot><DBClusterSnapshotIdentifier>{name}</DBClusterSnapshotIdentifier><DBClusterIdentifier>c</DBClusterIdentifier>\
         <DBClusterSnapshotArn>{}</DBClusterSnapshotArn><Status>creating</Status>{more}</DBClusterSnapshot>",
        arn(&format!("cluster-snapshot:{name}"))
    )
}

fn snapshots(list: &str, next: Option<&str>) -> Answer {
    xml("DescribeDBSnapshots", &format!("<DBSnapshots>{list}</DBSnapshots>{}", marker(next)))
}

fn cluster_snapshots(list: &str, next: Option<&str>) -> Answer {
    xml("DescribeDBClusterSnapshots", &format!("<DBClusterSnapshots>{list}</DBClusterSnapshots>{}", marker(next)))
}

fn page(seen: &Seen) -> (String, Option<String>) {
    (operation(seen), form(seen).remove("Marker"))
}

#[tokio::test]
async fn manual_snapshots_of_ours_are_read_to_the_last_page_and_nobody_elses() {
    let ours = tag(TAG_OF, "db-ABC");
    let (inventory, seen) = look(&Target::Everything, &for_migrations(), move |seen| match page(seen) {
        (one, None) if one == "DescribeDBSnapshots" => {
            snapshots(&(snapshot("theirs", "") + &snapshot("other", &tag("team", TAG_OF)) + &snapshot("first", &ours)), Some("m"))
        }
        (one, Some(at)) if one == "DescribeDBSnapshots" && at == "m" => snapshots(&snapshot("second", &ours), None),
        (one, None) if one == "DescribeDBClusterSnapshots" => cluster_snapshots(&cluster_snapshot("theirs", ""), Some("m")),
        (one, Some(at)) if one == "DescribeDBClusterSnapshots" && at == "m" => cluster_snapshots(&cluster_snapshot("third", &ours), None),
        _ => nothing(seen),
    })
    .await;
    let names: BTreeSet<&str> = inventory.migrations.snapshots.known().unwrap().values().map(|one| one.identifier.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["first", "second", "third"]));
    let listings = seen.iter().filter(|seen| operation(seen).ends_with("Snapshots"));
    let asked: Vec<_> = listings.map(|seen| (form(seen)["SnapshotType"].clone(), form(seen)["MaxRecords"].clone())).collect();
    assert_eq!(asked, vec![("manual".to_owned(), "100".to_owned()); 4], "automated backups are none of ours");
}

#[tokio::test]
async fn a_snapshot_is_told_whole() {
    let more = "<SnapshotCreateTime>2026-11-24T12:00:10Z</SnapshotCreateTime>\
         <OriginalSnapshotCreateTime>2026-11-24T12:00:00Z</OriginalSnapshotCreateTime><PercentProgress>42</PercentProgress>\
         <Encrypted>true</Encrypted><StorageEncryptionType>sse-kms</StorageEncryptionType><KmsKeyId>key</KmsKeyId>";
    let of_cluster = "<SnapshotCreateTime>2026-11-24T12:00:00Z</SnapshotCreateTime><PercentProgress>0</PercentProgress>\
         <StorageEncrypted>false</StorageEncrypted><StorageEncryptionType>none</StorageEncryptionType><KmsKeyId/>";
    let ours = tag(TAG_OF, "db-ABC");
    let (inventory, _) = look(&Target::Everything, &for_migrations(), move |seen| match operation(seen).as_str() {
        "DescribeDBSnapshots" => snapshots(&snapshot("copy", &(more.to_owned() + &ours)), None),
        "DescribeDBClusterSnapshots" => cluster_snapshots(&cluster_snapshot("whole", &(of_cluster.to_owned() + &ours)), None),
        _ => nothing(seen),
    })
    .await;
    let tags = BTreeMap::from([(TAG_OF.to_owned(), "db-ABC".to_owned())]);
    let copy = DbSnapshot {
        arn: arn("snapshot:copy"),
        identifier: "copy".into(),
        database: "a".into(),
        status: "available".into(),
        percent_progress: 42,
        created_at: Some(NOON + 10),
        data_of: Some(NOON),
        copied_from: None,
        storage: StorageEncryption {
            storage_encrypted: true,
            storage_encryption_type: Some("sse-kms".into()),
            kms_key: Some("key".into()),
        },
        tags: tags.clone(),
    };
    let whole = DbSnapshot {
        arn: arn("cluster-snapshot:whole"),
        identifier: "whole".into(),
        database: "c".into(),
        status: "creating".into(),
        percent_progress: 0,
        created_at: Some(NOON),
        data_of: Some(NOON),
        copied_from: None,
        storage: StorageEncryption { storage_encrypted: false, storage_encryption_type: Some("none".into()), kms_key: None },
        tags,
    };
    let expected = BTreeMap::from([(copy.arn.clone(), copy), (whole.arn.clone(), whole)]);
    assert_eq!(inventory.migrations.snapshots, Reading::Known(expected));
}

fn deployment(id: &str, more: &str) -> String {
    format!(
        "<member><BlueGreenDeploymentIdentifier>{id}</BlueGreenDeploymentIdentifier><BlueGreenDeploymentName>{id}-name</BlueGreenDeploymentName>\
         <Source>{}</Source><Status>PROVISIONING</Status>{more}</member>",
        arn("db:a")
    )
}

fn deployments(list: &str, next: Option<&str>) -> Answer {
    xml("DescribeBlueGreenDeployments", &format!("<BlueGreenDeployments>{list}</BlueGreenDeployments>{}", marker(next)))
}

#[tokio::test]
async fn every_blue_green_deployment_is_read_whoever_made_it() {
    let more = format!(
        "<Target>{}</Target><StatusDetails>almost</StatusDetails><CreateTime>2026-11-24T12:00:00Z</CreateTime>\
         <Tasks><member><Name>CREATING_READ_REPLICA_OF_SOURCE</Name><Status>COMPLETED</Status></member></Tasks>{}",
        arn("db:a-green-x1"),
        tag(TAG_OF, "db-ABC")
    );
    let (inventory, _) = look(&Target::Everything, &for_migrations(), move |seen| match page(seen) {
        (one, None) if one == "DescribeBlueGreenDeployments" => deployments(&deployment("bgd-1", ""), Some("m")),
        (one, Some(_)) if one == "DescribeBlueGreenDeployments" => deployments(&deployment("bgd-2", &more), None),
        _ => nothing(seen),
    })
    .await;
    let found = inventory.migrations.blue_green_deployments.known().unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["bgd-1", "bgd-2"]);
    let expected = BlueGreenDeployment {
        identifier: "bgd-2".into(),
        name: "bgd-2-name".into(),
        source: arn("db:a").to_string(),
        target: Some(arn("db:a-green-x1").to_string()),
        status: "PROVISIONING".into(),
        status_details: Some("almost".into()),
        tasks: BTreeMap::from([("CREATING_READ_REPLICA_OF_SOURCE".into(), "COMPLETED".into())]),
        created_at: Some(NOON),
        tags: BTreeMap::from([(TAG_OF.into(), "db-ABC".into())]),
    };
    assert_eq!(found["bgd-2"], expected);
}

#[tokio::test]
async fn a_refused_listing_is_unreadable_and_takes_nothing_from_the_others() {
    for (denied, missing) in [
        ("DescribeDBSnapshots", "rds:DescribeDBSnapshots"),
        ("DescribeDBClusterSnapshots", "rds:DescribeDBClusterSnapshots"),
        ("DescribeBlueGreenDeployments", "rds:DescribeBlueGreenDeployments"),
    ] {
        let (inventory, _) = look(&Target::Everything, &for_migrations(), move |seen| match operation(seen).as_str() {
            one if one == denied => refused(403, "AccessDenied"),
            "DescribeDBInstances" => instances(&instance("a", "")),
            _ => nothing(seen),
        })
        .await;
        let facts = &inventory.migrations;
        let unreadable = match (&facts.snapshots, &facts.blue_green_deployments) {
            (Reading::Unreadable { unreadable }, Reading::Known(_)) | (Reading::Known(_), Reading::Unreadable { unreadable }) => unreadable,
            other => panic!("{denied}: {other:?}"),
        };
        assert_eq!((unreadable.class, unreadable.missing_action.as_deref()), (ErrorClass::Denied, Some(missing)));
        assert_eq!(inventory.db_instances.len(), 1);
    }
}

#[tokio::test]
async fn a_page_that_fails_makes_no_half_listing() {
    let ours = tag(TAG_OF, "db-ABC");
    let (inventory, _) = look(&Target::Everything, &for_migrations(), move |seen| match page(seen) {
        (one, None) if one == "DescribeDBSnapshots" => snapshots(&snapshot("first", &ours), Some("m")),
        (one, Some(_)) if one == "DescribeDBSnapshots" => refused(403, "AccessDenied"),
        _ => nothing(seen),
    })
    .await;
    assert!(matches!(inventory.migrations.snapshots, Reading::Unreadable { .. }));
}

#[tokio::test]
async fn what_migrations_need_is_read_only_where_they_are_asked_for() {
    let (inventory, seen) = look(&Target::Everything, &Reads::nothing(), |seen| match operation(seen).as_str() {
        "DescribeDBInstances" => instances(&instance("a", "")),
        _ => nothing(seen),
    })
    .await;
    assert_eq!(actions(&seen), ["DescribeDBInstances", "DescribeDBClusters"]);
    assert!(inventory.migrations.is_empty());
    assert_eq!(inventory.db_instances[&arn("db:a")].settings, None);

    let (inventory, seen) = look(&only(&[arn("pg:tuned")]), &for_migrations(), nothing).await;
    assert!(inventory.migrations.is_empty() && seen.is_empty(), "a parameter group is nothing that moves");

    let (inventory, seen) = look(&only(&[arn("db:a")]), &for_migrations(), nothing).await;
    let expected =
        ["DescribeBlueGreenDeployments", "DescribeDBClusterSnapshots", "DescribeDBInstances", "DescribeDBSnapshots"].map(str::to_owned);
    assert_eq!(actions(&seen).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(expected), "a step's standing hangs on all of them");
    assert!(inventory.migrations.snapshots.known().is_some());
}

const ENCRYPTED: &str = "<StorageEncrypted>true</StorageEncrypted><StorageEncryptionType>sse-kms</StorageEncryptionType>";

/// The estates are large: settings are kept of those few that a migration may concern.
#[tokio::test]
async fn settings_are_kept_only_of_what_a_migration_may_concern() {
    let member = |name: &str, of: &str, more: &str| instance(name, &format!("<DBClusterIdentifier>{of}</DBClusterIdentifier>{more}"));
    let list = instance("open", "")
        + &instance("typed", "<StorageEncrypted>true</StorageEncrypted><StorageEncryptionType>none</StorageEncryptionType>")
        + &instance("sealed", ENCRYPTED)
        + &instance("copy", &(ENCRYPTED.to_owned() + &tag(TAG_OF, "db-ABC")))
        + &instance("isolated", &(ENCRYPTED.to_owned() + &tag(TAG_ISOLATED_AT, "1")))
        + &instance("tagged", &(ENCRYPTED.to_owned() + &tag("team", "everseal:migration-of")))
        + &instance("green", ENCRYPTED)
        // AWS says nothing of the storage of a member under SSE-RDS.
        + &member("m-sealed", "c-sse-rds", "")
        + &member("m-open", "c-open", ENCRYPTED);
    let of_clusters =
        cluster("c-sse-rds", "<StorageEncrypted>false</StorageEncrypted><StorageEncryptionType>sse-rds</StorageEncryptionType>")
            + &cluster("c-open", "<StorageEncrypted>false</StorageEncrypted>")
            + &cluster("c-copy", &(ENCRYPTED.to_owned() + &tag(TAG_OF, "cluster-ABC")));
    let green = format!("<Target>{}</Target>", arn("db:green"));
    let (inventory, _) = look(&Target::Everything, &for_migrations(), move |seen| match operation(seen).as_str() {
        "DescribeDBInstances" => instances(&list),
        "DescribeDBClusters" => clusters(&of_clusters),
        "DescribeBlueGreenDeployments" => deployments(&deployment("bgd-1", &green), None),
        _ => nothing(seen),
    })
    .await;
    let kept: Vec<&str> = inventory.db_instances.values().filter(|one| one.settings.is_some()).map(|one| one.identifier.as_str()).collect();
    assert_eq!(kept, ["copy", "green", "isolated", "m-open", "open", "typed"]);
    let kept: Vec<&str> = inventory.db_clusters.values().filter(|one| one.settings.is_some()).map(|one| one.identifier.as_str()).collect();
    assert_eq!(kept, ["c-copy", "c-open"]);
}

/// AWS-FACTS §8.2, items 5 and 6: each field that a restore loses.
#[tokio::test]
async fn every_setting_that_a_restore_loses_is_read() {
    let more = "<DBInstanceClass>db.r6g.large</DBInstanceClass><Endpoint><Address>x</Address><Port>5433</Port></Endpoint>\
        <AllocatedStorage>500</AllocatedStorage><PreferredBackupWindow>03:00-03:30</PreferredBackupWindow>\
        <BackupRetentionPeriod>14</BackupRetentionPeriod><VpcSecurityGroups>\
        <VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId><Status>active</Status></VpcSecurityGroupMembership>\
        <VpcSecurityGroupMembership><VpcSecurityGroupId>sg-2</VpcSecurityGroupId><Status>removing</Status></VpcSecurityGroupMembership>\
        </VpcSecurityGroups><DBParameterGroups><DBParameterGroup><DBParameterGroupName>pg15-tuned</DBParameterGroupName></DBParameterGroup>\
        </DBParameterGroups><AvailabilityZone>us-east-1b</AvailabilityZone>\
        <DBSubnetGroup><DBSubnetGroupName>private</DBSubnetGroupName></DBSubnetGroup>\
        <PreferredMaintenanceWindow>sun:02:00-sun:03:00</PreferredMaintenanceWindow><MultiAZ>true</MultiAZ>\
        <AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade><LicenseModel>postgresql-license</LicenseModel><Iops>12000</Iops>\
        <StorageThroughput>500</StorageThroughput><OptionGroupMemberships><OptionGroupMembership><OptionGroupName>og</OptionGroupName>\
        </OptionGroupMembership></OptionGroupMemberships><PubliclyAccessible>true</PubliclyAccessible><StorageType>gp3</StorageType>\
        <CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier><DomainMemberships>\
        <DomainMembership><Domain>d-123</Domain><IAMRoleName>directory</IAMRoleName></DomainMembership></DomainMemberships>\
        <CopyTagsToSnapshot>true</CopyTagsToSnapshot><MonitoringInterval>60</MonitoringInterval>\
        <MonitoringRoleArn>arn:aws:iam::111122223333:role/em</MonitoringRoleArn><PromotionTier>1</PromotionTier>\
        <IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled><DatabaseInsightsMode>advanced</DatabaseInsightsMode>\
        <PerformanceInsightsEnabled>true</PerformanceInsightsEnabled><PerformanceInsightsKMSKeyId>pi-key</PerformanceInsightsKMSKeyId>\
        <PerformanceInsightsRetentionPeriod>465</PerformanceInsightsRetentionPeriod>\
        <EnabledCloudwatchLogsExports><member>postgresql</member></EnabledCloudwatchLogsExports>\
        <ProcessorFeatures><ProcessorFeature><Name>coreCount</Name><Value>2</Value></ProcessorFeature></ProcessorFeatures>\
        <DeletionProtection>true</DeletionProtection><AssociatedRoles><DBInstanceRole><RoleArn>arn:aws:iam::111122223333:role/s3</RoleArn>\
        <FeatureName>s3Import</FeatureName><Status>ACTIVE</Status></DBInstanceRole></AssociatedRoles>\
        <MaxAllocatedStorage>1000</MaxAllocatedStorage><NetworkType>DUAL</NetworkType><ActivityStreamStatus>started</ActivityStreamStatus>\
        <MasterUserSecret><SecretArn>s</SecretArn><KmsKeyId>secret-key</KmsKeyId></MasterUserSecret><ReplicaMode>open-read-only</ReplicaMode>\
        <ReadReplicaSourceDBInstanceIdentifier>source</ReadReplicaSourceDBInstanceIdentifier><ReadReplicaDBInstanceIdentifiers>\
        <ReadReplicaDBInstanceIdentifier>replica</ReadReplicaDBInstanceIdentifier></ReadReplicaDBInstanceIdentifiers>\
        <ReadReplicaDBClusterIdentifiers><ReadReplicaDBClusterIdentifier>cluster-replica</ReadReplicaDBClusterIdentifier>\
        </ReadReplicaDBClusterIdentifiers><MultiTenant>true</MultiTenant><DedicatedLogVolume>true</DedicatedLogVolume>\
        <EngineLifecycleSupport>open-source-rds-extended-support-disabled</EngineLifecycleSupport><Timezone>UTC</Timezone>";
    let (inventory, _) = look(&Target::Everything, &for_migrations(), move |seen| match operation(seen).as_str() {
        "DescribeDBInstances" => instances(&instance("a", more)),
        _ => nothing(seen),
    })
    .await;
    let one = |value: &str| BTreeSet::from([value.to_owned()]);
    let expected = InstanceSettings {
        db_instance_class: Some("db.r6g.large".into()),
        db_parameter_group: Some("pg15-tuned".into()),
        vpc_security_groups: one("sg-1"),
        db_subnet_group: Some("private".into()),
        option_group: Some("og".into()),
        multi_az: true,
        availability_zone: Some("us-east-1b".into()),
        publicly_accessible: true,
        port: Some(5433),
        storage_type: Some("gp3".into()),
        iops: Some(12000),
        storage_throughput: Some(500),
        allocated_storage: Some(500),
        max_allocated_storage: Some(1000),
        backup_retention_period: 14,
        preferred_backup_window: Some("03:00-03:30".into()),
        preferred_maintenance_window: Some("sun:02:00-sun:03:00".into()),
        deletion_protection: true,
        copy_tags_to_snapshot: true,
        cloudwatch_logs_exports: one("postgresql"),
        iam_database_authentication: true,
        auto_minor_version_upgrade: true,
        license_model: Some("postgresql-license".into()),
        domains: one("d-123 directory"),
        network_type: Some("DUAL".into()),
        ca_certificate: Some("rds-ca-rsa2048-g1".into()),
        processor_features: BTreeMap::from([("coreCount".into(), "2".into())]),
        dedicated_log_volume: true,
        engine_lifecycle_support: Some("open-source-rds-extended-support-disabled".into()),
        manage_master_user_password: true,
        master_user_secret_kms_key: Some("secret-key".into()),
        monitoring_interval: 60,
        monitoring_role_arn: Some("arn:aws:iam::111122223333:role/em".into()),
        performance_insights: true,
        performance_insights_kms_key: Some("pi-key".into()),
        performance_insights_retention: Some(465),
        database_insights_mode: Some("advanced".into()),
        promotion_tier: None,
        associated_roles: BTreeMap::from([("s3Import".into(), "arn:aws:iam::111122223333:role/s3".into())]),
        replica_mode: Some("open-read-only".into()),
        activity_stream: true,
        replica_of: Some("source".into()),
        read_replicas: BTreeSet::from(["replica".into(), "cluster-replica".into()]),
        multi_tenant: true,
        timezone: Some("UTC".into()),
    };
    assert_eq!(inventory.db_instances[&arn("db:a")].settings.as_deref(), Some(&expected));
}

#[tokio::test]
async fn every_setting_of_a_cluster_is_read() {
    let more = "<AllocatedStorage>100</AllocatedStorage><BackupRetentionPeriod>7</BackupRetentionPeriod><DatabaseName>orders</DatabaseName>\
        <DBClusterParameterGroup>tuned</DBClusterParameterGroup><DBSubnetGroup>private</DBSubnetGroup><Port>5433</Port>\
        <PreferredBackupWindow>03:00-03:30</PreferredBackupWindow><PreferredMaintenanceWindow>sun:02:00-sun:03:00</PreferredMaintenanceWindow>\
        <ReplicationSourceIdentifier>source</ReplicationSourceIdentifier><ReadReplicaIdentifiers><ReadReplicaIdentifier>replica\
        </ReadReplicaIdentifier></ReadReplicaIdentifiers><VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1\
        </VpcSecurityGroupId><Status>active</Status></VpcSecurityGroupMembership></VpcSecurityGroups><AssociatedRoles><DBClusterRole>\
        <RoleArn>arn:aws:iam::111122223333:role/s3</RoleArn></DBClusterRole></AssociatedRoles>\
        <IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled><BacktrackWindow>3600</BacktrackWindow>\
        <EnabledCloudwatchLogsExports><member>audit</member></EnabledCloudwatchLogsExports><EngineMode>provisioned</EngineMode>\
        <DBClusterInstanceClass>db.m6gd.large</DBClusterInstanceClass><StorageType>io1</StorageType><Iops>3000</Iops>\
        <PubliclyAccessible>true</PubliclyAccessible><AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade>\
        <DeletionProtection>true</DeletionProtection><HttpEndpointEnabled>true</HttpEndpointEnabled><CopyTagsToSnapshot>true</CopyTagsToSnapshot>\
        <DomainMemberships><DomainMembership><Domain>d-123</Domain></DomainMembership></DomainMemberships>\
        <GlobalClusterIdentifier>world</GlobalClusterIdentifier><NetworkType>IPV4</NetworkType><ServerlessV2ScalingConfiguration>\
        <MinCapacity>0.0</MinCapacity><MaxCapacity>16.5</MaxCapacity><SecondsUntilAutoPause>600</SecondsUntilAutoPause>\
        </ServerlessV2ScalingConfiguration><MonitoringInterval>30</MonitoringInterval>\
        <MonitoringRoleArn>arn:aws:iam::111122223333:role/em</MonitoringRoleArn><DatabaseInsightsMode>standard</DatabaseInsightsMode>\
        <PerformanceInsightsEnabled>true</PerformanceInsightsEnabled><PerformanceInsightsKMSKeyId>pi-key</PerformanceInsightsKMSKeyId>\
        <PerformanceInsightsRetentionPeriod>7</PerformanceInsightsRetentionPeriod><MasterUserSecret><KmsKeyId>secret-key</KmsKeyId>\
        </MasterUserSecret><CertificateDetails><CAIdentifier>rds-ca-rsa2048-g1</CAIdentifier></CertificateDetails>\
        <EngineLifecycleSupport>open-source-rds-extended-support</EngineLifecycleSupport><ActivityStreamStatus>started</ActivityStreamStatus>";
    let (inventory, _) = look(&Target::Everything, &for_migrations(), move |seen| match operation(seen).as_str() {
        "DescribeDBClusters" => clusters(&cluster("c", more)),
        _ => nothing(seen),
    })
    .await;
    let one = |value: &str| BTreeSet::from([value.to_owned()]);
    let expected = ClusterSettings {
        db_cluster_parameter_group: Some("tuned".into()),
        vpc_security_groups: one("sg-1"),
        db_subnet_group: Some("private".into()),
        port: Some(5433),
        engine_mode: Some("provisioned".into()),
        database_name: Some("orders".into()),
        backup_retention_period: 7,
        preferred_backup_window: Some("03:00-03:30".into()),
        preferred_maintenance_window: Some("sun:02:00-sun:03:00".into()),
        deletion_protection: true,
        copy_tags_to_snapshot: true,
        cloudwatch_logs_exports: one("audit"),
        iam_database_authentication: true,
        http_endpoint: true,
        backtrack_window: 3600,
        serverless_v2_scaling: Some("0-16.5/600".into()),
        storage_type: Some("io1".into()),
        iops: Some(3000),
        allocated_storage: Some(100),
        db_cluster_instance_class: Some("db.m6gd.large".into()),
        publicly_accessible: true,
        ca_certificate: Some("rds-ca-rsa2048-g1".into()),
        network_type: Some("IPV4".into()),
        engine_lifecycle_support: Some("open-source-rds-extended-support".into()),
        manage_master_user_password: true,
        master_user_secret_kms_key: Some("secret-key".into()),
        monitoring_interval: 30,
        monitoring_role_arn: Some("arn:aws:iam::111122223333:role/em".into()),
        performance_insights: true,
        performance_insights_kms_key: Some("pi-key".into()),
        performance_insights_retention: Some(7),
        database_insights_mode: Some("standard".into()),
        auto_minor_version_upgrade: true,
        associated_roles: BTreeMap::from([(String::new(), "arn:aws:iam::111122223333:role/s3".into())]),
        domains: one("d-123"),
        replica_of: Some("source".into()),
        read_replicas: one("replica"),
        global_cluster: Some("world".into()),
        activity_stream: true,
    };
    assert_eq!(inventory.db_clusters[&arn("cluster:c")].settings.as_deref(), Some(&expected));
}
