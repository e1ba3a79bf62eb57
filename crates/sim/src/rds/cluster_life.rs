//! Clusters in their life: changed, stopped and started, deleted, described. [rds:ModifyDBCluster and its siblings]

use std::time::Duration;

use super::clusters::{Cluster, find};
use super::create::check_identifier;
use super::describe::{STOPPED_FOR, logs, roles, security_groups};
use super::filters::{Filters, Page, identifier};
use super::instances::AVAILABLE;
use super::members::{OF_CLUSTER, asked};
use super::transitions::{self, End};
use super::{Answer, Databases, GroupKind, Place, Request, choices, ends, engines, errors, groups, storage, tags};
use crate::error::ApiError;
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::world::World;

/// The answer that tells of one cluster.
pub(super) fn shown(world: &mut World, place: &Place, name: &str) -> Answer {
    let databases = world.rds.at(place);
    let cluster = databases.clusters.get(name).ok_or_else(|| errors::cluster_not_found(name))?;
    Ok(Element::default().child(element(place, databases, cluster)))
}

pub(super) fn modify(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let name = identifier(form.need("DBClusterIdentifier")?);
    if form.get("NewDBClusterIdentifier").is_some() {
        kept(world, request)?;
    }
    let mut changed = find(world, request)?.clone();
    if changed.status != AVAILABLE {
        return Err(errors::cluster_state(format!("DBCluster {name} is not in available state.")));
    }
    choices::pass_monitoring_role(world, request)?;
    let at_once = form.get("ApplyImmediately") == Some("true");
    for (member, value) in asked(form, OF_CLUSTER) {
        changed.settings.set(member.answer, value);
    }
    if form.get("VpcSecurityGroupIds.VpcSecurityGroupId.1").is_some() {
        changed.security_groups = choices::security_groups(form, place)?;
    }
    let (on, off) = (
        form.values("CloudwatchLogsExportConfiguration.EnableLogTypes.member"),
        form.values("CloudwatchLogsExportConfiguration.DisableLogTypes.member"),
    );
    changed.logs.retain(|log| !off.contains(log) && !on.contains(log));
    changed.logs.extend(on);
    changed.port = choices::port(form, "Port", changed.port)?;
    changed.scaling = scaling(form, changed.scaling.take());
    changed.domain = choices::domain(form).or(changed.domain);
    if changed.secret.is_none() {
        changed.secret = choices::secret(world, request, &changed.resource_id)?;
    }
    let group = new_group(world, request, &changed)?;
    changed.pending_name = new_name(world, request, &changed)?.or(changed.pending_name);
    let waits = (group.is_some() || changed.pending_name.is_some()) && !at_once;
    changed.pending_group = group.or(changed.pending_group);
    version(form, &mut changed)?;
    let (resource_id, is_renamed) = (changed.resource_id.clone(), changed.pending_name.is_some());
    world.rds.at(place).clusters.insert(name.clone(), changed);
    if waits {
        transitions::cluster_window(world, place, (&name, &resource_id));
        return passing(world, request, &name, AVAILABLE, (Duration::ZERO, End::Settled));
    }
    if at_once {
        ends::take_group(world.rds.at(place), &name);
    }
    if is_renamed {
        return passing(world, request, &name, "renaming", (Duration::from_mins(2), End::Modified));
    }
    passing(world, request, &name, "modifying", (Duration::from_secs(30), End::Settled))
}

/// What has a part in a blue/green deployment can't be deleted, stopped or renamed.
fn kept(world: &mut World, request: &Request<'_>) -> Result<(), ApiError> {
    let id = find(world, request)?.resource_id.clone();
    if world.rds.at(&request.place).is_deployed(&id) {
        return Err(errors::cluster_state("The DB cluster is part of a blue/green deployment: delete the deployment first."));
    }
    Ok(())
}

