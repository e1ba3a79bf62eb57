//! Known users: who they are, what they need, what AWS tells KMS of them.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::document::Principal;
use crate::fixtures::{bucket, denied, document, inventory, queue, topic};
use crate::paths::users::users_of_bucket;
use crate::paths::{Links, delivery_keys_of_bucket, users_of_queue, users_of_topic};
use crate::plan::Context;
use crate::plan::context::Past;
use crate::plan::keys::KeyUser;
use crate::plan::step::{Block, Gate};
use crate::{Arn, Inventory, PolicySet};

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alarms";
const BUCKET: &str = "arn:aws:s3:::data";

type Users = Result<Vec<KeyUser>, Block>;

fn with<T>(inventory: &Inventory, ask: impl FnOnce(&Context<'_>) -> T) -> T {
    let past = Past::default();
    ask(&Context { policies: &PolicySet::default(), inventory, now: 0, past: &past })
}

fn of_queue(statements: &Value, more: &Value) -> Users {
    let mut all = json!({"queues": queue("orders", &json!({"document": document(statements)}))});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    with(&inventory(&json!([]), &all), |cx| users_of_queue(cx, &Links::of(cx.inventory), &Arn::parse(QUEUE).unwrap()))
}

fn of_topic(statements: &Value) -> Users {
    let all = json!({"topics": topic("alarms", &json!({"document": document(statements)}))});
    with(&inventory(&json!([]), &all), |cx| users_of_topic(cx, &Links::of(cx.inventory), &Arn::parse(TOPIC).unwrap()))
}

fn of_bucket(statements: &Value, bucket_key: bool) -> Users {
    let all = json!({"buckets": bucket("data", &json!({"document": document(statements)}))});
    with(&inventory(&json!([]), &all), |cx| users_of_bucket(cx, &Arn::parse(BUCKET).unwrap(), bucket_key))
}

fn allow(principal: &Value, action: &Value, condition: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

/// `principal actions context` of each, for comparison.
fn shown(users: &Users) -> Vec<String> {
    let one = |user: &KeyUser| {
        let (Principal::Aws(name) | Principal::Service(name)) = &user.principal;
        let context = user.context.iter().filter(|(key, _)| *key != "aws:securetransport");
        let context: Vec<_> = context.map(|(key, values)| format!("{key}={}", values.join("|"))).collect();
        format!("{name} {} {}", user.actions.join("+"), context.join(" "))
    };
    users.as_ref().unwrap().iter().map(one).collect()
}

const SEND: &str = "kms:GenerateDataKey+kms:Decrypt";

#[test]
fn a_service_in_a_queue_document_brings_its_conditions_along() {
    let condition = json!({"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/nightly"}, "StringEquals": {"AWS:SourceAccount": "111122223333"}});
    let users = of_queue(&json!([allow(&json!({"Service": "events.amazonaws.com"}), &json!("sqs:SendMessage"), &condition)]), &json!({}));
    assert_eq!(
        shown(&users),
        [format!(
            "events.amazonaws.com {SEND} aws:sourceaccount=111122223333 aws:sourcearn=arn:aws:events:us-east-1:111122223333:rule/nightly"
        )]
    );
}

#[test]
fn the_bucket_pattern_of_the_guide_names_one_bucket() {
    // S3's own example for event notifications uses ArnLike arn:aws:s3:*:*:bucket.
    let condition = json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:uploads"}, "StringEquals": {"aws:SourceAccount": "111122223333"}});
    let users = of_queue(&json!([allow(&json!({"Service": "s3.amazonaws.com"}), &json!("SQS:SendMessage"), &condition)]), &json!({}));
    assert_eq!(shown(&users), [format!("s3.amazonaws.com {SEND} aws:sourceaccount=111122223333 aws:sourcearn=arn:aws:s3:::uploads")]);
}

#[test]
fn a_pattern_that_stands_for_many_sources_stays_one() {
    let pattern = "arn:aws:events:us-east-1:111122223333:rule/*";
    let of = |arn: &str| {
        of_queue(
            &json!([allow(&json!({"Service": "events.amazonaws.com"}), &json!("sqs:*"), &json!({"ArnLike": {"aws:SourceArn": arn}}))]),
            &json!({}),
        )
    };
    assert_eq!(shown(&of(pattern)), [format!("events.amazonaws.com {SEND} aws:sourceaccount=111122223333 aws:sourcearn={pattern}")]);
    // What is no ARN, or holds a policy variable, says nothing.
    for vague in ["*", "arn:aws:events:us-east-1:${aws:PrincipalAccount}:rule/x"] {
        assert_eq!(shown(&of(vague)), [format!("events.amazonaws.com {SEND} ")]);
    }
}

#[test]
fn everybody_narrowed_by_a_topic_is_that_topics_service() {
    let condition = json!({"ArnEquals": {"aws:SourceArn": TOPIC}});
    let users = of_queue(&json!([allow(&json!("*"), &json!("sqs:SendMessage"), &condition)]), &json!({}));
    assert_eq!(shown(&users), [format!("sns.amazonaws.com {SEND} aws:sourceaccount=111122223333 aws:sourcearn={TOPIC}")]);
}

#[test]
fn everybody_and_open_conditions_can_not_be_named() {
    for condition in [
        json!(null),
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-123"}}),
        json!({"StringEqualsIfExists": {"aws:SourceArn": TOPIC}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:lambda:us-east-1:111122223333:function:f"}}),
        json!({"StringNotEquals": {"aws:SourceAccount": "999999999999"}}),
    ] {
        let block = of_queue(&json!([allow(&json!({"AWS": "*"}), &json!("sqs:SendMessage"), &condition)]), &json!({})).unwrap_err();
        assert_eq!(block.name, Gate::KeyUse, "{condition}");
        assert!(block.reason.contains("queue orders") && block.reason.contains("everybody"), "{}", block.reason);
    }
    let except = json!({"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/x"}, "Action": "sqs:SendMessage", "Resource": "*"});
    assert_eq!(of_queue(&json!([except]), &json!({})).unwrap_err().name, Gate::KeyUse);
    let federated = allow(&json!({"Federated": "accounts.google.com"}), &json!("sqs:SendMessage"), &json!(null));
    assert_eq!(of_queue(&json!([federated]), &json!({})).unwrap_err().name, Gate::KeyUse);
}

#[test]
fn the_own_account_is_delegation_and_no_user() {
    for statement in [
        allow(&json!({"AWS": "arn:aws:iam::111122223333:root"}), &json!("sqs:*"), &json!(null)),
        allow(&json!({"AWS": "111122223333"}), &json!("sqs:*"), &json!(null)),
        allow(&json!("*"), &json!("sqs:*"), &json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}})),
        // The id that a deleted role leaves behind is nobody.
        allow(&json!({"AWS": "AROAEXAMPLEID"}), &json!("sqs:*"), &json!(null)),
        json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
    ] {
        assert_eq!(shown(&of_queue(&json!([statement]), &json!({}))), Vec::<String>::new());
    }
}

