//! Every change: before it holds, after it is made, and when somebody else was faster.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;
use crate::Scope;
use crate::firehose::observed::{DeliveryDestination, DestinationKind, StreamEncryption};
use crate::inventory::{
    Bucket, BucketEncryption, DataStream, DataStreamSummary, DbCluster, DbInstance, DbParameterGroup, DeliveryStream,
    DeliveryStreamDescription, Key, KeyMetadata, KeyRotation, Queue, QueueAttributes, Topic, TopicAttributes,
};
use crate::plan::change::{ParameterGroupKind, ParameterValue, QueueEncryption};
use crate::rds::observed::{AttachedParameterGroup, ClusterMember, StorageEncryption};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1111";
const OTHER: &str = "arn:aws:kms:us-east-1:111122223333:key/2222";
const DENY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;
const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;

fn scope() -> Scope {
    Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() }
}

fn arn(text: &str) -> Arn {
    Arn::parse(text).unwrap()
}

fn key(state: &str) -> Key {
    let metadata = KeyMetadata {
        state: state.into(),
        aws_managed: false,
        usage: "ENCRYPT_DECRYPT".into(),
        spec: "SYMMETRIC_DEFAULT".into(),
        origin: "AWS_KMS".into(),
        custom_key_store: false,
        multi_region: None,
        deletion_date: None,
    };
    Key {
        arn: arn(KEY),
        metadata: Reading::Known(metadata),
        document: Reading::Known(ALLOW.into()),
        rotation: Reading::Known(KeyRotation { enabled: false, period_in_days: None }),
    }
}

fn instance() -> DbInstance {
    DbInstance {
        arn: scope().arn("rds", "db:one"),
        identifier: "one".into(),
        engine: "postgres".into(),
        engine_version: "14.1".into(),
        status: "available".into(),
        class: String::new(),
        endpoint: None,
        cluster: None,
        storage: StorageEncryption::default(),
        parameter_groups: vec![AttachedParameterGroup { name: "default.postgres14".into(), apply_status: "in-sync".into() }],
        ca_certificate: Some("rds-ca-2019".into()),
        ca_valid_till: None,
        pending_ca_certificate: None,
        tags: BTreeMap::new(),
        resource_id: None,
        created_at: None,
        settings: None,
    }
}

fn cluster() -> DbCluster {
    DbCluster {
        arn: scope().arn("rds", "cluster:many"),
        identifier: "many".into(),
        engine: "aurora-mysql".into(),
        engine_version: "8.0".into(),
        status: "available".into(),
        endpoint: None,
        storage: StorageEncryption::default(),
        parameter_group: "default.aurora-mysql8.0".into(),
        members: vec![ClusterMember { instance: "m1".into(), writer: true, parameter_group_status: "in-sync".into() }],
        tags: BTreeMap::new(),
        resource_id: None,
        created_at: None,
        settings: None,
    }
}

fn delivery_stream() -> DeliveryStream {
    let destination = DeliveryDestination {
        id: "destinationId-1".into(),
        kind: DestinationKind::ExtendedS3,
        bucket: scope().bucket_arn("b"),
        role: arn("arn:aws:iam::111122223333:role/firehose"),
        kms_key: None,
    };
    let description = DeliveryStreamDescription {
        stream_type: "DirectPut".into(),
        status: "ACTIVE".into(),
        version_id: "1".into(),
        created_at: None,
        encryption: StreamEncryption::default(),
        source_stream: None,
        source_role: None,
        destinations: vec![destination],
    };
    DeliveryStream {
        arn: scope().arn("firehose", "deliverystream/f"),
        name: "f".into(),
        description: Reading::Known(description),
        tags: Reading::NotRead,
        kms_errors: Reading::NotRead,
    }
}

