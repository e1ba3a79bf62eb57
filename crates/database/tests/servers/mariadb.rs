//! MariaDB from Debian's package.

use std::path::PathBuf;

use everseal_database::probe::{Engine, ProbeError};
use everseal_planner::rds::live::{LiveChain, LiveName, LiveOffer, LivePlain, LiveTls};
use time::macros::datetime;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::authority::{Authority, Identity};
use crate::process::{Folder, Server, done, free_port, program, unprivileged};
use crate::{NAME, assert_name_matches, look, session, weaknesses};

/// A data folder, started anew for each scenario.
pub(crate) struct Data(pub(crate) Folder);

impl Data {
    pub(crate) fn new() -> Self {
        let folder = Folder::new("mariadb");
        // A server that starts clears its folder for temporary tables: one that is shared loses those of its neighbours.
        let mut install = unprivileged(&program([PathBuf::from("/usr/bin/mariadb-install-db")], "mariadb-server"));
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        install.arg(format!("--datadir={}", folder.path("data"))).env("TMPDIR", folder.path(""));
        done(install);
        Self(folder)
    }

    pub(crate) fn start(&self, identity: Option<&Identity>, more: &[&str]) -> (Server, u16) {
        let port = free_port();
        let mut command = unprivileged(&program([PathBuf::from("/usr/sbin/mariadbd")], "mariadb-server"));
        command
            .env("TMPDIR", self.0.path(""))
            .arg("--no-defaults")
            .arg(format!("--datadir={}", self.0.path("data")))
            .arg(format!("--port={port}"));
        command.arg(format!("--socket={}", self.0.path("socket"))).arg(format!("--pid-file={}", self.0.path("pid")));
        command.args([
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=8M",
            "--innodb-flush-log-at-trx-commit=0",
        ]);
        if let Some(identity) = identity {
            let (certificate, key) = self.0.identity(identity);
            command.arg(format!("--ssl-cert={certificate}")).arg(format!("--ssl-key={key}"));
        }
        command.args(more);
        (Server::start(command, "ready for connections"), port)
    }

    async fn met(&self, identity: Option<&Identity>, more: &[&str], trusted: Option<&str>) -> LiveTls {
        let (_server, port) = self.start(identity, more);
        look(Engine::MariaDb, port, trusted).await.unwrap()
    }
}

#[tokio::test]
async fn what_mariadb_shows() {
    let (data, authority) = (Data::new(), Authority::named("Test CA"));
    let (bundle, good) = (Some(authority.bundle.as_str()), authority.identity(NAME));

    let forced = data.met(Some(&good), &["--require-secure-transport=ON"], bundle).await;
    assert_eq!((&session(&forced).chain, &forced.plain), (&LiveChain::Verified, &LivePlain::NeedsLogin));
    assert_eq!(session(&forced).version, "TLS 1.3");
    assert_name_matches(&forced);
    assert_eq!(weaknesses(&forced), "");

    let offered = data.met(Some(&good), &["--tls-version=TLSv1.2"], bundle).await;
    assert_eq!(session(&offered).version, "TLS 1.2");
    assert_eq!(offered.plain, LivePlain::NeedsLogin, "without a login it looks the same");

    let off = data.met(None, &["--skip-ssl"], bundle).await;
    assert_eq!(off.tls, LiveOffer::NotOffered);
    assert_eq!(weaknesses(&off), "The server offers no TLS.");

    let expired = authority.identity_until(NAME, datetime!(2025-03-01 0:00 UTC));
    let met = data.met(Some(&expired), &[], bundle).await;
    assert_eq!((&session(&met).chain, session(&met).name), (&LiveChain::Verified, LiveName::Matches));
    assert_eq!(weaknesses(&met), "The certificate has expired.");

    let met = data.met(Some(&authority.identity("billing.example")), &[], bundle).await;
    assert_eq!((&session(&met).chain, session(&met).name), (&LiveChain::Verified, LiveName::Differs));

    let stranger = Authority::named("Somebody else");
    let met = data.met(Some(&good), &[], Some(&stranger.bundle)).await;
    assert_eq!(session(&met).chain, LiveChain::UnknownAuthority);
    assert_eq!(weaknesses(&met), "The certificate is signed by CN=Test CA, which leads to no trusted authority.");

    assert_whoever_is_turned_away_learns_nothing(&data, &good).await;
}

/// A server that has no place for us says so in an error packet, and that is no finding.
async fn assert_whoever_is_turned_away_learns_nothing(data: &Data, good: &Identity) {
    let (_server, port) = data.start(Some(good), &["--max-connections=10"]);
    let mut held = Vec::new();
    for _ in 0..11 {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        connection.read_u8().await.unwrap();
        held.push(connection);
    }
    match look(Engine::MariaDb, port, None).await {
        Err(ProbeError::TurnedAway { reason, .. }) => assert!(reason.contains("1040"), "{reason}"),
        other => panic!("eleven connections are all that it takes: {other:?}"),
    }
}
