//! Readers take records.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::access::{self, invalid};
use super::describe::limit;
use super::stream::{Kept, Stream};
use super::{Record, shards};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// How long an iterator lives. [kinesis:GetShardIterator]
const ITERATOR: Duration = Duration::from_mins(5);
/// Records of one call, where it asks for no fewer. [kinesis:GetRecords]
const RECORDS: i64 = 10_000;
/// Bytes of one call. [kinesis:GetRecords: 10 MiB]
const BYTES: usize = 10 << 20;

pub(super) fn get_shard_iterator(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, "GetShardIterator", input)?;
    let stream = world.kinesis.stream(&arn)?;
    let id = input_of::text(input, "ShardId")?;
    let shard = shards::of_id(id, stream.shards).ok_or_else(|| {
        let message = format!("Shard {id} in stream {} under account {} does not exist", stream.name, origin.account());
        ApiError::bad_request("ResourceNotFoundException", message)
    })?;
    let from = || {
        let text = input_of::optional(input, "StartingSequenceNumber")
            .ok_or_else(|| invalid("Must either specify timestamp or startingSequenceNumber"))?;
        shards::number(text).ok_or_else(|| invalid(format!("StartingSequenceNumber {text} is not valid for shard {id}.")))
    };
    let after = match input_of::text(input, "ShardIteratorType")? {
        "TRIM_HORIZON" => 0,
        "LATEST" => stream.sequence,
        "AT_SEQUENCE_NUMBER" => from()?.saturating_sub(1),
        "AFTER_SEQUENCE_NUMBER" => from()?,
        "AT_TIMESTAMP" => {
            let at =
                input.get("Timestamp").and_then(Value::as_f64).ok_or_else(|| invalid("Timestamp must be specified for AT_TIMESTAMP"))?;
            stream.records.iter().find(|record| record.at.epoch_seconds() >= at).map_or(stream.sequence, |record| record.sequence - 1)
        }
        other => {
            let message = format!(
                "1 validation error detected: Value '{other}' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value \
                 set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]"
            );
            return Err(ApiError::bad_request("ValidationException", message));
        }
    };
    Ok(json!({ "ShardIterator": iterator(&arn, shard, after, world.now()) }))
}

/// What an iterator holds, in a form that nobody should read.
fn iterator(arn: &str, shard: u32, after: u64, made: Moment) -> String {
    STANDARD.encode(format!("{arn}|{shard}|{after}|{}", made.0))
}

fn read_iterator(text: &str) -> Option<(String, u32, u64, Moment)> {
    let plain = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let mut parts = plain.split('|');
    let (arn, shard, after, made) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some((arn.to_owned(), shard.parse().ok()?, after.parse().ok()?, Moment(made.parse().ok()?)))
}

pub(super) fn get_records(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let now = world.now();
    let (arn, shard, after, made) =
        read_iterator(input_of::text(input, "ShardIterator")?).ok_or_else(|| invalid("Invalid ShardIterator."))?;
    access::permit(world, origin, "GetRecords", &arn)?;
    let stream = world.kinesis.stream_mut(&arn)?;
    if now.since(made) > ITERATOR {
        return Err(ApiError::bad_request("ExpiredIteratorException", "Iterator expired. The iterator is older than 5 minutes."));
    }
    let most = limit(input, "Limit", 10_000, RECORDS)?;
    stream.trim(now);
    let records = page(stream, shard, after, most);
    decrypt(world, origin, &arn, records.iter().map(|record| record.key.as_ref()))?;
    let last = records.last().map_or(after, |record| record.sequence);
    let stream = world.kinesis.stream(&arn)?;
    let behind = stream.after(last).find(|record| record.shard == shard).map_or(0, |record| now.since(record.at).as_millis());
    let described: Vec<Value> = records.iter().map(describe).collect();
    Ok(json!({
        "Records": described,
        "NextShardIterator": iterator(&arn, shard, last, now),
        "MillisBehindLatest": u64::try_from(behind).unwrap_or(u64::MAX),
    }))
}

fn page(stream: &Stream, shard: u32, after: u64, most: usize) -> Vec<Kept> {
    let mut bytes = 0;
    let fits = |record: &&Kept| {
        bytes += record.data.len();
        bytes <= BYTES
    };
    stream.after(after).filter(|record| record.shard == shard).take(most).take_while(fits).cloned().collect()
}

fn describe(record: &Kept) -> Value {
    json!({
        "SequenceNumber": shards::sequence(record.sequence),
        "ApproximateArrivalTimestamp": record.at.epoch_seconds(),
        "Data": STANDARD.encode(&record.data),
        "PartitionKey": record.partition_key.as_ref(),
        "EncryptionType": if record.key.is_some() { "KMS" } else { "NONE" },
    })
}

/// The reader must be able to decrypt under every key that the records are stored under.
fn decrypt<'a>(world: &mut World, origin: &Origin, arn: &str, keys: impl Iterator<Item = Option<&'a Arc<str>>>) -> Result<(), ApiError> {
    let mut done: Vec<&Arc<str>> = Vec::new();
    for key in keys.flatten() {
        if !done.contains(&key) {
            access::use_key(world, origin, arn, "kms:Decrypt", key)?;
            done.push(key);
        }
    }
    Ok(())
}

/// All records of all shards after a number, for a reader that was let in; none where it cannot decrypt one of them.
pub(super) fn records(world: &mut World, origin: &Origin, arn: &str, after: u64) -> Result<Vec<Record>, ApiError> {
    let now = world.now();
    let stream = world.kinesis.stream_mut(arn)?;
    stream.trim(now);
    let mut bytes = 0;
    let fits = |record: &&Kept| {
        bytes += record.data.len();
        bytes <= BYTES
    };
    let kept: Vec<Kept> = stream.after(after).take(10_000).take_while(fits).cloned().collect();
    decrypt(world, origin, arn, kept.iter().map(|record| record.key.as_ref()))?;
    Ok(kept.into_iter().map(|record| Record { sequence: record.sequence, data: record.data }).collect())
}
