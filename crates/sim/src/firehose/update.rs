//! `UpdateDestination`.

use serde_json::{Map, Value, json};

use super::describe::DESTINATION_ID;
use super::destination::Destination;
use super::stream::Status;
use super::{existing, invalid, pass};
use crate::error::ApiError;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// Merges into a destination of the same type; another type must come whole. [firehose:UpdateDestination]
pub(super) fn update(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "UpdateDestination", input)?;
    let version = input_of::text(input, "CurrentDeliveryStreamVersionId")?;
    let id = input_of::text(input, "DestinationId")?;
    let stream = world.firehose.stream(&arn)?;
    if stream.status != Status::Active {
        let message = format!("Firehose {} is not in ACTIVE state", stream.name);
        return Err(ApiError::bad_request("ResourceInUseException", message));
    }
    if version != stream.version.to_string() {
        let message = format!(
            "Cannot update firehose: {} since the current version id: {} and specified version id: {version} do not match",
            stream.name, stream.version
        );
        return Err(ApiError::bad_request("ConcurrentModificationException", message));
    }
    if id != DESTINATION_ID {
        return Err(invalid(format!("Destination Id {id} not found")));
    }
    let (kind, change) = Destination::find(input, "Update")?;
    let same = kind.name == stream.destination.kind.name || (is_s3(kind.name) && is_s3(stream.destination.kind.name));
    let destination = if same { stream.destination.updated(change)? } else { Destination::new(kind, &as_configuration(change))? };
    let names_role = !same || change.contains_key("RoleARN") || change.values().any(|part| part.get("RoleARN").is_some());
    if names_role {
        pass::pass_roles(world, origin, &destination.roles())?;
    }
    let now = world.now();
    let stream = world.firehose.stream_mut(&arn)?;
    stream.destination = destination;
    stream.version += 1;
    stream.updated = Some(now);
    Ok(json!({}))
}

/// The plain and the extended bucket are one type.
fn is_s3(name: &str) -> bool {
    matches!(name, "S3" | "ExtendedS3")
}

/// An update that must stand alone, under the names of a configuration.
fn as_configuration(update: &Map<String, Value>) -> Map<String, Value> {
    let name = |name: &String| match name.as_str() {
        "S3Update" => "S3Configuration".to_owned(),
        "S3BackupUpdate" => "S3BackupConfiguration".to_owned(),
        other => other.to_owned(),
    };
    update.iter().map(|(member, value)| (name(member), value.clone())).collect()
}
