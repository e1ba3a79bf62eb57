//! A topic's attributes.

use super::topic::{Policy, Topic};
use super::{Place, Request, document, errors, map_of};
use crate::error::ApiError;
use crate::wire::xml::Element;
use crate::world::World;

/// Attributes that are kept as they are written. [sns:SetTopicAttributes]
const KEPT: &[&str] = &["DeliveryPolicy", "DisplayName", "TracingConfig", "SignatureVersion", "ArchivePolicy", "FifoThroughputScope"];

/// Endings of the attributes on delivery status. [sns:SetTopicAttributes]
const FEEDBACK: &[&str] = &["SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"];

/// One attribute's value; `None`: it is not set.
pub(super) fn read(topic: &Topic, owner: &str, name: &str) -> Option<String> {
    match name {
        "Policy" => Some(topic.policy_text(owner)),
        "KmsMasterKeyId" => topic.kms_key.as_ref().map(ToString::to_string),
        "ContentBasedDeduplication" => topic.fifo.map(|by_content| by_content.to_string()),
        other => topic.others.get(other).cloned(),
    }
}

/// Sets one attribute. The key is not looked at: a wrong one shows at its first use.
pub(super) fn write(topic: &mut Topic, name: &str, value: &str) -> Result<(), ApiError> {
    match name {
        "Policy" => {
            let document = document::checked(value)?;
            topic.policy = Some(Box::new(Policy { text: value.into(), document }));
        }
        "KmsMasterKeyId" => topic.kms_key = (!value.is_empty()).then(|| value.into()),
        "ContentBasedDeduplication" => match (&mut topic.fifo, value) {
            (Some(by_content), "true" | "false") => *by_content = value == "true",
            _ => return Err(errors::invalid("ContentBasedDeduplication")),
        },
        kept if KEPT.contains(&kept) || FEEDBACK.iter().any(|ending| kept.ends_with(ending)) => {
            topic.others.insert(kept.to_owned(), value.to_owned());
        }
        _ => return Err(errors::invalid("AttributeName")),
    }
    Ok(())
}

/// [SNS: Message delivery retries, the default policy]
const DELIVERY: &str = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}"#;

pub(super) fn get(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let place = request.topic(world, "TopicArn", "sns:GetTopicAttributes")?;
    let topic = world.sns.look(&place).ok_or_else(errors::no_such_topic)?;
    let (mut confirmed, mut pending) = (0_u64, 0_u64);
    for (_, subscription) in world.sns.of_topic(&topic.arn) {
        *(if subscription.token.is_none() { &mut confirmed } else { &mut pending }) += 1;
    }
    let mut attributes = vec![
        ("Policy", topic.policy_text(place.account)),
        ("Owner", place.account.to_owned()),
        ("SubscriptionsPending", pending.to_string()),
        ("TopicArn", topic.arn.to_string()),
        ("EffectiveDeliveryPolicy", DELIVERY.to_owned()),
        ("SubscriptionsConfirmed", confirmed.to_string()),
        ("SubscriptionsDeleted", topic.deleted_subscriptions.to_string()),
    ];
    if !topic.others.contains_key("DisplayName") {
        attributes.push(("DisplayName", String::new()));
    }
    if let Some(key) = &topic.kms_key {
        attributes.push(("KmsMasterKeyId", key.to_string()));
    }
    if let Some(by_content) = topic.fifo {
        attributes.push(("FifoTopic", "true".to_owned()));
        attributes.push(("ContentBasedDeduplication", by_content.to_string()));
    }
    attributes.extend(topic.others.iter().map(|(name, value)| (name.as_str(), value.clone())));
    Ok(Element::default().child(map_of("Attributes", attributes)))
}

/// One attribute a call. [sns:SetTopicAttributes]
pub(super) fn set(world: &mut World, request: &Request<'_>) -> Result<(), ApiError> {
    let place: Place<'_> = request.topic(world, "TopicArn", "sns:SetTopicAttributes")?;
    let name = request.need("AttributeName")?;
    let value = request.form.get("AttributeValue").unwrap_or_default();
    let topic = world.sns.find(&place).ok_or_else(errors::no_such_topic)?;
    write(topic, name, value)
}
