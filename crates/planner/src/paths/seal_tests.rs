//! `path-sealed`: what is found of whole paths, and how drift ends.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::Beside;
use super::state_tests::{merged, seen, whole_bucket};
use crate::fixtures::{KEY, bucket, grant, planned, queue, topic};
use crate::plan::{Gate, Plan, Step};
use crate::{Check, Finding, Inventory, State};

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alarms";
/// Rules for everything that ask for nothing which the fixtures lack.
const MANAGED: &str = "{s3: [{name: b, atRest: {algorithm: AES256}}], sqs: [{name: q, atRest: {encryption: SSE-SQS}}], sns: [{name: t, inTransit: {denyInsecureTransport: false}}]}";

fn found(plan: &Plan) -> Vec<(String, State)> {
    let of = plan.findings.iter().filter(|finding| finding.check == Check::PathSealed);
    of.map(|finding| (finding.resource.name().to_owned(), finding.state)).collect()
}

fn notifying(attributes: &Value) -> Value {
    json!({"buckets": whole_bucket("data", &json!({"notifications": {"targets": [QUEUE]}})), "queues": queue("orders", attributes)})
}

fn only(plan: &Plan) -> (&Finding, &Step) {
    let finding = plan.findings.iter().find(|finding| finding.check == Check::PathSealed).unwrap();
    (finding, plan.steps.iter().find(|step| step.check == Check::PathSealed).unwrap())
}

#[test]
fn a_sealed_path_is_compliant_at_the_resource_where_data_enters() {
    let plan = planned(MANAGED, &seen(&json!([]), &notifying(&json!({"sqsManagedSse": true}))));
    assert_eq!(found(&plan), [("data".to_owned(), State::Compliant)]);
    assert!(plan.steps.is_empty());
}

#[test]
fn a_path_that_the_plan_seals_is_compliant_and_says_so() {
    let plan = planned(MANAGED, &seen(&json!([]), &notifying(&json!({}))));
    assert_eq!(found(&plan), [("data".to_owned(), State::Compliant)]);
    let finding = plan.findings.iter().find(|finding| finding.check == Check::PathSealed).unwrap();
    assert_eq!(finding.actual, "sealed once the plan's steps are made");
}

