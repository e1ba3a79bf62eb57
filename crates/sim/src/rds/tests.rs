//! Databases as a client meets them: forms in, XML out. Expected values are the API's and the user guides'.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};

use crate::http::Call;
use crate::kms::KeyState;
use crate::testing::{ACCOUNT, OTHER, REGION, world};
use crate::wire::xml::Element;
use crate::world::{Outcome, World};

/// A call; on failure the status and the code.
fn call(world: &mut World, account: &str, operation: &str, members: &[(&str, &str)]) -> Result<Element, (u16, String)> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", operation).append_pair("Version", "2014-10-31").extend_pairs(members);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    let scope = format!("AWS4-HMAC-SHA256 Credential={account}/20261124/{REGION}/rds/aws4_request, Signature=0");
    headers.insert("authorization", HeaderValue::from_str(&scope).unwrap());
    let body = form.finish().into();
    let call = Call { method: Method::POST, path: "/".to_owned(), query: String::new(), headers, body, secure: true };
    world.advance(world.now());
    let Outcome::Answer(reply, _) = world.call(&call) else { panic!("no answer") };
    let document = Element::parse(&reply.body).unwrap();
    if reply.status == 200 {
        let result = document.first(&format!("{operation}Result")).cloned();
        return Ok(result.unwrap_or_default());
    }
    Err((reply.status, document.at("Error/Code").unwrap().to_owned()))
}

