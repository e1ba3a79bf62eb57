//! Changes of instances: at once, in the maintenance window, or with the next restart. [rds:ModifyDBInstance]

use std::time::Duration;

use super::attachment::ApplyStatus;
use super::create::check_identifier;
use super::ends::STORAGE;
use super::instances::{self, AVAILABLE, Instance, OPTIMIZING, Pending};
use super::members::{OF_INSTANCE, When, asked, default_of};
use super::transitions::{self, End};
use super::{Answer, GroupKind, Request, choices, engines, errors, groups, listings, options};
use crate::error::ApiError;
use crate::wire::query::Form;
use crate::world::World;

pub(super) fn instance(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let mut changed = instances::available(world, request)?.clone();
    let at_once = form.get("ApplyImmediately") == Some("true");
    choices::pass_monitoring_role(world, request)?;
    let mut is_seen = regroup(world, request, &mut changed)?;
    is_seen |= settle(form, &mut changed);
    is_seen |= lists(world, request, &mut changed)?;
    for new in others(world, request, &changed)? {
        changed.pending.retain(|known| known.name != new.name);
        changed.pending.push(new);
    }
    if changed.status == OPTIMIZING && changed.pending.iter().any(|pending| STORAGE.contains(&pending.name)) {
        return Err(errors::combination(
            "You can't currently modify the storage of this DB instance because the previous storage change is being optimized.",
        ));
    }
    check(&changed)?;
    // "If you change the DBPortNumber value, your database restarts regardless of the value of the ApplyImmediately parameter."
    let at_once = at_once || form.get("DBPortNumber").is_some();
    let due = || changed.pending.iter().filter(|pending| !pending.restart);
    let (applies, waits) = (at_once && due().next().is_some(), !at_once && due().next().is_some());
    let is_renamed = due().any(|pending| pending.name == "DBInstanceIdentifier");
    let name = changed.identifier.clone();
    world.rds.at(place).instances.insert(name.clone(), changed.clone());
    if waits {
        transitions::window(world, place, (&name, &changed.resource_id));
    }
    // A group's name is taken at once, and so is what waits where ApplyImmediately says so; both show as `modifying`.
    let (status, takes, end) = match (applies, is_seen) {
        (true, _) if is_renamed => ("renaming", Duration::from_mins(2), End::Modified),
        (true, _) => ("modifying", Duration::from_mins(5), End::Modified),
        (false, true) => ("modifying", Duration::from_secs(30), End::Settled),
        (false, false) => (changed.status, Duration::ZERO, End::Settled),
    };
    if status == changed.status && status != AVAILABLE {
        return instances::shown(world, place, &name);
    }
    instances::passing(world, request, &changed, status, (takes, end))
}

/// Names another parameter group. [rds:ModifyDBInstance `DBParameterGroupName`: the name at once, its parameters with a reboot]
fn regroup(world: &mut World, request: &Request<'_>, changed: &mut Instance) -> Result<bool, ApiError> {
    let Some(name) = request.form.get("DBParameterGroupName") else { return Ok(false) };
    // Together with a major upgrade the group is the new version's.
    let version = request.form.get("EngineVersion").unwrap_or(&changed.version);
    let (_, major) = engines::choose(changed.engine, Some(version))?;
    let group = groups::of_family(world.rds.at(&request.place), GroupKind::Instance, name, major.family)?;
    if changed.group.name == group.name {
        return Ok(false);
    }
    changed.group.name(&group.name, ApplyStatus::Applying);
    Ok(true)
}

/// Settings, each when its kind says. Whether somebody sees it happen.
fn settle(form: &Form, changed: &mut Instance) -> bool {
    let mut is_seen = false;
    for (member, value) in asked(form, OF_INSTANCE) {
        let known = changed.settings.get(member.answer).unwrap_or(default_of(OF_INSTANCE, member.answer));
        changed.pending.retain(|pending| pending.name != member.answer);
        if known == value {
            continue;
        }
        let mut when = member.when;
        // From one number of days to another it is "asynchronously applied as soon as possible"; backups that are switched on
        // or off wait for the window. [rds:ModifyDBInstance `BackupRetentionPeriod`]
        if member.answer == "BackupRetentionPeriod" && known != "0" && value != "0" {
            when = When::Soon;
        }
        match when {
            When::Now => changed.settings.set(member.answer, value),
            When::Soon => {
                changed.settings.set(member.answer, value);
                is_seen = true;
            }
            When::Window => changed.pending.push(Pending { name: member.answer, value: value.to_owned(), restart: false }),
        }
    }
    if changed.settings.get("MonitoringInterval") == Some("0") {
        changed.settings.unset("MonitoringRoleArn");
    }
    if changed.settings.is_on("PerformanceInsightsEnabled") {
        changed.settings.set_default("PerformanceInsightsRetentionPeriod", "7");
    } else {
        changed.settings.unset("PerformanceInsightsRetentionPeriod");
        changed.settings.unset("PerformanceInsightsKMSKeyId");
    }
    is_seen
}

