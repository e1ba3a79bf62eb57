//! By snapshot, copy, restore and swap of names.

use std::time::Duration;

use everseal_planner::rds::migration::report::Stage;

use super::estate::{CARRIED_OVER, behind_the_proxy, encryption, orders, plain, resource_id, rich, surround};
use super::rig::{DAY, HOUR, ISOLATE, MINUTE, Rig, arn, cluster, everything, instance, ok, security_groups, tags};

/// A switch by snapshot whose writers a person stops.
fn by_operator(stopped_at: &str) -> String {
    format!(
        "{{ action: cutover, method: snapshot, window: 'Sun 02:00-08:00 UTC', approvedBy: {{ orders: Ada }}, writes: stopped-by-operator, \
         writesStoppedAt: {{ {stopped_at} }}, keepOldFor: 7d }}"
    )
}

fn is_old(name: &str) -> bool {
    name == "orders-old-everseal"
}

#[tokio::test(start_paused = true)]
async fn nothing_written_is_lost_and_everything_that_a_restore_loses_is_carried_over() {
    let mut rig = Rig::without_daemon(&by_operator(""), rich).await;
    rig.with(surround);
    rig.pass(HOUR).await;
    rig.with(behind_the_proxy);
    rig.write_to(&orders(), None);
    let before = rig.with(|world| instance(world, "orders")).unwrap();
    rig.start_daemon();

    // A copy is built and compared while everybody goes on writing.
    rig.until_stage("orders", Stage::Prepared, HOUR * 6).await;
    assert_eq!(rig.writers[0].longest_outage, 0, "nobody is disturbed for that");
    rig.until_sunday(4.0).await;
    assert_eq!(rig.stage("orders"), Some(Stage::Prepared), "nobody has stopped the writers: {}", rig.story());
    let blocked = rig.report("orders").unwrap().blocked.unwrap();
    assert!(blocked.starts_with("writes: "), "{blocked}");

    // The operator stops the application, and says so in the policy.
    let Rig { sim, writers, .. } = &mut rig;
    sim.with(|world| writers[0].stop(world));
    rig.pass(MINUTE * 2).await;
    rig.policy(&by_operator("orders: '2026-11-29T04:01:00Z'"));
    rig.until_stage("orders", Stage::KeepingOld, HOUR * 3).await;

    assert_eq!(rig.lost(0, &orders()), [""; 0], "{}", rig.story());
    assert!(rig.writers[0].acknowledged.len() > 500, "there was something to lose");
    let (after, old) = rig.with(|world| (instance(world, "orders").unwrap(), instance(world, "orders-old-everseal").unwrap()));
    assert_eq!(after.value("StorageEncryptionType"), Some("sse-kms"));
    assert_eq!(old.value("StorageEncryptionType"), Some("none"));
    assert_ne!(after.value("DbiResourceId"), before.value("DbiResourceId"));
    for field in CARRIED_OVER {
        assert_eq!(after.first(field), before.first(field), "{field}");
    }
    assert_eq!(after.at("Endpoint/Port"), Some("6432"));
    assert!(tags(&after).contains("team=ledger"), "{:?}", tags(&after));

    // What stood around the old one leads to the new one.
    rig.pass(HOUR).await;
    let (targets, subscriptions) = rig.with(|world| {
        let targets = ok(world, "DescribeDBProxyTargets", &[("DBProxyName", "pool")]);
        let subscriptions = ok(world, "DescribeEventSubscriptions", &[]);
        let sources = subscriptions.at("EventSubscriptionsList/EventSubscription/SourceIdsList/SourceId").map(str::to_owned);
        (targets.at("Targets/member/RdsResourceId").map(str::to_owned), sources)
    });
    assert_eq!(targets.as_deref(), Some("orders"));
    assert!(subscriptions.is_some());

    // The application starts again, by the name that it has always known.
    rig.writers[0].writes = true;
    rig.pass(HOUR).await;
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
    assert!(!rig.lost(0, &arn("db", "orders-old-everseal")).is_empty(), "the old one gets nothing any more");

    // Only the old database is left beside the new one, for as long as the policy says and longer.
    let left = rig.with(everything);
    assert!(left.iter().all(|name| name == "orders" || is_old(name)), "{left:?}");
    rig.pass(DAY * 9).await;
    assert_eq!(rig.with(everything), left, "no word of the policy, no deletion");
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
    let passed: Vec<&str> = rig.stages.iter().filter_map(|stage| stage.strip_prefix("orders ")).collect();
    for stage in ["snapshotting", "copying", "restoring", "prepared", "switching", "keeping-old"] {
        assert!(passed.contains(&stage), "{passed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_do_not_stop_by_themselves_are_cut_off_and_lose_nothing_that_was_acknowledged() {
    let mut rig = Rig::start(ISOLATE, |world| plain(world, &["orders"])).await;
    // A pool that renews its connections every five minutes.
    rig.write_to(&orders(), Some(15));
    rig.until_sunday(1.9).await;
    assert_eq!((rig.stage("orders"), rig.writers[0].longest_outage), (Some(Stage::Prepared), 0), "{}", rig.story());
    rig.until_stage("orders", Stage::KeepingOld, HOUR * 5).await;
    let acknowledged = rig.writers[0].acknowledged.len();
    rig.pass(HOUR).await;
    assert_eq!(rig.lost(0, &orders()), [""; 0], "{}", rig.story());
    let (new, old) = rig.with(|world| (instance(world, "orders").unwrap(), instance(world, "orders-old-everseal").unwrap()));
    assert_eq!(new.value("StorageEncryptionType"), Some("sse-kms"));
    assert_eq!(security_groups(&new), ["sg-app"], "the new one has the old one's own groups");
    assert_eq!(old.value("StorageEncryptionType"), Some("none"));
    assert!(rig.writers[0].acknowledged.len() > acknowledged + 100, "they write again: {acknowledged}");
    assert!(rig.stages.contains(&"orders isolating".to_owned()), "{:?}", rig.stages);
    let left = rig.with(everything);
    assert!(left.iter().all(|name| name == "orders" || is_old(name)), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_never_ends_stops_the_switch_and_clients_are_let_in_again() {
    let mut rig = Rig::start(ISOLATE, |world| plain(world, &["orders"])).await;
    // Connections that are open outlive a change of security groups, and this client never closes its own.
    rig.write_to(&orders(), None);
    rig.until_sunday(9.0).await;
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
    let described = rig.with(|world| instance(world, "orders")).unwrap();
    assert_eq!(described.value("StorageEncryptionType"), Some("none"), "nobody was switched: {}", rig.story());
    assert_eq!(security_groups(&described), ["sg-app"], "and nobody is cut off: {}", rig.story());
    assert!(rig.stages.contains(&"orders isolating".to_owned()), "it was tried: {:?}", rig.stages);
    assert_eq!(rig.writers[0].longest_outage, 0, "its session went on all the time");
}

#[tokio::test(start_paused = true)]
async fn without_approval_outside_the_window_or_while_writes_go_on_nothing_is_switched() {
    let nobody = ISOLATE.replace("approvedBy: { orders: Ada }, ", "");
    let weekday = ISOLATE.replace("Sun 02:00-08:00", "Wed 02:00-08:00");
    let trusting = by_operator("orders: '2026-11-29T01:00:00Z'");
    for (migration, gate) in [(nobody, "approval: "), (weekday, "window: "), (trusting, "writes: ")] {
        let mut rig = Rig::start(&migration, |world| plain(world, &["orders"])).await;
        rig.write_to(&orders(), Some(15));
        rig.until_sunday(12.0).await;
        assert_eq!(rig.stage("orders"), Some(Stage::Prepared), "{migration}\n{}", rig.story());
        let blocked = rig.report("orders").unwrap().blocked.unwrap();
        assert!(blocked.starts_with(gate), "{blocked}");
        assert_eq!(rig.writers[0].longest_outage, 0, "{migration}: nobody is disturbed");
        let described = rig.with(|world| instance(world, "orders")).unwrap();
        assert_eq!(described.value("StorageEncryptionType"), Some("none"), "{migration}");
        assert_eq!(security_groups(&described), ["sg-app"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_old_database_goes_after_its_time_and_with_the_policys_word_alone() {
    let migration = ISOLATE.replace("keepOldFor: 7d", "keepOldFor: 3d, oldAfterwards: delete");
    let mut rig = Rig::start(&migration, |world| plain(world, &["orders"])).await;
    rig.write_to(&orders(), Some(15));
    rig.until_stage("orders", Stage::KeepingOld, HOUR * 10).await;
    rig.pass(HOUR * 71).await;
    assert!(rig.with(everything).iter().any(|name| is_old(name)), "not before its time");
    rig.pass(HOUR * 3).await;
    let left = rig.with(everything);
    assert_eq!(left.into_iter().collect::<Vec<_>>(), ["orders", "orders-everseal-final"], "{}", rig.story());
    let last = rig.with(|world| world.rows(&arn("snapshot", "orders-everseal-final"))).unwrap();
    assert!(!last.is_empty(), "its last snapshot holds what it held");
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
    rig.pass(HOUR).await;
    let tags = rig.with(|world| tags(&instance(world, "orders").unwrap()));
    assert!(tags.iter().all(|tag| !tag.starts_with("everseal:")), "{tags:?}");
    assert!(matches!(rig.stage("orders"), None | Some(Stage::Done)), "{:?}", rig.stage("orders"));
}

#[tokio::test(start_paused = true)]
async fn two_databases_are_switched_one_after_the_other() {
    let migration = ISOLATE.replace("{ orders: Ada }", "{ orders: Ada, payments: Ada }");
    let mut rig = Rig::start(&migration, |world| plain(world, &["orders", "payments"])).await;
    rig.write_to(&orders(), Some(15));
    rig.write_to(&arn("db", "payments"), Some(15));
    let both = |rig: &Rig| ["orders", "payments"].iter().all(|name| rig.stage(name) == Some(Stage::KeepingOld));
    let mut waited = Duration::ZERO;
    while !both(&rig) {
        assert!(waited < HOUR * 10, "{}", rig.story());
        rig.pass(MINUTE).await;
        waited += MINUTE;
        let cut_off: Vec<&str> = ["orders", "payments"]
            .into_iter()
            .filter(|name| {
                let groups = rig.with(|world| instance(world, name)).map(|described| security_groups(&described));
                let is_open = rig.with(|world| encryption(world, name)).as_deref() == Some("none");
                is_open && groups.is_some_and(|groups| groups != ["sg-app"])
            })
            .collect();
        assert!(cut_off.len() < 2, "{}", rig.story());
    }
    rig.pass(HOUR).await;
    for (writer, name) in ["orders", "payments"].into_iter().enumerate() {
        assert_eq!(rig.lost(writer, &arn("db", name)), [""; 0], "{name}");
        assert_eq!(rig.with(|world| encryption(world, name)).as_deref(), Some("sse-kms"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_daemons_make_one_migration() {
    let mut rig = Rig::start(ISOLATE, |world| plain(world, &["orders"])).await;
    rig.start_daemon();
    rig.write_to(&orders(), Some(15));
    let id = rig.with(|world| resource_id(world, "orders"));
    rig.until_stage("orders", Stage::KeepingOld, HOUR * 10).await;
    rig.pass(HOUR).await;
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
    let left = rig.with(everything);
    assert_eq!(left.into_iter().collect::<Vec<_>>(), ["orders", "orders-old-everseal"], "{}", rig.story());
    assert_eq!(rig.with(|world| resource_id(world, "orders-old-everseal")), id);
    assert!(rig.with(|world| cluster(world, "orders")).is_none());
}
