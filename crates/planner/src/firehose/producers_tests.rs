//! Who puts records is known from several places, and each of them must be let use the stream's key.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::fixtures::{KEY, change, denied, document, finding, gate, inventory, planned, reason, state};
use crate::plan::{Gate, Plan};
use crate::{Arn, Check, Inventory, Reading, State, sim};

const STREAM: &str = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
const INGEST: &str = "arn:aws:iam::111122223333:role/ingest";
const PRODUCERS: Check = Check::FirehoseProducerAccess;
const RULE: &str = "firehose: [{name: r, atRest: {keyType: CUSTOMER_MANAGED_CMK, key: alias/finance}}]";

fn listed() -> String {
    format!("{{keys: [{{alias: alias/finance}}], {RULE}}}")
}

fn unlisted() -> String {
    format!("{{{RULE}}}")
}

/// A stream of 2023 under the key, whose document has `statements` alone.
fn world(statements: &Value, facts: &Value) -> Inventory {
    let stream = json!({"arn": STREAM, "name": "orders", "description": {"streamType": "DirectPut", "status": "ACTIVE", "versionId": "1",
        "createdAt": 1_700_000_000, "encryption": {"status": "ENABLED", "keyType": "CUSTOMER_MANAGED_CMK", "kmsKey": KEY}}});
    let mut world = inventory(&json!([]), &json!({"deliveryStreams": {STREAM: stream}, "pathFacts": facts}));
    world.keys.get_mut(&Arn::parse(KEY).unwrap()).unwrap().document = Reading::Known(document(statements));
    world
}

fn admin() -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}, "Action": "kms:*", "Resource": "*"})
}

fn role(statements: &Value) -> Value {
    json!({"roles": {INGEST: {"policies": [document(statements)]}}})
}

fn puts(resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": ["firehose:PutRecord", "firehose:PutRecordBatch"], "Resource": resource})
}

fn judged(plan: &Plan) -> bool {
    plan.findings.iter().any(|finding| finding.check == PRODUCERS)
}

#[test]
fn a_role_that_iam_lets_put_records_gets_the_grant_on_a_listed_key() {
    let mut world = world(&json!([admin()]), &role(&json!([puts(STREAM)])));
    let plan = planned(&listed(), &world);
    assert_eq!((state(&plan, PRODUCERS), gate(&plan, PRODUCERS)), (State::Drifted, Some(Gate::Manual)));
    assert!(finding(&plan, PRODUCERS).notes[0].contains("its IAM policies allow it to put records"));
    let change = change(&plan, Check::KmsKeyDocument);
    let after: Value = serde_json::from_str(change["keyDocument"]["after"].as_str().unwrap()).unwrap();
    assert_eq!(
        after["Statement"][1],
        json!({"Sid": "EversealPathUseViaFirehoseBy111122223333", "Effect": "Allow", "Principal": {"AWS": INGEST},
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": "firehose.us-east-1.amazonaws.com", "kms:CallerAccount": "111122223333"}}})
    );
    let document_step = plan.steps.iter().find(|step| step.check == Check::KmsKeyDocument).unwrap();
    assert_eq!(plan.steps.iter().find(|step| step.check == PRODUCERS).unwrap().needs, std::slice::from_ref(&document_step.id));
    sim::make(&mut world, &document_step.resource, document_step.change.as_ref().unwrap());
    let again = planned(&listed(), &world);
    assert_eq!((state(&again, PRODUCERS), again.steps.len()), (State::Compliant, 0));
}

#[test]
fn on_another_key_the_statement_is_somebody_elses_to_add() {
    let plan = planned(&unlisted(), &world(&json!([admin()]), &role(&json!([puts("arn:aws:firehose:*:*:deliverystream/*")]))));
    assert_eq!((state(&plan, PRODUCERS), gate(&plan, PRODUCERS)), (State::Drifted, Some(Gate::Path)));
    for part in [INGEST, "firehose.us-east-1.amazonaws.com", "kms:GenerateDataKey"] {
        assert!(reason(&plan, PRODUCERS).contains(part), "{part}");
    }
}

#[test]
fn a_rule_that_only_reports_gives_no_grant_and_says_what_it_would_add() {
    let audited = listed().replace("name: r,", "name: r, mode: audit,");
    let plan = planned(&audited, &world(&json!([admin()]), &role(&json!([puts(STREAM)]))));
    assert_eq!(plan.steps.len(), 1);
    assert!(reason(&plan, PRODUCERS).contains("In enforce mode") && reason(&plan, PRODUCERS).contains(INGEST));
}

#[test]
fn who_may_do_everything_or_puts_elsewhere_is_no_producer() {
    for statements in [
        json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]),
        json!([puts("arn:aws:firehose:us-east-1:111122223333:deliverystream/other")]),
        json!([puts("*"), {"Effect": "Deny", "Action": "firehose:Put*", "Resource": STREAM}]),
        json!([{"Effect": "Allow", "Action": "firehose:Describe*", "Resource": "*"}]),
        json!([{"Effect": "Allow", "Action": "firehose:Describe*", "Resource": "*"}, {"Effect": "Allow", "Action": "*", "Resource": "*"}]),
    ] {
        assert!(!judged(&planned(&listed(), &world(&json!([admin()]), &role(&statements)))), "{statements}");
    }
    assert!(judged(&planned(
        &listed(),
        &world(&json!([admin()]), &role(&json!([{"Effect": "Allow", "Action": "firehose:*", "Resource": "*"}])))
    )));
}

