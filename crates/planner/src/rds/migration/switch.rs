//! The swap of names, and what comes after it.
//!
//! Old → `…-old-everseal`, then copy → the name that clients know. What must never happen here: a name that nobody has and
//! no way on, or a replaced database deleted before its time or without the policy's word.

use std::collections::{BTreeMap, BTreeSet};

use super::build::spent_snapshots;
use super::case::{Case, Next, Slot, block, change, held, unread, waiting};
use super::change::MigrationChange;
use super::family::Db;
use super::members;
use super::names::{self, Mark};
use super::observed::{TAG_DATA_OF, TAG_NAME, TAG_OF, TAG_REPLACED_AT, TAG_STARTED_AT};
use super::report::Stage;
use super::status::Condition;
use crate::plan::change::ParameterGroupKind;
use crate::plan::draft::{Draft, Remedy};
use crate::plan::step::Risk;
use crate::plan::{Block, Gate};
use crate::policy::model::OldAfterwards;
use crate::policy::window::moment_words;

fn rename(db: &Db<'_>, to: &str, summary: String, undo: String) -> Option<Remedy> {
    let resource_id = db.resource_id?.to_owned();
    let step = MigrationChange::Rename { kind: db.kind, resource_id, from: db.identifier.to_owned(), to: to.to_owned() };
    Some(change(step, summary, undo).risking(Risk::Disruptive))
}

/// Everything is proven: the old database gives its name away.
pub(super) fn begin(case: &Case<'_>, old: &Db<'_>, copy: &Db<'_>, slot: &mut Slot, draft: &mut Draft) -> Next {
    let name = case.name();
    let new_name = names::old(name);
    let approver = case.approver().unwrap_or_default();
    let message =
        format!("The copy {} is verified, holds everything, and nobody is connected to {name}: names are swapped.", copy.identifier);
    let Some(step) = rename(
        old,
        &new_name,
        format!(
            "switch {name} to its encrypted copy (approved by {approver}): {name} becomes {new_name}, then {} becomes {name}",
            copy.identifier
        ),
        format!("rename {new_name} back to {name}"),
    ) else {
        return Next::stuck(format!("AWS does not show the resource id of {}", old.words()));
    };
    let mut stops = case.window_block();
    if old.condition() != Condition::Ready {
        return Next::waiting(Stage::Prepared, format!("{} is {}: names are swapped once it is available.", old.words(), old.status));
    }
    if case.seen.is_taken(old.kind, &new_name) {
        stops.get_or_insert(block(
            Gate::NotReady,
            format!("{new_name} exists already: rename or remove it, so that the old database can get this name"),
        ));
    }
    stops = stops.or_else(|| unread_surroundings(case, old, draft));
    if stops.is_none() {
        stops = slot.take(case);
    }
    match stops {
        Some(Block { name: gate, reason }) => {
            let message = format!("The copy {} is verified and waits: {reason}.", copy.identifier);
            Next::new(Stage::Prepared, message).step(step.blocked(gate, reason))
        }
        None => Next::new(Stage::Switching, message).step(step),
    }
}

/// What must be carried over has to be known before it is too late.
pub(super) fn unread_surroundings(case: &Case<'_>, old: &Db<'_>, draft: &mut Draft) -> Option<Block> {
    let Some(surroundings) = case.surroundings(old, draft) else {
        return Some(block(Gate::Unread, format!("proxies and event subscriptions of {} were not read", old.words())));
    };
    unread(&surroundings.proxies, &format!("the proxies of {}", old.words()))
        .or_else(|| unread(&surroundings.event_subscriptions, &format!("the event subscriptions of {}", old.words())))
}

