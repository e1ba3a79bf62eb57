//! Origin access controls and identities. [cloudfront:CreateOriginAccessControl]

use super::{Control, answer, body, id_of, permit};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::xml::Element;
use crate::world::{Origin, World};

pub(super) fn create_control(world: &mut World, origin: &Origin, call: &Call) -> Result<Reply, ApiError> {
    permit(world, origin, "cloudfront:CreateOriginAccessControl", "*")?;
    let config = body(call, "OriginAccessControlConfig")?;
    let one_of = |name: &str, known: &[&str]| config.value(name).is_some_and(|value| known.contains(&value));
    let valid = config.value("Name").is_some_and(|name| !name.is_empty())
        && one_of("SigningProtocol", &["sigv4"])
        && one_of("SigningBehavior", &["always", "never", "no-override"])
        && one_of("OriginAccessControlOriginType", &["s3", "mediastore", "mediapackagev2", "lambda"]);
    if !valid {
        return Err(ApiError::bad_request("InvalidArgument", "The origin access control's configuration is not valid."));
    }
    let same = |one: &&Control| one.account == origin.account() && one.config.value("Name") == config.value("Name");
    if world.cloudfront.controls.values().any(|one| same(&one)) {
        let message = "An origin access control with the specified name already exists.";
        return Err(ApiError::new(409, "OriginAccessControlAlreadyExists", message));
    }
    let id = add_control(world, origin.account(), config);
    written(world, &id, 201)
}

/// Adds an origin access control. Its id.
pub(super) fn add_control(world: &mut World, account: &str, config: Element) -> String {
    let (id, etag) = (format!("E{}", world.hex(13).to_ascii_uppercase()), format!("E{}", world.hex(12).to_ascii_uppercase()));
    world.cloudfront.controls.insert(id.clone(), Control { account: account.to_owned(), etag, config });
    id
}

pub(super) fn get_control(world: &mut World, origin: &Origin, call: &Call) -> Result<Reply, ApiError> {
    let id = id_of(call, 1);
    let resource = format!("arn:aws:cloudfront::{}:origin-access-control/{id}", origin.account());
    permit(world, origin, "cloudfront:GetOriginAccessControl", &resource)?;
    match world.cloudfront.controls.get(id).filter(|one| one.account == origin.account()) {
        Some(_) => written(world, id, 200),
        None => Err(no_such_control()),
    }
}

fn no_such_control() -> ApiError {
    ApiError::new(404, "NoSuchOriginAccessControl", "The origin access control does not exist.")
}

fn written(world: &World, id: &str, code: u16) -> Result<Reply, ApiError> {
    let found = world.cloudfront.controls.get(id).ok_or_else(no_such_control)?;
    let root = Element::new("OriginAccessControl").text("Id", id).child(found.config.clone());
    Ok(answer(code, root).header("etag", &found.etag))
}

pub(super) fn create_identity(world: &mut World, origin: &Origin, call: &Call) -> Result<Reply, ApiError> {
    permit(world, origin, "cloudfront:CreateCloudFrontOriginAccessIdentity", "*")?;
    let config = body(call, "CloudFrontOriginAccessIdentityConfig")?;
    let reference = config.value("CallerReference").unwrap_or_default().to_owned();
    let known = world.cloudfront.identities.values().any(|(account, used)| account == origin.account() && *used == reference);
    if known {
        let message = "If the CallerReference is a value you already sent in a previous request to create an identity, CloudFront \
                       returns this error.";
        return Err(ApiError::new(409, "CloudFrontOriginAccessIdentityAlreadyExists", message));
    }
    let id = add_identity(world, origin.account(), reference);
    let canonical = world.hex(96);
    let root = Element::new("CloudFrontOriginAccessIdentity").text("Id", &id).text("S3CanonicalUserId", canonical).child(config);
    Ok(answer(201, root).header("etag", &format!("E{}", world.hex(12).to_ascii_uppercase())))
}

/// Adds an origin access identity. Its id.
pub(super) fn add_identity(world: &mut World, account: &str, reference: String) -> String {
    let id = format!("E{}", world.hex(13).to_ascii_uppercase());
    world.cloudfront.identities.insert(id.clone(), (account.to_owned(), reference));
    id
}
