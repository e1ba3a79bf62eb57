//! Before clients are switched to a copy made by snapshot: nobody may write to the old database any more, and that is seen,
//! not believed.
//!
//! What must never happen here: a moment that counts as "writes stopped" while a connection may be open. Established
//! connections outlive a change of security groups, so isolation alone proves nothing: CloudWatch must show no connection.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Next, Slot, block, change, held, unread};
use super::change::MigrationChange;
use super::family::Db;
use super::names::Mark;
use super::observed::{
    DatabaseActivity, IDLE_WRITE_IOPS, TAG_ISOLATED_AT, TAG_LET_IN_AT, TAG_SECURITY_GROUPS, TAG_STARTED_AT, TAG_WRITES_STOPPED_AT,
};
use super::report::Stage;
use super::status::Condition;
use crate::inventory::Reading;
use crate::plan::draft::{Draft, Remedy};
use crate::plan::step::Risk;
use crate::plan::{Block, Gate};
use crate::policy::model::{MigrationAction, StoppedWrites};
use crate::policy::window::{duration_words, moment, moment_words};

/// CloudWatch shows a minute a few minutes late; data older than this proves nothing of now.
const FRESH: i64 = 600;
const MINUTE: i64 = 60;
/// So long must a database have written no more than idle ones do before its snapshot is taken, in seconds.
const SETTLED: i64 = 180;

/// Whether clients may be switched.
pub(super) enum Writes {
    /// The policy asks for no switch.
    NotAsked,
    /// Not yet: what stops it, or what is to be done first.
    Open(Next),
    /// Since this moment nobody was connected, as CloudWatch shows.
    Stopped(i64),
}

/// Where the stopping of writes stands. `rehearsed`: how long the verified copy took; `None` before there is one.
pub(super) fn writes(case: &Case<'_>, old: &Db<'_>, rehearsed: Option<i64>, slot: &mut Slot, draft: &mut Draft) -> Writes {
    if case.wanted.action != MigrationAction::Cutover {
        return Writes::NotAsked;
    }
    if let Some(unapproved) = case.approval_block() {
        return open(unapproved);
    }
    if let Some(followed) = followed(old) {
        return open(followed);
    }
    match case.wanted.writes {
        None => open(block(
            Gate::Writes,
            "the policy does not say how writes are stopped, and a switch by snapshot loses what is written after it: add `writes: stopped-by-operator` or `writes: isolate`",
        )),
        Some(StoppedWrites::StoppedByOperator) => by_operator(case, old, draft),
        Some(StoppedWrites::Isolate) => by_isolation(case, old, rehearsed, slot, draft),
    }
}

/// Replicas go on following the old database under its new name: whoever reads from them would see no change any more, and
/// no error either. [RDS: Renaming a DB instance]
fn followed(old: &Db<'_>) -> Option<Block> {
    let instance = old.instance_settings().map(|settings| &settings.read_replicas);
    let replicas = instance.or_else(|| old.cluster_settings().map(|settings| &settings.read_replicas))?;
    (!replicas.is_empty()).then(|| {
        block(
            Gate::Path,
            format!(
                "{} has read replicas ({}) that would go on following it, not the encrypted copy: whoever reads from them would see no change any more. Take their clients away and delete or promote them, or write `method: blueGreen`, which encrypts them as well",
                old.words(),
                words(replicas)
            ),
        )
    })
}

fn open(stops: Block) -> Writes {
    let message = format!("The copy is ready and waits: {}.", stops.reason);
    Writes::Open(Next::new(Stage::Prepared, message).step(held(stops, "switch to the encrypted copy")))
}

fn by_operator(case: &Case<'_>, old: &Db<'_>, draft: &mut Draft) -> Writes {
    let name = case.name();
    let Some(since) = case.wanted.writes_stopped_at.get(name).and_then(|text| moment(text).ok()) else {
        return open(block(
            Gate::Writes,
            format!("stop the writers of {name} and say since when in the policy, `writesStoppedAt: {{ {name}: … }}`"),
        ));
    };
    if case.cx.now < since {
        return open(block(Gate::Writes, format!("writes to {name} stop at {} by the policy's word", moment_words(since))));
    }
    match quiet(case, old, since, Cut::ByOperator, draft) {
        Some(stops) => open(stops),
        None => Writes::Stopped(since),
    }
}

/// Who keeps clients out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// A person: only an unbroken record of no connections proves it.
    ByOperator,
    /// A security group that lets nobody in: once no connection was left none can come, so minutes that CloudWatch does not
    /// show (a snapshot suspends a Single-AZ instance) prove nothing against it.
    ByIsolation,
}

