#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use ciborium::Value;
use everseal_controller::KmsErrorPoint;
use everseal_planner::Unreadable;
use everseal_planner::firehose::observed::KmsError;
use everseal_planner::inventory::ErrorClass;

use super::convert::{Batch, batches, queries};
use super::kms_error_points;
use crate::call::ScopeContext;
use crate::testing::{Answer, Wire};

/// 2026-11-24T12:00:00Z.
const NOON: i64 = 1_795_521_600;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn map(pairs: Vec<(&str, Value)>) -> Value {
    Value::Map(pairs.into_iter().map(|(key, value)| (text(key), value)).collect())
}

/// RPC v2 CBOR writes a timestamp as tag 1 (epoch seconds). [Smithy RPC v2 CBOR: timestamps]
fn timestamp(seconds: i64) -> Value {
    Value::Tag(1, Box::new(Value::Integer(seconds.into())))
}

fn result(id: &str, status: &str, points: &[(i64, f64)]) -> Value {
    map(vec![
        ("Id", text(id)),
        ("Label", text(id)),
        ("StatusCode", text(status)),
        ("Timestamps", Value::Array(points.iter().map(|(at, _)| timestamp(*at)).collect())),
        ("Values", Value::Array(points.iter().map(|(_, value)| Value::Float(*value)).collect())),
    ])
}

/// A result: query id, status, points.
type Recorded<'a> = (&'a str, &'a str, &'a [(i64, f64)]);

/// Complete results without a point for the four counters of the first `streams` streams, but for those in `results`.
fn page(streams: usize, results: &[Recorded<'_>], token: Option<&str>) -> Value {
    let ids = (0..streams).flat_map(|stream| KmsError::ALL.iter().map(move |error| format!("s{stream}_{}", error.id())));
    let results = ids.map(|id| match results.iter().find(|(named, _, _)| *named == id) {
        Some((id, status, points)) => result(id, status, points),
        None => result(&id, "Complete", &[]),
    });
    let mut fields = vec![("MetricDataResults", Value::Array(results.collect()))];
    fields.extend(token.map(|token| ("NextToken", text(token))));
    map(fields)
}

fn event(status: u16, body: &Value) -> ReplayEvent {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).unwrap();
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(bytes));
    response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    response.headers_mut().insert("content-type", "application/cbor");
    ReplayEvent::new(HttpRequest::empty(), response)
}

/// Asks with recorded answers; also gives the requests, decoded.
async fn ask(streams: &[&str], from: i64, to: i64, events: Vec<ReplayEvent>) -> (Result<Vec<KmsErrorPoint>, Unreadable>, Vec<Value>) {
    let wire = Wire::new(|_| Answer::new(500, "unused"));
    let replay = StaticReplayClient::new(events);
    let sdk = wire.sdk().into_builder().http_client(replay.clone()).build();
    let ctx = ScopeContext::new(wire.context().scope().clone(), &sdk, Arc::new(wire));
    let streams: Vec<String> = streams.iter().map(|stream| (*stream).to_owned()).collect();
    let points = kms_error_points(&ctx, &streams, from, to).await;
    let requests = replay.actual_requests().map(|request| {
        assert_eq!(request.headers().get("smithy-protocol"), Some("rpc-v2-cbor"));
        assert!(request.uri().ends_with("/service/GraniteServiceVersion20100801/operation/GetMetricData"), "{}", request.uri());
        ciborium::from_reader(request.body().bytes().unwrap()).unwrap()
    });
    (points, requests.collect())
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_map().unwrap().iter().find_map(|(key, value)| (key.as_text() == Some(name)).then_some(value))
}

fn seconds(value: &Value) -> i64 {
    let (tag, inner) = value.as_tag().unwrap();
    assert_eq!(tag, 1);
    // Whole seconds, whether they travel as an integer or as a float.
    inner.as_integer().map_or_else(|| format!("{:.0}", inner.as_float().unwrap()).parse().unwrap(), |whole| i64::try_from(whole).unwrap())
}

fn point(stream: &str, error: KmsError, at: i64, count: u64) -> KmsErrorPoint {
    KmsErrorPoint { stream: stream.to_owned(), error, at, count }
}

