//! What must hold for keys, streams and databases whatever AWS says: arbitrary small estates, planned, applied by the
//! simulation, and planned again.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::document::{Answer, Document, Principal, Request, access};
use crate::fixtures::{KEY, OTHER_KEY, denied, document, inventory, key_document, planned};
use crate::inventory::{Inventory, Reading};
use crate::plan::{Change, Plan};
use crate::{Arn, State, sim};

const KINESIS: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/clicks";
const FIREHOSE: &str = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
const DB: &str = "arn:aws:rds:us-east-1:111122223333:db:orders";
const OTHER_DB: &str = "arn:aws:rds:us-east-1:111122223333:db:reports";
const ROLE: &str = "arn:aws:iam::111122223333:role/ingest";

fn metadata() -> impl Strategy<Value = Value> {
    let state = select(vec!["Enabled", "Enabled", "Disabled", "PendingDeletion", "PendingImport", "Creating", "Younger"]);
    let origin = select(vec!["AWS_KMS", "AWS_KMS", "EXTERNAL"]);
    let spec = select(vec!["SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "RSA_2048"]);
    (state, origin, spec, any::<bool>()).prop_map(|(state, origin, spec, multi)| {
        let usage = if spec == "SYMMETRIC_DEFAULT" { "ENCRYPT_DECRYPT" } else { "SIGN_VERIFY" };
        let mut metadata = json!({"state": state, "awsManaged": false, "usage": usage, "spec": spec, "origin": origin});
        if multi {
            metadata["multiRegion"] = json!({"primary": KEY, "replicas": []});
        }
        metadata
    })
}

fn statement() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"Sid": "Admin", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}, "Action": "kms:*", "Resource": "*"}),
        json!({"Sid": "EversealProducers", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/former"}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"}),
        json!({"Sid": "EversealConsumers", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Encrypt", "Resource": "*"}),
        json!({"Sid": "EversealServiceS3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}),
        json!({"Effect": "Deny", "Principal": {"AWS": ROLE}, "Action": "kms:Decrypt", "Resource": "*"}),
        json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}),
        json!({"Effect": "Allow", "Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]}, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}),
    ])
}

fn key_text() -> impl Strategy<Value = Value> {
    let statements = || prop::collection::vec(statement(), 0..4);
    prop_oneof![
        6 => statements().prop_map(|list| json!(key_document(&json!(list)))),
        2 => statements().prop_map(|list| json!(document(&json!(list)))),
        1 => Just(denied("GetKeyPolicy", "kms:GetKeyPolicy")),
        1 => Just(json!("{")),
    ]
}

fn rotation() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"enabled": false}),
        json!({"enabled": true, "periodInDays": 90}),
        json!({"enabled": true, "periodInDays": 730}),
        json!({"enabled": true}),
        denied("GetKeyRotationStatus", "kms:GetKeyRotationStatus"),
    ])
}

fn keys() -> impl Strategy<Value = Value> {
    let key = prop_oneof![5 => metadata(), 1 => Just(denied("DescribeKey", "kms:DescribeKey"))];
    (key, key_text(), rotation()).prop_map(|(metadata, document, rotation)| {
        json!({KEY: {"arn": KEY, "metadata": metadata, "document": document, "rotation": rotation},
            OTHER_KEY: {"arn": OTHER_KEY, "metadata": {"state": "Enabled", "awsManaged": false, "usage": "ENCRYPT_DECRYPT", "spec": "SYMMETRIC_DEFAULT", "origin": "AWS_KMS"}, "document": key_document(&json!([]))}})
    })
}

fn data_streams() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"status": "ACTIVE", "encrypted": false}),
        json!({"status": "UPDATING", "encrypted": false}),
        json!({"status": "ACTIVE", "encrypted": true, "kmsKey": "alias/other"}),
        json!({"status": "ACTIVE", "encrypted": true, "kmsKey": "alias/aws/kinesis"}),
        json!({"status": "ACTIVE", "encrypted": true, "kmsKey": KEY}),
        denied("DescribeStreamSummary", "kinesis:DescribeStreamSummary"),
    ])
    .prop_map(|summary| json!({KINESIS: {"arn": KINESIS, "name": "clicks", "summary": summary}}))
}

