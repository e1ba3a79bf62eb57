//! The way by snapshot, copy and restore.

use super::super::observed::{TAG_LET_IN_AT, TAG_NAME, TAG_OF, TAG_REPLACED_AT, TAG_SECURITY_GROUPS};
use super::super::report::{Stage, Way};
use super::world::{ORDERS_ID, World, isolating, policy};
use crate::plan::Gate;
use crate::plan::change::ParameterGroupKind::Instance;

#[test]
fn prepare_builds_and_verifies_a_copy_and_stops_there() {
    let mut world = World::new(policy("{action: prepare, method: snapshot}"));
    assert_eq!((world.stage(), world.report().way), (Stage::Planned, Way::Snapshot));
    world.run(30, usize::MAX);
    assert_eq!(world.stage(), Stage::Prepared);
    assert!(world.open_steps().is_empty(), "it stops there");
    let lines: Vec<&str> = world.log.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        lines,
        ["CreateDBSnapshot", "CopyDBSnapshot", "RestoreDBInstanceFromDBSnapshot", "AddRoleToDBInstance", "ModifyDBInstance"],
        "{}",
        world.log.join("\n")
    );
    let old = world.instance("orders").settings.clone().unwrap();
    let copy = world.instance("orders-everseal").clone();
    let settings = copy.settings.unwrap();
    assert_eq!((settings.monitoring_interval, settings.max_allocated_storage), (60, Some(500)), "what a restore loses is set");
    assert_eq!((settings.associated_roles, settings.vpc_security_groups), (old.associated_roles, old.vpc_security_groups));
    assert!(copy.storage.storage_encrypted);
    assert_eq!((copy.tags[TAG_OF].as_str(), copy.tags[TAG_NAME].as_str(), copy.tags["team"].as_str()), (ORDERS_ID, "orders", "red"));
    assert!(world.connected(), "nobody was cut off");
}

/// By isolation, with clients that never stop by themselves.
fn switched(world: &mut World) {
    world.run_to(Stage::KeepingOld);
    assert_eq!(world.rows_under(Instance, "orders"), world.written, "no row is lost: {}", world.log.join("\n"));
    let new = world.instance("orders").clone();
    assert!(new.storage.storage_encrypted && new.settings.as_ref().unwrap().deletion_protection);
    assert!(!new.settings.unwrap().vpc_security_groups.contains(super::world::ISOLATION), "clients reach it");
    let old = world.instance("orders-old-everseal").clone();
    assert_eq!(old.resource_id.as_deref(), Some(ORDERS_ID));
    assert!(old.tags.contains_key(TAG_REPLACED_AT));
}

#[test]
fn a_switch_by_isolation_loses_no_row() {
    let mut world = World::new(isolating());
    switched(&mut world);
    let order: Vec<&str> = world.log.iter().map(|line| line.split(' ').next().unwrap()).collect();
    let first = |action: &str| order.iter().position(|made| *made == action).unwrap();
    let isolated = world.log.iter().position(|line| line.contains("cut database orders off")).unwrap();
    assert!(first("RestoreDBInstanceFromDBSnapshot") < isolated, "a copy was rehearsed before anybody was cut off");
    let renamed = world.log.iter().position(|line| line.contains("switch orders to its encrypted copy (approved by Ada)")).unwrap();
    let fresh = world.log.iter().position(|line| line.contains("nobody has written to since")).unwrap();
    assert!(isolated < fresh && fresh < renamed, "{}", world.log.join("\n"));
    assert!(world.log.iter().any(|line| line.starts_with("DeleteDBInstance") && line.contains("orders-everseal")), "the rehearsal goes");
    let written = world.written;
    world.run(3, usize::MAX);
    assert!(world.written > written, "clients write on");
}

#[test]
fn clients_are_cut_off_in_the_window_only() {
    let mut world = World::new(isolating());
    for _ in 0..500 {
        world.pass(usize::MAX);
        if world.is_isolated() {
            let hour = world.now.rem_euclid(86_400) / 3_600;
            assert!((2..8).contains(&hour), "{hour}");
        }
        world.tick();
        world.sound();
    }
    assert_eq!(world.stage(), Stage::KeepingOld);
}

/// The daemon dies after any step, for a moment or for hours (the window closes meanwhile): the end is the same.
#[test]
fn whatever_the_step_after_which_it_dies_the_end_is_the_same() {
    let mut whole = World::new(isolating());
    whole.run_to(Stage::KeepingOld);
    let steps = whole.log.len();
    for silent in [0, 1, 30] {
        for dies_after in 0..steps {
            let mut world = World::new(isolating());
            let mut dead = 0;
            for _ in 0..3_000 {
                if dead > 0 {
                    dead -= 1;
                } else {
                    let before = world.log.len();
                    world.pass(1);
                    if before <= dies_after && world.log.len() > dies_after {
                        dead = silent;
                    }
                }
                world.tick();
                if world.stage() == Stage::KeepingOld && world.open_steps().is_empty() {
                    break;
                }
            }
            switched(&mut world);
            assert!(!world.is_isolated(), "silent {silent}, after {dies_after}");
        }
    }
}

