//! Hops that a resource's own settings show: subscriptions, notifications, sources and destinations of streams,
//! dead-letter queues, replication, access logs.

use super::admittance;
use super::build::{Builder, NewHop};
use super::endpoint;
use super::model::{HopKind, NodeKind, PathState, Transport, Trouble, TroubleKind};
use super::run::Run;
use super::sources::Use;
use crate::document::Principal;
use crate::inventory::{Bucket, Channel, DeliveryStream, DeliveryStreamDescription};
use crate::{Arn, Inventory};

const WRITE: &[&str] = &["kms:GenerateDataKey", "kms:Decrypt"];
const READ: &[&str] = &["kms:Decrypt"];
pub(crate) const SEND: Use = Use { action: "sqs:SendMessage", needs: WRITE, verb: "sends to" };
pub(crate) const PUBLISH: Use = Use { action: "sns:Publish", needs: WRITE, verb: "publishes to" };
pub(crate) const PUT_RECORD: Use = Use { action: "kinesis:PutRecord", needs: &["kms:GenerateDataKey"], verb: "puts records into" };
pub(crate) const PUT_DELIVERY: Use = Use { action: "firehose:PutRecord", needs: WRITE, verb: "puts records into" };
const GET_RECORDS: Use = Use { action: "kinesis:GetRecords", needs: READ, verb: "reads" };
const DELIVER: Use = Use { action: "s3:PutObject", needs: WRITE, verb: "delivers to" };
const REPLICATE_FROM: Use = Use { action: "s3:GetObjectVersionForReplication", needs: READ, verb: "replicates from" };
const REPLICATE_TO: Use = Use { action: "s3:ReplicateObject", needs: &["kms:Encrypt"], verb: "replicates to" };

const S3: &str = "s3.amazonaws.com";
const SNS: &str = "sns.amazonaws.com";
const FIREHOSE: &str = "firehose.amazonaws.com";

/// Adds what the settings of this inventory's resources show.
pub(crate) fn add(builder: &mut Builder<'_>, inventory: &Inventory) {
    add_subscriptions(builder, inventory);
    for bucket in inventory.buckets.values() {
        add_notifications(builder, bucket);
        add_replication(builder, inventory, bucket);
        add_access_logs(builder, inventory, bucket);
    }
    for stream in inventory.delivery_streams.values() {
        if let Some(description) = stream.description.known() {
            add_source(builder, stream, description);
            add_destinations(builder, stream, description);
        }
    }
    for channel in inventory.path_facts.channels.known().into_iter().flatten() {
        add_channel(builder, channel);
    }
    for queue in inventory.queues.values() {
        if let Some(dead_letters) = queue.attributes.known().and_then(|attributes| attributes.dead_letter_queue.as_ref()) {
            builder.add(NewHop::aws(&queue.arn, dead_letters.as_str(), HopKind::DeadLetter, "sqs.amazonaws.com"));
        }
    }
}

/// What a service that acts for `source` needs to put data into `target`.
pub(crate) fn service_needs(builder: &Builder<'_>, service: &str, source: &Arn, target: &Arn) -> Vec<super::model::Need> {
    let using = match super::nodes::kind_of(target) {
        NodeKind::Queue => SEND,
        NodeKind::Topic => PUBLISH,
        _ => return Vec::new(),
    };
    builder.needs_of(target, Principal::Service(service.to_owned()), &using, Some(source))
}

fn add_subscriptions(builder: &mut Builder<'_>, inventory: &Inventory) {
    for subscription in inventory.subscriptions.known().into_iter().flatten() {
        // Nothing is sent before the endpoint's owner has confirmed. [SNS: Subscribe]
        if subscription.id == "PendingConfirmation" {
            continue;
        }
        let topic = &subscription.topic;
        let (to, transport) = endpoint::shown(&subscription.protocol, &subscription.endpoint);
        let hop = NewHop::aws(topic, &to, HopKind::Subscription, SNS).over(transport).troubled(on_the_way(transport, &to));
        let hop = match Arn::parse(&to) {
            Ok(target) if subscription.protocol == "firehose" && builder.keys.contains_key(target.as_str()) => hop
                .troubled([Trouble::unread("the role that the subscription uses was not read, and the stream has a customer managed key")]),
            Ok(target) => {
                let needs = service_needs(builder, SNS, topic, &target);
                hop.needing(needs).troubled(admittance::refusal(builder, SNS, topic, &target))
            }
            Err(_) => {
                builder.stand_in(&to, NodeKind::Endpoint, "");
                hop
            }
        };
        builder.add(hop);
    }
}

fn on_the_way(transport: Transport, to: &str) -> Option<Trouble> {
    match transport {
        Transport::PlainHttp => Some(
            Trouble::new(PathState::Exposed, TroubleKind::InTransit, format!("messages leave in clear text to {to}"))
                .cured_by("A subscription's protocol can't be changed: subscribe the https address, let its owner confirm, then unsubscribe the http one."),
        ),
        Transport::NoGuarantee => {
            Some(Trouble::unread(format!("{to}: whether mail and phone networks encrypt it on its way can't be told by anybody")))
        }
        Transport::Tls | Transport::SignedHttps | Transport::Https | Transport::CallersChoice => None,
    }
}

fn add_notifications(builder: &mut Builder<'_>, bucket: &Bucket) {
    for target in bucket.notifications.known().into_iter().flat_map(|notifications| &notifications.targets) {
        let needs = service_needs(builder, S3, &bucket.arn, target);
        let refusal = admittance::refusal(builder, S3, &bucket.arn, target);
        builder.add(NewHop::aws(&bucket.arn, target.as_str(), HopKind::Notification, S3).needing(needs).troubled(refusal));
    }
}

