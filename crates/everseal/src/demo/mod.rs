//! `everseal demo`: the whole product on the embedded simulator, with the finance pipeline of `config/`, live traffic
//! and the daemon. No AWS account, no network, nothing written to disk.

mod disturb;
mod estate;
mod show;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use everseal_aws::ConnectOptions;
use everseal_aws::permissions::{PermissionMode, iam_policy};
use everseal_controller::policy_watch::ReadSources;
use everseal_controller::{Clock, DaemonOptions, Ledger};
use everseal_planner::policy::Source;
use everseal_sim::{Moment, Settings, Sim, World};
use object_store::memory::InMemory;
use tokio_util::sync::CancellationToken;

use crate::args::DemoArgs;
use crate::commands::run::{self, Daemonised};
use crate::exit::Outcome;
use crate::{http, live, signals};
use estate::Estate;
use show::Show;

/// The policy in force: the finance pipeline's own.
const POLICY: &str = include_str!("../../../../config/finance.yaml");
/// The estate was made so long ago: streams are active, databases available.
const SETTLES_MILLIS: u64 = 15 * 60 * 1000;

/// The same without its limits: ten percent of so small an estate is one change in five seconds.
fn policy() -> String {
    POLICY.lines().filter(|line| !line.trim_start().starts_with("limits:")).fold(String::new(), |text, line| text + line + "\n")
}

/// Passes follow each other closely: somebody is watching.
const INTERVAL: Duration = Duration::from_secs(5);
/// The shortest that `CloudWatch`'s data points make sense for.
const FIREHOSE_ERRORS_INTERVAL: Duration = Duration::from_mins(1);

/// Runs until Ctrl-C.
pub fn run(args: &DemoArgs) -> Result<Outcome> {
    live::block_on(demo(args))
}

async fn demo(args: &DemoArgs) -> Result<Outcome> {
    let permissions = iam_policy(PermissionMode::Enforce).to_string();
    let clock = everseal_sim::Clock::real();
    let began = Moment(clock.now().0.saturating_sub(SETTLES_MILLIS));
    let settings = Settings { account: estate::HOME.to_owned(), seed: args.seed, ..Settings::default() };
    let mut world = World::new(settings, began);
    let estate = Estate::raise(&mut world, &permissions).context("the demo's estate can't be made")?;
    let sim = Sim::begun(world, clock);
    sim.with(|world| estate.lose_key(world)).context("the demo's key can't be scheduled for deletion")?;
    let endpoint = http::listen(args.sim_listen, "--sim-listen").await?;
    let page = http::listen(args.listen, "--listen").await?;
    let show = Show::begin(args, (page.local_addr()?, endpoint.local_addr()?));

    let stop = CancellationToken::new();
    signals::cancel_on_signal(stop.clone());
    let world = sim.clone();
    let simulated = tokio::spawn(async move { world.serve(endpoint).await });
    let counted = traffic::begin(&sim, &estate, stop.clone());
    if args.chaos {
        tokio::spawn(disturb::now_and_then(sim.clone(), estate.clone(), show.clone(), stop.clone()));
    }
    let daemon = daemonised(args, &sim)?;
    let status = daemon.status();
    let telling = tokio::spawn(show.tell(status, counted, stop.clone()));
    let outcome = daemon.serve(page, stop).await;
    telling.await.context("the display ended badly")?;
    simulated.abort();
    outcome
}

fn daemonised(args: &DemoArgs, sim: &Sim) -> Result<Daemonised> {
    let read: ReadSources = Box::new(|| Ok(vec![Source { file: "config/finance.yaml".into(), text: policy() }]));
    let credentials = Credentials::new(estate::HOME, "simulated", None, None, "everseal demo");
    let connect = ConnectOptions {
        fallback_region: Some(estate::REGION.to_owned()),
        http_client: Some(aws_smithy_runtime_api::client::http::SharedHttpClient::new(sim.http_client())),
        credentials: Some(SharedCredentialsProvider::new(credentials)),
        time_source: None,
    };
    let options = DaemonOptions {
        interval: INTERVAL,
        kms_errors_interval: FIREHOSE_ERRORS_INTERVAL,
        dry_run: !args.enforce,
        ..DaemonOptions::default()
    };
    let ledger = Ledger::new(Arc::new(InMemory::new()), object_store::path::Path::default());
    run::daemonised(read, ledger, connect, (options, Clock::default()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_policy_of_the_demo_is_the_committed_one_without_its_limits() {
        let load = |text: &str| everseal_planner::policy::load(&[Source { file: "f".into(), text: text.into() }], 0).unwrap().set.policies;
        let (shown, committed) = (load(&policy()), load(POLICY));
        assert!(committed[0].spec.limits.max_changes_percent.is_some());
        assert_eq!(shown[0].spec.limits, everseal_planner::policy::model::Limits::default());
        assert_eq!(
            (&shown[0].spec.keys, &shown[0].spec.s3, &shown[0].spec.sqs),
            (&committed[0].spec.keys, &committed[0].spec.s3, &committed[0].spec.sqs)
        );
    }

    #[test]
    fn the_estate_can_be_made_and_used() {
        let mut world = everseal_sim::World::new(Settings::default(), everseal_sim::Moment(1_795_910_400_000));
        let permissions = iam_policy(PermissionMode::Enforce).to_string();
        let estate = Estate::raise(&mut world, &permissions).unwrap();
        assert_eq!(estate.queues.len(), 4);
        estate.session(&mut world, "ingest").unwrap();
        estate.session(&mut world, "settlement").unwrap();
    }
}
