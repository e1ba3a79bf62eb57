//! Event notifications: S3 itself, for the bucket's account, sends to queues, topics and `EventBridge`.
//!
//! S3 tells nobody what it could not deliver: it is lost here as there, and only the tally knows.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Event;
use super::acl::canonical_id;
use super::bucket::arn;
use super::notification::{Kind, Target};
use crate::access::Caller;
use crate::error::ApiError;
use crate::events::{self, BusEvent};
use crate::tally::Undelivered;
use crate::world::{self, Origin, World};
use crate::{sns, sqs};

/// How long a notification is on its way. [S3: Event notifications are typically delivered in seconds]
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// Keys are written as forms write them: a blank is `+`. [S3: Event message structure]
const UNESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

/// Something that happened to an object.
#[derive(Debug)]
pub(super) struct Happening<'a> {
    /// Without `s3:`.
    pub(super) event: &'static str,
    pub(super) subject: Subject<'a>,
    /// Who did it.
    pub(super) requester: String,
}

/// The object.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) size: Option<usize>,
    pub(super) etag: Option<String>,
    pub(super) version: Option<String>,
}

/// A notification on its way.
#[derive(Debug)]
pub(crate) struct Notice {
    bucket: String,
    destination: Destination,
}

#[derive(Debug)]
enum Destination {
    Target { kind: Kind, arn: String, body: String },
    Bus(BusEvent),
}

/// Sends a happening to whoever wants to hear of it.
pub(super) fn announce(world: &mut World, happening: &Happening<'_>) {
    let Happening { event, subject, .. } = happening;
    let Some(bucket) = world.s3.buckets.get(subject.bucket) else { return };
    let Some(notifications) = bucket.notifications.as_deref() else { return };
    let targets: Vec<Target> = notifications.targets.iter().filter(|target| target.wants(event, subject.key)).cloned().collect();
    let (event_bridge, owner, region) = (notifications.event_bridge, bucket.owner.clone(), bucket.region.clone());
    world.s3.sequence += 1;
    let sequencer = format!("{:018X}", world.s3.sequence);
    let request_id = world.hex(16).to_ascii_uppercase();
    for target in targets {
        let record =
            record(world, happening, &target, &Details { owner: &owner, region: &region, sequencer: &sequencer, request_id: &request_id });
        let body = json!({ "Records": [record] }).to_string();
        let destination = Destination::Target { kind: target.kind, arn: target.arn, body };
        world.later(ON_ITS_WAY, world::Event::S3(Event::Notify(Box::new(Notice { bucket: subject.bucket.to_owned(), destination }))));
    }
    if event_bridge {
        let details = Details { owner: &owner, region: &region, sequencer: &sequencer, request_id: &request_id };
        let destination = Destination::Bus(bus_event(happening, &details));
        world.later(ON_ITS_WAY, world::Event::S3(Event::Notify(Box::new(Notice { bucket: subject.bucket.to_owned(), destination }))));
    }
}

struct Details<'a> {
    owner: &'a str,
    region: &'a str,
    sequencer: &'a str,
    request_id: &'a str,
}

/// [S3: Event message structure]
fn record(world: &World, happening: &Happening<'_>, target: &Target, details: &Details<'_>) -> Value {
    let Happening { event, subject, requester } = happening;
    let Details { owner, region, sequencer, request_id } = details;
    let key = utf8_percent_encode(subject.key, UNESCAPED).to_string().replace(' ', "+");
    let mut object = json!({ "key": key });
    if let Some(size) = subject.size {
        object["size"] = json!(size);
    }
    if let Some(etag) = &subject.etag {
        object["eTag"] = json!(etag);
    }
    if let Some(version) = &subject.version {
        object["versionId"] = json!(version);
    }
    object["sequencer"] = json!(sequencer);
    json!({
        "eventVersion": "2.5",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": world.now().iso8601(),
        "eventName": event,
        "userIdentity": { "principalId": format!("AWS:{requester}") },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": request_id, "x-amz-id-2": request_id },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": target.id,
            "bucket": {
                "name": subject.bucket,
                "ownerIdentity": { "principalId": canonical_id(owner) },
                "arn": arn(subject.bucket),
            },
            "object": object,
        },
    })
}

