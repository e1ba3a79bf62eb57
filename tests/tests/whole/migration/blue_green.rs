//! By a blue/green deployment whose green side is encrypted.

use everseal_planner::rds::migration::report::Stage;

use super::estate::{encryption, orders, plain, resource_id};
use super::rig::{Direction, HOUR, MINUTE, Rig, everything, instance, security_groups};
use crate::simulated::{HOME, REGION};

const AUTO: &str =
    "{ action: cutover, window: 'Sun 02:00-08:00 UTC', approvedBy: { orders: Ada }, writes: isolate, isolationSecurityGroup: sg-0c105ed0 }";

#[tokio::test(start_paused = true)]
async fn clients_are_switched_in_seconds_and_nothing_is_lost() {
    let mut rig = Rig::start(AUTO, |world| plain(world, &["orders"])).await;
    rig.write_to(&orders(), None);
    let id = rig.with(|world| resource_id(world, "orders"));
    rig.until_sunday(1.9).await;
    assert_eq!((rig.stage("orders"), rig.writers[0].longest_outage), (Some(Stage::Prepared), 0), "{}", rig.story());
    assert_eq!(rig.with(|world| encryption(world, "orders")).as_deref(), Some("none"), "not before the window");
    rig.until_stage("orders", Stage::KeepingOld, HOUR * 2).await;
    rig.pass(HOUR).await;
    assert_eq!(rig.lost(0, &orders()), [""; 0], "{}", rig.story());
    let new = rig.with(|world| instance(world, "orders")).unwrap();
    assert_eq!(new.value("StorageEncryptionType"), Some("sse-kms"));
    assert_eq!(security_groups(&new), ["sg-app"]);
    // Three ticks of twenty seconds: minutes at most, not the hours of a snapshot.
    assert!(rig.writers[0].longest_outage <= 9, "{} ticks", rig.writers[0].longest_outage);
    let left: Vec<String> = rig.with(everything).into_iter().collect();
    assert_eq!(left, ["orders", "orders-old1"], "both databases, and no deployment: {}", rig.story());
    assert_eq!(rig.with(|world| resource_id(world, "orders-old1")), id);
}

#[tokio::test(start_paused = true)]
async fn where_aws_refuses_a_key_for_the_green_side_the_database_goes_by_snapshot() {
    let mut rig = Rig::start(AUTO, |world| {
        plain(world, &["orders"]);
        world.set_target_key_support(HOME, REGION, false);
    })
    .await;
    rig.write_to(&orders(), Some(15));
    rig.until_stage("orders", Stage::KeepingOld, HOUR * 10).await;
    rig.pass(HOUR).await;
    assert_eq!(rig.lost(0, &orders()), [""; 0]);
    assert_eq!(rig.with(|world| encryption(world, "orders")).as_deref(), Some("sse-kms"));
    let left: Vec<String> = rig.with(everything).into_iter().collect();
    assert_eq!(left, ["orders", "orders-old-everseal"], "{}", rig.story());
}

#[tokio::test(start_paused = true)]
async fn an_abort_removes_the_deployment_and_its_green_side() {
    for wait in [MINUTE * 8, HOUR] {
        let mut rig = Rig::start(AUTO, |world| plain(world, &["orders"])).await;
        rig.write_to(&orders(), None);
        rig.pass(wait).await;
        assert!(rig.with(everything).len() > 1, "the deployment was begun: {}", rig.story());
        rig.steer("orders", Direction::Abort).await.unwrap();
        rig.until_sunday(12.0).await;
        assert_eq!(rig.with(everything).into_iter().collect::<Vec<_>>(), ["orders"], "{}", rig.story());
        assert_eq!((rig.lost(0, &orders()), rig.writers[0].longest_outage), (Vec::new(), 0));
    }
}
