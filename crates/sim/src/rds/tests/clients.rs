//! Clients: what they meet, and what `CloudWatch` sees of them.

use super::*;

#[test]
fn a_client_is_told_why_it_gets_nowhere() {
    let mut world = world();
    let members = [("DBInstanceIdentifier", "orders"), ("DBInstanceClass", "db.t3.medium"), ("Engine", "mysql")];
    ok(&mut world, "CreateDBInstance", &[&members[..], &[("MasterUsername", "root"), ("MasterUserPassword", "not-a-secret")]].concat());
    assert_eq!(world.write_row("orders", "row"), Err(ClientError::Refused("creating")));
    pass(&mut world, HOUR);
    let name = host(&mut world, "orders");
    assert_eq!(Some(name.clone()), world.db_endpoint(&arn("orders")));
    world.write_row(&name, "one").unwrap();
    assert_eq!(world.read_rows(&name).unwrap(), ["one"]);
    let other = name.replacen("orders", "other", 1);
    assert_eq!(world.write_row(&other, "row"), Err(ClientError::NoSuchName(other.clone())));
    let elsewhere = name.replace(REGION, "eu-west-1");
    assert!(matches!(world.write_row(&elsewhere, "row"), Err(ClientError::NoSuchName(_))), "the name is of another region");

    ok(&mut world, "RebootDBInstance", &[("DBInstanceIdentifier", "orders")]);
    assert_eq!(world.write_row(&name, "row"), Err(ClientError::Refused("rebooting")));
    pass(&mut world, HOUR);
    ok(&mut world, "StopDBInstance", &[("DBInstanceIdentifier", "orders")]);
    pass(&mut world, HOUR);
    assert_eq!(world.write_row(&name, "row"), Err(ClientError::Refused("stopped")));
    ok(&mut world, "StartDBInstance", &[("DBInstanceIdentifier", "orders")]);
    pass(&mut world, HOUR);
    world.write_row(&name, "two").unwrap();
    assert_eq!(world.rows(&arn("orders")).unwrap(), ["one", "two"], "it keeps what it has");
}

#[test]
fn one_security_group_that_lets_people_in_is_enough() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[]);
    world.close_security_group(ACCOUNT, REGION, "sg-closed");
    let groups = |world: &mut World, groups: &[(&str, &str)]| {
        ok(world, "ModifyDBInstance", &[&[("DBInstanceIdentifier", "orders")], groups].concat());
    };
    groups(
        &mut world,
        &[("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-closed"), ("VpcSecurityGroupIds.VpcSecurityGroupId.2", "sg-app")],
    );
    world.write_row("orders", "one").unwrap();
    groups(&mut world, &[("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-closed")]);
    assert_eq!(world.write_row("orders", "two"), Err(ClientError::TimedOut));
    world.open_security_group(ACCOUNT, REGION, "sg-closed");
    world.write_row("orders", "three").unwrap();
}

#[test]
fn metrics_are_made_by_the_minute_from_what_clients_did() {
    let mut world = world();
    world.advance(crate::Moment(1_800_000_000_000));
    create(&mut world, "orders", "mysql", &[]);
    // The minute before, the one of two connections and three rows, and the one after.
    let connections: Vec<_> = (0..2).map(|_| world.connect("orders").unwrap()).collect();
    for row in ["a", "b", "c"] {
        world.write_on(&connections[0], row).unwrap();
    }
    assert_eq!(world.open_connections(&arn("orders")), 2);
    world.disconnect(&connections[1]);
    pass(&mut world, MINUTE * 2);
    assert_eq!(metric(&mut world, "orders", "DatabaseConnections", 3), [0.0, 2.0, 1.0]);
    assert_eq!(metric(&mut world, "orders", "WriteIOPS", 3), [0.0, 3.0 / 60.0, 0.0]);
    assert_eq!(metric(&mut world, "orders", "WriteThroughput", 3), [0.0, 3.0 * 8192.0 / 60.0, 0.0]);
    assert_eq!(metric(&mut world, "none", "DatabaseConnections", 3), [] as [f64; 0]);

    // A stopped instance has no points at all.
    ok(&mut world, "StopDBInstance", &[("DBInstanceIdentifier", "orders")]);
    pass(&mut world, HOUR);
    assert_eq!(metric(&mut world, "orders", "DatabaseConnections", 30), [] as [f64; 0]);
    assert_eq!(world.write_on(&connections[0], "d"), Err(ClientError::Closed));

    let list = [("Action", "ListMetrics"), ("Namespace", "AWS/RDS"), ("MetricName", "DatabaseConnections")];
    let (_, listed) = crate::testing::form(&mut world, ACCOUNT, REGION, "monitoring", &list);
    assert_eq!(listed.at("ListMetricsResult/Metrics/member/Dimensions/member/Value"), Some("orders"));
}

#[test]
fn a_replica_is_read_only_lags_and_is_promoted_with_what_it_has() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[("BackupRetentionPeriod", "0")]);
    let replica = [("DBInstanceIdentifier", "reports"), ("SourceDBInstanceIdentifier", "orders")];
    assert_eq!(refused(&mut world, "CreateDBInstanceReadReplica", &replica).1, "InvalidDBInstanceState", "without backups");
    let backups = [("DBInstanceIdentifier", "orders"), ("BackupRetentionPeriod", "7")];
    ok(&mut world, "ModifyDBInstance", &backups);
    assert_eq!(instance(&mut world, "orders").at("PendingModifiedValues/BackupRetentionPeriod"), Some("7"), "0 to 7 waits");
    ok(&mut world, "ModifyDBInstance", &[backups[0], backups[1], ("ApplyImmediately", "true")]);
    pass(&mut world, HOUR);
    world.write_row("orders", "one").unwrap();
    ok(&mut world, "CreateDBInstanceReadReplica", &replica);
    pass(&mut world, HOUR);
    assert_eq!(world.write_row("reports", "row"), Err(ClientError::ReadOnly));
    world.set_replication_lag(&arn("reports"), MINUTE);
    world.write_row("orders", "two").unwrap();
    assert_eq!(world.rows(&arn("reports")).unwrap(), ["one"]);
    pass(&mut world, MINUTE);
    assert_eq!(world.rows(&arn("reports")).unwrap(), ["one", "two"]);
    for (name, operation) in [("orders", "StopDBInstance"), ("reports", "StopDBInstance")] {
        assert_eq!(refused(&mut world, operation, &[("DBInstanceIdentifier", name)]).1, "InvalidDBInstanceState", "{name}");
    }

    world.write_row("orders", "three").unwrap();
    assert_eq!(refused(&mut world, "PromoteReadReplica", &[("DBInstanceIdentifier", "orders")]).1, "InvalidDBInstanceState");
    ok(&mut world, "PromoteReadReplica", &[("DBInstanceIdentifier", "reports")]);
    pass(&mut world, HOUR);
    world.write_row("reports", "own").unwrap();
    assert_eq!(world.rows(&arn("reports")).unwrap(), ["one", "two", "own"], "what had not come is lost");
    assert_eq!(instance(&mut world, "reports").value("ReadReplicaSourceDBInstanceIdentifier"), None);
}
