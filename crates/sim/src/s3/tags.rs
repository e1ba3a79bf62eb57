//! Tags of buckets.

use super::Handler;
use super::bucket::arn;
use super::buckets::{change, need};
use super::request::{Request, answer, malformed_xml};
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::World;

/// The most that a bucket bears. [S3: Using cost allocation S3 bucket tags]
const MOST: usize = 50;

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "GetBucketTagging" => Some(get),
        "PutBucketTagging" => Some(put),
        "DeleteBucketTagging" => Some(delete),
        _ => None,
    }
}

/// Tags under an element.
pub(super) fn read(set: &Element) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for tag in set.all("Tag") {
        let (key, value) = (need(tag, "Key")?, need(tag, "Value")?);
        if key.is_empty() || key.chars().count() > 128 {
            return Err(ApiError::bad_request("InvalidTag", "The TagKey you have provided is invalid").detail("TagKey", key));
        }
        if value.chars().count() > 256 {
            return Err(ApiError::bad_request("InvalidTag", "The TagValue you have provided is invalid").detail("TagValue", value));
        }
        if tags.iter().any(|(known, _)| known == key) {
            return Err(ApiError::bad_request("InvalidTag", "Cannot provide multiple Tags with the same key").detail("TagKey", key));
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    if tags.len() > MOST {
        return Err(ApiError::bad_request("BadRequest", format!("Bucket tag count cannot be greater than {MOST}")));
    }
    Ok(tags)
}

fn get(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetBucketTagging")?;
    if bucket.tags.is_empty() {
        return Err(ApiError::new(404, "NoSuchTagSet", "The TagSet does not exist").detail("BucketName", &request.bucket));
    }
    let tags = bucket.tags.iter().map(|(key, value)| Element::new("Tag").text("Key", key).text("Value", value));
    Ok(answer(Element::new("Tagging").child(Element::new("TagSet").children(tags))))
}

fn put(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.find(world)?;
    let tags = read(request.document()?.first("TagSet").ok_or_else(malformed_xml)?)?;
    change(world, request, "s3:PutBucketTagging", |bucket| bucket.tags = tags)?;
    Ok(Reply::empty(204))
}

fn delete(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    change(world, request, "s3:PutBucketTagging", |bucket| bucket.tags.clear())?;
    Ok(Reply::empty(204))
}

/// Tags of all buckets of an account and region, by ARN.
pub(crate) fn tags_of(world: &World, account: &str, region: &str) -> Vec<(String, Vec<(String, String)>)> {
    let own = world.s3.buckets.iter().filter(|(_, bucket)| bucket.owner == account && bucket.region == region);
    own.map(|(name, bucket)| (arn(name), bucket.tags.clone())).collect()
}
