//! What the planner says of one resource and one check.

use serde::{Deserialize, Serialize};

use crate::check::closed_set;
use crate::{Arn, Check, Service};
use std::fmt;

closed_set! {
    /// The verdict of a finding.
    State {
        /// As the policy wants it, or better protected.
        Compliant = "compliant",
        /// Not as the policy wants it: ends as a step, or blocked with a reason.
        Drifted = "drifted",
        /// Not as the policy wants it, and the policy says that this is accepted.
        Exempt = "exempt",
        /// Could not be read or proven: never drift, never a reason to write.
        Unknown = "unknown",
    }
}

/// Resource × check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The judged resource.
    pub resource: Arn,
    /// Its service.
    pub service: Service,
    /// The account that owns it.
    pub account: String,
    /// The region it lives in.
    pub region: String,
    /// The judged property.
    pub check: Check,
    /// The verdict.
    pub state: State,
    /// The rule that asked, by name.
    pub rule: String,
    /// What the policy wants, in words: short, one line.
    pub expected: String,
    /// What AWS says, in words: short, one line.
    pub actual: String,
    /// One sentence for the person who reads it: why, and what follows. May be empty when compliant.
    pub message: String,
    /// Facts shown beside the verdict, e.g. that a form-strict checker will disagree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}