/// [S3: `EventBridge` event message structure]
fn bus_event(happening: &Happening<'_>, details: &Details<'_>) -> BusEvent {
    let Happening { event, subject, requester } = happening;
    let created = event.starts_with("ObjectCreated");
    let reason = match event.rsplit(':').next() {
        Some("Put") => "PutObject",
        Some("Copy") => "CopyObject",
        Some("CompleteMultipartUpload") => "CompleteMultipartUpload",
        _ => "DeleteObject",
    };
    let mut object = json!({ "key": subject.key, "sequencer": details.sequencer });
    if let Some(size) = subject.size {
        object["size"] = json!(size);
    }
    if let Some(etag) = &subject.etag {
        object["etag"] = json!(etag);
    }
    if let Some(version) = &subject.version {
        object["version-id"] = json!(version);
    }
    let mut detail = json!({
        "version": "0",
        "bucket": { "name": subject.bucket },
        "object": object,
        "request-id": details.request_id,
        "requester": requester.split(':').nth(4).unwrap_or(requester),
        "source-ip-address": "127.0.0.1",
        "reason": reason,
    });
    if !created {
        let marker = event.ends_with("DeleteMarkerCreated");
        detail["deletion-type"] = json!(if marker { "Delete Marker Created" } else { "Permanently Deleted" });
    }
    let detail_type = if created { "Object Created" } else { "Object Deleted" };
    BusEvent { source: "aws.s3".to_owned(), detail_type: detail_type.to_owned(), resources: vec![arn(subject.bucket)], detail }
}

/// A notification arrives, or is lost.
pub(super) fn deliver(world: &mut World, notice: Notice) {
    let Notice { bucket, destination } = notice;
    let Some(found) = world.s3.buckets.get(&bucket) else { return };
    let (owner, region) = (found.owner.clone(), found.region.clone());
    match destination {
        Destination::Bus(event) => {
            let bus = format!("arn:aws:events:{region}:{owner}:event-bus/default");
            events::put(world, &owner, &region, "default", event);
            world.tally.delivered(&arn(&bucket), &bus);
        }
        Destination::Target { kind, arn: to, body } => match send(world, &bucket, kind, &to, body) {
            Ok(()) => world.tally.delivered(&arn(&bucket), &to),
            Err(error) => {
                let at = world.now();
                world.tally.undelivered(Undelivered { at, from: arn(&bucket), to, why: error.to_string(), lost: true });
            }
        },
    }
}

fn send(world: &mut World, bucket: &str, kind: Kind, to: &str, body: String) -> Result<(), ApiError> {
    let Some(found) = world.s3.buckets.get(bucket) else { return Err(super::request::no_such_bucket(bucket)) };
    let caller = Caller::service("s3.amazonaws.com", &arn(bucket), &found.owner);
    let origin = Origin { caller, region: found.region.clone(), secure: true };
    match kind {
        Kind::Queue => sqs::deliver(world, &origin, to, sqs::Message { body, ..Default::default() }).map(drop),
        Kind::Topic => {
            let subject = Some("Amazon S3 Notification".to_owned());
            sns::publish(world, &origin, to, sns::Publication { message: body, subject, ..Default::default() }).map(drop)
        }
        // There are no functions here: whatever is sent to one has left the simulated world.
        Kind::Function => Ok(()),
    }
}

/// The event that S3 tries a destination out with; what is wrong, in S3's words, where it does not arrive.
pub(super) fn test(world: &mut World, bucket: &str, target: &Target) -> Result<(), String> {
    let service = match target.kind {
        Kind::Queue => "sqs",
        Kind::Topic => "sns",
        Kind::Function => "lambda",
    };
    let mut parts = target.arn.split(':').skip(2);
    let region = world.s3.buckets.get(bucket).map(|bucket| bucket.region.clone()).unwrap_or_default();
    if parts.next() != Some(service) {
        return Err("The ARN could not be parsed".to_owned());
    }
    if parts.next() != Some(&region) {
        return Err("The notification destination service region is not valid for the bucket location constraint".to_owned());
    }
    if target.arn.rsplit_once('.').is_some_and(|(_, kind)| kind == "fifo") {
        return Err("FIFO destinations are not supported".to_owned());
    }
    let body = json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": world.now().iso8601(),
        "Bucket": bucket,
        "RequestId": world.hex(16).to_ascii_uppercase(),
        "HostId": world.hex(32),
    });
    send(world, bucket, target.kind, &target.arn, body.to_string()).map_err(|error| {
        let what = match target.kind {
            Kind::Queue => "queue",
            Kind::Topic => "topic",
            Kind::Function => "function",
        };
        match error.status {
            404 => format!("The destination {what} does not exist"),
            _ if error.code.contains("NonExistent") || error.code.contains("DoesNotExist") || error.code == "NotFound" => {
                format!("The destination {what} does not exist")
            }
            _ => format!("Permissions on the destination {what} do not allow S3 to publish notifications from this bucket"),
        }
    })
}
