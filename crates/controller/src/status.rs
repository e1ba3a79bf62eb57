//! What people see over HTTP: a cheap shared snapshot, written by the loop and read by handlers.
//!
//! Nothing here waits for the loop: readers take a lock that is only ever held for a copy of a
//! pointer. Compliant findings are not kept (see [`crate::tally`]).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use everseal_planner::paths::{Paths, Tally as PathTally};
use everseal_planner::rds::migration::report::MigrationReport;
use everseal_planner::render::bounded_paths_json;
use everseal_planner::{Arn, Finding, Inventory, Plan, Scope, State, Step};
use serde::Serialize;
use serde_json::Value;

use crate::clock::Clock;
use crate::ledger::Entry;
use crate::tally::Tally;

/// The loop looks at its clock at least this often; twice missed, and it does not move.
pub const BEAT_SECONDS: i64 = 5;
const LIVE_WITHIN_SECONDS: i64 = 6 * BEAT_SECONDS;
const RECENT_CHANGES: usize = 200;

/// A key in use in a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyStatus {
    /// The key.
    pub arn: Arn,
    /// Its aliases in the scope.
    pub aliases: Vec<String>,
    /// AWS's word for its state; `Unknown` where it could not be read.
    pub state: String,
    /// `KeyManager` is AWS.
    pub aws_managed: bool,
}

/// Paths of a scope that are shown, those first that are not sealed; the others are counted.
pub const MOST_PATHS: usize = 500;

/// Data paths of one scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathsStatus {
    /// All of them, by what becomes of them.
    pub tally: PathTally,
    /// When what lies beside the resources was read last, in Unix time.
    pub read_at: Option<i64>,
    /// The JSON of `everseal paths --json`, bounded.
    pub shown: Value,
}

/// What is known of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeStatus {
    /// Which one.
    pub scope: Scope,
    /// Findings that are not compliant.
    pub findings: Vec<Finding>,
    /// Steps in order, blocked ones with their reason.
    pub steps: Vec<Step>,
    /// Databases on their way to an encrypted copy.
    pub migrations: Vec<MigrationReport>,
    /// Counts of everything, compliant findings included.
    pub tally: Tally,
    /// Keys in use.
    pub keys: Vec<KeyStatus>,
    /// Data paths as the last pass saw them, at most [`MOST_PATHS`].
    pub paths: Arc<PathsStatus>,
    /// End of the last full pass that listed every service, in Unix time.
    pub last_success: Option<i64>,
    /// What went wrong last, empty again after a success.
    pub last_error: Option<String>,
    /// A full pass has ended that could list at least one service: the credentials work.
    pub first_pass_done: bool,
}

impl ScopeStatus {
    /// A scope that nothing is known of yet.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            findings: Vec::new(),
            steps: Vec::new(),
            migrations: Vec::new(),
            tally: Tally::default(),
            keys: Vec::new(),
            paths: Arc::default(),
            last_success: None,
            last_error: None,
            first_pass_done: false,
        }
    }

    /// Takes over what a plan says, without its compliant findings.
    pub fn planned(&mut self, plan: &Plan, tally: Tally, inventory: &Inventory) {
        self.findings = plan.findings.iter().filter(|finding| finding.state != State::Compliant).cloned().collect();
        self.steps.clone_from(&plan.steps);
        self.migrations.clone_from(&plan.migrations);
        self.tally = tally;
        self.keys = keys_of(inventory);
    }

    /// Takes over the paths of a pass.
    pub fn traced(&mut self, paths: &Paths, read_at: Option<i64>) {
        self.paths = Arc::new(PathsStatus { tally: paths.tally(), read_at, shown: bounded_paths_json(paths, MOST_PATHS) });
    }
}

fn keys_of(inventory: &Inventory) -> Vec<KeyStatus> {
    let mut aliases: BTreeMap<&Arn, Vec<String>> = BTreeMap::new();
    for (alias, arn) in inventory.aliases.known().into_iter().flatten() {
        aliases.entry(arn).or_default().push(alias.clone());
    }
    let status = |(arn, key): (&Arn, &everseal_planner::inventory::Key)| KeyStatus {
        arn: arn.clone(),
        aliases: aliases.remove(arn).unwrap_or_default(),
        state: key.metadata.known().map_or_else(|| "Unknown".to_owned(), |metadata| metadata.state.clone()),
        aws_managed: key.metadata.known().is_some_and(|metadata| metadata.aws_managed),
    };
    inventory.keys.iter().map(status).collect()
}

