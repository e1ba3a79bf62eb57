//! Roles.

use std::collections::{BTreeMap, BTreeSet};

use super::{conflict, encoded, members, no_such_entity, page, paged, permitted, policy_text};
use crate::access::Document;
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::world::{Origin, World};

/// Characters of a trust policy. [IAM: Quotas]
const LONGEST_TRUST: usize = 2048;

/// A role.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) account: String,
    pub(super) path: String,
    pub(super) name: String,
    /// `AROA…`
    pub(super) id: String,
    pub(super) created: Moment,
    pub(super) description: Option<String>,
    /// Seconds.
    pub(super) longest_session: u64,
    /// Who may become this role.
    pub(super) trust: String,
    pub(super) trusted: Document,
    pub(super) tags: Vec<(String, String)>,
    /// Name → text.
    pub(super) inline: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub(super) attached: BTreeSet<String>,
    /// ARN of a managed policy.
    pub(super) boundary: Option<String>,
}

impl Role {
    pub(super) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role{}{}", self.account, self.path, self.name)
    }

    /// `Role`, whole or as lists show it. [iam:Role; iam:ListRoles: without tags and boundary]
    pub(super) fn shown(&self, whole: bool) -> Element {
        let shown = Element::new("Role")
            .text("Path", &self.path)
            .text("RoleName", &self.name)
            .text("RoleId", &self.id)
            .text("Arn", self.arn())
            .text("CreateDate", self.created.iso8601())
            .text("AssumeRolePolicyDocument", encoded(&self.trust))
            .maybe("Description", self.description.as_ref())
            .text("MaxSessionDuration", self.longest_session);
        if !whole {
            return shown;
        }
        let shown = if self.tags.is_empty() { shown } else { shown.child(self.shown_tags()) };
        match self.shown_boundary() {
            Some(boundary) => shown.child(boundary),
            None => shown,
        }
    }

    pub(super) fn shown_tags(&self) -> Element {
        members("Tags", self.tags.iter().map(|(key, value)| Element::default().text("Key", key).text("Value", value)))
    }

    pub(super) fn shown_boundary(&self) -> Option<Element> {
        let boundary = self.boundary.as_ref()?;
        let shown = Element::new("PermissionsBoundary").text("PermissionsBoundaryType", "Policy");
        Some(shown.text("PermissionsBoundaryArn", boundary))
    }
}

/// Where a request's role is kept.
pub(super) fn key(origin: &Origin, form: &Form) -> Result<(String, String), ApiError> {
    let name = form.need("RoleName")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
        return Err(ApiError::bad_request("ValidationError", format!("The specified value for roleName is invalid: {name}")));
    }
    Ok((origin.account().to_owned(), name.to_owned()))
}

/// Asks for permission on a role that exists. On success: where it is kept.
pub(super) fn allowed(world: &World, origin: &Origin, form: &Form, action: &str) -> Result<(String, String), ApiError> {
    let key = key(origin, form)?;
    let role = world.iam.roles.get(&key);
    let arn = role.map_or_else(|| format!("arn:aws:iam::{}:role/{}", key.0, key.1), Role::arn);
    permitted(world, origin, action, &arn)?;
    if role.is_none() {
        return Err(no_such_entity(format!("The role with name {} cannot be found.", key.1)));
    }
    Ok(key)
}

/// The role that a request names, to be changed.
pub(super) fn found<'w>(world: &'w mut World, key: &(String, String)) -> Result<&'w mut Role, ApiError> {
    world.iam.roles.get_mut(key).ok_or_else(|| no_such_entity(format!("The role with name {} cannot be found.", key.1)))
}

