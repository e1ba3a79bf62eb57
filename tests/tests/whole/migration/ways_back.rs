//! Out of a migration: a person's word at every stage, a failure in the middle, a window that closes.

use everseal_planner::rds::migration::report::Stage;
use everseal_sim::fault::{Fault, FaultRule};

use super::estate::{encryption, orders, plain, resource_id};
use super::rig::{DAY, Direction, HOUR, ISOLATE, MINUTE, Rig, everything, instance, security_groups, tags};

/// The database is alone, itself, open to its clients, and has lost nothing.
fn is_as_it_was(rig: &Rig, id: Option<&String>) {
    let left: Vec<String> = rig.with(everything).into_iter().collect();
    assert_eq!(left, ["orders"], "{}", rig.story());
    let described = rig.with(|world| instance(world, "orders")).unwrap();
    assert_eq!(described.value("DbiResourceId"), id.map(String::as_str));
    assert_eq!(security_groups(&described), ["sg-app"], "{}", rig.story());
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_abort_leaves_the_old_database_alone_at_whatever_stage_it_comes() {
    for stage in [Stage::Snapshotting, Stage::Copying, Stage::Restoring, Stage::Configuring, Stage::Prepared, Stage::Isolating] {
        let mut rig = Rig::start(ISOLATE, |world| plain(world, &["orders"])).await;
        rig.write_to(&orders(), Some(15));
        let id = rig.with(|world| resource_id(world, "orders"));
        let mut seen = false;
        for _ in 0..1800 {
            rig.pass(MINUTE / 3).await;
            seen = rig.stage("orders") == Some(stage);
            if seen {
                break;
            }
        }
        if !seen && stage == Stage::Configuring {
            // A plain database has little that a restore loses: the stage may be over between two looks.
            continue;
        }
        assert!(seen, "it never came to {stage}: {}", rig.story());
        let ended = rig.steer("orders", Direction::Abort).await.unwrap();
        assert!(!ended.is_empty(), "{stage}");
        rig.pass(HOUR * 2).await;
        is_as_it_was(&rig, id.as_ref());
        assert_eq!(rig.stage("orders"), Some(Stage::Aborted), "{stage}");
        // It stays so, and where a window is near, through that as well.
        rig.pass(if stage == Stage::Prepared { DAY } else { HOUR }).await;
        is_as_it_was(&rig, id.as_ref());
        rig.writers[0].longest_outage = 0;
        rig.pass(HOUR).await;
        assert_eq!(rig.writers[0].longest_outage, 0, "{stage}: clients write");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_migration_begins_anew_and_arrives() {
    let mut rig = Rig::start(ISOLATE, |world| plain(world, &["orders"])).await;
    rig.write_to(&orders(), Some(15));
    rig.until_stage("orders", Stage::Prepared, HOUR * 4).await;
    rig.steer("orders", Direction::Abort).await.unwrap();
    rig.pass(HOUR).await;
    rig.steer("orders", Direction::Resume).await.unwrap();
    let described = rig.with(|world| instance(world, "orders")).unwrap();
    assert!(tags(&described).iter().all(|tag| !tag.starts_with("everseal:migration-aborted")), "{:?}", tags(&described));
    rig.until_stage("orders", Stage::KeepingOld, HOUR * 10).await;
    rig.pass(HOUR).await;
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
    assert_eq!(rig.with(|world| encryption(world, "orders")).as_deref(), Some("sse-kms"));
}

#[tokio::test(start_paused = true)]
async fn after_the_switch_it_is_too_late_to_abort_and_nothing_is_touched() {
    let mut rig = Rig::start(ISOLATE, |world| plain(world, &["orders"])).await;
    rig.write_to(&orders(), Some(15));
    rig.until_stage("orders", Stage::KeepingOld, HOUR * 10).await;
    let left = rig.with(everything);
    let refused = rig.steer("orders", Direction::Abort).await.unwrap_err();
    assert!(refused.contains("there alone"), "{refused}");
    rig.pass(HOUR).await;
    assert_eq!(rig.with(everything), left);
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn where_the_restore_is_refused_in_the_window_clients_are_let_in_again_and_nothing_is_lost() {
    let mut rig = Rig::start(ISOLATE, |world| plain(world, &["orders"])).await;
    rig.write_to(&orders(), Some(15));
    let id = rig.with(|world| resource_id(world, "orders"));
    rig.until_stage("orders", Stage::Isolating, HOUR * 6).await;
    // From now on a guardrail refuses it.
    rig.with(|world| world.faults.rules.push(FaultRule::always(Fault::Deny).on("rds", "RestoreDBInstanceFromDBSnapshot")));
    rig.until_sunday(8.5).await;
    let described = rig.with(|world| instance(world, "orders")).unwrap();
    assert_eq!(security_groups(&described), ["sg-app"], "{}", rig.story());
    assert_eq!(described.value("DbiResourceId"), id.as_deref());
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
    rig.writers[0].longest_outage = 0;
    rig.pass(HOUR).await;
    assert_eq!(rig.writers[0].longest_outage, 0, "clients write again");
}

#[tokio::test(start_paused = true)]
async fn a_window_that_closes_before_the_copy_is_ready_ends_the_isolation() {
    let mut rig = Rig::start(ISOLATE, |world| plain(world, &["orders"])).await;
    rig.write_to(&orders(), Some(15));
    rig.until_stage("orders", Stage::Isolating, HOUR * 6).await;
    // Somebody shortens it while clients are cut off.
    rig.policy(&ISOLATE.replace("02:00-08:00", "02:00-02:20"));
    rig.until_sunday(2.5).await;
    let described = rig.with(|world| instance(world, "orders")).unwrap();
    assert_eq!(security_groups(&described), ["sg-app"], "{}", rig.story());
    assert_eq!(described.value("StorageEncryptionType"), Some("none"));
    rig.writers[0].longest_outage = 0;
    rig.pass(DAY).await;
    assert_eq!(rig.writers[0].longest_outage, 0, "clients write again: {}", rig.story());
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
    // In the next window that is long enough it goes through.
    rig.policy(ISOLATE);
    rig.until_stage("orders", Stage::KeepingOld, DAY * 7).await;
    rig.pass(HOUR).await;
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
}
