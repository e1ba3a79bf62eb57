//! What a resource's path needs of a key, as grants of ours: for whoever sends to, reads from or delivers to a
//! resource that moves to the key, and for nobody else.
//!
//! Each is as narrow as AWS allows:
//! - a service is let in for the source that it acts for (`aws:SourceArn`, with `aws:SourceAccount` where the ARN names
//!   no account, as a bucket's does not), else for the source's account; [SQS: Key management; SNS: Managing keys and costs]
//! - `EventBridge` on a topic's key sends neither, so its statement must ask for neither; [SNS: Managing keys and costs]
//! - a role or user is let in through the resource's service alone: `kms:ViaService` with `kms:CallerAccount`.
//!
//! A service of which nobody knows for whom it acts is never let in: a key that serves it for every account's resources
//! would be less protected than before. Its step is blocked, and a person narrows the resource's document.

use serde_json::{Value, json};

use super::document::{Wanted, compare, statements};
use super::grants::{Grant, Grantee, title};
use crate::Arn;
use crate::document::{Document, Principal};
use crate::plan::keys::KeyUser;

/// Sids of statements that paths need start with this.
pub(super) const PATH_SID_PREFIX: &str = "EversealPath";

/// The grants that let `users` through, in their order.
pub(crate) fn grants(users: &[KeyUser]) -> Vec<Grant> {
    users.iter().map(grant).collect()
}

/// The document with grants of ours for `users`, as far as it lacks them.
pub(crate) fn with_grants(document: &Document, key: &Arn, users: &[KeyUser]) -> Document {
    let grants = grants(users);
    let comparison = compare(document, key.as_str(), key.account(), Wanted { by_policy: &[], by_paths: &grants });
    comparison.merged.unwrap_or_else(|| document.clone())
}

/// The statements to add by hand for `users`, each in one line of JSON.
pub(crate) fn statements_to_add(users: &[KeyUser]) -> Vec<String> {
    let bodies = statements(&grants(users));
    bodies.into_iter().map(|body| Value::Object(body.into_iter().filter(|(name, _)| name != "Sid").collect()).to_string()).collect()
}

/// A grant for this user lets in nobody whom the resource's owner does not let in by name.
pub(crate) fn may_be_given(user: &KeyUser) -> bool {
    match &user.principal {
        Principal::Service(_) => user.sends_no_source || narrowed(user),
        Principal::Aws(name) => !name.contains(['*', '?', '$']),
    }
}

fn narrowed(user: &KeyUser) -> bool {
    one(user, "aws:sourceaccount").is_some()
        || one(user, "aws:sourcearn").is_some_and(|source| names_account(source) || !is_pattern(source))
}

fn grant(user: &KeyUser) -> Grant {
    let (sid, grantee, condition) = match &user.principal {
        Principal::Service(service) => for_service(user, service),
        Principal::Aws(name) => for_identity(user, name),
    };
    let written = user.actions.iter().map(|action| written(action, &user.principal)).collect();
    Grant {
        sid,
        grantee,
        actions: user.actions.clone(),
        written,
        condition,
        probe: user.principal.clone(),
        context: user.context.clone(),
        name: user.role.clone(),
    }
}

/// AWS's own statements for services allow every kind of data key.
fn written(action: &&'static str, principal: &Principal) -> &'static str {
    match (principal, *action) {
        (Principal::Service(_), "kms:GenerateDataKey") => "kms:GenerateDataKey*",
        (Principal::Service(_) | Principal::Aws(_), action) => action,
    }
}

fn for_service(user: &KeyUser, service: &str) -> (String, Grantee, Option<Value>) {
    let name = title(service.strip_suffix(".amazonaws.com").unwrap_or(service));
    let sid = format!("{PATH_SID_PREFIX}{name}{}", uses(user));
    let account = one(user, "aws:sourceaccount");
    let of_account = |account: &str| Some(json!({ "StringEquals": { "aws:SourceAccount": account } }));
    match (one(user, "aws:sourcearn"), account) {
        (Some(source), Some(account)) if !names_account(source) => {
            let grantee = Grantee::ServiceFor { service: service.to_owned(), source: source.to_owned() };
            (format!("{sid}For{account}"), grantee, of_account(account))
        }
        (Some(source), _) => (format!("{sid}For"), Grantee::ServiceFor { service: service.to_owned(), source: source.to_owned() }, None),
        (None, Some(account)) => (format!("{sid}Of{account}"), Grantee::Service(service.to_owned()), of_account(account)),
        (None, None) => (sid, Grantee::Service(service.to_owned()), None),
    }
}

fn for_identity(user: &KeyUser, principal: &str) -> (String, Grantee, Option<Value>) {
    let mut sid = format!("{PATH_SID_PREFIX}{}", uses(user));
    let mut equals = serde_json::Map::new();
    if let Some(endpoint) = one(user, "kms:viaservice") {
        sid = format!("{sid}Via{}", title(endpoint.split('.').next().unwrap_or_default()));
        equals.insert("kms:ViaService".to_owned(), json!(endpoint));
    }
    if let Some(account) = one(user, "kms:calleraccount") {
        sid = format!("{sid}By{account}");
        equals.insert("kms:CallerAccount".to_owned(), json!(account));
    }
    let condition = (!equals.is_empty()).then(|| json!({ "StringEquals": equals }));
    (sid, Grantee::Aws(principal.to_owned()), condition)
}

/// Part of a Sid: what is allowed.
fn uses(user: &KeyUser) -> String {
    match user.actions.as_slice() {
        ["kms:GenerateDataKey", "kms:Decrypt"] | ["kms:Decrypt", "kms:GenerateDataKey"] => "Use".to_owned(),
        ["kms:Decrypt"] => "Read".to_owned(),
        ["kms:GenerateDataKey"] => "Write".to_owned(),
        actions => actions.iter().map(|action| title(action.strip_prefix("kms:").unwrap_or(action))).collect(),
    }
}

fn one<'a>(user: &'a KeyUser, key: &str) -> Option<&'a str> {
    user.context.get(key).and_then(|values| values.first()).map(String::as_str)
}

fn names_account(source: &str) -> bool {
    Arn::parse(source).is_ok_and(|arn| !arn.account().is_empty() && !is_pattern(arn.account()))
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '$'])
}
