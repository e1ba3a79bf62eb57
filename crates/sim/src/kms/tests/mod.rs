//! KMS as its callers and other services see it.

#![allow(clippy::unwrap_used)]

mod using;
