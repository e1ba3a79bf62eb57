//! Every metric, in one place, each with its one help text (DESIGN.md §8).
//!
//! Labels are closed enums, or bounded by keys and delivery streams. No resource that is neither may
//! ever become a label: single resources are in the API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use everseal_planner::firehose::observed::KmsError;
use everseal_planner::inventory::Key;
use everseal_planner::{Arn, Check, Scope, Service};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, exponential_buckets,
};

use crate::calls::CallObserver;
use crate::clock::Clock;
use crate::tally::{ResourceState, Tally};

/// Outcome of a step, label `outcome` of `everseal_steps_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// Written.
    Applied,
    /// AWS or the ledger refused.
    Failed,
    /// A gate stopped it.
    Gated,
}

impl StepOutcome {
    const fn id(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Gated => "gated",
        }
    }
}

/// Result of one unit of work, label `result` of `everseal_reconcile_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkResult {
    /// Everything that could be done was done.
    Success,
    /// Something failed and will be tried again.
    Error,
    /// A bug: the work panicked and was contained.
    Panic,
}

impl WorkResult {
    const ALL: [Self; 3] = [Self::Success, Self::Error, Self::Panic];

    const fn id(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Panic => "panic",
        }
    }
}

/// The label `service` of a whole scope's resync.
const ALL_SERVICES: &str = "all";
/// Key states that AWS documents [KMS: Key states], and ours for what could not be read.
const KEY_STATES: [&str; 9] =
    ["Creating", "Enabled", "Disabled", "PendingDeletion", "PendingImport", "PendingReplicaDeletion", "Unavailable", "Updating", "Unknown"];
/// Distinct error codes of AWS that get a series; the rest is `Other`.
const MAX_CODES: usize = 64;

/// The metrics of the work queue, shared by the queues of all scopes.
#[derive(Debug, Clone)]
pub struct QueueMetrics {
    pub(crate) depth: IntGauge,
    pub(crate) adds: IntCounter,
    pub(crate) retries: IntCounter,
    pub(crate) queue_duration: Histogram,
    pub(crate) work_duration: Histogram,
}

/// All metrics. Cheap to share; every method takes `&self`.
#[derive(Debug)]
pub struct Metrics {
    resources: IntGaugeVec,
    drift: IntGaugeVec,
    oldest: DriftAges,
    reconcile: IntCounterVec,
    reconcile_duration: HistogramVec,
    last_success: IntGaugeVec,
    steps: IntCounterVec,
    requests: IntCounterVec,
    request_duration: HistogramVec,
    throttles: IntCounterVec,
    kms_errors: IntCounterVec,
    loss_deadline: IntGaugeVec,
    key_state: IntGaugeVec,
    policy_info: IntGaugeVec,
    policy_load_errors: IntCounter,
    policy_last_load: IntGauge,
    queue: QueueMetrics,
    keys_shown: Mutex<BTreeMap<Scope, BTreeSet<Arn>>>,
    codes: Mutex<BTreeSet<String>>,
}

fn buckets(start: f64, factor: f64, count: usize) -> Vec<f64> {
    exponential_buckets(start, factor, count).expect("start and factor are positive constants")
}

/// Registers what it makes, so that nothing is ever made and forgotten.
struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn add<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C, prometheus::Error> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn durations(&self, name: &str, help: &str, labels: &[&str], bounds: Vec<f64>) -> Result<HistogramVec, prometheus::Error> {
        self.add(HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds), labels)?)
    }
}

const PLACE: [&str; 3] = ["account", "region", "service"];

