//! `everseal run`: the daemon.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use everseal_aws::{Aws, ConnectOptions};
use everseal_controller::daemon::Shared;
use everseal_controller::policy_watch::{PolicyLoadError, PolicyWatch, READ_EVERY, ReadSources};
use everseal_controller::{Clock, Connect, Connected, Daemon, DaemonOptions, Ledger, Metrics, Prober, Status};
use everseal_planner::PolicySet;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::RunArgs;
use crate::exit::Outcome;
use crate::http::{self, Shown};
use crate::prober::WireProber;
use crate::scopes::Entered;
use crate::{ledgers, live, scopes, signals, sources};

/// Runs until a signal.
pub fn run(args: &RunArgs) -> Result<Outcome> {
    live::block_on(daemon(args))
}

async fn daemon(args: &RunArgs) -> Result<Outcome> {
    let paths = args.policy.policies.clone();
    let read: ReadSources = Box::new(move || sources::read(&paths).map_err(|error| std::io::Error::other(format!("{error:#}"))));
    let options = DaemonOptions {
        interval: args.interval,
        kms_errors_interval: args.firehose_errors_interval,
        paths_interval: args.paths_interval,
        tls_probe_interval: args.tls_probe_interval,
        dry_run: args.dry_run,
        ..DaemonOptions::default()
    };
    let ledger = ledgers::open(&args.ledger.ledger)?;
    let daemonised = daemonised(read, ledger, ConnectOptions::default(), (options, Clock::default()))?;
    let prober = WireProber { ca_bundle: args.ca_bundle.clone(), clock: Clock::default() };
    let daemonised = daemonised.probing(Arc::new(prober)).trusting(args.ca_bundle.clone());
    let listener = http::listen(args.listen, "--listen").await?;
    tracing::info!(listen = %args.listen, interval = ?args.interval, dry_run = args.dry_run, "everseal runs");
    let stop = CancellationToken::new();
    signals::cancel_on_signal(stop.clone());
    let outcome = daemonised.serve(listener, stop).await;
    tracing::info!("everseal has stopped");
    outcome
}

/// A daemon with everything that it shows, ready to run.
pub struct Daemonised {
    watch: PolicyWatch,
    shared: Shared,
    registry: Registry,
    reach: Reach,
}

/// Loads the policies and prepares everything; nothing runs yet.
pub fn daemonised(
    read: ReadSources,
    ledger: Ledger,
    connect: ConnectOptions,
    (options, clock): (DaemonOptions, Clock),
) -> Result<Daemonised> {
    let registry = Registry::new();
    let metrics = Arc::new(Metrics::register(&registry, clock).context("can't register metrics")?);
    Metrics::build_info(&registry, env!("CARGO_PKG_VERSION")).context("can't register metrics")?;
    let status = Status::new(clock);
    let watch = start_watch(read, clock, &metrics, &status)?;
    let reach = Reach { metrics: Arc::clone(&metrics), connect, ca_bundle: None };
    Ok(Daemonised { watch, shared: Shared { ledger, metrics, status, prober: None, clock, options: Arc::new(options) }, registry, reach })
}

impl Daemonised {
    /// Trusts the authorities of this file, whatever the policies name, where it logs in to count a database's sessions.
    #[must_use]
    pub fn trusting(mut self, ca_bundle: Option<PathBuf>) -> Self {
        self.reach.ca_bundle = ca_bundle;
        self
    }

    /// Also looks at databases' TLS, with `prober`.
    pub fn probing(mut self, prober: Arc<dyn Prober>) -> Self {
        self.shared.prober = Some(prober);
        self
    }

    /// What people see of it.
    pub fn status(&self) -> Status {
        self.shared.status.clone()
    }

    /// Runs and shows itself on `listener` until it is stopped.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> Result<Outcome> {
        let Self { watch, shared, registry, reach } = self;
        let shown = Shown { registry, status: shared.status.clone(), ledger: shared.ledger.clone() };
        let server = tokio::spawn(http::serve(listener, shown, stop.clone()));
        let policies = watch.subscribe();
        let watching = tokio::spawn(watch.run(READ_EVERY, stop.clone()));
        Daemon::new(reach, policies, shared).run(stop.clone()).await;
        stop.cancel();
        watching.await.context("the policy watch ended badly")?;
        server.await.context("the HTTP server ended badly")??;
        Ok(Outcome::InSync)
    }
}

fn start_watch(read: ReadSources, clock: Clock, metrics: &Arc<Metrics>, status: &Status) -> Result<PolicyWatch> {
    match PolicyWatch::start(read, clock, Arc::clone(metrics), status.clone()) {
        Ok((watch, warnings)) => {
            sources::print_diagnostics(&warnings);
            Ok(watch)
        }
        Err(PolicyLoadError::Invalid(diagnostics)) => {
            sources::print_diagnostics(&diagnostics);
            Err(anyhow!("the policy has errors: the daemon was not started"))
        }
        Err(error @ PolicyLoadError::Read(_)) => Err(error.into()),
    }
}

/// The way into the scopes of whatever policies are in force, with a fresh connection each time: credentials, too, may
/// have become valid since.
struct Reach {
    metrics: Arc<Metrics>,
    connect: ConnectOptions,
    ca_bundle: Option<PathBuf>,
}

impl Connect for Reach {
    type Account = Entered;

    async fn connect(&self, policies: &PolicySet) -> Connected<Entered> {
        let options = ConnectOptions { fallback_region: scopes::fallback_region(policies), ..self.connect.clone() };
        let observer: Arc<dyn everseal_controller::CallObserver> = self.metrics.clone();
        match Aws::connect(options, observer).await {
            Ok(aws) => {
                let (open, closed) = scopes::open(&aws, policies, self.ca_bundle.clone()).await;
                Connected {
                    accounts: open.into_iter().map(Arc::new).collect(),
                    failures: closed.iter().map(scopes::Closed::line).collect(),
                }
            }
            Err(error) => Connected { accounts: Vec::new(), failures: vec![error.to_string()] },
        }
    }
}
