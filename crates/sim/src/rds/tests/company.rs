//! What goes with databases: subscriptions, proxies, backups, groups that are copied and reset, certificates.

use super::*;

#[test]
fn a_subscription_names_its_sources_and_a_rename_doesn_t_change_that() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[]);
    let topic = world.create_topic(ACCOUNT, REGION, "ops");
    let members = [
        ("SubscriptionName", "ops"),
        ("SnsTopicArn", topic.as_str()),
        ("SourceType", "db-instance"),
        ("SourceIds.SourceId.1", "orders"),
        ("EventCategories.EventCategory.1", "failover"),
    ];
    let missing = [members[0], ("SnsTopicArn", "arn:aws:sns:us-east-1:111122223333:none"), members[2]];
    assert_eq!(refused(&mut world, "CreateEventSubscription", &missing), (404, "SNSTopicArnNotFound".to_owned()));
    let nothing = [members[0], members[1], members[2], ("SourceIds.SourceId.1", "none")];
    assert_eq!(refused(&mut world, "CreateEventSubscription", &nothing), (404, "SourceNotFound".to_owned()));
    ok(&mut world, "CreateEventSubscription", &members);
    assert_eq!(refused(&mut world, "CreateEventSubscription", &members).1, "SubscriptionAlreadyExist");
    let new_name = [("DBInstanceIdentifier", "orders"), ("NewDBInstanceIdentifier", "orders-old"), ("ApplyImmediately", "true")];
    ok(&mut world, "ModifyDBInstance", &new_name);
    pass(&mut world, HOUR);
    let add = [("SubscriptionName", "ops"), ("SourceIdentifier", "orders-old")];
    ok(&mut world, "AddSourceIdentifierToSubscription", &add);
    let listed = ok(&mut world, "DescribeEventSubscriptions", &[]);
    let told = listed.first("EventSubscriptionsList").unwrap().first("EventSubscription").unwrap().clone();
    let sources: Vec<_> = told.first("SourceIdsList").unwrap().all("SourceId").map(Element::content).collect();
    assert_eq!(sources, ["orders", "orders-old"]);
    assert_eq!((told.value("CustSubscriptionId"), told.value("Enabled")), (Some("ops"), Some("true")));
    ok(&mut world, "RemoveSourceIdentifierFromSubscription", &[add[0], ("SourceIdentifier", "orders")]);
    assert_eq!(
        refused(&mut world, "RemoveSourceIdentifierFromSubscription", &[add[0], ("SourceIdentifier", "orders")]).1,
        "SourceNotFound"
    );
    ok(&mut world, "DeleteEventSubscription", &add[..1]);
    assert_eq!(refused(&mut world, "DescribeEventSubscriptions", &add[..1]), (404, "SubscriptionNotFound".to_owned()));
}

fn proxy(world: &mut World, family: &str) -> Element {
    let members = [
        ("DBProxyName", "pool"),
        ("EngineFamily", family),
        ("RoleArn", "arn:aws:iam::111122223333:role/proxy"),
        ("VpcSubnetIds.member.1", "subnet-1"),
        ("Auth.member.1.SecretArn", "arn:aws:secretsmanager:us-east-1:111122223333:secret:app-AbCdEf"),
    ];
    let made = ok(world, "CreateDBProxy", &members);
    assert_eq!((made.at("DBProxy/Status"), made.at("DBProxy/RequireTLS")), (Some("creating"), Some("false")));
    pass(world, HOUR);
    made
}

fn targets(world: &mut World) -> Vec<String> {
    let told = ok(world, "DescribeDBProxyTargets", &[("DBProxyName", "pool")]);
    told.first("Targets").unwrap().all("member").map(|target| target.value("RdsResourceId").unwrap().to_owned()).collect()
}

