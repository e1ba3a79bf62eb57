//! rds: databases, judged on their storage encryption, on whether they refuse connections without TLS, and on the
//! authority of their certificate.
//!
//! A database is rebooted only where the policy says so and in its window, its clients are not refused while any of them
//! connects without TLS, and a parameter group that others share is not changed over their heads. Members of a cluster are judged through the cluster, once.

mod ca;
mod clients;
pub mod counting;
mod desired;
mod encryption;
mod groups;
pub mod live;
pub mod live_check;
pub mod migration;
pub mod observed;
pub(crate) mod plan;
pub mod proxies;
mod proxy_tls;
mod reboot;
pub mod sessions;
#[cfg(test)]
mod tests;
mod tls;
#[cfg(test)]
mod tls_tests;

pub use plan::certificate_ends;
