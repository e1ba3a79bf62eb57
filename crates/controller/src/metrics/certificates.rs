//! `everseal_rds_certificate_expiry_timestamp_seconds`: when the server certificates of databases end.
//!
//! Bounded by the instances that a rule for databases covers; a series leaves with its instance.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use everseal_planner::Scope;
use prometheus::IntGaugeVec;

use super::groups::Maker;

/// Ends of certificates, by instance.
#[derive(Debug)]
pub(super) struct CertificateMetrics {
    expiry: IntGaugeVec,
    shown: Mutex<BTreeMap<Scope, BTreeSet<String>>>,
}

impl CertificateMetrics {
    pub(super) fn register(make: &Maker<'_>) -> Result<Self, prometheus::Error> {
        let help = "When the server certificate of a DB instance that a rule covers ends, in Unix time.";
        let expiry = make.gauges("everseal_rds_certificate_expiry_timestamp_seconds", help, &["account", "region", "database"])?;
        Ok(Self { expiry, shown: Mutex::default() })
    }

    /// Shows a scope's certificates, and forgets those that are not there any more.
    pub(super) fn set(&self, scope: &Scope, ends: &BTreeMap<String, i64>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shown.remove(scope).unwrap_or_default();
        for gone in before.iter().filter(|name| !ends.contains_key(*name)) {
            // A series that was never made needs no removal.
            let _ = self.expiry.remove_label_values(&[scope.account.as_str(), &scope.region, gone]);
        }
        for (name, at) in ends {
            self.expiry.with_label_values(&[scope.account.as_str(), &scope.region, name]).set(*at);
        }
        if !ends.is_empty() {
            shown.insert(scope.clone(), ends.keys().cloned().collect());
        }
    }
}
