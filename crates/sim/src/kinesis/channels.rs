//! Channels: a data stream's records carried into a bucket by Kinesis itself, as the channel's role.
//! [kinesis:CreateChannel, SDK model of November 2026]

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::BytesMut;
use serde_json::{Map, Value, json};

use super::access::{self, invalid};
use super::describe::limit;
use super::lifecycle::later;
use super::{Event, read};
use crate::access::Caller;
use crate::error::ApiError;
use crate::kms::{self, KeyUse};
use crate::moment::Moment;
use crate::s3::{self, ObjectEncryption};
use crate::sts;
use crate::tally::Undelivered;
use crate::wire::json as input_of;
use crate::world::{self, Ask, Origin, World};

/// From CREATING to ACTIVE, and from DELETING to gone.
const CHANGE: Duration = Duration::from_secs(30);
/// Between two tries.
const RETRY: Duration = Duration::from_mins(1);

/// A channel.
#[derive(Debug)]
pub(crate) struct Channel {
    name: String,
    id: String,
    status: &'static str,
    reason: Option<String>,
    created: Moment,
    role: String,
    /// As given: `StreamARN`, `RecordConfiguration`.
    source: Map<String, Value>,
    stream: String,
    stream_created: Moment,
    /// `S3DestinationConfiguration` or `S3TablesDestinationConfiguration`, as given with its defaults.
    destination: (&'static str, Value),
    encryption: Option<Value>,
    logging: Option<Value>,
    tags: BTreeMap<String, String>,
    /// The number of the last record carried.
    after: u64,
    waiting: bool,
}

pub(super) fn create(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let name = input_of::text(input, "ChannelName")?.to_owned();
    access::permit(world, origin, "CreateChannel", &origin.arn("kinesis", "channel/*"))?;
    let prefix = origin.arn("kinesis", "channel/");
    if world.kinesis.channels.iter().any(|(arn, channel)| arn.starts_with(&prefix) && channel.name == name) {
        return Err(ApiError::bad_request("ResourceInUseException", format!("Channel {name} already exists.")));
    }
    let role = input_of::text(input, "ServiceExecutionRoleARN")?.to_owned();
    pass_role(world, origin, &role)?;
    let list = input.get("StreamConfigurationList").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [Value::Object(source)] = list else { return Err(invalid("StreamConfigurationList must name exactly one stream.")) };
    let stream = input_of::text(source, "StreamARN")?.to_owned();
    let (stream_created, after) = {
        let found = world.kinesis.stream(&stream)?;
        (found.created, found.sequence)
    };
    let destination = destination(input)?;
    let encryption = input.get("EncryptionConfiguration").cloned();
    check_key(world, origin, encryption.as_ref())?;
    let id = format!("c{}", world.hex(16));
    let arn = origin.arn("kinesis", &format!("channel/{id}"));
    let channel = Channel {
        name,
        id,
        status: "CREATING",
        reason: None,
        created: world.now(),
        role,
        source: source.clone(),
        stream,
        stream_created,
        destination,
        encryption,
        logging: input.get("LoggingConfiguration").cloned(),
        tags: super::tags::given(input)?,
        after,
        waiting: false,
    };
    let described = description(&arn, &channel);
    world.kinesis.channels.insert(arn.clone(), channel);
    later(world, CHANGE, Event::ChannelActive { arn });
    Ok(json!({ "ChannelDescription": described }))
}

fn pass_role(world: &World, origin: &Origin, role: &str) -> Result<(), ApiError> {
    let owner = role.split(':').nth(4).unwrap_or_default();
    let context = BTreeMap::from([("iam:passedtoservice".to_owned(), vec!["kinesis.amazonaws.com".to_owned()])]);
    let ask = Ask { action: "iam:PassRole", resource: role, owner, document: None, context };
    world.permit(origin, &ask).map_err(|denial| ApiError::bad_request("AccessDeniedException", denial.message))
}

fn destination(input: &Map<String, Value>) -> Result<(&'static str, Value), ApiError> {
    match (input.get("S3DestinationConfiguration"), input.get("S3TablesDestinationConfiguration")) {
        (Some(bucket), None) => {
            let mut bucket = bucket.clone();
            let storage = bucket.get("StorageConfiguration").and_then(Value::as_object);
            input_of::text(storage.ok_or_else(|| invalid("StorageConfiguration must be provided."))?, "BucketARN")?;
            if bucket.get("DataFreshnessInSeconds").is_none() {
                bucket["DataFreshnessInSeconds"] = json!(300);
            }
            Ok(("S3DestinationConfiguration", bucket))
        }
        (None, Some(tables)) => Ok(("S3TablesDestinationConfiguration", tables.clone())),
        _ => Err(invalid("Exactly one of S3DestinationConfiguration and S3TablesDestinationConfiguration must be provided.")),
    }
}

/// A customer managed key, never `aws/kinesis`. [kinesis:ChannelEncryptionConfiguration]
fn check_key(world: &mut World, origin: &Origin, encryption: Option<&Value>) -> Result<(), ApiError> {
    let Some(encryption) = encryption else { return Ok(()) };
    let key = encryption.get("KeyId").and_then(Value::as_str).ok_or_else(|| invalid("KeyId must be provided."))?;
    if key.ends_with("alias/aws/kinesis") {
        return Err(invalid("The key of a channel must be a customer managed key."));
    }
    let (caller, account, region) = (&origin.caller, origin.account(), origin.region.as_str());
    let usage = KeyUse { caller, action: "kms:DescribeKey", key, account, region, via: Some("kinesis"), encryption_context: &[] };
    kms::use_key(world, &usage).map(|_| ()).map_err(access::refused)
}

fn description(arn: &str, channel: &Channel) -> Value {
    let mut source = Value::Object(channel.source.clone());
    source["StreamCreationTimestamp"] = json!(channel.stream_created.epoch_seconds());
    let mut described = json!({
        "ChannelName": channel.name,
        "ChannelARN": arn,
        "ChannelId": channel.id,
        "ChannelStatus": channel.status,
        "ChannelCreationTimestamp": channel.created.epoch_seconds(),
        "ServiceExecutionRoleARN": channel.role,
        "StreamConfigurationList": [source],
    });
    let (member, destination) = &channel.destination;
    described[*member] = destination.clone();
    let optional = [
        ("ChannelStatusReason", channel.reason.as_ref().map(|reason| json!(reason))),
        ("EncryptionConfiguration", channel.encryption.clone()),
        ("LoggingConfiguration", channel.logging.clone()),
    ];
    for (member, value) in optional {
        if let Some(value) = value {
            described[member] = value;
        }
    }
    described
}

fn named<'a>(world: &World, origin: &Origin, operation: &str, input: &'a Map<String, Value>) -> Result<&'a str, ApiError> {
    let arn = input_of::text(input, "ChannelARN")?;
    access::permit(world, origin, operation, arn)?;
    if world.kinesis.channels.contains_key(arn) {
        return Ok(arn);
    }
    Err(ApiError::bad_request("ResourceNotFoundException", format!("Channel {arn} not found.")))
}

