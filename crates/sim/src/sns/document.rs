//! A topic's document: what SNS accepts, and the statements that `AddPermission` writes.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::topic::Policy;
use super::{Request, errors};
use crate::access::{Document, Written, is_account_id, is_principal, principals, strings};
use crate::error::ApiError;
use crate::world::World;

/// [SNS: API permissions reference, quotas]
const MOST_BYTES: usize = 30 * 1024;
/// [SNS: API permissions reference, quotas]
const MOST_STATEMENTS: usize = 100;
/// [SNS: API permissions reference, quotas]
const MOST_PRINCIPALS: usize = 200;

/// The only actions that a topic's document may name. [SNS: API permissions reference]
const ACTIONS: &[&str] = &[
    "addpermission",
    "deletetopic",
    "getdataprotectionpolicy",
    "gettopicattributes",
    "listsubscriptionsbytopic",
    "listtagsforresource",
    "publish",
    "putdataprotectionpolicy",
    "receive",
    "removepermission",
    "settopicattributes",
    "subscribe",
];

/// Parses a document and refuses what SNS refuses.
pub(super) fn checked(text: &str) -> Result<Document, ApiError> {
    if text.len() > MOST_BYTES {
        return Err(errors::invalid("Policy Error: the policy is longer than 30 KB"));
    }
    let written = Written::parse(text).ok_or_else(|| errors::invalid("Policy failed to parse as a valid JSON policy"))?;
    let statements = written.statements();
    if statements.is_empty() || statements.len() > MOST_STATEMENTS {
        return Err(errors::invalid("Policy Error: a policy has 1 to 100 statements"));
    }
    let mut seen = BTreeSet::new();
    for statement in statements {
        check_statement(statement)?;
        if let Some(sid) = statement.get("Sid").and_then(Value::as_str)
            && !seen.insert(sid)
        {
            return Err(errors::invalid("Policy Error: Statement Ids (Sid) must be unique"));
        }
    }
    Ok(written.document())
}

fn check_statement(statement: &Map<String, Value>) -> Result<(), ApiError> {
    let actions: Vec<&str> = ["Action", "NotAction"].iter().filter_map(|name| statement.get(*name)).flat_map(strings).collect();
    let known = |action: &&str| {
        let action = action.to_ascii_lowercase();
        action.strip_prefix("sns:").is_some_and(|action| ACTIONS.contains(&action))
    };
    if actions.is_empty() || !actions.iter().all(known) {
        return Err(errors::invalid("Policy statement action out of service scope!"));
    }
    let principals = principals(statement);
    if principals.is_empty() || principals.len() > MOST_PRINCIPALS || !principals.iter().all(|one| is_principal(one)) {
        return Err(errors::invalid("Policy Error: PrincipalNotFound"));
    }
    if statement.get("Resource").map_or(0, |resource| strings(resource).count()) != 1 {
        return Err(errors::invalid("Policy statement must apply to a single resource"));
    }
    Ok(())
}

/// Changes the statements of a topic's document.
fn write(
    world: &mut World,
    place: &super::Place<'_>,
    change: impl FnOnce(&mut Vec<Value>) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let topic = world.sns.find(place).ok_or_else(errors::no_such_topic)?;
    let mut body: Value = serde_json::from_str(&topic.policy_text(place.account)).unwrap_or_default();
    let mut statements = match body["Statement"].take() {
        Value::Array(list) => list,
        one => vec![one],
    };
    change(&mut statements)?;
    body["Statement"] = Value::Array(statements);
    let text = body.to_string();
    topic.policy = Some(Box::new(Policy { document: checked(&text)?, text: text.into() }));
    Ok(())
}

pub(super) fn add_permission(world: &mut World, request: &Request<'_>) -> Result<(), ApiError> {
    let place = request.topic(world, "TopicArn", "sns:AddPermission")?;
    let label = request.need("Label")?;
    let accounts = request.form.values("AWSAccountId.member");
    let actions = request.form.values("ActionName.member");
    if accounts.is_empty() || !accounts.iter().all(|account| is_account_id(account)) {
        return Err(errors::invalid("AWSAccountId"));
    }
    if actions.is_empty() || !actions.iter().all(|action| ACTIONS.contains(&action.to_ascii_lowercase().as_str())) {
        return Err(errors::invalid("Policy statement action out of service scope!"));
    }
    let principals: Vec<String> = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
    let actions: Vec<String> = actions.iter().map(|action| format!("SNS:{action}")).collect();
    let one_or_list = |list: Vec<String>| if list.len() == 1 { json!(list[0]) } else { json!(list) };
    let statement = json!({
        "Sid": label, "Effect": "Allow", "Principal": { "AWS": one_or_list(principals) },
        "Action": one_or_list(actions), "Resource": place.arn(),
    });
    write(world, &place, |statements| {
        if statements.iter().any(|one| one["Sid"] == label) {
            return Err(errors::invalid("Statement already exists"));
        }
        statements.push(statement);
        Ok(())
    })
}

pub(super) fn remove_permission(world: &mut World, request: &Request<'_>) -> Result<(), ApiError> {
    let place = request.topic(world, "TopicArn", "sns:RemovePermission")?;
    let label = request.need("Label")?;
    write(world, &place, |statements| {
        statements.retain(|one| one["Sid"] != label);
        Ok(())
    })
}
