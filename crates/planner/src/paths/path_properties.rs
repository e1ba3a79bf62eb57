//! What must hold of paths, whatever the estate: they are drawn the same twice, nothing unread is called sealed, and the
//! plan's steps break nothing that works.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::model::PathState;
use super::paths;
use super::state_tests::{merged, seen, whole_bucket};
use crate::fixtures::{AWS_SQS_KEY, KEY, OTHER_KEY, denied, document, grant, policies, queue, topic};
use crate::{Inventory, Reading};

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders";
const DEAD: &str = "arn:aws:sqs:us-east-1:111122223333:dead";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alarms";
const STREAM: &str = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
const SOURCE: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/clicks";
const RULE: &str = "arn:aws:events:us-east-1:111122223333:rule/all";
const ROLE: &str = "arn:aws:iam::111122223333:role/firehose";

const SPECS: &[&str] = &[
    "{}",
    "{s3: [{name: b, atRest: {algorithm: AES256}, inTransit: {denyInsecureTransport: true}}], sqs: [{name: q, atRest: {encryption: SSE-SQS}, inTransit: {denyInsecureTransport: true}}]}",
    "{keys: [{alias: alias/finance, heal: [enable], usableBy: {services: [s3, sns, events], producers: ['arn:aws:iam::111122223333:role/ingest'], consumers: ['arn:aws:iam::444455556666:role/settle']}}], s3: [{name: b, atRest: {algorithm: 'aws:kms', key: alias/finance, bucketKey: true}}], sqs: [{name: q, atRest: {encryption: SSE-KMS, key: alias/finance}}], sns: [{name: t, atRest: {key: alias/finance}}], kinesis: [{name: k, atRest: {key: alias/finance}}], firehose: [{name: f, atRest: {keyType: AWS_OWNED_CMK}, destination: {requireEncryption: true, key: alias/finance}}]}",
    "{keys: [{alias: alias/new}], s3: [{name: b, atRest: {algorithm: 'aws:kms', key: alias/new}}], sqs: [{name: q, atRest: {encryption: SSE-KMS, key: alias/other}}], sns: [{name: t, atRest: {key: alias/new}}]}",
];

fn keys() -> impl Strategy<Value = Value> {
    select(vec![json!(null), json!(KEY), json!(OTHER_KEY), json!("alias/finance"), json!("alias/gone"), json!(AWS_SQS_KEY)])
}

fn attributes(document: &'static [&'static str]) -> impl Strategy<Value = Value> {
    (keys(), any::<bool>(), select(document), any::<bool>()).prop_map(|(key, sse, document, dead)| {
        let mut all = json!({"kmsKey": key, "sqsManagedSse": sse && key.is_null()});
        if !document.is_empty() {
            all["document"] = json!(document);
        }
        if dead {
            all["deadLetterQueue"] = json!(DEAD);
        }
        all
    })
}

/// EventBridge reaches a queue or topic only where its document says so: each of these does. [EventBridge: resource-based policies]
const SENDS: &[&str] = &[
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/r","Service":"events.amazonaws.com"},"Action":"sqs:*","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["s3.amazonaws.com","events.amazonaws.com"]},"Action":"sqs:SendMessage","Resource":"*"}]}"#,
];
const PUBLISHES: &[&str] = &[
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}"#,
];

fn buckets() -> impl Strategy<Value = Value> {
    let encryption = (select(vec!["AES256", "aws:kms"]), keys(), any::<bool>()).prop_map(|(algorithm, key, bucket_key)| {
        let mut rule = json!({"algorithm": algorithm, "bucketKey": bucket_key && algorithm == "aws:kms"});
        if algorithm == "aws:kms" && !key.is_null() {
            rule["kmsKey"] = key;
        }
        rule
    });
    let targets = select(vec![json!([]), json!([QUEUE]), json!([TOPIC, QUEUE])]);
    (
        encryption,
        targets,
        any::<bool>(),
        prop::option::weighted(0.3, select(vec!["website", "document", "notifications", "loggingTarget", "replication"])),
    )
        .prop_map(|(encryption, targets, bus, unread)| {
            let mut settings = json!({"encryption": encryption, "notifications": {"targets": targets, "eventBridge": bus}});
            if let Some(unread) = unread {
                settings[unread] = denied("Get", "s3:Get");
            }
            whole_bucket("data", &settings)
        })
}

fn streams() -> impl Strategy<Value = Value> {
    (any::<bool>(), keys(), any::<bool>()).prop_map(|(direct, key, encrypted)| {
        let mut description = json!({"streamType": if direct { "DirectPut" } else { "KinesisStreamAsSource" }, "status": "ACTIVE", "versionId": "1",
            "destinations": [{"id": "d-1", "kind": "extendedS3", "bucket": "arn:aws:s3:::data", "role": ROLE}]});
        if !direct {
            description["sourceStream"] = json!(SOURCE);
            description["sourceRole"] = json!(ROLE);
        }
        let mut summary = json!({"status": "ACTIVE", "encrypted": encrypted && !key.is_null()});
        if encrypted && !key.is_null() {
            summary["kmsKey"] = key;
        }
        json!({
            "deliveryStreams": {STREAM: {"arn": STREAM, "name": "orders", "description": description}},
            "dataStreams": {SOURCE: {"arn": SOURCE, "name": "clicks", "summary": summary}},
        })
    })
}

fn grants() -> impl Strategy<Value = Value> {
    let all = [
        grant("s3.amazonaws.com", &json!(null)),
        grant("sns.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": TOPIC}})),
        grant("events.amazonaws.com", &json!(null)),
        json!({"Effect": "Allow", "Principal": {"AWS": [ROLE, "arn:aws:iam::444455556666:role/r"]}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"}),
    ];
    prop::sample::subsequence(all.to_vec(), 0..=4).prop_map(|statements| json!(statements))
}

