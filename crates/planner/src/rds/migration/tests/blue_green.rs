//! The way by a blue/green deployment.

use serde_json::json;

use super::super::abort;
use super::super::blue_green::refusal;
use super::super::change::MigrationChange;
use super::super::family::Db;
use super::super::observed::{TAG_BLUE_GREEN_REFUSED, TAG_OF, TAG_REPLACED_AT};
use super::super::report::{Stage, Way};
use super::world::{ORDERS_ID, World, database, facts, policy};
use crate::inventory::Reading;
use crate::plan::change::ParameterGroupKind::Instance;
use crate::plan::context::Past;
use crate::plan::{Change, Context, Gate, Risk};

const CUT_OVER: &str = "{action: cutover, window: 'Sun 02:00-08:00 UTC', approvedBy: {orders: Ada}}";

#[test]
fn engines_and_versions_are_those_of_the_guide() {
    for (engine, version, allowed) in [
        ("postgres", "14.9", true),
        ("postgres", "11.1", true),
        ("postgres", "10.23", false),
        ("mysql", "5.7.44", true),
        ("mysql", "8.4.3", true),
        ("mysql", "5.6.51", false),
        ("mariadb", "10.2.1", true),
        ("mariadb", "10.1.48", false),
        ("mariadb", "11.8.2", true),
        ("oracle-ee", "19.0", false),
        ("sqlserver-se", "16.00", false),
        ("db2-se", "11.5", false),
    ] {
        let mut world = World::of(
            policy(CUT_OVER),
            &json!({"dbInstances": database("orders", ORDERS_ID, &json!({"engine": engine, "engineVersion": version})), "migrations": facts()}),
        );
        let found = refusal(&Db::of_instance(world.instance("orders")));
        assert_eq!(found.is_none(), allowed, "{engine} {version}: {found:?}");
        assert_eq!(world.report().way, if allowed { Way::BlueGreen } else { Way::Snapshot }, "{engine} {version}");
    }
    let cluster = |engine: &str, version: &str| {
        json!({"arn": "arn:aws:rds:us-east-1:111122223333:cluster:ledger", "identifier": "ledger", "engine": engine, "engineVersion": version,
            "status": "available", "parameterGroup": "own", "resourceId": "cluster-LEDGER", "settings": {"backupRetentionPeriod": 7}})
    };
    for (engine, version, allowed) in [
        ("aurora-mysql", "5.7.mysql_aurora.2.11.3", true),
        ("aurora-postgresql", "15.4", true),
        ("aurora-postgresql", "15.3", false),
        ("aurora-postgresql", "11.21", true),
        ("aurora-postgresql", "17.3", false),
        ("aurora-postgresql", "18.1", true),
        ("postgres", "15.4", false),
        ("mysql", "8.0.35", false),
    ] {
        let cluster: crate::inventory::DbCluster = serde_json::from_value(cluster(engine, version)).unwrap();
        assert_eq!(refusal(&Db::of_cluster(&cluster)).is_none(), allowed, "cluster of {engine} {version}");
    }
}

#[test]
fn what_a_deployment_does_not_support_goes_by_snapshot_or_is_said() {
    for (setting, value, words) in
        [("manageMasterUserPassword", json!(true), "Secrets Manager"), ("backupRetentionPeriod", json!(0), "automated backups")]
    {
        let mut settings = super::world::settings();
        settings[setting] = value;
        let more = json!({"dbInstances": database("orders", ORDERS_ID, &json!({"settings": settings})), "migrations": facts()});
        assert_eq!(World::of(policy(CUT_OVER), &more).report().way, Way::Snapshot);
        let world = World::of(policy("{action: prepare, method: blueGreen}"), &more);
        assert_eq!(world.stop().0, Gate::Manual);
        assert!(world.stop().1.contains(words) && world.stop().1.contains("method: snapshot"), "{}", world.stop().1);
    }
}

#[test]
fn a_deployment_is_built_verified_and_switched_in_the_window() {
    let mut world = World::new(policy(CUT_OVER));
    let step = world.open_steps().remove(0);
    let Some(Change::Migration(change)) = &step.change else { panic!() };
    let MigrationChange::CreateBlueGreen { name, source, encrypt, key, tags, note_refusal } = &**change else { panic!("{change:?}") };
    assert_eq!((name.as_str(), encrypt.as_slice()), ("orders-everseal", std::slice::from_ref(source)));
    assert_eq!((key.as_str(), tags[TAG_OF].as_str()), (crate::fixtures::KEY, ORDERS_ID));
    // Under `auto` the next pass must be able to tell that AWS refused.
    assert_eq!(note_refusal.keys().collect::<Vec<_>>(), [super::super::observed::TAG_BLUE_GREEN_REFUSED]);
    assert_eq!(step.risk, Risk::None);
    world.run(4, usize::MAX);
    assert_eq!((world.stage(), world.stop().0), (Stage::Prepared, Gate::Window));
    world.sound();
    world.to("2026-11-29T02:00:00Z");
    world.run_to(Stage::KeepingOld);
    assert_eq!(world.rows_under(Instance, "orders"), world.written, "AWS replicates: no row is lost");
    let (new, old) = (world.instance("orders").clone(), world.instance("orders-old1").clone());
    assert!(new.storage.storage_encrypted && new.settings.unwrap().deletion_protection);
    assert!(old.tags.contains_key(TAG_REPLACED_AT) && new.tags[TAG_OF] == ORDERS_ID);
    world.run(3, usize::MAX);
    assert!(world.inventory.migrations.blue_green_deployments.known().unwrap().is_empty(), "its deployment has done its work");
    assert_eq!(world.stage(), Stage::KeepingOld);
    assert!(world.log.iter().all(|line| !line.contains("cut ") && !line.starts_with("CreateDBSnapshot")), "{}", world.log.join("\n"));
}

