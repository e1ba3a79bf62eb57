//! Distributions through the API. [cloudfront:CreateDistribution]

use std::ops::Bound;
use std::time::Duration;

use super::{Distribution, answer, arn, body, id_of, permit};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::xml::Element;
use crate::world::{Origin, World};

/// How long a change takes to reach the edges.
const DEPLOYMENT: Duration = Duration::from_mins(5);

pub(super) fn create(world: &mut World, origin: &Origin, call: &Call) -> Result<Reply, ApiError> {
    permit(world, origin, "cloudfront:CreateDistribution", &arn(origin.account(), "*"))?;
    let config = body(call, "DistributionConfig")?;
    check(world, &config)?;
    let reference = config.value("CallerReference").unwrap_or_default();
    let same = |one: &&Distribution| one.account == origin.account() && one.config.value("CallerReference") == Some(reference);
    if world.cloudfront.distributions.values().any(|one| same(&one)) {
        return Err(ApiError::new(
            409,
            "DistributionAlreadyExists",
            "The caller reference that you are using to create a distribution is associated with another distribution.",
        ));
    }
    let id = add(world, origin.account(), config);
    let location = format!("https://cloudfront.amazonaws.com/2020-05-31/distribution/{id}");
    let reply = whole(world, &id, 201)?;
    Ok(reply.header("location", &location))
}

/// Adds a distribution. Its id.
pub(super) fn add(world: &mut World, account: &str, config: Element) -> String {
    let (id, etag) = (format!("E{}", world.hex(13).to_ascii_uppercase()), new_etag(world));
    let distribution = Distribution { account: account.to_owned(), modified: world.now(), etag, config };
    world.cloudfront.distributions.insert(id.clone(), distribution);
    id
}

fn new_etag(world: &mut World) -> String {
    format!("E{}", world.hex(12).to_ascii_uppercase())
}

/// What AWS checks of what counts here.
fn check(world: &World, config: &Element) -> Result<(), ApiError> {
    let missing = |what: &str| ApiError::bad_request("InvalidArgument", format!("The parameter {what} is required."));
    for name in ["CallerReference", "Comment", "Enabled"] {
        config.first(name).ok_or_else(|| missing(name))?;
    }
    let behavior = config.first("DefaultCacheBehavior").ok_or_else(|| missing("DefaultCacheBehavior"))?;
    let target = behavior.value("TargetOriginId").ok_or_else(|| missing("TargetOriginId"))?;
    if !matches!(behavior.value("ViewerProtocolPolicy"), Some("allow-all" | "redirect-to-https" | "https-only")) {
        return Err(missing("ViewerProtocolPolicy"));
    }
    let origins: Vec<&Element> =
        config.first("Origins").and_then(|list| list.first("Items")).into_iter().flat_map(|items| items.all("Origin")).collect();
    if !origins.iter().any(|origin| origin.value("Id") == Some(target)) {
        return Err(ApiError::new(404, "NoSuchOrigin", "One or more of your origins or origin groups do not exist."));
    }
    origins.into_iter().try_for_each(|origin| check_origin(world, origin))
}

fn check_origin(world: &World, origin: &Element) -> Result<(), ApiError> {
    let domain = origin.value("DomainName").unwrap_or_default();
    let control = origin.value("OriginAccessControlId").filter(|id| !id.is_empty());
    let identity = origin.at("S3OriginConfig/OriginAccessIdentity").filter(|id| !id.is_empty());
    if origin.first("S3OriginConfig").is_none() && origin.first("CustomOriginConfig").is_none() {
        return Err(ApiError::bad_request("InvalidOrigin", "The specified origin must have an S3OriginConfig or a CustomOriginConfig."));
    }
    if control.is_some() && identity.is_some() {
        let message = "An origin cannot contain both an origin access control (OAC) and an origin access identity (OAI).";
        return Err(ApiError::bad_request("IllegalOriginAccessConfiguration", message));
    }
    if control.is_some() && domain.contains(".s3-website") {
        let message = "An origin access control is associated with an origin whose domain name is not supported.";
        return Err(ApiError::bad_request("InvalidDomainNameForOriginAccessControl", message));
    }
    if control.is_some_and(|id| !world.cloudfront.controls.contains_key(id)) {
        return Err(ApiError::bad_request("InvalidOriginAccessControl", "The origin access control does not exist."));
    }
    let known = |path: &str| world.cloudfront.identities.contains_key(path.trim_start_matches("origin-access-identity/cloudfront/"));
    if identity.is_some_and(|path| !known(path)) {
        return Err(ApiError::bad_request("InvalidOriginAccessIdentity", "The origin access identity is not valid or doesn't exist."));
    }
    Ok(())
}