/// `ServerlessV2ScalingConfiguration`, as it was where the request doesn't say.
pub(super) fn scaling(form: &Form, known: Option<(String, String)>) -> Option<(String, String)> {
    let of = |name: &str| form.get(&format!("ServerlessV2ScalingConfiguration.{name}")).map(str::to_owned);
    let (least, most) = (of("MinCapacity"), of("MaxCapacity"));
    let (known_least, known_most) = known.unzip();
    Some((least.or(known_least)?, most.or(known_most)?))
}

fn new_name(world: &mut World, request: &Request<'_>, cluster: &Cluster) -> Result<Option<String>, ApiError> {
    let Some(name) = request.form.get("NewDBClusterIdentifier").map(str::to_ascii_lowercase) else { return Ok(None) };
    check_identifier("NewDBClusterIdentifier", &name)?;
    if name == cluster.identifier {
        return Ok(None);
    }
    let databases = world.rds.at(&request.place);
    let is_coming = |one: &Cluster| one.resource_id != cluster.resource_id && one.pending_name.as_ref() == Some(&name);
    if databases.clusters.contains_key(&name) || databases.clusters.values().any(is_coming) {
        return Err(ApiError::bad_request("DBClusterAlreadyExistsFault", "DB Cluster already exists"));
    }
    Ok(Some(name))
}

