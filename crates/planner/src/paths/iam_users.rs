//! Roles of the account that reach a resource through their own IAM policies alone.
//!
//! They leave no trace in the resource's document, and a key that leaves them to IAM lets them through only if their
//! policies speak of it too: a role that reads a queue and may not decrypt goes silent the moment the queue is moved to
//! a customer's key. So where a resource is moved, the account's roles are looked at, if they could be read.
//!
//! A role that does not get through with the resource's key of today is no user that a step could break. A role that may
//! do everything (`*`) is not taken for a user, as nobody would be let use a key that was made to keep it out; what it may
//! do with keys, its own policies say. Service-linked roles are their service's business.

use std::collections::BTreeMap;

use super::roles::{RolePolicies, RoleReading, key_access};
use super::sources::{Use, Used};
use crate::document::{Answer, Document, Principal, Request};
use crate::inventory::{Reading, ResolvedKey, Role};
use crate::plan::draft::Draft;
use crate::plan::keys::KeyUser;
use crate::{Arn, Inventory};

/// A resource that is to be moved to another key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved<'a> {
    /// It.
    pub(crate) used: Used<'a>,
    /// What data actions are asked about: the resource's ARN, or for buckets that of any object.
    pub(crate) data: &'a str,
    /// The key it is under today, as written; `None` where no KMS key is.
    pub(crate) key: Option<&'a str>,
}

/// The roles that use the resource today through IAM alone, for each of `uses`. Where nobody has read the account's
/// roles, that they would tell is noted in the draft.
pub(crate) fn users_through_iam(draft: &mut Draft, moved: &Moved<'_>, uses: &[Use]) -> Vec<KeyUser> {
    let inventory = moved.used.inventory;
    want_all_roles(draft, inventory);
    let Some(roles) = inventory.path_facts.roles.known().filter(|_| inventory.path_facts.all_roles) else { return Vec::new() };
    let mut found = Vec::new();
    for (arn, role) in roles.iter().filter(|(arn, _)| !arn.resource().starts_with("role/aws-service-role/")) {
        found.extend(uses_of(moved, uses, arn, role));
    }
    found
}

/// Notes that the account's roles would tell more, where they could still be read.
pub(crate) fn want_all_roles(draft: &mut Draft, inventory: &Inventory) {
    let unreadable = matches!(inventory.path_facts.roles, Reading::Unreadable { .. });
    if !unreadable && !inventory.path_facts.all_roles {
        draft.helpful_facts.insert(all_roles(inventory));
    }
}

/// The name under which all roles of an account are asked for: its root.
pub(crate) fn all_roles(inventory: &Inventory) -> Arn {
    Arn::new(&inventory.scope.partition, "iam", "", &inventory.scope.account, "root")
}

fn uses_of(moved: &Moved<'_>, all: &[Use], arn: &Arn, role: &Role) -> Vec<KeyUser> {
    let service = format!("{}:", moved.used.arn.service());
    if !role.policies.iter().any(|text| text.to_ascii_lowercase().contains(&service)) {
        return Vec::new();
    }
    let Some(policies) = RolePolicies::of(role) else { return Vec::new() };
    let principal = Principal::Aws(arn.to_string());
    let nothing = BTreeMap::new();
    let may = |needed: &&Use| {
        let request =
            Request { principal: &principal, action: needed.action, resource: moved.data, context: &nothing, context_is_complete: false };
        policies.names_action(needed.action) && policies.allow(&request).answer != Answer::No
    };
    let reading = RoleReading::Known(policies.clone());
    let through = all.iter().filter(may).map(|needed| {
        let user = moved.used.user(principal.clone(), needed, moved.used.forwarded(arn.as_str()));
        KeyUser { role: format!("{} by its IAM policies)", user.role.trim_end_matches(')')), ..user }
    });
    through.filter(|user| works_today(moved, user, &reading)).collect()
}

/// No key stands in the way today, or the one that does lets the user through, as far as it is known.
fn works_today(moved: &Moved<'_>, user: &KeyUser, role: &RoleReading) -> bool {
    let inventory = moved.used.inventory;
    let Some(ResolvedKey::Key(arn)) = moved.key.map(|key| inventory.resolve_key(key)) else { return true };
    let document = inventory.keys.get(&arn).and_then(|key| Document::parse(key.document.known()?).ok());
    let Some(document) = document else { return true };
    user.actions.iter().all(|action| {
        let request =
            Request { principal: &user.principal, action, resource: arn.as_str(), context: &user.context, context_is_complete: false };
        key_access(&document, &arn, &request, role).answer != Answer::No
    })
}