pub(super) fn describe(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = named(world, origin, "DescribeChannel", input)?;
    let channel = world.kinesis.channels.get(arn).map(|channel| description(arn, channel));
    Ok(json!({ "ChannelDescription": channel }))
}

/// The token is the last ARN.
pub(super) fn list(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    access::permit(world, origin, "ListChannels", "*")?;
    let limit = limit(input, "MaxResults", 100, 1000)?;
    let prefix = origin.arn("kinesis", "channel/");
    let after = input_of::optional(input, "NextToken").unwrap_or_default();
    let streams: Vec<&str> = input
        .get("StreamFilter")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| one.get("StreamARN")?.as_str())
        .collect();
    let ours = world.kinesis.channels.iter().filter(|(arn, channel)| {
        arn.starts_with(&prefix) && arn.as_str() > after && (streams.is_empty() || streams.contains(&channel.stream.as_str()))
    });
    let mut rest = ours;
    let page: Vec<(&String, &Channel)> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let mut output = json!({ "ChannelSummaries": page.iter().map(|(arn, channel)| summary(arn, channel)).collect::<Vec<_>>() });
    if let Some((last, _)) = page.last().filter(|_| more) {
        output["NextToken"] = json!(last);
    }
    Ok(output)
}

fn summary(arn: &str, channel: &Channel) -> Value {
    json!({
        "ChannelName": channel.name,
        "ChannelARN": arn,
        "ChannelId": channel.id,
        "ChannelStatus": channel.status,
        "ChannelCreationTimestamp": channel.created.epoch_seconds(),
        "ChannelDestinationType": if channel.destination.0 == "S3DestinationConfiguration" { "S3" } else { "S3_TABLES" },
        "Streams": [{ "StreamARN": channel.stream, "StreamCreationTimestamp": channel.stream_created.epoch_seconds() }],
    })
}

