//! Where a rule's events go.

use serde_json::{Value, json};

use super::{Request, Rule, invalid, page};
use crate::error::ApiError;
use crate::world::World;

/// [`EventBridge`: Quotas, targets per rule]
const MOST: usize = 5;

pub(super) fn put(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let (place, name) = (request.bus(), request.need("Rule")?);
    request.permit(world, &place, "events:PutTargets", &place.rule_arn(name))?;
    let given = request.input.get("Targets").and_then(Value::as_array).filter(|given| !given.is_empty());
    let given = given.ok_or_else(|| {
        invalid("1 validation error detected: Value null at 'targets' failed to satisfy constraint: Member must not be null")
    })?;
    let mut checked = Vec::new();
    for target in given {
        checked.push((check(target)?, target));
    }
    let rule = world.events.rule(&place, name)?;
    let mut after = rule.targets.clone();
    after.extend(checked.into_iter().map(|(id, target)| (id.to_owned(), target.clone())));
    if after.len() > MOST {
        return Err(ApiError::bad_request("LimitExceededException", "The requested resource exceeds the maximum number allowed."));
    }
    rule.targets = after;
    Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
}

/// The target's id. The target itself is not looked at: a wrong one shows when an event is sent there.
fn check(target: &Value) -> Result<&str, ApiError> {
    let text = |name: &str| target.get(name).and_then(Value::as_str);
    let (Some(id), Some(arn)) = (text("Id"), text("Arn")) else { return Err(invalid("Targets need an Id and an Arn.")) };
    if !arn.starts_with("arn:") {
        return Err(invalid(format!("Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")));
    }
    let service = arn.split(':').nth(2).unwrap_or_default();
    if matches!(service, "firehose" | "kinesis") && text("RoleArn").is_none() {
        return Err(invalid(format!("RoleArn is required for target {arn}.")));
    }
    if service == "sqs" && crate::sqs::is_fifo(arn) && target.pointer("/SqsParameters/MessageGroupId").is_none() {
        return Err(invalid(format!("Parameter(s) SqsParameters must be specified for target: {id}.")));
    }
    Ok(id)
}

pub(super) fn remove(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let (place, name) = (request.bus(), request.need("Rule")?);
    request.permit(world, &place, "events:RemoveTargets", &place.rule_arn(name))?;
    let rule: &mut Rule = world.events.rule(&place, name)?;
    let mut failed = Vec::new();
    for id in request.input.get("Ids").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if rule.targets.remove(id).is_none() {
            let message = format!("Rule {name} does not have a target with id {id}.");
            failed.push(json!({ "TargetId": id, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": message }));
        }
    }
    Ok(json!({ "FailedEntryCount": failed.len(), "FailedEntries": failed }))
}

pub(super) fn list(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let (place, name) = (request.bus(), request.need("Rule")?);
    request.permit(world, &place, "events:ListTargetsByRule", &place.rule_arn(name))?;
    let targets = &world.events.rule(&place, name)?.targets;
    page(request, "Targets", targets.iter().map(|(id, target)| (id.clone(), target)), Clone::clone)
}

pub(super) fn list_rule_names(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let (place, arn) = (request.bus(), request.need("TargetArn")?);
    request.permit(world, &place, "events:ListRuleNamesByTarget", &place.rule_arn("*"))?;
    let rules = world.events.find(&place)?.rules.iter();
    let sends_there = |rule: &Rule| rule.targets.values().any(|target| target["Arn"] == arn);
    let names = rules.filter(|(_, rule)| sends_there(rule)).map(|(name, _)| (name.clone(), name));
    page(request, "RuleNames", names, |name| json!(name))
}
