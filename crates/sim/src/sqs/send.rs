//! Messages on their way in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::queue::{Queue, Stored};
use super::{Place, Request, encryption, errors, permit};
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::{Origin, World};

/// A repeated deduplication id is taken and dropped so long. [SQS: Exactly-once processing]
const DEDUPLICATION: Duration = Duration::from_mins(5);
/// [SQS: Quotas related to messages]
const MOST_ATTRIBUTES: usize = 10;

/// A message on its way into a queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) body: String,
    /// Message attributes: name → (data type, value).
    pub(crate) attributes: Vec<(String, String, String)>,
    /// FIFO queues only.
    pub(crate) group: Option<String>,
    /// FIFO queues only.
    pub(crate) deduplication: Option<String>,
}

/// What became of a message that was taken.
pub(super) struct Taken {
    pub(super) id: Box<str>,
    pub(super) sequence: Option<u64>,
}

/// Puts a message into a queue for a caller, service or not: checks the queue's document and its key. On success: the
/// message's id. The tally is kept by whoever delivers.
pub(crate) fn deliver(world: &mut World, origin: &Origin, queue: &str, message: Message) -> Result<String, ApiError> {
    let place = Place::of_arn(queue).ok_or_else(errors::no_such_queue)?;
    if world.sqs.outages.get(queue).is_some_and(|until| world.now() < *until) {
        return Err(ApiError::new(503, "ServiceUnavailable", "Service is unable to handle request."));
    }
    permit(world, origin, &place, "sqs:SendMessage")?;
    take(world, origin, &place, message, None).map(|taken| taken.id.into())
}

pub(super) fn send(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.queue(world, "sqs:SendMessage")?;
    send_one(world, request.origin, &place, &request.input)
}

