//! Manual snapshots of instances and clusters: taken, copied (this is where encryption can be added), restored elsewhere.
//! [rds:CreateDBSnapshot, rds:CopyDBSnapshot and their cluster siblings]

use std::collections::BTreeMap;
use std::time::Duration;

use super::create::check_name;
use super::filters::{Filters, Page, identifier};
use super::groups::GroupKind;
use super::instances::{AVAILABLE, BACKING_UP, Instance};
use super::members::Settings;
use super::rows::Rows;
use super::storage::{self, Storage};
use super::transitions::{Event, SnapshotOf};
use super::{Answer, Databases, Place, Request, errors, tags};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::world::{self, World};

/// A snapshot.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    identifier: String,
    /// The instance's or cluster's, by identifier and by resource id.
    pub(super) source: String,
    pub(super) source_id: String,
    source_created: Moment,
    pub(super) engine: &'static str,
    pub(super) version: String,
    pub(super) class: String,
    pub(super) status: &'static str,
    pub(super) created: Moment,
    /// When the first of a line of copies was taken.
    original: Moment,
    pub(super) storage: Storage,
    pub(super) settings: Settings,
    pub(super) port: u16,
    option_group: String,
    pub(super) tags: Vec<(String, String)>,
    /// Its source's tags, which a restored instance gets where its request names none.
    pub(super) source_tags: Vec<(String, String)>,
    /// What was there when it was taken.
    pub(super) rows: Rows,
}

