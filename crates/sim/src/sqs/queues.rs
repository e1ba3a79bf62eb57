//! Queues as such: made, found, listed, tagged, emptied, deleted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::queue::{Attributes, Encryption, Queue};
use super::{Place, Request, attributes, errors, fields, permit};
use crate::access::Caller;
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::{Ask, World};

/// As many as one page holds. [sqs:ListQueues]
const PAGE: usize = 1000;
/// A deleted name and an emptied queue rest so long. [sqs:DeleteQueue; sqs:PurgeQueue]
const REST: Duration = Duration::from_mins(1);
/// [SQS: Quotas, queue tags]
const MOST_TAGS: usize = 50;

fn checked_name(name: &str, fifo: bool) -> Result<(), ApiError> {
    let plain = if fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let valid = |plain: &str| !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if plain.is_some_and(valid) && name.len() <= 80 {
        return Ok(());
    }
    Err(errors::invalid(if fifo {
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
    } else {
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    }))
}

/// May the caller do this, which is about no queue that exists?
fn permit_name(world: &World, request: &Request<'_>, action: &str, name: &str) -> Result<(), ApiError> {
    let (resource, owner) = (request.origin.arn("sqs", name), request.origin.account());
    let ask = Ask { action, resource: &resource, owner, document: None, context: BTreeMap::default() };
    world.permit(request.origin, &ask).map_err(errors::denied)
}

pub(super) fn create(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let name = wire::optional(&request.input, "QueueName").ok_or_else(|| errors::missing("QueueName"))?;
    permit_name(world, request, "sqs:CreateQueue", name)?;
    let tags = tags_of(request, "tags")?;
    if !tags.is_empty() {
        permit_name(world, request, "sqs:TagQueue", name)?;
    }
    let given = attributes::given(request);
    checked_name(name, given.iter().any(|(name, value)| name == "FifoQueue" && value == "true"))?;
    let place = Place { account: request.origin.account(), region: &request.origin.region, name };
    let url = json!({ "QueueUrl": request.url(place.account, name) });
    if let Some(existing) = world.sqs.look(&place) {
        same_attributes(existing, &given)?;
        return Ok(url);
    }
    let now = world.now();
    let key = (place.account.to_owned(), place.region.to_owned(), name.to_owned());
    if world.sqs.deleted.get(&key).is_some_and(|at| now.since(*at) < REST) {
        let message = "You must wait 60 seconds after deleting a queue before you can create another with the same name.";
        return Err(errors::simple(400, "QueueDeletedRecently", message));
    }
    let mut base = Attributes::default();
    // Without a word on encryption, and asked for over TLS: SSE-SQS. [SQS: Configuring SSE-SQS]
    let encrypts = |name: &str| matches!(name, "KmsMasterKeyId" | "SqsManagedSseEnabled" | "KmsDataKeyReusePeriodSeconds");
    if request.call.secure && request.origin.caller != Caller::Anonymous && !given.iter().any(|(name, _)| encrypts(name)) {
        base.encryption = Encryption::Managed;
    }
    let attributes = fields::change(&base, &given, true)?;
    attributes::check_dead_letter_queue(world, &place, &attributes)?;
    let mut queue = Queue::new(&place.arn(), now, attributes);
    queue.tags = tags;
    world.sqs.insert(&place, queue);
    Ok(url)
}

/// The same name again: the same queue, unless an attribute that is given differs. [sqs:CreateQueue]
fn same_attributes(existing: &Queue, given: &[(String, String)]) -> Result<(), ApiError> {
    for (name, value) in given {
        let one = [(name.clone(), value.clone())];
        let after = fields::change(&existing.attributes, &one, true)?;
        if format!("{after:?}") != format!("{:?}", existing.attributes) {
            let message = format!("A queue already exists with the same name and a different value for attribute {name}");
            return Err(ApiError::bad_request("QueueNameExists", message).query_code("QueueAlreadyExists"));
        }
    }
    Ok(())
}

pub(super) fn get_url(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let name = wire::optional(&request.input, "QueueName").ok_or_else(|| errors::missing("QueueName"))?;
    let account = wire::optional(&request.input, "QueueOwnerAWSAccountId").unwrap_or_else(|| request.origin.account());
    permit(world, request.origin, &Place { account, region: &request.origin.region, name }, "sqs:GetQueueUrl")?;
    Ok(json!({ "QueueUrl": request.url(account, name) }))
}

/// A token only where a page size was asked for. [sqs:ListQueues]
pub(super) fn list(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    permit_name(world, request, "sqs:ListQueues", "*")?;
    let prefix = wire::optional(&request.input, "QueueNamePrefix").unwrap_or_default();
    let account = request.origin.account();
    let after = wire::optional(&request.input, "NextToken");
    let queues = world.sqs.queues(account, &request.origin.region);
    let from = after.filter(|after| *after > prefix).unwrap_or(prefix);
    let range = (std::ops::Bound::Included(from), std::ops::Bound::Unbounded);
    let names = queues.into_iter().flat_map(|queues| queues.range::<str, _>(range)).map(|(name, _)| name.as_ref());
    let names = names.skip_while(|name| after.is_some_and(|after| *name <= after)).take_while(|name| name.starts_with(prefix));
    page(request, names, "QueueUrls", |name| request.url(account, name))
}

