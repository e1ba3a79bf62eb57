//! The way back before the switch: what the migration made goes, the database stays as it was.
//!
//! What must never happen here: a deletion of what clients may be using, or of what the migration did not make.

use std::collections::{BTreeMap, BTreeSet};

use super::build::{remove, spent_snapshots};
use super::case::{Case, Next, change, waiting};
use super::change::MigrationChange;
use super::cutover::let_in;
use super::family::{Db, Family};
use super::observed::TAG_ABORTED_AT;
use super::report::Stage;
use super::{blue_green, names};
use crate::plan::draft::Remedy;

/// Why it is too late to abort, and what to do instead; `None`: it is not.
pub(super) fn too_late(family: &Family<'_>) -> Option<String> {
    let name = &family.name;
    let old = family.old.map_or_else(|| names::old(name), |old| old.identifier.to_owned());
    if family.is_switched() {
        return Some(format!(
            "clients reach the encrypted {name} already, and what they wrote is there alone. To go back all the same, rename {name} away and {old} to {name} by hand"
        ));
    }
    if family.is_between() {
        return Some(format!(
            "names are being swapped: {old} was {name}. Let it finish, or rename {old} back to {name} by hand and abort then"
        ));
    }
    let switching = family
        .blue_green
        .is_some_and(|deployment| deployment.status.starts_with("SWITCHOVER_IN") || deployment.status == "SWITCHOVER_COMPLETED");
    switching.then(|| format!("AWS is switching {name} over, and rolls back by itself if that fails: wait until it says how that ended"))
}

/// The note that stops a migration until it is resumed.
pub(super) fn note(case: &Case<'_>, old: &Db<'_>) -> Remedy {
    let set = BTreeMap::from([(TAG_ABORTED_AT.to_owned(), case.cx.now.to_string())]);
    let tags = MigrationChange::Tags { arn: old.arn.to_string(), set, remove: BTreeSet::new() };
    change(
        tags,
        format!("abort the migration of {}: it is left alone until `everseal migrations resume`", old.words()),
        "everseal migrations resume",
    )
}

/// Takes the note away.
pub(super) fn resumed(old: &Db<'_>) -> Remedy {
    let remove = BTreeSet::from([TAG_ABORTED_AT.to_owned()]);
    let tags = MigrationChange::Tags { arn: old.arn.to_string(), set: BTreeMap::new(), remove };
    change(tags, format!("go on with the migration of {}", old.words()), "everseal migrations abort")
}

/// Clients are let in first; then what was made goes.
pub(super) fn cleaning(case: &Case<'_>, old: &Db<'_>) -> Vec<Remedy> {
    if case.family.is_isolated() {
        return let_in(case, old);
    }
    let mut steps = Vec::new();
    steps.extend(case.family.blue_green.and_then(|deployment| blue_green::remove(case, deployment)));
    if let Some(copy) = case.family.unused_copy() {
        steps.extend(remove(case, &copy));
    }
    let busy = case.family.snapshots.iter().filter(|(_, snapshot)| matches!(snapshot.status.as_str(), "creating" | "copying"));
    steps
        .extend(busy.map(|(_, snapshot)| waiting(format!("Snapshot {} is {}; then it is removed.", snapshot.identifier, snapshot.status))));
    // A snapshot that a restore is still reading stays until that is over.
    if case.family.unused_copy().is_none() {
        steps.extend(spent_snapshots(case, |_| false));
    }
    steps
}

/// The stage of a migration that a person has aborted.
pub(super) fn aborted(case: &Case<'_>, old: &Db<'_>) -> Next {
    let since = old.moment(TAG_ABORTED_AT);
    let steps = cleaning(case, old);
    if steps.is_empty() {
        let message = format!(
            "The migration of {0} was aborted, and nothing is left of it. `everseal migrations resume {0}` begins anew.",
            case.name()
        );
        return Next::new(Stage::Aborted, message.clone()).since(since).step(Remedy::manual("go on with the migration", message));
    }
    Next::new(Stage::Aborted, format!("The migration of {} was aborted: what it made is removed.", case.name())).since(since).steps(steps)
}
