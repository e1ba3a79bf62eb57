//! Blue/green deployments: made, switched over, given up.

use super::*;

fn deploy(world: &mut World, source: &str, more: &[(&str, &str)]) -> Result<Element, (u16, String)> {
    let members = [&[("BlueGreenDeploymentName", "sealing"), ("Source", source)], more].concat();
    call(world, ACCOUNT, "CreateBlueGreenDeployment", &members)
}

fn identifier(answer: &Element) -> String {
    answer.at("BlueGreenDeployment/BlueGreenDeploymentIdentifier").unwrap().to_owned()
}

fn deployment(world: &mut World, name: &str) -> Element {
    let listed = ok(world, "DescribeBlueGreenDeployments", &[("BlueGreenDeploymentIdentifier", name)]);
    listed.first("BlueGreenDeployments").unwrap().first("member").unwrap().clone()
}

fn last(arn: &str) -> String {
    arn.rsplit(':').next().unwrap().to_owned()
}

#[test]
fn the_green_side_is_encrypted_follows_and_becomes_production_without_loss() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    create(&mut world, "orders", "mysql", &[("Tags.Tag.1.Key", "team"), ("Tags.Tag.1.Value", "a")]);
    world.write_row("orders", "before").unwrap();
    let source = arn("orders");
    let config = [
        ("TargetResourceConfigurations.TargetResourceConfiguration.1.SourceArn", source.as_str()),
        ("TargetResourceConfigurations.TargetResourceConfiguration.1.TargetKmsKeyId", key.as_str()),
        ("Tags.Tag.1.Key", "everseal:migration"),
        ("Tags.Tag.1.Value", "x"),
    ];
    let made = deploy(&mut world, &source, &config).unwrap();
    let id = identifier(&made);
    assert!(id.starts_with("bgd-"), "{id}");
    assert_eq!(made.at("BlueGreenDeployment/Status"), Some("PROVISIONING"));
    assert_eq!(made.at("BlueGreenDeployment/Tasks/member/Status"), Some("IN_PROGRESS"));
    assert_eq!(made.at("BlueGreenDeployment/TagList/Tag/Key"), Some("everseal:migration"));
    let switch = [("BlueGreenDeploymentIdentifier", id.as_str())];
    assert_eq!(refused(&mut world, "SwitchoverBlueGreenDeployment", &switch).1, "InvalidBlueGreenDeploymentStateFault");
    world.write_row("orders", "meanwhile").unwrap();
    pass(&mut world, HOUR);

    let told = deployment(&mut world, &id);
    assert_eq!((told.value("Status"), told.value("Source")), (Some("AVAILABLE"), Some(source.as_str())));
    assert_eq!(told.at("SwitchoverDetails/member/Status"), Some("AVAILABLE"));
    let target = told.value("Target").unwrap().to_owned();
    let green = last(&target);
    assert!(green.starts_with("orders-green-") && green.len() == "orders-green-".len() + 6, "{green}");
    let copy = instance(&mut world, &green);
    assert_eq!((copy.value("StorageEncryptionType"), copy.value("KmsKeyId")), (Some("sse-kms"), Some(key.as_str())));
    assert_eq!(copy.value("ReadReplicaSourceDBInstanceIdentifier"), None);
    assert_eq!(copy.at("TagList/Tag/Value"), Some("a"));
    assert_eq!(world.rows(&target).unwrap(), ["before", "meanwhile"]);
    assert_eq!(world.write_row(&green, "row"), Err(ClientError::ReadOnly));
    for (operation, name) in [("StopDBInstance", "orders"), ("DeleteDBInstance", green.as_str())] {
        let members = [("DBInstanceIdentifier", name), ("SkipFinalSnapshot", "true")];
        assert_eq!(refused(&mut world, operation, &members).1, "InvalidDBInstanceState", "{operation}");
    }

    let (old_id, new_id) =
        (instance(&mut world, "orders").value("DbiResourceId").unwrap().to_owned(), copy.value("DbiResourceId").unwrap());
    let (name, open) = (host(&mut world, "orders"), world.connect("orders").unwrap());
    ok(&mut world, "SwitchoverBlueGreenDeployment", &switch);
    assert_eq!(deployment(&mut world, &id).value("Status"), Some("SWITCHOVER_IN_PROGRESS"));
    assert_eq!(world.write_on(&open, "row"), Err(ClientError::Closed));
    assert_eq!(world.write_row(&name, "row"), Err(ClientError::SwitchingOver));
    pass(&mut world, MINUTE);
    let told = deployment(&mut world, &id);
    assert_eq!(told.value("Status"), Some("SWITCHOVER_COMPLETED"));
    assert_eq!((told.value("Source"), told.value("Target")), (Some(arn("orders-old1").as_str()), Some(source.as_str())));
    let production = instance(&mut world, "orders");
    assert_eq!((production.value("DbiResourceId"), production.value("StorageEncrypted")), (Some(new_id), Some("true")));
    assert_eq!(instance(&mut world, "orders-old1").value("DbiResourceId"), Some(old_id.as_str()));
    world.write_row(&name, "after").unwrap();
    assert_eq!(world.rows(&source).unwrap(), ["before", "meanwhile", "after"]);
    assert_eq!(world.write_row("orders-old1", "row"), Err(ClientError::ReadOnly), "until it is rebooted");
    assert_eq!(world.rows(&arn("orders-old1")).unwrap(), ["before", "meanwhile"]);

    let with_target = [switch[0], ("DeleteTarget", "true")];
    assert_eq!(refused(&mut world, "DeleteBlueGreenDeployment", &with_target).1, "InvalidBlueGreenDeploymentStateFault");
    assert_eq!(ok(&mut world, "DeleteBlueGreenDeployment", &switch).at("BlueGreenDeployment/Status"), Some("DELETING"));
    pass(&mut world, HOUR);
    assert_eq!(refused(&mut world, "DescribeBlueGreenDeployments", &switch), (404, "BlueGreenDeploymentNotFoundFault".to_owned()));
    assert!(world.db_status(&source).is_some() && world.db_status(&arn("orders-old1")).is_some(), "both databases stay");
}

