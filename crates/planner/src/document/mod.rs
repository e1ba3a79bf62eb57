//! AWS IAM documents (bucket, queue, topic and key policies): lossless values, the questions we ask
//! of them, and the only two changes we make to them.
//!
//! A document is somebody else's property: every statement that is not ours stays as it is, in its
//! place, with elements we do not know. What cannot be parsed is never overwritten, what cannot be
//! decided is [`Answer::CannotTell`], and that never counts as yes.
//!
//! `strict` reads, `statement` views, `canonical` compares; `glob`, `values`, `condition` and `principal`
//! answer for one element each, `evaluate` for a request, `transport` (over `coverage`) for all requests at
//! once; `ours` makes, merges and removes our own statements.

mod canonical;
mod condition;
mod coverage;
pub mod evaluate;
mod glob;
pub mod ours;
mod principal;
pub mod statement;
mod strict;
pub mod transport;
mod values;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde_json::{Map, Value};

use evaluate::Facts;
pub use evaluate::{Access, Principal, Request, access, identity_access};
pub use ours::{OwnStatement, check_key_text, check_size, deny_old_tls, deny_plain_http, merge, remove_ours};
pub use statement::{Condition, Effect, PrincipalPattern, Selector, StatementView};
pub use transport::{Protected, TransportVerdict, denies_tls_below, transport};

/// The answer to a question about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Proven.
    Yes,
    /// Disproven.
    No,
    /// Neither; never counts as yes.
    CannotTell,
}

impl Answer {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::CannotTell, _) | (_, Self::CannotTell) => Self::CannotTell,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::CannotTell => Self::CannotTell,
        }
    }

    fn yes_or(proven: bool, otherwise: Self) -> Self {
        if proven { Self::Yes } else { otherwise }
    }
}

impl From<bool> for Answer {
    fn from(decided: bool) -> Self {
        if decided { Self::Yes } else { Self::No }
    }
}

/// JSON's `\u` escapes for the characters above U+00FF: one each, or a surrogate pair.
fn escape_above_latin_1(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c <= '\u{FF}' {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(escaped, "\\u{unit:04x}").expect("writing to a String can't fail");
            }
        }
    }
    escaped
}

/// An IAM document as AWS returned it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document(Map<String, Value>);

/// The text is not an IAM document, or not one that could be written back without loss.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an IAM document: {0}")]
pub struct DocumentError(pub String);

impl Document {
    /// Parses a document's text.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let Value::Object(elements) = strict::read(text).map_err(DocumentError)? else {
            return Err(DocumentError("it is not a JSON object".to_owned()));
        };
        let mut names = elements.keys().filter(|name| name.eq_ignore_ascii_case("statement"));
        let (Some(name), None) = (names.next(), names.next()) else {
            return Err(DocumentError("it does not have exactly one Statement element".to_owned()));
        };
        let well_formed = match &elements[name.as_str()] {
            Value::Object(_) => true,
            Value::Array(items) => items.iter().all(Value::is_object),
            _ => false,
        };
        if well_formed {
            Ok(Self(elements))
        } else {
            Err(DocumentError("its Statement is neither an object nor a list of objects".to_owned()))
        }
    }

    /// The text to send: compact JSON, elements and statements in their order.
    ///
    /// Characters above U+00FF are written as `\u` escapes: a key document may not contain them. [`kms:PutKeyPolicy`, `Policy`]
    #[expect(clippy::missing_panics_doc, reason = "it can't")]
    pub fn text(&self) -> String {
        let text = serde_json::to_string(&self.0).expect("a JSON value with text keys can always be written");
        if text.chars().all(|c| c <= '\u{FF}') { text } else { escape_above_latin_1(&text) }
    }

    /// Bytes of [`Document::text`]: what AWS's size limits count.
    pub fn size(&self) -> usize {
        self.text().len()
    }

    /// Both mean the same to IAM (string or one-element list, order of lists and statements, `AWS: "111122223333"` or
    /// its root ARN, JSON boolean or its text, case of element keys …). `Version`, `Id` and Sids count.
    pub fn equivalent(&self, other: &Self) -> bool {
        canonical::of(self) == canonical::of(other)
    }

    /// The policy language's version; a document without one has the old. [IAM JSON policy elements: Version]
    pub fn version(&self) -> &str {
        self.element("version").and_then(Value::as_str).unwrap_or("2008-10-17")
    }

    /// The statements, read, in their order.
    pub fn statements(&self) -> impl Iterator<Item = StatementView<'_>> {
        let has_variables = self.version() != "2008-10-17";
        self.bodies().map(move |body| StatementView::read(body, has_variables))
    }

    /// The statements as they stand.
    pub fn bodies(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let statements = match self.element("statement") {
            Some(Value::Array(items)) => items.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        statements.iter().filter_map(Value::as_object)
    }

    fn element(&self, lower_name: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(lower_name)).map(|(_, value)| value)
    }
}
