//! Metrics that belong together, made together.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use everseal_planner::Scope;
use everseal_planner::paths::Tally as PathTally;
use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, exponential_buckets,
};

pub(super) fn buckets(start: f64, factor: f64, count: usize) -> Vec<f64> {
    exponential_buckets(start, factor, count).expect("start and factor are positive constants")
}

/// Registers what it makes, so that nothing is ever made and forgotten.
pub(super) struct Maker<'a>(pub(super) &'a Registry);

impl Maker<'_> {
    pub(super) fn add<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C, prometheus::Error> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    pub(super) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    pub(super) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    pub(super) fn durations(&self, name: &str, help: &str, labels: &[&str], bounds: Vec<f64>) -> Result<HistogramVec, prometheus::Error> {
        self.add(HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds), labels)?)
    }
}

/// Data paths of all scopes together.
#[derive(Debug)]
pub(super) struct PathMetrics {
    paths: IntGaugeVec,
    by_scope: Mutex<BTreeMap<Scope, PathTally>>,
}

impl PathMetrics {
    pub(super) fn register(make: &Maker<'_>) -> Result<Self, prometheus::Error> {
        let help = "Data paths, counted by where data enters. sealed: encrypted at rest and in transit all the way. exposed: not sealed, \
and the plan ends that. blocked: not sealed and the plan does not end it, because a step is blocked or only a person can; or broken: a need \
fails and data does not get through. Paths of which something was not read are not counted.";
        Ok(Self { paths: make.gauges("everseal_paths", help, &["state"])?, by_scope: Mutex::default() })
    }

    /// Replaces the counts of one scope; `None`: it is not reconciled any more.
    pub(super) fn set(&self, scope: &Scope, tally: Option<PathTally>) {
        let mut by_scope = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        match tally {
            Some(tally) => drop(by_scope.insert(scope.clone(), tally)),
            None => drop(by_scope.remove(scope)),
        }
        let sum = |of: fn(&PathTally) -> u64| i64::try_from(by_scope.values().map(of).sum::<u64>()).unwrap_or(i64::MAX);
        self.paths.with_label_values(&["sealed"]).set(sum(|tally| tally.sealed));
        self.paths.with_label_values(&["exposed"]).set(sum(|tally| tally.exposed));
        self.paths.with_label_values(&["blocked"]).set(sum(|tally| tally.blocked));
    }
}

/// Calls to AWS.
#[derive(Debug)]
pub(super) struct CallMetrics {
    pub(super) requests: IntCounterVec,
    pub(super) duration: HistogramVec,
    pub(super) throttles: IntCounterVec,
}

impl CallMetrics {
    pub(super) fn register(make: &Maker<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            requests: make.counters(
                "everseal_aws_requests_total",
                "Requests to AWS, retries included, by AWS's answer.",
                &["service", "operation", "code"],
            )?,
            duration: make.durations(
                "everseal_aws_request_duration_seconds",
                "How long AWS took to answer a request.",
                &["service", "operation"],
                buckets(0.005, 2.5, 9),
            )?,
            throttles: make.counters("everseal_aws_throttles_total", "Requests that AWS throttled.", &["service", "operation"])?,
        })
    }
}

/// Firehose's use of its keys.
#[derive(Debug)]
pub(super) struct FirehoseMetrics {
    pub(super) kms_errors: IntCounterVec,
    pub(super) loss_deadline: IntGaugeVec,
}

impl FirehoseMetrics {
    pub(super) fn register(make: &Maker<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
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
        })
    }
}

/// The policies in force.
#[derive(Debug)]
pub(super) struct PolicyMetrics {
    pub(super) info: IntGaugeVec,
    pub(super) load_errors: IntCounter,
    pub(super) last_load: IntGauge,
}

impl PolicyMetrics {
    pub(super) fn register(make: &Maker<'_>) -> Result<Self, prometheus::Error> {
        let errors = IntCounter::new("everseal_policy_load_errors_total", "Policy loads that failed and left the old one in force.")?;
        let last = IntGauge::new("everseal_policy_last_load_success", "1 if the last load of the policy succeeded, else 0.")?;
        Ok(Self {
            info: make.gauges("everseal_policy_info", "1 for each policy in force.", &["name", "revision"])?,
            load_errors: make.add(errors)?,
            last_load: make.add(last)?,
        })
    }
}

/// The metrics of the work queue, shared by the queues of all scopes.
#[derive(Debug, Clone)]
pub struct QueueMetrics {
    pub(crate) depth: IntGauge,
    pub(crate) adds: IntCounter,
    pub(crate) retries: IntCounter,
    pub(crate) queue_duration: Histogram,
    pub(crate) work_duration: Histogram,
}

impl QueueMetrics {
    pub(super) fn register(make: &Maker<'_>) -> Result<Self, prometheus::Error> {
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
