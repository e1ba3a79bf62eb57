//! Clusters: a snapshot restored under the key, its members made anew, and names that move for all of them.

use everseal_planner::rds::migration::report::Stage;
use everseal_sim::World;
use everseal_sim::wire::xml::Element;

use super::rig::{HOUR, Rig, arn, cluster, everything, instance, ok, security_groups, tags};

const MIGRATION: &str = "{ action: cutover, method: snapshot, window: 'Sun 02:00-08:00 UTC', approvedBy: { ledger: Ada }, \
     writes: isolate, isolationSecurityGroup: sg-0c105ed0 }";

/// A cluster of the time before 2026-02-18, when Aurora's storage was not encrypted unless somebody asked.
fn aurora(world: &mut World) {
    let members = [
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
    ok(world, "CreateDBCluster", &members);
    world.leave_unencrypted(&arn("cluster", "ledger"));
}

/// A writer and a reader.
fn populate(world: &mut World) {
    for (member, tier) in [("ledger-1", "0"), ("ledger-2", "5")] {
        let members = [
            ("DBInstanceIdentifier", member),
            ("DBInstanceClass", "db.r6g.large"),
            ("Engine", "aurora-postgresql"),
            ("DBClusterIdentifier", "ledger"),
            ("PromotionTier", tier),
        ];
        ok(world, "CreateDBInstance", &members);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_moves_with_its_members_and_loses_nothing() {
    let mut rig = Rig::without_daemon(MIGRATION, aurora).await;
    rig.with(populate);
    rig.pass(HOUR).await;
    rig.start_daemon();
    rig.write_to(&arn("cluster", "ledger"), Some(15));
    let before = rig.with(|world| cluster(world, "ledger")).unwrap();
    rig.until_stage("ledger", Stage::KeepingOld, HOUR * 12).await;
    rig.pass(HOUR).await;
    assert_eq!(rig.lost(0, &arn("cluster", "ledger")), [""; 0], "{}", rig.story());
    let (new, old) = rig.with(|world| (cluster(world, "ledger").unwrap(), cluster(world, "ledger-old-everseal").unwrap()));
    assert_eq!(new.value("StorageEncryptionType"), Some("sse-kms"));
    assert_eq!(old.value("StorageEncryptionType"), Some("none"));
    assert_eq!(old.value("DbClusterResourceId"), before.value("DbClusterResourceId"));
    assert_eq!(security_groups(&new), security_groups(&before));
    for field in [
        "Engine",
        "EngineVersion",
        "DBClusterParameterGroup",
        "DBSubnetGroup",
        "BackupRetentionPeriod",
        "PreferredBackupWindow",
        "DeletionProtection",
        "CopyTagsToSnapshot",
        "IAMDatabaseAuthenticationEnabled",
        "EnabledCloudwatchLogsExports",
        "Port",
        "DatabaseName",
    ] {
        assert_eq!(new.first(field), before.first(field), "{field}");
    }
    let scaling = |described: &Element| {
        let capacity =
            |member: &str| described.at(&format!("ServerlessV2ScalingConfiguration/{member}")).map(|text| text.parse::<f64>().unwrap());
        (capacity("MinCapacity"), capacity("MaxCapacity"))
    };
    assert_eq!((scaling(&new), scaling(&before)), ((Some(0.5), Some(8.0)), (Some(0.5), Some(8.0))));
    for (name, tier) in [("ledger-1", "0"), ("ledger-2", "5")] {
        let member = rig.with(|world| instance(world, name)).unwrap();
        assert_eq!(member.value("DBClusterIdentifier"), Some("ledger"), "{}", rig.story());
        assert_eq!(member.value("PromotionTier"), Some(tier));
        assert_eq!(member.value("DBInstanceClass"), Some("db.r6g.large"));
    }
    assert!(tags(&new).iter().any(|tag| tag.starts_with("everseal:migration-of=")));
    let left = rig.with(everything);
    let expected = ["ledger", "ledger-1", "ledger-1-old-everseal", "ledger-2", "ledger-2-old-everseal", "ledger-old-everseal"];
    assert_eq!(left.into_iter().collect::<Vec<_>>(), expected, "{}", rig.story());
}
