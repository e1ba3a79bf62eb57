//! Queues: one call each beside the paged listing.

mod apply;
mod observe;
pub mod operations;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub(crate) use apply::apply;
pub(crate) use observe::observe;
