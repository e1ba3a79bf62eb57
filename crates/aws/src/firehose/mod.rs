//! Amazon Data Firehose: delivery streams, their own encryption and that of each S3 part they deliver to.

mod apply;
mod convert;
mod observe;
pub mod operations;
#[cfg(test)]
mod tests;

pub use apply::apply;
pub use observe::observe;
