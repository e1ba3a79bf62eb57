//! A bucket's ACL, which counts for S3's own log delivery. Objects have none: buckets own their objects.

use md5::{Digest, Md5};

use super::Handler;
use super::bucket::{Bucket, Ownership};
use super::buckets::need;
use super::request::{Request, access_denied, answer, bucket_mut, effective_block, invalid_argument, malformed_xml};
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::World;

/// S3's own log delivery. [S3: Access control list overview]
pub(super) const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";
const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

/// Headers that grant, and what.
const GRANTS: &[(&str, &str)] = &[
    ("x-amz-grant-read", "READ"),
    ("x-amz-grant-write", "WRITE"),
    ("x-amz-grant-read-acp", "READ_ACP"),
    ("x-amz-grant-write-acp", "WRITE_ACP"),
    ("x-amz-grant-full-control", "FULL_CONTROL"),
];

/// Grants beside the owner's.
pub(super) type Acl = Vec<Grant>;

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    /// A group's URI, or a canonical user's id.
    pub(super) grantee: String,
    /// `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP`, `FULL_CONTROL`.
    pub(super) permission: String,
}

impl Grant {
    fn group(uri: &str, permission: &str) -> Self {
        Self { grantee: uri.to_owned(), permission: permission.to_owned() }
    }
}

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "GetBucketAcl" => Some(get),
        "PutBucketAcl" => Some(put),
        _ => None,
    }
}

/// The id that S3 knows an account by: 64 digits, always the same for an account.
pub(super) fn canonical_id(account: &str) -> String {
    let half = |salt: &str| Md5::digest(format!("{salt}{account}")).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    half("a") + &half("b")
}

fn get(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetBucketAcl")?;
    let owner = canonical_id(&bucket.owner);
    let own = Grant { grantee: owner.clone(), permission: "FULL_CONTROL".to_owned() };
    // Log-delivery grants stay even where ACLs are disabled: they were given before.
    let grants = std::iter::once(&own).chain(bucket.acl.iter().flat_map(|acl| acl.iter())).map(write);
    let root = Element::new("AccessControlPolicy")
        .child(Element::new("Owner").text("ID", owner))
        .child(Element::new("AccessControlList").children(grants));
    Ok(answer(root))
}

fn write(grant: &Grant) -> Element {
    let is_group = grant.grantee.starts_with("http");
    let (kind, member) = if is_group { ("Group", "URI") } else { ("CanonicalUser", "ID") };
    let grantee = Element::new("Grantee")
        .attribute("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
        .attribute("xsi:type", kind)
        .text(member, &grant.grantee);
    Element::new("Grant").child(grantee).text("Permission", &grant.permission)
}

fn put(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:PutBucketAcl")?;
    let acl = if request.call.body.is_empty() {
        let by_headers = canned(request)?;
        if by_headers.is_none() && request.header("x-amz-acl").is_none() {
            return Err(ApiError::bad_request("MissingSecurityHeader", "Your request was missing a required header"));
        }
        by_headers
    } else {
        by_body(&request.document()?, bucket)?
    };
    check(world, bucket, acl.as_ref())?;
    bucket_mut(world, &request.bucket)?.acl = acl.map(Box::new);
    Ok(Reply::empty(200))
}

/// The ACL that a bucket is made with: only where ownership allows ACLs, and never a public one, since Block Public Access is
/// on from the start. [s3:CreateBucket]
pub(super) fn of_new(request: &Request<'_>, bucket: &Bucket) -> Result<Option<Acl>, ApiError> {
    let acl = canned(request)?;
    if acl.is_some() && bucket.ownership == Ownership::BucketOwnerEnforced {
        let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(ApiError::bad_request("InvalidBucketAclWithObjectOwnership", message));
    }
    if acl.as_ref().is_some_and(is_public) {
        let message = "Bucket cannot have public ACLs set with BlockPublicAccess enabled";
        return Err(ApiError::bad_request("InvalidBucketAclWithBlockPublicAccessError", message));
    }
    Ok(acl)
}

/// A canned ACL and grants of the headers. [S3: Canned ACL]
fn canned(request: &Request<'_>) -> Result<Option<Acl>, ApiError> {
    let mut grants = match request.header("x-amz-acl") {
        None | Some("private" | "bucket-owner-full-control" | "bucket-owner-read") => Vec::new(),
        Some("log-delivery-write") => vec![Grant::group(LOG_DELIVERY, "WRITE"), Grant::group(LOG_DELIVERY, "READ_ACP")],
        Some("public-read") => vec![Grant::group(ALL_USERS, "READ")],
        Some("public-read-write") => vec![Grant::group(ALL_USERS, "READ"), Grant::group(ALL_USERS, "WRITE")],
        Some("authenticated-read") => vec![Grant::group(AUTHENTICATED_USERS, "READ")],
        Some(other) => return Err(invalid_argument("", "x-amz-acl", other)),
    };
    for (header, permission) in GRANTS {
        for one in request.header(header).into_iter().flat_map(|list| list.split(',')) {
            let grantee = one.split_once('=').map(|(_, value)| value.trim().trim_matches('"'));
            let grantee = grantee.ok_or_else(|| invalid_argument("Argument format not recognized", header, one))?;
            grants.push(Grant::group(grantee, permission));
        }
    }
    Ok((!grants.is_empty()).then_some(grants))
}

fn by_body(root: &Element, bucket: &Bucket) -> Result<Option<Acl>, ApiError> {
    let list = root.first("AccessControlList").ok_or_else(malformed_xml)?;
    let owner = canonical_id(&bucket.owner);
    let mut grants = Vec::new();
    for grant in list.all("Grant") {
        let grantee = grant.first("Grantee").ok_or_else(malformed_xml)?;
        let name = grantee.value("URI").or_else(|| grantee.value("ID")).ok_or_else(malformed_xml)?;
        let permission = need(grant, "Permission")?;
        if name != owner {
            grants.push(Grant::group(name, permission));
        }
    }
    Ok((!grants.is_empty()).then_some(grants))
}

fn check(world: &World, bucket: &Bucket, acl: Option<&Acl>) -> Result<(), ApiError> {
    let Some(acl) = acl else { return Ok(()) };
    if bucket.ownership == Ownership::BucketOwnerEnforced {
        return Err(ApiError::bad_request("AccessControlListNotSupported", "The bucket does not allow ACLs"));
    }
    if is_public(acl) && effective_block(world, bucket).block_public_acls {
        return Err(access_denied("Access Denied"));
    }
    Ok(())
}

fn is_public(acl: &Acl) -> bool {
    acl.iter().any(|grant| grant.grantee == ALL_USERS || grant.grantee == AUTHENTICATED_USERS)
}
