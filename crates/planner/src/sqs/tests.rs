//! Queues: what is compared, what is written, what stops a write.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::fixtures::{
    KEY, KEY_ID, OTHER_KEY, change, denied, document, finding, gate, grant, inventory, planned, queue, reason, state, step,
};
use crate::plan::{Gate, Plan, Risk};
use crate::{Check, State};

const ENC: Check = Check::SqsEncryption;
const TLS: Check = Check::SqsSecureTransport;
const ARN: &str = "arn:aws:sqs:us-east-1:111122223333:orders";
const KMS_RULE: &str = "sqs: [{name: r, atRest: {encryption: SSE-KMS, key: alias/finance}}]";
const SQS_RULE: &str = "sqs: [{name: r, atRest: {encryption: SSE-SQS}}]";
const HTTPS_RULE: &str = "sqs: [{name: r, inTransit: {denyInsecureTransport: true}}]";

fn plan(rule: &str, attributes: &Value) -> Plan {
    plan_with(rule, attributes, &json!([]), &json!({}))
}

fn plan_with(rule: &str, attributes: &Value, key_statements: &Value, more: &Value) -> Plan {
    let mut all = json!({"queues": queue("orders", attributes)});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    planned(rule, &inventory(key_statements, &all))
}

fn after(plan: &Plan) -> Value {
    change(plan, ENC)["queueEncryption"]["after"].clone()
}

