//! AWS KMS: keys, documents, grants, and their use by everybody else.
//!
//! Every use of a key, by its API or by another service ([`use_key`]), is one question to the same judge: the document
//! that decides at that moment, IAM where the document leaves it to IAM, grants, then the key's state.
//! What must never happen here: a use that AWS would refuse succeeds; a ciphertext opens with another key or context.

mod aliases;
mod crypto;
mod documents;
mod grants;
mod key;
mod keys;
mod resolve;
mod rotation;
mod seed;
mod tags;
mod usage;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::key::{Alias, Key};
use crate::access::Caller;
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, json};
use crate::world::{Origin, World};

pub(crate) use grants::{create_grant, retire_grant};
pub use key::KeyState;
pub(crate) use tags::tags_of;
pub(crate) use usage::use_key;

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By ARN, so that a region's keys lie together.
    keys: BTreeMap<String, Key>,
    /// By ARN.
    aliases: BTreeMap<String, Alias>,
}

/// What happens by itself.
#[derive(Debug)]
pub(crate) enum Event {
    /// A waiting period ends.
    Delete { key: String },
    /// A replica is there.
    Created { key: String },
}

pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Delete { key } => keys::delete_if_due(world, &key),
        Event::Created { key } => keys::finish_creation(world, &key),
    }
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let result = json::input(call).and_then(|input| answer(world, origin, &route.operation, &input));
    if result.is_ok() && ["DisableKey", "ScheduleKeyDeletion"].contains(&route.operation.as_str()) {
        // Databases under a key that is gone show it after a while; everybody else meets it at the next use.
        crate::rds::keys_changed(world);
    }
    json::reply(route, result)
}

type Input = Map<String, Value>;

fn answer(world: &mut World, origin: &Origin, operation: &str, input: &Input) -> Result<Value, ApiError> {
    if origin.caller == Caller::Anonymous {
        return Err(ApiError::bad_request("MissingAuthenticationTokenException", "Missing Authentication Token"));
    }
    match operation {
        "CreateKey" => keys::create(world, origin, input),
        "DescribeKey" => keys::describe(world, origin, input),
        "ListKeys" => keys::list(world, origin, input),
        "EnableKey" => keys::switch(world, origin, input, true),
        "DisableKey" => keys::switch(world, origin, input, false),
        "ScheduleKeyDeletion" => keys::schedule_deletion(world, origin, input),
        "CancelKeyDeletion" => keys::cancel_deletion(world, origin, input),
        "ReplicateKey" => keys::replicate(world, origin, input),
        "CreateAlias" => aliases::create(world, origin, input),
        "UpdateAlias" => aliases::update(world, origin, input),
        "DeleteAlias" => aliases::delete(world, origin, input),
        "ListAliases" => aliases::list(world, origin, input),
        "GetKeyPolicy" => documents::get(world, origin, input),
        "PutKeyPolicy" => documents::put(world, origin, input),
        "ListKeyPolicies" => documents::list(world, origin, input),
        "UpdateKeyDescription" => keys::update_description(world, origin, input),
        "EnableKeyRotation" => rotation::enable(world, origin, input),
        "DisableKeyRotation" => rotation::disable(world, origin, input),
        "GetKeyRotationStatus" => rotation::status(world, origin, input),
        "CreateGrant" => grants::create(world, origin, input),
        "ListGrants" => grants::list(world, origin, input),
        "RevokeGrant" => grants::revoke(world, origin, input),
        "RetireGrant" => grants::retire(world, origin, input),
        "TagResource" => tags::tag(world, origin, input),
        "UntagResource" => tags::untag(world, origin, input),
        "ListResourceTags" => tags::list(world, origin, input),
        "Encrypt" => crypto::encrypt(world, origin, input),
        "Decrypt" => crypto::decrypt(world, origin, input),
        "ReEncrypt" => crypto::re_encrypt(world, origin, input),
        "GenerateDataKey" => crypto::generate_data_key(world, origin, input, true),
        "GenerateDataKeyWithoutPlaintext" => crypto::generate_data_key(world, origin, input, false),
        other => Err(ApiError::unknown_operation(other)),
    }
}

/// A use of a key by somebody, for data of another service.
#[derive(Debug, Clone)]
pub(crate) struct KeyUse<'a> {
    /// Who needs the key: the caller whose identity the service passes on, or the service itself.
    pub(crate) caller: &'a Caller,
    /// `kms:GenerateDataKey`, `kms:Decrypt` …
    pub(crate) action: &'a str,
    /// The key as written on the resource: id, ARN, alias or alias ARN.
    pub(crate) key: &'a str,
    /// Where an id or alias is resolved.
    pub(crate) account: &'a str,
    /// Where an id or alias is resolved.
    pub(crate) region: &'a str,
    /// The service that passes its caller's identity on: `sqs` (becomes `kms:ViaService`); `None` for a service's own call.
    pub(crate) via: Option<&'a str>,
    /// The encryption context.
    pub(crate) encryption_context: &'a [(&'a str, &'a str)],
}

