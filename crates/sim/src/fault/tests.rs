//! Every kind of fault, by both ways in: what the client sees, and what was done.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_types::body::SdkBody;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::{Fault, FaultRule};
use crate::moment::Moment;
use crate::shared::{Clock, Sim};
use crate::testing::{ACCOUNT, REGION};
use crate::tls::TlsIdentity;
use crate::user::User;
use crate::world::{JournalEntry, Settings, World};

const TARGETS: [(&str, &str); 3] = [("CreateQueue", "AmazonSQS"), ("ListQueues", "AmazonSQS"), ("GetQueueUrl", "AmazonSQS")];

/// What a client gets.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Answer(u16, String),
    Broken,
    Nothing,
}

impl Got {
    fn status(&self) -> u16 {
        match self {
            Self::Answer(status, _) => *status,
            other => panic!("no answer: {other:?}"),
        }
    }

    fn says(&self, text: &str) -> bool {
        matches!(self, Self::Answer(_, body) if body.contains(text))
    }
}

/// A way in.
#[derive(Debug, Clone, Copy)]
enum Way {
    InProcess,
    Tcp,
}

fn sim(seed: u64) -> Sim {
    Sim::new(Settings { seed, ..Settings::default() }, Clock::starting_at(Moment(1_800_000_000_000)))
}

fn struck_by(fault: Fault) -> Sim {
    let sim = sim(1);
    sim.with(|world| world.faults.rules.push(FaultRule::always(fault)));
    sim
}

/// One call; no answer within `patience` is none.
async fn call(sim: &Sim, way: Way, operation: &str, body: &str, patience: Duration) -> Got {
    let (_, prefix) = TARGETS.iter().find(|(name, _)| *name == operation).unwrap();
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261124/{REGION}/sqs/aws4_request, SignedHeaders=host, Signature=0");
    let target = format!("{prefix}.{operation}");
    let got = async {
        match way {
            Way::InProcess => {
                let request = http::Request::builder().method("POST").uri("https://sqs.us-east-1.amazonaws.com/");
                let request = request.header("x-amz-target", target).header("content-type", "application/x-amz-json-1.0");
                let request = request.header("authorization", authorization).body(SdkBody::from(body)).unwrap();
                match HttpConnector::call(&sim.http_client(), request.try_into().unwrap()).await {
                    Ok(response) => {
                        Got::Answer(response.status().as_u16(), String::from_utf8(response.body().bytes().unwrap().to_vec()).unwrap())
                    }
                    Err(error) if error.is_io() => Got::Broken,
                    Err(error) => panic!("{error:?}"),
                }
            }
            Way::Tcp => over_tcp(sim, &format!("x-amz-target: {target}\r\nauthorization: {authorization}\r\n"), body).await,
        }
    };
    timeout(patience, got).await.unwrap_or(Got::Nothing)
}

async fn over_tcp(sim: &Sim, headers: &str, body: &str) -> Got {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0\r\n{headers}content-length: {length}\r\n\r\n"
    );
    let asking = async {
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut answer = String::new();
        match stream.read_to_string(&mut answer).await {
            Ok(0) | Err(_) => Got::Broken,
            Ok(_) => {
                let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                Got::Answer(head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
            }
        }
    };
    tokio::select! {
        never = sim.serve(listener) => match never {},
        got = asking => got,
    }
}

const SHORT: Duration = Duration::from_millis(300);

