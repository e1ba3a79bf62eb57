//! Amazon SQS.

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

/// A message on its way into a queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) body: String,
    /// Message attributes: name → (data type, value).
    pub(crate) attributes: Vec<(String, String, String)>,
    /// FIFO queues only.
    pub(crate) group: Option<String>,
    /// FIFO queues only.
    pub(crate) deduplication: Option<String>,
}

/// Puts a message into a queue for a caller, service or not: checks the queue's document and its key. On success: the
/// message's id. The tally is kept by whoever delivers.
pub(crate) fn deliver(_world: &mut World, _origin: &Origin, _queue: &str, _message: Message) -> Result<String, ApiError> {
    Err(ApiError::unknown_operation("SendMessage"))
}
