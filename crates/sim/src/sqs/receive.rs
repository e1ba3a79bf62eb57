//! Messages on their way out: received, hidden, deleted, given up.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::queue::{Queue, Stored};
use super::send::{md5_hex, md5_of_attributes, sequence_number};
use super::{Place, Poll, Request, encryption, errors, fields};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::json as wire;
use crate::world::{Origin, World};

/// In flight at once. [SQS: Quotas related to messages]
const MOST_IN_FLIGHT: usize = 120_000;
/// [sqs:ReceiveMessage]
const MOST_HIDDEN: u32 = 43_200;

/// A message that was handed out, and its handle.
pub(super) struct Handed {
    pub(super) message: Stored,
    pub(super) sequence: u64,
    pub(super) handle: String,
}

/// How to receive.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// How many at most.
    pub(super) most: usize,
    /// Hides them so many seconds; `None`: as the queue says.
    pub(super) visibility: Option<u32>,
}

pub(super) fn receive(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.queue(world, "sqs:ReceiveMessage")?;
    let input = &request.input;
    let most = in_range(input, "MaxNumberOfMessages", 1, 10, "Must be between 1 and 10, if provided.")?.unwrap_or(1);
    let visibility = in_range(input, "VisibilityTimeout", 0, MOST_HIDDEN, "Must be between 0 and 43200, if provided.")?;
    let wait = in_range(input, "WaitTimeSeconds", 0, 20, "Must be >= 0 and <= 20, if provided.")?;
    let asked = Asked { most: usize::try_from(most).unwrap_or(1), visibility };
    let handed = hand_out(world, request.origin, &place, asked)?;
    if handed.is_empty() {
        let queue = world.sqs.look(&place).ok_or_else(errors::no_such_queue)?;
        let wait = Duration::from_secs(u64::from(wait.unwrap_or(queue.attributes.wait)));
        let until = world.now() + wait;
        world.sqs.poll = (!wait.is_zero()).then(|| Poll { until, again: queue.next_visible(world.now()) });
        return Ok(json!({}));
    }
    Ok(json!({ "Messages": handed.iter().map(|one| message_of(one, input)).collect::<Vec<_>>() }))
}

fn in_range(input: &Map<String, Value>, name: &str, least: u32, most: u32, reason: &str) -> Result<Option<u32>, ApiError> {
    let Some(number) = wire::number(input, name) else { return Ok(None) };
    let valid = u32::try_from(number).ok().filter(|number| (least..=most).contains(number));
    valid.map(Some).ok_or_else(|| errors::invalid_value(&number.to_string(), name, reason))
}

/// Hands out what is visible and what the consumer can decrypt. Where there is something and it can decrypt nothing,
/// the whole call fails.
pub(super) fn hand_out(world: &mut World, origin: &Origin, place: &Place<'_>, asked: Asked) -> Result<Vec<Handed>, ApiError> {
    encryption::check_transport(world, origin, place)?;
    let now = world.now();
    give_up(world, place, now)?;
    let queue = world.sqs.find(place).ok_or_else(errors::no_such_queue)?;
    if queue.depth(now).1 >= MOST_IN_FLIGHT && queue.attributes.fifo.is_none() {
        return Err(errors::over_limit("Too many messages in flight."));
    }
    let hidden_until = now + Duration::from_secs(u64::from(asked.visibility.unwrap_or(queue.attributes.visibility)));
    let (mut handed, mut refusal) = (Vec::new(), None);
    for sequence in candidates(queue, now) {
        let Some(seal) = world.sqs.find(place).and_then(|queue| Some(queue.contents().messages.get(&sequence)?.seal.clone())) else {
            continue;
        };
        if let Err(refused) = encryption::open(world, &origin.caller, place, &seal) {
            refusal.get_or_insert(refused);
            continue;
        }
        let contents = world.sqs.find(place).ok_or_else(errors::no_such_queue)?.contents();
        let receipt = contents.hand_out(sequence, now, hidden_until);
        if let Some(message) = contents.messages.get(&sequence) {
            let handle = STANDARD.encode(format!("{} {sequence} {receipt} {}", place.arn(), message.id));
            handed.push(Handed { message: message.clone(), sequence, handle });
        }
        if handed.len() == asked.most {
            break;
        }
    }
    match refusal {
        Some(refused) if handed.is_empty() => Err(refused),
        _ => Ok(handed),
    }
}

