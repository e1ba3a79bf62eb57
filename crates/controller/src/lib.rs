//! The loop: queue, executor, ledger, status and metrics, over any [`Account`].

pub mod account;
pub mod calls;

pub use account::{Account, ApplyError, KmsErrorPoint};
pub use calls::{CallObserver, Unwatched};