#[test]
fn a_switchover_that_takes_too_long_is_rolled_back_and_can_be_tried_again() {
    let mut world = world();
    create(&mut world, "orders", "postgres", &[]);
    let id = identifier(&deploy(&mut world, &arn("orders"), &[]).unwrap());
    pass(&mut world, HOUR);
    let target = deployment(&mut world, &id).value("Target").unwrap().to_owned();
    world.set_replication_lag(&target, MINUTE * 10);
    world.write_row("orders", "late").unwrap();
    let switch = [("BlueGreenDeploymentIdentifier", id.as_str()), ("SwitchoverTimeout", "60")];
    let short = [switch[0], ("SwitchoverTimeout", "29")];
    assert_eq!(refused(&mut world, "SwitchoverBlueGreenDeployment", &short).1, "InvalidParameterValue");
    ok(&mut world, "SwitchoverBlueGreenDeployment", &switch);
    assert_eq!(world.write_row("orders", "row"), Err(ClientError::SwitchingOver));
    pass(&mut world, MINUTE);
    let told = deployment(&mut world, &id);
    assert_eq!((told.value("Status"), told.value("Source")), (Some("SWITCHOVER_FAILED"), Some(arn("orders").as_str())));
    assert!(told.value("StatusDetails").is_some());
    world.write_row("orders", "on we go").unwrap();

    world.set_replication_lag(&target, Duration::ZERO);
    ok(&mut world, "SwitchoverBlueGreenDeployment", &[switch[0], ("SwitchoverTimeout", "3600")]);
    pass(&mut world, HOUR);
    assert_eq!(deployment(&mut world, &id).value("Status"), Some("SWITCHOVER_COMPLETED"));
    let mut rows = world.rows(&arn("orders")).unwrap();
    rows.sort();
    assert_eq!(rows, ["late", "on we go"], "none is lost, late or not");
}

#[test]
fn replicas_come_with_their_source_each_with_a_key_of_its_own() {
    let mut world = world();
    let keys: Vec<_> = (0..2).map(|_| world.create_key(ACCOUNT, REGION, None).unwrap()).collect();
    create(&mut world, "orders", "mysql", &[]);
    ok(&mut world, "CreateDBInstanceReadReplica", &[("DBInstanceIdentifier", "reports"), ("SourceDBInstanceIdentifier", "orders")]);
    pass(&mut world, HOUR);
    let (source, replica) = (arn("orders"), arn("reports"));
    let config = [
        ("TargetResourceConfigurations.TargetResourceConfiguration.1.SourceArn", source.as_str()),
        ("TargetResourceConfigurations.TargetResourceConfiguration.1.TargetKmsKeyId", keys[0].as_str()),
        ("TargetResourceConfigurations.TargetResourceConfiguration.2.SourceArn", replica.as_str()),
        ("TargetResourceConfigurations.TargetResourceConfiguration.2.TargetKmsKeyId", keys[1].as_str()),
    ];
    let id = identifier(&deploy(&mut world, &source, &config).unwrap());
    pass(&mut world, HOUR);
    assert_eq!(deployment(&mut world, &id).first("SwitchoverDetails").unwrap().all("member").count(), 2);
    ok(&mut world, "SwitchoverBlueGreenDeployment", &[("BlueGreenDeploymentIdentifier", &id)]);
    pass(&mut world, HOUR);
    let (orders, reports) = (instance(&mut world, "orders"), instance(&mut world, "reports"));
    assert_eq!((orders.value("KmsKeyId"), reports.value("KmsKeyId")), (Some(keys[0].as_str()), Some(keys[1].as_str())));
    assert_eq!(reports.value("ReadReplicaSourceDBInstanceIdentifier"), Some("orders"));
    assert_eq!(instance(&mut world, "reports-old1").value("ReadReplicaSourceDBInstanceIdentifier"), Some("orders-old1"));
    world.write_row("orders", "row").unwrap();
    assert_eq!(world.rows(&replica).unwrap(), ["row"]);
    assert_eq!(world.rows(&arn("reports-old1")).unwrap(), [] as [&str; 0]);
}