fn ok(world: &mut World, operation: &str, members: &[(&str, &str)]) -> Element {
    call(world, ACCOUNT, operation, members).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn refused(world: &mut World, operation: &str, members: &[(&str, &str)]) -> (u16, String) {
    call(world, ACCOUNT, operation, members).expect_err("it is refused")
}

fn pass(world: &mut World, time: Duration) {
    world.advance(world.now() + time);
}

const HOUR: Duration = Duration::from_hours(1);

fn create(world: &mut World, name: &str, engine: &str, more: &[(&str, &str)]) -> Element {
    let mut members = vec![("DBInstanceIdentifier", name), ("DBInstanceClass", "db.t3.medium"), ("Engine", engine)];
    if !engine.starts_with("aurora") {
        members.extend([("MasterUsername", "root"), ("MasterUserPassword", "not-a-secret")]);
    }
    members.extend(more);
    let created = ok(world, "CreateDBInstance", &members);
    pass(world, HOUR);
    created
}

fn instance(world: &mut World, name: &str) -> Element {
    let listed = ok(world, "DescribeDBInstances", &[("DBInstanceIdentifier", name)]);
    listed.first("DBInstances").unwrap().first("DBInstance").unwrap().clone()
}

fn apply_status(world: &mut World, name: &str) -> String {
    instance(world, name).at("DBParameterGroups/DBParameterGroup/ParameterApplyStatus").unwrap().to_owned()
}

fn arn(name: &str) -> String {
    format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:{name}")
}

fn group(world: &mut World, name: &str, family: &str) {
    ok(world, "CreateDBParameterGroup", &[("DBParameterGroupName", name), ("DBParameterGroupFamily", family), ("Description", "ours")]);
}

fn set(world: &mut World, group: &str, (name, value, method): (&str, &str, &str)) -> Result<Element, (u16, String)> {
    let members = [
        ("DBParameterGroupName", group),
        ("Parameters.Parameter.1.ParameterName", name),
        ("Parameters.Parameter.1.ParameterValue", value),
        ("Parameters.Parameter.1.ApplyMethod", method),
    ];
    call(world, ACCOUNT, "ModifyDBParameterGroup", &members)
}

fn attach(world: &mut World, name: &str, group: &str) {
    ok(world, "ModifyDBInstance", &[("DBInstanceIdentifier", name), ("DBParameterGroupName", group)]);
    pass(world, HOUR);
}

#[test]
fn an_instance_is_created_in_time_and_unencrypted_unless_asked() {
    let mut world = world();
    let created =
        create(&mut world, "Orders", "postgres", &[("EngineVersion", "15.4"), ("Tags.Tag.1.Key", "team"), ("Tags.Tag.1.Value", "a")]);
    let created = created.first("DBInstance").unwrap();
    assert_eq!(created.value("DBInstanceStatus"), Some("creating"));
    assert_eq!(created.first("Endpoint"), None, "there is no endpoint yet");
    let there = instance(&mut world, "orders");
    assert_eq!(there.value("DBInstanceStatus"), Some("available"));
    assert_eq!(there.value("DBInstanceIdentifier"), Some("orders"), "identifiers are kept in lower case");
    assert_eq!(there.value("DBInstanceArn"), Some(arn("orders").as_str()));
    assert_eq!(there.value("StorageEncrypted"), Some("false"));
    assert_eq!(there.value("StorageEncryptionType"), Some("none"));
    assert_eq!(there.value("KmsKeyId"), None);
    assert_eq!(there.value("CACertificateIdentifier"), Some("rds-ca-rsa2048-g1"));
    assert_eq!(there.at("DBParameterGroups/DBParameterGroup/DBParameterGroupName"), Some("default.postgres15"));
    assert_eq!(there.at("DBParameterGroups/DBParameterGroup/ParameterApplyStatus"), Some("in-sync"));
    assert_eq!(there.at("TagList/Tag/Value"), Some("a"));
    assert_eq!(there.at("Endpoint/Port"), Some("5432"));
}

#[test]
fn what_is_wrong_is_refused_in_the_apis_words() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[]);
    let again = [("DBInstanceIdentifier", "orders"), ("DBInstanceClass", "db.t3.medium"), ("Engine", "mysql")];
    assert_eq!(refused(&mut world, "CreateDBInstance", &again), (400, "DBInstanceAlreadyExists".to_owned()));
    let unknown = [("DBInstanceIdentifier", "new"), ("DBInstanceClass", "db.t3.medium"), ("Engine", "foxpro")];
    assert_eq!(refused(&mut world, "CreateDBInstance", &unknown).1, "InvalidParameterValue");
    assert_eq!(refused(&mut world, "DescribeDBInstances", &[("DBInstanceIdentifier", "none")]), (404, "DBInstanceNotFound".to_owned()));
    assert_eq!(refused(&mut world, "DescribeDBClusters", &[("DBClusterIdentifier", "none")]), (404, "DBClusterNotFoundFault".to_owned()));
    assert_eq!(
        refused(&mut world, "DescribeDBParameters", &[("DBParameterGroupName", "none")]),
        (404, "DBParameterGroupNotFound".to_owned())
    );
    assert_eq!(refused(&mut world, "DescribeDBInstances", &[("MaxRecords", "19")]).1, "InvalidParameterValue");
    assert_eq!(refused(&mut world, "DescribeDBInstances", &[("Filters.Filter.1.Name", "colour")]).1, "InvalidParameterValue");
    assert_eq!(refused(&mut world, "CreateTenantDatabase", &[]).0, 501, "what is not there is never a silent success");
    let authority = [("DBInstanceIdentifier", "orders"), ("CACertificateIdentifier", "rds-ca-2019")];
    assert_eq!(refused(&mut world, "ModifyDBInstance", &authority), (404, "CertificateNotFound".to_owned()));
}