#[test]
fn the_keys_document_names_producers_and_half_a_grant_is_none() {
    let through = |actions: Value, service: &str| json!({"Effect": "Allow", "Principal": {"AWS": INGEST}, "Action": actions, "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": service}}});
    let both = json!(["kms:GenerateDataKey", "kms:Decrypt"]);
    let cases = [
        (through(both.clone(), "firehose.us-east-1.amazonaws.com"), Some(State::Compliant)),
        (through(json!("kms:GenerateDataKey"), "firehose.us-east-1.amazonaws.com"), Some(State::Drifted)),
        (through(both, "sqs.us-east-1.amazonaws.com"), None),
    ];
    for (statement, expected) in cases {
        let plan = planned(&unlisted(), &world(&json!([admin(), statement]), &json!({})));
        assert_eq!(judged(&plan).then(|| state(&plan, PRODUCERS)), expected, "{statement}");
    }
}

#[test]
fn the_role_of_a_rule_that_feeds_the_stream_is_a_producer() {
    let rule = |enabled: bool| {
        let target = json!({"id": "1", "arn": STREAM, "role": INGEST});
        json!({"eventRules": [{"arn": "arn:aws:events:us-east-1:111122223333:rule/r", "bus": "default", "enabled": enabled, "targets": [target]}]})
    };
    assert_eq!(state(&planned(&unlisted(), &world(&json!([admin()]), &rule(true))), PRODUCERS), State::Drifted);
    assert!(!judged(&planned(&unlisted(), &world(&json!([admin()]), &rule(false)))));
}

#[test]
fn under_delegation_the_producers_policies_settle_it_and_are_asked_for() {
    let delegation =
        json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]);
    let spec = format!("{{keys: [{{alias: alias/finance, usableBy: {{producers: ['{INGEST}']}}}}], {RULE}}}");
    let data_keys = json!({"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": KEY});
    for (facts, expected, asks) in [
        (json!({}), State::Unknown, true),
        (role(&json!([puts(STREAM), data_keys])), State::Compliant, false),
        (role(&json!([puts(STREAM)])), State::Drifted, false),
        (json!({"roles": denied("GetRole", "iam:GetRole")}), State::Unknown, false),
    ] {
        let plan = planned(&spec, &world(&delegation, &facts));
        assert_eq!((state(&plan, PRODUCERS), plan.wanted_facts.contains(&Arn::parse(INGEST).unwrap())), (expected, asks), "{facts}");
    }
}

#[test]
fn a_stream_is_not_moved_to_a_key_that_shuts_out_its_producers() {
    let mut world = world(&json!([admin()]), &role(&json!([puts(STREAM)])));
    if let Reading::Known(description) = &mut world.delivery_streams.get_mut(&Arn::parse(STREAM).unwrap()).unwrap().description {
        description.encryption = crate::firehose::observed::StreamEncryption { status: "DISABLED".to_owned(), ..Default::default() };
    }
    assert_eq!(gate(&planned(&unlisted(), &world), Check::FirehoseEncryption), Some(Gate::Path));
    let plan = planned(&listed(), &world);
    assert_eq!((gate(&plan, Check::KmsKeyDocument), gate(&plan, Check::FirehoseEncryption)), (None, None));
}
