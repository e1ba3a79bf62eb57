//! SQL Server. There is none to run here, and no recording of one at hand: the exchange is constructed from MS-TDS (2.2.6.5
//! PRELOGIN, its table of ENCRYPTION, 4.1, and 3.3.5 for the server's side), with a real TLS server inside its packets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use everseal_database::probe::{Engine, ProbeError, tds};
use everseal_planner::rds::live::{LiveChain, LiveOffer, LivePlain};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::authority::{Authority, Identity};
use crate::{NAME, assert_name_matches, look, session, weaknesses};

/// Version 16.0, ENCRYPTION (the last but two), an instance, MARS off: as a server answers.
fn prelogin_answer(encryption: u8) -> Vec<u8> {
    let mut packet = b"\x04\x01\0\x2b\0\0\x01\0\0\0\x1a\0\x06\x01\0\x20\0\x01\x02\0\x21\0\x01\x03\0\x22\0\0\x04\0\x22\0\x01\xff".to_vec();
    packet.extend(b"\x10\0\x0f\xa0\0\0");
    packet.extend([encryption, 0, 0]);
    packet
}

fn config(identity: &Identity, version: &'static SupportedProtocolVersion, alpn: &[&[u8]]) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_protocol_versions(&[version]).unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

/// What the server does.
#[derive(Clone)]
enum Way {
    /// Answers the `PRELOGIN`, then does TLS in packets.
    Answers(u8, Option<Arc<ServerConfig>>),
    /// TDS 8.0 alone: hangs up on anything but TLS.
    Strict(Arc<ServerConfig>),
}

async fn serve(way: Way) -> (SocketAddr, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(talk(stream, way.clone()));
        }
    });
    (address, connections)
}

async fn talk(mut stream: TcpStream, way: Way) {
    match way {
        Way::Strict(config) => {
            let mut first = [0];
            if !stream.peek(&mut first).await.is_ok_and(|count| count == 1) || first[0] != 0x16 {
                return;
            }
            handshake(&mut stream, config, false).await;
        }
        Way::Answers(encryption, config) => {
            let asked = read_packet(&mut stream).await.unwrap();
            assert_eq!((asked[0], asked[8 + 26 + 6]), (0x12, 0x00), "a PRELOGIN with ENCRYPT_OFF");
            stream.write_all(&prelogin_answer(encryption)).await.unwrap();
            if let Some(config) = config {
                handshake(&mut stream, config, true).await;
            }
        }
    }
    // Whoever logs in over a session that nobody verified has failed: only an orderly end may follow.
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty() || rest[0] == 0x15 || rest[0] == 0x17 && rest.len() < 64, "{rest:?}");
}

async fn read_packet(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut packet = vec![0; 8];
    stream.read_exact(&mut packet).await.ok()?;
    packet.resize(usize::from(u16::from_be_bytes([packet[2], packet[3]])), 0);
    stream.read_exact(&mut packet[8..]).await.ok()?;
    Some(packet)
}

async fn handshake(stream: &mut TcpStream, config: Arc<ServerConfig>, wrapped: bool) {
    let mut tls = ServerConnection::new(config).unwrap();
    while tls.is_handshaking() || tls.wants_write() {
        if tls.wants_write() {
            let mut bytes = Vec::new();
            while tls.wants_write() {
                tls.write_tls(&mut bytes).unwrap();
            }
            // In small packets, as a server may send them.
            let framed = if wrapped { bytes.chunks(700).flat_map(tds::wrap).collect() } else { bytes };
            if stream.write_all(&framed).await.is_err() {
                return;
            }
            continue;
        }
        let bytes = if wrapped {
            let Some(packet) = read_packet(stream).await else { return };
            assert_eq!(packet[0], 0x12);
            packet[8..].to_vec()
        } else {
            let mut bytes = vec![0; 4096];
            let Ok(count @ 1..) = stream.read(&mut bytes).await else { return };
            bytes.truncate(count);
            bytes
        };
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            tls.read_tls(&mut rest).unwrap();
            if tls.process_new_packets().is_err() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn the_answer_to_a_pre_login_says_what_is_encrypted() {
    let authority = Authority::named("Test CA");
    let tls = config(&authority.identity(NAME), &TLS12, &[]);
    for (encryption, plain, weak) in [(3, LivePlain::Refused, ""), (0, LivePlain::Accepted, "The server takes connections without TLS.")] {
        let (address, connections) = serve(Way::Answers(encryption, Some(Arc::clone(&tls)))).await;
        let met = look(Engine::SqlServer, address.port(), Some(&authority.bundle)).await.unwrap();
        assert_eq!((&session(&met).chain, &met.plain), (&LiveChain::Verified, &plain));
        assert_eq!(session(&met).version, "TLS 1.2");
        assert_name_matches(&met);
        assert_eq!(weaknesses(&met), weak);
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }
    let (address, _) = serve(Way::Answers(2, None)).await;
    let met = look(Engine::SqlServer, address.port(), None).await.unwrap();
    assert_eq!((met.tls, met.plain), (LiveOffer::NotOffered, LivePlain::Accepted));

    let (address, _) = serve(Way::Answers(1, Some(tls))).await;
    let met = look(Engine::SqlServer, address.port(), None).await.unwrap();
    assert!(matches!(met.plain, LivePlain::Unclear { .. }), "{met:?}");
}

#[tokio::test]
async fn a_server_of_tds_8_alone_is_met_with_tls_first() {
    let authority = Authority::named("Test CA");
    let identity = authority.identity(NAME);
    let (address, connections) = serve(Way::Strict(config(&identity, &TLS13, &[b"tds/8.0"]))).await;
    let met = look(Engine::SqlServer, address.port(), Some(&authority.bundle)).await.unwrap();
    assert_eq!((session(&met).version.as_str(), &met.plain), ("TLS 1.3", &LivePlain::Refused));
    assert_eq!(weaknesses(&met), "");
    assert_eq!(connections.load(Ordering::SeqCst), 2);

    let (address, _) = serve(Way::Strict(config(&identity, &TLS13, &[]))).await;
    let error = look(Engine::SqlServer, address.port(), Some(&authority.bundle)).await.unwrap_err();
    assert!(matches!(error, ProbeError::Silent { .. }), "any server of TLS is no SQL Server: {error}");
}