fn roles() -> impl Strategy<Value = Value> {
    let all = document(&json!([{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]));
    select(vec![
        json!({ROLE: {"policies": [all]}}),
        json!({ROLE: {"policies": []}}),
        denied("GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails"),
    ])
}

fn worlds() -> impl Strategy<Value = Inventory> {
    let targets = select(vec![json!([]), json!([{"id": "1", "arn": QUEUE}]), json!([{"id": "1", "arn": TOPIC, "deadLetterQueue": DEAD}])]);
    let subscription = |protocol: &str, endpoint: &str| json!({"id": "arn:aws:sns:us-east-1:111122223333:alarms:1", "topic": TOPIC, "protocol": protocol, "endpoint": endpoint});
    let subscriptions = select(vec![
        json!([]),
        json!([subscription("sqs", QUEUE)]),
        json!([subscription("http", "http://example.com"), subscription("sqs", DEAD)]),
        denied("ListSubscriptions", "sns:ListSubscriptions"),
    ]);
    let neighbours = (targets, subscriptions, roles(), grants());
    (buckets(), attributes(SENDS), attributes(PUBLISHES), streams(), neighbours).prop_map(|(buckets, orders, alarms, streams, (targets, subscriptions, roles, grants))| {
        let facts = json!({"eventRules": [{"arn": RULE, "bus": "default", "enabled": true, "pattern": r#"{"source": ["aws.s3"]}"#, "targets": targets}], "roles": roles});
        let queues = merged(&[queue("orders", &orders), queue("dead", &json!({"sqsManagedSse": true, "document": SENDS[0]}))]);
        let mut topics = topic("alarms", &json!({"kmsKey": alarms["kmsKey"], "document": alarms["document"]}));
        if alarms["sqsManagedSse"] == true {
            topics = topic("alarms", &denied("GetTopicAttributes", "sns:GetTopicAttributes"));
        }
        let mut world = seen(&grants, &merged(&[json!({"buckets": buckets, "queues": queues, "topics": topics, "subscriptions": subscriptions, "pathFacts": facts}), streams]));
        world.keys_awaiting_alias = Reading::Known(std::collections::BTreeMap::new());
        world
    })
}

/// Everything of a resource that decides about its paths was read.
fn was_read(world: &Inventory, id: &str) -> bool {
    let Ok(arn) = crate::Arn::parse(id) else { return true };
    if let Some(bucket) = world.buckets.get(&arn) {
        return [
            bucket.encryption.known().is_some(),
            bucket.document.known().is_some(),
            bucket.website.known().is_some(),
            bucket.notifications.known().is_some(),
            bucket.replication.known().is_some(),
            bucket.logging_target.known().is_some(),
        ]
        .iter()
        .all(|read| *read);
    }
    match arn.service() {
        "sqs" => world.queues.get(&arn).is_some_and(|queue| queue.attributes.known().is_some()),
        "sns" => world.subscriptions.known().is_some() && world.topics.get(&arn).is_some_and(|topic| topic.attributes.known().is_some()),
        "firehose" => world.delivery_streams.get(&arn).is_some_and(|stream| stream.description.known().is_some()),
        "kinesis" => world.data_streams.get(&arn).is_some_and(|stream| stream.summary.known().is_some()),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn paths_are_drawn_the_same_twice_and_the_worst_way_tells(world in worlds(), spec in select(SPECS)) {
        let set = policies(spec);
        let first = paths(&set, &[&world]);
        prop_assert_eq!(&first, &paths(&set, &[&world]));
        for path in first.paths.iter().filter(|path| !path.more) {
            prop_assert_eq!(Some(path.now), path.branches.iter().map(|branch| branch.now).max());
            prop_assert_eq!(Some(path.after), path.branches.iter().map(|branch| branch.after).max());
        }
        // Every hop is on a way, so that none is overlooked.
        let on_ways: std::collections::BTreeSet<_> = first.paths.iter().flat_map(|path| &path.branches).flat_map(|branch| &branch.hops).collect();
        prop_assert_eq!(on_ways.len(), first.now.hops.len());
    }

    #[test]
    fn nothing_unread_is_called_sealed(world in worlds(), spec in select(SPECS)) {
        let found = paths(&policies(spec), &[&world]);
        for branch in found.paths.iter().flat_map(|path| &path.branches) {
            if !branch.nodes.iter().all(|id| was_read(&world, id)) {
                prop_assert!(branch.now != PathState::Sealed && branch.after != PathState::Sealed, "{:?}", branch);
            }
        }
        // A need that hangs on a role whose policies could not be read is met only where the key's document itself says so.
        let unread_roles = world.path_facts.roles.known().is_none();
        for need in found.now.hops.values().flat_map(|hop| &hop.needs).filter(|need| unread_roles && need.principal == ROLE) {
            prop_assert!(need.state != super::model::NeedState::Met || need.because.contains("allows it") || need.because.contains("alias/aws"), "{:?}", need);
        }
    }

    #[test]
    fn the_open_steps_of_a_plan_never_break_a_way_that_works(world in worlds(), spec in select(SPECS)) {
        let found = paths(&policies(spec), &[&world]);
        for branch in found.paths.iter().flat_map(|path| &path.branches) {
            prop_assert!(branch.now == PathState::Broken || branch.after != PathState::Broken, "{:?}\n{}", branch, crate::render::paths_text(&found, crate::render::Paint::Plain));
            prop_assert!(branch.now != PathState::Sealed || branch.after == PathState::Sealed, "{:?}", branch);
        }
    }
}
