//! Reading and writing a queue's attributes.
//!
//! Reading is what auditors do by the hundred thousand: its JSON form is parsed and written without a tree in between.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::queue::{Attributes, Encryption, Queue};
use super::{Place, Request, errors, fields, permit};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::wire::{Route, json as wire};
use crate::world::{Origin, World};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    #[serde(borrow, default)]
    queue_url: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    attribute_names: Option<Vec<Cow<'a, str>>>,
}

/// `GetQueueAttributes` in JSON.
pub(super) fn get(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let Ok(Input { queue_url, attribute_names }) = serde_json::from_slice(&call.body) else {
        return wire::error(&ApiError::bad_request("SerializationException", "The request body is not a JSON object."));
    };
    let names = attribute_names.unwrap_or_default();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let read = queue_url.as_deref().ok_or_else(|| errors::missing("QueueUrl")).and_then(|url| {
        let mut body = String::with_capacity(512);
        read(world, origin, url, &names, |name, value| {
            body.push_str(if body.is_empty() { "{\"Attributes\":{\"" } else { ",\"" });
            body.push_str(name);
            body.push_str("\":");
            quote(&mut body, value);
        })?;
        body.push_str(if body.is_empty() { "{}" } else { "}}" });
        Ok(body)
    });
    match read {
        Ok(body) => Reply::new(200, "application/x-amz-json-1.0", body),
        Err(error) => wire::reply(route, Err(error)),
    }
}

/// `GetQueueAttributes` as a value.
pub(super) fn get_value(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let url = wire::optional(&request.input, "QueueUrl").ok_or_else(|| errors::missing("QueueUrl"))?;
    let names = request.input.get("AttributeNames").and_then(Value::as_array);
    let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    let mut found = Map::new();
    read(world, request.origin, url, &names, |name, value| {
        found.insert(name.to_owned(), json!(value));
    })?;
    Ok(if found.is_empty() { json!({}) } else { json!({ "Attributes": found }) })
}

/// No names: nothing. What is not set is left out. [sqs:GetQueueAttributes]
fn read(world: &mut World, origin: &Origin, url: &str, names: &[&str], mut tell: impl FnMut(&str, &str)) -> Result<(), ApiError> {
    let place = Place::of_url(url, &origin.region).ok_or_else(errors::no_such_queue)?;
    permit(world, origin, &place, "sqs:GetQueueAttributes")?;
    if let Some(unknown) = names.iter().find(|name| !fields::is_known(name)) {
        return Err(errors::unknown_attribute(unknown));
    }
    let now = world.now();
    let queue = world.sqs.find(&place).ok_or_else(errors::no_such_queue)?;
    queue.settle(now);
    let all = names.contains(&"All");
    tell_settings(&queue.attributes, |name| all || names.contains(&name), &mut tell);
    tell_state(queue, now, |name| all || names.contains(&name), &mut tell);
    Ok(())
}

