//! EventBridge: buses, rules, targets, events.

pub(crate) mod pattern;

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

/// An event on a bus. [EventBridge: AWS events reference]
#[derive(Debug, Clone)]
pub(crate) struct BusEvent {
    pub(crate) source: String,
    pub(crate) detail_type: String,
    /// ARNs that it is about.
    pub(crate) resources: Vec<String>,
    pub(crate) detail: serde_json::Value,
}

/// Puts an event on an account's bus; rules that match are worked soon after.
pub(crate) fn put(_world: &mut World, _account: &str, _region: &str, _bus: &str, _event: BusEvent) {}