fn delivery_streams() -> impl Strategy<Value = Value> {
    let encryption = select(vec![
        json!({}),
        json!({"status": "DISABLED"}),
        json!({"status": "ENABLED", "keyType": "AWS_OWNED_CMK"}),
        json!({"status": "ENABLED", "keyType": "CUSTOMER_MANAGED_CMK", "kmsKey": KEY}),
        json!({"status": "ENABLED", "keyType": "CUSTOMER_MANAGED_CMK", "kmsKey": OTHER_KEY}),
        json!({"status": "ENABLING_FAILED", "keyType": "CUSTOMER_MANAGED_CMK", "kmsKey": OTHER_KEY, "failure": "KMS_ACCESS_DENIED"}),
    ]);
    let kind = select(vec!["DirectPut", "DirectPut", "KinesisStreamAsSource", "MSKAsSource", "Younger"]);
    let part_key = select(vec![None, Some(KEY), Some(OTHER_KEY)]);
    let described = (encryption, kind, part_key, any::<bool>()).prop_map(|(encryption, kind, part_key, active)| {
        let part = |kind: &str| json!({"id": "d", "kind": kind, "bucket": "arn:aws:s3:::lake", "role": ROLE, "kmsKey": part_key});
        json!({"streamType": kind, "status": if active { "ACTIVE" } else { "CREATING" }, "versionId": "1", "encryption": encryption,
            "sourceStream": KINESIS, "sourceRole": ROLE, "destinations": [part("extendedS3"), part("extendedS3Backup")]})
    });
    let described = prop_oneof![6 => described, 1 => Just(denied("DescribeDeliveryStream", "firehose:DescribeDeliveryStream"))];
    described.prop_map(|description| json!({FIREHOSE: {"arn": FIREHOSE, "name": "orders", "description": description}}))
}

fn databases() -> impl Strategy<Value = (Value, Value)> {
    let engine = select(vec![
        ("postgres", "14.9"),
        ("postgres", "16.1"),
        ("mysql", "8.0.35"),
        ("sqlserver-ex", "15.0"),
        ("oracle-ee", "19.0"),
        ("mariadb", "10.4"),
    ]);
    let group = select(vec!["default.x", "own"]);
    let sync = select(vec!["in-sync", "pending-reboot", "applying"]);
    let value = select(vec![
        json!({}),
        json!({"rds.force_ssl": {"value": "0"}, "require_secure_transport": {"value": "ON"}}),
        json!({"rds.force_ssl": {"value": "1"}}),
    ]);
    let storage = select(vec![json!("none"), json!("sse-kms"), json!("sse-rds"), Value::Null]);
    (engine, group, sync, value, storage, any::<bool>()).prop_map(|((engine, version), group, sync, value, storage, readable)| {
        let one = |arn: &str, name: &str| {
            json!({"arn": arn, "identifier": name, "engine": engine, "engineVersion": version, "status": "available", "storageEncrypted": false, "storageEncryptionType": storage,
                "parameterGroups": [{"name": group, "applyStatus": sync}], "caCertificate": "rds-ca-2019"})
        };
        let known = json!({"name": group, "family": "family", "parameters": value});
        let reading = if readable { known } else { denied("DescribeDBParameters", "rds:DescribeDBParameters") };
        (json!({DB: one(DB, "orders"), OTHER_DB: one(OTHER_DB, "reports")}), json!({ group: reading }))
    })
}

fn estate() -> impl Strategy<Value = Inventory> {
    let aliases = select(vec![
        json!({"alias/finance": KEY, "alias/other": OTHER_KEY}),
        json!({"alias/other": OTHER_KEY}),
        denied("ListAliases", "kms:ListAliases"),
    ]);
    (keys(), aliases, data_streams(), delivery_streams(), databases()).prop_map(|(keys, aliases, data, delivery, (databases, groups))| {
        let buckets = crate::fixtures::bucket("lake", &json!({}));
        let more = json!({"keys": keys, "aliases": aliases, "keysAwaitingAlias": {}, "dataStreams": data, "deliveryStreams": delivery, "dbInstances": databases, "dbParameterGroups": groups, "buckets": buckets});
        inventory(&json!([]), &more)
    })
}

fn policy() -> impl Strategy<Value = String> {
    let key = select(vec![
        "",
        ", rotation: {enabled: true}, heal: [enable, cancelDeletion]",
        ", multiRegion: true, replicaRegions: [eu-west-1], heal: [enable], usableBy: {services: [s3, sns, sqs, events], producers: ['arn:aws:iam::111122223333:role/ingest']}",
        ", heal: [cancelDeletion], usableBy: {consumers: ['arn:aws:iam::111122223333:role/ingest'], producers: ['arn:aws:iam::111122223333:role/ingest']}",
    ]);
    let kinesis = select(vec!["alias/finance", "alias/other", "alias/aws/kinesis", "alias/nowhere"]);
    let firehose = select(vec!["keyType: AWS_OWNED_CMK", "keyType: CUSTOMER_MANAGED_CMK, key: alias/finance"]);
    let match_all = any::<bool>();
    (key, kinesis, firehose, match_all).prop_map(|(key, kinesis, firehose, all)| {
        let databases = if all { "" } else { "match: {names: [orders]}, " };
        format!(
            "{{keys: [{{alias: alias/finance{key}}}], kinesis: [{{name: k, atRest: {{key: {kinesis}}}}}], \
             firehose: [{{name: f, atRest: {{{firehose}}}, destination: {{requireEncryption: true, key: alias/finance}}}}], \
             rds: [{{name: d, {databases}atRest: {{encrypted: true}}, inTransit: {{requireTls: true, caCertificate: rds-ca-rsa2048-g1}}}}]}}"
        )
    })
}

