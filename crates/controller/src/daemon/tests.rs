#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use everseal_planner::firehose::observed::KmsError;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::{Check, Inventory, Service, State};
use object_store::memory::InMemory;
use object_store::path::Path;
use prometheus::Registry;

use super::*;
use crate::account::KmsErrorPoint;
use crate::ledger::{Filter, LedgerOutcome, Outcome};
use crate::tally::ResourceState;
use crate::testing::{
    Call, FakeAws, Fault, NOON, SEALED_QUEUES, customer_key_stream, inventory, metrics, policies, queue_arn, scope, unreadable, value,
};

/// Reaches the accounts that a test has put in.
#[derive(Default)]
struct Reach {
    accounts: Mutex<Vec<Arc<FakeAws>>>,
    failures: Mutex<Vec<String>>,
    tries: Mutex<usize>,
}

impl Connect for Arc<Reach> {
    type Account = FakeAws;

    async fn connect(&self, _policies: &PolicySet) -> Connected<FakeAws> {
        *self.tries.lock().unwrap() += 1;
        Connected { accounts: self.accounts.lock().unwrap().clone(), failures: self.failures.lock().unwrap().clone() }
    }
}

/// A running daemon and everything around it.
pub(super) struct Rig {
    reach: Arc<Reach>,
    policies: watch::Sender<Arc<PolicySet>>,
    ledger: Ledger,
    registry: Registry,
    status: Status,
    events: Events,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

pub(super) fn options() -> DaemonOptions {
    DaemonOptions { seed: Some(11), interval: Duration::from_hours(1), ..DaemonOptions::default() }
}

impl Rig {
    fn start(accounts: Vec<Arc<FakeAws>>, spec: &str, options: DaemonOptions) -> Self {
        let reach = Arc::new(Reach { accounts: Mutex::new(accounts), ..Reach::default() });
        Self::reaching(reach, spec, options)
    }

    fn reaching(reach: Arc<Reach>, spec: &str, options: DaemonOptions) -> Self {
        Self::with(reach, spec, options, None)
    }

    pub(super) fn probing(accounts: Vec<Arc<FakeAws>>, spec: &str, options: DaemonOptions, prober: Arc<dyn Prober>) -> Self {
        let reach = Arc::new(Reach { accounts: Mutex::new(accounts), ..Reach::default() });
        Self::with(reach, spec, options, Some(prober))
    }

    fn with(reach: Arc<Reach>, spec: &str, options: DaemonOptions, prober: Option<Arc<dyn Prober>>) -> Self {
        let clock = Clock::starting_at(NOON);
        let (metrics, registry) = metrics(clock);
        let (policies, in_force) = watch::channel(policies(spec));
        let ledger = Ledger::new(Arc::new(InMemory::new()), Path::default());
        let status = Status::new(clock);
        let shared = Shared { ledger: ledger.clone(), metrics, status: status.clone(), prober, clock, options: Arc::new(options) };
        let daemon = Daemon::new(Arc::clone(&reach), in_force, shared);
        let (events, stop) = (daemon.events(), CancellationToken::new());
        let task = tokio::spawn(daemon.run(stop.clone()));
        Self { reach, policies, ledger, registry, status, events, stop, task }
    }

    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        value(&self.registry, name, labels)
    }
}

