//! Up to ten at once: each entry succeeds or fails for itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Request, errors, receive, send};
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::World;

/// [sqs:SendMessageBatch]
const MOST: usize = 10;
/// Of all messages together. [sqs:SendMessageBatch]
const MOST_BYTES: usize = 1_048_576;

/// An entry and its id.
type Entry<'a> = (&'a str, &'a Map<String, Value>);

/// The entries, with ids that are valid and distinct. `name`: as the query protocol names an entry.
fn entries<'a>(request: &'a Request<'_>, name: &str) -> Result<Vec<Entry<'a>>, ApiError> {
    let entries = request.input.get("Entries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if entries.is_empty() {
        return Err(errors::simple(400, "EmptyBatchRequest", format!("There should be at least one {name} in the request.")));
    }
    if entries.len() > MOST {
        let message = format!("Maximum number of entries per request are {MOST}. You have sent {}.", entries.len());
        return Err(errors::simple(400, "TooManyEntriesInBatchRequest", message));
    }
    let entries: Vec<_> =
        entries.iter().filter_map(Value::as_object).map(|one| (wire::optional(one, "Id").unwrap_or_default(), one)).collect();
    let mut seen = BTreeSet::new();
    for (id, _) in &entries {
        let valid = (1..=80).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !valid {
            let message =
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
            return Err(errors::simple(400, "InvalidBatchEntryId", message));
        }
        if !seen.insert(*id) {
            return Err(errors::simple(400, "BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
    }
    Ok(entries)
}

/// Does each entry's work and sorts the outcomes.
fn each(entries: Vec<Entry<'_>>, mut work: impl FnMut(&Map<String, Value>) -> Result<Value, ApiError>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, entry) in entries {
        match work(entry) {
            Ok(mut done) => {
                done["Id"] = json!(id);
                successful.push(done);
            }
            Err(error) => {
                let code = error.query_code.as_ref().unwrap_or(&error.code);
                failed.push(json!({ "Id": id, "SenderFault": error.status < 500, "Code": code, "Message": error.message }));
            }
        }
    }
    let mut output = json!({ "Successful": successful });
    if !failed.is_empty() {
        output["Failed"] = json!(failed);
    }
    output
}

pub(super) fn send(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.queue(world, "sqs:SendMessage")?;
    let entries = entries(request, "SendMessageBatchRequestEntry")?;
    let size: usize = entries.iter().filter_map(|(_, entry)| wire::optional(entry, "MessageBody")).map(str::len).sum();
    if size > MOST_BYTES {
        let message = format!("Batch requests cannot be longer than {MOST_BYTES} bytes. You have sent {size} bytes.");
        return Err(errors::simple(400, "BatchRequestTooLong", message));
    }
    Ok(each(entries, |entry| send::send_one(world, request.origin, &place, entry)))
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.queue(world, "sqs:DeleteMessage")?;
    let entries = entries(request, "DeleteMessageBatchRequestEntry")?;
    Ok(each(entries, |entry| receive::delete_one(world, request.origin, &place, entry).map(|()| json!({}))))
}

pub(super) fn change_visibility(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.queue(world, "sqs:ChangeMessageVisibility")?;
    let entries = entries(request, "ChangeMessageVisibilityBatchRequestEntry")?;
    Ok(each(entries, |entry| receive::change_visibility_of_one(world, request.origin, &place, entry).map(|()| json!({}))))
}
