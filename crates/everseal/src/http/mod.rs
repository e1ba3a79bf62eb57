//! Metrics, health and API over HTTP (DESIGN.md §8). Read-only: nothing here changes AWS or waits for it.

mod api;
mod health;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use everseal_controller::{Ledger, Status};
use prometheus::{Encoder, Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What handlers read from.
#[derive(Clone)]
pub struct Shown {
    /// Metrics.
    pub registry: Registry,
    /// The loop's snapshot.
    pub status: Status,
    /// The ledger, for `/api/v1/changes`.
    pub ledger: Ledger,
}

/// All routes.
pub fn routes(shown: Shown) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/healthz", get(health::healthz))
        .route("/api/v1/findings", get(api::findings))
        .route("/api/v1/plan", get(api::plan))
        .route("/api/v1/paths", get(api::paths))
        .route("/api/v1/keys", get(api::keys))
        .route("/api/v1/migrations", get(api::migrations))
        .route("/api/v1/changes", get(api::changes))
        .route("/api/v1/status", get(api::status))
        .fallback(unknown)
        .with_state(Arc::new(shown))
}

/// Opens the port that `flag` names: before the loop starts, so that a taken port is an error at once.
pub async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener> {
    let taken = || format!("can't listen on {address} ({flag}): choose another address, or port 0 for any free one");
    TcpListener::bind(address).await.with_context(taken)
}

/// Answers in hand get this long at a stop: half a request, sent and left, must not hold the program up.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// Serves until it is stopped.
pub async fn serve(listener: TcpListener, shown: Shown, stop: CancellationToken) -> Result<()> {
    let cut_off = stop.clone();
    let serving = axum::serve(listener, routes(shown)).with_graceful_shutdown(async move { stop.cancelled().await });
    tokio::select! {
        served = async { serving.await } => served.context("the HTTP server failed"),
        () = async { cut_off.cancelled().await; tokio::time::sleep(LAST_ANSWERS).await } => Ok(()),
    }
}

async fn metrics(State(shown): State<Arc<Shown>>) -> Response {
    let mut text = Vec::new();
    match TextEncoder::new().encode(&shown.registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("the metrics can't be written: {error}\n")).into_response(),
    }
}

async fn unknown() -> Response {
    let body =
        "not found; there are /metrics, /livez, /readyz, /healthz and /api/v1/{findings,plan,paths,keys,migrations,changes,status}\n";
    (StatusCode::NOT_FOUND, body).into_response()
}

#[cfg(test)]
mod tests;