/// SSE-KMS objects stay behind unless the rule says otherwise; its role then decrypts here and encrypts there.
/// [S3: Replicating encrypted objects]
fn add_replication(builder: &mut Builder<'_>, inventory: &Inventory, bucket: &Bucket) {
    for rule in bucket.replication.known().into_iter().flatten() {
        let destination = Run::bucket_arn(inventory, &rule.destination);
        let by = rule.role.as_ref().map_or("", Arn::as_str);
        let mut hop = NewHop::aws(&bucket.arn, destination.as_str(), HopKind::Replication, by);
        if builder.keys.contains_key(bucket.arn.as_str()) {
            if rule.replicates_kms_objects {
                hop = with_replication_needs(builder, hop, (&bucket.arn, &destination), rule);
            } else {
                let what = format!("replication rule {} leaves objects under a KMS key behind", rule.id);
                hop = hop.troubled([Trouble::new(PathState::Broken, TroubleKind::Stopped, what).cured_by(
                    "Enable SourceSelectionCriteria.SseKmsEncryptedObjects with a ReplicaKmsKeyID in the rule, and let its role decrypt with the source's key.",
                )]);
            }
        }
        builder.add(hop);
    }
}

fn with_replication_needs(
    builder: &Builder<'_>,
    hop: NewHop,
    (source, destination): (&Arn, &Arn),
    rule: &crate::s3::observed::ReplicationRule,
) -> NewHop {
    let Some(assumed) = &rule.role else {
        return hop.troubled([Trouble::unread(format!("the role of replication rule {} was not read", rule.id))]);
    };
    let principal = || Principal::Aws(assumed.to_string());
    let mut needs = builder.needs_of(source, principal(), &REPLICATE_FROM, None);
    match &rule.replica_kms_key {
        Some(key) => needs.extend(builder.needs_of_key(key, destination, principal(), &REPLICATE_TO)),
        None => return hop.needing(needs).troubled([Trouble::unread(format!("replication rule {} names no key for replicas", rule.id))]),
    }
    hop.needing(needs)
}

/// Only SSE-S3 is supported where access logs arrive. [S3: Enabling server access logging]
fn add_access_logs(builder: &mut Builder<'_>, inventory: &Inventory, bucket: &Bucket) {
    let Some(Some(target)) = bucket.logging_target.known() else { return };
    let target = Run::bucket_arn(inventory, target);
    let stopped = builder.keys.contains_key(target.as_str()).then(|| {
        Trouble::new(
            PathState::Broken,
            TroubleKind::Stopped,
            "access logs can't be delivered to a bucket whose default encryption is a KMS key",
        )
        .cured_by(format!("Send the logs of {} to a bucket under SSE-S3 (AES256).", bucket.name))
    });
    builder.add(NewHop::aws(&bucket.arn, target.as_str(), HopKind::AccessLog, "logging.s3.amazonaws.com").troubled(stopped));
}

fn add_source(builder: &mut Builder<'_>, stream: &DeliveryStream, description: &DeliveryStreamDescription) {
    let Some(source) = &description.source_stream else { return };
    let hop = NewHop::aws(source, stream.arn.as_str(), HopKind::Source, description.source_role.as_ref().map_or(FIREHOSE, Arn::as_str));
    let hop = match &description.source_role {
        Some(role) => {
            let needs = builder.needs_of(source, Principal::Aws(role.to_string()), &GET_RECORDS, None);
            hop.needing(needs)
        }
        None if builder.keys.contains_key(source.as_str()) => hop
            .troubled([Trouble::unread("AWS did not say with which role Firehose reads it, so nobody knows whether that may use its key")]),
        None => hop,
    };
    builder.add(hop);
}

fn add_destinations(builder: &mut Builder<'_>, stream: &DeliveryStream, description: &DeliveryStreamDescription) {
    for destination in &description.destinations {
        let role = || Principal::Aws(destination.role.to_string());
        let needs = match &destination.kms_key {
            Some(key) => builder.needs_of_key(key, &destination.bucket, role(), &DELIVER).into_iter().collect(),
            None => builder.needs_of(&destination.bucket, role(), &DELIVER, None),
        };
        builder.add(NewHop::aws(&stream.arn, destination.bucket.as_str(), HopKind::Delivery, destination.role.as_str()).needing(needs));
    }
}

/// Delivery from a data stream to S3, over TLS 1.2 or later. [Kinesis Data Streams: Security for data delivery]
fn add_channel(builder: &mut Builder<'_>, channel: &Channel) {
    builder.stand_in(channel.arn.as_str(), NodeKind::Channel, "nothing of its own to encrypt");
    builder.add(NewHop::aws(&channel.stream, channel.arn.as_str(), HopKind::Channel, "kinesis.amazonaws.com"));
    let Some(bucket) = &channel.bucket else { return };
    let by = channel.role.as_ref().map_or("", Arn::as_str);
    let mut hop = NewHop::aws(&channel.arn, bucket.as_str(), HopKind::Delivery, by);
    let role = channel.role.as_ref().map(|role| Principal::Aws(role.to_string()));
    match (role, &channel.kms_key) {
        (Some(role), Some(key)) => hop = hop.needing(builder.needs_of_key(key, bucket, role, &DELIVER).into_iter().collect()),
        (Some(role), None) => hop = hop.needing(builder.needs_of(bucket, role, &DELIVER, None)),
        (None, key) if key.is_some() || builder.keys.contains_key(bucket.as_str()) => {
            hop = hop.troubled([Trouble::unread(
                "AWS did not say with which role the channel delivers, so nobody knows whether that may use the key",
            )]);
        }
        (None, _) => {}
    }
    builder.add(hop);
}
