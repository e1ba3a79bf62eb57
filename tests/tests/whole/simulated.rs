//! The program on a simulated AWS in virtual time: hours pass in milliseconds.

use std::sync::Arc;
use std::time::Duration;

use everseal_controller::daemon::Shared;
use everseal_controller::ledger::Ledger;
use everseal_controller::{Clock as LoopClock, Daemon, DaemonOptions, Metrics, Status};
use everseal_planner::PolicySet;
use everseal_sim::Sim;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use crate::promise::estate::{HOME, REGION};
pub use crate::promise::host::Reach;

/// How long a process that died is away.
const AWAY: Duration = Duration::from_secs(30);

/// What outlives a process, and how it works.
#[derive(Clone)]
pub struct Process {
    pub ledger: Ledger,
    pub clock: LoopClock,
    pub options: DaemonOptions,
    /// What the process that runs shows, and the one after it.
    pub status: Status,
}

/// The daemon, started again whenever a fault lets it die.
pub async fn daemon(sim: Sim, policies: watch::Receiver<Arc<PolicySet>>, process: Process) {
    let Process { ledger, clock, options, status } = process;
    let options = Arc::new(options);
    loop {
        let metrics = Arc::new(Metrics::register(&prometheus::Registry::new(), clock).unwrap());
        let shared = Shared { ledger: ledger.clone(), metrics, status: status.clone(), prober: None, clock, options: Arc::clone(&options) };
        let stop = CancellationToken::new();
        let daemon = Daemon::new(Reach::new(&sim), policies.clone(), shared);
        tokio::select! {
            () = daemon.run(stop.clone()) => return,
            () = sim.crashed() => stop.cancel(),
        }
        tokio::time::sleep(AWAY).await;
    }
}
