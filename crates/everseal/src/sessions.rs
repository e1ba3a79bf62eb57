//! An account whose databases are also asked who is connected to them.
//!
//! The controller knows one boundary, [`Account`]. This one is AWS's with one more reading: where a plan asked for the facts
//! of a database by name, and its rule gives a monitoring login, its sessions are counted and put into what was observed.
//! So every command and the daemon see the same, and neither the controller nor the AWS adapters hold a database client.
//!
//! What must never happen here: a login kept longer than its count takes, or shown; a count of a part of a cluster; a
//! database that is asked again and again.

mod login;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use everseal_controller::{Account, ApplyError, KmsErrorPoint};
use everseal_database::probe::{Authorities, Engine, Target as Server};
use everseal_database::sessions::{self, Login, SessionsError};
use everseal_planner::inventory::{ErrorClass, SessionCount};
use everseal_planner::plan::{Change, Reads, Target};
use everseal_planner::rds::counting::{self, WantedCount};
use everseal_planner::rds::observed::DbEndpoint;
use everseal_planner::{Arn, Inventory, PolicySet, Reading, Scope, Service, Unreadable};
use futures::{StreamExt, TryStreamExt};
use tokio::time::Instant;

pub use login::{Logins, Secrets};

/// Databases that are asked at the same time.
const AT_ONCE: usize = 8;
/// A database is not asked again before this, whoever wants to know.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Asks a server.
pub trait CountSessions: Send + Sync + 'static {
    /// Its sessions at `now` (Unix time).
    fn count(
        &self,
        server: &Server,
        login: &Login,
        trusted: &Arc<Authorities>,
        now: i64,
    ) -> impl Future<Output = Result<SessionCount, SessionsError>> + Send;
}

/// Over the network, on verified TLS.
#[derive(Debug, Clone, Copy)]
pub struct OverTheWire;

impl CountSessions for OverTheWire {
    async fn count(&self, server: &Server, login: &Login, trusted: &Arc<Authorities>, now: i64) -> Result<SessionCount, SessionsError> {
        sessions::count(server, login, trusted, now).await
    }
}

/// What counting takes beside the account itself.
#[derive(Debug, Clone)]
pub struct Counting<C> {
    /// Whose sessions, by their rules.
    pub policies: Arc<PolicySet>,
    /// The authorities' file that wins over those of the policy.
    pub ca_bundle: Option<PathBuf>,
    /// Where logins are found.
    pub logins: Logins,
    /// Who asks.
    pub by: C,
}

/// An account with the sessions of its databases.
#[derive(Debug)]
pub struct WithSessions<A, C = OverTheWire> {
    account: A,
    counting: Counting<C>,
    asked: Mutex<BTreeMap<Arn, (Instant, Reading<SessionCount>)>>,
}

impl<A: Account + Secrets, C: CountSessions> WithSessions<A, C> {
    /// The account, and how to count.
    pub fn new(account: A, counting: Counting<C>) -> Self {
        Self { account, counting, asked: Mutex::default() }
    }

    /// Puts the sessions of databases that were asked for by name into what was seen of them.
    async fn add_sessions(&self, asked: &BTreeSet<Arn>, inventory: &mut Inventory) {
        let members = counting::unread_members(inventory, asked);
        let wanted = if members.is_empty() {
            counting::wanted_counts(&self.counting.policies, inventory, asked)
        } else {
            // Members are seen for their endpoints alone: what was observed stays what was asked for.
            let reads = Reads { services: BTreeSet::from([Service::Rds]), ..Reads::nothing() };
            let mut whole = inventory.clone();
            whole.absorb(self.account.observe(&Target::Resources(members), &reads).await, &BTreeSet::new());
            counting::wanted_counts(&self.counting.policies, &whole, asked)
        };
        let now = inventory.observed_at;
        let counts = wanted.into_iter().map(|wanted| async move {
            let count = self.count(&wanted, now).await;
            (wanted.database, count)
        });
        inventory.sessions.extend(futures::stream::iter(counts).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
    }

    async fn count(&self, wanted: &WantedCount, now: i64) -> Reading<SessionCount> {
        if let Some((at, count)) = self.asked().get(&wanted.database)
            && at.elapsed() < ASKED_AGAIN_AFTER
        {
            return count.clone();
        }
        let count = match Box::pin(self.ask(wanted, now)).await {
            Ok(count) => Reading::Known(count),
            Err(unreadable) => Reading::Unreadable { unreadable },
        };
        self.asked().insert(wanted.database.clone(), (Instant::now(), count.clone()));
        count
    }

    async fn ask(&self, wanted: &WantedCount, now: i64) -> Result<SessionCount, Unreadable> {
        let WantedCount { database: _, engine, servers, monitoring, ca_bundle } = wanted;
        let engine = Engine::of_rds(engine).map_err(|error| not_counted(ErrorClass::Invalid, error.to_string()))?;
        let servers = servers.clone().map_err(|reason| not_counted(ErrorClass::Unavailable, reason))?;
        let trusted = authorities(self.counting.ca_bundle.as_deref().or(ca_bundle.as_deref().map(Path::new))).await?;
        let login = self.counting.logins.find(&self.account, monitoring).await?;
        let (login, trusted, by) = (&login, &trusted, &self.counting.by);
        let counts = servers.into_iter().map(|endpoint: DbEndpoint| async move {
            let server = Server { endpoint, engine, server_name: None };
            by.count(&server, login, trusted, now).await.map_err(Unreadable::from)
        });
        let none = SessionCount { looked_at: now, ..SessionCount::default() };
        futures::stream::iter(counts).buffered(AT_ONCE).try_fold(none, |sum, count| async move { Ok(sum.and(count)) }).await
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, BTreeMap<Arn, (Instant, Reading<SessionCount>)>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Account + Secrets, C: CountSessions> Account for WithSessions<A, C> {
    fn scope(&self) -> &Scope {
        self.account.scope()
    }

    async fn observe(&self, target: &Target, reads: &Reads) -> Inventory {
        let mut inventory = self.account.observe(target, reads).await;
        if let (Target::Resources(asked), true) = (target, reads.gate_facts) {
            self.add_sessions(asked, &mut inventory).await;
        }
        inventory
    }

    async fn apply(&self, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
        self.account.apply(resource, change).await
    }

    async fn kms_error_points(&self, streams: &[String], from: i64, to: i64) -> Result<Vec<KmsErrorPoint>, Unreadable> {
        self.account.kms_error_points(streams, from, to).await
    }
}

/// The login is sent to nobody whose certificate does not lead to one of these.
async fn authorities(bundle: Option<&Path>) -> Result<Arc<Authorities>, Unreadable> {
    let Some(path) = bundle else {
        let message = "no authorities are given to verify the database's certificate with, and the login is sent on verified TLS alone: \
                       name the RDS bundle with inTransit.caBundle or --ca-bundle";
        return Err(not_counted(ErrorClass::Invalid, message.to_owned()));
    };
    crate::authorities::read(path).await.map_err(|message| not_counted(ErrorClass::Invalid, message))
}

fn not_counted(class: ErrorClass, message: String) -> Unreadable {
    Unreadable { class, operation: "count sessions".to_owned(), missing_action: None, message }
}

#[cfg(test)]
mod tests;
