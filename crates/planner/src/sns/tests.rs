//! Topics: what is compared, what is written, what stops a write.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::fixtures::{
    KEY, KEY_ID, OTHER_KEY, change, denied, document, finding, gate, grant, inventory, planned, reason, state, step, topic,
};
use crate::plan::{Gate, Plan};
use crate::{Check, State};

const ENC: Check = Check::SnsEncryption;
const TLS: Check = Check::SnsSecureTransport;
const HTTP: Check = Check::SnsHttpSubscription;
const ARN: &str = "arn:aws:sns:us-east-1:111122223333:alarms";
const KEY_RULE: &str = "sns: [{name: r, atRest: {key: alias/finance}}]";
const HTTPS_RULE: &str = "sns: [{name: r, inTransit: {denyInsecureTransport: true}}]";
const SUBSCRIPTION_RULE: &str = "sns: [{name: r, inTransit: {forbidHttpSubscriptions: true}}]";

fn plan(rule: &str, attributes: &Value) -> Plan {
    plan_with(rule, attributes, &json!([]), &json!({}))
}

fn plan_with(rule: &str, attributes: &Value, key_statements: &Value, more: &Value) -> Plan {
    let mut all = json!({"topics": topic("alarms", attributes)});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    planned(rule, &inventory(key_statements, &all))
}

fn default_statement() -> Value {
    json!({
        "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["SNS:Publish", "SNS:Subscribe"],
        "Resource": ARN, "Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}
    })
}

fn allow(service: &str, condition: &Value) -> String {
    let mut statement = json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sns:Publish", "Resource": ARN});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    document(&json!([default_statement(), statement]))
}

#[test]
fn an_unencrypted_topic_gets_the_key() {
    let plan = plan(KEY_RULE, &json!({"document": document(&json!([default_statement()]))}));
    assert_eq!(change(&plan, ENC), json!({"topicEncryption": {"before": null, "after": {"arn": KEY}}}));
    assert_eq!(gate(&plan, ENC), None);
}

#[test]
fn every_spelling_of_a_key_is_the_same_key() {
    for spelling in [KEY, KEY_ID, "alias/finance", "arn:aws:kms:us-east-1:111122223333:alias/finance"] {
        assert_eq!(state(&plan(KEY_RULE, &json!({"kmsKey": spelling})), ENC), State::Compliant, "{spelling}");
    }
    assert_eq!(state(&plan(KEY_RULE, &json!({"kmsKey": OTHER_KEY})), ENC), State::Drifted);
}

#[test]
fn alarms_need_cloud_watch_on_the_key() {
    let alarm = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:high";
    let attributes = json!({"document": allow("cloudwatch.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": alarm}}))});
    let shut = plan(KEY_RULE, &attributes);
    assert_eq!(gate(&shut, ENC), Some(Gate::Path));
    assert!(reason(&shut, ENC).contains("cloudwatch.amazonaws.com"));
    let narrowed = grant("cloudwatch.amazonaws.com", &json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}));
    assert_eq!(gate(&plan_with(KEY_RULE, &attributes, &json!([narrowed]), &json!({})), ENC), None);
}