/// Between the two renames: on, or back.
pub(super) fn between(case: &Case<'_>, old: &Db<'_>) -> Next {
    let name = case.name();
    let renaming =
        |db: &Db<'_>| Next::waiting(Stage::Switching, format!("{} is {}; then {name} goes to the encrypted copy.", db.words(), db.status));
    if old.condition() == Condition::Busy {
        return renaming(old);
    }
    let copy = case.family.copy.filter(|copy| copy.condition() != Condition::Failed && copy.condition() != Condition::Deleting);
    let Some(copy) = copy else {
        let back =
            rename(old, name, format!("give {} its name {name} back: its encrypted copy is not there", old.identifier), String::new());
        let message = format!("The encrypted copy of {name} is gone or has failed: the old database gets its name back.");
        return match back {
            Some(step) => Next::new(Stage::Switching, message).step(step),
            None => Next::stuck(format!("{message} Rename {} to {name} by hand.", old.identifier)),
        };
    };
    let olds: Vec<Remedy> = old_members(case, old, &copy);
    if !olds.is_empty() {
        return Next::new(Stage::Switching, format!("Members of the old cluster give their names away: {name} is being switched."))
            .steps(olds);
    }
    if copy.condition() != Condition::Ready {
        return renaming(&copy);
    }
    let summary = format!("{} becomes {name}: clients reach the encrypted database", copy.identifier);
    let undo = format!("rename {name} to {}, then {} to {name}", copy.identifier, old.identifier);
    match rename(&copy, name, summary, undo) {
        Some(step) => {
            let message = format!(
                "{name} has no database for a moment: {} gets the name. The way back: rename {} to {name}.",
                copy.identifier, old.identifier
            );
            Next::new(Stage::Switching, message).step(step)
        }
        None => Next::stuck(format!("AWS does not show the resource id of {}: rename it to {name} by hand.", copy.words())),
    }
}

/// Renames of old members whose names new ones are to get.
fn old_members(case: &Case<'_>, old: &Db<'_>, copy: &Db<'_>) -> Vec<Remedy> {
    let wanted: BTreeSet<&str> = new_members(case, copy).into_iter().filter_map(|member| member.tag(TAG_NAME)).collect();
    let named = members::of_old(case, old).into_iter().filter(|member| wanted.contains(member.identifier));
    named
        .map(|member| {
            let to = names::old(member.identifier);
            let undo = format!("rename {to} back to {}", member.identifier);
            match member.condition() {
                Condition::Ready => rename(&member, &to, format!("{} becomes {to}", member.identifier), undo),
                _ => None,
            }
            .unwrap_or_else(|| waiting(format!("{} is {}.", member.words(), member.status)))
        })
        .collect()
}

fn new_members<'a>(case: &Case<'a>, copy: &Db<'_>) -> Vec<Db<'a>> {
    if copy.cluster.is_none() || !copy.is_aurora() {
        return Vec::new();
    }
    case.seen.members_of(copy).into_iter().filter(|member| member.tag(TAG_OF) == Some(case.family.id)).collect()
}

/// Clients reach the encrypted database: what is left to bring after, and then the old one's time.
pub(super) fn after(case: &Case<'_>, copy: &Db<'_>, draft: &mut Draft) -> Next {
    let name = case.name();
    if copy.condition() != Condition::Ready {
        return match copy.condition() {
            Condition::Failed | Condition::Stopped | Condition::Deleting => Next::stuck(format!(
                "The encrypted database {name} is {}.{}",
                copy.status,
                case.family
                    .old
                    .map_or_else(String::new, |old| format!(" The way back: rename {name} away and {} to {name}.", old.identifier))
            )),
            Condition::Ready | Condition::Busy => {
                Next::waiting(Stage::Finishing, format!("Clients reach the encrypted {name}; it is {}.", copy.status))
            }
        };
    }
    let Some(old) = case.family.old else { return done(case, copy) };
    let steps = finishing(case, &old, copy, draft);
    if !steps.is_empty() {
        return Next::new(Stage::Finishing, format!("Clients reach the encrypted {name}; what stood around the old one is brought after."))
            .steps(steps);
    }
    let Some(replaced) = old.moment(TAG_REPLACED_AT) else {
        let set = BTreeMap::from([(TAG_REPLACED_AT.to_owned(), case.cx.now.to_string())]);
        let tags = MigrationChange::Tags { arn: old.arn.to_string(), set, remove: BTreeSet::new() };
        let step = change(tags, format!("note on {} since when it is replaced", old.words()), "remove the tag");
        return Next::new(Stage::Finishing, format!("Clients reach the encrypted {name}.")).step(step);
    };
    keeping(case, &old, copy, replaced)
}

