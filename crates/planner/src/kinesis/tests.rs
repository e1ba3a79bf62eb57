//! Rules of AWS-FACTS §6 as tests.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::fixtures::{KEY, KEY_ID, OTHER_KEY, denied, finding, gate, inventory, planned, reason, state, step};
use crate::plan::{Change, Gate, KeyRef, Plan, Risk};
use crate::{Arn, Check, State};

const STREAM: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/clicks";
const READER: &str = "arn:aws:iam::111122223333:role/reader";
const ENC: Check = Check::KinesisEncryption;
const RULE: &str = "kinesis: [{name: r, atRest: {key: alias/finance}}]";

fn stream(summary: &Value) -> Value {
    json!({ STREAM: {"arn": STREAM, "name": "clicks", "summary": summary} })
}

fn judged(rule: &str, summary: &Value) -> Plan {
    planned(rule, &inventory(&json!([]), &json!({ "dataStreams": stream(summary) })))
}

fn read_by(description: &Value, statements: &Value) -> Plan {
    let arn = "arn:aws:firehose:us-east-1:111122223333:deliverystream/lake";
    let reader = json!({ arn: {"arn": arn, "name": "lake", "description": description} });
    let open = stream(&json!({"status": "ACTIVE", "encrypted": false}));
    planned(RULE, &inventory(statements, &json!({ "dataStreams": open, "deliveryStreams": reader })))
}

fn reading(role: Option<&str>) -> Value {
    let mut description = json!({"streamType": "KinesisStreamAsSource", "status": "ACTIVE", "versionId": "1", "sourceStream": STREAM});
    if let Some(role) = role {
        description["sourceRole"] = json!(role);
    }
    description
}

#[test]
fn every_spelling_of_the_key_is_the_key() {
    for spelling in [KEY, KEY_ID, "alias/finance", "arn:aws:kms:us-east-1:111122223333:alias/finance"] {
        let plan = judged(RULE, &json!({"status": "ACTIVE", "encrypted": true, "kmsKey": spelling}));
        assert_eq!(state(&plan, ENC), State::Compliant, "{spelling}");
    }
}

#[test]
fn another_key_and_none_are_drift_that_the_keys_arn_ends() {
    for summary in [json!({"status": "ACTIVE", "encrypted": false}), json!({"status": "ACTIVE", "encrypted": true, "kmsKey": OTHER_KEY})] {
        let plan = judged(RULE, &summary);
        let step = step(&plan, ENC);
        let Some(Change::DataStreamEncryption { after, before }) = &step.change else { panic!() };
        assert_eq!(*after, KeyRef::Arn(Arn::parse(KEY).unwrap()));
        assert_eq!(before.as_deref(), summary["kmsKey"].as_str());
        assert_eq!((step.gate.as_ref(), step.risk), (None, Risk::Brief));
    }
}

#[test]
fn an_alias_that_cannot_be_resolved_is_unknown_and_not_rewritten() {
    let plan = judged(RULE, &json!({"status": "ACTIVE", "encrypted": true, "kmsKey": "arn:aws:kms:us-east-1:444455556666:alias/theirs"}));
    assert_eq!(state(&plan, ENC), State::Unknown);
    assert!(plan.steps.is_empty());
}

#[test]
fn an_encrypted_stream_without_a_key_is_unknown() {
    assert_eq!(state(&judged(RULE, &json!({"status": "ACTIVE", "encrypted": true})), ENC), State::Unknown);
}

#[test]
fn what_was_not_read_is_unknown() {
    let unread = json!({ STREAM: {"arn": STREAM, "name": "clicks"} });
    for streams in [unread, stream(&denied("DescribeStreamSummary", "kinesis:DescribeStreamSummary"))] {
        let plan = planned(RULE, &inventory(&json!([]), &json!({ "dataStreams": streams })));
        assert_eq!(state(&plan, ENC), State::Unknown);
        assert!(plan.steps.is_empty());
    }
}

#[test]
fn a_rule_without_at_rest_asks_nothing_and_no_rule_is_unmanaged() {
    let asked = judged("kinesis: [{name: r}]", &json!({"status": "ACTIVE", "encrypted": false}));
    assert!(asked.findings.is_empty() && asked.unmanaged.is_empty());
    let unmanaged = judged(
        "kinesis: [{name: r, match: {names: [other]}, atRest: {key: alias/finance}}]",
        &json!({"status": "ACTIVE", "encrypted": false}),
    );
    assert_eq!(unmanaged.unmanaged.len(), 1);
}

