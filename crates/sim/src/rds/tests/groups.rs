//! Parameter groups and what is in them.

use super::*;

/// The parameters that decide TLS and their defaults. [RDS and Aurora user guides: requiring SSL/TLS]
#[test]
fn families_default_to_what_their_guides_say() {
    let mut world = world();
    for (family, parameter, default, apply) in [
        ("postgres14", "rds.force_ssl", "0", "dynamic"),
        ("postgres15", "rds.force_ssl", "1", "dynamic"),
        ("postgres17", "rds.force_ssl", "1", "dynamic"),
        ("mysql8.0", "require_secure_transport", "0", "dynamic"),
        ("mariadb10.11", "require_secure_transport", "0", "dynamic"),
        ("mariadb11.4", "require_secure_transport", "0", "dynamic"),
        ("mariadb11.8", "require_secure_transport", "1", "dynamic"),
        ("sqlserver-ex-16.0", "rds.force_ssl", "0", "static"),
        ("db2-se-11.5", "DB2COMM", "TCPIP", "static"),
    ] {
        let filter = [("Filters.Filter.1.Name", "parameter-name"), ("Filters.Filter.1.Values.Value.1", parameter)];
        let name = format!("default.{family}");
        let rows = ok(&mut world, "DescribeDBParameters", &[&[("DBParameterGroupName", name.as_str())], filter.as_slice()].concat());
        let row = rows.first("Parameters").unwrap().first("Parameter").unwrap();
        assert_eq!((row.value("ParameterValue"), row.value("ApplyType")), (Some(default), Some(apply)), "{family}");
        assert_eq!(row.value("Source"), Some("system"));
    }
    for (family, parameter, default) in [
        ("aurora-postgresql16", "rds.force_ssl", "0"),
        ("aurora-postgresql17", "rds.force_ssl", "1"),
        ("aurora-mysql8.0", "require_secure_transport", "OFF"),
    ] {
        let name = format!("default.{family}");
        let filter = [("Filters.Filter.1.Name", "parameter-name"), ("Filters.Filter.1.Values.Value.1", parameter)];
        let rows =
            ok(&mut world, "DescribeDBClusterParameters", &[&[("DBClusterParameterGroupName", name.as_str())], filter.as_slice()].concat());
        assert_eq!(rows.at("Parameters/Parameter/ParameterValue"), Some(default), "{family}");
        let rows = ok(&mut world, "DescribeDBParameters", &[&[("DBParameterGroupName", name.as_str())], filter.as_slice()].concat());
        assert_eq!(rows.at("Parameters/Parameter/ParameterName"), None, "in Aurora it is the cluster's");
    }
}

#[test]
fn a_group_has_hundreds_of_parameters_on_several_pages() {
    let mut world = world();
    let (mut names, mut marker) = (Vec::new(), String::new());
    loop {
        let page = ok(&mut world, "DescribeDBParameters", &[("DBParameterGroupName", "default.postgres16"), ("Marker", &marker)]);
        let rows: Vec<_> =
            page.first("Parameters").unwrap().all("Parameter").map(|row| row.value("ParameterName").unwrap().to_owned()).collect();
        assert!(rows.len() <= 100);
        names.extend(rows);
        match page.value("Marker") {
            Some(next) => next.clone_into(&mut marker),
            None => break,
        }
    }
    assert!(names.len() > 200, "{}", names.len());
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "sorted, and none twice");
    assert!(names.iter().position(|name| name == "rds.force_ssl").unwrap() > 100, "it is not on the first page");
}

