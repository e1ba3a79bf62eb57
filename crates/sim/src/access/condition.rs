//! Conditions. [IAM JSON policy elements: Condition operators; Set operators for multivalued keys; Variables and tags]

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

use super::RequestContext;
use super::document::like;
use super::statement::Texts;

/// Stands for a variable that the request does not carry: no text of a request holds it, so it matches nothing.
const MISSING: &str = "\u{0}";

/// Policy variables: `${aws:PrincipalAccount}`, with a default `${aws:username, 'x'}`.
pub(super) fn expand(pattern: &str, context: &RequestContext) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        let (name, default) = match rest[start + 2..start + length].split_once(',') {
            Some((name, default)) => (name.trim(), Some(default.trim().trim_matches('\''))),
            None => (&rest[start + 2..start + length], None),
        };
        let value = context.get(&name.to_ascii_lowercase()).and_then(|values| values.first()).map(String::as_str);
        out.push_str(value.or(default).unwrap_or(MISSING));
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

/// What must hold of a request.
#[derive(Debug, Clone)]
pub(super) struct Condition(Box<[Line]>);

#[derive(Debug, Clone)]
struct Line {
    /// `None`: no operator that there is, or not written as one. Such a line never holds.
    operator: Option<Operator>,
    /// In lower case.
    key: Box<str>,
    wanted: Texts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Null,
    Compare { set: Option<Set>, test: Test, negated: bool, if_exists: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Any,
    All,
}

/// The positive test behind an operator's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Bool,
    Numeric(Order),
    Date(Order),
    IpAddress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    /// `None`: the statement has none, and holds always.
    pub(super) fn read(written: Option<&Value>) -> Self {
        let never = || Line { operator: None, key: "".into(), wanted: Texts::new(std::iter::empty()) };
        let Some(written) = written else { return Self(Box::default()) };
        let Value::Object(operators) = written else { return Self(Box::new([never()])) };
        let mut lines = Vec::new();
        for (name, keys) in operators {
            let Value::Object(keys) = keys else {
                lines.push(never());
                continue;
            };
            let operator = Operator::read(&name.to_ascii_lowercase());
            lines.extend(keys.iter().map(|(key, wanted)| Line {
                operator,
                key: key.to_ascii_lowercase().into(),
                wanted: match wanted {
                    Value::Array(values) => Texts::new(values.iter().map(text)),
                    one => Texts::new(std::iter::once(text(one))),
                },
            }));
        }
        Self(lines.into())
    }

    /// All lines hold: operators and keys are joined by AND, values by OR.
    pub(super) fn holds(&self, context: &RequestContext, variables: bool) -> bool {
        self.0.iter().all(|line| {
            let Line { operator, key, wanted } = line;
            let present = context.get(&**key).filter(|values| !values.is_empty());
            let wants = |test: &dyn Fn(&str) -> bool| {
                wanted.any(|value| if variables && value.contains("${") { test(&expand(value, context)) } else { test(value) })
            };
            operator.is_some_and(|operator| operator.holds(present, wants))
        })
    }
}

