//! Faults made at the wire: refusals, throttling, latency, lost connections, resources that vanish.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use everseal_tests::proxy::{Fault, count};
use serde_json::Value;

use crate::estate::{Estate, PLAIN, states};

fn finding<'a>(plan: &'a Value, check: &str, resource: &str) -> &'a Value {
    let mut findings = plan["findings"].as_array().unwrap().iter();
    findings
        .find(|finding| finding["check"] == check && finding["resource"] == resource)
        .unwrap_or_else(|| panic!("no finding {check} {resource}"))
}

#[test]
fn a_refused_read_is_unknown_names_the_permission_and_is_never_written() {
    let estate = Estate::seeded("refused-read", PLAIN);
    estate.proxy.decide(|call| (call.operation == "GetBucketPolicy").then_some(Fault::Error("AccessDenied", 403)));

    let planned = estate.everseal(&["plan", "--output", "json"]);
    assert_eq!(planned.code, Some(2), "the other checks still find drift:\n{}", planned.stderr);
    let plan = planned.json();
    let unread = finding(&plan, "s3-secure-transport", "arn:aws:s3:::fin-sse-s3");
    assert_eq!(unread["state"], "unknown");
    assert!(unread.to_string().contains("s3:GetBucketPolicy"), "the missing permission is not named: {unread}");
    let known: Vec<String> = states(&plan, "s3").into_values().collect();
    assert!(known.iter().any(|state| state == "drifted"), "encryption is judged all the same");

    estate.proxy.take();
    let applied = estate.everseal(&["apply", "--yes"]);
    let calls = estate.proxy.take();
    let counted = count(&calls);
    assert_eq!(counted.get("PutBucketPolicy"), None, "nobody knows what the policies are:\n{}", applied.stderr);
    assert!(counted.get("SetQueueAttributes").is_some_and(|calls| *calls > 10), "other services go on: {counted:?}");
}

#[test]
fn a_refused_write_fails_its_step_alone_and_says_what_is_missing() {
    let estate = Estate::seeded("refused-write", PLAIN);
    estate.proxy.decide(|call| (call.operation == "PutBucketPolicy").then_some(Fault::Error("AccessDenied", 403)));
    let applied = estate.everseal(&["apply", "--yes"]);
    assert_eq!(applied.code, Some(3), "{}", applied.stderr);
    let said = format!("{}{}", applied.stdout, applied.stderr);
    assert!(said.contains("s3:PutBucketPolicy"), "the missing permission is not named:\n{said}");
    let plan = estate.plan();
    assert_eq!(finding(&plan, "s3-secure-transport", "arn:aws:s3:::fin-sse-s3")["state"], "drifted");
    assert_eq!(finding(&plan, "s3-encryption", "arn:aws:s3:::fin-sse-s3")["state"], "compliant");
}

#[test]
fn throttling_latency_and_lost_connections_change_no_verdict() {
    let estate = Estate::seeded("storm", PLAIN);
    let calm = estate.plan();

    // As AWS throttles: a bucket of calls for each operation, filled at a rate. Besides, every 40th connection is lost.
    let seen = AtomicUsize::new(0);
    let buckets: Mutex<BTreeMap<String, (Instant, f64)>> = Mutex::default();
    let throttled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&throttled);
    estate.proxy.decide(move |call| {
        if seen.fetch_add(1, Ordering::Relaxed) % 40 == 39 {
            return Some(Fault::Drop);
        }
        let mut buckets = buckets.lock().unwrap();
        let (filled, tokens) = buckets.entry(call.operation.clone()).or_insert((Instant::now(), 5.0));
        *tokens = (*tokens + filled.elapsed().as_secs_f64() * 15.0).min(5.0);
        *filled = Instant::now();
        if *tokens >= 1.0 {
            *tokens -= 1.0;
            return None;
        }
        counted.fetch_add(1, Ordering::Relaxed);
        Some(if call.bucket.is_empty() { Fault::Error("ThrottlingException", 400) } else { Fault::Error("SlowDown", 503) })
    });
    estate.proxy.latency(Duration::from_millis(30));
    let stormy = estate.plan();

    let without_words = |plan: &Value| {
        let services = ["s3", "sqs", "sns", "firehose", "kinesis", "rds", "kms"];
        services.map(|service| states(plan, service))
    };
    assert_eq!(without_words(&calm), without_words(&stormy));
    assert!(throttled.load(Ordering::Relaxed) > 20, "there was a storm");
}

#[test]
fn what_is_deleted_midway_is_forgotten_quietly() {
    let estate = Estate::seeded("deleted", PLAIN);
    estate.proxy.decide(|call| {
        let bucket = call.bucket == "fin-sse-s3" && call.operation != "ListBuckets";
        let queue = call.operation == "GetQueueAttributes" && call.body.contains("fin-unencrypted");
        let topic = call.operation == "GetTopicAttributes" && call.body.contains("fin-default");
        let stream = call.operation == "DescribeDeliveryStream" && call.body.contains("fin-aws-owned");
        match () {
            () if bucket => Some(Fault::Error("NoSuchBucket", 404)),
            () if queue => Some(Fault::Error("QueueDoesNotExist", 400)),
            () if topic => Some(Fault::Error("NotFound", 404)),
            () if stream => Some(Fault::Error("ResourceNotFoundException", 400)),
            () => None,
        }
    });
    let planned = estate.everseal(&["plan", "--output", "json"]);
    assert_eq!(planned.code, Some(2), "{}", planned.stderr);
    let plan = planned.json();
    for gone in ["s3:::fin-sse-s3", ":fin-unencrypted", ":fin-default", "deliverystream/fin-aws-owned"] {
        let findings = plan["findings"].as_array().unwrap().iter();
        let about: Vec<&Value> = findings.filter(|finding| finding["resource"].as_str().unwrap().ends_with(gone)).collect();
        assert!(about.is_empty(), "{gone} is gone, and there is {about:?}");
    }
}