fn tell_settings(attributes: &Attributes, wanted: impl Fn(&str) -> bool, tell: &mut impl FnMut(&str, &str)) {
    let Attributes { delay, maximum_size, retention, wait, visibility, data_key_reuse, encryption, policy, redrive, redrive_allow, fifo } =
        attributes;
    let mut text = String::new();
    let mut number = |name: &str, value: u32| {
        if wanted(name) {
            text.clear();
            let _ = write!(text, "{value}");
            tell(name, &text);
        }
    };
    number("VisibilityTimeout", *visibility);
    number("MaximumMessageSize", *maximum_size);
    number("MessageRetentionPeriod", *retention);
    number("DelaySeconds", *delay);
    number("ReceiveMessageWaitTimeSeconds", *wait);
    let managed = if *encryption == Encryption::Managed { "true" } else { "false" };
    let mut texts = vec![("SqsManagedSseEnabled", Some(managed))];
    if let Encryption::Kms(key) = encryption {
        number("KmsDataKeyReusePeriodSeconds", data_key_reuse.unwrap_or(300));
        texts.push(("KmsMasterKeyId", Some(key)));
    }
    texts.push(("Policy", policy.as_ref().map(|policy| policy.text.as_ref())));
    texts.push(("RedrivePolicy", redrive.as_ref().map(|redrive| redrive.text.as_ref())));
    texts.push(("RedriveAllowPolicy", redrive_allow.as_deref()));
    if let Some(fifo) = fifo {
        texts.push(("FifoQueue", Some("true")));
        texts.push(("ContentBasedDeduplication", Some(if fifo.content_based { "true" } else { "false" })));
        texts.push(("DeduplicationScope", Some(if fifo.scope_group { "messageGroup" } else { "queue" })));
        texts.push(("FifoThroughputLimit", Some(if fifo.limit_group { "perMessageGroupId" } else { "perQueue" })));
    }
    for (name, value) in texts {
        if let Some(value) = value.filter(|_| wanted(name)) {
            tell(name, value);
        }
    }
}

fn tell_state(queue: &Queue, now: Moment, wanted: impl Fn(&str) -> bool, tell: &mut impl FnMut(&str, &str)) {
    let mut number = |name: &str, value: &dyn Fn() -> u64| {
        if wanted(name) {
            tell(name, &value().to_string());
        }
    };
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    number("CreatedTimestamp", &|| queue.created.seconds());
    number("LastModifiedTimestamp", &|| queue.modified.seconds());
    number("ApproximateNumberOfMessages", &|| count(queue.depth(now).0));
    number("ApproximateNumberOfMessagesNotVisible", &|| count(queue.depth(now).1));
    number("ApproximateNumberOfMessagesDelayed", &|| count(queue.depth(now).2));
    if wanted("QueueArn") {
        tell("QueueArn", &queue.arn);
    }
}

/// A JSON string.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for part in text.chars() {
        match part {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Attributes of an input, as pairs.
pub(super) fn given(request: &Request<'_>) -> Vec<(String, String)> {
    let attributes = request.input.get("Attributes").and_then(Value::as_object);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    attributes.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

pub(super) fn set(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.own_queue(world, "sqs:SetQueueAttributes")?;
    let given = given(request);
    if given.is_empty() {
        return Err(errors::missing("Attribute.Name"));
    }
    let queue = world.sqs.look(&place).ok_or_else(errors::no_such_queue)?;
    let after = fields::change(&queue.attributes, &given, false)?;
    check_dead_letter_queue(world, &place, &after)?;
    let now = world.now();
    let queue = world.sqs.find(&place).ok_or_else(errors::no_such_queue)?;
    if queue.attributes.retention != after.retention
        && let Some(contents) = &mut queue.contents
    {
        contents.retention_changed();
    }
    queue.attributes = after;
    queue.modified = now;
    Ok(json!({}))
}

/// It has to exist, in the same account and region, and to be of the same kind. [SQS: Dead-letter queues]
pub(super) fn check_dead_letter_queue(world: &World, place: &Place<'_>, attributes: &Attributes) -> Result<(), ApiError> {
    let Some(redrive) = &attributes.redrive else { return Ok(()) };
    let refused = |reason: &str| Err(errors::invalid_value(&redrive.text, "RedrivePolicy", reason));
    let target = Place::of_arn(&redrive.target).filter(|target| target.account == place.account && target.region == place.region);
    let Some(queue) = target.and_then(|target| world.sqs.look(&target)) else { return refused("Dead letter target does not exist.") };
    if queue.attributes.fifo.is_some() != attributes.fifo.is_some() {
        return refused("Dead-letter queue must be same type of queue as the source.");
    }
    if !fields::takes_dead_letters_of(&queue.attributes, &place.arn()) {
        return refused("The dead-letter queue's redrive allow policy does not allow this source queue.");
    }
    Ok(())
}
