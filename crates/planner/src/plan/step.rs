//! Steps and what may stop them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::change::Change;
use crate::check::closed_set;
use crate::{Arn, Check, Service};

/// Names a step within a plan: `check:action:resource`, the same in every plan for the same work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

closed_set! {
    /// What making a step means for those who use the resource.
    Risk {
        /// Nobody notices.
        None = "none",
        /// Seconds of a transition, or new work for callers.
        Brief = "brief",
        /// A restart or an interruption.
        Disruptive = "disruptive",
    }
}

closed_set! {
    /// Rules that may block a step.
    Gate {
        /// There is nothing Everseal can do by itself: a person must.
        Manual = "manual",
        /// The policy accepts the drift.
        Exemption = "exemption",
        /// The bucket has a website configuration.
        Website = "website",
        /// Logs are delivered to the bucket by a service that can't write under the wanted key.
        LogTarget = "log-target",
        /// The bucket replicates, and its rules do not cover SSE-KMS objects.
        Replication = "replication",
        /// Block Public Access would refuse the new bucket policy.
        PublicAccessBlock = "public-access-block",
        /// The merged document would be larger than AWS accepts.
        DocumentSize = "document-size",
        /// The wanted key can't be used as it is: state, kind, region.
        KeyState = "key-state",
        /// Nobody can tell who uses the resource, so nobody can tell whether all of them could use the wanted key.
        KeyUse = "key-use",
        /// A hop of the resource's data path would break: somebody who sends, delivers or reads needs what he has not got.
        Path = "path",
        /// The resource is in a transition, or was not read.
        NotReady = "not-ready",
        /// Outside the window that the policy gives for it.
        Window = "window",
        /// The policy does not name who approved this switch.
        Approval = "approval",
        /// Writes to the old database have not been shown to have stopped.
        Writes = "writes",
        /// Sessions without TLS are open, which the change would cut off.
        TlsClients = "tls-clients",
        /// A fact that decides whether the step is safe could not be read.
        Unread = "unread",
        /// Calls of this kind are used up for the last 24 hours.
        CallBudget = "call-budget",
        /// A step that this one needs is blocked itself.
        Dependency = "dependency",
        /// The policy or rule is in audit mode.
        Mode = "mode",
        /// The cycle's limit of changes is reached.
        BlastRadius = "blast-radius",
    }
}

/// Why a step must not be made now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The gate that stops it.
    pub name: Gate,
    /// In words a person can act on; with the exact statement to add where that is the cure.
    pub reason: String,
}

/// One idempotent change to one resource, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Unique within the plan.
    pub id: StepId,
    /// What is changed.
    pub resource: Arn,
    /// Its service.
    pub service: Service,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// The check it brings in order.
    pub check: Check,
    /// The API call, or `Manual` where only a person can do it.
    pub action: String,
    /// One line: what changes, from what, to what.
    pub summary: String,
    /// Steps that must have succeeded before.
    pub needs: Vec<StepId>,
    /// What it means for the resource's users.
    pub risk: Risk,
    /// `Some`: the step is not made.
    pub gate: Option<Block>,
    /// The change; `None` only behind a gate: there is nothing for Everseal to write to this resource.
    pub change: Option<Change>,
    /// How a person takes it back.
    pub undo: String,
    /// The rule that asked.
    pub rule: String,
    /// The policy the rule stands in.
    pub policy: String,
}
