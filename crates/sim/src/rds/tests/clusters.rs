//! Clusters and their members.

use super::*;

#[test]
fn a_cluster_has_its_own_group_that_members_read_when_they_restart() {
    let mut world = world();
    let members = [
        ("DBClusterIdentifier", "ledger"),
        ("Engine", "aurora-postgresql"),
        ("EngineVersion", "16.9"),
        ("MasterUsername", "root"),
        ("MasterUserPassword", "not-a-secret"),
    ];
    ok(&mut world, "CreateDBCluster", &members);
    pass(&mut world, HOUR);
    create(&mut world, "ledger-1", "aurora-postgresql", &[("DBClusterIdentifier", "ledger")]);
    let cluster = |world: &mut World| ok(world, "DescribeDBClusters", &[]).first("DBClusters").unwrap().first("DBCluster").unwrap().clone();
    let told = cluster(&mut world);
    assert_eq!(told.value("StorageEncrypted"), Some("false"), "it tells of KMS only");
    assert_eq!(told.value("StorageEncryptionType"), Some("sse-rds"));
    assert_eq!(told.value("DBClusterParameterGroup"), Some("default.aurora-postgresql16"));
    assert_eq!(told.at("DBClusterMembers/DBClusterMember/DBClusterParameterGroupStatus"), Some("in-sync"));
    assert_eq!(told.at("DBClusterMembers/DBClusterMember/IsClusterWriter"), Some("true"));

    let new = [("DBClusterParameterGroupName", "tls"), ("DBParameterGroupFamily", "aurora-postgresql16"), ("Description", "ours")];
    ok(&mut world, "CreateDBClusterParameterGroup", &new);
    let on = [
        ("DBClusterParameterGroupName", "tls"),
        ("Parameters.Parameter.1.ParameterName", "rds.force_ssl"),
        ("Parameters.Parameter.1.ParameterValue", "1"),
        ("Parameters.Parameter.1.ApplyMethod", "immediate"),
    ];
    ok(&mut world, "ModifyDBClusterParameterGroup", &on);
    ok(
        &mut world,
        "ModifyDBCluster",
        &[("DBClusterIdentifier", "ledger"), ("DBClusterParameterGroupName", "tls"), ("ApplyImmediately", "true")],
    );
    pass(&mut world, HOUR);
    let told = cluster(&mut world);
    assert_eq!(told.value("DBClusterParameterGroup"), Some("tls"));
    assert_eq!(told.at("DBClusterMembers/DBClusterMember/DBClusterParameterGroupStatus"), Some("pending-reboot"));
    assert_eq!(world.db_parameter(&arn("ledger-1"), "rds.force_ssl").as_deref(), Some("0"));
    ok(&mut world, "RebootDBInstance", &[("DBInstanceIdentifier", "ledger-1")]);
    pass(&mut world, HOUR);
    assert_eq!(cluster(&mut world).at("DBClusterMembers/DBClusterMember/DBClusterParameterGroupStatus"), Some("in-sync"));
    assert_eq!(world.db_parameter(&arn("ledger-1"), "rds.force_ssl").as_deref(), Some("1"));
    assert_eq!(
        refused(&mut world, "DeleteDBCluster", &[("DBClusterIdentifier", "ledger"), ("SkipFinalSnapshot", "true")]).1,
        "InvalidDBClusterStateFault"
    );
}

const LEDGER: &[(&str, &str)] = &[
    ("DBClusterIdentifier", "ledger"),
    ("Engine", "aurora-postgresql"),
    ("EngineVersion", "16.8"),
    ("MasterUsername", "root"),
    ("MasterUserPassword", "not-a-secret"),
    ("Port", "6432"),
    ("DatabaseName", "ledger"),
    ("DBSubnetGroupName", "private"),
    ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-app"),
    ("BackupRetentionPeriod", "14"),
    ("DeletionProtection", "true"),
    ("CopyTagsToSnapshot", "true"),
    ("EnableIAMDatabaseAuthentication", "true"),
    ("EnableCloudwatchLogsExports.member.1", "postgresql"),
    ("ServerlessV2ScalingConfiguration.MinCapacity", "0.5"),
    ("ServerlessV2ScalingConfiguration.MaxCapacity", "8"),
    ("Tags.Tag.1.Key", "team"),
    ("Tags.Tag.1.Value", "ledger"),
];