/// Why a key can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyRefusal {
    /// Nobody lets the caller use it.
    AccessDenied(String),
    /// It is disabled.
    Disabled(String),
    /// Pending deletion or import, unavailable, or of the wrong kind.
    InvalidState(String),
    /// There is no such key.
    NotFound(String),
}

/// A grant that a service makes for its own later use of a key, with the permission of the caller who asked for it.
/// [KMS: Grants in AWS KMS]
#[derive(Debug, Clone)]
pub(crate) struct GrantRequest<'a> {
    /// Whose `kms:CreateGrant` it takes (`kms:GrantIsForAWSResource` is true).
    pub(crate) caller: &'a Caller,
    /// The key as written: id, ARN, alias or alias ARN.
    pub(crate) key: &'a str,
    /// Where an id or alias is resolved.
    pub(crate) account: &'a str,
    /// Where an id or alias is resolved.
    pub(crate) region: &'a str,
    /// The service that asks: `firehose` (becomes `kms:ViaService`; the grantee is `firehose.amazonaws.com`).
    pub(crate) via: &'a str,
    /// `GenerateDataKey`, `Decrypt` …
    pub(crate) operations: &'a [&'a str],
    /// The grant serves only uses whose encryption context holds these.
    pub(crate) encryption_context: &'a [(&'a str, &'a str)],
}

/// Names a key in a request to KMS and asks whether the caller may do this to it. On success: the key's ARN.
/// Operations that manage a key take its id or ARN only, and only in its own account.
fn managed(world: &mut World, origin: &Origin, input: &Input, action: &str) -> Result<String, ApiError> {
    let key = named(world, origin, input, "KeyId", action)?;
    let found = world.kms.keys.get(&key).ok_or_else(|| usage::gone(&key))?;
    if found.account != origin.account() {
        let message = format!("User: {} is not authorized to perform: {action} on resource: {key}", origin.caller.arn());
        return Err(usage::denied(&message));
    }
    Ok(key)
}

/// The same for operations that other accounts may call.
fn named(world: &mut World, origin: &Origin, input: &Input, member: &str, action: &str) -> Result<String, ApiError> {
    let written = json::text(input, member)?;
    if written.starts_with("alias/") {
        return Err(ApiError::bad_request("NotFoundException", format!("Invalid keyId {written}")));
    }
    if written.contains(":alias/") {
        return Err(ApiError::bad_request("InvalidArnException", format!("{written} is not a key ARN")));
    }
    let key = resolve::resolve(world, written, origin.account(), &origin.region)?;
    permitted(world, origin, action, &key, written)?;
    Ok(key)
}

/// May the caller do this to a key, without data?
fn permitted(world: &World, origin: &Origin, action: &str, key: &str, written: &str) -> Result<(), ApiError> {
    let request = usage::Request {
        caller: &origin.caller,
        action,
        key,
        written,
        via: None,
        encryption_context: &[],
        secure: origin.secure,
        grant_tokens: &[],
        more: &[],
    };
    usage::authorize(world, &request).map(|_| ())
}

fn found<'w>(world: &'w mut World, key: &str) -> Result<&'w mut Key, ApiError> {
    world.kms.keys.get_mut(key).ok_or_else(|| usage::gone(key))
}

/// One page of a sorted listing. Markers name the last item of the page before.
/// [kms:ListKeys `Limit`, `Marker`, `Truncated`]
fn page<T>(
    input: &Input,
    items: impl Iterator<Item = (String, T)>,
    (default, most): (usize, usize),
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit = match json::number(input, "Limit") {
        None => default,
        Some(limit) => usize::try_from(limit).ok().filter(|limit| (1..=most).contains(limit)).ok_or_else(|| {
            invalid(format!(
                "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must be between 1 and {most}"
            ))
        })?,
    };
    let after = json::optional(input, "Marker").unwrap_or_default().to_owned();
    let mut rest = items.skip_while(|(name, _)| !after.is_empty() && *name <= after).peekable();
    let (mut page, mut last) = (Vec::new(), String::new());
    while page.len() < limit {
        let Some((name, item)) = rest.next() else { break };
        page.push(item);
        last = name;
    }
    let more = rest.peek().is_some();
    Ok((page, more.then_some(last)))
}

/// The answer of a listing.
fn paged(name: &str, (items, marker): (Vec<Value>, Option<String>)) -> Value {
    let mut out = serde_json::json!({ name: items, "Truncated": marker.is_some() });
    if let Some(marker) = marker {
        out["NextMarker"] = Value::String(marker);
    }
    out
}

fn invalid(message: String) -> ApiError {
    ApiError::bad_request("ValidationException", message)
}
