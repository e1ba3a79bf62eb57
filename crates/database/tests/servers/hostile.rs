//! Servers that mean harm, or are something else: the probe ends in time, and learns nothing that is not so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use everseal_database::probe::{Engine, Options};
use everseal_planner::rds::live::{LiveOffer, LivePlain};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::{look_within, now};

const ENGINES: [Engine; 4] = [Engine::Postgres, Engine::MySql, Engine::MariaDb, Engine::SqlServer];
const TIME_BOX: Duration = Duration::from_millis(700);

/// How a server answers.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// All at once, then it waits.
    AtOnce,
    /// A byte now and then.
    Slow,
    /// Again and again.
    Endless,
    /// Half of it, then it closes.
    Truncated,
}

const MANNERS: [Manner; 4] = [Manner::AtOnce, Manner::Slow, Manner::Endless, Manner::Truncated];

async fn serve(manner: Manner, answer: Vec<u8>) -> (SocketAddr, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = talk(stream, manner, &answer).await;
            });
        }
    });
    (address, connections)
}

async fn talk(mut stream: TcpStream, manner: Manner, answer: &[u8]) -> std::io::Result<()> {
    match manner {
        Manner::AtOnce => {
            stream.write_all(answer).await?;
            stream.read_to_end(&mut Vec::new()).await?;
        }
        Manner::Slow => {
            for byte in answer.iter().cycle() {
                stream.write_all(&[*byte]).await?;
                sleep(Duration::from_millis(100)).await;
            }
        }
        Manner::Endless => loop {
            stream.write_all(answer).await?;
        },
        Manner::Truncated => stream.write_all(&answer[..answer.len() / 2]).await?,
    }
    Ok(())
}

/// Garbage, other protocols, and true beginnings with something wrong behind them.
fn answers() -> Vec<Vec<u8>> {
    let mut noise = Vec::new();
    let mut state = 0x9e37_79b9_u32;
    for _ in 0..3000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push(state.to_be_bytes()[0]);
    }
    vec![
        noise,
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        // Yes, and then no TLS.
        b"S\x16\x03\x03\xff\xff".to_vec(),
        b"SSSSSSSSSSSSSSSS".to_vec(),
        // A message that promises more than there is.
        b"E\0\0\x70\0SFATAL\0".to_vec(),
        b"\xff\x0f\0\0\x0a8.0.39".to_vec(),
        b"\x04\0\x10\0\0\0\x01\0\0\0\x1a\0\x06".to_vec(),
        // Alerts of TLS, where nobody asked for TLS yet.
        b"\x15\x03\x03\0\x02\x02\x28".to_vec(),
        vec![0; 2000],
    ]
}

#[tokio::test]
async fn nothing_hostile_outlasts_the_time_box_or_looks_like_tls() {
    let mut looking = Vec::new();
    for engine in ENGINES {
        for manner in MANNERS {
            for (index, answer) in answers().into_iter().enumerate() {
                looking.push(tokio::spawn(async move {
                    let (address, connections) = serve(manner, answer).await;
                    let began = Instant::now();
                    let options = Options { time_box: TIME_BOX, max_bytes: 16 * 1024, ..Options::at(now()) };
                    let met = look_within(engine, address.port(), options).await;
                    let what = format!("{engine}, answer {index}, {manner:?}: {met:?}");
                    assert!(began.elapsed() < TIME_BOX * 4, "{what} took {:?}", began.elapsed());
                    let learned = met.as_ref().is_ok_and(|met| {
                        !matches!(met.tls, LiveOffer::Broken { .. }) || matches!(met.plain, LivePlain::Refused | LivePlain::Accepted)
                    });
                    assert!(!learned, "{what}");
                    let most = if matches!(engine, Engine::MySql | Engine::MariaDb) { 1 } else { 2 };
                    assert!(connections.load(Ordering::SeqCst) <= most, "{what}");
                }));
            }
        }
    }
    for one in looking {
        one.await.unwrap();
    }
}

/// Answers the first thing it hears, then goes on with `after` for ever.
async fn after_a_good_start(start: Vec<u8>, after: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (start, after) = (start.clone(), after.clone());
            tokio::spawn(async move {
                let mysql = start.first() == Some(&0x4a);
                if mysql {
                    stream.write_all(&start).await?;
                }
                let mut heard = [0; 4096];
                let _ = stream.read(&mut heard).await?;
                if !mysql {
                    stream.write_all(&start).await?;
                }
                let _ = stream.read(&mut heard).await?;
                loop {
                    stream.write_all(&after).await?;
                }
                #[allow(unreachable_code, reason = "names the type of the errors")]
                std::io::Result::Ok(())
            });
        }
    });
    address
}

#[tokio::test]
async fn a_good_start_and_a_bad_handshake_are_a_broken_handshake() {
    let mut greeting = b"\x4a\0\0\0\x0a8.0.39\0\x08\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15".to_vec();
    greeting.resize(4 + 0x4a, 0);
    let prelogin = b"\x04\x01\0\x2b\0\0\x01\0\0\0\x1a\0\x06\x01\0\x20\0\x01\x02\0\x21\0\x01\x03\0\x22\0\0\x04\0\x22\0\x01\xff\x10\0\x0f\xa0\0\0\x03\0\0";
    for (engine, start) in [(Engine::Postgres, b"S".to_vec()), (Engine::MySql, greeting), (Engine::SqlServer, prelogin.to_vec())] {
        // Garbage, empty records, the beginning of a long one, and empty packets of TDS.
        for after in
            [vec![0x58; 500], b"\x16\x03\x03\0\0".to_vec(), b"\x16\x03\x03\x40\0\x02\0\xff\xff".to_vec(), b"\x12\0\0\x08\0\0\0\0".to_vec()]
        {
            let address = after_a_good_start(start.clone(), after.clone()).await;
            let began = Instant::now();
            let options = Options { time_box: TIME_BOX, ..Options::at(now()) };
            let met = look_within(engine, address.port(), options).await.unwrap();
            assert!(matches!(met.tls, LiveOffer::Broken { .. }), "{engine}: {met:?}");
            assert!(began.elapsed() < TIME_BOX * 4, "{engine}, {after:?}");
        }
    }
}