/// Why it is not certain that nobody was connected from `since` to now; `None`: it is.
fn quiet(case: &Case<'_>, old: &Db<'_>, since: i64, cut: Cut, draft: &mut Draft) -> Option<Block> {
    let activity = match activity(case, old, draft) {
        Ok(activity) => activity,
        Err(stops) => return Some(stops),
    };
    let DatabaseActivity { from, to, most_connections: _, last_connection_at, connections_now, last_busy_write_at } = activity;
    // The minute in which writes stopped may still show the connections from before.
    let first_quiet = (since.div_euclid(MINUTE) + 1) * MINUTE;
    if *from > first_quiet && cut == Cut::ByOperator {
        let reason = format!(
            "CloudWatch shows the connections of {} from {} only, not since {}: nobody can tell whether it was quiet. Stop the writers again and say so",
            old.identifier,
            moment_words(*from),
            moment_words(since)
        );
        return Some(block(Gate::Writes, reason));
    }
    if let Some(last) = last_connection_at.filter(|last| *last > first_quiet) {
        let now = if *connections_now > 0 { format!(" ({connections_now} now)") } else { String::new() };
        let reason = format!(
            "{} was connected to until {}{now}, after writes stopped at {}: whatever was written would be lost. Stop every client, then say since when",
            old.identifier,
            moment_words(last),
            moment_words(since)
        );
        return Some(block(Gate::Writes, reason));
    }
    if let Some(last) = *last_busy_write_at
        && let Some(stops) = written(case, old, since, (last, *to))
    {
        return Some(stops);
    }
    if *to < first_quiet + MINUTE {
        return Some(block(Gate::NotReady, format!("CloudWatch does not show the minutes after {} yet", moment_words(since))));
    }
    None
}

/// Jobs inside a database write without a connection, and what was in memory is written for a while after the last client
/// has gone: no snapshot is taken before that is over, and none is good that was taken before more was written.
fn written(case: &Case<'_>, old: &Db<'_>, since: i64, (last, to): (i64, i64)) -> Option<Block> {
    let marked = case.family.snapshots.iter().filter(|(mark, _)| *mark == Mark::Stopped(since));
    let begun = marked.filter_map(|(_, snapshot)| snapshot.tags.get(TAG_STARTED_AT)?.parse::<i64>().ok());
    let copy = case.family.copy.filter(|copy| copy.mark() == Mark::Stopped(since)).and_then(|copy| copy.started_at());
    let name = old.identifier;
    match begun.chain(copy).min() {
        // The minute in which the snapshot was begun may show what came before it.
        Some(begun) if last > (begun.div_euclid(MINUTE) + 1) * MINUTE => Some(block(
            Gate::Writes,
            format!(
                "{name} has written until {} (more than {IDLE_WRITE_IOPS} WriteIOPS), after the snapshot was begun at {}: stop the jobs inside it as well, then say since when",
                moment_words(last),
                moment_words(begun)
            ),
        )),
        None if last + SETTLED > to => Some(block(
            Gate::NotReady,
            format!(
                "{name} still writes (more than {IDLE_WRITE_IOPS} WriteIOPS until {}) though nobody is connected: what it had in memory, or a job inside it. The snapshot waits until that is over",
                moment_words(last)
            ),
        )),
        Some(_) | None => None,
    }
}

/// What CloudWatch says, if it is fresh; else it is asked for.
fn activity<'a>(case: &Case<'a>, old: &Db<'_>, draft: &mut Draft) -> Result<&'a DatabaseActivity, Block> {
    let found = case.inventory().migrations.databases.get(old.arn).map(|surroundings| &surroundings.activity);
    let found = found.unwrap_or(&Reading::NotRead);
    let fresh = found.known().is_some_and(|activity| activity.to + FRESH >= case.cx.now);
    if !fresh {
        draft.wanted_facts.insert(old.arn.clone());
    }
    match found {
        Reading::Known(activity) if fresh => Ok(activity),
        Reading::Known(activity) => Err(block(
            Gate::Unread,
            format!(
                "CloudWatch shows the connections of {} up to {} only: nobody can tell whether it is quiet now",
                old.identifier,
                moment_words(activity.to)
            ),
        )),
        other => Err(unread(other, &format!("the connections of {}", old.identifier))
            .unwrap_or_else(|| block(Gate::Unread, format!("the connections of {} are not known", old.identifier)))),
    }
}