#[test]
fn other_accounts_and_named_roles_need_what_they_do() {
    let statements = json!([
        allow(&json!({"AWS": "444455556666"}), &json!("sqs:SendMessage"), &json!(null)),
        allow(&json!({"AWS": "arn:aws:iam::111122223333:role/worker"}), &json!(["sqs:ReceiveMessage", "sqs:DeleteMessage"]), &json!(null)),
        allow(&json!({"AWS": "arn:aws:iam::111122223333:role/worker"}), &json!("sqs:SendMessage*"), &json!(null)),
        allow(&json!({"AWS": "arn:aws:iam::111122223333:role/admin"}), &json!("sqs:PurgeQueue"), &json!(null)),
    ]);
    let at = "kms:encryptioncontext:aws:sqs:arn=arn:aws:sqs:us-east-1:111122223333:orders kms:viaservice=sqs.us-east-1.amazonaws.com";
    assert_eq!(
        shown(&of_queue(&statements, &json!({}))),
        [
            format!("arn:aws:iam::444455556666:root {SEND} kms:calleraccount=444455556666 {at}"),
            format!("arn:aws:iam::111122223333:role/worker kms:Decrypt+kms:GenerateDataKey kms:calleraccount=111122223333 {at}"),
        ]
    );
}

#[test]
fn subscriptions_and_bucket_notifications_use_the_queues_key() {
    let more = json!({
        "subscriptions": [
            {"id": "arn:aws:sns:us-east-1:111122223333:alarms:1", "topic": TOPIC, "protocol": "sqs", "endpoint": QUEUE},
            {"id": "arn:aws:sns:us-east-1:111122223333:alarms:2", "topic": TOPIC, "protocol": "https", "endpoint": "https://example.com"},
        ],
        "buckets": bucket("uploads", &json!({"notifications": {"targets": [QUEUE]}})),
    });
    assert_eq!(
        shown(&of_queue(&json!([]), &more)),
        [
            format!("sns.amazonaws.com {SEND} aws:sourceaccount=111122223333 aws:sourcearn={TOPIC}"),
            format!("s3.amazonaws.com {SEND} aws:sourceaccount=111122223333 aws:sourcearn=arn:aws:s3:::uploads"),
        ]
    );
}

