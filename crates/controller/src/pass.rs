//! One run over a scope: observe, plan, read what gates want to know, plan again.
//!
//! There is one planning path: the command line, a resync and a change event all end in
//! [`plan_with_facts`]. Nothing here writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use everseal_planner::paths::{self, Beside, Paths};
use everseal_planner::plan::{Context, Past, Reads, Target};
use everseal_planner::{Arn, Inventory, Plan, PolicySet, Scope, Service, plan, rds};

use crate::account::Account;
use crate::clock::Clock;
use crate::database_calls::DatabaseCalls;
use crate::firehose_errors::KmsErrorWatch;
use crate::live_tls::LiveTlsWatch;
use crate::recent::RecentWrites;

/// Facts asked for after this many rounds are left unread: the planner blocks what depends on them.
pub(crate) const MAX_FACT_ROUNDS: usize = 4;

/// What one scope remembers between passes; none of it is needed for correctness.
#[derive(Debug, Default)]
pub struct Memory {
    /// Our own writes that AWS may not show yet.
    pub recent: RecentWrites,
    /// The four Firehose KMS counters.
    pub kms_errors: KmsErrorWatch,
    /// What was met on databases' wires.
    pub live_tls: LiveTlsWatch,
    /// Steps made in this cycle.
    pub changes_this_cycle: u32,
    /// When `StartDeliveryStreamEncryption` was called in the last 24 hours, in Unix time, by stream.
    pub encryption_calls: BTreeMap<Arn, Vec<i64>>,
    /// Parameter groups that were created and databases that were rebooted in the last 24 hours.
    pub database_calls: DatabaseCalls,
}

/// Rolling window of Firehose's limit of 25 calls [firehose:StartDeliveryStreamEncryption].
pub(crate) const ENCRYPTION_CALL_WINDOW_SECONDS: i64 = 24 * 3600;

impl Memory {
    /// An empty memory of a process that starts now (Unix time).
    pub fn starting(now: i64) -> Self {
        Self { kms_errors: KmsErrorWatch::starting(now), ..Self::default() }
    }

    /// Takes over calls that the ledger knows of.
    #[must_use]
    pub fn with_encryption_calls(mut self, calls: BTreeMap<Arn, Vec<i64>>) -> Self {
        self.encryption_calls = calls;
        self
    }

    /// Counts a `StartDeliveryStreamEncryption` call.
    pub fn encryption_call(&mut self, stream: &Arn, now: i64) {
        self.encryption_calls.entry(stream.clone()).or_default().push(now);
    }

    fn past(&mut self, now: i64) -> Past {
        self.encryption_calls.retain(|_, calls| {
            calls.retain(|at| now - at < ENCRYPTION_CALL_WINDOW_SECONDS);
            !calls.is_empty()
        });
        self.database_calls.forget_old(now);
        let count = |calls: &Vec<i64>| u32::try_from(calls.len()).unwrap_or(u32::MAX);
        Past {
            changes_this_cycle: self.changes_this_cycle,
            delivery_stream_encryption_calls: self.encryption_calls.iter().map(|(arn, calls)| (arn.clone(), count(calls))).collect(),
            parameter_groups_created: self.database_calls.groups_created.clone(),
            reboots: self.database_calls.reboots.clone(),
        }
    }
}

/// What every pass over one scope works with.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The policies in force.
    pub policies: &'a PolicySet,
    /// The scope's memory.
    pub memory: &'a Mutex<Memory>,
    /// The time.
    pub clock: Clock,
}