/// `CreateRole`
pub(super) fn create(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let (account, name) = key(origin, form)?;
    let path = form.get("Path").unwrap_or("/").to_owned();
    if !path.starts_with('/') || !path.ends_with('/') {
        return Err(ApiError::bad_request("ValidationError", "The specified value for path is invalid."));
    }
    permitted(world, origin, "iam:CreateRole", &format!("arn:aws:iam::{account}:role{path}{name}"))?;
    let key = (account.clone(), name.clone());
    if world.iam.roles.contains_key(&key) {
        return Err(ApiError::new(409, "EntityAlreadyExists", format!("Role with name {name} already exists.")));
    }
    let trust = policy_text(form, "AssumeRolePolicyDocument", LONGEST_TRUST)?;
    let longest_session = form.get("MaxSessionDuration").map_or(Ok(3600), str::parse).unwrap_or(0);
    if !(3600..=43200).contains(&longest_session) {
        return Err(ApiError::bad_request("ValidationError", "MaxSessionDuration must be between 3600 and 43200 seconds."));
    }
    let boundary = form.get("PermissionsBoundary").map(str::to_owned);
    if boundary.as_ref().is_some_and(|arn| world.iam.document(arn).is_none()) {
        return Err(no_such_entity("The permissions boundary does not exist.".to_owned()));
    }
    let role = Role {
        account,
        path,
        name,
        id: format!("AROA{}", world.hex(17).to_uppercase()),
        created: world.now(),
        description: form.get("Description").map(str::to_owned),
        longest_session,
        trusted: trusted(&trust)?,
        trust,
        tags: form.pairs("Tags.member", "Key", "Value"),
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
        boundary,
    };
    let shown = role.shown(true);
    world.iam.roles.insert(key.clone(), role);
    world.iam.refresh(&key);
    Ok(Element::default().child(shown))
}

pub(super) fn trusted(text: &str) -> Result<Document, ApiError> {
    Document::parse_trust(text).ok_or_else(|| ApiError::bad_request("MalformedPolicyDocument", "Syntax errors in policy."))
}

/// `GetRole`
pub(super) fn get(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:GetRole")?;
    Ok(Element::default().child(found(world, &key)?.shown(true)))
}

/// `ListRoles`
pub(super) fn list(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    permitted(world, origin, "iam:ListRoles", &format!("arn:aws:iam::{}:role/", origin.account()))?;
    let prefix = form.get("PathPrefix").unwrap_or("/");
    let entries = of_account(world, origin.account()).filter(|role| role.path.starts_with(prefix));
    let (roles, marker) = page(form, entries.map(|role| (role.name.clone(), role.shown(false))))?;
    Ok(paged(Element::default().child(members("Roles", roles)), marker))
}

/// Roles of an account, by name.
pub(super) fn of_account<'w>(world: &'w World, account: &str) -> impl Iterator<Item = &'w Role> {
    let account = account.to_owned();
    let from = (account.clone(), String::new());
    world.iam.roles.range(from..).take_while(move |((owner, _), _)| *owner == account).map(|(_, role)| role)
}

/// `DeleteRole`: only one without policies.
pub(super) fn delete(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:DeleteRole")?;
    let role = found(world, &key)?;
    if !role.inline.is_empty() {
        return Err(conflict("Cannot delete entity, must delete policies first."));
    }
    if !role.attached.is_empty() {
        return Err(conflict("Cannot delete entity, must detach all policies first."));
    }
    let arn = role.arn();
    world.iam.roles.remove(&key);
    world.iam.identities.remove(&arn);
    Ok(Element::default())
}

/// `UpdateAssumeRolePolicy`
pub(super) fn update_trust(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let key = allowed(world, origin, form, "iam:UpdateAssumeRolePolicy")?;
    let trust = policy_text(form, "PolicyDocument", LONGEST_TRUST)?;
    let role = found(world, &key)?;
    role.trusted = trusted(&trust)?;
    role.trust = trust;
    Ok(Element::default())
}

/// Who may become a role, and for how long at most: by ARN.
pub(crate) struct Trust<'a> {
    pub(crate) document: &'a Document,
    /// Seconds.
    pub(crate) longest_session: u64,
    /// `AROA…`
    pub(crate) id: &'a str,
}

impl super::State {
    /// A role's trust policy; `None`: there is no such role.
    pub(crate) fn trust(&self, arn: &str) -> Option<Trust<'_>> {
        let account = arn.split(':').nth(4)?;
        let name = arn.rsplit('/').next()?;
        let role = self.roles.get(&(account.to_owned(), name.to_owned())).filter(|role| role.arn() == arn)?;
        Some(Trust { document: &role.trusted, longest_session: role.longest_session, id: &role.id })
    }
}
