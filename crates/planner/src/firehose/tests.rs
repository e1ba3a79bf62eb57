//! Rules of AWS-FACTS §5 as tests.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::observed::KmsError;
use crate::fixtures::{KEY, OTHER_KEY, bucket, finding, gate, inventory, planned, policies, reason, state, step};
use crate::plan::{Change, Context, Gate, KeyRef, Past, Plan, Risk, plan};
use crate::{Arn, Check, State};

const STREAM: &str = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
const ROLE: &str = "arn:aws:iam::111122223333:role/firehose";
const INGEST: &str = "arn:aws:iam::111122223333:role/ingest";
const ENC: Check = Check::FirehoseEncryption;
const DEST: Check = Check::FirehoseDestinationEncryption;
const ERRORS: Check = Check::FirehoseKmsErrors;
const PRODUCERS: Check = Check::FirehoseProducerAccess;
const CUSTOMER: &str = "firehose: [{name: r, atRest: {keyType: CUSTOMER_MANAGED_CMK, key: alias/finance}}]";
const OWNED: &str = "firehose: [{name: r, atRest: {keyType: AWS_OWNED_CMK}}]";

/// One Direct PUT stream; `description` is laid over it.
fn stream(description: &Value, more: &Value) -> Value {
    let mut described = json!({"streamType": "DirectPut", "status": "ACTIVE", "versionId": "3",
        "destinations": [{"id": "d-1", "kind": "extendedS3", "bucket": "arn:aws:s3:::lake", "role": ROLE}]});
    for (name, value) in description.as_object().unwrap() {
        described[name] = value.clone();
    }
    let mut stream = json!({"arn": STREAM, "name": "orders", "description": described});
    for (name, value) in more.as_object().unwrap() {
        stream[name] = value.clone();
    }
    json!({ STREAM: stream })
}

fn judged(rule: &str, description: &Value) -> Plan {
    planned(rule, &inventory(&json!([]), &json!({"deliveryStreams": stream(description, &json!({}))})))
}

fn encryption(status: &str, key: Option<&str>) -> Value {
    match key {
        Some(key) => json!({"encryption": {"status": status, "keyType": "CUSTOMER_MANAGED_CMK", "kmsKey": key}}),
        None => json!({"encryption": {"status": status, "keyType": "AWS_OWNED_CMK"}}),
    }
}

mod stream_encryption {
    use super::*;

    #[test]
    fn every_status_has_its_verdict() {
        for (status, wanted, stopped) in [
            ("", State::Drifted, None),
            ("DISABLED", State::Drifted, None),
            ("DISABLING", State::Drifted, Some(Gate::NotReady)),
            ("DISABLING_FAILED", State::Drifted, None),
            ("ENABLING", State::Drifted, Some(Gate::NotReady)),
            ("ENABLING_FAILED", State::Drifted, None),
        ] {
            let plan = judged(CUSTOMER, &encryption(status, Some(KEY)));
            assert_eq!((state(&plan, ENC), gate(&plan, ENC)), (wanted, stopped), "{status}");
        }
        assert_eq!(state(&judged(CUSTOMER, &encryption("ENABLED", Some(KEY))), ENC), State::Compliant);
        let young = judged(CUSTOMER, &encryption("SOMETHING_NEW", Some(KEY)));
        assert_eq!(state(&young, ENC), State::Unknown);
        assert!(young.steps.is_empty());
    }

    #[test]
    fn another_key_is_changed_and_the_former_is_named_for_the_way_back() {
        let plan = judged(CUSTOMER, &encryption("ENABLED", Some(OTHER_KEY)));
        let step = step(&plan, ENC);
        let Some(Change::DeliveryStreamEncryption { after, .. }) = &step.change else { panic!() };
        assert_eq!(*after, Some(KeyRef::Arn(Arn::parse(KEY).unwrap())));
        assert!(step.undo.contains(OTHER_KEY));
        assert_eq!(step.risk, Risk::Brief);
    }

    #[test]
    fn aws_owned_is_started_without_a_key() {
        let plan = judged(OWNED, &json!({}));
        let Some(Change::DeliveryStreamEncryption { after, .. }) = &step(&plan, ENC).change else { panic!() };
        assert_eq!(*after, None);
    }

