//! The green side comes up, becomes production, or goes. [RDS: Switching a blue/green deployment]

use std::time::Duration;

use super::{Deployment, Kind, PROVISIONING, Pair, Status, not_found, permit, shown, wrong_state};
use crate::error::ApiError;
use crate::rds::instances::AVAILABLE;
use crate::rds::transitions::{self, End, Event};
use crate::rds::{Answer, Databases, Place, Request, clusters, ends, errors};
use crate::world::{self, World};

/// "Downtime is typically under a minute" where the green side has kept up.
const TAKES: Duration = Duration::from_secs(45);
/// [rds:SwitchoverBlueGreenDeployment `SwitchoverTimeout`]
const TIMEOUT: u64 = 300;
/// Least and most seconds. [RDS: Switching a blue/green deployment]
const TIMEOUTS: std::ops::RangeInclusive<u64> = 30..=3600;
/// [RDS, Aurora: Authorizing access to blue/green deployment operations]
const TO_SWITCH: &[&str] = &["rds:ModifyDBInstance", "rds:PromoteReadReplica"];
const TO_SWITCH_CLUSTER: &[&str] = &["rds:ModifyDBCluster", "rds:ModifyDBInstance"];

/// What happens to a deployment by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The copies are there.
    Copied,
    /// All else is.
    Provisioned,
    /// The green side has caught up, in a try.
    Switched(u32),
    /// Time is up, in a try.
    TimedOut(u32),
    Deleted,
}

pub(super) fn schedule(world: &mut World, place: &Place, identifier: &str, after: Duration, step: Step) {
    let event = Event::Deployment { place: place.clone(), identifier: identifier.to_owned(), step };
    world.later(after, world::Event::Rds(event));
}

/// Writes are held back on both sides and connections end, until the green side has all that the blue one has: then names
/// change hands. Where the time-out comes first, all is as before.
pub(crate) fn switch(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let name = form.need("BlueGreenDeploymentIdentifier")?.to_ascii_lowercase();
    let timeout = match form.get("SwitchoverTimeout") {
        None => TIMEOUT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| TIMEOUTS.contains(seconds))
            .ok_or_else(|| errors::value(format!("Invalid SwitchoverTimeout {text}. Must be between 30 and 3600 seconds.")))?,
    };
    let deployment = world.rds.at(place).deployments.get(&name).cloned().ok_or_else(|| not_found(&name))?;
    let Some(source) = deployment.pairs.first() else { return Err(not_found(&name)) };
    let arn = world.rds.at(place).arn_of(place, source.kind, &source.blue).unwrap_or_default();
    permit(world, request, if source.kind == Kind::Cluster { TO_SWITCH_CLUSTER } else { TO_SWITCH }, &arn)?;
    if ![Status::Available, Status::SwitchoverFailed].contains(&deployment.status) {
        return Err(wrong_state(format!("BlueGreenDeployment {name} is in {} state.", deployment.status.as_str())));
    }
    let databases = world.rds.at(place);
    if let Some(down) = deployment.pairs.iter().find(|pair| !is_up(databases, pair)) {
        let named = databases.arn_of(place, down.kind, &down.green).or_else(|| databases.arn_of(place, down.kind, &down.blue));
        return Err(wrong_state(format!("{} is not available for a switchover.", named.unwrap_or_default())));
    }
    let (takes, tries) = (hold(world, place, &deployment), deployment.tries + 1);
    let takes = world.transition(TAKES).max(takes);
    let timeout = Duration::from_secs(timeout);
    if let Some(deployment) = world.rds.at(place).deployments.get_mut(&name) {
        (deployment.status, deployment.details, deployment.tries) = (Status::SwitchoverInProgress, None, tries);
    }
    let (after, step) = if takes > timeout { (timeout, Step::TimedOut(tries)) } else { (takes, Step::Switched(tries)) };
    schedule(world, place, &name, after, step);
    shown(world, place, &name)
}

fn is_up(databases: &Databases, pair: &Pair) -> bool {
    let is_up = |id: &str| match pair.kind {
        Kind::Instance => databases.instance_of(id).is_some_and(|one| one.status == AVAILABLE),
        Kind::Cluster => databases.clusters.values().any(|one| one.resource_id == id && one.status == AVAILABLE),
    };
    is_up(&pair.blue) && is_up(&pair.green)
}

/// Holds writes back and closes connections. How long the green side needs to have everything.
fn hold(world: &mut World, place: &Place, deployment: &Deployment) -> Duration {
    let now = world.now();
    let databases = world.rds.at(place);
    let mut last = now;
    for pair in &deployment.pairs {
        for id in [&pair.blue, &pair.green] {
            databases.switching.insert(id.clone());
            if let Some(name) = databases.instance_of(id).map(|one| one.identifier.clone()) {
                databases.hang_up(now, &name);
            }
        }
        let rows = match pair.kind {
            Kind::Instance => databases.instance_of(&pair.green).map(|one| &one.rows),
            Kind::Cluster => databases.clusters.values().find(|one| one.resource_id == pair.green).map(|one| &one.rows),
        };
        last = last.max(rows.and_then(crate::rds::rows::Rows::complete_at).unwrap_or(now));
    }
    last.since(now)
}

