//! One step: read, compare, record, write, read back, record.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use everseal_planner::absorb::service_of;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::change::ParameterGroupKind;
use everseal_planner::plan::{Change, Reads, Step, Target};
use everseal_planner::rds::migration::change::MigrationChange;
use everseal_planner::sim::{self, Standing};
use everseal_planner::{Arn, Inventory, Service};
use futures::FutureExt;

use super::report::{Seen, StepError, StepReport, StepResult, with_sources};
use super::{Account, Aliases, Executor};
use crate::ledger::{Entry, Intent, LedgerOutcome, Open, OutcomeRecord};

/// What reading the resource says of the change.
struct Look {
    /// Without our own recent writes: the standing of what AWS really shows.
    standing: Standing,
    seen: Seen,
}

impl<A: Account> Executor<'_, A> {
    /// Makes one step; a panic ends this step alone.
    pub(super) async fn make_contained(&self, step: &Step, known: &Aliases) -> StepReport {
        let report = AssertUnwindSafe(self.make(step, known)).catch_unwind().await.unwrap_or_else(|panic| {
            let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned());
            tracing::error!(step = %step.id, panic = %words, "a step panicked");
            StepReport::unmade(step, StepResult::Failed(StepError::Panicked(words)))
        });
        if step.service == Service::Kms && matches!(report.result, StepResult::Applied) {
            tokio::select! {
                () = tokio::time::sleep(self.options.key_propagation) => {}
                () = self.stop.cancelled() => {}
            }
        }
        report
    }

    async fn make(&self, step: &Step, known: &Aliases) -> StepReport {
        let mut report = StepReport::unmade(step, StepResult::Stopped);
        let Some(change) = &step.change else { return report };
        if let Some(alias) = change.waits_for_key() {
            report.result = StepResult::Deferred(alias.to_owned());
            return report;
        }
        let look = tokio::select! {
            biased;
            () = self.stop.cancelled() => return report,
            look = self.look(&step.resource, change, known) => look,
        };
        let settling = self.around.memory().recent.is_settling(&step.resource, change, self.around.clock.now());
        report.result = match look.standing {
            Standing::Before if settling => StepResult::Settling,
            Standing::Before => return self.write(step, change, known, report).await,
            Standing::After => StepResult::Unchanged,
            Standing::Changed(why) => StepResult::Stale(why),
            Standing::Gone => StepResult::Gone,
            Standing::CannotTell(why) => StepResult::Unread(why),
        };
        report.seen = Some(look.seen);
        report
    }

    /// From here on nothing is interrupted: what has been recorded is written, what was written is recorded.
    async fn write(&self, step: &Step, change: &Change, known: &Aliases, mut report: StepReport) -> StepReport {
        let (scope, revision) = (self.account.scope(), &self.around.policies.revision);
        let Some(intent) = Intent::of(step, scope, revision, self.actor, self.around.clock.now_millis()) else { return report };
        let open = match self.ledger.open(intent).await {
            Ok(open) => open,
            Err(error) => {
                report.result = StepResult::Failed(StepError::Ledger(error));
                return report;
            }
        };
        if matches!(change, Change::DeliveryStreamEncryption { .. }) {
            self.around.memory().encryption_call(&step.resource, self.around.clock.now());
        }
        let applied = self.account.apply(&step.resource, change).await;
        if applied.is_ok() {
            self.wrote(&step.resource, change);
        }
        let (result, seen) = self.read_back(step, change, known, applied.err()).await;
        report.entry = Some(self.record(open, &result).await);
        report.result = result;
        report.seen = seen;
        report
    }

    fn wrote(&self, resource: &Arn, change: &Change) {
        let mut memory = self.around.memory();
        let now = self.around.clock.now();
        memory.recent.remember(resource, change, now);
        memory.database_calls.note(self.account.scope(), change, now);
        memory.changes_this_cycle += 1;
    }

    /// Reads the resource until it shows the change, or says that it may do so later.
    async fn read_back(
        &self,
        step: &Step,
        change: &Change,
        known: &Aliases,
        error: Option<crate::account::ApplyError>,
    ) -> (StepResult, Option<Seen>) {
        if let Some(error) = error {
            return self.after_error(step, change, known, error).await;
        }
        let mut last = None;
        for wait in &self.options.read_back_after {
            if !wait.is_zero() {
                if self.stop.is_cancelled() {
                    break;
                }
                tokio::select! {
                    () = tokio::time::sleep(*wait) => {}
                    () = self.stop.cancelled() => {}
                }
            }
            let look = self.look(&step.resource, change, known).await;
            last = Some(look.seen);
            match look.standing {
                Standing::After => return (StepResult::Applied, last),
                Standing::Changed(why) => return (StepResult::Failed(StepError::Contradicted(why)), last),
                Standing::Gone => return (StepResult::Gone, last),
                Standing::Before | Standing::CannotTell(_) => {}
            }
        }
        (StepResult::Settling, last)
    }

    /// An answer that was lost may hide a write that was made: only reading tells.
    async fn after_error(
        &self,
        step: &Step,
        change: &Change,
        known: &Aliases,
        error: crate::account::ApplyError,
    ) -> (StepResult, Option<Seen>) {
        if matches!(change, Change::Migration(_)) && error.class != ErrorClass::Unavailable {
            return self.after_refusal(step, change, known, error).await;
        }
        if error.class == ErrorClass::NotFound {
            let look = self.look(&step.resource, change, known).await;
            let result = if look.standing == Standing::Gone { StepResult::Gone } else { StepResult::Failed(StepError::Apply(error)) };
            return (result, Some(look.seen));
        }
        if error.class != ErrorClass::Unavailable {
            return (StepResult::Failed(StepError::Apply(error)), None);
        }
        let look = self.look(&step.resource, change, known).await;
        if look.standing == Standing::After {
            self.wrote(&step.resource, change);
            return (StepResult::Applied, Some(look.seen));
        }
        (StepResult::Failed(StepError::Apply(error)), Some(look.seen))
    }

    /// Names of what a migration makes are the same for the same work: a refusal may only mean that somebody else (another
    /// daemon, a person at a terminal) was a moment faster.
    async fn after_refusal(
        &self,
        step: &Step,
        change: &Change,
        known: &Aliases,
        error: crate::account::ApplyError,
    ) -> (StepResult, Option<Seen>) {
        let look = self.look(&step.resource, change, known).await;
        let result = match look.standing {
            Standing::After => StepResult::Unchanged,
            Standing::Gone => StepResult::Gone,
            Standing::Before | Standing::Changed(_) | Standing::CannotTell(_) => StepResult::Failed(StepError::Apply(error)),
        };
        (result, Some(look.seen))
    }

    async fn look(&self, resource: &Arn, change: &Change, known: &Aliases) -> Look {
        let targets = targets_of(self.account.scope(), resource, change);
        let reads = Reads { gate_facts: needs_gate_facts(change), ..self.around.reads(self.account.scope()) };
        let mut inventory = self.account.observe(&Target::Resources(targets.clone()), &reads).await;
        if inventory.aliases.is_not_read() {
            inventory.aliases.clone_from(known);
        }
        let standing = match sim::standing(&inventory, resource, change) {
            Standing::Gone => not_seen(&inventory, resource),
            standing => standing,
        };
        self.around.dress(&mut inventory, Some(&targets));
        Look { standing, seen: Seen { inventory, targets } }
    }

    async fn record(&self, open: Open, result: &StepResult) -> Entry {
        let outcome = match result {
            StepResult::Settling => LedgerOutcome::Settling,
            StepResult::Failed(_) => LedgerOutcome::Failed,
            _ => LedgerOutcome::Applied,
        };
        let error = match result {
            StepResult::Failed(error) => Some(with_sources(error)),
            StepResult::Gone => Some("the resource was deleted meanwhile".to_owned()),
            StepResult::Unchanged => Some("AWS refused it, because somebody else had just made it".to_owned()),
            _ => None,
        };
        let outcome = OutcomeRecord { at_millis: self.around.clock.now_millis(), outcome, error };
        let entry = Entry { intent: open.intent.clone(), result: crate::ledger::Outcome::Recorded(outcome.clone()) };
        if let Err(error) = self.ledger.close(open, outcome).await {
            // The change is made and its intent is on record: there is nothing to take back.
            tracing::error!(error = %with_sources(&error), step = %entry.intent.step, "the outcome of a step could not be recorded");
        }
        entry
    }
}

