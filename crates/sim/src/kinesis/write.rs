//! Producers put records.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::access::{self, invalid};
use super::stream::Kept;
use super::{channels, shards};
use crate::error::ApiError;
use crate::firehose;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// Bytes of one record, partition key included, where the stream allows no more. [kinesis:PutRecord: 1 MiB]
const RECORD: usize = 1 << 20;
/// Records of one request. [kinesis:PutRecords]
const RECORDS: usize = 500;
/// Bytes of one request. [kinesis:PutRecords: 10 MiB]
const REQUEST: usize = 10 << 20;

/// A record to write.
pub(super) struct New {
    pub(super) partition_key: String,
    pub(super) hash_key: Option<u128>,
    pub(super) data: Bytes,
}

pub(super) fn put_record(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, "PutRecord", input)?;
    let record = new_record(input)?;
    let mut written = put(world, origin, &arn, vec![record])?;
    let mut output = written.pop().unwrap_or_default();
    output["EncryptionType"] = json!(encryption_type(world, &arn));
    Ok(output)
}

pub(super) fn put_records(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, "PutRecords", input)?;
    let given = input.get("Records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if given.is_empty() || given.len() > RECORDS {
        let message = format!(
            "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length between 1 and {RECORDS}"
        );
        return Err(ApiError::bad_request("ValidationException", message));
    }
    let one = |record: &Value| record.as_object().ok_or_else(|| invalid("A record must be a structure.")).and_then(new_record);
    let records = given.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    if records.iter().map(|record| record.data.len() + record.partition_key.len()).sum::<usize>() > REQUEST {
        return Err(invalid("Records size exceeds 10 MB limit"));
    }
    let written = put(world, origin, &arn, records)?;
    Ok(json!({ "FailedRecordCount": 0, "Records": written, "EncryptionType": encryption_type(world, &arn) }))
}

fn encryption_type(world: &World, arn: &str) -> &'static str {
    if world.kinesis.streams.get(arn).is_some_and(|stream| stream.key.is_some()) { "KMS" } else { "NONE" }
}

fn new_record(record: &Map<String, Value>) -> Result<New, ApiError> {
    let data = STANDARD
        .decode(input_of::text(record, "Data")?)
        .map_err(|_| ApiError::bad_request("SerializationException", "Data is not base64"))?;
    let partition_key = input_of::text(record, "PartitionKey")?.to_owned();
    if partition_key.is_empty() || partition_key.chars().count() > 256 {
        return Err(ApiError::bad_request(
            "ValidationException",
            "1 validation error detected: Value at 'partitionKey' failed to satisfy constraint: Member must have length between 1 and 256",
        ));
    }
    if data.len() + partition_key.len() > RECORD {
        return Err(ApiError::bad_request(
            "ValidationException",
            format!(
                "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than or equal to {RECORD}"
            ),
        ));
    }
    let hash_key = match input_of::optional(record, "ExplicitHashKey") {
        Some(text) => Some(text.parse().map_err(|_| {
            invalid(format!("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {text}"))
        })?),
        None => None,
    };
    Ok(New { partition_key, hash_key, data: Bytes::from(data) })
}

/// Takes records in for a caller who may put them and may have the stream's key make data keys.
pub(super) fn put(world: &mut World, origin: &Origin, arn: &str, records: Vec<New>) -> Result<Vec<Value>, ApiError> {
    let now = world.now();
    let stream = world.kinesis.stream(arn)?;
    if !stream.status.serves() {
        return Err(access::not_found(arn));
    }
    let key: Option<Arc<str>> = match stream.key.clone() {
        Some(key) => Some(Arc::from(access::use_key(world, origin, arn, "kms:GenerateDataKey", &key)?)),
        None => None,
    };
    let stream = world.kinesis.stream_mut(arn)?;
    stream.trim(now);
    let mut written = Vec::with_capacity(records.len());
    for New { partition_key, hash_key, data } in records {
        stream.sequence += 1;
        let shard = shards::of(&partition_key, hash_key, stream.shards);
        written.push(json!({ "ShardId": shards::id(shard), "SequenceNumber": shards::sequence(stream.sequence) }));
        let partition_key = partition_key.into_boxed_str();
        stream.records.push_back(Kept { sequence: stream.sequence, at: now, shard, partition_key, data, key: key.clone() });
    }
    firehose::written(world, arn);
    channels::written(world, arn);
    Ok(written)
}
