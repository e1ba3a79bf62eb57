//! AWS query: a form in, XML out.

use std::collections::BTreeMap;

use super::xml::Element;
use crate::error::ApiError;
use crate::http::{Call, Reply};

/// A decoded form.
#[derive(Debug, Clone, Default)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a call's form.
    pub fn of(call: &Call) -> Self {
        Self(form_urlencoded::parse(&call.body).into_owned().collect())
    }

    /// An optional member; a nested one by its path: `Tags.Tag.1.Key`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A required member.
    pub fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::bad_request("MissingParameter", format!("The request must contain the parameter {name}.")))
    }

    /// Whole members of a list: `prefix.1`, `prefix.2` …, or with more after the number.
    pub fn list(&self, prefix: &str) -> Vec<Self> {
        let mut items: BTreeMap<usize, Self> = BTreeMap::new();
        for (name, value) in &self.0 {
            let Some(rest) = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')) else { continue };
            let (number, rest) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                items.entry(number).or_default().0.insert(rest.to_owned(), value.clone());
            }
        }
        items.into_values().collect()
    }

    /// Values of a plain list.
    pub fn values(&self, prefix: &str) -> Vec<String> {
        self.list(prefix).into_iter().filter_map(|item| item.0.get("").cloned()).collect()
    }

    /// Pairs of a map whose entries are `prefix.N.key` and `prefix.N.value` (names as the service spells them).
    pub fn pairs(&self, prefix: &str, key: &str, value: &str) -> Vec<(String, String)> {
        let pair = |item: Self| Some((item.get(key)?.to_owned(), item.get(value).unwrap_or_default().to_owned()));
        self.list(prefix).into_iter().filter_map(pair).collect()
    }
}

/// An output without members, of an operation that has one: clients look for its element all the same. An operation that has
/// none answers [`Element::default`].
pub fn nothing() -> Element {
    Element::new("Result")
}

/// `<OpResponse xmlns=…><OpResult>…</OpResult><ResponseMetadata/></OpResponse>`.
pub fn reply(operation: &str, namespace: &str, request_id: &str, result: Result<Element, ApiError>) -> Reply {
    match result {
        Ok(output) => {
            let metadata = Element::new("ResponseMetadata").text("RequestId", request_id);
            let response = Element::new(format!("{operation}Response")).attribute("xmlns", namespace);
            let has_none = output.is_empty() && output.name().is_empty();
            let output = output.named(format!("{operation}Result"));
            let response = if has_none { response } else { response.child(output) };
            Reply::new(200, "text/xml", response.child(metadata).document())
        }
        Err(error) => self::error(&error),
    }
}

/// An error.
pub fn error(error: &ApiError) -> Reply {
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    let code = error.query_code.as_deref().unwrap_or(&error.code);
    let mut inner = Element::new("Error").text("Type", kind).text("Code", code).text("Message", &error.message);
    for (name, value) in &error.details {
        inner = inner.text(*name, value);
    }
    let body = Element::new("ErrorResponse").child(inner).text("RequestId", "00000000-0000-0000-0000-000000000000");
    Reply::new(error.status, "text/xml", body.document())
}
