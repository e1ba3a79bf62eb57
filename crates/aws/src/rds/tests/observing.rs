use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::{Reads, Target};
use everseal_planner::rds::observed::{AttachedParameterGroup, ClusterMember, DbCluster, DbEndpoint, DbInstance, StorageEncryption};
use everseal_planner::{Arn, Inventory, Service};

use super::{action, actions, arn, form, marker, pairs, refused, xml};
use crate::rds::observe;
use crate::testing::{Answer, Seen, Wire};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1";

fn instance(name: &str, engine: &str, more: &str) -> String {
    format!(
        "<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier><DBInstanceArn>{}</DBInstanceArn><Engine>{engine}</Engine>\
         <EngineVersion>15.4</EngineVersion><DBInstanceStatus>available</DBInstanceStatus><DBInstanceClass>db.t3.medium</DBInstanceClass>\
         {more}</DBInstance>",
        arn(&format!("db:{name}"))
    )
}

fn cluster(name: &str, engine: &str, more: &str) -> String {
    format!(
        "<DBCluster><DBClusterIdentifier>{name}</DBClusterIdentifier><DBClusterArn>{}</DBClusterArn><Engine>{engine}</Engine>\
         <EngineVersion>16.1</EngineVersion><Status>available</Status><DBClusterParameterGroup>default.aurora-postgresql16</DBClusterParameterGroup>\
         {more}</DBCluster>",
        arn(&format!("cluster:{name}"))
    )
}

fn instances(list: &str, next: Option<&str>) -> Answer {
    xml("DescribeDBInstances", &format!("<DBInstances>{list}</DBInstances>{}", marker(next)))
}

fn clusters(list: &str, next: Option<&str>) -> Answer {
    xml("DescribeDBClusters", &format!("<DBClusters>{list}</DBClusters>{}", marker(next)))
}

async fn run(target: &Target, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Inventory, Vec<Seen>) {
    let wire = Wire::new(answer);
    let inventory = observe(&wire.context(), target, &Reads::nothing()).await;
    (inventory, wire.seen())
}

#[tokio::test]
async fn both_listings_are_paged_a_hundred_at_a_time_and_leave_other_services_out() {
    let (inventory, seen) = run(&Target::Everything, |seen| match (action(seen).as_str(), form(seen).get("Marker").map(String::as_str)) {
        ("DescribeDBInstances", None) => instances(&(instance("a", "postgres", "") + &instance("graph", "neptune", "")), Some("m1")),
        ("DescribeDBInstances", Some("m1")) => instances(&(instance("b", "sqlserver-ex", "") + &instance("docs", "docdb", "")), None),
        ("DescribeDBClusters", None) => clusters(&(cluster("c", "aurora-postgresql", "") + &cluster("graphs", "neptune", "")), Some("m2")),
        ("DescribeDBClusters", Some("m2")) => clusters(&cluster("docs", "docdb", ""), None),
        other => panic!("unexpected {other:?}"),
    })
    .await;
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|seen| form(seen)["MaxRecords"] == "100"));
    assert_eq!(inventory.db_instances.keys().collect::<Vec<_>>(), [&arn("db:a"), &arn("db:b")]);
    assert_eq!(inventory.db_clusters.keys().collect::<Vec<_>>(), [&arn("cluster:c")]);
}

#[tokio::test]
async fn everything_about_an_instance_comes_with_its_description() {
    let more = format!(
        "<StorageEncrypted>true</StorageEncrypted><StorageEncryptionType>sse-kms</StorageEncryptionType><KmsKeyId>{KEY}</KmsKeyId>\
         <Endpoint><Address>a.c1abc.us-east-1.rds.amazonaws.com</Address><Port>5432</Port><HostedZoneId>Z1</HostedZoneId></Endpoint>\
         <DBParameterGroups><DBParameterGroup><DBParameterGroupName>pg15</DBParameterGroupName>\
         <ParameterApplyStatus>pending-reboot</ParameterApplyStatus></DBParameterGroup></DBParameterGroups>\
         <CACertificateIdentifier>rds-ca-2019</CACertificateIdentifier>\
         <CertificateDetails><CAIdentifier>rds-ca-2019</CAIdentifier><ValidTill>2027-08-22T17:08:50Z</ValidTill></CertificateDetails>\
         <PendingModifiedValues><CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier></PendingModifiedValues>\
         <TagList><Tag><Key>team</Key><Value>ledger</Value></Tag></TagList>"
    );
    let (inventory, _) = run(&Target::Everything, move |seen| match action(seen).as_str() {
        "DescribeDBInstances" => instances(&instance("a", "postgres", &more), None),
        _ => clusters("", None),
    })
    .await;
    let expected = DbInstance {
        arn: arn("db:a"),
        identifier: "a".into(),
        engine: "postgres".into(),
        engine_version: "15.4".into(),
        status: "available".into(),
        class: "db.t3.medium".into(),
        endpoint: Some(DbEndpoint { address: "a.c1abc.us-east-1.rds.amazonaws.com".into(), port: 5432 }),
        cluster: None,
        storage: StorageEncryption { storage_encrypted: true, storage_encryption_type: Some("sse-kms".into()), kms_key: Some(KEY.into()) },
        parameter_groups: vec![AttachedParameterGroup { name: "pg15".into(), apply_status: "pending-reboot".into() }],
        ca_certificate: Some("rds-ca-2019".into()),
        // 2027-08-22T17:08:50Z.
        ca_valid_till: Some(1_818_954_530),
        pending_ca_certificate: Some("rds-ca-rsa2048-g1".into()),
        tags: BTreeMap::from([("team".into(), "ledger".into())]),
        resource_id: None,
        created_at: None,
        settings: None,
    };
    assert_eq!(inventory.db_instances[&arn("db:a")], expected);
}

