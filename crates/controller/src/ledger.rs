//! The ledger: what was changed, from what, to what, when and why. For people and for rollback, never
//! for correctness.
//!
//! Append-only. Object stores cannot append, so a step is two objects: its intent, written ahead of
//! the change, and its outcome. Both names begin alike and sort by the time of the intent, so a
//! listing meets them side by side:
//!
//! `2026/11/24/20261124T150812345Z-000001-9f3ac17e-PutBucketPolicy.intent.json`
//!
//! An intent without an outcome is a step whose process died: it may or may not have been made.

mod record;
mod store;

pub use record::{Actor, Entry, Intent, LedgerOutcome, Outcome, OutcomeRecord};
pub use store::{Filter, Ledger, LedgerError, Open};