#[test]
fn a_proxy_leads_to_one_database_under_whatever_name() {
    let mut world = world();
    for name in ["orders", "orders-new"] {
        create(&mut world, name, "mysql", &[]);
    }
    create(&mut world, "pages", "postgres", &[]);
    let endpoint = proxy(&mut world, "MYSQL").at("DBProxy/Endpoint").unwrap().to_owned();
    assert!(matches!(world.write_row(&endpoint, "row"), Err(ClientError::NoSuchName(_))), "nothing is behind it");
    let of = |name: &'static str| [("DBProxyName", "pool"), ("DBInstanceIdentifiers.member.1", name)];
    assert_eq!(refused(&mut world, "RegisterDBProxyTargets", &of("pages")).1, "InvalidParameterCombination", "another engine");
    assert_eq!(refused(&mut world, "RegisterDBProxyTargets", &of("none")).1, "DBInstanceNotFound");
    let made = ok(&mut world, "RegisterDBProxyTargets", &of("orders"));
    assert_eq!(made.at("DBProxyTargets/member/Type"), Some("RDS_INSTANCE"));
    assert_eq!(made.at("DBProxyTargets/member/TargetHealth/State"), Some("AVAILABLE"));
    assert_eq!(refused(&mut world, "RegisterDBProxyTargets", &of("orders")).1, "DBProxyTargetAlreadyRegisteredFault");
    assert_eq!(refused(&mut world, "RegisterDBProxyTargets", &of("orders-new")).1, "InvalidDBProxyStateFault", "one at a time");
    world.write_row(&endpoint, "one").unwrap();
    for (from, to) in [("orders", "orders-old"), ("orders-new", "orders")] {
        let rename = [("DBInstanceIdentifier", from), ("NewDBInstanceIdentifier", to), ("ApplyImmediately", "true")];
        ok(&mut world, "ModifyDBInstance", &rename);
        pass(&mut world, HOUR);
    }
    assert_eq!(targets(&mut world), ["orders-old"], "it is the same database");
    assert_eq!(refused(&mut world, "DeregisterDBProxyTargets", &of("orders")), (404, "DBProxyTargetNotFoundFault".to_owned()));
    ok(&mut world, "DeregisterDBProxyTargets", &of("orders-old"));
    ok(&mut world, "RegisterDBProxyTargets", &of("orders"));
    assert_eq!(targets(&mut world), ["orders"]);
    world.write_row(&endpoint, "two").unwrap();
    assert_eq!(world.rows(&arn("orders")).unwrap(), ["two"]);

    ok(&mut world, "ModifyDBProxy", &[("DBProxyName", "pool"), ("RequireTLS", "true")]);
    let told = ok(&mut world, "DescribeDBProxies", &[]);
    assert_eq!((told.at("DBProxies/member/Status"), told.at("DBProxies/member/RequireTLS")), (Some("modifying"), Some("true")));
    assert_eq!(refused(&mut world, "ModifyDBProxy", &[("DBProxyName", "pool")]).1, "InvalidDBProxyStateFault");
    pass(&mut world, HOUR);
    let groups = ok(&mut world, "DescribeDBProxyTargetGroups", &[("DBProxyName", "pool")]);
    assert_eq!(groups.at("TargetGroups/member/TargetGroupName"), Some("default"));
    ok(&mut world, "DeleteDBProxy", &[("DBProxyName", "pool")]);
    pass(&mut world, HOUR);
    assert_eq!(refused(&mut world, "DescribeDBProxyTargets", &[("DBProxyName", "pool")]), (404, "DBProxyNotFoundFault".to_owned()));
}

#[test]
fn after_a_switchover_a_proxy_leads_to_the_green_side() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[]);
    let endpoint = proxy(&mut world, "MYSQL").at("DBProxy/Endpoint").unwrap().to_owned();
    ok(&mut world, "RegisterDBProxyTargets", &[("DBProxyName", "pool"), ("DBInstanceIdentifiers.member.1", "orders")]);
    let made = ok(&mut world, "CreateBlueGreenDeployment", &[("BlueGreenDeploymentName", "x"), ("Source", &arn("orders"))]);
    pass(&mut world, HOUR);
    let id = made.at("BlueGreenDeployment/BlueGreenDeploymentIdentifier").unwrap();
    ok(&mut world, "SwitchoverBlueGreenDeployment", &[("BlueGreenDeploymentIdentifier", id)]);
    pass(&mut world, HOUR);
    assert_eq!(targets(&mut world), ["orders"]);
    world.write_row(&endpoint, "row").unwrap();
    assert_eq!(world.rows(&arn("orders")).unwrap(), ["row"]);
}

#[test]
fn automated_backups_go_with_their_instance_unless_they_are_kept() {
    let mut world = world();
    for name in ["one", "two"] {
        create(&mut world, name, "mysql", &[]);
    }
    create(&mut world, "unsaved", "mysql", &[("BackupRetentionPeriod", "0")]);
    let listed = |world: &mut World| -> Vec<String> {
        let told = ok(world, "DescribeDBInstanceAutomatedBackups", &[]);
        let all = told.first("DBInstanceAutomatedBackups").unwrap().all("DBInstanceAutomatedBackup");
        let mut all: Vec<_> =
            all.map(|one| format!("{} {}", one.value("DBInstanceIdentifier").unwrap(), one.value("Status").unwrap())).collect();
        all.sort();
        all
    };
    assert_eq!(listed(&mut world), ["one active", "two active"]);
    let id = instance(&mut world, "one").value("DbiResourceId").unwrap().to_owned();
    for (name, more) in [("one", &[("DeleteAutomatedBackups", "false")][..]), ("two", &[])] {
        ok(&mut world, "DeleteDBInstance", &[&[("DBInstanceIdentifier", name), ("SkipFinalSnapshot", "true")], more].concat());
    }
    pass(&mut world, HOUR);
    assert_eq!(listed(&mut world), ["one retained"]);
    ok(&mut world, "DeleteDBInstanceAutomatedBackup", &[("DbiResourceId", &id)]);
    assert_eq!(refused(&mut world, "DescribeDBInstanceAutomatedBackups", &[("DbiResourceId", &id)]).1, "DBInstanceAutomatedBackupNotFound");
    assert!(ok(&mut world, "DescribePendingMaintenanceActions", &[]).first("PendingMaintenanceActions").is_some());
}

