//! Bucket policies, whether they are public, and Block Public Access.

use serde_json::{Map, Value};

use super::bucket::{BucketDocument, PublicAccessBlock};
use super::buckets::change;
use super::request::{Request, access_denied, answer, bucket_mut, effective_block, malformed_xml};
use super::{Handler, public};
use crate::access::{Caller, Written, is_account_id, strings};
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::World;

/// A bucket policy's greatest size. [S3: Bucket policies]
const LARGEST: usize = 20 * 1024;

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "GetBucketPolicy" => Some(get),
        "PutBucketPolicy" => Some(put),
        "DeleteBucketPolicy" => Some(delete),
        "GetBucketPolicyStatus" => Some(status),
        "GetPublicAccessBlock" => Some(get_block),
        "PutPublicAccessBlock" => Some(put_block),
        "DeletePublicAccessBlock" => Some(delete_block),
        "GetAccountPublicAccessBlock" => Some(get_account_block),
        "PutAccountPublicAccessBlock" => Some(put_account_block),
        "DeleteAccountPublicAccessBlock" => Some(delete_account_block),
        _ => None,
    }
}

/// The owner's account alone may touch the policy, and its root may whatever the policy says. [s3:PutBucketPolicy]
fn admit(world: &World, request: &Request<'_>, action: &str) -> Result<(), ApiError> {
    let bucket = request.find(world)?;
    let caller = &request.origin.caller;
    if matches!(caller, Caller::Root { account } if *account == bucket.owner) {
        return Ok(());
    }
    request.permit(world, action, &request.bucket_arn())?;
    if caller.account() == Some(&bucket.owner) {
        return Ok(());
    }
    Err(ApiError::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource."))
}

fn get(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    admit(world, request, "s3:GetBucketPolicy")?;
    let document = request.find(world)?.document.as_ref().ok_or_else(|| no_policy(request))?;
    Ok(Reply::new(200, "application/json", document.text.to_string()))
}

fn no_policy(request: &Request<'_>) -> ApiError {
    ApiError::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist").detail("BucketName", &request.bucket)
}

fn put(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    admit(world, request, "s3:PutBucketPolicy")?;
    let text = std::str::from_utf8(&request.call.body).map_err(|_| not_json())?;
    let document = read(text, &request.bucket_arn())?;
    let bucket = request.find(world)?;
    if document.is_public && effective_block(world, bucket).block_public_policy {
        let (caller, arn) = (request.origin.caller.arn(), request.bucket_arn());
        let message = format!(
            "User: {caller} is not authorized to perform: s3:PutBucketPolicy on resource: \"{arn}\" because public policies are \
             blocked by the BlockPublicPolicy block public access setting."
        );
        return Err(access_denied(&message));
    }
    bucket_mut(world, &request.bucket)?.document = Some(document);
    Ok(Reply::empty(204))
}

fn delete(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    admit(world, request, "s3:DeleteBucketPolicy")?;
    bucket_mut(world, &request.bucket)?.document = None;
    Ok(Reply::empty(204))
}

fn not_json() -> ApiError {
    malformed("Policies must be valid JSON and the first byte must be '{'")
}

fn malformed(message: &str) -> ApiError {
    ApiError::bad_request("MalformedPolicy", message)
}

/// Reads and checks a document as S3 does, and writes it as S3 gives it back: booleans and numbers of conditions are
/// strings then, and an account is its root's ARN.
pub(super) fn read(text: &str, bucket: &str) -> Result<BucketDocument, ApiError> {
    if text.len() > LARGEST {
        return Err(malformed("Policy exceeds the maximum allowed document size."));
    }
    let Ok(Value::Object(mut body)) = serde_json::from_str(text) else { return Err(not_json()) };
    if let Some(unknown) = body.keys().find(|key| !matches!(key.as_str(), "Version" | "Id" | "Statement")) {
        return Err(malformed(&format!("Unknown field {unknown}")));
    }
    if !matches!(body.get("Version").map(Value::as_str), None | Some(Some("2012-10-17" | "2008-10-17"))) {
        return Err(malformed("The policy must contain a valid version string"));
    }
    match body.get_mut("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => {
            for statement in statements {
                check(statement.as_object_mut().ok_or_else(|| malformed("Invalid policy syntax."))?, bucket)?;
            }
        }
        Some(Value::Object(statement)) => check(statement, bucket)?,
        _ => return Err(malformed("Missing required field Statement")),
    }
    let text = Value::Object(body).to_string();
    let written = Written::parse(&text).ok_or_else(|| malformed("Invalid policy syntax."))?;
    Ok(BucketDocument { parsed: written.document(), is_public: public::is_public(&written), text: text.into() })
}

