//! What stops a migration, and in which words.

use serde_json::{Value, json};

use super::super::report::Stage;
use super::world::{START, World, database, facts, isolating, policy};
use crate::fixtures::denied;
use crate::inventory::Reading;
use crate::plan::change::ParameterGroupKind::Instance;
use crate::plan::{Change, Gate};
use crate::policy::window::moment;
use crate::{Arn, Check};

const STOPPED_AT: &str = "2026-11-29T01:30:00Z";

fn by_operator(more: &str) -> crate::PolicySet {
    policy(&format!(
        "{{action: cutover, method: snapshot, window: 'Sun 02:00-08:00 UTC', approvedBy: {{orders: Ada}}, writes: stopped-by-operator{more}}}"
    ))
}

fn stopped_at(moment: &str) -> crate::PolicySet {
    by_operator(&format!(", writesStoppedAt: {{orders: '{moment}'}}"))
}

fn one(overlay: &Value, more: &Value) -> Value {
    let mut all = json!({"dbInstances": database("orders", "db-ORDERS", overlay), "migrations": facts()});
    for (field, value) in more.as_object().unwrap() {
        all[field] = value.clone();
    }
    all
}

fn stops(world: &World, gate: Gate, words: &str) {
    world.sound();
    let (found, reason) = world.stop();
    assert_eq!(found, gate, "{reason}");
    assert!(reason.contains(words), "{reason}");
    assert!(world.open_steps().is_empty(), "{:?}", world.open_steps());
    let report = world.report();
    if gate != Gate::NotReady {
        assert!(report.blocked.as_deref().is_some_and(|blocked| blocked.contains(words)), "{report:?}");
    }
}

#[test]
fn what_nobody_approved_is_prepared_only() {
    let mut world = World::new(policy(
        "{action: cutover, method: snapshot, window: 'daily 00:00-24:00 UTC', approvedBy: {reports: Ada}, writes: isolate, isolationSecurityGroup: sg-0a1b2c3d}",
    ));
    world.run_to(Stage::Prepared);
    world.run(20, usize::MAX);
    stops(&world, Gate::Approval, "approvedBy: { orders: … }");
    assert!(world.connected());
}

#[test]
fn the_window_says_when_it_opens_and_the_daemon_wakes_then() {
    let mut world = World::new(isolating());
    world.run_to(Stage::Prepared);
    assert!(world.now < moment("2026-11-29T02:00:00Z").unwrap());
    stops(&world, Gate::Window, "opens at 2026-11-29T02:00:00Z");
    assert_eq!(world.report().wakes_at, moment("2026-11-29T02:00:00Z").ok());
}

#[test]
fn who_stops_the_writes_must_be_said() {
    let mut world = World::new(policy("{action: cutover, window: 'daily 00:00-24:00 UTC', approvedBy: {orders: Ada}, method: snapshot}"));
    world.run_to(Stage::Prepared);
    stops(&world, Gate::Writes, "writes: stopped-by-operator");
    world.policies = by_operator("");
    stops(&world, Gate::Writes, "writesStoppedAt: { orders: … }");
    world.policies = stopped_at("2026-11-29T07:00:00Z");
    stops(&world, Gate::Writes, "stop at 2026-11-29T07:00:00Z");
    assert_eq!(world.report().wakes_at, moment("2026-11-29T02:00:00Z").ok(), "whatever comes first");
}

#[test]
fn an_operator_who_stopped_the_writes_is_believed_only_with_cloudwatch() {
    let mut world = World::new(stopped_at(STOPPED_AT));
    world.run_to(Stage::Prepared);
    while world.now < moment("2026-11-29T02:20:00Z").unwrap() {
        world.pass(usize::MAX);
        world.tick();
    }
    stops(&world, Gate::Writes, "connected to until");
    assert!(world.stop().1.contains("(5 now)"), "{}", world.stop().1);
    world.clients = false;
    world.run(20, usize::MAX);
    stops(&world, Gate::Writes, "Stop every client, then say since when");
    // The person looks, and says the right moment.
    world.policies = stopped_at("2026-11-29T02:30:00Z");
    world.run_to(Stage::KeepingOld);
    assert_eq!(world.rows_under(Instance, "orders"), world.written);
}