impl Surroundings<'_> {
    /// What these policies make a pass read in the scope.
    pub fn reads(&self, scope: &Scope) -> Reads {
        Reads::for_policies(self.policies, scope)
    }

    pub(crate) fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays over a fresh observation what AWS may not show yet and what CloudWatch has shown.
    pub(crate) fn dress(&self, inventory: &mut Inventory, only: Option<&BTreeSet<Arn>>) {
        let now = self.clock.now();
        let mut memory = self.memory();
        memory.recent.overlay(inventory, only, now);
        memory.kms_errors.dress(inventory);
        memory.live_tls.dress(inventory);
    }

    /// Asks the planner something about an inventory as it is.
    pub(crate) fn planning<T>(&self, inventory: &Inventory, ask: impl FnOnce(&Context<'_>) -> T) -> T {
        let now = self.clock.now();
        let past = self.memory().past(now);
        ask(&Context { policies: self.policies, inventory, now, past: &past })
    }

    /// Plans an inventory as it is.
    pub fn plan(&self, inventory: &Inventory) -> Plan {
        let now = self.clock.now();
        let past = self.memory().past(now);
        plan::plan(&Context { policies: self.policies, inventory, now, past: &past })
    }

    /// When the server certificates of the databases that rules cover end, in Unix time, by instance.
    pub(crate) fn certificate_ends(&self, inventory: &Inventory) -> BTreeMap<String, i64> {
        let past = Past::default();
        rds::certificate_ends(&Context { policies: self.policies, inventory, now: self.clock.now(), past: &past })
    }

    /// Judges the paths of an inventory with what was last read beside its resources, and adds to its plan what follows.
    pub(crate) fn judge_paths(&self, inventory: &Inventory, beside: &Beside, plan: &mut Plan) -> Option<Paths> {
        let now = self.clock.now();
        let past = self.memory().past(now);
        let mut whole = inventory.clone();
        beside.lay_under(&mut whole);
        paths::judge(&Context { policies: self.policies, inventory: &whole, now, past: &past }, plan)
    }
}

/// What a pass saw and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Everything observed in the scope.
    pub inventory: Inventory,
    /// All findings and steps.
    pub plan: Plan,
}

/// Observes everything in the scope and plans it.
pub async fn run<A: Account>(account: &A, around: &Surroundings<'_>) -> Pass {
    let inventory = observe_all(account, around, Depth::Plan).await;
    plan_with_facts(account, around, inventory).await
}

/// How much of a scope is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What the policies' rules need.
    Plan,
    /// And what lies beside the resources on data paths.
    Paths,
}

/// Observes everything that the policies need of the scope, Firehose's KMS counters included.
pub async fn observe_all<A: Account>(account: &A, around: &Surroundings<'_>, depth: Depth) -> Inventory {
    let reads = around.reads(account.scope());
    let reads = match depth {
        Depth::Plan => reads,
        Depth::Paths => reads.with_path_facts(),
    };
    let mut inventory = account.observe(&Target::Everything, &reads).await;
    let unread = around.memory().kms_errors.unread(&inventory);
    if unread {
        poll_kms_errors(account, around, &inventory).await;
    }
    around.dress(&mut inventory, None);
    inventory
}

/// Reads Firehose's KMS counters of the inventory's streams into the memory.
pub async fn poll_kms_errors<A: Account>(account: &A, around: &Surroundings<'_>, inventory: &Inventory) {
    let now = around.clock.now();
    let queries = around.memory().kms_errors.queries(inventory, now);
    for query in queries {
        let answer = account.kms_error_points(&query.streams, query.from, query.to).await;
        around.memory().kms_errors.take_in(&query, answer);
    }
}

/// Observes `targets` again, with or without gate facts: what AWS shows now, our own recent writes laid over it.
pub async fn observe_some<A: Account>(account: &A, around: &Surroundings<'_>, targets: &BTreeSet<Arn>, gate_facts: bool) -> Inventory {
    let reads = Reads { gate_facts, ..around.reads(account.scope()) };
    let mut partial = account.observe(&Target::Resources(targets.clone()), &reads).await;
    around.dress(&mut partial, Some(targets));
    partial
}

/// Observes every database of the scope, and what lies beside migrations, but neither parameter groups nor gate facts.
pub async fn observe_databases<A: Account>(account: &A, around: &Surroundings<'_>, known: &BTreeSet<Arn>) -> Inventory {
    let reads = Reads { services: BTreeSet::from([Service::Rds]), migrations: true, ..Reads::nothing() };
    let mut databases = account.observe(&Target::Everything, &reads).await;
    around.dress(&mut databases, Some(known));
    databases
}

/// Plans; where steps hang on facts that nobody has read, reads these alone and plans again.
pub async fn plan_with_facts<A: Account>(account: &A, around: &Surroundings<'_>, mut inventory: Inventory) -> Pass {
    let mut plan = around.plan(&inventory);
    let mut asked: BTreeSet<Arn> = BTreeSet::new();
    for _ in 0..MAX_FACT_ROUNDS {
        let wanted: BTreeSet<Arn> = plan.facts_to_read().filter(|fact| !asked.contains(*fact)).cloned().collect();
        if wanted.is_empty() {
            break;
        }
        let facts = observe_some(account, around, &wanted, true).await;
        inventory.absorb(facts, &wanted);
        asked.extend(wanted);
        plan = around.plan(&inventory);
    }
    Pass { inventory, plan }
}
