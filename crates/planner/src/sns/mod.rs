//! Topics: encryption at rest, refusal of plain HTTP, subscriptions that deliver over plain HTTP.
//!
//! What must never happen here: a topic is moved to a key that one of its publishers may not use, a policy is sent that
//! SNS refuses, or an endpoint's credentials are shown.

pub(crate) mod desired;
pub mod observed;
pub(crate) mod plan;
pub(crate) mod subscriptions;
#[cfg(test)]
mod tests;
