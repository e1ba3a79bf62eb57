//! A statement of a document, as small as it can be kept: a world has a hundred thousand of them.
//!
//! Everything that does not depend on the request is settled when the document is read: case, the shapes that a list may
//! have, the meaning of an operator's name.

use serde_json::{Map, Value};

use super::condition::Condition;
use super::principal::Who;
use super::written::strings;

/// A statement.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) denies: bool,
    pub(super) who: Who,
    /// In lower case.
    pub(super) actions: Patterns,
    pub(super) resources: Patterns,
    pub(super) condition: Condition,
}

impl Statement {
    pub(super) fn read(written: &Map<String, Value>) -> Self {
        Self {
            denies: written.get("Effect").and_then(Value::as_str) == Some("Deny"),
            who: Who::read(written),
            actions: Patterns::read(written, "Action", "NotAction", str::to_ascii_lowercase),
            resources: Patterns::read(written, "Resource", "NotResource", str::to_owned),
            condition: Condition::read(written.get("Condition")),
        }
    }
}

/// What an action or a resource is held against.
#[derive(Debug, Clone)]
pub(super) enum Patterns {
    /// The statement has neither element: it is about nothing.
    Absent,
    /// One of these.
    Among(Texts),
    /// None of these.
    Except(Texts),
}

impl Patterns {
    fn read(written: &Map<String, Value>, name: &str, not_name: &str, spell: fn(&str) -> String) -> Self {
        let texts = |value| Texts::new(strings(value).map(spell));
        match (written.get(name), written.get(not_name)) {
            (Some(listed), _) => Self::Among(texts(listed)),
            (None, Some(listed)) => Self::Except(texts(listed)),
            (None, None) => Self::Absent,
        }
    }

    pub(super) fn cover(&self, test: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Absent => false,
            Self::Among(patterns) => patterns.any(test),
            Self::Except(patterns) => !patterns.any(test),
        }
    }
}

/// One text, mostly.
#[derive(Debug, Clone)]
pub(super) enum Texts {
    One(Box<str>),
    Many(Box<[Box<str>]>),
}

impl Texts {
    pub(super) fn new(texts: impl Iterator<Item = String>) -> Self {
        let many: Box<[Box<str>]> = texts.map(String::into_boxed_str).collect();
        match <[Box<str>; 1]>::try_from(many.into_vec()) {
            Ok([one]) => Self::One(one),
            Err(many) => Self::Many(many.into_boxed_slice()),
        }
    }

    pub(super) fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(one) => test(one),
            Self::Many(many) => many.iter().any(|one| test(one)),
        }
    }

    pub(super) fn have(&self, text: &str) -> bool {
        self.any(|one| one == text)
    }
}
