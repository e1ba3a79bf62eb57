//! Pure planning: policy and inventory in, findings and an ordered plan out.
//!
//! # Invariants, each with its test
//! 1. The planner does no I/O: no files, no environment, no clock, no network, no async (`tests/invariants.rs`, `clippy.toml`).
//! 2. Apply never sees the policy; a step holds every value that it writes (the type of [`plan::Change`]; the controller's
//!    `Account::apply` takes nothing else).
//! 3. A step whose `before` no longer holds is stale, never forced (`sim::tests`).
//! 4. Unreadable is never drift and never a reason to write (`paths::properties`, `kms::properties`).
//! 5. A section absent from the policy is unmanaged; absence never deletes (scenarios `*-unmanaged-*`, `*-absent-*`).
//! 6. No step lowers protection; in documents only statements of ours are touched (`paths::properties`, `kms::properties`,
//!    `document::tests`).
//! 7. Plan, apply all, plan again: no steps. The plan is deterministic (both `properties`; every golden scenario).
//! 8. Every drift ends as a step or blocked with a reason (both `properties`; every golden scenario).
//! 9. Nothing is kept that can't be rebuilt: the planner has no state at all.
//! 10. Metric labels are closed enums, or bounded by keys and streams (`tests/invariants.rs`).

pub mod absorb;
pub mod arn;
pub mod check;
pub mod document;
pub mod finding;
pub mod firehose;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod inventory;
pub mod kinesis;
pub mod kms;
pub mod paths;
pub mod plan;
pub mod policy;
pub mod rds;
pub mod render;
pub mod s3;
pub mod scope;
pub mod sim;
pub mod sns;
pub mod sqs;
mod unread;

pub use arn::Arn;
pub use check::{Check, Service};
pub use finding::{Finding, State};
pub use inventory::{Inventory, Reading, Unreadable};
pub use plan::{Plan, Step};
pub use policy::PolicySet;
pub use scope::Scope;
