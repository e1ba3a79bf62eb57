//! Rules.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Place, Request, Rule, buses, invalid, page, pattern};
use crate::error::ApiError;
use crate::world::World;

const STATES: &[&str] = &["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"];

/// Makes a rule or replaces its settings; its targets stay. [events:PutRule]
pub(super) fn put(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let (place, name) = (request.bus(), request.need("Name")?);
    let arn = place.rule_arn(name);
    request.permit(world, &place, "events:PutRule", &arn)?;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(valid) {
        return Err(invalid(format!("1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint")));
    }
    let text = request.optional("EventPattern");
    let schedule = request.optional("ScheduleExpression").map(str::to_owned);
    if text.is_none() && schedule.is_none() {
        return Err(invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."));
    }
    let pattern = text.map(parsed).transpose()?;
    let state = request.optional("State").unwrap_or("ENABLED").to_owned();
    if !STATES.contains(&state.as_str()) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{state}' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            STATES.join(", ")
        )));
    }
    let owned = |name: &str| request.optional(name).map(str::to_owned);
    let rules = &mut world.events.find(&place)?.rules;
    let (targets, tags) = match rules.remove(name) {
        Some(existing) => (existing.targets, existing.tags),
        None => (BTreeMap::new(), buses::tags_of(request)),
    };
    let rule =
        Rule { arn: arn.clone(), pattern, schedule, state, description: owned("Description"), role: owned("RoleArn"), targets, tags };
    rules.insert(name.to_owned(), rule);
    Ok(json!({ "RuleArn": arn }))
}

fn parsed(text: &str) -> Result<(String, Value), ApiError> {
    let refused =
        |reason: &str| ApiError::bad_request("InvalidEventPatternException", format!("Event pattern is not valid. Reason: {reason}"));
    let value = serde_json::from_str(text).map_err(|error| refused(&error.to_string()))?;
    pattern::check(&value).map_err(|reason| refused(&reason))?;
    Ok((text.to_owned(), value))
}

fn written(place: &Place, name: &str, rule: &Rule) -> Value {
    let Rule { arn, pattern, schedule, state, description, role, targets: _, tags: _ } = rule;
    let mut output = json!({ "Name": name, "Arn": arn, "State": state, "EventBusName": place.bus });
    let pattern = pattern.as_ref().map(|(text, _)| text);
    for (name, value) in [
        ("EventPattern", pattern),
        ("ScheduleExpression", schedule.as_ref()),
        ("Description", description.as_ref()),
        ("RoleArn", role.as_ref()),
    ] {
        if let Some(value) = value {
            output[name] = json!(value);
        }
    }
    output
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let (place, name) = (request.bus(), request.need("Name")?);
    request.permit(world, &place, "events:DescribeRule", &place.rule_arn(name))?;
    let rule = world.events.rule(&place, name)?;
    let mut output = written(&place, name, rule);
    output["CreatedBy"] = json!(place.account);
    Ok(output)
}

pub(super) fn list(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.bus();
    request.permit(world, &place, "events:ListRules", &place.rule_arn("*"))?;
    let prefix = request.optional("NamePrefix").unwrap_or_default();
    let rules = world.events.find(&place)?.rules.iter().filter(|(name, _)| name.starts_with(prefix));
    page(request, "Rules", rules.map(|(name, rule)| (name.clone(), (name, rule))), |(name, rule)| written(&place, name, rule))
}

pub(super) fn switch(world: &mut World, request: &Request<'_>, action: &str, state: &str) -> Result<Value, ApiError> {
    let (place, name) = (request.bus(), request.need("Name")?);
    request.permit(world, &place, action, &place.rule_arn(name))?;
    state.clone_into(&mut world.events.rule(&place, name)?.state);
    Ok(Value::Null)
}

/// Its targets have to be removed first; a rule that is not there is deleted without an error. [events:DeleteRule]
pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let (place, name) = (request.bus(), request.need("Name")?);
    request.permit(world, &place, "events:DeleteRule", &place.rule_arn(name))?;
    let rules = &mut world.events.find(&place)?.rules;
    if rules.get(name).is_some_and(|rule| !rule.targets.is_empty()) {
        return Err(invalid("Rule can't be deleted since it has targets."));
    }
    rules.remove(name);
    Ok(Value::Null)
}
