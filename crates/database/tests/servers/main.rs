//! The probe and the count of sessions against real servers from Debian's packages, a constructed SQL Server, and servers that mean harm.
#![allow(clippy::unwrap_used)]

mod authority;
mod hostile;
mod mariadb;
mod postgres;
mod process;
mod sessions;
mod sqlserver;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use everseal_database::probe::{self, Authorities, Engine, Options, ProbeError, Target};
use everseal_planner::rds::live::{LiveName, LiveSession, LiveTls};
use everseal_planner::rds::observed::DbEndpoint;

/// The name that servers' certificates are made out to.
pub(crate) const NAME: &str = "orders.c1abc.us-east-1.rds.amazonaws.com";

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Looks at a server on loopback as if it were [`NAME`].
pub(crate) async fn look(engine: Engine, port: u16, trusted: Option<&str>) -> Result<LiveTls, ProbeError> {
    let authorities = trusted.map(|bundle| Arc::new(Authorities::from_pem(bundle.as_bytes()).unwrap()));
    look_within(engine, port, Options { authorities, ..Options::at(now()) }).await
}

pub(crate) async fn look_within(engine: Engine, port: u16, options: Options) -> Result<LiveTls, ProbeError> {
    let endpoint = DbEndpoint { address: "127.0.0.1".into(), port };
    let met = probe::probe(&Target { endpoint, engine, server_name: Some(NAME.into()) }, &options).await;
    if let Ok(met) = &met {
        let json = serde_json::to_string(met).unwrap();
        assert_eq!(*met, serde_json::from_str(&json).unwrap(), "{json}");
    }
    met
}

pub(crate) fn session(met: &LiveTls) -> &LiveSession {
    met.session().unwrap_or_else(|| panic!("no session: {met:?}"))
}

/// The words of everything that is wrong, `""` where nothing is.
pub(crate) fn weaknesses(met: &LiveTls) -> String {
    met.verdict(now()).weaknesses.join(" ")
}

pub(crate) fn assert_name_matches(met: &LiveTls) {
    assert_eq!(session(met).name, LiveName::Matches);
    assert_eq!(session(met).certificate.names, [NAME]);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable_at_once() {
    let port = process::free_port();
    let began = tokio::time::Instant::now();
    let error = look(Engine::Postgres, port, None).await.unwrap_err();
    assert!(matches!(error, ProbeError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port} can't be reached")), "{error}");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_unreachable() {
    let endpoint = DbEndpoint { address: "no-such-host.invalid".into(), port: 5432 };
    let target = Target { endpoint, engine: Engine::MySql, server_name: None };
    let error = probe::probe(&target, &Options::at(now())).await.unwrap_err();
    assert!(matches!(error, ProbeError::Unreachable { .. }), "{error}");
}
