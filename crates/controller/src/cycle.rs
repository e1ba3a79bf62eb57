//! `everseal apply`: makes a pass's steps, and plans again what could only be known afterwards.
//!
//! A step that waits for a key is planned afresh once the key exists, a stale one once its resource
//! is read again. What failed for a reason that may pass is tried again a little later; everything
//! else is tried once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use everseal_planner::Inventory;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::{Step, StepId};

use crate::account::Account;
use crate::executor::{Executor, StepReport, StepResult};
use crate::pass::{Pass, plan_with_facts};

/// Key, key document, resource, read back: more rounds than this would mean that steps feed each other.
const MAX_ROUNDS: usize = 6;
/// A step that fails for a reason that may pass is made this often at most.
const MAX_TRIES: u32 = 3;
/// The wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(2);

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
    /// Steps that were tried and not made, each as it ended last.
    pub fn failures(&self) -> impl Iterator<Item = &StepReport> {
        let is_last = |place: usize, id: &StepId| !self.reports[place + 1..].iter().any(|later| later.id == *id);
        let reports = self.reports.iter().enumerate();
        reports.filter(move |(place, report)| !report.result.is_done() && is_last(*place, &report.id)).map(|(_, report)| report)
    }
}

/// Makes the steps of `pass` that no gate stops, and those that its outcome makes possible.
pub async fn apply<A: Account>(executor: &Executor<'_, A>, pass: Pass, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Applied {
    let mut applied = Applied { pass, reports: Vec::new() };
    let mut tries = Tries::default();
    for _ in 0..MAX_ROUNDS {
        let steps: Vec<Step> =
            applied.pass.plan.steps.iter().filter(|step| is_executable(step) && !tries.ended.contains(&step.id)).cloned().collect();
        if steps.is_empty() || executor.stop.is_cancelled() {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(std::mem::take(&mut tries.wait)) => {}
            () = executor.stop.cancelled() => break,
        }
        progress(Progress::Round(steps.len()));
        let mut reports = executor.run(&steps, &applied.pass.inventory.aliases, &|report| progress(Progress::Ended(report))).await;
        for report in &reports {
            tries.count(report);
        }
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

/// Makes steps that a person asked for by hand, and those that `propose` says follow from them, each once; `propose` is told
/// what was seen last.
pub async fn make_asked<A: Account>(
    executor: &Executor<'_, A>,
    mut inventory: Inventory,
    propose: &(dyn Fn(&Inventory) -> Vec<Step> + Sync),
    on_report: &(dyn Fn(&StepReport) + Sync),
) -> Vec<StepReport> {
    let mut reports: Vec<StepReport> = Vec::new();
    let mut tried: BTreeSet<StepId> = BTreeSet::new();
    for _ in 0..MAX_ROUNDS {
        let steps: Vec<Step> = propose(&inventory).into_iter().filter(|step| !tried.contains(&step.id)).collect();
        if steps.is_empty() || executor.stop.is_cancelled() {
            break;
        }
        let mut round = executor.run(&steps, &inventory.aliases, on_report).await;
        for report in &mut round {
            absorb(&mut inventory, report);
            // What was stale has been read now, and is planned afresh.
            if !matches!(report.result, StepResult::Stale(_)) {
                tried.insert(report.id.clone());
            }
        }
        reports.append(&mut round);
    }
    reports
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

/// What has been tried in a cycle.
#[derive(Debug, Default)]
struct Tries {
    failed: BTreeMap<StepId, u32>,
    /// Steps that are not begun again.
    ended: BTreeSet<StepId>,
    /// Before the next round.
    wait: Duration,
}

impl Tries {
    fn count(&mut self, report: &StepReport) {
        match &report.result {
            // Planned afresh.
            StepResult::Stale(_) | StepResult::Deferred(_) | StepResult::Unmet(_) => {}
            StepResult::Failed(error) if may_pass(error.class()) => {
                let failed = self.failed.entry(report.id.clone()).or_default();
                *failed += 1;
                if *failed < MAX_TRIES {
                    self.wait = self.wait.max(FIRST_WAIT * 2_u32.pow(*failed - 1));
                } else {
                    self.ended.insert(report.id.clone());
                }
            }
            StepResult::Applied
            | StepResult::Settling
            | StepResult::Unchanged
            | StepResult::Gone
            | StepResult::Unread(_)
            | StepResult::Failed(_)
            | StepResult::Stopped => {
                self.ended.insert(report.id.clone());
            }
        }
    }
}

/// Whether a person who waits at a terminal may hope that a few seconds help: two configuration
/// changes of one bucket in a row are refused with a conflict, for example (AWS-FACTS §2.4).
const fn may_pass(class: ErrorClass) -> bool {
    match class {
        ErrorClass::Throttled | ErrorClass::Conflict | ErrorClass::Unavailable => true,
        ErrorClass::Denied | ErrorClass::NotFound | ErrorClass::Invalid | ErrorClass::LimitExceeded => false,
    }
}
