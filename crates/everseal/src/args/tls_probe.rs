//! Arguments of `tls-probe`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Output, duration};

const TLS_PROBE_HELP: &str = "\
It connects, makes a TLS handshake, tries whether a connection without TLS is refused, and closes. Shown are protocol version \
and cipher suite, who signed the certificate, its names and expiry, what becomes of plain connections, and what clients \
should set. It sends no password, and nothing at all over a session; PostgreSQL's log shows one refused connection of \
\"everseal_probe_without_login\". MySQL and MariaDB count it towards max_connect_errors: use it rarely there.

  PostgreSQL   plain connections are judged by the server's first answer, before authentication
  SQL Server   by its answer to a pre-login: whether it insists on encryption of everything, not of the login alone
  MySQL, MariaDB  refuse a plain connection only after a login, so that can't be told here

Exit codes: 0 what a careful client wants, as far as can be told; 2 a weakness was found; 1 not reachable, or an answer that \
tells nothing. Whatever could not be told is listed.

Examples:
  curl -sO https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
  everseal tls-probe orders.c1abc.us-east-1.rds.amazonaws.com:5432 --engine postgres --ca global-bundle.pem
  everseal tls-probe localhost:3306 --engine mysql --server-name ledger.c1abc.us-east-1.rds.amazonaws.com   (a tunnel)
  everseal tls-probe 10.0.3.7:1433 --engine sqlserver -o json | jq .weaknesses";

/// Arguments of `tls-probe`.
#[derive(Debug, Args)]
#[command(after_help = TLS_PROBE_HELP)]
pub struct TlsProbeArgs {
    /// Where the database listens.
    #[arg(value_name = "HOST:PORT")]
    pub endpoint: String,
    /// What it speaks; RDS's names of engines (aurora-postgresql, sqlserver-ex …) are understood too.
    #[arg(long, env = "EVERSEAL_ENGINE", value_name = "postgres|mysql|mariadb|sqlserver")]
    pub engine: String,
    /// Certificate authorities to trust (PEM). Without them the chain is not checked.
    #[arg(long, env = "EVERSEAL_CA_BUNDLE", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The name that the certificate must be made out to, where it is not HOST (a tunnel, an address).
    #[arg(long, env = "EVERSEAL_SERVER_NAME", value_name = "NAME")]
    pub server_name: Option<String>,
    /// Time for everything.
    #[arg(long, env = "EVERSEAL_TLS_PROBE_TIMEOUT", default_value = "10s", value_parser = duration, value_name = "DURATION")]
    pub timeout: Duration,
    /// Form of the result.
    #[arg(long, short = 'o', env = "EVERSEAL_OUTPUT", value_enum, default_value_t)]
    pub output: Output,
}