/// Visible messages, those first that have been so for longest. Of a FIFO queue: in their order, and none of a group
/// that has a message in flight. [SQS: FIFO delivery logic]
fn candidates(queue: &mut Queue, now: Moment) -> Vec<u64> {
    const ENOUGH: usize = 1000;
    let fifo = queue.attributes.fifo.is_some();
    let contents = queue.contents();
    if !fifo {
        return contents.order.range(..=(now, u64::MAX)).take(ENOUGH).map(|(_, sequence)| *sequence).collect();
    }
    let in_flight: BTreeSet<&str> = contents
        .messages
        .values()
        .filter(|message| message.receives > 0 && now < message.visible_at)
        .filter_map(|message| message.group.as_deref())
        .collect();
    let open = |message: &Stored| message.visible_at <= now && !message.group.as_deref().is_some_and(|group| in_flight.contains(group));
    contents.messages.iter().filter(|(_, message)| open(message)).take(ENOUGH).map(|(sequence, _)| *sequence).collect()
}

/// Moves messages that were received too often to the dead-letter queue; each stays encrypted as it is, and a
/// standard queue's keeps its age. [SQS: Dead-letter queues]
fn give_up(world: &mut World, place: &Place<'_>, now: Moment) -> Result<(), ApiError> {
    let queue = world.sqs.find(place).ok_or_else(errors::no_such_queue)?;
    queue.settle(now);
    let Some(redrive) = queue.attributes.redrive.as_deref().cloned() else { return Ok(()) };
    let (source, fifo) = (std::sync::Arc::clone(&queue.arn), queue.attributes.fifo.is_some());
    let contents = queue.contents();
    let worn = |sequence: &u64| contents.messages.get(sequence).is_some_and(|message| message.receives >= redrive.max_receives);
    let dead: Vec<u64> = contents.order.range(..=(now, u64::MAX)).map(|(_, sequence)| *sequence).filter(worn).collect();
    if dead.is_empty() {
        return Ok(());
    }
    let Some(target) = Place::of_arn(&redrive.target) else { return Ok(()) };
    let takes = |to: &Queue| to.attributes.fifo.is_some() == fifo && fields::takes_dead_letters_of(&to.attributes, &source);
    if !world.sqs.look(&target).is_some_and(takes) {
        return Ok(());
    }
    for sequence in dead {
        let contents = world.sqs.find(place).ok_or_else(errors::no_such_queue)?.contents();
        let Some(mut message) = contents.remove(sequence) else { continue };
        contents.counts.dead += 1;
        message.dead_letter_of = Some(std::sync::Arc::clone(&source));
        message.visible_at = now;
        message.received_elsewhere += std::mem::take(&mut message.receives);
        message.first_received = None;
        if fifo {
            message.sent = now;
        }
        let Some(to) = world.sqs.find(&target) else { continue };
        let retention = to.attributes.retention();
        to.contents().add(message, retention);
        to.contents().counts.sent += 1;
        world.sqs.arrivals += 1;
        world.tally.delivered(&source, &redrive.target);
    }
    Ok(())
}

fn message_of(handed: &Handed, input: &Map<String, Value>) -> Value {
    let Handed { message, sequence, handle } = handed;
    let list =
        |name: &str| -> Vec<&str> { input.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect() };
    let mut output =
        json!({ "MessageId": message.id, "ReceiptHandle": handle, "MD5OfBody": md5_hex(message.body.as_bytes()), "Body": message.body });
    let wanted = [list("AttributeNames"), list("MessageSystemAttributeNames")].concat();
    let system = system_attributes(message, *sequence, |name| wanted.contains(&"All") || wanted.contains(&name));
    if !system.is_empty() {
        output["Attributes"] = Value::Object(system);
    }
    let wanted = list("MessageAttributeNames");
    let matches = |name: &str| {
        wanted.iter().any(|one| {
            matches!(*one, "All" | ".*") || *one == name || one.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
        })
    };
    let chosen: Vec<_> = message.attributes.iter().filter(|(name, ..)| matches(name)).cloned().collect();
    if !chosen.is_empty() {
        output["MD5OfMessageAttributes"] = json!(md5_of_attributes(&chosen));
        let values = chosen.into_iter().map(|(name, kind, value)| {
            let member = if kind.starts_with("Binary") { "BinaryValue" } else { "StringValue" };
            (name, json!({ member: value, "DataType": kind }))
        });
        output["MessageAttributes"] = Value::Object(values.collect());
    }
    output
}

