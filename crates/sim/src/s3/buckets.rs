//! Buckets: create, delete, find, list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::bucket::{Bucket, Ownership, arn};
use super::request::{Request, access_denied, answer, bucket_mut, invalid_argument, malformed_xml};
use super::{Handler, acl, tags};
use crate::access::RequestContext;
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::{Ask, World};

/// The most that one page of `ListBuckets` holds. [s3:ListBuckets]
const PAGE: usize = 10_000;

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "CreateBucket" => Some(create),
        "DeleteBucket" => Some(delete),
        "HeadBucket" => Some(head),
        "GetBucketLocation" => Some(location),
        "ListBuckets" => Some(list),
        _ => None,
    }
}

fn create(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let name = &request.bucket;
    let Some(account) = request.origin.caller.account().map(str::to_owned) else { return Err(access_denied("Access Denied")) };
    check_name(name)?;
    let configuration = if request.call.body.is_empty() { Element::default() } else { request.document()? };
    let region = region_of(request, configuration.value("LocationConstraint"))?;
    let ask = Ask {
        action: "s3:CreateBucket",
        resource: &arn(name),
        owner: &account,
        document: None,
        context: super::conditions::of_call(request.call, request.origin),
    };
    world.permit(request.origin, &ask).map_err(|denial| access_denied(&denial.message))?;
    if let Some(existing) = world.s3.buckets.get(name) {
        return already_there(existing, &account, name);
    }
    let mut bucket = Bucket::new(&account, &region, world.now());
    if let Some(text) = request.header("x-amz-object-ownership") {
        bucket.ownership = Ownership::parse(text)
            .ok_or_else(|| invalid_argument("Invalid x-amz-object-ownership header", "x-amz-object-ownership", text))?;
    }
    bucket.acl = acl::of_new(request, &bucket)?.map(Box::new);
    if let Some(list) = configuration.first("Tags") {
        bucket.tags = tags::read(list)?;
    }
    world.s3.buckets.insert(name.clone(), bucket);
    Ok(Reply::empty(200).header("location", &format!("/{name}")).header("x-amz-bucket-arn", &arn(name)))
}

/// In us-east-1 alone, creating one's own bucket again succeeds. [s3:CreateBucket]
fn already_there(existing: &Bucket, account: &str, name: &str) -> Result<Reply, ApiError> {
    if existing.owner != account {
        let message = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
                       Please select a different name and try again.";
        return Err(ApiError::new(409, "BucketAlreadyExists", message).detail("BucketName", name));
    }
    if existing.region == "us-east-1" {
        return Ok(Reply::empty(200).header("location", &format!("/{name}")));
    }
    let message = "Your previous request to create the named bucket succeeded and you already own it.";
    Err(ApiError::new(409, "BucketAlreadyOwnedByYou", message).detail("BucketName", name))
}

