//! The way to a verified copy by snapshot: snapshot → copy under the key → restore (instances), or snapshot → restore
//! with the key → members (clusters), then everything that a restore loses.
//!
//! What must never happen here: a copy that is taken for verified while a field differs, or one whose data is older than
//! what the caller asks for.

use super::case::{Case, Next, block, change, held, waiting};
use super::change::MigrationChange;
use super::compare::{self, Difference};
use super::family::Db;
use super::names::{self, Mark};
use super::observed::DbSnapshot;
use super::report::Stage;
use super::status::Condition;
use crate::kms::{Fit, fit};
use crate::plan::Gate;
use crate::plan::change::ParameterGroupKind;
use crate::plan::draft::{Draft, Remedy};
use crate::plan::keys::{KeyRequirement, WantedKey, require_key, wanted_key};
use crate::plan::step::Risk;
use crate::rds::encryption::{Storage, storage};

/// How far the copy is.
pub(super) enum Built<'a> {
    /// Not there yet.
    Not(Next),
    /// There and like the old one in every field.
    Verified(Db<'a>),
}

/// Brings a copy with the data of `mark` into being. For a rehearsal any copy will do: a cut-over that was given up leaves one.
pub(super) fn copy<'a>(case: &Case<'a>, old: &Db<'a>, mark: Mark, draft: &mut Draft) -> Built<'a> {
    match case.family.copy {
        Some(copy) if mark == Mark::Rehearsal || copy.mark() == mark => configure(case, old, copy),
        Some(copy) => Built::Not(replace(case, old, &copy, mark, draft)),
        None => Built::Not(from_snapshot(case, old, mark, draft)),
    }
}

/// The copy holds older data: it goes, while the snapshot that replaces it is taken.
fn replace(case: &Case<'_>, old: &Db<'_>, copy: &Db<'_>, mark: Mark, draft: &mut Draft) -> Next {
    let mut next = match case.family.snapshot(&names::snapshot(case.name(), mark)) {
        None => from_snapshot(case, old, mark, draft),
        Some(taken) => Next::waiting(
            Stage::Snapshotting,
            format!(
                "The copy {} holds data from before writes stopped and is removed; snapshot {} replaces it.",
                copy.identifier, taken.identifier
            ),
        ),
    };
    let removal = remove(case, copy);
    if removal.iter().any(|remedy| remedy.change.is_some()) {
        // Waiting says nothing where there is something to do.
        next.steps.retain(|remedy| remedy.change.is_some() || remedy.block.as_ref().is_some_and(|block| block.name != Gate::NotReady));
    }
    next.steps(removal.into_iter().filter(|remedy| remedy.change.is_some()))
}

/// Removes a copy that we made and nobody uses: protection off, members, then itself.
pub(super) fn remove(case: &Case<'_>, copy: &Db<'_>) -> Vec<Remedy> {
    let Some(copy) = case.family.unused_copy().filter(|unused| unused.arn == copy.arn) else {
        let reason = format!("{} is not a copy that this migration made and nobody uses: it is not touched", copy.words());
        return vec![Remedy::manual("look at the copy", reason)];
    };
    match copy.condition() {
        Condition::Deleting => return vec![waiting(format!("{} is being deleted.", copy.words()))],
        Condition::Busy => return vec![waiting(format!("{} is {}; then it is removed.", copy.words(), copy.status))],
        Condition::Ready | Condition::Stopped | Condition::Failed => {}
    }
    let Some(resource_id) = copy.resource_id else {
        return vec![waiting(format!("AWS does not show the resource id of {} yet.", copy.words()))];
    };
    if copy.deletion_protection() == Some(true) {
        let off = MigrationChange::DeletionProtection { kind: copy.kind, database: copy.identifier.to_owned(), on: false };
        return vec![change(off, format!("let {} be deleted: the migration made it and nobody uses it", copy.words()), "")];
    }
    let members = if copy.cluster.is_some() && copy.is_aurora() { case.seen.members_of(&copy) } else { Vec::new() };
    if !members.is_empty() {
        let going = members
            .iter()
            .filter(|member| member.condition() != Condition::Deleting && member.tag(super::observed::TAG_OF) == Some(case.family.id));
        let steps: Vec<Remedy> = going
            .filter_map(|member| Some((member, member.resource_id?)))
            .map(|(member, id)| delete(member, id, format!("delete {}: the migration made it and nobody uses it", member.words())))
            .collect();
        return if steps.is_empty() { vec![waiting(format!("members of {} are being deleted.", copy.words()))] } else { steps };
    }
    vec![delete(&copy, resource_id, format!("delete the copy {}: the migration made it and nobody uses it", copy.identifier))]
}

