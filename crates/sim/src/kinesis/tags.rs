//! Tags of data streams, by both of their interfaces.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::access::{self, invalid};
use super::describe::limit;
use crate::error::ApiError;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// Tags of one stream. [kinesis:AddTagsToStream]
const TAGS: usize = 50;

/// `Tags` of a request: a map.
pub(super) fn given(input: &Map<String, Value>) -> Result<BTreeMap<String, String>, ApiError> {
    let pairs = input.get("Tags").and_then(Value::as_object).into_iter().flatten();
    let fine = |key: &str, value: &str| !key.is_empty() && key.len() <= 128 && value.len() <= 256 && !key.starts_with("aws:");
    let tags: Option<BTreeMap<String, String>> = pairs
        .map(|(key, value)| {
            let value = value.as_str().unwrap_or_default();
            fine(key, value).then(|| (key.clone(), value.to_owned()))
        })
        .collect();
    tags.filter(|tags| tags.len() <= TAGS).ok_or_else(|| invalid("The tags are not valid."))
}

pub(super) fn add(world: &mut World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, operation, input)?;
    let stream = world.kinesis.stream_mut(&arn)?;
    let mut tags = stream.tags.clone();
    tags.extend(given(input)?);
    if tags.len() > TAGS {
        return Err(invalid(format!(
            "Failed to add tags to stream {} because a given stream cannot have more than {TAGS} tags.",
            stream.name
        )));
    }
    stream.tags = tags;
    Ok(Value::Null)
}

pub(super) fn remove(world: &mut World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, operation, input)?;
    let keys: Vec<&str> = input.get("TagKeys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    world.kinesis.stream_mut(&arn)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn list(world: &World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<Value, ApiError> {
    if let Some((arn, channel)) = input_of::optional(input, "ResourceARN").and_then(|arn| Some((arn, world.kinesis.channels.get(arn)?))) {
        access::permit(world, origin, operation, arn)?;
        let tags: Vec<Value> = channel.tags().iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        return Ok(json!({ "Tags": tags }));
    }
    let arn = access::existing(world, origin, operation, input)?;
    let start = input_of::optional(input, "ExclusiveStartTagKey").unwrap_or_default();
    let limit = limit(input, "Limit", TAGS, 50)?;
    let tags = &world.kinesis.stream(&arn)?.tags;
    let mut after = tags.iter().filter(|(key, _)| start.is_empty() || key.as_str() > start);
    let page: Vec<Value> = after.by_ref().take(limit).map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    let mut output = json!({ "Tags": page });
    if operation == "ListTagsForStream" {
        output["HasMoreTags"] = json!(after.next().is_some());
    }
    Ok(output)
}
