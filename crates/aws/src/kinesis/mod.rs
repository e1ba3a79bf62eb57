//! Kinesis Data Streams: data streams and their encryption.

mod apply;
mod channels;
mod convert;
mod observe;
pub mod operations;
#[cfg(test)]
mod tests;

pub use apply::apply;
pub(crate) use channels::channels;
pub use observe::observe;
