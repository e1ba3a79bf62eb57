//! s3: observed values and planning.

pub mod observed;
pub(crate) mod plan;
