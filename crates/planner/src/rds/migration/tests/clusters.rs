//! Clusters: restored with the key, members created anew, names of cluster and members swapped.

use serde_json::{Value, json};

use super::super::observed::TAG_NAME;
use super::super::report::{Stage, Way};
use super::world::{World, database, facts, policy};
use crate::plan::change::ParameterGroupKind::Cluster;

const ISOLATE: &str = "{action: cutover, method: snapshot, window: 'daily 00:00-24:00 UTC', approvedBy: {ledger: Ada}, writes: isolate, isolationSecurityGroup: sg-0a1b2c3d, oldAfterwards: delete}";

fn ledger(engine: &str) -> Value {
    let arn = "arn:aws:rds:us-east-1:111122223333:cluster:ledger";
    json!({ arn: {"arn": arn, "identifier": "ledger", "engine": engine, "engineVersion": "8.0.35", "status": "available",
        "storageEncrypted": false, "storageEncryptionType": "none", "parameterGroup": "own", "resourceId": "cluster-LEDGER", "createdAt": 1_700_000_000,
        "members": [{"instance": "ledger-1", "writer": false, "parameterGroupStatus": "in-sync"}, {"instance": "ledger-2", "writer": true, "parameterGroupStatus": "in-sync"}],
        "tags": {"team": "red"},
        "settings": {"dbClusterParameterGroup": "own", "vpcSecurityGroups": ["sg-app"], "dbSubnetGroup": "private", "port": 3306,
            "backupRetentionPeriod": 7, "deletionProtection": true, "associatedRoles": {"": "arn:aws:iam::111122223333:role/import"}}} })
}

fn world(engine: &str, policies: crate::PolicySet) -> World {
    let mut members = serde_json::Map::new();
    for (name, tier) in [("ledger-1", 1), ("ledger-2", 0)] {
        let overlay = json!({"engine": engine, "engineVersion": "8.0.35", "cluster": "ledger",
            "settings": {"dbInstanceClass": "db.r6g.large", "dbParameterGroup": "own", "promotionTier": tier}});
        members.extend(database(name, &format!("db-{name}"), &overlay).as_object().unwrap().clone());
    }
    let more = json!({"dbInstances": members, "dbClusters": ledger(engine), "migrations": facts()});
    let mut world = World::of(policies, &more);
    world.name = "ledger";
    world.observe();
    world
}

#[test]
fn an_aurora_cluster_moves_with_its_members_and_loses_no_row() {
    let mut world = world("aurora-mysql", policy(ISOLATE));
    assert_eq!(world.report().way, Way::ClusterRestore);
    world.run_to(Stage::KeepingOld);
    assert_eq!(world.rows_under(Cluster, "ledger"), world.written, "{}", world.log.join("\n"));
    let all: Vec<(&str, bool)> =
        world.inventory.db_clusters.values().map(|db| (db.identifier.as_str(), db.storage.storage_encrypted)).collect();
    assert_eq!(all, [("ledger", true), ("ledger-old-everseal", false)]);
    for (name, tier) in [("ledger-1", 1), ("ledger-2", 0)] {
        let member = world.instance(name).clone();
        assert_eq!((member.cluster.as_deref(), member.settings.unwrap().promotion_tier), (Some("ledger"), Some(tier)), "{name}");
        assert_eq!(world.instance(&format!("{name}-old-everseal")).cluster.as_deref(), Some("ledger-old-everseal"));
        assert_eq!(world.instance(name).tags[TAG_NAME], name);
    }
    let writer = world.log.iter().position(|line| line.starts_with("CreateDBInstance create ledger-2-everseal")).unwrap();
    let reader = world.log.iter().position(|line| line.starts_with("CreateDBInstance create ledger-1-everseal")).unwrap();
    assert!(writer < reader, "the first member becomes the writer");
    assert_eq!(world.made("CopyDBSnapshot"), 0, "a cluster snapshot is restored with the key");
    let settings = world.inventory.db_clusters.values().next().unwrap().settings.clone().unwrap();
    assert!(settings.deletion_protection && !settings.vpc_security_groups.contains(super::world::ISOLATION));
}

#[test]
fn cut_after_any_step_a_cluster_gets_there_too() {
    let mut whole = world("aurora-mysql", policy(ISOLATE));
    whole.run_to(Stage::KeepingOld);
    for dies_after in 0..whole.log.len() {
        let mut world = world("aurora-mysql", policy(ISOLATE));
        let mut dead = 0;
        for _ in 0..400 {
            let before = world.log.len();
            if dead > 0 {
                dead -= 1;
            } else {
                world.pass(1);
                dead = if before <= dies_after && world.log.len() > dies_after { 3 } else { 0 };
            }
            world.tick();
            if world.stage() == Stage::KeepingOld {
                break;
            }
        }
        assert_eq!(world.stage(), Stage::KeepingOld, "after {dies_after}: {}", world.log.join("\n"));
        assert_eq!(world.rows_under(Cluster, "ledger"), world.written, "after {dies_after}");
        assert!(world.inventory.db_instances.values().any(|db| db.identifier == "ledger-1" && db.cluster.as_deref() == Some("ledger")));
    }
}

#[test]
fn the_old_cluster_goes_with_its_members_and_a_last_snapshot() {
    let mut world = world("aurora-mysql", policy(ISOLATE));
    world.run_to(Stage::KeepingOld);
    world.now += 8 * 86_400;
    world.observe();
    world.run(20, usize::MAX);
    let names: Vec<&str> = world.inventory.db_instances.values().map(|db| db.identifier.as_str()).collect();
    assert_eq!((world.inventory.db_clusters.len(), names), (1, vec!["ledger-1", "ledger-2"]));
    let last: Vec<&String> = world.log.iter().filter(|line| line.starts_with("DeleteDBCluster delete the replaced")).collect();
    assert_eq!(last.len(), 1);
    assert!(last[0].contains("ledger-everseal-final"));
}

#[test]
fn a_multi_az_cluster_brings_its_own_members() {
    let mut world = world("mysql", policy("{action: prepare}"));
    assert_eq!(world.report().way, Way::ClusterRestore, "Multi-AZ clusters have no blue/green deployments");
    world.run(20, usize::MAX);
    assert_eq!((world.stage(), world.made("CreateDBInstance")), (Stage::Prepared, 0), "{}", world.log.join("\n"));
}