#[test]
fn groups_are_copied_unless_they_are_defaults_and_reset() {
    let mut world = world();
    let copy = |source: &'static str| {
        [
            ("SourceDBParameterGroupIdentifier", source),
            ("TargetDBParameterGroupIdentifier", "copy"),
            ("TargetDBParameterGroupDescription", "a copy"),
        ]
    };
    assert_eq!(refused(&mut world, "CopyDBParameterGroup", &copy("default.postgres14")).1, "InvalidParameterValue");
    group(&mut world, "ours", "postgres14");
    set(&mut world, "ours", ("rds.force_ssl", "1", "immediate")).unwrap();
    set(&mut world, "ours", ("max_connections", "50", "pending-reboot")).unwrap();
    ok(&mut world, "CopyDBParameterGroup", &copy("ours"));
    assert_eq!(refused(&mut world, "CopyDBParameterGroup", &copy("ours")).1, "DBParameterGroupAlreadyExists");
    create(&mut world, "orders", "postgres", &[("EngineVersion", "14.19"), ("DBParameterGroupName", "copy")]);
    assert_eq!(world.db_parameter(&arn("orders"), "rds.force_ssl").as_deref(), Some("1"));
    assert_eq!(refused(&mut world, "ResetDBParameterGroup", &[("DBParameterGroupName", "copy")]).1, "InvalidParameterCombination");
    ok(&mut world, "ResetDBParameterGroup", &[("DBParameterGroupName", "copy"), ("ResetAllParameters", "true")]);
    assert_eq!(world.db_parameter(&arn("orders"), "rds.force_ssl").as_deref(), Some("0"), "dynamic: at once");
    assert_eq!(apply_status(&mut world, "orders"), "pending-reboot", "static: with the reboot");
    let user = [("DBParameterGroupName", "copy"), ("Source", "user")];
    assert_eq!(ok(&mut world, "DescribeDBParameters", &user).first("Parameters").unwrap().all("Parameter").count(), 0);
    let ours = [("DBParameterGroupName", "ours"), ("Source", "user")];
    assert_eq!(ok(&mut world, "DescribeDBParameters", &ours).first("Parameters").unwrap().all("Parameter").count(), 2, "the source stays");
}

#[test]
fn option_groups_and_certificates_are_kept_by_name() {
    let mut world = world();
    let new = [("OptionGroupName", "audit"), ("EngineName", "mysql"), ("MajorEngineVersion", "8.0"), ("OptionGroupDescription", "ours")];
    ok(&mut world, "CreateOptionGroup", &new);
    create(&mut world, "orders", "mysql", &[("EngineVersion", "8.0.43"), ("OptionGroupName", "audit")]);
    assert_eq!(refused(&mut world, "DeleteOptionGroup", &new[..1]).1, "InvalidOptionGroupStateFault", "in use");
    let wrong = [("DBInstanceIdentifier", "orders"), ("OptionGroupName", "none")];
    assert_eq!(refused(&mut world, "ModifyDBInstance", &wrong), (404, "OptionGroupNotFoundFault".to_owned()));
    let other = [wrong[0], ("OptionGroupName", "default:mysql-8-0")];
    let told = ok(&mut world, "ModifyDBInstance", &other);
    let memberships = told.first("DBInstance").unwrap().first("OptionGroupMemberships").unwrap().clone();
    let states: Vec<_> = memberships.all("OptionGroupMembership").map(|one| one.value("Status").unwrap()).collect();
    assert_eq!(states, ["in-sync", "pending-maintenance-apply"]);
    pass(&mut world, HOUR * 24 * 7);
    assert_eq!(
        instance(&mut world, "orders").at("OptionGroupMemberships/OptionGroupMembership/OptionGroupName"),
        Some("default:mysql-8-0")
    );

    ok(&mut world, "ModifyCertificates", &[("CertificateIdentifier", "rds-ca-rsa4096-g1")]);
    create(&mut world, "new", "mysql", &[]);
    assert_eq!(instance(&mut world, "new").value("CACertificateIdentifier"), Some("rds-ca-rsa4096-g1"));
    assert_eq!(ok(&mut world, "DescribeCertificates", &[]).value("DefaultCertificateForNewLaunches"), Some("rds-ca-rsa4096-g1"));
    ok(&mut world, "ModifyCertificates", &[("RemoveCustomerOverride", "true")]);
    assert_eq!(ok(&mut world, "DescribeCertificates", &[]).value("DefaultCertificateForNewLaunches"), Some("rds-ca-rsa2048-g1"));
}