fn allow(service: &str, condition: &Value) -> String {
    document(
        &json!([{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": ARN, "Condition": condition}]),
    )
}

#[test]
fn kms_is_better_than_sse_sqs() {
    let plan = plan(SQS_RULE, &json!({"kmsKey": OTHER_KEY}));
    assert_eq!(state(&plan, ENC), State::Compliant);
    assert!(finding(&plan, ENC).notes[0].contains("Better protected"));
    assert!(plan.steps.is_empty());
}

#[test]
fn an_unencrypted_queue_gets_sse_sqs() {
    let drifted = plan(SQS_RULE, &json!({}));
    assert_eq!(after(&drifted), json!({"kmsKey": null, "dataKeyReuseSeconds": null, "sqsManagedSse": true}));
    assert_eq!(gate(&drifted, ENC), None);
    assert_eq!(state(&plan(SQS_RULE, &json!({"sqsManagedSse": true})), ENC), State::Compliant);
}

#[test]
fn sse_sqs_is_switched_to_a_key_in_one_write() {
    let rule = "sqs: [{name: r, atRest: {encryption: SSE-KMS, key: alias/finance, dataKeyReuseSeconds: 600}}]";
    let plan = plan(rule, &json!({"sqsManagedSse": true}));
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(after(&plan), json!({"kmsKey": KEY, "dataKeyReuseSeconds": 600, "sqsManagedSse": false}));
    assert_eq!(
        change(&plan, ENC)["queueEncryption"]["before"],
        json!({"kmsKey": null, "dataKeyReuseSeconds": null, "sqsManagedSse": true})
    );
    assert_eq!(gate(&plan, ENC), None);
    assert_eq!(step(&plan, ENC).risk, Risk::Brief);
    assert!(step(&plan, ENC).undo.contains("SqsManagedSseEnabled=true in one call"));
}

#[test]
fn every_spelling_of_a_key_is_the_same_key() {
    for spelling in [KEY, KEY_ID, "alias/finance", "arn:aws:kms:us-east-1:111122223333:alias/finance"] {
        assert_eq!(state(&plan(KMS_RULE, &json!({"kmsKey": spelling, "dataKeyReuseSeconds": 86400})), ENC), State::Compliant, "{spelling}");
    }
    let by_arn = format!("sqs: [{{name: r, atRest: {{encryption: SSE-KMS, key: '{KEY}'}}}}]");
    assert_eq!(state(&plan(&by_arn, &json!({"kmsKey": "alias/finance"})), ENC), State::Compliant);
}

#[test]
fn a_key_that_does_not_exist_is_drift() {
    // SQS accepts any text as a key id; the queue is broken from then on.
    let plan = plan(KMS_RULE, &json!({"kmsKey": "testKeyId"}));
    assert_eq!(state(&plan, ENC), State::Drifted);
    assert_eq!(after(&plan)["kmsKey"], KEY);
}

#[test]
fn the_reuse_period_is_compared_with_what_aws_uses() {
    let rule =
        |seconds: u32| format!("sqs: [{{name: r, atRest: {{encryption: SSE-KMS, key: alias/finance, dataKeyReuseSeconds: {seconds}}}}}]");
    // 300 s where none was ever set. [SQS: SetQueueAttributes]
    assert_eq!(state(&plan(&rule(300), &json!({"kmsKey": KEY})), ENC), State::Compliant);
    let drifted = plan(&rule(60), &json!({"kmsKey": "alias/finance"}));
    assert_eq!(after(&drifted), json!({"kmsKey": "alias/finance", "dataKeyReuseSeconds": 60, "sqsManagedSse": false}));
    assert_eq!(gate(&drifted, ENC), None);
}

#[test]
fn any_key_will_do_where_the_rule_names_none_but_one_must_be_named_to_switch() {
    let rule = "sqs: [{name: r, atRest: {encryption: SSE-KMS}}]";
    assert_eq!(state(&plan(rule, &json!({"kmsKey": "alias/aws/sqs"})), ENC), State::Compliant);
    assert_eq!(gate(&plan(rule, &json!({})), ENC), Some(Gate::KeyState));
}

#[test]
fn an_aws_managed_key_serves_its_own_account_only() {
    let rule = "sqs: [{name: r, atRest: {encryption: SSE-KMS, key: alias/aws/sqs}}]";
    assert_eq!(gate(&plan(rule, &json!({"sqsManagedSse": true})), ENC), None);
    let fed = plan(rule, &json!({"document": allow("s3.amazonaws.com", &json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}))}));
    assert_eq!(gate(&fed, ENC), Some(Gate::Path));
}

#[test]
fn a_queue_under_the_aws_managed_key_with_a_service_producer_is_silent_today() {
    let attributes = json!({"kmsKey": "alias/aws/sqs", "document": allow("s3.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:uploads"}}))});
    let drifted = plan(KMS_RULE, &attributes);
    assert!(finding(&drifted, ENC).notes.iter().any(|note| note.contains("silent today") && note.contains("s3.amazonaws.com")));
    let compliant = plan("sqs: [{name: r, atRest: {encryption: SSE-SQS}}]", &attributes);
    assert!(finding(&compliant, ENC).notes.iter().any(|note| note.contains("silent today")));
    let quiet = plan(KMS_RULE, &json!({"kmsKey": "alias/aws/sqs"}));
    assert!(finding(&quiet, ENC).notes.is_empty());
}

#[test]
fn s3_notifications_need_the_key_to_let_s3_in() {
    let condition = json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:uploads"}, "StringEquals": {"aws:SourceAccount": "111122223333"}});
    let attributes = json!({"sqsManagedSse": true, "document": allow("s3.amazonaws.com", &condition)});
    let shut = plan(KMS_RULE, &attributes);
    assert_eq!(gate(&shut, ENC), Some(Gate::Path));
    assert!(reason(&shut, ENC).contains("Add this statement") && reason(&shut, ENC).contains("arn:aws:s3:::uploads"));
    let narrowed = grant(
        "s3.amazonaws.com",
        &json!({"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::uploads"}, "StringEquals": {"aws:SourceAccount": "111122223333"}}),
    );
    assert_eq!(gate(&plan_with(KMS_RULE, &attributes, &json!([narrowed]), &json!({})), ENC), None);
    let tls = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    assert_eq!(gate(&plan_with(KMS_RULE, &attributes, &json!([narrowed, tls]), &json!({})), ENC), None);
    // The founding mistake: naming the queue's service instead of the source.
    let wrong = grant("sqs.amazonaws.com", &json!(null));
    assert_eq!(gate(&plan_with(KMS_RULE, &attributes, &json!([wrong]), &json!({})), ENC), Some(Gate::Path));
}

