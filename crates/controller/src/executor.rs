//! Makes steps, and nothing but steps: it never sees a policy and decides nothing of its own.
//!
//! For every step: read the resource again, write only where `before` still holds, record the intent
//! ahead of the write, read after it, record the outcome. A step whose `before` is gone is stale and
//! planned afresh by the caller. Independent steps do not stop each other; what needs a step that was
//! not made is not made. A write that has begun is always finished, its outcome always recorded.

mod make;
mod report;
mod schedule;

use std::time::Duration;

use std::collections::BTreeMap;

use everseal_planner::plan::Step;
use everseal_planner::{Arn, Reading};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio_util::sync::CancellationToken;

pub(crate) use report::with_sources;
pub use report::{Seen, StepError, StepReport, StepResult};

use crate::account::Account;
use crate::cycle::is_executable;
use crate::ledger::{Actor, Ledger};
use crate::pass::Surroundings;
use schedule::Schedule;

/// Alias name → key ARN, as in an inventory.
pub type Aliases = Reading<BTreeMap<String, Arn>>;

/// How carefully and how fast steps are made.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// Resources worked on at the same time.
    pub concurrency: usize,
    /// Waits before each read after a write, until it shows the new value.
    pub read_back_after: Vec<Duration>,
    /// Wait after a change to a key before anything relies on it: KMS takes "usually seconds"
    /// [KMS: Eventual consistency].
    pub key_propagation: Duration,
}

impl Default for ExecutorOptions {
    fn default() -> Self {
        Self {
            concurrency: 8,
            read_back_after: vec![Duration::ZERO, Duration::from_secs(1), Duration::from_secs(3)],
            key_propagation: Duration::from_secs(5),
        }
    }
}

/// Makes steps in one scope.
#[derive(Debug)]
pub struct Executor<'a, A> {
    /// Where.
    pub account: &'a A,
    /// The scope's memory and the time; of its policies only the revision is used, for the ledger.
    pub around: Surroundings<'a>,
    /// Where steps are recorded.
    pub ledger: &'a Ledger,
    /// Who runs them.
    pub actor: Actor,
    /// How.
    pub options: &'a ExecutorOptions,
    /// Once cancelled, no step is begun.
    pub stop: &'a CancellationToken,
}

impl<A: Account> Executor<'_, A> {
    /// Makes the steps that no gate stops, in dependency order, and reports on each, as it ends, to `on_report`.
    ///
    /// Key references are resolved with the `known` aliases, those that were planned with. A need that is
    /// not among `steps` is taken for met.
    pub async fn run(&self, steps: &[Step], known: &Aliases, on_report: &(dyn Fn(&StepReport) + Sync)) -> Vec<StepReport> {
        let steps: Vec<&Step> = steps.iter().filter(|step| is_executable(step)).collect();
        let mut schedule = Schedule::new(&steps);
        let mut reports = Vec::with_capacity(steps.len());
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < self.options.concurrency.max(1)
                && let Some(index) = schedule.next()
            {
                let step = steps[index];
                running.push(async move { (index, self.make_contained(step, known).await) });
            }
            let Some((index, report)) = running.next().await else { break };
            on_report(&report);
            let unmet = schedule.ended(index, report.result.lets_needs_through(steps[index].service));
            reports.push(report);
            for (index, need) in unmet {
                let report = StepReport::unmade(steps[index], StepResult::Unmet(need));
                on_report(&report);
                reports.push(report);
            }
        }
        reports
    }
}

#[cfg(test)]
mod tests;