fn by_isolation(case: &Case<'_>, old: &Db<'_>, rehearsed: Option<i64>, slot: &mut Slot, draft: &mut Draft) -> Writes {
    let Some(group) = &case.wanted.isolation_security_group else {
        return open(block(Gate::Writes, "`writes: isolate` needs `isolationSecurityGroup`"));
    };
    let cut_off = BTreeSet::from([group.clone()]);
    if !case.family.is_isolated() {
        return Writes::Open(begin(case, old, &cut_off, rehearsed, slot));
    }
    if old.security_groups() != Some(&cut_off) {
        // A crash between the tag and the groups.
        return Writes::Open(isolate(case, old, &cut_off, Vec::new()));
    }
    // A note from before this isolation says nothing of it.
    let isolated = old.moment(TAG_ISOLATED_AT);
    match old.moment(TAG_WRITES_STOPPED_AT).filter(|at| isolated.is_some_and(|isolated| *at >= isolated)) {
        None => Writes::Open(drain(case, old, draft)),
        Some(since) => match quiet(case, old, since, Cut::ByIsolation, draft) {
            None => Writes::Stopped(since),
            Some(Block { name: Gate::Writes, reason }) => {
                Writes::Open(Next::stuck(format!("Although {} is cut off: {reason}. {}", old.words(), case.way_back())))
            }
            Some(other) => Writes::Open(Next::waiting(Stage::Isolating, other.reason)),
        },
    }
}

/// Everything that must hold before clients are cut off.
fn begin(case: &Case<'_>, old: &Db<'_>, cut_off: &BTreeSet<String>, rehearsed: Option<i64>, slot: &mut Slot) -> Next {
    let hold = |stops: Block| {
        let message = format!("The copy is ready and waits: {}.", stops.reason);
        Next::new(Stage::Prepared, message).step(held(stops, format!("cut {} off and switch to the encrypted copy", old.words())))
    };
    let Some(took) = rehearsed else { return hold(block(Gate::NotReady, "nobody is cut off before a copy was built and verified once")) };
    if let Some(shut) = case.window_block() {
        return hold(shut);
    }
    let (now, window) = (case.cx.now, case.window());
    let again = old.moment(TAG_LET_IN_AT).filter(|at| window.and_then(|window| window.opened_at(now)).is_some_and(|opened| *at >= opened));
    if let Some(at) = again {
        let reason =
            format!("it was cut off in this window and let in again at {}; it is tried again in the next window", moment_words(at));
        return hold(block(Gate::Writes, reason));
    }
    let left = window.and_then(|window| window.closes_at(now)).map_or(0, |closes| closes - now);
    if left < took {
        let reason = format!(
            "building the copy took {}, and the window is open for {} more: clients would be cut off for nothing. Choose a longer window",
            duration_words(took),
            duration_words(left)
        );
        return hold(block(Gate::Window, reason));
    }
    if old.condition() != Condition::Ready {
        return hold(block(Gate::NotReady, format!("{} is {}", old.words(), old.status)));
    }
    let Some(groups) = old.security_groups().filter(|groups| !groups.is_empty()) else {
        return hold(block(Gate::Unread, format!("the security groups of {} were not read, so they could not be given back", old.words())));
    };
    if let Some(other) = slot.take(case) {
        return hold(other);
    }
    let before = groups.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let set = BTreeMap::from([(TAG_SECURITY_GROUPS.to_owned(), before.clone()), (TAG_ISOLATED_AT.to_owned(), now.to_string())]);
    let remove = BTreeSet::from([TAG_LET_IN_AT.to_owned(), TAG_WRITES_STOPPED_AT.to_owned()]);
    let remove = remove.into_iter().filter(|tag| old.tag(tag).is_some()).collect();
    let remember = MigrationChange::Tags { arn: old.arn.to_string(), set, remove };
    let remember = change(remember, format!("remember on {} its security groups: {before}", old.words()), "remove the tags");
    isolate(case, old, cut_off, vec![remember])
}

fn isolate(case: &Case<'_>, old: &Db<'_>, cut_off: &BTreeSet<String>, first: Vec<Remedy>) -> Next {
    let before = old.groups_before_isolation().or_else(|| old.security_groups().cloned()).unwrap_or_default();
    let needs = first.iter().map(|remedy| super::decide::id_of(remedy, old.arn)).collect::<Vec<_>>();
    let groups = MigrationChange::SecurityGroups {
        kind: old.kind,
        database: old.identifier.to_owned(),
        before: old.security_groups().cloned().unwrap_or_default(),
        after: cut_off.clone(),
    };
    let back = before.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let approver = case.approver().unwrap_or_default();
    let summary =
        format!("cut {} off from its clients (approved by {approver}): its only security group is {}", old.words(), words(cut_off));
    let groups = change(groups, summary, format!("give it back its security groups: {back}")).risking(Risk::Disruptive).needing(needs);
    Next::new(Stage::Isolating, format!("{} is cut off from its clients, so that nothing is written any more.", old.words()))
        .since(old.moment(TAG_ISOLATED_AT))
        .steps(first)
        .step(groups)
}

