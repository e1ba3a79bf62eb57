//! A queue's document: what SQS accepts, and the statements that `AddPermission` writes.

use serde_json::{Map, Value, json};

use super::queue::Policy;
use super::{Request, errors};
use crate::access::{Document, Written, is_account_id, is_principal, principals, strings};
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::World;

/// Bytes. [SQS: Quotas related to policies]
const MOST_BYTES: usize = 8192;
/// [SQS: Quotas related to policies]
const MOST_STATEMENTS: usize = 20;
/// [SQS: Quotas related to policies]
const MOST_PRINCIPALS: usize = 50;
/// [SQS: Quotas related to policies]
const MOST_CONDITIONS: usize = 10;
/// In one statement. [SQS: Quotas related to policies]
const MOST_ACTIONS: usize = 7;

/// Parses a document and refuses what SQS refuses.
pub(super) fn checked(text: &str) -> Result<Document, ApiError> {
    let refused = || errors::invalid_attribute("Policy");
    if text.len() > MOST_BYTES {
        return Err(refused());
    }
    let written = Written::parse(text).ok_or_else(refused)?;
    let statements = written.statements();
    if statements.len() > MOST_STATEMENTS {
        return Err(errors::over_limit(format!("{} Statements found, maximum allowed is {MOST_STATEMENTS}.", statements.len())));
    }
    let count = |number: fn(&Map<String, Value>) -> usize| statements.iter().map(number).sum::<usize>();
    if count(|statement| principals(statement).len()) > MOST_PRINCIPALS || count(conditions) > MOST_CONDITIONS {
        return Err(refused());
    }
    for statement in statements {
        let actions: Vec<&str> = ["Action", "NotAction"].iter().filter_map(|name| statement.get(*name)).flat_map(strings).collect();
        let principals = principals(statement);
        if actions.is_empty() || actions.len() > MOST_ACTIONS || principals.is_empty() || !principals.iter().all(|one| is_principal(one)) {
            return Err(refused());
        }
        if !actions.iter().all(|action| *action == "*" || action.to_ascii_lowercase().starts_with("sqs:")) {
            let message = "Invalid value for the parameter Policy. Reason: Policy statement action out of service scope!";
            return Err(ApiError::bad_request("InvalidAttributeValue", message).query_code("InvalidAttributeValue"));
        }
    }
    Ok(written.document())
}

fn conditions(statement: &Map<String, Value>) -> usize {
    let operators = statement.get("Condition").and_then(Value::as_object);
    operators.into_iter().flat_map(Map::values).filter_map(Value::as_object).map(Map::len).sum()
}

/// The document as it would be with other statements.
fn write(
    world: &mut World,
    place: &super::Place<'_>,
    change: impl FnOnce(&mut Vec<Value>) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let now = world.now();
    let queue = world.sqs.find(place).ok_or_else(errors::no_such_queue)?;
    let fresh = || json!({ "Version": "2012-10-17", "Id": format!("{}/SQSDefaultPolicy", queue.arn), "Statement": [] });
    let parsed = queue.attributes.policy.as_ref().and_then(|policy| serde_json::from_str(&policy.text).ok());
    let mut body: Value = parsed.unwrap_or_else(fresh);
    let mut statements = match body["Statement"].take() {
        Value::Array(list) => list,
        one => vec![one],
    };
    change(&mut statements)?;
    queue.attributes.policy = if statements.is_empty() {
        None
    } else {
        body["Statement"] = Value::Array(statements);
        let text = body.to_string();
        Some(Box::new(Policy { document: checked(&text)?, text: text.into() }))
    };
    queue.modified = now;
    Ok(())
}

pub(super) fn add_permission(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.own_queue(world, "sqs:AddPermission")?;
    let label = wire::optional(&request.input, "Label").ok_or_else(|| errors::missing("Label"))?;
    let list = |name: &str| request.input.get(name).map(|value| strings(value).collect::<Vec<_>>()).unwrap_or_default();
    let (accounts, actions) = (list("AWSAccountIds"), list("Actions"));
    if accounts.is_empty() {
        return Err(errors::missing("AWSAccountIds"));
    }
    if actions.is_empty() {
        return Err(errors::missing("Actions"));
    }
    if let Some(wrong) = accounts.iter().find(|account| !is_account_id(account)) {
        return Err(errors::invalid_value(&format!("[{wrong}]"), "PrincipalId", "Unable to verify."));
    }
    if actions.len() > MOST_ACTIONS {
        return Err(errors::over_limit(format!("{} Actions were found, maximum allowed is {MOST_ACTIONS}.", actions.len())));
    }
    let arn = place.arn();
    let principals: Vec<String> = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
    let one_or_list = |list: Vec<String>| if list.len() == 1 { json!(list[0]) } else { json!(list) };
    let actions = one_or_list(actions.iter().map(|action| format!("SQS:{action}")).collect());
    let statement =
        json!({ "Sid": label, "Effect": "Allow", "Principal": { "AWS": one_or_list(principals) }, "Action": actions, "Resource": arn });
    write(world, &place, |statements| {
        if statements.iter().any(|one| one["Sid"] == label) {
            return Err(errors::invalid_value(label, "Label", "Already exists."));
        }
        statements.push(statement);
        Ok(())
    })?;
    Ok(json!({}))
}

pub(super) fn remove_permission(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let place = request.own_queue(world, "sqs:RemovePermission")?;
    let label = wire::optional(&request.input, "Label").ok_or_else(|| errors::missing("Label"))?;
    write(world, &place, |statements| {
        let before = statements.len();
        statements.retain(|one| one["Sid"] != label);
        if statements.len() == before {
            return Err(errors::invalid_value(label, "Label", "can't find label."));
        }
        Ok(())
    })?;
    Ok(json!({}))
}
