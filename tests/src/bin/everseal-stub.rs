//! The benchmark's server. First line on stdout: its URL; serves until stdin ends; then the calls as JSON.
//!
//! `everseal-stub RESOURCES LATENCY_MS`, or `everseal-stub RESOURCES policy` to print the policy that the estate meets.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use everseal_tests::stub::{Estate, cbor};
use everseal_tests::wire::classify;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

type Counts = Arc<Mutex<BTreeMap<String, usize>>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [resources, what] = arguments.as_slice() else {
        eprintln!("usage: everseal-stub RESOURCES LATENCY_MS|policy");
        std::process::exit(1);
    };
    let estate = Estate::of(resources.parse().expect("RESOURCES is a whole number"));
    if what == "policy" {
        print!("{}", estate.policy());
        return;
    }
    let latency = Duration::from_millis(what.parse().expect("LATENCY_MS is a whole number"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let counts = runtime.block_on(serve_until_stdin_ends(estate, latency));
    println!("{}", serde_json::to_string(&counts).expect("counts are JSON"));
}

async fn serve_until_stdin_ends(estate: Estate, latency: Duration) -> BTreeMap<String, usize> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
    println!("http://{}", listener.local_addr().expect("a bound socket has an address"));
    let counts = Counts::default();
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
                let counts = Arc::clone(&counts);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(estate, latency, Arc::clone(&counts), request));
                    // A client that hangs up is done.
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            _ = end.recv() => return std::mem::take(&mut *counts.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

async fn answer(
    estate: Estate,
    latency: Duration,
    counts: Counts,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let call = classify(&parts.method, path, &parts.headers, &body);
    tokio::time::sleep(latency).await;
    let metrics = if call.operation == "GetMetricData" { cbor::metric_data(&body) } else { None };
    let (status, kind, answer) = if let Some(metrics) = metrics {
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
