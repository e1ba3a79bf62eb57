//! `everseal_drift_oldest_seconds`: the one gauge that grows by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use everseal_planner::{Check, Scope, Service};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Opts};

use crate::clock::Clock;

pub(super) type Since = BTreeMap<(Service, Check), i64>;

/// `everseal_drift_oldest_seconds`: an age, so it is worked out when it is scraped.
#[derive(Debug, Clone)]
pub(super) struct DriftAges {
    gauge: GaugeVec,
    since: Arc<Mutex<BTreeMap<Scope, Since>>>,
    clock: Clock,
}

impl DriftAges {
    pub(super) fn new(clock: Clock) -> Result<Self, prometheus::Error> {
        let help = "How long the oldest drift of the check has been seen; 0 where there is none.";
        let gauge = GaugeVec::new(Opts::new("everseal_drift_oldest_seconds", help), &["account", "region", "service", "check"])?;
        Ok(Self { gauge, since: Arc::default(), clock })
    }

    pub(super) fn set(&self, scope: &Scope, since: Since) {
        self.since.lock().unwrap_or_else(PoisonError::into_inner).insert(scope.clone(), since);
    }

    pub(super) fn forget(&self, scope: &Scope) {
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
