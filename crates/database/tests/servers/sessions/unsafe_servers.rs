//! Servers that would like to have the login, and write down every byte that they get.

use std::sync::Arc;
use std::time::Duration;

use everseal_database::probe::Engine;
use everseal_planner::inventory::ErrorClass;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{counted, login, words};
use crate::NAME;
use crate::authority::{Authority, Identity};

/// The 8 bytes of PostgreSQL's request for TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// MySQL's first packet, with or without `CLIENT_SSL` (0x0800). [`Protocol::HandshakeV10`]
fn greeting(tls: bool) -> Vec<u8> {
    let mut body = vec![10];
    body.extend(b"8.0.39\0");
    body.extend([1, 0, 0, 0]);
    body.extend(b"12345678\0");
    body.extend(if tls { [0xff, 0xff] } else { [0xff, 0xf7] });
    body.extend([45, 2, 0, 0xff, 0xc1, 21]);
    body.extend([0; 10]);
    body.extend(b"123456789012\0mysql_clear_password\0");
    let mut packet = vec![u8::try_from(body.len()).unwrap(), 0, 0, 0];
    packet.extend(body);
    packet
}

/// Speaks first, then answers the first request with `answer`, and hears the client out.
async fn recorder(first: Vec<u8>, answer: Vec<u8>) -> (u16, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&first).await.unwrap();
        let mut heard = vec![0; 1024];
        let count = stream.read(&mut heard).await.unwrap_or(0);
        heard.truncate(count);
        if count > 0 {
            let _ = stream.write_all(&answer).await;
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.read_to_end(&mut heard)).await;
        }
        heard
    });
    (port, heard)
}

/// Takes the request for TLS, does TLS with a certificate that nobody should trust, and hears what comes inside of it.
async fn impostor(identity: Identity, first: Vec<u8>, request: usize, answer: &'static [u8]) -> (u16, JoinHandle<Option<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        stream.write_all(&first).await.unwrap();
        let mut asked = vec![0; request];
        stream.read_exact(&mut asked).await.unwrap();
        stream.write_all(answer).await.unwrap();
        let mut inside = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await.ok()?;
        let mut heard = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(1), inside.read_to_end(&mut heard)).await;
        Some(heard)
    });
    (port, heard)
}

#[tokio::test]
async fn without_tls_not_a_byte_of_the_login_is_sent() {
    let authority = Authority::named("Test CA");
    let (port, heard) = recorder(Vec::new(), b"N".to_vec()).await;
    let said = words(counted(Engine::Postgres, port, &login("everseal"), &authority.bundle).await);
    assert_eq!(said, format!("127.0.0.1:{port} offers no TLS, so the login was not sent to it"));
    assert_eq!(heard.await.unwrap(), SSL_REQUEST);

    for engine in [Engine::MySql, Engine::MariaDb] {
        let (port, heard) = recorder(greeting(false), Vec::new()).await;
        let said = words(counted(engine, port, &login("everseal"), &authority.bundle).await);
        assert_eq!(said, format!("127.0.0.1:{port} offers no TLS, so the login was not sent to it"));
        assert_eq!(heard.await.unwrap(), b"", "{engine}");
    }
}

#[tokio::test]
async fn what_only_says_that_it_does_tls_learns_no_more_than_that_it_was_asked() {
    let authority = Authority::named("Test CA");
    // An authentication request in the clear, right behind the `S`: it asks for the password.
    let ask = b"SR\0\0\0\x08\0\0\0\x03".to_vec();
    for (engine, first, answer) in [(Engine::Postgres, Vec::new(), ask), (Engine::MySql, greeting(true), b"\x01\0\0\x02\x04".to_vec())] {
        let (port, heard) = recorder(first, answer).await;
        let said = words(counted(engine, port, &login("everseal"), &authority.bundle).await);
        assert!(said.contains("the login was not sent"), "{engine}: {said}");
        let heard = heard.await.unwrap();
        let within = |text: &[u8]| heard.windows(text.len()).any(|part| part == text);
        assert!(!heard.is_empty() && !within(b"s3cret") && !within(b"everseal"), "{engine}: {heard:?}");
    }
}

#[tokio::test]
async fn whoever_shows_a_certificate_that_is_not_the_servers_hears_nothing() {
    let (authority, stranger) = (Authority::named("Test CA"), Authority::named("Test CA"));
    for (identity, why) in
        [(stranger.identity(NAME), "another authority of the same name"), (authority.identity("evil.example"), "another name")]
    {
        let servers = [(Engine::Postgres, Vec::new(), 8, &b"S"[..]), (Engine::MySql, greeting(true), 36, &b""[..])];
        for (engine, first, request, answer) in servers {
            let (port, heard) = impostor(identity.clone(), first, request, answer).await;
            let failed = counted(engine, port, &login("everseal"), &authority.bundle).await.unwrap_err();
            let failed = everseal_planner::Unreadable::from(failed);
            assert_eq!((failed.class, failed.operation.as_str()), (ErrorClass::Invalid, "count sessions"));
            assert!(failed.message.contains("can't be trusted, so the login was not sent"), "{why}: {}", failed.message);
            assert!(heard.await.unwrap().unwrap_or_default().is_empty(), "{engine}, {why}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_is_left_within_the_time_box() {
    let authority = Authority::named("Test CA");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let began = tokio::time::Instant::now();
    let said = words(counted(Engine::MySql, port, &login("everseal"), &authority.bundle).await);
    assert!(said.contains("no end within 10s"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(12));
}

#[tokio::test]
async fn sql_server_is_not_asked() {
    let said = words(counted(Engine::SqlServer, 1, &login("everseal"), &Authority::named("Test CA").bundle).await);
    assert_eq!(said, "Everseal can't count sessions of SQL Server: it can of PostgreSQL, MySQL and MariaDB");
}
