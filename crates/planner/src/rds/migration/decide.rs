//! From what AWS shows to the next single step of every migration of a scope, or what it waits for, or what stops it.
//!
//! Order of the questions, each asked in every pass: who has the name (after, between, before the swap), was it aborted, must
//! clients be let in again, can it be done at all, which way, and what is missing on that way.

use std::collections::{BTreeMap, BTreeSet};

use super::build::{self, Built, spent_snapshots};
use super::case::{Case, Next, Slot, held, unread};
use super::cutover::{self, Writes};
use super::family::{Db, Family, Seen};
use super::names::{self, Mark};
use super::observed::{TAG_ABORTED_AT, TAG_BLUE_GREEN_REFUSED};
use super::report::{MigrationReport, Stage, Way};
use super::{abort, blue_green, compare, switch};
use crate::plan::change::ParameterGroupKind;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::select::Selected;
use crate::plan::{Block, Change, Gate, StepId};
use crate::policy::model::{DatabaseRule, Migration, MigrationAction, MigrationMethod, Mode, OldAfterwards};
use crate::rds::encryption::unsupported_class;
use crate::rds::plan::selected;
use crate::{Arn, Check, Service};

pub(super) const CHECK: Check = Check::RdsEncryption;

/// Decides every migration of the scope; the ARNs of old databases whose encryption is judged here and nowhere else.
pub(crate) fn judge(cx: &Context<'_>, draft: &mut Draft) -> BTreeSet<Arn> {
    let seen = Seen::of(cx.inventory);
    let asked = |db: &Db<'_>| rule_of(cx, db.identifier, db).is_some_and(|rule| migration_of(&rule).is_some());
    let families: Vec<Family<'_>> = seen.ids(asked).into_iter().map(|id| seen.family(id)).collect();
    let mut order: Vec<&Family<'_>> = families.iter().collect();
    order.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    let mut slot = Slot::of(families.iter());
    order.into_iter().filter_map(|family| judge_one(cx, &seen, family, &mut slot, draft)).collect()
}

fn judge_one(cx: &Context<'_>, seen: &Seen<'_>, family: &Family<'_>, slot: &mut Slot, draft: &mut Draft) -> Option<Arn> {
    let anchor = family.old.or(family.copy)?;
    let Some(rule) = rule_of(cx, &family.name, &anchor) else {
        draft.migrations.extend(left_alone(family, &anchor));
        return None;
    };
    let report_only = only_reported();
    let wanted = migration_of(&rule).unwrap_or(&report_only);
    let key = rule.rule.at_rest.as_ref().and_then(|at_rest| at_rest.key.as_deref());
    let way = way(family, &anchor, wanted);
    let case = Case { cx, seen, family, wanted, key, way, enforced: rule.mode() == Mode::Enforce };
    if wanted.action == MigrationAction::Report && !is_begun(family) {
        let message = "The policy only reports: `action: prepare` builds an encrypted copy, `cutover` also switches to it.";
        draft.migrations.push(report(&case, &anchor, Next::new(Stage::Planned, message), None));
        return None;
    }
    let next = guarded(&case, slot, draft);
    let surroundings = family.copy.and(family.old).and_then(|old| case.surroundings(&old, draft));
    let subject = Subject::new(anchor.arn, Service::Rds, &cx.inventory.scope, &rule);
    let words = Words {
        expected: key.map_or_else(|| "encrypted".to_owned(), |key| format!("encrypted with {key}")),
        actual: "not encrypted".to_owned(),
        message: next.message.clone(),
        notes: next.differences.iter().map(|difference| format!("Differs: {difference}.")).collect(),
    };
    let steps = next.steps.clone();
    draft.migrations.push(report(&case, &anchor, next, surroundings));
    let Some(old) = family.old else {
        draft.propose(&subject, CHECK, steps);
        return None;
    };
    draft.drifted(&subject, CHECK, words, steps);
    Some(old.arn.clone())
}