fn cluster(world: &mut World, name: &str) -> Element {
    let listed = ok(world, "DescribeDBClusters", &[("DBClusterIdentifier", name)]);
    listed.first("DBClusters").unwrap().first("DBCluster").unwrap().clone()
}

fn cluster_arn(name: &str) -> String {
    format!("arn:aws:rds:{REGION}:{ACCOUNT}:cluster:{name}")
}

/// A cluster with two members.
fn ledger(world: &mut World) {
    ok(world, "CreateDBCluster", LEDGER);
    pass(world, HOUR);
    for name in ["ledger-1", "ledger-2"] {
        create(world, name, "aurora-postgresql", &[("DBClusterIdentifier", "ledger")]);
    }
}

#[test]
fn a_cluster_is_restored_under_a_key_in_one_step_with_its_rows_and_without_instances() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    ledger(&mut world);
    world.write_row("ledger", "before").unwrap();
    let take = [("DBClusterIdentifier", "ledger"), ("DBClusterSnapshotIdentifier", "plain")];
    assert_eq!(ok(&mut world, "CreateDBClusterSnapshot", &take).at("DBClusterSnapshot/TagList/Tag/Value"), Some("ledger"));
    assert_eq!(cluster(&mut world, "ledger").value("Status"), Some("backing-up"));
    pass(&mut world, HOUR);
    world.write_row("ledger", "after").unwrap();

    let restore = [
        ("DBClusterIdentifier", "ledger-new"),
        ("SnapshotIdentifier", "plain"),
        ("Engine", "aurora-postgresql"),
        ("KmsKeyId", key.as_str()),
    ];
    ok(&mut world, "RestoreDBClusterFromSnapshot", &restore);
    pass(&mut world, HOUR);
    let new = cluster(&mut world, "ledger-new");
    for (path, value) in [
        ("StorageEncrypted", "true"),
        ("KmsKeyId", key.as_str()),
        // From the snapshot.
        ("EngineVersion", "16.8"),
        ("Port", "6432"),
        ("MasterUsername", "root"),
        ("BackupRetentionPeriod", "14"),
        ("TagList/Tag/Value", "ledger"),
        // Defaults.
        ("DBClusterParameterGroup", "default.aurora-postgresql16"),
        ("DBSubnetGroup", "default"),
        ("DeletionProtection", "false"),
        ("CopyTagsToSnapshot", "false"),
        ("IAMDatabaseAuthenticationEnabled", "false"),
    ] {
        assert_eq!(new.at(path), Some(value), "{path}");
    }
    for gone in ["EnabledCloudwatchLogsExports", "ServerlessV2ScalingConfiguration"] {
        assert_eq!(new.first(gone), None, "{gone}");
    }
    assert_eq!(new.first("DBClusterMembers").unwrap().all("DBClusterMember").count(), 0, "a restore gives no instances");
    assert!(matches!(world.write_row("ledger-new", "row"), Err(ClientError::NoSuchName(_))), "there is no writer");
    assert_eq!(world.rows(&cluster_arn("ledger-new")).unwrap(), ["before"]);
    create(&mut world, "ledger-new-1", "aurora-postgresql", &[("DBClusterIdentifier", "ledger-new")]);
    assert_eq!(instance(&mut world, "ledger-new-1").value("KmsKeyId"), Some(key.as_str()), "members live on their cluster's storage");
    world.write_row("ledger-new", "own").unwrap();
    assert_eq!(world.rows(&arn("ledger-new-1")).unwrap(), ["before", "own"]);
    assert_eq!(
        refused(&mut world, "CreateDBSnapshot", &[("DBInstanceIdentifier", "ledger-1"), ("DBSnapshotIdentifier", "no")]).1,
        "InvalidDBInstanceState"
    );
}