fn delete(db: &Db<'_>, resource_id: &str, summary: String) -> Remedy {
    let (kind, database) = (db.kind, db.identifier.to_owned());
    let gone = MigrationChange::DeleteDatabase { kind, resource_id: resource_id.to_owned(), database, final_snapshot: None };
    change(gone, summary, "none is needed: the migration makes a new copy")
}

fn from_snapshot(case: &Case<'_>, old: &Db<'_>, mark: Mark, draft: &mut Draft) -> Next {
    let identifier = names::snapshot(case.name(), mark);
    let Some(snapshot) = case.family.snapshot(&identifier) else { return take(case, old, mark, draft) };
    let since = started(snapshot);
    match snapshot.status.as_str() {
        "available" => {}
        "failed" => return failed(case, &format!("Snapshot {identifier} has failed.")).since(since),
        status => {
            let message = format!("Snapshot {identifier} is {status}, {} % done.", snapshot.percent_progress);
            return case.in_progress(Stage::Snapshotting, since, message).percent(snapshot.percent_progress);
        }
    }
    if let Mark::Stopped(stopped) = mark
        && snapshot.data_of.or(snapshot.created_at).is_none_or(|moment| moment < stopped)
    {
        return failed(case, &format!("Snapshot {identifier} is not known to be younger than the moment at which writes stopped."));
    }
    match old.kind {
        ParameterGroupKind::Instance => encrypt_snapshot(case, old, (mark, snapshot), draft),
        ParameterGroupKind::Cluster => restore_cluster(case, old, (mark, snapshot), draft),
    }
}

fn take(case: &Case<'_>, old: &Db<'_>, mark: Mark, draft: &mut Draft) -> Next {
    let stage = if mark == Mark::Rehearsal { Stage::Planned } else { Stage::Snapshotting };
    match old.condition() {
        Condition::Ready => {}
        Condition::Stopped => {
            let reason = format!("{} is {}: AWS takes no snapshot of it. Start it.", old.words(), old.status);
            return Next::new(stage, reason.clone()).step(held(block(Gate::NotReady, reason), format!("start {}", old.words())));
        }
        Condition::Busy | Condition::Deleting | Condition::Failed => {
            return Next::waiting(stage, format!("{} is {}: a snapshot is taken once it is available.", old.words(), old.status));
        }
    }
    let snapshot = names::snapshot(case.name(), mark);
    let (what, message) = match mark {
        Mark::Rehearsal => (
            format!("take snapshot {snapshot} of {}, to build and compare an encrypted copy; nobody is cut off", old.words()),
            "A copy is built and compared first; nobody is cut off for that.".to_owned(),
        ),
        Mark::Stopped(at) => (
            format!(
                "take snapshot {snapshot} of {}, which nobody has written to since {}",
                old.words(),
                crate::policy::window::moment_words(at)
            ),
            "Nobody writes any more: the data that clients are switched to is taken now.".to_owned(),
        ),
    };
    let (kind, database) = (old.kind, old.identifier.to_owned());
    let step = MigrationChange::CreateSnapshot { kind, database, snapshot: snapshot.clone(), tags: case.tags() };
    let step = change(step, what, format!("delete snapshot {snapshot}")).risking(snapshot_risk(old));
    let step = under_key(case, step, draft);
    Next::new(stage, message).step(step)
}

/// A snapshot of a Single-AZ instance suspends I/O for a moment. [RDS: creating a DB snapshot]
fn snapshot_risk(old: &Db<'_>) -> Risk {
    if old.instance_settings().is_some_and(|settings| !settings.multi_az) { Risk::Brief } else { Risk::None }
}

