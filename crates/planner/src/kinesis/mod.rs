//! kinesis: observed values and planning.

pub(crate) mod desired;
pub mod observed;
pub(crate) mod plan;
#[cfg(test)]
mod tests;
