//! `/livez`, `/readyz`, `/healthz`: 200 or 503, with reasons.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use everseal_controller::status::Health;
use serde_json::json;

use super::Shown;

fn code(ok: bool) -> StatusCode {
    if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn plain(health: &Health) -> Response {
    let text = if health.ok { "ok\n".to_owned() } else { health.reasons.join("\n") + "\n" };
    (code(health.ok), text).into_response()
}

/// The loop moves.
pub async fn livez(State(shown): State<Arc<Shown>>) -> Response {
    plain(&shown.status.liveness())
}

/// Policy loaded, credentials work, first pass done.
pub async fn readyz(State(shown): State<Arc<Shown>>) -> Response {
    plain(&shown.status.readiness())
}

/// Both, as JSON.
pub async fn healthz(State(shown): State<Arc<Shown>>) -> Response {
    let (live, ready) = (shown.status.liveness(), shown.status.readiness());
    let ok = live.ok && ready.ok;
    (code(ok), Json(json!({ "ok": ok, "live": live, "ready": ready }))).into_response()
}
