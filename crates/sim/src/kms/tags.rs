//! Tags of keys.

use serde_json::{Value, json};

use super::{Input, found, managed, page, paged, usage};
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::{Origin, World};

/// [KMS: Resource quotas]
const MOST: usize = 50;

/// `Tags`: pairs of key and value. [kms:Tag]
pub(super) fn of_request(input: &Input) -> Result<Vec<(String, String)>, ApiError> {
    let Some(list) = input.get("Tags") else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(|| super::invalid("Tags is not a list".to_owned()))?;
    let mut tags: Vec<(String, String)> = Vec::new();
    for tag in list {
        let tag = tag.as_object().ok_or_else(|| super::invalid("a tag is not an object".to_owned()))?;
        let (key, value) = (wire::text(tag, "TagKey")?, wire::text(tag, "TagValue")?);
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 || key.starts_with("aws:") {
            return Err(ApiError::bad_request("TagException", format!("Tag key or value is not valid: {key}")));
        }
        if tags.iter().any(|(known, _)| known == key) {
            return Err(ApiError::bad_request("TagException", "Duplicate tag keys"));
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    if tags.len() > MOST {
        return Err(ApiError::bad_request("TagException", "Too many tags"));
    }
    Ok(tags)
}

/// `TagResource`
pub(super) fn tag(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = managed(world, origin, input, "kms:TagResource")?;
    let new = of_request(input)?;
    let key = found(world, &arn)?;
    usage::staying(key)?;
    let mut tags = key.tags.clone();
    for (name, value) in new {
        match tags.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => tags.push((name, value)),
        }
    }
    if tags.len() > MOST {
        return Err(ApiError::bad_request("LimitExceededException", format!("{arn} would have more than {MOST} tags")));
    }
    key.tags = tags;
    Ok(Value::Null)
}

/// `UntagResource`
pub(super) fn untag(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = managed(world, origin, input, "kms:UntagResource")?;
    let names: Vec<&str> = input.get("TagKeys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let key = found(world, &arn)?;
    usage::staying(key)?;
    key.tags.retain(|(name, _)| !names.contains(&name.as_str()));
    Ok(Value::Null)
}

/// `ListResourceTags`
pub(super) fn list(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = managed(world, origin, input, "kms:ListResourceTags")?;
    let mut tags = found(world, &arn)?.tags.clone();
    tags.sort();
    let entries = tags.into_iter().map(|(key, value)| {
        let entry = json!({ "TagKey": key, "TagValue": value });
        (key, entry)
    });
    Ok(paged("Tags", page(input, entries, (50, 50))?))
}

/// Tags of all customer keys of an account and region, by ARN. AWS-managed keys bear none.
pub(crate) fn tags_of(world: &World, account: &str, region: &str) -> Vec<(String, Vec<(String, String)>)> {
    super::keys::of_region(world, account, region).map(|key| (key.arn(), key.tags.clone())).collect()
}