fn world() -> Inventory {
    let mut inventory = Inventory::empty(scope(), 0);
    let bucket = Bucket {
        arn: scope().bucket_arn("b"),
        name: "b".into(),
        encryption: Reading::Known(Some(aes())),
        document: Reading::Known(None),
        tags: Reading::NotRead,
        website: Reading::NotRead,
        log_delivery_acl: Reading::NotRead,
        logging_target: Reading::NotRead,
        replication: Reading::NotRead,
        notifications: Reading::NotRead,
        public_access: Reading::NotRead,
    };
    inventory.buckets.insert(bucket.arn.clone(), bucket);
    let queue_arn = scope().arn("sqs", "q");
    let attributes = Reading::Known(QueueAttributes::default());
    inventory.queues.insert(queue_arn.clone(), Queue { arn: queue_arn, url: "u".into(), attributes, tags: Reading::NotRead });
    let topic_arn = scope().arn("sns", "t");
    let attributes = Reading::Known(TopicAttributes::default());
    inventory.topics.insert(topic_arn.clone(), Topic { arn: topic_arn, attributes, tags: Reading::NotRead });
    inventory.delivery_streams.insert(delivery_stream().arn.clone(), delivery_stream());
    let stream_arn = scope().arn("kinesis", "stream/k");
    let summary = Reading::Known(DataStreamSummary { status: "ACTIVE".into(), encrypted: false, kms_key: None });
    inventory.data_streams.insert(stream_arn.clone(), DataStream { arn: stream_arn, name: "k".into(), summary, tags: Reading::NotRead });
    inventory.db_instances.insert(instance().arn.clone(), instance());
    inventory.db_clusters.insert(cluster().arn.clone(), cluster());
    let group = DbParameterGroup { name: "custom".into(), family: "postgres14".into(), parameters: BTreeMap::new() };
    inventory.db_parameter_groups.insert("custom".into(), Reading::Known(group));
    inventory.keys.insert(arn(KEY), key("Disabled"));
    inventory.aliases = Reading::Known(BTreeMap::from([("alias/finance".to_owned(), arn(KEY))]));
    inventory.keys_awaiting_alias = Reading::Known(BTreeMap::from([("alias/half".to_owned(), arn(OTHER))]));
    inventory
}

fn aes() -> BucketEncryption {
    BucketEncryption { algorithm: "AES256".into(), kms_key: None, bucket_key: false, blocked_encryption_types: None }
}

fn parameter(value: &str) -> BTreeMap<String, ParameterValue> {
    BTreeMap::from([("rds.force_ssl".to_owned(), ParameterValue { value: value.into(), pending_reboot: false })])
}

fn finance() -> KeyRef {
    KeyRef::Arn(arn(KEY))
}

/// Every kind of change that holds in [`world`], with the resource it is made to.
fn changes() -> Vec<(Arn, Change)> {
    let bucket = scope().bucket_arn("b");
    let queue = scope().arn("sqs", "q");
    let topic = scope().arn("sns", "t");
    let delivery = delivery_stream().arn;
    let kms = BucketEncryption { algorithm: "aws:kms".into(), kms_key: Some(KEY.into()), bucket_key: true, blocked_encryption_types: None };
    let kms_queue = QueueEncryption { kms_key: Some(KEY.into()), data_key_reuse_seconds: Some(300), sqs_managed_sse: false };
    vec![
        (bucket.clone(), Change::BucketEncryption { bucket: "b".into(), before: Some(aes()), after: kms, waits_for: None }),
        (bucket, Change::BucketDocument { bucket: "b".into(), before: None, after: DENY.into() }),
        (queue.clone(), Change::QueueEncryption { url: "u".into(), before: QueueEncryption::default(), after: kms_queue, waits_for: None }),
        (queue, Change::QueueDocument { url: "u".into(), before: None, after: DENY.into() }),
        (topic.clone(), Change::TopicEncryption { before: None, after: finance() }),
        (topic, Change::TopicDocument { before: None, after: DENY.into() }),
        (
            delivery.clone(),
            Change::DeliveryStreamEncryption { stream: "f".into(), before: StreamEncryption::default(), after: Some(finance()) },
        ),
        (
            delivery,
            Change::DeliveryDestinationEncryption {
                stream: "f".into(),
                version_id: "1".into(),
                destination_id: "destinationId-1".into(),
                kind: DestinationKind::ExtendedS3,
                before: None,
                after: finance(),
            },
        ),
        (scope().arn("kinesis", "stream/k"), Change::DataStreamEncryption { before: None, after: finance() }),
        (
            instance().arn,
            Change::CreateParameterGroup {
                kind: ParameterGroupKind::Instance,
                name: "everseal-default-postgres14".into(),
                family: "postgres14".into(),
                description: "copy".into(),
                parameters: parameter("1"),
            },
        ),
        (
            instance().arn,
            Change::ParameterGroup {
                kind: ParameterGroupKind::Instance,
                name: "custom".into(),
                before: BTreeMap::from([("rds.force_ssl".to_owned(), None)]),
                after: parameter("1"),
            },
        ),
        (
            cluster().arn,
            Change::AttachParameterGroup {
                kind: ParameterGroupKind::Cluster,
                database: "many".into(),
                before: "default.aurora-mysql8.0".into(),
                after: "everseal-x".into(),
            },
        ),
        (
            instance().arn,
            Change::CaCertificate { instance: "one".into(), before: Some("rds-ca-2019".into()), after: "rds-ca-rsa2048-g1".into() },
        ),
        (
            scope().arn("kms", "alias/new"),
            Change::CreateKey {
                alias: "alias/new".into(),
                description: String::new(),
                multi_region: true,
                tags: BTreeMap::new(),
                document: DENY.into(),
                rotation_period_in_days: Some(365),
            },
        ),
        (scope().arn("kms", "alias/half"), Change::CreateAlias { alias: "alias/half".into(), key: arn(OTHER) }),
        (
            scope().arn("kms", "alias/replica"),
            Change::ReplicateKey {
                primary: arn("arn:aws:kms:eu-west-1:111122223333:key/mrk-1"),
                region: "us-east-1".into(),
                alias: "alias/replica".into(),
                description: String::new(),
                tags: BTreeMap::new(),
                document: DENY.into(),
            },
        ),
        (arn(KEY), Change::KeyDocument { before: ALLOW.into(), after: DENY.into() }),
        (arn(KEY), Change::EnableKey {}),
        (arn(KEY), Change::KeyRotation { before: None, after: 365 }),
    ]
}

