//! `/api/v1/…`: what the loop knows, as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use everseal_controller::ledger::Filter;
use everseal_planner::rds::migration::report::MigrationReport;
use everseal_planner::{Finding, Scope};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shown;
use everseal_controller::status::ScopeStatus;

/// Entries of the ledger that one answer may hold.
const MOST_CHANGES: usize = 1000;

/// Narrows findings, steps and keys; every field that is given must be equal.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrow {
    account: Option<String>,
    region: Option<String>,
    service: Option<String>,
    check: Option<String>,
    state: Option<String>,
    resource: Option<String>,
}

fn is(wanted: Option<&String>, value: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == value)
}

impl Narrow {
    fn scope(&self, scope: &Scope) -> bool {
        is(self.account.as_ref(), &scope.account) && is(self.region.as_ref(), &scope.region)
    }

    fn finding(&self, finding: &Finding) -> bool {
        is(self.service.as_ref(), finding.service.id())
            && is(self.check.as_ref(), finding.check.id())
            && is(self.state.as_ref(), finding.state.id())
            && is(self.resource.as_ref(), finding.resource.as_str())
    }
}

fn scopes(shown: &Shown, narrow: &Narrow) -> Vec<Arc<ScopeStatus>> {
    shown.status.scopes().into_iter().filter(|status| narrow.scope(&status.scope)).collect()
}

/// Findings that are not compliant, and the counts of all.
pub async fn findings(State(shown): State<Arc<Shown>>, Query(narrow): Query<Narrow>) -> Json<Value> {
    let scopes = scopes(&shown, &narrow);
    let findings: Vec<&Finding> = scopes.iter().flat_map(|status| &status.findings).filter(|finding| narrow.finding(finding)).collect();
    Json(json!({ "summary": summary(&scopes), "findings": findings }))
}

fn summary(scopes: &[Arc<ScopeStatus>]) -> Value {
    let mut counts = serde_json::Map::new();
    for state in everseal_controller::tally::ResourceState::ALL {
        let count: u64 = scopes.iter().map(|status| status.tally.in_state(state)).sum();
        counts.insert(state.id().to_owned(), count.into());
    }
    Value::Object(counts)
}

/// Steps in order; blocked ones with their reason.
pub async fn plan(State(shown): State<Arc<Shown>>, Query(narrow): Query<Narrow>) -> Json<Value> {
    let scopes = scopes(&shown, &narrow);
    let steps: Vec<_> = scopes
        .iter()
        .flat_map(|status| &status.steps)
        .filter(|step| {
            is(narrow.service.as_ref(), step.service.id())
                && is(narrow.check.as_ref(), step.check.id())
                && is(narrow.resource.as_ref(), step.resource.as_str())
        })
        .collect();
    Json(json!({ "steps": steps }))
}

/// Data paths of each scope as its last pass saw them: the JSON of `everseal paths --json`, bounded.
pub async fn paths(State(shown): State<Arc<Shown>>, Query(narrow): Query<Narrow>) -> Json<Value> {
    let scopes: Vec<Value> = scopes(&shown, &narrow)
        .iter()
        .map(|status| {
            let mut paths = status.paths.shown.clone();
            paths["account"] = json!(status.scope.account);
            paths["region"] = json!(status.scope.region);
            paths["factsReadAt"] = json!(status.paths.read_at);
            paths["tally"] = json!(status.paths.tally);
            paths
        })
        .collect();
    Json(json!({ "scopes": scopes }))
}

/// Keys in use.
pub async fn keys(State(shown): State<Arc<Shown>>, Query(narrow): Query<Narrow>) -> Json<Value> {
    let scopes = scopes(&shown, &narrow);
    let keys: Vec<Value> = scopes
        .iter()
        .flat_map(|status| {
            status.keys.iter().map(|key| json!({ "account": status.scope.account, "region": status.scope.region, "key": key }))
        })
        .collect();
    Json(json!({ "keys": keys }))
}

/// Databases on their way to an encrypted copy; `state` narrows to a stage.
pub async fn migrations(State(shown): State<Arc<Shown>>, Query(narrow): Query<Narrow>) -> Json<Value> {
    let scopes = scopes(&shown, &narrow);
    let migrations = scopes.iter().flat_map(|status| {
        let shown = |report: &&MigrationReport| {
            is(narrow.resource.as_ref(), report.database.as_str()) && is(narrow.state.as_ref(), report.stage.id())
        };
        status.migrations.iter().filter(shown).map(|report| {
            let mut value = json!(report);
            value["account"] = json!(status.scope.account);
            value["region"] = json!(status.scope.region);
            value
        })
    });
    Json(json!({ "migrations": migrations.collect::<Vec<_>>() }))
}

/// Which changes to list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Only this resource.
    resource: Option<String>,
    /// Only since this Unix time.
    since: Option<i64>,
    /// At most this many, the latest; 100 by default.
    limit: Option<usize>,
}

/// The ledger, latest last.
pub async fn changes(State(shown): State<Arc<Shown>>, Query(which): Query<Which>) -> Response {
    let resource = match which.resource.as_deref().map(everseal_planner::Arn::parse).transpose() {
        Ok(resource) => resource,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let filter = Filter { since: which.since, resource, ..Filter::default() };
    let limit = which.limit.unwrap_or(100).min(MOST_CHANGES);
    match shown.ledger.latest(filter, limit).await {
        Ok(entries) => Json(json!({ "changes": entries })).into_response(),
        Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, &format!("{:#}", anyhow::Error::from(error))),
    }
}

fn refuse(code: StatusCode, why: &str) -> Response {
    (code, Json(json!({ "error": why }))).into_response()
}

/// Policies in force, scopes, health.
pub async fn status(State(shown): State<Arc<Shown>>) -> Json<Value> {
    let scopes: Vec<Value> = shown
        .status
        .scopes()
        .iter()
        .map(|status| {
            json!({
                "scope": status.scope,
                "lastSuccess": status.last_success,
                "lastError": status.last_error,
                "firstPassDone": status.first_pass_done,
                "summary": summary(std::slice::from_ref(status)),
                "steps": status.steps.len(),
                "blocked": status.steps.iter().filter(|step| step.gate.is_some()).count(),
            })
        })
        .collect();
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "policy": shown.status.policies(),
        "live": shown.status.liveness(),
        "ready": shown.status.readiness(),
        "scopes": scopes,
    }))
}