/// The answer, with clients let in again first wherever it would leave them cut off for nothing.
fn guarded(case: &Case<'_>, slot: &mut Slot, draft: &mut Draft) -> Next {
    let mut next = next(case, slot, draft);
    let before_the_swap = !case.family.is_switched() && !case.family.is_between();
    if let Some(old) = case.family.old
        && next.stage == Stage::Stuck
        && case.family.is_isolated()
        && before_the_swap
    {
        next.message = format!("{} Its clients are let in again.", next.message);
        next.steps = cutover::let_in(case, &old);
    }
    debug_assert!(!next.steps.is_empty(), "a migration without a step or a reason: {}", case.name());
    next
}

fn next(case: &Case<'_>, slot: &mut Slot, draft: &mut Draft) -> Next {
    let family = case.family;
    let Some(old) = family.old else {
        return match family.copy {
            Some(copy) if family.is_switched() => switch::after(case, &copy, draft),
            _ => Next::stuck(format!(
                "The old database {} is gone, and its encrypted copy does not have its name: rename the copy by hand, or restore the old one.",
                case.name()
            )),
        };
    };
    if let Some(copy) = family.copy.filter(|_| family.is_switched()) {
        return switch::after(case, &copy, draft);
    }
    if family.is_between() {
        return switch::between(case, &old);
    }
    if old.tag(TAG_ABORTED_AT).is_some() {
        return unread_facts(case).map_or_else(
            || abort::aborted(case, &old),
            |stops| Next::new(Stage::Aborted, stops.reason.clone()).step(held(stops, "remove what the migration made")),
        );
    }
    if let Some(why) = cutover::must_be_let_in(case, &old) {
        let message = format!("The clients of {} are let in again: {why}.", old.words());
        return Next::new(Stage::Isolating, message).steps(cutover::let_in(case, &old));
    }
    before(case, &old, slot, draft)
}

/// Before the swap of names.
fn before(case: &Case<'_>, old: &Db<'_>, slot: &mut Slot, draft: &mut Draft) -> Next {
    if let Some(stops) = unread_facts(case) {
        return Next::new(Stage::Planned, stops.reason.clone()).step(held(stops, "move to an encrypted copy"));
    }
    if names::is_old(old.identifier) && !is_begun(case.family) {
        return Next::stuck(format!(
            "{} has the name of a database that a migration replaced, and the encrypted one in its place is not seen: nothing is done to it. If it is to be migrated, give it another name.",
            old.words()
        ));
    }
    if old.identifier != case.name() {
        return Next::stuck(format!(
            "The database that was {} is called {} now: give it its name back. {}",
            case.name(),
            old.identifier,
            case.way_back()
        ));
    }
    if case.wanted.action == MigrationAction::Report {
        let message = format!("A migration was begun and the policy only reports now. {}", case.way_back());
        return Next::new(Stage::Planned, message.clone()).step(Remedy::manual("go on, or abort", message));
    }
    if let Some(reason) = impossible(old) {
        return Next::new(Stage::Planned, reason.clone()).step(Remedy::manual(format!("encrypt {}", old.words()), reason));
    }
    if old.settings().is_none() {
        return build::unread_settings(old);
    }
    match case.way {
        Way::BlueGreen => match blue_green::refusal(old).filter(|_| case.family.blue_green.is_none()) {
            Some(why) => {
                let reason = format!("{} can't go by a blue/green deployment: {why}. Write `method: snapshot`.", old.words());
                Next::new(Stage::Planned, reason.clone()).step(Remedy::manual(format!("encrypt {}", old.words()), reason))
            }
            None => blue_green::next(case, old, slot, draft),
        },
        Way::Snapshot | Way::ClusterRestore => by_snapshot(case, old, slot, draft),
    }
}