#[test]
fn without_approval_green_only_waits() {
    let mut world = World::new(policy("{action: cutover, window: 'daily 00:00-24:00 UTC'}"));
    world.run(10, usize::MAX);
    assert_eq!((world.stage(), world.stop().0), (Stage::Prepared, Gate::Approval));
    world.policies = policy("{action: prepare}");
    assert!(world.open_steps().is_empty());
    assert_eq!(world.stage(), Stage::Prepared);
}

#[test]
fn each_replica_is_an_entry() {
    let mut settings = super::world::settings();
    settings["readReplicas"] = json!(["orders-r1"]);
    let world = World::of(
        policy(CUT_OVER),
        &json!({"dbInstances": database("orders", ORDERS_ID, &json!({"settings": settings})), "migrations": facts()}),
    );
    let steps = world.open_steps();
    let Some(Change::Migration(change)) = &steps[0].change else { panic!() };
    let MigrationChange::CreateBlueGreen { encrypt, .. } = &**change else { panic!() };
    assert_eq!(encrypt.len(), 2);
    assert!(encrypt[1].ends_with(":db:orders-r1"));
}

fn set_status(world: &mut World, status: &str) {
    if let Reading::Known(all) = &mut world.inventory.migrations.blue_green_deployments {
        for deployment in all.values_mut() {
            deployment.status = status.to_owned();
            deployment.status_details = Some("the source has no logical replication".into());
        }
    }
}

#[test]
fn a_refused_deployment_is_noted_and_the_database_goes_by_snapshot() {
    for status in ["INVALID_CONFIGURATION", "PROVISIONING_FAILED"] {
        let mut world = World::new(policy("{action: prepare}"));
        world.pass(1);
        set_status(&mut world, status);
        assert!(world.report().message.contains("no logical replication"));
        world.run(30, usize::MAX);
        assert!(world.instance("orders").tags.contains_key(TAG_BLUE_GREEN_REFUSED));
        assert!(world.inventory.migrations.blue_green_deployments.known().unwrap().is_empty(), "it is removed");
        assert_eq!((world.stage(), world.report().way), (Stage::Prepared, Way::Snapshot), "{}", world.log.join("\n"));
        let mut strict = World::new(policy("{action: prepare, method: blueGreen}"));
        strict.pass(1);
        set_status(&mut strict, status);
        assert_eq!(strict.stage(), Stage::Stuck, "asked for by name: a person decides");
    }
}

#[test]
fn a_failed_switchover_is_a_persons() {
    let mut world = World::new(policy(CUT_OVER));
    world.run(4, usize::MAX);
    set_status(&mut world, "SWITCHOVER_FAILED");
    assert_eq!(world.stage(), Stage::Stuck);
    assert!(world.stop().1.contains("migrations abort orders"));
}

#[test]
fn a_green_side_that_is_open_or_not_alike_is_not_switched_to() {
    let mut world = World::new(policy(CUT_OVER));
    world.run(4, usize::MAX);
    world.to("2026-11-29T02:00:00Z");
    world.instance("orders-green-abc123").settings.as_deref_mut().unwrap().multi_az = false;
    assert_eq!(world.stop().0, Gate::Manual);
    assert!(world.stop().1.contains("multiAz: on on the old database, off on the copy"), "{}", world.stop().1);
    let settings = world.instance("orders-green-abc123").settings.take();
    assert_eq!(world.stop().0, Gate::Unread, "what was not read can't be compared");
    world.instance("orders-green-abc123").settings = settings;
    world.instance("orders-green-abc123").storage = crate::rds::observed::StorageEncryption::default();
    assert_eq!(world.stage(), Stage::Stuck);
    assert!(world.open_steps().is_empty());
}

#[test]
fn somebody_elses_deployment_is_left_alone() {
    let mut world = World::new(policy(CUT_OVER));
    world.pass(1);
    if let Reading::Known(all) = &mut world.inventory.migrations.blue_green_deployments {
        for deployment in all.values_mut() {
            deployment.tags.clear();
        }
    }
    assert!(world.open_steps().is_empty());
    assert!(world.stop().1.contains("somebody else's blue/green deployment"), "{}", world.stop().1);
}

#[test]
fn abort_removes_the_green_side() {
    let mut world = World::new(policy(CUT_OVER));
    world.run(4, usize::MAX);
    let past = Past::default();
    let arn = world.inventory.scope.arn("rds", "db:orders");
    let steps = abort(&Context { policies: &world.policies, inventory: &world.inventory, now: world.now, past: &past }, &arn).unwrap();
    let deleted = steps.iter().filter_map(|step| match &step.change {
        Some(Change::Migration(change)) => Some(&**change),
        _ => None,
    });
    assert!(deleted.into_iter().any(|change| matches!(change, MigrationChange::DeleteBlueGreen { delete_target: true, .. })));
}
