//! Objects: put, get, head, delete.

use bytes::Bytes;
use time::OffsetDateTime;
use time::macros::format_description;

use super::announce::{self, Happening, Subject};
use super::bucket::arn;
use super::request::{Request, access_denied, answer, bucket_mut, malformed_xml, no_such_bucket, permit};
use super::seal::{self, Purpose, Wish};
use super::store::{self, Incoming, Stored};
use super::versions::{Deleted, Object, Version};
use super::{Handler, body, conditions, logs};
use crate::access::RequestContext;
use crate::error::ApiError;
use crate::http::Reply;
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::world::{Origin, World};

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "PutObject" => Some(put),
        "GetObject" | "HeadObject" => Some(get),
        "DeleteObject" => Some(delete),
        "DeleteObjects" => Some(delete_many),
        _ => None,
    }
}

fn put(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.find(world)?;
    let exists = bucket.objects.get(&request.key).is_some_and(|versions| versions.current().is_some());
    if request.header("if-none-match") == Some("*") && exists {
        return Err(precondition("If-None-Match"));
    }
    if request.call.headers.contains_key("x-amz-acl")
        && !matches!(request.header("x-amz-acl"), Some("private" | "bucket-owner-full-control"))
    {
        return Err(ApiError::bad_request("AccessControlListNotSupported", "The bucket does not allow ACLs"));
    }
    let body::Upload { body, headers } = body::read(request.call)?;
    let incoming = Incoming {
        bucket: &request.bucket,
        key: &request.key,
        body,
        headers,
        wish: Wish::of(request.call)?,
        context: conditions::of_call(request.call, request.origin),
        event: "ObjectCreated:Put",
    };
    let checksums = body::checksums(&incoming.headers);
    let Stored { etag, seal, version } = store::write(world, request.origin, incoming)?;
    let mut reply = seal.describe(Reply::empty(200).header("etag", &format!("\"{etag}\"")));
    body::tell(&checksums, &mut reply);
    if let Some(version) = version {
        reply = reply.header("x-amz-version-id", &version);
    }
    Ok(reply)
}

fn precondition(condition: &'static str) -> ApiError {
    ApiError::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").detail("Condition", condition)
}

/// What is read, and from where.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) context: RequestContext,
    /// The digest of the customer's key that came along.
    pub(super) customer: Option<&'a str>,
}

/// An object, and the id of its version.
pub(super) type Found = (Object, Option<String>);

/// Reads an object for a caller: checks the bucket's policy, and uses the object's own key.
pub(super) fn read(world: &mut World, origin: &Origin, reading: &Reading<'_>) -> Result<Found, ApiError> {
    let Reading { bucket, key, version, context, customer } = reading;
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    permit(world, origin, bucket, (action, &format!("{}/{key}", arn(bucket))), context.clone())?;
    let found = world.s3.buckets.get(*bucket).ok_or_else(|| no_such_bucket(bucket))?;
    let entry = found.objects.get(*key).and_then(|versions| versions.get(*version));
    let Some((object, id)) = entry.and_then(|version| version.object().map(|object| (object.clone(), version.id.clone()))) else {
        return Err(missing(world, origin, reading, entry));
    };
    seal::open(world, origin, Purpose { bucket, key, action: "kms:Decrypt" }, &object.seal, *customer)?;
    Ok((object, id))
}

/// Whoever may not list a bucket does not learn what is not in it. [s3:GetObject]
fn missing(world: &World, origin: &Origin, reading: &Reading<'_>, entry: Option<&Version>) -> ApiError {
    if permit(world, origin, reading.bucket, ("s3:ListBucket", &arn(reading.bucket)), conditions::of_connection(origin)).is_err() {
        return access_denied("Access Denied");
    }
    match (reading.version, entry) {
        (Some(_), Some(_)) => ApiError::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource."),
        (Some(id), None) => {
            ApiError::new(404, "NoSuchVersion", "The specified version does not exist.").detail("Key", reading.key).detail("VersionId", id)
        }
        (None, _) => ApiError::new(404, "NoSuchKey", "The specified key does not exist.").detail("Key", reading.key),
    }
}

fn get(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.find(world)?;
    let version = request.call.query_value("versionId");
    let customer = seal::customer_key(request.call)?;
    let reading = Reading {
        bucket: &request.bucket,
        key: &request.key,
        version: version.as_deref(),
        context: conditions::of_call(request.call, request.origin),
        customer: customer.as_deref(),
    };
    let (object, id) = read(world, request.origin, &reading)?;
    let quoted = format!("\"{}\"", object.etag);
    let names_it = |list: &str| list == "*" || list.split(',').any(|etag| etag.trim().trim_matches('"') == object.etag);
    if request.header("if-match").is_some_and(|list| !names_it(list)) {
        return Err(precondition("If-Match"));
    }
    if request.header("if-none-match").is_some_and(names_it) {
        return Ok(Reply::empty(304).header("etag", &quoted));
    }
    let range =
        request.header("range").and_then(|text| text.strip_prefix("bytes=")).map(|text| bounds(text, object.body.len())).transpose()?;
    let whole = range.is_none();
    let (status, part) = match range {
        None => (200, object.body.clone()),
        Some((first, end)) => (206, object.body.slice(first..end)),
    };
    let mut reply = Reply { status, ..Reply::empty(200) };
    if let Some((first, end)) = range {
        reply = reply.header("content-range", &format!("bytes {first}-{}/{}", end - 1, object.body.len()));
    }
    reply = reply.header("content-length", &part.len().to_string()).header("accept-ranges", "bytes").header("etag", &quoted);
    reply = reply.header("last-modified", &http_date(object.modified)).header("content-type", "binary/octet-stream");
    if let Some(id) = id {
        reply = reply.header("x-amz-version-id", &id);
    }
    reply = object.seal.describe(reply);
    // Checksums are of the whole object, and only for those who ask. [S3: Checking object integrity]
    let checksums = whole && request.header("x-amz-checksum-mode") == Some("ENABLED");
    for (name, value) in object.headers.iter().filter(|(name, _)| !name.starts_with("x-amz-checksum-")) {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name.as_str()), http::HeaderValue::from_str(value)) {
            reply.headers.insert(name, value);
        }
    }
    if checksums {
        body::tell(&body::checksums(&object.headers), &mut reply);
    }
    Ok(Reply { body: part, ..reply })
}

