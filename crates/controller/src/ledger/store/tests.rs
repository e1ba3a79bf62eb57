#![allow(clippy::unwrap_used)]

use everseal_planner::plan::{Change, StepId};
use everseal_planner::{Check, Service};
use object_store::memory::InMemory;

use super::*;
use crate::ledger::{Actor, LedgerOutcome};
use crate::testing::{NOON, queue_arn, scope};

const DAY: i64 = 24 * 3600;

fn ledger() -> Ledger {
    Ledger::new(Arc::new(InMemory::new()), Path::from("audit/everseal"))
}

fn intent(at: i64, resource: Arn, change: Change) -> Intent {
    Intent {
        at_millis: at * 1000 + 345,
        scope: scope(),
        service: Service::Sqs,
        check: Check::SqsSecureTransport,
        step: StepId(format!("sqs-secure-transport:SetQueueAttributes:{resource}")),
        resource,
        action: change.action().to_owned(),
        summary: "deny plain HTTP".to_owned(),
        change,
        undo: String::new(),
        policy: "finance".to_owned(),
        revision: "abc".to_owned(),
        rule: "queues".to_owned(),
        actor: Actor::Daemon,
    }
}

fn document(before: Option<&str>, after: &str) -> Change {
    Change::QueueDocument { url: "https://queue".to_owned(), before: before.map(str::to_owned), after: after.to_owned() }
}

fn applied(at: i64) -> OutcomeRecord {
    OutcomeRecord { at_millis: at * 1000, outcome: LedgerOutcome::Applied, error: None }
}

async fn record(ledger: &Ledger, at: i64, queue: &str) {
    let open = ledger.open(intent(at, queue_arn(queue), document(None, "{}"))).await.unwrap();
    ledger.close(open, applied(at + 1)).await.unwrap();
}

async fn names(ledger: &Ledger, filter: Filter) -> Vec<String> {
    let entries = ledger.latest(filter, usize::MAX).await.unwrap();
    entries.iter().map(|entry| entry.intent.resource.name().to_owned()).collect()
}

#[tokio::test]
async fn a_record_says_what_was_and_what_is() {
    let ledger = ledger();
    let change = document(Some("{\"old\":1}"), "{\"new\":2}");
    let open = ledger.open(intent(NOON, queue_arn("a"), change.clone())).await.unwrap();
    let entry = ledger.close(open, applied(NOON + 2)).await.unwrap();
    assert_eq!(ledger.latest(Filter::default(), 10).await.unwrap(), std::slice::from_ref(&entry));
    assert_eq!((entry.intent.before(), entry.intent.after()), ("{\"old\":1}".into(), "{\"new\":2}".into()));
    assert_eq!(entry.result, Outcome::Recorded(applied(NOON + 2)));
}

#[tokio::test]
async fn objects_are_named_by_day_and_time() {
    let ledger = ledger();
    record(&ledger, NOON, "a").await;
    let mut objects: Vec<String> = ledger.store.list(None).map_ok(|object| object.location.to_string()).try_collect().await.unwrap();
    objects.sort();
    let stem = format!("audit/everseal/2026/11/24/20261124T120000345Z-000000-{}-SetQueueAttributes", ledger.process);
    assert_eq!(objects, [format!("{stem}.intent.json"), format!("{stem}.outcome.json")]);
}

#[tokio::test]
async fn an_intent_without_outcome_reads_as_interrupted() {
    let ledger = ledger();
    let _open = ledger.open(intent(NOON, queue_arn("a"), document(None, "{}"))).await.unwrap();
    assert_eq!(ledger.latest(Filter::default(), 1).await.unwrap()[0].result, Outcome::Interrupted);
}

#[tokio::test]
async fn entries_come_in_order_of_time_over_days_and_processes() {
    let one = ledger();
    let other = Ledger { process: "00000000".to_owned(), sequence: Arc::default(), ..one.clone() };
    record(&one, NOON + 2 * DAY, "third").await;
    record(&other, NOON + DAY, "second").await;
    record(&one, NOON - 40 * DAY, "first").await;
    record(&other, NOON + 2 * DAY + 60, "fourth").await;
    assert_eq!(names(&one, Filter::default()).await, ["first", "second", "third", "fourth"]);
    let latest = one.latest(Filter::default(), 2).await.unwrap();
    assert_eq!(latest.iter().map(|entry| entry.intent.resource.name()).collect::<Vec<_>>(), ["third", "fourth"]);
}