    #[test]
    fn a_stream_that_is_not_active_waits() {
        let mut creating = encryption("DISABLED", None);
        creating["status"] = json!("CREATING");
        assert_eq!(gate(&judged(CUSTOMER, &creating), ENC), Some(Gate::NotReady));
    }

    #[test]
    fn calls_stop_before_the_limit_of_25_in_24_hours() {
        let inventory = inventory(&json!([]), &json!({"deliveryStreams": stream(&json!({}), &json!({}))}));
        let policies = policies(OWNED);
        for (calls, stopped) in [(19, None), (20, Some(Gate::CallBudget)), (25, Some(Gate::CallBudget))] {
            let past = Past { delivery_stream_encryption_calls: BTreeMap::from([(Arn::parse(STREAM).unwrap(), calls)]), ..Past::default() };
            let plan = plan(&Context { policies: &policies, inventory: &inventory, now: 0, past: &past });
            assert_eq!(gate(&plan, ENC), stopped, "{calls}");
        }
    }

    #[test]
    fn every_failure_is_told_in_words_with_its_name() {
        for (failure, words) in [
            ("DISABLED_KMS_KEY", "disabled"),
            ("CREATE_KMS_GRANT_FAILED", "6 hours"),
            ("KMS_KEY_NOT_FOUND", "does not exist"),
            ("YOUNGER", "YOUNGER"),
        ] {
            let mut failed = encryption("ENABLING_FAILED", Some(OTHER_KEY));
            failed["encryption"]["failure"] = json!(failure);
            let plan = judged(CUSTOMER, &failed);
            let message = &finding(&plan, ENC).message;
            assert!(message.contains(words) && message.contains(failure), "{message}");
        }
    }

    #[test]
    fn a_key_that_does_not_exist_is_a_persons_work() {
        let plan = judged("firehose: [{name: r, atRest: {keyType: CUSTOMER_MANAGED_CMK, key: alias/typo}}]", &json!({}));
        assert_eq!((state(&plan, ENC), gate(&plan, ENC)), (State::Drifted, Some(Gate::Manual)));
        assert!(reason(&plan, ENC).contains("alias/typo"));
    }

    #[test]
    fn an_unread_source_is_unknown() {
        let behind = json!({"streamType": "KinesisStreamAsSource", "sourceStream": "arn:aws:kinesis:us-east-1:111122223333:stream/s"});
        let plan = judged(CUSTOMER, &behind);
        assert_eq!(state(&plan, ENC), State::Unknown);
        assert!(plan.steps.is_empty());
    }

    #[test]
    fn tags_that_are_not_known_make_every_asked_check_unknown() {
        let rule = "firehose: [{name: r, match: {tags: {class: secret}}, atRest: {keyType: AWS_OWNED_CMK}, destination: {requireEncryption: true}}]";
        let plan = judged(rule, &json!({}));
        assert_eq!((state(&plan, ENC), state(&plan, DEST)), (State::Unknown, State::Unknown));
        assert!(plan.steps.is_empty() && plan.unmanaged.is_empty());
    }
}

mod destinations {
    use super::*;

    const KEYED: &str = "firehose: [{name: r, destination: {requireEncryption: true, key: alias/finance}}]";

