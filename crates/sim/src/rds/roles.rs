//! Roles that databases use for a feature. Who gives them one must be allowed to pass it.
//! [rds:AddRoleToDBInstance, rds:AddRoleToDBCluster and their opposites]

use super::instances::{Instance, Role};
use super::{Answer, Request, choices, clusters, errors, instances};
use crate::error::ApiError;
use crate::wire::xml::Element;
use crate::world::World;

/// Roles of one instance, and of one cluster. [RDS: Quotas and constraints]
const MOST: usize = 5;

fn role(world: &World, request: &Request<'_>) -> Result<Role, ApiError> {
    let arn = request.form.need("RoleArn")?.to_owned();
    choices::pass_role(world, request, &arn, "rds.amazonaws.com")?;
    Ok(Role { arn, feature: request.form.get("FeatureName").unwrap_or_default().to_owned() })
}

/// Of codes: the kind's beginning, `DBInstance` or `DBCluster`.
fn add(roles: &mut Vec<Role>, role: Role, of: &str) -> Result<(), ApiError> {
    if roles.iter().any(|known| known.arn == role.arn || (known.feature == role.feature && !role.feature.is_empty())) {
        let message = format!("Role ARN {} or its feature is already associated.", role.arn);
        return Err(ApiError::bad_request(format!("{of}RoleAlreadyExists"), message));
    }
    if roles.len() >= MOST {
        return Err(ApiError::bad_request(format!("{of}RoleQuotaExceeded"), format!("Can't associate more than {MOST} roles.")));
    }
    roles.push(role);
    Ok(())
}

fn remove(roles: &mut Vec<Role>, request: &Request<'_>, of: &str) -> Result<(), ApiError> {
    let (arn, feature) = (request.form.need("RoleArn")?, request.form.get("FeatureName"));
    let before = roles.len();
    roles.retain(|known| known.arn != arn || feature.is_some_and(|feature| feature != known.feature));
    if roles.len() == before {
        return Err(ApiError::new(404, format!("{of}RoleNotFound"), format!("Role ARN {arn} cannot be found.")));
    }
    Ok(())
}

fn changeable(instance: &Instance) -> Result<(), ApiError> {
    if instance.is_changeable() { Ok(()) } else { Err(errors::instance_state("Database instance is not in available state.")) }
}

pub(super) fn add_to_instance(world: &mut World, request: &Request<'_>) -> Answer {
    request.form.need("FeatureName")?;
    changeable(instances::find(world, request)?)?;
    let role = role(world, request)?;
    add(&mut instances::find(world, request)?.roles, role, "DBInstance")?;
    Ok(Element::default())
}

pub(super) fn remove_from_instance(world: &mut World, request: &Request<'_>) -> Answer {
    let instance = instances::find(world, request)?;
    changeable(instance)?;
    remove(&mut instance.roles, request, "DBInstance")?;
    Ok(Element::default())
}

pub(super) fn add_to_cluster(world: &mut World, request: &Request<'_>) -> Answer {
    let role = role(world, request)?;
    add(&mut clusters::find(world, request)?.roles, role, "DBCluster")?;
    Ok(Element::default())
}

pub(super) fn remove_from_cluster(world: &mut World, request: &Request<'_>) -> Answer {
    remove(&mut clusters::find(world, request)?.roles, request, "DBCluster")?;
    Ok(Element::default())
}
