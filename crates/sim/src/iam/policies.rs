//! Managed policies and their versions.

use super::{aws_policies, conflict, encoded, members, no_such_entity, page, paged, permitted, policy_text};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::world::{Origin, World};

/// Characters of a managed policy. [IAM: Quotas]
const LONGEST: usize = 6144;
/// Versions of a managed policy. [IAM: Quotas]
const MOST_VERSIONS: usize = 5;

/// A customer's managed policy.
#[derive(Debug)]
pub(super) struct Policy {
    /// `ANPA…`
    id: String,
    created: Moment,
    updated: Moment,
    /// The number of the version that decides.
    default: u32,
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    number: u32,
    text: String,
    created: Moment,
}

impl super::State {
    /// The text that a managed policy has at present; `None`: there is no such policy.
    pub(super) fn document(&self, arn: &str) -> Option<String> {
        match self.policies.get(arn) {
            Some(policy) => policy.versions.iter().find(|version| version.number == policy.default).map(|version| version.text.clone()),
            None => aws_policies::document(arn),
        }
    }

    /// How many roles have it attached, and how many as their boundary.
    fn uses(&self, arn: &str, account: &str) -> (usize, usize) {
        let roles = self.roles.values().filter(|role| role.account == account);
        roles.fold((0, 0), |(attached, boundary), role| {
            (attached + usize::from(role.attached.contains(arn)), boundary + usize::from(role.boundary.as_deref() == Some(arn)))
        })
    }
}

/// `Policy`; `None`: there is no such policy.
pub(super) fn shown(world: &World, arn: &str, account: &str) -> Option<Element> {
    let (attached, boundary) = world.iam.uses(arn, account);
    let resource = arn.split(":policy").nth(1)?;
    let split = resource.rfind('/')?;
    let (path, name) = resource.split_at(split + 1);
    let (id, default, created, updated) = match world.iam.policies.get(arn) {
        Some(policy) => (policy.id.clone(), policy.default, policy.created, policy.updated),
        None => (format!("ANPA{}", name.to_ascii_uppercase()), 1, Moment(0), Moment(0)),
    };
    world.iam.document(arn)?;
    let shown = Element::new("Policy")
        .text("PolicyName", name)
        .text("PolicyId", id)
        .text("Arn", arn)
        .text("Path", path)
        .text("DefaultVersionId", format!("v{default}"))
        .text("AttachmentCount", attached)
        .text("PermissionsBoundaryUsageCount", boundary)
        .text("IsAttachable", true);
    Some(shown.text("CreateDate", created.iso8601()).text("UpdateDate", updated.iso8601()))
}

/// `PolicyVersionList`, newest first.
pub(super) fn shown_versions(world: &World, arn: &str) -> Element {
    let version = |number: u32, default: bool, text: &str, created: Moment| {
        Element::default()
            .text("Document", encoded(text))
            .text("VersionId", format!("v{number}"))
            .text("IsDefaultVersion", default)
            .text("CreateDate", created.iso8601())
    };
    if let Some(policy) = world.iam.policies.get(arn) {
        let versions = policy.versions.iter().rev();
        let shown = versions.map(|one| version(one.number, one.number == policy.default, &one.text, one.created));
        return members("PolicyVersionList", shown);
    }
    members("PolicyVersionList", aws_policies::document(arn).map(|text| version(1, true, &text, Moment(0))))
}

fn absent(arn: &str) -> ApiError {
    no_such_entity(format!("Policy {arn} was not found."))
}

/// `CreatePolicy`
pub(super) fn create(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let (account, name, path) = (origin.account(), form.need("PolicyName")?, form.get("Path").unwrap_or("/"));
    let arn = format!("arn:aws:iam::{account}:policy{path}{name}");
    permitted(world, origin, "iam:CreatePolicy", &arn)?;
    let suffix = format!("/{name}");
    let owned = format!("arn:aws:iam::{account}:policy/");
    if world.iam.policies.keys().any(|known| known.starts_with(&owned) && known.ends_with(&suffix)) {
        return Err(ApiError::new(
            409,
            "EntityAlreadyExists",
            format!("A policy called {name} already exists. Duplicate names are not allowed."),
        ));
    }
    let text = policy_text(form, "PolicyDocument", LONGEST)?;
    let (id, now) = (format!("ANPA{}", world.hex(17).to_uppercase()), world.now());
    let versions = vec![Version { number: 1, text, created: now }];
    world.iam.policies.insert(arn.clone(), Policy { id, created: now, updated: now, default: 1, versions });
    shown(world, &arn, account).map(|policy| Element::default().child(policy)).ok_or_else(|| absent(&arn))
}