#[test]
fn what_can_have_no_deployment_is_refused() {
    let mut world = world();
    for engine in ["sqlserver-se", "oracle-se2"] {
        create(&mut world, engine, engine, &[]);
        let code = deploy(&mut world, &arn(engine), &[]).unwrap_err().1;
        assert_eq!(code, "SourceDatabaseNotSupportedFault", "{engine}");
    }
    assert_eq!(deploy(&mut world, &arn("none"), &[]).unwrap_err(), (404, "DBInstanceNotFound".to_owned()));
    create(&mut world, "unsaved", "mysql", &[("BackupRetentionPeriod", "0")]);
    assert_eq!(deploy(&mut world, &arn("unsaved"), &[]).unwrap_err().1, "SourceDatabaseNotSupportedFault", "backups are off");

    // A major upgrade replicates logically, and the same version doesn't.
    create(&mut world, "pages", "postgres", &[("EngineVersion", "15.4")]);
    let upgrade = [("TargetEngineVersion", "16.10")];
    assert_eq!(deploy(&mut world, &arn("pages"), &upgrade).unwrap_err().1, "SourceDatabaseNotSupportedFault");
    group(&mut world, "logical", "postgres15");
    set(&mut world, "logical", ("rds.logical_replication", "1", "pending-reboot")).unwrap();
    attach(&mut world, "pages", "logical");
    ok(&mut world, "RebootDBInstance", &[("DBInstanceIdentifier", "pages")]);
    pass(&mut world, HOUR);
    let group = [("TargetDBParameterGroupName", "default.postgres16")];
    let made = deploy(&mut world, &arn("pages"), &[upgrade[0], group[0]]).unwrap();
    assert_eq!(made.first("BlueGreenDeployment").unwrap().first("Tasks").unwrap().all("member").count(), 3);
    assert_eq!(deploy(&mut world, &arn("pages"), &[]).unwrap_err().1, "BlueGreenDeploymentAlreadyExistsFault", "by name");

    // A region that doesn't know the key of the target, and keys that don't go.
    create(&mut world, "orders", "mysql", &[]);
    let (source, key) = (arn("orders"), world.create_key(ACCOUNT, REGION, None).unwrap());
    let other = [("BlueGreenDeploymentName", "other"), ("Source", source.as_str())];
    let config = |arn: &'static str, key: &str| {
        [
            ("TargetResourceConfigurations.TargetResourceConfiguration.1.SourceArn", arn.to_owned()),
            ("TargetResourceConfigurations.TargetResourceConfiguration.1.TargetKmsKeyId", key.to_owned()),
        ]
    };
    let code = |world: &mut World, config: [(&str, String); 2]| {
        let config = config.each_ref().map(|(name, value)| (*name, value.as_str()));
        call(world, ACCOUNT, "CreateBlueGreenDeployment", &[&other[..], &config[..]].concat()).unwrap_err().1
    };
    let mine = "arn:aws:rds:us-east-1:111122223333:db:orders";
    assert_eq!(code(&mut world, config(mine, "alias/none")), "KMSKeyNotAccessibleFault");
    assert_eq!(code(&mut world, config("arn:aws:rds:us-east-1:111122223333:db:pages", &key)), "InvalidParameterCombination");
    world.set_target_key_support(ACCOUNT, REGION, false);
    assert_eq!(code(&mut world, config(mine, &key)), "InvalidParameterCombination");
    assert_eq!(world.db_status(mine), Some("available"));
    assert_eq!(ok(&mut world, "DescribeDBInstances", &[]).first("DBInstances").unwrap().all("DBInstance").count(), 6, "nothing was begun");
}

