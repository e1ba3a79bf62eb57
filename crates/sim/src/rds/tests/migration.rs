//! A migration by snapshot: what it keeps, what it loses, and who notices.

use super::*;

/// All that a restored instance may lose. [AWS facts 8.2: 5 and 6]
const RICH: &[(&str, &str)] = &[
    ("EngineVersion", "15.4"),
    ("AllocatedStorage", "200"),
    ("StorageType", "io1"),
    ("Iops", "3000"),
    ("MaxAllocatedStorage", "500"),
    ("MultiAZ", "true"),
    ("Port", "6432"),
    ("DBName", "ledger"),
    ("DBSubnetGroupName", "private"),
    ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-app"),
    ("BackupRetentionPeriod", "14"),
    ("PreferredBackupWindow", "01:00-01:30"),
    ("PreferredMaintenanceWindow", "mon:02:00-mon:02:30"),
    ("CopyTagsToSnapshot", "true"),
    ("DeletionProtection", "true"),
    ("EnableIAMDatabaseAuthentication", "true"),
    ("EnableCloudwatchLogsExports.member.1", "postgresql"),
    ("AutoMinorVersionUpgrade", "false"),
    ("MonitoringInterval", "60"),
    ("MonitoringRoleArn", "arn:aws:iam::111122223333:role/monitoring"),
    ("EnablePerformanceInsights", "true"),
    ("CACertificateIdentifier", "rds-ca-ecc384-g1"),
    ("NetworkType", "DUAL"),
    ("ProcessorFeatures.ProcessorFeature.1.Name", "coreCount"),
    ("ProcessorFeatures.ProcessorFeature.1.Value", "4"),
    ("Domain", "d-1234567890"),
    ("Tags.Tag.1.Key", "team"),
    ("Tags.Tag.1.Value", "ledger"),
];

fn take(world: &mut World, source: &str, name: &str) {
    ok(world, "CreateDBSnapshot", &[("DBInstanceIdentifier", source), ("DBSnapshotIdentifier", name)]);
    pass(world, HOUR);
}

fn seal(world: &mut World, source: &str, target: &str, key: &str) {
    let copy = [("SourceDBSnapshotIdentifier", source), ("TargetDBSnapshotIdentifier", target), ("KmsKeyId", key), ("CopyTags", "true")];
    ok(world, "CopyDBSnapshot", &copy);
    pass(world, HOUR);
}

fn restore(world: &mut World, snapshot: &str, name: &str, more: &[(&str, &str)]) {
    let members = [&[("DBInstanceIdentifier", name), ("DBSnapshotIdentifier", snapshot)], more].concat();
    ok(world, "RestoreDBInstanceFromDBSnapshot", &members);
    pass(world, HOUR);
}

fn rename(world: &mut World, from: &str, to: &str) -> Element {
    let members = [("DBInstanceIdentifier", from), ("NewDBInstanceIdentifier", to), ("ApplyImmediately", "true")];
    ok(world, "ModifyDBInstance", &members)
}