/// [sqs:ReceiveMessage, `MessageSystemAttributeNames`]
fn system_attributes(message: &Stored, sequence: u64, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let mut all: Vec<(&str, Option<String>)> = vec![
        ("SenderId", Some(message.sender.to_string())),
        ("SentTimestamp", Some(message.sent.0.to_string())),
        // "across all queues" [sqs:ReceiveMessage]
        ("ApproximateReceiveCount", Some((message.received_elsewhere + message.receives).to_string())),
        ("ApproximateFirstReceiveTimestamp", message.first_received.map(|at| at.0.to_string())),
        ("DeadLetterQueueSourceArn", message.dead_letter_of.as_ref().map(ToString::to_string)),
        ("MessageGroupId", message.group.as_ref().map(ToString::to_string)),
    ];
    if let Some(id) = &message.deduplication {
        all.push(("MessageDeduplicationId", Some(id.to_string())));
        all.push(("SequenceNumber", Some(sequence_number(sequence))));
    }
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.filter(|_| wanted(name))?)))).collect()
}

/// Which message a handle is of: (sequence, receive).
fn of_handle(place: &Place<'_>, handle: &str) -> Result<(u64, u64), ApiError> {
    let invalid = || errors::bad_receipt(handle);
    let text = STANDARD.decode(handle).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)?;
    let mut parts = text.split(' ');
    if parts.next() != Some(place.arn().as_str()) {
        return Err(invalid());
    }
    let mut number = || parts.next()?.parse().ok();
    number().zip(number()).ok_or_else(invalid)
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.queue(world, "sqs:DeleteMessage")?;
    delete_one(world, request.origin, &place, &request.input).map(|()| json!({}))
}

/// An older handle than the newest does nothing, and neither does the handle of a message that is gone: no error.
/// [sqs:DeleteMessage]
pub(super) fn delete_one(world: &mut World, origin: &Origin, place: &Place<'_>, input: &Map<String, Value>) -> Result<(), ApiError> {
    encryption::check_transport(world, origin, place)?;
    let handle = wire::optional(input, "ReceiptHandle").ok_or_else(|| errors::missing("ReceiptHandle"))?;
    let (sequence, receipt) = of_handle(place, handle)?;
    let contents = world.sqs.find(place).ok_or_else(errors::no_such_queue)?.contents();
    if contents.messages.get(&sequence).is_some_and(|message| message.receipt == receipt) {
        contents.remove(sequence);
        contents.counts.deleted += 1;
    }
    Ok(())
}

pub(super) fn change_visibility(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.queue(world, "sqs:ChangeMessageVisibility")?;
    change_visibility_of_one(world, request.origin, &place, &request.input).map(|()| json!({}))
}

pub(super) fn change_visibility_of_one(
    world: &mut World,
    origin: &Origin,
    place: &Place<'_>,
    input: &Map<String, Value>,
) -> Result<(), ApiError> {
    encryption::check_transport(world, origin, place)?;
    let handle = wire::optional(input, "ReceiptHandle").ok_or_else(|| errors::missing("ReceiptHandle"))?;
    let (sequence, receipt) = of_handle(place, handle)?;
    let seconds = in_range(input, "VisibilityTimeout", 0, MOST_HIDDEN, "Must be between 0 and 43200, if provided.")?
        .ok_or_else(|| errors::missing("VisibilityTimeout"))?;
    let now = world.now();
    let contents = world.sqs.find(place).ok_or_else(errors::no_such_queue)?.contents();
    let Some(message) = contents.messages.get(&sequence) else {
        let reason = "Message does not exist or is not available for visibility timeout change.";
        return Err(errors::invalid_value(handle, "ReceiptHandle", reason));
    };
    if message.receipt != receipt || message.visible_at <= now {
        return Err(errors::simple(400, "MessageNotInflight", "The message referred to isn't in flight."));
    }
    contents.show_at(sequence, now + Duration::from_secs(u64::from(seconds)));
    world.sqs.arrivals += u64::from(seconds == 0);
    Ok(())
}