#[test]
fn listings_come_in_pages_and_filters_take_arns() {
    let mut world = world();
    for number in 0..25 {
        create(&mut world, &format!("db-{number:02}"), if number % 5 == 0 { "mysql" } else { "postgres" }, &[]);
    }
    let first = ok(&mut world, "DescribeDBInstances", &[("MaxRecords", "20")]);
    assert_eq!(first.first("DBInstances").unwrap().all("DBInstance").count(), 20);
    let marker = first.value("Marker").expect("there is more").to_owned();
    let second = ok(&mut world, "DescribeDBInstances", &[("MaxRecords", "20"), ("Marker", &marker)]);
    let names: Vec<_> =
        second.first("DBInstances").unwrap().all("DBInstance").filter_map(|one| one.value("DBInstanceIdentifier")).collect();
    assert_eq!(names, ["db-20", "db-21", "db-22", "db-23", "db-24"]);
    assert_eq!(second.value("Marker"), None);
    let one = arn("db-07");
    let filter = [
        ("Filters.Filter.1.Name", "db-instance-id"),
        ("Filters.Filter.1.Values.Value.1", one.as_str()),
        ("Filters.Filter.1.Values.Value.2", "db-08"),
    ];
    assert_eq!(ok(&mut world, "DescribeDBInstances", &filter).first("DBInstances").unwrap().all("DBInstance").count(), 2);
    let filter = [("Filters.Filter.1.Name", "engine"), ("Filters.Filter.1.Values.Value.1", "mysql")];
    assert_eq!(ok(&mut world, "DescribeDBInstances", &filter).first("DBInstances").unwrap().all("DBInstance").count(), 5);
    assert_eq!(call(&mut world, OTHER, "DescribeDBInstances", &[]).unwrap().first("DBInstances").unwrap().all("DBInstance").count(), 0);
}

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

#[test]
fn changes_wait_for_the_window_unless_they_are_to_apply_at_once() {
    let mut world = world();
    create(&mut world, "orders", "postgres", &[]);
    ok(&mut world, "ModifyDBInstance", &[("DBInstanceIdentifier", "orders"), ("DBInstanceClass", "db.m6g.large")]);
    let waiting = instance(&mut world, "orders");
    assert_eq!(waiting.value("DBInstanceStatus"), Some("available"));
    assert_eq!(waiting.at("PendingModifiedValues/DBInstanceClass"), Some("db.m6g.large"));
    assert_eq!(waiting.value("DBInstanceClass"), Some("db.t3.medium"));
    pass(&mut world, HOUR * 24 * 7);
    let done = instance(&mut world, "orders");
    assert_eq!((done.value("DBInstanceClass"), done.at("PendingModifiedValues/DBInstanceClass")), (Some("db.m6g.large"), None));

    ok(
        &mut world,
        "ModifyDBInstance",
        &[("DBInstanceIdentifier", "orders"), ("DBInstanceClass", "db.t3.large"), ("ApplyImmediately", "true")],
    );
    assert_eq!(instance(&mut world, "orders").value("DBInstanceStatus"), Some("modifying"));
    pass(&mut world, HOUR);
    assert_eq!(instance(&mut world, "orders").value("DBInstanceClass"), Some("db.t3.large"));
}

#[test]
fn an_authority_comes_with_the_restart_where_the_engine_needs_one_and_is_told_not_to() {
    let mut world = world();
    for (engine, at_once) in [("postgres", true), ("sqlserver-ex", false)] {
        create(&mut world, engine, engine, &[]);
        let members = [
            ("DBInstanceIdentifier", engine),
            ("CACertificateIdentifier", "rds-ca-ecc384-g1"),
            ("CertificateRotationRestart", "false"),
            ("ApplyImmediately", "true"),
        ];
        ok(&mut world, "ModifyDBInstance", &members);
        pass(&mut world, HOUR);
        let told = instance(&mut world, engine);
        let wanted = if at_once { "rds-ca-ecc384-g1" } else { "rds-ca-rsa2048-g1" };
        assert_eq!(told.value("CACertificateIdentifier"), Some(wanted), "{engine}");
        assert_eq!(told.at("PendingModifiedValues/CACertificateIdentifier").is_some(), !at_once, "{engine}");
        ok(&mut world, "RebootDBInstance", &[("DBInstanceIdentifier", engine)]);
        pass(&mut world, HOUR);
        let told = instance(&mut world, engine);
        assert_eq!(told.value("CACertificateIdentifier"), Some("rds-ca-ecc384-g1"));
        assert_eq!(told.at("CertificateDetails/CAIdentifier"), Some("rds-ca-ecc384-g1"));
    }
    let versions = ok(&mut world, "DescribeDBEngineVersions", &[("Engine", "postgres"), ("EngineVersion", "17.6"), ("IncludeAll", "true")]);
    assert_eq!(versions.at("DBEngineVersions/DBEngineVersion/SupportsCertificateRotationWithoutRestart"), Some("true"));
    assert_eq!(versions.at("DBEngineVersions/DBEngineVersion/DBParameterGroupFamily"), Some("postgres17"));
    assert_eq!(ok(&mut world, "DescribeCertificates", &[]).first("Certificates").unwrap().all("Certificate").count(), 3);
}

