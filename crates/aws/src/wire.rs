//! Counts what really goes over the wire: every HTTP attempt, the SDK's retries included, and tells
//! the pace of an operation when AWS throttles.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use crate::call::{Observer, Paces};
use crate::error::THROTTLING_CODES;
use crate::operation::Api;

/// The interceptor of one API's client.
#[derive(Debug)]
pub struct WireCount {
    pub(crate) api: Api,
    pub(crate) paces: Arc<Paces>,
    pub(crate) observer: Observer,
}

#[derive(Debug)]
struct Sent(Instant);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for WireCount {
    fn name(&self) -> &'static str {
        "WireCount"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Sent(Instant::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // An attempt that failed before it was sent (no credentials) is not on the wire.
        let (Some(Sent(sent)), Some(metadata)) = (cfg.load::<Sent>(), cfg.load::<Metadata>()) else { return Ok(()) };
        let (service, operation) = (self.api.id(), self.paces.known_name(self.api, metadata.name()));
        let code = match context.response() {
            Some(response) => code_of(response),
            None if timed_out(context) => Cow::Borrowed("Timeout"),
            None => Cow::Borrowed("Unreachable"),
        };
        self.observer.attempt(service, operation, &code, sent.elapsed());
        if THROTTLING_CODES.contains(&code.as_ref()) {
            self.paces.throttled(self.api, operation);
            self.observer.throttled(service, operation);
        }
        Ok(())
    }
}

fn timed_out(context: &FinalizerInterceptorContextRef<'_>) -> bool {
    match context.output_or_error() {
        Some(Err(error)) => error.is_timeout_error() || error.as_connector_error().is_some_and(ConnectorError::is_timeout),
        Some(Ok(_)) | None => false,
    }
}

/// `OK`, AWS's error code, or the HTTP status where there is none. S3 and query APIs name the code in
/// XML, JSON APIs in a header or in `__type`, RPC v2 CBOR in `__type` before a binary length.
fn code_of(response: &HttpResponse) -> Cow<'static, str> {
    let status = response.status().as_u16();
    if status < 400 {
        return Cow::Borrowed("OK");
    }
    // `AWS.SimpleQueueService.NonExistentQueue;Sender`: query-compatible APIs keep their old codes here.
    let header = ["x-amzn-query-error", "x-amzn-errortype"].iter().find_map(|name| response.headers().get(*name));
    let body = || response.body().bytes().map(String::from_utf8_lossy).and_then(|body| code_in_body(&body));
    let code = header.map(|text| text.split([':', ';']).next().unwrap_or_default().to_owned()).or_else(body);
    match code.as_deref().map(|code| code.rsplit('#').next().unwrap_or(code)) {
        Some(code) if !code.is_empty() => Cow::Owned(code.to_owned()),
        Some(_) | None if status == 429 => Cow::Borrowed("TooManyRequests"),
        Some(_) | None => Cow::Owned(format!("Http{status}")),
    }
}

fn code_in_body(body: &str) -> Option<String> {
    if let Some((_, rest)) = body.split_once("<Code>") {
        return rest.split_once("</Code>").map(|(code, _)| code.to_owned());
    }
    let (_, rest) = body.split_once("__type")?;
    let rest = &rest[rest.find(|c: char| c.is_ascii_alphabetic())?..];
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".#".contains(c))).unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}