impl Metrics {
    /// Makes every metric and registers it, with the process's own (`process_*`).
    pub fn register(registry: &Registry, clock: Clock) -> Result<Self, prometheus::Error> {
        let make = Maker(registry);
        let per_check = ["account", "region", "service", "check"];
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self {
            resources: make.gauges(
                "everseal_resources",
                "Resources by the worst state of their checks.",
                &[&PLACE[..], &["state"]].concat(),
            )?,
            drift: make.gauges("everseal_drift", "Resources that have drifted from the policy.", &per_check)?,
            oldest: make.add(DriftAges::new(clock)?)?,
            reconcile: make.counters("everseal_reconcile_total", "Units of work done, by result.", &["service", "result"])?,
            reconcile_duration: make.durations(
                "everseal_reconcile_duration_seconds",
                "How long a unit of work took.",
                &["service"],
                buckets(0.01, 3.0, 10),
            )?,
            last_success: make.gauges(
                "everseal_last_success_timestamp_seconds",
                "When the service was last listed and judged without an error, in Unix time.",
                &PLACE,
            )?,
            steps: make.counters("everseal_steps_total", "Steps by what became of them.", &["service", "check", "outcome"])?,
            requests: make.counters(
                "everseal_aws_requests_total",
                "Requests to AWS, retries included, by AWS's answer.",
                &["service", "operation", "code"],
            )?,
            request_duration: make.durations(
                "everseal_aws_request_duration_seconds",
                "How long AWS took to answer a request.",
                &["service", "operation"],
                buckets(0.005, 2.5, 9),
            )?,
            throttles: make.counters("everseal_aws_throttles_total", "Requests that AWS throttled.", &["service", "operation"])?,
            kms_errors: make.counters(
                "everseal_firehose_kms_errors_total",
                "Errors that Firehose met using a delivery stream's KMS key, as CloudWatch counts them.",
                &["account", "region", "delivery_stream", "error"],
            )?,
            loss_deadline: make.gauges(
                "everseal_firehose_data_loss_deadline_timestamp_seconds",
                "When Firehose starts to discard records that it cannot decrypt, in Unix time; absent while there are no errors.",
                &["account", "region", "delivery_stream"],
            )?,
            key_state: make.gauges(
                "everseal_kms_key_state",
                "1 for the state that a KMS key in use is in, 0 for every other.",
                &["account", "region", "key", "state"],
            )?,
            policy_info: make.gauges("everseal_policy_info", "1 for each policy in force.", &["name", "revision"])?,
            policy_load_errors: make
                .add(IntCounter::new("everseal_policy_load_errors_total", "Policy loads that failed and left the old one in force.")?)?,
            policy_last_load: make
                .add(IntGauge::new("everseal_policy_last_load_success", "1 if the last load of the policy succeeded, else 0.")?)?,
            queue: QueueMetrics::register(&make)?,
            keys_shown: Mutex::default(),
            codes: Mutex::default(),
        })
    }

    /// Says which build this is (`everseal_build_info`).
    pub fn build_info(registry: &Registry, version: &str) -> Result<(), prometheus::Error> {
        let info = Maker(registry).gauges("everseal_build_info", "1, with the version of the program.", &["version"])?;
        info.with_label_values(&[version]).set(1);
        Ok(())
    }

    /// The queue's own.
    pub fn queue(&self) -> QueueMetrics {
        self.queue.clone()
    }

    /// Shows a scope's counts: every series of the scope is set, so none keeps an old value.
    pub fn planned(&self, scope: &Scope, tally: &Tally) {
        for service in Service::ALL {
            for state in ResourceState::ALL {
                let count = tally.resources.get(&(*service, state)).copied().unwrap_or_default();
                self.resources.with_label_values(&[&scope.account, &scope.region, service.id(), state.id()]).set(to_i64(count));
            }
        }
        for check in Check::ALL {
            if let Some(service) = check.service() {
                let count = tally.drift.get(&(service, *check)).copied().unwrap_or_default();
                self.drift.with_label_values(&[&scope.account, &scope.region, service.id(), check.id()]).set(to_i64(count));
            }
        }
    }

    /// Since when each check of the scope has had drift, in Unix time; checks left out have none.
    pub fn drift_since(&self, scope: &Scope, since: BTreeMap<(Service, Check), i64>) {
        self.oldest.set(scope, since);
    }

    /// Shows the state of every key in use in the scope, and forgets keys that are not any more.
    pub fn keys(&self, scope: &Scope, keys: &BTreeMap<Arn, Key>) {
        let mut shown = self.keys_shown.lock().unwrap_or_else(PoisonError::into_inner);
        let now: BTreeSet<Arn> = keys.keys().cloned().collect();
        for gone in shown.get(scope).into_iter().flatten().filter(|arn| !now.contains(arn)) {
            self.forget_key(scope, gone);
        }
        for (arn, key) in keys {
            let state = key.metadata.known().map_or("Unknown", |metadata| metadata.state.as_str());
            let state = if KEY_STATES.contains(&state) { state } else { "Unknown" };
            for each in KEY_STATES {
                let labels = [scope.account.as_str(), &scope.region, arn.as_str(), each];
                self.key_state.with_label_values(&labels).set(i64::from(each == state));
            }
        }
        shown.insert(scope.clone(), now);
    }

    fn forget_key(&self, scope: &Scope, key: &Arn) {
        for state in KEY_STATES {
            // A series that was never made needs no removal.
            let _ = self.key_state.remove_label_values(&[&scope.account, &scope.region, key.as_str(), state]);
        }
    }

    /// The service was listed and judged without an error.
    pub fn succeeded(&self, scope: &Scope, service: Service, at: i64) {
        self.last_success.with_label_values(&[&scope.account, &scope.region, service.id()]).set(at);
    }

    /// One unit of work ended; `service` is `None` for a whole scope's resync.
    pub fn worked(&self, service: Option<Service>, result: WorkResult, took: Duration) {
        let service = service.map_or(ALL_SERVICES, Service::id);
        for each in WorkResult::ALL {
            self.reconcile.with_label_values(&[service, each.id()]).inc_by(u64::from(each == result));
        }
        self.reconcile_duration.with_label_values(&[service]).observe(took.as_secs_f64());
    }

    /// A step ended.
    pub fn step(&self, service: Service, check: Check, outcome: StepOutcome) {
        self.steps.with_label_values(&[service.id(), check.id(), outcome.id()]).inc();
    }

    /// Shows a stream's four counters, also while they are zero, so that a first error is an increase.
    pub fn watch_stream(&self, scope: &Scope, stream: &str) {
        for error in KmsError::ALL {
            self.kms_errors.with_label_values(&[&scope.account, &scope.region, stream, error.id()]);
        }
    }

    /// Adds errors that CloudWatch newly shows.
    pub fn kms_errors(&self, scope: &Scope, stream: &str, error: KmsError, more: u64) {
        self.kms_errors.with_label_values(&[&scope.account, &scope.region, stream, error.id()]).inc_by(more);
    }

    /// When Firehose starts to discard; `None` while no run of errors is going on.
    pub fn loss_deadline(&self, scope: &Scope, stream: &str, at: Option<i64>) {
        let labels = [scope.account.as_str(), &scope.region, stream];
        match at {
            Some(at) => self.loss_deadline.with_label_values(&labels).set(at),
            // Absent already is what is wanted.
            None => drop(self.loss_deadline.remove_label_values(&labels)),
        }
    }

    /// The stream is gone or has no customer managed key any more.
    pub fn forget_stream(&self, scope: &Scope, stream: &str) {
        self.loss_deadline(scope, stream, None);
        for error in KmsError::ALL {
            let _ = self.kms_errors.remove_label_values(&[&scope.account, &scope.region, stream, error.id()]);
        }
    }

    /// These policies (by name) are in force.
    pub fn policy_loaded<'a>(&self, names: impl Iterator<Item = &'a str>, revision: &str) {
        self.policy_info.reset();
        for name in names {
            self.policy_info.with_label_values(&[name, revision]).set(1);
        }
        self.policy_last_load.set(1);
    }

    /// A new policy could not be used.
    pub fn policy_load_failed(&self) {
        self.policy_load_errors.inc();
        self.policy_last_load.set(0);
    }

    /// The scope is not reconciled any more: nothing of it may stay on show.
    pub fn forget_scope(&self, scope: &Scope) {
        let place = [scope.account.as_str(), &scope.region];
        for service in Service::ALL {
            let _ = self.last_success.remove_label_values(&[place[0], place[1], service.id()]);
            for state in ResourceState::ALL {
                let _ = self.resources.remove_label_values(&[place[0], place[1], service.id(), state.id()]);
            }
        }
        for check in Check::ALL {
            if let Some(service) = check.service() {
                let _ = self.drift.remove_label_values(&[place[0], place[1], service.id(), check.id()]);
            }
        }
        self.oldest.forget(scope);
        let keys = self.keys_shown.lock().unwrap_or_else(PoisonError::into_inner).remove(scope);
        for key in keys.iter().flatten() {
            self.forget_key(scope, key);
        }
    }

    fn bounded_code<'a>(&self, code: &'a str) -> &'a str {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.contains(code) {
            return code;
        }
        if codes.len() >= MAX_CODES {
            return "Other";
        }
        codes.insert(code.to_owned());
        code
    }
}

