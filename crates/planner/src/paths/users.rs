//! The known users of a queue, topic or bucket: whoever must be able to use its key for data to go on flowing.
//!
//! They are read from the resource's own document first, because no service and no other account gets in
//! without it, and then from what else of the path was observed: subscriptions, bucket notifications,
//! delivery streams, dead-letter queues. Principals of the own account that reach the resource through IAM
//! alone leave no trace here; the key's delegation to IAM is what serves them.
//!
//! A document that was not read or can't be parsed never counts as "nobody uses it".

use std::collections::BTreeMap;

use super::grants::grants;
use super::iam_users::{Moved, users_through_iam};
use super::links::Links;
use super::sources::{Use, Used, users_behind};
use crate::document::{Document, Principal};
use crate::inventory::{DeliveryDestination, Reading, Unreadable};
use crate::plan::compare::{unreadable_words, why_unknown};
use crate::plan::context::Context;
use crate::plan::draft::Draft;
use crate::plan::keys::KeyUser;
use crate::plan::step::{Block, Gate};
use crate::s3::observed::ReplicationRule;
use crate::{Arn, Inventory, Service};

const WRITE: &[&str] = &["kms:GenerateDataKey", "kms:Decrypt"];
const READ: &[&str] = &["kms:Decrypt"];

const SEND: Use = Use { action: "sqs:SendMessage", needs: WRITE, verb: "sends to" };
const RECEIVE: Use = Use { action: "sqs:ReceiveMessage", needs: READ, verb: "receives from" };
const PUBLISH: Use = Use { action: "sns:Publish", needs: WRITE, verb: "publishes to" };
// Producers of a data stream need no more than a data key. [Kinesis: permissions to use KMS keys]
const PUT_RECORD: Use = Use { action: "kinesis:PutRecord", needs: &["kms:GenerateDataKey"], verb: "writes to" };
const PUT_RECORDS: Use = Use { action: "kinesis:PutRecords", needs: &["kms:GenerateDataKey"], verb: "writes to" };
const GET_RECORDS: Use = Use { action: "kinesis:GetRecords", needs: READ, verb: "reads from" };
const GET: Use = Use { action: "s3:GetObject", needs: READ, verb: "reads from" };
const GET_VERSION: Use = Use { action: "s3:GetObjectVersion", needs: READ, verb: "reads from" };
// A multipart upload reads its parts again, so a writer needs Decrypt as well. [S3: multipart upload and SSE-KMS]
const PUT: Use = Use { action: "s3:PutObject", needs: WRITE, verb: "writes to" };
// Copies are encrypted under the key of the bucket they come to. [S3: replicating encrypted objects]
const REPLICATE: Use = Use { action: "s3:ReplicateObject", needs: &["kms:Encrypt"], verb: "replicates objects to" };
const DELIVER: Use = Use { action: "s3:PutObject", needs: WRITE, verb: "delivers Firehose records to" };

const CHANNEL: Use = Use { action: "s3:PutObject", needs: WRITE, verb: "writes records of a data stream to" };

/// Who sends to a queue and who receives from it. `Err`: they can't be told, and why.
pub(crate) fn users_of_queue(cx: &Context<'_>, links: &Links<'_>, arn: &Arn) -> Result<Vec<KeyUser>, Block> {
    let inventory = cx.inventory;
    let used = Used { arn, kind: "queue", inventory };
    let mut users = Vec::new();
    let Some(queue) = inventory.queues.get(arn) else { return Ok(users) };
    let attributes = known(&queue.attributes, &used, "sqs:GetQueueAttributes")?;
    add_granted(&mut users, &used, attributes.document.as_deref(), &[SEND, RECEIVE])?;
    add(&mut users, links.topics(arn).map(|topic| used.user(service("sns"), &SEND, acting_for(topic, topic.account()))));
    add(&mut users, links.buckets(arn).map(|bucket| used.user(service("s3"), &SEND, acting_for(bucket, &inventory.scope.account))));
    if let Some(dead_letters) = attributes.dead_letter_queue.as_ref() {
        add(&mut users, readers_of_dead_letters(cx, &used, dead_letters)?);
    }
    Ok(users)
}

