//! Collects what is wrong with one file, so that a person sees all of it at once.

use std::collections::HashSet;

use super::{Diagnostic, Severity};

/// A place in a file; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Position {
    /// Where a file begins.
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// The diagnostics of one file.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) file: &'a str,
    pub(super) found: Vec<Diagnostic>,
    /// Places and words said so far: what an alias repeats is wrong only once.
    said: HashSet<(usize, usize, String)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self { file, found: Vec::new(), said: HashSet::new() }
    }

    pub(super) fn error(&mut self, at: Position, path: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Error, at, path.into(), message.into(), None);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// In the order of the text.
    pub(super) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        self.found
    }

    /// An error about a word that looks like another one.
    pub(super) fn misspelt(&mut self, at: Position, path: impl Into<String>, message: impl Into<String>, suggestion: Option<String>) {
        self.add(Severity::Error, at, path.into(), message.into(), suggestion);
    }

    pub(super) fn add(&mut self, severity: Severity, at: Position, path: String, message: String, suggestion: Option<String>) {
        if self.said.insert((at.line, at.column, message.clone())) {
            let file = self.file.to_owned();
            self.found.push(Diagnostic { severity, file, line: at.line, column: at.column, path, message, suggestion });
        }
    }
}
