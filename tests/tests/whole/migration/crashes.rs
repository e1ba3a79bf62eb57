//! The process dies before or after each of its writes, or loses the answer, and the next one goes on from what AWS shows.

use std::time::Duration;

use everseal_planner::rds::migration::report::Stage;
use everseal_sim::fault::{Fault, FaultRule};

use super::estate::{encryption, orders, plain, resource_id};
use super::rig::{HOUR, ISOLATE, Rig, everything, instance, security_groups};

/// More writes than a migration takes.
const MOST_WRITES: u32 = 60;

/// A whole migration under these faults; how many changes a process lived to put on record.
async fn under(faults: Vec<FaultRule>) -> usize {
    let mut rig = Rig::without_daemon(ISOLATE, |world| plain(world, &["orders"])).await;
    let id = rig.with(|world| resource_id(world, "orders"));
    rig.with(|world| world.faults.rules = faults);
    rig.write_to(&orders(), Some(15));
    rig.start_daemon();
    rig.until("the migration is over", HOUR * 12, |rig| rig.stage("orders") == Some(Stage::KeepingOld)).await;
    rig.pass(HOUR).await;
    assert_eq!(rig.lost(0, &orders()), [""; 0], "{}", rig.story());
    assert_eq!(rig.with(|world| encryption(world, "orders")).as_deref(), Some("sse-kms"), "{}", rig.story());
    assert_eq!(rig.with(everything).into_iter().collect::<Vec<_>>(), ["orders", "orders-old-everseal"], "{}", rig.story());
    assert_eq!(rig.with(|world| resource_id(world, "orders-old-everseal")), id, "{}", rig.story());
    let groups = rig.with(|world| instance(world, "orders")).map(|described| security_groups(&described));
    assert_eq!(groups.as_deref(), Some(&["sg-app".to_owned()][..]), "{}", rig.story());
    rig.status.recent_changes().len()
}

#[tokio::test(start_paused = true)]
async fn a_death_before_each_write_is_made_good() {
    // Each write is struck the first time and goes through the second time.
    let strike = || FaultRule::always(Fault::CrashBefore).on("rds", "").writes().times(1);
    let spare = || FaultRule::always(Fault::Delay(Duration::from_millis(1))).on("rds", "").writes().times(1);
    let recorded = under((0..MOST_WRITES).flat_map(|_| [strike(), spare()]).collect()).await;
    assert!(recorded > 10, "a migration takes more than ten writes: {recorded}");
}

#[tokio::test(start_paused = true)]
async fn a_death_after_each_write_is_made_good() {
    under(vec![FaultRule::always(Fault::CrashAfter).on("rds", "").writes()]).await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_make_nothing_twice() {
    under(vec![FaultRule::always(Fault::LostAnswer).on("rds", "").writes()]).await;
}
