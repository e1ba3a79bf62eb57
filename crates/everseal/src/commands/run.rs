//! `everseal run`: the daemon.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use everseal_aws::{Aws, AwsAccount, ConnectOptions};
use everseal_controller::daemon::Shared;
use everseal_controller::policy_watch::{PolicyLoadError, PolicyWatch, READ_EVERY, ReadSources};
use everseal_controller::{Clock, Connect, Connected, Daemon, DaemonOptions, Metrics, Status};
use everseal_planner::PolicySet;
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use crate::args::RunArgs;
use crate::exit::Outcome;
use crate::http::{self, Shown};
use crate::{ledgers, live, scopes, signals, sources};

/// Runs until a signal.
pub fn run(args: &RunArgs) -> Result<Outcome> {
    live::block_on(daemon(args))
}

async fn daemon(args: &RunArgs) -> Result<Outcome> {
    let clock = Clock::default();
    let registry = Registry::new();
    let metrics = Arc::new(Metrics::register(&registry, clock).context("can't register metrics")?);
    Metrics::build_info(&registry, env!("CARGO_PKG_VERSION")).context("can't register metrics")?;
    let status = Status::new(clock);
    let watch = start_watch(&args.policy.policies, clock, &metrics, &status)?;
    let ledger = ledgers::open(&args.ledger.ledger)?;
    let listener = http::listen(args.listen).await?;
    tracing::info!(listen = %args.listen, interval = ?args.interval, dry_run = args.dry_run, "everseal runs");

    let stop = CancellationToken::new();
    signals::cancel_on_signal(stop.clone());
    let shown = Shown { registry, status: status.clone(), ledger: ledger.clone() };
    let server = tokio::spawn(http::serve(listener, shown, stop.clone()));
    let reach = Reach { metrics: Arc::clone(&metrics) };
    let options = DaemonOptions {
        interval: args.interval,
        kms_errors_interval: args.firehose_errors_interval,
        paths_interval: args.paths_interval,
        dry_run: args.dry_run,
        ..DaemonOptions::default()
    };
    let shared = Shared { ledger, metrics, status, clock, options: Arc::new(options) };
    let policies = watch.subscribe();
    let watching = tokio::spawn(watch.run(READ_EVERY, stop.clone()));
    Daemon::new(reach, policies, shared).run(stop.clone()).await;
    stop.cancel();
    watching.await.context("the policy watch ended badly")?;
    server.await.context("the HTTP server ended badly")??;
    tracing::info!("everseal has stopped");
    Ok(Outcome::InSync)
}

fn start_watch(paths: &[PathBuf], clock: Clock, metrics: &Arc<Metrics>, status: &Status) -> Result<PolicyWatch> {
    let paths = paths.to_vec();
    let read: ReadSources = Box::new(move || sources::read(&paths).map_err(|error| std::io::Error::other(format!("{error:#}"))));
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
}

impl Connect for Reach {
    type Account = AwsAccount;

    async fn connect(&self, policies: &PolicySet) -> Connected<AwsAccount> {
        let options = ConnectOptions { fallback_region: scopes::fallback_region(policies), ..ConnectOptions::default() };
        let observer: Arc<dyn everseal_controller::CallObserver> = self.metrics.clone();
        match Aws::connect(options, observer).await {
            Ok(aws) => {
                let (open, closed) = scopes::open(&aws, policies).await;
                Connected {
                    accounts: open.into_iter().map(Arc::new).collect(),
                    failures: closed.iter().map(scopes::Closed::line).collect(),
                }
            }
            Err(error) => Connected { accounts: Vec::new(), failures: vec![error.to_string()] },
        }
    }
}
