//! Queues: encryption at rest and refusal of plain HTTP.
//!
//! What must never happen here: a queue is without encryption between two writes, or it is moved to a key that one of
//! its senders or receivers may not use.

mod anonymous;
pub(crate) mod desired;
pub mod observed;
pub(crate) mod plan;
#[cfg(test)]
mod tests;