#[test]
fn lingering_sessions_hold_the_snapshot_back() {
    let mut world = World::new(isolating());
    world.lingering = 3;
    switched(&mut world);
}

#[test]
fn sessions_that_never_end_let_everybody_in_again_until_the_next_window() {
    let mut world = World::new(isolating());
    world.lingering = u32::MAX;
    while !world.is_isolated() {
        world.pass(usize::MAX);
        world.tick();
    }
    for _ in 0..10 {
        world.pass(usize::MAX);
        world.tick();
    }
    assert!(!world.is_isolated(), "{}", world.log.join("\n"));
    assert!(!world.instance("orders").tags.contains_key(TAG_SECURITY_GROUPS));
    assert!(world.instance("orders").tags.contains_key(TAG_LET_IN_AT));
    assert_eq!(world.made("CreateDBSnapshot"), 1, "nothing was taken but the rehearsal");
    let (gate, reason) = world.stop();
    assert_eq!(gate, Gate::Writes, "{reason}");
    assert!(reason.contains("let in again") && reason.contains("next window"), "{reason}");
    world.lingering = 0;
    world.to("2026-12-06T02:10:00Z");
    switched(&mut world);
}

#[test]
fn a_window_that_closes_lets_everybody_in_again_and_nothing_is_lost() {
    let mut world = World::new(isolating());
    world.run_to(Stage::Prepared);
    world.to("2026-11-29T02:10:00Z");
    world.run_to(Stage::Snapshotting);
    assert!(world.is_isolated());
    world.slowness = 60;
    for _ in 0..60 {
        world.pass(usize::MAX);
        world.tick();
    }
    assert!(!world.is_isolated() && world.connected());
    assert!(world.instance("orders").storage.storage_encryption_type.as_deref() == Some("none"), "the old one has its name");
    world.slowness = 1;
    world.run(20, usize::MAX);
    world.to("2026-12-06T02:10:00Z");
    switched(&mut world);
}

#[test]
fn a_window_that_is_shorter_than_the_rehearsal_took_cuts_nobody_off() {
    let mut world = World::new(isolating());
    world.slowness = 20;
    world.run_to(Stage::Prepared);
    world.slowness = 1;
    world.to("2026-12-06T02:10:00Z");
    world.tick();
    assert_eq!(world.stop().0, Gate::Window);
    assert!(world.stop().1.contains("longer window"), "{:?}", world.stop());
    assert!(!world.is_isolated());
}

#[test]
fn the_old_database_goes_with_the_policys_word_and_after_its_time_only() {
    let deleting = "{action: cutover, method: snapshot, window: 'daily 00:00-24:00 UTC', approvedBy: {orders: Ada}, writes: isolate, isolationSecurityGroup: sg-0a1b2c3d, keepOldFor: 7d, oldAfterwards: delete}";
    let mut world = World::new(policy(deleting));
    switched(&mut world);
    let replaced = world.now;
    while world.made("DeleteDBInstance delete the replaced") == 0 {
        world.pass(usize::MAX);
        world.tick();
        assert!(world.now < replaced + 9 * 86_400);
    }
    assert!(world.now >= replaced + 7 * 86_400 - 2 * super::world::TICK, "kept for seven days");
    assert_eq!(
        world.made("DeleteDBInstance delete the replaced database orders-old-everseal, with a last snapshot orders-everseal-final"),
        1
    );
    world.run(5, usize::MAX);
    let names: Vec<&str> = world.inventory.db_instances.values().map(|db| db.identifier.as_str()).collect();
    assert_eq!(names, ["orders"]);
    assert!(world.inventory.migrations.snapshots.known().unwrap().is_empty(), "our snapshots are gone");
    assert!(world.plan().migrations.is_empty() && !world.instance("orders").tags.contains_key(TAG_OF), "nothing is left");
    world.sound();
}

#[test]
fn without_the_word_the_old_database_stays() {
    let mut world = World::new(isolating());
    switched(&mut world);
    world.to("2027-06-01T00:00:00Z");
    world.run(10, usize::MAX);
    assert!(world.instance("orders-old-everseal").tags.contains_key(TAG_REPLACED_AT));
    assert!(world.open_steps().is_empty());
    assert_eq!(world.stop().0, Gate::Manual);
}

#[test]
fn two_daemons_propose_the_same_names() {
    let mut one = World::new(isolating());
    for _ in 0..40 {
        let mut two = one.clone();
        two.now += 7;
        let summaries = |world: &World| world.open_steps().into_iter().map(|step| (step.id, step.summary)).collect::<Vec<_>>();
        assert_eq!(summaries(&one), summaries(&two));
        one.pass(usize::MAX);
        one.tick();
    }
}
