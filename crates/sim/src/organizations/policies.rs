//! Policies: made, changed, attached to the root or to accounts.

use serde_json::{Value, json};

use super::{Input, Organization, own, paged};
use crate::access::{Document, Written};
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::World;

/// What a policy limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Service,
    Resource,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Service => "SERVICE_CONTROL_POLICY",
            Self::Resource => "RESOURCE_CONTROL_POLICY",
        }
    }

    fn read(input: &Input, member: &str) -> Result<Self, ApiError> {
        match wire::text(input, member)? {
            "SERVICE_CONTROL_POLICY" => Ok(Self::Service),
            "RESOURCE_CONTROL_POLICY" => Ok(Self::Resource),
            other => Err(ApiError::bad_request("InvalidInputException", format!("the simulator does not have policies of type {other}"))),
        }
    }

    /// Characters. [Quotas for AWS Organizations]
    const fn longest(self) -> usize {
        match self {
            Self::Service => 10_240,
            Self::Resource => 5_120,
        }
    }

    /// Policies of a target, AWS's own included. [Quotas for AWS Organizations]
    const fn most_attached(self) -> usize {
        match self {
            Self::Service => 10,
            Self::Resource => 5,
        }
    }
}

/// A policy.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) text: String,
    pub(super) document: Document,
    /// AWS's own: attached everywhere from the beginning, and not to be changed.
    pub(super) aws: bool,
}

fn violated(reason: &str, message: String) -> ApiError {
    ApiError::bad_request("ConstraintViolationException", message).detail("Reason", reason)
}

fn content(input: &Input, kind: Kind) -> Result<Option<(String, Document)>, ApiError> {
    let Some(text) = wire::optional(input, "Content") else { return Ok(None) };
    if text.chars().count() > kind.longest() {
        let message = format!("The policy has more than {} characters.", kind.longest());
        return Err(violated("POLICY_CONTENT_LIMIT_EXCEEDED", message));
    }
    let malformed =
        || ApiError::bad_request("MalformedPolicyDocumentException", "The provided policy document does not meet the requirements.");
    let written = Written::parse(text).ok_or_else(malformed)?;
    // [RCP syntax: Effect only Deny, Principal only `"*"`, no bare `"Action": "*"`, no NotAction, no NotPrincipal]
    let allowed = |statement: &serde_json::Map<String, Value>| match kind {
        Kind::Service => !statement.contains_key("Principal") && !statement.contains_key("NotPrincipal"),
        Kind::Resource => {
            statement.get("Effect") == Some(&json!("Deny"))
                && statement.get("Principal") == Some(&json!("*"))
                && !statement.contains_key("NotAction")
                && statement.get("Action").is_some_and(|action| *action != json!("*") && *action != json!(["*"]))
        }
    };
    if written.statements().iter().all(allowed) { Ok(Some((text.to_owned(), written.document()))) } else { Err(malformed()) }
}

fn summary(organization: &Organization, id: &str, policy: &Policy) -> Value {
    let kind = policy.kind.name().to_ascii_lowercase();
    let owner = if policy.aws { "aws".to_owned() } else { format!("{}:policy/{}", organization.management, organization.id) };
    let arn = if policy.aws {
        format!("arn:aws:organizations::aws:policy/{kind}/{id}")
    } else {
        format!("arn:aws:organizations::{owner}/{kind}/{id}")
    };
    json!({ "Id": id, "Arn": arn, "Name": policy.name, "Description": policy.description, "Type": policy.kind.name(), "AwsManaged": policy.aws })
}

fn shown(organization: &Organization, id: &str) -> Result<Value, ApiError> {
    let policy = organization.policies.get(id).ok_or_else(|| absent(id))?;
    Ok(json!({ "Policy": { "PolicySummary": summary(organization, id, policy), "Content": policy.text } }))
}

fn absent(id: &str) -> ApiError {
    ApiError::bad_request("PolicyNotFoundException", format!("You specified a policy that doesn't exist: {id}"))
}

/// `CreatePolicy`
pub(super) fn create(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let (kind, name) = (Kind::read(input, "Type")?, wire::text(input, "Name")?.to_owned());
    wire::text(input, "Content")?;
    let Some((text, document)) = content(input, kind)? else { return Err(absent(&name)) };
    let description = wire::optional(input, "Description").unwrap_or_default().to_owned();
    let id = format!("p-{}", world.hex(8));
    let organization = own(world)?;
    if organization.policies.values().any(|policy| policy.kind == kind && policy.name == name) {
        return Err(ApiError::bad_request("DuplicatePolicyException", "A policy with the same name already exists."));
    }
    organization.policies.insert(id.clone(), Policy { kind, name, description, text, document, aws: false });
    shown(organization, &id)
}

fn changeable<'w>(world: &'w mut World, id: &str) -> Result<&'w mut Organization, ApiError> {
    let organization = own(world)?;
    match organization.policies.get(id) {
        Some(policy) if policy.aws => {
            Err(ApiError::bad_request("PolicyChangesNotAllowedException", "Changes to this policy are not allowed."))
        }
        Some(_) => Ok(organization),
        None => Err(absent(id)),
    }
}

