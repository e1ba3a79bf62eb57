//! Which stream a request is about, and whether its caller may.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::kms::{self, KeyRefusal, KeyUse};
use crate::wire::json as input_of;
use crate::world::{Ask, Origin, World};

/// May the caller do this to a stream or channel, whose document has a say where there is one?
pub(super) fn permit(world: &World, origin: &Origin, operation: &str, arn: &str) -> Result<(), ApiError> {
    let action = format!("kinesis:{operation}");
    let owner = arn.split(':').nth(4).filter(|owner| !owner.is_empty()).unwrap_or_else(|| origin.account());
    let document = world.kinesis.streams.get(arn).and_then(|stream| stream.policy.as_ref()).map(|(_, document)| document);
    let ask = Ask { action: &action, resource: arn, owner, document, context: BTreeMap::new() };
    world.permit(origin, &ask).map_err(|denial| ApiError::bad_request("AccessDeniedException", denial.message))
}

/// The ARN that a request names by name or ARN.
pub(super) fn arn_of(origin: &Origin, input: &Map<String, Value>) -> Result<String, ApiError> {
    let given = input_of::optional(input, "StreamARN").or_else(|| input_of::optional(input, "ResourceARN"));
    match (given, input_of::optional(input, "StreamName")) {
        (Some(arn), name) => {
            let in_arn = arn.split_once(":stream/").map(|(_, name)| name);
            if !arn.starts_with("arn:aws:kinesis:") || in_arn.is_none() {
                return Err(pattern("streamARN", arn, "arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+"));
            }
            if name.is_some() && name != in_arn {
                return Err(invalid("StreamARN and StreamName do not name the same stream."));
            }
            Ok(arn.to_owned())
        }
        (None, Some(name)) => {
            check_name(name)?;
            Ok(origin.arn("kinesis", &format!("stream/{name}")))
        }
        (None, None) => Err(invalid("Either StreamName or StreamARN must be provided.")),
    }
}

/// The ARN of a stream that is there and that the caller may do this to.
pub(super) fn existing(world: &World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<String, ApiError> {
    let arn = arn_of(origin, input)?;
    permit(world, origin, operation, &arn)?;
    world.kinesis.stream(&arn)?;
    Ok(arn)
}

pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if !name.is_empty() && name.len() <= 128 && name.bytes().all(fine) {
        Ok(())
    } else {
        Err(pattern("streamName", name, "[a-zA-Z0-9_.-]+"))
    }
}

fn pattern(member: &str, value: &str, pattern: &str) -> ApiError {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy regular expression \
         pattern: {pattern}"
    );
    ApiError::bad_request("ValidationException", message)
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidArgumentException", message)
}

pub(super) fn not_found(arn: &str) -> ApiError {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or_default();
    ApiError::bad_request("ResourceNotFoundException", format!("Stream {name} under account {account} not found."))
}

pub(super) fn in_use(arn: &str, status: &str) -> ApiError {
    let (account, name) = (arn.split(':').nth(4).unwrap_or_default(), arn.rsplit('/').next().unwrap_or_default());
    let message = format!("Stream {name} under account {account} not ACTIVE, instead in state {status}");
    ApiError::bad_request("ResourceInUseException", message)
}

/// The caller uses a stream's key through Kinesis. [Kinesis: Permissions to use user-generated KMS keys]
pub(super) fn use_key(world: &mut World, origin: &Origin, stream: &str, action: &str, key: &str) -> Result<String, ApiError> {
    let mut parts = stream.split(':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let context = [("aws:kinesis:arn", stream)];
    let usage = KeyUse { caller: &origin.caller, action, key, account, region, via: Some("kinesis"), encryption_context: &context };
    kms::use_key(world, &usage).map_err(refused)
}

pub(super) fn refused(refusal: KeyRefusal) -> ApiError {
    let (code, message) = match refusal {
        KeyRefusal::AccessDenied(message) => ("KMSAccessDeniedException", message),
        KeyRefusal::Disabled(message) => ("KMSDisabledException", message),
        KeyRefusal::InvalidState(message) => ("KMSInvalidStateException", message),
        KeyRefusal::NotFound(message) => ("KMSNotFoundException", message),
    };
    ApiError::bad_request(code, message)
}
