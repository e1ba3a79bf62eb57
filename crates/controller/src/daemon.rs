//! `everseal run`: every scope, for ever.
//!
//! The supervisor keeps one loop per scope running, and nothing else: it connects, starts and stops
//! loops as policies change, and hands change events to them. Scopes share nothing but the ledger,
//! metrics and status, so one scope's failure is its own.

mod live_tls;
mod pace;
mod scope_loop;
mod view;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use everseal_planner::{Arn, PolicySet, Scope};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::account::Account;
use crate::clock::Clock;
use crate::executor::ExecutorOptions;
use crate::ledger::Ledger;
use crate::live_tls::Prober;
use crate::metrics::Metrics;
use crate::queue::Backoff;
use crate::status::{BEAT_SECONDS, Status};
use scope_loop::ScopeLoop;

/// Accounts and regions that can be worked in now, and why others can't.
#[derive(Debug)]
pub struct Connected<A> {
    /// Every scope that the policies hold in and that could be reached.
    pub accounts: Vec<Arc<A>>,
    /// The others, in words: which, why, what to do. They are tried again.
    pub failures: Vec<String>,
}

/// Reaches the scopes of policies.
pub trait Connect: Send + Sync + 'static {
    /// What is reached.
    type Account: Account;

    /// Reaches every scope that the policies hold in. One scope's failure is its own.
    fn connect(&self, policies: &PolicySet) -> impl Future<Output = Connected<Self::Account>> + Send;
}

/// How the daemon works.
#[derive(Debug, Clone)]
pub struct DaemonOptions {
    /// Full pass of a scope, from the end of one to the start of the next.
    pub interval: Duration,
    /// Reads of Firehose's KMS counters; CloudWatch charges for each.
    pub kms_errors_interval: Duration,
    /// Reads of what lies beside resources on data paths, at the full pass that is next; zero: never.
    pub paths_interval: Duration,
    /// Probes of one database's TLS, at most one in this time; zero: never.
    pub tls_probe_interval: Duration,
    /// Items of a scope worked on at the same time.
    pub concurrency: usize,
    /// Observe and plan, change nothing.
    pub dry_run: bool,
    /// Waits after failures.
    pub backoff: Backoff,
    /// How long a stop waits for the writes in hand.
    pub grace: Duration,
    /// Scopes that could not be reached are tried again after this.
    pub reconnect_after: Duration,
    /// How steps are made.
    pub executor: ExecutorOptions,
    /// Replays every random choice; `None` in the program.
    pub seed: Option<u64>,
}

impl Default for DaemonOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_mins(5),
            kms_errors_interval: Duration::from_mins(5),
            paths_interval: Duration::from_hours(1),
            tls_probe_interval: Duration::from_hours(1),
            concurrency: 8,
            dry_run: false,
            backoff: Backoff::default(),
            grace: Duration::from_secs(9),
            reconnect_after: Duration::from_secs(15),
            executor: ExecutorOptions::default(),
            seed: None,
        }
    }
}

/// What all scopes share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where steps are recorded.
    pub ledger: Ledger,
    /// Counted here.
    pub metrics: Arc<Metrics>,
    /// Shown here.
    pub status: Status,
    /// Looks at databases' TLS; without it nobody does.
    pub prober: Option<Arc<dyn Prober>>,
    /// The time.
    pub clock: Clock,
    /// How to work.
    pub options: Arc<DaemonOptions>,
}

/// Where change events come in: hints, never needed for correctness.
#[derive(Debug, Clone)]
pub struct Events(mpsc::UnboundedSender<Arn>);

impl Events {
    /// Somebody changed this resource: it is looked at at once. Repeated hints cost nothing.
    pub fn changed(&self, resource: Arn) {
        // After the daemon has ended nobody listens, and nobody needs to.
        let _ = self.0.send(resource);
    }
}

struct Running<A> {
    scope_loop: Arc<ScopeLoop<A>>,
    task: JoinHandle<()>,
}

type Connecting<A> = Pin<Box<dyn Future<Output = Connected<A>> + Send>>;

/// The supervisor of all scopes.
pub struct Daemon<C: Connect> {
    connect: Arc<C>,
    policies: watch::Receiver<Arc<PolicySet>>,
    shared: Shared,
    events: (mpsc::UnboundedSender<Arn>, mpsc::UnboundedReceiver<Arn>),
    running: BTreeMap<Scope, Running<C::Account>>,
    /// Loops of scopes that no policy holds in any more, on their way out.
    leaving: Vec<(Scope, JoinHandle<()>)>,
    /// Why scopes could not be reached the last time: what stays as it was is not logged again.
    failures: Vec<String>,
}

impl<C: Connect> std::fmt::Debug for Daemon<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Daemon").field("scopes", &self.running.keys()).finish_non_exhaustive()
    }
}