/// A copy is built and verified; then, when nobody writes any more, again with all the data, and switched to.
fn by_snapshot(case: &Case<'_>, old: &Db<'_>, slot: &mut Slot, draft: &mut Draft) -> Next {
    if let Some(removal) = case.family.blue_green.and_then(|deployment| blue_green::remove(case, deployment)) {
        return Next::new(Stage::Planned, "The blue/green deployment is removed: the database goes by snapshot.").step(removal);
    }
    let rehearsal = build::copy(case, old, Mark::Rehearsal, draft);
    let rehearsed = match &rehearsal {
        Built::Verified(copy) => Some(took(case, copy)),
        Built::Not(_) => None,
    };
    let open = match cutover::writes(case, old, rehearsed, slot, draft) {
        Writes::Stopped(since) => {
            return match build::copy(case, old, Mark::Stopped(since), draft) {
                Built::Not(next) => next,
                Built::Verified(copy) => switch::begin(case, old, &copy, slot, draft),
            };
        }
        Writes::Open(next) => Some(next),
        Writes::NotAsked => None,
    };
    match (rehearsal, open) {
        (Built::Not(next), open) => open.filter(|_| case.family.is_isolated()).unwrap_or(next),
        (Built::Verified(copy), open) => {
            let spent = spent_snapshots(case, |mark| mark == copy.mark());
            open.unwrap_or_else(|| {
                let message = format!(
                    "The encrypted copy {} is built and verified. The policy asks for no switch (`action: prepare`).",
                    copy.identifier
                );
                Next::new(Stage::Prepared, message.clone()).step(blue_green::waiting_for_word(message))
            })
            .steps(spent)
        }
    }
}

/// How long AWS worked on the copy, in seconds: its snapshots and its restore, without the time between them.
fn took(case: &Case<'_>, copy: &Db<'_>) -> i64 {
    let snapshots = case.family.snapshots.iter().filter(|(mark, _)| *mark == copy.mark());
    let snapshots = snapshots.filter_map(|(_, snapshot)| {
        let begun: i64 = snapshot.tags.get(super::observed::TAG_STARTED_AT)?.parse().ok()?;
        snapshot.created_at.map(|end| (end - begun).max(0))
    });
    let restore = copy.created_at.zip(copy.started_at()).map_or(0, |(end, begun)| (end - begun).max(0));
    snapshots.sum::<i64>() + restore
}

/// What was begun goes on the same way; else as the policy says and the engine allows.
fn way(family: &Family<'_>, db: &Db<'_>, wanted: &Migration) -> Way {
    let by_snapshot = match db.kind {
        ParameterGroupKind::Instance => Way::Snapshot,
        ParameterGroupKind::Cluster => Way::ClusterRestore,
    };
    let noted = family.old.is_some_and(|old| old.tag(TAG_BLUE_GREEN_REFUSED).is_some());
    if family.blue_green.is_some() && !noted {
        return Way::BlueGreen;
    }
    if family.copy.is_some() || !family.snapshots.is_empty() {
        return by_snapshot;
    }
    match wanted.method {
        MigrationMethod::Snapshot => by_snapshot,
        MigrationMethod::Auto if noted || blue_green::refusal(db).is_some() => by_snapshot,
        MigrationMethod::BlueGreen | MigrationMethod::Auto => Way::BlueGreen,
    }
}

/// What no way leads through. [Encrypting Amazon RDS resources: limitations; RDS Custom]
fn impossible(old: &Db<'_>) -> Option<String> {
    let class = old.instance.map_or("", |db| db.class.as_str());
    if let Some(class) = unsupported_class(class) {
        return Some(format!("Instance class {class} can't have encrypted storage: change the class first."));
    }
    if old.engine.starts_with("custom-") {
        return Some("Snapshots of RDS Custom can't be copied under a key: build a new, encrypted instance and move the data.".to_owned());
    }
    let instance_source = old.instance_settings().and_then(|settings| settings.replica_of.as_deref());
    let cluster_source = old.cluster_settings().and_then(|settings| settings.replica_of.as_deref());
    if let Some(source) = instance_source.or(cluster_source) {
        return Some(format!("{} is a read replica of {source}: encrypt that one, and create the replica anew from it.", old.words()));
    }
    if let Some(global) = old.cluster_settings().and_then(|settings| settings.global_cluster.as_deref()) {
        return Some(format!("{} belongs to the global cluster {global}: take it out of it first (RemoveFromGlobalCluster).", old.words()));
    }
    old.cluster_settings().filter(|settings| settings.engine_mode.as_deref() == Some("serverless")).map(|_| {
        format!("{} is Aurora Serverless v1, which is always encrypted where it is new: move it to Serverless v2 by hand.", old.words())
    })
}