/// Three to 63 lower-case letters, digits, dots and hyphens. [S3: General purpose bucket naming rules]
fn check_name(name: &str) -> Result<(), ApiError> {
    let fits = (3..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
        && !name.starts_with(['.', '-'])
        && !name.ends_with(['.', '-'])
        && !name.contains("..")
        && !name.starts_with("xn--")
        && !name.ends_with("-s3alias")
        && name.parse::<std::net::Ipv4Addr>().is_err();
    if fits {
        return Ok(());
    }
    Err(ApiError::bad_request("InvalidBucketName", "The specified bucket is not valid.").detail("BucketName", name))
}

/// The region of a new bucket: a region's own endpoint makes buckets there alone, us-east-1's anywhere. [s3:CreateBucket]
fn region_of(request: &Request<'_>, constraint: Option<&str>) -> Result<String, ApiError> {
    let endpoint = request.origin.region.as_str();
    let wanted = match constraint.filter(|text| !text.is_empty()) {
        None => "us-east-1",
        Some("EU") => "eu-west-1",
        Some("us-east-1") => {
            return Err(ApiError::bad_request("InvalidLocationConstraint", "The specified location-constraint is not valid")
                .detail("LocationConstraint", "us-east-1"));
        }
        Some(region) => region,
    };
    if endpoint == "us-east-1" || endpoint == wanted {
        return Ok(wanted.to_owned());
    }
    let subject = constraint.map_or("unspecified", |region| region);
    let message = format!("The {subject} location constraint is incompatible for the region specific endpoint this request was sent to.");
    Err(ApiError::bad_request("IllegalLocationConstraintException", message))
}

fn delete(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:DeleteBucket")?;
    if !bucket.objects.is_empty() {
        let versioned = bucket.objects.values().all(|versions| versions.current().is_none());
        let message = if versioned {
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
        } else {
            "The bucket you tried to delete is not empty"
        };
        return Err(ApiError::new(409, "BucketNotEmpty", message).detail("BucketName", &request.bucket));
    }
    world.s3.buckets.remove(&request.bucket);
    Ok(Reply::empty(204))
}

fn head(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:ListBucket")?;
    let reply = Reply::empty(200).header("x-amz-bucket-region", &bucket.region).header("x-amz-bucket-arn", &request.bucket_arn());
    Ok(reply.header("x-amz-access-point-alias", "false"))
}

/// Empty for us-east-1. [s3:GetBucketLocation]
fn location(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetBucketLocation")?;
    let region = if bucket.region == "us-east-1" { "" } else { bucket.region.as_str() };
    Ok(answer(Element::new("LocationConstraint").with_content(region)))
}

fn list(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let account = request.origin.account().to_owned();
    let ask = Ask { action: "s3:ListAllMyBuckets", resource: "*", owner: &account, document: None, context: RequestContext::new() };
    world.permit(request.origin, &ask).map_err(|denial| access_denied(&denial.message))?;
    let query = |name: &str| request.call.query_value(name);
    let most = request.number("max-buckets", PAGE)?;
    if most == 0 {
        return Err(invalid_argument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", "0"));
    }
    let after = query("continuation-token").map(|token| last_of(&token)).transpose()?;
    let (prefix, only) = (query("prefix").unwrap_or_default(), query("bucket-region"));
    // With any of its parameters the answer tells regions. [s3:ListBuckets]
    let tells_region = ["max-buckets", "prefix", "bucket-region", "continuation-token"].iter().any(|name| query(name).is_some());
    let from = (after.as_ref().map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded), std::ops::Bound::Unbounded);
    let mut found = world
        .s3
        .buckets
        .range::<String, _>(from)
        .filter(|(name, bucket)| bucket.owner == account && name.starts_with(&prefix))
        .filter(|(_, bucket)| only.as_ref().is_none_or(|region| *region == bucket.region));
    let page: Vec<(&String, &Bucket)> = found.by_ref().take(most).collect();
    let token = found.next().and_then(|_| page.last()).map(|(name, _)| URL_SAFE_NO_PAD.encode(name.as_bytes()));
    let buckets = page.into_iter().map(|(name, bucket)| {
        let element = Element::new("Bucket").text("Name", name).text("CreationDate", bucket.created.iso8601());
        if tells_region { element.text("BucketRegion", &bucket.region).text("BucketArn", arn(name)) } else { element }
    });
    let root = Element::new("ListAllMyBucketsResult")
        .child(Element::new("Owner").text("ID", acl::canonical_id(&account)))
        .child(Element::new("Buckets").children(buckets))
        .maybe("ContinuationToken", token)
        .maybe("Prefix", query("prefix"));
    Ok(answer(root))
}

/// The name after which a page begins.
fn last_of(token: &str) -> Result<String, ApiError> {
    let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| invalid_argument("The continuation token provided is incorrect", "continuation-token", token))
}

/// Changes a bucket that the request was let in to.
pub(super) fn change(world: &mut World, request: &Request<'_>, action: &str, work: impl FnOnce(&mut Bucket)) -> Result<(), ApiError> {
    request.on_bucket(world, action)?;
    work(bucket_mut(world, &request.bucket)?);
    Ok(())
}

/// A required child's text.
pub(super) fn need<'a>(element: &'a Element, name: &str) -> Result<&'a str, ApiError> {
    element.value(name).ok_or_else(malformed_xml)
}