#[test]
fn a_restored_instance_has_what_the_snapshot_has_and_the_defaults_of_a_new_one_for_all_else() {
    let mut world = world();
    create(&mut world, "orders", "postgres", RICH);
    let made = instance(&mut world, "orders");
    let list = [
        ("MultiAZ", "true"),
        ("MonitoringInterval", "60"),
        ("MonitoringRoleArn", "arn:aws:iam::111122223333:role/monitoring"),
        ("PerformanceInsightsRetentionPeriod", "7"),
        ("EngineLifecycleSupport", "open-source-rds-extended-support"),
        ("EnabledCloudwatchLogsExports/member", "postgresql"),
        ("ProcessorFeatures/ProcessorFeature/Name", "coreCount"),
        ("DomainMemberships/DomainMembership/Domain", "d-1234567890"),
        ("DBSubnetGroup/DBSubnetGroupName", "private"),
        ("OptionGroupMemberships/OptionGroupMembership/OptionGroupName", "default:postgres-15"),
        ("CertificateDetails/CAIdentifier", "rds-ca-ecc384-g1"),
        ("PubliclyAccessible", "false"),
    ];
    for (path, value) in list {
        assert_eq!(made.at(path), Some(value), "{path}");
    }
    assert!(made.value("LatestRestorableTime").is_some());

    take(&mut world, "orders", "plain");
    restore(&mut world, "plain", "bare", &[]);
    let bare = instance(&mut world, "bare");
    for (path, value) in [
        // From the snapshot.
        ("DBInstanceClass", "db.t3.medium"),
        ("EngineVersion", "15.4"),
        ("AllocatedStorage", "200"),
        ("Endpoint/Port", "6432"),
        ("BackupRetentionPeriod", "14"),
        ("MasterUsername", "root"),
        ("TagList/Tag/Value", "ledger"),
        // "Default: io1 if the Iops parameter is specified, otherwise gp3".
        ("StorageType", "gp3"),
        // Defaults.
        ("MultiAZ", "false"),
        ("DBSubnetGroup/DBSubnetGroupName", "default"),
        ("PubliclyAccessible", "true"),
        ("CopyTagsToSnapshot", "false"),
        ("DeletionProtection", "false"),
        ("IAMDatabaseAuthenticationEnabled", "false"),
        ("AutoMinorVersionUpgrade", "true"),
        ("MonitoringInterval", "0"),
        ("PerformanceInsightsEnabled", "false"),
        ("PreferredBackupWindow", "03:00-03:30"),
        ("PreferredMaintenanceWindow", "sun:05:00-sun:05:30"),
        ("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        ("NetworkType", "IPV4"),
        ("StorageEncryptionType", "none"),
    ] {
        assert_eq!(bare.at(path), Some(value), "{path}");
    }
    for gone in ["MaxAllocatedStorage", "EnabledCloudwatchLogsExports", "ProcessorFeatures", "MonitoringRoleArn"] {
        assert_eq!(bare.first(gone), None, "{gone}");
    }
    assert_eq!(bare.at("DomainMemberships/DomainMembership/Domain"), None);
    assert_ne!(bare.at("VpcSecurityGroups/VpcSecurityGroupMembership/VpcSecurityGroupId"), Some("sg-app"), "the default group");
    assert_ne!(bare.value("DbiResourceId"), made.value("DbiResourceId"));
}

#[test]
fn a_restore_takes_what_it_is_given_and_the_rest_is_modified_afterwards() {
    let mut world = world();
    create(&mut world, "orders", "postgres", RICH);
    take(&mut world, "orders", "plain");
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    seal(&mut world, "plain", "sealed", &key);
    // What the API of a restore has, out of what the old instance was made of.
    let only_created = ["EngineVersion", "MaxAllocatedStorage", "DBName", "PreferredMaintenanceWindow"];
    let later = ["MonitoringInterval", "MonitoringRoleArn", "EnablePerformanceInsights"];
    let passed: Vec<_> = RICH.iter().filter(|(name, _)| !only_created.contains(name) && !later.contains(name)).copied().collect();
    restore(&mut world, "sealed", "orders-new", &passed);
    let modify = [
        ("DBInstanceIdentifier", "orders-new"),
        ("MonitoringInterval", "60"),
        ("MonitoringRoleArn", "arn:aws:iam::111122223333:role/monitoring"),
        ("EnablePerformanceInsights", "true"),
        ("MaxAllocatedStorage", "500"),
        ("PreferredMaintenanceWindow", "mon:02:00-mon:02:30"),
    ];
    assert_eq!(ok(&mut world, "ModifyDBInstance", &modify).at("DBInstance/DBInstanceStatus"), Some("modifying"));
    assert_eq!(refused(&mut world, "ModifyDBInstance", &modify).1, "InvalidDBInstanceState", "one after the other");
    pass(&mut world, HOUR);
    let (old, new) = (instance(&mut world, "orders"), instance(&mut world, "orders-new"));
    // Field by field; what must differ does.
    let own = ["DBInstanceIdentifier", "DBInstanceArn", "DbiResourceId", "InstanceCreateTime", "Endpoint"];
    let sealed = ["StorageEncrypted", "StorageEncryptionType", "KmsKeyId"];
    for name in [
        "DBInstanceClass",
        "Engine",
        "EngineVersion",
        "AllocatedStorage",
        "StorageType",
        "Iops",
        "MaxAllocatedStorage",
        "MultiAZ",
        "PubliclyAccessible",
        "BackupRetentionPeriod",
        "PreferredBackupWindow",
        "PreferredMaintenanceWindow",
        "CopyTagsToSnapshot",
        "DeletionProtection",
        "IAMDatabaseAuthenticationEnabled",
        "EnabledCloudwatchLogsExports",
        "AutoMinorVersionUpgrade",
        "MonitoringInterval",
        "MonitoringRoleArn",
        "PerformanceInsightsEnabled",
        "PerformanceInsightsRetentionPeriod",
        "CACertificateIdentifier",
        "NetworkType",
        "ProcessorFeatures",
        "DomainMemberships",
        "DBSubnetGroup",
        "VpcSecurityGroups",
        "DBParameterGroups",
        "OptionGroupMemberships",
        "TagList",
        "MasterUsername",
        "DBName",
        "LicenseModel",
        "PendingModifiedValues",
    ] {
        assert_eq!(old.first(name), new.first(name), "{name}");
    }
    for name in own.iter().chain(&sealed) {
        assert_ne!(old.first(name), new.first(name), "{name}");
    }
    assert_eq!(new.value("KmsKeyId"), Some(key.as_str()));
}

#[test]
fn rows_written_after_the_snapshot_are_lost_and_none_is_where_writers_are_kept_out() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-app")]);
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    let client = host(&mut world, "orders");
    world.write_row(&client, "before").unwrap();

    // Writers go on: their rows are only in the old instance.
    take(&mut world, "orders", "careless");
    world.write_row(&client, "after").unwrap();
    assert_eq!(world.rows(&snapshot_arn("careless")).unwrap(), ["before"]);
    restore(&mut world, "careless", "orders-lost", &[]);
    assert_eq!(world.rows(&arn("orders-lost")).unwrap(), ["before"]);

    // They are kept out: a group that lets nobody in, and a reboot for connections that were open already.
    let open = world.connect(&client).unwrap();
    world.close_security_group(ACCOUNT, REGION, "sg-closed");
    let isolate = [("DBInstanceIdentifier", "orders"), ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-closed")];
    ok(&mut world, "ModifyDBInstance", &isolate);
    pass(&mut world, MINUTE);
    assert_eq!(world.write_row(&client, "kept out"), Err(ClientError::TimedOut));
    world.write_on(&open, "still in").unwrap();
    pass(&mut world, MINUTE * 2);
    assert_eq!(metric(&mut world, "orders", "DatabaseConnections", 2), [1.0, 1.0], "the connection that was open");
    ok(&mut world, "RebootDBInstance", &[("DBInstanceIdentifier", "orders")]);
    pass(&mut world, MINUTE * 5);
    assert_eq!(world.write_on(&open, "gone"), Err(ClientError::Closed));
    assert_eq!(metric(&mut world, "orders", "DatabaseConnections", 3), [0.0; 3]);
    assert_eq!(metric(&mut world, "orders", "WriteIOPS", 3), [0.0; 3]);

    take(&mut world, "orders", "plain");
    seal(&mut world, "plain", "sealed", &key);
    restore(&mut world, "sealed", "orders-new", &[("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-app")]);
    assert_eq!(world.rows(&arn("orders-new")), world.rows(&arn("orders")));

    // The names change hands. The new one is found after ten minutes.
    assert_eq!(rename(&mut world, "orders", "orders-old").at("DBInstance/DBInstanceStatus"), Some("renaming"));
    pass(&mut world, MINUTE * 5);
    assert_eq!(world.write_row(&client, "nowhere"), Err(ClientError::NoSuchName(client.clone())));
    rename(&mut world, "orders-new", "orders");
    pass(&mut world, MINUTE * 3);
    assert_eq!(instance(&mut world, "orders").value("DBInstanceStatus"), Some("available"));
    assert_eq!(world.write_row(&client, "too early"), Err(ClientError::NoSuchName(client.clone())), "it is there, and not in DNS");
    pass(&mut world, MINUTE * 10);
    world.write_row(&client, "home").unwrap();
    assert_eq!(world.rows(&arn("orders")).unwrap(), ["before", "after", "still in", "home"]);
    assert_eq!(world.rows(&arn("orders-old")).unwrap(), ["before", "after", "still in"]);
}

#[test]
fn a_rename_changes_the_name_the_arn_and_the_endpoint_and_nothing_else() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[("Tags.Tag.1.Key", "team"), ("Tags.Tag.1.Value", "a")]);
    ok(&mut world, "CreateDBInstanceReadReplica", &[("DBInstanceIdentifier", "reports"), ("SourceDBInstanceIdentifier", "orders")]);
    pass(&mut world, HOUR);
    let before = instance(&mut world, "orders");
    assert_eq!(before.at("ReadReplicaDBInstanceIdentifiers/ReadReplicaDBInstanceIdentifier"), Some("reports"));
    create(&mut world, "taken", "mysql", &[]);
    let taken = [("DBInstanceIdentifier", "orders"), ("NewDBInstanceIdentifier", "taken"), ("ApplyImmediately", "true")];
    assert_eq!(refused(&mut world, "ModifyDBInstance", &taken).1, "DBInstanceAlreadyExists");

    let waiting = [("DBInstanceIdentifier", "orders"), ("NewDBInstanceIdentifier", "orders-old")];
    let told = ok(&mut world, "ModifyDBInstance", &waiting);
    assert_eq!(told.at("DBInstance/PendingModifiedValues/DBInstanceIdentifier"), Some("orders-old"), "the window brings it");
    assert_eq!(refused(&mut world, "ModifyDBInstance", &[("DBInstanceIdentifier", "taken"), waiting[1]]).1, "DBInstanceAlreadyExists");
    rename(&mut world, "orders", "orders-old");
    pass(&mut world, HOUR);
    assert_eq!(refused(&mut world, "DescribeDBInstances", &[("DBInstanceIdentifier", "orders")]).1, "DBInstanceNotFound");
    let after = instance(&mut world, "orders-old");
    for same in ["DbiResourceId", "TagList", "ReadReplicaDBInstanceIdentifiers", "InstanceCreateTime"] {
        assert_eq!(before.first(same), after.first(same), "{same}");
    }
    assert_eq!(after.value("DBInstanceArn"), Some(arn("orders-old").as_str()));
    assert!(after.at("Endpoint/Address").unwrap().starts_with("orders-old."));
    let replica = instance(&mut world, "reports");
    assert_eq!(replica.value("ReadReplicaSourceDBInstanceIdentifier"), Some("orders-old"), "replicas stay with what is renamed");
    world.write_row("orders-old", "one").unwrap();
    assert_eq!(world.rows(&arn("reports")).unwrap(), ["one"]);
}