#[tokio::test]
async fn the_four_counters_are_asked_for_by_the_minute_and_without_a_unit() {
    let answer = page(2, &[("s1_KMSKeyDisabled", "Complete", &[(NOON, 3.0), (NOON + 60, 0.0)])], None);
    let (points, requests) = ask(&["orders", "clicks"], NOON + 12, NOON + 190, vec![event(200, &answer)]).await;
    assert_eq!(points.unwrap(), [point("clicks", KmsError::Disabled, NOON, 3)], "a minute with a zero is no error");
    let [request] = requests.as_slice() else { panic!("{} requests", requests.len()) };
    assert_eq!(seconds(member(request, "StartTime").unwrap()), NOON);
    assert_eq!(seconds(member(request, "EndTime").unwrap()), NOON + 180, "the minute that has not ended is left for the next time");
    let queries = member(request, "MetricDataQueries").unwrap().as_array().unwrap();
    let asked: Vec<_> = queries
        .iter()
        .map(|query| {
            let stat = member(query, "MetricStat").unwrap();
            let metric = member(stat, "Metric").unwrap();
            assert_eq!(member(metric, "Namespace").unwrap().as_text(), Some("AWS/Firehose"));
            assert_eq!(member(stat, "Period").unwrap().as_integer(), Some(60.into()));
            assert_eq!(member(stat, "Stat").unwrap().as_text(), Some("Sum"));
            assert!(member(stat, "Unit").is_none());
            let [dimension] = member(metric, "Dimensions").unwrap().as_array().unwrap().as_slice() else { panic!("one dimension") };
            assert_eq!(member(dimension, "Name").unwrap().as_text(), Some("DeliveryStreamName"));
            (member(dimension, "Value").unwrap().as_text().unwrap(), member(metric, "MetricName").unwrap().as_text().unwrap())
        })
        .collect();
    let metrics = ["KMSKeyAccessDenied", "KMSKeyDisabled", "KMSKeyInvalidState", "KMSKeyNotFound"];
    let expected: Vec<_> = ["orders", "clicks"].into_iter().flat_map(|stream| metrics.map(|metric| (stream, metric))).collect();
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn pages_are_followed_and_a_point_that_comes_twice_counts_once() {
    let id = "s0_KMSKeyNotFound";
    let first = page(1, &[(id, "PartialData", &[(NOON, 1.0), (NOON + 60, 2.0)])], Some("next"));
    let second = page(1, &[(id, "Complete", &[(NOON + 60, 2.0), (NOON + 120, 4.0)])], None);
    let (points, requests) = ask(&["orders"], NOON, NOON + 180, vec![event(200, &first), event(200, &second)]).await;
    let expected = [(0, 1), (60, 2), (120, 4)].map(|(offset, count)| point("orders", KmsError::NotFound, NOON + offset, count));
    assert_eq!(points.unwrap(), expected);
    assert!(member(&requests[0], "NextToken").is_none());
    assert_eq!(member(&requests[1], "NextToken").unwrap().as_text(), Some("next"));
}

#[tokio::test]
async fn a_page_that_looks_whole_is_followed_all_the_same() {
    let first = page(1, &[], Some("next"));
    let second = page(1, &[("s0_KMSKeyInvalidState", "Complete", &[(NOON, 7.0)])], None);
    let (points, _) = ask(&["orders"], NOON, NOON + 60, vec![event(200, &first), event(200, &second)]).await;
    assert_eq!(points.unwrap(), [point("orders", KmsError::InvalidState, NOON, 7)]);
}

#[tokio::test]
async fn no_data_is_no_errors_but_data_that_is_not_whole_is_not_known() {
    let (points, _) = ask(&["orders"], NOON, NOON + 60, vec![event(200, &page(1, &[], None))]).await;
    assert_eq!(points.unwrap(), []);
    let cases = [
        ("PartialData", ErrorClass::Unavailable, None),
        ("InternalError", ErrorClass::Unavailable, None),
        ("Forbidden", ErrorClass::Denied, Some("cloudwatch:GetMetricData")),
    ];
    for (status, class, missing_action) in cases {
        let answer = page(1, &[("s0_KMSKeyDisabled", status, &[(NOON, 1.0)])], None);
        let (points, _) = ask(&["orders"], NOON, NOON + 60, vec![event(200, &answer)]).await;
        let why = points.unwrap_err();
        assert_eq!(
            (why.class, why.operation.as_str(), why.missing_action.as_deref()),
            (class, "GetMetricData", missing_action),
            "{status}"
        );
        assert!(why.message.contains("orders") && why.message.contains(status), "{}", why.message);
    }
}

#[tokio::test]
async fn a_query_without_a_result_is_not_known_and_the_reason_is_passed_on() {
    let message = map(vec![("Code", text("MaxMetricsExceeded")), ("Value", text("Maximum number of allowed metrics exceeded"))]);
    let answer = map(vec![("MetricDataResults", Value::Array(Vec::new())), ("Messages", Value::Array(vec![message]))]);
    let (points, _) = ask(&["orders"], NOON, NOON + 60, vec![event(200, &answer)]).await;
    let why = points.unwrap_err();
    assert_eq!(why.class, ErrorClass::Unavailable);
    assert!(why.message.ends_with("no result; MaxMetricsExceeded: Maximum number of allowed metrics exceeded"), "{}", why.message);
}

#[tokio::test]
async fn a_refusal_names_the_missing_action() {
    let refusal = map(vec![("__type", text("com.amazonaws.cloudwatch#AccessDeniedException")), ("message", text("not authorized"))]);
    let (points, _) = ask(&["orders"], NOON, NOON + 60, vec![event(403, &refusal)]).await;
    let why = points.unwrap_err();
    assert_eq!((why.class, why.missing_action.as_deref()), (ErrorClass::Denied, Some("cloudwatch:GetMetricData")));
}

#[tokio::test]
async fn a_token_that_does_not_move_ends_the_asking() {
    let stuck = || event(200, &page(1, &[], Some("same")));
    let (points, requests) = ask(&["orders"], NOON, NOON + 60, vec![stuck(), stuck(), stuck()]).await;
    assert_eq!(points.unwrap_err().class, ErrorClass::Unavailable);
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn nothing_is_asked_for_no_streams_or_no_whole_minute() {
    let (points, requests) = ask(&[], NOON, NOON + 600, Vec::new()).await;
    assert_eq!((points.unwrap(), requests.len()), (Vec::new(), 0));
    let (points, requests) = ask(&["orders"], NOON + 1, NOON + 59, Vec::new()).await;
    assert_eq!((points.unwrap(), requests.len()), (Vec::new(), 0));
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("stream-{index}")).collect()
}

#[test]
fn a_call_holds_at_most_500_queries() {
    let streams = names(126);
    let calls = batches(&streams, NOON, NOON + 300);
    assert_eq!(calls.iter().map(|batch| batch.streams.len()).collect::<Vec<_>>(), [125, 1]);
    assert_eq!(queries(calls[0].streams).len(), 500);
    let ids: std::collections::BTreeSet<_> = queries(calls[0].streams).iter().map(|query| query.id().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 500, "ids are unique within a call");
    let fits = |id: &String| id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    assert!(ids.iter().all(fits));
}

#[test]
fn a_call_holds_at_most_100_800_data_points_and_windows_join_without_gap() {
    // 500 queries × 201 minutes = 100,500; a 202nd minute would be 101,000.
    let streams = names(125);
    let week = 7 * 24 * 3600;
    let calls = batches(&streams, NOON, NOON + week);
    assert_eq!(calls[0], Batch { streams: &streams, window: NOON..NOON + 201 * 60 });
    assert_eq!(calls.last().unwrap().window.end, NOON + week);
    assert!(calls.windows(2).all(|pair| pair[0].window.end == pair[1].window.start));
    assert!(calls.iter().all(|batch| (batch.window.end - batch.window.start) / 60 * 500 <= 100_800));
    // One stream: 25,200 minutes fit, more than the 15 days for which minutes are kept.
    assert_eq!(batches(&names(1), NOON, NOON + week).len(), 1);
}
