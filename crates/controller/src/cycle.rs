//! `everseal apply`: makes a pass's steps, and plans again what could only be known afterwards.
//!
//! A step that waits for a key is planned afresh once the key exists, a stale one once its resource
//! is read again. What was tried in this cycle is not tried twice.

use std::collections::BTreeSet;

use everseal_planner::Inventory;
use everseal_planner::plan::{Step, StepId};

use crate::account::Account;
use crate::executor::{Executor, StepReport, StepResult};
use crate::pass::{Pass, plan_with_facts};

/// Key, key document, resource, read back: more rounds than this would mean that steps feed each other.
const MAX_ROUNDS: usize = 5;

/// For a progress bar.
#[derive(Debug)]
pub enum Progress<'a> {
    /// This many steps are to be made in this round, beside those already reported.
    Round(usize),
    /// One ended.
    Ended(&'a StepReport),
}

/// What a cycle did.
#[derive(Debug)]
pub struct Applied {
    /// The scope as it is now, and what is left to do.
    pub pass: Pass,
    /// What became of each step, in the order in which they ended. A step that was planned afresh is there each time.
    pub reports: Vec<StepReport>,
}

impl Applied {
    /// Steps that were tried and not made.
    pub fn failures(&self) -> impl Iterator<Item = &StepReport> {
        let last = |report: &&StepReport| !self.reports.iter().rev().any(|later| later.id == report.id && later.result.is_done());
        self.reports.iter().filter(|report| !report.result.is_done()).filter(last)
    }
}

/// Makes the steps of `pass` that no gate stops, and those that its outcome makes possible.
pub async fn apply<A: Account>(executor: &Executor<'_, A>, pass: Pass, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Applied {
    let mut applied = Applied { pass, reports: Vec::new() };
    let mut tried: BTreeSet<StepId> = BTreeSet::new();
    for _ in 0..MAX_ROUNDS {
        let steps: Vec<Step> =
            applied.pass.plan.steps.iter().filter(|step| is_executable(step) && !tried.contains(&step.id)).cloned().collect();
        if steps.is_empty() || executor.stop.is_cancelled() {
            break;
        }
        progress(Progress::Round(steps.len()));
        let mut reports = executor.run(&steps, &applied.pass.inventory.aliases, &|report| progress(Progress::Ended(report))).await;
        tried.extend(reports.iter().filter(|report| !wants_a_fresh_plan(&report.result)).map(|report| report.id.clone()));
        let moved = reports.iter().any(|report| !matches!(report.result, StepResult::Deferred(_) | StepResult::Unmet(_)));
        let mut inventory = applied.pass.inventory;
        for report in &mut reports {
            absorb(&mut inventory, report);
        }
        applied.reports.append(&mut reports);
        applied.pass = plan_with_facts(executor.account, &executor.around, inventory).await;
        if !moved {
            break;
        }
    }
    applied
}

/// No gate stops the step.
pub(crate) const fn is_executable(step: &Step) -> bool {
    step.gate.is_none() && step.change.is_some()
}

/// Takes what a step's reads saw into the inventory.
pub(crate) fn absorb(inventory: &mut Inventory, report: &mut StepReport) {
    if let Some(seen) = report.seen.take() {
        inventory.absorb(seen.inventory, &seen.targets);
    }
}

const fn wants_a_fresh_plan(result: &StepResult) -> bool {
    match result {
        StepResult::Stale(_) | StepResult::Deferred(_) | StepResult::Unmet(_) => true,
        StepResult::Applied
        | StepResult::Settling
        | StepResult::Unchanged
        | StepResult::Gone
        | StepResult::Unread(_)
        | StepResult::Failed(_)
        | StepResult::Stopped => false,
    }
}