pub(crate) fn happen(world: &mut World, place: &Place, identifier: &str, step: Step) {
    let Some(deployment) = world.rds.at(place).deployments.get(identifier).cloned() else { return };
    let is_present = |tries| deployment.status == Status::SwitchoverInProgress && deployment.tries == tries;
    match step {
        Step::Copied | Step::Provisioned if deployment.status != Status::Provisioning => {}
        Step::Copied => {
            come_up(world, place, &deployment);
            advance(world.rds.at(place), identifier, Status::Provisioning, |index| if index == 0 { "COMPLETED" } else { "IN_PROGRESS" });
            let half = world.transition(PROVISIONING);
            schedule(world, place, identifier, half, Step::Provisioned);
        }
        Step::Provisioned => advance(world.rds.at(place), identifier, Status::Available, |_| "COMPLETED"),
        Step::Switched(tries) if is_present(tries) => {
            swap(world, place, &deployment);
            release(world.rds.at(place), &deployment);
            settle(world.rds.at(place), identifier, Status::SwitchoverCompleted, None);
        }
        Step::TimedOut(tries) if is_present(tries) => {
            release(world.rds.at(place), &deployment);
            let details = "Switchover was canceled because it didn't complete within the timeout. Changes were rolled back.";
            settle(world.rds.at(place), identifier, Status::SwitchoverFailed, Some(details));
        }
        Step::Switched(_) | Step::TimedOut(_) => {}
        Step::Deleted => {
            world.rds.at(place).deployments.remove(identifier);
        }
    }
}

fn come_up(world: &mut World, place: &Place, deployment: &Deployment) {
    let now = world.now();
    let databases = world.rds.at(place);
    for pair in &deployment.pairs {
        match pair.kind {
            Kind::Instance => {
                let found = databases.instances.values_mut().find(|one| one.resource_id == pair.green);
                let Some(instance) = found.filter(|one| one.status == "creating") else { continue };
                instance.resolves_from = now;
                let name = instance.identifier.clone();
                databases.enter(now, &name, AVAILABLE);
            }
            Kind::Cluster => {
                let found = databases.clusters.values_mut().find(|one| one.resource_id == pair.green);
                let Some(cluster) = found.filter(|one| one.status == "creating") else { continue };
                (cluster.status, cluster.resolves_from) = (AVAILABLE, now);
            }
        }
    }
}

fn advance(databases: &mut Databases, identifier: &str, status: Status, task: impl Fn(usize) -> &'static str) {
    if let Some(deployment) = databases.deployments.get_mut(identifier) {
        deployment.status = status;
        deployment.tasks.iter_mut().enumerate().for_each(|(index, (_, state))| *state = task(index));
    }
}

fn settle(databases: &mut Databases, identifier: &str, status: Status, details: Option<&str>) {
    if let Some(deployment) = databases.deployments.get_mut(identifier) {
        (deployment.status, deployment.details) = (status, details.map(str::to_owned));
    }
}

fn release(databases: &mut Databases, deployment: &Deployment) {
    for pair in &deployment.pairs {
        databases.switching.remove(&pair.blue);
        databases.switching.remove(&pair.green);
    }
}

/// Blue becomes `-old1` and read-only, green takes its name at once, and follows it no longer.
fn swap(world: &mut World, place: &Place, deployment: &Deployment) {
    let now = world.now();
    let databases = world.rds.at(place);
    for pair in &deployment.pairs {
        for proxy in databases.proxies.values_mut().filter(|proxy| proxy.target.as_ref() == Some(&pair.blue)) {
            proxy.target = Some(pair.green.clone());
        }
        match pair.kind {
            Kind::Instance => swap_instance(databases, now, pair),
            Kind::Cluster => swap_cluster(databases, now, pair),
        }
    }
}

fn swap_instance(databases: &mut Databases, now: crate::Moment, pair: &Pair) {
    let name = |id: &str| databases.instance_of(id).map(|one| one.identifier.clone());
    let (Some(blue), Some(green)) = (name(&pair.blue), name(&pair.green)) else { return };
    let old = free(&blue, |name| databases.instances.contains_key(name));
    ends::rename(databases, now, (&blue, &old), now);
    ends::rename(databases, now, (&green, &blue), now);
    if let Some(instance) = databases.instances.get_mut(&old) {
        // A replica is read-only anyhow, and a member is what its cluster is.
        instance.read_only = instance.cluster.is_none() && instance.follows.is_none();
    }
    if let Some(instance) = databases.instances.get_mut(&blue) {
        instance.rows = instance.rows.at(now);
        if instance.follows.as_ref().is_some_and(|follow| follow.source == pair.blue) {
            instance.follows = None;
        }
    }
}

