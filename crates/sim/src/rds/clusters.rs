//! Aurora and Multi-AZ DB clusters. [rds:CreateDBCluster and its siblings]

use std::time::Duration;

use super::filters::{Filters, Page, identifier};
use super::instances::{AVAILABLE, check_identifier, security_groups};
use super::members::{OF_CLUSTER, Settings};
use super::storage::{self, Storage};
use super::transitions::{self, End};
use super::{Answer, Databases, GroupKind, Place, Request, engines, errors, groups, tags};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::world::World;

/// A cluster.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) identifier: String,
    pub(super) resource_id: String,
    pub(super) engine: &'static str,
    pub(super) version: String,
    pub(super) status: &'static str,
    pub(super) created: Moment,
    pub(super) storage: Storage,
    /// The cluster parameter group's name; its members know whether they have read it.
    pub(super) group: String,
    /// A group that waits for the maintenance window.
    pub(super) pending_group: Option<String>,
    /// Identifiers, the writer first.
    pub(super) members: Vec<String>,
    pub(super) settings: Settings,
    pub(super) port: u16,
    pub(super) security_groups: Vec<String>,
    pub(super) tags: Vec<(String, String)>,
}

pub(super) fn create(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    let name = new_identifier(world, request)?;
    let engine = form.need("Engine")?;
    let (version, _) = engines::choose(engine, form.get("EngineVersion"))?;
    form.need("MasterUsername")?;
    let resource_id = storage::resource_id(world, "cluster");
    // "Clusters created on or after 18 February 2026 are encrypted by default." [Aurora: Encrypting Aurora resources]
    let storage = Storage::of(world, request, &resource_id, engine.starts_with("aurora"))?;
    finish(world, request, Made { name, resource_id, engine, version, storage })
}

/// A key encrypts the new cluster, whatever the snapshot was; without one it is encrypted as the snapshot was, and an
/// unencrypted Aurora snapshot gives AWS's own key. [rds:RestoreDBClusterFromSnapshot `KmsKeyId`]
pub(super) fn restore(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    let name = new_identifier(world, request)?;
    let engine = form.need("Engine")?;
    let source = identifier(form.need("SnapshotIdentifier")?);
    let snapshot = world.rds.at(&request.place).cluster_snapshots.get(&source).cloned();
    let none = || ApiError::new(404, "DBClusterSnapshotNotFoundFault", format!("DBClusterSnapshot {source} not found."));
    let snapshot = snapshot.ok_or_else(none)?;
    if snapshot.status != AVAILABLE {
        return Err(ApiError::bad_request("InvalidDBClusterSnapshotStateFault", format!("DBClusterSnapshot {source} is not available.")));
    }
    if snapshot.engine != engine {
        return Err(errors::combination(format!("The engine of the snapshot is {}.", snapshot.engine)));
    }
    let (version, _) = engines::choose(engine, Some(form.get("EngineVersion").unwrap_or(&snapshot.version)))?;
    let resource_id = storage::resource_id(world, "cluster");
    let storage = match form.get("KmsKeyId").filter(|key| !key.is_empty()) {
        Some(key) => Storage::under(world, request, key, &resource_id)?,
        None if snapshot.storage == Storage::Plain && engine.starts_with("aurora") => Storage::Owned,
        None => snapshot.storage.again(world, request, &resource_id)?,
    };
    finish(world, request, Made { name, resource_id, engine, version, storage })
}

fn new_identifier(world: &mut World, request: &Request<'_>) -> Result<String, ApiError> {
    let name = request.form.need("DBClusterIdentifier")?.to_ascii_lowercase();
    check_identifier("DBClusterIdentifier", &name)?;
    if world.rds.at(&request.place).clusters.contains_key(&name) {
        return Err(ApiError::bad_request("DBClusterAlreadyExistsFault", "DB Cluster already exists"));
    }
    Ok(name)
}

