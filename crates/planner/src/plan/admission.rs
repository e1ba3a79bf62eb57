//! Does a key's document let a resource's users through; and where it does not, who may change that?
//!
//! A document that an earlier step of this plan writes counts as if written. What is missing on a key that a policy
//! lists is asked for (a [`Demand`]): the plan gives it in the step that writes the key's document, before the resource is
//! switched, and only if nothing else stops the switch. On any other key it is somebody else's to give, and the step is blocked.

use super::context::Context;
use super::draft::Draft;
use super::keys::{KeyRequirement, KeyUser};
use super::step::{Block, Gate};
use crate::document::{Access, Answer, Document, Request};
use crate::inventory::{Key, Reading, ResolvedKey};
use crate::kms::needs::{may_be_given, statements_to_add, with_grants};
use crate::paths::roles::{RoleReading, key_access, role};
use crate::{Arn, Inventory};

/// What a resource needs on the document of a key of ours before it may be switched to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The key's ARN; for a key to be created its alias's.
    pub(crate) key: Arn,
    /// Who is not let through yet.
    pub(crate) users: Vec<KeyUser>,
}

/// Today's document lets everybody through, or the one that an earlier step writes does, which then comes first; or it
/// is asked for.
pub(super) fn let_through(
    cx: &Context<'_>,
    draft: &mut Draft,
    key: &Key,
    users: &[KeyUser],
    requirement: &mut KeyRequirement,
) -> Result<(), Block> {
    let arn = &key.arn;
    if users.is_empty() {
        return Ok(());
    }
    let today = readable(draft, key, users)?;
    if shut_out(cx.inventory, &today, arn, users).is_empty() {
        return Ok(());
    }
    let planned = draft.planned_documents.get(arn).cloned();
    requirement.needs.extend(planned.as_ref().map(|planned| planned.step.clone()));
    let document = planned.as_ref().map_or(&today, |planned| &planned.document);
    let owner = if cx.lists(arn) { Owner::Policy } else { Owner::Other };
    ask_or_block(cx, draft, (owner, arn, document), users, requirement);
    Ok(())
}

/// What must be true so that `users` get through with a key that is in use already.
pub(crate) fn let_users_through(cx: &Context<'_>, draft: &mut Draft, key: &Key, users: &[KeyUser]) -> KeyRequirement {
    let mut requirement = KeyRequirement::default();
    if let Err(block) = let_through(cx, draft, key, users, &mut requirement) {
        requirement.block = Some(block);
    }
    requirement
}

/// The same for a key that a step of this plan creates.
pub(super) fn let_through_new(cx: &Context<'_>, draft: &mut Draft, alias: &Arn, users: &[KeyUser], requirement: &mut KeyRequirement) {
    // Steps that name a replica, which has no document here yet, wait for a fresh plan.
    if let Some(planned) = draft.planned_documents.get(alias).cloned() {
        let owner = if planned.grows { Owner::Policy } else { Owner::PolicyOnceItHasItsAlias };
        ask_or_block(cx, draft, (owner, alias, &planned.document), users, requirement);
    }
}

/// Who may add to a key's document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// A policy lists the key: we do.
    Policy,
    /// We do, in a later plan: steps that name the key wait for it.
    PolicyOnceItHasItsAlias,
    /// Somebody else.
    Other,
}

fn ask_or_block(
    cx: &Context<'_>,
    draft: &mut Draft,
    (owner, key, document): (Owner, &Arn, &Document),
    users: &[KeyUser],
    requirement: &mut KeyRequirement,
) {
    let refused = shut_out(cx.inventory, document, key, users);
    if refused.is_empty() {
        return;
    }
    let lacking: Vec<KeyUser> = refused.iter().map(|refused| refused.user.clone()).collect();
    let helps = shut_out(cx.inventory, &with_grants(document, key, &lacking), key, &lacking).is_empty();
    if owner == Owner::Other || !helps || !lacking.iter().all(may_be_given) {
        // What IAM allows them may settle it.
        draft.wanted_facts.extend(refused.iter().filter_map(|refused| refused.role_to_read.clone()));
        requirement.block = Some(blocked(owner, key, &refused, helps));
    } else if owner == Owner::Policy {
        match draft.refused_documents.get(key) {
            Some(block) => requirement.block = Some(block.clone()),
            None => requirement.demands.push(Demand { key: key.clone(), users: lacking }),
        }
    }
}