pub(super) async fn pass_time(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn applies(account: &FakeAws, queue: &str) -> usize {
    account.writes().iter().filter(|(arn, _)| *arn == queue_arn(queue)).count()
}

#[tokio::test(start_paused = true)]
async fn drift_is_removed_and_steady_state_is_nothing_but_reads() {
    let account = FakeAws::new(inventory(&["a", "b", "c"]));
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, DaemonOptions { interval: Duration::from_mins(1), ..options() });
    pass_time(10).await;
    assert!(["a", "b", "c"].iter().all(|queue| account.is_sealed(queue)));
    assert_eq!(account.writes().len(), 3);
    let per_check = [("service", "sqs"), ("check", "sqs-encryption")];
    assert_eq!(rig.value("everseal_drift", &per_check), Some(0.0));
    assert_eq!(rig.value("everseal_steps_total", &[("outcome", "applied")]), Some(3.0));
    assert_eq!(rig.value("everseal_resources", &[("service", "sqs"), ("state", "compliant")]), Some(3.0));
    let before = account.world().calls.len();
    pass_time(600).await;
    let calls = account.world().calls[before..].to_vec();
    assert!((9..=11).contains(&calls.len()), "{calls:?}");
    assert!(calls.iter().all(|call| *call == Call::ObserveAll), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_changed_resource_is_put_right_at_once_and_alone() {
    let account = FakeAws::new(inventory(&["a", "b"]));
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, options());
    pass_time(120).await;
    account.unseal("a");
    let before = account.world().calls.len();
    for _ in 0..50 {
        rig.events.changed(queue_arn("a"));
    }
    pass_time(5).await;
    assert!(account.is_sealed("a"));
    let calls = account.world().calls[before..].to_vec();
    assert!(!calls.contains(&Call::ObserveAll), "{calls:?}");
    assert_eq!(applies(&account, "a"), 2);
    assert!(calls.len() <= 8, "fifty hints are one: {calls:?}");
    assert_eq!((applies(&account, "b"), account.full_passes()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_resource_has_one_worker_and_is_looked_at_again_if_it_changed_meanwhile() {
    let account = FakeAws::new(inventory(&["a"]));
    account.fault(&queue_arn("a"), Fault::TakeLong(Duration::from_secs(5)));
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, options());
    pass_time(2).await;
    assert_eq!(applies(&account, "a"), 1, "the write is in hand");
    rig.events.changed(queue_arn("a"));
    rig.events.changed(queue_arn("a"));
    pass_time(2).await;
    assert_eq!(account.world().calls.last(), Some(&Call::Apply(queue_arn("a"), "SetQueueAttributes")), "nobody else touches it");
    pass_time(10).await;
    let calls = account.world().calls.clone();
    let written = calls.iter().rposition(|call| matches!(call, Call::Apply(..))).unwrap();
    // The read back of the write, and the look that the hint asked for.
    assert_eq!(calls[written + 1..], [Call::Observe([queue_arn("a")].into(), false), Call::Observe([queue_arn("a")].into(), false)]);
    assert_eq!(account.world().most_in_hand, 1);
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_with_growing_waits() {
    let account = FakeAws::new(inventory(&["a", "b"]));
    for _ in 0..4 {
        account.fault(&queue_arn("a"), Fault::Refuse(ErrorClass::Throttled));
    }
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, options());
    pass_time(3).await;
    assert!(account.is_sealed("b"), "one resource's failure is its own");
    assert!(!account.is_sealed("a"));
    pass_time(60).await;
    assert!(account.is_sealed("a"));
    assert_eq!((applies(&account, "a"), account.full_passes()), (5, 1));
    assert_eq!(rig.value("everseal_workqueue_retries_total", &[]), Some(4.0));
    assert_eq!(rig.value("everseal_steps_total", &[("outcome", "failed")]), Some(4.0));
    assert_eq!(rig.value("everseal_reconcile_total", &[("service", "sqs"), ("result", "error")]), Some(4.0));
}

#[tokio::test(start_paused = true)]
async fn what_can_only_fail_again_waits_for_the_next_full_pass() {
    let account = FakeAws::new(inventory(&["a"]));
    for _ in 0..2 {
        account.fault(&queue_arn("a"), Fault::Refuse(ErrorClass::Invalid));
    }
    let _rig = Rig::start(vec![account.clone()], SEALED_QUEUES, DaemonOptions { interval: Duration::from_mins(10), ..options() });
    pass_time(500).await;
    assert_eq!(applies(&account, "a"), 1);
    pass_time(200).await;
    assert_eq!(applies(&account, "a"), 2);
    pass_time(700).await;
    assert!(account.is_sealed("a"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_contained_counted_and_tried_again() {
    let account = FakeAws::new(inventory(&["a", "b"]));
    account.world().panics.insert(queue_arn("a"), 2);
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, options());
    rig.events.changed(queue_arn("a"));
    pass_time(5).await;
    assert!(account.is_sealed("b"));
    rig.events.changed(queue_arn("a"));
    pass_time(60).await;
    assert!(account.is_sealed("a"));
    assert!(rig.value("everseal_reconcile_total", &[("service", "sqs"), ("result", "panic")]).unwrap() >= 1.0);
    assert!(rig.status.liveness().ok);
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_the_writes_in_hand_and_begins_no_other() {
    let account = FakeAws::new(inventory(&["a", "b", "c", "d"]));
    for queue in ["a", "b", "c", "d"] {
        account.fault(&queue_arn(queue), Fault::TakeLong(Duration::from_secs(3)));
    }
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, DaemonOptions { concurrency: 2, ..options() });
    pass_time(1).await;
    rig.stop.cancel();
    let began = Instant::now();
    let Rig { ledger, task, .. } = rig;
    task.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let sealed: Vec<bool> = ["a", "b", "c", "d"].map(|queue| account.is_sealed(queue)).to_vec();
    assert_eq!(sealed.iter().filter(|sealed| **sealed).count(), 2, "{sealed:?}");
    for entry in ledger.latest(Filter::default(), 10).await.unwrap() {
        assert!(matches!(entry.result, Outcome::Recorded(ref record) if record.outcome == LedgerOutcome::Applied), "{entry:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever() {
    let account = FakeAws::new(inventory(&["a"]));
    account.fault(&queue_arn("a"), Fault::DieBefore);
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, options());
    pass_time(1).await;
    rig.stop.cancel();
    assert!(tokio::time::timeout(Duration::from_secs(10), rig.task).await.is_ok());
    assert_eq!(rig.ledger.latest(Filter::default(), 1).await.unwrap()[0].result, Outcome::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_stop_cuts_a_full_pass_off() {
    let account = FakeAws::new(inventory(&["a"]));
    account.world().observe_takes = Duration::from_mins(5);
    let rig = Rig::start(vec![account], SEALED_QUEUES, options());
    pass_time(1).await;
    rig.stop.cancel();
    assert!(tokio::time::timeout(Duration::from_secs(1), rig.task).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn other_policies_are_worked_by_at_once() {
    let account = FakeAws::new(inventory(&["a"]));
    let rig = Rig::start(vec![account.clone()], &SEALED_QUEUES.replace("enforce", "audit"), options());
    pass_time(5).await;
    assert_eq!(rig.value("everseal_drift", &[("check", "sqs-encryption")]), Some(1.0));
    assert_eq!(rig.value("everseal_steps_total", &[("outcome", "gated")]), Some(1.0));
    assert!(account.writes().is_empty());
    rig.policies.send_replace(policies(SEALED_QUEUES));
    pass_time(5).await;
    assert!(account.is_sealed("a"));
    assert_eq!(rig.value("everseal_drift", &[("check", "sqs-encryption")]), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_changes_nothing_and_shows_everything() {
    let account = FakeAws::new(inventory(&["a"]));
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, DaemonOptions { dry_run: true, ..options() });
    pass_time(5).await;
    rig.events.changed(queue_arn("a"));
    pass_time(60).await;
    assert!(account.writes().is_empty());
    assert_eq!(rig.status.scopes()[0].steps.len(), 1);
}

fn in_region(region: &str, queues: &[&str]) -> Arc<FakeAws> {
    let elsewhere = Scope { region: region.to_owned(), ..scope() };
    let mut there = Inventory::empty(elsewhere.clone(), NOON);
    for name in queues {
        let mut queue = crate::testing::queue(name);
        queue.arn = elsewhere.arn("sqs", name);
        there.queues.insert(queue.arn.clone(), queue);
    }
    FakeAws::new(there)
}

#[tokio::test(start_paused = true)]
async fn one_scopes_failure_is_its_own() {
    let (good, bad) = (FakeAws::new(inventory(&["a"])), in_region("us-east-1", &["b"]));
    for service in [Service::Kms, Service::Sqs] {
        bad.world().unlisted.insert(service, unreadable(ErrorClass::Unavailable));
    }
    let rig = Rig::start(vec![good.clone(), bad.clone()], SEALED_QUEUES, options());
    pass_time(60).await;
    assert!(good.is_sealed("a"));
    assert_eq!(rig.value("everseal_last_success_timestamp_seconds", &[("region", "us-east-1"), ("service", "sqs")]), None);
    assert!(rig.value("everseal_last_success_timestamp_seconds", &[("region", "eu-west-1"), ("service", "sqs")]).is_some());
    let reasons = rig.status.readiness().reasons;
    assert_eq!(reasons, ["no policy is loaded yet", "111122223333/us-east-1: kms can't be listed: ListTest: told to"]);
    assert!(bad.full_passes() > 2, "it is tried again long before the interval");
    bad.world().unlisted.clear();
    pass_time(300).await;
    assert_eq!(rig.status.readiness().reasons, ["no policy is loaded yet"]);
    assert_eq!(bad.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_may_not_be_listed_does_not_hold_the_others_up() {
    let account = FakeAws::new(inventory(&["a"]));
    account.world().unlisted.insert(Service::Kms, unreadable(ErrorClass::Denied));
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, options());
    rig.status.policies_loaded(vec!["test".to_owned()], "r".to_owned());
    pass_time(60).await;
    assert!(account.is_sealed("a"));
    assert!(rig.status.readiness().ok, "a missing permission is a finding, not an outage");
    let status = &rig.status.scopes()[0];
    assert_eq!((status.last_success, status.last_error.as_deref()), (None, Some("kms can't be listed: ListTest: told to")));
    pass_time(1800).await;
    assert_eq!(account.full_passes(), 1, "nor does it make everything be read again and again");
}

#[test]
fn an_account_that_stays_closed_is_logged_once_for_each_reason() {
    let (denied, throttled) = ("2 is left out: denied".to_owned(), "2 is left out: throttled".to_owned());
    let other = "3 is left out: denied".to_owned();
    assert_eq!(news(&[], std::slice::from_ref(&denied)), [&denied]);
    assert!(news(std::slice::from_ref(&denied), std::slice::from_ref(&denied)).is_empty());
    assert_eq!(news(std::slice::from_ref(&denied), &[denied.clone(), other.clone()]), [&other]);
    assert_eq!(news(&[denied.clone(), other], std::slice::from_ref(&throttled)), [&throttled]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_reached_is_said_and_tried_again() {
    let reach = Arc::new(Reach::default());
    reach.failures.lock().unwrap().push("no credentials found".to_owned());
    let rig = Rig::reaching(Arc::clone(&reach), SEALED_QUEUES, options());
    rig.status.policies_loaded(vec!["test".to_owned()], "r".to_owned());
    pass_time(5).await;
    assert_eq!(rig.status.readiness().reasons, ["no credentials found"]);
    assert!(rig.status.liveness().ok);
    pass_time(60).await;
    assert!(*reach.tries.lock().unwrap() >= 4);
    let account = FakeAws::new(inventory(&["a"]));
    rig.reach.failures.lock().unwrap().clear();
    rig.reach.accounts.lock().unwrap().push(account.clone());
    pass_time(30).await;
    assert!(account.is_sealed("a"));
    assert!(rig.status.readiness().ok, "{:?}", rig.status.readiness());
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_no_policy_holds_in_any_more_leaves_no_trace() {
    let (here, there) = (FakeAws::new(inventory(&["a"])), in_region("us-east-1", &["b"]));
    let rig = Rig::start(vec![here, there], SEALED_QUEUES, options());
    pass_time(40).await;
    assert!(rig.value("everseal_resources", &[("region", "us-east-1")]).is_some());
    rig.reach.accounts.lock().unwrap().pop();
    rig.policies.send_replace(policies(SEALED_QUEUES));
    pass_time(30).await;
    for name in ["everseal_resources", "everseal_drift", "everseal_drift_oldest_seconds", "everseal_last_success_timestamp_seconds"] {
        assert_eq!(rig.value(name, &[("region", "us-east-1")]), None, "{name}");
        assert!(rig.value(name, &[("region", "eu-west-1")]).is_some(), "{name}");
    }
    assert_eq!(rig.status.scopes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_resource_is_forgotten_quietly() {
    let account = FakeAws::new(inventory(&["a", "b"]));
    let rig = Rig::start(vec![account.clone()], &SEALED_QUEUES.replace("enforce", "audit"), options());
    pass_time(5).await;
    assert_eq!(rig.status.scopes()[0].tally.in_state(ResourceState::Drifted), 2);
    account.world().truth.queues.remove(&queue_arn("a"));
    rig.events.changed(queue_arn("a"));
    pass_time(5).await;
    let status = &rig.status.scopes()[0];
    assert_eq!((status.tally.in_state(ResourceState::Drifted), status.last_error.clone()), (1, None));
    assert_eq!(rig.value("everseal_workqueue_retries_total", &[]), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn a_stale_read_after_our_write_is_not_new_drift() {
    let account = FakeAws::new(inventory(&["a"]));
    account.fault(&queue_arn("a"), Fault::ShowOldFor(Duration::from_secs(50)));
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, DaemonOptions { interval: Duration::from_secs(10), ..options() });
    for _ in 0..12 {
        pass_time(10).await;
        assert_eq!(rig.value("everseal_drift", &[("check", "sqs-encryption")]), Some(0.0));
    }
    assert_eq!(applies(&account, "a"), 1);
    assert!(account.full_passes() > 8);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_made_first_and_its_users_follow_at_once() {
    let spec = r"  mode: enforce
  scopes: { regions: [eu-west-1] }
  keys: [{ alias: alias/finance, usableBy: { services: [sqs] } }]
  sqs: [{ name: queues, atRest: { encryption: SSE-KMS, key: alias/finance } }]
";
    let account = FakeAws::new(inventory(&["a", "b"]));
    let rig = Rig::start(vec![account.clone()], spec, options());
    pass_time(60).await;
    let actions: Vec<&str> = account.writes().iter().map(|(_, action)| *action).collect();
    assert_eq!(actions, ["CreateKey", "SetQueueAttributes", "SetQueueAttributes"]);
    assert_eq!(account.full_passes(), 1, "nothing waits for the next full pass");
    let key = [("key", "arn:aws:kms:eu-west-1:111122223333:key/made-for-finance")];
    assert_eq!(rig.value("everseal_kms_key_state", &[key[0], ("state", "Enabled")]), Some(1.0));
    assert_eq!(rig.value("everseal_kms_key_state", &key), Some(1.0), "one state at a time");
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_a_cycle_lets_the_rest_wait_for_the_next() {
    let account = FakeAws::new(inventory(&["a", "b", "c", "d", "e"]));
    let spec = format!("{SEALED_QUEUES}  limits: {{ maxChangesPerCycle: 2 }}\n");
    let _rig = Rig::start(vec![account.clone()], &spec, DaemonOptions { interval: Duration::from_mins(10), ..options() });
    let mut made = Vec::new();
    for _ in 0..3 {
        pass_time(300).await;
        made.push(account.writes().len());
        pass_time(330).await;
    }
    assert_eq!(made, [2, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn firehoses_errors_become_counters_and_a_deadline() {
    let mut truth = inventory(&[]);
    let stream = customer_key_stream("orders");
    truth.delivery_streams.insert(stream.arn.clone(), stream);
    let account = FakeAws::new(truth);
    let point =
        |minute: i64, count| KmsErrorPoint { stream: "orders".to_owned(), error: KmsError::Disabled, at: NOON + minute * 60, count };
    account.world().points = Ok(vec![point(-10, 4)]);
    let spec = "  firehose:\n    - { name: streams, atRest: { keyType: CUSTOMER_MANAGED_CMK, key: alias/finance } }\n";
    let rig = Rig::start(vec![account.clone()], spec, options());
    pass_time(30).await;
    let stream = [("delivery_stream", "orders"), ("region", "eu-west-1")];
    let deadline = "everseal_firehose_data_loss_deadline_timestamp_seconds";
    assert_eq!(rig.value("everseal_firehose_kms_errors_total", &stream), Some(0.0), "from before this process");
    #[allow(clippy::cast_precision_loss)]
    let expected = (NOON - 600 + 24 * 3600) as f64;
    assert_eq!(rig.value(deadline, &stream), Some(expected), "and yet the records are running out of time");
    let found = |rig: &Rig| {
        let scopes = rig.status.scopes();
        scopes[0].findings.iter().any(|finding| finding.check == Check::FirehoseKmsErrors && finding.state == State::Drifted)
    };
    assert!(found(&rig), "{:?}", rig.status.scopes()[0].findings);
    account.world().points = Ok(vec![point(-10, 4), point(2, 3)]);
    pass_time(600).await;
    let disabled = [("delivery_stream", "orders"), ("error", "KMSKeyDisabled")];
    assert_eq!(rig.value("everseal_firehose_kms_errors_total", &disabled), Some(3.0));
    pass_time(1800).await;
    assert_eq!(rig.value(deadline, &stream), None, "half an hour of silence");
    assert!(!found(&rig), "and the finding goes with it, without a full pass");
    assert_eq!(rig.value("everseal_firehose_kms_errors_total", &disabled), Some(3.0));
}

#[tokio::test(start_paused = true)]
async fn what_is_compliant_is_counted_and_not_kept() {
    let mut truth = inventory(&[]);
    for index in 0..500 {
        let mut queue = crate::testing::queue(&format!("q{index}"));
        if let everseal_planner::Reading::Known(attributes) = &mut queue.attributes {
            attributes.sqs_managed_sse = index != 7;
        }
        truth.queues.insert(queue.arn.clone(), queue);
    }
    let rig = Rig::start(vec![FakeAws::new(truth)], &SEALED_QUEUES.replace("enforce", "audit"), options());
    pass_time(5).await;
    let status = &rig.status.scopes()[0];
    assert_eq!((status.findings.len(), status.tally.in_state(ResourceState::Compliant)), (1, 499));
    pass_time(100).await;
    let oldest = rig.value("everseal_drift_oldest_seconds", &[("check", "sqs-encryption")]).unwrap();
    assert!((104.0..=106.0).contains(&oldest), "{oldest}: an age grows between passes");
}

#[tokio::test(start_paused = true)]
async fn what_is_seen_during_a_full_pass_is_newer_than_what_the_pass_brings() {
    let account = FakeAws::new(inventory(&["a"]));
    let audit = SEALED_QUEUES.replace("enforce", "audit");
    let rig = Rig::start(vec![account.clone()], &audit, DaemonOptions { interval: Duration::from_secs(100), ..options() });
    let drift = || rig.value("everseal_drift", &[("check", "sqs-encryption")]);
    pass_time(90).await;
    account.world().observe_takes = Duration::from_secs(50);
    pass_time(30).await;
    // The second full pass has begun, and has seen the queue unsealed. Now a person seals it.
    if let everseal_planner::Reading::Known(attributes) = &mut account.world().truth.queues.get_mut(&queue_arn("a")).unwrap().attributes {
        attributes.sqs_managed_sse = true;
    }
    rig.events.changed(queue_arn("a"));
    pass_time(2).await;
    assert_eq!((drift(), account.full_passes()), (Some(0.0), 1));
    pass_time(40).await;
    assert_eq!((drift(), account.full_passes()), (Some(0.0), 2));
}

#[tokio::test(start_paused = true)]
async fn a_hint_gives_a_step_that_was_given_up_another_try() {
    let account = FakeAws::new(inventory(&["a"]));
    account.fault(&queue_arn("a"), Fault::Refuse(ErrorClass::Invalid));
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, options());
    pass_time(60).await;
    assert!(!account.is_sealed("a"));
    rig.events.changed(queue_arn("a"));
    pass_time(2).await;
    assert!(account.is_sealed("a"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_of_a_plan_whose_policies_are_not_in_force_any_more() {
    let queues: Vec<String> = (0..20).map(|index| format!("q{index:02}")).collect();
    let names: Vec<&str> = queues.iter().map(String::as_str).collect();
    let account = FakeAws::new(inventory(&names));
    for name in &names {
        account.fault(&queue_arn(name), Fault::TakeLong(Duration::from_secs(2)));
    }
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, DaemonOptions { concurrency: 2, ..options() });
    pass_time(1).await;
    assert_eq!(account.writes().len(), 2);
    account.world().observe_takes = Duration::from_mins(1);
    rig.policies.send_replace(policies(&SEALED_QUEUES.replace("enforce", "audit")));
    pass_time(300).await;
    assert_eq!(account.writes().len(), 2, "eighteen writes were due under the old policy");
}

#[tokio::test(start_paused = true)]
async fn a_hint_whose_resource_cannot_be_read_is_tried_again() {
    let account = FakeAws::new(inventory(&["a"]));
    let rig = Rig::start(vec![account.clone()], SEALED_QUEUES, options());
    pass_time(120).await;
    account.unseal("a");
    account.world().unlisted.insert(Service::Sqs, unreadable(ErrorClass::Throttled));
    rig.events.changed(queue_arn("a"));
    pass_time(1).await;
    account.world().unlisted.clear();
    pass_time(20).await;
    assert!(account.is_sealed("a"));
    assert_eq!(account.full_passes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_works_again_lets_its_users_steps_begin_at_once() {
    let spec = r"  mode: enforce
  scopes: { regions: [eu-west-1] }
  keys: [{ alias: alias/finance, usableBy: { services: [sqs] } }]
  sqs: [{ name: queues, atRest: { encryption: SSE-KMS, key: alias/finance } }]
";
    let account = FakeAws::new(inventory(&["a"]));
    let disabled = |account: &FakeAws, is: &str| {
        let mut world = account.world();
        let key = world.truth.keys.values_mut().next().unwrap();
        if let everseal_planner::Reading::Known(metadata) = &mut key.metadata {
            is.clone_into(&mut metadata.state);
        }
        key.arn.clone()
    };
    // The key that the first life of the daemon made is disabled by a person before the queue is moved to it.
    account.fault(&queue_arn("a"), Fault::Refuse(ErrorClass::Invalid));
    let rig = Rig::start(vec![account.clone()], spec, DaemonOptions { interval: Duration::from_secs(100), ..options() });
    pass_time(60).await;
    let key = disabled(&account, "Disabled");
    pass_time(60).await;
    let blocked = |rig: &Rig| rig.status.scopes()[0].steps.iter().any(|step| step.resource == queue_arn("a") && step.gate.is_some());
    assert!(blocked(&rig), "{:?}", rig.status.scopes()[0].steps);
    let (writes, passes) = (account.writes().len(), account.full_passes());
    disabled(&account, "Enabled");
    rig.events.changed(key);
    pass_time(3).await;
    assert_eq!((account.writes().len(), account.full_passes()), (writes + 1, passes));
    assert!(!blocked(&rig));
}

#[tokio::test(start_paused = true)]
async fn a_running_scope_changes_its_way_in_only_with_the_policies() {
    let (first, second) = (FakeAws::new(inventory(&["a"])), FakeAws::new(inventory(&["a"])));
    let rig = Rig::start(vec![first.clone()], SEALED_QUEUES, options());
    rig.reach.failures.lock().unwrap().push("account 444455556666: AssumeRole is denied".to_owned());
    rig.policies.send_replace(policies(SEALED_QUEUES));
    pass_time(20).await;
    *rig.reach.accounts.lock().unwrap() = vec![second.clone()];
    pass_time(60).await;
    assert!(*rig.reach.tries.lock().unwrap() > 3, "the other account is tried again");
    assert_eq!(second.world().calls, []);
    rig.policies.send_replace(policies(&SEALED_QUEUES.replace("queues,", "all-queues,")));
    let before = first.world().calls.len();
    pass_time(5).await;
    assert!(second.is_sealed("a"));
    assert_eq!(first.world().calls.len(), before, "nothing goes the old way any more");
}

/// A bucket that notifies queue `a`, and everything beside them read.
fn notifying() -> everseal_planner::Inventory {
    let mut inventory = inventory(&["a"]);
    let bucket = serde_json::json!({
        "arn": "arn:aws:s3:::uploads", "name": "uploads", "encryption": {"algorithm": "AES256"}, "document": null, "website": false,
        "logDeliveryAcl": false, "loggingTarget": null, "replication": [], "notifications": {"targets": [queue_arn("a")]},
    });
    let bucket: everseal_planner::inventory::Bucket = serde_json::from_value(bucket).unwrap();
    inventory.buckets.insert(bucket.arn.clone(), bucket);
    let lets_in = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": queue_arn("a"), "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::uploads"}}}]});
    for queue in inventory.queues.values_mut() {
        if let everseal_planner::Reading::Known(attributes) = &mut queue.attributes {
            attributes.document = Some(lets_in.to_string());
        }
    }
    inventory.path_facts.event_rules = everseal_planner::Reading::Known(Vec::new());
    inventory.path_facts.distributions = everseal_planner::Reading::Known(Vec::new());
    inventory
}

const PATHS: &str = "  mode: enforce
  s3:
    - { name: buckets, atRest: { algorithm: AES256 } }
  sqs:
    - { name: queues, atRest: { encryption: SSE-SQS } }
";

#[tokio::test(start_paused = true)]
async fn paths_are_read_at_first_and_once_an_interval_and_judged_at_every_plan() {
    let account = FakeAws::new(notifying());
    let interval = DaemonOptions { interval: Duration::from_mins(5), ..options() };
    let audit = PATHS.replace("enforce", "audit");
    let rig = Rig::start(vec![account.clone()], &audit, interval);
    let paths = || ["sealed", "exposed", "blocked"].map(|state| rig.value("everseal_paths", &[("state", state)]));
    pass_time(10).await;
    assert_eq!(account.world().path_reads, 1);
    assert_eq!(paths(), [Some(0.0), Some(0.0), Some(1.0)], "audit: the step that would seal the queue is blocked");
    rig.policies.send(policies(PATHS)).unwrap();
    pass_time(20).await;
    assert!(account.is_sealed("a"));
    assert_eq!(paths(), [Some(1.0), Some(0.0), Some(0.0)]);
    let before = account.world().path_reads;
    let passes = account.full_passes();
    pass_time(50 * 60).await;
    assert_eq!(account.world().path_reads, before, "not at every pass");
    assert!(account.full_passes() >= passes + 9);
    assert_eq!(paths(), [Some(1.0), Some(0.0), Some(0.0)], "passes without path facts do not make the paths forgotten");
    pass_time(20 * 60).await;
    assert_eq!(account.world().path_reads, before + 1);
    let shown = rig.status.scopes()[0].paths.clone();
    assert_eq!(shown.shown["paths"][0]["origin"], "arn:aws:s3:::uploads");
    assert_eq!((shown.tally.sealed, shown.read_at), (1, Some(NOON)));
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_zero_never_reads_paths() {
    let account = FakeAws::new(notifying());
    let never = DaemonOptions { interval: Duration::from_mins(5), paths_interval: Duration::ZERO, ..options() };
    let rig = Rig::start(vec![account.clone()], PATHS, never);
    pass_time(3 * 3600).await;
    assert_eq!(account.world().path_reads, 0);
    assert_eq!(rig.value("everseal_paths", &[("state", "sealed")]), None);
    assert!(rig.status.scopes()[0].findings.iter().all(|finding| finding.check != everseal_planner::Check::PathSealed));
}

#[tokio::test(start_paused = true)]
async fn a_broken_path_is_found_at_every_plan_though_it_is_read_once_an_hour() {
    let mut truth = notifying();
    if let everseal_planner::Reading::Known(attributes) = &mut truth.queues.get_mut(&queue_arn("a")).unwrap().attributes {
        attributes.kms_key = Some("alias/aws/sqs".to_owned());
    }
    let account = FakeAws::new(truth);
    let rig = Rig::start(vec![account.clone()], PATHS, DaemonOptions { interval: Duration::from_mins(5), ..options() });
    let found = || rig.status.scopes()[0].findings.iter().filter(|finding| finding.check == everseal_planner::Check::PathSealed).count();
    for _ in 0..4 {
        pass_time(400).await;
        assert_eq!(found(), 1);
        assert_eq!(rig.value("everseal_paths", &[("state", "blocked")]), Some(1.0));
    }
    assert_eq!(account.world().path_reads, 1);
    assert!(account.writes().is_empty(), "a broken path is reported, never mended by lowering anything");
}
