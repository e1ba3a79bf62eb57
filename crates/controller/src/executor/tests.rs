#![allow(clippy::unwrap_used)]

use std::time::Duration;

use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::StepId;

use super::*;
use crate::cycle;
use crate::ledger::{LedgerOutcome, Outcome};
use crate::testing::{Bench, Call, Fault, SEALED_QUEUES, inventory, queue_arn};

fn outcome(entry: &crate::ledger::Entry) -> Option<LedgerOutcome> {
    match &entry.result {
        Outcome::Recorded(record) => Some(record.outcome),
        Outcome::Interrupted => None,
    }
}

#[tokio::test(start_paused = true)]
async fn drift_is_removed_and_the_second_cycle_writes_nothing() {
    let bench = Bench::new(inventory(&["a", "b", "c"]), SEALED_QUEUES);
    let applied = bench.apply().await;
    assert_eq!(applied.reports.len(), 3);
    assert!(applied.reports.iter().all(|report| matches!(report.result, StepResult::Applied)));
    assert!(applied.pass.plan.steps.is_empty(), "nothing is left to do");
    assert_eq!(bench.account.writes().len(), 3);
    let again = bench.apply().await;
    assert!(again.reports.is_empty());
    assert_eq!(bench.account.writes().len(), 3, "idempotent");
}

