//! Queue attributes as the wire writes them: names, values, what is valid.

use serde_json::Value;

use super::queue::{Attributes, Encryption, Fifo, Policy, Redrive};
use super::{document, errors};
use crate::error::ApiError;

/// Attributes that a queue has but nobody sets. [sqs:GetQueueAttributes]
const READ_ONLY: &[&str] = &[
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

/// Attributes that can be set.
const WRITABLE: &[&str] = &[
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// Is it the name of an attribute that can be read?
pub(super) fn is_known(name: &str) -> bool {
    name == "All" || WRITABLE.contains(&name) || READ_ONLY.contains(&name)
}

/// The attributes as they become with these values, all checked; nothing is changed where one is refused.
pub(super) fn change(before: &Attributes, values: &[(String, String)], created: bool) -> Result<Attributes, ApiError> {
    let mut after = before.clone();
    let value_of = |wanted: &str| values.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    if value_of("KmsMasterKeyId").is_some_and(|key| !key.is_empty()) && value_of("SqsManagedSseEnabled") == Some("true") {
        let message = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.";
        return Err(ApiError::bad_request("InvalidAttributeName", message).query_code("InvalidAttributeName"));
    }
    if created && value_of("FifoQueue") == Some("true") {
        after.fifo = Some(Fifo::default());
    }
    for (name, value) in values {
        set(&mut after, name, value, created)?;
    }
    if let Some(fifo) = after.fifo
        && fifo.limit_group
        && !fifo.scope_group
    {
        return Err(errors::invalid_attribute("FifoThroughputLimit"));
    }
    Ok(after)
}

fn set(after: &mut Attributes, name: &str, value: &str, created: bool) -> Result<(), ApiError> {
    match name {
        "DelaySeconds" => after.delay = number(name, value, 0, 900)?,
        "MaximumMessageSize" => after.maximum_size = number(name, value, 1024, 1_048_576)?,
        "MessageRetentionPeriod" => after.retention = number(name, value, 60, 1_209_600)?,
        "ReceiveMessageWaitTimeSeconds" => after.wait = number(name, value, 0, 20)?,
        "VisibilityTimeout" => after.visibility = number(name, value, 0, 43_200)?,
        "KmsDataKeyReusePeriodSeconds" => after.data_key_reuse = Some(number(name, value, 60, 86_400)?),
        // The key is not looked at: a wrong one shows at its first use. [SQS: Key management]
        "KmsMasterKeyId" if value.is_empty() => {
            if matches!(after.encryption, Encryption::Kms(_)) {
                after.encryption = Encryption::Off;
            }
        }
        "KmsMasterKeyId" => after.encryption = Encryption::Kms(value.into()),
        "SqsManagedSseEnabled" => match (boolean(name, value)?, &after.encryption) {
            (true, _) => after.encryption = Encryption::Managed,
            (false, Encryption::Managed) => after.encryption = Encryption::Off,
            (false, Encryption::Off | Encryption::Kms(_)) => {}
        },
        "Policy" if value.is_empty() => after.policy = None,
        "Policy" => after.policy = Some(Box::new(Policy { text: value.into(), document: document::checked(value)? })),
        "RedrivePolicy" if value.is_empty() => after.redrive = None,
        "RedrivePolicy" => after.redrive = Some(Box::new(redrive(value)?)),
        "RedriveAllowPolicy" if value.is_empty() => after.redrive_allow = None,
        "RedriveAllowPolicy" => after.redrive_allow = Some(redrive_allow(value)?),
        "FifoQueue" if created && boolean(name, value)? => {}
        "ContentBasedDeduplication" | "DeduplicationScope" | "FifoThroughputLimit" => set_fifo(after, name, value)?,
        known if is_known(known) => return Err(errors::unknown_attribute(known)),
        other => return Err(errors::unknown_attribute(other)),
    }
    Ok(())
}

fn set_fifo(after: &mut Attributes, name: &str, value: &str) -> Result<(), ApiError> {
    let fifo = after.fifo.as_mut().ok_or_else(|| errors::unknown_attribute(name))?;
    match (name, value) {
        ("ContentBasedDeduplication", _) => fifo.content_based = boolean(name, value)?,
        ("DeduplicationScope", "messageGroup") => fifo.scope_group = true,
        ("DeduplicationScope", "queue") => fifo.scope_group = false,
        ("FifoThroughputLimit", "perMessageGroupId") => fifo.limit_group = true,
        ("FifoThroughputLimit", "perQueue") => fifo.limit_group = false,
        _ => return Err(errors::invalid_attribute(name)),
    }
    Ok(())
}

fn number(name: &str, value: &str, least: u32, most: u32) -> Result<u32, ApiError> {
    value.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| errors::invalid_attribute(name))
}

fn boolean(name: &str, value: &str) -> Result<bool, ApiError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(errors::invalid_attribute(name)),
    }
}

/// [sqs:SetQueueAttributes, `RedrivePolicy`]
fn redrive(text: &str) -> Result<Redrive, ApiError> {
    let refused = |reason: &str| errors::invalid_value(text, "RedrivePolicy", reason);
    let policy: Value = serde_json::from_str(text).map_err(|_| refused("Redrive policy is not a valid JSON map."))?;
    let target = policy.get("deadLetterTargetArn").and_then(Value::as_str);
    let target = target.ok_or_else(|| refused("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."))?;
    let most =
        policy.get("maxReceiveCount").ok_or_else(|| refused("Redrive policy does not contain mandatory attribute: maxReceiveCount."))?;
    let max_receives = most.as_u64().or_else(|| most.as_str()?.parse().ok()).and_then(|number| u32::try_from(number).ok());
    let Some(max_receives) = max_receives.filter(|number| (1..=1000).contains(number)) else {
        return Err(refused(&format!("Invalid value for maxReceiveCount: {most}, valid values are from 1 to 1000 both inclusive.")));
    };
    Ok(Redrive { text: text.into(), target: target.into(), max_receives })
}

/// [sqs:SetQueueAttributes, `RedriveAllowPolicy`]
fn redrive_allow(text: &str) -> Result<Box<str>, ApiError> {
    let refused = || {
        errors::invalid_value(
            text,
            "RedriveAllowPolicy",
            "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.",
        )
    };
    let policy: Value = serde_json::from_str(text).map_err(|_| refused())?;
    let sources = policy.get("sourceQueueArns").and_then(Value::as_array).map_or(0, Vec::len);
    match policy.get("redrivePermission").and_then(Value::as_str) {
        Some("allowAll" | "denyAll") if sources == 0 => Ok(text.into()),
        Some("byQueue") if (1..=10).contains(&sources) => Ok(text.into()),
        _ => Err(refused()),
    }
}

/// Does a queue's `RedriveAllowPolicy` let another queue send it its dead letters?
pub(super) fn takes_dead_letters_of(attributes: &Attributes, source: &str) -> bool {
    let Some(policy) = attributes.redrive_allow.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok()) else { return true };
    match policy.get("redrivePermission").and_then(Value::as_str) {
        Some("denyAll") => false,
        Some("byQueue") => policy.get("sourceQueueArns").and_then(Value::as_array).is_some_and(|arns| arns.iter().any(|arn| arn == source)),
        _ => true,
    }
}
