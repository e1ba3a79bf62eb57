//! What `EventBridge` says of rules and targets, as the planner's values.

use aws_sdk_eventbridge::types::{Rule, RuleState, Target};
use everseal_planner::Arn;
use everseal_planner::inventory::{EventRule, EventTarget};

use super::operations::{LIST_RULES, LIST_TARGETS_BY_RULE};
use crate::error::AwsError;

/// A rule without its targets.
pub(super) fn rule(bus: &str, listed: Rule) -> Result<EventRule, AwsError> {
    let arn = Arn::parse(&listed.arn.unwrap_or_default()).map_err(|_| AwsError::incomplete(&LIST_RULES, "a rule's ARN"))?;
    // A state that nobody knows yet may let events through.
    let enabled = listed.state != Some(RuleState::Disabled);
    Ok(EventRule { arn, bus: bus.to_owned(), enabled, pattern: listed.event_pattern, targets: Vec::new() })
}

/// One target of a rule.
pub(super) fn target(listed: Target) -> Result<EventTarget, AwsError> {
    let arn = Arn::parse(&listed.arn).map_err(|_| AwsError::incomplete(&LIST_TARGETS_BY_RULE, "a target's ARN"))?;
    let parsed = |text: Option<String>| text.and_then(|text| Arn::parse(&text).ok());
    let dead_letter_queue = parsed(listed.dead_letter_config.and_then(|config| config.arn));
    Ok(EventTarget { id: listed.id, arn, role: parsed(listed.role_arn), dead_letter_queue })
}
