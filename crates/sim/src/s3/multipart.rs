//! Multipart uploads. Sealed by KMS, they need `kms:GenerateDataKey` to begin and `kms:Decrypt` for every part.
//! [S3: Multipart upload API and permissions]

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::request::{Request, answer, bucket_mut, malformed_xml};
use super::seal::{self, Purpose, Seal, Wish};
use super::versions::Object;
use super::{Handler, body, copy, store};
use crate::error::ApiError;
use crate::http::Reply;
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::world::World;

/// The least that every part but the last holds. [S3: Multipart upload limits]
const LEAST: usize = 5 * 1024 * 1024;

/// An upload that is not complete.
#[derive(Debug)]
pub(super) struct Upload {
    key: String,
    began: Moment,
    seal: Seal,
    headers: Vec<(String, String)>,
    parts: BTreeMap<u32, Part>,
}

#[derive(Debug, Clone)]
struct Part {
    body: Bytes,
    etag: String,
    modified: Moment,
}

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "CreateMultipartUpload" => Some(create),
        "UploadPart" => Some(upload),
        "UploadPartCopy" => Some(upload_copy),
        "CompleteMultipartUpload" => Some(complete),
        "AbortMultipartUpload" => Some(abort),
        "ListParts" => Some(list_parts),
        "ListMultipartUploads" => Some(list_uploads),
        _ => None,
    }
}

fn create(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.on_object(world, "s3:PutObject")?;
    store::check_key(&request.key)?;
    let wish = Wish::of(request.call)?;
    let purpose = Purpose { bucket: &request.bucket, key: &request.key, action: "kms:GenerateDataKey" };
    let seal = seal::seal(world, request.origin, purpose, &wish)?;
    let mut headers = body::kept_headers(request.call);
    headers.retain(|(name, _)| !name.starts_with("x-amz-checksum-"));
    let id = world.hex(64);
    let upload = Upload { key: request.key.clone(), began: world.now(), seal: seal.clone(), headers, parts: BTreeMap::new() };
    bucket_mut(world, &request.bucket)?.uploads.insert(id.clone(), upload);
    let result = Element::new("InitiateMultipartUploadResult").text("Bucket", &request.bucket).text("Key", &request.key);
    Ok(seal.describe(answer(result.text("UploadId", id))))
}

fn no_such_upload(id: &str) -> ApiError {
    let message = "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
                   completed.";
    ApiError::new(404, "NoSuchUpload", message).detail("UploadId", id)
}

/// The id of the request's upload, which is there and for the request's key.
fn upload_id(world: &World, request: &Request<'_>) -> Result<String, ApiError> {
    let id = request.call.query_value("uploadId").unwrap_or_default();
    let known = request.find(world)?.uploads.get(&id).is_some_and(|upload| upload.key == request.key);
    if known { Ok(id) } else { Err(no_such_upload(&id)) }
}

fn upload(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let body::Upload { body, headers } = body::read(request.call)?;
    let (etag, seal) = add_part(world, request, body)?;
    let mut reply = seal.describe(Reply::empty(200).header("etag", &format!("\"{etag}\"")));
    for (name, value) in body::checksums(&headers) {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::from_str(&value)) {
            reply.headers.insert(name, value);
        }
    }
    Ok(reply)
}

fn upload_copy(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let object = copy::source(world, request)?;
    let body = match request.header("x-amz-copy-source-range").and_then(|text| text.strip_prefix("bytes=")) {
        None => object.body,
        Some(range) => {
            let bounds = range.split_once('-').and_then(|(first, last)| Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?)));
            let bounds = bounds.filter(|(first, last)| first <= last && *last < object.body.len());
            let (first, last) = bounds.ok_or_else(|| {
                let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
                               zero-based offsets of the first and last bytes to copy";
                super::request::invalid_argument(message, "x-amz-copy-source-range", range)
            })?;
            object.body.slice(first..=last)
        }
    };
    let (etag, seal) = add_part(world, request, body)?;
    let result = Element::new("CopyPartResult").text("LastModified", world.now().iso8601()).text("ETag", format!("\"{etag}\""));
    Ok(seal.describe(answer(result)))
}

fn add_part(world: &mut World, request: &Request<'_>, body: Bytes) -> Result<(String, Seal), ApiError> {
    request.on_object(world, "s3:PutObject")?;
    let id = upload_id(world, request)?;
    let number = request.call.query_value("partNumber").and_then(|text| text.parse::<u32>().ok()).filter(|n| (1..=10_000).contains(n));
    let number =
        number.ok_or_else(|| ApiError::bad_request("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive"))?;
    let seal = request.find(world)?.uploads.get(&id).map(|upload| upload.seal.clone()).ok_or_else(|| no_such_upload(&id))?;
    decrypt(world, request, &seal)?;
    let (etag, now) = (store::etag_of(&body, &seal), world.now());
    let part = Part { body, etag: etag.clone(), modified: now };
    let upload = bucket_mut(world, &request.bucket)?.uploads.get_mut(&id).ok_or_else(|| no_such_upload(&id))?;
    upload.parts.insert(number, part);
    Ok((etag, seal))
}

/// Parts are sealed with the data key that the upload began with: it must be opened.
fn decrypt(world: &mut World, request: &Request<'_>, seal: &Seal) -> Result<(), ApiError> {
    match seal {
        Seal::Kms { key, bucket_key, .. } => {
            let purpose = Purpose { bucket: &request.bucket, key: &request.key, action: "kms:Decrypt" };
            seal::use_key(world, request.origin, purpose, key, *bucket_key).map(drop)
        }
        Seal::Aes256 | Seal::Customer { .. } => Ok(()),
    }
}

