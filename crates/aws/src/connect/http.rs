//! The HTTP client that all SDK clients share: one pool of connections, certificates loaded once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn};

/// Idle connections are closed before AWS closes them, and do not outlive a pass by much.
const IDLE: Duration = Duration::from_secs(15);
/// As many as one API has calls in flight.
const IDLE_PER_HOST: usize = 32;

type Timeouts = (Option<Duration>, Option<Duration>);

/// Proxies come from the usual environment variables. One connector for each pair of timeouts: ours,
/// and those that the SDK uses for the metadata service.
pub(super) fn client() -> SharedHttpClient {
    let connectors: Mutex<HashMap<Timeouts, SharedHttpConnector>> = Mutex::default();
    http_client_fn(move |settings, components| {
        let mut connectors = connectors.lock().unwrap_or_else(PoisonError::into_inner);
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        connectors.entry(timeouts).or_insert_with(|| connector(settings, components.sleep_impl())).clone()
    })
}

fn connector(settings: &HttpConnectorSettings, sleep: Option<aws_smithy_async::rt::sleep::SharedAsyncSleep>) -> SharedHttpConnector {
    let mut builder = Connector::builder()
        .connector_settings(settings.clone())
        .proxy_config(ProxyConfig::from_env())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST);
    builder.set_sleep_impl(sleep);
    SharedHttpConnector::new(builder.tls_provider(Provider::rustls(CryptoMode::AwsLc)).build())
}