/// A message keeps the key of the queue that it was sent to, also in the dead-letter queue. [SQS SSE: dead-letter queues]
fn readers_of_dead_letters(cx: &Context<'_>, used: &Used<'_>, dead_letters: &Arn) -> Result<Vec<KeyUser>, Block> {
    let Some(queue) = cx.inventory.queues.get(dead_letters) else { return Ok(Vec::new()) };
    let there = Used { arn: dead_letters, ..*used };
    let attributes = known(&queue.attributes, &there, "sqs:GetQueueAttributes")?;
    let mut readers = Vec::new();
    add_granted(&mut readers, &there, attributes.document.as_deref(), &[RECEIVE])?;
    for reader in &mut readers {
        let (Principal::Aws(name) | Principal::Service(name)) = &reader.principal;
        reader.role = format!("{name} (reads messages of {} from its dead-letter {})", used.name(), there.name());
    }
    Ok(readers)
}

/// Who publishes to a topic. `Err`: they can't be told, and why.
pub(crate) fn users_of_topic(cx: &Context<'_>, links: &Links<'_>, arn: &Arn) -> Result<Vec<KeyUser>, Block> {
    let inventory = cx.inventory;
    let used = Used { arn, kind: "topic", inventory };
    let mut users = Vec::new();
    let Some(topic) = inventory.topics.get(arn) else { return Ok(users) };
    let attributes = known(&topic.attributes, &used, "sns:GetTopicAttributes")?;
    add_granted(&mut users, &used, attributes.document.as_deref(), &[PUBLISH])?;
    add(&mut users, links.buckets(arn).map(|bucket| used.user(service("s3"), &PUBLISH, acting_for(bucket, &inventory.scope.account))));
    Ok(users)
}

/// Who reads and writes a bucket's objects. `bucket_key` decides what S3 tells KMS of them: the bucket's ARN
/// or the object's. `Err`: they can't be told, and why.
pub(crate) fn users_of_bucket(cx: &Context<'_>, arn: &Arn, bucket_key: bool) -> Result<Vec<KeyUser>, Block> {
    let inventory = cx.inventory;
    let used = Used { arn, kind: "bucket", inventory };
    let mut users = Vec::new();
    let Some(bucket) = inventory.buckets.get(arn) else { return Ok(users) };
    if let Some(document) = parse(known(&bucket.document, &used, "s3:GetBucketPolicy")?.as_deref(), &used)? {
        for grant in grants(&document) {
            for needed in [GET, GET_VERSION, PUT, REPLICATE].iter().filter(|needed| grant.covers(needed.action)) {
                for user in users_behind(&used, &grant, needed)? {
                    add(&mut users, with_objects(&user, arn, bucket_key, grant.resources()));
                }
            }
        }
    }
    if let Some(block) = unread_deliveries(inventory) {
        return Err(block);
    }
    for (stream, destination) in deliveries_to(inventory, arn).filter(|(_, destination)| destination.kms_key.is_none()) {
        add(&mut users, with_objects(&firehose_role(&used, stream, destination), arn, bucket_key, &[]));
    }
    for (source, role) in replicas_to(inventory, arn) {
        let mut copier = used.user(Principal::Aws(role.to_string()), &REPLICATE, used.forwarded(role.as_str()));
        copier.role = format!("{role} (role with which {} replicates to {})", source.name(), used.name());
        add(&mut users, with_objects(&copier, arn, bucket_key, &[]));
    }
    for channel in inventory.path_facts.channels.known().into_iter().flatten() {
        if let (Some(role), None, true) = (&channel.role, &channel.kms_key, channel.bucket.as_ref() == Some(arn)) {
            let mut writer = used.user(Principal::Aws(role.to_string()), &CHANNEL, used.forwarded(role.as_str()));
            writer.role = format!("{role} (role of channel {}, which writes to {})", channel.arn.name(), used.name());
            add(&mut users, with_objects(&writer, arn, bucket_key, &[]));
        }
    }
    Ok(users)
}

/// Buckets that replicate to this one under its own default key, each with the role that does so. Only where their
/// replication was read: else the role is found by what IAM lets it do.
fn replicas_to<'a>(inventory: &'a Inventory, bucket: &Arn) -> impl Iterator<Item = (&'a Arn, &'a Arn)> + use<'a> {
    let (bucket, name) = (bucket.clone(), bucket.name().to_owned());
    inventory.buckets.values().flat_map(move |source| {
        let (bucket, name) = (bucket.clone(), name.clone());
        let to_this = move |rule: &&ReplicationRule| {
            rule.replica_kms_key.is_none() && (rule.destination == name || rule.destination == bucket.as_str())
        };
        let rules = source.replication.known().into_iter().flatten().filter(to_this);
        rules.filter_map(|rule| rule.role.as_ref()).map(|role| (&source.arn, role))
    })
}

