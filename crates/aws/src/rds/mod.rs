//! RDS and Aurora: instances, clusters, the parameter groups in use, and certificate authorities.

mod apply;
mod certificate;
mod convert;
mod migration;
mod observe;
pub mod operations;
mod parameters;
mod proxies;
mod reboot;
#[cfg(test)]
mod tests;

pub use apply::apply;
pub use observe::observe;
