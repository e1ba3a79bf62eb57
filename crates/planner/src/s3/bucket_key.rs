//! Turning a bucket key on or off: whoever reads or writes the bucket must get through with what S3 tells KMS from then on.
//!
//! Three may be shut out: whom a condition of the key's document names with the old encryption context, a known user of the
//! bucket whose own IAM policies do, and a delivery stream that writes under a key of its own. On a key that a policy lists
//! they are granted what they need first; on any other the step is blocked with the statement to add.

use super::encryption::Difference;
use super::key_context::{CONTEXT, outgrown};
use super::key_today;
use super::observed::Bucket;
use crate::document::{Answer, Document, Request};
use crate::inventory::{Key, Reading, ResolvedKey};
use crate::paths::roles::{key_access, role};
use crate::paths::{delivery_keys_of_bucket, unread_deliveries, users_of_moved_bucket};
use crate::plan::admission::let_users_through;
use crate::plan::compare::why_unknown;
use crate::plan::context::Context;
use crate::plan::draft::Draft;
use crate::plan::keys::{KeyRequirement, KeyUser};
use crate::plan::step::{Block, Gate};
use crate::{Arn, Inventory};

/// A key that objects of the bucket are written under, and who uses it for them.
struct Used<'a> {
    reference: &'a str,
    /// In words.
    by: String,
    users: Vec<KeyUser>,
}

/// Every key that objects of this bucket are written under must accept the new encryption context.
pub(super) fn change(cx: &Context<'_>, draft: &mut Draft, bucket: &Bucket, difference: &Difference) -> KeyRequirement {
    if let Some(block) = unread_deliveries(cx.inventory) {
        return KeyRequirement::blocked(block);
    }
    let on = difference.after.bucket_key;
    let mut used: Vec<Used<'_>> = Vec::new();
    if let Some(reference) = difference.after.kms_key.as_deref() {
        let users = match known_users(cx, draft, bucket, difference) {
            Ok(users) => users,
            Err(block) => return KeyRequirement::blocked(block),
        };
        used.push(Used { reference, by: "the bucket's default".to_owned(), users });
    }
    for (stream, reference, role) in delivery_keys_of_bucket(cx.inventory, &bucket.arn, on) {
        // A change of the default key alone changes nothing for it.
        let users = if difference.changes_bucket_key { role } else { Vec::new() };
        used.push(Used { reference, by: format!("delivery stream {stream}"), users });
    }
    used.into_iter().fold(KeyRequirement::default(), |so_far, used| match cx.inventory.resolve_key(used.reference) {
        ResolvedKey::Key(arn) if so_far.block.is_none() => so_far.and(of_key(cx, draft, (bucket, on), &arn, &used)),
        ResolvedKey::Key(_) | ResolvedKey::AwsManaged(_) | ResolvedKey::Unresolved(_) => so_far,
    })
}

/// Users whom the change of context alone could shut out: who moves to another key is looked at there.
fn known_users(cx: &Context<'_>, draft: &mut Draft, bucket: &Bucket, difference: &Difference) -> Result<Vec<KeyUser>, Block> {
    if difference.moves_to_key() {
        return Ok(Vec::new());
    }
    if bucket.document.is_not_read() {
        draft.wanted_facts.insert(bucket.arn.clone());
    }
    match users_of_moved_bucket(cx, draft, (&bucket.arn, key_today(bucket)), difference.after.bucket_key) {
        Ok(users) => Ok(users),
        // Whom nobody can name is let in by the key's document or by nothing: its conditions are looked at.
        Err(Block { name: Gate::KeyUse, reason: _ }) => Ok(Vec::new()),
        Err(block) => Err(block),
    }
}

fn of_key(cx: &Context<'_>, draft: &mut Draft, (bucket, on): (&Bucket, bool), arn: &Arn, used: &Used<'_>) -> KeyRequirement {
    let Some(key) = cx.inventory.keys.get(arn) else {
        draft.wanted_facts.insert(arn.clone());
        return KeyRequirement::blocked(unread(arn, &used.by, "It was not read."));
    };
    if key.metadata.known().is_some_and(|metadata| metadata.aws_managed) {
        return KeyRequirement::default();
    }
    let document = match readable(draft, key, &used.by) {
        Ok(document) => document,
        Err(block) => return KeyRequirement::blocked(block),
    };
    let mut requirement = KeyRequirement::default();
    for condition in outgrown(&document, cx.inventory, &bucket.arn, on) {
        let reason = context_reason(bucket, arn, &condition.values, on);
        let Some(users) = condition.users else {
            return KeyRequirement::blocked(Block { name: Gate::KeyUse, reason });
        };
        requirement = requirement.and(let_users_through(cx, draft, key, &users));
        if let Some(block) = &mut requirement.block {
            block.reason = format!("{reason} {}", block.reason);
            return requirement;
        }
    }
    let served: Vec<KeyUser> =
        used.users.iter().filter(|user| is_served_today(cx.inventory, &document, arn, user, &bucket.arn, !on)).cloned().collect();
    requirement.and(let_users_through(cx, draft, key, &served))
}

fn readable(draft: &mut Draft, key: &Key, used_by: &str) -> Result<Document, Block> {
    match &key.document {
        Reading::Known(text) => Document::parse(text).map_err(|error| unread(&key.arn, used_by, &error.to_string())),
        unreadable @ Reading::Unreadable { .. } => Err(unread(&key.arn, used_by, &why_unknown(unreadable, "kms:GetKeyPolicy"))),
        Reading::NotRead => {
            draft.wanted_facts.insert(key.arn.clone());
            Err(unread(&key.arn, used_by, "It was not read."))
        }
    }
}

/// A user who certainly can't use the key as it is has nothing to lose. Which objects it uses is not known.
fn is_served_today(inventory: &Inventory, document: &Document, key: &Arn, user: &KeyUser, bucket: &Arn, bucket_key: bool) -> bool {
    let mut context = user.context.clone();
    context.remove(CONTEXT);
    if bucket_key {
        context.insert(CONTEXT.to_owned(), vec![bucket.to_string()]);
    }
    let role = role(inventory, &user.principal);
    user.actions.iter().all(|action| {
        let request = Request { principal: &user.principal, action, resource: key.as_str(), context: &context, context_is_complete: false };
        key_access(document, key, &request, &role).answer != Answer::No
    })
}

fn unread(key: &Arn, used_by: &str, why: &str) -> Block {
    Block {
        name: Gate::Unread,
        reason: format!(
            "A bucket key changes the encryption context, and nobody knows whether the document of key {key} ({used_by}) has conditions on it: {why}"
        ),
    }
}

fn context_reason(bucket: &Bucket, key: &Arn, values: &str, bucket_key: bool) -> String {
    let told = if bucket_key { format!("the bucket's ARN {}", bucket.arn) } else { format!("the object's ARN {}/…", bucket.arn) };
    format!(
        "The document of key {key} has a condition kms:EncryptionContext:aws:s3:arn = {values}. With this change S3 tells KMS {told} instead, and whoever the condition lets in today is refused. Add that value to the condition first."
    )
}

#[cfg(test)]
#[path = "bucket_key_tests.rs"]
mod tests;
