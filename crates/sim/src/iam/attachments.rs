//! What a role is allowed: inline policies, attached ones, its boundary.

use super::roles::{allowed, found};
use super::{encoded, length, members, no_such_entity, page, paged, policy_text};
use crate::error::ApiError;
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::world::{Origin, World};

/// Characters of all inline policies of a role together. [IAM: Quotas]
const LONGEST_INLINE: usize = 10_240;
/// Managed policies of a role. [IAM: Quotas, default]
const MOST_ATTACHED: usize = 10;

/// `PutRolePolicy`
pub(super) fn put_inline(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:PutRolePolicy")?;
    let name = form.need("PolicyName")?.to_owned();
    let text = policy_text(form, "PolicyDocument", LONGEST_INLINE)?;
    let role = found(world, &key)?;
    let others: usize = role.inline.iter().filter(|(known, _)| **known != name).map(|(_, text)| length(text)).sum();
    if others + length(&text) > LONGEST_INLINE {
        let message = format!("Maximum policy size of {LONGEST_INLINE} bytes exceeded for role {}", key.1);
        return Err(ApiError::new(409, "LimitExceeded", message));
    }
    role.inline.insert(name, text);
    world.iam.refresh(&key);
    Ok(Element::default())
}

fn no_policy(name: &str) -> ApiError {
    no_such_entity(format!("The role policy with name {name} cannot be found."))
}

/// `GetRolePolicy`
pub(super) fn get_inline(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:GetRolePolicy")?;
    let name = form.need("PolicyName")?;
    let text = found(world, &key)?.inline.get(name).ok_or_else(|| no_policy(name))?;
    Ok(Element::default().text("RoleName", &key.1).text("PolicyName", name).text("PolicyDocument", encoded(text)))
}

/// `ListRolePolicies`
pub(super) fn list_inline(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:ListRolePolicies")?;
    let names = found(world, &key)?.inline.keys().map(|name| (name.clone(), name.clone()));
    let (names, marker) = page(form, names)?;
    let list = names.iter().fold(Element::new("PolicyNames"), |list, name| list.text("member", name));
    Ok(paged(Element::default().child(list), marker))
}

/// `DeleteRolePolicy`
pub(super) fn delete_inline(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:DeleteRolePolicy")?;
    let name = form.need("PolicyName")?;
    found(world, &key)?.inline.remove(name).ok_or_else(|| no_policy(name))?;
    world.iam.refresh(&key);
    Ok(Element::default())
}

fn existing<'a>(world: &World, form: &'a Form, member: &str) -> Result<&'a str, ApiError> {
    let arn = form.need(member)?;
    match world.iam.document(arn) {
        Some(_) => Ok(arn),
        None => Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable."))),
    }
}

/// `AttachRolePolicy`
pub(super) fn attach(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:AttachRolePolicy")?;
    let arn = existing(world, form, "PolicyArn")?;
    let role = found(world, &key)?;
    if role.attached.len() >= MOST_ATTACHED && !role.attached.contains(arn) {
        return Err(ApiError::new(409, "LimitExceeded", format!("Cannot exceed quota for PoliciesPerRole: {MOST_ATTACHED}")));
    }
    role.attached.insert(arn.to_owned());
    world.iam.refresh(&key);
    Ok(Element::default())
}

/// `DetachRolePolicy`
pub(super) fn detach(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:DetachRolePolicy")?;
    let arn = form.need("PolicyArn")?;
    if !found(world, &key)?.attached.remove(arn) {
        return Err(no_such_entity(format!("Policy {arn} was not found.")));
    }
    world.iam.refresh(&key);
    Ok(Element::default())
}

/// `ListAttachedRolePolicies`
pub(super) fn list_attached(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:ListAttachedRolePolicies")?;
    let arns = found(world, &key)?.attached.iter().map(|arn| (arn.clone(), attached(arn)));
    let (policies, marker) = page(form, arns)?;
    Ok(paged(Element::default().child(members("AttachedPolicies", policies)), marker))
}

/// `AttachedPolicy`
pub(super) fn attached(arn: &str) -> Element {
    Element::default().text("PolicyName", arn.rsplit('/').next().unwrap_or_default()).text("PolicyArn", arn)
}

/// `PutRolePermissionsBoundary`
pub(super) fn put_boundary(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:PutRolePermissionsBoundary")?;
    let arn = existing(world, form, "PermissionsBoundary")?.to_owned();
    found(world, &key)?.boundary = Some(arn);
    world.iam.refresh(&key);
    Ok(Element::default())
}

/// `DeleteRolePermissionsBoundary`
pub(super) fn delete_boundary(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:DeleteRolePermissionsBoundary")?;
    if found(world, &key)?.boundary.take().is_none() {
        return Err(no_such_entity(format!("Role {} has no permissions boundary.", key.1)));
    }
    world.iam.refresh(&key);
    Ok(Element::default())
}
