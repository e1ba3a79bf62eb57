//! What must hold of every plan for buckets, queues and topics, whatever the inventory.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::document::{Answer, Document, Protected, transport};
use crate::fixtures::{KEY, OTHER_KEY, bucket, denied, document, grant, inventory, planned, queue, topic};
use crate::plan::{Change, KeyRef, Plan};
use crate::s3::desired::strength;
use crate::sim::{Standing, make, standing};
use crate::{Arn, Inventory, State};

const SPECS: &[&str] = &[
    "{s3: [{name: a, atRest: {algorithm: AES256}, inTransit: {denyInsecureTransport: true}}], sqs: [{name: a, atRest: {encryption: SSE-SQS}}], sns: [{name: a, inTransit: {denyInsecureTransport: true}}]}",
    "{s3: [{name: b, atRest: {algorithm: 'aws:kms', key: alias/finance, bucketKey: true, blockedEncryptionTypes: [SSE-C]}, inTransit: {denyInsecureTransport: true, minimumTlsVersion: '1.2'}, website: {public: enforce}}], sqs: [{name: b, atRest: {encryption: SSE-KMS, key: alias/finance, dataKeyReuseSeconds: 600}, inTransit: {denyInsecureTransport: true}}], sns: [{name: b, atRest: {key: alias/finance}, inTransit: {denyInsecureTransport: true, forbidHttpSubscriptions: true}}]}",
    "{s3: [{name: c, atRest: {algorithm: 'aws:kms:dsse', key: alias/other}}], sqs: [{name: c, atRest: {encryption: SSE-KMS}}], sns: [{name: c, atRest: {key: alias/nowhere}}]}",
    "{s3: [{name: d, atRest: {algorithm: 'aws:kms', bucketKey: false}}], sqs: [{name: d, inTransit: {denyInsecureTransport: true}}], sns: [{name: d, match: {tags: {a: b}}, atRest: {key: alias/finance}}]}",
];

fn keys() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![
        None,
        Some(KEY),
        Some(OTHER_KEY),
        Some("alias/finance"),
        Some("alias/gone"),
        Some("alias/aws/sqs"),
        Some("typo"),
        Some("arn:aws:kms:us-east-1:999999999999:alias/theirs"),
    ])
}

