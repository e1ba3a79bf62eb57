//! AWS KMS: keys, documents, grants, and their use by everybody else.

use crate::access::Caller;
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, json};
use crate::world::{Origin, World};

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {}

/// What happens by itself.
#[derive(Debug)]
pub(crate) enum Event {}

pub(crate) fn happen(_world: &mut World, event: Event) {
    match event {}
}

pub(crate) fn handle(_world: &mut World, _origin: &Origin, route: &Route, _call: &Call) -> Reply {
    json::reply(route, Err(ApiError::unknown_operation(&route.operation)))
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

/// Uses a key. On success: its ARN.
pub(crate) fn use_key(_world: &mut World, _usage: &KeyUse<'_>) -> Result<String, KeyRefusal> {
    Err(KeyRefusal::NotFound("no keys yet".to_owned()))
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

/// Makes a grant. On success: the key's ARN and the grant's id.
pub(crate) fn create_grant(_world: &mut World, _request: &GrantRequest<'_>) -> Result<(String, String), KeyRefusal> {
    Err(KeyRefusal::NotFound("no keys yet".to_owned()))
}

/// The grantee gives a grant back. One that is gone already stays gone.
pub(crate) fn retire_grant(_world: &mut World, _key_arn: &str, _grant_id: &str) {}