/// A delivery stream that was not read may write to any bucket, with a role that only the stream names.
pub(crate) fn unread_deliveries(inventory: &Inventory) -> Option<Block> {
    if let Some(unreadable) = inventory.unlisted.get(&Service::Firehose) {
        let why = unreadable_words(unreadable, "firehose:ListDeliveryStreams");
        return Some(unread(format!(
            "The delivery streams could not be listed, so nobody knows which of them write to this bucket: {why}"
        )));
    }
    let stream = inventory.delivery_streams.values().find(|stream| stream.description.known().is_none())?;
    let why = why_unknown(&stream.description, "firehose:DescribeDeliveryStream");
    Some(unread(format!("Nobody knows whether delivery stream {} writes to this bucket: {why}", stream.name)))
}

/// Delivery streams that write to the bucket under a key of their own, which is as written on the stream, each with its
/// role: a bucket key changes what S3 tells KMS for them as well.
pub(crate) fn delivery_keys_of_bucket<'a>(
    inventory: &'a Inventory,
    bucket: &Arn,
    bucket_key: bool,
) -> Vec<(&'a str, &'a str, Vec<KeyUser>)> {
    let used = Used { arn: bucket, kind: "bucket", inventory };
    let with_role = |(stream, destination): (&'a str, &'a DeliveryDestination)| {
        let key = destination.kms_key.as_deref()?;
        Some((stream, key, with_objects(&firehose_role(&used, stream, destination), bucket, bucket_key, &[])))
    };
    deliveries_to(inventory, bucket).filter_map(with_role).collect()
}

fn firehose_role(used: &Used<'_>, stream: &str, destination: &DeliveryDestination) -> KeyUser {
    let role = destination.role.as_str();
    let deliverer = used.user(Principal::Aws(role.to_owned()), &DELIVER, used.forwarded(role));
    let role = format!("{role} (role of delivery stream {stream}, which delivers to {})", used.name());
    KeyUser { role, ..deliverer }
}

fn deliveries_to<'a>(inventory: &'a Inventory, bucket: &Arn) -> impl Iterator<Item = (&'a str, &'a DeliveryDestination)> + use<'a> {
    let bucket = bucket.clone();
    inventory.delivery_streams.values().flat_map(move |stream| {
        let bucket = bucket.clone();
        let destinations = stream.description.known().map(|description| description.destinations.as_slice()).unwrap_or_default();
        destinations.iter().filter(move |destination| destination.bucket == bucket).map(|destination| (stream.name.as_str(), destination))
    })
}

/// S3 tells KMS the bucket's ARN where a bucket key is used, else the object's. [S3 Bucket Keys: changes to the encryption context]
fn with_objects(user: &KeyUser, bucket: &Arn, bucket_key: bool, resources: &[&str]) -> Vec<KeyUser> {
    let told: Vec<String> = if bucket_key {
        vec![bucket.to_string()]
    } else {
        let prefix = format!("{bucket}/");
        let mut objects: Vec<_> = resources
            .iter()
            .filter(|resource| resource.starts_with(&prefix))
            .map(|resource| resource.replace('*', "object").replace('?', "x"))
            .collect();
        if objects.is_empty() {
            objects.push(format!("{prefix}object"));
        }
        objects
    };
    told.into_iter()
        .map(|arn| {
            let mut user = user.clone();
            user.context.insert("kms:encryptioncontext:aws:s3:arn".to_owned(), vec![arn]);
            user
        })
        .collect()
}

/// [`users_of_queue`], and the roles that reach it through IAM alone, before it is moved from the key it is under today.
pub(crate) fn users_of_moved_queue(
    cx: &Context<'_>,
    draft: &mut Draft,
    links: &Links<'_>,
    (arn, key): (&Arn, Option<&str>),
) -> Result<Vec<KeyUser>, Block> {
    let mut users = users_of_queue(cx, links, arn)?;
    let used = Used { arn, kind: "queue", inventory: cx.inventory };
    add(&mut users, users_through_iam(draft, &Moved { used, data: arn.as_str(), key }, &[SEND, RECEIVE])?);
    let attributes = cx.inventory.queues.get(arn).and_then(|queue| queue.attributes.known());
    if let Some(dead_letters) = attributes.and_then(|attributes| attributes.dead_letter_queue.as_ref()) {
        let there = Used { arn: dead_letters, ..used };
        add(&mut users, users_through_iam(draft, &Moved { used: there, data: dead_letters.as_str(), key }, &[RECEIVE])?);
    }
    Ok(users)
}

