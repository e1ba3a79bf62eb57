//! Everything about an account's roles and policies in one paged listing. [iam:GetAccountAuthorizationDetails]

use std::collections::BTreeSet;

use super::roles::{Role, of_account};
use super::{aws_policies, encoded, members, page, paged, permitted, policies};
use crate::error::ApiError;
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::world::{Origin, World};

/// `GetAccountAuthorizationDetails`: roles first, then managed policies; of AWS's only those in use.
pub(super) fn get(world: &mut World, origin: &Origin, form: &Form) -> Result<Element, ApiError> {
    permitted(world, origin, "iam:GetAccountAuthorizationDetails", "*")?;
    let filter = form.values("Filter.member");
    let wanted = |kind: &str| filter.is_empty() || filter.iter().any(|one| one == kind);
    let account = origin.account();
    let roles = of_account(world, account).filter(|_| wanted("Role"));
    let roles = roles.map(|role| (format!("1{}", role.name), (true, shown(role))));
    let used: BTreeSet<&String> = of_account(world, account).flat_map(|role| role.attached.iter().chain(&role.boundary)).collect();
    let owned = format!("arn:aws:iam::{account}:policy/");
    let local = world.iam.policies.keys().filter(|arn| arn.starts_with(&owned) && wanted("LocalManagedPolicy"));
    let aws = used.into_iter().filter(|arn| arn.starts_with(aws_policies::PREFIX) && wanted("AWSManagedPolicy"));
    let mut arns: Vec<&String> = local.chain(aws).collect();
    arns.sort();
    let policies = arns.into_iter().filter_map(|arn| {
        let policy = policies::shown(world, arn, account)?.child(policies::shown_versions(world, arn));
        Some((format!("2{arn}"), (false, policy)))
    });
    let (items, marker) = page(form, roles.chain(policies))?;
    let (roles, policies): (Vec<_>, Vec<_>) = items.into_iter().partition(|(role, _)| *role);
    let list = |name, items: Vec<(bool, Element)>| members(name, items.into_iter().map(|(_, item)| item));
    let answer = Element::default().child(Element::new("UserDetailList")).child(Element::new("GroupDetailList"));
    Ok(paged(answer.child(list("RoleDetailList", roles)).child(list("Policies", policies)), marker))
}

/// `RoleDetail`
fn shown(role: &Role) -> Element {
    let inline = role.inline.iter().map(|(name, text)| Element::default().text("PolicyName", name).text("PolicyDocument", encoded(text)));
    let detail = Element::default()
        .text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.id)
        .text("Arn", role.arn())
        .text("CreateDate", role.created.iso8601())
        .text("AssumeRolePolicyDocument", encoded(&role.trust))
        .child(Element::new("InstanceProfileList"))
        .child(members("RolePolicyList", inline))
        .child(members("AttachedManagedPolicies", role.attached.iter().map(|arn| super::attachments::attached(arn))))
        .child(role.shown_tags());
    match role.shown_boundary() {
        Some(boundary) => detail.child(boundary),
        None => detail,
    }
}
