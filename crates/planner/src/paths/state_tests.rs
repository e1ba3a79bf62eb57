//! How paths stand: every kind of hop sealed, exposed, broken and unknown, now and after the plan.
//!
//! What is expected comes from AWS's guides, named beside each case.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::model::{HopKind, NeedState, PathState, TroubleKind};
use super::{Paths, paths};
use crate::fixtures::{ACCOUNT, AWS_SQS_KEY, KEY, bucket, denied, document, fed, grant, inventory, key_document, policies, queue, topic};
use crate::{Arn, Inventory};

const BUCKET: &str = "arn:aws:s3:::data";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alarms";
const RULE: &str = "arn:aws:events:us-east-1:111122223333:rule/new-object";
const NOTHING: &str = "{}";

/// An inventory of which everything that paths hang on was read; `more` is laid over it.
pub(super) fn seen(key_statements: &Value, more: &Value) -> Inventory {
    let mut all = json!({"pathFacts": {"eventRules": [], "distributions": [], "channels": [], "roles": {}}});
    for (name, value) in more.as_object().unwrap() {
        match all.get_mut(name).and_then(Value::as_object_mut) {
            Some(known) => known.extend(value.as_object().unwrap().clone()),
            None => all[name] = value.clone(),
        }
    }
    fed(inventory(key_statements, &all))
}

/// A bucket all of whose ways on were read.
pub(super) fn whole_bucket(name: &str, settings: &Value) -> Value {
    let mut all = json!({"loggingTarget": null});
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    bucket(name, &all)
}

pub(super) fn merged(parts: &[Value]) -> Value {
    let mut all = json!({});
    for part in parts {
        all.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    }
    all
}

fn kms() -> Value {
    json!({"encryption": {"algorithm": "aws:kms", "kmsKey": KEY, "bucketKey": true}})
}

/// `now → after` of the path from `origin`.
pub(super) fn stands(paths: &Paths, origin: &str) -> String {
    let found = paths.paths.iter().find(|path| path.origin == origin);
    let path = found.unwrap_or_else(|| panic!("no path from {origin}: {:?}", paths.paths));
    if path.now == path.after { path.now.to_string() } else { format!("{} → {}", path.now, path.after) }
}

fn of(spec: &str, inventory: &Inventory) -> Paths {
    paths(&policies(spec), &[inventory])
}

fn trouble(paths: &Paths, kind: TroubleKind) -> String {
    let hops = paths.now.hops.values().flat_map(|hop| &hop.troubles);
    let troubles = paths.now.nodes.values().flat_map(|node| &node.troubles).chain(hops);
    let found: Vec<String> =
        troubles.filter(|trouble| trouble.kind == kind).map(|trouble| format!("{} {}", trouble.what, trouble.cure)).collect();
    assert!(!found.is_empty(), "no trouble {kind}: {:?}", paths.now);
    found.join("\n")
}

fn notifies(target: &str) -> Value {
    json!({"notifications": {"targets": [target]}})
}

fn with(one: &Value, other: &Value) -> Value {
    merged(&[one.clone(), other.clone()])
}

/// S3 publishes to a queue under a customer key only where that lets in `s3.amazonaws.com`. [SQS: Key management]
#[test]
fn a_notification_needs_the_source_service_on_the_queues_key() {
    let keyed = queue("orders", &json!({"kmsKey": KEY}));
    let world = |statements: &Value, attributes: &Value| {
        let queues = if attributes.is_null() { keyed.clone() } else { queue("orders", attributes) };
        seen(statements, &json!({"buckets": whole_bucket("data", &notifies(QUEUE)), "queues": queues}))
    };
    let lets_in = grant("s3.amazonaws.com", &json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": BUCKET}}));
    assert_eq!(stands(&of(NOTHING, &world(&json!([lets_in]), &json!(null))), BUCKET), "sealed");
    assert_eq!(stands(&of(NOTHING, &world(&json!([]), &json!({"sqsManagedSse": true}))), BUCKET), "sealed");
    assert_eq!(stands(&of(NOTHING, &world(&json!([]), &json!({}))), BUCKET), "exposed");

    let broken = of(NOTHING, &world(&json!([]), &json!(null)));
    assert_eq!(stands(&broken, BUCKET), "broken");
    let hop = &broken.now.hops[&(BUCKET.to_owned(), QUEUE.to_owned(), HopKind::Notification)];
    let need = &hop.needs[0];
    assert_eq!((need.principal.as_str(), need.state, need.key.as_str()), ("s3.amazonaws.com", NeedState::Unmet, KEY));
    assert_eq!(need.actions, ["kms:GenerateDataKey", "kms:Decrypt"]);
    assert_eq!(need.context["aws:sourcearn"], [BUCKET]);
    let statement: Value = serde_json::from_str(need.statement.as_ref().unwrap()).unwrap();
    assert_eq!(statement["Principal"], json!({"Service": "s3.amazonaws.com"}));
    let condition = statement["Condition"].to_string();
    assert!(condition.contains("aws:SourceArn") && condition.contains(BUCKET), "{condition}");
}

/// A statement for another bucket lets this one's events not through.
#[test]
fn a_grant_for_another_source_is_none() {
    let other = grant("s3.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::other"}}));
    let world = seen(
        &json!([other]),
        &json!({"buckets": whole_bucket("data", &notifies(QUEUE)), "queues": queue("orders", &json!({"kmsKey": KEY}))}),
    );
    assert_eq!(stands(&of(NOTHING, &world), BUCKET), "broken");
}