/// One page of names, and the token for the next.
fn page<'a>(
    request: &Request<'_>,
    names: impl Iterator<Item = &'a str>,
    member: &str,
    write: impl Fn(&str) -> String,
) -> Result<Value, ApiError> {
    let most = wire::number(&request.input, "MaxResults");
    let size = match most {
        Some(most) => usize::try_from(most).ok().filter(|most| (1..=PAGE).contains(most)).ok_or_else(|| {
            errors::invalid_value(&most.to_string(), "MaxResults", "MaxResults must be an integer between 1 and 1000, if provided.")
        })?,
        None => PAGE,
    };
    let mut names = names.peekable();
    let listed: Vec<&str> = names.by_ref().take(size).collect();
    let mut output = serde_json::Map::new();
    if let Some(last) = listed.last() {
        output.insert(member.to_owned(), json!(listed.iter().map(|name| write(name)).collect::<Vec<_>>()));
        if most.is_some() && names.peek().is_some() {
            output.insert("NextToken".to_owned(), json!(last));
        }
    }
    Ok(Value::Object(output))
}

pub(super) fn list_dead_letter_sources(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.queue(world, "sqs:ListDeadLetterSourceQueues")?;
    let arn = place.arn();
    let after = wire::optional(&request.input, "NextToken").unwrap_or_default();
    let queues = world.sqs.queues(place.account, place.region);
    let sends_here = |queue: &Queue| queue.attributes.redrive.as_ref().is_some_and(|redrive| *redrive.target == *arn);
    let names = queues.into_iter().flatten().filter(|(_, queue)| sends_here(queue)).map(|(name, _)| name.as_ref());
    let mut output = page(request, names.filter(|name| *name > after), "queueUrls", |name| request.url(place.account, name))?;
    if output.get("queueUrls").is_none() {
        output["queueUrls"] = json!([]);
    }
    Ok(output)
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.own_queue(world, "sqs:DeleteQueue")?;
    let now = world.now();
    let (account, region, name) = (place.account.to_owned(), place.region.to_owned(), place.name.to_owned());
    if let Some(queues) = world.sqs.places.get_mut(&account).and_then(|regions| regions.get_mut(&region)) {
        queues.remove(name.as_str());
    }
    world.sqs.deleted.retain(|_, at| now.since(*at) < REST);
    world.sqs.deleted.insert((account, region, name), now);
    Ok(json!({}))
}

pub(super) fn purge(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.queue(world, "sqs:PurgeQueue")?;
    let now = world.now();
    let name = place.name.to_owned();
    let contents = world.sqs.find(&place).ok_or_else(errors::no_such_queue)?.contents();
    if contents.purged.is_some_and(|at| now.since(at) < REST) {
        let message = format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds.");
        return Err(errors::simple(403, "PurgeQueueInProgress", message));
    }
    contents.purged = Some(now);
    contents.clear();
    Ok(json!({}))
}

fn tags_of(request: &Request<'_>, member: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let given = request.input.get(member).and_then(Value::as_object);
    let tags: BTreeMap<String, String> =
        given.into_iter().flatten().map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    match tags.iter().find(|(key, value)| key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256) {
        Some((key, _)) => Err(errors::invalid(format!("Tag key or value is too long or empty: {key}"))),
        None => Ok(tags),
    }
}

pub(super) fn tag(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.own_queue(world, "sqs:TagQueue")?;
    let tags = tags_of(request, "Tags")?;
    if tags.is_empty() {
        return Err(errors::missing("Tags"));
    }
    let queue = world.sqs.find(&place).ok_or_else(errors::no_such_queue)?;
    let mut after = queue.tags.clone();
    after.extend(tags);
    if after.len() > MOST_TAGS {
        return Err(errors::invalid(format!("Too many tags added for queue {}.", queue.arn)));
    }
    queue.tags = after;
    Ok(json!({}))
}

pub(super) fn untag(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.own_queue(world, "sqs:UntagQueue")?;
    let keys = request.input.get("TagKeys").and_then(Value::as_array).ok_or_else(|| errors::missing("TagKeys"))?;
    let queue = world.sqs.find(&place).ok_or_else(errors::no_such_queue)?;
    for key in keys.iter().filter_map(Value::as_str) {
        queue.tags.remove(key);
    }
    Ok(json!({}))
}

pub(super) fn list_tags(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.own_queue(world, "sqs:ListQueueTags")?;
    let queue = world.sqs.look(&place).ok_or_else(errors::no_such_queue)?;
    Ok(if queue.tags.is_empty() { json!({}) } else { json!({ "Tags": queue.tags }) })
}
