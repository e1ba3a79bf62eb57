//! Documents and their elements as somebody wrote them.

use serde_json::{Map, Value};

use super::document::Document;
use super::statement::Statement;

/// A document as somebody wrote it: what a service looks at when it accepts one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    statements: Vec<Map<String, Value>>,
    /// `${…}` are variables: not in documents of the old version. [IAM JSON policy elements: Version]
    variables: bool,
}

impl Written {
    /// Parses a document's text. `None`: it is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Value::Object(mut body) = serde_json::from_str(text).ok()? else { return None };
        let variables = body.get("Version").and_then(Value::as_str) == Some("2012-10-17");
        let object = |value| if let Value::Object(statement) = value { Some(statement) } else { None };
        let statements: Vec<_> = match body.get_mut("Statement")?.take() {
            Value::Array(list) => list.into_iter().map(object).collect::<Option<_>>()?,
            one => vec![object(one)?],
        };
        let has_effect = |one: &Map<String, Value>| matches!(one.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny"));
        statements.iter().all(has_effect).then_some(Self { statements, variables })
    }

    /// Its statements; each has an effect.
    pub(crate) fn statements(&self) -> &[Map<String, Value>] {
        &self.statements
    }

    pub(super) fn statements_mut(&mut self) -> &mut [Map<String, Value>] {
        &mut self.statements
    }

    /// The same to be kept, and to judge requests by.
    pub(crate) fn document(&self) -> Document {
        Document { statements: self.statements.iter().map(Statement::read).collect(), variables: self.variables }
    }
}

/// The strings of a list, or one alone; what is no string is passed over.
pub(crate) fn strings(value: &Value) -> impl Iterator<Item = &str> {
    let all = if let Value::Array(values) = value { values.as_slice() } else { std::slice::from_ref(value) };
    all.iter().filter_map(Value::as_str)
}

/// Whom a statement names, in `Principal` or `NotPrincipal`, of whatever kind.
pub(crate) fn principals(statement: &Map<String, Value>) -> Vec<&str> {
    match statement.get("Principal").or_else(|| statement.get("NotPrincipal")) {
        Some(Value::Object(kinds)) => kinds.values().flat_map(strings).collect(),
        Some(other) => strings(other).collect(),
        None => Vec::new(),
    }
}

/// The unique id of a user or role that was deleted (`AROA…`) names nobody. [IAM: Principal]
pub(crate) fn is_principal(text: &str) -> bool {
    text == "*" || text.starts_with("arn:") || text.contains('.') || is_account_id(text)
}

/// Twelve digits.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