impl QueueMetrics {
    fn register(make: &Maker<'_>) -> Result<Self, prometheus::Error> {
        const NAME: &[&str] = &["name"];
        let queue = ["reconcile"];
        let bounds = || buckets(0.001, 4.0, 10);
        Ok(Self {
            depth: make.gauges("everseal_workqueue_depth", "Items waiting, delayed ones not counted.", NAME)?.with_label_values(&queue),
            adds: make.counters("everseal_workqueue_adds_total", "Items added.", NAME)?.with_label_values(&queue),
            retries: make
                .counters("everseal_workqueue_retries_total", "Items added again after a failure.", NAME)?
                .with_label_values(&queue),
            queue_duration: make
                .durations("everseal_workqueue_queue_duration_seconds", "How long an item waited.", NAME, bounds())?
                .with_label_values(&queue),
            work_duration: make
                .durations("everseal_workqueue_work_duration_seconds", "How long an item was worked on.", NAME, bounds())?
                .with_label_values(&queue),
        })
    }
}

impl CallObserver for Metrics {
    fn attempt(&self, service: &'static str, operation: &'static str, code: &str, duration: Duration) {
        self.requests.with_label_values(&[service, operation, self.bounded_code(code)]).inc();
        self.request_duration.with_label_values(&[service, operation]).observe(duration.as_secs_f64());
    }

