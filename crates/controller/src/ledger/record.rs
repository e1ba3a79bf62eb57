//! The records of the ledger and what they say.

use everseal_planner::plan::{Change, Step, StepId};
use everseal_planner::{Arn, Check, Scope, Service};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who asked for the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Actor {
    /// `everseal run`.
    Daemon,
    /// `everseal apply`.
    CommandLine,
}

/// A step that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Unix time in milliseconds.
    pub at_millis: i64,
    /// Where.
    pub scope: Scope,
    /// What is changed.
    pub resource: Arn,
    /// Its service.
    pub service: Service,
    /// The check that the step brings in order.
    pub check: Check,
    /// The step's id in its plan.
    pub step: StepId,
    /// The API call.
    pub action: String,
    /// What changes, in a line.
    pub summary: String,
    /// The change, whole: what was read before it and what is written.
    pub change: Change,
    /// How a person takes it back.
    pub undo: String,
    /// The policy that asked.
    pub policy: String,
    /// Its revision.
    pub revision: String,
    /// The rule that asked.
    pub rule: String,
    /// Who ran it.
    pub actor: Actor,
}

impl Intent {
    /// The record of a step of a plan made from the policies of `revision`. `None` where there is nothing to write.
    pub fn of(step: &Step, scope: &Scope, revision: &str, actor: Actor, at_millis: i64) -> Option<Self> {
        Some(Self {
            at_millis,
            scope: scope.clone(),
            resource: step.resource.clone(),
            service: step.service,
            check: step.check,
            step: step.id.clone(),
            action: step.action.clone(),
            summary: step.summary.clone(),
            change: step.change.clone()?,
            undo: step.undo.clone(),
            policy: step.policy.clone(),
            revision: revision.to_owned(),
            rule: step.rule.clone(),
            actor,
        })
    }

    /// What AWS said before the step; `null` where there was nothing (or where something new is made).
    pub fn before(&self) -> Value {
        self.side("before")
    }

    /// What was to be written; where the change has no single `after`, all it holds.
    pub fn after(&self) -> Value {
        let after = self.side("after");
        if after.is_null() { self.content() } else { after }
    }

    fn side(&self, name: &str) -> Value {
        self.content().get(name).cloned().unwrap_or(Value::Null)
    }

    /// The fields of the change, out of their variant.
    fn content(&self) -> Value {
        match serde_json::to_value(&self.change) {
            Ok(Value::Object(variant)) => variant.into_iter().next().map_or(Value::Null, |(_, content)| content),
            Ok(_) | Err(_) => Value::Null,
        }
    }
}

/// What became of a step that an intent was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LedgerOutcome {
    /// Written, and read back.
    Applied,
    /// Written; AWS still showed the old value when it was read back.
    Settling,
    /// AWS refused, or the read after it showed neither the old nor the new value.
    Failed,
}

/// Written after the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeRecord {
    /// Unix time in milliseconds.
    pub at_millis: i64,
    /// What became of it.
    pub outcome: LedgerOutcome,
    /// AWS's answer where it failed, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How a step of the ledger ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Outcome {
    /// The process ended, or the ledger failed, between intent and outcome.
    Interrupted,
    /// Recorded.
    #[serde(untagged)]
    Recorded(OutcomeRecord),
}

/// A step as `everseal changes` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was to be done.
    #[serde(flatten)]
    pub intent: Intent,
    /// What became of it.
    pub result: Outcome,
}