#[test]
fn encryption_needs_a_key_that_the_caller_may_let_rds_use() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    let encrypted = |key| [("StorageEncrypted", "true"), ("KmsKeyId", key)];
    create(&mut world, "orders", "postgres", &encrypted(key.as_str()));
    let told = instance(&mut world, "orders");
    assert_eq!(told.value("StorageEncrypted"), Some("true"));
    assert_eq!(told.value("StorageEncryptionType"), Some("sse-kms"));
    assert_eq!(told.value("KmsKeyId"), Some(key.as_str()));

    let of_other = world.create_key(OTHER, REGION, None).unwrap();
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    for bad in [key.as_str(), of_other.as_str(), "alias/none"] {
        let members = [
            ("DBInstanceIdentifier", "new"),
            ("DBInstanceClass", "db.t3.medium"),
            ("Engine", "postgres"),
            ("MasterUsername", "root"),
            ("MasterUserPassword", "not-a-secret"),
            ("StorageEncrypted", "true"),
            ("KmsKeyId", bad),
        ];
        assert_eq!(refused(&mut world, "CreateDBInstance", &members), (400, "KMSKeyNotAccessibleFault".to_owned()), "{bad}");
    }
}

#[test]
fn a_database_that_loses_its_key_says_so_after_two_hours_and_can_be_had_back_for_a_week() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    for name in ["one", "two"] {
        create(&mut world, name, "postgres", &[("StorageEncrypted", "true"), ("KmsKeyId", &key)]);
    }
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    pass(&mut world, HOUR);
    assert_eq!(world.db_status(&arn("one")), Some("available"), "not yet");
    pass(&mut world, HOUR);
    assert_eq!(world.db_status(&arn("one")), Some("inaccessible-encryption-credentials-recoverable"));
    assert_eq!(refused(&mut world, "StartDBInstance", &[("DBInstanceIdentifier", "one")]).1, "KMSKeyNotAccessibleFault");
    assert_eq!(refused(&mut world, "ModifyDBInstance", &[("DBInstanceIdentifier", "one")]).1, "InvalidDBInstanceState");
    world.set_key_state(&key, KeyState::Enabled).unwrap();
    ok(&mut world, "StartDBInstance", &[("DBInstanceIdentifier", "one")]);
    pass(&mut world, HOUR * 24 * 7);
    assert_eq!(world.db_status(&arn("one")), Some("available"));
    assert_eq!(world.db_status(&arn("two")), Some("inaccessible-encryption-credentials"), "nobody started it in time");
}

#[test]
fn a_key_that_comes_back_in_time_is_not_missed() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    create(&mut world, "orders", "postgres", &[("StorageEncrypted", "true"), ("KmsKeyId", &key)]);
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    pass(&mut world, HOUR);
    world.set_key_state(&key, KeyState::Enabled).unwrap();
    pass(&mut world, HOUR * 24);
    assert_eq!(world.db_status(&arn("orders")), Some("available"));
}

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

