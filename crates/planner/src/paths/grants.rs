//! The Allow statements of a resource's document, read to learn who uses the resource.
//!
//! This is not an evaluation: a statement that might let somebody in counts, because a user who is
//! overlooked is a path that breaks. Deny statements are not looked at for the same reason.

use crate::document::{Condition, Document, Effect, PrincipalPattern, Selector, StatementView};
use crate::plan::select::glob;

/// One Allow statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grant<'a>(StatementView<'a>);

/// The Allow statements of a document.
pub(crate) fn grants(document: &Document) -> impl Iterator<Item = Grant<'_>> {
    document.statements().filter(|view| view.effect == Some(Effect::Allow)).map(Grant)
}

impl<'a> Grant<'a> {
    /// An Allow statement.
    pub(crate) fn of(view: StatementView<'a>) -> Self {
        Self(view)
    }

    /// Whom it names, where it names them one by one.
    pub(crate) fn named_principals(&self) -> Option<&[PrincipalPattern<'a>]> {
        match &self.0.principals {
            Selector::In(members) if self.0.unread.is_empty() => Some(members),
            Selector::In(_) | Selector::NotIn(_) | Selector::Absent => None,
        }
    }

    /// May this statement allow `action`? An element that can't be read may be its action.
    pub(crate) fn covers(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        let among = |patterns: &[&str]| patterns.iter().any(|pattern| glob(&pattern.to_ascii_lowercase(), &action));
        match &self.0.actions {
            Selector::In(patterns) => among(patterns),
            Selector::NotIn(patterns) => !among(patterns),
            Selector::Absent => !self.0.unread.is_empty(),
        }
    }

    /// Whom it names. `NotPrincipal`, and a principal that can't be read, is everybody.
    pub(crate) fn principals(&self) -> Vec<PrincipalPattern<'a>> {
        match &self.0.principals {
            Selector::In(members) => members.clone(),
            Selector::Absent if self.0.unread.is_empty() => Vec::new(),
            Selector::NotIn(_) | Selector::Absent => vec![PrincipalPattern::Everyone],
        }
    }

    /// The resources it names, with wildcards.
    pub(crate) fn resources(&self) -> &[&'a str] {
        self.0.resources.members()
    }

    /// The values that it demands of a condition key (lower case). Operators that let in what lacks the key
    /// (`…IfExists`, `ForAllValues:`) demand nothing.
    pub(crate) fn demands(&self, key: &str) -> Vec<&str> {
        let lines = self.0.conditions.iter().filter(|line| line.tests(key) && is_demand(line));
        lines.flat_map(|line| line.values.iter().map(AsRef::as_ref)).collect()
    }

    /// The keys of its conditions, as written.
    pub(crate) fn condition_keys(&self) -> Vec<&'a str> {
        self.0.conditions.iter().map(|line| line.key).collect()
    }
}

/// `StringEquals` compares literally; its values have no wildcards in practice, and one that has names nobody.
fn is_demand(line: &Condition<'_>) -> bool {
    let operator = line.operator.to_ascii_lowercase();
    let operator = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
    matches!(operator, "stringequals" | "stringequalsignorecase" | "stringlike" | "arnlike" | "arnequals")
}
