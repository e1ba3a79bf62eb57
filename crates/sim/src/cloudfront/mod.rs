//! CloudFront: distributions, listed.

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, xml};
use crate::world::{Origin, World};

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {}

pub(crate) fn handle(_world: &mut World, _origin: &Origin, route: &Route, _call: &Call) -> Reply {
    xml::error(&ApiError::unknown_operation(&route.operation))
}

/// The operation that a path and method mean.
pub(crate) fn operation(_call: &Call) -> String {
    "ListDistributions".to_owned()
}
