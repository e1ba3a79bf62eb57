//! For tests of adapters: a scope whose HTTP client answers from a function and remembers what was asked.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::checksum_config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_types::retry::RetryConfig;
use everseal_controller::CallObserver;
use everseal_planner::Scope;
use tokio::time::Instant;

use crate::call::{ScopeContext, UNLISTED};

/// A request as it went over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Host, path and query: `sqs.us-east-1.amazonaws.com/?x=y`.
    pub(crate) uri: String,
    /// The operation in `X-Amz-Target` (JSON protocols), else empty.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What AWS answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Answering = dyn Fn(&Seen) -> Answer + Send + Sync;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Works,
    Refuses,
    Silent,
    /// Answers after this time.
    Slow(Duration),
}

/// The SDK waits by tokio's clock, so it must also tell the time by it: tests pause that clock.
#[derive(Debug)]
struct TokioClock {
    began: Instant,
    at: SystemTime,
}

impl TimeSource for TokioClock {
    fn now(&self) -> SystemTime {
        self.at + self.began.elapsed()
    }
}

/// The wire: answers and remembers.
#[derive(Clone)]
pub(crate) struct Wire {
    line: Line,
    answer: Arc<Answering>,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// `service operation code` of every attempt, and `service operation throttled`.
    counted: Arc<Mutex<Vec<String>>>,
    /// Requests on the line now, and the most there ever were.
    in_flight: Arc<Mutex<(usize, usize)>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    pub(crate) fn new(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self { line: Line::Works, answer: Arc::new(answer), seen: Arc::default(), counted: Arc::default(), in_flight: Arc::default() }
    }

    /// Every connection is refused.
    pub(crate) fn unreachable() -> Self {
        Self { line: Line::Refuses, ..Self::new(|_| Answer::ok("")) }
    }

    /// Answers come after `latency`.
    pub(crate) fn slow(latency: Duration, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self { line: Line::Slow(latency), ..Self::new(answer) }
    }

    /// The most requests that were on a slow line at a time.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.in_flight.lock().unwrap().1
    }

    /// Nothing ever answers.
    pub(crate) fn silent() -> Self {
        Self { line: Line::Silent, ..Self::new(|_| Answer::ok("")) }
    }

    /// Requests so far, in the order they were sent.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Every attempt; fails the test where a call was made with another operation's constant.
    pub(crate) fn counted(&self) -> Vec<String> {
        let counted = self.counted.lock().unwrap().clone();
        assert!(counted.iter().all(|attempt| !attempt.contains(UNLISTED)), "{counted:?}");
        counted
    }

    pub(crate) fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    pub(crate) fn sdk(&self) -> SdkConfig {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http_client())
            .sleep_impl(TokioSleep::new())
            .time_source(TokioClock { began: Instant::now(), at: SystemTime::now() })
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build()
    }

    /// The scope 111122223333/us-east-1 on this wire.
    pub(crate) fn context(&self) -> ScopeContext {
        let scope = Scope { partition: "aws".to_owned(), account: "111122223333".to_owned(), region: "us-east-1".to_owned() };
        ScopeContext::new(scope, &self.sdk(), Arc::new(self.clone()))
    }
}

impl CallObserver for Wire {
    fn attempt(&self, service: &'static str, operation: &'static str, code: &str, _: Duration) {
        self.counted.lock().unwrap().push(format!("{service} {operation} {code}"));
    }

    fn throttled(&self, service: &'static str, operation: &'static str) {
        self.counted.lock().unwrap().push(format!("{service} {operation} throttled"));
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let seen = Seen {
            method: request.method().to_owned(),
            uri: request.uri().trim_start_matches("https://").to_owned(),
            target: request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned(),
            headers: request.headers().iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
        };
        match self.line {
            Line::Works | Line::Slow(_) => {}
            Line::Refuses => return HttpConnectorFuture::ready(Err(ConnectorError::io("connection refused".into()))),
            Line::Silent => return HttpConnectorFuture::new(std::future::pending()),
        }
        let answer = (self.answer)(&seen);
        self.seen.lock().unwrap().push(seen);
        let mut response = HttpResponse::new(answer.status.try_into().unwrap(), SdkBody::from(answer.body));
        for (name, value) in answer.headers {
            response.headers_mut().insert(name, value);
        }
        let Line::Slow(latency) = self.line else { return HttpConnectorFuture::ready(Ok(response)) };
        let in_flight = Arc::clone(&self.in_flight);
        HttpConnectorFuture::new(async move {
            {
                let mut line = in_flight.lock().unwrap();
                line.0 += 1;
                line.1 = line.1.max(line.0);
            }
            tokio::time::sleep(latency).await;
            in_flight.lock().unwrap().0 -= 1;
            Ok(response)
        })
    }
}
