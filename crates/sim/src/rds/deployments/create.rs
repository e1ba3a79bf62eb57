//! A deployment is asked for: who may have one, and what its green side is to be.

use std::collections::BTreeMap;

use super::green::{self, Wanted};
use super::switchover::schedule;
use super::{Deployment, Kind, PROVISIONING, Pair, Status, Step, permit, shown};
use crate::error::ApiError;
use crate::rds::clusters::Cluster;
use crate::rds::create::check_name;
use crate::rds::instances::{AVAILABLE, Instance};
use crate::rds::seed::parts;
use crate::rds::{Answer, Databases, Request, engines, errors, tags};
use crate::world::World;

/// [RDS, Aurora: Authorizing access to blue/green deployment operations]
const FOR_INSTANCE: &[&str] = &["rds:AddTagsToResource", "rds:CreateDBInstanceReadReplica"];
const FOR_CLUSTER: &[&str] = &["rds:AddTagsToResource", "rds:CreateDBCluster", "rds:CreateDBInstance"];
/// Major versions are upgraded by logical replication from these on. [RDS: `PostgreSQL` replication methods for blue/green]
const LOGICAL_FROM: &[(&str, u32)] = &[("11", 21), ("12", 16), ("13", 12), ("14", 9), ("15", 4), ("16", 1)];

pub(crate) fn create(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let name = form.need("BlueGreenDeploymentName")?.to_owned();
    check_name("BlueGreenDeploymentName", &name, 60)?;
    let arn = form.need("Source")?;
    let (of, kind, source) = parts(arn).ok_or_else(|| errors::value(format!("Invalid source: {arn}")))?;
    if of != *place {
        return Err(errors::value(format!("Invalid source: {arn}")));
    }
    if world.rds.at(place).deployments.values().any(|one| one.name == name && one.status != Status::Deleting) {
        let message = format!("A blue/green deployment with the specified name {name} already exists.");
        return Err(ApiError::bad_request("BlueGreenDeploymentAlreadyExistsFault", message));
    }
    let tags = tags::of(form)?;
    let pairs = if kind == "cluster" {
        permit(world, request, FOR_CLUSTER, arn)?;
        let cluster = world.rds.at(place).clusters.get(&source).cloned().ok_or_else(|| errors::cluster_not_found(&source))?;
        check_cluster(world, request, &cluster)?;
        let wanted = wanted(world, request, &[arn.to_owned()])?;
        green::cluster(world, request, &cluster, &wanted)?
    } else {
        permit(world, request, FOR_INSTANCE, arn)?;
        let instance = world.rds.at(place).instances.get(&source).cloned().ok_or_else(|| errors::instance_not_found(&source))?;
        check_instance(world.rds.at(place), request, &instance)?;
        let replicas = world.rds.at(place).replicas_of(&instance.resource_id).into_iter().map(|name| place.arn("db", name));
        let topology: Vec<_> = [place.arn("db", &source)].into_iter().chain(replicas).collect();
        let wanted = wanted(world, request, &topology)?;
        green::instances(world, request, &instance, &wanted)?
    };
    keep(world, request, (name, tags), pairs)
}

fn keep(world: &mut World, request: &Request<'_>, (name, tags): (String, Vec<(String, String)>), pairs: Vec<Pair>) -> Answer {
    let identifier = format!("bgd-{}", world.hex(17));
    let mut tasks = vec![("CREATING_READ_REPLICA_OF_SOURCE", "IN_PROGRESS")];
    if request.form.get("TargetEngineVersion").is_some() {
        tasks.push(("DB_ENGINE_VERSION_UPGRADE", "PENDING"));
    }
    tasks.push(("CONFIGURE_BACKUPS", "PENDING"));
    if pairs.len() > 1 && pairs.first().is_some_and(|pair| pair.kind == Kind::Instance) {
        tasks.push(("CREATING_TOPOLOGY_OF_SOURCE", "PENDING"));
    }
    let created = world.now();
    let deployment = Deployment {
        identifier: identifier.clone(),
        name,
        status: Status::Provisioning,
        details: None,
        pairs,
        tasks,
        created,
        deleted: None,
        tags,
        tries: 0,
    };
    world.rds.at(&request.place).deployments.insert(identifier.clone(), deployment);
    let half = world.transition(PROVISIONING);
    schedule(world, &request.place, &identifier, half, Step::Copied);
    shown(world, &request.place, &identifier)
}

fn unsupported(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("SourceDatabaseNotSupportedFault", message)
}

