//! The plan: findings of all services and the ordered steps that end their drift.

pub(crate) mod admission;
pub mod change;
pub(crate) mod compare;
mod considered;
pub mod context;
pub(crate) mod draft;
pub(crate) mod gates;
pub mod keys;
#[cfg(feature = "mutation")]
pub mod mutation;
pub mod reads;
pub mod select;
pub mod step;
pub(crate) mod transit;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use change::{Change, KeyRef};
pub use context::{Context, Past};
pub use reads::{Reads, Target};
pub use step::{Block, Gate, Risk, Step, StepId};

use crate::rds::migration::report::MigrationReport;
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
    /// What would make steps surer, and without which they stand: an account's root stands for all its roles. The caller
    /// reads it if it can, and plans again.
    #[serde(default)]
    pub helpful_facts: BTreeSet<Arn>,
    /// Databases on their way to an encrypted copy, or that a rule wants there, by ARN.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<MigrationReport>,
}

impl Plan {
    /// Facts that the caller reads, if it can, before it plans again.
    pub fn facts_to_read(&self) -> impl Iterator<Item = &Arn> {
        self.wanted_facts.union(&self.helpful_facts)
    }
}

/// Judges everything in the inventory and orders what has to be done. Deterministic: the same input, the same plan.
///
/// Keys are planned before the resources that need them, and what those need of a key's document is known only once
/// they are planned: so where they need grants, everything is planned again with these. Whole paths come last: they are
/// judged as they will be once the plan is made.
pub fn plan(cx: &Context<'_>) -> Plan {
    let mut plan = without_paths(cx);
    crate::paths::judge(cx, &mut plan);
    plan
}

/// The plan of each resource by itself and for those on its hops; whole paths are judged from it.
pub(crate) fn without_paths(cx: &Context<'_>) -> Plan {
    let mut draft = drafted(cx, BTreeMap::new());
    let demands = gates::demands_of_open_steps(cx, &draft);
    if !demands.is_empty() {
        draft = drafted(cx, demands);
    }
    gates::finish(cx, draft)
}

fn drafted(cx: &Context<'_>, demands: BTreeMap<Arn, Vec<keys::KeyUser>>) -> draft::Draft {
    let mut draft = draft::Draft { demands, ..draft::Draft::default() };
    crate::kms::plan::plan(cx, &mut draft);
    crate::s3::plan::plan(cx, &mut draft);
    crate::sqs::plan::plan(cx, &mut draft);
    crate::sns::plan::plan(cx, &mut draft);
    crate::kinesis::plan::plan(cx, &mut draft);
    crate::firehose::plan::plan(cx, &mut draft);
    crate::rds::plan::plan(cx, &mut draft);
    draft
}