/// Not seen is not gone where the service could not be asked.
fn not_seen(inventory: &Inventory, resource: &Arn) -> Standing {
    match service_of(resource).and_then(|service| inventory.unlisted.get(&service)) {
        Some(why) => Standing::CannotTell(format!("{}: {}", why.operation, why.message)),
        None => Standing::Gone,
    }
}

/// Documents of keys are gate facts where the policy does not list the key; a change of one must see it. So are proxies and
/// event subscriptions of databases.
const fn needs_gate_facts(change: &Change) -> bool {
    match change {
        Change::KeyDocument { .. } => true,
        Change::Migration(migration) => {
            matches!(**migration, MigrationChange::RetargetProxy { .. } | MigrationChange::SubscribeEvents { .. })
        }
        _ => false,
    }
}

/// What must be read to tell how the change stands. A parameter group that no database uses yet is seen only if it is asked
/// for by its own ARN, and so are the other databases of a migration.
fn targets_of(scope: &everseal_planner::Scope, resource: &Arn, change: &Change) -> BTreeSet<Arn> {
    let mut targets = BTreeSet::from([resource.clone()]);
    match change {
        Change::CreateParameterGroup { kind, name, .. } | Change::ParameterGroup { kind, name, .. } => {
            targets.insert(kind.group(scope, name));
        }
        Change::Migration(migration) => {
            targets.extend(migration.other_databases().into_iter().map(|(kind, name)| kind.database(scope, name)));
            if let MigrationChange::Tags { arn, .. } = &**migration {
                targets.extend(Arn::parse(arn).ok().filter(is_database));
            }
        }
        // A member of a cluster has a status of its own.
        Change::RebootDatabase { kind: ParameterGroupKind::Instance, database } => {
            targets.insert(ParameterGroupKind::Instance.database(scope, database));
        }
        _ => {}
    }
    targets
}

