//! Walks the positioned tree beside the typed values, so that words about a value name its place.

use super::Severity;
use super::report::{Position, Report};
use super::tree::{Health, Node, Value, child_path};

/// A value's place in a document.
#[derive(Debug, Clone)]
pub(super) struct Place<'n> {
    pub(super) at: Position,
    pub(super) path: String,
    /// `None`: the field is not there, and `at` and `path` are those of the mapping around it.
    node: Option<&'n Node>,
}

impl<'n> Place<'n> {
    pub(super) fn document(node: &'n Node) -> Self {
        Self { at: node.at, path: String::new(), node: Some(node) }
    }

    /// A field of a mapping; what is not there has the place of the mapping.
    pub(super) fn field(&self, name: &str) -> Self {
        match self.node.and_then(|node| node.get(name)) {
            Some(node) => Self { at: node.at, path: child_path(&self.path, name), node: Some(node) },
            None => Self { at: self.at, path: self.path.clone(), node: None },
        }
    }

    /// An item of a list, by its index in the typed list.
    pub(super) fn item(&self, index: usize) -> Self {
        match self.node.map(|node| &node.value) {
            Some(Value::List(items)) if index < items.len() => {
                let item = &items[index];
                Self { at: item.node.at, path: format!("{}[{}]", self.path, item.index), node: Some(&item.node) }
            }
            _ => Self { at: self.at, path: self.path.clone(), node: None },
        }
    }

    /// Whether the value is there.
    pub(super) fn exists(&self) -> bool {
        self.node.is_some()
    }

    /// Whether nothing was taken out of it: only then does absence prove anything.
    pub(super) fn is_sound(&self) -> bool {
        self.node.is_none_or(|node| node.health == Health::Sound)
    }

    /// Whether the field is known not to have been written.
    pub(super) fn lacks(&self, name: &str) -> bool {
        self.is_sound() && !self.field(name).exists()
    }

    /// Reports an error here, unless one has been reported for what stood here.
    pub(super) fn error(&self, report: &mut Report<'_>, message: impl Into<String>) {
        self.misspelt(report, message, None);
    }

    /// As [`Place::error`], with the right word.
    pub(super) fn misspelt(&self, report: &mut Report<'_>, message: impl Into<String>, suggestion: Option<String>) {
        self.say(report, Severity::Error, message.into(), suggestion);
    }

    /// Reports a warning here.
    pub(super) fn warning(&self, report: &mut Report<'_>, message: impl Into<String>) {
        self.say(report, Severity::Warning, message.into(), None);
    }

    /// As [`Place::warning`], with a better word.
    pub(super) fn doubtful(&self, report: &mut Report<'_>, message: impl Into<String>, suggestion: Option<String>) {
        self.say(report, Severity::Warning, message.into(), suggestion);
    }

    fn say(&self, report: &mut Report<'_>, severity: Severity, message: String, suggestion: Option<String>) {
        if self.node.is_none_or(|node| node.health != Health::StandIn) {
            report.add(severity, self.at, self.path.clone(), message, suggestion);
        }
    }
}
