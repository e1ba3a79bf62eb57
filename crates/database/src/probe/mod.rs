//! Looks at a database's TLS as a client meets it, without credentials (AWS-FACTS §9).
//!
//! What answers mean is parsed by pure functions ([`postgres`], [`mysql`], [`tds`]); the [`wire`] bounds what is read and
//! how long; the TLS handshake records the certificate instead of refusing a bad one, and nothing is ever sent over the
//! session that it sets up.
//!
//! A probe costs the server at most two connections: PostgreSQL one with TLS and one without, SQL Server one (two where
//! it speaks nothing but TDS 8.0), MySQL and MariaDB exactly one. These two count connections that end before a login
//! towards `max_connect_errors` (100 by default), which a successful login of the same host sets back: so probe rarely.

mod certificate;
mod engine;
mod handshake;
pub mod mysql;
pub mod postgres;
mod servers;
pub mod tds;
pub(crate) mod wire;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use everseal_planner::inventory::{ErrorClass, Unreadable};
use everseal_planner::rds::live::LiveTls;
use everseal_planner::rds::observed::DbEndpoint;
use rustls::pki_types::ServerName;
use tokio::time::Instant;

pub use certificate::{Authorities, NoAuthorities, read_certificate};
pub use engine::{Engine, NotSupported};

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it listens.
    pub endpoint: DbEndpoint,
    /// What it speaks.
    pub engine: Engine,
    /// The name that its certificate must be made out to, where that is not the endpoint's address.
    pub server_name: Option<String>,
}

/// How to look.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whom to trust; without them the chain is not checked.
    pub authorities: Option<Arc<Authorities>>,
    /// For each connection to be set up.
    pub connect_timeout: Duration,
    /// For everything.
    pub time_box: Duration,
    /// Read from one connection at most.
    pub max_bytes: usize,
    /// The time, in seconds since the Unix epoch.
    pub now: i64,
}

impl Options {
    /// Three seconds to connect, ten for everything, 64 KiB a connection, nobody trusted.
    pub const fn at(now: i64) -> Self {
        let (connect_timeout, time_box) = (Duration::from_secs(3), Duration::from_secs(10));
        Self { authorities: None, connect_timeout, time_box, max_bytes: 64 * 1024, now }
    }
}

/// Why nothing was learned of a server.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No connection.
    #[error("{address} can't be reached ({reason})")]
    Unreachable {
        /// Host and port.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// It ended, or went on too long, before the server had said anything of TLS.
    #[error("{address} was reached and said nothing of TLS ({reason})")]
    Silent {
        /// Host and port.
        address: String,
        /// What happened.
        reason: String,
    },
    /// It speaks something else.
    #[error("what answers on {address} does not speak {protocol} ({reason})")]
    OtherProtocol {
        /// Host and port.
        address: String,
        /// What was expected.
        protocol: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The server turned us away before TLS: too many connections, a blocked host …
    #[error("{address} turned the connection away ({reason})")]
    TurnedAway {
        /// Host and port.
        address: String,
        /// The server's words.
        reason: String,
    },
    /// The name to compare with is none.
    #[error("`{0}` is neither a host name nor an IP address")]
    ServerName(String),
}

impl From<ProbeError> for Unreadable {
    fn from(error: ProbeError) -> Self {
        let class = match error {
            ProbeError::Unreachable { .. } | ProbeError::Silent { .. } | ProbeError::TurnedAway { .. } => ErrorClass::Unavailable,
            ProbeError::OtherProtocol { .. } | ProbeError::ServerName(_) => ErrorClass::Invalid,
        };
        Self { class, operation: "connect".to_owned(), missing_action: None, message: error.to_string() }
    }
}

/// Looks at a server once. Ends within the time box; a bad certificate is a fact, not an error.
pub async fn probe(target: &Target, options: &Options) -> Result<LiveTls, ProbeError> {
    let Target { endpoint, engine, server_name } = target;
    let name = server_name.as_ref().unwrap_or(&endpoint.address);
    let client = handshake::Client::new(parsed_name(name)?, options);
    let bounds = wire::Bounds {
        connect_timeout: options.connect_timeout,
        deadline: Instant::now() + options.time_box,
        max_bytes: options.max_bytes,
    };
    let (tls, plain) = match engine {
        Engine::Postgres => servers::postgres(endpoint, bounds, &client).await?,
        Engine::MySql | Engine::MariaDb => servers::mysql(endpoint, bounds, &client).await?,
        Engine::SqlServer => servers::sqlserver(endpoint, bounds, &client).await?,
    };
    Ok(LiveTls { endpoint: endpoint.clone(), server_name: name.clone(), probed_at: options.now, tls, plain })
}

pub(crate) fn parsed_name(name: &str) -> Result<ServerName<'static>, ProbeError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(ServerName::IpAddress(address.into()));
    }
    ServerName::try_from(name.to_owned()).map_err(|_| ProbeError::ServerName(name.to_owned()))
}

/// An answer that is not what its protocol allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// At most this much of a text that a server sent is shown.
const MAX_WORDS: usize = 200;

/// A server's text on one line, without control characters, of readable length.
pub(crate) fn words(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(4 * MAX_WORDS)];
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    String::from_utf8_lossy(start).chars().take(MAX_WORDS).map(printable).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