fn readable(draft: &mut Draft, key: &Key, users: &[KeyUser]) -> Result<Document, Block> {
    let unread = |reason: String| Block { name: Gate::Unread, reason };
    let arn = &key.arn;
    match &key.document {
        Reading::Known(text) => Document::parse(text).map_err(|error| unread(format!("the document of key {arn} can't be read: {error}"))),
        Reading::Unreadable { unreadable } => {
            let action = unreadable.missing_action.as_deref().unwrap_or("kms:GetKeyPolicy");
            Err(unread(format!(
                "the document of key {arn} could not be read ({}; allow {action}), so nobody knows whether {} may use it",
                unreadable.message, users[0].role
            )))
        }
        Reading::NotRead => {
            draft.wanted_facts.insert(arn.clone());
            Err(unread(format!("the document of key {arn} was not read")))
        }
    }
}

/// A user of a resource who certainly can't use the key that the resource is under: in words, as far as it is known. That is
/// reported and not put right, because whoever was shut out may have been shut out on purpose.
pub(crate) fn shut_out_today(cx: &Context<'_>, reference: &str, users: &[KeyUser]) -> Option<String> {
    let ResolvedKey::Key(arn) = cx.inventory.resolve_key(reference) else { return None };
    let key = cx.inventory.keys.get(&arn)?;
    if users.is_empty() || key.metadata.known().is_none_or(|metadata| metadata.aws_managed) {
        return None;
    }
    let document = Document::parse(key.document.known()?).ok()?;
    let refused = shut_out(cx.inventory, &document, &arn, users);
    let Refused { user, action, access, role_to_read: _ } = refused.iter().find(|refused| refused.access.answer == Answer::No)?;
    Some(format!(
        "This path is broken today: {} may not use {} ({action}): {}. It needs in the key's document: {}",
        user.role,
        cx.inventory.key_name(&arn),
        access.because,
        statement_to_add(user)
    ))
}

/// A user whom a document does not let through for certain.
struct Refused<'a> {
    user: &'a KeyUser,
    action: &'static str,
    access: Access,
    /// The document leaves it to the IAM policies of this role, which nobody has read.
    role_to_read: Option<Arn>,
}

fn shut_out<'a>(inventory: &Inventory, document: &Document, key: &Arn, users: &'a [KeyUser]) -> Vec<Refused<'a>> {
    users.iter().filter_map(|user| refused(inventory, document, key, user)).collect()
}

fn refused<'a>(inventory: &Inventory, document: &Document, key: &Arn, user: &'a KeyUser) -> Option<Refused<'a>> {
    let role = role(inventory, &user.principal);
    user.actions.iter().find_map(|action| {
        let request =
            Request { principal: &user.principal, action, resource: key.as_str(), context: &user.context, context_is_complete: false };
        let access = key_access(document, key, &request, &role);
        let role_to_read = match &role {
            RoleReading::NotRead(arn) if access.delegated => Some(arn.clone()),
            RoleReading::NotRead(_) | RoleReading::Known(_) | RoleReading::Unknown => None,
        };
        (access.answer != Answer::Yes).then_some(Refused { user, action, access, role_to_read })
    })
}

/// In words: who lacks what, and the statements to add, where these alone help.
fn blocked(owner: Owner, key: &Arn, refused: &[Refused<'_>], helps: bool) -> Block {
    let first = refused.first().map(|Refused { user, action, access: Access { answer: _, delegated, because }, role_to_read: _ }| {
        format!(
            "{} needs {action} on key {key}, and its document does not let it for certain{}{}.",
            user.role,
            if *delegated { " (it leaves the decision to IAM policies, which the document can't show)" } else { "" },
            if because.is_empty() { String::new() } else { format!(": {because}") },
        )
    });
    let others = match refused.len() {
        0 | 1 => String::new(),
        2 => " So it is with one more.".to_owned(),
        more => format!(" So it is with {} more.", more - 1),
    };
    let users: Vec<KeyUser> = refused.iter().map(|refused| refused.user.clone()).collect();
    let statements = statements_to_add(&users);
    let cure = match (helps, statements.as_slice()) {
        (false, statements) => format!("Take back what denies it; then this is to be in the key's document: {}", statements.join(", ")),
        (true, [one]) => format!("Add this statement to the key's document: {one}"),
        (true, many) => format!("Add these statements to the key's document: {}", many.join(", ")),
    };
    let unnarrowed = if owner == Owner::Other || users.iter().all(may_be_given) {
        ""
    } else {
        " Everseal does not add it by itself: the resource's document names no source or account for the service, so it would let the service use the key for everybody's. Ask for aws:SourceAccount or aws:SourceArn in that document, and it will."
    };
    Block { name: Gate::Path, reason: format!("{}{others} {cure}{unnarrowed}", first.unwrap_or_default()) }
}

/// The statement that would let `user` through, in one line of JSON.
pub(crate) fn statement_to_add(user: &KeyUser) -> String {
    statements_to_add(std::slice::from_ref(user)).concat()
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
