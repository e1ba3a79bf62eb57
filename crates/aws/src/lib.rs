//! The AWS side of Everseal: observe resources, apply steps.
//!
//! Everything that touches the network is here and nowhere else. Adapters read plain values and
//! write exactly what a step holds; they judge nothing. What must never happen: an error read as
//! "absent", a call that is not counted or paced, a client built outside [`mod@connect`].
//!
//! - [`mod@connect`] credentials, endpoint, HTTP, time: injected once; accounts and their roles
//! - [`operation`] the list of API calls; [`permissions`] makes the IAM policy of it
//! - [`call`] the one way to make a call; [`pace`] how often; [`wire`] what is counted
//! - [`error`] what an AWS error means
//! - [`account`] one account × region as the controller sees it; a folder per service

pub mod account;
pub mod call;
pub mod cloudfront;
pub mod cloudwatch;
pub mod connect;
pub mod error;
pub mod events;
pub mod firehose;
pub mod iam;
pub mod kinesis;
pub mod kms;
mod listing;
pub mod operation;
pub mod pace;
pub mod permissions;
pub mod rds;
pub mod s3;
pub mod secretsmanager;
pub mod sns;
pub mod sqs;
pub mod tags;
pub mod wire;

#[cfg(test)]
#[allow(clippy::unwrap_used, dead_code)]
pub(crate) mod testing;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use account::AwsAccount;
pub use call::ScopeContext;
pub use connect::{Aws, ConnectError, ConnectOptions, Identity};
pub use error::AwsError;
