//! Who is connected to a server, and to whom the login is never sent.

mod mariadb;
mod postgres;
mod unsafe_servers;

use std::sync::Arc;

use everseal_database::probe::{Authorities, Engine, Target};
use everseal_database::sessions::{Login, SessionsError, count};
use everseal_planner::inventory::{PlainClient, SessionCount, Unreadable};
use everseal_planner::rds::observed::DbEndpoint;

use crate::{NAME, now};

const PASSWORD: &str = "s3cret-of-monitoring";

fn login(user: &str) -> Login {
    Login::new(user.to_owned(), PASSWORD.to_owned())
}

/// Counts the sessions of a server on loopback as if it were [`NAME`]. Nothing that is said of a failure holds the password.
async fn counted(engine: Engine, port: u16, login: &Login, bundle: &str) -> Result<SessionCount, SessionsError> {
    let endpoint = DbEndpoint { address: "127.0.0.1".into(), port };
    let target = Target { endpoint, engine, server_name: Some(NAME.into()) };
    let trusted = Arc::new(Authorities::from_pem(bundle.as_bytes()).unwrap());
    let result = count(&target, login, &trusted, now()).await;
    if let Err(error) = &result {
        let said = format!("{error} {error:?} {login:?}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    result
}

fn words(result: Result<SessionCount, SessionsError>) -> String {
    Unreadable::from(result.expect_err("nobody is counted")).message
}

fn client(user: &str, sessions: u32) -> PlainClient {
    PlainClient { user: user.into(), host: "127.0.0.1".into(), sessions }
}
