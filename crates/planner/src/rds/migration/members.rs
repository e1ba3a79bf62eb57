//! Members of a restored Aurora cluster: a restore gives none, so each old member gets its like.
//! (AWS-FACTS §8.2, "Aurora / Multi-AZ clusters".)

use super::build::{set, unfinished, unread_settings};
use super::case::{Case, Next, change};
use super::change::MigrationChange;
use super::compare;
use super::family::Db;
use super::names;
use super::report::Stage;
use crate::plan::draft::Remedy;

/// Old members, the writer first: the first member of a new cluster becomes its writer.
pub(super) fn of_old<'a>(case: &Case<'a>, old: &Db<'a>) -> Vec<Db<'a>> {
    let mut members = case.seen.members_of(old);
    let writers = old.cluster.into_iter().flat_map(|db| &db.members).filter(|member| member.writer);
    let writers: Vec<&str> = writers.map(|member| member.instance.as_str()).collect();
    members.sort_by_key(|member| (!writers.contains(&member.identifier), member.identifier));
    members
}

/// The new member that stands for an old one.
fn like<'a>(case: &Case<'a>, old: &Db<'_>, copy: &Db<'a>) -> Option<Db<'a>> {
    let named = names::copy(old.identifier);
    case.seen.members_of(copy).into_iter().find(|member| member.identifier == named)
}

/// Creates members that are missing, the first by itself, and waits for them; `None`: all are there.
pub(super) fn missing(case: &Case<'_>, old: &Db<'_>, copy: &Db<'_>) -> Option<Next> {
    let members = of_old(case, old);
    let there = case.seen.members_of(copy).len();
    let missing: Vec<&Db<'_>> = members.iter().filter(|member| like(case, member, copy).is_none()).collect();
    if missing.is_empty() {
        return members.iter().filter_map(|member| like(case, member, copy)).find_map(|member| unfinished(case, &member));
    }
    let message = format!(
        "The restored cluster {} gets its members: {} of {} are there.",
        copy.identifier,
        members.len() - missing.len(),
        members.len()
    );
    // The writer comes first and alone; the others may come together.
    let now = if there == 0 { &missing[..1] } else { &missing[..] };
    let mut next = Next::new(Stage::Restoring, message).since(copy.started_at());
    for member in now {
        let Some(settings) = compare::instance_target(member) else { return Some(unread_settings(member)) };
        let instance = names::copy(member.identifier);
        let tags = case.tags_of_copy(member, member.identifier, copy.mark());
        let step = MigrationChange::CreateClusterMember {
            cluster: copy.identifier.to_owned(),
            instance: instance.clone(),
            engine: member.engine.to_owned(),
            settings: Box::new(settings),
            tags,
        };
        let summary = format!("create {instance} in cluster {}, with the settings of {}", copy.identifier, member.identifier);
        next = next.step(change(step, summary, format!("delete {instance}")));
    }
    Some(next)
}

/// Sets on each new member what can be set and differs from its old one.
pub(super) fn configuration(case: &Case<'_>, old: &Db<'_>, copy: &Db<'_>) -> Vec<Remedy> {
    let pairs = of_old(case, old).into_iter().filter_map(|member| Some((member, like(case, &member, copy)?)));
    pairs.filter_map(|(member, new)| set(&member, &new, &compare::differences(&member, &new)?)).collect()
}