fn check(statement: &mut Map<String, Value>, bucket: &str) -> Result<(), ApiError> {
    const FIELDS: &[&str] = &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    if let Some(unknown) = statement.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Err(malformed(&format!("Unknown field {unknown}")));
    }
    match statement.get("Effect").and_then(Value::as_str) {
        Some("Allow" | "Deny") => {}
        Some(other) => return Err(malformed(&format!("Invalid effect: {other}"))),
        None => return Err(malformed("Missing required field Effect")),
    }
    for (field, opposite) in [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")] {
        if statement.contains_key(field) == statement.contains_key(opposite) {
            return Err(malformed(&format!("Missing required field {field}")));
        }
    }
    for field in ["Principal", "NotPrincipal"] {
        if let Some(principal) = statement.get_mut(field) {
            check_principal(principal)?;
        }
    }
    for action in ["Action", "NotAction"].iter().filter_map(|field| statement.get(*field)).flat_map(strings) {
        if action != "*" && !action.to_ascii_lowercase().starts_with("s3:") {
            return Err(malformed("Policy has invalid action"));
        }
    }
    for resource in ["Resource", "NotResource"].iter().filter_map(|field| statement.get(*field)).flat_map(strings) {
        check_resource(resource, bucket)?;
    }
    match statement.get_mut("Condition") {
        None => Ok(()),
        Some(Value::Object(operators)) => operators.values_mut().try_for_each(write_as_text),
        Some(_) => Err(malformed("Invalid policy syntax.")),
    }
}

/// Principals must exist: an id that a deleted one left behind does not. [S3: Error responses, `MalformedPolicy`]
fn check_principal(principal: &mut Value) -> Result<(), ApiError> {
    let invalid = |value: &str| malformed("Invalid principal in policy").detail("Detail", value);
    let kinds = match principal {
        Value::String(all) if all == "*" => return Ok(()),
        Value::Object(kinds) if !kinds.is_empty() => kinds,
        other => return Err(invalid(&other.to_string())),
    };
    for (kind, listed) in kinds {
        let one: &mut [Value] = match listed {
            Value::Array(many) => many,
            one => std::slice::from_mut(one),
        };
        for value in one {
            let Some(text) = value.as_str() else { return Err(invalid(&value.to_string())) };
            let known = match kind.as_str() {
                "AWS" => is_account_id(text) || text == "*" || is_identity(text),
                "Service" => text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn"),
                "CanonicalUser" | "Federated" => true,
                _ => false,
            };
            if !known {
                return Err(invalid(text));
            }
            if is_account_id(text) {
                *value = Value::String(format!("arn:aws:iam::{text}:root"));
            }
        }
    }
    Ok(())
}

fn is_identity(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let head = (parts.next(), parts.next().is_some_and(|partition| partition.starts_with("aws")), parts.next());
    let known_service = matches!(head, (Some("arn"), true, Some("iam" | "sts" | "cloudfront")));
    let rest = parts.nth(2).unwrap_or_default();
    let kinds = ["root", "user/", "role/", "assumed-role/", "federated-user/", "CloudFront Origin Access Identity "];
    let kinds = kinds.iter().any(|kind| rest.starts_with(kind) || rest.starts_with(&format!("user/{kind}")));
    known_service && kinds && !rest.contains('*')
}