/// [`users_of_topic`], and the roles that reach it through IAM alone, before it is moved from the key it is under today.
pub(crate) fn users_of_moved_topic(
    cx: &Context<'_>,
    draft: &mut Draft,
    links: &Links<'_>,
    (arn, key): (&Arn, Option<&str>),
) -> Result<Vec<KeyUser>, Block> {
    let mut users = users_of_topic(cx, links, arn)?;
    let used = Used { arn, kind: "topic", inventory: cx.inventory };
    add(&mut users, users_through_iam(draft, &Moved { used, data: arn.as_str(), key }, &[PUBLISH])?);
    Ok(users)
}

/// [`users_of_bucket`], and the roles that reach its objects through IAM alone, before it is moved from the key it is
/// under today or tells KMS of another ARN.
pub(crate) fn users_of_moved_bucket(
    cx: &Context<'_>,
    draft: &mut Draft,
    (arn, key): (&Arn, Option<&str>),
    bucket_key: bool,
) -> Result<Vec<KeyUser>, Block> {
    let mut users = users_of_bucket(cx, arn, bucket_key)?;
    let used = Used { arn, kind: "bucket", inventory: cx.inventory };
    let any_object = format!("{arn}/object");
    for user in users_through_iam(draft, &Moved { used, data: &any_object, key }, &[GET, PUT, REPLICATE])? {
        add(&mut users, with_objects(&user, arn, bucket_key, &[]));
    }
    Ok(users)
}

/// Roles that write and read a data stream through IAM alone, before it is moved from the key it is under today.
pub(crate) fn users_of_moved_data_stream(
    cx: &Context<'_>,
    draft: &mut Draft,
    (arn, key): (&Arn, Option<&str>),
) -> Result<Vec<KeyUser>, Block> {
    let used = Used { arn, kind: "data stream", inventory: cx.inventory };
    users_through_iam(draft, &Moved { used, data: arn.as_str(), key }, &[PUT_RECORD, PUT_RECORDS, GET_RECORDS])
}

fn add_granted(users: &mut Vec<KeyUser>, used: &Used<'_>, document: Option<&str>, actions: &[Use]) -> Result<(), Block> {
    let Some(document) = parse(document, used)? else { return Ok(()) };
    for grant in grants(&document) {
        for needed in actions.iter().filter(|needed| grant.covers(needed.action)) {
            add(users, users_behind(used, &grant, needed)?);
        }
    }
    Ok(())
}

/// One entry for one principal in one context, whatever says that it uses the resource.
fn add(users: &mut Vec<KeyUser>, more: impl IntoIterator<Item = KeyUser>) {
    for user in more {
        match users.iter_mut().find(|known| known.principal == user.principal && known.context == user.context) {
            Some(known) => {
                let missing: Vec<_> = user.actions.iter().filter(|action| !known.actions.contains(action)).copied().collect();
                known.actions.extend(missing);
            }
            None => users.push(user),
        }
    }
}

fn service(name: &str) -> Principal {
    Principal::Service(format!("{name}.amazonaws.com"))
}

fn acting_for(source: &Arn, account: &str) -> BTreeMap<String, Vec<String>> {
    BTreeMap::from([("aws:sourcearn".to_owned(), vec![source.to_string()]), ("aws:sourceaccount".to_owned(), vec![account.to_owned()])])
}

fn parse(text: Option<&str>, used: &Used<'_>) -> Result<Option<Document>, Block> {
    text.map(Document::parse)
        .transpose()
        .map_err(|error| unread(format!("The document of {} can't be parsed ({error}), so nobody knows who uses it.", used.name())))
}

fn known<'a, T>(reading: &'a Reading<T>, used: &Used<'_>, action: &str) -> Result<&'a T, Block> {
    match reading {
        Reading::Known(value) => Ok(value),
        Reading::Unreadable { unreadable: Unreadable { missing_action, message, .. } } => Err(unread(format!(
            "The document of {} could not be read ({message}; allow {}), so nobody knows who uses it.",
            used.name(),
            missing_action.as_deref().unwrap_or(action)
        ))),
        Reading::NotRead => Err(unread(format!("The document of {} was not read, so nobody knows who uses it.", used.name()))),
    }
}

fn unread(reason: String) -> Block {
    Block { name: Gate::Unread, reason }
}