#[test]
fn data_is_taken_before_the_window_opens_and_names_are_swapped_in_it() {
    let mut world = World::new(stopped_at(START));
    world.clients = false;
    world.policies = stopped_at("2026-11-29T00:20:00Z");
    world.run(11, usize::MAX);
    assert!(world.now < moment("2026-11-29T02:00:00Z").unwrap());
    assert!(world.log.iter().any(|line| line.contains("nobody has written to since 2026-11-29T00:20:00Z")), "{}", world.log.join("\n"));
    stops(&world, Gate::Window, "opens at 2026-11-29T02:00:00Z");
    world.to("2026-11-29T02:00:00Z");
    world.pass(1);
    assert_eq!(world.stage(), Stage::Switching);
}

#[test]
fn a_client_that_comes_back_before_the_swap_stops_it() {
    let mut world = World::new(stopped_at("2026-11-29T00:20:00Z"));
    world.clients = false;
    world.run(11, usize::MAX);
    world.clients = true;
    world.tick();
    world.to("2026-11-29T02:30:00Z");
    world.pass(usize::MAX);
    stops(&world, Gate::Writes, "whatever was written would be lost");
}

/// A job inside the database needs no connection to write.
#[test]
fn a_database_that_writes_by_itself_is_not_quiet() {
    let mut world = World::new(stopped_at("2026-11-29T00:20:00Z"));
    world.clients = false;
    world.last_busy_write = moment("2026-11-30T00:00:00Z").ok();
    world.run_to(Stage::Prepared);
    stops(&world, Gate::NotReady, "still writes (more than 10 WriteIOPS until 2026-11-30T00:00:00Z)");
    let taken = |world: &World| world.log.iter().any(|line| line.contains("nobody has written to since"));
    assert!(!taken(&world), "no snapshot is taken while it writes: {}", world.log.join("\n"));
    // What it had in memory is written.
    world.last_busy_write = Some(world.now - 300);
    world.run(2, usize::MAX);
    assert!(taken(&world), "{}", world.log.join("\n"));
    world.run(3, usize::MAX);
    // Something was written since: the copy lacks it.
    world.last_busy_write = Some(world.now);
    world.tick();
    world.pass(usize::MAX);
    stops(&world, Gate::Writes, "after the snapshot was begun");
}

#[test]
fn what_cloudwatch_does_not_say_is_not_quiet() {
    let quiet = || {
        let mut world = World::new(stopped_at("2026-11-29T00:20:00Z"));
        world.clients = false;
        world.run(11, usize::MAX);
        world
    };
    let arn = Arn::parse("arn:aws:rds:us-east-1:111122223333:db:orders").unwrap();
    let activity = |world: &mut World, edit: &dyn Fn(&mut Reading<super::super::observed::DatabaseActivity>)| {
        edit(&mut world.inventory.migrations.databases.get_mut(&arn).unwrap().activity);
    };
    let mut world = quiet();
    activity(&mut world, &|activity| *activity = Reading::NotRead);
    assert!(world.plan().wanted_facts.contains(&arn), "it is asked for");
    assert!(world.stop().1.contains("were not read"));
    activity(&mut world, &|activity| *activity = serde_json::from_value(denied("GetMetricData", "cloudwatch:GetMetricData")).unwrap());
    assert!(world.stop().1.contains("cloudwatch:GetMetricData"), "{}", world.stop().1);
    let mut world = quiet();
    activity(&mut world, &|activity| {
        if let Reading::Known(activity) = activity {
            activity.to -= 3_600;
        }
    });
    assert!(world.plan().wanted_facts.contains(&arn), "stale is asked for again");
    assert_eq!(world.stop().0, Gate::Unread);
    let mut world = quiet();
    activity(&mut world, &|activity| {
        if let Reading::Known(activity) = activity {
            activity.from = moment("2026-11-29T00:40:00Z").unwrap();
        }
    });
    assert!(world.stop().1.contains("from 2026-11-29T00:40:00Z only"), "{}", world.stop().1);
}