#[tokio::test]
async fn filters_choose_by_time_and_resource() {
    let ledger = ledger();
    for (day, queue) in [(0, "a"), (1, "b"), (2, "a")] {
        record(&ledger, NOON + day * DAY, queue).await;
    }
    let since = Filter { since: Some(NOON + DAY), ..Filter::default() };
    assert_eq!(names(&ledger, since.clone()).await, ["b", "a"]);
    assert_eq!(names(&ledger, Filter { until: Some(NOON + 2 * DAY), ..since }).await, ["b"]);
    let later_that_day = Filter { since: Some(NOON + 3600), until: Some(NOON + DAY), ..Filter::default() };
    assert!(names(&ledger, later_that_day).await.is_empty(), "the day's folder is not enough");
    assert_eq!(names(&ledger, Filter { resource: Some(queue_arn("a")), ..Filter::default() }).await, ["a", "a"]);
    assert!(names(&ledger, Filter { action: Some("PutBucketPolicy".to_owned()), ..Filter::default() }).await.is_empty());
}

#[tokio::test]
async fn firehoses_daily_budget_is_read_from_what_was_begun() {
    let ledger = ledger();
    let stream = scope().arn("firehose", "deliverystream/orders");
    let change = || Change::DeliveryStreamEncryption {
        stream: "orders".to_owned(),
        before: everseal_planner::firehose::observed::StreamEncryption::default(),
        after: None,
    };
    for at in [NOON - DAY - 60, NOON - 3600, NOON - 60] {
        // Whether the call succeeded or not: AWS counts calls.
        let _open = ledger.open(intent(at, stream.clone(), change())).await.unwrap();
    }
    record(&ledger, NOON - 30, "a").await;
    let elsewhere = Scope { region: "us-east-1".to_owned(), ..scope() };
    assert_eq!(ledger.encryption_calls(&elsewhere, NOON - DAY).await.unwrap(), BTreeMap::new());
    let calls = ledger.encryption_calls(&scope(), NOON - DAY).await.unwrap();
    assert_eq!(calls, BTreeMap::from([(stream, vec![NOON - 3600, NOON - 60])]));
}

#[tokio::test]
async fn a_record_is_never_written_over() {
    let ledger = ledger();
    record(&ledger, NOON, "a").await;
    let twin = Ledger { sequence: Arc::default(), ..ledger.clone() };
    let refused = twin.open(intent(NOON, queue_arn("b"), document(None, "{}"))).await;
    assert!(matches!(refused, Err(LedgerError::Store { verb: "written", .. })), "{refused:?}");
    assert_eq!(names(&ledger, Filter::default()).await, ["a"]);
}

#[tokio::test]
async fn a_local_folder_holds_the_same() {
    let folder = std::env::temp_dir().join(format!("everseal-local-ledger-{}", std::process::id()));
    let ledger = Ledger::local(&folder.join("changes")).unwrap();
    record(&ledger, NOON, "a").await;
    record(&ledger, NOON + DAY, "b").await;
    let found = names(&Ledger::local(&folder.join("changes")).unwrap(), Filter::default()).await;
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(found, ["a", "b"]);
}

#[tokio::test]
async fn an_entry_has_one_flat_form_in_json() {
    let ledger = ledger();
    let open = ledger.open(intent(NOON, queue_arn("a"), document(None, "{}"))).await.unwrap();
    let interrupted = ledger.latest(Filter::default(), 1).await.unwrap().remove(0);
    let json = serde_json::to_value(&interrupted).unwrap();
    assert_eq!(json["result"], serde_json::json!({ "outcome": "interrupted" }));
    assert_eq!((json["policy"].as_str(), json["check"].as_str()), (Some("finance"), Some("sqs-secure-transport")));
    assert_eq!(json["change"]["queueDocument"]["after"], "{}");
    let entry = ledger.close(open, applied(NOON + 1)).await.unwrap();
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!(json["result"], serde_json::json!({ "outcome": "applied", "atMillis": (NOON + 1) * 1000 }));
    assert_eq!(serde_json::from_value::<Entry>(json).unwrap(), entry);
}