/// AWS-managed keys serve no service on its own behalf, and nobody can change that. [KMS concepts; SQS: Key management]
#[test]
fn an_aws_managed_key_silences_notifications_and_no_statement_helps() {
    for key in ["alias/aws/sqs", AWS_SQS_KEY] {
        let world = seen(
            &json!([]),
            &json!({"buckets": whole_bucket("data", &notifies(QUEUE)), "queues": queue("orders", &json!({"kmsKey": key}))}),
        );
        let found = of(NOTHING, &world);
        assert_eq!(stands(&found, BUCKET), "broken");
        let words = trouble(&found, TroubleKind::Need);
        assert!(words.contains("AWS-managed key") && !words.contains("Add this statement"), "{words}");
    }
}

#[test]
fn what_was_not_read_is_neither_sealed_nor_exposed() {
    let good = json!({"sqsManagedSse": true});
    let all = || json!({"buckets": whole_bucket("data", &notifies(QUEUE)), "queues": queue("orders", &good)});
    assert_eq!(stands(&of(NOTHING, &seen(&json!([]), &all())), BUCKET), "sealed");
    for setting in ["encryption", "document", "website", "replication", "loggingTarget"] {
        for reading in [json!("unread"), denied("Get", "s3:Get")] {
            let mut world = all();
            world["buckets"] = whole_bucket("data", &with(&notifies(QUEUE), &json!({ setting: reading })));
            assert_eq!(stands(&of(NOTHING, &seen(&json!([]), &world)), BUCKET), "unknown", "{setting}");
        }
    }
    let mut world = all();
    world["queues"] = queue("orders", &denied("GetQueueAttributes", "sqs:GetQueueAttributes"));
    assert_eq!(stands(&of(NOTHING, &seen(&json!([]), &world)), BUCKET), "unknown");
    let mut world = all();
    world["pathFacts"] = json!({"distributions": denied("ListDistributions", "cloudfront:ListDistributions")});
    let unread = of(NOTHING, &seen(&json!([]), &world));
    assert_eq!(stands(&unread, BUCKET), "unknown");
    assert!(trouble(&unread, TroubleKind::Unread).contains("cloudfront:ListDistributions"));
    // A queue of another account or region is not among what was read.
    let mut world = all();
    world["buckets"] = whole_bucket("data", &notifies("arn:aws:sqs:us-east-1:444455556666:theirs"));
    assert_eq!(stands(&of(NOTHING, &seen(&json!([]), &world)), BUCKET), "unknown");
}

#[test]
fn certain_exposure_weighs_more_than_what_was_not_read() {
    let world = seen(
        &json!([]),
        &json!({"buckets": whole_bucket("data", &with(&notifies(QUEUE), &json!({"website": "unread"}))), "queues": queue("orders", &json!({}))}),
    );
    assert_eq!(stands(&of(NOTHING, &world), BUCKET), "exposed");
}