    fn throttled(&self, service: &'static str, operation: &'static str) {
        self.throttles.with_label_values(&[service, operation]).inc();
    }
}

fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

type Since = BTreeMap<(Service, Check), i64>;

/// `everseal_drift_oldest_seconds`: an age, so it is worked out when it is scraped.
#[derive(Debug, Clone)]
struct DriftAges {
    gauge: GaugeVec,
    since: std::sync::Arc<Mutex<BTreeMap<Scope, Since>>>,
    clock: Clock,
}

impl DriftAges {
    fn new(clock: Clock) -> Result<Self, prometheus::Error> {
        let help = "How long the oldest drift of the check has been seen; 0 where there is none.";
        let gauge = GaugeVec::new(Opts::new("everseal_drift_oldest_seconds", help), &["account", "region", "service", "check"])?;
        Ok(Self { gauge, since: std::sync::Arc::default(), clock })
    }

    fn set(&self, scope: &Scope, since: Since) {
        self.since.lock().unwrap_or_else(PoisonError::into_inner).insert(scope.clone(), since);
    }

    fn forget(&self, scope: &Scope) {
        self.since.lock().unwrap_or_else(PoisonError::into_inner).remove(scope);
    }
}

impl Collector for DriftAges {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let now = self.clock.now();
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        self.gauge.reset();
        for (scope, checks) in since.iter() {
            for check in Check::ALL {
                let Some(service) = check.service() else { continue };
                let age = checks.get(&(service, *check)).map_or(0, |since| (now - since).max(0));
                let age = Duration::from_secs(u64::try_from(age).unwrap_or_default()).as_secs_f64();
                self.gauge.with_label_values(&[scope.account.as_str(), &scope.region, service.id(), check.id()]).set(age);
            }
        }
        self.gauge.collect()
    }
}

#[cfg(test)]
mod tests;
