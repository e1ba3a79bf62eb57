//! A reverse proxy that counts calls at the wire and makes faults.
//!
//! Requests pass through as they are, Host and signature included. It runs on a thread and a runtime of
//! its own, so that blocking tests can use it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::stub::cbor;
use crate::wire::{Call, Protocol, classify};

/// What happens to a call instead of, or before, its being passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answered with this error code and HTTP status.
    Error(&'static str, u16),
    /// The connection ends without an answer.
    Drop,
}

type Decide = Box<dyn Fn(&Call) -> Option<Fault> + Send + Sync>;

struct Shared {
    upstream: SocketAddr,
    log: Mutex<Vec<Call>>,
    decide: Mutex<Decide>,
    latency: Mutex<Duration>,
}

/// A running proxy; it ends with the value.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Proxy {
    /// Starts one on a free loopback port.
    pub fn start(upstream: SocketAddr) -> Self {
        let shared = Arc::new(Shared {
            upstream,
            log: Mutex::default(),
            decide: Mutex::new(Box::new(|_| None)),
            latency: Mutex::new(Duration::ZERO),
        });
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (told, address) = std::sync::mpsc::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
                told.send(listener.local_addr().expect("a bound socket has an address")).expect("the test waits for it");
                tokio::select! { () = accept(listener, serving) => {}, _ = stopped => {} }
            });
        });
        let address = address.recv().expect("the proxy starts");
        Self { shared, address, stop: Some(stop), thread: Some(thread) }
    }

    /// The URL that clients are given as endpoint.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call is asked about; `Some` is what happens instead of passing it on.
    pub fn decide(&self, decide: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) {
        *lock(&self.shared.decide) = Box::new(decide);
    }

    /// Delays every call.
    pub fn latency(&self, latency: Duration) {
        *lock(&self.shared.latency) = latency;
    }

    /// The calls since the last time, in the order of their arrival.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *lock(&self.shared.log))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the proxy's thread has been printed already.
            let _ = thread.join();
        }
    }
}

/// How often each operation was called.
pub fn count(calls: &[Call]) -> BTreeMap<&str, usize> {
    let mut counted = BTreeMap::new();
    for call in calls {
        *counted.entry(call.operation.as_str()).or_default() += 1;
    }
    counted
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (shared, client) = (Arc::clone(&shared), client.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&shared), client.clone(), request));
            // A client that hangs up, and the fault `Drop`, end here.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Ends the connection without an answer.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("dropped")
    }
}

impl std::error::Error for Dropped {}

impl From<Infallible> for Dropped {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

async fn answer(
    shared: Arc<Shared>,
    client: Client<HttpConnector, Full<Bytes>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let call = classify(&parts.method, &path, &parts.headers, &body);
    let latency = *lock(&shared.latency);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let fault = lock(&shared.decide)(&call);
    lock(&shared.log).push(call.clone());
    match fault {
        Some(Fault::Error(code, status)) => Ok(error(call.protocol, code, status)),
        Some(Fault::Drop) => Err(Dropped),
        // No emulator speaks CBOR: the counters are answered here.
        None if call.operation == "GetMetricData" => Ok(metric_data(&body)),
        None => {
            parts.uri = format!("http://{}{path}", shared.upstream).parse().map_err(|_| Dropped)?;
            let answer = client.request(Request::from_parts(parts, Full::new(body))).await.map_err(|_| Dropped)?;
            let (mut head, body) = answer.into_parts();
            // The upstream's connection is its own affair.
            head.headers.remove("connection");
            head.headers.remove("transfer-encoding");
            Ok(Response::from_parts(head, Full::new(body.collect().await.map_err(|_| Dropped)?.to_bytes())))
        }
    }
}

fn metric_data(request: &[u8]) -> Response<Full<Bytes>> {
    let body = cbor::metric_data(request).expect("the SDK's request is CBOR");
    let response = Response::builder().header("content-type", "application/cbor").header("smithy-protocol", "rpc-v2-cbor");
    response.body(Full::new(Bytes::from(body))).expect("two headers make a response")
}

fn error(protocol: Protocol, code: &str, status: u16) -> Response<Full<Bytes>> {
    let message = "made by the test";
    let (kind, body) = match protocol {
        Protocol::Json => ("application/x-amz-json-1.0", format!(r#"{{"__type":"{code}","message":"{message}"}}"#)),
        Protocol::Query => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>test</RequestId></ErrorResponse>"
            ),
        ),
        Protocol::Rest => {
            ("application/xml", format!("<Error><Code>{code}</Code><Message>{message}</Message><RequestId>test</RequestId></Error>"))
        }
        Protocol::Cbor => ("application/cbor", String::new()),
    };
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .body(Full::new(Bytes::from(body)))
        .expect("a status and one header make a response")
}
