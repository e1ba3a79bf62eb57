//! Condition operators, in three values. [IAM JSON policy elements: Condition operators; multivalued context keys]
//!
//! A key that the request may or may not carry decides nothing: only a line that holds whatever the key's
//! value, or without it, is proven.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::glob::{self, Reading};
use super::statement::Condition;
use super::values::{in_network, instant, number};
use super::{Answer, Facts};

/// What a request carries under one condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried<'a> {
    /// These values (at least one).
    Values(&'a [Cow<'a, str>]),
    /// Nothing: the key is certainly absent.
    Absent,
    /// We don't know.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    One,
    Any,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    /// Text comparison; `fold` ignores case, `wild` takes `*` and `?` as wildcards.
    Text {
        fold: bool,
        wild: bool,
    },
    Number(&'static [Ordering]),
    Date(&'static [Ordering]),
    Bool,
    Network,
    Arn,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Operator {
    quantifier: Quantifier,
    test: Test,
    negated: bool,
    if_exists: bool,
}

const EQUAL: &[Ordering] = &[Ordering::Equal];
const LESS: &[Ordering] = &[Ordering::Less];
const AT_MOST: &[Ordering] = &[Ordering::Less, Ordering::Equal];
const GREATER: &[Ordering] = &[Ordering::Greater];
const AT_LEAST: &[Ordering] = &[Ordering::Greater, Ordering::Equal];

const fn text(fold: bool, wild: bool) -> Test {
    Test::Text { fold, wild }
}

/// Operators by name, with their test and whether they negate it. [IAM JSON policy elements: Condition operators]
const OPERATORS: &[(&str, Test, bool)] = &[
    ("StringEquals", text(false, false), false),
    ("Bool", Test::Bool, false),
    ("ArnLike", Test::Arn, false),
    ("ArnEquals", Test::Arn, false),
    ("ArnNotLike", Test::Arn, true),
    ("ArnNotEquals", Test::Arn, true),
    ("StringLike", text(false, true), false),
    ("StringNotEquals", text(false, false), true),
    ("StringNotLike", text(false, true), true),
    ("StringEqualsIgnoreCase", text(true, false), false),
    ("StringNotEqualsIgnoreCase", text(true, false), true),
    ("NumericEquals", Test::Number(EQUAL), false),
    ("NumericNotEquals", Test::Number(EQUAL), true),
    ("NumericLessThan", Test::Number(LESS), false),
    ("NumericLessThanEquals", Test::Number(AT_MOST), false),
    ("NumericGreaterThan", Test::Number(GREATER), false),
    ("NumericGreaterThanEquals", Test::Number(AT_LEAST), false),
    ("DateEquals", Test::Date(EQUAL), false),
    ("DateNotEquals", Test::Date(EQUAL), true),
    ("DateLessThan", Test::Date(LESS), false),
    ("DateLessThanEquals", Test::Date(AT_MOST), false),
    ("DateGreaterThan", Test::Date(GREATER), false),
    ("DateGreaterThanEquals", Test::Date(AT_LEAST), false),
    ("IpAddress", Test::Network, false),
    ("NotIpAddress", Test::Network, true),
    ("Null", Test::Null, false),
];

impl Operator {
    /// `None` for an operator that IAM does not have, or that we don't decide (`BinaryEquals`).
    fn parse(written: &str) -> Option<Self> {
        let (quantifier, rest) = match written.split_once(':') {
            None => (Quantifier::One, written),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => (Quantifier::Any, rest),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => (Quantifier::All, rest),
            Some(_) => return None,
        };
        let suffix = rest.len().checked_sub("IfExists".len()).and_then(|at| rest.split_at_checked(at));
        let suffix = suffix.filter(|(_, suffix)| suffix.eq_ignore_ascii_case("IfExists"));
        let (name, if_exists) = suffix.map_or((rest, false), |(name, _)| (name, true));
        let &(_, comparison, negated) = OPERATORS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
        let valid = comparison != Test::Null || quantifier == Quantifier::One && !if_exists;
        valid.then_some(Self { quantifier, test: comparison, negated, if_exists })
    }
}

/// Whether one condition line holds for a request of which `facts` are known.
pub(super) fn holds(line: &Condition<'_>, variables: bool, facts: &Facts<'_>) -> Answer {
    let Some(operator) = Operator::parse(line.operator) else { return Answer::CannotTell };
    if line.values.is_empty() {
        return Answer::CannotTell;
    }
    let carried = facts.carried(line.key);
    if operator.test == Test::Null {
        return null(line, carried);
    }
    let values = match carried {
        Carried::Values(values) => values,
        Carried::Absent => return when_absent(operator),
        Carried::Unknown => return Answer::yes_or(always(operator, line), Answer::CannotTell),
    };
    let mut each = values.iter().map(|value| holds_for(operator, value, line, variables));
    match operator.quantifier {
        Quantifier::Any => each.fold(Answer::No, Answer::or),
        Quantifier::All => each.fold(Answer::Yes, Answer::and),
        // IAM wants a set operator for several values: without one only agreement is certain.
        Quantifier::One => {
            let first = each.next().unwrap_or(Answer::CannotTell);
            each.fold(first, |so_far, next| if so_far == next { so_far } else { Answer::CannotTell })
        }
    }
}

fn null(line: &Condition<'_>, carried: Carried<'_>) -> Answer {
    let wanted = |value: &Cow<'_, str>| match (carried, value.to_ascii_lowercase().as_str()) {
        (Carried::Absent, "true") | (Carried::Values(_), "false") => Answer::Yes,
        (Carried::Absent, "false") | (Carried::Values(_), "true") => Answer::No,
        _ => Answer::CannotTell,
    };
    line.values.iter().map(wanted).fold(Answer::No, Answer::or)
}

/// [IAM: an absent key fails the test, satisfies a negated one, `…IfExists` and `ForAllValues:`]
fn when_absent(operator: Operator) -> Answer {
    if operator.if_exists || operator.quantifier == Quantifier::All {
        return Answer::Yes;
    }
    match (operator.quantifier, operator.negated) {
        (Quantifier::One, true) => Answer::Yes,
        (_, false) => Answer::No,
        (_, true) => Answer::CannotTell,
    }
}

/// The line holds for any value and without one: `StringLikeIfExists … "*"`.
fn always(operator: Operator, line: &Condition<'_>) -> bool {
    let any_text = matches!(operator.test, Test::Text { wild: true, .. }) && !operator.negated;
    let without_key = operator.if_exists || operator.quantifier == Quantifier::All;
    any_text && without_key && line.values.iter().any(|value| !value.is_empty() && value.bytes().all(|b| b == b'*'))
}

fn holds_for(operator: Operator, value: &str, line: &Condition<'_>, variables: bool) -> Answer {
    let matched = line.values.iter().map(|wanted| matches(operator.test, value, wanted, variables)).fold(Answer::No, Answer::or);
    if operator.negated { matched.not() } else { matched }
}

fn matches(test: Test, value: &str, wanted: &str, variables: bool) -> Answer {
    if variables && let Some(wide) = glob::widen_variables(wanted) {
        let fold = matches!(test, Test::Text { fold: true, .. });
        let possible = !matches!(test, Test::Text { .. } | Test::Arn) || glob::covers(&wide, value, Reading::Text, fold);
        return if possible { Answer::CannotTell } else { Answer::No };
    }
    let same_kind = |decided: Option<bool>| decided.map_or(Answer::CannotTell, Answer::from);
    match test {
        Test::Text { fold, wild: true } => glob::covers(wanted, value, Reading::Text, fold).into(),
        Test::Text { fold: true, wild: false } => value.eq_ignore_ascii_case(wanted).into(),
        Test::Text { fold: false, wild: false } => (value == wanted).into(),
        Test::Number(accepted) => same_kind(compare(number(value), number(wanted), accepted)),
        Test::Date(accepted) => same_kind(compare(instant(value), instant(wanted), accepted)),
        Test::Bool => same_kind(boolean(value).zip(boolean(wanted)).map(|(value, wanted)| value == wanted)),
        Test::Network => same_kind(in_network(value, wanted)),
        Test::Arn => arn(wanted, value),
        Test::Null => Answer::CannotTell,
    }
}

/// "Each of the six colon-delimited components of the ARN is checked separately": what fewer stand for is not said.
/// [IAM: Amazon Resource Name (ARN) condition operators]
fn arn(wanted: &str, value: &str) -> Answer {
    let whole = |text: &str| text.splitn(6, ':').count() == 6;
    match glob::arn_covers(wanted, value, Reading::Text) {
        Answer::Yes if wanted != "*" && !(whole(wanted) && whole(value)) => Answer::CannotTell,
        answer => answer,
    }
}

fn compare<T: PartialOrd>(value: Option<T>, wanted: Option<T>, accepted: &[Ordering]) -> Option<bool> {
    value?.partial_cmp(&wanted?).map(|ordering| accepted.contains(&ordering))
}

fn boolean(text: &str) -> Option<bool> {
    let is = |wanted: &str| text.eq_ignore_ascii_case(wanted);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}