fn words(groups: &BTreeSet<String>) -> String {
    groups.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Cut off: connections that were open live on until their clients let go.
fn drain(case: &Case<'_>, old: &Db<'_>, draft: &mut Draft) -> Next {
    let since = old.moment(TAG_ISOLATED_AT);
    let now = match activity(case, old, draft) {
        Ok(now) => now,
        Err(stops) => return case.in_progress(Stage::Isolating, since, format!("{} is cut off; {}.", old.words(), stops.reason)),
    };
    if now.connections_now > 0 {
        let message =
            format!("{} is cut off, and {} connections that were open live on: end them at the clients.", old.words(), now.connections_now);
        return case.in_progress(Stage::Isolating, since, message);
    }
    // A minute that began after the groups were changed must be seen.
    if since.is_none_or(|since| now.to < since + 2 * MINUTE) {
        return case.in_progress(
            Stage::Isolating,
            since,
            format!("{} is cut off; CloudWatch does not show the minutes since then yet.", old.words()),
        );
    }
    let set = BTreeMap::from([(TAG_WRITES_STOPPED_AT.to_owned(), case.cx.now.to_string())]);
    let quiet = MigrationChange::Tags { arn: old.arn.to_string(), set, remove: BTreeSet::new() };
    let summary = format!("note on {} that no connection is left: data from now on is all there is", old.words());
    Next::new(Stage::Isolating, format!("{} is cut off and no connection is left.", old.words())).since(since).step(change(
        quiet,
        summary,
        "remove the tag",
    ))
}

/// Why an isolated database must be let in again now; `None`: it may stay cut off.
pub(super) fn must_be_let_in(case: &Case<'_>, old: &Db<'_>) -> Option<String> {
    if !case.family.is_isolated() || case.family.is_switched() || case.family.is_between() {
        return None;
    }
    if old.tag(super::observed::TAG_ABORTED_AT).is_some() {
        return Some("the migration was aborted".to_owned());
    }
    if old.tag(TAG_LET_IN_AT).is_some() {
        return Some("their isolation was given up".to_owned());
    }
    if case.wanted.action != MigrationAction::Cutover || case.wanted.writes != Some(StoppedWrites::Isolate) {
        return Some("the policy does not ask for its isolation any more".to_owned());
    }
    if case.approval_block().is_some() {
        return Some("the approval was taken back".to_owned());
    }
    case.window_block().map(|shut| shut.reason)
}

/// Gives an isolated database back its security groups.
pub(super) fn let_in(case: &Case<'_>, old: &Db<'_>) -> Vec<Remedy> {
    let Some(groups) = old.groups_before_isolation() else { return Vec::new() };
    let mut steps = Vec::new();
    if old.tag(TAG_LET_IN_AT).is_none() {
        // First, so that after a crash nobody takes the tags of the isolation for one that has just begun.
        let set = BTreeMap::from([(TAG_LET_IN_AT.to_owned(), case.cx.now.to_string())]);
        let note = MigrationChange::Tags { arn: old.arn.to_string(), set, remove: BTreeSet::new() };
        steps.push(change(note, format!("note on {} that its clients are let in again", old.words()), "").of_part("let-in"));
    }
    let mut needs = Vec::new();
    if old.security_groups() != Some(&groups) {
        // Tried whatever AWS is at work on: a refusal costs nothing, waiting costs the clients.
        let back = MigrationChange::SecurityGroups {
            kind: old.kind,
            database: old.identifier.to_owned(),
            before: old.security_groups().cloned().unwrap_or_default(),
            after: groups.clone(),
        };
        let summary = format!("let the clients of {} in again: security groups {}", old.words(), words(&groups));
        let back = change(back, summary, "none is needed");
        needs.push(super::decide::id_of(&back, old.arn));
        steps.push(back);
    }
    let remove = [TAG_SECURITY_GROUPS, TAG_ISOLATED_AT, TAG_WRITES_STOPPED_AT].into_iter().filter(|tag| old.tag(tag).is_some());
    let remove = remove.map(str::to_owned).collect();
    let forget = MigrationChange::Tags { arn: old.arn.to_string(), set: BTreeMap::new(), remove };
    steps.push(change(forget, format!("note on {} that it is not cut off any more", old.words()), "").needing(needs));
    steps
}