/// What the migration itself is recognised from.
fn unread_facts(case: &Case<'_>) -> Option<Block> {
    unread(&case.inventory().migrations.snapshots, "snapshots of migrations").or_else(|| blue_green::unread_deployments(case))
}

fn is_begun(family: &Family<'_>) -> bool {
    let tagged = family.old.is_some_and(|old| old.tag(TAG_ABORTED_AT).is_some());
    tagged || family.is_isolated() || family.copy.is_some() || family.blue_green.is_some() || !family.snapshots.is_empty()
}

fn rule_of<'p>(cx: &Context<'p>, name: &str, db: &Db<'_>) -> Option<Selected<'p, DatabaseRule>> {
    selected(cx, name, db.engine, db.tags)
}

fn migration_of<'p>(rule: &Selected<'p, DatabaseRule>) -> Option<&'p Migration> {
    rule.rule.at_rest.as_ref().filter(|at_rest| at_rest.encrypted)?.migration.as_ref()
}

/// Where the policy has dropped a migration that was begun.
fn only_reported() -> Migration {
    Migration {
        action: MigrationAction::Report,
        method: MigrationMethod::Auto,
        window: None,
        approved_by: BTreeMap::new(),
        writes: None,
        writes_stopped_at: BTreeMap::new(),
        isolation_security_group: None,
        keep_old_for: "520w".to_owned(),
        old_afterwards: OldAfterwards::Keep,
    }
}

fn report(case: &Case<'_>, anchor: &Db<'_>, next: Next, surroundings: Option<&super::observed::DatabaseSurroundings>) -> MigrationReport {
    let Next { stage, since, times_out_at, percent, message, steps: _, differences } = next;
    let by_hand = case.family.old.map(|old| compare::by_hand(&old, case.name(), surroundings)).unwrap_or_default();
    MigrationReport {
        database: anchor.arn.clone(),
        name: case.name().to_owned(),
        way: case.way,
        stage,
        since,
        times_out_at,
        wakes_at: wakes_at(case, times_out_at),
        percent,
        copy: case.family.copy.map(|copy| copy.identifier.to_owned()),
        message,
        // The gates of the whole plan are not known yet: `plan::gates` fills it in.
        blocked: None,
        differences,
        by_hand,
    }
}

/// When time alone changes the answer.
fn wakes_at(case: &Case<'_>, times_out_at: Option<i64>) -> Option<i64> {
    let (now, family) = (case.cx.now, case.family);
    let mut moments: Vec<i64> = times_out_at.into_iter().collect();
    if family.is_switched() {
        let replaced = family.old.and_then(|old| old.moment(super::observed::TAG_REPLACED_AT));
        moments.extend(replaced.map(|replaced| replaced.saturating_add(case.keep_old_for())));
    } else if case.wanted.action == MigrationAction::Cutover {
        moments.extend(case.window().map(|window| window.closes_at(now).unwrap_or_else(|| window.opens_at(now))));
        moments.extend(case.wanted.writes_stopped_at.get(case.name()).and_then(|text| crate::policy::window::moment(text).ok()));
    }
    moments.into_iter().filter(|moment| *moment > now).min()
}

