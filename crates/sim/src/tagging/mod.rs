//! Resource Groups Tagging API: tags of all services in one listing.
//!
//! It holds nothing itself: each service keeps its own tags.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::access::RequestContext;
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, json as wire};
use crate::world::{Ask, Origin, World};
use crate::{firehose, kinesis, kms, rds, s3, sns, sqs};

type Tags = Vec<(String, String)>;

type Source = fn(&World, &str, &str) -> Vec<(String, Tags)>;

/// Where tags come from: ARN and tags of all resources of an account and region.
const SOURCES: &[Source] = &[s3::tags_of, sqs::tags_of, sns::tags_of, firehose::tags_of, kinesis::tags_of, kms::tags_of, rds::tags_of];

/// [resourcegroupstagging:GetResources]
const PAGE: std::ops::RangeInclusive<i64> = 1..=100;

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let result = wire::input(call).and_then(|input| match route.operation.as_str() {
        "GetResources" => get_resources(world, origin, &input),
        other => Err(ApiError::unknown_operation(other)),
    });
    wire::reply(route, result)
}

/// `GetResources`: those that bear tags, by ARN.
fn get_resources(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let ask = Ask { action: "tag:GetResources", resource: "*", owner: origin.account(), document: None, context: RequestContext::new() };
    world.permit(origin, &ask).map_err(|denial| ApiError::bad_request("AccessDeniedException", denial.message))?;
    let limit = wire::number(input, "ResourcesPerPage").unwrap_or(50);
    let limit = usize::try_from(limit)
        .ok()
        .filter(|_| PAGE.contains(&limit))
        .ok_or_else(|| invalid("ResourcesPerPage is not between 1 and 100"))?;
    let (arns, types) = (texts(input.get("ResourceARNList")), texts(input.get("ResourceTypeFilters")));
    if arns.len() > 100 {
        return Err(invalid("ResourceARNList has more than 100 members"));
    }
    if !arns.is_empty() && !types.is_empty() {
        return Err(invalid("ResourceARNList and ResourceTypeFilters can't be used together"));
    }
    let others = ["TagFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken"];
    if let Some(other) = others.iter().find(|name| !arns.is_empty() && is_given(input.get(**name))) {
        return Err(invalid(&format!("ResourceARNList and {other} can't be used together")));
    }
    let filters: Vec<&Map<String, Value>> =
        input.get("TagFilters").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).collect();
    let wanted = |arn: &str, tags: &Tags| {
        !tags.is_empty()
            && (arns.is_empty() || arns.contains(&arn))
            && (types.is_empty() || types.iter().any(|kind| is_of(arn, kind)))
            && filters.iter().all(|filter| passes(filter, tags))
    };
    let mut all: Vec<(String, Tags)> = SOURCES.iter().flat_map(|source| source(world, origin.account(), &origin.region)).collect();
    all.retain(|(arn, tags)| wanted(arn, tags));
    all.sort();
    let after = wire::optional(input, "PaginationToken").unwrap_or_default();
    let mut rest = all.into_iter().skip_while(|(arn, _)| !after.is_empty() && arn.as_str() <= after);
    let page: Vec<(String, Tags)> = rest.by_ref().take(limit).collect();
    let token = if rest.next().is_some() { page.last().map_or("", |(arn, _)| arn) } else { "" };
    let mappings: Vec<Value> = page.iter().map(|(arn, tags)| json!({ "ResourceARN": arn, "Tags": shown(tags) })).collect();
    Ok(json!({ "PaginationToken": token, "ResourceTagMappingList": mappings }))
}

fn invalid(message: &str) -> ApiError {
    ApiError::bad_request("InvalidParameterException", message)
}

fn is_given(value: Option<&Value>) -> bool {
    value.is_some_and(|value| {
        !matches!(value, Value::Null) && value.as_str() != Some("") && value.as_array().is_none_or(|all| !all.is_empty())
    })
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn shown(tags: &Tags) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// `service` or `service:type`, as the ARN spells them. Services whose ARNs have no type are one type.
fn is_of(arn: &str, filter: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    match filter.split_once(':') {
        None => filter == service,
        Some((wanted, kind)) => {
            wanted == service && (resource.split(['/', ':']).next() == Some(kind) || ["s3", "sqs", "sns"].contains(&service))
        }
    }
}

/// One filter: the key, and one of the values where it names some.
fn passes(filter: &Map<String, Value>, tags: &Tags) -> bool {
    let values = texts(filter.get("Values"));
    tags.iter().any(|(key, value)| wire::optional(filter, "Key") == Some(key) && (values.is_empty() || values.contains(&value.as_str())))
}
