//! kinesis: observed values and planning.

mod desired;
pub mod observed;
pub(crate) mod plan;
#[cfg(test)]
mod tests;