/// What is more than one value: groups, logs, processors, directories, the secret.
fn lists(world: &mut World, request: &Request<'_>, changed: &mut Instance) -> Result<bool, ApiError> {
    let form = &request.form;
    if form.get("VpcSecurityGroupIds.VpcSecurityGroupId.1").is_some() {
        if let Some(cluster) = &changed.cluster {
            let message = format!("The security groups of {} are those of its cluster {cluster}.", changed.identifier);
            return Err(errors::combination(message));
        }
        changed.security_groups = choices::security_groups(form, &request.place)?;
    }
    let mut is_seen = false;
    let (on, off) = (
        form.values("CloudwatchLogsExportConfiguration.EnableLogTypes.member"),
        form.values("CloudwatchLogsExportConfiguration.DisableLogTypes.member"),
    );
    if !on.is_empty() || !off.is_empty() {
        changed.logs.retain(|log| !off.contains(log) && !on.contains(log));
        changed.logs.extend(on);
        is_seen = true;
    }
    let processor = choices::processor(form);
    if !processor.is_empty() {
        changed.processor = processor;
        is_seen = true;
    } else if form.get("UseDefaultProcessorFeatures") == Some("true") {
        changed.processor.clear();
    }
    if form.get("DisableDomain") == Some("true") {
        changed.domain = None;
    } else if let Some(domain) = choices::domain(form) {
        changed.domain = Some(domain);
        is_seen = true;
    }
    match form.get("ManageMasterUserPassword") {
        Some("true") if changed.secret.is_none() => {
            changed.secret = choices::secret(world, request, &changed.resource_id)?;
            is_seen = true;
        }
        Some("false") if changed.secret.is_some() => {
            if form.get("MasterUserPassword").is_none() {
                return Err(errors::combination("MasterUserPassword must be given where Secrets Manager ceases to manage it."));
            }
            changed.secret = None;
        }
        _ => {}
    }
    Ok(is_seen)
}

/// Changes that are more than a setting.
fn others(world: &mut World, request: &Request<'_>, instance: &Instance) -> Result<Vec<Pending>, ApiError> {
    let form = &request.form;
    let mut found = Vec::new();
    let mut put = |name, value: &str, restart| found.push(Pending { name, value: value.to_owned(), restart });
    for name in ["DBInstanceClass", "DBSubnetGroupName", "MasterUserPassword"] {
        form.get(name).into_iter().for_each(|value| put(name, value, false));
    }
    if form.get("DBPortNumber").is_some() {
        put("Port", &choices::port(form, "DBPortNumber", 0)?.to_string(), false);
    }
    if let Some(group) = form.get("OptionGroupName").filter(|name| *name != instance.option_group) {
        let (_, major) = engines::choose(instance.engine, Some(form.get("EngineVersion").unwrap_or(&instance.version)))?;
        options::check(world.rds.at(&request.place), group, major)?;
        put("OptionGroupName", group, false);
    }
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
    if let Some(name) = form.get("NewDBInstanceIdentifier").map(str::to_ascii_lowercase).filter(|name| *name != instance.identifier) {
        check_identifier("NewDBInstanceIdentifier", &name)?;
        instances::kept(world, request, &instance.resource_id)?;
        let databases = world.rds.at(&request.place);
        let is_coming = |one: &Instance| one.pending.iter().any(|pending| pending.name == "DBInstanceIdentifier" && pending.value == name);
        let others = |one: &&Instance| one.resource_id != instance.resource_id;
        if databases.instances.contains_key(&name) || databases.instances.values().filter(others).any(is_coming) {
            return Err(errors::instance_exists());
        }
        put("DBInstanceIdentifier", &name, false);
    }
    Ok(found)
}

/// The instance may be as it will be when all is done.
fn check(changed: &Instance) -> Result<(), ApiError> {
    let mut settings = changed.settings.clone();
    for pending in &changed.pending {
        settings.set(pending.name, &pending.value);
    }
    let size = |settings: &super::Settings| settings.number("AllocatedStorage").unwrap_or(20);
    if size(&settings) < size(&changed.settings) {
        return Err(errors::combination("Requested allocated storage can't be less than the current one: storage can't be reduced."));
    }
    choices::check(&settings, changed.engine)
}
