//! PostgreSQL from Debian's package.

use std::sync::Arc;
use std::time::Duration;

use everseal_database::probe::Engine;
use everseal_database::sessions::Login;
use everseal_planner::inventory::SessionCount;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use time::macros::datetime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::{Client, Config, NoTls};

use super::{PASSWORD, client, counted, login, words};
use crate::NAME;
use crate::authority::Authority;
use crate::postgres::Cluster;

/// As on RDS without `rds.force_ssl`; the test itself comes in as the superuser.
const RULES: &str = "local all all trust\nhost all admin 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n\
     host all all 127.0.0.1/32 scram-sha-256\n";

fn spawned((client, connection): (Client, impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static)) -> Client {
    tokio::spawn(connection);
    client
}

fn config(user: &str) -> Config {
    let mut config = Config::new();
    config.user(user).password(PASSWORD).dbname("postgres").host("127.0.0.1");
    config
}

async fn plain(user: &str, port: u16) -> Client {
    spawned(config(user).port(port).connect(NoTls).await.unwrap())
}

async fn over_socket(user: &str, folder: &str, port: u16) -> Client {
    let mut config = Config::new();
    config.user(user).dbname("postgres").host_path(folder).port(port);
    spawned(config.connect(NoTls).await.unwrap())
}

/// A TLS session, made by hand.
async fn over_tls(user: &str, port: u16, bundle: &str) -> Client {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'S');
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(bundle.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = tokio_rustls::TlsConnector::from(Arc::new(tls.with_root_certificates(roots).with_no_client_auth()));
    let stream = tls.connect(ServerName::try_from(NAME).unwrap(), stream).await.unwrap();
    spawned(config(user).ssl_mode(tokio_postgres::config::SslMode::Disable).connect_raw(stream, NoTls).await.unwrap())
}

async fn roles(admin: &Client) {
    for (role, more) in [("app", ""), ("report", ""), ("rdsadmin", ""), ("blind", ""), ("everseal", "IN ROLE pg_monitor")] {
        admin.batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}' {more}")).await.unwrap();
    }
}

/// What the server says of sessions of a user, once those that end have ended.
async fn settled(admin: &Client, user: &str) -> i64 {
    let mut left = -1;
    for _ in 0..50 {
        left = admin.query_one("SELECT count(*) FROM pg_stat_activity WHERE usename = $1", &[&user]).await.unwrap().get(0);
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    left
}

#[tokio::test]
async fn postgresql_tells_who_is_connected_without_tls() {
    let (cluster, authority) = (Cluster::new(), Authority::named("Test CA"));
    let sockets = cluster.0.0.display().to_string();
    let more = [format!("unix_socket_directories={sockets}"), "max_connections=20".to_owned()];
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let (_server, port) = cluster.start(RULES, Some(&authority.identity(NAME)), &more);
    let admin = over_socket("admin", &sockets, port).await;
    roles(&admin).await;

    let nobody = counted(Engine::Postgres, port, &login("everseal"), &authority.bundle).await.unwrap();
    assert_eq!((nobody.plain, nobody.tls, nobody.by.len()), (0, 0, 0), "neither itself, nor those on the local socket");

    let _held = [
        plain("report", port).await,
        plain("app", port).await,
        plain("report", port).await,
        over_tls("app", port, &authority.bundle).await,
        plain("rdsadmin", port).await,
    ];
    let met = counted(Engine::Postgres, port, &login("everseal"), &authority.bundle).await.unwrap();
    let by = vec![client("report", 2), client("app", 1)];
    assert_eq!(met, SessionCount { plain: 3, tls: 1, looked_at: met.looked_at, by });
    assert!((crate::now() - met.looked_at).abs() < 20);
    assert_eq!(settled(&admin, "everseal").await, 0, "it says good-bye");

    let said = words(counted(Engine::Postgres, port, &login("blind"), &authority.bundle).await);
    assert_eq!(said, "blind may not see the sessions of others; allow it: GRANT pg_read_all_stats TO \"blind\"");

    let wrong = Login::new("everseal".into(), "s3cret but wrong".into());
    let said = words(counted(Engine::Postgres, port, &wrong, &authority.bundle).await);
    assert!(said.contains(&format!("127.0.0.1:{port} refuses the login of everseal (28P01")), "{said}");
    assert!(said.ends_with("check the monitoring secret"), "{said}");

    let elsewhere = format!("{{\"username\":\"everseal\",\"password\":\"{PASSWORD}\",\"dbname\":\"no_such\"}}");
    let elsewhere = Login::from_json(&elsewhere).unwrap();
    let said = words(counted(Engine::Postgres, port, &elsewhere, &authority.bundle).await);
    assert!(said.contains("3D000"), "the secret's own database is asked for: {said}");
}

#[tokio::test]
async fn postgresql_does_not_get_the_login_where_its_certificate_is_not_trusted() {
    let (cluster, authority) = (Cluster::new(), Authority::named("Test CA"));
    let bundle = authority.bundle.as_str();
    let expired = authority.identity_until(NAME, datetime!(2025-03-01 0:00 UTC));
    let stranger = Authority::named("Somebody else");
    let cases = [
        (Some(expired), "expired"),
        (Some(authority.identity("billing.example")), "not valid for name"),
        (Some(stranger.identity(NAME)), "UnknownIssuer"),
        (None, "offers no TLS, so the login was not sent to it"),
    ];
    for (identity, why) in cases {
        let (_server, port) =
            cluster.start("hostssl all all 127.0.0.1/32 password\nhost all all 127.0.0.1/32 password\n", identity.as_ref(), &[]);
        let said = words(counted(Engine::Postgres, port, &login("everseal"), bundle).await);
        assert!(said.contains(why) && said.contains("the login was not sent"), "{why}: {said}");
    }
}
