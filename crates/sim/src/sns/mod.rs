//! Amazon SNS.

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, query};
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
    query::error(&ApiError::unknown_operation(&route.operation))
}

/// What is published.
#[derive(Debug, Clone, Default)]
pub(crate) struct Publication {
    pub(crate) message: String,
    pub(crate) subject: Option<String>,
    /// Message attributes: name → (data type, value).
    pub(crate) attributes: Vec<(String, String, String)>,
    /// FIFO topics only.
    pub(crate) group: Option<String>,
    /// FIFO topics only.
    pub(crate) deduplication: Option<String>,
}

/// Publishes for a caller, service or not: checks the topic's document and its key, and schedules delivery to every
/// subscriber. On success: the message's id.
pub(crate) fn publish(_world: &mut World, _origin: &Origin, _topic: &str, _publication: Publication) -> Result<String, ApiError> {
    Err(ApiError::unknown_operation("Publish"))
}
