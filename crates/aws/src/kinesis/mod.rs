//! Kinesis Data Streams: data streams and their encryption.

mod apply;
mod convert;
mod observe;
pub mod operations;
#[cfg(test)]
mod tests;

pub use apply::apply;
pub use observe::observe;