fn encrypt_snapshot(case: &Case<'_>, old: &Db<'_>, (mark, source): (Mark, &DbSnapshot), draft: &mut Draft) -> Next {
    let target = names::encrypted_snapshot(case.name(), mark);
    let Some(encrypted) = case.family.snapshot(&target) else {
        let message = format!("Snapshot {} is copied under the key: the copy is what becomes encrypted.", source.identifier);
        let step = with_key(case, draft, |key| {
            let step = MigrationChange::CopySnapshot {
                source: source.identifier.clone(),
                target: target.clone(),
                key: key.to_owned(),
                tags: case.tags(),
            };
            change(
                step,
                format!("copy snapshot {} to {target}, encrypted with {key}", source.identifier),
                format!("delete snapshot {target}"),
            )
        });
        return Next::new(Stage::Copying, message).step(step);
    };
    let since = started(encrypted);
    match encrypted.status.as_str() {
        "available" => {}
        "failed" => {
            return failed(
                case,
                &format!("Copying snapshot {} under the key has failed: look whether the key can be used.", source.identifier),
            )
            .since(since);
        }
        status => {
            let message = format!("Snapshot {target} is {status}, {} % done.", encrypted.percent_progress);
            return case.in_progress(Stage::Copying, since, message).percent(encrypted.percent_progress);
        }
    }
    if matches!(storage(&encrypted.storage), Storage::Open) {
        return failed(case, &format!("AWS shows snapshot {target} as not encrypted."));
    }
    let Some(settings) = compare::instance_target(old) else { return unread_settings(old) };
    let instance = names::copy(case.name());
    if case.seen.is_taken(ParameterGroupKind::Instance, &instance) {
        return name_taken(&instance);
    }
    let tags = case.tags_of_copy(old, case.name(), mark);
    let step =
        MigrationChange::RestoreInstance { snapshot: target.clone(), instance: instance.clone(), settings: Box::new(settings), tags };
    let step =
        change(step, format!("restore {target} as {instance}, with the settings of {}", old.identifier), format!("delete {instance}"));
    let step = under_key(case, step, draft);
    Next::new(Stage::Restoring, format!("The encrypted snapshot is restored as {instance}.")).step(step)
}

fn restore_cluster(case: &Case<'_>, old: &Db<'_>, (mark, source): (Mark, &DbSnapshot), draft: &mut Draft) -> Next {
    let Some(settings) = compare::cluster_target(old) else { return unread_settings(old) };
    let cluster = names::copy(case.name());
    if case.seen.is_taken(ParameterGroupKind::Cluster, &cluster) {
        return name_taken(&cluster);
    }
    let step = with_key(case, draft, |key| {
        let restore = MigrationChange::RestoreCluster {
            snapshot: source.identifier.clone(),
            cluster: cluster.clone(),
            engine: old.engine.to_owned(),
            engine_version: old.engine_version.to_owned(),
            key: key.to_owned(),
            settings: Box::new(settings.clone()),
            tags: case.tags_of_copy(old, case.name(), mark),
        };
        let words = format!("restore {} as {cluster}, encrypted with {key}, with the settings of {}", source.identifier, old.identifier);
        change(restore, words, format!("delete cluster {cluster}"))
    });
    Next::new(Stage::Restoring, format!("The snapshot is restored as cluster {cluster}, encrypted with the key.")).step(step)
}

/// The copy is there: it becomes like the old database.
fn configure<'a>(case: &Case<'a>, old: &Db<'a>, copy: Db<'a>) -> Built<'a> {
    if let Some(next) = unfinished(case, &copy) {
        return Built::Not(next);
    }
    if let Some(next) = wrong_key(case, &copy) {
        return Built::Not(next);
    }
    if copy.cluster.is_some()
        && copy.is_aurora()
        && let Some(next) = super::members::missing(case, old, &copy)
    {
        return Built::Not(next);
    }
    let Some(different) = compare::differences(old, &copy) else { return Built::Not(unread_settings(&copy)) };
    let mut steps: Vec<Remedy> =
        compare::missing_roles(old, &copy).into_iter().map(|(feature, role)| add_role(&copy, feature, role)).collect();
    steps.extend(set(old, &copy, &different));
    if copy.cluster.is_some() {
        steps.extend(super::members::configuration(case, old, &copy));
    }
    let fixed: Vec<String> = different.iter().filter(|difference| !difference.can_be_set).map(Difference::words).collect();
    if steps.is_empty() && !fixed.is_empty() {
        let message = format!("The copy is not like the old database, and no call changes that: {}.", fixed.join("; "));
        return Built::Not(Next { differences: fixed, ..failed(case, &message) });
    }
    if !steps.is_empty() {
        let message = format!("{} gets what a restore does not carry.", copy.words());
        let differences = different.iter().map(Difference::words).collect();
        let next = Next::new(Stage::Configuring, message).since(copy.started_at()).steps(steps);
        return Built::Not(Next { differences, ..next });
    }
    match parameters_in_force(case, &copy) {
        Some(next) => Built::Not(next),
        None => Built::Verified(copy),
    }
}

