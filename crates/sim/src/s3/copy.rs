//! `CopyObject`: reads with the source's key, writes as the request or the destination says.

use percent_encoding::percent_decode_str;

use super::objects::{self, Reading};
use super::request::{Request, answer, invalid_argument, no_such_bucket};
use super::seal::{self, Wish};
use super::store::{self, Incoming, Stored};
use super::versions::Object;
use super::{Handler, body, conditions};
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::World;

/// The most that one request copies: 5 GB. [s3:CopyObject]
const MOST: usize = 5 * 1024 * 1024 * 1024;

pub(super) fn handler(operation: &str) -> Option<Handler> {
    (operation == "CopyObject").then_some(copy)
}

/// Bucket, key and version of `x-amz-copy-source`.
struct Source {
    bucket: String,
    key: String,
    version: Option<String>,
}

impl Source {
    fn of(request: &Request<'_>) -> Result<Self, ApiError> {
        let text = request.call.header("x-amz-copy-source");
        let (path, version) = text.split_once("?versionId=").map_or((text, None), |(path, id)| (path, Some(id.to_owned())));
        let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy().into_owned();
        match path.split_once('/') {
            Some((bucket, key)) if !key.is_empty() => Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version }),
            _ => Err(invalid_argument("Invalid copy source object key", "x-amz-copy-source", text)),
        }
    }
}

/// The object that a request copies from.
pub(super) fn source(world: &mut World, request: &Request<'_>) -> Result<Object, ApiError> {
    let Source { bucket, key, version } = Source::of(request)?;
    if !world.s3.buckets.contains_key(&bucket) {
        return Err(no_such_bucket(&bucket));
    }
    let customer = request.header("x-amz-copy-source-server-side-encryption-customer-key-md5");
    let context = conditions::of_connection(request.origin);
    let reading = Reading { bucket: &bucket, key: &key, version: version.as_deref(), context, customer };
    let (object, _) = objects::read(world, request.origin, &reading)?;
    Ok(object)
}

fn copy(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.find(world)?;
    let wish = Wish::of(request.call)?;
    let Source { bucket, key, version } = Source::of(request)?;
    let replaces = request.header("x-amz-metadata-directive") == Some("REPLACE");
    let changes = replaces || version.is_some() || wish != Wish::Default || request.header("x-amz-storage-class").is_some();
    if bucket == request.bucket && key == request.key && !changes {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
                       metadata, storage class, website redirect location or encryption attributes.";
        return Err(ApiError::bad_request("InvalidRequest", message));
    }
    let object = source(world, request)?;
    if object.body.len() > MOST {
        let message = "The specified copy source is larger than the maximum allowable size for a copy source";
        return Err(ApiError::bad_request("InvalidRequest", message));
    }
    let headers = if replaces { body::kept_headers(request.call) } else { object.headers };
    let incoming = Incoming {
        bucket: &request.bucket,
        key: &request.key,
        body: object.body,
        headers,
        wish,
        context: conditions::of_call(request.call, request.origin),
        event: "ObjectCreated:Copy",
    };
    let checksums = body::checksums(&incoming.headers);
    let Stored { etag, seal, version } = store::write(world, request.origin, incoming)?;
    let result = Element::new("CopyObjectResult").text("LastModified", world.now().iso8601()).text("ETag", format!("\"{etag}\""));
    let result = checksums.iter().fold(result, |result, (name, value)| {
        // `x-amz-checksum-crc32` is `ChecksumCRC32` here. [s3:CopyObjectResult]
        result.text(format!("Checksum{}", name.trim_start_matches("x-amz-checksum-").to_ascii_uppercase()), value)
    });
    let result = result.maybe("ChecksumType", (!checksums.is_empty()).then_some("FULL_OBJECT"));
    let reply = seal::Seal::describe(&seal, answer(result));
    Ok(match version {
        Some(version) => reply.header("x-amz-version-id", &version),
        None => reply,
    })
}