fn new_group(world: &mut World, request: &Request<'_>, cluster: &Cluster) -> Result<Option<String>, ApiError> {
    let Some(name) = request.form.get("DBClusterParameterGroupName") else { return Ok(None) };
    let (_, major) = engines::choose(cluster.engine, Some(&cluster.version))?;
    let group = groups::of_family(world.rds.at(&request.place), GroupKind::Cluster, name, major.family)?;
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

/// Its members stop with it. After seven days it starts by itself. [rds:StopDBCluster]
pub(super) fn stop(world: &mut World, request: &Request<'_>) -> Answer {
    kept(world, request)?;
    let cluster = find(world, request)?.clone();
    if cluster.status != AVAILABLE {
        return Err(errors::cluster_state(format!("DbCluster {} is not in available state", cluster.identifier)));
    }
    let now = world.now();
    ends::members(world.rds.at(&request.place), now, &cluster.identifier, "stopping");
    passing(world, request, &cluster.identifier, "stopping", (Duration::from_mins(5), End::Stopped))
}

/// [rds:StartDBCluster]
pub(super) fn start(world: &mut World, request: &Request<'_>) -> Answer {
    let cluster = find(world, request)?.clone();
    if cluster.status != "stopped" {
        return Err(errors::cluster_state(format!(
            "DbCluster {} is in {} state but expected it to be stopped.",
            cluster.identifier, cluster.status
        )));
    }
    let now = world.now();
    ends::members(world.rds.at(&request.place), now, &cluster.identifier, "starting");
    passing(world, request, &cluster.identifier, "starting", (Duration::from_mins(5), End::Rebooted))
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Answer {
    kept(world, request)?;
    let cluster = find(world, request)?.clone();
    let form = &request.form;
    if cluster.settings.get("DeletionProtection") == Some("true") {
        return Err(errors::combination("Cannot delete protected Cluster, please disable deletion protection and try again."));
    }
    if !cluster.members.is_empty() {
        return Err(errors::cluster_state("Cluster cannot be deleted, it still contains DB instances in non-deleting state."));
    }
    if form.get("SkipFinalSnapshot") != Some("true") {
        let Some(last) = form.get("FinalDBSnapshotIdentifier") else {
            return Err(errors::combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."));
        };
        super::snapshots::take(world, request, GroupKind::Cluster, (&cluster.identifier, last))?;
    }
    passing(world, request, &cluster.identifier, "deleting", (Duration::from_mins(2), End::Deleted))
}

/// Puts it in a status until the transition ends.
fn passing(world: &mut World, request: &Request<'_>, name: &str, status: &'static str, then: (Duration, End)) -> Answer {
    let databases = world.rds.at(&request.place);
    let cluster = databases.clusters.get_mut(name).ok_or_else(|| errors::cluster_not_found(name))?;
    cluster.status = status;
    let id = cluster.resource_id.clone();
    transitions::cluster(world, &request.place, (name, &id), then.0, then.1);
    shown(world, &request.place, name)
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let filters = Filters::of(form, &["clone-group-id", "db-cluster-id", "db-cluster-resource-id", "domain", "engine"])?;
    let page = Page::of(form)?;
    let databases = world.rds.at(place);
    let passes = |cluster: &Cluster| {
        filters.pass(|name| match name {
            "db-cluster-id" => cluster.identifier.clone(),
            "db-cluster-resource-id" => cluster.resource_id.clone(),
            "engine" => cluster.engine.to_owned(),
            _ => String::new(),
        })
    };
    if let Some(name) = form.get("DBClusterIdentifier") {
        let name = identifier(name);
        let cluster = databases.clusters.get(&name).ok_or_else(|| errors::cluster_not_found(&name))?;
        let list = Element::new("DBClusters").children(passes(cluster).then(|| element(place, databases, cluster)));
        return Ok(Element::default().child(list));
    }
    let all = databases.clusters.range::<str, _>(page.from()).filter(|(_, cluster)| passes(cluster));
    Ok(page.listed("DBClusters", all.map(|(name, cluster)| (name.clone(), element(place, databases, cluster)))))
}

/// `DBCluster`. [rds:DBCluster]
fn element(place: &Place, databases: &Databases, cluster: &Cluster) -> Element {
    let member = |(index, name): (usize, &String)| {
        let read = databases.instances.get(name).and_then(|instance| instance.cluster_group.as_ref());
        Element::new("DBClusterMember")
            .text("DBInstanceIdentifier", name)
            .text("IsClusterWriter", index == 0)
            .maybe("DBClusterParameterGroupStatus", read.map(|group| group.status.as_str()))
            .text("PromotionTier", databases.instances.get(name).and_then(|one| one.settings.get("PromotionTier")).unwrap_or("1"))
    };
    let (writer, reader) = (storage::cluster_endpoint(place, &cluster.identifier), storage::reader_endpoint(place, &cluster.identifier));
    let mut element = Element::new("DBCluster")
        .text("DBClusterIdentifier", &cluster.identifier)
        .text("DBClusterArn", place.arn("cluster", &cluster.identifier))
        .text("DbClusterResourceId", &cluster.resource_id)
        .text("Engine", cluster.engine)
        .text("EngineVersion", &cluster.version)
        .text("Status", cluster.status)
        .text("ClusterCreateTime", cluster.created.iso8601())
        .text("DBClusterParameterGroup", &cluster.group)
        .text("DBSubnetGroup", &cluster.subnet_group)
        .text("Endpoint", writer)
        .text("ReaderEndpoint", reader)
        .text("Port", cluster.port)
        .text("MultiAZ", cluster.members.len() > 1)
        .child(Element::new("DBClusterMembers").children(cluster.members.iter().enumerate().map(member)))
        .child(security_groups(&cluster.security_groups))
        .child(roles("DBClusterRole", &cluster.roles))
        .child(tags::element(&cluster.tags));
    if !cluster.logs.is_empty() {
        element = element.child(logs(&cluster.logs));
    }
    if let Some((least, most)) = &cluster.scaling {
        let told = Element::new("ServerlessV2ScalingConfiguration").text("MinCapacity", least).text("MaxCapacity", most);
        element = element.child(told);
    }
    if let Some(secret) = &cluster.secret {
        let told = Element::new("MasterUserSecret").text("SecretArn", &secret.arn).text("SecretStatus", "active");
        element = element.child(told.text("KmsKeyId", &secret.key));
    }
    element = element.maybe("AutomaticRestartTime", cluster.stopped.map(|at| (at + STOPPED_FOR).iso8601()));
    if let Some(name) = &cluster.pending_name {
        element = element.child(Element::new("PendingModifiedValues").text("DBClusterIdentifier", name));
    }
    cluster.settings.members(cluster.storage.members(element, "StorageEncrypted"), OF_CLUSTER)
}