/// The bytes that an `ETag` writes in hexadecimal: the digest of the parts' digests is the whole's.
fn digest(etag: &str) -> impl Iterator<Item = u8> {
    (0..etag.len() / 2).filter_map(|at| u8::from_str_radix(etag.get(2 * at..2 * at + 2)?, 16).ok())
}

fn complete(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.on_object(world, "s3:PutObject")?;
    let id = upload_id(world, request)?;
    let listed = listed_parts(&request.document()?)?;
    let upload = request.find(world)?.uploads.get(&id).ok_or_else(|| no_such_upload(&id))?;
    let parts = chosen(upload, &listed)?;
    let (seal, headers) = (upload.seal.clone(), upload.headers.clone());
    decrypt(world, request, &seal)?;
    let mut body = BytesMut::new();
    for part in &parts {
        body.extend_from_slice(&part.body);
    }
    let digests: Vec<u8> = parts.iter().flat_map(|part| digest(&part.etag)).collect();
    let etag = format!("{}-{}", store::etag_of(&digests, &seal), parts.len());
    let object = Object { body: body.freeze(), etag: etag.clone(), modified: world.now(), seal: seal.clone(), headers, is_replica: false };
    bucket_mut(world, &request.bucket)?.uploads.remove(&id);
    let place = (request.bucket.as_str(), request.key.as_str());
    let version = store::keep(world, request.origin, place, object, "ObjectCreated:CompleteMultipartUpload")?;
    let result = Element::new("CompleteMultipartUploadResult")
        .text("Location", format!("https://{}.s3.amazonaws.com/{}", request.bucket, request.key))
        .text("Bucket", &request.bucket)
        .text("Key", &request.key)
        .text("ETag", format!("\"{etag}\""));
    let reply = seal.describe(answer(result));
    Ok(match version {
        Some(version) => reply.header("x-amz-version-id", &version),
        None => reply,
    })
}

fn listed_parts(root: &Element) -> Result<Vec<(u32, String)>, ApiError> {
    let read = |part: &Element| {
        let number = part.value("PartNumber")?.parse().ok()?;
        Some((number, part.value("ETag")?.trim_matches('"').to_owned()))
    };
    let parts: Vec<(u32, String)> = root.all("Part").map(read).collect::<Option<_>>().ok_or_else(malformed_xml)?;
    if parts.is_empty() {
        return Err(malformed_xml());
    }
    if parts.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        let message = "The list of parts was not in ascending order. The parts list must be specified in order by part number.";
        return Err(ApiError::bad_request("InvalidPartOrder", message));
    }
    Ok(parts)
}

fn chosen(upload: &Upload, listed: &[(u32, String)]) -> Result<Vec<Part>, ApiError> {
    let mut parts = Vec::new();
    for (number, etag) in listed {
        let part = upload.parts.get(number).filter(|part| part.etag == *etag).ok_or_else(|| {
            let message = "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified \
                           entity tag may not match the part's entity tag.";
            ApiError::bad_request("InvalidPart", message).detail("PartNumber", number.to_string())
        })?;
        parts.push(part.clone());
    }
    let all_but_last = &parts[..parts.len().saturating_sub(1)];
    if all_but_last.iter().any(|part| part.body.len() < LEAST) {
        return Err(ApiError::bad_request("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"));
    }
    Ok(parts)
}

fn abort(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.on_object(world, "s3:AbortMultipartUpload")?;
    let id = upload_id(world, request)?;
    bucket_mut(world, &request.bucket)?.uploads.remove(&id);
    Ok(Reply::empty(204))
}

fn list_parts(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_object(world, "s3:ListMultipartUploadParts")?;
    let id = upload_id(world, request)?;
    let upload = bucket.uploads.get(&id).ok_or_else(|| no_such_upload(&id))?;
    let most = request.number("max-parts", 1000)?;
    let after = request.call.query_value("part-number-marker").and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let mut rest = upload.parts.range(after.saturating_add(1)..);
    let page: Vec<(&u32, &Part)> = rest.by_ref().take(most).collect();
    let next = rest.next().and_then(|_| page.last()).map(|(number, _)| **number);
    let parts = page.iter().map(|(number, part)| {
        Element::new("Part")
            .text("PartNumber", number)
            .text("LastModified", part.modified.iso8601())
            .text("ETag", format!("\"{}\"", part.etag))
            .text("Size", part.body.len())
    });
    let root = Element::new("ListPartsResult").text("Bucket", &request.bucket).text("Key", &request.key).text("UploadId", &id);
    let root = root.text("MaxParts", most).text("IsTruncated", next.is_some()).maybe("NextPartNumberMarker", next);
    Ok(answer(root.text("PartNumberMarker", after).children(parts)))
}

/// All on one page: a bucket of a simulation has few.
fn list_uploads(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:ListBucketMultipartUploads")?;
    let uploads = bucket
        .uploads
        .iter()
        .map(|(id, upload)| Element::new("Upload").text("Key", &upload.key).text("UploadId", id).text("Initiated", upload.began.iso8601()));
    let root = Element::new("ListMultipartUploadsResult").text("Bucket", &request.bucket).text("MaxUploads", 1000);
    Ok(answer(root.text("IsTruncated", false).children(uploads)))
}
