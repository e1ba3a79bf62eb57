//! Producers put records.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::delivery::{self, Held};
use super::stream::{Source, Status, StreamKey};
use super::{encryption, existing, invalid, not_found};
use crate::error::ApiError;
use crate::kms::KeyRefusal;
use crate::moment::Moment;
use crate::world::{Origin, World};

/// Streams made since 20 April 2026 check their producers. [Firehose: Data protection; AWS notice of 2026]
const CHECKED_IF_CREATED_SINCE: Moment = Moment(1_776_643_200_000);
/// All streams do from 28 February 2027.
const CHECKED_FROM: Moment = Moment(1_803_772_800_000);
/// Bytes of one record: 1,000 KiB. [firehose:PutRecord]
const RECORD: usize = 1_024_000;
/// Records of one batch. [firehose:PutRecordBatch]
const BATCH_RECORDS: usize = 500;
/// Bytes of one batch: 4 MiB.
const BATCH: usize = 4 << 20;

pub(super) fn put_record(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "PutRecord", input)?;
    let record = input.get("Record").ok_or_else(|| invalid("Record must be provided"))?;
    let encrypted = put(world, origin, &arn, vec![data(record)?])?;
    Ok(json!({ "RecordId": record_id(world), "Encrypted": encrypted }))
}

pub(super) fn put_record_batch(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "PutRecordBatch", input)?;
    let records = input.get("Records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if records.is_empty() || records.len() > BATCH_RECORDS {
        let message = format!(
            "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length between 1 and {BATCH_RECORDS}"
        );
        return Err(ApiError::bad_request("ValidationException", message));
    }
    let records = records.iter().map(data).collect::<Result<Vec<Bytes>, _>>()?;
    if records.iter().map(Bytes::len).sum::<usize>() > BATCH {
        return Err(invalid("Records size exceeds 4 MB limit"));
    }
    let count = records.len();
    let encrypted = put(world, origin, &arn, records)?;
    let responses: Vec<Value> = (0..count).map(|_| json!({ "RecordId": record_id(world) })).collect();
    Ok(json!({ "FailedPutCount": 0, "Encrypted": encrypted, "RequestResponses": responses }))
}

fn data(record: &Value) -> Result<Bytes, ApiError> {
    let text = record.get("Data").and_then(Value::as_str).ok_or_else(|| invalid("Data must be provided"))?;
    let data = STANDARD.decode(text).map_err(|_| ApiError::bad_request("SerializationException", "Data is not base64"))?;
    if data.len() > RECORD {
        let message = format!(
            "1 validation error detected: Value at 'record.data' failed to satisfy constraint: Member must have length less than or equal to {RECORD}"
        );
        return Err(ApiError::bad_request("ValidationException", message));
    }
    Ok(Bytes::from(data))
}

fn record_id(world: &mut World) -> String {
    world.hex(96)
}

/// Takes records in for a caller who may put them. On success: they are encrypted at rest.
pub(super) fn put(world: &mut World, origin: &Origin, arn: &str, records: Vec<Bytes>) -> Result<bool, ApiError> {
    let now = world.now();
    let stream = world.firehose.stream(arn)?;
    if !matches!(stream.source, Source::DirectPut) {
        return Err(encryption::not_permitted(stream.source.kind()));
    }
    match stream.status {
        Status::Active | Status::Deleting => {}
        // To producers a stream is not there before it is active.
        Status::Creating | Status::CreatingFailed => return Err(not_found(arn)),
    }
    let encrypted = stream.encryption.current.is_some();
    let key = match &stream.encryption.current {
        Some(StreamKey::Customer { written: _, key, grant: _ }) => Some(key.clone()),
        Some(StreamKey::AwsOwned) | None => None,
    };
    if let Some(key) = &key {
        if stream.created >= CHECKED_IF_CREATED_SINCE || now >= CHECKED_FROM {
            encryption::use_as_caller(world, arn, &origin.caller, key).map_err(refused)?;
        }
        encryption::use_as_firehose(world, arn, "kms:GenerateDataKey", key).map_err(refused)?;
    }
    let key: Option<Arc<str>> = key.map(Arc::from);
    delivery::count(world, arn, "IncomingRecords", records.iter().map(|_| 1.0).sum());
    for data in records {
        delivery::accept(world, arn, &Held { data, at: now, key: key.clone() });
    }
    Ok(encrypted)
}

/// The code is KMS's own: `AccessDeniedException`, `InvalidStateException`, `DisabledException` or `NotFoundException`.
/// [firehose:InvalidKMSResourceException]
fn refused(refusal: KeyRefusal) -> ApiError {
    let (code, message) = match refusal {
        KeyRefusal::AccessDenied(message) => ("AccessDeniedException", message),
        KeyRefusal::Disabled(message) => ("DisabledException", message),
        KeyRefusal::InvalidState(message) => ("InvalidStateException", message),
        KeyRefusal::NotFound(message) => ("NotFoundException", message),
    };
    ApiError::bad_request("InvalidKMSResourceException", message).detail("code", code)
}
