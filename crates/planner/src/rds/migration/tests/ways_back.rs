//! Out again: abort, failures, crashes, and what is somebody else's.

use std::collections::BTreeMap;

use super::super::observed::{TAG_ABORTED_AT, TAG_NAME, TAG_OF};
use super::super::report::Stage;
use super::super::{abort, resume};
use super::world::{ORDERS_ID, World, isolating, policy};
use crate::plan::change::ParameterGroupKind::Instance;
use crate::plan::context::Past;
use crate::plan::{Change, Context, Gate};
use crate::sim::{Standing, make, standing};
use crate::{Arn, Step};

fn by_hand(world: &World, command: impl FnOnce(&Context<'_>, &Arn) -> Result<Vec<Step>, String>, name: &str) -> Result<Vec<Step>, String> {
    let past = Past::default();
    let cx = Context { policies: &world.policies, inventory: &world.inventory, now: world.now, past: &past };
    command(&cx, &world.inventory.scope.arn("rds", &format!("db:{name}")))
}

fn apply(world: &mut World, steps: Vec<Step>) {
    for step in steps {
        let change: Change = step.change.unwrap();
        if standing(&world.inventory, &step.resource, &change) == Standing::Before {
            make(&mut world.inventory, &step.resource, &change);
            assert_eq!(standing(&world.inventory, &step.resource, &change), Standing::After, "{}", step.summary);
        }
    }
}

/// After every step, and with it from every stage before the swap: everything that was made goes, clients are let in, and
/// after `resume` it ends as if nothing had been.
#[test]
fn abort_leads_out_of_every_stage_and_resume_on_again() {
    let mut whole = World::new(isolating());
    whole.run_to(Stage::KeepingOld);
    let steps = whole.log.iter().position(|line| line.contains("switch orders to its encrypted copy")).unwrap();
    for after in 0..=steps {
        let mut world = World::new(isolating());
        for _ in 0..200 {
            if world.log.len() >= after {
                break;
            }
            world.pass(1);
            world.tick();
        }
        let steps = by_hand(&world, abort, "orders").unwrap();
        assert!(!steps.is_empty() && steps.iter().all(|step| step.gate.is_none()));
        apply(&mut world, steps);
        for _ in 0..10 {
            world.sound();
            world.pass(usize::MAX);
            world.tick();
        }
        assert_eq!(world.stage(), Stage::Aborted, "after {after}");
        let names: Vec<&str> = world.inventory.db_instances.values().map(|db| db.identifier.as_str()).collect();
        assert_eq!(names, ["orders"], "after {after}");
        assert!(world.inventory.migrations.snapshots.known().unwrap().is_empty(), "after {after}");
        assert!(world.connected() && world.open_steps().is_empty(), "after {after}");
        assert!(by_hand(&world, abort, "orders").unwrap().is_empty(), "nothing is left to abort");
        let steps = by_hand(&world, resume, "orders").unwrap();
        apply(&mut world, steps);
        assert!(!world.instance("orders").tags.contains_key(TAG_ABORTED_AT));
        world.to("2026-12-06T00:00:00Z");
        world.run_to(Stage::KeepingOld);
        assert_eq!(world.rows_under(Instance, "orders"), world.written, "after {after}");
    }
}

#[test]
fn it_is_too_late_once_names_are_being_swapped() {
    let mut world = World::new(isolating());
    while !world.log.iter().any(|line| line.contains("switch orders to its")) {
        world.pass(1);
        world.tick();
    }
    let said = by_hand(&world, abort, "orders-old-everseal").unwrap_err();
    assert!(said.contains("rename orders-old-everseal back to orders by hand"), "{said}");
    world.run_to(Stage::KeepingOld);
    for name in ["orders", "orders-old-everseal"] {
        let said = by_hand(&world, abort, name).unwrap_err();
        assert!(said.contains("clients reach the encrypted orders already"), "{said}");
    }
    assert!(by_hand(&world, resume, "nobody").unwrap_err().contains("not a database that is being migrated"));
}

#[test]
fn resume_is_for_what_was_aborted() {
    let world = World::new(isolating());
    assert!(by_hand(&world, resume, "orders").unwrap_err().contains("was not aborted"));
}

#[test]
fn a_copy_that_fails_between_the_renames_gives_the_old_one_its_name_back() {
    let mut world = World::new(isolating());
    while !world.log.iter().any(|line| line.contains("switch orders to its")) {
        world.pass(1);
        world.tick();
    }
    world.tick();
    world.instance("orders-everseal").status = "storage-full".into();
    assert!(world.report().message.contains("gets its name back"));
    world.pass(1);
    assert!(world.instance("orders").resource_id.as_deref() == Some(ORDERS_ID));
    world.tick();
    world.sound();
    // Cut off for a failed copy: clients are let in.
    world.run(3, usize::MAX);
    assert!(world.connected(), "{}", world.log.join("\n"));
    assert_eq!(world.stage(), Stage::Stuck);
}

#[test]
fn failures_of_aws_are_said_with_the_way_back() {
    let mut world = World::new(policy("{action: prepare, method: snapshot}"));
    world.pass(1);
    let fail = |world: &mut World, status: &str| {
        if let crate::inventory::Reading::Known(all) = &mut world.inventory.migrations.snapshots {
            for snapshot in all.values_mut() {
                snapshot.status = status.to_owned();
            }
        }
    };
    fail(&mut world, "failed");
    assert_eq!(world.stage(), Stage::Stuck);
    assert!(world.stop().1.contains("orders-everseal-rehearsal has failed") && world.stop().1.contains("migrations abort orders"));
    fail(&mut world, "creating");
    assert_eq!(world.stage(), Stage::Snapshotting);
    assert_eq!(world.report().times_out_at, Some(world.now + 36 * 3_600));
    world.now += 36 * 3_600;
    assert_eq!(world.stage(), Stage::Stuck, "a stage has its time");
    assert!(world.stop().1.contains("counts as stuck"), "{}", world.stop().1);
    world.run_to_failed_copy();
}

impl World {
    fn run_to_failed_copy(&mut self) {
        self.run_to(Stage::Restoring);
        self.pass(1);
        self.instance("orders-everseal").status = "incompatible-parameters".into();
        assert_eq!(self.stage(), Stage::Stuck);
        assert!(self.stop().1.contains("incompatible-parameters"));
    }
}

/// A person's snapshot of a migrated database bears its tags (`CopyTagsToSnapshot`), and so may a restored database.
#[test]
fn what_only_bears_our_tags_is_never_touched() {
    let mut world = World::new(isolating());
    world.run_to(Stage::Prepared);
    let tags = BTreeMap::from([(TAG_OF.to_owned(), ORDERS_ID.to_owned()), (TAG_NAME.to_owned(), "orders".to_owned())]);
    let mut foreign = world.instance("orders").clone();
    foreign.identifier = "orders-test".into();
    foreign.arn = world.inventory.scope.arn("rds", "db:orders-test");
    foreign.resource_id = Some("db-TEST".into());
    foreign.tags.extend(tags);
    (foreign.storage.storage_encrypted, foreign.storage.storage_encryption_type) = (true, None);
    world.inventory.db_instances.insert(foreign.arn.clone(), foreign.clone());
    let crate::inventory::Reading::Known(all) = &mut world.inventory.migrations.snapshots else { panic!() };
    let mut by_person = all.values().next().unwrap().clone();
    by_person.identifier = "orders-before-upgrade".into();
    by_person.arn = foreign.arn.clone();
    all.insert(by_person.arn.clone(), by_person.clone());
    let steps = by_hand(&world, abort, "orders").unwrap();
    apply(&mut world, steps);
    world.run(10, usize::MAX);
    let snapshots = world.inventory.migrations.snapshots.known().unwrap();
    assert_eq!(snapshots.values().map(|snapshot| snapshot.identifier.as_str()).collect::<Vec<_>>(), ["orders-before-upgrade"]);
    assert!(world.inventory.db_instances.contains_key(&foreign.arn));
}

#[test]
fn a_name_that_is_taken_is_somebody_elses() {
    let mut world = World::new(policy("{action: prepare, method: snapshot}"));
    let mut foreign = world.instance("orders").clone();
    foreign.identifier = "orders-everseal".into();
    foreign.arn = world.inventory.scope.arn("rds", "db:orders-everseal");
    foreign.resource_id = Some("db-FOREIGN".into());
    (foreign.storage.storage_encrypted, foreign.storage.storage_encryption_type) = (true, None);
    world.inventory.db_instances.insert(foreign.arn.clone(), foreign);
    world.run(10, usize::MAX);
    assert_eq!(world.stage(), Stage::Stuck);
    assert!(world.stop().1.contains("orders-everseal exists and is not this migration's"));
}

#[test]
fn a_policy_that_changes_its_mind_lets_clients_in_first() {
    let cut_off = || {
        let mut world = World::new(isolating());
        while !world.is_isolated() {
            world.pass(usize::MAX);
            world.tick();
        }
        world
    };
    for (other, stage) in [
        ("{action: prepare, method: snapshot}", Stage::Prepared),
        ("{action: report}", Stage::Planned),
        (
            "{action: cutover, method: snapshot, window: 'Sun 02:00-08:00 UTC', writes: isolate, isolationSecurityGroup: sg-0a1b2c3d}",
            Stage::Prepared,
        ),
    ] {
        let mut world = cut_off();
        world.policies = policy(other);
        assert!(world.open_steps().iter().any(|step| step.summary.contains("let the clients")), "{other}");
        world.run(12, usize::MAX);
        assert!(!world.is_isolated() && world.connected(), "{other}");
        assert_eq!(world.stage(), stage, "{other}");
    }
    let mut world = cut_off();
    world.policies = crate::fixtures::policies("rds: [{name: r, atRest: {encrypted: true, key: alias/finance}}]");
    world.run(2, usize::MAX);
    assert!(world.connected(), "a rule that does not migrate any more");
    let mut world = cut_off();
    world.policies =
        crate::fixtures::policies("rds: [{name: r, match: {names: [reports]}, atRest: {encrypted: true, key: alias/finance}}]");
    assert!(world.open_steps().is_empty(), "no rule: nothing is done");
    assert!(world.report().message.contains("Its clients are cut off!"));
    let steps = by_hand(&world, abort, "orders").unwrap();
    apply(&mut world, steps);
    assert!(world.connected());
}

/// Let in half-way: the tags are still there, the window is open.
#[test]
fn an_isolation_that_was_given_up_is_not_taken_for_one_that_begins() {
    let mut world = World::new(isolating());
    world.lingering = u32::MAX;
    while !world.is_isolated() {
        world.pass(usize::MAX);
        world.tick();
    }
    for _ in 0..20 {
        world.pass(1);
        world.tick();
    }
    assert!(!world.is_isolated(), "{}", world.log.join("\n"));
    assert_eq!(world.log.iter().filter(|line| line.contains("cut database orders off")).count(), 1, "{}", world.log.join("\n"));
    assert_eq!(world.stop().0, Gate::Writes);
}

#[test]
fn proxies_and_subscriptions_that_followed_the_old_one_are_brought_after() {
    let mut world = World::new(isolating());
    while !world.log.iter().any(|line| line.contains("switch orders to its")) {
        world.pass(1);
        world.tick();
    }
    world.tick();
    let around = world.inventory.scope.arn("rds", "db:orders-old-everseal");
    let around = world.inventory.migrations.databases.get_mut(&around).unwrap();
    let target = super::super::observed::ProxyTarget { proxy: "pool".into(), target_group: "default".into() };
    around.proxies = crate::inventory::Reading::Known(vec![target]);
    around.event_subscriptions = crate::inventory::Reading::Known(["dba".to_owned()].into());
    world.run_to(Stage::KeepingOld);
    assert_eq!((world.made("RegisterDBProxyTargets"), world.made("AddSourceIdentifierToSubscription")), (1, 1), "{}", world.log.join("\n"));
}
