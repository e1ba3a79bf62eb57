//! KMS: aliases, the keys that policies list or resources use, their documents and rotation.

mod apply;
mod convert;
mod create;
mod observe;
pub mod operations;
#[cfg(test)]
mod tests;
mod unfinished;

pub use apply::apply;
pub use observe::observe;
