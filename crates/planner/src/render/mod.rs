//! Plans and paths in the forms that leave the program: JSON for machines, text for people, Graphviz for pictures.
//!
//! Both show everything: what is blocked stands beside what will be done, with its reason.

mod json;
mod paths_dot;
mod paths_json;
#[cfg(test)]
mod paths_tests;
mod paths_text;
mod text;

pub use json::json;
pub use paths_dot::paths_dot;
pub use paths_json::{bounded_paths_json, paths_json};
pub use paths_text::{paths_text, paths_through};
pub use text::{Paint, Show, text};

use crate::{Finding, Plan, State};

/// How many findings are in each state, and how many resources no rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Summary {
    /// As wanted.
    pub compliant: usize,
    /// Not as wanted.
    pub drifted: usize,
    /// Not as wanted, and accepted.
    pub exempt: usize,
    /// Could not be read or proven.
    pub unknown: usize,
    /// Resources that no rule matches.
    pub unmanaged: usize,
}

impl Summary {
    /// Counts a plan.
    pub fn of(plan: &Plan) -> Self {
        let count = |state: State| plan.findings.iter().filter(|finding: &&Finding| finding.state == state).count();
        Self {
            compliant: count(State::Compliant),
            drifted: count(State::Drifted),
            exempt: count(State::Exempt),
            unknown: count(State::Unknown),
            unmanaged: plan.unmanaged.len(),
        }
    }
}
