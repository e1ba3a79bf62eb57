//! What a viewer gets: `CloudFront` asks the origin as the distribution says. [`CloudFront`: Restrict access to an Amazon S3
//! origin; Require HTTPS for communication between `CloudFront` and your Amazon S3 origin]

use super::arn;
use crate::access::Caller;
use crate::error::ApiError;
use crate::s3;
use crate::tally::Undelivered;
use crate::wire::xml::Element;
use crate::world::{Origin, World};

/// How the origin is asked.
enum Ask {
    /// A bucket by its REST endpoint.
    Rest { bucket: String, caller: Caller, secure: bool },
    /// A bucket by its website endpoint, over plain HTTP.
    Website { bucket: String },
    /// It can't be asked at all: why.
    Never(&'static str),
}

impl World {
    /// What a viewer over HTTPS gets from a distribution (its id): the HTTP status.
    pub fn cloudfront_get(&mut self, distribution: &str, path: &str) -> u16 {
        view(self, distribution, path, true)
    }

    /// What a viewer over plain HTTP gets: the HTTP status.
    pub fn cloudfront_get_over_http(&mut self, distribution: &str, path: &str) -> u16 {
        view(self, distribution, path, false)
    }
}

fn view(world: &mut World, id: &str, path: &str, secure: bool) -> u16 {
    let Some(found) = world.cloudfront.distributions.get(id).filter(|found| found.config.value("Enabled") == Some("true")) else {
        return 403;
    };
    let (config, account) = (found.config.clone(), found.account.clone());
    let Some(behavior) = config.first("DefaultCacheBehavior") else { return 502 };
    match (behavior.value("ViewerProtocolPolicy"), secure) {
        (Some("redirect-to-https"), false) => return 301,
        (Some("https-only"), false) => return 403,
        _ => {}
    }
    let items = config.first("Origins").and_then(|list| list.first("Items"));
    let target = behavior.value("TargetOriginId");
    let Some(origin) = items.into_iter().flat_map(|items| items.all("Origin")).find(|origin| origin.value("Id") == target) else {
        return 502;
    };
    let key = key_of(&config, origin, path);
    let to = arn(&account, id);
    let ask = how(world, origin, &to, &account, secure);
    let from = match &ask {
        Ask::Rest { bucket, .. } | Ask::Website { bucket } => format!("arn:aws:s3:::{bucket}"),
        Ask::Never(_) => origin.value("DomainName").unwrap_or_default().to_owned(),
    };
    match fetch(world, ask, &key) {
        Ok(()) => {
            world.tally.delivered(&from, &to);
            200
        }
        Err(error) => {
            let at = world.now();
            world.tally.undelivered(Undelivered { at, from, to, why: error.to_string(), lost: true });
            error.status
        }
    }
}

/// The origin's path, and the default root object where the viewer names none.
fn key_of(config: &Element, origin: &Element, path: &str) -> String {
    let path = path.trim_start_matches('/');
    let root = config.value("DefaultRootObject").filter(|_| path.is_empty()).unwrap_or_default();
    let below = origin.value("OriginPath").unwrap_or_default().trim_matches('/');
    let key = format!("{below}/{path}{root}");
    key.trim_start_matches('/').to_owned()
}

fn how(world: &World, origin: &Element, distribution: &str, account: &str, secure: bool) -> Ask {
    let domain = origin.value("DomainName").unwrap_or_default();
    let protocol = origin.at("CustomOriginConfig/OriginProtocolPolicy");
    if let Some((bucket, _)) = domain.split_once(".s3-website") {
        // Website endpoints do not speak HTTPS. [S3: Website endpoints]
        return match protocol {
            Some("https-only") => Ask::Never("the website endpoint does not speak HTTPS"),
            Some("match-viewer") if secure => Ask::Never("the website endpoint does not speak HTTPS"),
            _ => Ask::Website { bucket: bucket.to_owned() },
        };
    }
    let Some((bucket, _)) = domain.split_once(".s3.").or_else(|| domain.split_once(".s3-")) else {
        return Ask::Never("the simulator has no other origins than buckets");
    };
    let bucket = bucket.to_owned();
    let control = origin.value("OriginAccessControlId").and_then(|id| world.cloudfront.controls.get(id));
    if control.is_some_and(|control| control.config.value("SigningBehavior") != Some("never")) {
        // What CloudFront signs it sends over HTTPS.
        return Ask::Rest { bucket, caller: Caller::service("cloudfront.amazonaws.com", distribution, account), secure: true };
    }
    let identity = origin.at("S3OriginConfig/OriginAccessIdentity").filter(|path| !path.is_empty());
    let caller = match identity.and_then(|path| path.rsplit('/').next()) {
        Some(id) => Caller::User { account: "cloudfront".to_owned(), arn: identity_arn(id) },
        None => Caller::Anonymous,
    };
    let secure = match protocol {
        Some("https-only") => true,
        Some("http-only") => false,
        // An S3 origin, and `match-viewer`: as the viewer came.
        _ => secure,
    };
    Ask::Rest { bucket, caller, secure }
}

/// The principal that bucket policies name an origin access identity by.
pub(super) fn identity_arn(id: &str) -> String {
    format!("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {id}")
}

fn fetch(world: &mut World, ask: Ask, key: &str) -> Result<(), ApiError> {
    match ask {
        Ask::Never(why) => Err(ApiError::new(502, "BadGateway", why)),
        Ask::Website { bucket } => s3::page(world, &bucket, key).map(drop),
        Ask::Rest { bucket, caller, secure } => {
            let region = world.bucket_region(&bucket).unwrap_or("us-east-1").to_owned();
            s3::fetch(world, &Origin { caller, region, secure }, &bucket, key).map(drop)
        }
    }
}