fn finishing(case: &Case<'_>, old: &Db<'_>, copy: &Db<'_>, draft: &mut Draft) -> Vec<Remedy> {
    let mut steps = Vec::new();
    if copy.tag(TAG_OF) != Some(case.family.id) {
        // The green side of a deployment bears no tags of ours yet, and the deployment that names it goes.
        let mut set = case.tags();
        set.insert(TAG_DATA_OF.to_owned(), Mark::Stopped(case.cx.now).text());
        let tags = MigrationChange::Tags { arn: copy.arn.to_string(), set, remove: BTreeSet::new() };
        steps.push(change(tags, format!("note on {} what it replaces", copy.words()), "remove the tags"));
        return steps;
    }
    for member in new_members(case, copy) {
        let Some(wanted) = member.tag(TAG_NAME).filter(|wanted| *wanted != member.identifier) else { continue };
        if member.condition() != Condition::Ready || case.seen.is_taken(ParameterGroupKind::Instance, wanted) {
            steps.push(waiting(format!("{} gets the name {wanted} once it is free.", member.words())));
        } else {
            steps.extend(rename(
                &member,
                wanted,
                format!("{} becomes {wanted}", member.identifier),
                format!("rename it back to {}", member.identifier),
            ));
        }
    }
    if old.deletion_protection() == Some(true) && copy.deletion_protection() == Some(false) {
        let on = MigrationChange::DeletionProtection { kind: copy.kind, database: copy.identifier.to_owned(), on: true };
        steps.push(change(on, format!("protect {} from deletion, as the old one is", copy.words()), "turn deletion protection off"));
    }
    if old.tag(TAG_REPLACED_AT).is_none() {
        steps.extend(surroundings(case, old, copy, draft));
    }
    if let Some(deployment) = case.family.blue_green.filter(|deployment| deployment.status == "SWITCHOVER_COMPLETED") {
        let gone = MigrationChange::DeleteBlueGreen { identifier: deployment.identifier.clone(), delete_target: false };
        let summary = format!("delete the blue/green deployment {}: both databases stay", deployment.name);
        steps.push(change(gone, summary, "none is needed: it has done its work"));
    }
    steps
}

/// Proxies and event subscriptions that followed the old database under its new name.
fn surroundings(case: &Case<'_>, old: &Db<'_>, copy: &Db<'_>, draft: &mut Draft) -> Vec<Remedy> {
    if let Some(stops) = unread_surroundings(case, old, draft) {
        return vec![held(stops, "bring proxies and event subscriptions after")];
    }
    let all = &case.inventory().migrations.databases;
    let (Some(of_old), of_copy) = (all.get(old.arn), all.get(copy.arn)) else { return Vec::new() };
    let mut steps = Vec::new();
    for target in of_old.proxies.known().into_iter().flatten() {
        let step = MigrationChange::RetargetProxy {
            proxy: target.proxy.clone(),
            target_group: target.target_group.clone(),
            from: old.identifier.to_owned(),
            to: copy.identifier.to_owned(),
            kind: copy.kind,
        };
        let undo = format!("register {} with the proxy again", old.identifier);
        steps.push(
            change(step, format!("proxy {} leads to {} instead of {}", target.proxy, copy.identifier, old.identifier), undo)
                .risking(Risk::Brief),
        );
    }
    let there = of_copy.and_then(|surroundings| surroundings.event_subscriptions.known());
    for subscription in of_old.event_subscriptions.known().into_iter().flatten() {
        if there.is_some_and(|there| there.contains(subscription)) {
            continue;
        }
        let step = MigrationChange::SubscribeEvents { subscription: subscription.clone(), database: copy.identifier.to_owned() };
        steps.push(change(
            step,
            format!("event subscription {subscription} names {} as well", copy.identifier),
            "RemoveSourceIdentifierFromSubscription",
        ));
    }
    steps
}

/// The old database is kept until its time, and then as the policy says.
fn keeping(case: &Case<'_>, old: &Db<'_>, copy: &Db<'_>, replaced: i64) -> Next {
    let name = case.name();
    let until = replaced.saturating_add(case.keep_old_for());
    let way_back =
        format!("The way back: rename {name} away and {} to {name}; what was written since is in the encrypted one only.", old.identifier);
    if case.cx.now < until {
        let message = format!("{name} is encrypted. The old database {} is kept until {}. {way_back}", old.identifier, moment_words(until));
        let spent = spent_snapshots(case, |_| false);
        let steps = if spent.is_empty() { vec![waiting(message.clone())] } else { spent };
        return Next::new(Stage::KeepingOld, message).since(Some(replaced)).steps(steps);
    }
    match case.wanted.old_afterwards {
        OldAfterwards::Keep => {
            let spent = spent_snapshots(case, |_| false);
            let message = format!(
                "{name} is encrypted. The old database {} and its backups stay unencrypted until a person deletes them; the policy may say `oldAfterwards: delete`.",
                old.identifier
            );
            let steps = if spent.is_empty() { vec![Remedy::manual(format!("delete {}", old.words()), message.clone())] } else { spent };
            Next::new(Stage::KeepingOld, message).since(Some(replaced)).steps(steps)
        }
        OldAfterwards::Delete => delete_old(case, old, copy, replaced),
    }
}

