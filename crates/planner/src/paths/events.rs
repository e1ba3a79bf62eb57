//! `EventBridge`: which rules take a bucket's events, and where rules send.

use serde_json::Value;

use super::admittance::refusal;
use super::build::{Builder, NewHop};
use super::hops::{PUBLISH, PUT_DELIVERY, PUT_RECORD, SEND, service_needs};
use super::model::{HopKind, Need, NodeKind};
use super::nodes::kind_of;
use crate::document::Principal;
use crate::inventory::{EventRule, EventTarget};
use crate::{Arn, Inventory};

const EVENTS: &str = "events.amazonaws.com";

/// Adds the rules of an inventory, what flows into them from buckets, and where they send.
pub(crate) fn add(builder: &mut Builder<'_>, inventory: &Inventory) {
    for rule in inventory.path_facts.event_rules.known().into_iter().flatten().filter(|rule| rule.enabled) {
        // EventBridge encrypts whatever it stores, by itself. [EventBridge: KMS key options for data encryption]
        builder.stand_in(rule.arn.as_str(), NodeKind::EventRule, "encrypted by EventBridge");
        add_bucket_events(builder, inventory, rule);
        for target in &rule.targets {
            add_target(builder, rule, target);
        }
    }
}

/// S3 sends its events to the default bus of the bucket's account and region. [S3: Using EventBridge]
fn add_bucket_events(builder: &mut Builder<'_>, inventory: &Inventory, rule: &EventRule) {
    let pattern = rule.pattern.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(pattern) = pattern.filter(|pattern| rule.bus == "default" && takes(&pattern["source"], "aws.s3")) else { return };
    for bucket in inventory.buckets.values() {
        let sends = bucket.notifications.known().is_some_and(|notifications| notifications.event_bridge);
        if sends && takes(&pattern["detail"]["bucket"]["name"], &bucket.name) {
            builder.add(NewHop::aws(&bucket.arn, rule.arn.as_str(), HopKind::Event, "s3.amazonaws.com"));
        }
    }
}

/// Might an element of a pattern match `text`? One that is absent matches everything; one that is not understood may.
/// [EventBridge: Comparison operators]
fn takes(element: &Value, text: &str) -> bool {
    let Some(candidates) = element.as_array() else { return true };
    candidates.iter().any(|candidate| match candidate {
        Value::String(wanted) => wanted == text,
        Value::Object(matcher) => match (matcher.get("prefix"), matcher.get("suffix"), matcher.get("equals-ignore-case")) {
            (Some(Value::String(prefix)), _, _) => text.starts_with(prefix.as_str()),
            (_, Some(Value::String(suffix)), _) => text.ends_with(suffix.as_str()),
            (_, _, Some(Value::String(same))) => same.eq_ignore_ascii_case(text),
            _ => true,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    })
}

fn add_target(builder: &mut Builder<'_>, rule: &EventRule, target: &EventTarget) {
    let by = target.role.as_ref().map_or(EVENTS, Arn::as_str);
    let needs = target_needs(builder, rule, target);
    let refused = if target.role.is_none() { refusal(builder, EVENTS, &rule.arn, &target.arn) } else { None };
    builder.add(NewHop::aws(&rule.arn, target.arn.as_str(), HopKind::Target, by).needing(needs).troubled(refused));
    if let Some(dead_letters) = &target.dead_letter_queue {
        let needs = service_needs(builder, EVENTS, &rule.arn, dead_letters);
        let refused = refusal(builder, EVENTS, &rule.arn, dead_letters);
        builder.add(NewHop::aws(&rule.arn, dead_letters.as_str(), HopKind::DeadLetter, EVENTS).needing(needs).troubled(refused));
    }
}

fn target_needs(builder: &Builder<'_>, rule: &EventRule, target: &EventTarget) -> Vec<Need> {
    let Some(assumed) = &target.role else { return service_needs(builder, EVENTS, &rule.arn, &target.arn) };
    let using = match kind_of(&target.arn) {
        NodeKind::Queue => SEND,
        NodeKind::Topic => PUBLISH,
        NodeKind::DataStream => PUT_RECORD,
        NodeKind::DeliveryStream => PUT_DELIVERY,
        NodeKind::Bucket
        | NodeKind::Channel
        | NodeKind::EventRule
        | NodeKind::Distribution
        | NodeKind::Function
        | NodeKind::Principal
        | NodeKind::Service
        | NodeKind::Endpoint
        | NodeKind::Anybody
        | NodeKind::Other => return Vec::new(),
    };
    builder.needs_of(&target.arn, Principal::Aws(assumed.to_string()), &using, None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::takes;

    #[test]
    fn pattern_elements_are_read_as_eventbridge_documents_them() {
        for (element, text, expected) in [
            (json!(null), "aws.s3", true),
            (json!(["aws.s3"]), "aws.s3", true),
            (json!(["aws.ec2", {"prefix": "aws."}]), "aws.s3", true),
            (json!(["aws.ec2"]), "aws.s3", false),
            (json!([{"suffix": "-raw"}]), "finance-raw", true),
            (json!([{"suffix": "-raw"}]), "finance-logs", false),
            (json!([{"equals-ignore-case": "Data"}]), "data", true),
            (json!([{"anything-but": ["data"]}]), "data", true),
        ] {
            assert_eq!(takes(&element, text), expected, "{element} {text}");
        }
    }
}
