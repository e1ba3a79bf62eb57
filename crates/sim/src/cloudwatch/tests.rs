#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::time::Duration;

use bytes::Bytes;
use ciborium::Value as Cbor;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use super::metrics::{Point, Series};
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::testing::{ACCOUNT, OTHER, REGION, world};
use crate::world::{Outcome, World};

/// 2027-01-15 08:00:00 UTC: the time of [`world`].
const NOW: u64 = 1_800_000_000;

fn send(world: &mut World, path: &str, headers: &[(&'static str, &str)], body: Vec<u8>) -> Reply {
    let mut all = HeaderMap::new();
    let scope = format!("AWS4-HMAC-SHA256 Credential={ACCOUNT}/20270115/{REGION}/monitoring/aws4_request, Signature=0");
    all.insert("authorization", HeaderValue::from_str(&scope).unwrap());
    for (name, value) in headers {
        all.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let call =
        Call { method: Method::POST, path: path.to_owned(), query: String::new(), headers: all, body: Bytes::from(body), secure: true };
    match world.call(&call) {
        Outcome::Answer(reply, _) => reply,
        other => panic!("no answer: {other:?}"),
    }
}

fn in_json(world: &mut World, operation: &str, input: &Value) -> Result<Value, String> {
    let target = format!("GraniteServiceVersion20100801.{operation}");
    let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.0")];
    let reply = send(world, "/", &headers, input.to_string().into_bytes());
    let output = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    if reply.status == 200 { Ok(output) } else { Err(output["__type"].as_str().unwrap().to_owned()) }
}

fn in_cbor(world: &mut World, operation: &str, input: &Cbor) -> (u16, HeaderMap, Cbor) {
    let mut body = Vec::new();
    ciborium::into_writer(input, &mut body).unwrap();
    let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
    let reply = send(world, &path, &[("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")], body);
    (reply.status, reply.headers, ciborium::from_reader(reply.body.as_ref()).unwrap())
}

fn map(members: Vec<(&str, Cbor)>) -> Cbor {
    Cbor::Map(members.into_iter().map(|(name, value)| (Cbor::Text(name.to_owned()), value)).collect())
}

fn text(text: &str) -> Cbor {
    Cbor::Text(text.to_owned())
}

fn member<'a>(value: &'a Cbor, name: &str) -> &'a Cbor {
    &value.as_map().unwrap().iter().find(|(key, _)| key.as_text() == Some(name)).unwrap().1
}

/// Three errors in this minute and two five minutes later.
fn some_errors(world: &mut World) {
    let count = |world: &mut World, value: f64| {
        super::count(world, (ACCOUNT, REGION), ("AWS/Firehose", "KMSKeyDisabled"), ("DeliveryStreamName", "ingest"), value);
    };
    count(world, 1.0);
    count(world, 2.0);
    world.advance(Moment((NOW + 300) * 1000));
    count(world, 2.0);
}

fn query(id: &str, period: u64, stat: &str) -> Value {
    json!({ "Id": id, "MetricStat": {
        "Metric": { "Namespace": "AWS/Firehose", "MetricName": "KMSKeyDisabled", "Dimensions": [{ "Name": "DeliveryStreamName", "Value": "ingest" }] },
        "Period": period, "Stat": stat,
    } })
}

fn ask(queries: &[Value], more: &Value) -> Value {
    let mut input = json!({ "MetricDataQueries": queries, "StartTime": NOW - 60, "EndTime": NOW + 600 });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[test]
fn sums_are_by_period_and_only_where_there_is_data() {
    let mut world = world();
    some_errors(&mut world);
    let ascending = json!({ "ScanBy": "TimestampAscending" });
    let of = |world: &mut World, period: u64, stat: &str| {
        in_json(world, "GetMetricData", &ask(&[query("q", period, stat)], &ascending)).unwrap()["MetricDataResults"][0].clone()
    };
    let sums = of(&mut world, 60, "Sum");
    assert_eq!(sums["Timestamps"], json!([f64::from(1_800_000_000), f64::from(1_800_000_300)]));
    assert_eq!(sums["Values"], json!([3.0, 2.0]));
    assert_eq!((&sums["StatusCode"], &sums["Id"]), (&json!("Complete"), &json!("q")));
    // One period of ten minutes from the minute before.
    assert_eq!(of(&mut world, 600, "Sum")["Values"], json!([5.0]));
    assert_eq!(of(&mut world, 600, "Sum")["Timestamps"], json!([f64::from(1_800_000_000 - 60)]));
    assert_eq!(of(&mut world, 600, "SampleCount")["Values"], json!([3.0]));
    assert_eq!(of(&mut world, 600, "Minimum")["Values"], json!([1.0]));
    assert_eq!(of(&mut world, 600, "Maximum")["Values"], json!([2.0]));
    assert_eq!(of(&mut world, 60, "Average")["Values"], json!([1.5, 2.0]));
    // Newest first where nothing is said.
    let newest = in_json(&mut world, "GetMetricData", &ask(&[query("q", 60, "Sum")], &json!({}))).unwrap();
    assert_eq!(newest["MetricDataResults"][0]["Values"], json!([2.0, 3.0]));
}

#[test]
fn the_end_is_outside_and_the_start_is_rounded_down_to_its_minute() {
    let mut world = world();
    some_errors(&mut world);
    let of = |world: &mut World, start: u64, end: u64| {
        let mut input = ask(&[query("q", 60, "Sum")], &json!({}));
        input["StartTime"] = json!(start);
        input["EndTime"] = json!(end);
        in_json(world, "GetMetricData", &input).unwrap()["MetricDataResults"][0]["Values"].clone()
    };
    assert_eq!(of(&mut world, NOW + 30, NOW + 300), json!([3.0]));
    assert_eq!(of(&mut world, NOW + 60, NOW + 300), json!([]));
    assert_eq!(of(&mut world, NOW + 60, NOW + 301), json!([2.0]));
}

#[test]
fn a_metric_without_data_is_complete_and_empty() {
    let mut world = world();
    let output = in_json(&mut world, "GetMetricData", &ask(&[query("q", 60, "Sum")], &json!({}))).unwrap();
    let result = &output["MetricDataResults"][0];
    assert_eq!((&result["StatusCode"], &result["Values"]), (&json!("Complete"), &json!([])));
    assert!(output.get("NextToken").is_none());
}

#[test]
fn a_unit_that_is_not_the_metrics_own_finds_nothing() {
    let mut world = world();
    some_errors(&mut world);
    for (unit, values) in [("Count", json!([2.0, 3.0])), ("Seconds", json!([]))] {
        let mut asked = query("q", 60, "Sum");
        asked["MetricStat"]["Unit"] = json!(unit);
        let output = in_json(&mut world, "GetMetricData", &ask(&[asked], &json!({}))).unwrap();
        assert_eq!(output["MetricDataResults"][0]["Values"], values, "{unit}");
    }
}

#[test]
fn pages_say_what_is_partial_and_lose_nothing() {
    let mut world = world();
    some_errors(&mut world);
    let queries = [query("a", 60, "Sum"), query("b", 60, "Sum")];
    let (mut seen, mut token, mut pages) = (Vec::new(), None, 0);
    loop {
        let mut more = json!({ "MaxDatapoints": 3, "ScanBy": "TimestampAscending" });
        if let Some(token) = token {
            more["NextToken"] = token;
        }
        let page = in_json(&mut world, "GetMetricData", &ask(&queries, &more)).unwrap();
        pages += 1;
        for result in page["MetricDataResults"].as_array().unwrap() {
            let values: Vec<f64> = result["Values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
            seen.push((result["Id"].as_str().unwrap().to_owned(), values, result["StatusCode"].as_str().unwrap().to_owned()));
        }
        token = page.get("NextToken").cloned();
        if token.is_none() {
            break;
        }
    }
    let expected = [("a", vec![3.0, 2.0], "Complete"), ("b", vec![3.0], "PartialData"), ("b", vec![2.0], "Complete")];
    assert_eq!(seen, expected.map(|(id, values, status)| (id.to_owned(), values, status.to_owned())));
    assert_eq!(pages, 2);
}

#[test]
fn what_is_wrong_is_said() {
    let mut world = world();
    let of = |world: &mut World, input: Value| in_json(world, "GetMetricData", &input).unwrap_err();
    assert_eq!(of(&mut world, ask(&[query("Q", 60, "Sum")], &json!({}))), "ValidationError");
    assert_eq!(of(&mut world, ask(&[query("q", 61, "Sum")], &json!({}))), "ValidationError");
    assert_eq!(of(&mut world, ask(&[query("q", 60, "Sum"), query("q", 60, "Sum")], &json!({}))), "ValidationError");
    assert_eq!(of(&mut world, ask(&[query("q", 60, "Sum")], &json!({ "EndTime": NOW - 60 }))), "ValidationError");
    assert_eq!(of(&mut world, ask(&vec![query("q", 60, "Sum"); 501], &json!({}))), "ValidationError");
    assert_eq!(of(&mut world, ask(&[query("q", 60, "Sum")], &json!({ "NextToken": "x" }))), "InvalidNextToken");
    let reserved = json!({ "Namespace": "AWS/Firehose", "MetricData": [] });
    assert_eq!(in_json(&mut world, "PutMetricData", &reserved).unwrap_err(), "InvalidParameterValueException");
}

#[test]
fn the_rust_sdk_speaks_cbor() {
    let mut world = world();
    some_errors(&mut world);
    let time = |at: u64| Cbor::Tag(1, Box::new(Cbor::Integer(at.into())));
    let dimension = map(vec![("Name", text("DeliveryStreamName")), ("Value", text("ingest"))]);
    let metric = map(vec![
        ("Namespace", text("AWS/Firehose")),
        ("MetricName", text("KMSKeyDisabled")),
        ("Dimensions", Cbor::Array(vec![dimension])),
    ]);
    let stat = map(vec![("Metric", metric), ("Period", Cbor::Integer(60.into())), ("Stat", text("Sum"))]);
    let query = map(vec![("Id", text("q")), ("MetricStat", stat)]);
    let input = map(vec![("MetricDataQueries", Cbor::Array(vec![query])), ("StartTime", time(NOW)), ("EndTime", time(NOW + 600))]);
    let (status, headers, output) = in_cbor(&mut world, "GetMetricData", &input);
    assert_eq!((status, headers["smithy-protocol"].to_str().unwrap()), (200, "rpc-v2-cbor"));
    let result = &member(&output, "MetricDataResults").as_array().unwrap()[0];
    assert_eq!(member(result, "Values"), &Cbor::Array(vec![Cbor::Float(2.0), Cbor::Float(3.0)]));
    let newest = Cbor::Tag(1, Box::new(Cbor::Float(1_800_000_300.0)));
    assert_eq!(member(result, "Timestamps").as_array().unwrap()[0], newest);
    // Clients that knew the service by the query protocol find its code in a header.
    let (status, headers, output) = in_cbor(&mut world, "PutMetricData", &map(vec![("Namespace", text("AWS/X"))]));
    assert_eq!((status, member(&output, "__type")), (400, &text("InvalidParameterValueException")));
    assert_eq!(headers["x-amzn-query-error"], "InvalidParameterValue;Sender");
}

#[test]
fn large_requests_come_compressed() {
    let mut world = world();
    let data = json!({ "Namespace": "Shop", "MetricData": [{ "MetricName": "Orders", "Value": 2.0 }] }).to_string();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, data.as_bytes()).unwrap();
    let headers = [
        ("x-amz-target", "GraniteServiceVersion20100801.PutMetricData"),
        ("content-type", "application/x-amz-json-1.0"),
        ("content-encoding", "gzip"),
    ];
    assert_eq!(send(&mut world, "/", &headers, encoder.finish().unwrap()).status, 200);
    let listed = in_json(&mut world, "ListMetrics", &json!({})).unwrap()["Metrics"].clone();
    assert_eq!(listed[0]["MetricName"], "Orders");
    assert_eq!(send(&mut world, "/", &headers, b"no".to_vec()).status, 400);
}

#[test]
fn older_clients_speak_query() {
    let mut world = world();
    some_errors(&mut world);
    let form = "Action=GetMetricStatistics&Version=2010-08-01&Namespace=AWS%2FFirehose&MetricName=KMSKeyDisabled\
        &Dimensions.member.1.Name=DeliveryStreamName&Dimensions.member.1.Value=ingest&StartTime=2027-01-15T08%3A00%3A00Z\
        &EndTime=2027-01-15T08%3A10%3A00Z&Period=300&Statistics.member.1=Sum&Statistics.member.2=Maximum";
    let reply = send(&mut world, "/", &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")], form.as_bytes().to_vec());
    let body = String::from_utf8(reply.body.to_vec()).unwrap();
    assert_eq!(reply.status, 200, "{body}");
    assert!(body.contains("<GetMetricStatisticsResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">"), "{body}");
    assert!(body.contains("<Label>KMSKeyDisabled</Label>"), "{body}");
    assert!(body.contains("<Timestamp>2027-01-15T08:00:00.000Z</Timestamp>"), "{body}");
    assert!(body.contains("<Sum>3.0</Sum>") && body.contains("<Maximum>2.0</Maximum>"), "{body}");
    let wrong = "Action=PutMetricData&Namespace=AWS%2FX";
    let reply = send(&mut world, "/", &[("content-type", "application/x-www-form-urlencoded")], wrong.as_bytes().to_vec());
    assert!(String::from_utf8(reply.body.to_vec()).unwrap().contains("<Code>InvalidParameterValue</Code>"));
}

#[test]
fn users_put_and_list_metrics_of_their_own() {
    let mut world = world();
    let data = json!({ "Namespace": "Shop", "MetricData": [
        { "MetricName": "Orders", "Value": 2.0, "Unit": "Count" },
        { "MetricName": "Orders", "Values": [1.0, 5.0], "Counts": [2.0, 1.0], "Unit": "Count" },
        { "MetricName": "Latency", "Dimensions": [{ "Name": "Page", "Value": "cart" }], "StatisticValues": { "SampleCount": 4.0, "Sum": 10.0, "Minimum": 1.0, "Maximum": 6.0 } },
    ] });
    in_json(&mut world, "PutMetricData", &data).unwrap();
    let listed = in_json(&mut world, "ListMetrics", &json!({ "Namespace": "Shop" })).unwrap()["Metrics"].clone();
    assert_eq!(
        listed,
        json!([
            { "Namespace": "Shop", "MetricName": "Latency", "Dimensions": [{ "Name": "Page", "Value": "cart" }] },
            { "Namespace": "Shop", "MetricName": "Orders", "Dimensions": [] },
        ])
    );
    let input = json!({ "Namespace": "Shop", "MetricName": "Orders", "StartTime": NOW, "EndTime": NOW + 60, "Period": 60, "Statistics": ["Sum", "SampleCount", "Minimum", "Maximum"] });
    let point = in_json(&mut world, "GetMetricStatistics", &input).unwrap()["Datapoints"][0].clone();
    // 2, and 1 twice, and 5 once.
    assert_eq!(
        (&point["Sum"], &point["SampleCount"], &point["Minimum"], &point["Maximum"]),
        (&json!(9.0), &json!(4.0), &json!(1.0), &json!(5.0))
    );
    assert_eq!(point["Unit"], "Count");
    let filtered = json!({ "Dimensions": [{ "Name": "Page" }] });
    assert_eq!(in_json(&mut world, "ListMetrics", &filtered).unwrap()["Metrics"].as_array().unwrap().len(), 1);
    world.advance(Moment(NOW * 1000) + Duration::from_hours(15 * 24));
    assert_eq!(in_json(&mut world, "ListMetrics", &json!({ "Namespace": "Shop" })).unwrap()["Metrics"], json!([]));
}

#[test]
fn points_are_kept_for_fifteen_days_and_accounts_apart() {
    let mut series = Series::new("Count");
    let start = Moment(NOW * 1000);
    for minute in 0..20 * 24 * 60 {
        let at = start + Duration::from_mins(minute);
        series.add(at, at, Point::of(1.0));
    }
    assert_eq!(series.len(), 15 * 24 * 60 + 1);
    let mut world = world();
    some_errors(&mut world);
    let dimension = ("DeliveryStreamName", "ingest");
    assert_eq!(world.metric_sum((ACCOUNT, REGION), ("AWS/Firehose", "KMSKeyDisabled"), dimension), 5.0);
    assert_eq!(world.metric_sum((OTHER, REGION), ("AWS/Firehose", "KMSKeyDisabled"), dimension), 0.0);
    assert_eq!(world.metric_sum((ACCOUNT, "eu-west-1"), ("AWS/Firehose", "KMSKeyDisabled"), dimension), 0.0);
}

#[test]
fn an_alarm_keeps_its_state_until_it_is_set_and_publishes_as_cloudwatch() {
    let mut world = world();
    let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:alarms");
    let put = json!({
        "AlarmName": "keys", "AlarmActions": [topic], "MetricName": "KMSKeyDisabled", "Namespace": "AWS/Firehose", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    in_json(&mut world, "PutMetricAlarm", &put).unwrap();
    let of = |world: &mut World| in_json(world, "DescribeAlarms", &json!({ "AlarmNames": ["keys"] })).unwrap()["MetricAlarms"][0].clone();
    let alarm = of(&mut world);
    assert_eq!((&alarm["StateValue"], &alarm["ActionsEnabled"]), (&json!("INSUFFICIENT_DATA"), &json!(true)));
    assert_eq!(alarm["AlarmArn"], "arn:aws:cloudwatch:us-east-1:111122223333:alarm:keys");
    let set = json!({ "AlarmName": "keys", "StateValue": "ALARM", "StateReason": "try" });
    in_json(&mut world, "SetAlarmState", &set).unwrap();
    assert_eq!(of(&mut world)["StateValue"], "ALARM");
    // There is no such topic: what CloudWatch can't publish is lost, and the same state again is no news.
    in_json(&mut world, "SetAlarmState", &set).unwrap();
    let hop = ("arn:aws:cloudwatch:us-east-1:111122223333:alarm:keys".to_owned(), topic);
    assert_eq!(world.tally.hops()[&hop].lost, 1);
    in_json(&mut world, "PutMetricAlarm", &put).unwrap();
    assert_eq!(of(&mut world)["StateValue"], "ALARM");
    assert_eq!(
        in_json(&mut world, "SetAlarmState", &json!({ "AlarmName": "no", "StateValue": "OK", "StateReason": "" })).unwrap_err(),
        "ResourceNotFound"
    );
    in_json(&mut world, "DeleteAlarms", &json!({ "AlarmNames": ["keys"] })).unwrap();
    assert_eq!(in_json(&mut world, "DescribeAlarms", &json!({})).unwrap()["MetricAlarms"], json!([]));
}

/// A topic under a key that `CloudWatch` may not use swallows alarms. [SNS: Enable compatibility between event sources and
/// encrypted topics]
#[test]
fn an_encrypted_topic_hears_of_alarms_only_where_the_key_lets_cloudwatch_in() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "alarms");
    let queue = world.create_queue(ACCOUNT, REGION, "pager");
    let open = |service: &str, action: &str| {
        json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Principal": { "Service": service }, "Action": action, "Resource": "*" } }).to_string()
    };
    world.set_topic_attribute(&topic, "Policy", &open("cloudwatch.amazonaws.com", "sns:Publish")).unwrap();
    world.set_queue_attributes(&queue, &[("Policy", &open("sns.amazonaws.com", "sqs:SendMessage"))]).unwrap();
    world.subscribe(&topic, "sqs", &queue, &[("RawMessageDelivery", "true")]);
    let alarm = world.create_alarm(ACCOUNT, REGION, "keys", &topic);
    let pass = |world: &mut World| {
        let now = world.now();
        world.advance(now + Duration::from_mins(1));
    };
    world.set_alarm_state(&alarm, "ALARM", "a key is disabled").unwrap();
    pass(&mut world);
    let message: Value = serde_json::from_str(&world.queue_bodies(&queue)[0]).unwrap();
    assert_eq!(
        (&message["NewStateValue"], &message["OldStateValue"], &message["AlarmArn"]),
        (&json!("ALARM"), &json!("OK"), &json!(alarm))
    );
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.set_topic_attribute(&topic, "KmsMasterKeyId", &key).unwrap();
    world.set_alarm_state(&alarm, "OK", "it is enabled").unwrap();
    pass(&mut world);
    let hop = (alarm.clone(), topic.clone());
    assert_eq!((world.queue_depth(&queue), world.tally.hops()[&hop].delivered, world.tally.hops()[&hop].lost), (1, 1, 1));
    let let_in = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": { "Service": ["cloudwatch.amazonaws.com", "sns.amazonaws.com"] }, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*",
    } });
    world.put_key_document(&key, &let_in.to_string()).unwrap();
    world.set_alarm_state(&alarm, "ALARM", "again").unwrap();
    pass(&mut world);
    assert_eq!((world.queue_depth(&queue), world.tally.hops()[&hop].delivered), (2, 2));
}