#[test]
fn event_bridge_needs_a_statement_without_source_conditions() {
    let attributes = json!({"document": allow("events.amazonaws.com", &json!({"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}}))});
    for condition in [
        json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/*"}}),
    ] {
        let narrowed = grant("events.amazonaws.com", &condition);
        let plan = plan_with(KEY_RULE, &attributes, &json!([narrowed]), &json!({}));
        assert_eq!(gate(&plan, ENC), Some(Gate::Path), "{condition}");
        assert!(!reason(&plan, ENC).contains("\"Condition\""), "the statement to add must not be narrowed");
    }
    let open = grant("events.amazonaws.com", &json!(null));
    assert_eq!(gate(&plan_with(KEY_RULE, &attributes, &json!([open]), &json!({})), ENC), None);
}

#[test]
fn a_topic_under_the_key_of_sns_with_a_service_publisher_is_silent_today() {
    let attributes = json!({"kmsKey": "alias/aws/sns", "document": allow("cloudwatch.amazonaws.com", &json!(null))});
    let plan = plan(KEY_RULE, &attributes);
    assert_eq!(state(&plan, ENC), State::Drifted);
    assert!(finding(&plan, ENC).notes.iter().any(|note| note.contains("silent today")));
}

#[test]
fn subscribed_queues_have_keys_of_their_own() {
    let queue = "arn:aws:sqs:us-east-1:111122223333:orders";
    let more = json!({"subscriptions": [{"id": "x", "topic": ARN, "protocol": "sqs", "endpoint": queue}]});
    let plan = plan_with(KEY_RULE, &json!({}), &json!([]), &more);
    assert_eq!(gate(&plan, ENC), None);
    assert!(finding(&plan, ENC).notes[0].contains("orders") && finding(&plan, ENC).notes[0].contains("queue's own key"));
}

#[test]
fn a_key_that_can_not_be_named_stops_the_step() {
    let plan = plan("sns: [{name: r, atRest: {key: alias/nowhere}}]", &json!({}));
    assert_eq!(gate(&plan, ENC), Some(Gate::KeyState));
    assert!(reason(&plan, ENC).contains("alias/nowhere"));
    assert!(step(&plan, ENC).change.is_some());
}

#[test]
fn unreadable_attributes_make_both_checks_unknown() {
    let rule = "sns: [{name: r, atRest: {key: alias/finance}, inTransit: {denyInsecureTransport: true}}]";
    let plan = plan(rule, &denied("GetTopicAttributes", "sns:GetTopicAttributes"));
    assert_eq!((state(&plan, ENC), state(&plan, TLS)), (State::Unknown, State::Unknown));
    assert!(plan.steps.is_empty());
}

#[test]
fn plain_http_is_denied_for_publishing_alone_and_the_default_statement_stays() {
    let before = json!({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [default_statement()]});
    let drifted = plan(HTTPS_RULE, &json!({"document": before.to_string()}));
    let after: Value = serde_json::from_str(change(&drifted, TLS)["topicDocument"]["after"].as_str().unwrap()).unwrap();
    assert_eq!((&after["Version"], &after["Id"]), (&before["Version"], &before["Id"]));
    assert_eq!(after["Statement"][0], default_statement());
    assert_eq!(
        after["Statement"][1],
        json!({"Sid": "EversealDenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": ARN, "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    );
    assert_eq!(state(&plan(HTTPS_RULE, &json!({"document": after.to_string()})), TLS), State::Compliant);
}

#[test]
fn a_new_topic_document_has_an_id() {
    let drifted = plan(HTTPS_RULE, &json!({}));
    let after: Value = serde_json::from_str(change(&drifted, TLS)["topicDocument"]["after"].as_str().unwrap()).unwrap();
    assert_eq!(after["Id"], "Everseal");
    assert!(!after.to_string().contains("sns:*"), "SNS refuses sns:* in a topic policy");
}

#[test]
fn thirty_kilobytes_are_the_limit() {
    let long = json!([{"Sid": "A".repeat(30_400), "Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "sns:Publish", "Resource": ARN}]);
    assert_eq!(gate(&plan(HTTPS_RULE, &json!({"document": document(&long)})), TLS), Some(Gate::DocumentSize));
}

#[test]
fn http_subscriptions_are_work_for_a_person_and_secrets_stay_out() {
    let subscription =
        |id: &str, protocol: &str, endpoint: &str| json!({"id": id, "topic": ARN, "protocol": protocol, "endpoint": endpoint});
    let more = json!({"subscriptions": [
        subscription("PendingConfirmation", "http", "http://user:hunter2@hooks.example.com:8080/in?token=abc"),
        subscription("x", "https", "https://hooks.example.com/in"),
        subscription("y", "email", "a@example.com"),
        {"id": "z", "topic": "arn:aws:sns:us-east-1:111122223333:others", "protocol": "http", "endpoint": "http://elsewhere.example.com"},
    ]});
    let plan = plan_with(SUBSCRIPTION_RULE, &json!({}), &json!([]), &more);
    assert_eq!(state(&plan, HTTP), State::Drifted);
    assert_eq!((step(&plan, HTTP).action.as_str(), gate(&plan, HTTP)), ("Manual", Some(Gate::Manual)));
    let shown = format!("{:?} {:?}", plan.findings, plan.steps);
    assert!(shown.contains("http://hooks.example.com:8080"));
    assert!(!shown.contains("hunter2") && !shown.contains("token") && !shown.contains("elsewhere"));
}

#[test]
fn subscriptions_are_compliant_unknown_or_not_asked_for() {
    assert_eq!(state(&plan(SUBSCRIPTION_RULE, &json!({})), HTTP), State::Compliant);
    let unreadable = plan_with(
        SUBSCRIPTION_RULE,
        &json!({}),
        &json!([]),
        &json!({"subscriptions": denied("ListSubscriptions", "sns:ListSubscriptions")}),
    );
    assert_eq!(state(&unreadable, HTTP), State::Unknown);
    assert!(plan(HTTPS_RULE, &json!({})).findings.iter().all(|finding| finding.check != HTTP));
}

#[test]
fn tags_that_were_not_read_leave_the_topic_alone() {
    let rule = "sns: [{name: r, match: {tags: {a: b}}, atRest: {key: alias/finance}, inTransit: {denyInsecureTransport: true, forbidHttpSubscriptions: true}}]";
    let plan = plan(rule, &json!({}));
    assert_eq!(plan.findings.len(), 3);
    assert!(plan.findings.iter().all(|finding| finding.state == State::Unknown));
    assert!(plan.steps.is_empty());
}
