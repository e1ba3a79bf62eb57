//! The benchmark's server. First line on stdout: its URL; serves until stdin ends; then the calls as JSON.
//!
//! `everseal-stub RESOURCES LATENCY_MS [N]`, where every Nth call is throttled, or `everseal-stub RESOURCES policy` to print
//! the policy that the estate meets.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use everseal_tests::stub::{Estate, cbor};
use everseal_tests::wire::{Protocol, classify};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

type Counts = Arc<Mutex<BTreeMap<String, usize>>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (resources, what, throttled) = match arguments.as_slice() {
        [resources, what] => (resources, what, None),
        [resources, what, every] => (resources, what, Some(every.parse().expect("N is a whole number"))),
        _ => {
            eprintln!("usage: everseal-stub RESOURCES LATENCY_MS|policy [N]");
            std::process::exit(1);
        }
    };
    let estate = Estate::of(resources.parse().expect("RESOURCES is a whole number"));
    if what == "policy" {
        print!("{}", estate.policy());
        return;
    }
    let latency = Duration::from_millis(what.parse().expect("LATENCY_MS is a whole number"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let counts = runtime.block_on(serve_until_stdin_ends(Served { estate, latency, throttled, counts: Counts::default() }));
    println!("{}", serde_json::to_string(&counts).expect("counts are JSON"));
}

async fn serve_until_stdin_ends(served: Served) -> BTreeMap<String, usize> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
    println!("http://{}", listener.local_addr().expect("a bound socket has an address"));
    let (ended, mut end) = tokio::sync::mpsc::channel::<()>(1);
    std::thread::spawn(move || {
        // However reading ends, the time is over.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop(ended);
    });
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                // Delayed acknowledgements would be measured otherwise.
                let _ = stream.set_nodelay(true);
                let served = served.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(served.clone(), request));
                    // A client that hangs up is done.
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            _ = end.recv() => return std::mem::take(&mut *served.counts.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

/// What is served, and how well.
#[derive(Clone)]
struct Served {
    estate: Estate,
    latency: Duration,
    /// Every so many calls one is throttled.
    throttled: Option<usize>,
    counts: Counts,
}

/// AWS's refusal of one call too many, in the words of the call's protocol.
fn refusal(protocol: Protocol) -> (u16, &'static str, Vec<u8>) {
    let error = "<Code>SlowDown</Code><Message>Please reduce your request rate.</Message>";
    let (status, kind, text) = match protocol {
        Protocol::Json | Protocol::Cbor => {
            (400, "application/x-amz-json-1.1", r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#.to_owned())
        }
        Protocol::Query => (
            400,
            "text/xml",
            "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>".to_owned(),
        ),
        Protocol::Rest => (503, "application/xml", format!("<Error>{error}</Error>")),
    };
    (status, kind, text.into_bytes())
}

async fn answer(served: Served, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let Served { estate, latency, throttled, counts } = served;
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let call = classify(&parts.method, path, &parts.headers, &body);
    tokio::time::sleep(latency).await;
    let metrics = if call.operation == "GetMetricData" { cbor::metric_data(&body) } else { None };
    let calls: usize = counts.lock().unwrap_or_else(PoisonError::into_inner).values().sum();
    let refused = throttled.is_some_and(|every| calls % every == every - 1);
    let (status, kind, answer) = if refused {
        refusal(call.protocol)
    } else if let Some(metrics) = metrics {
        (200, "application/cbor", metrics)
    } else {
        let (status, kind, text) = estate.answer(&call, parts.uri.query().unwrap_or_default());
        (status, kind, text.into_bytes())
    };
    let counted = if status == 200 { call.operation } else { format!("refused {}", call.operation) };
    *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(counted).or_default() += 1;
    let response = Response::builder().status(status).header("content-type", kind).header("smithy-protocol", "rpc-v2-cbor");
    Ok(response.body(Full::new(Bytes::from(answer))).expect("a status and two headers make a response"))
}
