//! Website endpoints: plain HTTP, no signature, and so nobody's requests. [S3: Website endpoints]

use bytes::Bytes;

use super::Handler;
use super::bucket::arn;
use super::objects;
use super::request::{Request, no_such_bucket};
use crate::access::Caller;
use crate::error::ApiError;
use crate::http::Reply;
use crate::tally::Undelivered;
use crate::wire::xml::Element;
use crate::world::{Origin, World};

/// Where a website's pages go, in the tally.
const VISITORS: &str = "website visitors";

pub(super) fn handler(operation: &str) -> Option<Handler> {
    (operation == "GetWebsiteObject").then_some(get)
}

fn get(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    if request.call.method != http::Method::GET && request.call.method != http::Method::HEAD {
        return Err(ApiError::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource."));
    }
    let body = visit(world, &request.bucket, &request.key)?;
    Ok(Reply::new(200, "text/html", body))
}

/// Reads a page as any visitor does, and counts it.
pub(super) fn visit(world: &mut World, bucket: &str, key: &str) -> Result<Bytes, ApiError> {
    let read = page(world, bucket, key);
    match &read {
        Ok(_) => world.tally.delivered(&arn(bucket), VISITORS),
        Err(error) => {
            let (at, from, why) = (world.now(), arn(bucket), error.to_string());
            world.tally.undelivered(Undelivered { at, from, to: VISITORS.to_owned(), why, lost: true });
        }
    }
    read
}

/// Reads a page: over plain HTTP, as nobody.
pub(crate) fn page(world: &mut World, bucket: &str, key: &str) -> Result<Bytes, ApiError> {
    let found = world.s3.buckets.get(bucket).ok_or_else(|| no_such_bucket(bucket))?;
    let origin = Origin { caller: Caller::Anonymous, region: found.region.clone(), secure: false };
    let website = found.texts.get("BucketWebsite").and_then(|text| Element::parse(text.as_bytes()));
    let Some(website) = website else {
        let message = "The specified bucket does not have a website configuration";
        return Err(ApiError::new(404, "NoSuchWebsiteConfiguration", message).detail("BucketName", bucket));
    };
    let index = website.at("IndexDocument/Suffix").unwrap_or("index.html");
    let page = if key.is_empty() || key.ends_with('/') { format!("{key}{index}") } else { key.to_owned() };
    objects::fetch(world, &origin, bucket, &page)
}