#[test]
fn one_database_at_a_time_is_switched() {
    let both = "{action: cutover, method: snapshot, window: 'daily 00:00-24:00 UTC', approvedBy: {orders: Ada, reports: Ada}, writes: isolate, isolationSecurityGroup: sg-0a1b2c3d}";
    let mut databases = database("orders", "db-ORDERS", &json!({}));
    databases.as_object_mut().unwrap().extend(database("reports", "db-REPORTS", &json!({})).as_object().unwrap().clone());
    let mut world = World::of(policy(both), &json!({"dbInstances": databases, "migrations": facts()}));
    let (mut together, mut waited) = (0, false);
    for _ in 0..200 {
        world.pass(usize::MAX);
        world.tick();
        world.sound();
        let isolated = world.inventory.db_instances.values().filter(|db| {
            let cut_off = db.settings.as_ref().is_some_and(|settings| settings.vpc_security_groups.contains(super::world::ISOLATION));
            cut_off && !db.identifier.contains("-old")
        });
        together = together.max(isolated.count());
        let second = world.report_of("reports").blocked;
        waited |= second.is_some_and(|blocked| blocked.contains("orders goes first"));
    }
    assert_eq!(together, 1);
    assert!(waited);
    assert_eq!((world.report_of("orders").stage, world.report_of("reports").stage), (Stage::KeepingOld, Stage::KeepingOld));
}

#[test]
fn the_key_must_be_there_and_usable() {
    let prepare = "{action: prepare, method: snapshot}";
    let spec = |key: &str| {
        crate::fixtures::policies(&format!("rds: [{{name: r, atRest: {{encrypted: true, key: {key}, migration: {prepare}}}}}]"))
    };
    stops(&World::new(spec("alias/nowhere")), Gate::KeyState, "alias/nowhere does not exist");
    let mut world = World::new(policy(prepare));
    let key = world.inventory.keys.values_mut().next().unwrap();
    if let Reading::Known(metadata) = &mut key.metadata {
        metadata.state = "Disabled".to_owned();
    }
    stops(&world, Gate::KeyState, "Disabled");
    let listed =
        format!("{{keys: [{{alias: alias/new}}], rds: [{{name: r, atRest: {{encrypted: true, key: alias/new, migration: {prepare}}}}}]}}");
    let world = World::new(crate::fixtures::policies(&listed));
    let plan = world.plan();
    let step = plan.steps.iter().find(|step| step.check == Check::RdsEncryption).unwrap();
    assert!(step.needs.iter().any(|need| need.0.contains("CreateKey")) && step.gate.is_some(), "{step:?}");
}

#[test]
fn nothing_is_done_where_facts_are_unread() {
    for unread in ["snapshots", "blueGreenDeployments"] {
        let mut facts = facts();
        facts[unread] = denied("DescribeDBSnapshots", "rds:DescribeDBSnapshots");
        let world = World::of(isolating(), &one(&json!({}), &json!({"migrations": facts})));
        stops(&world, Gate::Unread, "rds:DescribeDBSnapshots");
    }
    let world = World::of(isolating(), &one(&json!({"settings": null}), &json!({})));
    stops(&world, Gate::Unread, "settings of database orders were not read");
    let unnamed = World::of(isolating(), &one(&json!({"resourceId": null}), &json!({})));
    assert!(unnamed.open_steps().is_empty() && unnamed.plan().migrations.is_empty());
    assert_eq!(unnamed.stop().0, Gate::Manual);
}