impl Operator {
    /// From its name in lower case.
    fn read(name: &str) -> Option<Self> {
        if name == "null" {
            return Some(Self::Null);
        }
        let (set, name) = match name.split_once(':') {
            Some(("foranyvalue", rest)) => (Some(Set::Any), rest),
            Some(("forallvalues", rest)) => (Some(Set::All), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let (name, if_exists) = name.strip_suffix("ifexists").map_or((name, false), |rest| (rest, true));
        Some(Self::Compare { set, test: Test::read(name)?, negated: name.contains("not"), if_exists })
    }

    /// `wants`: one of the wanted values passes a test.
    fn holds(self, present: Option<&Vec<String>>, wants: impl Fn(&dyn Fn(&str) -> bool) -> bool) -> bool {
        let Self::Compare { set, test, negated, if_exists } = self else {
            return wants(&|value| value.eq_ignore_ascii_case(if present.is_none() { "true" } else { "false" }));
        };
        let Some(present) = present else {
            // An absent key fails, except for `IfExists`, `ForAllValues`, and a negated test that is not `ForAnyValue`.
            return if_exists || set == Some(Set::All) || (negated && set.is_none());
        };
        let one = |actual: &String| wants(&|wanted| test.passes(wanted, actual)) != negated;
        match set {
            Some(Set::All) => present.iter().all(one),
            Some(Set::Any) | None => present.iter().any(one),
        }
    }
}

impl Test {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "stringequals" | "stringnotequals" => Self::Equals,
            "stringequalsignorecase" | "stringnotequalsignorecase" => Self::EqualsIgnoreCase,
            "stringlike" | "stringnotlike" => Self::Like,
            "arnlike" | "arnequals" | "arnnotlike" | "arnnotequals" => Self::Arn,
            "bool" => Self::Bool,
            "numericequals" | "numericnotequals" => Self::Numeric(Order::Equal),
            "numericlessthan" => Self::Numeric(Order::Less),
            "numericlessthanequals" => Self::Numeric(Order::LessOrEqual),
            "numericgreaterthan" => Self::Numeric(Order::Greater),
            "numericgreaterthanequals" => Self::Numeric(Order::GreaterOrEqual),
            "dateequals" | "datenotequals" => Self::Date(Order::Equal),
            "datelessthan" => Self::Date(Order::Less),
            "datelessthanequals" => Self::Date(Order::LessOrEqual),
            "dategreaterthan" => Self::Date(Order::Greater),
            "dategreaterthanequals" => Self::Date(Order::GreaterOrEqual),
            "ipaddress" | "notipaddress" => Self::IpAddress,
            _ => return None,
        })
    }

    fn passes(self, wanted: &str, actual: &str) -> bool {
        match self {
            Self::Equals => wanted == actual,
            Self::EqualsIgnoreCase => wanted.eq_ignore_ascii_case(actual),
            Self::Like => like(wanted, actual),
            Self::Arn => arn_like(wanted, actual),
            Self::Bool => is_boolean(wanted) && wanted.eq_ignore_ascii_case(actual),
            Self::Numeric(order) => number(wanted, actual).is_some_and(|is| order.has(is)),
            Self::Date(order) => date(wanted, actual).is_some_and(|is| order.has(is)),
            Self::IpAddress => in_network(wanted, actual),
        }
    }
}

impl Order {
    const fn has(self, is: Ordering) -> bool {
        match self {
            Self::Equal => is.is_eq(),
            Self::Less => is.is_lt(),
            Self::LessOrEqual => is.is_le(),
            Self::Greater => is.is_gt(),
            Self::GreaterOrEqual => is.is_ge(),
        }
    }
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// Each of the six parts by itself; `*` alone is any ARN. [IAM: Amazon Resource Name (ARN) condition operators]
fn arn_like(wanted: &str, actual: &str) -> bool {
    if wanted == "*" {
        return true;
    }
    let (wanted, actual): (Vec<&str>, Vec<&str>) = (wanted.splitn(6, ':').collect(), actual.splitn(6, ':').collect());
    wanted.len() == 6 && actual.len() == 6 && wanted.iter().zip(&actual).all(|(wanted, actual)| like(wanted, actual))
}

fn number(wanted: &str, actual: &str) -> Option<Ordering> {
    actual.parse::<f64>().ok()?.partial_cmp(&wanted.parse::<f64>().ok()?)
}

fn date(wanted: &str, actual: &str) -> Option<Ordering> {
    moment(actual)?.partial_cmp(&moment(wanted)?)
}

/// ISO 8601, whole or only a day, or seconds since the epoch: as seconds.
#[expect(clippy::cast_precision_loss, reason = "seconds of this century fit into 53 bits")]
fn moment(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let day = || {
        let format = time::format_description::parse_borrowed::<2>("[year]-[month]-[day]").ok()?;
        Some(PrimitiveDateTime::new(Date::parse(text, &format).ok()?, time::Time::MIDNIGHT).assume_utc())
    };
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(day).map(|at| at.unix_timestamp() as f64)
}

/// CIDR, or one address.
fn in_network(wanted: &str, actual: &str) -> bool {
    let (network, prefix) = wanted.split_once('/').map_or((wanted, None), |(network, prefix)| (network, prefix.parse::<u32>().ok()));
    let masked = |bits: u128, width: u32| {
        let prefix = prefix.unwrap_or(width).min(width);
        if prefix == 0 { 0 } else { bits >> (width - prefix) }
    };
    match (network.parse(), actual.parse()) {
        (Ok(IpAddr::V4(network)), Ok(IpAddr::V4(actual))) => {
            masked(u128::from(network.to_bits()), 32) == masked(u128::from(actual.to_bits()), 32)
        }
        (Ok(IpAddr::V6(network)), Ok(IpAddr::V6(actual))) => masked(network.to_bits(), 128) == masked(actual.to_bits(), 128),
        _ => false,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