#[test]
fn a_copy_of_a_snapshot_adds_the_encryption_and_the_restored_database_has_it() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    create(&mut world, "orders", "postgres", &[("EngineVersion", "15.4")]);
    group(&mut world, "ours", "postgres15");
    attach(&mut world, "orders", "ours");
    ok(&mut world, "CreateDBSnapshot", &[("DBInstanceIdentifier", "orders"), ("DBSnapshotIdentifier", "plain")]);
    let copy = [("SourceDBSnapshotIdentifier", "plain"), ("TargetDBSnapshotIdentifier", "sealed"), ("KmsKeyId", key.as_str())];
    assert_eq!(refused(&mut world, "CopyDBSnapshot", &copy).1, "InvalidDBSnapshotState", "it is still being created");
    pass(&mut world, HOUR);
    ok(&mut world, "CopyDBSnapshot", &copy);
    pass(&mut world, HOUR);
    let sealed = ok(&mut world, "DescribeDBSnapshots", &[("DBSnapshotIdentifier", "sealed")]);
    assert_eq!(sealed.at("DBSnapshots/DBSnapshot/Encrypted"), Some("true"));
    assert_eq!(sealed.at("DBSnapshots/DBSnapshot/KmsKeyId"), Some(key.as_str()));
    assert_eq!(sealed.at("DBSnapshots/DBSnapshot/Status"), Some("available"));
    ok(&mut world, "RestoreDBInstanceFromDBSnapshot", &[("DBInstanceIdentifier", "orders-new"), ("DBSnapshotIdentifier", "sealed")]);
    pass(&mut world, HOUR);
    let new = instance(&mut world, "orders-new");
    assert_eq!(new.value("StorageEncryptionType"), Some("sse-kms"));
    assert_eq!(new.value("EngineVersion"), Some("15.4"));
    let restored = new.at("DBParameterGroups/DBParameterGroup/DBParameterGroupName");
    assert_eq!(restored, Some("default.postgres15"), "what is not passed falls to the default");

    // The cut-over: the old one moves away, the new one takes its name.
    for (from, to) in [("orders", "orders-old"), ("orders-new", "orders")] {
        ok(
            &mut world,
            "ModifyDBInstance",
            &[("DBInstanceIdentifier", from), ("NewDBInstanceIdentifier", to), ("ApplyImmediately", "true")],
        );
        pass(&mut world, HOUR);
    }
    assert_eq!(instance(&mut world, "orders").value("StorageEncrypted"), Some("true"));
    assert_eq!(instance(&mut world, "orders-old").value("StorageEncrypted"), Some("false"));
    let last = [("DBInstanceIdentifier", "orders-old"), ("FinalDBSnapshotIdentifier", "last")];
    assert_eq!(refused(&mut world, "DeleteDBInstance", &last[..1]).1, "InvalidParameterCombination");
    ok(&mut world, "DeleteDBInstance", &last);
    pass(&mut world, HOUR);
    assert_eq!(world.db_status(&arn("orders-old")), None);
    assert_eq!(ok(&mut world, "DescribeDBSnapshots", &[]).first("DBSnapshots").unwrap().all("DBSnapshot").count(), 3);
}

#[test]
fn tags_are_added_listed_and_removed() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[]);
    let arn = arn("orders");
    let add = [
        ("ResourceName", arn.as_str()),
        ("Tags.Tag.1.Key", "b"),
        ("Tags.Tag.1.Value", "2"),
        ("Tags.Tag.2.Key", "a"),
        ("Tags.Tag.2.Value", "1"),
    ];
    ok(&mut world, "AddTagsToResource", &add);
    ok(&mut world, "AddTagsToResource", &[("ResourceName", arn.as_str()), ("Tags.Tag.1.Key", "b"), ("Tags.Tag.1.Value", "3")]);
    let pairs = |element: Element| -> Vec<String> {
        let tags = element.first("TagList").unwrap().clone();
        tags.all("Tag").map(|tag| format!("{}={}", tag.value("Key").unwrap(), tag.value("Value").unwrap())).collect()
    };
    assert_eq!(pairs(ok(&mut world, "ListTagsForResource", &[("ResourceName", &arn)])), ["a=1", "b=3"]);
    ok(&mut world, "RemoveTagsFromResource", &[("ResourceName", &arn), ("TagKeys.member.1", "a")]);
    assert_eq!(pairs(ok(&mut world, "ListTagsForResource", &[("ResourceName", &arn)])), ["b=3"]);
    assert_eq!(pairs(instance(&mut world, "orders")), ["b=3"]);
    let none = format!("{arn}-none");
    assert_eq!(refused(&mut world, "ListTagsForResource", &[("ResourceName", &none)]), (404, "DBInstanceNotFound".to_owned()));
}
