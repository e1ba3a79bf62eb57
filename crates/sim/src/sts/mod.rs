//! STS: who am I, and becoming a role.

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::xml::Element;
use crate::wire::{Route, query};
use crate::world::{Origin, World};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, _call: &Call) -> Reply {
    let result = match route.operation.as_str() {
        "GetCallerIdentity" => Ok(get_caller_identity(origin)),
        other => Err(ApiError::unknown_operation(other)),
    };
    query::reply(&route.operation, NAMESPACE, &world.uuid(), result)
}

/// Needs no permission. [sts:GetCallerIdentity]
fn get_caller_identity(origin: &Origin) -> Element {
    let arn = origin.caller.arn();
    let id = arn.rsplit('/').next().unwrap_or_default();
    Element::default().text("Arn", &arn).text("UserId", format!("AIDA{}", id.to_ascii_uppercase())).text("Account", origin.account())
}
