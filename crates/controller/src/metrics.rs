//! Every metric, in one place, each with its one help text (DESIGN.md §8).
//!
//! Labels are closed enums, or bounded by keys, delivery streams and databases that are being migrated. No other resource
//! may ever become a label: single resources are in the API.

mod ages;
mod certificates;
mod groups;
mod labels;
mod migrations;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use everseal_planner::firehose::observed::KmsError;
use everseal_planner::inventory::Key;
use everseal_planner::paths::Tally as PathTally;
use everseal_planner::rds::migration::report::MigrationReport;
use everseal_planner::{Arn, Check, Scope, Service};
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec, Registry};

pub use groups::QueueMetrics;
pub use labels::{StepOutcome, WorkResult};

use crate::calls::CallObserver;
use crate::clock::Clock;
use crate::tally::{ResourceState, Tally};
use ages::DriftAges;
use certificates::CertificateMetrics;
use groups::{CallMetrics, FirehoseMetrics, Maker, PathMetrics, PolicyMetrics, buckets};
use migrations::MigrationMetrics;

/// The label `service` of a whole scope's resync.
const ALL_SERVICES: &str = "all";
/// Key states that AWS documents [KMS: Key states], and ours for what could not be read.
const KEY_STATES: [&str; 9] =
    ["Creating", "Enabled", "Disabled", "PendingDeletion", "PendingImport", "PendingReplicaDeletion", "Unavailable", "Updating", "Unknown"];
/// Distinct error codes of AWS that get a series; the rest is `Other`.
const MAX_CODES: usize = 64;

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
    calls: CallMetrics,
    firehose: FirehoseMetrics,
    key_state: IntGaugeVec,
    paths: PathMetrics,
    migrations: MigrationMetrics,
    certificates: CertificateMetrics,
    policy: PolicyMetrics,
    queue: QueueMetrics,
    keys_shown: Mutex<BTreeMap<Scope, BTreeSet<Arn>>>,
    codes: Mutex<BTreeSet<String>>,
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
            calls: CallMetrics::register(&make)?,
            firehose: FirehoseMetrics::register(&make)?,
            key_state: make.gauges(
                "everseal_kms_key_state",
                "1 for the state that a KMS key in use is in, 0 for every other.",
                &["account", "region", "key", "state"],
            )?,
            paths: PathMetrics::register(&make)?,
            migrations: MigrationMetrics::register(&make)?,
            certificates: CertificateMetrics::register(&make)?,
            policy: PolicyMetrics::register(&make)?,
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

    /// Shows the paths of a scope, added to those of the others.
    pub fn paths(&self, scope: &Scope, tally: PathTally) {
        self.paths.set(scope, Some(tally));
    }

    /// Shows when the server certificates of a scope's databases end, in Unix time, by instance; those left out are there no more.
    pub fn certificates(&self, scope: &Scope, ends: &BTreeMap<String, i64>) {
        self.certificates.set(scope, ends);
    }

    /// Shows the stage of each of a scope's migrations; those left out are there no more.
    pub fn migrations(&self, scope: &Scope, migrations: &[MigrationReport]) {
        self.migrations.set(scope, migrations);
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
            self.firehose.kms_errors.with_label_values(&[&scope.account, &scope.region, stream, error.id()]);
        }
    }

    /// Adds errors that CloudWatch newly shows.
    pub fn kms_errors(&self, scope: &Scope, stream: &str, error: KmsError, more: u64) {
        self.firehose.kms_errors.with_label_values(&[&scope.account, &scope.region, stream, error.id()]).inc_by(more);
    }

    /// When Firehose starts to discard; `None` while no run of errors is going on.
    pub fn loss_deadline(&self, scope: &Scope, stream: &str, at: Option<i64>) {
        let labels = [scope.account.as_str(), &scope.region, stream];
        match at {
            Some(at) => self.firehose.loss_deadline.with_label_values(&labels).set(at),
            // Absent already is what is wanted.
            None => drop(self.firehose.loss_deadline.remove_label_values(&labels)),
        }
    }

    /// The stream is gone or has no customer managed key any more.
    pub fn forget_stream(&self, scope: &Scope, stream: &str) {
        self.loss_deadline(scope, stream, None);
        for error in KmsError::ALL {
            let _ = self.firehose.kms_errors.remove_label_values(&[&scope.account, &scope.region, stream, error.id()]);
        }
    }

    /// These policies (by name) are in force.
    pub fn policy_loaded<'a>(&self, names: impl Iterator<Item = &'a str>, revision: &str) {
        self.policy.info.reset();
        for name in names {
            self.policy.info.with_label_values(&[name, revision]).set(1);
        }
        self.policy.last_load.set(1);
    }

    /// A new policy could not be used.
    pub fn policy_load_failed(&self) {
        self.policy.load_errors.inc();
        self.policy.last_load.set(0);
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
        self.paths.set(scope, None);
        self.migrations.set(scope, &[]);
        self.certificates.set(scope, &BTreeMap::new());
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

impl CallObserver for Metrics {
    fn attempt(&self, service: &'static str, operation: &'static str, code: &str, duration: Duration) {
        self.calls.requests.with_label_values(&[service, operation, self.bounded_code(code)]).inc();
        self.calls.duration.with_label_values(&[service, operation]).observe(duration.as_secs_f64());
    }

    fn throttled(&self, service: &'static str, operation: &'static str) {
        self.calls.throttles.with_label_values(&[service, operation]).inc();
    }
}

fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
