#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use everseal_controller::{Clock, Ledger, Metrics, Status};
use everseal_planner::Scope;
use everseal_planner::rds::migration::report::{MigrationReport, Stage, Way};
use object_store::memory::InMemory;
use prometheus::Registry;
use serde_json::Value;
use tower::ServiceExt;

use super::*;

fn shown() -> Shown {
    let registry = Registry::new();
    Metrics::register(&registry, Clock::default()).unwrap();
    Metrics::build_info(&registry, "1.2.3").unwrap();
    Shown {
        registry,
        status: Status::new(Clock::default()),
        ledger: Ledger::new(Arc::new(InMemory::new()), object_store::path::Path::default()),
    }
}

async fn get(shown: &Shown, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = routes(shown.clone()).oneshot(request).await.unwrap();
    let code = answer.status();
    (code, String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn before_anything_happened_it_is_neither_live_nor_ready_and_says_why() {
    let shown = shown();
    let (code, text) = get(&shown, "/livez").await;
    assert_eq!((code, text.contains("has not started")), (StatusCode::SERVICE_UNAVAILABLE, true));
    let (code, text) = get(&shown, "/readyz").await;
    assert_eq!((code, text.contains("no policy is loaded")), (StatusCode::SERVICE_UNAVAILABLE, true));
    let (code, text) = get(&shown, "/healthz").await;
    let health: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &health["ok"]), (StatusCode::SERVICE_UNAVAILABLE, &Value::Bool(false)));
}

#[tokio::test]
async fn a_loop_that_moves_with_its_first_pass_done_is_healthy() {
    let shown = shown();
    shown.status.beat();
    shown.status.policies_loaded(vec!["p".into()], "r".into());
    let scope = Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() };
    shown.status.update(&scope, |status| status.first_pass_done = true);
    assert_eq!(get(&shown, "/healthz").await.0, StatusCode::OK);
    let (_, text) = get(&shown, "/api/v1/status").await;
    let status: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status["policy"]["names"][0], "p");
    assert_eq!(status["scopes"][0]["scope"]["region"], "us-east-1");
}

#[tokio::test]
async fn metrics_are_in_prometheus_text_form() {
    let (code, text) = get(&shown(), "/metrics").await;
    assert_eq!(code, StatusCode::OK);
    assert!(text.contains("everseal_build_info{version=\"1.2.3\"} 1"), "{text}");
    assert!(text.contains("process_resident_memory_bytes"));
}

#[tokio::test]
async fn every_api_endpoint_answers_json_and_wrong_questions_are_refused() {
    let shown = shown();
    for name in ["findings", "plan", "paths", "keys", "migrations", "changes", "status"] {
        let (code, text) = get(&shown, &format!("/api/v1/{name}")).await;
        assert_eq!(code, StatusCode::OK, "{name}");
        assert!(serde_json::from_str::<Value>(&text).unwrap().is_object(), "{name}");
    }
    assert_eq!(get(&shown, "/api/v1/findings?colour=red").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(get(&shown, "/api/v1/changes?resource=queue").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(get(&shown, "/nowhere").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn migrations_are_shown_with_their_place_and_narrowed_by_stage() {
    let shown = shown();
    let scope = Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() };
    let report = |name: &str, stage: Stage| MigrationReport {
        database: scope.arn("rds", &format!("db:{name}")),
        name: name.to_owned(),
        way: Way::Snapshot,
        stage,
        since: Some(1_795_918_500),
        times_out_at: None,
        wakes_at: None,
        percent: Some(41),
        copy: None,
        message: "AWS copies the snapshot.".to_owned(),
        blocked: None,
        differences: Vec::new(),
        by_hand: Vec::new(),
    };
    shown.status.update(&scope, |status| status.migrations = vec![report("a", Stage::Copying), report("b", Stage::Stuck)]);
    let migrations = |text: &str| serde_json::from_str::<Value>(text).unwrap()["migrations"].clone();
    let (code, text) = get(&shown, "/api/v1/migrations").await;
    let all = migrations(&text);
    assert_eq!((code, all.as_array().unwrap().len()), (StatusCode::OK, 2));
    assert_eq!((&all[0]["name"], &all[0]["stage"], &all[0]["percent"]), (&"a".into(), &"copying".into(), &41.into()));
    assert_eq!((&all[0]["account"], &all[0]["region"]), (&"111122223333".into(), &"us-east-1".into()));
    let (_, text) = get(&shown, "/api/v1/migrations?state=stuck").await;
    assert_eq!(migrations(&text)[0]["name"], "b");
    let (_, text) = get(&shown, "/api/v1/migrations?region=eu-west-1").await;
    assert_eq!(migrations(&text), serde_json::json!([]));
}

#[tokio::test]
async fn half_a_request_does_not_hold_a_stop_up() {
    use tokio::io::AsyncWriteExt;
    let listener = listen("127.0.0.1:0".parse().unwrap(), "--listen").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, shown(), stop.clone()));
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), server).await.expect("it ends").unwrap().unwrap();
}
