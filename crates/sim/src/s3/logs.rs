//! Server access logs: lines are gathered, and delivered to the target bucket by S3's logging service.
//!
//! A target that is sealed by KMS gets nothing, and nobody is told. [S3: Enabling server access logging; Setting default
//! server-side encryption behavior]

use std::time::Duration;

use super::acl::LOG_DELIVERY;
use super::bucket::{Algorithm, Logging, arn};
use super::buckets::{change, need};
use super::request::{Request, access_denied, answer, no_such_bucket};
use super::store::{self, Incoming};
use super::{Event, Handler, acl, conditions};
use crate::access::Caller;
use crate::error::ApiError;
use crate::http::Reply;
use crate::tally::Undelivered;
use crate::wire::xml::Element;
use crate::world::{self, Origin, World};

/// Logs come within hours, best effort. [S3: Server access logging]
const GATHERED: Duration = Duration::from_hours(1);

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "GetBucketLogging" => Some(get),
        "PutBucketLogging" => Some(put),
        _ => None,
    }
}

fn get(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetBucketLogging")?;
    let mut root = Element::new("BucketLoggingStatus");
    if let Some(logging) = &bucket.logging {
        let Logging { target, prefix } = logging.as_ref();
        root = root.child(Element::new("LoggingEnabled").text("TargetBucket", target).text("TargetPrefix", prefix));
    }
    Ok(answer(root))
}

/// The target must be the same account's, in the same region. [s3:PutBucketLogging]
fn put(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.find(world)?;
    let root = request.document()?;
    let logging = match root.first("LoggingEnabled") {
        None => None,
        Some(enabled) => {
            let (target, prefix) =
                (need(enabled, "TargetBucket")?.to_owned(), enabled.value("TargetPrefix").unwrap_or_default().to_owned());
            let found = world.s3.buckets.get(&target).filter(|found| found.owner == bucket.owner);
            let found = found.ok_or_else(|| {
                ApiError::bad_request("InvalidTargetBucketForLogging", "The target bucket for logging does not exist")
                    .detail("TargetBucket", &target)
            })?;
            if found.region != bucket.region {
                let message = "The target bucket for logging must be in the same region as the source bucket";
                return Err(ApiError::new(403, "CrossLocationLoggingProhibited", message).detail("TargetBucket", &target));
            }
            Some(Box::new(Logging { target, prefix }))
        }
    };
    change(world, request, "s3:PutBucketLogging", |bucket| bucket.logging = logging)?;
    Ok(Reply::empty(200))
}

/// Notes a request in the log of its bucket.
pub(super) fn note(world: &mut World, request: &Request<'_>, status: u16) {
    if world.s3.buckets.get(&request.bucket).is_some_and(|bucket| bucket.logging.is_some()) {
        let operation = format!("REST.{}.{}", request.call.method, if request.key.is_empty() { "BUCKET" } else { "OBJECT" });
        note_use(world, request.origin, &request.bucket, (&operation, &request.key), status);
    }
}

/// Notes a use of a bucket in its log, where it keeps one.
pub(super) fn note_use(world: &mut World, origin: &Origin, bucket: &str, (operation, key): (&str, &str), status: u16) {
    let now = world.now();
    let Some(found) = world.s3.buckets.get_mut(bucket).filter(|found| found.logging.is_some()) else { return };
    let key = if key.is_empty() { "-" } else { key };
    let tls = if origin.secure { "TLSv1.3" } else { "-" };
    let owner = acl::canonical_id(&found.owner);
    found.log.push(format!("{owner} {bucket} [{}] 127.0.0.1 {} - {operation} {key} {status} {tls}", now.iso8601(), origin.caller.arn()));
    if found.log.len() == 1 {
        world.later(GATHERED, world::Event::S3(Event::DeliverLog { bucket: bucket.to_owned() }));
    }
}

/// Delivers what was gathered, or loses it.
pub(super) fn deliver(world: &mut World, bucket: &str) {
    let Some(found) = world.s3.buckets.get_mut(bucket) else { return };
    let lines = std::mem::take(&mut found.log);
    let Some(logging) = found.logging.as_deref().cloned().filter(|_| !lines.is_empty()) else { return };
    let (from, to) = (arn(bucket), arn(&logging.target));
    match write(world, bucket, &logging, &lines) {
        Ok(()) => world.tally.delivered(&from, &to),
        Err(error) => {
            let at = world.now();
            world.tally.undelivered(Undelivered { at, from, to, why: error.to_string(), lost: true });
        }
    }
}

fn write(world: &mut World, bucket: &str, logging: &Logging, lines: &[String]) -> Result<(), ApiError> {
    let Logging { target, prefix } = logging;
    let source = world.s3.buckets.get(bucket).ok_or_else(|| no_such_bucket(bucket))?;
    let caller = Caller::service("logging.s3.amazonaws.com", &arn(bucket), &source.owner);
    let origin = Origin { caller, region: source.region.clone(), secure: true };
    let found = world.s3.buckets.get(target).ok_or_else(|| no_such_bucket(target))?;
    if found.encryption.algorithm != Algorithm::Aes256 {
        return Err(access_denied("logs are not delivered to a bucket whose default encryption is not SSE-S3"));
    }
    let by_acl = found
        .acl
        .iter()
        .flat_map(|acl| acl.iter())
        .any(|grant| grant.grantee == LOG_DELIVERY && matches!(grant.permission.as_str(), "WRITE" | "FULL_CONTROL"));
    let key = format!(
        "{prefix}{}-{}",
        world.now().iso8601().get(..19).unwrap_or_default().replace(['T', ':'], "-"),
        world.hex(16).to_ascii_uppercase()
    );
    let incoming = Incoming {
        bucket: target,
        key: &key,
        body: (lines.join("\n") + "\n").into(),
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        wish: super::seal::Wish::Default,
        context: conditions::of_connection(&origin),
        event: "ObjectCreated:Put",
    };
    if by_acl { store::write_by_acl(world, &origin, incoming) } else { store::write(world, &origin, incoming) }.map(drop)
}
