//! kms: the keys that a policy lists, and the documents that let its users through.
//!
//! Everything else hangs on these: a resource is moved to a key only when the key stands, works and lets its
//! users in. A key is never disabled, deleted, turned back to fewer rotations, or robbed of a statement.

pub(crate) mod desired;
pub(crate) mod document;
pub(crate) mod exists;
pub(crate) mod fit;
pub(crate) mod grants;
pub(crate) mod needs;
pub mod observed;
pub(crate) mod plan;
#[cfg(test)]
mod properties;
pub(crate) mod rotation;
pub(crate) mod state;
#[cfg(test)]
mod tests;

pub(crate) use exists::why;
pub(crate) use fit::{Fit, fit, note_on_key_in_use};