    fn let_in() -> Value {
        json!([{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"}])
    }

    fn delivering(rule: &str, parts: &Value) -> Plan {
        let more = json!({"deliveryStreams": stream(&json!({ "destinations": parts }), &json!({})), "buckets": bucket("lake", &json!({}))});
        planned(rule, &inventory(&let_in(), &more))
    }

    fn part(kind: &str, key: Option<&str>) -> Value {
        let mut part = json!({"id": "d-1", "kind": kind, "bucket": "arn:aws:s3:::lake", "role": ROLE});
        if let Some(key) = key {
            part["kmsKey"] = json!(key);
        }
        part
    }

    #[test]
    fn two_open_parts_are_two_steps_one_after_the_other() {
        let plan = delivering(KEYED, &json!([part("extendedS3", None), part("extendedS3Backup", Some(OTHER_KEY))]));
        let steps: Vec<_> = plan.steps.iter().collect();
        assert_eq!(steps.len(), 2);
        assert_eq!(steps[0].id.0, format!("firehose-destination-encryption:UpdateDestination:{STREAM}"));
        assert_eq!(steps[1].needs, [steps[0].id.clone()]);
        assert!(steps.iter().all(|step| step.gate.is_none()));
    }

    #[test]
    fn a_named_key_satisfies_where_any_will_do() {
        let plan =
            delivering("firehose: [{name: r, destination: {requireEncryption: true}}]", &json!([part("snowflake", Some(OTHER_KEY))]));
        assert_eq!(state(&plan, DEST), State::Compliant);
    }

    #[test]
    fn no_described_part_is_unknown_and_not_asked_is_no_finding() {
        assert_eq!(state(&delivering(KEYED, &json!([])), DEST), State::Unknown);
        let plan = delivering("firehose: [{name: r, destination: {requireEncryption: false}}]", &json!([part("splunk", None)]));
        assert!(plan.findings.is_empty());
    }

    #[test]
    fn a_younger_default_of_the_bucket_is_not_judged() {
        let more = json!({"deliveryStreams": stream(&json!({}), &json!({})), "buckets": bucket("lake", &json!({"encryption": {"algorithm": "aws:fsx"}}))});
        let plan = planned("firehose: [{name: r, destination: {requireEncryption: true}}]", &inventory(&json!([]), &more));
        assert_eq!(state(&plan, DEST), State::Unknown);
    }
}

mod kms_errors {
    use super::*;

    fn failing(error: &str, key_state: &str, first_at: i64) -> Plan {
        let counters = json!({"kmsErrors": {"current": [{"error": error, "count": 4, "firstAt": first_at, "lastAt": first_at + 60}]}});
        let mut inventory = inventory(&json!([]), &json!({"deliveryStreams": stream(&encryption("ENABLED", Some(KEY)), &counters)}));
        if let crate::Reading::Known(metadata) = &mut inventory.keys.get_mut(&Arn::parse(KEY).unwrap()).unwrap().metadata {
            metadata.state = key_state.into();
        }
        planned(OWNED, &inventory)
    }

    #[test]
    fn the_cause_is_read_from_the_key_and_not_from_the_counter_alone() {
        for (error, key_state, words) in [
            ("KMSKeyAccessDenied", "Enabled", "grant that Firehose holds"),
            ("KMSKeyAccessDenied", "Disabled", "is Disabled"),
            ("KMSKeyDisabled", "Enabled", "Enabled again"),
            ("KMSKeyInvalidState", "PendingDeletion", "is PendingDeletion"),
            ("KMSKeyNotFound", "Enabled", "was deleted"),
        ] {
            let plan = failing(error, key_state, 1_749_999_000);
            assert_eq!(state(&plan, ERRORS), State::Drifted);
            assert!(reason(&plan, ERRORS).contains(words), "{error}: {}", reason(&plan, ERRORS));
        }
    }

    #[test]
    fn the_deadline_is_24_hours_after_the_first_error() {
        // The inventory is of 2025-06-15 15:06:40 UTC.
        let open = failing("KMSKeyDisabled", "Disabled", 1_750_000_000 - 86_400 + 60);
        assert!(finding(&open, ERRORS).message.contains("until 2025-06-15 15:07 UTC"), "{}", finding(&open, ERRORS).message);
        let over = failing("KMSKeyDisabled", "Disabled", 1_750_000_000 - 86_400);
        assert!(finding(&over, ERRORS).message.contains("has been dropping"));
    }

    #[test]
    fn a_key_that_the_policy_heals_is_healed_by_its_own_step() {
        let counters =
            json!({"kmsErrors": {"current": [{"error": "KMSKeyDisabled", "count": 4, "firstAt": 1_749_999_000, "lastAt": 1_749_999_060}]}});
        let mut inventory = inventory(&json!([]), &json!({"deliveryStreams": stream(&encryption("ENABLED", Some(KEY)), &counters)}));
        if let crate::Reading::Known(metadata) = &mut inventory.keys.get_mut(&Arn::parse(KEY).unwrap()).unwrap().metadata {
            metadata.state = "Disabled".into();
        }
        let plan = planned(&format!("{{keys: [{{alias: alias/finance, heal: [enable]}}], {OWNED}}}"), &inventory);
        assert_eq!(step(&plan, Check::KmsKeyState).action, "EnableKey");
        assert_eq!(step(&plan, ERRORS).needs, [step(&plan, Check::KmsKeyState).id.clone()]);
    }

    #[test]
    fn every_counter_has_advice() {
        for error in KmsError::ALL {
            assert!(reason(&failing(error.id(), "Disabled", 1_749_999_000), ERRORS).len() > 60, "{error}");
        }
    }
}

mod producers {
    use super::*;

    fn produced(statements: &Value, created_at: i64) -> Plan {
        let mut described = encryption("ENABLED", Some(KEY));
        described["createdAt"] = json!(created_at);
        let mut inventory = inventory(statements, &json!({"deliveryStreams": stream(&described, &json!({}))}));
        // Without delegation, so that the document alone decides.
        let key = inventory.keys.get_mut(&Arn::parse(KEY).unwrap()).unwrap();
        key.document = crate::Reading::Known(crate::fixtures::document(statements));
        planned(&format!("{{keys: [{{alias: alias/finance, usableBy: {{producers: ['{INGEST}']}}}}], {CUSTOMER}}}"), &inventory)
    }

    fn through_firehose() -> Value {
        json!([{"Effect": "Allow", "Principal": {"AWS": INGEST}, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": "firehose.us-east-1.amazonaws.com"}}}])
    }

    #[test]
    fn a_grant_through_firehose_is_enough() {
        assert_eq!(state(&produced(&through_firehose(), 0), PRODUCERS), State::Compliant);
    }

    #[test]
    fn new_streams_fail_already_and_old_ones_from_2027() {
        let nobody =
            json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}, "Action": "kms:*", "Resource": "*"}]);
        for (created, words) in [(1_776_643_199, "From 2027-02-28"), (1_776_643_200, "calls fail.")] {
            let plan = produced(&nobody, created);
            assert_eq!(state(&plan, PRODUCERS), State::Drifted);
            let message = &finding(&plan, PRODUCERS).message;
            assert!(message.contains(words), "{message}");
            assert_eq!(message.contains("From 2027"), created < 1_776_643_200);
        }
    }

    #[test]
    fn the_delegation_to_iam_settles_nothing() {
        let delegation =
            json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]);
        assert_eq!(state(&produced(&delegation, 0), PRODUCERS), State::Unknown);
    }
}

