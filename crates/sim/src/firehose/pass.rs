//! `iam:PassRole`: who hands a role to Firehose must be allowed to.

use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::world::{Ask, Origin, World};

/// May the caller pass these roles to Firehose? [IAM: Granting a user permissions to pass a role to a service]
pub(super) fn pass_roles(world: &World, origin: &Origin, roles: &[&str]) -> Result<(), ApiError> {
    for role in roles {
        let context = BTreeMap::from([("iam:passedtoservice".to_owned(), vec!["firehose.amazonaws.com".to_owned()])]);
        let owner = role.split(':').nth(4).unwrap_or_default();
        let ask = Ask { action: "iam:PassRole", resource: role, owner, document: None, context };
        world.permit(origin, &ask).map_err(|denial| ApiError::bad_request("AccessDeniedException", denial.message))?;
    }
    Ok(())
}