/// Snapshots are read with every database; they are no targets of their own.
fn is_database(arn: &Arn) -> bool {
    let kind = arn.resource().split_once(':').map(|(kind, _)| kind);
    arn.service() == "rds" && kind.is_some_and(|kind| ["db", "cluster"].contains(&kind))
}

#[cfg(test)]
mod tests {
    use everseal_planner::Scope;

    use super::*;

    fn targets(change: MigrationChange) -> Vec<String> {
        let scope = Scope { partition: "aws".to_owned(), account: "111122223333".to_owned(), region: "us-east-1".to_owned() };
        let change = Change::Migration(Box::new(change));
        targets_of(&scope, &scope.arn("rds", "db:a"), &change).into_iter().map(|arn| arn.resource().to_owned()).collect()
    }

    #[test]
    fn a_steps_other_databases_are_read_with_it() {
        let kind = ParameterGroupKind::Instance;
        let (from, to) = ("a".to_owned(), "a-old".to_owned());
        assert_eq!(targets(MigrationChange::Rename { kind, resource_id: "db-A".to_owned(), from, to }), ["db:a", "db:a-old"]);
        let kind = ParameterGroupKind::Cluster;
        assert_eq!(targets(MigrationChange::DeletionProtection { kind, database: "c".to_owned(), on: true }), ["cluster:c", "db:a"]);
        let tags = |resource: &str| MigrationChange::Tags {
            arn: format!("arn:aws:rds:us-east-1:111122223333:{resource}"),
            set: [("everseal:replaced-at".to_owned(), "1".to_owned())].into(),
            remove: BTreeSet::new(),
        };
        assert_eq!(targets(tags("db:copy")), ["db:a", "db:copy"]);
        assert_eq!(targets(tags("snapshot:s")), ["db:a"], "snapshots are listed whole anyway");
    }

    #[test]
    fn what_a_step_hangs_on_beside_its_databases_is_read_too() {
        let needs = |change| needs_gate_facts(&Change::Migration(Box::new(change)));
        let (subscription, database) = ("s".to_owned(), "a".to_owned());
        assert!(needs(MigrationChange::SubscribeEvents { subscription, database }));
        let (kind, snapshot) = (ParameterGroupKind::Instance, "s".to_owned());
        assert!(!needs(MigrationChange::DeleteSnapshot { kind, snapshot }));
    }
}