#[test]
fn clusters_change_names_and_their_members_keep_theirs() {
    let mut world = world();
    ledger(&mut world);
    let endpoint = world.db_endpoint(&cluster_arn("ledger")).unwrap();
    world.write_row(&endpoint, "one").unwrap();
    let reader = cluster(&mut world, "ledger").value("ReaderEndpoint").unwrap().to_owned();
    assert_eq!(world.write_row(&reader, "row"), Err(ClientError::ReadOnly));
    assert_eq!(world.read_rows(&reader).unwrap(), ["one"]);
    let open = world.connect(&endpoint).unwrap();
    let rename = [("DBClusterIdentifier", "ledger"), ("NewDBClusterIdentifier", "ledger-old"), ("ApplyImmediately", "true")];
    ok(&mut world, "ModifyDBCluster", &rename);
    assert_eq!(cluster(&mut world, "ledger").value("Status"), Some("renaming"));
    pass(&mut world, MINUTE * 5);
    assert_eq!(refused(&mut world, "DescribeDBClusters", &rename[..1]).1, "DBClusterNotFoundFault");
    let old = cluster(&mut world, "ledger-old");
    assert_eq!(old.at("DBClusterMembers/DBClusterMember/DBInstanceIdentifier"), Some("ledger-1"));
    assert_eq!(instance(&mut world, "ledger-1").value("DBClusterIdentifier"), Some("ledger-old"));
    assert_eq!(world.write_on(&open, "row"), Err(ClientError::Closed));
    assert_eq!(world.write_row(&endpoint, "row"), Err(ClientError::NoSuchName(endpoint.clone())));
    let old_endpoint = world.db_endpoint(&cluster_arn("ledger-old")).unwrap();
    assert_eq!(world.write_row(&old_endpoint, "row"), Err(ClientError::NoSuchName(old_endpoint.clone())), "not in DNS yet");
    pass(&mut world, MINUTE * 10);
    world.write_row(&old_endpoint, "two").unwrap();
}

#[test]
fn a_cluster_is_isolated_by_its_own_groups_and_stops_with_its_members() {
    let mut world = world();
    ledger(&mut world);
    world.close_security_group(ACCOUNT, REGION, "sg-closed");
    let group = ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-closed");
    let member = [("DBInstanceIdentifier", "ledger-1"), group];
    assert_eq!(refused(&mut world, "ModifyDBInstance", &member).1, "InvalidParameterCombination", "a member's are its cluster's");
    ok(&mut world, "ModifyDBCluster", &[("DBClusterIdentifier", "ledger"), group]);
    pass(&mut world, HOUR);
    assert_eq!(world.write_row("ledger", "row"), Err(ClientError::TimedOut));
    assert_eq!(world.write_row("ledger-1", "row"), Err(ClientError::TimedOut));

    ok(&mut world, "StopDBCluster", &[("DBClusterIdentifier", "ledger")]);
    pass(&mut world, HOUR);
    assert_eq!((world.db_status(&cluster_arn("ledger")), world.db_status(&arn("ledger-2"))), (Some("stopped"), Some("stopped")));
    let take = [("DBClusterIdentifier", "ledger"), ("DBClusterSnapshotIdentifier", "plain")];
    assert_eq!(refused(&mut world, "CreateDBClusterSnapshot", &take).1, "InvalidDBClusterStateFault");
    ok(&mut world, "StartDBCluster", &[("DBClusterIdentifier", "ledger")]);
    pass(&mut world, HOUR);
    assert_eq!(world.db_status(&arn("ledger-1")), Some("available"));
}

