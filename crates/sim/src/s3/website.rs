//! Website endpoints: plain HTTP, no signature, and so nobody's requests. [S3: Website endpoints]

use super::Handler;
use super::bucket::arn;
use super::conditions;
use super::objects::{self, Reading};
use super::request::Request;
use crate::access::Caller;
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::{Origin, World};

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

/// Reads a page as any visitor does.
pub(crate) fn visit(world: &mut World, bucket: &str, key: &str) -> Result<bytes::Bytes, ApiError> {
    let found = world.s3.buckets.get(bucket).ok_or_else(|| super::request::no_such_bucket(bucket))?;
    let origin = Origin { caller: Caller::Anonymous, region: found.region.clone(), secure: false };
    let website = found.texts.get("BucketWebsite").and_then(|text| Element::parse(text.as_bytes()));
    let Some(website) = website else {
        let message = "The specified bucket does not have a website configuration";
        return Err(ApiError::new(404, "NoSuchWebsiteConfiguration", message).detail("BucketName", bucket));
    };
    let index = website.at("IndexDocument/Suffix").unwrap_or("index.html");
    let page = if key.is_empty() || key.ends_with('/') { format!("{key}{index}") } else { key.to_owned() };
    let reading = Reading { bucket, key: &page, version: None, context: conditions::of_connection(&origin), customer: None };
    let read = objects::read(world, &origin, &reading);
    let status = read.as_ref().map_or_else(|error| error.status, |_| 200);
    super::logs::note_use(world, &origin, bucket, ("WEBSITE.GET.OBJECT", &page), status);
    match read {
        Ok((object, _)) => {
            world.tally.delivered(&arn(bucket), "website visitors");
            Ok(object.body)
        }
        Err(error) => {
            let (at, from) = (world.now(), arn(bucket));
            let why = error.to_string();
            world.tally.undelivered(crate::tally::Undelivered { at, from, to: "website visitors".to_owned(), why, lost: true });
            Err(error)
        }
    }
}
