//! The loop of one scope: takes what is due from the queue and has it worked on, contained.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use everseal_planner::absorb::service_of;
use everseal_planner::{Arn, PolicySet, Scope};
use futures::FutureExt;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::view::View;
use crate::account::Account;
use crate::database_calls::REMEMBERED_SECONDS;
use crate::executor::with_sources;
use crate::metrics::WorkResult;
use crate::pass::{ENCRYPTION_CALL_WINDOW_SECONDS, Memory, Surroundings};
use crate::queue::{Done, Jitter, Lease, Priority, WorkQueue};

/// What there is to do in a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// Observe everything and plan.
    Resync,
    /// Plan again from what is known, and begin what that makes possible.
    Plan,
    /// Read Firehose's KMS counters.
    KmsErrors,
    /// Have those databases looked at whose migration moves by itself.
    Migrations,
    /// Look at the TLS of databases.
    LiveTls,
    /// Look at one resource and make its steps.
    Resource(Arn),
}

/// One scope.
#[derive(Debug)]
pub(super) struct ScopeLoop<A> {
    pub(super) scope: Scope,
    account: RwLock<Arc<A>>,
    policies: watch::Receiver<Arc<PolicySet>>,
    pub(super) memory: Mutex<Memory>,
    pub(super) view: tokio::sync::Mutex<View>,
    pub(super) queue: WorkQueue<Item>,
    pub(super) jitter: Mutex<Jitter>,
    pub(super) shared: Shared,
    pub(super) stopping: CancellationToken,
}

impl<A: Account> ScopeLoop<A> {
    pub(super) fn new(account: Arc<A>, policies: watch::Receiver<Arc<PolicySet>>, shared: Shared, stopping: CancellationToken) -> Self {
        let jitter = || shared.options.seed.map_or_else(Jitter::random, Jitter::seeded);
        Self {
            scope: account.scope().clone(),
            account: RwLock::new(account),
            policies,
            memory: Mutex::new(Memory::starting(shared.clock.now())),
            view: tokio::sync::Mutex::default(),
            queue: WorkQueue::new(shared.options.backoff, jitter(), shared.metrics.queue()),
            jitter: Mutex::new(jitter()),
            shared,
            stopping,
        }
    }

    /// Somebody changed a resource.
    pub(super) fn changed(&self, resource: Arn) {
        self.queue.add(Item::Resource(resource), Priority::Event);
    }

    /// Other policies are in force: everything is read again, since they may ask for more.
    pub(super) fn policies_changed(&self) {
        self.queue.add(Item::Resync, Priority::Event);
    }

    /// The way into the account changed (another role, fresh credentials).
    pub(super) fn reconnected(&self, account: Arc<A>) {
        *self.account.write().unwrap_or_else(PoisonError::into_inner) = account;
    }

    /// Begin nothing more.
    pub(super) fn stop(&self) {
        self.stopping.cancel();
    }

    pub(super) fn account(&self) -> Arc<A> {
        Arc::clone(&self.account.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn policies(&self) -> Arc<PolicySet> {
        Arc::clone(&self.policies.borrow())
    }

    pub(super) fn surroundings<'a>(&'a self, policies: &'a PolicySet) -> Surroundings<'a> {
        Surroundings { policies, memory: &self.memory, clock: self.shared.clock }
    }

    /// Runs until it is stopped; then waits for what is in hand, at most for the grace period.
    pub(super) async fn run(self: Arc<Self>, first_pass_after: Duration) {
        self.remember_calls().await;
        self.queue.add_after(Item::Resync, Priority::Resync, first_pass_after);
        self.queue.add_after(Item::KmsErrors, Priority::Resync, self.shared.options.kms_errors_interval);
        self.schedule_probes();
        // The full pass may take long: it must never be the only work that fits.
        let permits = Arc::new(Semaphore::new(self.shared.options.concurrency.max(2)));
        let mut tasks = JoinSet::new();
        while let Some((permit, lease)) = self.next(&permits).await {
            let this = Arc::clone(&self);
            tasks.spawn(async move {
                this.work_contained(lease).await;
                drop(permit);
            });
            while tasks.try_join_next().is_some() {}
        }
        self.queue.close();
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.shared.options.grace, all).await.is_err() {
            tracing::error!(scope = %self.scope, "work in hand did not end in time and is cut off; the ledger shows it as interrupted");
        }
    }

    async fn next(&self, permits: &Arc<Semaphore>) -> Option<(tokio::sync::OwnedSemaphorePermit, Lease<Item>)> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => None,
            next = async {
                let permit = Arc::clone(permits).acquire_owned().await.ok()?;
                Some((permit, self.queue.next().await?))
            } => next,
        }
    }

    async fn remember_calls(&self) {
        let since = self.shared.clock.now() - REMEMBERED_SECONDS;
        match self.shared.ledger.database_calls(&self.scope, since).await {
            Ok(calls) => self.memory.lock().unwrap_or_else(PoisonError::into_inner).database_calls = calls,
            Err(error) => {
                let error = with_sources(&error);
                tracing::warn!(scope = %self.scope, error, "earlier reboots of databases are not known");
            }
        }
        let since = self.shared.clock.now() - ENCRYPTION_CALL_WINDOW_SECONDS;
        match self.shared.ledger.encryption_calls(&self.scope, since).await {
            Ok(calls) => self.memory.lock().unwrap_or_else(PoisonError::into_inner).encryption_calls = calls,
            Err(error) => {
                let error = with_sources(&error);
                tracing::warn!(scope = %self.scope, error, "earlier calls against Firehose's daily limit are not known");
            }
        }
    }

    /// Works on one item; a panic ends that item's work alone.
    async fn work_contained(&self, lease: Lease<Item>) {
        let began = tokio::time::Instant::now();
        let (done, result) = AssertUnwindSafe(self.work(&lease)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(scope = %self.scope, item = ?lease.key, "work panicked; it is tried again later");
            (Done::Backoff, WorkResult::Panic)
        });
        if let Some(service) = match &lease.key {
            Item::Resync => Some(None),
            Item::Resource(arn) => service_of(arn).map(Some),
            Item::Plan | Item::KmsErrors | Item::LiveTls | Item::Migrations => None,
        } {
            self.shared.metrics.worked(service, result, began.elapsed());
        }
        self.queue.done(lease, done);
    }

    async fn work(&self, lease: &Lease<Item>) -> (Done, WorkResult) {
        let work = async {
            match &lease.key {
                Item::Resync => self.resync(lease.failures).await,
                Item::Plan => self.plan_and_begin().await,
                Item::KmsErrors => self.kms_errors().await,
                Item::LiveTls => self.live_tls().await,
                Item::Migrations => self.migrations().await,
                Item::Resource(arn) => return self.resource(arn, lease.priority, lease.failures).await,
            }
        };
        match &lease.key {
            // Steps stop by themselves, between writes.
            Item::Resource(_) => work.await,
            // Reading can be cut off at any moment.
            Item::Resync | Item::Plan | Item::KmsErrors | Item::LiveTls | Item::Migrations => tokio::select! {
                biased;
                () = self.stopping.cancelled() => (Done::Forget, WorkResult::Success),
                done = work => done,
            },
        }
    }
}