/// First byte and the byte after the last.
fn bounds(text: &str, length: usize) -> Result<(usize, usize), ApiError> {
    let unsatisfiable = || {
        ApiError::new(416, "InvalidRange", "The requested range is not satisfiable")
            .detail("RangeRequested", format!("bytes={text}"))
            .detail("ActualObjectSize", length.to_string())
    };
    let (first, last) = text.split_once('-').ok_or_else(unsatisfiable)?;
    let (first, end) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, last.saturating_add(1).min(length)),
        (Ok(first), Err(_)) => (first, length),
        (Err(_), Ok(count)) => (length.saturating_sub(count), length),
        (Err(_), Err(_)) => return Err(unsatisfiable()),
    };
    if first < end { Ok((first, end)) } else { Err(unsatisfiable()) }
}

/// `Tue, 24 Nov 2026 18:00:00 GMT`. [RFC 9110, 5.6.7]
fn http_date(moment: Moment) -> String {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(moment.seconds()).unwrap_or_default()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let format = format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    at.format(format).unwrap_or_default()
}

fn delete(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.find(world)?;
    let version = request.call.query_value("versionId");
    let deleted = remove(world, request, &request.key, version.as_deref())?;
    let mut reply = Reply::empty(204);
    match deleted {
        Deleted::Hidden(id) => reply = reply.header("x-amz-delete-marker", "true").header("x-amz-version-id", &id),
        Deleted::Gone { marker: true } => reply = reply.header("x-amz-delete-marker", "true"),
        Deleted::Gone { marker: false } | Deleted::Nothing => {}
    }
    if let Some(id) = version {
        reply = reply.header("x-amz-version-id", &id);
    }
    Ok(reply)
}

/// Deletes an object or a version, where the caller may, and tells who wants to know.
fn remove(world: &mut World, request: &Request<'_>, key: &str, version: Option<&str>) -> Result<Deleted, ApiError> {
    let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    request.permit(world, action, &format!("{}/{key}", request.bucket_arn()))?;
    let (now, fresh) = (world.now(), world.hex(32));
    let bucket = bucket_mut(world, &request.bucket)?;
    let versioning = bucket.versioning;
    let versions = bucket.objects.entry(key.to_owned()).or_default();
    let deleted = match version {
        Some(id) => versions.delete_version(id),
        None => versions.delete(versioning, now, || fresh),
    };
    if versions.is_empty() {
        bucket.objects.remove(key);
    }
    let (event, id) = match &deleted {
        Deleted::Hidden(id) => ("ObjectRemoved:DeleteMarkerCreated", Some(id.clone())),
        Deleted::Gone { .. } => ("ObjectRemoved:Delete", version.map(str::to_owned)),
        Deleted::Nothing => return Ok(deleted),
    };
    let subject = Subject { bucket: &request.bucket, key, size: None, etag: None, version: id };
    announce::announce(world, &Happening { event, subject, requester: request.origin.caller.arn() });
    Ok(deleted)
}

/// At most 1,000, each with its own answer. [s3:DeleteObjects]
fn delete_many(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.find(world)?;
    let root = request.document()?;
    let quiet = root.value("Quiet") == Some("true");
    let objects: Vec<&Element> = root.all("Object").collect();
    if objects.is_empty() || objects.len() > 1000 {
        return Err(malformed_xml());
    }
    let mut result = Element::new("DeleteResult");
    for object in objects {
        let key = object.value("Key").ok_or_else(malformed_xml)?;
        let version = object.value("VersionId");
        match remove(world, request, key, version) {
            Ok(_) if quiet => {}
            Ok(deleted) => {
                let mut entry = Element::new("Deleted").text("Key", key).maybe("VersionId", version);
                if let Deleted::Hidden(id) = deleted {
                    entry = entry.text("DeleteMarker", true).text("DeleteMarkerVersionId", id);
                }
                result = result.child(entry);
            }
            Err(error) => {
                let entry = Element::new("Error").text("Key", key).maybe("VersionId", version);
                result = result.child(entry.text("Code", &error.code).text("Message", &error.message));
            }
        }
    }
    Ok(answer(result))
}

/// Reads an object for a caller, service or not.
pub(crate) fn fetch(world: &mut World, origin: &Origin, bucket: &str, key: &str) -> Result<Bytes, ApiError> {
    let reading = Reading { bucket, key, version: None, context: conditions::of_connection(origin), customer: None };
    let found = read(world, origin, &reading);
    logs::note_use(world, origin, bucket, ("REST.GET.OBJECT", key), found.as_ref().map_or_else(|error| error.status, |_| 200));
    found.map(|(object, _)| object.body)
}
