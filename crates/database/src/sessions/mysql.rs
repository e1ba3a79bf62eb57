//! MySQL and `MariaDB`: `performance_schema.threads`, whose `CONNECTION_TYPE` MySQL has since 5.7 and `MariaDB` since 10.5.
//!
//! Where the performance schema is off (`MariaDB`'s default), nothing tells how others are connected: `SHOW STATUS` knows
//! it of one's own session alone. [MySQL: "The threads Table"; MariaDB: "Performance Schema threads Table"]

use std::sync::Arc;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error, IoError, Opts, OptsBuilder, ServerError, SslOpts};
use rustls::crypto::aws_lc_rs;

use super::{Login, STATEMENT_SECONDS, Session, SessionsError};
use crate::probe::wire::address;
use crate::probe::{Authorities, Engine, Target, parsed_name, words};

const IS_RECORDED: &str = "SELECT @@performance_schema, (SELECT variable_value FROM performance_schema.global_status \
     WHERE variable_name = 'Performance_schema_thread_instances_lost')";
const SESSIONS: &str = "SELECT connection_type, processlist_user, processlist_host FROM performance_schema.threads \
     WHERE type = 'FOREGROUND' AND processlist_id IS NOT NULL AND processlist_id <> CONNECTION_ID()";
/// Access denied, to the server or to a database.
const LOGIN_REFUSED: [u16; 3] = [1044, 1045, 1698];
/// `SELECT` on a table or column is not allowed.
const SELECT_REFUSED: [u16; 2] = [1142, 1143];
/// No such table or column: the server is too old.
const TOO_OLD: [u16; 2] = [1054, 1146];

/// `CONNECTION_TYPE`, user, host.
type Row = (Option<String>, Option<String>, Option<String>);

pub(super) async fn sessions(target: &Target, login: &Login, trusted: &Arc<Authorities>) -> Result<Vec<Session>, SessionsError> {
    let failed = |error: Error| failure(target, login, error);
    let mut connection = Conn::new(options(target, login, trusted)?).await.map_err(failed)?;
    let answer = ask(&mut connection, target.engine).await;
    // Good-bye, whatever the answer was.
    let _ = connection.disconnect().await;
    let (is_recorded, rows) = answer.map_err(failed)?;
    let sessions = if is_recorded { over_network(rows) } else { Err(off(target.engine)) };
    sessions.map_err(|reason| SessionsError::Incomplete { address: address(&target.endpoint), reason })
}

/// TLS is asked for, so a server without it is left before the login is sent; nobody but `trusted` is trusted, and the
/// name is compared.
fn options(target: &Target, login: &Login, trusted: &Authorities) -> Result<Opts, SessionsError> {
    let name = target.server_name.as_ref().unwrap_or(&target.endpoint.address);
    parsed_name(name).map_err(|_| SessionsError::ServerName(name.clone()))?;
    // The client builds its TLS from the process's provider. It is set already in all but the first use.
    let _ = aws_lc_rs::default_provider().install_default();
    let tls = SslOpts::default()
        .with_root_certs(vec![trusted.pem.clone().into()])
        .with_disable_built_in_roots(true)
        .with_danger_tls_hostname_override(Some(name.clone()));
    let options = OptsBuilder::default()
        .ip_or_hostname(target.endpoint.address.clone())
        .tcp_port(target.endpoint.port)
        .user(Some(login.username()))
        .pass(Some(login.password()))
        .db_name(login.database())
        .ssl_opts(Some(tls))
        // A local socket is nothing that TLS protects.
        .prefer_socket(false);
    Ok(options.into())
}

async fn ask(connection: &mut Conn, engine: Engine) -> Result<(bool, Vec<Row>), Error> {
    let limit = match engine {
        Engine::MariaDb => format!("SET SESSION max_statement_time = {STATEMENT_SECONDS}"),
        Engine::Postgres | Engine::MySql | Engine::SqlServer => format!("SET SESSION max_execution_time = {}", STATEMENT_SECONDS * 1000),
    };
    connection.query_drop(limit).await?;
    connection.query_drop("SET SESSION TRANSACTION READ ONLY").await?;
    let recorded: Option<(bool, Option<String>)> = connection.query_first(IS_RECORDED).await?;
    match recorded {
        Some((true, lost)) if lost.as_deref().is_none_or(|lost| lost == "0") => Ok((true, connection.query(SESSIONS).await?)),
        _ => Ok((false, Vec::new())),
    }
}

fn off(engine: Engine) -> String {
    format!(
        "{engine}'s performance schema is off, or has no room for all sessions; set `performance_schema` to 1 in the parameter group and \
         reboot, and leave `performance_schema_max_thread_instances` to the server"
    )
}

