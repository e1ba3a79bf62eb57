//! A bucket key changes what S3 tells KMS, and nobody may be shut out by that.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::fixtures::{KEY, bucket, change, denied, document, gate, inventory, planned, reason, step};
use crate::plan::{Gate, Plan};
use crate::{Arn, Check, Inventory, sim};

const ENC: Check = Check::S3Encryption;
const ROLE: &str = "arn:aws:iam::111122223333:role/firehose";
const RULE: &str = "s3: [{name: r, atRest: {algorithm: 'aws:kms', bucketKey: true}}]";

/// A bucket under the key without a bucket key, to which Firehose delivers with `ROLE`.
fn world(key: &Value, roles: &Value, stream_key: Option<&str>) -> Inventory {
    let arn = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
    let mut destination = json!({"id": "d", "kind": "extendedS3", "bucket": "arn:aws:s3:::data", "role": ROLE});
    if let Some(key) = stream_key {
        destination["kmsKey"] = json!(key);
    }
    let more = json!({
        "buckets": bucket("data", &json!({"encryption": {"algorithm": "aws:kms", "kmsKey": KEY}})),
        "deliveryStreams": {arn: {"arn": arn, "name": "orders", "description":
            {"streamType": "DirectPut", "status": "ACTIVE", "versionId": "1", "destinations": [destination]}}},
    });
    let mut world = inventory(key, &more);
    if !roles.is_null() {
        world.path_facts = serde_json::from_value(json!({ "roles": roles })).unwrap();
    }
    world
}

fn on_objects(statement: Value) -> Value {
    let mut narrowed = statement;
    narrowed["Condition"] = json!({"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::data/raw/*"}});
    narrowed
}

fn allow(principal: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"})
}

fn policy(statement: &Value) -> Value {
    json!({ROLE: {"policies": [document(&json!([statement]))]}})
}

fn has_document_step(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| step.check == Check::KmsKeyDocument)
}

#[test]
fn on_a_listed_key_whom_a_condition_would_shut_out_is_let_in_first() {
    let rule = format!("{{keys: [{{alias: alias/finance}}], {RULE}}}");
    let mut world = world(&json!([on_objects(allow(&json!({"AWS": ROLE})))]), &Value::Null, None);
    let plan = planned(&rule, &world);
    let text = change(&plan, Check::KmsKeyDocument)["keyDocument"]["after"].as_str().unwrap().to_owned();
    let after: Value = serde_json::from_str(&text).unwrap();
    // The foreign statement stays as it is; ours names the same role, through S3 alone.
    assert_eq!(after["Statement"][1]["Condition"]["StringLike"]["kms:EncryptionContext:aws:s3:arn"], "arn:aws:s3:::data/raw/*");
    assert_eq!(
        after["Statement"][2],
        json!({"Sid": "EversealPathUseViaS3By111122223333", "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:CallerAccount": "111122223333"}}})
    );
    assert_eq!(after["Statement"].as_array().unwrap().len(), 3);
    assert_eq!(gate(&plan, ENC), None);
    assert_eq!(step(&plan, ENC).needs, [step(&plan, Check::KmsKeyDocument).id.clone()]);
    for check in [Check::KmsKeyDocument, ENC] {
        let made = step(&plan, check);
        sim::make(&mut world, &made.resource, made.change.as_ref().unwrap());
    }
    assert!(planned(&rule, &world).steps.is_empty());
}

#[test]
fn on_another_key_the_step_waits_with_the_statement() {
    let roles = policy(&json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}));
    let plan = planned(&format!("{{{RULE}}}"), &world(&json!([on_objects(allow(&json!({"AWS": ROLE})))]), &roles, None));
    assert_eq!(gate(&plan, ENC), Some(Gate::Path));
    for part in ["arn:aws:s3:::data/raw/*", "the bucket's ARN arn:aws:s3:::data", ROLE, "\"Effect\":\"Allow\""] {
        assert!(reason(&plan, ENC).contains(part), "{part}: {}", reason(&plan, ENC));
    }
}

#[test]
fn a_condition_that_lets_in_nobody_by_name_is_left_to_a_person() {
    for principal in [json!("*"), json!({"AWS": "arn:aws:iam::111122223333:root"})] {
        let rule = format!("{{keys: [{{alias: alias/finance}}], {RULE}}}");
        let plan = planned(&rule, &world(&json!([on_objects(allow(&principal))]), &Value::Null, None));
        assert_eq!((gate(&plan, ENC), has_document_step(&plan)), (Some(Gate::KeyUse), false), "{principal}");
    }
}

#[test]
fn under_delegation_the_roles_own_conditions_count() {
    let role = Arn::parse(ROLE).unwrap();
    let data_keys = json!({"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"});
    for (roles, expected, asks) in [
        (Value::Null, Some(Gate::Path), true),
        (policy(&data_keys), None, false),
        // The sample role of Firehose's guide: it knows objects alone.
        (policy(&on_objects(data_keys.clone())), Some(Gate::Path), false),
        (denied("GetRole", "iam:GetRole"), Some(Gate::Path), false),
    ] {
        let plan = planned(&format!("{{{RULE}}}"), &world(&json!([]), &roles, None));
        assert_eq!((gate(&plan, ENC), plan.wanted_facts.contains(&role)), (expected, asks), "{roles}");
    }
    let both = json!({"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*",
        "Condition": {"StringLike": {"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]}}});
    assert_eq!(gate(&planned(&format!("{{{RULE}}}"), &world(&json!([]), &policy(&both), None)), ENC), None);
    // Who may not use the key today has nothing to lose.
    let nothing = policy(&json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}));
    assert_eq!(gate(&planned(&format!("{{{RULE}}}"), &world(&json!([]), &nothing, None)), ENC), None);
}

#[test]
fn a_stream_with_a_key_of_its_own_is_looked_at_under_that_key() {
    let other = crate::fixtures::OTHER_KEY;
    let mut world = world(&json!([]), &policy(&json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})), Some(other));
    let narrowed = document(&json!([on_objects(allow(&json!({"AWS": ROLE})))]));
    world.keys.get_mut(&Arn::parse(other).unwrap()).unwrap().document = crate::Reading::Known(narrowed);
    assert_eq!(gate(&planned(&format!("{{{RULE}}}"), &world), ENC), Some(Gate::Path));
    let listed = planned(&format!("{{keys: [{{alias: alias/other}}], {RULE}}}"), &world);
    assert_eq!((gate(&listed, ENC), has_document_step(&listed)), (None, true));
    assert_eq!(step(&listed, Check::KmsKeyDocument).resource.as_str(), other);
}
