//! `MariaDB` from Debian's package.

use std::time::Duration;

use everseal_database::probe::Engine;
use everseal_database::sessions::Login;
use everseal_planner::inventory::SessionCount;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, SslOpts};
use time::macros::datetime;

use super::{PASSWORD, client, counted, login, words};
use crate::NAME;
use crate::authority::Authority;
use crate::mariadb::Data;

fn opts(user: &str, port: u16) -> OptsBuilder {
    OptsBuilder::default().ip_or_hostname("127.0.0.1").tcp_port(port).user(Some(user)).pass(Some(PASSWORD)).prefer_socket(false)
}

async fn plain(user: &str, port: u16) -> Conn {
    Conn::new(opts(user, port)).await.unwrap()
}

async fn over_tls(user: &str, port: u16, bundle: &str) -> Conn {
    let tls = SslOpts::default().with_root_certs(vec![bundle.as_bytes().to_vec().into()]).with_disable_built_in_roots(true);
    Conn::new(opts(user, port).ssl_opts(Some(tls.with_danger_tls_hostname_override(Some(NAME))))).await.unwrap()
}

/// Users, made as the server starts.
fn users(data: &Data) -> String {
    let user = |name: &str| format!("CREATE USER IF NOT EXISTS '{name}'@'%' IDENTIFIED BY '{PASSWORD}';\n");
    let mut text: String = ["app", "report", "rdsadmin", "blind", "everseal"].map(user).concat();
    text.push_str("GRANT SELECT ON performance_schema.* TO 'everseal'@'%';\nGRANT PROCESS ON *.* TO 'app'@'%';\n");
    format!("--init-file={}", data.0.file("users.sql", &text))
}

#[tokio::test]
async fn mariadb_tells_who_is_connected_without_tls_where_its_performance_schema_is_on() {
    let (data, authority) = (Data::new(), Authority::named("Test CA"));
    let (good, users) = (authority.identity(NAME), users(&data));
    {
        let (_server, port) = data.start(Some(&good), &[&users, "--performance-schema=ON"]);
        let nobody = counted(Engine::MariaDb, port, &login("everseal"), &authority.bundle).await.unwrap();
        assert_eq!((nobody.plain, nobody.tls, nobody.by.len()), (0, 0, 0), "not itself");

        let socket = data.0.path("socket");
        let mut held = [
            plain("report", port).await,
            plain("app", port).await,
            plain("report", port).await,
            over_tls("app", port, &authority.bundle).await,
            over_tls("report", port, &authority.bundle).await,
            plain("rdsadmin", port).await,
            Conn::new(opts("app", port).socket(Some(socket))).await.unwrap(),
        ];
        let met = counted(Engine::MariaDb, port, &login("everseal"), &authority.bundle).await.unwrap();
        let by = vec![client("report", 2), client("app", 1)];
        assert_eq!(met, SessionCount { plain: 3, tls: 2, looked_at: met.looked_at, by });

        let mut ours = None;
        for _ in 0..50 {
            ours = held[1].query_first("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'everseal'").await.unwrap();
            if ours == Some(0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(ours, Some(0_u32), "it says good-bye");

        let said = words(counted(Engine::MariaDb, port, &login("blind"), &authority.bundle).await);
        assert_eq!(said, "blind may not see the sessions of others; allow it: GRANT SELECT ON performance_schema.* TO 'blind'");

        let wrong = Login::new("everseal".into(), "s3cret but wrong".into());
        let said = words(counted(Engine::MariaDb, port, &wrong, &authority.bundle).await);
        assert!(said.contains(&format!("127.0.0.1:{port} refuses the login of everseal (1045")), "{said}");
    }
    // One session too many for it, and one that it does not know how is connected.
    let (_server, port) = data.start(Some(&good), &[&users, "--performance-schema=ON", "--performance-schema-max-thread-instances=3"]);
    let said = words(counted(Engine::MariaDb, port, &login("everseal"), &authority.bundle).await);
    assert!(said.contains("has no room for all sessions"), "{said}");
}

#[tokio::test]
async fn mariadb_as_it_comes_can_not_tell_and_is_not_taken_at_its_silence() {
    let (data, authority) = (Data::new(), Authority::named("Test CA"));
    let (_server, port) = data.start(Some(&authority.identity(NAME)), &[&users(&data)]);
    let _held = plain("report", port).await;
    let said = words(counted(Engine::MariaDb, port, &login("everseal"), &authority.bundle).await);
    assert!(said.contains("can't tell who is connected without TLS: MariaDB's performance schema is off"), "{said}");
}

#[tokio::test]
async fn mariadb_does_not_get_the_login_where_its_certificate_is_not_trusted() {
    let (data, authority) = (Data::new(), Authority::named("Test CA"));
    let expired = authority.identity_until(NAME, datetime!(2025-03-01 0:00 UTC));
    let stranger = Authority::named("Somebody else");
    let cases = [
        (Some(expired), "", "expired"),
        (Some(authority.identity("billing.example")), "", "not valid for name"),
        (Some(stranger.identity(NAME)), "", "UnknownIssuer"),
        (None, "--skip-ssl", "offers no TLS"),
    ];
    for (identity, more, why) in cases {
        let (_server, port) = data.start(identity.as_ref(), &[more].map(|more| if more.is_empty() { "--ssl" } else { more }));
        let said = words(counted(Engine::MariaDb, port, &login("everseal"), &authority.bundle).await);
        assert!(said.contains(why) && said.contains("the login was not sent"), "{why}: {said}");
    }
}