#[test]
fn a_reading_firehose_must_be_proven_to_get_through() {
    let decrypt = json!([{"Effect": "Allow", "Principal": {"AWS": READER}, "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "kinesis.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:kinesis:arn": STREAM}}}]);
    assert_eq!(gate(&read_by(&reading(Some(READER)), &decrypt), ENC), None);
    let shut_out = read_by(&reading(Some(READER)), &json!([]));
    assert_eq!(gate(&shut_out, ENC), Some(Gate::Path));
    assert!(reason(&shut_out, ENC).contains(READER));
}

#[test]
fn rules_that_feed_the_stream_and_channels_that_read_it_must_get_through() {
    let role = "arn:aws:iam::111122223333:role/feeder";
    let from_rule = json!({"eventRules": [{"arn": "arn:aws:events:us-east-1:111122223333:rule/r", "bus": "default", "enabled": true,
        "targets": [{"id": "1", "arn": STREAM, "role": role}]}]});
    let channel = json!({"channels": [{"arn": "arn:aws:kinesis:us-east-1:111122223333:channel/c", "stream": STREAM, "bucket": "arn:aws:s3:::lake", "role": role}]});
    for (facts, action) in [(from_rule, "kms:GenerateDataKey"), (channel, "kms:Decrypt")] {
        let open = stream(&json!({"status": "ACTIVE", "encrypted": false}));
        let more = json!({ "dataStreams": open, "pathFacts": facts });
        let shut_out = planned(RULE, &inventory(&json!([]), &more));
        assert_eq!(gate(&shut_out, ENC), Some(Gate::Path));
        assert!(reason(&shut_out, ENC).contains(action));
        let allow = json!([{"Effect": "Allow", "Principal": {"AWS": role}, "Action": action, "Resource": "*"}]);
        assert_eq!(gate(&planned(RULE, &inventory(&allow, &more)), ENC), None);
    }
}

#[test]
fn a_reader_that_cannot_be_named_or_read_stops_the_step() {
    for description in [reading(None), denied("DescribeDeliveryStream", "firehose:DescribeDeliveryStream")] {
        assert_eq!(gate(&read_by(&description, &json!([])), ENC), Some(Gate::Unread), "{description}");
    }
    let unlisted = json!({"firehose": {"class": "denied", "operation": "ListDeliveryStreams", "message": "no"}});
    let open = stream(&json!({"status": "ACTIVE", "encrypted": false}));
    let plan = planned(RULE, &inventory(&json!([]), &json!({ "dataStreams": open, "unlisted": unlisted })));
    assert_eq!(gate(&plan, ENC), Some(Gate::Unread));
}

#[test]
fn a_key_in_use_that_does_not_work_is_said() {
    let mut inventory =
        inventory(&json!([]), &json!({"dataStreams": stream(&json!({"status": "ACTIVE", "encrypted": true, "kmsKey": KEY}))}));
    if let crate::Reading::Known(metadata) = &mut inventory.keys.get_mut(&Arn::parse(KEY).unwrap()).unwrap().metadata {
        metadata.state = "PendingDeletion".into();
    }
    let plan = planned(RULE, &inventory);
    assert_eq!(state(&plan, ENC), State::Compliant);
    assert!(finding(&plan, ENC).notes[0].contains("PendingDeletion"));
}

#[test]
fn an_alias_of_another_account_is_the_same_where_it_is_spelt_the_same() {
    let alias = "arn:aws:kms:us-east-1:444455556666:alias/shared";
    let rule = format!("kinesis: [{{name: r, atRest: {{key: '{alias}'}}}}]");
    let stream = "arn:aws:kinesis:us-east-1:111122223333:stream/clicks";
    let observed = |key: &str| json!({"dataStreams": {stream: {"arn": stream, "name": "clicks", "summary": {"status": "ACTIVE", "encrypted": true, "kmsKey": key}}}});
    let state_with = |key: &str| {
        crate::fixtures::state(
            &crate::fixtures::planned(&rule, &crate::fixtures::inventory(&json!([]), &observed(key))),
            crate::Check::KinesisEncryption,
        )
    };
    assert_eq!(state_with(alias), crate::State::Compliant);
    assert_ne!(state_with("arn:aws:kms:us-east-1:444455556666:alias/another"), crate::State::Compliant);
}
