//! What became of a step.

use std::collections::BTreeSet;

use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::{Change, Step, StepId};
use everseal_planner::{Arn, Check, Inventory, Service};

use crate::account::ApplyError;
use crate::ledger::{Entry, LedgerError};

/// Why a step was not made.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// AWS refused or failed.
    #[error("AWS did not make the change: {0}")]
    Apply(ApplyError),
    /// The intent could not be recorded, so nothing was written.
    #[error("nothing was changed, because the change could not be recorded first")]
    Ledger(#[source] LedgerError),
    /// Written, and then the resource showed neither the old nor the new value.
    #[error("after the change the resource shows something else: {0}")]
    Contradicted(String),
    /// A bug.
    #[error("a bug in Everseal: {0}")]
    Panicked(String),
}

impl StepError {
    /// Decides what happens next.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Apply(error) => error.class,
            Self::Ledger(_) => ErrorClass::Unavailable,
            Self::Contradicted(_) => ErrorClass::Conflict,
            Self::Panicked(_) => ErrorClass::Invalid,
        }
    }
}

/// How a step ended.
#[derive(Debug)]
pub enum StepResult {
    /// Written and read back.
    Applied,
    /// Written, now or shortly before; AWS may show the old value a while longer. Neither failed nor written again.
    Settling,
    /// AWS showed the wanted value already: nothing was written.
    Unchanged,
    /// The resource is not as it was planned from: it must be planned afresh.
    Stale(String),
    /// The resource does not exist any more.
    Gone,
    /// The key with this alias did not exist when the step was planned: it must be planned afresh.
    Deferred(String),
    /// A step that this one needs was not made.
    Unmet(StepId),
    /// The resource could not be read before the write.
    Unread(String),
    /// Tried, and failed.
    Failed(StepError),
    /// The program was told to stop before the step began.
    Stopped,
}

impl StepResult {
    /// Steps that need this one may be made. A key must be seen before anything relies on it; of any
    /// other change AWS's acceptance is enough.
    pub const fn lets_needs_through(&self, service: Service) -> bool {
        match self {
            Self::Applied | Self::Unchanged => true,
            Self::Settling => !matches!(service, Service::Kms),
            Self::Stale(_) | Self::Gone | Self::Deferred(_) | Self::Unmet(_) | Self::Unread(_) | Self::Failed(_) | Self::Stopped => false,
        }
    }

    /// The step did what it was for, or there is nothing left to do it to.
    pub const fn is_done(&self) -> bool {
        match self {
            Self::Applied | Self::Settling | Self::Unchanged | Self::Gone => true,
            Self::Stale(_) | Self::Deferred(_) | Self::Unmet(_) | Self::Unread(_) | Self::Failed(_) | Self::Stopped => false,
        }
    }

    /// In words, for people.
    pub fn words(&self) -> String {
        match self {
            Self::Applied => "applied".to_owned(),
            Self::Settling => "applied; AWS does not show it yet".to_owned(),
            Self::Unchanged => "nothing to do: it is as wanted already".to_owned(),
            Self::Stale(why) => format!("not made, because the resource changed since it was planned: {why}"),
            Self::Gone => "nothing to do: the resource does not exist any more".to_owned(),
            Self::Deferred(alias) => format!("waits for the key {alias}"),
            Self::Unmet(need) => format!("not made, because a step that it needs was not made: {need}"),
            Self::Unread(why) => format!("not made, because the resource could not be read first: {why}"),
            Self::Failed(error) => with_sources(error),
            Self::Stopped => "not made, because Everseal was stopped".to_owned(),
        }
    }
}

/// An error with all its sources, for the one place where it is shown.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// What the step's resource looked like last, our own recent writes laid over it.
#[derive(Debug)]
pub struct Seen {
    /// The partial observation.
    pub inventory: Inventory,
    /// What was observed.
    pub targets: BTreeSet<Arn>,
}

/// What became of one step.
#[derive(Debug)]
pub struct StepReport {
    /// The step.
    pub id: StepId,
    /// What it was made to.
    pub resource: Arn,
    /// The resource's service.
    pub service: Service,
    /// The check it was for.
    pub check: Check,
    /// The API call.
    pub action: String,
    /// What it changes, in a line.
    pub summary: String,
    /// It is one of the many steps of a migration.
    pub migrates: bool,
    /// How it ended.
    pub result: StepResult,
    /// The resource as last seen.
    pub seen: Option<Seen>,
    /// What the ledger holds of it, where anything was written.
    pub entry: Option<Entry>,
}

impl StepReport {
    /// A step that was not begun.
    pub(super) fn unmade(step: &Step, result: StepResult) -> Self {
        Self {
            id: step.id.clone(),
            resource: step.resource.clone(),
            service: step.service,
            check: step.check,
            action: step.action.clone(),
            summary: step.summary.clone(),
            migrates: matches!(step.change, Some(Change::Migration(_))),
            result,
            seen: None,
            entry: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_must_be_seen_before_anything_relies_on_it() {
        assert!(!StepResult::Settling.lets_needs_through(Service::Kms));
        assert!(StepResult::Settling.lets_needs_through(Service::Rds));
        assert!(StepResult::Unchanged.lets_needs_through(Service::Kms));
        assert!(!StepResult::Gone.lets_needs_through(Service::S3));
    }

    #[test]
    fn an_error_is_told_with_its_sources_and_each_once() {
        let source = std::io::Error::other("disk full");
        let error = StepError::Ledger(LedgerError::Folder("/var/changes".to_owned(), source));
        let words = "nothing was changed, because the change could not be recorded first: \
                     ledger: the folder `/var/changes` can't be made: disk full";
        assert_eq!(StepResult::Failed(error).words(), words);
    }
}
