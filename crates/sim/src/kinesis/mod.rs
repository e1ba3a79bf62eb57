//! Kinesis Data Streams.

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

/// A record of a data stream.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Grows by one with each record of the stream.
    pub(crate) sequence: u64,
    pub(crate) data: bytes::Bytes,
}

/// Records after a sequence number, for a reader: checks its permission and that it may decrypt.
pub(crate) fn read(_world: &mut World, _origin: &Origin, _stream: &str, _after: u64) -> Result<Vec<Record>, ApiError> {
    Err(ApiError::unknown_operation("GetRecords"))
}