/// `GetPolicy`
pub(super) fn get(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let arn = form.need("PolicyArn")?;
    permitted(world, origin, "iam:GetPolicy", arn)?;
    shown(world, arn, origin.account()).map(|policy| Element::default().child(policy)).ok_or_else(|| absent(arn))
}

/// `GetPolicyVersion`
pub(super) fn get_version(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let (arn, wanted) = (form.need("PolicyArn")?, form.need("VersionId")?);
    permitted(world, origin, "iam:GetPolicyVersion", arn)?;
    if world.iam.document(arn).is_none() {
        return Err(absent(arn));
    }
    let versions = shown_versions(world, arn);
    let found = versions.all("member").find(|version| version.value("VersionId") == Some(wanted));
    let found = found.ok_or_else(|| no_such_entity(format!("Policy {arn} version {wanted} does not exist or is not attachable.")))?;
    Ok(Element::default().child(found.clone().named("PolicyVersion")))
}

/// `CreatePolicyVersion`
pub(super) fn create_version(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let arn = form.need("PolicyArn")?;
    permitted(world, origin, "iam:CreatePolicyVersion", arn)?;
    let (text, now) = (policy_text(form, "PolicyDocument", LONGEST)?, world.now());
    let policy = world.iam.policies.get_mut(arn).ok_or_else(|| absent(arn))?;
    if policy.versions.len() >= MOST_VERSIONS {
        let message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
        return Err(ApiError::new(409, "LimitExceeded", message));
    }
    let number = policy.versions.last().map_or(1, |last| last.number + 1);
    let default = form.get("SetAsDefault") == Some("true");
    policy.versions.push(Version { number, text, created: now });
    policy.updated = now;
    if default {
        policy.default = number;
        let affected = |(_, role): &(_, &super::Role)| role.attached.contains(arn) || role.boundary.as_deref() == Some(arn);
        let affected: Vec<_> = world.iam.roles.iter().filter(affected).map(|(key, _)| key.clone()).collect();
        for role in &affected {
            world.iam.refresh(role);
        }
    }
    let version = Element::new("PolicyVersion").text("VersionId", format!("v{number}")).text("IsDefaultVersion", default);
    Ok(Element::default().child(version.text("CreateDate", now.iso8601())))
}

/// `ListPolicies`
pub(super) fn list(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let account = origin.account();
    permitted(world, origin, "iam:ListPolicies", &format!("arn:aws:iam::{account}:policy/"))?;
    let owned = format!("arn:aws:iam::{account}:policy/");
    let local = world.iam.policies.keys().filter(|arn| arn.starts_with(&owned)).cloned();
    let scope = form.get("Scope").unwrap_or("All");
    let mut arns: Vec<String> = match scope {
        "Local" => local.collect(),
        "AWS" => aws_policies::arns().collect(),
        _ => local.chain(aws_policies::arns()).collect(),
    };
    arns.retain(|arn| form.get("OnlyAttached") != Some("true") || world.iam.uses(arn, account) != (0, 0));
    arns.sort();
    let shown = arns.into_iter().filter_map(|arn| shown(world, &arn, account).map(|policy| (arn, policy)));
    let (policies, marker) = page(form, shown)?;
    Ok(paged(Element::default().child(members("Policies", policies)), marker))
}

/// `DeletePolicy`: only one that nobody uses.
pub(super) fn delete(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    let arn = form.need("PolicyArn")?;
    permitted(world, origin, "iam:DeletePolicy", arn)?;
    if world.iam.uses(arn, origin.account()) != (0, 0) {
        return Err(conflict("Cannot delete a policy attached to entities."));
    }
    world.iam.policies.remove(arn).ok_or_else(|| absent(arn))?;
    Ok(Element::default())
}
