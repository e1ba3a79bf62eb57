//! Instances: made, listed, changed, tagged.

use super::*;

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
