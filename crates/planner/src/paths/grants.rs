//! The Allow statements of a resource's document, read to learn who uses the resource.
//!
//! This is not an evaluation: a statement that might let somebody in counts, because a user who is
//! overlooked is a path that breaks. Deny statements are not looked at for the same reason.

use serde_json::{Map, Value};

use crate::document::Document;
use crate::plan::select::glob;

/// Whom a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grantee {
    /// `*`, in any spelling, and `NotPrincipal`.
    Everybody,
    /// An ARN, an account id, or the raw id of a principal that is gone.
    Aws(String),
    /// A service principal.
    Service(String),
    /// Federated and canonical users: nobody whom a key's document could name.
    Other(String),
}

/// A condition that restricts a statement to certain values of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restriction {
    /// In lower case.
    pub(crate) key: String,
    /// Any of these; patterns where `patterns` says so.
    pub(crate) values: Vec<String>,
    /// `*` and `?` in the values are wildcards.
    pub(crate) patterns: bool,
}

/// One Allow statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) grantees: Vec<Grantee>,
    pub(crate) resources: Vec<String>,
    /// Conditions of the operators that name what is let in (`StringEquals`, `ArnLike` …), without `…IfExists`, which
    /// lets in everything that lacks the key.
    pub(crate) restrictions: Vec<Restriction>,
    actions: Vec<String>,
    not_actions: Option<Vec<String>>,
}

impl Grant {
    /// May this statement allow `action`?
    pub(crate) fn covers(&self, action: &str) -> bool {
        let among = |patterns: &[String]| patterns.iter().any(|pattern| glob(pattern, &action.to_ascii_lowercase()));
        among(&self.actions) || self.not_actions.as_deref().is_some_and(|patterns| !among(patterns))
    }

    /// The values that the statement demands of `key` (lower case), where it does.
    pub(crate) fn demands(&self, key: &str) -> Option<&Restriction> {
        self.restrictions.iter().find(|restriction| restriction.key == key)
    }
}

/// The Allow statements of a document.
pub(crate) fn grants(document: &Document) -> Vec<Grant> {
    statements(document).iter().filter(|statement| text(element(statement, "effect")) == "Allow").map(grant).collect()
}

/// All statements of a document as JSON objects.
pub(crate) fn statements(document: &Document) -> Vec<Map<String, Value>> {
    let Ok(Value::Object(body)) = serde_json::from_str(&document.text()) else { return Vec::new() };
    let object = |value: &Value| value.as_object().cloned();
    match element(&body, "statement") {
        Some(Value::Array(list)) => list.iter().filter_map(object).collect(),
        Some(one) => object(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// IAM reads element names in any case.
pub(crate) fn element<'a>(statement: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    statement.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// One value or a list, as texts.
pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => list.iter().flat_map(|member| texts(Some(member))).collect(),
        Some(Value::Bool(one)) => vec![one.to_string()],
        Some(Value::Number(one)) => vec![one.to_string()],
        Some(Value::Null | Value::Object(_)) | None => Vec::new(),
    }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn grant(statement: &Map<String, Value>) -> Grant {
    let lower = |value: Option<&Value>| texts(value).iter().map(|action| action.to_ascii_lowercase()).collect::<Vec<_>>();
    let grantees =
        if element(statement, "notprincipal").is_some() { vec![Grantee::Everybody] } else { grantees(element(statement, "principal")) };
    Grant {
        grantees,
        resources: texts(element(statement, "resource")),
        restrictions: restrictions(element(statement, "condition")),
        actions: lower(element(statement, "action")),
        not_actions: element(statement, "notaction").map(|value| lower(Some(value))),
    }
}

fn grantees(principal: Option<&Value>) -> Vec<Grantee> {
    match principal {
        Some(Value::Object(kinds)) => kinds
            .iter()
            .flat_map(|(kind, who)| {
                texts(Some(who)).into_iter().map(move |name| match kind.to_ascii_lowercase().as_str() {
                    _ if name == "*" => Grantee::Everybody,
                    "aws" => Grantee::Aws(name),
                    "service" => Grantee::Service(name),
                    _ => Grantee::Other(name),
                })
            })
            .collect(),
        Some(Value::String(_)) => vec![Grantee::Everybody],
        _ => Vec::new(),
    }
}

fn restrictions(condition: Option<&Value>) -> Vec<Restriction> {
    let Some(Value::Object(operators)) = condition else { return Vec::new() };
    let mut found = Vec::new();
    for (operator, block) in operators {
        let operator = operator.to_ascii_lowercase();
        let patterns = match operator.strip_prefix("foranyvalue:").unwrap_or(&operator) {
            "stringequals" | "stringequalsignorecase" => false,
            "stringlike" | "arnlike" | "arnequals" => true,
            _ => continue,
        };
        if let Value::Object(keys) = block {
            found.extend(keys.iter().map(|(key, values)| Restriction {
                key: key.to_ascii_lowercase(),
                values: texts(Some(values)),
                patterns,
            }));
        }
    }
    found
}
