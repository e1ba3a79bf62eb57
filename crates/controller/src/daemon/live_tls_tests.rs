//! When endpoints are looked at, in virtual time, and what becomes of what was met.
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use everseal_planner::inventory::{DbInstance, ErrorClass, LiveTls};
use everseal_planner::rds::live::{LiveOffer, LivePlain};
use everseal_planner::rds::live_check::WantedProbe;
use everseal_planner::{Inventory, Reading};

use super::tests::{Rig, options, pass_time};
use super::*;
use crate::live_tls::{Prober, Probing};
use crate::testing::{FakeAws, NOON, inventory, scope, unreadable};

const VERIFIED: &str = "  mode: enforce\n  rds:\n    - { name: databases, inTransit: { verify: true } }\n";

/// Takes three seconds for each; knows when it looked at whom, and at how many at once.
#[derive(Debug, Default)]
struct Looking {
    looked: Mutex<Vec<(String, Instant)>>,
    now: AtomicUsize,
    most: AtomicUsize,
    /// Answers: TLS is offered by none, or nobody is reached.
    out_of_reach: bool,
}

impl Looking {
    fn times(&self, address: &str) -> usize {
        self.looked.lock().unwrap().iter().filter(|(looked, _)| looked == address).count()
    }
}

impl Prober for Looking {
    fn probe<'a>(&'a self, wanted: &'a WantedProbe) -> Probing<'a> {
        Box::pin(async move {
            self.looked.lock().unwrap().push((wanted.endpoint.address.clone(), Instant::now()));
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(3)).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            if self.out_of_reach {
                return Reading::Unreadable { unreadable: unreadable(ErrorClass::Unavailable) };
            }
            let endpoint = wanted.endpoint.clone();
            let server_name = endpoint.address.clone();
            Reading::Known(LiveTls { endpoint, server_name, probed_at: NOON, tls: LiveOffer::NotOffered, plain: LivePlain::Accepted })
        })
    }
}

fn instance(name: &str, address: &str) -> DbInstance {
    let arn = scope().arn("rds", &format!("db:{name}"));
    serde_json::from_value(serde_json::json!({
        "arn": arn, "identifier": name, "engine": "postgres", "engineVersion": "16.4", "status": "available",
        "endpoint": {"address": address, "port": 5432}, "storageEncrypted": true,
    }))
    .unwrap()
}

fn databases(names: &[&str]) -> Inventory {
    let mut inventory = inventory(&[]);
    inventory.db_instances.extend(names.iter().map(|name| instance(name, name)).map(|one| (one.arn.clone(), one)));
    inventory
}

fn watched(account: &Arc<FakeAws>, looking: &Arc<Looking>, interval: Duration) -> Rig {
    let options = DaemonOptions { tls_probe_interval: interval, interval: Duration::from_mins(5), ..options() };
    Rig::probing(vec![Arc::clone(account)], VERIFIED, options, Arc::<Looking>::clone(looking))
}

#[tokio::test(start_paused = true)]
async fn each_endpoint_is_looked_at_once_in_an_interval_and_few_at_a_time() {
    let names = ["a", "b", "c", "d", "e"];
    let (account, looking) = (FakeAws::new(databases(&names)), Arc::new(Looking::default()));
    let rig = watched(&account, &looking, Duration::from_hours(1));
    pass_time(50).await;
    let unknown = [("service", "rds"), ("state", "unknown")];
    assert_eq!((rig.value("everseal_resources", &unknown), looking.looked.lock().unwrap().len()), (Some(5.0), 0));
    pass_time(60).await;
    assert!(names.iter().all(|name| looking.times(name) == 1), "{looking:?}");
    assert_eq!(looking.most.load(Ordering::SeqCst), 2);
    let drifted = [("service", "rds"), ("check", "rds-tls-live")];
    assert_eq!(rig.value("everseal_drift", &drifted), Some(5.0), "what was met is in the next plan");
    pass_time(3 * 3600).await;
    assert!(names.iter().all(|name| looking.times(name) == 4 || looking.times(name) == 3), "{looking:?}");
    assert_eq!(rig.value("everseal_drift", &drifted), Some(5.0), "and stays over full passes");
    assert!(account.full_passes() > 30);
}

#[tokio::test(start_paused = true)]
async fn what_is_out_of_reach_is_unknown_and_is_not_hammered() {
    let (account, looking) = (FakeAws::new(databases(&["dark"])), Arc::new(Looking { out_of_reach: true, ..Looking::default() }));
    let rig = watched(&account, &looking, Duration::from_hours(1));
    pass_time(1800).await;
    assert_eq!(looking.times("dark"), 1);
    assert_eq!(rig.value("everseal_resources", &[("service", "rds"), ("state", "unknown")]), Some(1.0));
    assert_eq!(rig.value("everseal_drift", &[("service", "rds"), ("check", "rds-tls-live")]), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_moves_is_looked_at_anew_and_one_that_goes_is_forgotten() {
    let (account, looking) = (FakeAws::new(databases(&["a", "b"])), Arc::new(Looking::default()));
    let rig = watched(&account, &looking, Duration::from_hours(24));
    pass_time(600).await;
    assert_eq!((looking.times("a"), looking.times("b")), (1, 1));
    let moved = instance("a", "a-new");
    {
        let truth = &mut account.world().truth;
        truth.db_instances.insert(moved.arn.clone(), moved);
        truth.db_instances.remove(&instance("b", "b").arn);
    }
    pass_time(600).await;
    assert_eq!((looking.times("a"), looking.times("a-new"), looking.times("b")), (1, 1, 1));
    assert_eq!(rig.value("everseal_drift", &[("service", "rds"), ("check", "rds-tls-live")]), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_zero_is_never() {
    let (account, looking) = (FakeAws::new(databases(&["a"])), Arc::new(Looking::default()));
    let _rig = watched(&account, &looking, Duration::ZERO);
    pass_time(24 * 3600).await;
    assert_eq!(looking.times("a"), 0);
}