/// One message as the wire writes it.
pub(super) fn send_one(world: &mut World, origin: &Origin, place: &Place<'_>, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let body = wire::optional(input, "MessageBody").filter(|body| !body.is_empty()).ok_or_else(|| errors::missing("MessageBody"))?;
    let owned = |name: &str| wire::optional(input, name).map(str::to_owned);
    let delay = match wire::number(input, "DelaySeconds") {
        Some(delay) => Some(
            u32::try_from(delay)
                .ok()
                .filter(|delay| *delay <= 900)
                .ok_or_else(|| errors::invalid_value(&delay.to_string(), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."))?,
        ),
        None => None,
    };
    let message = Message {
        body: body.to_owned(),
        attributes: attributes_of(input)?,
        group: owned("MessageGroupId"),
        deduplication: owned("MessageDeduplicationId"),
    };
    let mut output = json!({ "MD5OfMessageBody": md5_hex(body.as_bytes()) });
    if !message.attributes.is_empty() {
        output["MD5OfMessageAttributes"] = json!(md5_of_attributes(&message.attributes));
    }
    let taken = take(world, origin, place, message, delay)?;
    output["MessageId"] = json!(taken.id);
    if let Some(sequence) = taken.sequence {
        output["SequenceNumber"] = json!(sequence_number(sequence));
    }
    Ok(output)
}

/// Checks the message and the key, and stores it.
fn take(world: &mut World, origin: &Origin, place: &Place<'_>, message: Message, delay: Option<u32>) -> Result<Taken, ApiError> {
    encryption::check_transport(world, origin, place)?;
    let queue = world.sqs.look(place).ok_or_else(errors::no_such_queue)?;
    check(queue, &message, delay)?;
    let deduplication = deduplication_of(queue, &message)?;
    let key = if queue.attributes.fifo.is_some_and(|fifo| fifo.scope_group) {
        deduplication.as_ref().map(|id| format!("{}\n{id}", message.group.as_deref().unwrap_or_default()))
    } else {
        deduplication.clone()
    };
    let seal = encryption::seal(world, &origin.caller, place)?;
    let (now, id) = (world.now(), world.uuid().into_boxed_str());
    let queue = world.sqs.find(place).ok_or_else(errors::no_such_queue)?;
    queue.settle(now);
    let retention = queue.attributes.retention();
    let delay = Duration::from_secs(u64::from(delay.unwrap_or(queue.attributes.delay)));
    let fifo = queue.attributes.fifo.is_some();
    let contents = queue.contents();
    contents.recent.retain(|_, (until, ..)| now < *until);
    if let Some((_, id, sequence)) = key.as_ref().and_then(|key| contents.recent.get(key)) {
        return Ok(Taken { id: id.clone(), sequence: Some(*sequence) });
    }
    let Message { body, attributes, group, deduplication: _ } = message;
    let stored = Stored {
        id: id.clone(),
        body: body.into(),
        attributes,
        group: group.map(Into::into),
        deduplication: deduplication.map(Into::into),
        sender: Arc::from(sender_id(origin)),
        sent: now,
        seal,
        dead_letter_of: None,
        first_received: None,
        receives: 0,
        received_elsewhere: 0,
        visible_at: now + delay,
        receipt: 0,
    };
    let sequence = contents.add(stored, retention);
    contents.counts.sent += 1;
    if let Some(key) = key {
        contents.recent.insert(key, (now + DEDUPLICATION, id.clone(), sequence));
    }
    world.sqs.arrivals += 1;
    Ok(Taken { id, sequence: fifo.then_some(sequence) })
}

fn check(queue: &Queue, message: &Message, delay: Option<u32>) -> Result<(), ApiError> {
    let Message { body, attributes, group, deduplication } = message;
    let size = body.len() + attributes.iter().map(|(name, kind, value)| name.len() + kind.len() + value.len()).sum::<usize>();
    let most = queue.attributes.maximum_size;
    if size > usize::try_from(most).unwrap_or(usize::MAX) {
        return Err(errors::invalid(format!("One or more parameters are invalid. Reason: Message must be shorter than {most} bytes.")));
    }
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if !body.chars().all(allowed) {
        let message = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";
        return Err(ApiError::bad_request("InvalidMessageContents", message).query_code("InvalidMessageContents"));
    }
    if queue.attributes.fifo.is_some() {
        if group.is_none() {
            return Err(errors::missing("MessageGroupId"));
        }
        // A delay is the queue's there, never a message's. [sqs:SendMessage, DelaySeconds]
        if delay.is_some_and(|delay| delay != 0) {
            return Err(errors::invalid_value(
                &delay.unwrap_or(0).to_string(),
                "DelaySeconds",
                "The request include parameter that is not valid for this queue type.",
            ));
        }
    } else if let Some(id) = deduplication {
        return Err(errors::invalid_value(
            id,
            "MessageDeduplicationId",
            "The request includes a parameter that is not valid for this queue type.",
        ));
    }
    Ok(())
}

fn deduplication_of(queue: &Queue, message: &Message) -> Result<Option<String>, ApiError> {
    match (&queue.attributes.fifo, &message.deduplication) {
        (None, _) => Ok(None),
        (Some(_), Some(id)) => Ok(Some(id.clone())),
        (Some(fifo), None) if fifo.content_based => Ok(Some(hex(&Sha256::digest(message.body.as_bytes())))),
        (Some(_), None) => Err(errors::invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        )),
    }
}

/// A user's or role's id, or the service. [sqs:ReceiveMessage, `SenderId`]
fn sender_id(origin: &Origin) -> String {
    let arn = origin.caller.arn();
    match origin.caller.account() {
        Some(_) => format!("AIDA{}", arn.rsplit('/').next().unwrap_or_default().to_ascii_uppercase()),
        None => arn,
    }
}

/// Message attributes of an input: name, data type, value.
fn attributes_of(input: &Map<String, Value>) -> Result<Vec<(String, String, String)>, ApiError> {
    let given = input.get("MessageAttributes").and_then(Value::as_object);
    let mut attributes = BTreeMap::new();
    for (name, attribute) in given.into_iter().flatten() {
        let kind = attribute.get("DataType").and_then(Value::as_str).unwrap_or_default();
        let member = if kind.starts_with("Binary") { "BinaryValue" } else { "StringValue" };
        let refused = |reason: &str| errors::invalid(format!("The message attribute '{name}' {reason}"));
        if !["String", "Number", "Binary"].contains(&kind.split('.').next().unwrap_or_default()) {
            let reason = "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.";
            return Err(refused(reason));
        }
        let value = attribute.get(member).and_then(Value::as_str).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| refused("must contain a non-empty message attribute value."))?;
        attributes.insert(name.clone(), (kind.to_owned(), value.to_owned()));
    }
    if attributes.len() > MOST_ATTRIBUTES {
        return Err(errors::invalid(format!("Number of message attributes [{}] exceeds the allowed maximum [10].", attributes.len())));
    }
    Ok(attributes.into_iter().map(|(name, (kind, value))| (name, kind, value)).collect())
}

/// FIFO: "a large, non-consecutive number of 128 bits". [sqs:SendMessage, `SequenceNumber`]
pub(super) fn sequence_number(sequence: u64) -> String {
    format!("{:020}", 18_000_000_000_000_000_000_u128 + u128::from(sequence) * 256)
}

pub(super) fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// [SQS: Calculating the MD5 message digest for message attributes]
pub(super) fn md5_of_attributes(attributes: &[(String, String, String)]) -> String {
    let mut encoded = Vec::new();
    let mut sorted: Vec<_> = attributes.iter().collect();
    sorted.sort();
    for (name, kind, value) in sorted {
        let binary = kind.starts_with("Binary");
        let value = if binary { STANDARD.decode(value).unwrap_or_default() } else { value.clone().into_bytes() };
        part(&mut encoded, name.as_bytes());
        part(&mut encoded, kind.as_bytes());
        encoded.push(if binary { 2 } else { 1 });
        part(&mut encoded, &value);
    }
    md5_hex(&encoded)
}

fn part(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