/// [RDS: Limitations and considerations for blue/green deployments; Preparing for a blue/green deployment]
fn check_instance(databases: &Databases, request: &Request<'_>, source: &Instance) -> Result<(), ApiError> {
    let name = &source.identifier;
    if !["mariadb", "mysql", "postgres"].contains(&source.engine) || source.cluster.is_some() {
        return Err(unsupported(format!("Blue/green deployments aren't supported for {} DB instance {name}.", source.engine)));
    }
    if source.status != AVAILABLE {
        return Err(errors::instance_state(format!("DB instance {name} is not in available state.")));
    }
    if databases.is_deployed(&source.resource_id) {
        return Err(errors::instance_state(format!("DB instance {name} is already part of a blue/green deployment.")));
    }
    if source.follows.is_some() {
        return Err(unsupported(format!("DB instance {name} is a read replica.")));
    }
    let replicas = databases.instances.values().filter(|one| databases.replicas_of(&source.resource_id).contains(&one.identifier.as_str()));
    for replica in replicas {
        if !databases.replicas_of(&replica.resource_id).is_empty() {
            return Err(unsupported(format!("DB instance {name} has cascading read replicas.")));
        }
    }
    if source.secret.is_some() {
        return Err(unsupported(format!("The master user password of {name} is managed in AWS Secrets Manager.")));
    }
    if source.retention() == 0 {
        return Err(unsupported(format!("Automated backups must be enabled on DB instance {name}.")));
    }
    let Some(version) = request.form.get("TargetEngineVersion") else { return Ok(()) };
    let (_, target) = engines::choose(source.engine, Some(version))?;
    let (_, own) = engines::choose(source.engine, Some(&source.version))?;
    if source.engine == "postgres" && target.family != own.family {
        return check_logical(source, own.number);
    }
    Ok(())
}

/// A major upgrade of `PostgreSQL` replicates logically.
fn check_logical(source: &Instance, major: &str) -> Result<(), ApiError> {
    let minor = source.version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()).unwrap_or_default();
    let name = &source.identifier;
    if LOGICAL_FROM.iter().any(|(known, least)| *known == major && minor < *least) {
        return Err(unsupported(format!("Major version upgrades of {} aren't supported for blue/green deployments.", source.version)));
    }
    if source.group.value("rds.logical_replication") != Some("1") {
        return Err(unsupported(format!("Logical replication (rds.logical_replication) must be turned on for DB instance {name}.")));
    }
    Ok(())
}

/// The writer must have read a cluster group of its own that turns replication on. [Aurora: Preparing for a blue/green
/// deployment]
fn check_cluster(world: &mut World, request: &Request<'_>, source: &Cluster) -> Result<(), ApiError> {
    let no = |message: String| Err(ApiError::bad_request("SourceClusterNotSupportedFault", message));
    let name = &source.identifier;
    if !source.engine.starts_with("aurora") {
        return no(format!("Blue/green deployments aren't supported for {} DB cluster {name}.", source.engine));
    }
    if source.status != AVAILABLE {
        return Err(errors::cluster_state(format!("DB cluster {name} is not in available state.")));
    }
    if source.secret.is_some() {
        return no(format!("The master user password of {name} is managed in AWS Secrets Manager."));
    }
    let databases = world.rds.at(&request.place);
    if databases.is_deployed(&source.resource_id) {
        return Err(errors::cluster_state(format!("DB cluster {name} is already part of a blue/green deployment.")));
    }
    let writer = source.members.first().and_then(|writer| databases.instances.get(writer));
    let Some(group) = writer.and_then(|writer| writer.cluster_group.as_ref()) else {
        return no(format!("DB cluster {name} has no writer."));
    };
    if group.status.as_str() != "in-sync" {
        return no(format!("The writer of DB cluster {name} isn't in sync with its DB cluster parameter group."));
    }
    let is_on = match source.engine {
        "aurora-mysql" => group.value("binlog_format").is_some_and(|format| !format.eq_ignore_ascii_case("OFF")),
        _ => group.value("rds.logical_replication") == Some("1"),
    };
    if is_on {
        return Ok(());
    }
    match source.engine {
        "aurora-mysql" => no("Blue Green Deployments requires cluster parameter group has binlog enabled.".to_owned()),
        _ => no("Blue Green Deployments requires cluster parameter group has logical replication enabled.".to_owned()),
    }
}

/// What the green side is to have otherwise than the blue one. [rds:TargetResourceConfiguration]
fn wanted(world: &mut World, request: &Request<'_>, topology: &[String]) -> Result<Wanted, ApiError> {
    let mut keys = BTreeMap::new();
    for item in request.form.list("TargetResourceConfigurations.TargetResourceConfiguration") {
        let arn = item.need("SourceArn")?.to_owned();
        if !topology.contains(&arn) {
            return Err(errors::combination(format!("The resource {arn} isn't part of the blue environment.")));
        }
        let key = item.get("TargetKmsKeyId").filter(|key| !key.is_empty()).map(str::to_owned);
        if key.is_some() && world.rds.at(&request.place).refuses_target_key {
            return Err(errors::combination("TargetKmsKeyId isn't supported for blue/green deployments."));
        }
        if keys.insert(arn.clone(), key).is_some() {
            return Err(errors::combination(format!("The SourceArn {arn} is specified more than once.")));
        }
    }
    Ok(Wanted { keys: keys.into_iter().filter_map(|(arn, key)| Some((arn, key?))).collect() })
}
