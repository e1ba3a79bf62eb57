//! `CloudFront`: distributions, and what a viewer gets through them.
//!
//! - [`distributions`] answers the API; [`viewer`] fetches as an edge location does: by origin access control (the service
//!   for the distribution), by origin access identity, or as nobody; website endpoints over plain HTTP.
//! - Nothing is cached: every view asks the origin, so that a path that broke shows at once.

use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::wire::{Route, query};
use crate::world::{Ask, Origin, World};

mod access;
mod distributions;
mod seed;
#[cfg(test)]
mod tests;
mod viewer;

pub use seed::{DistributionSetup, OriginAccess};

const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// Everything this service holds: it is global, its resources belong to accounts.
#[derive(Debug, Default)]
pub(crate) struct State {
    distributions: BTreeMap<String, Distribution>,
    /// Origin access controls, by id.
    controls: BTreeMap<String, Control>,
    /// Origin access identities, by id: account and caller's reference.
    identities: BTreeMap<String, (String, String)>,
}

#[derive(Debug)]
struct Distribution {
    account: String,
    modified: Moment,
    etag: String,
    /// `DistributionConfig`, as it was written.
    config: Element,
}

/// An origin access control.
#[derive(Debug)]
struct Control {
    account: String,
    etag: String,
    /// `OriginAccessControlConfig`, as it was written.
    config: Element,
}

fn arn(account: &str, id: &str) -> String {
    format!("arn:aws:cloudfront::{account}:distribution/{id}")
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let result = match route.operation.as_str() {
        "ListDistributions" => distributions::list(world, origin, call),
        "CreateDistribution" => distributions::create(world, origin, call),
        "GetDistribution" => distributions::get(world, origin, call),
        "GetDistributionConfig" => distributions::get_config(world, origin, call),
        "UpdateDistribution" => distributions::update(world, origin, call),
        "DeleteDistribution" => distributions::delete(world, origin, call),
        "CreateOriginAccessControl" => access::create_control(world, origin, call),
        "GetOriginAccessControl" => access::get_control(world, origin, call),
        "CreateCloudFrontOriginAccessIdentity" => access::create_identity(world, origin, call),
        other => Err(ApiError::unknown_operation(other)),
    };
    result.unwrap_or_else(|error| query::error(&error))
}

/// The operation that a path and method mean.
pub(crate) fn operation(call: &Call) -> String {
    let path: Vec<&str> = call.path.trim_start_matches("/2020-05-31/").trim_end_matches('/').split('/').collect();
    let name = match (call.method.as_str(), path.as_slice()) {
        ("GET", ["distribution"]) => "ListDistributions",
        ("POST", ["distribution"]) => "CreateDistribution",
        ("GET", ["distribution", _]) => "GetDistribution",
        ("DELETE", ["distribution", _]) => "DeleteDistribution",
        ("GET", ["distribution", _, "config"]) => "GetDistributionConfig",
        ("PUT", ["distribution", _, "config"]) => "UpdateDistribution",
        ("POST", ["origin-access-control"]) => "CreateOriginAccessControl",
        ("GET", ["origin-access-control", _]) => "GetOriginAccessControl",
        ("POST", ["origin-access-identity", "cloudfront"]) => "CreateCloudFrontOriginAccessIdentity",
        _ => return format!("{} {}", call.method, call.path),
    };
    name.to_owned()
}

/// The id in a path: its part at `place` after the version.
fn id_of(call: &Call, place: usize) -> &str {
    call.path.split('/').nth(place + 2).unwrap_or_default()
}

fn permit(world: &World, origin: &Origin, action: &str, resource: &str) -> Result<(), ApiError> {
    let ask = Ask { action, resource, owner: origin.account(), document: None, context: crate::access::RequestContext::new() };
    world.permit(origin, &ask).map_err(|denial| ApiError::new(403, "AccessDenied", denial.message))
}

fn body(call: &Call, root: &str) -> Result<Element, ApiError> {
    let malformed = || ApiError::bad_request("MalformedInput", "Could not parse the request body");
    Element::parse(&call.body).filter(|element| element.name() == root).ok_or_else(malformed)
}

fn answer(status: u16, root: Element) -> Reply {
    crate::wire::xml::reply(status, &root.attribute("xmlns", NAMESPACE))
}
