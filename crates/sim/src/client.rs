//! The way in for the SDK in the same process: its HTTP client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;

use crate::http::{Call, Reply};
use crate::shared::Sim;
use crate::world::Outcome;

/// A client whose every request is answered by the world, until a fault lets it die: then no request of it is heard
/// any more, as after a crash of its process.
#[derive(Debug, Clone)]
pub struct InProcess {
    sim: Sim,
    dead: Arc<AtomicBool>,
}

impl Sim {
    /// The HTTP client to give to the SDK: requests never leave the process.
    pub fn http_client(&self) -> InProcess {
        InProcess { sim: self.clone(), dead: Arc::default() }
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        None
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { sim, dead } = self.clone();
        HttpConnectorFuture::new(async move {
            let call = call_of(request).await?;
            if dead.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            match sim.answer(&call).await {
                Outcome::Answer(reply, after) => {
                    if after > 0 {
                        tokio::time::sleep(Duration::from_millis(after)).await;
                    }
                    Ok(response_of(reply))
                }
                Outcome::Silence => std::future::pending().await,
                Outcome::Crash => {
                    dead.store(true, Ordering::Relaxed);
                    std::future::pending().await
                }
                Outcome::Broken => Err(ConnectorError::io("the connection broke".into())),
            }
        })
    }
}

async fn call_of(request: HttpRequest) -> Result<Call, ConnectorError> {
    let user = |error: aws_smithy_runtime_api::http::HttpError| ConnectorError::user(error.into());
    let request = request.try_into_http1x().map_err(user)?;
    let (head, body) = request.into_parts();
    // Uploads come in chunks with a checksum behind them: they can't be had at once, but never wait for anything.
    let body = match body.bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes),
        None => ByteStream::new(body).collect().await.map_err(|error| ConnectorError::user(error.into()))?.into_bytes(),
    };
    let uri = head.uri;
    let mut headers = head.headers;
    // The name of a bucket may be in the host's, which other HTTP clients write into the request as it leaves.
    if let Some(authority) = uri.authority()
        && let Ok(host) = http::HeaderValue::from_str(authority.as_str())
    {
        headers.entry(http::header::HOST).or_insert(host);
    }
    Ok(Call {
        method: head.method,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
        secure: uri.scheme_str() != Some("http"),
    })
}

fn response_of(reply: Reply) -> HttpResponse {
    let Reply { status, headers, body } = reply;
    let status = StatusCode::try_from(status).unwrap_or_else(|_| StatusCode::try_from(500).expect("500 is a status"));
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in &headers {
        if let Ok(value) = value.to_str() {
            response.headers_mut().append(name.as_str().to_owned(), value.to_owned());
        }
    }
    response
}