#[tokio::test]
async fn a_cluster_under_awss_own_key_is_told_as_aws_tells_it() {
    let more = "<StorageEncrypted>false</StorageEncrypted><StorageEncryptionType>sse-rds</StorageEncryptionType><KmsKeyId/>\
         <Endpoint>c.cluster-c1abc.us-east-1.rds.amazonaws.com</Endpoint><Port>3306</Port>\
         <DBClusterMembers><DBClusterMember><DBInstanceIdentifier>w</DBInstanceIdentifier><IsClusterWriter>true</IsClusterWriter>\
         <DBClusterParameterGroupStatus>in-sync</DBClusterParameterGroupStatus></DBClusterMember>\
         <DBClusterMember><DBInstanceIdentifier>r</DBInstanceIdentifier><IsClusterWriter>false</IsClusterWriter>\
         <DBClusterParameterGroupStatus>pending-reboot</DBClusterParameterGroupStatus></DBClusterMember></DBClusterMembers>";
    let (inventory, _) = run(&Target::Everything, move |seen| match action(seen).as_str() {
        "DescribeDBInstances" => instances(&instance("w", "aurora-postgresql", "<DBClusterIdentifier>c</DBClusterIdentifier>"), None),
        _ => clusters(&cluster("c", "aurora-postgresql", more), None),
    })
    .await;
    let member =
        |instance: &str, writer, status: &str| ClusterMember { instance: instance.into(), writer, parameter_group_status: status.into() };
    let expected = DbCluster {
        arn: arn("cluster:c"),
        identifier: "c".into(),
        engine: "aurora-postgresql".into(),
        engine_version: "16.1".into(),
        status: "available".into(),
        endpoint: Some(DbEndpoint { address: "c.cluster-c1abc.us-east-1.rds.amazonaws.com".into(), port: 3306 }),
        storage: StorageEncryption { storage_encrypted: false, storage_encryption_type: Some("sse-rds".into()), kms_key: None },
        parameter_group: "default.aurora-postgresql16".into(),
        members: vec![member("w", true, "in-sync"), member("r", false, "pending-reboot")],
        tags: BTreeMap::new(),
        resource_id: None,
        created_at: None,
        settings: None,
    };
    assert_eq!(inventory.db_clusters[&arn("cluster:c")], expected);
    assert_eq!(inventory.db_instances[&arn("db:w")].cluster.as_deref(), Some("c"));
    let silent = StorageEncryption { storage_encrypted: false, storage_encryption_type: None, kms_key: None };
    assert_eq!(inventory.db_instances[&arn("db:w")].endpoint, None, "one that is being created has none");
    assert_eq!(inventory.db_instances[&arn("db:w")].storage, silent, "what AWS does not say is not made up");
}

#[tokio::test]
async fn targets_are_read_in_one_call_each_kind_and_a_missing_one_is_left_out() {
    let targets =
        Target::Resources(BTreeSet::from([arn("db:a"), arn("db:gone"), Arn::parse("arn:aws:sqs:us-east-1:111122223333:q").unwrap()]));
    let (inventory, seen) = run(&targets, |_| instances(&instance("a", "postgres", ""), None)).await;
    assert_eq!(actions(&seen), ["DescribeDBInstances"], "no cluster was asked for");
    let expected = pairs(&[
        ("Filters.Filter.1.Name", "db-instance-id"),
        ("Filters.Filter.1.Values.Value.1", "a"),
        ("Filters.Filter.1.Values.Value.2", "gone"),
        ("MaxRecords", "100"),
    ]);
    assert_eq!(super::fields(&seen[0]), expected);
    assert_eq!(inventory.db_instances.len(), 1);
    assert!(inventory.unlisted.is_empty());

    let targets = Target::Resources(BTreeSet::from([arn("cluster:gone")]));
    let (inventory, seen) = run(&targets, |_| refused(404, "DBClusterNotFoundFault")).await;
    assert_eq!(actions(&seen), ["DescribeDBClusters"]);
    assert!(inventory.db_clusters.is_empty() && inventory.unlisted.is_empty());
}

#[tokio::test]
async fn a_refused_listing_names_the_missing_action_and_keeps_what_the_other_one_saw() {
    let (inventory, _) = run(&Target::Everything, |seen| match action(seen).as_str() {
        "DescribeDBInstances" => refused(403, "AccessDenied"),
        _ => clusters(&cluster("c", "aurora-postgresql", ""), None),
    })
    .await;
    let why = &inventory.unlisted[&Service::Rds];
    assert_eq!((why.class, why.missing_action.as_deref()), (ErrorClass::Denied, Some("rds:DescribeDBInstances")));
    assert_eq!(inventory.db_clusters.len(), 1);

    let (inventory, _) = run(&Target::Everything, |seen| match action(seen).as_str() {
        "DescribeDBInstances" => instances(&instance("a", "postgres", ""), None),
        _ => refused(403, "AccessDenied"),
    })
    .await;
    assert_eq!(inventory.unlisted[&Service::Rds].missing_action.as_deref(), Some("rds:DescribeDBClusters"));
    assert_eq!(inventory.db_instances.len(), 1);
}
