//! Counts who is connected to a database, with TLS and without, over one short session of its own.
//!
//! PostgreSQL tells it in `pg_stat_ssl`, MySQL and `MariaDB` in `performance_schema.threads`. The login is a monitoring user's;
//! what it may not see makes the count unknown, never smaller.
//!
//! What must never happen here: sending the login over anything but TLS whose certificate leads to the given authorities
//! and bears the server's name; writing the password into an error, a log or a `Debug` text; a statement that writes, or
//! that runs without a limit; a number that leaves out what could not be seen.

mod login;
mod mysql;
mod postgres;

use std::sync::Arc;
use std::time::Duration;

use everseal_planner::inventory::{ErrorClass, Unreadable};
use everseal_planner::rds::sessions::SessionCount;

use crate::probe::wire::address;
use crate::probe::{Authorities, Engine, Target};

pub use login::{Login, NoLogin};

/// For everything: connecting, TLS, login, the questions, good-bye.
const TIME_BOX: Duration = Duration::from_secs(10);
/// For each statement, kept by the server.
const STATEMENT_SECONDS: u32 = 5;
/// Shown in the server's own lists of sessions.
const APPLICATION: &str = "everseal";
/// Users of RDS itself: it keeps their connections by its own means, and nobody else can change them.
const OF_RDS: [&str; 2] = ["rdsadmin", "rdsrepladmin"];

/// Why nobody was counted.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// Another engine.
    #[error("Everseal can't count sessions of {0}: it can of PostgreSQL, MySQL and MariaDB")]
    NotSupported(Engine),
    /// No connection.
    #[error("{address} can't be reached ({reason})")]
    Unreachable {
        /// Host and port.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// The login was not sent.
    #[error("{0} offers no TLS, so the login was not sent to it")]
    NoTls(String),
    /// The login was not sent.
    #[error("the certificate of {address} can't be trusted, so the login was not sent to it ({reason}); check the bundle of authorities")]
    Untrusted {
        /// Host and port.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Wrong user, wrong password, or a user that may not log in from here.
    #[error("{address} refuses the login of {user} ({reason}); check the monitoring secret")]
    LoginRefused {
        /// Host and port.
        address: String,
        /// The monitoring user.
        user: String,
        /// The server's words.
        reason: String,
    },
    /// The monitoring user sees its own sessions only.
    #[error("{user} may not see the sessions of others; allow it: {allow}")]
    NotAllowed {
        /// The monitoring user.
        user: String,
        /// The statement that allows it.
        allow: String,
    },
    /// The server does not know the answer, or not all of it.
    #[error("{address} can't tell who is connected without TLS: {reason}")]
    Incomplete {
        /// Host and port.
        address: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Anything else.
    #[error("{address} could not be asked who is connected ({reason})")]
    Failed {
        /// Host and port.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The name to compare with is none.
    #[error("`{0}` is neither a host name nor an IP address")]
    ServerName(String),
}

impl From<SessionsError> for Unreadable {
    fn from(error: SessionsError) -> Self {
        let class = match error {
            SessionsError::Unreachable { .. } | SessionsError::Failed { .. } => ErrorClass::Unavailable,
            SessionsError::LoginRefused { .. } | SessionsError::NotAllowed { .. } => ErrorClass::Denied,
            SessionsError::NotSupported(_)
            | SessionsError::NoTls(_)
            | SessionsError::Untrusted { .. }
            | SessionsError::Incomplete { .. }
            | SessionsError::ServerName(_) => ErrorClass::Invalid,
        };
        Self { class, operation: "count sessions".to_owned(), missing_action: None, message: error.to_string() }
    }
}

/// Counts the sessions of one server at `now` (seconds since the Unix epoch). Ends within ten seconds.
pub async fn count(target: &Target, login: &Login, trusted: &Arc<Authorities>, now: i64) -> Result<SessionCount, SessionsError> {
    let work = async {
        match target.engine {
            Engine::Postgres => postgres::sessions(target, login, trusted).await,
            Engine::MySql | Engine::MariaDb => mysql::sessions(target, login, trusted).await,
            Engine::SqlServer => Err(SessionsError::NotSupported(target.engine)),
        }
    };
    let late = || SessionsError::Failed { address: address(&target.endpoint), reason: format!("no end within {TIME_BOX:?}") };
    let sessions = tokio::time::timeout(TIME_BOX, work).await.unwrap_or_else(|_| Err(late()))?;
    let of_clients = sessions.into_iter().filter(|session| !OF_RDS.contains(&session.user.as_str()));
    Ok(SessionCount::of(of_clients.map(|session| (session.tls, session.user, session.host)), now))
}

/// One session over the network, as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Session {
    tls: bool,
    user: String,
    host: String,
}