#[test]
fn a_broken_path_is_drift_with_the_statement_to_add_and_nothing_is_lowered() {
    let plan = planned(MANAGED, &seen(&json!([]), &notifying(&json!({"kmsKey": KEY}))));
    assert_eq!(found(&plan), [("data".to_owned(), State::Drifted)]);
    let (finding, step) = only(&plan);
    assert_eq!(finding.message, "Data does not get through on this path.");
    assert_eq!((step.action.as_str(), step.change.is_none()), ("Manual", true));
    let gate = step.gate.as_ref().unwrap();
    assert_eq!(gate.name, Gate::Path);
    assert!(gate.reason.contains(r#""Principal":{"Service":"s3.amazonaws.com"}"#), "{}", gate.reason);
    assert_eq!(plan.steps.len(), 1, "the queue keeps its better encryption: {:?}", plan.steps);
}

#[test]
fn plain_http_on_a_hop_is_drift_unless_the_topics_own_check_reports_it() {
    let subscriptions = json!([{"id": "arn:aws:sns:us-east-1:111122223333:alarms:1", "topic": TOPIC, "protocol": "http", "endpoint": "http://example.com/hook"}]);
    let world = seen(&json!([]), &json!({"topics": topic("alarms", &json!({"kmsKey": KEY})), "subscriptions": subscriptions}));
    let plan = planned(MANAGED, &world);
    assert_eq!(found(&plan), [("alarms".to_owned(), State::Drifted)]);
    assert!(only(&plan).1.gate.as_ref().unwrap().reason.contains("https address"));
    let plan = planned("{sns: [{name: t, inTransit: {forbidHttpSubscriptions: true}}]}", &world);
    assert_eq!(found(&plan), []);
    assert!(plan.findings.iter().any(|finding| finding.check == Check::SnsHttpSubscription && finding.state == State::Drifted));
}

#[test]
fn a_resources_own_exposure_is_its_own_checks_business() {
    let spec = MANAGED.replace("{s3:", "{mode: audit, s3:");
    // The fixture enforces whatever the text says; a rule of its own narrows the queue to audit.
    let spec = spec.replace("name: q,", "name: q, mode: audit,");
    let plan = planned(&spec, &seen(&json!([]), &notifying(&json!({}))));
    assert_eq!(found(&plan), []);
    assert!(plan.findings.iter().any(|finding| finding.check == Check::SqsEncryption && finding.state == State::Drifted));
}

#[test]
fn nothing_is_found_where_facts_were_not_read_unless_a_hop_is_certainly_bad() {
    let mut unread = notifying(&json!({"sqsManagedSse": true}));
    unread["buckets"] = bucket("data", &json!({"notifications": {"targets": [QUEUE]}}));
    assert_eq!(found(&planned(MANAGED, &seen(&json!([]), &unread))), []);
    let mut broken = unread;
    broken["queues"] = queue("orders", &json!({"kmsKey": KEY}));
    assert_eq!(found(&planned(MANAGED, &seen(&json!([]), &broken))), [("data".to_owned(), State::Drifted)]);
    // Paths were not asked for: an ordinary plan says nothing of them.
    let mut world = seen(&json!([]), &broken);
    Beside::take(&mut world).unwrap();
    assert_eq!(found(&planned(MANAGED, &world)), []);
}

#[test]
fn only_managed_resources_are_judged_once_each_and_exemptions_hold() {
    let world = seen(&json!([]), &notifying(&json!({"kmsKey": KEY})));
    assert_eq!(found(&planned("{}", &world)), []);
    // Data enters the managed queue from a bucket that no rule is for.
    assert_eq!(found(&planned("{sqs: [{name: q, atRest: {encryption: SSE-SQS}}]}", &world)), [("orders".to_owned(), State::Drifted)]);
    let exempt = MANAGED.replace("{s3:", "{exemptions: [{resource: 'arn:aws:s3:::data', checks: [path-sealed], reason: known}], s3:");
    let plan = planned(&exempt, &world);
    assert_eq!(found(&plan), [("data".to_owned(), State::Exempt)]);
    assert_eq!(only(&plan).1.gate.as_ref().unwrap().name, Gate::Exemption);
}

#[test]
fn what_flows_on_from_a_managed_resource_is_its_path_and_rings_begin_somewhere() {
    let rule = "arn:aws:events:us-east-1:111122223333:rule/r";
    let facts = json!({"eventRules": [{"arn": rule, "bus": "default", "enabled": true, "pattern": r#"{"source": ["aws.s3"]}"#, "targets": [{"id": "1", "arn": QUEUE}]}]});
    let buckets = whole_bucket("data", &json!({"notifications": {"targets": [], "eventBridge": true}}));
    let world = seen(&json!([]), &json!({"buckets": buckets, "queues": queue("orders", &json!({"kmsKey": KEY})), "pathFacts": facts}));
    assert_eq!(found(&planned(MANAGED, &world)), [("data".to_owned(), State::Drifted)]);
    let other = "arn:aws:sqs:us-east-1:111122223333:second";
    let ring = merged(&[
        queue("orders", &json!({"sqsManagedSse": true, "deadLetterQueue": other})),
        queue("second", &json!({"sqsManagedSse": true, "deadLetterQueue": QUEUE})),
    ]);
    assert_eq!(found(&planned(MANAGED, &seen(&json!([]), &json!({ "queues": ring })))), [("orders".to_owned(), State::Compliant)]);
}

/// What was read beside resources an hour ago serves paths, and no gate.
#[test]
fn facts_kept_from_the_last_reading_judge_paths_and_nothing_else() {
    let whole = seen(&json!([grant("s3.amazonaws.com", &json!(null))]), &merged(&[notifying(&json!({"kmsKey": KEY})), json!({})]));
    let mut observed = whole.clone();
    let beside = Beside::take(&mut observed).unwrap();
    assert!(Beside::take(&mut observed).is_none(), "nothing of paths is left in what is planned from");
    let mut later: Inventory = observed.clone();
    for bucket in later.buckets.values_mut() {
        (bucket.notifications, bucket.replication, bucket.website) =
            (crate::Reading::NotRead, crate::Reading::NotRead, crate::Reading::NotRead);
        bucket.logging_target = crate::Reading::NotRead;
    }
    beside.lay_under(&mut later);
    assert_eq!(later, whole);
    // A newer reading stands, and what is gone stays gone.
    let mut newer = observed;
    newer
        .buckets
        .values_mut()
        .for_each(|bucket| bucket.notifications = crate::Reading::Known(crate::s3::observed::BucketNotifications::default()));
    newer.queues.clear();
    beside.lay_under(&mut newer);
    assert!(newer.queues.is_empty());
    assert!(newer.buckets.values().all(|bucket| bucket.notifications.known().unwrap().targets.is_empty()));
}