#[test]
fn a_subscribed_topic_needs_the_queues_key() {
    let topic = "arn:aws:sns:us-east-1:111122223333:alarms";
    let more = json!({"subscriptions": [{"id": "x", "topic": topic, "protocol": "sqs", "endpoint": ARN}]});
    assert_eq!(gate(&plan_with(KMS_RULE, &json!({}), &json!([]), &more), ENC), Some(Gate::Path));
    let sns = grant("sns.amazonaws.com", &json!({"ArnEquals": {"aws:SourceArn": topic}}));
    assert_eq!(gate(&plan_with(KMS_RULE, &json!({}), &json!([sns]), &more), ENC), None);
}

#[test]
fn event_bridge_rules_reach_a_queue_with_their_arn() {
    let rule = "arn:aws:events:us-east-1:111122223333:rule/nightly";
    let attributes = json!({"document": allow("events.amazonaws.com", &json!({"ArnEquals": {"aws:SourceArn": rule}}))});
    let narrowed = grant("events.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/*"}}));
    assert_eq!(gate(&plan_with(KMS_RULE, &attributes, &json!([narrowed]), &json!({})), ENC), None);
    let elsewhere = grant("events.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:444455556666:rule/*"}}));
    assert_eq!(gate(&plan_with(KMS_RULE, &attributes, &json!([elsewhere]), &json!({})), ENC), Some(Gate::Path));
}

#[test]
fn a_queue_open_to_all_topics_of_the_account_needs_a_key_as_open() {
    let attributes =
        json!({"document": allow("sns.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:*"}}))});
    let general = grant("sns.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}}));
    assert_eq!(gate(&plan_with(KMS_RULE, &attributes, &json!([general]), &json!({})), ENC), None);
    let one = grant("sns.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:alarms"}}));
    let shut = plan_with(KMS_RULE, &attributes, &json!([one]), &json!({}));
    assert_eq!(gate(&shut, ENC), Some(Gate::Path));
    assert!(reason(&shut, ENC).contains("\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:sns:us-east-1:111122223333:*\"}"));
}

#[test]
fn changing_the_reuse_period_asks_nobody() {
    let rule = "sqs: [{name: r, atRest: {encryption: SSE-KMS, key: alias/finance, dataKeyReuseSeconds: 60}}]";
    let attributes = json!({"kmsKey": KEY, "document": allow("s3.amazonaws.com", &json!({}))});
    assert_eq!(gate(&plan(rule, &attributes), ENC), None);
}

#[test]
fn a_queue_that_everybody_may_send_to_is_not_moved_to_a_key() {
    let open = document(&json!([{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ARN}]));
    assert_eq!(gate(&plan(KMS_RULE, &json!({"document": open})), ENC), Some(Gate::KeyUse));
    assert_eq!(gate(&plan(KMS_RULE, &json!({"document": "broken"})), ENC), Some(Gate::Unread));
}

#[test]
fn dead_letters_keep_their_own_state() {
    let dlq = "arn:aws:sqs:us-east-1:111122223333:orders-dlq";
    let source = plan(KMS_RULE, &json!({"deadLetterQueue": dlq}));
    assert!(finding(&source, ENC).notes[0].contains("orders-dlq"));
    let mut queues = queue("orders", &json!({}));
    queues["arn:aws:sqs:us-east-1:111122223333:src.fifo"] =
        queue("src.fifo", &json!({"kmsKey": KEY, "deadLetterQueue": ARN}))["arn:aws:sqs:us-east-1:111122223333:src.fifo"].clone();
    let target = planned(KMS_RULE, &inventory(&json!([]), &json!({"queues": queues})));
    let drifted = target.findings.iter().find(|finding| finding.state == State::Drifted).unwrap();
    assert!(drifted.notes[0].contains("dead-letter queue of src.fifo"), "{:?}", drifted.notes);
}