#[test]
fn what_a_careful_migration_must_reckon_with_is_refused() {
    let mut world = world();
    create(&mut world, "orders", "postgres", &[]);
    let snapshot = [("DBInstanceIdentifier", "orders"), ("DBSnapshotIdentifier", "plain")];
    let told = ok(&mut world, "CreateDBSnapshot", &snapshot);
    assert_eq!(told.at("DBSnapshot/Status"), Some("creating"));
    assert_eq!(instance(&mut world, "orders").value("DBInstanceStatus"), Some("backing-up"));
    assert_eq!(refused(&mut world, "ModifyDBInstance", &snapshot[..1]).1, "InvalidDBInstanceState");
    assert_eq!(refused(&mut world, "DeleteDBSnapshot", &snapshot[1..]).1, "InvalidDBSnapshotState", "it is being created");
    pass(&mut world, HOUR);
    assert_eq!(instance(&mut world, "orders").value("DBInstanceStatus"), Some("available"));
    assert_eq!(refused(&mut world, "CreateDBSnapshot", &snapshot).1, "DBSnapshotAlreadyExists");

    world.set_snapshot_quota(ACCOUNT, REGION, 1);
    let more = [("DBInstanceIdentifier", "orders"), ("DBSnapshotIdentifier", "more")];
    assert_eq!(refused(&mut world, "CreateDBSnapshot", &more).1, "SnapshotQuotaExceeded");
    let copy = [("SourceDBSnapshotIdentifier", "plain"), ("TargetDBSnapshotIdentifier", "sealed")];
    assert_eq!(refused(&mut world, "CopyDBSnapshot", &copy).1, "SnapshotQuotaExceeded");
    world.set_snapshot_quota(ACCOUNT, REGION, 100);

    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.set_key_state(&key, crate::kms::KeyState::Disabled).unwrap();
    let under = [copy[0], copy[1], ("KmsKeyId", key.as_str())];
    assert_eq!(refused(&mut world, "CopyDBSnapshot", &under).1, "KMSKeyNotAccessibleFault");
    world.set_key_state(&key, crate::kms::KeyState::Enabled).unwrap();
    ok(&mut world, "CopyDBSnapshot", &under);
    let early = [("DBInstanceIdentifier", "orders-new"), ("DBSnapshotIdentifier", "sealed")];
    assert_eq!(refused(&mut world, "RestoreDBInstanceFromDBSnapshot", &early).1, "InvalidDBSnapshotState", "it is being copied");
    pass(&mut world, HOUR);
    let over = [("DBInstanceIdentifier", "orders"), ("DBSnapshotIdentifier", "sealed")];
    assert_eq!(refused(&mut world, "RestoreDBInstanceFromDBSnapshot", &over).1, "DBInstanceAlreadyExists");
    for wrong in [("DBParameterGroupName", "none", "DBParameterGroupNotFound"), ("OptionGroupName", "none", "OptionGroupNotFoundFault")] {
        let members = [early[0], early[1], (wrong.0, wrong.1)];
        assert_eq!(refused(&mut world, "RestoreDBInstanceFromDBSnapshot", &members), (404, wrong.2.to_owned()));
    }

    ok(&mut world, "StopDBInstance", &snapshot[..1]);
    pass(&mut world, HOUR);
    assert_eq!(refused(&mut world, "CreateDBSnapshot", &more).1, "InvalidDBInstanceState", "a stopped instance has no snapshot");
    pass(&mut world, HOUR * 24 * 6);
    assert_eq!(world.db_status(&arn("orders")), Some("stopped"));
    pass(&mut world, HOUR * 24);
    assert_eq!(world.db_status(&arn("orders")), Some("available"), "after seven days it starts by itself");
}

#[test]
fn storage_is_rearranged_for_a_while_in_which_all_else_can_be_changed() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[]);
    let less = [("DBInstanceIdentifier", "orders"), ("AllocatedStorage", "10"), ("ApplyImmediately", "true")];
    assert_eq!(refused(&mut world, "ModifyDBInstance", &less).1, "InvalidParameterCombination", "storage never shrinks");
    ok(&mut world, "ModifyDBInstance", &[less[0], ("AllocatedStorage", "40"), less[2]]);
    pass(&mut world, MINUTE * 10);
    assert_eq!(instance(&mut world, "orders").value("DBInstanceStatus"), Some("storage-optimization"));
    let again = [less[0], ("AllocatedStorage", "60"), less[2]];
    assert_eq!(refused(&mut world, "ModifyDBInstance", &again).1, "InvalidParameterCombination", "storage itself can't");
    ok(&mut world, "ModifyDBInstance", &[less[0], ("CopyTagsToSnapshot", "true")]);
    take(&mut world, "orders", "meanwhile");
    pass(&mut world, HOUR);
    let told = instance(&mut world, "orders");
    assert_eq!((told.value("DBInstanceStatus"), told.value("AllocatedStorage")), (Some("available"), Some("40")));
}