/// An answer of `/livez`, `/readyz` or `/healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Everything is as it should be.
    pub ok: bool,
    /// Why not, in words.
    pub reasons: Vec<String>,
}

impl Health {
    fn from_reasons(reasons: Vec<String>) -> Self {
        Self { ok: reasons.is_empty(), reasons }
    }
}

#[derive(Debug, Default)]
struct Shared {
    policies: Option<PolicyStatus>,
    scopes: BTreeMap<Scope, Arc<ScopeStatus>>,
    unreachable: Vec<String>,
    beat: Option<i64>,
    changes: VecDeque<Arc<Entry>>,
}

/// The policies in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStatus {
    /// Names, in order.
    pub names: Vec<String>,
    /// The revision.
    pub revision: String,
    /// Why the newest text is not in force, if so.
    pub load_error: Option<String>,
}

/// The snapshot. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Status {
    shared: Arc<Mutex<Shared>>,
    clock: Clock,
}

impl Status {
    /// Nothing known yet.
    pub fn new(clock: Clock) -> Self {
        Self { shared: Arc::default(), clock }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loop moves.
    pub fn beat(&self) {
        self.lock().beat = Some(self.clock.now());
    }

    /// These policies are in force.
    pub fn policies_loaded(&self, names: Vec<String>, revision: String) {
        self.lock().policies = Some(PolicyStatus { names, revision, load_error: None });
    }

    /// The newest policy text can't be used.
    pub fn policy_refused(&self, error: String) {
        if let Some(policies) = &mut self.lock().policies {
            policies.load_error = Some(error);
        }
    }

    /// Accounts and regions that could not be reached, in words; empty when all can.
    pub fn unreachable(&self, reasons: Vec<String>) {
        self.lock().unreachable = reasons;
    }

    /// Changes what is known of a scope.
    pub fn update(&self, scope: &Scope, change: impl FnOnce(&mut ScopeStatus)) {
        let mut shared = self.lock();
        let status = shared.scopes.entry(scope.clone()).or_insert_with(|| Arc::new(ScopeStatus::new(scope.clone())));
        change(Arc::make_mut(status));
    }

    /// The scope is not reconciled any more.
    pub fn forget(&self, scope: &Scope) {
        self.lock().scopes.remove(scope);
    }

    /// A change was recorded.
    pub fn changed(&self, entry: Entry) {
        let mut shared = self.lock();
        if shared.changes.len() == RECENT_CHANGES {
            shared.changes.pop_front();
        }
        shared.changes.push_back(Arc::new(entry));
    }

    /// Every scope.
    pub fn scopes(&self) -> Vec<Arc<ScopeStatus>> {
        self.lock().scopes.values().cloned().collect()
    }

    /// The policies in force; `None` before the first was loaded.
    pub fn policies(&self) -> Option<PolicyStatus> {
        self.lock().policies.clone()
    }

    /// What this process changed last, oldest first; the ledger has the rest.
    pub fn recent_changes(&self) -> Vec<Arc<Entry>> {
        self.lock().changes.iter().cloned().collect()
    }

    /// The loop moves.
    pub fn liveness(&self) -> Health {
        let age = self.lock().beat.map(|beat| self.clock.now() - beat);
        Health::from_reasons(match age {
            Some(age) if age > LIVE_WITHIN_SECONDS => vec![format!("the loop has not moved for {age} s")],
            None => vec!["the loop has not started".to_owned()],
            Some(_) => Vec::new(),
        })
    }

    /// Policy loaded, credentials work, first pass of every scope done.
    pub fn readiness(&self) -> Health {
        let shared = self.lock();
        let mut reasons = Vec::new();
        if shared.policies.is_none() {
            reasons.push("no policy is loaded yet".to_owned());
        }
        reasons.extend(shared.unreachable.iter().cloned());
        if shared.scopes.is_empty() && shared.unreachable.is_empty() {
            reasons.push("no account has been reached yet".to_owned());
        }
        for status in shared.scopes.values() {
            if !status.first_pass_done {
                let why = status.last_error.as_deref().unwrap_or("the first pass is not done yet");
                reasons.push(format!("{}: {why}", status.scope));
            }
        }
        Health::from_reasons(reasons)
    }
}

#[cfg(test)]
mod tests;
