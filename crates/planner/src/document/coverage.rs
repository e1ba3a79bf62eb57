//! Proves that statements deny every request of a kind: every principal, every action, every part of a resource.
//!
//! A proof is made of patterns that cover patterns; a disproof is one request that no statement can deny. What is
//! neither stays [`Answer::CannotTell`].

use std::collections::BTreeMap;

use super::condition::holds;
use super::evaluate::meet;
use super::glob::{self, Reading};
use super::{Answer, Effect, Facts, Principal, Protected, Request, Selector, StatementView};

/// A part of the resource, as a pattern that stands for every ARN in it.
pub(super) struct Part {
    /// For people: "the bucket itself".
    pub(super) noun: &'static str,
    /// Covers every ARN of the part.
    pub(super) pattern: String,
    /// One ARN of the part that nobody names.
    specimen: String,
}

/// All that may be asked of a protected resource.
pub(super) struct Everything {
    /// Covers every action that counts.
    pub(super) actions: &'static str,
    /// One of them that nobody names.
    specimen: &'static str,
    /// The resource's parts.
    pub(super) parts: Vec<Part>,
}

/// A name that no document holds: a private-use character can't be part of an action, a role or an account.
const NOBODY: &str = "arn:aws:iam::000000000000:role/\u{10FFFD}";

impl Everything {
    pub(super) fn of(protected: Protected<'_>) -> Self {
        let whole = |noun, arn: &str| vec![Part { noun, pattern: arn.to_owned(), specimen: arn.to_owned() }];
        match protected {
            Protected::Bucket(arn) => {
                let mut parts = whole("the bucket itself", arn.as_str());
                // A key has at least one character.
                parts.push(Part { noun: "the objects in it", pattern: format!("{arn}/?*"), specimen: format!("{arn}/\u{10FFFD}") });
                Self { actions: "s3:?*", specimen: "s3:\u{10FFFD}", parts }
            }
            Protected::Queue(arn) => Self { actions: "sqs:?*", specimen: "sqs:\u{10FFFD}", parts: whole("the queue", arn.as_str()) },
            Protected::Topic(arn) => Self { actions: "sns:Publish", specimen: "sns:Publish", parts: whole("the topic", arn.as_str()) },
        }
    }
}

/// Whether every request that carries `known` is denied, for each part. `example` adds keys of one such request.
pub(super) fn denied(views: &[StatementView<'_>], all: &Everything, known: &[(&str, &str)], example: &[(&str, &str)]) -> Vec<Answer> {
    let facts = Facts::only(known);
    let certain: Vec<&StatementView<'_>> = views.iter().filter(|view| is_certain(view, &facts)).collect();
    let nobody = Principal::Aws(NOBODY.to_owned());
    let facts = facts.such_as(example, &nobody);
    let answer = |part| if proven(&certain, all, part) { Answer::Yes } else { possibly(views, all, part, (&nobody, &facts)) };
    all.parts.iter().map(answer).collect()
}

/// A Deny for everybody whose conditions hold for every request that carries the known keys.
fn is_certain(view: &StatementView<'_>, facts: &Facts<'_>) -> bool {
    view.effect == Some(Effect::Deny)
        && view.unread.is_empty()
        && view.is_for_everyone()
        && view.conditions.iter().all(|line| holds(line, view.has_variables, facts) == Answer::Yes)
}

fn proven(certain: &[&StatementView<'_>], all: &Everything, part: &Part) -> bool {
    let actions: Vec<_> = certain.iter().filter(|view| covers_part(view, part)).map(|view| &view.actions).collect();
    cover_actions(&actions, all.actions)
}

/// Whether a statement's resources cover the whole part.
pub(super) fn covers_part(view: &StatementView<'_>, part: &Part) -> bool {
    let variable = |pattern: &str| if view.has_variables { glob::widen_variables(pattern) } else { None };
    match &view.resources {
        Selector::Absent => false,
        Selector::In(members) => {
            members.iter().any(|p| variable(p).is_none() && glob::resource_covers(p, &part.pattern, Reading::Pattern) == Answer::Yes)
        }
        Selector::NotIn(members) => members.iter().all(|p| !glob::intersect(variable(p).as_deref().unwrap_or(p), &part.pattern, false)),
    }
}

/// Whether the sets of actions together cover `wanted`.
pub(super) fn cover_actions(sets: &[&Selector<&str>], wanted: &str) -> bool {
    let named = || sets.iter().flat_map(|set| set.members());
    let by_name = |pattern: &str| named().any(|member| glob::covers(member, pattern, Reading::Pattern, true));
    let disjoint = |a: &str, b: &str| !glob::intersect(a, b, true);
    if by_name(wanted) {
        return true;
    }
    let exceptions = || {
        sets.iter().filter_map(|set| match set {
            Selector::NotIn(members) => Some(members),
            Selector::Absent | Selector::In(_) => None,
        })
    };
    // All but some, and each of these is no action of ours, or denied by another statement.
    exceptions().any(|members| {
        members.iter().all(|spared| {
            let elsewhere = || exceptions().any(|others| others.iter().all(|other| disjoint(spared, other)));
            disjoint(spared, wanted) || by_name(spared) || elsewhere()
        })
    })
}

/// `No` if one request, of somebody that no statement names, is certainly not denied.
fn possibly(views: &[StatementView<'_>], all: &Everything, part: &Part, (nobody, facts): (&Principal, &Facts<'_>)) -> Answer {
    let context = BTreeMap::new();
    let request =
        Request { principal: nobody, action: all.specimen, resource: &part.specimen, context: &context, context_is_complete: false };
    let mut denies = views.iter().filter(|view| view.effect != Some(Effect::Allow));
    // The request is one of many: that it is denied proves nothing.
    if denies.all(|view| meet(view, &request, facts).applies == Answer::No) { Answer::No } else { Answer::CannotTell }
}
