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
