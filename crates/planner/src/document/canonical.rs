//! The meaning of a document, without the freedoms of its form: two documents with equal meanings are never
//! written over each other. AWS itself changes the form (booleans become strings, account ids become ARNs).

use std::collections::BTreeSet;

use serde_json::Value;

use super::statement::{PrincipalPattern, Selector, account_of_root};
use super::{Document, Effect, StatementView};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Meaning<'a> {
    version: &'a str,
    /// `Id` and elements that IAM does not have.
    others: BTreeSet<(String, String)>,
    /// Sorted: their order means nothing, their number is kept.
    statements: Vec<Statement<'a>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Statement<'a> {
    sid: Option<&'a str>,
    /// Allow, Deny, neither.
    effect: Option<bool>,
    principals: Set<(&'static str, &'a str)>,
    actions: Set<String>,
    resources: Set<String>,
    conditions: BTreeSet<(String, String, BTreeSet<String>)>,
    unread: BTreeSet<(String, String)>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Set<T> {
    Absent,
    In(BTreeSet<T>),
    NotIn(BTreeSet<T>),
}

impl<T: Ord> Set<T> {
    fn of<S>(selector: &Selector<S>, canonical: impl Fn(&S) -> T) -> Self {
        match selector {
            Selector::Absent => Self::Absent,
            Selector::In(members) => Self::In(members.iter().map(canonical).collect()),
            Selector::NotIn(members) => Self::NotIn(members.iter().map(canonical).collect()),
        }
    }
}

pub(super) fn of(document: &Document) -> Meaning<'_> {
    let mut statements: Vec<Statement<'_>> = document.statements().map(|view| statement(&view)).collect();
    statements.sort();
    let others = document.0.iter().map(|(name, value)| raw(name, value));
    let others = others.filter(|(name, _)| name != "version" && name != "statement").collect();
    Meaning { version: document.version(), others, statements }
}

/// Whether two statements mean the same, their Sids included.
pub(super) fn same_statement(a: &StatementView<'_>, b: &StatementView<'_>) -> bool {
    statement(a) == statement(b)
}

fn statement<'a>(view: &StatementView<'a>) -> Statement<'a> {
    let StatementView { sid, effect, principals, actions, resources, conditions, unread, has_variables: _ } = view;
    let line = |condition: &super::Condition<'a>| {
        let operator = condition.operator.to_ascii_lowercase();
        let folds = operator.contains("bool") || operator == "null" || operator.contains("ignorecase");
        let value = |value: &std::borrow::Cow<'a, str>| if folds { value.to_ascii_lowercase() } else { value.clone().into_owned() };
        let values = condition.values.iter().map(value).collect();
        (operator, condition.key.to_ascii_lowercase(), values)
    };
    Statement {
        sid: *sid,
        effect: effect.map(|effect| effect == Effect::Allow),
        principals: Set::of(principals, principal),
        actions: Set::of(actions, |action| action.to_ascii_lowercase()),
        resources: Set::of(resources, |resource| (*resource).to_owned()),
        conditions: conditions.iter().map(line).collect(),
        unread: unread.iter().map(|(name, value)| raw(name, value)).collect(),
    }
}

fn principal<'a>(pattern: &PrincipalPattern<'a>) -> (&'static str, &'a str) {
    match pattern {
        PrincipalPattern::Everyone => ("everyone", ""),
        PrincipalPattern::Account(text) => ("account", account_of_root(text).unwrap_or(text)),
        PrincipalPattern::Aws(text) => ("aws", text),
        PrincipalPattern::Service(text) => ("service", text),
        PrincipalPattern::Federated(text) => ("federated", text),
        PrincipalPattern::CanonicalUser(text) => ("canonicaluser", text),
    }
}

fn raw(name: &str, value: &Value) -> (String, String) {
    (name.to_ascii_lowercase(), value.to_string())
}