/// Documents of `resource`, the awkward ones among them.
fn documents(resource: &'static str, action: &'static str) -> impl Strategy<Value = Value> {
    let allow =
        move |principal: Value| json!({"Sid": "Theirs", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource});
    let deny = move |condition: Value| json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition});
    let text = |statements: Value| json!(document(&statements));
    select(vec![
        json!(null),
        json!("{"),
        text(json!([])),
        text(allow(json!({"AWS": "111122223333"}))),
        text(json!([allow(json!({"Service": "s3.amazonaws.com"}))])),
        text(json!([allow(json!({"AWS": "arn:aws:iam::444455556666:role/r"})), deny(json!({"Bool": {"aws:SecureTransport": false}}))])),
        text(json!([allow(json!("*"))])),
        text(json!([deny(json!({"BoolIfExists": {"AWS:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalOrgID": "o-1"}}))])),
        text(
            json!([{"Sid": "EversealDenyInsecureTransport", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": action, "Resource": resource}]),
        ),
        text(
            json!([{"Sid": "EversealDenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]),
        ),
    ])
}

/// The value, or no answer, or no question.
fn reading(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    prop_oneof![8 => value, 1 => Just(denied("Get", "x:Get")), 1 => Just(json!("unread"))]
}

fn buckets() -> impl Strategy<Value = Value> {
    let algorithm = select(vec!["AES256", "aws:kms", "aws:kms:dsse", "aws:fsx"]);
    let blocked = select(vec![json!(null), json!(["NONE"]), json!(["SSE-C"]), json!(["SSE-X"])]);
    let encryption = (algorithm, keys(), any::<bool>(), blocked).prop_map(|(algorithm, key, bucket_key, blocked)| {
        let mut encryption = json!({"algorithm": algorithm, "bucketKey": bucket_key && algorithm == "aws:kms"});
        if let Some(key) = key.filter(|_| algorithm.starts_with("aws:kms")) {
            encryption["kmsKey"] = json!(key);
        }
        if !blocked.is_null() {
            encryption["blockedEncryptionTypes"] = blocked;
        }
        encryption
    });
    let encryption = reading(prop_oneof![6 => encryption, 1 => Just(json!(null))]);
    let flag = || reading(any::<bool>().prop_map(|flag| json!(flag)));
    let replication =
        reading(select(vec![json!([]), json!([{"id": "r", "destination": "arn:aws:s3:::copy", "replicatesKmsObjects": false}])]));
    let public =
        reading((any::<bool>(), any::<bool>()).prop_map(|(public, block)| json!({"policyIsPublic": public, "blockPublicPolicy": block})));
    let document = reading(documents("arn:aws:s3:::data/*", "s3:GetObject"));
    (encryption, document, flag(), flag(), replication, public).prop_map(|(encryption, document, website, logs, replication, public)| {
        json!({"encryption": encryption, "document": document, "website": website, "logDeliveryAcl": logs, "replication": replication, "publicAccess": public})
    })
}

fn queues() -> impl Strategy<Value = Value> {
    let attributes = (
        keys(),
        any::<bool>(),
        select(vec![None, Some(60), Some(600)]),
        documents("arn:aws:sqs:us-east-1:111122223333:orders", "sqs:SendMessage"),
    );
    reading(attributes.prop_map(|(key, sse, reuse, document)| {
        json!({"kmsKey": key, "sqsManagedSse": sse && key.is_none(), "dataKeyReuseSeconds": reuse, "document": document})
    }))
}

fn topics() -> impl Strategy<Value = Value> {
    let attributes = (keys(), documents("arn:aws:sns:us-east-1:111122223333:alarms", "sns:Publish"));
    reading(attributes.prop_map(|(key, document)| json!({"kmsKey": key, "document": document})))
}

fn worlds() -> impl Strategy<Value = Inventory> {
    let grants = select(vec![json!([]), json!([grant("s3.amazonaws.com", &json!(null))])]);
    (buckets(), queues(), topics(), grants).prop_map(|(settings, attributes, topic_attributes, grants)| {
        let mut topics = topic("alarms", &topic_attributes);
        let mut queues = queue("orders", &attributes);
        for all in [&mut queues, &mut topics] {
            for resource in all.as_object_mut().unwrap().values_mut() {
                if resource["attributes"] == "unread" {
                    resource.as_object_mut().unwrap().remove("attributes");
                }
            }
        }
        inventory(&grants, &json!({"buckets": bucket("data", &settings), "queues": queues, "topics": topics}))
    })
}

/// Statements of `before` that are not ours stand in `after`, in their order.
fn keeps_foreign_statements(before: Option<&str>, after: &str) {
    let Some(before) = before else { return };
    let (before, after) = (Document::parse(before).unwrap(), Document::parse(after).unwrap());
    let mut rest = after.bodies();
    for body in
        before.bodies().filter(|body| body.get("Sid").is_none_or(|sid| sid != "EversealDenyInsecureTransport") || body["Effect"] == "Allow")
    {
        assert!(rest.any(|kept| kept == body), "{body:?} is gone or moved");
    }
}

fn refuses_http(text: &str, protected: Protected<'_>) {
    assert_eq!(transport(Some(&Document::parse(text).unwrap()), protected).denies_plain_http, Answer::Yes, "{text}");
}

fn lowers_nothing(resource: &Arn, change: &Change) {
    match change {
        Change::BucketEncryption { bucket: _, before, after, waits_for: _ } => {
            let level = |algorithm: &str| strength(algorithm).unwrap();
            assert!(before.as_ref().is_none_or(|before| level(&before.algorithm) <= level(&after.algorithm)));
            let blocked = after.blocked_encryption_types.clone().unwrap_or_default();
            let was = before.as_ref().and_then(|before| before.blocked_encryption_types.clone()).unwrap_or_default();
            assert!(was.iter().filter(|kind| *kind != "NONE").all(|kind| blocked.contains(kind)));
        }
        Change::QueueEncryption { url: _, before, after, waits_for } => {
            let keyed = after.kms_key.is_some() || waits_for.is_some();
            assert!(keyed || after.sqs_managed_sse);
            assert!(before.kms_key.is_none() || keyed);
            assert!(!(after.kms_key.is_some() && after.sqs_managed_sse), "SQS refuses both at once");
        }
        Change::TopicEncryption { before: _, after: KeyRef::Arn(_) | KeyRef::ToBeCreated { .. } } => {}
        Change::BucketDocument { bucket: _, before, after } => {
            keeps_foreign_statements(before.as_deref(), after);
            refuses_http(after, Protected::Bucket(resource));
        }
        Change::QueueDocument { url: _, before, after } => {
            keeps_foreign_statements(before.as_deref(), after);
            refuses_http(after, Protected::Queue(resource));
        }
        Change::TopicDocument { before, after } => {
            keeps_foreign_statements(before.as_deref(), after);
            refuses_http(after, Protected::Topic(resource));
        }
        other => panic!("not a change of these services: {other:?}"),
    }
}

fn ungated(plan: &Plan) -> impl Iterator<Item = (&Arn, &Change)> {
    plan.steps.iter().filter(|step| step.gate.is_none()).map(|step| (&step.resource, step.change.as_ref().unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn plans_are_deterministic_and_no_drift_is_dropped(world in worlds(), spec in select(SPECS)) {
        let plan = planned(spec, &world);
        prop_assert_eq!(&plan, &planned(spec, &world));
        for finding in &plan.findings {
            let steps = plan.steps.iter().filter(|step| step.resource == finding.resource && step.check == finding.check).count();
            prop_assert_eq!(steps > 0, finding.state == State::Drifted, "{:?}", finding);
            prop_assert!(!finding.expected.is_empty() && !finding.actual.is_empty());
            prop_assert!(finding.state == State::Compliant || !finding.message.is_empty());
        }
        prop_assert!(plan.steps.iter().all(|step| !step.summary.is_empty() && step.gate.as_ref().is_none_or(|gate| !gate.reason.is_empty())));
    }

    #[test]
    fn no_ungated_step_lowers_protection(world in worlds(), spec in select(SPECS)) {
        for (resource, change) in ungated(&planned(spec, &world)) {
            lowers_nothing(resource, change);
            prop_assert_eq!(standing(&world, resource, change), Standing::Before);
        }
    }

    #[test]
    fn what_could_not_be_read_is_never_written(world in worlds(), spec in select(SPECS)) {
        let plan = planned(spec, &world);
        let writes = |resource: &Arn| plan.steps.iter().any(|step| step.resource == *resource && step.gate.is_none());
        for queue in world.queues.values().filter(|queue| queue.attributes.known().is_none()) {
            prop_assert!(!writes(&queue.arn));
        }
        for topic in world.topics.values().filter(|topic| topic.attributes.known().is_none()) {
            prop_assert!(!writes(&topic.arn));
        }
        for bucket in world.buckets.values() {
            for (_, change) in ungated(&plan).filter(|(resource, _)| **resource == bucket.arn) {
                match change {
                    Change::BucketEncryption { .. } => prop_assert!(bucket.encryption.known().is_some()),
                    _ => prop_assert!(bucket.document.known().is_some()),
                }
            }
        }
    }

    #[test]
    fn once_made_a_plan_is_empty(world in worlds(), spec in select(SPECS)) {
        let mut world = world;
        let first = planned(spec, &world);
        for (resource, change) in ungated(&first) {
            make(&mut world, resource, change);
        }
        let again = planned(spec, &world);
        let left: Vec<_> = ungated(&again).collect();
        prop_assert!(left.is_empty(), "{:?}", left);
    }
}