/// `None` where the copy is available.
pub(super) fn unfinished(case: &Case<'_>, copy: &Db<'_>) -> Option<Next> {
    let (words, status, since) = (copy.words(), copy.status, copy.started_at());
    match copy.condition() {
        Condition::Ready => None,
        Condition::Busy => {
            let stage = if status == "creating" { Stage::Restoring } else { Stage::Configuring };
            Some(case.in_progress(stage, since, format!("{words} is {status}.")))
        }
        Condition::Deleting => Some(case.in_progress(Stage::Restoring, since, format!("{words} is being deleted."))),
        Condition::Stopped => Some(Next::stuck(format!("{words} is {status}. Start it, or give up: {}", case.way_back()))),
        Condition::Failed => Some(failed(case, &format!("{words} is {status}."))),
    }
}

fn wrong_key(case: &Case<'_>, copy: &Db<'_>) -> Option<Next> {
    let observed = match storage(copy.storage) {
        Storage::Open => return Some(failed(case, &format!("AWS shows {} as not encrypted.", copy.words()))),
        Storage::AwsOwned => None,
        Storage::Kms(key) => key,
        Storage::Unknown(other) => {
            return Some(failed(case, &format!("Everseal does not know the storage encryption {other} of {}.", copy.words())));
        }
    };
    let reference = case.key?;
    let wanted = wanted_key(case.cx, reference);
    let other = observed.is_none_or(|observed| matches!(fit(case.cx, reference, &wanted, observed), Fit::Other));
    other.then(|| failed(case, &format!("{} is encrypted with another key than {reference}.", copy.words())))
}

/// One call for all that can be set and differs.
pub(super) fn set(old: &Db<'_>, copy: &Db<'_>, different: &[Difference]) -> Option<Remedy> {
    if !different.iter().any(|difference| difference.can_be_set) {
        return None;
    }
    let fields: Vec<&str> =
        different.iter().filter(|difference| difference.can_be_set).map(|difference| difference.field.as_str()).collect();
    let summary = format!("set on {}, as on {}: {}", copy.words(), old.identifier, fields.join(", "));
    let name = copy.identifier.to_owned();
    let step = match (copy.instance_settings(), copy.cluster_settings()) {
        (Some(settings), _) => {
            let after = Box::new(compare::corrected(settings, &compare::instance_target(old)?, different)?);
            MigrationChange::ConfigureInstance { instance: name, before: Box::new(settings.clone()), after }
        }
        (None, Some(settings)) => {
            let after = Box::new(compare::corrected(settings, &compare::cluster_target(old)?, different)?);
            MigrationChange::ConfigureCluster { cluster: name, before: Box::new(settings.clone()), after }
        }
        (None, None) => return None,
    };
    Some(change(step, summary, "none is needed: nobody uses the copy"))
}

fn add_role(copy: &Db<'_>, feature: String, role: String) -> Remedy {
    let summary = format!("let {} use role {role}, as the old database does", copy.words());
    change(
        MigrationChange::AddRole { kind: copy.kind, database: copy.identifier.to_owned(), feature, role },
        summary,
        "RemoveRoleFromDBInstance",
    )
}

