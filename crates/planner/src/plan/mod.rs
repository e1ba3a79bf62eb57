//! The plan: findings of all services and the ordered steps that end their drift.

pub mod change;
pub mod context;
pub(crate) mod draft;
pub mod reads;
pub mod select;
pub mod step;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use change::{Change, KeyRef};
pub use context::{Context, Past};
pub use reads::{Reads, Target};
pub use step::{Block, Gate, Risk, Step, StepId};

use crate::{Arn, Finding};

/// Everything the planner says of one scope.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// All verdicts, by service, resource and check.
    pub findings: Vec<Finding>,
    /// In the order in which they are to be made: what a step needs stands before it.
    pub steps: Vec<Step>,
    /// Resources that no rule matches.
    pub unmanaged: BTreeSet<Arn>,
    /// Resources whose gate facts must be read before their steps can be decided: the caller reads
    /// them and plans again. Empty in a complete plan.
    pub wanted_facts: BTreeSet<Arn>,
}