pub(super) fn delete(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = named(world, origin, "DeleteChannel", input)?.to_owned();
    if let Some(channel) = world.kinesis.channels.get_mut(&arn) {
        channel.status = "DELETING";
    }
    later(world, CHANGE, Event::ChannelDeleted { arn });
    Ok(json!({}))
}

pub(super) fn active(world: &mut World, arn: &str) {
    let Some(channel) = world.kinesis.channels.get_mut(arn).filter(|channel| channel.status == "CREATING") else { return };
    channel.status = "ACTIVE";
    carry_later(world, arn, None);
}

pub(super) fn deleted(world: &mut World, arn: &str) {
    world.kinesis.channels.remove(arn);
}

/// A channel without its stream fails.
pub(super) fn source_gone(world: &mut World, stream: &str) {
    for channel in world.kinesis.channels.values_mut().filter(|channel| channel.stream == stream) {
        channel.status = "FAILED";
        channel.reason = Some("The source stream was deleted.".to_owned());
    }
}

/// Something was written to a data stream.
pub(super) fn written(world: &mut World, stream: &str) {
    if world.kinesis.channels.is_empty() {
        return;
    }
    let arns: Vec<String> =
        world.kinesis.channels.iter().filter(|(_, channel)| channel.stream == stream).map(|(arn, _)| arn.clone()).collect();
    for arn in arns {
        carry_later(world, &arn, None);
    }
}

/// `after`: `None` = when the data is as old as the channel lets it become.
fn carry_later(world: &mut World, arn: &str, after: Option<Duration>) {
    let Some(channel) = world.kinesis.channels.get_mut(arn).filter(|channel| channel.status == "ACTIVE" && !channel.waiting) else {
        return;
    };
    channel.waiting = true;
    let freshness = channel.destination.1.get("DataFreshnessInSeconds").and_then(Value::as_u64).unwrap_or(300);
    let after = after.unwrap_or(Duration::from_secs(freshness));
    world.later(after, world::Event::Kinesis(Event::Carry { arn: arn.to_owned() }));
}

/// Kinesis becomes a channel's role.
fn assume(world: &World, arn: &str, role: &str) -> Result<Origin, ApiError> {
    let mut parts = arn.split(':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let service = Caller::service("kinesis.amazonaws.com", arn, account);
    let caller = sts::assume_as_service(world, &service, role, "AmazonKinesisChannel")?;
    Ok(Origin { caller, region: region.to_owned(), secure: true })
}

/// Carries what is new into the bucket: the role must be able to read it and to write it.
pub(super) fn carry(world: &mut World, arn: &str) {
    let Some(channel) = world.kinesis.channels.get_mut(arn) else { return };
    channel.waiting = false;
    // Tables are not simulated: nothing is carried there, and nothing is said to have been.
    let storage = channel.destination.1.get("StorageConfiguration").and_then(|storage| storage.get("BucketARN")?.as_str());
    let (Some(bucket), "ACTIVE") = (storage.map(str::to_owned), channel.status) else { return };
    let (stream, role, after) = (channel.stream.clone(), channel.role.clone(), channel.after);
    let key = channel.encryption.as_ref().and_then(|encryption| encryption.get("KeyId")?.as_str()).map(str::to_owned);
    let name = channel.name.clone();
    let stored = assume(world, arn, &role).and_then(|origin| {
        access::permit(world, &origin, "GetRecords", &stream)?;
        let records = read::records(world, &origin, &stream, after)?;
        let mut body = BytesMut::new();
        for record in &records {
            body.extend_from_slice(&record.data);
        }
        let Some(last) = records.last().map(|record| record.sequence) else { return Ok((0, after)) };
        let encryption = key.map(|key| ObjectEncryption { algorithm: "aws:kms".to_owned(), kms_key: Some(key) });
        let object = format!("{name}/{}/{}", world.now().iso8601(), world.uuid());
        let bucket = bucket.rsplit(':').next().unwrap_or_default();
        s3::store(world, &origin, bucket, &object, body.freeze(), encryption.as_ref())?;
        Ok((records.len(), last))
    });
    match stored {
        Ok((count, last)) => {
            for _ in 0..count {
                world.tally.delivered(&stream, &bucket);
            }
            if let Some(channel) = world.kinesis.channels.get_mut(arn) {
                channel.after = last;
            }
        }
        Err(error) => {
            let at = world.now();
            world.tally.undelivered(Undelivered { at, from: stream, to: bucket, why: error.to_string(), lost: false });
            carry_later(world, arn, Some(RETRY));
        }
    }
}

impl Channel {
    /// Its tags.
    pub(super) const fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }
}