async fn create(sim: &Sim, way: Way) -> Got {
    call(sim, way, "CreateQueue", r#"{"QueueName":"orders"}"#, SHORT).await
}

/// Whether the queue is there; asked by somebody whom no fault strikes.
fn is_there(sim: &Sim) -> bool {
    let listed = sim.with(|world| User::administrator(ACCOUNT, REGION).json(world, "AmazonSQS.ListQueues", &json!({}))).unwrap();
    listed["QueueUrls"].as_array().is_some_and(|urls| !urls.is_empty())
}

#[tokio::test]
async fn without_a_rule_nothing_goes_wrong() {
    for way in [Way::InProcess, Way::Tcp] {
        let sim = sim(1);
        assert_eq!(create(&sim, way).await.status(), 200, "{way:?}");
        assert!(is_there(&sim));
    }
}

#[tokio::test]
async fn refusals_come_in_the_services_words_and_nothing_is_done() {
    for (fault, status, code) in [
        (Fault::Throttle, 403, "RequestThrottled"),
        (Fault::ServerError, 500, "InternalFailure"),
        (Fault::Unavailable, 503, "ServiceUnavailable"),
        (Fault::Deny, 403, "AccessDenied"),
    ] {
        for way in [Way::InProcess, Way::Tcp] {
            let sim = struck_by(fault.clone());
            let got = create(&sim, way).await;
            assert_eq!(got.status(), status, "{fault:?} {way:?}");
            assert!(got.says(code), "{fault:?}: {got:?}");
            assert!(!is_there(&sim), "{fault:?} {way:?}");
        }
    }
}

/// Codes by which SDKs know that they may try again. [SDK guide: Retry behavior; S3: Error responses]
#[test]
fn a_throttle_has_each_services_own_code() {
    for (service, status, code) in [
        ("s3", 503, "SlowDown"),
        ("sqs", 403, "RequestThrottled"),
        ("sns", 400, "Throttling"),
        ("rds", 400, "Throttling"),
        ("kms", 400, "ThrottlingException"),
        ("firehose", 400, "LimitExceededException"),
        ("kinesis", 400, "LimitExceededException"),
    ] {
        let error = super::as_error(&Fault::Throttle, service, &crate::Caller::Anonymous).unwrap();
        assert_eq!((error.status, error.code.as_ref()), (status, code), "{service}");
    }
}

#[tokio::test]
async fn a_time_out_never_answers_and_does_nothing() {
    for way in [Way::InProcess, Way::Tcp] {
        let sim = struck_by(Fault::TimeOut);
        assert_eq!(create(&sim, way).await, Got::Nothing, "{way:?}");
        assert!(!is_there(&sim));
    }
}

#[tokio::test]
async fn a_dropped_connection_has_done_nothing_and_a_lost_answer_has() {
    for (fault, done) in [(Fault::Drop, false), (Fault::LostAnswer, true)] {
        for way in [Way::InProcess, Way::Tcp] {
            let sim = struck_by(fault.clone());
            assert_eq!(create(&sim, way).await, Got::Broken, "{fault:?} {way:?}");
            assert_eq!(is_there(&sim), done, "{fault:?} {way:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_in_process_takes_virtual_time() {
    let sim = struck_by(Fault::Delay(Duration::from_secs(20)));
    let asked = Instant::now();
    let got = call(&sim, Way::InProcess, "CreateQueue", r#"{"QueueName":"orders"}"#, Duration::from_mins(1)).await;
    assert_eq!(got.status(), 200);
    assert_eq!(asked.elapsed().as_secs(), 20);
}

#[tokio::test]
async fn a_delay_over_tcp_takes_real_time() {
    let sim = struck_by(Fault::Delay(Duration::from_millis(60)));
    let asked = Instant::now();
    assert_eq!(create(&sim, Way::Tcp).await.status(), 200);
    assert!(asked.elapsed() >= Duration::from_millis(60));
}

#[tokio::test(start_paused = true)]
async fn a_stale_read_says_what_it_said_and_no_longer_than_it_may() {
    let sim = struck_by(Fault::Stale(Duration::from_secs(30)));
    let list = || call(&sim, Way::InProcess, "ListQueues", "{}", SHORT);
    assert!(!list().await.says("orders"));
    assert_eq!(create(&sim, Way::InProcess).await.status(), 200, "a write is done in any case");
    assert!(is_there(&sim));
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(!list().await.says("orders"), "20 s old");
    tokio::time::advance(Duration::from_secs(11)).await;
    assert!(list().await.says("orders"), "31 s are too old");
}

#[tokio::test]
async fn a_crash_strikes_before_or_after_the_write_and_the_client_is_told_to_die() {
    for (fault, done) in [(Fault::CrashBefore, false), (Fault::CrashAfter, true)] {
        for (way, sees) in [(Way::InProcess, Got::Nothing), (Way::Tcp, Got::Broken)] {
            let sim = struck_by(fault.clone());
            assert_eq!(create(&sim, way).await, sees, "{fault:?} {way:?}");
            timeout(SHORT, sim.crashed()).await.expect("whoever runs the client hears of it");
            assert_eq!(is_there(&sim), done, "{fault:?} {way:?}");
        }
    }
}

#[tokio::test]
async fn a_rule_strikes_what_it_names_and_so_often() {
    let sim = sim(1);
    sim.with(|world| world.faults.rules.push(FaultRule::always(Fault::ServerError).on("sqs", "Create*").times(2)));
    let way = Way::InProcess;
    assert_eq!(call(&sim, way, "ListQueues", "{}", SHORT).await.status(), 200, "another operation");
    let statuses = [create(&sim, way).await.status(), create(&sim, way).await.status(), create(&sim, way).await.status()];
    assert_eq!(statuses, [500, 500, 200]);
    sim.with(|world| world.faults.rules = vec![FaultRule::always(Fault::ServerError).writes()]);
    assert_eq!(call(&sim, way, "ListQueues", "{}", SHORT).await.status(), 200, "a read");
    assert_eq!(create(&sim, way).await.status(), 500);
    let now = sim.now();
    let over = FaultRule::always(Fault::ServerError).during(Moment(0), now);
    sim.with(|world| world.faults.rules = vec![over]);
    assert_eq!(create(&sim, way).await.status(), 200, "its time is over");
}

/// Everything that a run of calls under faults answers.
async fn run(seed: u64) -> Vec<Got> {
    let sim = sim(seed);
    sim.with(|world| {
        let rule = |fault, ppm| FaultRule::always(fault).with_chance(ppm);
        world.faults.rules = vec![rule(Fault::Throttle, 200_000), rule(Fault::LostAnswer, 100_000), rule(Fault::Delay(SHORT / 3), 300_000)];
    });
    let mut all = Vec::new();
    for number in 0..40 {
        all.push(call(&sim, Way::InProcess, "CreateQueue", &format!(r#"{{"QueueName":"q-{number}"}}"#), SHORT).await);
        all.push(call(&sim, Way::InProcess, "GetQueueUrl", &format!(r#"{{"QueueName":"q-{number}"}}"#), SHORT).await);
        all.push(call(&sim, Way::InProcess, "ListQueues", "{}", SHORT).await);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    let first = run(7).await;
    assert_eq!(first, run(7).await);
    assert_ne!(first, run(8).await);
    assert!(first.contains(&Got::Broken) && first.iter().any(|got| got.says("Throttled")), "faults did strike");
}

/// Every kind of fault strikes a world now and then, at its own pace; everything that happened is in its journal.
fn journal(seed: u64) -> Vec<JournalEntry> {
    let mut world = World::new(Settings { seed, ..Settings::default() }, Moment(1_800_000_000_000));
    world.journal = Some(Vec::new());
    let every = [
        Fault::Throttle,
        Fault::ServerError,
        Fault::Unavailable,
        Fault::Deny,
        Fault::TimeOut,
        Fault::Drop,
        Fault::LostAnswer,
        Fault::Stale(Duration::from_mins(1)),
        Fault::Delay(SHORT),
        Fault::CrashBefore,
        Fault::CrashAfter,
    ];
    world.faults.rules = every.into_iter().map(|fault| FaultRule::always(fault).with_chance(30_000)).collect();
    let user = User::administrator(ACCOUNT, REGION);
    for number in 0..120 {
        world.advance(world.now() + Duration::from_secs(7));
        let queue = json!({ "QueueName": format!("q-{}", number % 9) });
        for (target, input) in [
            ("AmazonSQS.CreateQueue", &queue),
            ("AmazonSQS.GetQueueUrl", &queue),
            ("AmazonSQS.ListQueues", &json!({})),
            ("TrentService.CreateKey", &json!({ "Description": "a key" })),
            ("Firehose_20150804.ListDeliveryStreams", &json!({})),
        ] {
            // What came of it is in the journal.
            let _ = world.call(&user.json_call(target, input));
        }
    }
    world.journal.unwrap()
}

#[test]
fn worlds_of_one_seed_have_the_same_journal_to_the_byte() {
    let first = journal(7);
    assert_eq!(first, journal(7));
    assert_ne!(first, journal(8));
    assert_eq!(first.len(), 600);
    let struck = first.iter().filter(|entry| entry.struck).count();
    assert!((100..300).contains(&struck), "faults did strike, and not everything: {struck}");
}

#[tokio::test]
async fn tls_is_secure_transport_and_plain_http_is_not() {
    let sim = sim(1);
    let deny = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:orders"),
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }]});
    let input = json!({ "QueueName": "orders", "Attributes": { "Policy": deny.to_string() } });
    sim.with(|world| User::administrator(ACCOUNT, REGION).json(world, "AmazonSQS.CreateQueue", &input)).unwrap();
    let get = r#"{"QueueName":"orders"}"#;
    assert!(call(&sim, Way::Tcp, "GetQueueUrl", get, SHORT).await.says("AccessDenied"));

    let identity = TlsIdentity::made(&[]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::select! {
        never = sim.serve_tls(listener, &identity) => match never {},
        status = get_over_tls(address, identity.trust(), get) => assert_eq!(status, 200),
    }
}

async fn get_over_tls(address: std::net::SocketAddr, trust: &str, body: &str) -> u16 {
    use tokio_rustls::rustls::crypto::aws_lc_rs;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trust.as_bytes()).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_provider(std::sync::Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions();
    let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let mut stream = connector.connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await.expect("the certificate is trusted");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-amz-target: AmazonSQS.GetQueueUrl\r\ncontent-type: application/x-amz-json-1.0\r\n\
         authorization: AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261124/{REGION}/sqs/aws4_request, Signature=0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    std::str::from_utf8(&answer).unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}
