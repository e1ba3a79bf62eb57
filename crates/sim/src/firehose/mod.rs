//! Amazon Data Firehose: delivery streams that hold records under a key and carry them into buckets.
//!
//! A record waits in its stream until the buffer is full or old enough, and leaves as part of an object that the
//! stream's **role** writes. Two keys stand in its way: the stream's own (Firehose uses it by a grant) and the bucket's
//! (the role uses it). A record that can't leave stays for 24 hours and is lost then, counted one by one.
//! Nothing here may deliver what AWS would not.

mod create;
mod delivery;
mod describe;
mod destination;
mod encryption;
mod pass;
mod records;
mod seed;
mod source;
mod stream;
mod update;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::access::Caller;
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::wire::{Route, json};
use crate::world::{Ask, Origin, World};

pub(crate) use delivery::Lane;
pub use seed::{NewDeliveryStream, Records};
pub(crate) use source::written;
use stream::{Requested, Stream};

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By ARN: of one account and region in the order of their names.
    streams: BTreeMap<String, Stream>,
    /// Data streams and the delivery streams that read them.
    readers: BTreeMap<String, Vec<String>>,
}

/// What happens by itself.
#[derive(Debug)]
pub(crate) enum Event {
    /// A stream's creation is done.
    Created { arn: String, caller: Caller, encryption: Option<Requested> },
    /// A stream is gone.
    Deleted { arn: String },
    /// Encryption begins under what was asked for; `None`: it ends.
    Encrypted { arn: String, caller: Caller, requested: Option<Requested> },
    /// Records leave.
    Flush { arn: String, lane: Lane, at: Moment },
    /// The source has something to read.
    Read { arn: String },
}

pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Created { arn, caller, encryption } => create::created(world, &arn, &caller, encryption),
        Event::Deleted { arn } => create::deleted(world, &arn),
        Event::Encrypted { arn, caller, requested } => encryption::conclude(world, &arn, &caller, requested),
        Event::Flush { arn, lane, at } => delivery::flush(world, &arn, lane, at),
        Event::Read { arn } => source::read(world, &arn),
    }
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let result = json::input(call).and_then(|input| answer(world, origin, &route.operation, &input));
    json::reply(route, result)
}

fn answer(world: &mut World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<Value, ApiError> {
    match operation {
        "CreateDeliveryStream" => create::create(world, origin, input),
        "DeleteDeliveryStream" => create::delete(world, origin, input),
        "DescribeDeliveryStream" => describe::describe(world, origin, input),
        "ListDeliveryStreams" => describe::list(world, origin, input),
        "ListTagsForDeliveryStream" => describe::tags(world, origin, input),
        "TagDeliveryStream" => describe::tag(world, origin, input),
        "UntagDeliveryStream" => describe::untag(world, origin, input),
        "UpdateDestination" => update::update(world, origin, input),
        "StartDeliveryStreamEncryption" => encryption::start(world, origin, input),
        "StopDeliveryStreamEncryption" => encryption::stop(world, origin, input),
        "PutRecord" => records::put_record(world, origin, input),
        "PutRecordBatch" => records::put_record_batch(world, origin, input),
        other => Err(ApiError::unknown_operation(other)),
    }
}

/// May the caller do this to a stream, there or not?
fn permit(world: &World, origin: &Origin, operation: &str, arn: &str) -> Result<(), ApiError> {
    let action = format!("firehose:{operation}");
    let ask = Ask { action: &action, resource: arn, owner: origin.account(), document: None, context: BTreeMap::new() };
    world.permit(origin, &ask).map_err(|denial| ApiError::bad_request("AccessDeniedException", denial.message))
}

/// The ARN of the stream that a request names, which the caller may do this to. [IAM: authorization comes before existence]
fn named(world: &World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<String, ApiError> {
    let name = json::text(input, "DeliveryStreamName")?;
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fine) {
        let message = format!(
            "1 validation error detected: Value '{name}' at 'deliveryStreamName' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [a-zA-Z0-9_.-]+"
        );
        return Err(ApiError::bad_request("ValidationException", message));
    }
    let arn = origin.arn("firehose", &format!("deliverystream/{name}"));
    permit(world, origin, operation, &arn)?;
    Ok(arn)
}

/// The same where the stream must be there.
fn existing(world: &World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<String, ApiError> {
    let arn = named(world, origin, operation, input)?;
    if world.firehose.streams.contains_key(&arn) { Ok(arn) } else { Err(not_found(&arn)) }
}

fn not_found(arn: &str) -> ApiError {
    let mut parts = arn.split(':').skip(4);
    let (account, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let name = name.trim_start_matches("deliverystream/");
    ApiError::bad_request("ResourceNotFoundException", format!("Firehose {name} under account {account} not found."))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidArgumentException", message)
}

impl State {
    fn stream(&self, arn: &str) -> Result<&Stream, ApiError> {
        self.streams.get(arn).ok_or_else(|| not_found(arn))
    }

    fn stream_mut(&mut self, arn: &str) -> Result<&mut Stream, ApiError> {
        self.streams.get_mut(arn).ok_or_else(|| not_found(arn))
    }
}

/// Tags of all streams of an account and region, by ARN.
pub(crate) fn tags_of(world: &World, account: &str, region: &str) -> Vec<(String, Vec<(String, String)>)> {
    let prefix = format!("arn:aws:firehose:{region}:{account}:");
    let ours = world.firehose.streams.range(prefix.clone()..).take_while(|(arn, _)| arn.starts_with(&prefix));
    ours.map(|(arn, stream)| (arn.clone(), stream.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect())).collect()
}