/// With the policy's word, after its time, with a last snapshot.
fn delete_old(case: &Case<'_>, old: &Db<'_>, copy: &Db<'_>, replaced: i64) -> Next {
    let message = format!("The old database {} is deleted with a last snapshot, as the policy says.", old.identifier);
    let next = Next::new(Stage::KeepingOld, message.clone()).since(Some(replaced));
    if copy.is_open_storage() || old.identifier == case.name() {
        return Next::stuck(format!("{} is not deleted: it is not certain that it was replaced", old.words()));
    }
    match old.condition() {
        Condition::Ready => {}
        Condition::Deleting => return Next::waiting(Stage::KeepingOld, format!("{} is being deleted.", old.words())).since(Some(replaced)),
        Condition::Busy | Condition::Stopped | Condition::Failed => {
            let reason = format!("{} is {}: a last snapshot can be taken only of an available database", old.words(), old.status);
            return next.step(held(block(Gate::NotReady, reason), format!("delete {}", old.words())));
        }
    }
    let Some(resource_id) = old.resource_id else { return Next::stuck(format!("AWS does not show the resource id of {}", old.words())) };
    let Some(protected) = old.deletion_protection() else {
        let reason = format!("the settings of {} were not read", old.words());
        return next.step(held(block(Gate::Unread, reason), format!("delete {}", old.words())));
    };
    if protected {
        let off = MigrationChange::DeletionProtection { kind: old.kind, database: old.identifier.to_owned(), on: false };
        return next.step(change(off, format!("let {} be deleted (oldAfterwards: delete)", old.words()), "turn deletion protection on"));
    }
    if old.cluster.is_some() && old.is_aurora() {
        let members = case.seen.members_of(old);
        if !members.is_empty() {
            return next.steps(members.iter().map(delete_member));
        }
    }
    let gone = MigrationChange::DeleteDatabase {
        kind: old.kind,
        resource_id: resource_id.to_owned(),
        database: old.identifier.to_owned(),
        final_snapshot: Some(names::final_snapshot(case.name())),
    };
    let snapshot = names::final_snapshot(case.name());
    next.step(
        change(gone, format!("delete the replaced {}, with a last snapshot {snapshot}", old.words()), format!("restore {snapshot}"))
            .risking(Risk::None),
    )
}

/// The data is the cluster's: its last snapshot holds it.
fn delete_member(member: &Db<'_>) -> Remedy {
    match (member.condition(), member.resource_id) {
        (Condition::Deleting, _) | (_, None) => waiting(format!("{} is being deleted.", member.words())),
        (Condition::Ready | Condition::Busy | Condition::Stopped | Condition::Failed, Some(id)) => {
            let (kind, resource_id, database) = (member.kind, id.to_owned(), member.identifier.to_owned());
            let gone = MigrationChange::DeleteDatabase { kind, resource_id, database, final_snapshot: None };
            change(
                gone,
                format!("delete member {} of the replaced cluster; the cluster keeps the data", member.identifier),
                "create it anew",
            )
        }
    }
}

/// Nothing is left of the old one: our snapshots and tags go too.
fn done(case: &Case<'_>, copy: &Db<'_>) -> Next {
    let message = format!("{} is encrypted, and nothing is left of the old database but its last snapshot and its backups.", case.name());
    let spent = spent_snapshots(case, |_| false);
    if !spent.is_empty() {
        return Next::new(Stage::Finishing, "Snapshots of the migration are removed.").steps(spent);
    }
    let tags = MigrationChange::Tags {
        arn: copy.arn.to_string(),
        set: BTreeMap::new(),
        remove: OURS.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    Next::new(Stage::Done, message).step(change(tags, format!("remove the migration's tags from {}", copy.words()), ""))
}

/// Tags on what a migration made.
const OURS: [&str; 4] = [TAG_OF, TAG_NAME, TAG_DATA_OF, TAG_STARTED_AT];
