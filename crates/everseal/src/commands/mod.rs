//! One file per command.

pub mod explain;
pub mod iam_policy;
pub mod observe;
pub mod plan;
pub mod schema;
pub mod validate;
