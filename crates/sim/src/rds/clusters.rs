//! Aurora and Multi-AZ DB clusters, new ones: created, or restored from a snapshot. [rds:CreateDBCluster, rds:RestoreDBClusterFromSnapshot]

use std::time::Duration;

use super::create::check_identifier;
use super::filters::identifier;
use super::instances::{AVAILABLE, Domain, Role, Secret};
use super::members::{OF_CLUSTER, Settings};
use super::rows::{Follow, Rows};
use super::snapshots::Snapshot;
use super::storage::{self, Storage};
use super::transitions::{self, End};
use super::{Answer, Databases, GroupKind, Request, choices, cluster_life, engines, errors, groups, multi_az, tags};
use crate::error::ApiError;
use crate::moment::Moment;
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
    /// A name that does.
    pub(super) pending_name: Option<String>,
    /// Identifiers, the writer first.
    pub(super) members: Vec<String>,
    pub(super) settings: Settings,
    pub(super) port: u16,
    pub(super) security_groups: Vec<String>,
    pub(super) subnet_group: String,
    pub(super) roles: Vec<Role>,
    /// `EnabledCloudwatchLogsExports`.
    pub(super) logs: Vec<String>,
    pub(super) domain: Option<Domain>,
    /// `ServerlessV2ScalingConfiguration`: the least and the most capacity.
    pub(super) scaling: Option<(String, String)>,
    /// The master password is Secrets Manager's.
    pub(super) secret: Option<Secret>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) rows: Rows,
    pub(super) follows: Option<Follow>,
    /// When it was stopped.
    pub(super) stopped: Option<Moment>,
    /// It was the blue side of a switch-over.
    pub(super) read_only: bool,
    /// When its name is in DNS.
    pub(super) resolves_from: Moment,
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
    let settings = Settings::of(form, OF_CLUSTER);
    let made = Made { name, resource_id, engine, version, storage, settings, port: None, tags: tags::of(form)?, rows: Rows::default() };
    finish(world, request, made, Duration::from_mins(3))
}

/// What a restored cluster has from its snapshot where the request doesn't say; all else falls to the defaults of a new one.
/// [rds:RestoreDBClusterFromSnapshot, member by member]
const KEPT: &[&str] = &["AllocatedStorage", "BackupRetentionPeriod", "DatabaseName", "MasterUsername"];

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
    let mut settings = Settings::of(form, OF_CLUSTER);
    for kept in KEPT {
        if let Some(value) = snapshot.settings.get(kept) {
            settings.set_default(kept, value);
        }
    }
    let tags = tags::of(form)?;
    let tags = if tags.is_empty() { snapshot.source_tags } else { tags };
    let made = Made { name, resource_id, engine, version, storage, settings, port: Some(snapshot.port), tags, rows: snapshot.rows };
    finish(world, request, made, Duration::from_mins(20))
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
    settings: Settings,
    /// Where the request names none: the snapshot's, else the engine's.
    port: Option<u16>,
    tags: Vec<(String, String)>,
    rows: Rows,
}

