//! Changes of instances and clusters: at once, in the maintenance window, or with the next restart.
//! [rds:ModifyDBInstance, rds:ModifyDBCluster]

use std::time::Duration;

use super::attachment::ApplyStatus;
use super::clusters::{self, Cluster};
use super::filters::identifier;
use super::instances::{self, AVAILABLE, Instance, Pending, check_identifier};
use super::members::{OF_CLUSTER, OF_INSTANCE, Settings};
use super::transitions::{self, End};
use super::{Answer, GroupKind, Request, engines, errors, groups, listings};
use crate::error::ApiError;
use crate::wire::query::Form;
use crate::world::World;

pub(super) fn instance(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let mut changed = instances::available(world, request)?.clone();
    let at_once = form.get("ApplyImmediately") == Some("true");
    let regrouped = regroup(world, request, &mut changed)?;
    let (now, waiting) = Settings::changes(form, OF_INSTANCE);
    for (name, value) in &now {
        changed.settings.set(name, value);
    }
    let mut pending: Vec<_> = waiting.into_iter().map(|(name, value)| Pending { name, value, restart: false }).collect();
    pending.extend(others(world, request, &changed)?);
    for new in pending {
        changed.pending.retain(|known| known.name != new.name);
        changed.pending.push(new);
    }
    let security_groups = form.values("VpcSecurityGroupIds.VpcSecurityGroupId");
    if !security_groups.is_empty() {
        changed.security_groups = security_groups;
    }
    let applies = at_once && changed.pending.iter().any(|pending| !pending.restart);
    let waits = !at_once && changed.pending.iter().any(|pending| !pending.restart);
    let name = changed.identifier.clone();
    world.rds.at(place).instances.insert(name.clone(), changed.clone());
    if waits {
        transitions::window(world, place, (&name, &changed.resource_id));
    }
    // A group's name is taken at once, and so is what waits where ApplyImmediately says so; both show as `modifying`.
    let (status, takes, end) = match (applies, regrouped) {
        (true, _) => ("modifying", Duration::from_mins(5), End::Modified),
        (false, true) => ("modifying", Duration::from_secs(30), End::Settled),
        (false, false) => (AVAILABLE, Duration::ZERO, End::Settled),
    };
    instances::passing(world, request, &changed, status, (takes, end))
}

/// Names another parameter group. [rds:ModifyDBInstance `DBParameterGroupName`: the name at once, its parameters with a reboot]
fn regroup(world: &mut World, request: &Request<'_>, changed: &mut Instance) -> Result<bool, ApiError> {
    let Some(name) = request.form.get("DBParameterGroupName") else { return Ok(false) };
    let group = groups::find(world.rds.at(&request.place), GroupKind::Instance, name)?;
    let (_, major) = engines::choose(changed.engine, Some(&changed.version))?;
    if group.family != major.family {
        return Err(errors::combination(format!(
            "The Parameter Group {} with DBParameterGroupFamily {} cannot be used for this instance.",
            group.name, group.family
        )));
    }
    if changed.group.name == group.name {
        return Ok(false);
    }
    changed.group.name(&group.name, ApplyStatus::Applying);
    Ok(true)
}

/// Changes that are more than a setting.
fn others(world: &mut World, request: &Request<'_>, instance: &Instance) -> Result<Vec<Pending>, ApiError> {
    let form = &request.form;
    let mut found = Vec::new();
    let mut put = |name, value: &str, restart| found.push(Pending { name, value: value.to_owned(), restart });
    for name in ["DBInstanceClass", "MasterUserPassword"] {
        form.get(name).into_iter().for_each(|value| put(name, value, false));
    }
    form.get("DBPortNumber").into_iter().for_each(|value| put("Port", value, false));
    if let Some(version) = form.get("EngineVersion") {
        let (version, major) = engines::choose(instance.engine, Some(version))?;
        let (_, own) = engines::choose(instance.engine, Some(&instance.version))?;
        if major.family != own.family && form.get("AllowMajorVersionUpgrade") != Some("true") {
            return Err(errors::combination("The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."));
        }
        put("EngineVersion", &version, false);
    }
    if let Some(authority) = form.get("CACertificateIdentifier") {
        listings::check_authority(authority)?;
        // Without a restart where the engine can; one that can't is restarted, unless it is told not to.
        let restarts = form.get("CertificateRotationRestart") != Some("false");
        put("CACertificateIdentifier", authority, !restarts && !engines::rotates_while_running(instance.engine));
    }
    if let Some(name) = form.get("NewDBInstanceIdentifier").map(str::to_ascii_lowercase) {
        check_identifier("NewDBInstanceIdentifier", &name)?;
        if name != instance.identifier && world.rds.at(&request.place).instances.contains_key(&name) {
            return Err(ApiError::bad_request("DBInstanceAlreadyExists", "DB instance already exists"));
        }
        put("DBInstanceIdentifier", &name, false);
    }
    Ok(found)
}

pub(super) fn cluster(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let name = identifier(form.need("DBClusterIdentifier")?);
    let mut changed = clusters::find(world, request)?.clone();
    if changed.status != AVAILABLE {
        return Err(errors::cluster_state(format!("DBCluster {name} is not in available state.")));
    }
    let at_once = form.get("ApplyImmediately") == Some("true");
    let (now, waiting) = Settings::changes(form, OF_CLUSTER);
    for (name, value) in now.iter().chain(&waiting) {
        changed.settings.set(name, value);
    }
    let group = new_group(world, request, &changed)?;
    let waits = group.is_some() && !at_once;
    changed.pending_group = group.or(changed.pending_group);
    version(form, &mut changed)?;
    let resource_id = changed.resource_id.clone();
    world.rds.at(place).clusters.insert(name.clone(), changed);
    if waits {
        transitions::cluster_window(world, place, (&name, &resource_id));
        return clusters::passing(world, request, &name, AVAILABLE, (Duration::ZERO, End::Settled));
    }
    if at_once {
        transitions::take_group(world.rds.at(place), &name);
    }
    clusters::passing(world, request, &name, "modifying", (Duration::from_secs(30), End::Settled))
}

fn new_group(world: &mut World, request: &Request<'_>, cluster: &Cluster) -> Result<Option<String>, ApiError> {
    let Some(name) = request.form.get("DBClusterParameterGroupName") else { return Ok(None) };
    let group = groups::find(world.rds.at(&request.place), GroupKind::Cluster, name)?;
    let (_, major) = engines::choose(cluster.engine, Some(&cluster.version))?;
    if group.family != major.family {
        return Err(errors::combination(format!(
            "The Parameter Group {} with DBParameterGroupFamily {} cannot be used for this cluster.",
            group.name, group.family
        )));
    }
    Ok(Some(group.name.clone()).filter(|name| *name != cluster.group))
}

fn version(form: &Form, cluster: &mut Cluster) -> Result<(), ApiError> {
    let Some(version) = form.get("EngineVersion") else { return Ok(()) };
    let (version, major) = engines::choose(cluster.engine, Some(version))?;
    let (_, own) = engines::choose(cluster.engine, Some(&cluster.version))?;
    if major.family != own.family {
        return Err(errors::combination("The simulator upgrades clusters within their major version only."));
    }
    cluster.version = version;
    Ok(())
}