/// A bucket's policy speaks of the bucket and its objects alone.
fn check_resource(resource: &str, bucket: &str) -> Result<(), ApiError> {
    let of_bucket = |pattern: &str| {
        let (name, object) = pattern.split_once('/').map_or((pattern, None), |(name, object)| (name, Some(object)));
        crate::access::like(name, bucket) && object.is_none_or(|object| !object.is_empty())
    };
    if resource == "*" || of_bucket(resource) || (resource.ends_with('*') && crate::access::like(resource, bucket)) {
        return Ok(());
    }
    Err(malformed("Policy has invalid resource"))
}

fn write_as_text(keys: &mut Value) -> Result<(), ApiError> {
    let Value::Object(keys) = keys else { return Err(malformed("Invalid policy syntax.")) };
    for values in keys.values_mut() {
        let values: &mut [Value] = match values {
            Value::Array(many) => many,
            one => std::slice::from_mut(one),
        };
        for value in values {
            match value {
                Value::String(_) => {}
                Value::Bool(_) | Value::Number(_) => *value = Value::String(value.to_string()),
                Value::Null | Value::Array(_) | Value::Object(_) => return Err(malformed("Invalid policy syntax.")),
            }
        }
    }
    Ok(())
}

fn status(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetBucketPolicyStatus")?;
    let document = bucket.document.as_ref().ok_or_else(|| no_policy(request))?;
    Ok(answer(Element::new("PolicyStatus").text("IsPublic", document.is_public)))
}

fn get_block(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetBucketPublicAccessBlock")?;
    bucket.public_access.map(write_block).ok_or_else(no_block)
}

fn no_block() -> ApiError {
    ApiError::new(404, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
}

fn write_block(block: PublicAccessBlock) -> Reply {
    let PublicAccessBlock { block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets } = block;
    let root = Element::new("PublicAccessBlockConfiguration")
        .text("BlockPublicAcls", block_public_acls)
        .text("IgnorePublicAcls", ignore_public_acls)
        .text("BlockPublicPolicy", block_public_policy)
        .text("RestrictPublicBuckets", restrict_public_buckets);
    answer(root)
}

fn read_block(request: &Request<'_>) -> Result<PublicAccessBlock, ApiError> {
    let root = request.document()?;
    let flag = |name: &str| match root.value(name) {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(_) => Err(malformed_xml()),
    };
    Ok(PublicAccessBlock {
        block_public_acls: flag("BlockPublicAcls")?,
        ignore_public_acls: flag("IgnorePublicAcls")?,
        block_public_policy: flag("BlockPublicPolicy")?,
        restrict_public_buckets: flag("RestrictPublicBuckets")?,
    })
}

fn put_block(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.find(world)?;
    let block = read_block(request)?;
    change(world, request, "s3:PutBucketPublicAccessBlock", |bucket| bucket.public_access = Some(block))?;
    Ok(Reply::empty(200))
}

fn delete_block(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    change(world, request, "s3:PutBucketPublicAccessBlock", |bucket| bucket.public_access = None)?;
    Ok(Reply::empty(204))
}

/// The account that a request to S3 Control is about, where the caller may do this to it.
fn account(world: &World, request: &Request<'_>, action: &str) -> Result<String, ApiError> {
    let account = request.header("x-amz-account-id").unwrap_or_else(|| request.origin.account()).to_owned();
    let ask = crate::world::Ask { action, resource: "*", owner: &account, document: None, context: crate::access::RequestContext::new() };
    world.permit(request.origin, &ask).map_err(|denial| access_denied(&denial.message))?;
    Ok(account)
}

fn get_account_block(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let account = account(world, request, "s3:GetAccountPublicAccessBlock")?;
    world.s3.account_blocks.get(&account).copied().map(write_block).ok_or_else(no_block)
}

fn put_account_block(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let account = account(world, request, "s3:PutAccountPublicAccessBlock")?;
    let block = read_block(request)?;
    world.s3.account_blocks.insert(account, block);
    Ok(Reply::empty(201))
}

fn delete_account_block(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let account = account(world, request, "s3:PutAccountPublicAccessBlock")?;
    world.s3.account_blocks.remove(&account);
    Ok(Reply::empty(204))
}
