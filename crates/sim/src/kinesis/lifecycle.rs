//! Data streams come, change and go.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::access::{self, check_name, in_use, invalid};
use super::stream::{Status, Stream};
use super::{Event, channels};
use crate::error::ApiError;
use crate::wire::json as input_of;
use crate::world::{self, Origin, World};

/// From CREATING to ACTIVE.
const CREATION: Duration = Duration::from_secs(20);
/// From DELETING to gone.
const DELETION: Duration = Duration::from_secs(20);
/// Shards of a stream in on-demand mode at its beginning. [Kinesis: On-demand mode]
const ON_DEMAND_SHARDS: u32 = 4;

pub(super) fn create(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let name = input_of::text(input, "StreamName")?;
    check_name(name)?;
    let arn = origin.arn("kinesis", &format!("stream/{name}"));
    access::permit(world, origin, "CreateStream", &arn)?;
    if world.kinesis.streams.contains_key(&arn) {
        let message = format!("Stream {name} under account {} already exists.", origin.account());
        return Err(ApiError::bad_request("ResourceInUseException", message));
    }
    let mode = input.get("StreamModeDetails").and_then(|details| details.get("StreamMode")?.as_str()).unwrap_or("PROVISIONED");
    let (shards, on_demand) = match (mode, input_of::number(input, "ShardCount")) {
        ("ON_DEMAND", None) => (ON_DEMAND_SHARDS, true),
        ("ON_DEMAND", Some(_)) => {
            return Err(ApiError::bad_request("ValidationException", "ShardCount must not be specified when StreamMode is ON_DEMAND."));
        }
        ("PROVISIONED", Some(count)) if count >= 1 => (u32::try_from(count).unwrap_or(u32::MAX), false),
        ("PROVISIONED", _) => {
            return Err(ApiError::bad_request("ValidationException", "ShardCount must be specified when StreamMode is PROVISIONED."));
        }
        _ => return Err(ApiError::bad_request("ValidationException", "StreamMode must be one of [PROVISIONED, ON_DEMAND].")),
    };
    // [Kinesis: Quotas and limits, default of most regions]
    if shards > 10_000 {
        return Err(ApiError::bad_request("LimitExceededException", "This request would exceed the shard limit for the account."));
    }
    let mut stream = Stream::new(name.to_owned(), world.now(), shards);
    stream.on_demand = on_demand;
    stream.tags = super::tags::given(input)?;
    world.kinesis.streams.insert(arn.clone(), stream);
    later(world, CREATION, Event::Active { arn });
    Ok(Value::Null)
}

/// Something that takes so long in AWS.
pub(super) fn later(world: &mut World, real: Duration, event: Event) {
    let after = world.transition(real);
    world.later(after, world::Event::Kinesis(event));
}

pub(super) fn active(world: &mut World, arn: &str) {
    let Some(stream) = world.kinesis.streams.get_mut(arn) else { return };
    if matches!(stream.status, Status::Creating | Status::Updating) {
        stream.status = Status::Active;
    }
}

/// New records are stored under another key, or under none.
pub(super) fn encrypted(world: &mut World, arn: &str, key: Option<String>) {
    if let Some(stream) = world.kinesis.streams.get_mut(arn) {
        stream.key = key.map(Arc::from);
    }
    active(world, arn);
}

pub(super) fn delete(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, "DeleteStream", input)?;
    let stream = world.kinesis.stream_mut(&arn)?;
    // "You can delete a stream in CREATING, ACTIVE or UPDATING" is the newer text; a second delete is refused.
    if stream.status == Status::Deleting {
        return Err(in_use(&arn, stream.status.text()));
    }
    stream.status = Status::Deleting;
    later(world, DELETION, Event::Deleted { arn });
    Ok(Value::Null)
}

pub(super) fn deleted(world: &mut World, arn: &str) {
    world.kinesis.streams.remove(arn);
    channels::source_gone(world, arn);
}

/// Hours between 24 and 8,760; more is an increase, less a decrease. [kinesis:IncreaseStreamRetentionPeriod]
pub(super) fn retention(world: &mut World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, operation, input)?;
    let hours = input_of::number(input, "RetentionPeriodHours").and_then(|hours| u32::try_from(hours).ok()).unwrap_or_default();
    if !(24..=8760).contains(&hours) {
        return Err(invalid("RetentionPeriodHours must be between 24 and 8760 hours."));
    }
    let now = world.now();
    let stream = world.kinesis.stream_mut(&arn)?;
    if stream.status != Status::Active {
        return Err(in_use(&arn, stream.status.text()));
    }
    let old = stream.retention_hours;
    if operation.starts_with("Increase") && hours < old {
        return Err(invalid(format!(
            "Requested retention period ({hours} hours) must not be less than the current retention period ({old} hours)."
        )));
    }
    if operation.starts_with("Decrease") && hours > old {
        return Err(invalid(format!(
            "Requested retention period ({hours} hours) must not be more than the current retention period ({old} hours)."
        )));
    }
    stream.retention_hours = hours;
    stream.trim(now);
    Ok(Value::Null)
}