/// A parameter group that is not in force would change how the database behaves at its first restart.
fn parameters_in_force(case: &Case<'_>, copy: &Db<'_>) -> Option<Next> {
    let alone = copy.instance.into_iter().flat_map(|db| &db.parameter_groups).map(|group| (copy.identifier, group.apply_status.as_str()));
    let members = copy
        .cluster
        .into_iter()
        .flat_map(|db| &db.members)
        .map(|member| (member.instance.as_str(), member.parameter_group_status.as_str()));
    let (database, status) = alone.chain(members).find(|(_, status)| *status != "in-sync")?;
    if status == "applying" {
        return Some(case.in_progress(Stage::Configuring, copy.started_at(), format!("The parameters of {database} are being applied.")));
    }
    let reason = format!("The parameter group of {database} is {status}. Reboot {database}: it is the copy, and nobody uses it yet.");
    Some(Next::new(Stage::Configuring, reason.clone()).step(Remedy::manual(format!("reboot {database}"), reason)))
}

/// The key's requirement on a step that does not name the key.
pub(super) fn under_key(case: &Case<'_>, step: Remedy, draft: &mut Draft) -> Remedy {
    match key(case, draft) {
        Ok((_, requirement)) => step.requiring(requirement),
        // The key comes with an earlier step of this plan.
        Err(requirement) => step.requiring(requirement).blocked(Gate::NotReady, "the key is created first"),
    }
}

/// A step that names the key: where there is none yet it only says so.
pub(super) fn with_key(case: &Case<'_>, draft: &mut Draft, step: impl FnOnce(&str) -> Remedy) -> Remedy {
    match key(case, draft) {
        Ok((arn, requirement)) => step(&arn).requiring(requirement),
        Err(requirement) => {
            let mut remedy = Remedy::manual("encrypt the copy", "").needing(requirement.needs);
            remedy.block = requirement.block.or_else(|| Some(block(Gate::NotReady, "the key is created first")));
            remedy
        }
    }
}

/// The key's ARN and what must be true before it is used; without an ARN only what must be.
fn key(case: &Case<'_>, draft: &mut Draft) -> Result<(String, KeyRequirement), KeyRequirement> {
    let Some(reference) = case.key else {
        let reason = "the rule names no key to encrypt the copy with: add `key: alias/…` beside `migration`";
        return Err(KeyRequirement::blocked(block(Gate::KeyState, reason)));
    };
    let wanted = wanted_key(case.cx, reference);
    // RDS uses the key by a grant that the caller makes: nobody else must be let through.
    let requirement = require_key(case.cx, draft, &wanted, &[]);
    match wanted {
        WantedKey::Exists(arn) => Ok((arn.to_string(), requirement)),
        WantedKey::ToBeCreated { .. } | WantedKey::Unusable(_) => Err(requirement),
    }
}

pub(super) fn failed(case: &Case<'_>, what: &str) -> Next {
    Next::stuck(format!("{what} Look at the events of the database; {}", case.way_back()))
}

pub(super) fn unread_settings(db: &Db<'_>) -> Next {
    let reason = format!("the settings of {} were not read, so the copy can't be compared", db.words());
    Next::new(Stage::Planned, reason.clone()).step(held(block(Gate::Unread, reason), "compare old and copy"))
}

fn name_taken(identifier: &str) -> Next {
    let reason = format!("{identifier} exists and is not this migration's: rename or remove it, so that the copy can get this name");
    Next::stuck(reason)
}

fn started(snapshot: &DbSnapshot) -> Option<i64> {
    snapshot.tags.get(super::observed::TAG_STARTED_AT).and_then(|text| text.parse().ok()).or(snapshot.created_at)
}

/// Snapshots of ours that nothing needs any more: all but those of the `needed` data.
pub(super) fn spent_snapshots(case: &Case<'_>, needed: impl Fn(Mark) -> bool) -> Vec<Remedy> {
    let spent = case
        .family
        .snapshots
        .iter()
        .filter(|(mark, snapshot)| !needed(*mark) && matches!(snapshot.status.as_str(), "available" | "failed"));
    spent
        .map(|(_, snapshot)| {
            let kind =
                if snapshot.arn.resource().starts_with("cluster-") { ParameterGroupKind::Cluster } else { ParameterGroupKind::Instance };
            let gone = MigrationChange::DeleteSnapshot { kind, snapshot: snapshot.identifier.clone() };
            change(gone, format!("delete snapshot {}, which the migration made and does not need any more", snapshot.identifier), "")
        })
        .collect()
}
