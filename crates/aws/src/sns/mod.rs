//! Topics: one call each beside the paged listings of topics and subscriptions.

mod apply;
mod observe;
pub mod operations;
#[cfg(test)]
mod tests;

pub(crate) use apply::apply;
pub(crate) use observe::observe;