struct Made<'a> {
    name: String,
    resource_id: String,
    engine: &'a str,
    version: String,
    storage: Storage,
}

fn finish(world: &mut World, request: &Request<'_>, made: Made<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let Made { name, resource_id, engine, version, storage } = made;
    let (_, major) = engines::choose(engine, Some(&version))?;
    let created = world.now();
    let databases = world.rds.at(place);
    let default = format!("default.{}", major.family);
    let group = groups::find(databases, GroupKind::Cluster, form.get("DBClusterParameterGroupName").unwrap_or(&default))?;
    if group.family != major.family {
        return Err(errors::combination(format!(
            "The Parameter Group {} with DBParameterGroupFamily {} cannot be used for this cluster. Please use a Parameter Group with \
             DBParameterGroupFamily {}",
            group.name, group.family, major.family
        )));
    }
    let cluster = Cluster {
        identifier: name.clone(),
        resource_id: resource_id.clone(),
        engine: major.engine,
        version,
        status: "creating",
        created,
        storage,
        group: group.name.clone(),
        pending_group: None,
        members: Vec::new(),
        settings: Settings::of(form, OF_CLUSTER),
        port: form.get("Port").and_then(|port| port.parse().ok()).unwrap_or_else(|| engines::default_port(engine)),
        security_groups: form.values("VpcSecurityGroupIds.VpcSecurityGroupId"),
        tags: tags::of(form)?,
    };
    let element = element(place, databases, &cluster);
    databases.clusters.insert(name.clone(), cluster);
    transitions::cluster(world, place, (&name, &resource_id), Duration::from_mins(3), End::Available);
    Ok(Element::default().child(element))
}

pub(super) fn find<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Cluster, ApiError> {
    let name = identifier(request.form.need("DBClusterIdentifier")?);
    world.rds.at(&request.place).clusters.get_mut(&name).ok_or_else(|| errors::cluster_not_found(&name))
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Answer {
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
        super::snapshots::take(world, request, GroupKind::Cluster, &cluster.identifier, last)?;
    }
    passing(world, request, &cluster.identifier, "deleting", (Duration::from_mins(2), End::Deleted))
}

/// Puts it in a status until the transition ends.
pub(super) fn passing(world: &mut World, request: &Request<'_>, name: &str, status: &'static str, then: (Duration, End)) -> Answer {
    let databases = world.rds.at(&request.place);
    let cluster = databases.clusters.get_mut(name).ok_or_else(|| errors::cluster_not_found(name))?;
    cluster.status = status;
    let id = cluster.resource_id.clone();
    let cluster = databases.clusters.get(name).ok_or_else(|| errors::cluster_not_found(name))?;
    let element = element(&request.place, databases, cluster);
    transitions::cluster(world, &request.place, (name, &id), then.0, then.1);
    Ok(Element::default().child(element))
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
            .text("PromotionTier", 1)
    };
    let host = storage::endpoint(place, &format!("{}.cluster", cluster.identifier)).replacen(".cluster.c", ".cluster-c", 1);
    let element = Element::new("DBCluster")
        .text("DBClusterIdentifier", &cluster.identifier)
        .text("DBClusterArn", place.arn("cluster", &cluster.identifier))
        .text("DbClusterResourceId", &cluster.resource_id)
        .text("Engine", cluster.engine)
        .text("EngineVersion", &cluster.version)
        .text("Status", cluster.status)
        .text("ClusterCreateTime", cluster.created.iso8601())
        .text("DBClusterParameterGroup", &cluster.group)
        .text("Endpoint", host)
        .text("Port", cluster.port)
        .text("MultiAZ", cluster.members.len() > 1)
        .child(Element::new("DBClusterMembers").children(cluster.members.iter().enumerate().map(member)))
        .child(security_groups(&cluster.security_groups))
        .child(tags::element(&cluster.tags));
    cluster.settings.members(cluster.storage.members(element, "StorageEncrypted"), OF_CLUSTER)
}