impl<C: Connect> Daemon<C> {
    /// A daemon that has not started.
    pub fn new(connect: C, policies: watch::Receiver<Arc<PolicySet>>, shared: Shared) -> Self {
        Self {
            connect: Arc::new(connect),
            policies,
            shared,
            events: mpsc::unbounded_channel(),
            running: BTreeMap::new(),
            leaving: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Where change events go in.
    pub fn events(&self) -> Events {
        Events(self.events.0.clone())
    }

    /// Runs until it is stopped; then finishes the writes in hand and returns, within the grace period.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut beat = tokio::time::interval(Duration::from_secs(BEAT_SECONDS.unsigned_abs()));
        let mut connecting: Option<Connecting<C::Account>> = Some(self.start_connecting());
        let mut other_policies = false;
        let mut reconnect_at: Option<Instant> = None;
        let mut policies_open = true;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = beat.tick() => {
                    self.shared.status.beat();
                    self.reap();
                    if self.running.values().any(|running| running.task.is_finished()) && connecting.is_none() {
                        connecting = Some(self.start_connecting());
                    }
                }
                changed = self.policies.changed(), if policies_open => {
                    policies_open = changed.is_ok();
                    if policies_open {
                        other_policies = true;
                        connecting = Some(self.start_connecting());
                    }
                }
                connected = once(&mut connecting) => {
                    connecting = None;
                    reconnect_at = (!connected.failures.is_empty()).then(|| Instant::now() + self.shared.options.reconnect_after);
                    self.adopt(connected, std::mem::take(&mut other_policies), &stop);
                }
                () = at(reconnect_at), if connecting.is_none() => {
                    reconnect_at = None;
                    connecting = Some(self.start_connecting());
                }
                Some(resource) = self.events.1.recv() => self.route(&resource),
            }
        }
        self.finish().await;
    }

    fn start_connecting(&mut self) -> Connecting<C::Account> {
        let (connect, policies) = (Arc::clone(&self.connect), Arc::clone(&self.policies.borrow_and_update()));
        Box::pin(async move { connect.connect(&policies).await })
    }

    /// Starts loops of new scopes and stops those that nobody asks for. Running ones get their new account only where the
    /// policies may have changed the way into it: the old one knows the pace that AWS allows.
    fn adopt(&mut self, connected: Connected<C::Account>, other_policies: bool, stop: &CancellationToken) {
        let Connected { accounts, failures } = connected;
        for failure in news(&self.failures, &failures) {
            tracing::error!("{failure}");
        }
        self.failures.clone_from(&failures);
        let wanted: BTreeSet<Scope> = accounts.iter().map(|account| account.scope().clone()).collect();
        if failures.is_empty() {
            // A scope that could not be reached this time may well be one of those that run.
            self.stop_all_but(&wanted);
        }
        self.shared.status.unreachable(failures);
        let kept: Vec<Scope> = self.running.keys().cloned().collect();
        let new = accounts.len();
        for (index, account) in accounts.into_iter().enumerate() {
            match self.running.get(account.scope()).filter(|running| !running.task.is_finished()) {
                Some(running) if other_policies => running.scope_loop.reconnected(account),
                Some(_) => {}
                None => self.start(account, stop, spread(index, new, self.shared.options.interval)),
            }
        }
        if other_policies {
            // Also those that could not be reached anew: their old way in may still work.
            kept.iter().filter_map(|scope| self.running.get(scope)).for_each(|running| running.scope_loop.policies_changed());
        }
    }

    fn start(&mut self, account: Arc<C::Account>, stop: &CancellationToken, first_pass_after: Duration) {
        let scope = account.scope().clone();
        let scope_loop = Arc::new(ScopeLoop::new(account, self.policies.clone(), self.shared.clone(), stop.child_token()));
        self.shared.status.update(&scope, |_| {});
        let task = tokio::spawn(Arc::clone(&scope_loop).run(first_pass_after));
        self.running.insert(scope, Running { scope_loop, task });
    }

    fn stop_all_but(&mut self, wanted: &BTreeSet<Scope>) {
        let gone: Vec<Scope> = self.running.keys().filter(|scope| !wanted.contains(scope)).cloned().collect();
        for scope in gone {
            if let Some(running) = self.running.remove(&scope) {
                running.scope_loop.stop();
                self.leaving.push((scope, running.task));
            }
        }
    }

    /// Takes scopes off show whose loops have ended.
    fn reap(&mut self) {
        let (status, metrics, running) = (&self.shared.status, &self.shared.metrics, &self.running);
        self.leaving.retain(|(scope, task)| {
            if task.is_finished() && !running.contains_key(scope) {
                status.forget(scope);
                metrics.forget_scope(scope);
            }
            !task.is_finished()
        });
    }

    /// A bucket's ARN names no region: every scope of its partition gets the hint and looks whether it has it.
    fn route(&self, resource: &Arn) {
        for (scope, running) in &self.running {
            let in_region = resource.region().is_empty() || resource.region() == scope.region;
            let in_account = resource.account().is_empty() || resource.account() == scope.account;
            if in_region && in_account && resource.partition() == scope.partition {
                running.scope_loop.changed(resource.clone());
            }
        }
    }

    async fn finish(self) {
        let loops = self.running.into_values().map(|running| running.task).chain(self.leaving.into_iter().map(|(_, task)| task));
        for ended in futures::future::join_all(loops).await {
            if let Err(error) = ended {
                tracing::error!(%error, "a scope's loop did not end well");
            }
        }
    }
}

/// What is said for the first time, or again after it was not so: tries come every few seconds, an account may stay
/// closed for days.
fn news<'a>(before: &[String], now: &'a [String]) -> Vec<&'a String> {
    now.iter().filter(|failure| !before.contains(failure)).collect()
}

/// Waits for what is being connected, for ever where nothing is.
async fn once<A>(connecting: &mut Option<Connecting<A>>) -> Connected<A> {
    match connecting {
        Some(connecting) => connecting.await,
        None => std::future::pending().await,
    }
}

/// Waits until then, for ever where there is no such time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Scopes start one after the other within a tenth of the interval, at most half a minute, so that
/// neither AWS nor this process meets them all at once.
fn spread(index: usize, count: usize, interval: Duration) -> Duration {
    let within = (interval / 10).min(Duration::from_secs(30));
    within.mul_f64(ratio(index, count))
}

fn ratio(part: usize, whole: usize) -> f64 {
    let as_f64 = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { as_f64(part) / as_f64(whole) }
}

#[cfg(test)]
mod live_tls_tests;
#[cfg(test)]
mod tests;
