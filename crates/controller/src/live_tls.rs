//! Looking at databases' TLS: what was met last, and when it is time to look again.
//!
//! A probe costs a database a connection or two, which MySQL and MariaDB count: so each endpoint is looked at at most once
//! in an interval, whatever happens between. Nothing here connects: that is a [`Prober`]'s, and this crate stays free of TLS.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use everseal_planner::inventory::LiveTls;
use everseal_planner::rds::live_check::WantedProbe;
use everseal_planner::{Arn, Inventory, Reading};
use tokio::time::Instant;

/// What a [`Prober`] will have met.
pub type Probing<'a> = Pin<Box<dyn Future<Output = Reading<LiveTls>> + Send + 'a>>;

/// Looks at a database's endpoint as a client meets it.
pub trait Prober: fmt::Debug + Send + Sync + 'static {
    /// Looks once, within a time of its own, and never sends a password. Out of reach is `Unreadable`.
    fn probe<'a>(&'a self, wanted: &'a WantedProbe) -> Probing<'a>;
}

/// What was met last on each endpoint of a scope; none of it is needed for correctness.
#[derive(Debug, Default)]
pub struct LiveTlsWatch(BTreeMap<Arn, Looked>);

#[derive(Debug)]
struct Looked {
    wanted: WantedProbe,
    at: Instant,
    met: Reading<LiveTls>,
}

impl LiveTlsWatch {
    /// The wanted ones that were not looked at within `interval`, or that have another endpoint or other authorities since.
    pub fn due(&self, wanted: Vec<WantedProbe>, interval: Duration) -> Vec<WantedProbe> {
        let fresh = |wanted: &WantedProbe| {
            self.0.get(&wanted.resource).is_some_and(|looked| looked.wanted == *wanted && looked.at.elapsed() < interval)
        };
        wanted.into_iter().filter(|wanted| !fresh(wanted)).collect()
    }

    /// Remembers what a probe met.
    pub fn take_in(&mut self, wanted: WantedProbe, met: Reading<LiveTls>) {
        self.0.insert(wanted.resource.clone(), Looked { wanted, at: Instant::now(), met });
    }

    /// Lays over an observation what was met on its databases.
    pub fn dress(&self, inventory: &mut Inventory) {
        for (resource, looked) in &self.0 {
            if inventory.holds(resource) {
                inventory.live_tls.insert(resource.clone(), looked.met.clone());
            }
        }
    }

    /// Forgets what nobody wants any more.
    pub fn keep(&mut self, wanted: &[WantedProbe]) {
        self.0.retain(|resource, _| wanted.iter().any(|wanted| wanted.resource == *resource));
    }
}
