//! Amazon Data Firehose: delivery streams.

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