#[test]
fn proxies_and_subscriptions_must_be_known_before_the_names_are_swapped() {
    let mut world = World::new(stopped_at("2026-11-29T00:20:00Z"));
    world.clients = false;
    world.run(11, usize::MAX);
    world.to("2026-11-29T02:30:00Z");
    let arn = Arn::parse("arn:aws:rds:us-east-1:111122223333:db:orders").unwrap();
    world.inventory.migrations.databases.get_mut(&arn).unwrap().proxies =
        serde_json::from_value(denied("DescribeDBProxies", "rds:DescribeDBProxies")).unwrap();
    stops(&world, Gate::Unread, "rds:DescribeDBProxies");
    world.inventory.migrations.databases.get_mut(&arn).unwrap().proxies = Reading::NotRead;
    stops(&world, Gate::Unread, "proxies of database orders were not read");
    assert!(world.plan().wanted_facts.contains(&arn));
}

#[test]
fn what_can_not_be_encrypted_is_said() {
    for (overlay, words) in [
        (json!({"class": "db.t2.micro"}), "change the class first"),
        (json!({"engine": "custom-sqlserver-ee", "engineVersion": "15.00"}), "RDS Custom"),
        (json!({"settings": {"replicaOf": "master"}}), "read replica of master"),
    ] {
        stops(&World::of(isolating(), &one(&overlay, &json!({}))), Gate::Manual, words);
    }
    let stopped = World::of(isolating(), &one(&json!({"status": "stopped"}), &json!({})));
    stops(&stopped, Gate::NotReady, "Start it");
    let busy = World::of(isolating(), &one(&json!({"status": "upgrading"}), &json!({})));
    stops(&busy, Gate::NotReady, "is upgrading");
    assert_eq!(busy.report().blocked, None, "AWS is at work: nothing stops it");
}

#[test]
fn an_audit_only_shows_what_would_be_done() {
    let mut world = World::new(isolating());
    world.policies.policies[0].spec.rds[0].mode = Some(crate::policy::model::Mode::Audit);
    let (gate, _) = world.stop();
    assert_eq!(gate, Gate::Mode);
    assert!(world.plan().steps.iter().any(|step| matches!(&step.change, Some(Change::Migration(_)))));
    assert!(world.report().blocked.unwrap().contains("audit mode"));
}

#[test]
fn a_policy_that_reports_says_how() {
    let world = World::new(policy("{action: report}"));
    let (gate, reason) = world.stop();
    assert_eq!(gate, Gate::Manual);
    assert!(reason.contains("CopyDBSnapshot"), "{reason}");
    assert_eq!(world.report().stage, Stage::Planned);
    assert!(world.report().message.contains("`action: prepare`"));
}

#[test]
fn a_copy_that_is_not_alike_is_not_switched_to() {
    let mut world = World::new(isolating());
    world.run_to(Stage::Prepared);
    let settings = world.instance("orders-everseal").settings.as_deref_mut().unwrap();
    settings.db_subnet_group = Some("public".into());
    assert_eq!(world.stage(), Stage::Stuck);
    assert!(world.report().differences[0].contains("dbSubnetGroup: private on the old database, public on the copy"));
    stops(&world, Gate::Manual, "migrations abort orders");
    let settings = world.instance("orders-everseal").settings.as_deref_mut().unwrap();
    settings.db_subnet_group = Some("private".into());
    settings.allocated_storage = Some(200);
    settings.availability_zone = Some("us-east-1c".into());
    assert_eq!(world.stage(), Stage::Prepared, "larger is alike, and the zone is AWS's choice");
    world.instance("orders-everseal").parameter_groups[0].apply_status = "pending-reboot".into();
    stops(&world, Gate::Manual, "Reboot orders-everseal");
    world.instance("orders-everseal").parameter_groups[0].apply_status = "applying".into();
    stops(&world, Gate::NotReady, "being applied");
}

