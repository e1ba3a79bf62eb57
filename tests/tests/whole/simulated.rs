//! The program on a simulated AWS in virtual time: hours pass in milliseconds.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use everseal_aws::{Aws, AwsAccount, ConnectOptions};
use everseal_controller::daemon::Shared;
use everseal_controller::ledger::Ledger;
use everseal_controller::{Clock as LoopClock, Connect, Connected, Daemon, DaemonOptions, Metrics, Status, Unwatched};
use everseal_planner::PolicySet;
use everseal_sim::Sim;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use crate::promise::estate::{HOME, REGION};

/// How long a process that died is away.
const AWAY: Duration = Duration::from_secs(30);

/// Simulated time for the SDK.
#[derive(Debug)]
struct SimTime(Sim);

impl TimeSource for SimTime {
    fn now(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + Duration::from_millis(self.0.now().0)
    }
}

/// The way into the simulated account; each has a client of its own, which may die.
pub struct Reach {
    sim: Sim,
    client: SharedHttpClient,
}

impl Reach {
    pub fn new(sim: &Sim) -> Self {
        Self { sim: sim.clone(), client: SharedHttpClient::new(sim.http_client()) }
    }

    pub async fn accounts(&self) -> Result<Vec<AwsAccount>, everseal_aws::ConnectError> {
        let credentials = Credentials::new(HOME, "secret", None, None, "simulated");
        let options = ConnectOptions {
            fallback_region: Some(REGION.to_owned()),
            http_client: Some(self.client.clone()),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            time_source: Some(SharedTimeSource::new(SimTime(self.sim.clone()))),
        };
        let aws = Aws::connect(options, Arc::new(Unwatched)).await?;
        aws.account(None, &[REGION.to_owned()]).await
    }
}

impl Connect for Reach {
    type Account = AwsAccount;

    async fn connect(&self, _: &PolicySet) -> Connected<AwsAccount> {
        match self.accounts().await {
            Ok(accounts) => Connected { accounts: accounts.into_iter().map(Arc::new).collect(), failures: Vec::new() },
            Err(error) => Connected { accounts: Vec::new(), failures: vec![error.to_string()] },
        }
    }
}

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
