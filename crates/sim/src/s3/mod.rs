//! Amazon S3.

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, xml};
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
    xml::error(&ApiError::unknown_operation(&route.operation))
}

/// The operation that a method, path and query mean.
pub(crate) fn operation(_call: &Call) -> String {
    "ListBuckets".to_owned()
}

/// Encryption that a request names for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectEncryption {
    /// `AES256`, `aws:kms`, `aws:kms:dsse`.
    pub(crate) algorithm: String,
    /// The key as written.
    pub(crate) kms_key: Option<String>,
}

/// Writes an object for a caller: checks bucket policy and key, and announces it. `encryption`: `None` = the bucket's default.
pub(crate) fn store(
    _world: &mut World,
    _origin: &Origin,
    _bucket: &str,
    _key: &str,
    _body: bytes::Bytes,
    _encryption: Option<&ObjectEncryption>,
) -> Result<(), ApiError> {
    Err(ApiError::unknown_operation("PutObject"))
}