/// `UpdatePolicy`
pub(super) fn update(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let id = wire::text(input, "PolicyId")?;
    let organization = changeable(world, id)?;
    let policy = organization.policies.get_mut(id).ok_or_else(|| absent(id))?;
    if let Some((text, document)) = content(input, policy.kind)? {
        policy.text = text;
        policy.document = document;
    }
    if let Some(name) = wire::optional(input, "Name") {
        name.clone_into(&mut policy.name);
    }
    if let Some(description) = wire::optional(input, "Description") {
        description.clone_into(&mut policy.description);
    }
    shown(organization, id)
}

/// `DescribePolicy`
pub(super) fn describe(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    shown(own(world)?, wire::text(input, "PolicyId")?)
}

/// `DeletePolicy`: only one that is attached nowhere.
pub(super) fn delete(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let id = wire::text(input, "PolicyId")?;
    let organization = changeable(world, id)?;
    if organization.attached.values().any(|ids| ids.contains(id)) {
        return Err(ApiError::bad_request("PolicyInUseException", "The policy is attached to one or more entities."));
    }
    organization.policies.remove(id);
    Ok(Value::Null)
}

/// `ListPolicies`
pub(super) fn list(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let kind = Kind::read(input, "Filter")?;
    let organization = own(world)?;
    let of_kind = organization.policies.iter().filter(|(_, policy)| policy.kind == kind);
    paged("Policies", input, of_kind.map(|(id, policy)| (id.clone(), summary(organization, id, policy))))
}

fn target<'a>(organization: &Organization, input: &'a Input) -> Result<&'a str, ApiError> {
    let target = wire::text(input, "TargetId")?;
    if target == organization.root || organization.accounts.contains_key(target) {
        return Ok(target);
    }
    Err(ApiError::bad_request("TargetNotFoundException", "You specified a target entity that doesn't exist."))
}

/// `AttachPolicy`
pub(super) fn attach(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let (organization, id) = (own(world)?, wire::text(input, "PolicyId")?);
    let target = target(organization, input)?.to_owned();
    let kind = organization.policies.get(id).ok_or_else(|| absent(id))?.kind;
    let Organization { policies, attached, .. } = organization;
    let attached = attached.entry(target).or_default();
    if attached.contains(id) {
        return Err(ApiError::bad_request(
            "DuplicatePolicyAttachmentException",
            "The selected policy is already attached to the specified target.",
        ));
    }
    let of_kind = attached.iter().filter(|id| policies.get(*id).is_some_and(|policy| policy.kind == kind)).count();
    if of_kind >= kind.most_attached() {
        let message = format!("A target has at most {} policies of a type.", kind.most_attached());
        return Err(violated("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message));
    }
    attached.insert(id.to_owned());
    Ok(Value::Null)
}

/// `DetachPolicy`: a target keeps one service control policy at least.
pub(super) fn detach(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let (organization, id) = (own(world)?, wire::text(input, "PolicyId")?);
    let target = target(organization, input)?.to_owned();
    let policy = organization.policies.get(id).ok_or_else(|| absent(id))?;
    if policy.kind == Kind::Resource && policy.aws {
        return Err(ApiError::bad_request("PolicyChangesNotAllowedException", "RCPFullAWSAccess can't be detached."));
    }
    let kind = policy.kind;
    let Organization { policies, attached, .. } = organization;
    let attached = attached.entry(target).or_default();
    if !attached.contains(id) {
        return Err(ApiError::bad_request("PolicyNotAttachedException", "The policy isn't attached to the specified target."));
    }
    let of_kind = attached.iter().filter(|id| policies.get(*id).is_some_and(|policy| policy.kind == kind)).count();
    if kind == Kind::Service && of_kind == 1 {
        return Err(violated("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", "A target needs one service control policy.".to_owned()));
    }
    attached.remove(id);
    Ok(Value::Null)
}

/// `ListTargetsForPolicy`
pub(super) fn list_targets(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let (organization, id) = (own(world)?, wire::text(input, "PolicyId")?);
    organization.policies.get(id).ok_or_else(|| absent(id))?;
    let Organization { id: own_id, root, management, accounts, attached, .. } = &*organization;
    let targets = attached.iter().filter(|(_, ids)| ids.contains(id)).map(|(target, _)| {
        let (kind, lower, name) =
            if target == root { ("ROOT", "root", "Root") } else { ("ACCOUNT", "account", accounts.get(target).map_or("", String::as_str)) };
        let arn = format!("arn:aws:organizations::{management}:{lower}/{own_id}/{target}");
        (target.clone(), json!({ "TargetId": target, "Arn": arn, "Name": name, "Type": kind }))
    });
    paged("Targets", input, targets)
}

/// `ListPoliciesForTarget`
pub(super) fn list_for_target(world: &mut World, input: &Input) -> Result<Value, ApiError> {
    let kind = Kind::read(input, "Filter")?;
    let organization = own(world)?;
    let target = target(organization, input)?;
    let ids = organization.attached.get(target).into_iter().flatten();
    let policies = ids.filter_map(|id| Some((id, organization.policies.get(id).filter(|policy| policy.kind == kind)?)));
    paged("Policies", input, policies.map(|(id, policy)| (id.clone(), summary(organization, id, policy))))
}