fn no_such_distribution() -> ApiError {
    ApiError::new(404, "NoSuchDistribution", "The specified distribution does not exist.")
}

/// A distribution of the caller's account.
fn own<'w>(world: &'w World, origin: &Origin, id: &str, action: &str) -> Result<&'w Distribution, ApiError> {
    permit(world, origin, action, &arn(origin.account(), id))?;
    world.cloudfront.distributions.get(id).filter(|one| one.account == origin.account()).ok_or_else(no_such_distribution)
}

/// The same for a change, which names the version that it changes.
fn own_version<'w>(world: &'w World, origin: &Origin, call: &Call, action: &str) -> Result<&'w Distribution, ApiError> {
    let found = own(world, origin, id_of(call, 1), action)?;
    match call.header("if-match") {
        "" => Err(ApiError::bad_request("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")),
        version if version != found.etag => {
            let message = "The precondition given in one or more of the request-header fields evaluated to false.";
            Err(ApiError::new(412, "PreconditionFailed", message))
        }
        _ => Ok(found),
    }
}

fn status(world: &World, distribution: &Distribution) -> &'static str {
    let deployed = world.now() >= distribution.modified + world.transition(DEPLOYMENT);
    if deployed { "Deployed" } else { "InProgress" }
}

fn domain(id: &str) -> String {
    format!("d{}.cloudfront.net", id.to_ascii_lowercase())
}

fn whole(world: &World, id: &str, code: u16) -> Result<Reply, ApiError> {
    let found = world.cloudfront.distributions.get(id).ok_or_else(no_such_distribution)?;
    let trusted = |name: &'static str| Element::new(name).text("Enabled", false).text("Quantity", 0);
    let root = Element::new("Distribution")
        .text("Id", id)
        .text("ARN", arn(&found.account, id))
        .text("Status", status(world, found))
        .text("LastModifiedTime", found.modified.iso8601())
        .text("InProgressInvalidationBatches", 0)
        .text("DomainName", domain(id))
        .child(trusted("ActiveTrustedSigners"))
        .child(trusted("ActiveTrustedKeyGroups"))
        .child(found.config.clone());
    Ok(answer(code, root).header("etag", &found.etag))
}

pub(super) fn get(world: &mut World, origin: &Origin, call: &Call) -> Result<Reply, ApiError> {
    own(world, origin, id_of(call, 1), "cloudfront:GetDistribution")?;
    whole(world, id_of(call, 1), 200)
}

pub(super) fn get_config(world: &mut World, origin: &Origin, call: &Call) -> Result<Reply, ApiError> {
    let found = own(world, origin, id_of(call, 1), "cloudfront:GetDistributionConfig")?;
    Ok(answer(200, found.config.clone()).header("etag", &found.etag))
}

pub(super) fn update(world: &mut World, origin: &Origin, call: &Call) -> Result<Reply, ApiError> {
    let found = own_version(world, origin, call, "cloudfront:UpdateDistribution")?;
    let config = body(call, "DistributionConfig")?;
    if config.value("CallerReference") != found.config.value("CallerReference") {
        return Err(ApiError::bad_request("IllegalUpdate", "The update contains modifications that are not allowed."));
    }
    check(world, &config)?;
    let (now, etag) = (world.now(), new_etag(world));
    let found = world.cloudfront.distributions.get_mut(id_of(call, 1)).ok_or_else(no_such_distribution)?;
    (found.config, found.modified, found.etag) = (config, now, etag);
    whole(world, id_of(call, 1), 200)
}

