//! One file per command.

pub mod apply;
pub mod changes;
pub mod explain;
pub mod iam_policy;
pub mod migrations;
pub mod observe;
pub mod paths;
pub mod plan;
pub mod run;
pub mod schema;
pub mod sim;
pub mod tls_probe;
pub mod validate;
