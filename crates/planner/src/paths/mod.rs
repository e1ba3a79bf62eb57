//! Data paths: who sends to a resource and who reads from it, what each of them needs of its key, and how whole paths
//! stand now and after a plan.
//!
//! `users`, `sources` and `grants` read documents for whoever must be able to use a key before a resource moves to it.
//! `build` makes the graph of everything that was observed (`nodes`, `hops`, `events`, `cloudfront`, `people`), `needs`
//! judges what its hops need, `trace` follows it from every origin, `after` looks at it once the plan is made, `seal` makes findings of it.
//!
//! What must never happen here: a path called sealed of which something was not read; a fact of AWS that was guessed; an
//! endpoint's secret on show; work that grows with the number of ways through the graph.

mod admittance;
mod after;
mod beside;
mod build;
mod cloudfront;
mod endpoint;
mod events;
pub(crate) mod grants;
mod hops;
pub(crate) mod iam_users;
mod links;
pub mod model;
mod needs;
mod nodes;
pub mod observed;
#[cfg(test)]
mod path_properties;
mod people;
#[cfg(test)]
mod properties;
mod report;
pub(crate) mod roles;
mod run;
mod seal;
#[cfg(test)]
mod seal_tests;
pub(crate) mod sources;
#[cfg(test)]
mod state_tests;
#[cfg(test)]
mod step_properties;
#[cfg(test)]
mod tests;
mod trace;
pub(crate) mod users;

pub use after::after;
pub use beside::Beside;
pub use build::graph;
pub use report::{Branch, Path, Paths, Tally, paths};
pub use seal::judge;
pub use trace::MOST_BRANCHES;

pub(crate) use links::Links;
pub(crate) use users::{
    delivery_keys_of_bucket, unread_deliveries, users_of_moved_bucket, users_of_moved_data_stream, users_of_moved_queue,
    users_of_moved_topic, users_of_queue, users_of_topic,
};