#[test]
fn unreadable_attributes_make_every_check_unknown() {
    let attributes = denied("GetQueueAttributes", "sqs:GetQueueAttributes");
    let rule = "sqs: [{name: r, atRest: {encryption: SSE-KMS, key: alias/finance}, inTransit: {denyInsecureTransport: true}}]";
    let plan = plan(rule, &attributes);
    assert_eq!((state(&plan, ENC), state(&plan, TLS)), (State::Unknown, State::Unknown));
    assert!(finding(&plan, ENC).message.contains("Allow sqs:GetQueueAttributes"));
    assert!(plan.steps.is_empty());
}

#[test]
fn plain_http_is_denied_by_a_merged_statement() {
    let theirs =
        json!({"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "sqs:SendMessage", "Resource": ARN});
    let drifted = plan(HTTPS_RULE, &json!({"document": document(&json!([theirs]))}));
    let after: Value = serde_json::from_str(change(&drifted, TLS)["queueDocument"]["after"].as_str().unwrap()).unwrap();
    assert_eq!(after["Statement"][0], theirs);
    assert_eq!(
        after["Statement"][1],
        json!({"Sid": "EversealDenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": ARN, "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    );
    assert_eq!(state(&plan(HTTPS_RULE, &json!({"document": after.to_string()})), TLS), State::Compliant);
    // An Allow for HTTPS alone denies nothing. (aws-config-rules takes it for compliant.)
    let allow = json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "sqs:*", "Resource": ARN, "Condition": {"Bool": {"aws:SecureTransport": "true"}}});
    assert_eq!(state(&plan(HTTPS_RULE, &json!({"document": document(&json!([allow]))})), TLS), State::Drifted);
}

#[test]
fn twenty_statements_are_the_limit() {
    let statement = |index: usize| json!({"Sid": format!("S{index}"), "Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "sqs:SendMessage", "Resource": ARN});
    let twenty: Vec<_> = (0..20).map(statement).collect();
    let full = plan(HTTPS_RULE, &json!({"document": document(&json!(twenty))}));
    assert_eq!(gate(&full, TLS), Some(Gate::DocumentSize));
    assert!(reason(&full, TLS).contains("21 statements"));
    assert_eq!(gate(&plan(HTTPS_RULE, &json!({"document": document(&json!(twenty[..19]))})), TLS), None);
}

#[test]
fn eight_kilobytes_are_the_limit() {
    let long = json!([{"Sid": "A".repeat(8000), "Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "sqs:SendMessage", "Resource": ARN}]);
    assert_eq!(gate(&plan(HTTPS_RULE, &json!({"document": document(&long)})), TLS), Some(Gate::DocumentSize));
}

#[test]
fn tags_that_were_not_read_leave_the_queue_alone() {
    let plan = plan(
        "sqs: [{name: r, match: {tags: {a: b}}, atRest: {encryption: SSE-SQS}, inTransit: {denyInsecureTransport: true}}]",
        &json!({}),
    );
    assert_eq!((state(&plan, ENC), state(&plan, TLS)), (State::Unknown, State::Unknown));
    assert!(plan.steps.is_empty());
}

#[test]
fn the_same_alias_is_no_key_where_nothing_stands_behind_it() {
    let rule = "sqs: [{name: r, atRest: {encryption: SSE-KMS, key: alias/typo}}]";
    let plan = plan(rule, &json!({"kmsKey": "alias/typo"}));
    assert_eq!((state(&plan, ENC), gate(&plan, ENC)), (State::Drifted, Some(Gate::KeyState)));
}