fn swap_cluster(databases: &mut Databases, now: crate::Moment, pair: &Pair) {
    let name = |id: &str| databases.clusters.values().find(|one| one.resource_id == id).map(|one| one.identifier.clone());
    let (Some(blue), Some(green)) = (name(&pair.blue), name(&pair.green)) else { return };
    let old = free(&blue, |name| databases.clusters.contains_key(name));
    clusters::rename(databases, now, (&blue, &old), now);
    clusters::rename(databases, now, (&green, &blue), now);
    if let Some(cluster) = databases.clusters.get_mut(&old) {
        cluster.read_only = true;
    }
    if let Some(cluster) = databases.clusters.get_mut(&blue) {
        cluster.rows = cluster.rows.at(now);
        cluster.follows = None;
    }
}

/// `-old1`, or the next number that is free. [RDS: Switching a blue/green deployment]
fn free(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    (1..=u32::MAX).map(|number| format!("{name}-old{number}")).find(|name| !is_taken(name)).unwrap_or_default()
}

/// The green side goes with it where that is asked for, which isn't possible once it is production; else it stays, follows
/// nothing any more and takes writes. [rds:DeleteBlueGreenDeployment]
pub(crate) fn delete(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let name = form.need("BlueGreenDeploymentIdentifier")?.to_ascii_lowercase();
    let deployment = world.rds.at(place).deployments.get(&name).cloned().ok_or_else(|| not_found(&name))?;
    let takes_target = form.get("DeleteTarget") == Some("true");
    if [Status::SwitchoverInProgress, Status::Deleting].contains(&deployment.status) {
        return Err(wrong_state(format!("BlueGreenDeployment {name} is in {} state.", deployment.status.as_str())));
    }
    if takes_target && deployment.status == Status::SwitchoverCompleted {
        return Err(wrong_state("You can't specify DeleteTarget if the blue/green deployment status is SWITCHOVER_COMPLETED."));
    }
    if takes_target {
        permit(world, request, &["rds:DeleteDBInstance"], &place.arn("db", "*"))?;
        unprotected(world.rds.at(place), &deployment)?;
    }
    if deployment.status != Status::SwitchoverCompleted {
        part(world, place, &deployment, takes_target);
    }
    let now = world.now();
    if let Some(deployment) = world.rds.at(place).deployments.get_mut(&name) {
        (deployment.status, deployment.deleted) = (Status::Deleting, Some(now));
    }
    let after = world.transition(Duration::from_mins(5));
    schedule(world, place, &name, after, Step::Deleted);
    shown(world, place, &name)
}

fn unprotected(databases: &Databases, deployment: &Deployment) -> Result<(), ApiError> {
    let is_protected = |pair: &Pair| match pair.kind {
        Kind::Instance => databases.instance_of(&pair.green).is_some_and(|one| one.settings.is_on("DeletionProtection")),
        Kind::Cluster => databases.clusters.values().any(|one| one.resource_id == pair.green && one.settings.is_on("DeletionProtection")),
    };
    if deployment.pairs.iter().any(is_protected) {
        return Err(errors::combination("Cannot delete a protected green database, please disable deletion protection and try again."));
    }
    Ok(())
}

/// The green side follows no longer, and goes or stays.
fn part(world: &mut World, place: &Place, deployment: &Deployment, goes: bool) {
    let now = world.now();
    for pair in &deployment.pairs {
        let databases = world.rds.at(place);
        match pair.kind {
            Kind::Instance => {
                let Some(green) = databases.instances.values_mut().find(|one| one.resource_id == pair.green) else { continue };
                green.rows = green.rows.at(now);
                if green.follows.as_ref().is_some_and(|follow| follow.source == pair.blue) {
                    green.follows = None;
                }
                let name = green.identifier.clone();
                // What is still being copied is there when it would have been.
                let (status, takes, end) = if goes { ("deleting", 5, End::Deleted) } else { (green.status, 25, End::Available) };
                if goes || status == "creating" {
                    databases.enter(now, &name, status);
                    transitions::instance(world, place, (&name, &pair.green), Duration::from_mins(takes), end);
                }
            }
            Kind::Cluster => {
                let Some(green) = databases.clusters.values_mut().find(|one| one.resource_id == pair.green) else { continue };
                green.rows = green.rows.at(now);
                green.follows = None;
                let name = green.identifier.clone();
                let (status, takes, end) = if goes { ("deleting", 6, End::Deleted) } else { (green.status, 25, End::Available) };
                if goes || status == "creating" {
                    green.status = status;
                    transitions::cluster(world, place, (&name, &pair.green), Duration::from_mins(takes), end);
                }
            }
        }
    }
}
