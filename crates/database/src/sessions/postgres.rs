//! PostgreSQL: `pg_stat_activity` beside `pg_stat_ssl`.
//!
//! A role that is not a member of `pg_read_all_stats` sees that others are there and not how they are connected: it is asked
//! first. [PostgreSQL: "The Cumulative Statistics System"; predefined roles]

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{APPLICATION, Login, STATEMENT_SECONDS, Session, SessionsError};
use crate::probe::postgres::SSL_REQUEST;
use crate::probe::wire::address;
use crate::probe::{Authorities, Target, parsed_name, words};

/// Every RDS database has it, and what is asked is the same in all.
const DATABASE: &str = "postgres";
const MAY_SEE_OTHERS: &str = "SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')";
/// Clients and receivers of replication, over the network. A session that has just ended has no user any more.
const SESSIONS: &str = "SELECT s.ssl, a.usename::text, pg_catalog.host(a.client_addr) \
     FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_stat_ssl s ON s.pid = a.pid \
     WHERE a.backend_type IN ('client backend', 'walsender') AND a.client_addr IS NOT NULL AND a.usename IS NOT NULL \
     AND a.pid <> pg_catalog.pg_backend_pid()";

pub(super) async fn sessions(target: &Target, login: &Login, trusted: &Arc<Authorities>) -> Result<Vec<Session>, SessionsError> {
    let stream = verified(target, trusted).await?;
    let failed = |error: &tokio_postgres::Error| failure(target, login, error);
    let mut config = Config::new();
    config.user(login.username()).password(login.password()).dbname(login.database().unwrap_or(DATABASE)).application_name(APPLICATION);
    config.options(format!("-c default_transaction_read_only=on -c statement_timeout={STATEMENT_SECONDS}s"));
    // The stream is TLS already, and verified: the client is not to begin it once more.
    config.ssl_mode(SslMode::Disable);
    let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(|error| failed(&error))?;
    // The connection ends, with a good-bye, when the client is gone.
    let ask = async move {
        let answer = ask(&client).await;
        drop(client);
        answer
    };
    let (answer, _) = tokio::join!(ask, connection);
    answer.map_err(|error| failed(&error))?.ok_or_else(|| SessionsError::NotAllowed {
        user: login.username().to_owned(),
        allow: format!("GRANT pg_read_all_stats TO \"{}\"", login.username()),
    })
}

/// `None` where the role may not see others.
async fn ask(client: &Client) -> Result<Option<Vec<Session>>, tokio_postgres::Error> {
    if !client.query_one(MAY_SEE_OTHERS, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let mut sessions = Vec::new();
    for row in client.query(SESSIONS, &[]).await? {
        sessions.push(Session { tls: row.try_get(0)?, user: row.try_get(1)?, host: row.try_get(2)? });
    }
    Ok(Some(sessions))
}

/// A TLS session with the server that its certificate stands for, or nothing: this is the only stream that a login is sent on.
async fn verified(target: &Target, trusted: &Arc<Authorities>) -> Result<TlsStream<TcpStream>, SessionsError> {
    let address = address(&target.endpoint);
    let unreachable = |error: std::io::Error| SessionsError::Unreachable { address: address.clone(), reason: error.to_string() };
    let mut stream = TcpStream::connect((target.endpoint.address.as_str(), target.endpoint.port)).await.map_err(unreachable)?;
    stream.write_all(&SSL_REQUEST).await.map_err(unreachable)?;
    match stream.read_u8().await.map_err(unreachable)? {
        b'S' => {}
        b'N' => return Err(SessionsError::NoTls(address)),
        _ => return Err(SessionsError::Failed { address, reason: "it does not answer like PostgreSQL".to_owned() }),
    }
    let untrusted = |reason: String| SessionsError::Untrusted { address: address.clone(), reason };
    let name = target.server_name.as_ref().unwrap_or(&target.endpoint.address);
    let name = parsed_name(name).map_err(|_| SessionsError::ServerName(name.clone()))?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| untrusted(error.to_string()))?
        .with_root_certificates(trusted.store.clone())
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| untrusted(error.to_string()))
}

fn failure(target: &Target, login: &Login, error: &tokio_postgres::Error) -> SessionsError {
    let (address, user) = (address(&target.endpoint), login.username().to_owned());
    let Some(said) = error.as_db_error() else {
        return SessionsError::Failed { address, reason: words(error.to_string().as_bytes()) };
    };
    let reason = format!("{} {}", said.code().code(), words(said.message().as_bytes()));
    match *said.code() {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => SessionsError::LoginRefused { address, user, reason },
        _ => SessionsError::Failed { address, reason },
    }
}