/// The names that differ between the two kinds.
struct Words {
    snapshot: &'static str,
    source: &'static str,
    element: &'static str,
    list: &'static str,
    arn: &'static str,
    /// Codes: not found, exists already, wrong state.
    codes: [&'static str; 3],
}

const fn words(kind: GroupKind) -> Words {
    match kind {
        GroupKind::Instance => Words {
            snapshot: "DBSnapshotIdentifier",
            source: "DBInstanceIdentifier",
            element: "DBSnapshot",
            list: "DBSnapshots",
            arn: "snapshot",
            codes: ["DBSnapshotNotFound", "DBSnapshotAlreadyExists", "InvalidDBSnapshotState"],
        },
        GroupKind::Cluster => Words {
            snapshot: "DBClusterSnapshotIdentifier",
            source: "DBClusterIdentifier",
            element: "DBClusterSnapshot",
            list: "DBClusterSnapshots",
            arn: "cluster-snapshot",
            codes: ["DBClusterSnapshotNotFoundFault", "DBClusterSnapshotAlreadyExistsFault", "InvalidDBClusterSnapshotStateFault"],
        },
    }
}

const fn all(databases: &mut Databases, kind: GroupKind) -> &mut BTreeMap<String, Snapshot> {
    match kind {
        GroupKind::Instance => &mut databases.snapshots,
        GroupKind::Cluster => &mut databases.cluster_snapshots,
    }
}

fn not_found(kind: GroupKind, name: &str) -> ApiError {
    let words = words(kind);
    ApiError::new(404, words.codes[0], format!("{} {name} not found.", words.element))
}

/// The name is free, and there is room for one more. [rds: `SnapshotQuotaExceeded`]
fn room(databases: &mut Databases, kind: GroupKind, name: &str) -> Result<(), ApiError> {
    let words = words(kind);
    check_name(words.snapshot, name, if kind == GroupKind::Instance { 255 } else { 63 })?;
    let most = databases.snapshot_quota;
    let there = all(databases, kind);
    if there.contains_key(name) {
        let message = format!("Cannot create the snapshot because a snapshot with the identifier {name} already exists.");
        return Err(ApiError::bad_request(words.codes[1], message));
    }
    if there.len() >= most {
        return Err(ApiError::bad_request("SnapshotQuotaExceeded", format!("Cannot create more than {most} manual snapshots.")));
    }
    Ok(())
}

/// The source shows `backing-up` meanwhile, and can't be changed. [RDS: Viewing DB instance status]
pub(super) fn create(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let words = words(kind);
    let (name, source) = (request.form.need(words.snapshot)?.to_owned(), identifier(request.form.need(words.source)?));
    let snapshot = take(world, request, kind, (&source, &name))?;
    let now = world.now();
    let databases = world.rds.at(&request.place);
    match kind {
        GroupKind::Instance => databases.enter(now, &source, BACKING_UP),
        GroupKind::Cluster => {
            if let Some(cluster) = databases.clusters.get_mut(&source) {
                cluster.status = BACKING_UP;
            }
        }
    }
    Ok(Element::default().child(element(&request.place, kind, &snapshot)))
}

/// Takes a snapshot (of, named); the source must be `available` (a stopped instance is not accepted).
/// [rds:CreateDBSnapshot]
pub(super) fn take(world: &mut World, request: &Request<'_>, kind: GroupKind, of: (&str, &str)) -> Result<Snapshot, ApiError> {
    let (source, name) = (of.0, of.1.to_ascii_lowercase());
    let (now, mut tags) = (world.now(), tags::of(&request.form)?);
    let databases = world.rds.at(&request.place);
    room(databases, kind, &name)?;
    let mut snapshot = match kind {
        GroupKind::Instance => {
            let of = databases.instances.get(source).ok_or_else(|| errors::instance_not_found(source))?;
            of_instance(of, now)?
        }
        GroupKind::Cluster => {
            let of = databases.clusters.get(source).ok_or_else(|| errors::cluster_not_found(source))?;
            super::clusters::snapshot(of, now)?
        }
    };
    if snapshot.settings.is_on("CopyTagsToSnapshot") {
        let missing = |tag: &&(String, String)| !tags.iter().any(|(key, _)| *key == tag.0);
        let inherited: Vec<_> = snapshot.source_tags.iter().filter(missing).cloned().collect();
        tags.extend(inherited);
    }
    snapshot.identifier = name;
    snapshot.tags = tags;
    keep(world, &request.place, kind, snapshot.clone(), Duration::from_mins(10));
    Ok(snapshot)
}

fn of_instance(of: &Instance, now: Moment) -> Result<Snapshot, ApiError> {
    let name = &of.identifier;
    if let Some(cluster) = &of.cluster {
        let message = format!("The requested instance {name} is a member of the cluster {cluster}: take a cluster snapshot.");
        return Err(errors::instance_state(message));
    }
    if !of.is_changeable() {
        return Err(errors::instance_state(format!(
            "Cannot create a snapshot because the database instance {name} is not currently in the available state."
        )));
    }
    Ok(Snapshot {
        class: of.class.clone(),
        port: of.port,
        option_group: of.option_group.clone(),
        ..Snapshot::of((name, &of.resource_id), (of.engine, &of.version), (of.created, now), &of.storage)
    }
    .holding(&of.settings, &of.tags, of.rows.at(now)))
}

impl Snapshot {
    /// Of what (identifier and resource id, engine and version, when it was created and now, encryption).
    pub(super) fn of(of: (&str, &str), engine: (&'static str, &str), (created, now): (Moment, Moment), storage: &Storage) -> Self {
        Self {
            identifier: String::new(),
            source: of.0.to_owned(),
            source_id: of.1.to_owned(),
            source_created: created,
            engine: engine.0,
            version: engine.1.to_owned(),
            class: String::new(),
            status: "creating",
            created: now,
            original: now,
            storage: storage.clone(),
            settings: Settings::default(),
            port: 0,
            option_group: String::new(),
            tags: Vec::new(),
            source_tags: Vec::new(),
            rows: Rows::default(),
        }
    }

    /// The same with what its source was set to, tagged with and held.
    pub(super) fn holding(mut self, settings: &Settings, tags: &[(String, String)], rows: Rows) -> Self {
        self.settings = settings.clone();
        self.source_tags = tags.to_vec();
        self.rows = rows;
        self
    }
}

fn keep(world: &mut World, place: &Place, kind: GroupKind, snapshot: Snapshot, takes: Duration) {
    let of = match kind {
        GroupKind::Instance => SnapshotOf::Instance,
        GroupKind::Cluster => SnapshotOf::Cluster,
    };
    let event = Event::Snapshot { place: place.clone(), kind: of, identifier: snapshot.identifier.clone() };
    all(world.rds.at(place), kind).insert(snapshot.identifier.clone(), snapshot);
    let after = world.transition(takes);
    world.later(after, world::Event::Rds(event));
}

/// A snapshot is there. Its source is `available` again, unless another one is being taken.
pub(super) fn done(world: &mut World, place: &Place, kind: GroupKind, name: &str) {
    let now = world.now();
    let databases = world.rds.at(place);
    let Some(snapshot) = all(databases, kind).get_mut(name) else { return };
    snapshot.status = AVAILABLE;
    let id = snapshot.source_id.clone();
    if all(databases, kind).values().any(|one| one.source_id == id && one.status == "creating") {
        return;
    }
    match kind {
        GroupKind::Instance => {
            let waits = databases.instance_of(&id).filter(|one| one.status == BACKING_UP).map(|one| one.identifier.clone());
            if let Some(name) = waits {
                databases.enter(now, &name, AVAILABLE);
            }
        }
        GroupKind::Cluster => {
            let mut clusters = databases.clusters.values_mut();
            if let Some(cluster) = clusters.find(|one| one.resource_id == id && one.status == BACKING_UP) {
                cluster.status = AVAILABLE;
            }
        }
    }
}

/// A copy with a key is encrypted under it, also where the source is not; without one it is as its source.
/// An unencrypted *cluster* snapshot can't be encrypted by copying. [rds:CopyDBSnapshot, rds:CopyDBClusterSnapshot `KmsKeyId`]
pub(super) fn copy(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let Request { origin: _, place, form } = request;
    let words = words(kind);
    let source = identifier(form.need(&format!("Source{}", words.snapshot))?);
    let target = form.need(&format!("Target{}", words.snapshot))?.to_ascii_lowercase();
    let databases = world.rds.at(place);
    let original = all(databases, kind).get(&source).cloned().ok_or_else(|| not_found(kind, &source))?;
    if original.status != AVAILABLE {
        return Err(ApiError::bad_request(words.codes[2], format!("{} {source} is not available.", words.element)));
    }
    room(databases, kind, &target)?;
    let key = form.get("KmsKeyId").filter(|key| !key.is_empty());
    if kind == GroupKind::Cluster && key.is_some() && original.storage == Storage::Plain {
        return Err(errors::combination("KmsKeyId can't be given for a copy of an unencrypted DB cluster snapshot."));
    }
    let resource_id = storage::resource_id(world, "db");
    let storage = match key {
        Some(key) => Storage::under(world, request, key, &resource_id)?,
        None => original.storage.again(world, request, &resource_id)?,
    };
    let mut tags = tags::of(form)?;
    if form.get("CopyTags") == Some("true") {
        let missing: Vec<_> = original.tags.iter().filter(|(key, _)| !tags.iter().any(|(known, _)| known == key)).cloned().collect();
        tags.extend(missing);
    }
    let copy = Snapshot { identifier: target, status: "copying", created: world.now(), storage, tags, ..original };
    let element = element(place, kind, &copy);
    keep(world, place, kind, copy, Duration::from_mins(20));
    Ok(Element::default().child(element))
}

/// Only what is `available` or `failed` can be deleted. [rds:DeleteDBSnapshot]
pub(super) fn delete(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let words = words(kind);
    let name = identifier(request.form.need(words.snapshot)?);
    let found = all(world.rds.at(&request.place), kind);
    let snapshot = found.get(&name).ok_or_else(|| not_found(kind, &name))?;
    if snapshot.status != AVAILABLE {
        return Err(ApiError::bad_request(words.codes[2], format!("{} {name} is not in available state.", words.element)));
    }
    let mut snapshot = found.remove(&name).ok_or_else(|| not_found(kind, &name))?;
    snapshot.storage.forget(world);
    snapshot.status = "deleted";
    Ok(Element::default().child(element(&request.place, kind, &snapshot)))
}

pub(super) fn describe(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let Request { origin: _, place, form } = request;
    let words = words(kind);
    let known: &[&str] = match kind {
        GroupKind::Instance => &["db-instance-id", "db-snapshot-id", "dbi-resource-id", "snapshot-type", "engine"],
        GroupKind::Cluster => &["db-cluster-id", "db-cluster-snapshot-id", "snapshot-type", "engine"],
    };
    let filters = Filters::of(form, known)?;
    let page = Page::of(form)?;
    let source = form.get(words.source).map(identifier);
    let snapshots = &*all(world.rds.at(place), kind);
    if let Some(name) = form.get(words.snapshot) {
        let name = identifier(name);
        let snapshot = snapshots.get(&name).ok_or_else(|| not_found(kind, &name))?;
        return Ok(Element::default().child(Element::new(words.list).child(element(place, kind, snapshot))));
    }
    let wanted = snapshots.range::<str, _>(page.from()).filter(|(_, snapshot)| {
        source.as_ref().is_none_or(|source| *source == snapshot.source)
            && form.get("DbiResourceId").is_none_or(|id| id == snapshot.source_id)
            && form.get("SnapshotType").is_none_or(|wanted| wanted == "manual")
            && filters.pass(|name| match name {
                "engine" => snapshot.engine.to_owned(),
                "snapshot-type" => "manual".to_owned(),
                "dbi-resource-id" => snapshot.source_id.clone(),
                "db-snapshot-id" | "db-cluster-snapshot-id" => snapshot.identifier.clone(),
                _ => snapshot.source.clone(),
            })
    });
    Ok(page.listed(words.list, wanted.map(|(name, snapshot)| (name.clone(), element(place, kind, snapshot)))))
}

/// `DBSnapshot`, `DBClusterSnapshot`. The one says `Encrypted`, the other `StorageEncrypted`. A copy in its source's region
/// doesn't say what it was copied from. [rds:DBSnapshot `SourceDBSnapshotIdentifier`]
fn element(place: &Place, kind: GroupKind, snapshot: &Snapshot) -> Element {
    let words = words(kind);
    let done = if snapshot.status == AVAILABLE { 100 } else { 0 };
    let settings = &snapshot.settings;
    let element = Element::new(words.element)
        .text(words.snapshot, &snapshot.identifier)
        .text(format!("{}Arn", words.element), place.arn(words.arn, &snapshot.identifier))
        .text(words.source, &snapshot.source)
        .text("Engine", snapshot.engine)
        .text("EngineVersion", &snapshot.version)
        .text("Status", snapshot.status)
        .text("SnapshotType", "manual")
        .text("SnapshotCreateTime", snapshot.created.iso8601())
        .text("PercentProgress", done)
        .text("AllocatedStorage", settings.get("AllocatedStorage").unwrap_or("20"))
        .text("Port", snapshot.port)
        .text("VpcId", storage::vpc_id(place))
        .maybe("MasterUsername", settings.get("MasterUsername"))
        .maybe("LicenseModel", settings.get("LicenseModel"))
        .text("IAMDatabaseAuthenticationEnabled", settings.is_on("IAMDatabaseAuthenticationEnabled"))
        .child(tags::element(&snapshot.tags));
    match kind {
        GroupKind::Instance => snapshot
            .storage
            .members(element, "Encrypted")
            .text("DbiResourceId", &snapshot.source_id)
            .text("InstanceCreateTime", snapshot.source_created.iso8601())
            .text("OriginalSnapshotCreateTime", snapshot.original.iso8601())
            .text("StorageType", settings.get("StorageType").unwrap_or("gp2"))
            .maybe("Iops", settings.get("Iops"))
            .maybe("StorageThroughput", settings.get("StorageThroughput"))
            .maybe("AvailabilityZone", settings.get("AvailabilityZone"))
            .text("OptionGroupName", &snapshot.option_group)
            .text("BackupRetentionPeriod", settings.get("BackupRetentionPeriod").unwrap_or("1")),
        GroupKind::Cluster => snapshot
            .storage
            .members(element, "StorageEncrypted")
            .text("DbClusterResourceId", &snapshot.source_id)
            .text("ClusterCreateTime", snapshot.source_created.iso8601())
            .text("EngineMode", settings.get("EngineMode").unwrap_or("provisioned")),
    }
}
