//! The promise: whoever is let through today is let through after every single step of a plan, not only after the last.
//!
//! Random small estates are planned; the open steps are made one by one by the simulation, in the plan's order or as far
//! from it as their needs allow; and after each one everybody who was proven to use his resource's key before is asked for
//! again, under the key and the context of that moment. The proof is the documents' evaluation alone: nothing of what
//! decides about steps takes part in it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::roles::{key_access, role};
use super::users::users_of_bucket;
use super::{Links, users_of_queue, users_of_topic};
use crate::document::{Answer, Document, Principal, Request};
use crate::fixtures::{AWS_SQS_KEY, KEY, OTHER_KEY, bucket, denied, document, grant, inventory, key_document, policies, queue, topic};
use crate::inventory::{BucketEncryption, ResolvedKey};
use crate::plan::keys::KeyUser;
use crate::plan::{Context, Past, Step, plan};
use crate::{Arn, Inventory, PolicySet, sim};

const FIREHOSE: &str = "arn:aws:iam::111122223333:role/firehose";
const WORKER: &str = "arn:aws:iam::111122223333:role/worker";
const PARTNER: &str = "arn:aws:iam::444455556666:role/partner";
const STREAM: &str = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
const SOURCE: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/clicks";

const RULES: &str = "s3: [{name: b, atRest: {algorithm: 'aws:kms', key: alias/finance, bucketKey: true}}], sqs: [{name: q, match: {names: [orders, dead]}, atRest: {encryption: SSE-KMS, key: alias/finance}}, {name: other, atRest: {encryption: SSE-KMS, key: alias/other}}], sns: [{name: t, atRest: {key: alias/finance}}], kinesis: [{name: k, atRest: {key: alias/other}}], firehose: [{name: f, atRest: {keyType: CUSTOMER_MANAGED_CMK, key: alias/finance}, destination: {requireEncryption: true, key: alias/other}}]";

fn specs() -> impl Strategy<Value = String> {
    let keys = select(vec![
        "",
        "keys: [{alias: alias/finance}], ",
        "keys: [{alias: alias/finance, heal: [enable], usableBy: {services: [s3, events], producers: ['arn:aws:iam::111122223333:role/worker']}}], ",
        "keys: [{alias: alias/finance}, {alias: alias/other}], ",
        "keys: [{alias: alias/new}, {alias: alias/other}], ",
    ]);
    let rules = select(vec![
        RULES.to_owned(),
        RULES.replace("bucketKey: true", "bucketKey: false"),
        RULES.replace("name: q,", "name: q, mode: audit,"),
        RULES.replace("alias/finance", "alias/new"),
        format!("{RULES}, limits: {{maxChangesPerCycle: 2}}"),
    ]);
    (keys, rules).prop_map(|(keys, rules)| format!("{{{keys}{rules}}}"))
}

