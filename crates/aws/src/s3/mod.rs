//! Buckets: two calls each in steady state, what only gates need on request.

mod apply;
mod facts;
mod listing;
mod observe;
pub mod operations;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub(crate) use apply::apply;
pub(crate) use listing::BucketListing;
pub(crate) use observe::observe;
