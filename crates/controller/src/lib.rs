//! The loop: queue, executor, ledger, status and metrics, over any [`Account`].
//!
//! Observe → plan → make steps → look again, for ever. Planning is the planner's; this crate decides
//! when, and makes what a plan holds. It knows no SDK: AWS is an [`Account`], and the ledger any
//! object store. It keeps nothing that it could not learn again.

pub mod account;
pub mod calls;
pub mod clock;
pub mod cycle;
pub mod daemon;
pub mod database_calls;
pub mod error_policy;
pub mod executor;
pub mod firehose_errors;
pub mod ledger;
pub mod live_tls;
pub mod metrics;
pub mod pass;
pub mod policy_watch;
pub mod queue;
pub mod recent;
pub mod status;
pub mod tally;
#[cfg(test)]
mod testing;

pub use account::{Account, ApplyError, KmsErrorPoint};
pub use calls::{CallObserver, Unwatched};
pub use clock::Clock;
pub use daemon::{Connect, Connected, Daemon, DaemonOptions, Events};
pub use executor::{Executor, ExecutorOptions, StepReport, StepResult};
pub use ledger::Ledger;
pub use live_tls::{Prober, Probing};
pub use metrics::Metrics;
pub use pass::{Memory, Pass, Surroundings};
pub use status::Status;
