//! The loop: queue, executor, ledger, status and metrics, over any [`Account`].

pub mod account;

pub use account::{Account, ApplyError, KmsErrorPoint};