#[test]
fn a_deployment_is_given_up_with_its_green_side_or_without() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[]);
    for takes_target in ["true", "false"] {
        let id = identifier(&deploy(&mut world, &arn("orders"), &[]).unwrap());
        pass(&mut world, HOUR);
        let target = deployment(&mut world, &id).value("Target").unwrap().to_owned();
        ok(&mut world, "DeleteBlueGreenDeployment", &[("BlueGreenDeploymentIdentifier", &id), ("DeleteTarget", takes_target)]);
        pass(&mut world, HOUR);
        assert_eq!(world.db_status(&target).is_none(), takes_target == "true");
        world.write_row("orders", "row").unwrap();
        if takes_target == "false" {
            assert_eq!(world.rows(&target).unwrap(), ["row"], "what it had followed");
            world.write_row(&last(&target), "own").unwrap();
        }
    }
}

#[test]
fn a_cluster_has_a_green_cluster_with_as_many_members() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    let members =
        [("DBClusterIdentifier", "ledger"), ("Engine", "aurora-mysql"), ("MasterUsername", "root"), ("MasterUserPassword", "not-a-secret")];
    ok(&mut world, "CreateDBCluster", &members);
    pass(&mut world, HOUR);
    for name in ["ledger-1", "ledger-2"] {
        create(&mut world, name, "aurora-mysql", &[("DBClusterIdentifier", "ledger")]);
    }
    let source = format!("arn:aws:rds:{REGION}:{ACCOUNT}:cluster:ledger");
    let config = [
        ("TargetResourceConfigurations.TargetResourceConfiguration.1.SourceArn", source.as_str()),
        ("TargetResourceConfigurations.TargetResourceConfiguration.1.TargetKmsKeyId", key.as_str()),
    ];
    assert_eq!(deploy(&mut world, &source, &config).unwrap_err().1, "SourceClusterNotSupportedFault", "the binary log is off");
    let new = [("DBClusterParameterGroupName", "log"), ("DBParameterGroupFamily", "aurora-mysql8.0"), ("Description", "ours")];
    ok(&mut world, "CreateDBClusterParameterGroup", &new);
    let on = [
        ("DBClusterParameterGroupName", "log"),
        ("Parameters.Parameter.1.ParameterName", "binlog_format"),
        ("Parameters.Parameter.1.ParameterValue", "MIXED"),
        ("Parameters.Parameter.1.ApplyMethod", "pending-reboot"),
    ];
    ok(&mut world, "ModifyDBClusterParameterGroup", &on);
    ok(&mut world, "ModifyDBCluster", &[members[0], new[0], ("ApplyImmediately", "true")]);
    pass(&mut world, HOUR);
    assert_eq!(deploy(&mut world, &source, &config).unwrap_err().1, "SourceClusterNotSupportedFault", "the writer hasn't read it");
    ok(&mut world, "RebootDBInstance", &[("DBInstanceIdentifier", "ledger-1")]);
    pass(&mut world, HOUR);
    world.write_row("ledger", "one").unwrap();
    assert_eq!(world.write_row("ledger-2", "row"), Err(ClientError::ReadOnly), "a reader");

    let id = identifier(&deploy(&mut world, &source, &config).unwrap());
    pass(&mut world, HOUR);
    let told = deployment(&mut world, &id);
    assert_eq!(told.first("SwitchoverDetails").unwrap().all("member").count(), 3);
    world.write_row("ledger", "two").unwrap();
    ok(&mut world, "SwitchoverBlueGreenDeployment", &[("BlueGreenDeploymentIdentifier", &id)]);
    assert_eq!(world.write_row("ledger", "row"), Err(ClientError::SwitchingOver));
    pass(&mut world, HOUR);
    let clusters = ok(&mut world, "DescribeDBClusters", &[("DBClusterIdentifier", "ledger")]);
    let cluster = clusters.first("DBClusters").unwrap().first("DBCluster").unwrap();
    assert_eq!((cluster.value("StorageEncrypted"), cluster.value("KmsKeyId")), (Some("true"), Some(key.as_str())));
    let names: Vec<_> = cluster.first("DBClusterMembers").unwrap().all("DBClusterMember").collect();
    assert_eq!(names[0].value("DBInstanceIdentifier"), Some("ledger-1"));
    assert_eq!(names[1].value("DBInstanceIdentifier"), Some("ledger-2"));
    world.write_row("ledger", "three").unwrap();
    assert_eq!(world.rows(&source).unwrap(), ["one", "two", "three"]);
    assert_eq!(world.write_row("ledger-old1", "row"), Err(ClientError::ReadOnly));
}
