//! One file per command.

pub mod explain;
pub mod plan;
pub mod schema;
pub mod validate;
