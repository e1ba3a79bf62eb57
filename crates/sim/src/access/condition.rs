//! Conditions. [IAM JSON policy elements: Condition operators; Set operators for multivalued keys; Variables and tags]

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

use super::RequestContext;
use super::document::like;

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

/// All lines hold: operators and keys are joined by AND, values by OR.
pub(super) fn holds(condition: &Value, context: &RequestContext, variables: bool) -> bool {
    let Value::Object(operators) = condition else { return false };
    operators.iter().all(|(operator, keys)| {
        let Value::Object(keys) = keys else { return false };
        keys.iter().all(|(key, wanted)| {
            let wanted: Vec<String> = match wanted {
                Value::Array(values) => values.iter().map(text).collect(),
                one => vec![text(one)],
            };
            let wanted = if variables { wanted.iter().map(|value| expand(value, context)).collect() } else { wanted };
            line_holds(operator, context.get(&key.to_ascii_lowercase()), &wanted)
        })
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Any,
    All,
}

fn line_holds(operator: &str, present: Option<&Vec<String>>, wanted: &[String]) -> bool {
    let operator = operator.to_ascii_lowercase();
    let present = present.filter(|values| !values.is_empty());
    if operator == "null" {
        return wanted.iter().any(|value| value.eq_ignore_ascii_case(if present.is_none() { "true" } else { "false" }));
    }
    let (set, operator) = match operator.split_once(':') {
        Some(("foranyvalue", rest)) => (Some(Set::Any), rest),
        Some(("forallvalues", rest)) => (Some(Set::All), rest),
        Some(_) => return false,
        None => (None, operator.as_str()),
    };
    let (operator, if_exists) = operator.strip_suffix("ifexists").map_or((operator, false), |rest| (rest, true));
    let Some((test, negated)) = test(operator) else { return false };
    let Some(present) = present else {
        // An absent key fails, except for `IfExists`, `ForAllValues`, and a negated test that is not `ForAnyValue`.
        return if_exists || set == Some(Set::All) || (negated && set.is_none());
    };
    let one = |actual: &String| wanted.iter().any(|wanted| test(wanted, actual)) != negated;
    match set {
        Some(Set::All) => present.iter().all(one),
        Some(Set::Any) | None => present.iter().any(one),
    }
}

type Test = fn(&str, &str) -> bool;

/// The positive test behind an operator's name in lower case, and whether the operator negates it.
fn test(operator: &str) -> Option<(Test, bool)> {
    let test: Test = match operator {
        "stringequals" | "stringnotequals" => |wanted, actual| wanted == actual,
        "stringequalsignorecase" | "stringnotequalsignorecase" => |wanted, actual| wanted.eq_ignore_ascii_case(actual),
        "stringlike" | "stringnotlike" => like,
        "arnlike" | "arnequals" | "arnnotlike" | "arnnotequals" => arn_like,
        "bool" => |wanted, actual| is_boolean(wanted) && wanted.eq_ignore_ascii_case(actual),
        "numericequals" | "numericnotequals" => |wanted, actual| number(wanted, actual) == Some(Ordering::Equal),
        "numericlessthan" => |wanted, actual| number(wanted, actual) == Some(Ordering::Less),
        "numericlessthanequals" => |wanted, actual| number(wanted, actual).is_some_and(Ordering::is_le),
        "numericgreaterthan" => |wanted, actual| number(wanted, actual) == Some(Ordering::Greater),
        "numericgreaterthanequals" => |wanted, actual| number(wanted, actual).is_some_and(Ordering::is_ge),
        "dateequals" | "datenotequals" => |wanted, actual| date(wanted, actual) == Some(Ordering::Equal),
        "datelessthan" => |wanted, actual| date(wanted, actual) == Some(Ordering::Less),
        "datelessthanequals" => |wanted, actual| date(wanted, actual).is_some_and(Ordering::is_le),
        "dategreaterthan" => |wanted, actual| date(wanted, actual) == Some(Ordering::Greater),
        "dategreaterthanequals" => |wanted, actual| date(wanted, actual).is_some_and(Ordering::is_ge),
        "ipaddress" | "notipaddress" => in_network,
        _ => return None,
    };
    Some((test, operator.contains("not")))
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