#[test]
fn the_same_user_seen_twice_is_one() {
    let more = json!({"subscriptions": [{"id": "x", "topic": TOPIC, "protocol": "sqs", "endpoint": QUEUE}]});
    let condition = json!({"ArnEquals": {"aws:SourceArn": TOPIC}});
    let users = of_queue(&json!([allow(&json!({"Service": "sns.amazonaws.com"}), &json!("sqs:SendMessage"), &condition)]), &more);
    assert_eq!(shown(&users).len(), 1);
}

#[test]
fn readers_of_a_dead_letter_queue_need_the_source_queues_key() {
    let dlq = "arn:aws:sqs:us-east-1:111122223333:orders-dlq";
    let reader = allow(&json!({"AWS": "arn:aws:iam::444455556666:role/ops"}), &json!("sqs:ReceiveMessage"), &json!(null));
    let mut queues = queue("orders", &json!({"deadLetterQueue": dlq}));
    queues[dlq] = queue("orders-dlq", &json!({"document": document(&json!([reader]))}))[dlq].clone();
    let all = inventory(&json!([]), &json!({"queues": queues}));
    let users = with(&all, |cx| users_of_queue(cx, &Links::of(cx.inventory), &Arn::parse(QUEUE).unwrap()));
    assert_eq!(users.as_ref().unwrap().len(), 1);
    assert_eq!(users.as_ref().unwrap()[0].actions, ["kms:Decrypt"]);
    assert!(users.unwrap()[0].role.contains("reads messages of queue orders from its dead-letter queue orders-dlq"));
}

#[test]
fn a_document_that_is_not_known_is_not_nobody() {
    let arn = Arn::parse(QUEUE).unwrap();
    let unreadable =
        json!({"queues": {QUEUE: {"arn": QUEUE, "url": "u", "attributes": denied("GetQueueAttributes", "sqs:GetQueueAttributes")}}});
    let broken = json!({"queues": queue("orders", &json!({"document": "{"}))});
    let not_read = json!({"queues": {QUEUE: {"arn": QUEUE, "url": "u"}}});
    for more in [unreadable, broken, not_read] {
        let block = with(&inventory(&json!([]), &more), |cx| users_of_queue(cx, &Links::of(cx.inventory), &arn)).unwrap_err();
        assert_eq!(block.name, Gate::Unread);
        assert!(block.reason.contains("nobody knows who uses it"));
    }
}

#[test]
fn event_bridge_sends_a_topic_neither_account_nor_arn() {
    let condition = json!({"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}, "StringEquals": {"aws:SourceAccount": "111122223333"}});
    let events = allow(&json!({"Service": "events.amazonaws.com"}), &json!("sns:Publish"), &condition);
    assert_eq!(shown(&of_topic(&json!([events]))), [format!("events.amazonaws.com {SEND} ")]);
    let alarms = json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:111122223333:alarm:high"}});
    let cloudwatch = allow(&json!({"Service": "cloudwatch.amazonaws.com"}), &json!("sns:Publish"), &alarms);
    assert_eq!(
        shown(&of_topic(&json!([cloudwatch]))),
        [format!(
            "cloudwatch.amazonaws.com {SEND} aws:sourceaccount=111122223333 aws:sourcearn=arn:aws:cloudwatch:us-east-1:111122223333:alarm:high"
        )]
    );
}

#[test]
fn a_topics_default_statement_is_delegation() {
    let default = json!({
        "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:Publish", "SNS:Subscribe"], "Resource": TOPIC,
        "Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}
    });
    assert_eq!(shown(&of_topic(&json!([default]))), Vec::<String>::new());
}

#[test]
fn s3_tells_kms_the_bucket_or_the_object() {
    let reader = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:role/r"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/in/*"});
    let at =
        "arn:aws:iam::444455556666:role/r kms:Decrypt kms:calleraccount=444455556666 kms:encryptioncontext:aws:s3:arn=arn:aws:s3:::data";
    assert_eq!(shown(&of_bucket(&json!([reader]), true)), [format!("{at} kms:viaservice=s3.us-east-1.amazonaws.com")]);
    assert_eq!(shown(&of_bucket(&json!([reader]), false)), [format!("{at}/in/object kms:viaservice=s3.us-east-1.amazonaws.com")]);
}