#[test]
fn a_group_takes_what_it_may_take() {
    let mut world = world();
    assert_eq!(set(&mut world, "default.postgres14", ("rds.force_ssl", "1", "immediate")).unwrap_err().1, "InvalidParameterValue");
    assert_eq!(
        refused(&mut world, "DeleteDBParameterGroup", &[("DBParameterGroupName", "default.postgres14")]).1,
        "InvalidDBParameterGroupState"
    );
    group(&mut world, "ours", "postgres14");
    assert_eq!(set(&mut world, "ours", ("no_such", "1", "immediate")).unwrap_err().1, "InvalidParameterValue");
    assert_eq!(set(&mut world, "ours", ("rds.force_ssl", "yes", "immediate")).unwrap_err().1, "InvalidParameterValue");
    assert_eq!(set(&mut world, "ours", ("ssl_cert_file", "x", "pending-reboot")).unwrap_err().1, "InvalidParameterValue", "AWS's own");
    assert_eq!(set(&mut world, "ours", ("max_connections", "10", "immediate")).unwrap_err().1, "InvalidParameterCombination", "static");
    set(&mut world, "ours", ("rds.force_ssl", "1", "immediate")).unwrap();
    let user = ok(&mut world, "DescribeDBParameters", &[("DBParameterGroupName", "ours"), ("Source", "user")]);
    let rows: Vec<_> = user.first("Parameters").unwrap().all("Parameter").collect();
    assert_eq!((rows.len(), rows[0].value("ParameterValue"), rows[0].value("Source")), (1, Some("1"), Some("user")));
    assert_eq!(rows[0].value("ApplyMethod"), Some("immediate"));
    set(&mut world, "ours", ("rds.force_ssl", "1", "pending-reboot")).unwrap();
    let user = ok(&mut world, "DescribeDBParameters", &[("DBParameterGroupName", "ours"), ("Source", "user")]);
    assert_eq!(user.at("Parameters/Parameter/ApplyMethod"), Some("pending-reboot"), "as it was last asked for");

    let many: Vec<(String, &str)> = (1..=21)
        .flat_map(|n| {
            let member = move |name: &str| format!("Parameters.Parameter.{n}.{name}");
            [(member("ParameterName"), "rds.force_ssl"), (member("ParameterValue"), "1"), (member("ApplyMethod"), "immediate")]
        })
        .collect();
    let mut members: Vec<_> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    members.push(("DBParameterGroupName", "ours"));
    assert_eq!(refused(&mut world, "ModifyDBParameterGroup", &members).1, "InvalidParameterValue", "20 are the most");

    group(&mut world, "windows", "sqlserver-ex-16.0");
    assert_eq!(
        set(&mut world, "windows", ("max degree of parallelism", "2", "pending-reboot")).unwrap_err().1,
        "InvalidParameterCombination"
    );
}

#[test]
fn an_attached_group_says_nothing_before_the_reboot() {
    let mut world = world();
    create(&mut world, "orders", "postgres", &[("EngineVersion", "14.19")]);
    group(&mut world, "tls", "postgres14");
    set(&mut world, "tls", ("rds.force_ssl", "1", "immediate")).unwrap();
    assert_eq!(world.db_parameter(&arn("orders"), "rds.force_ssl").as_deref(), Some("0"));

    ok(&mut world, "ModifyDBInstance", &[("DBInstanceIdentifier", "orders"), ("DBParameterGroupName", "tls")]);
    assert_eq!(instance(&mut world, "orders").value("DBInstanceStatus"), Some("modifying"));
    assert_eq!(apply_status(&mut world, "orders"), "applying");
    assert_eq!(refused(&mut world, "RebootDBInstance", &[("DBInstanceIdentifier", "orders")]).1, "InvalidDBInstanceState");
    pass(&mut world, HOUR);
    assert_eq!(apply_status(&mut world, "orders"), "pending-reboot");
    assert_eq!(world.db_parameter(&arn("orders"), "rds.force_ssl").as_deref(), Some("0"), "dynamic or not");

    // Not even the maintenance window reboots for it.
    pass(&mut world, HOUR * 24 * 8);
    assert_eq!(apply_status(&mut world, "orders"), "pending-reboot");
    ok(&mut world, "RebootDBInstance", &[("DBInstanceIdentifier", "orders")]);
    pass(&mut world, HOUR);
    assert_eq!(apply_status(&mut world, "orders"), "in-sync");
    assert_eq!(world.db_parameter(&arn("orders"), "rds.force_ssl").as_deref(), Some("1"));

    set(&mut world, "tls", ("rds.force_ssl", "0", "immediate")).unwrap();
    assert_eq!(world.db_parameter(&arn("orders"), "rds.force_ssl").as_deref(), Some("0"), "dynamic: at once");
    assert_eq!(apply_status(&mut world, "orders"), "in-sync");
    set(&mut world, "tls", ("max_connections", "50", "pending-reboot")).unwrap();
    assert_eq!(apply_status(&mut world, "orders"), "pending-reboot", "static: with the reboot");
    assert_eq!(world.db_parameter(&arn("orders"), "max_connections"), None);
    assert_eq!(
        refused(&mut world, "DeleteDBParameterGroup", &[("DBParameterGroupName", "tls")]).1,
        "InvalidDBParameterGroupState",
        "in use"
    );
}

#[test]
fn a_group_of_another_family_does_not_fit() {
    let mut world = world();
    create(&mut world, "orders", "postgres", &[("EngineVersion", "15.4")]);
    group(&mut world, "old", "postgres14");
    let members = [("DBInstanceIdentifier", "orders"), ("DBParameterGroupName", "old")];
    assert_eq!(refused(&mut world, "ModifyDBInstance", &members).1, "InvalidParameterCombination");
}
