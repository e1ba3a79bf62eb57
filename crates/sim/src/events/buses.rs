//! Buses, their documents, and tags of buses and rules.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Bus, Place, Request, invalid, no_such_bus, not_found, page};
use crate::access::{Document, Written};
use crate::error::ApiError;
use crate::world::World;

pub(super) fn create(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let name = request.need("Name")?;
    let place = Place::of(Some(name), request.origin);
    request.permit(world, &place, "events:CreateEventBus", &place.arn())?;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if name.is_empty() || name.len() > 256 || !name.bytes().all(valid) {
        return Err(invalid(format!("1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint")));
    }
    if name == "default" || world.events.look(&place).is_some() {
        return Err(ApiError::bad_request("ResourceAlreadyExistsException", format!("Event bus {name} already exists.")));
    }
    let bus = Bus {
        created: world.now(),
        description: request.optional("Description").map(str::to_owned),
        tags: tags_of(request),
        ..Bus::default()
    };
    world.events.buses.insert(place.key(), bus);
    Ok(json!({ "EventBusArn": place.arn() }))
}

fn written(place: &Place, bus: &Bus) -> Value {
    let created = bus.created.epoch_seconds();
    let mut output = json!({ "Name": place.bus, "Arn": place.arn(), "CreationTime": created, "LastModifiedTime": created });
    if let Some(description) = &bus.description {
        output["Description"] = json!(description);
    }
    if let Some((policy, _)) = &bus.policy {
        output["Policy"] = json!(policy);
    }
    output
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = Place::of(request.optional("Name"), request.origin);
    request.permit(world, &place, "events:DescribeEventBus", &place.arn())?;
    Ok(written(&place, world.events.find(&place)?))
}

pub(super) fn list(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let default = Place::of(None, request.origin);
    request.permit(world, &default, "events:ListEventBuses", &Place { bus: "*".to_owned(), ..default.clone() }.arn())?;
    world.events.find(&default)?;
    let prefix = request.optional("NamePrefix").unwrap_or_default();
    let here = |(account, region, _): &&(String, String, String)| *account == default.account && *region == default.region;
    let keys = world.events.buses.keys().filter(here).filter(|(.., name)| name.starts_with(prefix));
    let items = keys.map(|key| (key.2.clone(), (Place { bus: key.2.clone(), ..default.clone() }, &world.events.buses[key])));
    page(request, "EventBuses", items, |(place, bus)| written(&place, bus))
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = Place::of(Some(request.need("Name")?), request.origin);
    request.permit(world, &place, "events:DeleteEventBus", &place.arn())?;
    if place.bus == "default" {
        return Err(invalid("Cannot delete event bus default."));
    }
    if world.events.look(&place).is_some_and(|bus| !bus.rules.is_empty()) {
        return Err(invalid("Event bus can't be deleted since it has rules."));
    }
    world.events.buses.remove(&place.key());
    Ok(Value::Null)
}

/// A whole document, or one statement for one account. [events:PutPermission]
pub(super) fn put_permission(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.bus();
    request.permit(world, &place, "events:PutPermission", &place.arn())?;
    let text = if let Some(text) = request.optional("Policy") {
        text.to_owned()
    } else {
        let (principal, id) = (request.need("Principal")?, request.need("StatementId")?);
        let principal = if principal == "*" { json!("*") } else { json!({ "AWS": format!("arn:aws:iam::{principal}:root") }) };
        let statement = json!({
            "Sid": id, "Effect": "Allow", "Principal": principal, "Action": request.need("Action")?, "Resource": place.arn(),
        });
        let mut statements = statements_of(world.events.find(&place)?);
        statements.retain(|one| one["Sid"] != id);
        statements.push(statement);
        json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
    };
    let document = Document::parse(&text).ok_or_else(|| invalid("The policy is not a valid JSON document."))?;
    world.events.find(&place)?.policy = Some((text, document));
    Ok(Value::Null)
}

fn statements_of(bus: &Bus) -> Vec<Value> {
    let written = bus.policy.as_ref().and_then(|(text, _)| Written::parse(text));
    written.map(|written| written.statements().iter().cloned().map(Value::Object).collect()).unwrap_or_default()
}

pub(super) fn remove_permission(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.bus();
    request.permit(world, &place, "events:RemovePermission", &place.arn())?;
    let bus = world.events.find(&place)?;
    let mut statements = statements_of(bus);
    if request.input.get("RemoveAllPermissions") == Some(&json!(true)) {
        statements.clear();
    } else {
        let id = request.need("StatementId")?;
        let before = statements.len();
        statements.retain(|one| one["Sid"] != id);
        if statements.len() == before {
            return Err(not_found(format!("Statement with the provided id {id} does not exist.")));
        }
    }
    let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    bus.policy = if statements.is_empty() { None } else { Document::parse(&text).map(|document| (text, document)) };
    Ok(Value::Null)
}

/// Tags that an input gives.
pub(super) fn tags_of(request: &Request<'_>) -> BTreeMap<String, String> {
    let tags = request.input.get("Tags").and_then(Value::as_array);
    let pair = |tag: &Value| Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value")?.as_str()?.to_owned()));
    tags.into_iter().flatten().filter_map(pair).collect()
}

/// The tags of what `ResourceARN` names: a bus or a rule.
fn tags<'w>(world: &'w mut World, request: &Request<'_>, action: &str) -> Result<&'w mut BTreeMap<String, String>, ApiError> {
    let arn = request.need("ResourceARN")?;
    let mut parts = arn.splitn(6, ':').skip(3);
    let wrong = || invalid(format!("{arn} is not a valid resource ARN."));
    let (region, account, resource) = (parts.next().ok_or_else(wrong)?, parts.next().ok_or_else(wrong)?, parts.next().ok_or_else(wrong)?);
    let place = |bus: &str| Place { account: account.to_owned(), region: region.to_owned(), bus: bus.to_owned() };
    if let Some(bus) = resource.strip_prefix("event-bus/") {
        let place = place(bus);
        request.permit(world, &place, action, arn)?;
        return Ok(&mut world.events.find(&place).map_err(|_| no_such_bus(bus))?.tags);
    }
    let rule = resource.strip_prefix("rule/").ok_or_else(wrong)?;
    let (bus, rule) = rule.rsplit_once('/').unwrap_or(("default", rule));
    let place = place(bus);
    request.permit(world, &place, action, arn)?;
    Ok(&mut world.events.rule(&place, rule)?.tags)
}

pub(super) fn tag(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let given = tags_of(request);
    tags(world, request, "events:TagResource")?.extend(given);
    Ok(json!({}))
}

pub(super) fn untag(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let tags = tags(world, request, "events:UntagResource")?;
    for key in request.input.get("TagKeys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        tags.remove(key);
    }
    Ok(json!({}))
}

pub(super) fn list_tags(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let tags = tags(world, request, "events:ListTagsForResource")?;
    Ok(json!({ "Tags": tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect::<Vec<_>>() }))
}