/// Threads of clients. Those without a user have not logged in yet, or are the server's own.
fn over_network(rows: Vec<Row>) -> Result<Vec<Session>, String> {
    let mut sessions = Vec::new();
    for (kind, user, host) in rows {
        let Some(user) = user.filter(|user| !["unauthenticated user", "system user", "event_scheduler"].contains(&user.as_str())) else {
            continue;
        };
        let tls = match kind.as_deref() {
            Some("SSL/TLS") => true,
            Some("TCP/IP") => false,
            // Of this machine.
            Some("Socket" | "Named Pipe" | "Shared Memory") => continue,
            other => return Err(format!("a session of {} is connected by {}", words(user.as_bytes()), other.unwrap_or("nothing known"))),
        };
        sessions.push(Session { tls, user, host: host.unwrap_or_default() });
    }
    Ok(sessions)
}

fn failure(target: &Target, login: &Login, error: Error) -> SessionsError {
    let (address, user) = (address(&target.endpoint), login.username().to_owned());
    match error {
        Error::Driver(DriverError::NoClientSslFlagFromServer) => SessionsError::NoTls(address),
        Error::Io(IoError::Tls(error)) => SessionsError::Untrusted { address, reason: words(error.to_string().as_bytes()) },
        Error::Io(IoError::Io(error)) if error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() => {
            SessionsError::Untrusted { address, reason: words(error.to_string().as_bytes()) }
        }
        Error::Io(IoError::Io(error)) => SessionsError::Unreachable { address, reason: words(error.to_string().as_bytes()) },
        Error::Server(ServerError { code, message, state: _ }) => said(address, user, code, &message),
        other => SessionsError::Failed { address, reason: words(other.to_string().as_bytes()) },
    }
}

fn said(address: String, user: String, code: u16, message: &str) -> SessionsError {
    let reason = format!("{code} {}", words(message.as_bytes()));
    match code {
        _ if LOGIN_REFUSED.contains(&code) => SessionsError::LoginRefused { address, user, reason },
        _ if SELECT_REFUSED.contains(&code) => {
            let allow = format!("GRANT SELECT ON performance_schema.* TO '{user}'");
            SessionsError::NotAllowed { user, allow }
        }
        _ if TOO_OLD.contains(&code) => {
            let reason = format!("MySQL records it from 5.7 on, MariaDB from 10.5 on ({reason})");
            SessionsError::Incomplete { address, reason }
        }
        _ => SessionsError::Failed { address, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: Option<&str>, user: Option<&str>) -> Row {
        (kind.map(str::to_owned), user.map(str::to_owned), user.map(|_| "10.0.0.7".to_owned()))
    }

    /// The words of `CONNECTION_TYPE`. [MySQL: "The threads Table"; WL#7729]
    #[test]
    fn each_way_to_connect_is_known() {
        let rows = vec![
            row(Some("SSL/TLS"), Some("app")),
            row(Some("TCP/IP"), Some("report")),
            row(Some("Socket"), Some("root")),
            row(Some("Named Pipe"), Some("root")),
            row(Some("Shared Memory"), Some("root")),
            row(Some("TCP/IP"), Some("unauthenticated user")),
            row(None, Some("event_scheduler")),
            row(None, Some("system user")),
            row(None, None),
        ];
        let session = |tls, user: &str| Session { tls, user: user.to_owned(), host: "10.0.0.7".to_owned() };
        assert_eq!(over_network(rows), Ok(vec![session(true, "app"), session(false, "report")]));
    }

    #[test]
    fn a_session_that_nothing_is_known_of_makes_the_count_unknown() {
        for kind in [None, Some("Carrier Pigeon")] {
            let rows = vec![row(Some("SSL/TLS"), Some("app")), row(kind, Some("report"))];
            assert!(over_network(rows).is_err_and(|reason| reason.contains("report")), "{kind:?}");
        }
    }

    #[test]
    fn what_a_server_says_tells_what_to_do() {
        let said = |code| said("db:3306".to_owned(), "everseal".to_owned(), code, "no").to_string();
        assert_eq!(said(1045), "db:3306 refuses the login of everseal (1045 no); check the monitoring secret");
        let allow = "everseal may not see the sessions of others; allow it: GRANT SELECT ON performance_schema.* TO 'everseal'";
        assert_eq!(said(1142), allow);
        assert!(said(1054).contains("MariaDB from 10.5 on"), "{}", said(1054));
        assert_eq!(said(1040), "db:3306 could not be asked who is connected (1040 no)");
    }
}
