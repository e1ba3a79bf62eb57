//! PostgreSQL from Debian's package.

use std::path::PathBuf;

use everseal_database::probe::Engine;
use everseal_planner::rds::live::{LiveChain, LiveName, LiveOffer, LivePlain, LiveTls};
use time::macros::datetime;

use crate::authority::{Authority, Identity};
use crate::process::{Folder, Server, done, free_port, program, unprivileged};
use crate::{NAME, assert_name_matches, look, session, weaknesses};

/// What RDS writes with `rds.force_ssl=1`.
const FORCED: &str = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
/// What RDS writes without.
const OFFERED: &str = "hostssl all all 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n";

fn tool(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().map_while(Result::ok);
    program(versions.map(|version| version.path().join("bin").join(name)), "postgresql")
}

/// A database cluster, started anew for each scenario.
pub(crate) struct Cluster(pub(crate) Folder);

impl Cluster {
    pub(crate) fn new() -> Self {
        let folder = Folder::new("postgres");
        let mut initdb = unprivileged(&tool("initdb"));
        initdb.args(["--no-sync", "--auth=trust", "--username=admin", "-D", &folder.path("data")]);
        done(initdb);
        Self(folder)
    }

    pub(crate) fn start(&self, rules: &str, identity: Option<&Identity>, more: &[&str]) -> (Server, u16) {
        let port = free_port();
        let rules = self.0.file("rules", rules);
        let mut command = unprivileged(&tool("postgres"));
        command.args(["-D", &self.0.path("data"), "-h", "127.0.0.1", "-p", &port.to_string(), "-k", ""]);
        let mut settings = vec![format!("hba_file={rules}"), "fsync=off".into(), "shared_buffers=4MB".into(), "max_connections=8".into()];
        if let Some(identity) = identity {
            let (certificate, key) = self.0.identity(identity);
            settings.extend(["ssl=on".to_owned(), format!("ssl_cert_file={certificate}"), format!("ssl_key_file={key}")]);
        }
        settings.extend(more.iter().map(|setting| (*setting).to_owned()));
        for setting in &settings {
            command.args(["-c", setting]);
        }
        (Server::start(command, "database system is ready to accept connections"), port)
    }

    async fn met(&self, rules: &str, identity: Option<&Identity>, more: &[&str], trusted: Option<&str>) -> LiveTls {
        let (_server, port) = self.start(rules, identity, more);
        look(Engine::Postgres, port, trusted).await.unwrap()
    }
}

#[tokio::test]
async fn what_postgresql_shows() {
    let (cluster, authority) = (Cluster::new(), Authority::named("Test CA"));
    let (bundle, good) = (Some(authority.bundle.as_str()), authority.identity(NAME));

    let forced = cluster.met(FORCED, Some(&good), &[], bundle).await;
    assert_eq!((&session(&forced).chain, &forced.plain), (&LiveChain::Verified, &LivePlain::Refused));
    assert_eq!((session(&forced).version.as_str(), session(&forced).cipher_suite.as_str()), ("TLS 1.3", "TLS13_AES_256_GCM_SHA384"));
    assert_name_matches(&forced);
    assert_eq!(weaknesses(&forced), "");

    let offered = cluster.met(OFFERED, Some(&good), &["ssl_max_protocol_version=TLSv1.2"], bundle).await;
    assert_eq!((&session(&offered).chain, &offered.plain), (&LiveChain::Verified, &LivePlain::Accepted));
    assert_eq!(session(&offered).version, "TLS 1.2");
    assert_eq!(weaknesses(&offered), "The server takes connections without TLS.");

    let off = cluster.met("host all all 127.0.0.1/32 scram-sha-256\n", None, &[], bundle).await;
    assert_eq!((&off.tls, &off.plain), (&LiveOffer::NotOffered, &LivePlain::Accepted));
    assert_eq!(weaknesses(&off), "The server offers no TLS. The server takes connections without TLS.");
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_of_postgresql_is_told_with_everything_else() {
    let (cluster, authority) = (Cluster::new(), Authority::named("Test CA"));
    let bundle = Some(authority.bundle.as_str());

    let expired = authority.identity_until(NAME, datetime!(2025-03-01 0:00 UTC));
    let met = cluster.met(FORCED, Some(&expired), &[], bundle).await;
    // 2025-03-01T00:00:00Z.
    assert_eq!(session(&met).certificate.not_after, 1_740_787_200);
    assert_eq!((&session(&met).chain, session(&met).name), (&LiveChain::Verified, LiveName::Matches), "all else is well");
    assert_eq!(weaknesses(&met), "The certificate has expired.");

    let other = authority.identity("billing.example");
    let met = cluster.met(FORCED, Some(&other), &[], bundle).await;
    assert_eq!((&session(&met).chain, session(&met).name), (&LiveChain::Verified, LiveName::Differs));
    assert_eq!(weaknesses(&met), format!("The certificate is not made out to {NAME} but to billing.example."));

    let good = authority.identity(NAME);
    let stranger = Authority::named("Somebody else");
    let met = cluster.met(FORCED, Some(&good), &[], Some(&stranger.bundle)).await;
    assert_eq!((&session(&met).chain, session(&met).name), (&LiveChain::UnknownAuthority, LiveName::Matches));
    assert_eq!(weaknesses(&met), "The certificate is signed by CN=Test CA, which leads to no trusted authority.");

    let namesake = Authority::named("Test CA");
    let met = cluster.met(FORCED, Some(&good), &[], Some(&namesake.bundle)).await;
    assert!(!matches!(session(&met).chain, LiveChain::Verified | LiveChain::NotChecked), "{met:?}");

    let (own, itself) = Authority::itself(NAME);
    let met = cluster.met(FORCED, Some(&own), &[], Some(&itself)).await;
    assert!(weaknesses(&met).contains("an authority's own certificate"), "{}", weaknesses(&met));

    let met = cluster.met(FORCED, Some(&good), &[], None).await;
    assert_eq!(session(&met).chain, LiveChain::NotChecked);
    assert_eq!(weaknesses(&met), "", "nothing is said of what was not looked at");
}

#[tokio::test]
async fn access_rules_of_postgresql_are_read_from_its_first_answer() {
    let (cluster, authority) = (Cluster::new(), Authority::named("Test CA"));
    let good = authority.identity(NAME);

    let rejecting = "hostnossl all all 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n";
    assert_eq!(cluster.met(rejecting, Some(&good), &[], None).await.plain, LivePlain::Refused);

    let trusting = "host all all 127.0.0.1/32 trust\n";
    assert_eq!(cluster.met(trusting, Some(&good), &[], None).await.plain, LivePlain::Accepted, "there is no such role, and no TLS either");

    let full =
        cluster.met(FORCED, Some(&good), &["max_connections=1", "superuser_reserved_connections=0", "max_wal_senders=0"], None).await;
    assert_eq!(full.plain, LivePlain::Refused, "one connection at a time is enough");

    let old = cluster.met(FORCED, Some(&good), &["ssl_min_protocol_version=TLSv1", "ssl_max_protocol_version=TLSv1.1"], None).await;
    assert!(matches!(old.tls, LiveOffer::Outdated { .. }), "{old:?}");
    assert!(weaknesses(&old).contains("neither TLS 1.2 nor 1.3"), "{}", weaknesses(&old));
}
