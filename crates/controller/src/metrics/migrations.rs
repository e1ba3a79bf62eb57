//! `everseal_rds_migration_stage`: the one gauge with a database's name in it.
//!
//! Only databases with a migration have series, and they leave when it does: there are never more than a rule with
//! `migration` finds unencrypted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use everseal_planner::Scope;
use everseal_planner::rds::migration::report::{MigrationReport, Stage};
use prometheus::IntGaugeVec;

use super::groups::Maker;

/// Stages of migrations, by database.
#[derive(Debug)]
pub(super) struct MigrationMetrics {
    stage: IntGaugeVec,
    shown: Mutex<BTreeMap<Scope, BTreeSet<String>>>,
}

impl MigrationMetrics {
    pub(super) fn register(make: &Maker<'_>) -> Result<Self, prometheus::Error> {
        let help = "1 for the stage that the migration of a database to an encrypted copy is in, 0 for every other; \
absent where there is none.";
        let stage = make.gauges("everseal_rds_migration_stage", help, &["account", "region", "database", "stage"])?;
        Ok(Self { stage, shown: Mutex::default() })
    }

    /// Shows a scope's migrations, and forgets those that are not there any more.
    pub(super) fn set(&self, scope: &Scope, migrations: &[MigrationReport]) {
        let mut stages: BTreeMap<&str, BTreeSet<Stage>> = BTreeMap::new();
        for report in migrations {
            // An instance and a cluster may bear the same name.
            stages.entry(&report.name).or_default().insert(report.stage);
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shown.remove(scope).unwrap_or_default();
        for gone in before.iter().filter(|name| !stages.contains_key(name.as_str())) {
            self.forget_database(scope, gone);
        }
        for (name, current) in &stages {
            for stage in Stage::ALL {
                let labels = [scope.account.as_str(), &scope.region, name, stage.id()];
                self.stage.with_label_values(&labels).set(i64::from(current.contains(stage)));
            }
        }
        if !stages.is_empty() {
            shown.insert(scope.clone(), stages.into_keys().map(str::to_owned).collect());
        }
    }

    fn forget_database(&self, scope: &Scope, name: &str) {
        for stage in Stage::ALL {
            // A series that was never made needs no removal.
            let _ = self.stage.remove_label_values(&[scope.account.as_str(), &scope.region, name, stage.id()]);
        }
    }
}
