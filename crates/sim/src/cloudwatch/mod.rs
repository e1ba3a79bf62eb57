//! CloudWatch: metric data.

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, cbor};
use crate::world::{Origin, World};

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {}

pub(crate) fn handle(_world: &mut World, _origin: &Origin, route: &Route, _call: &Call) -> Reply {
    cbor::error(&ApiError::unknown_operation(&route.operation))
}

/// Adds to a metric's data point of the present minute: (account, region), (namespace, name), (dimension, value).
pub(crate) fn count(_world: &mut World, _place: (&str, &str), _metric: (&str, &str), _dimension: (&str, &str), _value: f64) {}
