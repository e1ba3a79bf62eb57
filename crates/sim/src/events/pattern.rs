//! Event patterns, which SNS filter policies share: every named field has to match one of its alternatives.
//! [`EventBridge`: Comparison operators; SNS: Filter policy constraints]

use serde_json::{Map, Value};

use crate::access::like;

/// Is it a pattern: objects down to non-empty lists of known alternatives? `Err`: what is wrong.
pub(crate) fn check(pattern: &Value) -> Result<(), String> {
    let Value::Object(fields) = pattern else { return Err("Pattern is not an object".to_owned()) };
    if fields.is_empty() {
        return Err("Empty pattern or object is not allowed".to_owned());
    }
    fields.iter().try_for_each(|(name, field)| match field {
        Value::Array(alternatives) if name == "$or" => alternatives.iter().try_for_each(check),
        Value::Object(_) => check(field),
        Value::Array(alternatives) if alternatives.is_empty() => Err(format!("Empty arrays are not allowed: {name}")),
        Value::Array(alternatives) => alternatives.iter().try_for_each(check_alternative),
        _ => Err(format!("\"{name}\" must be an object or an array")),
    })
}

/// Tests that an alternative may be. [`EventBridge`: Comparison operators]
const KNOWN: &[&str] = &["prefix", "suffix", "equals-ignore-case", "anything-but", "exists", "numeric", "wildcard"];

fn check_alternative(alternative: &Value) -> Result<(), String> {
    let Value::Object(test) = alternative else {
        return if alternative.is_array() { Err("Inside match expression: unexpected array".to_owned()) } else { Ok(()) };
    };
    match test.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        Some(unknown) => Err(format!("Unrecognized match type {unknown}")),
        None if test.len() == 1 => Ok(()),
        None => Err("Only one key allowed in match expression".to_owned()),
    }
}

/// Does a value match a pattern?
pub(crate) fn matches(pattern: &Value, value: &Value) -> bool {
    let Value::Object(fields) = pattern else { return false };
    fields.iter().all(|(name, field)| match field {
        Value::Array(alternatives) if name == "$or" => alternatives.iter().any(|one| matches(one, value)),
        Value::Array(alternatives) => alternatives.iter().any(|alternative| field_matches(alternative, value.get(name))),
        Value::Object(_) => match value.get(name) {
            Some(Value::Array(items)) => items.iter().any(|item| matches(field, item)),
            Some(inner) => matches(field, inner),
            // A field that is absent matches where only absence is asked for.
            None => matches(field, &Value::Null),
        },
        _ => false,
    })
}

fn field_matches(alternative: &Value, actual: Option<&Value>) -> bool {
    if let Some(exists) = alternative.get("exists") {
        return exists.as_bool() == Some(actual.is_some_and(|value| !value.is_object()));
    }
    match actual {
        None => false,
        Some(Value::Array(items)) => items.iter().any(|item| one_matches(alternative, item)),
        Some(value) => one_matches(alternative, value),
    }
}

fn one_matches(alternative: &Value, actual: &Value) -> bool {
    let Value::Object(test) = alternative else { return same(alternative, actual) };
    test.iter().all(|(name, wanted)| operator(name, wanted, actual))
}

/// Numbers compare as numbers: 300 is 300.0.
fn same(wanted: &Value, actual: &Value) -> bool {
    match (wanted.as_f64(), actual.as_f64()) {
        (Some(wanted), Some(actual)) => (wanted - actual).abs() < f64::EPSILON,
        _ => wanted == actual,
    }
}

fn operator(name: &str, wanted: &Value, actual: &Value) -> bool {
    let text = actual.as_str();
    let any = |test: &dyn Fn(&str) -> bool| match wanted {
        Value::Array(several) => several.iter().filter_map(Value::as_str).any(test),
        Value::Object(folded) => folded.get("equals-ignore-case").and_then(Value::as_str).is_some_and(test),
        one => one.as_str().is_some_and(test),
    };
    match name {
        "prefix" => text.is_some_and(|text| any(&|prefix| starts(text, prefix, wanted.is_object()))),
        "suffix" => text.is_some_and(|text| any(&|suffix| ends(text, suffix, wanted.is_object()))),
        "equals-ignore-case" => text.is_some_and(|text| any(&|other| other.eq_ignore_ascii_case(text))),
        "wildcard" => text.is_some_and(|text| any(&|pattern| like(pattern, text))),
        "numeric" => actual.as_f64().is_some_and(|number| in_range(wanted, number)),
        "anything-but" => anything_but(wanted, actual),
        _ => false,
    }
}

fn starts(text: &str, prefix: &str, folded: bool) -> bool {
    if folded { text.to_lowercase().starts_with(&prefix.to_lowercase()) } else { text.starts_with(prefix) }
}

fn ends(text: &str, suffix: &str, folded: bool) -> bool {
    if folded { text.to_lowercase().ends_with(&suffix.to_lowercase()) } else { text.ends_with(suffix) }
}

fn anything_but(unwanted: &Value, actual: &Value) -> bool {
    match unwanted {
        Value::Array(several) => !several.iter().any(|one| same(one, actual)),
        Value::Object(test) => !test.iter().any(|(name, wanted)| operator(name, wanted, actual)),
        one => !same(one, actual),
    }
}

/// `[">", 0, "<=", 5]`.
fn in_range(wanted: &Value, actual: f64) -> bool {
    let Value::Array(parts) = wanted else { return false };
    !parts.is_empty()
        && parts.chunks(2).all(|pair| {
            let [operator, bound] = pair else { return false };
            let Some(bound) = bound.as_f64() else { return false };
            match operator.as_str() {
                Some("=") => (actual - bound).abs() < f64::EPSILON,
                Some("<") => actual < bound,
                Some("<=") => actual <= bound,
                Some(">") => actual > bound,
                Some(">=") => actual >= bound,
                _ => false,
            }
        })
}

/// An object of texts as a value to match.
pub(crate) fn object(fields: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(fields.into_iter().collect::<Map<_, _>>())
}