/// No rule is for the database any more: nothing is done, and it is said.
fn left_alone(family: &Family<'_>, anchor: &Db<'_>) -> Option<MigrationReport> {
    if !is_begun(family) {
        return None;
    }
    let cut_off = if family.is_isolated() && !family.is_switched() { " Its clients are cut off!" } else { "" };
    let reason = format!(
        "No rule of the policy is for {} any more, so nothing is done.{cut_off} `everseal migrations abort {0}` lets clients in and removes what was made.",
        family.name
    );
    Some(MigrationReport {
        database: anchor.arn.clone(),
        name: family.name.clone(),
        way: way(family, anchor, &only_reported()),
        stage: if family.is_switched() { Stage::KeepingOld } else { Stage::Stuck },
        since: None,
        times_out_at: None,
        wakes_at: None,
        percent: None,
        copy: family.copy.map(|copy| copy.identifier.to_owned()),
        message: reason.clone(),
        blocked: Some(reason),
        differences: Vec::new(),
        by_hand: Vec::new(),
    })
}

/// The id that a step will have.
pub(super) fn id_of(remedy: &Remedy, resource: &Arn) -> StepId {
    let id = Remedy::step_id(CHECK, remedy.change.as_ref().map_or("Manual", Change::action), resource);
    remedy.part.as_ref().map_or(id.clone(), |part| StepId(format!("{id}#{part}")))
}

/// Steps that a person asks for by hand: no gate of the policy stops them.
pub(super) fn by_hand(
    cx: &Context<'_>,
    database: &Arn,
    answer: impl FnOnce(&Case<'_>, &Db<'_>) -> Result<Vec<Remedy>, String>,
) -> Result<Vec<crate::Step>, String> {
    let seen = Seen::of(cx.inventory);
    let ids = seen.ids(|db| db.arn == database);
    let family = ids
        .into_iter()
        .map(|id| seen.family(id))
        .find(|family| family.old.or(family.copy).is_some_and(|db| db.arn == database) || family.copy.is_some_and(|db| db.arn == database));
    let Some(family) = family else { return Err(format!("{database} is not a database that is being migrated")) };
    if let Some(why) = abort::too_late(&family) {
        return Err(why);
    }
    let Some(old) = family.old else { return Err(format!("the old database of {} is gone", family.name)) };
    let rule = rule_of(cx, &family.name, &old);
    let report_only = only_reported();
    let wanted = rule.as_ref().and_then(migration_of).unwrap_or(&report_only);
    let case = Case { cx, seen: &seen, family: &family, wanted, key: None, way: way(&family, &old, wanted), enforced: true };
    if let Some(stops) = unread_facts(&case) {
        return Err(stops.reason);
    }
    let remedies = answer(&case, &old)?;
    let scope = &cx.inventory.scope;
    let subject = match &rule {
        Some(rule) => Subject { mode: Mode::Enforce, ..Subject::new(old.arn, Service::Rds, scope, rule) },
        None => Subject {
            resource: old.arn.clone(),
            service: Service::Rds,
            account: scope.account.clone(),
            region: scope.region.clone(),
            policy: String::new(),
            rule: String::new(),
            mode: Mode::Enforce,
        },
    };
    let mut draft = Draft::default();
    draft.propose(&subject, CHECK, remedies);
    Ok(draft.proposals.into_iter().map(|proposal| proposal.step).collect())
}

/// A gate that stops a step of a migration is what stops the migration; waiting for AWS stops nothing.
pub(crate) fn fill_in_blocks(migrations: &mut [MigrationReport], steps: &[crate::Step]) {
    for report in migrations.iter_mut().filter(|report| report.blocked.is_none()) {
        let own = steps.iter().filter(|step| step.resource == report.database && step.check == CHECK);
        let moves = own.clone().any(|step| step.change.is_some() && step.gate.is_none());
        let mut held = own.filter_map(|step| step.gate.as_ref().map(|gate| (step, gate)));
        let stopped_by = held.find(|(step, gate)| step.change.is_some() || gate.name != Gate::NotReady).map(|(_, gate)| gate);
        if !moves {
            report.blocked = stopped_by.map(|gate| format!("{}: {}", gate.name, gate.reason));
        }
    }
}
