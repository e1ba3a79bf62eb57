//! May somebody do something with a key, and can the key do it now?

use super::key::{Family, Key, KeyState};
use super::{KeyRefusal, KeyUse, resolve};
use crate::access::{Access, Caller, RequestContext};
use crate::error::ApiError;
use crate::world::World;

/// A question to a key, from whatever direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) caller: &'a Caller,
    pub(super) action: &'a str,
    /// The key's ARN.
    pub(super) key: &'a str,
    /// The key as the caller wrote it.
    pub(super) written: &'a str,
    pub(super) via: Option<&'a str>,
    pub(super) encryption_context: &'a [(&'a str, &'a str)],
    pub(super) secure: bool,
    pub(super) grant_tokens: &'a [String],
    /// More condition keys, in lower case.
    pub(super) more: &'a [(&'a str, Vec<String>)],
}

/// Uses a key. On success: its ARN.
pub(crate) fn use_key(world: &mut World, usage: &KeyUse<'_>) -> Result<String, KeyRefusal> {
    let key = resolve::resolve(world, usage.key, usage.account, usage.region)?;
    let request = Request {
        caller: usage.caller,
        action: usage.action,
        key: &key,
        written: usage.key,
        via: usage.via,
        encryption_context: usage.encryption_context,
        secure: true,
        grant_tokens: &[],
        more: &[],
    };
    let found = authorize(world, &request)?;
    usable(found, usage.action)?;
    Ok(key)
}

/// Does anything let the caller do this: the key's document, IAM where the document leaves it to IAM, a grant?
/// [KMS: Determining access to AWS KMS keys]
pub(super) fn authorize<'w>(world: &'w World, request: &Request<'_>) -> Result<&'w Key, ApiError> {
    let key = world.kms.keys.get(request.key).ok_or_else(|| gone(request.key))?;
    let now = world.now();
    let context = context(world, key, request);
    let access = Access { caller: request.caller, action: request.action, resource: request.key, owner: &key.account, context: &context };
    // Resource control policies, which go by the owner, do not reach AWS-managed keys. [RCPs, exceptions]
    let guarded = Access { owner: if key.managed_by.is_none() { &key.account } else { "" }, ..access };
    if let Some(kind) = crate::organizations::guard(&world.organizations, &guarded) {
        return Err(denied(&access.denied_by(kind).message));
    }
    let allows =
        |grant: &super::grants::Grant| grant.allows(request.caller, request.action, request.encryption_context, now, request.grant_tokens);
    let granted = key.grants.iter().any(allows);
    access.decide_key(key.deciding(now), world.iam.identity(request.caller), granted).map_err(|denial| denied(&denial.message))?;
    Ok(key)
}

/// Condition keys of a request to KMS, in lower case. [KMS: Condition keys for AWS KMS]
pub(super) fn context(world: &World, key: &Key, request: &Request<'_>) -> RequestContext {
    let mut context = world.global_keys(request.caller, &key.region, request.secure);
    let mut put = |name: &str, values: Vec<String>| context.insert(name.to_owned(), values);
    put("aws:resourceaccount", vec![key.account.clone()]);
    put("kms:keyspec", vec![key.spec.clone()]);
    put("kms:keyusage", vec![key.usage.clone()]);
    put("kms:keyorigin", vec![key.origin.clone()]);
    put("kms:multiregion", vec![(key.family != Family::Single).to_string()]);
    if let Some(account) = request.caller.account() {
        put("kms:calleraccount", vec![account.to_owned()]);
    }
    if let Some(service) = request.via {
        put("kms:viaservice", vec![format!("{service}.{}.amazonaws.com", key.region)]);
    }
    if request.action == "kms:CreateGrant" {
        put("kms:grantisforawsresource", vec![request.via.is_some().to_string()]);
    }
    if let Some((_, name)) = request.written.rsplit_once(":alias/").or_else(|| request.written.split_once("alias/")) {
        put("kms:requestalias", vec![format!("alias/{name}")]);
    }
    for (name, value) in request.encryption_context {
        put(&format!("kms:encryptioncontext:{}", name.to_ascii_lowercase()), vec![(*value).to_owned()]);
    }
    if !request.encryption_context.is_empty() {
        put("kms:encryptioncontextkeys", request.encryption_context.iter().map(|(name, _)| (*name).to_owned()).collect());
    }
    for (name, value) in &key.tags {
        put(&format!("aws:resourcetag/{}", name.to_ascii_lowercase()), vec![value.clone()]);
    }
    for (name, values) in request.more {
        put(name, values.clone());
    }
    let aliases = super::aliases::names_of(world, key);
    if !aliases.is_empty() {
        context.insert("kms:resourcealiases".to_owned(), aliases);
    }
    context
}

/// Can the key do this in its state, and is it a key for that? [KMS: Key state table]
pub(super) fn usable(key: &Key, action: &str) -> Result<(), ApiError> {
    let arn = key.arn();
    match key.state {
        KeyState::Enabled => {}
        KeyState::Disabled => return Err(ApiError::bad_request("DisabledException", format!("{arn} is disabled."))),
        state @ (KeyState::Creating
        | KeyState::PendingDeletion
        | KeyState::PendingReplicaDeletion
        | KeyState::PendingImport
        | KeyState::Unavailable) => return Err(invalid_state(&arn, state)),
    }
    let operation = action.strip_prefix("kms:").unwrap_or(action);
    let data_key = operation.starts_with("GenerateDataKey");
    let encryption = ["Encrypt", "Decrypt", "ReEncrypt"].iter().any(|prefix| operation.starts_with(prefix));
    if (data_key && !key.is_symmetric_encryption()) || (encryption && key.usage != "ENCRYPT_DECRYPT") {
        let message = format!("{arn} key usage is {} which is not valid for {operation}.", key.usage);
        return Err(ApiError::bad_request("InvalidKeyUsageException", message));
    }
    Ok(())
}

/// Management that a disabled key allows too, and a key on its way in or out does not.
pub(super) fn usable_or_disabled(key: &Key) -> Result<(), ApiError> {
    match key.state {
        KeyState::Enabled | KeyState::Disabled => Ok(()),
        state @ (KeyState::Creating
        | KeyState::PendingDeletion
        | KeyState::PendingReplicaDeletion
        | KeyState::PendingImport
        | KeyState::Unavailable) => Err(invalid_state(&key.arn(), state)),
    }
}

/// Management that every key allows but one on its way out. [KMS: Key state table]
pub(super) fn staying(key: &Key) -> Result<(), ApiError> {
    match key.state {
        state @ (KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) => Err(invalid_state(&key.arn(), state)),
        KeyState::Creating | KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport | KeyState::Unavailable => Ok(()),
    }
}

pub(super) fn invalid_state(arn: &str, state: KeyState) -> ApiError {
    ApiError::bad_request("KMSInvalidStateException", format!("{arn} is {}.", state.words()))
}

pub(super) fn gone(arn: &str) -> ApiError {
    ApiError::bad_request("NotFoundException", format!("Key '{arn}' does not exist"))
}

pub(super) fn denied(message: &str) -> ApiError {
    ApiError::bad_request("AccessDeniedException", message)
}

impl From<ApiError> for KeyRefusal {
    fn from(error: ApiError) -> Self {
        match error.code.as_ref() {
            "AccessDeniedException" => Self::AccessDenied(error.message),
            "DisabledException" => Self::Disabled(error.message),
            "NotFoundException" => Self::NotFound(error.message),
            _ => Self::InvalidState(error.message),
        }
    }
}
