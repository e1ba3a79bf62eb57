//! Settings of a bucket that are kept as they were written, and versioning and object ownership.

use super::Handler;
use super::bucket::{Ownership, Versioning};
use super::buckets::{change, need};
use super::request::{Request, answer, malformed_xml};
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::World;

/// A setting that is only kept.
struct Kept {
    /// As the operations call it after their verb.
    name: &'static str,
    /// Its root element.
    root: &'static str,
    read: &'static str,
    write: &'static str,
    /// Where there is none: code and words.
    missing: (&'static str, &'static str),
}

const KEPT: &[Kept] = &[
    Kept {
        name: "BucketWebsite",
        root: "WebsiteConfiguration",
        read: "s3:GetBucketWebsite",
        write: "s3:PutBucketWebsite",
        missing: ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    },
    Kept {
        name: "BucketLifecycleConfiguration",
        root: "LifecycleConfiguration",
        read: "s3:GetLifecycleConfiguration",
        write: "s3:PutLifecycleConfiguration",
        missing: ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    },
    Kept {
        name: "BucketCors",
        root: "CORSConfiguration",
        read: "s3:GetBucketCORS",
        write: "s3:PutBucketCORS",
        missing: ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    },
    Kept {
        name: "BucketInventoryConfiguration",
        root: "InventoryConfiguration",
        read: "s3:GetInventoryConfiguration",
        write: "s3:PutInventoryConfiguration",
        missing: ("NoSuchConfiguration", "The specified configuration does not exist."),
    },
];

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "GetBucketVersioning" => return Some(get_versioning),
        "PutBucketVersioning" => return Some(put_versioning),
        "GetBucketOwnershipControls" => return Some(get_ownership),
        "PutBucketOwnershipControls" => return Some(put_ownership),
        "DeleteBucketOwnershipControls" => return Some(delete_ownership),
        "ListBucketInventoryConfigurations" => return Some(list_inventories),
        "DeleteBucketLifecycle" => return Some(delete_kept),
        _ => {}
    }
    let verbs: [(&str, Handler); 3] = [("Get", get_kept), ("Put", put_kept), ("Delete", delete_kept)];
    let (verb, handler) = verbs.iter().find(|(verb, _)| operation.starts_with(verb))?;
    let name = &operation[verb.len()..];
    KEPT.iter().any(|kept| kept.name == name).then_some(*handler)
}

/// The setting of a request, and where in the bucket it is kept.
fn kept(request: &Request<'_>) -> Result<(&'static Kept, String), ApiError> {
    let name = request.operation.trim_start_matches("Get").trim_start_matches("Put").trim_start_matches("Delete");
    let kept = KEPT.iter().find(|kept| kept.name == name || (name == "BucketLifecycle" && kept.name == "BucketLifecycleConfiguration"));
    let kept = kept.ok_or_else(|| ApiError::unknown_operation(request.operation))?;
    let place = match request.call.query_value("id") {
        Some(id) => format!("{} {id}", kept.name),
        None => kept.name.to_owned(),
    };
    Ok((kept, place))
}

fn get_kept(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let (kept, place) = kept(request)?;
    let bucket = request.on_bucket(world, kept.read)?;
    match bucket.texts.get(&place) {
        Some(text) => Ok(Reply::new(200, "application/xml", text.clone())),
        None => Err(ApiError::new(404, kept.missing.0, kept.missing.1).detail("BucketName", &request.bucket)),
    }
}

fn put_kept(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let (kept, place) = kept(request)?;
    request.find(world)?;
    let root = request.document()?;
    if root.name() != kept.root || root.is_empty() {
        return Err(malformed_xml());
    }
    let text = root.attribute("xmlns", super::NAMESPACE).document();
    change(world, request, kept.write, |bucket| {
        bucket.texts.insert(place, text);
    })?;
    Ok(Reply::empty(200))
}

fn delete_kept(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let (kept, place) = kept(request)?;
    let action = if kept.name == "BucketWebsite" { "s3:DeleteBucketWebsite" } else { kept.write };
    change(world, request, action, |bucket| {
        bucket.texts.remove(&place);
    })?;
    Ok(Reply::empty(204))
}

fn list_inventories(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetInventoryConfiguration")?;
    let of_inventory = bucket.texts.iter().filter(|(place, _)| place.starts_with("BucketInventoryConfiguration "));
    let all = of_inventory.filter_map(|(_, text)| Element::parse(text.as_bytes()));
    Ok(answer(Element::new("ListInventoryConfigurationsResult").children(all).text("IsTruncated", false)))
}

/// Empty where it never was set. [s3:GetBucketVersioning]
fn get_versioning(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetBucketVersioning")?;
    let status = match bucket.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some("Enabled"),
        Versioning::Suspended => Some("Suspended"),
    };
    Ok(answer(Element::new("VersioningConfiguration").maybe("Status", status)))
}

fn put_versioning(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.find(world)?;
    let replicates = bucket.replication.is_some();
    let versioning = match need(&request.document()?, "Status")? {
        "Enabled" => Versioning::Enabled,
        "Suspended" if replicates => {
            let message = "A replication configuration is present on this bucket, so the versioning state cannot be changed.";
            return Err(ApiError::new(409, "InvalidBucketState", message));
        }
        "Suspended" => Versioning::Suspended,
        _ => return Err(malformed_xml()),
    };
    change(world, request, "s3:PutBucketVersioning", |bucket| bucket.versioning = versioning)?;
    Ok(Reply::empty(200))
}

fn get_ownership(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetBucketOwnershipControls")?;
    let rule = Element::new("Rule").text("ObjectOwnership", bucket.ownership.text());
    Ok(answer(Element::new("OwnershipControls").child(rule)))
}

fn put_ownership(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.find(world)?;
    let root = request.document()?;
    let ownership = root.at("Rule/ObjectOwnership").and_then(Ownership::parse).ok_or_else(malformed_xml)?;
    if ownership == Ownership::BucketOwnerEnforced && bucket.acl.is_some() {
        let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(ApiError::bad_request("InvalidBucketAclWithObjectOwnership", message));
    }
    change(world, request, "s3:PutBucketOwnershipControls", |bucket| bucket.ownership = ownership)?;
    Ok(Reply::empty(200))
}

/// Without controls the writer owns an object. [S3: Controlling ownership of objects]
fn delete_ownership(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    change(world, request, "s3:PutBucketOwnershipControls", |bucket| bucket.ownership = Ownership::ObjectWriter)?;
    Ok(Reply::empty(204))
}