#[tokio::test(start_paused = true)]
async fn the_intent_is_on_record_before_the_write_and_the_outcome_after() {
    let bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    bench.apply().await;
    let entries = bench.recorded().await;
    assert_eq!(entries.len(), 1);
    let intent = &entries[0].intent;
    assert_eq!((intent.policy.as_str(), intent.rule.as_str(), intent.action.as_str()), ("test", "queues", "SetQueueAttributes"));
    assert_eq!(intent.revision, bench.policies.revision);
    assert_eq!(intent.before()["sqsManagedSse"], false);
    assert_eq!(intent.after()["sqsManagedSse"], true);
    assert_eq!(outcome(&entries[0]), Some(LedgerOutcome::Applied));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_recorded_is_not_done() {
    let folder = std::env::temp_dir().join(format!("everseal-ledger-{}", std::process::id()));
    let mut bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    bench.ledger = crate::Ledger::local(&folder).unwrap();
    // A file where the year's folder should be: every write below it fails.
    std::fs::write(folder.join("2026"), "in the way").unwrap();
    let applied = bench.apply().await;
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(applied.reports[0].result, StepResult::Failed(StepError::Ledger(_))), "{:?}", applied.reports[0].result);
    assert_eq!(bench.account.writes(), []);
    assert_eq!(applied.failures().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failing_step_does_not_stop_the_others() {
    let bench = Bench::new(inventory(&["a", "b", "c"]), SEALED_QUEUES);
    bench.account.fault(&queue_arn("b"), Fault::Refuse(ErrorClass::Denied));
    let applied = bench.apply().await;
    assert_eq!(applied.failures().map(|report| report.resource.name()).collect::<Vec<_>>(), ["b"]);
    assert!(bench.account.is_sealed("a") && bench.account.is_sealed("c") && !bench.account.is_sealed("b"));
    let failed = bench.recorded().await.into_iter().find(|entry| entry.intent.resource == queue_arn("b")).unwrap();
    let Outcome::Recorded(record) = failed.result else { panic!("no outcome") };
    assert_eq!(record.outcome, LedgerOutcome::Failed);
    assert_eq!(record.error.as_deref(), Some("AWS did not make the change: Test: told to"));
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_one_step_is_contained() {
    let bench = Bench::new(inventory(&["a", "b"]), SEALED_QUEUES);
    bench.account.fault(&queue_arn("a"), Fault::Panic);
    let applied = bench.apply().await;
    assert!(bench.account.is_sealed("b"));
    let failure = applied.failures().next().unwrap();
    assert!(matches!(failure.result, StepResult::Failed(StepError::Panicked(_))));
    assert_eq!(failure.result.words(), "a bug in Everseal: a bug, as the test wants");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_change_that_was_made_is_a_success_and_not_made_twice() {
    let bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    bench.account.fault(&queue_arn("a"), Fault::LoseAnswer);
    let applied = bench.apply().await;
    assert!(matches!(applied.reports[0].result, StepResult::Applied));
    assert_eq!(bench.account.writes().len(), 1);
    assert_eq!(outcome(&bench.recorded().await[0]), Some(LedgerOutcome::Applied));
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_after_a_while() {
    let bench = Bench::new(inventory(&["a", "b"]), SEALED_QUEUES);
    bench.account.fault(&queue_arn("a"), Fault::Refuse(ErrorClass::Throttled));
    bench.account.fault(&queue_arn("a"), Fault::Refuse(ErrorClass::Conflict));
    let began = tokio::time::Instant::now();
    let applied = bench.apply().await;
    assert_eq!((applied.failures().count(), applied.reports.len()), (0, 4));
    assert!(bench.account.is_sealed("a"));
    assert_eq!(began.elapsed().as_secs(), 6, "2 s and 4 s");
    let outcomes: Vec<_> = bench.recorded().await.iter().filter(|entry| entry.intent.resource == queue_arn("a")).map(outcome).collect();
    assert_eq!(outcomes, [Some(LedgerOutcome::Failed), Some(LedgerOutcome::Failed), Some(LedgerOutcome::Applied)]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_one_failure_and_still_to_be_done() {
    let bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    for _ in 0..5 {
        bench.account.fault(&queue_arn("a"), Fault::Refuse(ErrorClass::Throttled));
    }
    let applied = bench.apply().await;
    assert_eq!((bench.account.writes().len(), applied.reports.len(), applied.pass.plan.steps.len()), (3, 3, 1));
    let failures: Vec<_> = applied.failures().collect();
    let [StepReport { result: StepResult::Failed(error), .. }] = failures.as_slice() else { panic!("{failures:?}") };
    assert_eq!(error.class(), ErrorClass::Throttled);
}

#[tokio::test(start_paused = true)]
async fn a_stale_read_after_our_write_is_neither_failure_nor_drift_nor_written_again() {
    let bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    bench.account.fault(&queue_arn("a"), Fault::ShowOldFor(Duration::from_secs(40)));
    let applied = bench.apply().await;
    assert!(matches!(applied.reports[0].result, StepResult::Settling));
    assert!(applied.pass.plan.steps.is_empty(), "our own write is laid over the stale reading");
    assert_eq!(outcome(&bench.recorded().await[0]), Some(LedgerOutcome::Settling));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(bench.pass().await.plan.steps.is_empty(), "24 s after the write, AWS still shows the old value");
    assert_eq!(bench.account.writes().len(), 1);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(bench.pass().await.plan.steps.is_empty(), "now AWS shows it itself");
}

#[tokio::test(start_paused = true)]
async fn an_old_value_that_stays_beyond_the_window_is_drift_again() {
    let bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    bench.account.fault(&queue_arn("a"), Fault::ShowOldFor(Duration::from_hours(1)));
    bench.apply().await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(bench.pass().await.plan.steps.len(), 1, "SQS attributes take up to 60 seconds, no longer");
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_before_is_gone_is_not_forced() {
    let bench = Bench::new(inventory(&["a", "b"]), SEALED_QUEUES);
    let pass = bench.pass().await;
    // Somebody encrypts the queue with a key of their own between plan and step: better than SSE-SQS.
    if let Reading::Known(attributes) = &mut bench.account.world().truth.queues.get_mut(&queue_arn("a")).unwrap().attributes {
        attributes.kms_key = Some("alias/theirs".to_owned());
    }
    let applied = cycle::apply(&bench.executor(), pass, &|_| {}).await;
    let stale = applied.reports.iter().find(|report| report.resource == queue_arn("a")).unwrap();
    assert!(matches!(stale.result, StepResult::Stale(_)), "{:?}", stale.result);
    assert!(bench.account.writes().iter().all(|(arn, _)| *arn == queue_arn("b")), "the other is made, this one is left alone");
}

#[tokio::test(start_paused = true)]
async fn what_is_as_wanted_already_is_not_written() {
    let bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    let pass = bench.pass().await;
    if let Reading::Known(attributes) = &mut bench.account.world().truth.queues.get_mut(&queue_arn("a")).unwrap().attributes {
        attributes.sqs_managed_sse = true;
    }
    let applied = cycle::apply(&bench.executor(), pass, &|_| {}).await;
    assert!(matches!(applied.reports[0].result, StepResult::Unchanged));
    assert_eq!((bench.account.writes().len(), bench.recorded().await.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_resource_deleted_meanwhile_is_forgotten_quietly() {
    let bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    let pass = bench.pass().await;
    bench.account.world().truth.queues.clear();
    let applied = cycle::apply(&bench.executor(), pass, &|_| {}).await;
    assert!(matches!(applied.reports[0].result, StepResult::Gone));
    assert_eq!(applied.failures().count(), 0);
    assert!(applied.pass.inventory.queues.is_empty());
}

#[tokio::test(start_paused = true)]
async fn blocked_steps_are_not_made() {
    let bench = Bench::new(inventory(&["a"]), &SEALED_QUEUES.replace("enforce", "audit"));
    let applied = bench.apply().await;
    assert_eq!(applied.pass.plan.steps.len(), 1);
    assert!(applied.reports.is_empty());
    assert_eq!(bench.account.writes(), []);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_a_cycle_holds_also_for_what_is_planned_afresh_in_it() {
    let spec = format!("{SEALED_QUEUES}  limits: {{ maxChangesPerCycle: 2 }}\n");
    let bench = Bench::new(inventory(&["a", "b", "c"]), &spec);
    bench.apply().await;
    assert_eq!(bench.account.writes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_the_write_in_hand_and_begins_no_other() {
    let mut bench = Bench::new(inventory(&["a", "b"]), SEALED_QUEUES);
    bench.options.concurrency = 1;
    bench.account.fault(&queue_arn("a"), Fault::TakeLong(Duration::from_secs(2)));
    let stop = bench.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    });
    let applied = bench.apply().await;
    assert!(bench.account.is_sealed("a") && !bench.account.is_sealed("b"));
    assert!(matches!(applied.reports[0].result, StepResult::Applied));
    assert!(matches!(applied.reports[1].result, StepResult::Stopped));
    assert_eq!(outcome(&bench.recorded().await[0]), Some(LedgerOutcome::Applied));
}

/// Dies at the first write of `a`, then starts again: what the ledger shows, and what was written in both lives.
async fn dies(fault: Fault) -> (Option<LedgerOutcome>, usize) {
    let mut bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    bench.account.fault(&queue_arn("a"), fault);
    assert!(tokio::time::timeout(Duration::from_secs(1), bench.apply()).await.is_err(), "the first life ends in the write");
    bench.restart();
    bench.apply().await;
    assert!(bench.account.is_sealed("a"));
    (outcome(&bench.recorded().await[0]), bench.account.writes().len())
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_the_write_leaves_an_intent_and_the_next_run_writes() {
    assert_eq!(dies(Fault::DieBefore).await, (None, 2));
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_the_write_leaves_an_intent_and_the_next_run_has_nothing_to_do() {
    assert_eq!(dies(Fault::DieAfter).await, (None, 1));
}

const KEYED_QUEUES: &str = r"  mode: enforce
  scopes: { regions: [eu-west-1] }
  keys:
    - { alias: alias/finance, usableBy: { services: [sqs] } }
  sqs:
    - { name: queues, atRest: { encryption: SSE-KMS, key: alias/finance } }
";

#[tokio::test(start_paused = true)]
async fn a_key_is_made_first_and_what_waits_for_it_follows_in_the_same_cycle() {
    let bench = Bench::new(inventory(&["a"]), KEYED_QUEUES);
    let applied = bench.apply().await;
    let writes = bench.account.writes();
    assert_eq!(writes.first().map(|(_, action)| *action), Some("CreateKey"), "{writes:?}");
    assert_eq!(writes.last(), Some(&(queue_arn("a"), "SetQueueAttributes")), "{:?}", applied.reports);
    assert_eq!(applied.failures().count(), 0);
    let key = applied.pass.inventory.aliases.known().unwrap()["alias/finance"].clone();
    let attributes = bench.account.world().truth.queues[&queue_arn("a")].attributes.known().unwrap().clone();
    assert_eq!(attributes.kms_key.as_deref(), Some(key.as_str()));
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_key_that_could_not_be_made_is_not_made() {
    let bench = Bench::new(inventory(&["a"]), KEYED_QUEUES);
    let alias = crate::testing::scope().arn("kms", "alias/finance");
    bench.account.fault(&alias, Fault::Refuse(ErrorClass::Denied));
    let applied = bench.apply().await;
    assert!(bench.account.writes().iter().all(|(_, action)| *action == "CreateKey"));
    let queue = applied.reports.iter().find(|report| report.resource == queue_arn("a")).unwrap();
    assert!(matches!(&queue.result, StepResult::Unmet(StepId(id)) if id.contains("alias/finance")), "{:?}", queue.result);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_slow_to_show_up_is_not_made_twice() {
    let bench = Bench::new(inventory(&["a"]), KEYED_QUEUES);
    let alias = crate::testing::scope().arn("kms", "alias/finance");
    bench.account.fault(&alias, Fault::ShowOldFor(Duration::from_secs(100)));
    bench.apply().await;
    bench.apply().await;
    let created = || bench.account.writes().iter().filter(|(_, action)| *action == "CreateKey").count();
    assert_eq!((created(), bench.account.writes().len()), (1, 1), "and nothing is moved to a key that nobody can see");
    tokio::time::sleep(Duration::from_secs(100)).await;
    let applied = bench.apply().await;
    assert_eq!(created(), 1);
    assert!(applied.pass.plan.steps.is_empty(), "{:?}", applied.pass.plan.steps);
}

#[tokio::test(start_paused = true)]
async fn every_write_is_preceded_and_followed_by_a_read_of_its_resource() {
    let bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    bench.apply().await;
    let calls = bench.account.world().calls.clone();
    let read = Call::Observe([queue_arn("a")].into(), false);
    assert_eq!(calls, [Call::ObserveAll, read.clone(), Call::Apply(queue_arn("a"), "SetQueueAttributes"), read]);
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_could_not_be_asked_for_is_not_taken_for_gone() {
    let bench = Bench::new(inventory(&["a"]), SEALED_QUEUES);
    let pass = bench.pass().await;
    bench.account.world().unlisted.insert(everseal_planner::Service::Sqs, crate::testing::unreadable(ErrorClass::Throttled));
    let applied = cycle::apply(&bench.executor(), pass, &|_| {}).await;
    assert!(matches!(&applied.reports[0].result, StepResult::Unread(why) if why == "ListTest: told to"), "{:?}", applied.reports[0].result);
    assert_eq!((bench.account.writes().len(), applied.pass.inventory.queues.len()), (0, 1));
}
