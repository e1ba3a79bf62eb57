//! IAM: roles and what their policies say, for paths and the gates of steps. Nothing is ever changed here.
//!
//! A role is shown with all of its policies or not at all: with one left out it would seem to be allowed, or denied,
//! less than it is.

mod convert;
mod listing;
mod named;
pub mod operations;
mod policy;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::BTreeMap;

use everseal_planner::Arn;
use everseal_planner::inventory::Role;

pub(crate) use listing::all;
pub(crate) use named::named;

/// Roles by ARN.
pub(crate) type Roles = BTreeMap<Arn, Role>;
