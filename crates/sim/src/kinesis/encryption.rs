//! Server-side encryption of data streams.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Event;
use super::access::{self, in_use, invalid};
use super::lifecycle::later;
use super::stream::Status;
use crate::error::ApiError;
use crate::kms::{self, KeyRefusal, KeyUse};
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// From UPDATING to ACTIVE.
const CHANGE: Duration = Duration::from_secs(20);
/// Changes of one kind in 24 hours. [kinesis:StartStreamEncryption, kinesis:StopStreamEncryption]
const CHANGES: usize = 25;
const DAY: Duration = Duration::from_hours(24);

pub(super) fn start(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let (arn, key) = named(world, origin, "StartStreamEncryption", input)?;
    usable(world, origin, &arn, &key)?;
    change(world, &arn, Some(key))
}

pub(super) fn stop(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let (arn, _) = named(world, origin, "StopStreamEncryption", input)?;
    if world.kinesis.stream(&arn)?.key.is_none() {
        // What AWS answers is not documented; there is nothing to stop.
        return Ok(Value::Null);
    }
    change(world, &arn, None)
}

/// Stream and key; both operations take the same input, and the stream must be at rest.
fn named(world: &World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<(String, String), ApiError> {
    let arn = access::existing(world, origin, operation, input)?;
    if input_of::text(input, "EncryptionType")? != "KMS" {
        return Err(invalid("The only valid encryption type is KMS."));
    }
    let key = input_of::text(input, "KeyId")?.to_owned();
    if key.is_empty() || key.len() > 2048 {
        return Err(invalid("KeyId must have between 1 and 2048 characters."));
    }
    let status = world.kinesis.stream(&arn)?.status;
    if status == Status::Active { Ok((arn, key)) } else { Err(in_use(&arn, status.text())) }
}

/// The administrator of a stream needs to see the key, not to use it ("must be authorized to call `kms:List*` and
/// `kms:DescribeKey*`"); a key that nobody could use is refused. [Kinesis: Permissions to use user-generated KMS keys]
fn usable(world: &mut World, origin: &Origin, arn: &str, key: &str) -> Result<(), ApiError> {
    let mut parts = arn.split(':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    access::use_key(world, origin, arn, "kms:DescribeKey", key)?;
    let context = [("aws:kinesis:arn", arn)];
    let caller = &origin.caller;
    let usage = KeyUse { caller, action: "kms:GenerateDataKey", key, account, region, via: Some("kinesis"), encryption_context: &context };
    match kms::use_key(world, &usage) {
        Ok(_) | Err(KeyRefusal::AccessDenied(_)) => Ok(()),
        Err(refusal) => Err(access::refused(refusal)),
    }
}

fn change(world: &mut World, arn: &str, key: Option<String>) -> Result<Value, ApiError> {
    let now = world.now();
    let stream = world.kinesis.stream_mut(arn)?;
    let changes = &mut stream.changes[usize::from(key.is_none())];
    while changes.front().is_some_and(|change| now.since(*change) >= DAY) {
        changes.pop_front();
    }
    if changes.len() >= CHANGES {
        let message = format!("Stream {} has reached its limit of {CHANGES} encryption changes in 24 hours.", stream.name);
        return Err(ApiError::bad_request("LimitExceededException", message));
    }
    changes.push_back(now);
    stream.status = Status::Updating;
    later(world, CHANGE, Event::Encrypted { arn: arn.to_owned(), key });
    Ok(Value::Null)
}