#[test]
fn an_origin_access_identity_can_use_no_key() {
    let identity = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE";
    let block = of_bucket(&json!([allow(&json!({ "AWS": identity }), &json!("s3:GetObject"), &json!(null))]), true).unwrap_err();
    assert_eq!(block.name, Gate::KeyUse);
    assert!(block.reason.contains("origin access control"));
    let distribution = "arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE";
    let condition = json!({"StringEquals": {"AWS:SourceArn": distribution}});
    let control = of_bucket(&json!([allow(&json!({"Service": "cloudfront.amazonaws.com"}), &json!("s3:GetObject"), &condition)]), true);
    assert_eq!(
        shown(&control),
        [format!(
            "cloudfront.amazonaws.com kms:Decrypt aws:sourceaccount=111122223333 aws:sourcearn={distribution} kms:encryptioncontext:aws:s3:arn=arn:aws:s3:::data"
        )]
    );
}

#[test]
fn log_writers_need_what_their_guides_say() {
    let trail = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main";
    let put = |service: &str, condition: Value| allow(&json!({"Service": service}), &json!("s3:PutObject"), &condition);
    let statements = json!([
        put("delivery.logs.amazonaws.com", json!({"StringEquals": {"aws:SourceAccount": "111122223333"}})),
        put("cloudtrail.amazonaws.com", json!({"StringEquals": {"aws:SourceArn": trail}})),
        put("config.amazonaws.com", json!(null)),
    ]);
    let object = "kms:encryptioncontext:aws:s3:arn=arn:aws:s3:::data/object";
    assert_eq!(
        shown(&of_bucket(&statements, false)),
        [
            format!("delivery.logs.amazonaws.com kms:GenerateDataKey aws:sourceaccount=111122223333 {object}"),
            format!(
                "cloudtrail.amazonaws.com kms:GenerateDataKey aws:sourceaccount=111122223333 aws:sourcearn={trail} kms:encryptioncontext:aws:cloudtrail:arn={trail} {object}"
            ),
            format!("config.amazonaws.com kms:GenerateDataKey+kms:Decrypt {object}"),
        ]
    );
}

#[test]
fn firehose_roles_use_the_buckets_key_unless_the_stream_names_its_own() {
    let stream = |name: &str, key: Value| {
        let arn = format!("arn:aws:firehose:us-east-1:111122223333:deliverystream/{name}");
        let mut destination =
            json!({"id": "d-1", "kind": "extendedS3", "bucket": BUCKET, "role": format!("arn:aws:iam::111122223333:role/{name}")});
        if !key.is_null() {
            destination["kmsKey"] = key;
        }
        json!({"arn": arn, "name": name, "description": {"streamType": "DirectPut", "status": "ACTIVE", "versionId": "1", "destinations": [destination]}})
    };
    let (plain, own) = (stream("plain", json!(null)), stream("own", json!("arn:aws:kms:us-east-1:111122223333:key/k")));
    let streams = json!({plain["arn"].as_str().unwrap(): plain, own["arn"].as_str().unwrap(): own});
    let all = inventory(&json!([]), &json!({"buckets": bucket("data", &json!({})), "deliveryStreams": streams}));
    let arn = Arn::parse(BUCKET).unwrap();
    let users = with(&all, |cx| users_of_bucket(cx, &arn, true)).unwrap();
    assert_eq!(users.len(), 1);
    assert_eq!(users[0].principal, Principal::Aws("arn:aws:iam::111122223333:role/plain".into()));
    assert_eq!(users[0].actions, ["kms:GenerateDataKey", "kms:Decrypt"]);
    let own = delivery_keys_of_bucket(&all, &arn, true);
    assert_eq!((own.len(), own[0].0, own[0].1), (1, "own", "arn:aws:kms:us-east-1:111122223333:key/k"));
    assert_eq!(own[0].2[0].context["kms:encryptioncontext:aws:s3:arn"], [arn.as_str()]);
}

