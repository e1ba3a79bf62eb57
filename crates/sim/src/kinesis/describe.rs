//! What data streams are.

use serde_json::{Map, Value, json};

use super::access::{self, invalid};
use super::shards;
use super::stream::Stream;
use crate::error::ApiError;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

pub(super) fn describe(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, "DescribeStream", input)?;
    let stream = world.kinesis.stream(&arn)?;
    let limit = limit(input, "Limit", 100, 10_000)?;
    let start =
        input_of::optional(input, "ExclusiveStartShardId").and_then(|id| shards::of_id(id, stream.shards)).map_or(0, |shard| shard + 1);
    let page: Vec<Value> = (start..stream.shards).take(limit).map(|shard| shard_of(stream, shard)).collect();
    let more = start as usize + page.len() < stream.shards as usize;
    let mut described = common(&arn, stream);
    described["Shards"] = json!(page);
    described["HasMoreShards"] = json!(more);
    Ok(json!({ "StreamDescription": described }))
}

pub(super) fn summary(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, "DescribeStreamSummary", input)?;
    let stream = world.kinesis.stream(&arn)?;
    let mut described = common(&arn, stream);
    described["OpenShardCount"] = json!(stream.shards);
    described["ConsumerCount"] = json!(0);
    Ok(json!({ "StreamDescriptionSummary": described }))
}

fn common(arn: &str, stream: &Stream) -> Value {
    let mut described = json!({
        "StreamName": stream.name,
        "StreamARN": arn,
        "StreamStatus": stream.status.text(),
        "StreamModeDetails": mode(stream),
        "RetentionPeriodHours": stream.retention_hours,
        "StreamCreationTimestamp": stream.created.epoch_seconds(),
        "EnhancedMonitoring": [{ "ShardLevelMetrics": [] }],
        "EncryptionType": if stream.key.is_some() { "KMS" } else { "NONE" },
    });
    if let Some(key) = &stream.key {
        described["KeyId"] = json!(key.as_ref());
    }
    described
}

fn mode(stream: &Stream) -> Value {
    json!({ "StreamMode": if stream.on_demand { "ON_DEMAND" } else { "PROVISIONED" } })
}

fn shard_of(stream: &Stream, shard: u32) -> Value {
    let (first, last) = shards::range(shard, stream.shards);
    json!({
        "ShardId": shards::id(shard),
        "HashKeyRange": { "StartingHashKey": first.to_string(), "EndingHashKey": last.to_string() },
        "SequenceNumberRange": { "StartingSequenceNumber": shards::sequence(0) },
    })
}

/// A page's size.
pub(super) fn limit(input: &Map<String, Value>, name: &str, default: usize, most: i64) -> Result<usize, ApiError> {
    let Some(limit) = input_of::number(input, name) else { return Ok(default) };
    if !(1..=most).contains(&limit) {
        let message = format!(
            "1 validation error detected: Value '{limit}' at '{name}' failed to satisfy constraint: Member must have value between 1 and {most}"
        );
        return Err(ApiError::bad_request("ValidationException", message));
    }
    Ok(usize::try_from(limit).unwrap_or(default))
}

/// Names in their order, 100 a page; the token is the last name. [kinesis:ListStreams]
pub(super) fn list(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    access::permit(world, origin, "ListStreams", "*")?;
    let limit = limit(input, "Limit", 100, 10_000)?;
    let after =
        input_of::optional(input, "NextToken").or_else(|| input_of::optional(input, "ExclusiveStartStreamName")).unwrap_or_default();
    let prefix = origin.arn("kinesis", "stream/");
    let start = format!("{prefix}{after}");
    let ours = world.kinesis.streams.range(start.clone()..).take_while(|(arn, _)| arn.starts_with(&prefix));
    let mut rest = ours.filter(|(arn, _)| **arn != start);
    let page: Vec<(&String, &Stream)> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let summary = |(arn, stream): &(&String, &Stream)| {
        json!({
            "StreamName": stream.name,
            "StreamARN": arn,
            "StreamStatus": stream.status.text(),
            "StreamModeDetails": mode(stream),
            "StreamCreationTimestamp": stream.created.epoch_seconds(),
        })
    };
    let names: Vec<&str> = page.iter().map(|(_, stream)| stream.name.as_str()).collect();
    let mut output = json!({
        "StreamNames": names,
        "HasMoreStreams": more,
        "StreamSummaries": page.iter().map(summary).collect::<Vec<_>>(),
    });
    if let Some(last) = names.last().filter(|_| more) {
        output["NextToken"] = json!(last);
    }
    Ok(output)
}

/// 1,000 a page; the token holds the stream and the last shard. [kinesis:ListShards]
pub(super) fn shards(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let token = input_of::optional(input, "NextToken");
    let (arn, start) = match token {
        Some(_) if input.contains_key("StreamName") => return Err(invalid("NextToken and StreamName cannot be provided together.")),
        Some(token) => {
            let (arn, after) = token.rsplit_once('|').ok_or_else(|| invalid("The NextToken is not valid."))?;
            let after: u32 = after.parse().map_err(|_| invalid("The NextToken is not valid."))?;
            access::permit(world, origin, "ListShards", arn)?;
            (arn.to_owned(), after)
        }
        None => (access::existing(world, origin, "ListShards", input)?, 0),
    };
    let stream = world.kinesis.stream(&arn)?;
    let start = match input_of::optional(input, "ExclusiveStartShardId") {
        Some(id) => shards::of_id(id, stream.shards).map_or(0, |shard| shard + 1),
        None => start,
    };
    let limit = limit(input, "MaxResults", 1000, 10_000)?;
    let page: Vec<Value> = (start..stream.shards).take(limit).map(|shard| shard_of(stream, shard)).collect();
    let end = start as usize + page.len();
    let mut output = json!({ "Shards": page });
    if end < stream.shards as usize {
        output["NextToken"] = json!(format!("{arn}|{end}"));
    }
    Ok(output)
}
