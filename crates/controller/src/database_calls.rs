//! When databases were rebooted and parameter groups created: AWS shows neither, and both bound what may come next.
//!
//! Kept in memory and read from the ledger at the start. What is not known delays nothing: it makes steps gentler, not correct.

use std::collections::BTreeMap;

use everseal_planner::plan::Change;
use everseal_planner::{Arn, Scope};

/// The actions that are remembered, as the ledger names them.
pub(crate) const REMEMBERED: [&str; 4] = ["CreateDBParameterGroup", "CreateDBClusterParameterGroup", "RebootDBInstance", "RebootDBCluster"];
/// For how long, in seconds.
pub(crate) const REMEMBERED_SECONDS: i64 = 24 * 3600;

/// Calls of the last 24 hours in one scope, in seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatabaseCalls {
    /// When each parameter group was created, by ARN (`pg:…`, `cluster-pg:…`).
    pub groups_created: BTreeMap<Arn, i64>,
    /// When each instance or cluster was rebooted last, by its ARN.
    pub reboots: BTreeMap<Arn, i64>,
}

impl DatabaseCalls {
    /// Remembers a change that was made at `at`, if it is one of these.
    pub fn note(&mut self, scope: &Scope, change: &Change, at: i64) {
        let (calls, resource) = match change {
            Change::CreateParameterGroup { kind, name, .. } => (&mut self.groups_created, kind.group(scope, name)),
            Change::RebootDatabase { kind, database } => (&mut self.reboots, kind.database(scope, database)),
            _ => return,
        };
        let last = calls.entry(resource).or_insert(at);
        *last = at.max(*last);
    }

    /// Forgets what is older than a day.
    pub(crate) fn forget_old(&mut self, now: i64) {
        self.groups_created.retain(|_, at| now - *at < REMEMBERED_SECONDS);
        self.reboots.retain(|_, at| now - *at < REMEMBERED_SECONDS);
    }
}

#[cfg(test)]
mod tests {
    use everseal_planner::plan::change::ParameterGroupKind;

    use super::*;
    use crate::testing::{NOON, scope};

    #[test]
    fn the_last_reboot_of_each_database_is_remembered_for_a_day() {
        let mut calls = DatabaseCalls::default();
        let reboot = |kind, database: &str| Change::RebootDatabase { kind, database: database.to_owned() };
        calls.note(&scope(), &reboot(ParameterGroupKind::Instance, "orders"), NOON);
        calls.note(&scope(), &reboot(ParameterGroupKind::Instance, "orders"), NOON - 60);
        calls.note(&scope(), &reboot(ParameterGroupKind::Cluster, "orders"), NOON - 90);
        calls.note(&scope(), &Change::ProxyTls { proxy: "front".to_owned() }, NOON);
        let expected = BTreeMap::from([(scope().arn("rds", "db:orders"), NOON), (scope().arn("rds", "cluster:orders"), NOON - 90)]);
        assert_eq!(calls, DatabaseCalls { groups_created: BTreeMap::new(), reboots: expected });
        calls.forget_old(NOON - 90 + REMEMBERED_SECONDS);
        assert_eq!(calls.reboots, BTreeMap::from([(scope().arn("rds", "db:orders"), NOON)]));
    }
}