pub(super) fn delete(world: &mut World, origin: &Origin, call: &Call) -> Result<Reply, ApiError> {
    let found = own_version(world, origin, call, "cloudfront:DeleteDistribution")?;
    if found.config.value("Enabled") != Some("false") {
        return Err(ApiError::new(409, "DistributionNotDisabled", "The distribution you are trying to delete has not been disabled."));
    }
    world.cloudfront.distributions.remove(id_of(call, 1));
    Ok(Reply::empty(204))
}

/// At most 100 a page. [cloudfront:ListDistributions]
pub(super) fn list(world: &mut World, origin: &Origin, call: &Call) -> Result<Reply, ApiError> {
    permit(world, origin, "cloudfront:ListDistributions", "*")?;
    let marker = call.query_value("Marker").unwrap_or_default();
    let most = match call.query_value("MaxItems") {
        None => 100,
        Some(text) => match text.parse::<usize>() {
            Ok(most @ 1..) => most.min(100),
            Ok(0) | Err(_) => return Err(ApiError::bad_request("InvalidArgument", "The MaxItems parameter is not valid.")),
        },
    };
    let after = if marker.is_empty() { Bound::Unbounded } else { Bound::Excluded(marker.as_str()) };
    let all = world.cloudfront.distributions.range::<str, _>((after, Bound::Unbounded));
    let mut own = all.filter(|(_, one)| one.account == origin.account());
    let page: Vec<(&String, &Distribution)> = own.by_ref().take(most).collect();
    let next = own.next().and_then(|_| page.last()).map(|(id, _)| (*id).clone());
    let root = Element::new("DistributionList").text("Marker", &marker).maybe("NextMarker", next.clone());
    let root = root.text("MaxItems", most).text("IsTruncated", next.is_some()).text("Quantity", page.len());
    let items = page.into_iter().map(|(id, one)| summary(world, id, one));
    Ok(answer(200, root.child(Element::new("Items").children(items))))
}

fn summary(world: &World, id: &str, found: &Distribution) -> Element {
    let config = &found.config;
    let or = |name: &'static str, default: Element| config.first(name).cloned().unwrap_or_else(|| default.named(name));
    let none = || Element::default().text("Quantity", 0);
    let certificate = Element::default().text("CloudFrontDefaultCertificate", true).text("MinimumProtocolVersion", "TLSv1");
    let restriction = Element::new("GeoRestriction").text("RestrictionType", "none").text("Quantity", 0);
    Element::new("DistributionSummary")
        .text("Id", id)
        .text("ARN", arn(&found.account, id))
        .text("ETag", &found.etag)
        .text("Status", status(world, found))
        .text("LastModifiedTime", found.modified.iso8601())
        .text("DomainName", domain(id))
        .child(or("Aliases", none()))
        .child(or("Origins", none()))
        .child(or("OriginGroups", none()))
        .child(or("DefaultCacheBehavior", Element::default()))
        .child(or("CacheBehaviors", none()))
        .child(or("CustomErrorResponses", none()))
        .text("Comment", config.value("Comment").unwrap_or_default())
        .text("PriceClass", config.value("PriceClass").unwrap_or("PriceClass_All"))
        .text("Enabled", config.value("Enabled").unwrap_or("true"))
        .child(or("ViewerCertificate", certificate))
        .child(or("Restrictions", Element::default().child(restriction)))
        .text("WebACLId", config.value("WebACLId").unwrap_or_default())
        .text("HttpVersion", config.value("HttpVersion").unwrap_or("http2"))
        .text("IsIPV6Enabled", config.value("IsIPV6Enabled").unwrap_or("false"))
        .text("Staging", config.value("Staging").unwrap_or("false"))
}