#[test]
fn every_field_is_compared_or_told_of() {
    let mut world = World::new(policy("{action: prepare, method: snapshot}"));
    world.run_to(Stage::Prepared);
    let old = serde_json::to_value(world.instance("orders").settings.clone().unwrap()).unwrap();
    let copy = world.instance("orders-everseal").settings.clone();
    for (field, value) in old.as_object().unwrap() {
        let mut other = old.clone();
        other[field] = match value {
            Value::Bool(on) => json!(!on),
            Value::Number(_) => json!(value.as_u64().unwrap() + 1),
            Value::Array(_) => json!(["other"]),
            Value::Object(_) => json!({"other": "other"}),
            // Text or nothing: whichever the field takes.
            _ => json!("other"),
        };
        let Ok(settings) = serde_json::from_value(other.clone()).or_else(|_| {
            other[field] = json!(7);
            serde_json::from_value(other)
        }) else {
            panic!("{field}")
        };
        let db = world.instance("orders");
        db.settings = Some(settings);
        let report = world.report();
        let told = report.stage != Stage::Prepared || !report.by_hand.is_empty();
        let free = ["availabilityZone", "deletionProtection", "replicaMode"].contains(&field.as_str());
        assert!(told || free, "{field} is lost and nobody is told");
        world.instance("orders").settings = Some(serde_json::from_value(old.clone()).unwrap());
        world.instance("orders-everseal").settings.clone_from(&copy);
    }
}

#[test]
fn what_a_person_must_carry_over_is_named() {
    let mut world = World::new(isolating());
    world.run_to(Stage::Prepared);
    let settings = world.instance("orders").settings.as_deref_mut().unwrap();
    settings.read_replicas = ["orders-r1".to_owned()].into();
    settings.activity_stream = true;
    let arn = Arn::parse("arn:aws:rds:us-east-1:111122223333:db:orders").unwrap();
    let around = world.inventory.migrations.databases.get_mut(&arn).unwrap();
    around.alarms = Reading::Known(["orders-cpu".to_owned()].into());
    around.automated_backup_replications = Reading::Known(["eu-west-1".to_owned()].into());
    let said = world.report().by_hand.join("\n");
    for words in ["orders-r1", "StartActivityStream", "orders-cpu", "eu-west-1"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(world.stage(), Stage::Prepared);
}

/// [RDS: Renaming a DB instance: read replicas stay attached to the renamed instance]
#[test]
fn readers_of_replicas_are_not_left_behind() {
    let mut world = World::new(isolating());
    world.run_to(Stage::Prepared);
    world.instance("orders").settings.as_deref_mut().unwrap().read_replicas = ["orders-r1".to_owned()].into();
    world.to("2026-11-29T02:10:00Z");
    world.pass(usize::MAX);
    stops(&world, Gate::Path, "orders-r1");
    assert!(!world.is_isolated(), "nobody is cut off for nothing");
    world.instance("orders").settings.as_deref_mut().unwrap().read_replicas.clear();
    world.run_to(Stage::KeepingOld);
}

/// A snapshot suspends a Single-AZ instance, and CloudWatch shows no point of that minute: nobody can have come in meanwhile.
#[test]
fn minutes_that_cloudwatch_misses_do_not_end_an_isolation() {
    let mut world = World::new(isolating());
    world.run_to(Stage::Copying);
    while !world.is_isolated() {
        world.pass(usize::MAX);
        world.tick();
    }
    let arn = Arn::parse("arn:aws:rds:us-east-1:111122223333:db:orders").unwrap();
    for _ in 0..30 {
        world.pass(usize::MAX);
        world.tick();
        if let Some(around) = world.inventory.migrations.databases.get_mut(&arn)
            && let Reading::Known(activity) = &mut around.activity
        {
            activity.from = activity.to - 60;
        }
    }
    assert_eq!(world.stage(), Stage::KeepingOld, "{}", world.log.join("\n"));
    assert_eq!(world.rows_under(Instance, "orders"), world.written);
}
