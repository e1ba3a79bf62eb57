//! A small AWS in memory, on the real wire protocols.
//!
//! What no public emulator does, and why this exists: it **enforces** key documents, grants, key states, resource
//! documents and `aws:SecureTransport` on every use, and it **moves data** (Firehose → bucket → notification → queue or
//! topic → subscriber). A missing grant makes a message undeliverable here exactly as it does in AWS.
//!
//! It must never share judgement with the program that it tests: documents are evaluated by code of its own
//! ([`access`]), and nothing here knows a policy of Everseal's.
//!
//! - [`World`] is everything that exists: a plain state machine. Time is handed to it, chance comes from its seed; the
//!   same calls at the same times give the same answers.
//! - [`Sim`] is a world with a clock behind one lock, reached in two ways: as the SDK's HTTP client in process
//!   ([`Sim::http_client`]), or over TCP ([`Sim::serve`], [`Sim::serve_tls`]).
//! - One module per service: its state, its operations, what it does by itself as time passes.

pub mod access;
pub mod error;
pub mod fault;
pub mod http;
pub mod moment;
pub mod tally;
pub mod wire;
pub mod world;

mod client;
mod context;
mod poster;
mod server;
mod shared;
#[cfg(test)]
mod testing;
mod tls;

pub mod cloudfront;
pub mod cloudwatch;
pub mod events;
pub mod firehose;
pub mod iam;
pub mod kinesis;
pub mod kms;
pub mod organizations;
pub mod rds;
pub mod s3;
pub mod sns;
pub mod sqs;
pub mod sts;
pub mod tagging;

mod user;

pub use access::Caller;
pub use error::ApiError;
pub use moment::Moment;
pub use shared::{Clock, Sim};
pub use tls::{TlsError, TlsIdentity};
pub use user::User;
pub use world::{Settings, World};
