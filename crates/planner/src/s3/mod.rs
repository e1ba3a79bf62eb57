//! Buckets: default encryption and refusal of plain HTTP.
//!
//! What must never happen here: a bucket that is better protected than asked is lowered, a setting that the
//! policy does not manage is lost, or a bucket is moved to a key under which somebody on its path goes silent.

mod bucket_key;
pub(crate) mod desired;
pub(crate) mod encryption;
pub(crate) mod gates;
pub(crate) mod key_context;
pub(crate) mod log_targets;
pub mod observed;
pub(crate) mod plan;
#[cfg(test)]
mod tests;