#[test]
fn a_change_stands_before_and_once_made_after() {
    for (resource, change) in changes() {
        let mut inventory = world();
        assert_eq!(standing(&inventory, &resource, &change), Standing::Before, "{}", change.action());
        make(&mut inventory, &resource, &change);
        assert_eq!(standing(&inventory, &resource, &change), Standing::After, "{}", change.action());
    }
}

#[test]
fn a_deletion_is_cancelled_into_disabled() {
    let mut inventory = world();
    inventory.keys.insert(arn(KEY), key("PendingDeletion"));
    assert_eq!(standing(&inventory, &arn(KEY), &Change::EnableKey {}), Standing::Changed("the key is now PendingDeletion".into()));
    assert_eq!(standing(&inventory, &arn(KEY), &Change::CancelKeyDeletion {}), Standing::Before);
    make(&mut inventory, &arn(KEY), &Change::CancelKeyDeletion {});
    assert_eq!(standing(&inventory, &arn(KEY), &Change::CancelKeyDeletion {}), Standing::After);
    assert_eq!(standing(&inventory, &arn(KEY), &Change::EnableKey {}), Standing::Before);
}

#[test]
fn a_resource_that_is_gone_is_never_written() {
    let empty = Inventory::empty(scope(), 0);
    for (resource, change) in changes() {
        let seen = standing(&empty, &resource, &change);
        let creates = matches!(change, Change::CreateParameterGroup { .. });
        assert!(creates || matches!(seen, Standing::Gone | Standing::CannotTell(_)), "{}: {seen:?}", change.action());
    }
}

#[test]
fn what_was_not_read_cannot_be_told() {
    let mut inventory = world();
    let bucket = scope().bucket_arn("b");
    inventory.buckets.get_mut(&bucket).unwrap().encryption = Reading::NotRead;
    inventory.aliases = Reading::NotRead;
    for (resource, change) in changes() {
        if matches!(change, Change::BucketEncryption { .. } | Change::CreateKey { .. } | Change::CreateAlias { .. }) {
            assert!(matches!(standing(&inventory, &resource, &change), Standing::CannotTell(_)), "{}", change.action());
        }
    }
}

#[test]
fn somebody_elses_change_makes_the_step_stale() {
    let mut inventory = world();
    let queue = scope().arn("sqs", "q");
    let Reading::Known(attributes) = &mut inventory.queues.get_mut(&queue).unwrap().attributes else { unreachable!() };
    attributes.kms_key = Some(OTHER.into());
    attributes.document = Some(ALLOW.into());
    for (resource, change) in changes().into_iter().filter(|(resource, _)| *resource == queue) {
        assert!(matches!(standing(&inventory, &resource, &change), Standing::Changed(_)), "{}", change.action());
    }
}

#[test]
fn keys_are_compared_by_what_they_name_and_documents_by_meaning() {
    let mut inventory = world();
    let topic = scope().arn("sns", "t");
    let change = Change::TopicEncryption { before: None, after: finance() };
    for spelling in ["alias/finance", "1111", KEY, "arn:aws:kms:us-east-1:111122223333:alias/finance"] {
        let Reading::Known(attributes) = &mut inventory.topics.get_mut(&topic).unwrap().attributes else { unreachable!() };
        attributes.kms_key = Some(spelling.into());
        assert_eq!(standing(&inventory, &topic, &change), Standing::After, "{spelling}");
    }
}

#[test]
fn a_delivery_stream_that_is_enabling_is_done_and_a_moved_version_is_stale() {
    let mut inventory = world();
    let stream = delivery_stream().arn;
    let Reading::Known(description) = &mut inventory.delivery_streams.get_mut(&stream).unwrap().description else { unreachable!() };
    description.encryption = StreamEncryption {
        status: "ENABLING".into(),
        key_type: Some("CUSTOMER_MANAGED_CMK".into()),
        kms_key: Some(KEY.into()),
        failure: None,
    };
    description.version_id = "2".into();
    let seen: Vec<Standing> = changes()
        .iter()
        .filter(|(resource, _)| *resource == stream)
        .map(|(resource, change)| standing(&inventory, resource, change))
        .collect();
    assert_eq!(seen, [Standing::After, Standing::Changed("the stream is now at version 2".into())]);
}
