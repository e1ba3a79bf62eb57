#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::testing::{NOON, inventory, scope};

fn status() -> Status {
    Status::new(Clock::starting_at(NOON))
}

#[tokio::test(start_paused = true)]
async fn the_loop_is_alive_while_it_moves() {
    let status = status();
    assert_eq!(status.liveness().reasons, ["the loop has not started"]);
    status.beat();
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(status.liveness().ok);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(status.liveness().reasons, ["the loop has not moved for 31 s"]);
    status.beat();
    assert!(status.liveness().ok);
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let status = status();
    assert_eq!(status.readiness().reasons, ["no policy is loaded yet", "no account has been reached yet"]);
    status.policies_loaded(vec!["finance".to_owned()], "abc".to_owned());
    status.unreachable(vec!["account 111122223333: AssumeRole is denied".to_owned()]);
    assert_eq!(status.readiness().reasons, ["account 111122223333: AssumeRole is denied"]);
    status.unreachable(Vec::new());
    status.update(&scope(), |_| {});
    assert_eq!(status.readiness().reasons, ["111122223333/eu-west-1: the first pass is not done yet"]);
    status.update(&scope(), |scope| scope.last_error = Some("ListQueues: no".to_owned()));
    assert_eq!(status.readiness().reasons, ["111122223333/eu-west-1: ListQueues: no"]);
    status.update(&scope(), |scope| scope.first_pass_done = true);
    assert!(status.readiness().ok);
}

#[tokio::test]
async fn a_reader_keeps_the_snapshot_that_it_took() {
    let status = status();
    status.update(&scope(), |scope| scope.last_success = Some(1));
    let taken = status.scopes();
    status.update(&scope(), |scope| scope.last_success = Some(2));
    assert_eq!((taken[0].last_success, status.scopes()[0].last_success), (Some(1), Some(2)));
    status.forget(&scope());
    assert!(status.scopes().is_empty());
}

#[test]
fn keys_are_shown_with_their_aliases_and_state() {
    let mut inventory = inventory(&[]);
    let change = everseal_planner::plan::Change::CreateKey {
        alias: "alias/finance".to_owned(),
        description: String::new(),
        multi_region: false,
        tags: BTreeMap::new(),
        document: "{}".to_owned(),
        rotation_period_in_days: None,
    };
    everseal_planner::sim::make(&mut inventory, &scope().arn("kms", "alias/finance"), &change);
    let keys = keys_of(&inventory);
    assert_eq!(keys.len(), 1);
    assert_eq!((keys[0].aliases.as_slice(), keys[0].state.as_str()), (["alias/finance".to_owned()].as_slice(), "Enabled"));
}