/// Steps that would be made.
fn open(plan: &Plan) -> Vec<(Arn, Change)> {
    let open = plan.steps.iter().filter(|step| step.gate.is_none());
    open.filter_map(|step| Some((step.resource.clone(), step.change.clone()?))).collect()
}

fn requests() -> Vec<(Principal, &'static str)> {
    let principals = [
        Principal::Aws(ROLE.into()),
        Principal::Aws("arn:aws:iam::111122223333:role/former".into()),
        Principal::Service("s3.amazonaws.com".into()),
    ];
    principals
        .into_iter()
        .flat_map(|principal| ["kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt"].map(|action| (principal.clone(), action)))
        .collect()
}

fn allowed(document: &Document, principal: &Principal, action: &str) -> bool {
    let context = std::collections::BTreeMap::new();
    let request = Request { principal, action, resource: KEY, context: &context, context_is_complete: true };
    access(document, "111122223333", &request).answer == Answer::Yes
}

fn lowers_nothing(inventory: &Inventory, resource: &Arn, change: &Change) -> Result<(), TestCaseError> {
    match change {
        Change::KeyRotation { before: Some(before), after } => prop_assert!(after < before),
        Change::KeyDocument { before, after } => {
            let (before, after) = (Document::parse(before).unwrap(), Document::parse(after).unwrap());
            for (principal, action) in requests() {
                prop_assert!(!allowed(&before, &principal, action) || allowed(&after, &principal, action), "{principal:?} lost {action}");
            }
            let (texts, after): (Vec<Value>, String) = (statements(&before), after.text());
            for statement in texts.iter().filter(|statement| !statement["Sid"].as_str().unwrap_or_default().starts_with("Everseal")) {
                prop_assert!(after.contains(&statement.to_string()), "{statement} is gone");
            }
        }
        Change::DeliveryStreamEncryption { before, after, .. } => {
            let customer = before.status == "ENABLED" && before.key_type.as_deref() == Some("CUSTOMER_MANAGED_CMK");
            prop_assert!(!customer || after.is_some());
        }
        Change::ParameterGroup { after, .. } => prop_assert!(after.values().all(|value| ["1", "ON"].contains(&value.value.as_str()))),
        Change::CreateParameterGroup { name, .. } => prop_assert!(name.starts_with("everseal-")),
        Change::AttachParameterGroup { before, .. } => prop_assert!(before.starts_with("default.")),
        Change::DataStreamEncryption { .. } => {
            prop_assert!(matches!(inventory.data_streams[resource].summary, Reading::Known(_)));
        }
        _ => {}
    }
    Ok(())
}

fn statements(document: &Document) -> Vec<Value> {
    let value: Value = serde_json::from_str(&document.text()).unwrap();
    value["Statement"].as_array().unwrap().clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_is_deterministic_and_every_drift_ends(inventory in estate(), spec in policy()) {
        let plan = planned(&spec, &inventory);
        prop_assert_eq!(&plan, &planned(&spec, &inventory));
        for finding in plan.findings.iter().filter(|finding| finding.state == State::Drifted) {
            let ends = plan.steps.iter().any(|step| step.resource == finding.resource && step.check == finding.check);
            prop_assert!(ends, "{} {}", finding.check, finding.resource);
        }
        for finding in plan.findings.iter().filter(|finding| finding.state == State::Unknown) {
            let writes = plan.steps.iter().any(|step| step.resource == finding.resource && step.check == finding.check);
            prop_assert!(!writes && !finding.message.is_empty(), "{} {}", finding.check, finding.resource);
        }
        let ids: std::collections::BTreeSet<_> = plan.steps.iter().map(|step| &step.id).collect();
        prop_assert_eq!(ids.len(), plan.steps.len());
    }

    #[test]
    fn no_step_lowers_protection(inventory in estate(), spec in policy()) {
        for (resource, change) in open(&planned(&spec, &inventory)) {
            lowers_nothing(&inventory, &resource, &change)?;
        }
    }

    #[test]
    fn what_was_made_is_not_made_again(inventory in estate(), spec in policy()) {
        let mut inventory = inventory;
        // Healing a key, creating one and letting users in open the way for steps that waited: three rounds at most.
        for _ in 0..3 {
            for (resource, change) in open(&planned(&spec, &inventory)) {
                if change.waits_for_key().is_none() && sim::standing(&inventory, &resource, &change) == sim::Standing::Before {
                    sim::make(&mut inventory, &resource, &change);
                }
            }
        }
        let left: Vec<_> = open(&planned(&spec, &inventory));
        prop_assert!(left.is_empty(), "{left:?}");
    }
}
