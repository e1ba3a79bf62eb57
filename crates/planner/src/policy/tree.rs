//! A document as a tree in which every node knows its place.
//!
//! Shape and meaning are judged on this tree and the typed policy is made from it, so a position can
//! never belong to another reading of the text.

use super::report::Position;

/// A node and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
    pub(super) health: Health,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Text; `plain` if it was written without quotes.
    Scalar { text: String, plain: bool },
    /// A list.
    List(Vec<Item>),
    /// A mapping, keys unique.
    Map(Vec<Entry>),
}

/// Whether a node is what the person wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// It is.
    Sound,
    /// A wrong child was taken out (and reported): that something is absent proves nothing.
    Damaged,
    /// It stands in for a wrong or missing text (reported): nothing may be said about it.
    StandIn,
}

/// An item of a list, with the index it was written at.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) index: usize,
    pub(super) node: Node,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Position,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn new(at: Position, value: Value) -> Self {
        Self { at, value, health: Health::Sound }
    }

    /// What a person would call it.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar { text, plain } => match plain_kind(text, *plain) {
                Plain::Null => "empty",
                Plain::Bool(_) => "true or false",
                Plain::Integer | Plain::Float => "a number",
                Plain::Text => "text",
            },
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The value under a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
            Value::Scalar { .. } | Value::List(_) => None,
        }
    }

    /// The same as a value of the YAML library, without places.
    pub(super) fn to_yaml(&self) -> serde_yaml::Value {
        match &self.value {
            Value::Scalar { text, plain } => match (plain_kind(text, *plain), text.parse::<i64>()) {
                (Plain::Null, _) => serde_yaml::Value::Null,
                (Plain::Bool(value), _) => value.into(),
                (Plain::Integer, Ok(number)) => number.into(),
                (Plain::Integer | Plain::Float | Plain::Text, _) => text.as_str().into(),
            },
            Value::List(items) => serde_yaml::Value::Sequence(items.iter().map(|item| item.node.to_yaml()).collect()),
            Value::Map(entries) => {
                serde_yaml::Value::Mapping(entries.iter().map(|entry| (entry.key.as_str().into(), entry.node.to_yaml())).collect())
            }
        }
    }

    /// Nothing was written: no document, or a field without a value.
    pub(super) fn is_empty(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain } if plain_kind(text, *plain) == Plain::Null)
    }
}

/// What YAML makes of a scalar [YAML 1.2, core schema].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Integer,
    Float,
    Text,
}

/// What a scalar is, given whether it was written without quotes.
pub(super) fn plain_kind(text: &str, plain: bool) -> Plain {
    if !plain {
        return Plain::Text;
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let prefixed = |prefix: &str, valid: fn(&char) -> bool| {
        text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| valid(&c)))
    };
    if (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        || prefixed("0x", char::is_ascii_hexdigit)
        || prefixed("0o", |c| ('0'..='7').contains(c))
    {
        return Plain::Integer;
    }
    // As the YAML library: a number too large to be one is text.
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.parse::<f64>().is_ok_and(f64::is_finite);
    let special = matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN");
    if numeric || special { Plain::Float } else { Plain::Text }
}

/// The path of a field, e.g. `spec.s3[0].match.tags["a.b"]`.
pub(super) fn child_path(parent: &str, key: &str) -> String {
    let simple = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match (parent.is_empty(), simple) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{parent}.{key}"),
        (_, false) => format!("{parent}[{key:?}]"),
    }
}
