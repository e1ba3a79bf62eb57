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

use super::roles::{AccountRole, RoleReading, key_access};
use super::sources::{Use, Used};
use crate::document::{Answer, Document, Principal, Request};
use crate::inventory::{PathFacts, Reading, ResolvedKey};
use crate::plan::compare::unreadable_words;
use crate::plan::draft::Draft;
use crate::plan::keys::KeyUser;
use crate::plan::{Block, Gate};
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
/// roles, that they would tell is noted in the draft. `Err`: AWS was asked, and did not tell: whoever reaches the resource
/// through IAM alone could go silent.
pub(crate) fn users_through_iam(draft: &mut Draft, moved: &Moved<'_>, uses: &[Use]) -> Result<Vec<KeyUser>, Block> {
    let inventory = moved.used.inventory;
    want_all_roles(draft, inventory);
    if let Some(why) = &inventory.path_facts.unlisted_roles {
        let reason = format!(
            "nobody can tell who reaches {} through IAM alone, and would need the key: the account's roles could not be listed. {}",
            moved.used.name(),
            unreadable_words(why, "iam:GetAccountAuthorizationDetails")
        );
        return Err(Block { name: Gate::Unread, reason });
    }
    if !inventory.path_facts.all_roles {
        return Ok(Vec::new());
    }
    let roles = draft.account_roles(inventory);
    let key_today = key_today(moved);
    let found = roles.iter().filter(|role| !role.arn.resource().starts_with("role/aws-service-role/"));
    Ok(found.flat_map(|role| uses_of(moved, key_today.as_ref(), uses, role)).collect())
}

/// Notes that the account's roles would tell more, where they could still be read.
pub(crate) fn want_all_roles(draft: &mut Draft, inventory: &Inventory) {
    let PathFacts { roles, all_roles: all, unlisted_roles, .. } = &inventory.path_facts;
    if !(*all || unlisted_roles.is_some() || matches!(roles, Reading::Unreadable { .. })) {
        draft.helpful_facts.insert(all_roles(inventory));
    }
}

/// The name under which all roles of an account are asked for: its root.
pub(crate) fn all_roles(inventory: &Inventory) -> Arn {
    Arn::new(&inventory.scope.partition, "iam", "", &inventory.scope.account, "root")
}

fn uses_of(moved: &Moved<'_>, key_today: Option<&(Arn, Document)>, all: &[Use], role: &AccountRole) -> Vec<KeyUser> {
    let Some(policies) = role.policies() else { return Vec::new() };
    let principal = Principal::Aws(role.arn.to_string());
    let nothing = BTreeMap::new();
    let may = |needed: &&Use| {
        let request =
            Request { principal: &principal, action: needed.action, resource: moved.data, context: &nothing, context_is_complete: false };
        policies.names_action(needed.action) && policies.allow(&request).answer != Answer::No
    };
    let through = all.iter().filter(may).map(|needed| {
        let user = moved.used.user(principal.clone(), needed, moved.used.forwarded(role.arn.as_str()));
        KeyUser { role: format!("{} by its IAM policies)", user.role.trim_end_matches(')')), ..user }
    });
    through.filter(|user| key_today.is_none_or(|(arn, document)| gets_through(arn, document, user, &role.reading))).collect()
}

/// The key that stands in the way today, with its document; `None` where none does, or nothing is known of it.
fn key_today(moved: &Moved<'_>) -> Option<(Arn, Document)> {
    let inventory = moved.used.inventory;
    let ResolvedKey::Key(arn) = inventory.resolve_key(moved.key?) else { return None };
    let document = Document::parse(inventory.keys.get(&arn)?.document.known()?).ok()?;
    Some((arn, document))
}

/// The key does not certainly shut the user out.
fn gets_through(key: &Arn, document: &Document, user: &KeyUser, role: &RoleReading) -> bool {
    user.actions.iter().all(|action| {
        let request =
            Request { principal: &user.principal, action, resource: key.as_str(), context: &user.context, context_is_complete: false };
        key_access(document, key, &request, role).answer != Answer::No
    })
}
