//! `CloudFront`: distributions and their origins, for paths. Nothing is ever changed here.

mod convert;
mod observe;
pub mod operations;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub(crate) use observe::distributions;
