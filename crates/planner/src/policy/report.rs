//! Collects what is wrong with one file, so that a person sees all of it at once.

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
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self { file, found: Vec::new() }
    }

    pub(super) fn error(&mut self, at: Position, path: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Error, at, path.into(), message.into(), None);
    }

    pub(super) fn warning(&mut self, at: Position, path: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Warning, at, path.into(), message.into(), None);
    }

    /// An error about a word that looks like another one.
    pub(super) fn misspelt(&mut self, at: Position, path: impl Into<String>, message: impl Into<String>, suggestion: Option<String>) {
        self.add(Severity::Error, at, path.into(), message.into(), suggestion);
    }

    pub(super) fn add(&mut self, severity: Severity, at: Position, path: String, message: String, suggestion: Option<String>) {
        let file = self.file.to_owned();
        let found = Diagnostic { severity, file, line: at.line, column: at.column, path, message, suggestion };
        // What an alias repeats is wrong only once.
        if !self.found.contains(&found) {
            self.found.push(found);
        }
    }
}
