//! Resource policies of data streams.

use serde_json::{Map, Value, json};

use super::access::{self, invalid};
use crate::access::Document;
use crate::error::ApiError;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// Bytes of a document. [Kinesis: Sharing your data stream with another account]
const DOCUMENT: usize = 20 * 1024;

pub(super) fn get(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, "GetResourcePolicy", input)?;
    let policy = world.kinesis.stream(&arn)?.policy.as_ref().map(|(text, _)| text.as_str());
    let missing = || ApiError::bad_request("ResourceNotFoundException", format!("No resource policy found for resource ARN {arn}"));
    Ok(json!({ "Policy": policy.ok_or_else(missing)? }))
}

pub(super) fn put(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, "PutResourcePolicy", input)?;
    let text = input_of::text(input, "Policy")?;
    if text.len() > DOCUMENT {
        return Err(ApiError::bad_request("LimitExceededException", "The resource policy is larger than 20 KB."));
    }
    let document = Document::parse(text).ok_or_else(|| invalid("The resource policy is not a valid policy document."))?;
    world.kinesis.stream_mut(&arn)?.policy = Some((text.to_owned(), document));
    Ok(Value::Null)
}

pub(super) fn delete(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = access::existing(world, origin, "DeleteResourcePolicy", input)?;
    world.kinesis.stream_mut(&arn)?.policy = None;
    Ok(Value::Null)
}