/// Subscriptions: TLS to queues and functions, plain HTTP to `http`, nobody knows of mail. [SNS: Subscribe; SNS security]
#[test]
fn subscriptions_are_as_safe_as_their_protocol() {
    let world = |protocol: &str, endpoint: &str| {
        let subscription =
            json!([{"id": "arn:aws:sns:us-east-1:111122223333:alarms:1", "topic": TOPIC, "protocol": protocol, "endpoint": endpoint}]);
        let lets_in = grant("sns.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}}));
        seen(
            &json!([lets_in]),
            &json!({"topics": topic("alarms", &json!({"kmsKey": KEY})), "queues": queue("orders", &json!({"kmsKey": KEY})), "subscriptions": subscription}),
        )
    };
    for (protocol, endpoint, expected) in [
        ("sqs", QUEUE, "sealed"),
        ("lambda", "arn:aws:lambda:us-east-1:111122223333:function:f", "sealed"),
        ("https", "https://example.com/hook?token=secret", "sealed"),
        ("http", "http://user:secret@example.com/hook", "exposed"),
        ("email", "jane@example.com", "unknown"),
        ("sms", "+15555550142", "unknown"),
    ] {
        let found = of(NOTHING, &world(protocol, endpoint));
        assert_eq!(stands(&found, TOPIC), expected, "{protocol}");
        let shown = format!("{:?} {} {}", found.now, crate::render::paths_json(&found), crate::render::paths_dot(&found));
        assert!(!shown.contains("secret") && !shown.contains("jane") && !shown.contains("5555"), "{shown}");
    }
}

/// An encrypted topic reaches an encrypted queue only with `sns.amazonaws.com` on the queue's key. [SNS: encrypted topic and queue]
#[test]
fn an_encrypted_topic_needs_the_subscribed_queues_key() {
    let subscriptions =
        json!([{"id": "arn:aws:sns:us-east-1:111122223333:alarms:1", "topic": TOPIC, "protocol": "sqs", "endpoint": QUEUE}]);
    let world = seen(
        &json!([]),
        &json!({"topics": topic("alarms", &json!({"kmsKey": KEY})), "queues": queue("orders", &json!({"kmsKey": KEY})), "subscriptions": subscriptions}),
    );
    let found = of(NOTHING, &world);
    assert_eq!(stands(&found, TOPIC), "broken");
    assert!(trouble(&found, TroubleKind::Need).contains("sns.amazonaws.com"));
    // Nobody has confirmed it: nothing flows.
    let mut pending = world;
    if let crate::Reading::Known(subscriptions) = &mut pending.subscriptions {
        subscriptions[0].id = "PendingConfirmation".to_owned();
    }
    assert!(of(NOTHING, &pending).paths.is_empty());
}

fn event_world(bus: &str, pattern: &str, target: &Value, statements: &Value, more: &Value) -> Inventory {
    let rule = json!({"arn": RULE, "bus": bus, "enabled": true, "pattern": pattern, "targets": [target]});
    let mut all = json!({
        "buckets": whole_bucket("data", &json!({"notifications": {"targets": [], "eventBridge": true}})),
        "queues": queue("orders", &json!({"kmsKey": KEY})),
        "pathFacts": {"eventRules": [rule]},
    });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    seen(statements, &all)
}

/// A rule sends as `events.amazonaws.com`, to a queue with its own ARN, to a topic without any. [SQS: Key management; SNS: Managing keys and costs]
#[test]
fn eventbridge_rules_carry_bucket_events_on() {
    let s3 = r#"{"source": ["aws.s3"], "detail": {"bucket": {"name": ["data"]}}}"#;
    let to_queue = json!({"id": "t", "arn": QUEUE});
    let narrowed = grant("events.amazonaws.com", &json!({"ArnEquals": {"aws:SourceArn": RULE}}));
    assert_eq!(stands(&of(NOTHING, &event_world("default", s3, &to_queue, &json!([narrowed]), &json!({}))), BUCKET), "sealed");
    let broken = of(NOTHING, &event_world("default", s3, &to_queue, &json!([]), &json!({})));
    assert_eq!(stands(&broken, BUCKET), "broken");
    assert_eq!(broken.paths[0].branches[0].nodes, [BUCKET, RULE, QUEUE]);
    let to_topic = json!({"id": "t", "arn": TOPIC});
    let topics = json!({"topics": topic("alarms", &json!({"kmsKey": KEY}))});
    assert_eq!(stands(&of(NOTHING, &event_world("default", s3, &to_topic, &json!([narrowed]), &topics)), BUCKET), "unknown");
    let wide = grant("events.amazonaws.com", &json!(null));
    assert_eq!(stands(&of(NOTHING, &event_world("default", s3, &to_topic, &json!([wide]), &topics)), BUCKET), "sealed");
    // Rules of other buses and for other buckets take nothing from this one: the rule itself is where data begins.
    for (bus, pattern) in [
        ("orders", s3),
        ("default", r#"{"source": ["aws.s3"], "detail": {"bucket": {"name": ["other"]}}}"#),
        ("default", r#"{"source": ["aws.ec2"]}"#),
    ] {
        let found = of(NOTHING, &event_world(bus, pattern, &to_queue, &json!([narrowed]), &json!({})));
        assert_eq!(found.paths.iter().map(|path| path.origin.as_str()).collect::<Vec<_>>(), [RULE], "{pattern}");
    }
}

#[test]
fn a_rules_dead_letter_queue_and_role_have_needs_of_their_own() {
    let s3 = r#"{"source": ["aws.s3"]}"#;
    let dead = "arn:aws:sqs:us-east-1:111122223333:dead";
    let stream = "arn:aws:kinesis:us-east-1:111122223333:stream/events";
    let target = json!({"id": "t", "arn": stream, "role": "arn:aws:iam::111122223333:role/events", "deadLetterQueue": dead});
    let more = json!({
        "queues": queue("dead", &json!({"kmsKey": KEY})),
        "dataStreams": {stream: {"arn": stream, "name": "events", "summary": {"status": "ACTIVE", "encrypted": true, "kmsKey": KEY}}},
    });
    let found = of(NOTHING, &event_world("default", s3, &target, &json!([]), &more));
    let of_role = &found.now.hops[&(RULE.to_owned(), stream.to_owned(), HopKind::Target)].needs[0];
    assert_eq!((of_role.actions.as_slice(), of_role.state), (&["kms:GenerateDataKey".to_owned()][..], NeedState::Unknown));
    let to_dead = &found.now.hops[&(RULE.to_owned(), dead.to_owned(), HopKind::DeadLetter)].needs[0];
    assert_eq!((to_dead.principal.as_str(), to_dead.state), ("events.amazonaws.com", NeedState::Unmet));
    assert_eq!(stands(&found, BUCKET), "broken");
}

fn stream_world(role_policies: &Value, destination: &Value, settings: &Value) -> Inventory {
    let stream = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
    let role = "arn:aws:iam::111122223333:role/firehose";
    let mut part = json!({"id": "d-1", "kind": "extendedS3", "bucket": BUCKET, "role": role});
    part.as_object_mut().unwrap().extend(destination.as_object().unwrap().clone());
    let description = json!({"streamType": "DirectPut", "status": "ACTIVE", "versionId": "1", "encryption": {"status": "ENABLED", "keyType": "AWS_OWNED_CMK"}, "destinations": [part]});
    seen(
        &json!([]),
        &json!({
            "deliveryStreams": {stream: {"arn": stream, "name": "orders", "description": description}},
            "buckets": whole_bucket("data", settings),
            "pathFacts": {"roles": {role: {"policies": role_policies}}},
        }),
    )
}

/// The key's document delegates to IAM, so the role's own policies decide; with a bucket key S3 tells KMS the bucket's ARN,
/// else the object's. [Firehose: Controlling access; S3 Bucket Keys]
#[test]
fn firehose_delivers_where_its_role_may_use_the_buckets_key() {
    let stream = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
    let allow = |condition: &Value| {
        json!([document(
            &json!([{"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": KEY, "Condition": condition}])
        )])
    };
    let through = allow(&json!({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}));
    assert_eq!(stands(&of(NOTHING, &stream_world(&through, &json!({}), &kms())), stream), "sealed");
    assert_eq!(stands(&of(NOTHING, &stream_world(&json!([]), &json!({}), &json!({}))), stream), "sealed", "SSE-S3 needs nothing");
    assert_eq!(
        stands(&of(NOTHING, &stream_world(&json!([]), &json!({}), &kms())), stream),
        "broken",
        "PEERS: Firehose role without GenerateDataKey"
    );
    let objects = allow(&json!({"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::data/*"}}));
    assert_eq!(stands(&of(NOTHING, &stream_world(&objects, &json!({}), &kms())), stream), "broken", "the bucket key changes the context");
    let by_object = json!({"encryption": {"algorithm": "aws:kms", "kmsKey": KEY, "bucketKey": false}});
    assert_eq!(stands(&of(NOTHING, &stream_world(&objects, &json!({}), &by_object)), stream), "sealed");
    // The stream's own key counts before the bucket's default.
    assert_eq!(stands(&of(NOTHING, &stream_world(&json!([]), &json!({"kmsKey": KEY}), &json!({}))), stream), "broken");
}

#[test]
fn a_role_that_was_not_read_proves_nothing() {
    let stream = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
    let mut world = stream_world(&json!([]), &json!({}), &kms());
    world.path_facts.roles = crate::Reading::NotRead;
    assert_eq!(stands(&of(NOTHING, &world), stream), "unknown");
}

/// Firehose reads an encrypted data stream with its source role. [Kinesis: server-side encryption; PEERS: Firehose cannot read encrypted Kinesis source]
#[test]
fn firehose_reads_a_data_stream_with_its_source_role() {
    let source = "arn:aws:kinesis:us-east-1:111122223333:stream/ingest";
    let stream = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
    let role = "arn:aws:iam::111122223333:role/firehose";
    let world = |statements: &Value, encrypted: bool| {
        let summary = if encrypted {
            json!({"status": "ACTIVE", "encrypted": true, "kmsKey": KEY})
        } else {
            json!({"status": "ACTIVE", "encrypted": false})
        };
        let description = json!({"streamType": "KinesisStreamAsSource", "status": "ACTIVE", "versionId": "1", "sourceStream": source, "sourceRole": role,
            "destinations": [{"id": "d-1", "kind": "extendedS3", "bucket": BUCKET, "role": role}]});
        seen(
            statements,
            &json!({
                "dataStreams": {source: {"arn": source, "name": "ingest", "summary": summary}},
                "deliveryStreams": {stream: {"arn": stream, "name": "orders", "description": description}},
                "buckets": whole_bucket("data", &json!({})),
                "pathFacts": {"roles": {role: {"policies": []}}},
            }),
        )
    };
    let named = json!([{"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:Decrypt", "Resource": "*"}]);
    assert_eq!(stands(&of(NOTHING, &world(&named, true)), source), "sealed");
    assert_eq!(stands(&of(NOTHING, &world(&json!([]), true)), source), "broken");
    assert_eq!(stands(&of(NOTHING, &world(&json!([]), false)), source), "exposed");
}

/// A channel delivers over TLS with its role. [Kinesis Data Streams: Security for data delivery]
#[test]
fn channels_carry_a_data_stream_to_a_bucket() {
    let stream = "arn:aws:kinesis:us-east-1:111122223333:stream/ingest";
    let channel = "arn:aws:kinesis:us-east-1:111122223333:channel/raw";
    let role = "arn:aws:iam::111122223333:role/channel";
    let world = |policies: &Value, settings: &Value| {
        seen(
            &json!([]),
            &json!({
                "dataStreams": {stream: {"arn": stream, "name": "ingest", "summary": {"status": "ACTIVE", "encrypted": true, "kmsKey": KEY}}},
                "buckets": whole_bucket("data", settings),
                "pathFacts": {"channels": [{"arn": channel, "stream": stream, "bucket": BUCKET, "role": role}], "roles": {role: {"policies": policies}}},
            }),
        )
    };
    let found = of(NOTHING, &world(&json!([]), &json!({})));
    assert_eq!(found.paths[0].branches[0].nodes, [stream, channel, BUCKET]);
    assert_eq!(stands(&found, stream), "sealed");
    assert_eq!(stands(&of(NOTHING, &world(&json!([]), &kms())), stream), "broken");
    assert_eq!(
        stands(&of(NOTHING, &world(&json!([document(&json!([{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]))]), &kms())), stream),
        "sealed"
    );
}

fn site(origin: &Value, viewers: &[&str], settings: &Value, statements: &Value) -> Paths {
    let distribution = "arn:aws:cloudfront::111122223333:distribution/E1";
    let distributions = json!([{"arn": distribution, "domain": "d1.cloudfront.net", "enabled": true, "origins": [origin], "viewerProtocolPolicies": viewers}]);
    of(NOTHING, &seen(statements, &json!({"buckets": whole_bucket("data", settings), "pathFacts": {"distributions": distributions}})))
}

/// [S3: Website endpoints; CloudFront: Restrict access to an S3 origin; Require HTTPS]
#[test]
fn distributions_are_as_safe_as_their_origin_and_their_viewers() {
    let rest = "data.s3.us-east-1.amazonaws.com";
    let signed = json!({"domain": rest, "accessControl": "oac-1"});
    let https = ["redirect-to-https", "https-only"];
    assert_eq!(stands(&site(&signed, &https, &json!({}), &json!([])), BUCKET), "sealed");
    assert_eq!(stands(&site(&signed, &["https-only", "allow-all"], &json!({}), &json!([])), BUCKET), "exposed");
    let website = json!({"domain": "data.s3-website-us-east-1.amazonaws.com", "protocolPolicy": "http-only"});
    assert_eq!(stands(&site(&website, &https, &json!({}), &json!([])), BUCKET), "exposed");
    let unsigned = json!({"domain": rest});
    assert_eq!(stands(&site(&unsigned, &https, &json!({}), &json!([])), BUCKET), "sealed", "CloudFront follows the viewer's protocol");
    let identity = json!({"domain": rest, "accessIdentity": "origin-access-identity/cloudfront/E2"});
    assert_eq!(stands(&site(&identity, &https, &json!({}), &json!([])), BUCKET), "sealed");
    assert_eq!(stands(&site(&identity, &https, &kms(), &json!([])), BUCKET), "broken", "OAI can't read SSE-KMS");
    assert_eq!(stands(&site(&signed, &https, &kms(), &json!([])), BUCKET), "broken");
    let lets_in =
        grant("cloudfront.amazonaws.com", &json!({"StringEquals": {"aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/E1"}}));
    assert_eq!(stands(&site(&signed, &https, &kms(), &json!([lets_in])), BUCKET), "sealed");
    assert_eq!(stands(&site(&signed, &[], &json!({}), &json!([])), BUCKET), "unknown");
    assert_eq!(
        stands(&site(&signed, &https, &json!({"website": true}), &json!([])), BUCKET),
        "exposed",
        "the website endpoint is open as well"
    );
}

/// [S3: Replicating encrypted objects; Enabling server access logging]
#[test]
fn replication_and_access_logs_have_rules_of_their_own() {
    let copy = "arn:aws:s3:::copy";
    let role = "arn:aws:iam::111122223333:role/replicate";
    let world = |rule: &Value, policies: &Value| {
        let source = whole_bucket("data", &with(&kms(), &json!({"replication": [rule]})));
        seen(
            &json!([]),
            &json!({"buckets": merged(&[source, whole_bucket("copy", &json!({}))]), "pathFacts": {"roles": {role: {"policies": policies}}}}),
        )
    };
    let behind = json!({"id": "r", "destination": copy, "replicatesKmsObjects": false, "role": role});
    assert_eq!(stands(&of(NOTHING, &world(&behind, &json!([]))), BUCKET), "broken");
    let whole = json!({"id": "r", "destination": copy, "replicatesKmsObjects": true, "replicaKmsKey": KEY, "role": role});
    assert_eq!(stands(&of(NOTHING, &world(&whole, &json!([]))), BUCKET), "broken");
    let may = |actions: &Value| json!([document(&json!([{"Effect": "Allow", "Action": actions, "Resource": KEY}]))]);
    assert_eq!(stands(&of(NOTHING, &world(&whole, &may(&json!(["kms:Decrypt"])))), BUCKET), "broken", "Encrypt at the destination");
    assert_eq!(stands(&of(NOTHING, &world(&whole, &may(&json!(["kms:Decrypt", "kms:Encrypt"])))), BUCKET), "sealed");

    let logs = |target: &Value| {
        let source = whole_bucket("data", &json!({"loggingTarget": "logs"}));
        of(NOTHING, &seen(&json!([]), &json!({"buckets": merged(&[source, whole_bucket("logs", target)])})))
    };
    assert_eq!(stands(&logs(&json!({})), BUCKET), "sealed");
    assert_eq!(stands(&logs(&kms()), BUCKET), "broken");
}

/// A message goes on being what it was: the reader of the dead letters needs the source queue's key, the move itself nothing. [SQS SSE]
#[test]
fn dead_letters_are_a_hop_without_needs() {
    let dead = "arn:aws:sqs:us-east-1:111122223333:dead";
    let queues =
        merged(&[queue("orders", &json!({"kmsKey": KEY, "deadLetterQueue": dead})), queue("dead", &json!({"sqsManagedSse": true}))]);
    let found = of(NOTHING, &seen(&json!([]), &json!({ "queues": queues })));
    assert_eq!(stands(&found, QUEUE), "sealed");
    assert!(found.now.hops[&(QUEUE.to_owned(), dead.to_owned(), HopKind::DeadLetter)].needs.is_empty());
}

/// A key that is disabled or waits for its deletion can be used by nobody. [KMS: Key states]
#[test]
fn a_key_that_does_not_work_breaks_whatever_needs_it() {
    let lets_in = json!([grant("s3.amazonaws.com", &json!(null))]);
    for (state, expected) in [("Enabled", "sealed"), ("Disabled", "broken"), ("PendingDeletion", "broken"), ("Creating", "unknown")] {
        let mut world =
            seen(&lets_in, &json!({"buckets": whole_bucket("data", &notifies(QUEUE)), "queues": queue("orders", &json!({"kmsKey": KEY}))}));
        if let Some(crate::Reading::Known(metadata)) = world.keys.get_mut(&Arn::parse(KEY).unwrap()).map(|key| &mut key.metadata) {
            state.clone_into(&mut metadata.state);
        }
        assert_eq!(stands(&of(NOTHING, &world), BUCKET), expected, "{state}");
    }
    // SQS takes any text for a key: a typo stands for no key at all.
    let typo = seen(
        &lets_in,
        &json!({"buckets": whole_bucket("data", &notifies(QUEUE)), "queues": queue("orders", &json!({"kmsKey": "alias/typo"}))}),
    );
    assert_eq!(stands(&of(NOTHING, &typo), BUCKET), "broken");
}

/// Producers and consumers of another account are named by documents; an AWS-managed key never lets them in.
#[test]
fn strangers_in_documents_are_producers_and_consumers() {
    let (theirs, reader) = ("arn:aws:iam::444455556666:role/send", "arn:aws:iam::444455556666:role/read");
    let statements = json!([
        {"Effect": "Allow", "Principal": {"AWS": theirs}, "Action": "sqs:SendMessage", "Resource": QUEUE},
        {"Effect": "Allow", "Principal": {"AWS": reader}, "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": QUEUE},
    ]);
    let world = |key: &str, key_statements: &Value| {
        seen(key_statements, &json!({"queues": queue("orders", &json!({"kmsKey": key, "document": document(&statements)}))}))
    };
    let grants = json!([
        {"Effect": "Allow", "Principal": {"AWS": theirs}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": reader}, "Action": "kms:Decrypt", "Resource": "*"},
    ]);
    let sealed = of(NOTHING, &world(KEY, &grants));
    assert_eq!(stands(&sealed, theirs), "sealed");
    assert_eq!(sealed.paths[0].branches[0].nodes, [theirs, QUEUE, reader]);
    assert_eq!(stands(&of(NOTHING, &world(KEY, &json!([grants[0]]))), theirs), "broken");
    assert_eq!(stands(&of(NOTHING, &world("alias/aws/sqs", &json!([]))), theirs), "broken");
    let everybody = document(&json!([{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": QUEUE}]));
    let open = seen(&json!([]), &json!({"queues": queue("orders", &json!({"kmsKey": KEY, "document": everybody}))}));
    assert_eq!(stands(&of(NOTHING, &open), "anybody (whom the document of queue orders lets in)"), "unknown");
}

/// A document's permission is no flow where the source's own settings say otherwise.
#[test]
fn a_permission_whose_source_sends_nothing_is_no_hop() {
    let permits = document(
        &json!([{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": QUEUE, "Condition": {"ArnLike": {"aws:SourceArn": BUCKET}}}]),
    );
    let world = |settings: &Value| {
        seen(
            &json!([]),
            &json!({"buckets": whole_bucket("data", settings), "queues": queue("orders", &json!({"sqsManagedSse": true, "document": permits}))}),
        )
    };
    assert!(of(NOTHING, &world(&json!({}))).paths.is_empty());
    let known = of(NOTHING, &world(&notifies(QUEUE)));
    assert_eq!(known.now.hops.len(), 1, "{:?}", known.now.hops);
    assert_eq!(of(NOTHING, &world(&json!({"notifications": "unread"}))).now.hops.len(), 1);
}

/// The policy names producers and consumers of its keys: they stand where data begins and ends.
#[test]
fn usable_by_names_who_stands_at_the_ends() {
    let (ingest, settle) = ("arn:aws:iam::111122223333:role/ingest", "arn:aws:iam::111122223333:role/settle");
    let spec = format!(
        "{{keys: [{{alias: alias/finance, usableBy: {{services: [s3], producers: ['{ingest}'], consumers: ['{settle}']}}}}], s3: [{{name: a, atRest: {{algorithm: 'aws:kms', key: alias/finance, bucketKey: true}}}}], sqs: [{{name: a, atRest: {{encryption: SSE-KMS, key: alias/finance}}}}]}}"
    );
    let world = seen(
        &json!([]),
        &json!({"buckets": whole_bucket("data", &with(&kms(), &notifies(QUEUE))), "queues": queue("orders", &json!({"kmsKey": KEY}))}),
    );
    let found = of(&spec, &world);
    assert_eq!(found.paths[0].branches[0].nodes, [ingest, BUCKET, QUEUE, settle]);
    // Today the key lets in neither S3 nor the two roles; the plan's first step is its document.
    assert_eq!(stands(&found, ingest), "broken → sealed");
    assert_eq!(found.tally().blocked, 1);
}

/// Exposed today, sealed by the plan: default encryption of queues and the refusal of plain HTTP.
#[test]
fn the_plan_seals_what_it_may_change() {
    let spec = "{sqs: [{name: a, atRest: {encryption: SSE-SQS}, inTransit: {denyInsecureTransport: true}}], s3: [{name: a, inTransit: {denyInsecureTransport: true}}]}";
    let all = json!({"buckets": whole_bucket("data", &notifies(QUEUE)), "queues": queue("orders", &json!({}))});
    let found = of(spec, &seen(&json!([]), &all));
    assert_eq!(stands(&found, BUCKET), "exposed → sealed");
    assert!(trouble(&found, TroubleKind::AcceptsHttp).contains("plain HTTP"));
    assert_eq!(found.tally().exposed, 1);
    // In audit mode every step is blocked.
    let mut audit = policies(spec);
    audit.policies[0].spec.mode = crate::policy::model::Mode::Audit;
    let found = paths(&audit, &[&seen(&json!([]), &all)]);
    assert_eq!(stands(&found, BUCKET), "exposed");
    assert_eq!(found.tally().blocked, 1);
}

/// A key that must be made first, its document, then the queue: several rounds of planning, one path.
#[test]
fn steps_that_wait_for_a_key_count_as_made() {
    let spec = "{keys: [{alias: alias/new, usableBy: {services: [s3]}}], sqs: [{name: a, atRest: {encryption: SSE-KMS, key: alias/new}}]}";
    let world = seen(
        &json!([]),
        &json!({"buckets": whole_bucket("data", &notifies(QUEUE)), "queues": queue("orders", &json!({})), "keysAwaitingAlias": {}}),
    );
    let found = of(spec, &world);
    assert_eq!(stands(&found, BUCKET), "exposed → sealed");
    assert_eq!(found.after.nodes[QUEUE].key.as_deref(), Some("alias/new"));
}

#[test]
fn rings_are_followed_once() {
    let second = "arn:aws:sqs:us-east-1:111122223333:second";
    let queues = merged(&[
        queue("orders", &json!({"sqsManagedSse": true, "deadLetterQueue": second})),
        queue("second", &json!({"deadLetterQueue": QUEUE})),
    ]);
    let found = of(NOTHING, &seen(&json!([]), &json!({ "queues": queues })));
    assert_eq!(found.paths.len(), 1);
    assert_eq!(found.paths[0].branches.iter().map(|branch| branch.nodes.clone()).collect::<Vec<_>>(), [[QUEUE, second, QUEUE]]);
    assert_eq!(stands(&found, QUEUE), "exposed");
}

/// A service has no policies of its own: only the queue's document lets it in, for this source. [S3: Granting permissions to
/// publish event notification messages to a destination]
#[test]
fn a_queue_whose_document_does_not_let_the_service_in_breaks_the_path() {
    let stands_with = |document: &Value| {
        let queues = queue("orders", &json!({"sqsManagedSse": true, "document": document}));
        let world = merged(&[json!({"buckets": whole_bucket("data", &notifies(QUEUE)), "queues": queues})]);
        let facts = json!({"pathFacts": {"eventRules": [], "distributions": [], "channels": [], "roles": {}}});
        of(NOTHING, &inventory(&json!([]), &merged(&[facts, world])))
    };
    let letting = |service: &str, condition: &Value| {
        let statement =
            json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:*", "Resource": QUEUE, "Condition": condition});
        stands(&stands_with(&document(&json!([statement])).into()), BUCKET)
    };
    assert_eq!(letting("s3.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::da*"}})), "sealed");
    assert_eq!(letting("s3.amazonaws.com", &json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}})), "sealed");
    assert_eq!(letting("s3.amazonaws.com", &json!({"Bool": {"aws:SecureTransport": "true"}})), "sealed", "AWS sends over TLS");
    assert_eq!(letting("s3.amazonaws.com", &json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::other"}})), "broken");
    assert_eq!(letting("s3.amazonaws.com", &json!({"StringEquals": {"aws:SourceAccount": "444455556666"}})), "broken");
    assert_eq!(letting("sns.amazonaws.com", &json!({})), "broken");
    // Nobody knows all that S3 says of its requests, and it tried the queue when the notification was set.
    assert_eq!(letting("s3.amazonaws.com", &json!({"StringEquals": {"aws:SourceOrgID": "o-0123456789"}})), "sealed");

    let shut = stands_with(&Value::Null);
    assert_eq!(stands(&shut, BUCKET), "broken");
    let trouble = &shut.now.hops[&(BUCKET.to_owned(), QUEUE.to_owned(), HopKind::Notification)].troubles[0];
    assert_eq!(trouble.kind, TroubleKind::Need);
    let statement: Value =
        serde_json::from_str(trouble.cure.split_once(": {").map(|(_, rest)| format!("{{{rest}")).unwrap().as_str()).unwrap();
    assert_eq!(statement["Action"], "sqs:SendMessage");
    assert_eq!(statement["Condition"]["ArnEquals"]["aws:SourceArn"], BUCKET);
    // With the statement that is asked for, data gets through.
    assert_eq!(stands(&stands_with(&document(&json!([statement])).into()), BUCKET), "sealed");
}

/// A topic in one account and region, its queue in another: seen together they are one path. [SNS: cross-account and cross-Region delivery]
#[test]
fn paths_cross_accounts_and_regions() {
    let theirs = "arn:aws:sqs:eu-west-1:444455556666:orders";
    let their_key = "arn:aws:kms:eu-west-1:444455556666:key/0a1b2c3d-0000-4000-8000-00000000000e";
    let subscriptions =
        json!([{"id": "arn:aws:sns:us-east-1:111122223333:alarms:1", "topic": TOPIC, "protocol": "sqs", "endpoint": theirs}]);
    let ours = seen(&json!([]), &json!({"topics": topic("alarms", &json!({"kmsKey": KEY})), "subscriptions": subscriptions}));
    let lets_in = document(
        &json!([{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": theirs, "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}}}]),
    );
    let there = |statements: &Value| -> Inventory {
        serde_json::from_value(json!({
            "scope": {"partition": "aws", "account": "444455556666", "region": "eu-west-1"}, "observedAt": 1_750_000_000,
            "subscriptions": [], "aliases": {"alias/theirs": their_key},
            "queues": {theirs: {"arn": theirs, "url": "u", "attributes": {"kmsKey": "alias/theirs", "document": lets_in}}},
            "keys": {their_key: {"arn": their_key, "metadata": {"state": "Enabled", "awsManaged": false, "usage": "ENCRYPT_DECRYPT", "spec": "SYMMETRIC_DEFAULT", "origin": "AWS_KMS"}, "document": key_document(statements).replace(ACCOUNT, "444455556666")}},
        }))
        .unwrap()
    };
    let alone = of(NOTHING, &ours);
    assert_eq!(stands(&alone, TOPIC), "unknown");
    let shut = there(&json!([]));
    let together = paths(&policies(NOTHING), &[&ours, &shut]);
    assert_eq!(stands(&together, TOPIC), "broken");
    let open = there(
        &json!([{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": TOPIC.replace(ACCOUNT, "444455556666")}}}]),
    );
    // The fixture's account is replaced in the statement as well: it names another topic.
    assert_eq!(stands(&paths(&policies(NOTHING), &[&ours, &open]), TOPIC), "broken");
    let wide = there(
        &json!([{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*"}]),
    );
    assert_eq!(stands(&paths(&policies(NOTHING), &[&ours, &wide]), TOPIC), "sealed");
    assert_eq!(stands(&paths(&policies(NOTHING), &[&wide, &ours]), TOPIC), "sealed", "in whatever order they come");
}

/// Firehose asks producers for the key on streams made since 2026-04-20, on all from 2027-02-28. [Firehose: Data protection]
#[test]
fn firehose_producers_need_the_key_once_firehose_asks() {
    let ingest = "arn:aws:iam::111122223333:role/ingest";
    let stream = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
    let spec = format!("{{keys: [{{alias: alias/finance, usableBy: {{producers: ['{ingest}']}}}}]}}");
    let world = |created: i64| {
        let description = json!({"streamType": "DirectPut", "status": "ACTIVE", "versionId": "1", "createdAt": created, "encryption": {"status": "ENABLED", "keyType": "CUSTOMER_MANAGED_CMK", "kmsKey": KEY},
            "destinations": [{"id": "d-1", "kind": "extendedS3", "bucket": BUCKET, "role": "arn:aws:iam::111122223333:role/firehose"}]});
        let shut_out = json!([{"Effect": "Deny", "Principal": {"AWS": ingest}, "Action": "kms:GenerateDataKey", "Resource": "*"}]);
        seen(
            &shut_out,
            &json!({"deliveryStreams": {stream: {"arn": stream, "name": "orders", "description": description}}, "buckets": whole_bucket("data", &json!({}))}),
        )
    };
    let mut audit = policies(&spec);
    audit.policies[0].spec.mode = crate::policy::model::Mode::Audit;
    // 2025-01-01 and 2026-06-01.
    assert_eq!(stands(&paths(&audit, &[&world(1_735_689_600)]), ingest), "sealed");
    assert_eq!(stands(&paths(&audit, &[&world(1_780_272_000)]), ingest), "broken");
}

/// A topic that fans out to very many queues: the state is that of all of them, the list is bounded.
#[test]
fn fan_out_is_bounded_and_its_state_is_not() {
    let name = |n: usize| format!("q{n:05}");
    let count = 10_000;
    let subscriptions: Vec<Value> = (0..count)
        .map(|n| json!({"id": "arn:aws:sns:us-east-1:111122223333:alarms:1", "topic": TOPIC, "protocol": "sqs", "endpoint": format!("arn:aws:sqs:us-east-1:111122223333:{}", name(n))}))
        .collect();
    let queues: Vec<Value> = (0..count).map(|n| queue(&name(n), &json!({"sqsManagedSse": n + 1 < count}))).collect();
    let topics = topic("alarms", &json!({"kmsKey": KEY}));
    let found = of(NOTHING, &seen(&json!([]), &json!({"topics": topics, "queues": merged(&queues), "subscriptions": subscriptions})));
    assert_eq!(found.paths[0].branches.len(), super::MOST_BRANCHES);
    assert!(found.paths[0].more);
    assert!(found.paths[0].branches.iter().all(|branch| branch.now == PathState::Sealed));
    assert_eq!(stands(&found, TOPIC), "exposed", "the last of all is open");
    assert!(crate::render::paths_text(&found, crate::render::Paint::Plain).lines().count() < 1_000);
}