#[test]
fn a_replication_role_uses_the_destinations_key_unless_its_rule_names_one() {
    let copier = "arn:aws:iam::111122223333:role/copier";
    let of_rule = |destination: &str, key: Value| {
        let mut rule = json!({"id": "dr", "destination": destination, "replicatesKmsObjects": false, "role": copier});
        if !key.is_null() {
            rule["replicaKmsKey"] = key;
        }
        let mut buckets = bucket("data", &json!({}));
        let source = bucket("source", &json!({ "replication": [rule] }));
        buckets.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
        let all = inventory(&json!([]), &json!({ "buckets": buckets }));
        with(&all, |cx| users_of_bucket(cx, &Arn::parse(BUCKET).unwrap(), true))
    };
    let user = format!(
        "{copier} kms:Encrypt kms:calleraccount=111122223333 kms:encryptioncontext:aws:s3:arn={BUCKET} kms:viaservice=s3.us-east-1.amazonaws.com"
    );
    for destination in [BUCKET, "data"] {
        assert_eq!(shown(&of_rule(destination, json!(null))), std::slice::from_ref(&user), "{destination}");
    }
    assert_eq!(shown(&of_rule("arn:aws:s3:::other", json!(null))), [""; 0]);
    assert_eq!(shown(&of_rule(BUCKET, json!("arn:aws:kms:us-east-1:111122223333:key/k"))), [""; 0]);
}

#[test]
fn a_delivery_stream_that_was_not_read_may_write_to_any_bucket() {
    let stream = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
    let denied_stream = json!({stream: {"arn": stream, "name": "orders", "description": denied("DescribeDeliveryStream", "firehose:DescribeDeliveryStream")}});
    for (more, missing) in [
        (json!({"deliveryStreams": denied_stream}), "firehose:DescribeDeliveryStream"),
        (
            json!({"unlisted": {"firehose": denied("ListDeliveryStreams", "firehose:ListDeliveryStreams")["unreadable"]}}),
            "firehose:ListDeliveryStreams",
        ),
    ] {
        let mut all = json!({"buckets": bucket("data", &json!({}))});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let block = with(&inventory(&json!([]), &all), |cx| users_of_bucket(cx, &Arn::parse(BUCKET).unwrap(), false)).unwrap_err();
        assert_eq!(block.name, Gate::Unread);
        assert!(block.reason.contains(missing), "{}", block.reason);
    }
}

#[test]
fn a_channel_writes_to_its_bucket_with_its_role() {
    let role = "arn:aws:iam::111122223333:role/channel";
    let channel = |key: Value| {
        let mut channel = json!({"arn": "arn:aws:kinesis:us-east-1:111122223333:channel/c", "stream": "arn:aws:kinesis:us-east-1:111122223333:stream/s",
            "bucket": BUCKET, "role": role});
        if !key.is_null() {
            channel["kmsKey"] = key;
        }
        json!({"buckets": bucket("data", &json!({})), "pathFacts": {"channels": [channel]}})
    };
    let arn = Arn::parse(BUCKET).unwrap();
    let users = with(&inventory(&json!([]), &channel(json!(null))), |cx| users_of_bucket(cx, &arn, true)).unwrap();
    assert_eq!((users.len(), &users[0].principal), (1, &Principal::Aws(role.into())));
    assert_eq!(users[0].actions, ["kms:GenerateDataKey", "kms:Decrypt"]);
    // Under a key of its own it needs nothing of the bucket's.
    let own = with(&inventory(&json!([]), &channel(json!("alias/own"))), |cx| users_of_bucket(cx, &arn, true)).unwrap();
    assert!(own.is_empty());
}