/// Statements of a queue's, topic's or bucket's document.
fn statements(action: &'static str, resource: &'static str) -> impl Strategy<Value = Value> {
    let allow = |principal: Value, condition: Value| {
        let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource});
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        statement
    };
    let account = json!({"StringEquals": {"aws:SourceAccount": "111122223333"}});
    let all = vec![
        allow(json!({"AWS": WORKER}), Value::Null),
        allow(json!({"AWS": PARTNER}), Value::Null),
        allow(json!({"AWS": "444455556666"}), Value::Null),
        allow(
            json!({"Service": "s3.amazonaws.com"}),
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:data"}, "StringEquals": {"aws:SourceAccount": "111122223333"}}),
        ),
        allow(
            json!({"Service": "sns.amazonaws.com"}),
            json!({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:alarms"}}),
        ),
        allow(
            json!({"Service": "events.amazonaws.com"}),
            json!({"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}}),
        ),
        allow(json!({"Service": "cloudwatch.amazonaws.com"}), account),
        allow(json!({"Service": "s3.amazonaws.com"}), Value::Null),
        allow(json!("*"), json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
    ];
    subsequence(all, 0..4).prop_map(|chosen| if chosen.is_empty() { Value::Null } else { json!(document(&json!(chosen))) })
}

fn key_texts() -> impl Strategy<Value = String> {
    let account = json!({"StringEquals": {"aws:SourceAccount": "111122223333"}});
    let identity = |name: &str, condition: Value| {
        let mut statement =
            json!({"Effect": "Allow", "Principal": {"AWS": name}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"});
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        statement
    };
    let objects = json!({"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::data/*"}});
    let all = vec![
        grant("s3.amazonaws.com", &account),
        grant("sns.amazonaws.com", &Value::Null),
        grant("events.amazonaws.com", &Value::Null),
        grant("cloudwatch.amazonaws.com", &account),
        identity(FIREHOSE, Value::Null),
        identity(FIREHOSE, objects.clone()),
        identity(WORKER, objects),
        identity(WORKER, Value::Null),
        identity(PARTNER, Value::Null),
        json!({"Effect": "Deny", "Principal": {"AWS": PARTNER}, "Action": "kms:*", "Resource": "*"}),
        json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
    ];
    (subsequence(all, 0..6), any::<bool>())
        .prop_map(|(chosen, delegates)| if delegates { key_document(&json!(chosen)) } else { document(&json!(chosen)) })
}

fn roles() -> impl Strategy<Value = Value> {
    let policy = || {
        select(vec![
            json!([]),
            json!([{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]),
            json!([{"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": KEY}]),
            json!([{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::data/*"}}}]),
            json!([{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}, {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": OTHER_KEY}]),
        ])
    };
    let known = (policy(), policy())
        .prop_map(|(firehose, worker)| json!({FIREHOSE: {"policies": [document(&firehose)]}, WORKER: {"policies": [document(&worker)]}}));
    prop_oneof![4 => known, 1 => Just(Value::Null), 1 => Just(denied("GetRole", "iam:GetRole"))]
}

fn used_keys() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![None, None, Some(KEY), Some(OTHER_KEY), Some("alias/finance"), Some(AWS_SQS_KEY), Some("alias/gone")])
}

fn messaging() -> impl Strategy<Value = Value> {
    let queues = (
        statements("sqs:*", "arn:aws:sqs:us-east-1:111122223333:orders"),
        statements("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:111122223333:dead"),
        used_keys(),
        used_keys(),
        any::<bool>(),
    );
    let topics = (statements("sns:Publish", "arn:aws:sns:us-east-1:111122223333:alarms"), used_keys(), any::<bool>());
    (queues, topics).prop_map(|((orders, dead, key, dead_key, linked), (publish, topic_key, subscribed))| {
        let dead_letters = if linked { json!("arn:aws:sqs:us-east-1:111122223333:dead") } else { Value::Null };
        let mut queues = queue("orders", &json!({"document": orders, "kmsKey": key, "sqsManagedSse": key.is_none(), "deadLetterQueue": dead_letters}));
        let dead = queue("dead", &json!({"document": dead, "kmsKey": dead_key, "sqsManagedSse": dead_key.is_none()}));
        queues.as_object_mut().unwrap().extend(dead.as_object().unwrap().clone());
        let subscription = json!({"id": "s", "topic": "arn:aws:sns:us-east-1:111122223333:alarms", "protocol": "sqs", "endpoint": "arn:aws:sqs:us-east-1:111122223333:orders"});
        json!({"queues": queues, "topics": topic("alarms", &json!({"document": publish, "kmsKey": topic_key})),
            "subscriptions": if subscribed { json!([subscription]) } else { json!([]) }})
    })
}

fn storage() -> impl Strategy<Value = Value> {
    let own_key = select(vec![None, Some(KEY), Some(OTHER_KEY)]);
    let held = (statements("s3:GetObject", "arn:aws:s3:::data/*"), used_keys(), any::<bool>(), any::<bool>());
    let streams = (own_key, used_keys(), any::<bool>(), any::<bool>());
    (held, streams).prop_map(|((readers, key, bucket_key, notifies), (own_key, source_key, delivers, encrypted))| {
        let encryption = match key {
            Some(key) => json!({"algorithm": "aws:kms", "kmsKey": key, "bucketKey": bucket_key}),
            None => json!({"algorithm": "AES256"}),
        };
        let targets = if notifies { json!(["arn:aws:sqs:us-east-1:111122223333:orders"]) } else { json!([]) };
        let settings = json!({"encryption": encryption, "document": readers, "notifications": {"targets": targets}});
        let mut destination = json!({"id": "d", "kind": "extendedS3", "bucket": "arn:aws:s3:::data", "role": FIREHOSE});
        if let Some(key) = own_key {
            destination["kmsKey"] = json!(key);
        }
        let stream_type = if encrypted { "DirectPut" } else { "KinesisStreamAsSource" };
        let mut description = json!({"streamType": stream_type, "status": "ACTIVE", "versionId": "1", "destinations": [destination]});
        if !encrypted {
            description["sourceStream"] = json!(SOURCE);
            description["sourceRole"] = json!(FIREHOSE);
        }
        let streams = if delivers { json!({STREAM: {"arn": STREAM, "name": "orders", "description": description}}) } else { json!({}) };
        let source = json!({"arn": SOURCE, "name": "clicks", "summary": {"status": "ACTIVE", "encrypted": source_key.is_some(), "kmsKey": source_key}});
        json!({"buckets": bucket("data", &settings), "deliveryStreams": streams, "dataStreams": {SOURCE: source}})
    })
}

fn worlds() -> impl Strategy<Value = Inventory> {
    let state = select(vec!["Enabled", "Enabled", "Enabled", "Disabled"]);
    (messaging(), storage(), key_texts(), key_texts(), state, roles()).prop_map(|(messaging, storage, one, other, state, roles)| {
        let mut more = messaging;
        more.as_object_mut().unwrap().extend(storage.as_object().unwrap().clone());
        more["keysAwaitingAlias"] = json!({});
        if !roles.is_null() {
            more["pathFacts"] = json!({ "roles": roles });
        }
        let mut world = inventory(&json!([]), &more);
        for (key, text) in [(KEY, one), (OTHER_KEY, other)] {
            let key = world.keys.get_mut(&Arn::parse(key).unwrap()).unwrap();
            key.document = crate::Reading::Known(text);
            key.rotation = crate::Reading::Known(crate::inventory::KeyRotation { enabled: true, period_in_days: None });
        }
        if let crate::Reading::Known(metadata) = &mut world.keys.get_mut(&Arn::parse(KEY).unwrap()).unwrap().metadata {
            state.clone_into(&mut metadata.state);
        }
        world
    })
}

/// Who is proven to get through, by resource: one line each, without what S3 and SQS tell KMS of the data itself.
fn through(world: &Inventory, policies: &PolicySet) -> BTreeSet<String> {
    let past = Past::default();
    let cx = Context { policies, inventory: world, now: 0, past: &past };
    let links = Links::of(world);
    let mut found = BTreeSet::new();
    for (arn, queue) in &world.queues {
        let key = queue.attributes.known().unwrap().kms_key.as_deref();
        note(&mut found, world, (arn, key), &users_of_queue(&cx, &links, arn).unwrap_or_default());
    }
    for (arn, topic) in &world.topics {
        let key = topic.attributes.known().unwrap().kms_key.as_deref();
        note(&mut found, world, (arn, key), &users_of_topic(&cx, &links, arn).unwrap_or_default());
    }
    for (arn, bucket) in &world.buckets {
        let BucketEncryption { algorithm, kms_key, bucket_key, blocked_encryption_types: _ } =
            bucket.encryption.known().cloned().flatten().unwrap();
        let key = algorithm.starts_with("aws:kms").then(|| kms_key.unwrap_or_else(|| "alias/aws/s3".into()));
        note(&mut found, world, (arn, key.as_deref()), &users_of_bucket(&cx, arn, bucket_key).unwrap_or_default());
        for (_, key, role) in super::delivery_keys_of_bucket(world, arn, bucket_key) {
            note(&mut found, world, (arn, Some(key)), &role);
        }
    }
    for (arn, stream) in &world.data_streams {
        let summary = stream.summary.known().unwrap();
        let key = summary.kms_key.as_deref().filter(|_| summary.encrypted);
        note(&mut found, world, (arn, key), &crate::kinesis::desired::known_users(&cx, arn).unwrap_or_default());
    }
    found
}

fn note(found: &mut BTreeSet<String>, world: &Inventory, (resource, key): (&Arn, Option<&str>), users: &[KeyUser]) {
    for user in users {
        if key.is_none_or(|key| user.actions.iter().all(|action| may(world, key, user, action))) {
            let context: Vec<_> = user.context.iter().filter(|(name, _)| !name.starts_with("kms:encryptioncontext")).collect();
            found.insert(format!("{resource}: {:?} {context:?}", user.principal));
        }
    }
}

fn may(world: &Inventory, reference: &str, user: &KeyUser, action: &str) -> bool {
    let ResolvedKey::Key(arn) = world.resolve_key(reference) else { return false };
    let Some(key) = world.keys.get(&arn) else { return false };
    let metadata = key.metadata.known().unwrap();
    if metadata.aws_managed {
        return matches!(&user.principal, Principal::Aws(name) if Arn::parse(name).is_ok_and(|name| name.account() == arn.account()));
    }
    let document = Document::parse(key.document.known().unwrap()).unwrap();
    let request =
        Request { principal: &user.principal, action, resource: arn.as_str(), context: &user.context, context_is_complete: false };
    metadata.state == "Enabled" && key_access(&document, &arn, &request, &role(world, &user.principal)).answer == Answer::Yes
}

/// The plan's order, or its contrary as far as the steps' needs allow.
fn in_order<'a>(steps: &[&'a Step], backwards: bool) -> Vec<&'a Step> {
    let mut left = steps.to_vec();
    let mut ordered: Vec<&Step> = Vec::new();
    while !left.is_empty() && backwards {
        let ready = |step: &&Step| !left.iter().any(|other| step.needs.contains(&other.id));
        let next = left.iter().rposition(ready).unwrap();
        ordered.push(left.remove(next));
    }
    ordered.extend(left);
    ordered
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn after_every_single_step_whoever_got_through_still_does(world in worlds(), spec in specs(), backwards in any::<bool>()) {
        let policies = policies(&spec);
        let mut world = world;
        let past = Past::default();
        let mut open = 1;
        for _ in 0..12 {
            let made = plan(&Context { policies: &policies, inventory: &world, now: 0, past: &past });
            let steps: Vec<_> = made.steps.iter().filter(|step| step.gate.is_none()).collect();
            open = steps.len();
            if steps.is_empty() {
                break;
            }
            for step in in_order(&steps, backwards) {
                let change = step.change.as_ref().unwrap();
                if change.waits_for_key().is_some() {
                    continue;
                }
                let before = through(&world, &policies);
                prop_assert_eq!(sim::standing(&world, &step.resource, change), sim::Standing::Before, "{} is written for nothing", step.id);
                sim::make(&mut world, &step.resource, change);
                let lost: Vec<_> = before.difference(&through(&world, &policies)).cloned().collect();
                prop_assert!(lost.is_empty(), "{} shuts out {:?}", step.id, lost);
            }
        }
        prop_assert_eq!(open, 0, "planned again and again");
    }
}