#[test]
fn roles_are_given_and_taken_by_who_may_pass_them() {
    let mut world = world();
    ledger(&mut world);
    create(&mut world, "orders", "postgres", &[]);
    let role = ("RoleArn", "arn:aws:iam::111122223333:role/import");
    let to_instance = [("DBInstanceIdentifier", "orders"), role, ("FeatureName", "s3Import")];
    ok(&mut world, "AddRoleToDBInstance", &to_instance);
    let told = instance(&mut world, "orders");
    assert_eq!(told.at("AssociatedRoles/DBInstanceRole/RoleArn"), Some(role.1));
    assert_eq!(told.at("AssociatedRoles/DBInstanceRole/FeatureName"), Some("s3Import"));
    assert_eq!(refused(&mut world, "AddRoleToDBInstance", &to_instance).1, "DBInstanceRoleAlreadyExists");
    ok(&mut world, "RemoveRoleFromDBInstance", &to_instance);
    assert_eq!(refused(&mut world, "RemoveRoleFromDBInstance", &to_instance), (404, "DBInstanceRoleNotFound".to_owned()));

    let to_cluster = [("DBClusterIdentifier", "ledger"), role, ("FeatureName", "s3Import")];
    ok(&mut world, "AddRoleToDBCluster", &to_cluster);
    assert_eq!(cluster(&mut world, "ledger").at("AssociatedRoles/DBClusterRole/Status"), Some("ACTIVE"));
    assert_eq!(refused(&mut world, "AddRoleToDBCluster", &to_cluster).1, "DBClusterRoleAlreadyExists");
    ok(&mut world, "RemoveRoleFromDBCluster", &to_cluster);
    let foreign = [to_instance[0], ("RoleArn", "not-a-role"), to_instance[2]];
    assert_eq!(refused(&mut world, "AddRoleToDBInstance", &foreign).1, "InvalidParameterValue");
}

#[test]
fn a_multi_az_cluster_comes_with_its_instances_and_is_restored_with_them() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    let members = [
        ("DBClusterIdentifier", "shop"),
        ("Engine", "postgres"),
        ("MasterUsername", "root"),
        ("MasterUserPassword", "not-a-secret"),
        ("AllocatedStorage", "100"),
        ("StorageType", "io1"),
        ("Iops", "1000"),
    ];
    assert_eq!(refused(&mut world, "CreateDBCluster", &members).1, "MissingParameter");
    let class = ("DBClusterInstanceClass", "db.m5d.large");
    ok(&mut world, "CreateDBCluster", &[&members[..], &[class]].concat());
    pass(&mut world, HOUR);
    let told = cluster(&mut world, "shop");
    assert_eq!(told.first("DBClusterMembers").unwrap().all("DBClusterMember").count(), 3);
    assert_eq!((told.value("StorageEncryptionType"), told.value("Iops")), (Some("none"), Some("1000")));
    world.write_row("shop", "one").unwrap();
    assert_eq!(world.write_row("shop-instance-2", "row"), Err(ClientError::ReadOnly));
    ok(&mut world, "CreateDBClusterSnapshot", &[("DBClusterIdentifier", "shop"), ("DBClusterSnapshotIdentifier", "plain")]);
    pass(&mut world, HOUR);
    let restore = [("DBClusterIdentifier", "shop-new"), ("SnapshotIdentifier", "plain"), members[1], ("KmsKeyId", key.as_str()), class];
    ok(&mut world, "RestoreDBClusterFromSnapshot", &restore);
    pass(&mut world, HOUR);
    assert_eq!(instance(&mut world, "shop-new-instance-1").value("KmsKeyId"), Some(key.as_str()));
    assert_eq!(world.read_rows("shop-new").unwrap(), ["one"]);
    let deploy = [("BlueGreenDeploymentName", "x"), ("Source", &*cluster_arn("shop"))];
    assert_eq!(refused(&mut world, "CreateBlueGreenDeployment", &deploy).1, "SourceClusterNotSupportedFault");
}

#[test]
fn a_stopped_cluster_starts_by_itself_after_seven_days() {
    let mut world = world();
    ledger(&mut world);
    ok(&mut world, "StopDBCluster", &[("DBClusterIdentifier", "ledger")]);
    pass(&mut world, HOUR * 24 * 6);
    assert!(cluster(&mut world, "ledger").value("AutomaticRestartTime").is_some());
    assert_eq!(world.db_status(&arn("ledger-1")), Some("stopped"));
    pass(&mut world, HOUR * 25);
    assert_eq!(world.db_status(&cluster_arn("ledger")), Some("available"));
    assert_eq!(cluster(&mut world, "ledger").value("AutomaticRestartTime"), None);
    world.write_row("ledger", "row").unwrap();
}
