//! Organizations: accounts, and the policies that stand above all others.
//!
//! A service control policy limits what principals of member accounts may do, a resource control policy what anybody may
//! do to resources of member accounts. Neither touches the management account. What must never happen here: a guardrail
//! that grants something.

mod guard;
mod policies;
mod seed;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use self::policies::Policy;
use crate::access::{Caller, RequestContext};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, json as wire};
use crate::world::{Ask, Origin, World};

pub(crate) use guard::guard;

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    organization: Option<Organization>,
}

/// The world's one organization: a root with its accounts.
#[derive(Debug)]
struct Organization {
    id: String,
    root: String,
    management: String,
    /// Id → name, the management account among them.
    accounts: BTreeMap<String, String>,
    /// By id.
    policies: BTreeMap<String, Policy>,
    /// Target (the root or an account) → ids of policies.
    attached: BTreeMap<String, BTreeSet<String>>,
}

type Input = Map<String, Value>;

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let result = wire::input(call).and_then(|input| answer(world, origin, &route.operation, &input));
    wire::reply(route, result)
}

fn answer(world: &mut World, origin: &Origin, operation: &str, input: &Input) -> Result<Value, ApiError> {
    if origin.caller == Caller::Anonymous {
        return Err(ApiError::bad_request("MissingAuthenticationTokenException", "Missing Authentication Token"));
    }
    let action = format!("organizations:{operation}");
    let ask = Ask { action: &action, resource: "*", owner: origin.account(), document: None, context: RequestContext::new() };
    world.permit(origin, &ask).map_err(|denial| ApiError::bad_request("AccessDeniedException", denial.message))?;
    if operation == "DescribeOrganization" {
        return describe(world, origin);
    }
    member(world, origin)?;
    let managing = world.organizations.organization.as_ref().is_some_and(|organization| organization.management == origin.account());
    if !managing {
        let message = "You don't have permissions to access this resource.";
        return Err(ApiError::bad_request("AccessDeniedException", message));
    }
    match operation {
        "ListAccounts" => list_accounts(world, input),
        "ListRoots" => Ok(json!({ "Roots": [root(own(world)?)] })),
        "ListOrganizationalUnitsForParent" => list_units(world, input),
        "ListPolicies" => policies::list(world, input),
        "CreatePolicy" => policies::create(world, input),
        "UpdatePolicy" => policies::update(world, input),
        "DescribePolicy" => policies::describe(world, input),
        "DeletePolicy" => policies::delete(world, input),
        "AttachPolicy" => policies::attach(world, input),
        "DetachPolicy" => policies::detach(world, input),
        "ListTargetsForPolicy" => policies::list_targets(world, input),
        "ListPoliciesForTarget" => policies::list_for_target(world, input),
        other => Err(ApiError::unknown_operation(other)),
    }
}

fn own(world: &mut World) -> Result<&mut Organization, ApiError> {
    world.organizations.organization.as_mut().ok_or_else(not_in_use)
}

fn not_in_use() -> ApiError {
    ApiError::bad_request("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
}

/// The organisation, if the caller's account is in it.
fn member<'a>(world: &'a World, origin: &Origin) -> Result<&'a Organization, ApiError> {
    let organization = world.organizations.organization.as_ref();
    organization.filter(|organization| organization.accounts.contains_key(origin.account())).ok_or_else(not_in_use)
}

/// `DescribeOrganization`: for every account in it.
fn describe(world: &World, origin: &Origin) -> Result<Value, ApiError> {
    let Organization { id, management, .. } = member(world, origin)?;
    Ok(json!({ "Organization": {
        "Id": id,
        "Arn": format!("arn:aws:organizations::{management}:organization/{id}"),
        "FeatureSet": "ALL",
        "MasterAccountId": management,
        "MasterAccountArn": format!("arn:aws:organizations::{management}:account/{id}/{management}"),
        "MasterAccountEmail": format!("{management}@example.com"),
    } }))
}

/// `ListAccounts`: at most 20 a page.
fn list_accounts(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let organization = own(world)?;
    let Organization { id, management, accounts, .. } = &*organization;
    let entries = accounts.iter().map(|(account, name)| {
        let entry = json!({
            "Id": account,
            "Arn": format!("arn:aws:organizations::{management}:account/{id}/{account}"),
            "Name": name,
            "Email": format!("{account}@example.com"),
            "Status": "ACTIVE",
            "State": "ACTIVE",
            "JoinedMethod": "CREATED",
        });
        (account.clone(), entry)
    });
    paged("Accounts", input, entries)
}

/// The id of the organization that an account is in.
pub(crate) fn id_of<'w>(world: &'w World, account: &str) -> Option<&'w str> {
    let organization = world.organizations.organization.as_ref()?;
    organization.accounts.contains_key(account).then_some(organization.id.as_str())
}

fn root(organization: &Organization) -> Value {
    let Organization { id, root, management, .. } = organization;
    json!({
        "Id": root,
        "Arn": format!("arn:aws:organizations::{management}:root/{id}/{root}"),
        "Name": "Root",
        "PolicyTypes": [
            { "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" },
            { "Type": "RESOURCE_CONTROL_POLICY", "Status": "ENABLED" },
        ],
    })
}

/// `ListOrganizationalUnitsForParent`: all accounts are in the root itself, so there are none.
fn list_units(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let parent = wire::text(input, "ParentId")?;
    if own(world)?.root != parent {
        return Err(ApiError::bad_request("ParentNotFoundException", format!("You specified a parent that doesn't exist: {parent}")));
    }
    Ok(json!({ "OrganizationalUnits": [] }))
}

/// A page of a listing: `MaxResults` (1 to 20), `NextToken` names the last item of the page before.
fn paged(name: &str, input: &Input, items: impl Iterator<Item = (String, Value)>) -> Result<Value, ApiError> {
    let most = wire::number(input, "MaxResults").unwrap_or(20);
    let limit = usize::try_from(most).ok().filter(|limit| (1..=20).contains(limit));
    let limit = limit.ok_or_else(|| ApiError::bad_request("InvalidInputException", "MaxResults is not between 1 and 20"))?;
    let after = wire::optional(input, "NextToken").unwrap_or_default().to_owned();
    let mut rest = items.skip_while(|(key, _)| !after.is_empty() && *key <= after);
    let page: Vec<(String, Value)> = rest.by_ref().take(limit).collect();
    let last = page.last().map(|(key, _)| key.clone());
    let mut answer = json!({ name: page.into_iter().map(|(_, item)| item).collect::<Vec<_>>() });
    if let Some(last) = last.filter(|_| rest.next().is_some()) {
        answer["NextToken"] = json!(last);
    }
    Ok(answer)
}
