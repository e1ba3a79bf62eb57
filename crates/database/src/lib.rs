//! What a database server shows to a client on the wire.
//!
//! [`probe`] looks at a server from outside, without a login; [`sessions`] asks it, with one, who is connected. Nothing here knows AWS or a policy; facts are given back as
//! the planner's plain values ([`everseal_planner::rds::live`]), which says what they mean.
//!
//! What must never happen here: sending a password or data over a connection whose certificate was not verified;
//! trusting a length, a text or an order of messages that a server sent; waiting or reading without a bound.

pub mod advice;
pub mod probe;
pub mod sessions;
