//! What delivery streams are: descriptions, lists, tags.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::stream::{Source, Stream};
use super::{existing, invalid, permit};
use crate::error::ApiError;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// Every stream has one destination, and it is always called the same.
pub(super) const DESTINATION_ID: &str = "destinationId-000000000001";
/// [firehose:TagDeliveryStream]
const TAGS: usize = 50;

pub(super) fn describe(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "DescribeDeliveryStream", input)?;
    Ok(json!({ "DeliveryStreamDescription": description(&arn, world.firehose.stream(&arn)?) }))
}

fn description(arn: &str, stream: &Stream) -> Value {
    let mut described = json!({
        "DeliveryStreamName": stream.name,
        "DeliveryStreamARN": arn,
        "DeliveryStreamStatus": stream.status.text(),
        "DeliveryStreamEncryptionConfiguration": stream.encryption.describe(),
        "DeliveryStreamType": stream.source.kind(),
        "VersionId": stream.version.to_string(),
        "CreateTimestamp": stream.created.epoch_seconds(),
        "Destinations": [stream.destination.describe(DESTINATION_ID)],
        "HasMoreDestinations": false,
    });
    if let Some(updated) = stream.updated {
        described["LastUpdateTimestamp"] = json!(updated.epoch_seconds());
    }
    if let Some(failure) = &stream.failure {
        described["FailureDescription"] = failure.describe();
    }
    match &stream.source {
        Source::DirectPut => {}
        Source::Kinesis { stream, role, begins, after: _, reading: _ } => {
            let source = json!({ "KinesisStreamARN": stream, "RoleARN": role, "DeliveryStartTimestamp": begins.epoch_seconds() });
            described["Source"] = json!({ "KinesisStreamSourceDescription": source });
        }
        Source::Other { kind: _, description } => described["Source"] = description.clone(),
    }
    described
}

/// Names in their order, 10 where no limit is given. [firehose:ListDeliveryStreams]
pub(super) fn list(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    permit(world, origin, "ListDeliveryStreams", "*")?;
    let limit = input_of::number(input, "Limit").unwrap_or(10);
    if !(1..=10_000).contains(&limit) {
        let message = format!(
            "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value between 1 and 10000"
        );
        return Err(ApiError::bad_request("ValidationException", message));
    }
    let kind = input_of::optional(input, "DeliveryStreamType");
    let prefix = origin.arn("firehose", "deliverystream/");
    let start = format!("{prefix}{}", input_of::optional(input, "ExclusiveStartDeliveryStreamName").unwrap_or_default());
    let ours = world.firehose.streams.range(start.clone()..).take_while(|(arn, _)| arn.starts_with(&prefix));
    let mut after = ours.filter(|(arn, stream)| **arn != start && kind.is_none_or(|kind| stream.source.kind() == kind));
    let limit = usize::try_from(limit).unwrap_or(10);
    let names: Vec<&str> = after.by_ref().take(limit).map(|(_, stream)| stream.name.as_str()).collect();
    let more = after.next().is_some();
    Ok(json!({ "DeliveryStreamNames": names, "HasMoreDeliveryStreams": more }))
}

/// Tags of a request: `[{Key, Value}]`.
pub(super) fn tags_of(input: &Map<String, Value>) -> Result<BTreeMap<String, String>, ApiError> {
    let given = input.get("Tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pair = |tag: &Value| {
        let key = tag.get("Key").and_then(Value::as_str).filter(|key| !key.is_empty() && key.len() <= 128)?;
        let value = tag.get("Value").and_then(Value::as_str).unwrap_or_default();
        (value.len() <= 256 && !key.starts_with("aws:")).then(|| (key.to_owned(), value.to_owned()))
    };
    let tags: Option<BTreeMap<_, _>> = given.iter().map(pair).collect();
    tags.filter(|tags| tags.len() <= TAGS).ok_or_else(|| invalid("The tags are not valid"))
}

pub(super) fn tag(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "TagDeliveryStream", input)?;
    let new = tags_of(input)?;
    let stream = world.firehose.stream_mut(&arn)?;
    let mut tags = stream.tags.clone();
    tags.extend(new);
    if tags.len() > TAGS {
        return Err(ApiError::bad_request("LimitExceededException", "A Firehose stream can have at most 50 tags"));
    }
    stream.tags = tags;
    Ok(json!({}))
}

pub(super) fn untag(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "UntagDeliveryStream", input)?;
    let keys: Vec<&str> = input.get("TagKeys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    world.firehose.stream_mut(&arn)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(json!({}))
}

pub(super) fn tags(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "ListTagsForDeliveryStream", input)?;
    let start = input_of::optional(input, "ExclusiveStartTagKey").unwrap_or_default();
    let limit = input_of::number(input, "Limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(TAGS);
    let tags = &world.firehose.stream(&arn)?.tags;
    let mut after = tags.iter().filter(|(key, _)| start.is_empty() || key.as_str() > start);
    let page: Vec<Value> = after.by_ref().take(limit).map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": page, "HasMoreTags": after.next().is_some() }))
}