#[test]
fn a_part_without_a_key_is_judged_by_the_key_of_the_buckets_default() {
    let rule = "firehose: [{name: r, destination: {requireEncryption: true, key: alias/finance}}]";
    for (encryption, wanted) in [
        (json!({"algorithm": "aws:kms", "kmsKey": KEY}), State::Compliant),
        (json!({"algorithm": "aws:kms", "kmsKey": "alias/finance"}), State::Compliant),
        (json!({"algorithm": "aws:kms", "kmsKey": OTHER_KEY}), State::Drifted),
        (json!({"algorithm": "aws:kms"}), State::Drifted),
        (json!({"algorithm": "AES256"}), State::Drifted),
    ] {
        let more =
            json!({"deliveryStreams": stream(&json!({}), &json!({})), "buckets": bucket("lake", &json!({"encryption": encryption}))});
        assert_eq!(state(&planned(rule, &inventory(&json!([]), &more)), DEST), wanted, "{encryption}");
    }
}

#[test]
fn a_failed_change_of_a_customer_key_is_not_answered_with_a_key_of_awss() {
    for status in ["ENABLING_FAILED", "DISABLING_FAILED"] {
        let plan = judged(OWNED, &encryption(status, Some(OTHER_KEY)));
        assert_eq!((state(&plan, ENC), gate(&plan, ENC)), (State::Drifted, Some(Gate::Manual)), "{status}");
        assert_eq!(gate(&judged(OWNED, &encryption(status, None)), ENC), None, "{status}");
    }
}
