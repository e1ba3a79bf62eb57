//! Who may do what: callers, documents, and the decision.
//!
//! Written from AWS's evaluation logic for one concrete request, and on purpose without a line of the planner's
//! evaluator: the judge does not share code with the accused.

mod caller;
mod condition;
mod decide;
mod document;
mod principal;
mod statement;
mod written;

#[cfg(test)]
mod against_planner;
#[cfg(test)]
mod tests;

pub use caller::Caller;
pub(crate) use decide::Identity;
pub use decide::{Access, Denial};
pub(crate) use document::like;
pub use document::{Document, Verdict};
pub(crate) use written::{Written, is_account_id, is_principal, principals, strings};

use std::collections::BTreeMap;

/// Condition keys of a request, in lower case, with their values.
pub type RequestContext = BTreeMap<String, Vec<String>>;