fn finish(world: &mut World, request: &Request<'_>, made: Made<'_>, takes: Duration) -> Answer {
    let Request { origin: _, place, form } = request;
    let Made { name, resource_id, engine, version, storage, settings, port, tags, rows } = made;
    let (_, major) = engines::choose(engine, Some(&version))?;
    choices::pass_monitoring_role(world, request)?;
    let roles = associated(world, request)?;
    let secret = choices::secret(world, request, &resource_id)?;
    let now = world.now();
    let databases = world.rds.at(place);
    let default = format!("default.{}", major.family);
    let group = form.get("DBClusterParameterGroupName").unwrap_or(&default);
    let group = groups::of_family(databases, GroupKind::Cluster, group, major.family)?;
    let mut cluster = Cluster {
        identifier: name.clone(),
        resource_id: resource_id.clone(),
        engine: major.engine,
        version,
        status: "creating",
        created: now,
        storage,
        group: group.name.clone(),
        pending_group: None,
        pending_name: None,
        members: Vec::new(),
        settings,
        port: choices::port(form, "Port", port.unwrap_or_else(|| engines::default_port(engine)))?,
        security_groups: choices::security_groups(form, place)?,
        subnet_group: form.get("DBSubnetGroupName").unwrap_or("default").to_ascii_lowercase(),
        roles,
        logs: form.values("EnableCloudwatchLogsExports.member"),
        domain: choices::domain(form),
        scaling: cluster_life::scaling(form, None),
        secret,
        tags,
        rows,
        follows: None,
        stopped: None,
        read_only: false,
        resolves_from: now,
    };
    let of_its_own = if engines::is_clustered(engine) { Vec::new() } else { multi_az::members(world, request, &cluster)? };
    cluster.members = of_its_own.iter().map(|one| one.identifier.clone()).collect();
    let databases = world.rds.at(place);
    databases.clusters.insert(name.clone(), cluster);
    databases.instances.extend(of_its_own.iter().map(|one| (one.identifier.clone(), one.clone())));
    for member in &of_its_own {
        transitions::instance(world, place, (&member.identifier, &member.resource_id), takes, End::Available);
    }
    transitions::cluster(world, place, (&name, &resource_id), takes, End::Available);
    cluster_life::shown(world, place, &name)
}

/// Roles that a restored cluster has from its beginning. [rds:RestoreDBClusterFromSnapshot `AssociatedRoles`]
fn associated(world: &World, request: &Request<'_>) -> Result<Vec<Role>, ApiError> {
    let named = request.form.list("AssociatedRoles.DBClusterAssociatedRole");
    let role = |item: &crate::wire::query::Form| {
        let arn = item.need("RoleArn")?.to_owned();
        choices::pass_role(world, request, &arn, "rds.amazonaws.com")?;
        Ok(Role { arn, feature: item.get("FeatureName").unwrap_or_default().to_owned() })
    };
    named.iter().map(role).collect()
}

pub(super) fn find<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Cluster, ApiError> {
    let name = identifier(request.form.need("DBClusterIdentifier")?);
    world.rds.at(&request.place).clusters.get_mut(&name).ok_or_else(|| errors::cluster_not_found(&name))
}

/// What a snapshot of it holds. [rds:CreateDBClusterSnapshot]
pub(super) fn snapshot(of: &Cluster, now: Moment) -> Result<Snapshot, ApiError> {
    if of.status != AVAILABLE {
        return Err(errors::cluster_state(format!(
            "Cannot create a snapshot because the cluster {} is not currently in the available state.",
            of.identifier
        )));
    }
    let mut snapshot = Snapshot::of((&of.identifier, &of.resource_id), (of.engine, &of.version), (of.created, now), &of.storage);
    snapshot.port = of.port;
    Ok(snapshot.holding(&of.settings, &of.tags, of.rows.at(now)))
}

/// It takes the name that it was told to, and clients find it by that from a time on. Its members keep theirs.
pub(super) fn take_name(databases: &mut Databases, now: Moment, old: &str, resolves_from: Moment) {
    let Some(new) = databases.clusters.get_mut(old).and_then(|cluster| cluster.pending_name.take()) else { return };
    rename(databases, now, (old, &new), resolves_from);
}

/// The same for a name that is given.
pub(super) fn rename(databases: &mut Databases, now: Moment, (old, new): (&str, &str), resolves_from: Moment) {
    if databases.clusters.contains_key(new) {
        return;
    }
    let Some(mut cluster) = databases.clusters.remove(old) else { return };
    new.clone_into(&mut cluster.identifier);
    cluster.resolves_from = resolves_from;
    for member in &cluster.members {
        if let Some(instance) = databases.instances.get_mut(member) {
            instance.cluster = Some(new.to_owned());
        }
        databases.hang_up(now, member);
    }
    databases.clusters.insert(new.to_owned(), cluster);
}
