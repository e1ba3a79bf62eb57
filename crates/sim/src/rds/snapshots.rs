//! Manual snapshots of instances and clusters: taken, copied (this is where encryption can be added), restored elsewhere.
//! [rds:CreateDBSnapshot, rds:CopyDBSnapshot and their cluster siblings]

use std::collections::BTreeMap;
use std::time::Duration;

use super::filters::{Filters, Page, identifier};
use super::groups::GroupKind;
use super::instances::AVAILABLE;
use super::members::Settings;
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
    /// The instance's or cluster's.
    source: String,
    pub(super) engine: &'static str,
    pub(super) version: String,
    pub(super) class: String,
    pub(super) status: &'static str,
    created: Moment,
    pub(super) storage: Storage,
    pub(super) settings: Settings,
    pub(super) tags: Vec<(String, String)>,
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

pub(super) fn create(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let words = words(kind);
    let (name, source) = (request.form.need(words.snapshot)?.to_owned(), identifier(request.form.need(words.source)?));
    let snapshot = take(world, request, kind, &source, &name)?;
    Ok(Element::default().child(element(&request.place, kind, &snapshot)))
}

/// Takes a snapshot; the source must be `available` (a stopped instance is not accepted). [rds:CreateDBSnapshot]
pub(super) fn take(world: &mut World, request: &Request<'_>, kind: GroupKind, source: &str, name: &str) -> Result<Snapshot, ApiError> {
    let name = name.to_ascii_lowercase();
    super::instances::check_identifier(words(kind).snapshot, &name)?;
    let (created, tags) = (world.now(), tags::of(&request.form)?);
    let databases = world.rds.at(&request.place);
    if all(databases, kind).contains_key(&name) {
        let words = words(kind);
        return Err(ApiError::bad_request(
            words.codes[1],
            format!("Cannot create the snapshot because a snapshot with the identifier {name} already exists."),
        ));
    }
    let new = |engine, version: &str, class: &str, storage: &Storage, settings: &Settings| Snapshot {
        identifier: name.clone(),
        source: source.to_owned(),
        engine,
        version: version.to_owned(),
        class: class.to_owned(),
        status: "creating",
        created,
        storage: storage.clone(),
        settings: settings.clone(),
        tags,
    };
    let snapshot = match kind {
        GroupKind::Instance => {
            let of = databases.instances.get(source).ok_or_else(|| errors::instance_not_found(source))?;
            if of.status != AVAILABLE && of.status != "storage-optimization" {
                return Err(errors::instance_state(format!(
                    "Cannot create a snapshot because the database instance {source} is not currently in the available state."
                )));
            }
            new(of.engine, &of.version, &of.class, &of.storage, &of.settings)
        }
        GroupKind::Cluster => {
            let of = databases.clusters.get(source).ok_or_else(|| errors::cluster_not_found(source))?;
            if of.status != AVAILABLE {
                return Err(errors::cluster_state(format!(
                    "Cannot create a snapshot because the cluster {source} is not currently in the available state."
                )));
            }
            new(of.engine, &of.version, "", &of.storage, &of.settings)
        }
    };
    keep(world, &request.place, kind, snapshot.clone(), Duration::from_mins(2));
    Ok(snapshot)
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

/// A copy with a key is encrypted under it, also where the source is not; without one it is as its source.
/// An unencrypted *cluster* snapshot can't be encrypted by copying. [rds:CopyDBSnapshot, rds:CopyDBClusterSnapshot `KmsKeyId`]
pub(super) fn copy(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let Request { origin: _, place, form } = request;
    let words = words(kind);
    let source = identifier(form.need(&format!("Source{}", words.snapshot))?);
    let target = form.need(&format!("Target{}", words.snapshot))?.to_ascii_lowercase();
    super::instances::check_identifier(words.snapshot, &target)?;
    let databases = world.rds.at(place);
    let original = all(databases, kind).get(&source).cloned().ok_or_else(|| not_found(kind, &source))?;
    if original.status != AVAILABLE {
        return Err(ApiError::bad_request(words.codes[2], format!("{} {source} is not available.", words.element)));
    }
    if all(databases, kind).contains_key(&target) {
        return Err(ApiError::bad_request(
            words.codes[1],
            format!("Cannot create the snapshot because a snapshot with the identifier {target} already exists."),
        ));
    }
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
        tags.extend(original.tags.iter().cloned());
    }
    let copy = Snapshot { identifier: target, status: "copying", created: world.now(), storage, tags, ..original };
    let element = element(place, kind, &copy);
    keep(world, place, kind, copy, Duration::from_mins(3));
    Ok(Element::default().child(element))
}

pub(super) fn delete(world: &mut World, request: &Request<'_>, kind: GroupKind) -> Answer {
    let name = identifier(request.form.need(words(kind).snapshot)?);
    let found = all(world.rds.at(&request.place), kind);
    let mut snapshot = found.remove(&name).ok_or_else(|| not_found(kind, &name))?;
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
            && form.get("SnapshotType").is_none_or(|wanted| wanted == "manual")
            && filters.pass(|name| match name {
                "engine" => snapshot.engine.to_owned(),
                "snapshot-type" => "manual".to_owned(),
                "db-snapshot-id" | "db-cluster-snapshot-id" => snapshot.identifier.clone(),
                _ => snapshot.source.clone(),
            })
    });
    Ok(page.listed(words.list, wanted.map(|(name, snapshot)| (name.clone(), element(place, kind, snapshot)))))
}

/// `DBSnapshot`, `DBClusterSnapshot`. The one says `Encrypted`, the other `StorageEncrypted`.
fn element(place: &Place, kind: GroupKind, snapshot: &Snapshot) -> Element {
    let words = words(kind);
    let done = if snapshot.status == AVAILABLE { 100 } else { 0 };
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
        .text("AllocatedStorage", snapshot.settings.get("AllocatedStorage").unwrap_or("20"))
        .maybe("MasterUsername", snapshot.settings.get("MasterUsername"))
        .child(tags::element(&snapshot.tags));
    match kind {
        GroupKind::Instance => {
            let element = element.text("Encrypted", snapshot.storage.key().is_some()).maybe("KmsKeyId", snapshot.storage.key());
            element.text("StorageEncryptionType", if snapshot.storage.key().is_some() { "sse-kms" } else { "none" })
        }
        GroupKind::Cluster => snapshot.storage.members(element, "StorageEncrypted"),
    }
}
