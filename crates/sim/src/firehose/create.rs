//! Delivery streams come and go.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::delivery::Queue;
use super::destination::Destination;
use super::stream::{Encryption, EncryptionStatus, Requested, Source, Status, Stream};
use super::{Event, encryption, existing, invalid, named, pass, source};
use crate::access::Caller;
use crate::error::ApiError;
use crate::world::{self, Origin, World};
use crate::{kinesis, wire::json as input_of};

/// From CREATING to ACTIVE: "up to a minute" [Firehose: Create a Firehose stream].
const CREATION: Duration = Duration::from_secs(30);
/// From DELETING to gone.
const DELETION: Duration = Duration::from_secs(30);

pub(super) fn create(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = named(world, origin, "CreateDeliveryStream", input)?;
    let name = input_of::text(input, "DeliveryStreamName")?.to_owned();
    if world.firehose.streams.contains_key(&arn) {
        let message = format!("Firehose {name} under accountId {} already exists", origin.account());
        return Err(ApiError::bad_request("ResourceInUseException", message));
    }
    let (kind, configuration) = Destination::find(input, "Configuration")?;
    let destination = Destination::new(kind, configuration)?;
    let source = source(world, input)?;
    let encryption =
        input.get("DeliveryStreamEncryptionConfigurationInput").map(|given| encryption::requested(origin, given)).transpose()?;
    if encryption.is_some() && !matches!(source, Source::DirectPut) {
        return Err(encryption::not_permitted(source.kind()));
    }
    let mut roles = destination.roles();
    if let Source::Kinesis { role, .. } = &source {
        roles.push(role);
    }
    pass::pass_roles(world, origin, &roles)?;
    let tags = super::describe::tags_of(input)?;
    let mut stream = fresh(name, world.now(), source, destination);
    stream.tags = tags;
    if let Some(requested) = &encryption {
        stream.encryption.status = EncryptionStatus::Enabling;
        stream.encryption.requested = Some(requested.clone());
    }
    insert(world, &arn, stream);
    let after = world.transition(CREATION);
    let event = Event::Created { arn: arn.clone(), caller: origin.caller.clone(), encryption };
    world.later(after, world::Event::Firehose(event));
    Ok(json!({ "DeliveryStreamARN": arn }))
}

/// A stream that is being created.
pub(super) fn fresh(name: String, created: crate::Moment, source: Source, destination: Destination) -> Stream {
    Stream {
        name,
        status: Status::Creating,
        failure: None,
        created,
        updated: None,
        version: 1,
        source,
        encryption: Encryption::default(),
        destination,
        tags: BTreeMap::new(),
        queues: [Queue::default(), Queue::default()],
        accepted: 0,
    }
}

/// Puts a stream into the world and remembers whom it reads.
pub(super) fn insert(world: &mut World, arn: &str, stream: Stream) {
    if let Source::Kinesis { stream: source, .. } = &stream.source {
        world.firehose.readers.entry(source.clone()).or_default().push(arn.to_owned());
    }
    world.firehose.streams.insert(arn.to_owned(), stream);
}

fn source(world: &World, input: &Map<String, Value>) -> Result<Source, ApiError> {
    let given = |name: &str| input.get(name).and_then(Value::as_object).ok_or_else(|| invalid(format!("{name} must be provided")));
    let other = |kind, member: &str, description: &str| {
        let mut described = Map::new();
        described.insert(description.to_owned(), Value::Object(given(member)?.clone()));
        Ok(Source::Other { kind, description: Value::Object(described) })
    };
    match input_of::optional(input, "DeliveryStreamType").unwrap_or("DirectPut") {
        "DirectPut" => Ok(Source::DirectPut),
        "KinesisStreamAsSource" => {
            let configuration = given("KinesisStreamSourceConfiguration")?;
            let stream = input_of::text(configuration, "KinesisStreamARN")?.to_owned();
            let role = input_of::text(configuration, "RoleARN")?.to_owned();
            Ok(kinesis_source(world, stream, role))
        }
        "MSKAsSource" => other("MSKAsSource", "MSKSourceConfiguration", "MSKSourceDescription"),
        "DatabaseAsSource" => other("DatabaseAsSource", "DatabaseSourceConfiguration", "DatabaseSourceDescription"),
        unknown => Err(ApiError::bad_request(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{unknown}' at 'deliveryStreamType' failed to satisfy constraint: Member must satisfy enum \
                 value set: [DirectPut, KinesisStreamAsSource, MSKAsSource, DatabaseAsSource]"
            ),
        )),
    }
}

/// Firehose reads from the latest record on. [Firehose: Writing to Firehose using Kinesis Data Streams]
pub(super) fn kinesis_source(world: &World, stream: String, role: String) -> Source {
    let after = kinesis::latest(world, &stream);
    Source::Kinesis { stream, role, begins: world.now(), after, reading: false }
}

pub(super) fn created(world: &mut World, arn: &str, caller: &Caller, requested: Option<Requested>) {
    if requested.is_some() {
        encryption::conclude(world, arn, caller, requested);
    }
    let Some(stream) = world.firehose.streams.get_mut(arn).filter(|stream| stream.status == Status::Creating) else { return };
    stream.failure = stream.encryption.failure.clone();
    stream.status = if stream.failure.is_some() { Status::CreatingFailed } else { Status::Active };
    source::begin(world, arn);
}

pub(super) fn delete(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "DeleteDeliveryStream", input)?;
    let stream = world.firehose.stream_mut(&arn)?;
    match stream.status {
        Status::Active | Status::CreatingFailed => {}
        Status::Creating | Status::Deleting => {
            let message = format!("Firehose {} is not in a state that allows it to be deleted: {}", stream.name, stream.status.text());
            return Err(ApiError::bad_request("ResourceInUseException", message));
        }
    }
    stream.status = Status::Deleting;
    let after = world.transition(DELETION);
    world.later(after, world::Event::Firehose(Event::Deleted { arn }));
    Ok(Value::Null)
}

/// What a stream still holds goes with it, and its grants.
pub(super) fn deleted(world: &mut World, arn: &str) {
    super::delivery::lose_everything(world, arn, "the delivery stream was deleted");
    encryption::retire_all(world, arn);
    world.firehose.streams.remove(arn);
    for readers in world.firehose.readers.values_mut() {
        readers.retain(|reader| reader != arn);
    }
    world.firehose.readers.retain(|_, readers| !readers.is_empty());
}
