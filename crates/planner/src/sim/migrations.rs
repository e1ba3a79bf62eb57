//! Databases on their way to an encrypted copy.
//!
//! A database is found by its resource id wherever a change would hurt if it hit another one of the same name: renames and
//! deletions. What AWS does over time (creating, copying, renaming …) is shown as begun, never as done.

use std::collections::{BTreeMap, BTreeSet};

use super::Standing;
use crate::inventory::{DbCluster, DbInstance, Reading};
use crate::plan::change::ParameterGroupKind::{self, Cluster, Instance};
use crate::rds::migration::change::MigrationChange;
use crate::rds::migration::observed::{BlueGreenDeployment, ClusterSettings, DbSnapshot, InstanceSettings, SnapshotEncryption, TAG_OF};
use crate::rds::observed::{AttachedParameterGroup, StorageEncryption};
use crate::{Arn, Inventory, Service};

type Tags = BTreeMap<String, String>;

/// An instance or a cluster.
enum Found<'a> {
    Instance(&'a DbInstance),
    Cluster(&'a DbCluster),
}

impl Found<'_> {
    fn identifier(&self) -> &str {
        match self {
            Self::Instance(db) => &db.identifier,
            Self::Cluster(db) => &db.identifier,
        }
    }

    fn status(&self) -> &str {
        match self {
            Self::Instance(db) => &db.status,
            Self::Cluster(db) => &db.status,
        }
    }

    fn tags(&self) -> &Tags {
        match self {
            Self::Instance(db) => &db.tags,
            Self::Cluster(db) => &db.tags,
        }
    }

    /// Security groups and deletion protection; `None`: settings were not read.
    fn protection(&self) -> Option<(&BTreeSet<String>, bool)> {
        match self {
            Self::Instance(db) => db.settings.as_ref().map(|settings| (&settings.vpc_security_groups, settings.deletion_protection)),
            Self::Cluster(db) => db.settings.as_ref().map(|settings| (&settings.vpc_security_groups, settings.deletion_protection)),
        }
    }

    fn roles(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Instance(db) => db.settings.as_ref().map(|settings| &settings.associated_roles),
            Self::Cluster(db) => db.settings.as_ref().map(|settings| &settings.associated_roles),
        }
    }
}

fn named<'a>(inventory: &'a Inventory, kind: ParameterGroupKind, identifier: &str) -> Option<Found<'a>> {
    match kind {
        Instance => inventory.db_instances.values().find(|db| db.identifier == identifier).map(Found::Instance),
        Cluster => inventory.db_clusters.values().find(|db| db.identifier == identifier).map(Found::Cluster),
    }
}

fn with_id<'a>(inventory: &'a Inventory, kind: ParameterGroupKind, id: &str) -> Option<Found<'a>> {
    match kind {
        Instance => inventory.db_instances.values().find(|db| db.resource_id.as_deref() == Some(id)).map(Found::Instance),
        Cluster => inventory.db_clusters.values().find(|db| db.resource_id.as_deref() == Some(id)).map(Found::Cluster),
    }
}

/// Not seen is not gone where databases could not be listed.
fn absent(inventory: &Inventory, gone: Standing) -> Standing {
    match inventory.unlisted.get(&Service::Rds) {
        Some(why) => Standing::CannotTell(format!("{}: {}", why.operation, why.message)),
        None => gone,
    }
}

fn stands(done: bool) -> Standing {
    if done { Standing::After } else { Standing::Before }
}

fn unread_settings() -> Standing {
    Standing::CannotTell("its settings were not read".to_owned())
}

pub(super) fn standing(inventory: &Inventory, _resource: &Arn, change: &MigrationChange) -> Standing {
    match change {
        MigrationChange::Tags { arn, set, remove } => tags_standing(inventory, arn, set, remove),
        MigrationChange::SecurityGroups { kind, database, before, after } => groups_standing(inventory, *kind, database, before, after),
        MigrationChange::CreateSnapshot { kind, database, snapshot, tags } => match snapshots(inventory) {
            Err(standing) => standing,
            Ok(all) => match all.values().find(|found| found.identifier == *snapshot) {
                Some(found) => ours(&found.tags, tags, snapshot),
                None if named(inventory, *kind, database).is_some() => Standing::Before,
                None => absent(inventory, Standing::Gone),
            },
        },
        MigrationChange::CopySnapshot { source, target, key: _, tags } => match snapshots(inventory) {
            Err(standing) => standing,
            Ok(all) => match all.values().find(|found| found.identifier == *target) {
                Some(found) => ours(&found.tags, tags, target),
                None => source_standing(all, source),
            },
        },
        MigrationChange::RestoreInstance { snapshot, instance, settings: _, tags } => {
            restored(inventory, Instance, instance, snapshot, tags)
        }
        MigrationChange::RestoreCluster { snapshot, cluster, engine: _, engine_version: _, key: _, settings: _, tags } => {
            restored(inventory, Cluster, cluster, snapshot, tags)
        }
        MigrationChange::CreateClusterMember { cluster, instance, engine: _, settings: _, tags } => {
            match named(inventory, Instance, instance) {
                Some(found) => ours(found.tags(), tags, instance),
                None if named(inventory, Cluster, cluster).is_some() => Standing::Before,
                None => absent(inventory, Standing::Gone),
            }
        }
        MigrationChange::ConfigureInstance { instance, before, after } => match named(inventory, Instance, instance) {
            Some(Found::Instance(db)) => db.settings.as_ref().map_or_else(unread_settings, |now| of_settings(now, before, after)),
            Some(Found::Cluster(_)) | None => absent(inventory, Standing::Gone),
        },
        MigrationChange::ConfigureCluster { cluster, before, after } => match named(inventory, Cluster, cluster) {
            Some(Found::Cluster(db)) => db.settings.as_ref().map_or_else(unread_settings, |now| of_settings(now, before, after)),
            Some(Found::Instance(_)) | None => absent(inventory, Standing::Gone),
        },
        MigrationChange::AddRole { kind, database, feature, role } => match named(inventory, *kind, database) {
            None => absent(inventory, Standing::Gone),
            Some(found) => found.roles().map_or_else(unread_settings, |roles| stands(roles.get(feature) == Some(role))),
        },
        MigrationChange::Rename { kind, resource_id, from, to } => rename_standing(inventory, *kind, resource_id, from, to),
        MigrationChange::DeletionProtection { kind, database, on } => match named(inventory, *kind, database) {
            None => absent(inventory, Standing::Gone),
            Some(found) => found.protection().map_or_else(unread_settings, |(_, now)| stands(now == *on)),
        },
        MigrationChange::RetargetProxy { proxy, target_group, from, to, kind } => {
            let leads = |identifier: &str| {
                let proxies = surroundings(inventory, *kind, identifier).map(|found| &found.proxies);
                proxies.and_then(Reading::known).map(|all| all.iter().any(|one| one.proxy == *proxy && one.target_group == *target_group))
            };
            match (leads(from), leads(to)) {
                (Some(false), Some(true)) => Standing::After,
                (Some(_), Some(_) | None) => Standing::Before,
                (None, _) => Standing::CannotTell("the proxies of the databases were not read".to_owned()),
            }
        }
        MigrationChange::SubscribeEvents { subscription, database } => {
            let kinds = [Instance, Cluster];
            let found = kinds.iter().find_map(|kind| surroundings(inventory, *kind, database)).map(|found| &found.event_subscriptions);
            match found.and_then(Reading::known) {
                Some(names) => stands(names.contains(subscription)),
                None => Standing::CannotTell("event subscriptions were not read".to_owned()),
            }
        }
        MigrationChange::CreateBlueGreen { name, tags, .. } => match deployments(inventory) {
            Err(standing) => standing,
            Ok(all) => all.values().find(|found| found.name == *name).map_or(Standing::Before, |found| ours(&found.tags, tags, name)),
        },
        MigrationChange::SwitchoverBlueGreen { identifier, timeout: _ } => match deployments(inventory) {
            Err(standing) => standing,
            Ok(all) => match all.get(identifier).map(|found| found.status.as_str()) {
                None => Standing::Gone,
                Some("SWITCHOVER_IN_PROGRESS" | "SWITCHOVER_COMPLETED") => Standing::After,
                Some("AVAILABLE") => Standing::Before,
                Some(other) => Standing::Changed(format!("the deployment is {other}")),
            },
        },
        MigrationChange::DeleteBlueGreen { identifier, delete_target } => match deployments(inventory) {
            Err(standing) => standing,
            Ok(all) => match all.get(identifier) {
                None => Standing::After,
                Some(found) if found.status == "DELETING" => Standing::After,
                Some(found) if *delete_target && (!found.tags.contains_key(TAG_OF) || found.status.starts_with("SWITCHOVER_C")) => {
                    Standing::Changed(format!("the deployment is {} and its green side may be in use", found.status))
                }
                Some(_) => Standing::Before,
            },
        },
        MigrationChange::DeleteSnapshot { kind: _, snapshot } => match snapshots(inventory) {
            Err(standing) => standing,
            Ok(all) => match all.values().find(|found| found.identifier == *snapshot) {
                None => Standing::After,
                Some(found) if found.status == "deleting" => Standing::After,
                Some(found) if !found.tags.contains_key(TAG_OF) => Standing::Changed(format!("{snapshot} is not of a migration")),
                Some(_) => Standing::Before,
            },
        },
        MigrationChange::DeleteDatabase { kind, resource_id, database, final_snapshot: _ } => {
            match with_id(inventory, *kind, resource_id) {
                None => absent(inventory, Standing::After),
                Some(found) if found.status() == "deleting" => Standing::After,
                Some(found) if found.identifier() != database => Standing::Changed(format!("it is called {} now", found.identifier())),
                Some(_) => Standing::Before,
            }
        }
    }
}

fn snapshots(inventory: &Inventory) -> Result<&BTreeMap<Arn, DbSnapshot>, Standing> {
    super::current(Some(&inventory.migrations.snapshots))
}

fn deployments(inventory: &Inventory) -> Result<&BTreeMap<String, BlueGreenDeployment>, Standing> {
    super::current(Some(&inventory.migrations.blue_green_deployments))
}

fn surroundings<'a>(
    inventory: &'a Inventory,
    kind: ParameterGroupKind,
    identifier: &str,
) -> Option<&'a crate::rds::migration::observed::DatabaseSurroundings> {
    let arn = arn_of(inventory, kind, identifier);
    inventory.migrations.databases.get(&arn)
}

/// What is there under the name that was to be made: ours, or somebody else's.
fn ours(found: &Tags, wanted: &Tags, name: &str) -> Standing {
    if found.get(TAG_OF) == wanted.get(TAG_OF) {
        Standing::After
    } else {
        Standing::Changed(format!("{name} exists and is not this migration's"))
    }
}

fn source_standing(all: &BTreeMap<Arn, DbSnapshot>, source: &str) -> Standing {
    match all.values().find(|found| found.identifier == source).map(|found| found.status.as_str()) {
        Some("available") => Standing::Before,
        Some(other) => Standing::Changed(format!("snapshot {source} is {other}")),
        None => Standing::Changed(format!("snapshot {source} is gone")),
    }
}

fn restored(inventory: &Inventory, kind: ParameterGroupKind, name: &str, snapshot: &str, tags: &Tags) -> Standing {
    match (named(inventory, kind, name), snapshots(inventory)) {
        (Some(found), _) => ours(found.tags(), tags, name),
        (None, Err(standing)) => standing,
        (None, Ok(all)) => source_standing(all, snapshot),
    }
}

/// What differs between `before` and `after` decides; whatever else changed meanwhile is nothing to this call.
fn of_settings<S: serde::Serialize>(now: &S, before: &S, after: &S) -> Standing {
    let values = [now, before, after].map(|settings| serde_json::to_value(settings).unwrap_or_default());
    let [now, before, after] = &values;
    let fields = after.as_object().into_iter().flatten().map(|(field, _)| field).filter(|field| before[*field] != after[*field]);
    let fields: Vec<&String> = fields.collect();
    if fields.iter().all(|field| now[*field] == after[*field]) {
        return Standing::After;
    }
    match fields.iter().find(|field| now[**field] != before[**field] && now[**field] != after[**field]) {
        Some(field) => Standing::Changed(format!("{field} is now {}", now[*field])),
        None => Standing::Before,
    }
}

/// Sets what differs between `before` and `after`, and nothing else.
fn configure<S: serde::Serialize + serde::de::DeserializeOwned>(now: &mut S, before: &S, after: &S) {
    let values = [&*now, before, after].map(|settings| serde_json::to_value(settings).unwrap_or_default());
    let [mut configured, before, after] = values;
    for (field, value) in after.as_object().into_iter().flatten().filter(|(field, value)| before[*field] != **value) {
        configured[field] = value.clone();
    }
    if let Ok(configured) = serde_json::from_value(configured) {
        *now = configured;
    }
}

fn tags_of<'a>(inventory: &'a Inventory, arn: &str) -> Option<&'a Tags> {
    let arn = Arn::parse(arn).ok()?;
    let instance = inventory.db_instances.get(&arn).map(|db| &db.tags);
    let cluster = || inventory.db_clusters.get(&arn).map(|db| &db.tags);
    let snapshot = || inventory.migrations.snapshots.known().and_then(|all| all.get(&arn)).map(|snapshot| &snapshot.tags);
    instance.or_else(cluster).or_else(snapshot)
}

/// A note that somebody else wrote meanwhile (a second daemon) is not written over.
fn tags_standing(inventory: &Inventory, arn: &str, set: &Tags, remove: &BTreeSet<String>) -> Standing {
    let Some(now) = tags_of(inventory, arn) else { return absent(inventory, Standing::Gone) };
    let is_set = |(key, value): (&String, &String)| now.get(key) == Some(value);
    if set.iter().all(is_set) && remove.iter().all(|key| !now.contains_key(key)) {
        return Standing::After;
    }
    match set.iter().find(|(key, value)| now.get(*key).is_some_and(|found| found != *value)) {
        Some((key, _)) => Standing::Changed(format!("{key} is {} already", now[key])),
        None => Standing::Before,
    }
}

fn groups_standing(
    inventory: &Inventory,
    kind: ParameterGroupKind,
    database: &str,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Standing {
    let Some(found) = named(inventory, kind, database) else { return absent(inventory, Standing::Gone) };
    match found.protection() {
        None => unread_settings(),
        Some((now, _)) if now == after => Standing::After,
        Some((now, _)) if now == before => Standing::Before,
        Some((now, _)) => Standing::Changed(format!("its security groups are now {}", now.iter().cloned().collect::<Vec<_>>().join(" "))),
    }
}

fn rename_standing(inventory: &Inventory, kind: ParameterGroupKind, id: &str, from: &str, to: &str) -> Standing {
    match with_id(inventory, kind, id) {
        None => absent(inventory, Standing::Gone),
        Some(found) if found.identifier() == to => Standing::After,
        Some(found) if found.identifier() != from => Standing::Changed(format!("it is called {} now", found.identifier())),
        Some(_) if named(inventory, kind, to).is_some() => Standing::Changed(format!("{to} is somebody else's name")),
        Some(_) => Standing::Before,
    }
}

fn arn_of(inventory: &Inventory, kind: ParameterGroupKind, identifier: &str) -> Arn {
    let prefix = match kind {
        Instance => "db",
        Cluster => "cluster",
    };
    inventory.scope.arn("rds", &format!("{prefix}:{identifier}"))
}

/// What AWS shows right after the call.
pub(super) fn make(inventory: &mut Inventory, resource: &Arn, change: &MigrationChange) {
    match change {
        MigrationChange::Tags { arn, set, remove } => tag(inventory, arn, set, remove),
        MigrationChange::SecurityGroups { kind, database, before: _, after } => {
            set(inventory, *kind, database, |db| db.vpc_security_groups.clone_from(after), |db| db.vpc_security_groups.clone_from(after));
        }
        MigrationChange::CreateSnapshot { kind, database, snapshot, tags } => begin_snapshot(inventory, *kind, (database, snapshot), tags),
        MigrationChange::CopySnapshot { source, target, key, tags } => begin_copy(inventory, source, target, key, tags),
        MigrationChange::RestoreInstance { snapshot, instance, settings, tags } => {
            restore_instance(inventory, resource, snapshot, (instance, settings), tags);
        }
        MigrationChange::RestoreCluster { snapshot: _, cluster, engine, engine_version, key, settings, tags } => {
            restore_cluster(inventory, (cluster, engine, engine_version), key, settings, tags);
        }
        MigrationChange::CreateClusterMember { cluster, instance, engine, settings, tags } => {
            create_member(inventory, cluster, (instance, engine), settings, tags);
        }
        MigrationChange::ConfigureInstance { instance, before, after } => {
            set(inventory, Instance, instance, |db| configure(db, before, after), |_| {});
        }
        MigrationChange::ConfigureCluster { cluster, before, after } => {
            set(inventory, Cluster, cluster, |_| {}, |db| configure(db, before, after));
        }
        MigrationChange::AddRole { kind, database, feature, role } => {
            let (feature, role) = (feature.clone(), role.clone());
            let pair = (feature.clone(), role.clone());
            set(
                inventory,
                *kind,
                database,
                |db| drop(db.associated_roles.insert(feature, role)),
                |db| drop(db.associated_roles.insert(pair.0, pair.1)),
            );
        }
        MigrationChange::Rename { kind, resource_id, from: _, to } => rename(inventory, *kind, resource_id, to),
        MigrationChange::DeletionProtection { kind, database, on } => {
            set(inventory, *kind, database, |db| db.deletion_protection = *on, |db| db.deletion_protection = *on);
        }
        MigrationChange::RetargetProxy { proxy, target_group, from, to, kind } => {
            retarget(inventory, *kind, (proxy, target_group), from, to)
        }
        MigrationChange::SubscribeEvents { subscription, database } => {
            for kind in [Instance, Cluster] {
                let arn = arn_of(inventory, kind, database);
                if let Some(Reading::Known(names)) =
                    inventory.migrations.databases.get_mut(&arn).map(|found| &mut found.event_subscriptions)
                {
                    names.insert(subscription.clone());
                }
            }
        }
        MigrationChange::CreateBlueGreen { name, source, encrypt: _, key: _, tags } => begin_deployment(inventory, name, source, tags),
        MigrationChange::SwitchoverBlueGreen { identifier, timeout: _ } => set_deployment(inventory, identifier, "SWITCHOVER_IN_PROGRESS"),
        MigrationChange::DeleteBlueGreen { identifier, delete_target: _ } => set_deployment(inventory, identifier, "DELETING"),
        MigrationChange::DeleteSnapshot { kind: _, snapshot } => {
            if let Reading::Known(all) = &mut inventory.migrations.snapshots {
                all.retain(|_, found| found.identifier != *snapshot);
            }
        }
        MigrationChange::DeleteDatabase { kind, resource_id, database: _, final_snapshot: _ } => {
            set_status(inventory, *kind, resource_id, "deleting");
        }
    }
}

fn tag(inventory: &mut Inventory, arn: &str, set: &Tags, remove: &BTreeSet<String>) {
    let Ok(arn) = Arn::parse(arn) else { return };
    let instance = inventory.db_instances.get_mut(&arn).map(|db| &mut db.tags);
    let cluster = inventory.db_clusters.get_mut(&arn).map(|db| &mut db.tags);
    let snapshot = match &mut inventory.migrations.snapshots {
        Reading::Known(all) => all.get_mut(&arn).map(|snapshot| &mut snapshot.tags),
        Reading::Unreadable { .. } | Reading::NotRead => None,
    };
    if let Some(tags) = instance.or(cluster).or(snapshot) {
        tags.retain(|key, _| !remove.contains(key));
        tags.extend(set.clone());
    }
}

fn set(
    inventory: &mut Inventory,
    kind: ParameterGroupKind,
    database: &str,
    of_instance: impl FnOnce(&mut InstanceSettings),
    of_cluster: impl FnOnce(&mut ClusterSettings),
) {
    match kind {
        Instance => {
            let found = inventory.db_instances.values_mut().find(|db| db.identifier == database);
            if let Some(settings) = found.and_then(|db| db.settings.as_deref_mut()) {
                of_instance(settings);
            }
        }
        Cluster => {
            let found = inventory.db_clusters.values_mut().find(|db| db.identifier == database);
            if let Some(settings) = found.and_then(|db| db.settings.as_deref_mut()) {
                of_cluster(settings);
            }
        }
    }
}

fn set_status(inventory: &mut Inventory, kind: ParameterGroupKind, id: &str, status: &str) {
    match kind {
        Instance => {
            for db in inventory.db_instances.values_mut().filter(|db| db.resource_id.as_deref() == Some(id)) {
                status.clone_into(&mut db.status);
            }
        }
        Cluster => {
            for db in inventory.db_clusters.values_mut().filter(|db| db.resource_id.as_deref() == Some(id)) {
                status.clone_into(&mut db.status);
            }
        }
    }
}

fn begin_snapshot(inventory: &mut Inventory, kind: ParameterGroupKind, (database, identifier): (&str, &str), tags: &Tags) {
    let prefix = match kind {
        Instance => "snapshot",
        Cluster => "cluster-snapshot",
    };
    let arn = inventory.scope.arn("rds", &format!("{prefix}:{identifier}"));
    let snapshot = DbSnapshot {
        arn: arn.clone(),
        identifier: identifier.to_owned(),
        database: database.to_owned(),
        status: "creating".to_owned(),
        percent_progress: 0,
        created_at: None,
        data_of: None,
        copied_from: None,
        storage: SnapshotEncryption::default(),
        tags: tags.clone(),
    };
    if let Reading::Known(all) = &mut inventory.migrations.snapshots {
        all.insert(arn, snapshot);
    }
    // Only instances say so; a cluster stays available. [RDS: DB instance status]
    if kind == Instance
        && let Some(db) = inventory.db_instances.values_mut().find(|db| db.identifier == database)
    {
        "backing-up".clone_into(&mut db.status);
    }
}

fn begin_copy(inventory: &mut Inventory, source: &str, target: &str, key: &str, tags: &Tags) {
    let arn = inventory.scope.arn("rds", &format!("snapshot:{target}"));
    let Reading::Known(all) = &mut inventory.migrations.snapshots else { return };
    let Some(from) = all.values().find(|found| found.identifier == source).cloned() else { return };
    let storage =
        SnapshotEncryption { encrypted: true, storage_encryption_type: Some("sse-kms".to_owned()), kms_key: Some(key.to_owned()) };
    let copied = DbSnapshot {
        arn: arn.clone(),
        identifier: target.to_owned(),
        status: "copying".to_owned(),
        percent_progress: 0,
        created_at: None,
        data_of: from.data_of.or(from.created_at),
        copied_from: Some(from.arn.to_string()),
        storage,
        tags: tags.clone(),
        database: from.database,
    };
    all.insert(arn, copied);
}

/// A new database: AWS shows no resource id's like of an old one, and no endpoint yet.
fn restore_instance(
    inventory: &mut Inventory,
    resource: &Arn,
    snapshot: &str,
    (instance, settings): (&str, &InstanceSettings),
    tags: &Tags,
) {
    let Some(old) = inventory.db_instances.get(resource).cloned() else { return };
    let encryption = inventory.migrations.snapshots.known().and_then(|all| all.values().find(|found| found.identifier == snapshot));
    let Some(encryption) = encryption.map(|found| StorageEncryption::from(&found.storage)) else { return };
    let arn = arn_of(inventory, Instance, instance);
    let new = DbInstance {
        arn: arn.clone(),
        identifier: instance.to_owned(),
        status: "creating".to_owned(),
        endpoint: None,
        cluster: None,
        storage: encryption,
        tags: tags.clone(),
        resource_id: Some(format!("db-of-{instance}")),
        created_at: None,
        settings: Some(Box::new(settings.clone())),
        ..old
    };
    inventory.db_instances.insert(arn, new);
}

fn restore_cluster(
    inventory: &mut Inventory,
    (cluster, engine, engine_version): (&str, &str, &str),
    key: &str,
    settings: &ClusterSettings,
    tags: &Tags,
) {
    let arn = arn_of(inventory, Cluster, cluster);
    let new = DbCluster {
        arn: arn.clone(),
        identifier: cluster.to_owned(),
        engine: engine.to_owned(),
        engine_version: engine_version.to_owned(),
        status: "creating".to_owned(),
        endpoint: None,
        storage: StorageEncryption {
            storage_encrypted: true,
            storage_encryption_type: Some("sse-kms".to_owned()),
            kms_key: Some(key.to_owned()),
        },
        parameter_group: settings.db_cluster_parameter_group.clone().unwrap_or_default(),
        members: Vec::new(),
        tags: tags.clone(),
        resource_id: Some(format!("cluster-of-{cluster}")),
        created_at: None,
        settings: Some(Box::new(settings.clone())),
    };
    inventory.db_clusters.insert(arn, new);
}

fn create_member(inventory: &mut Inventory, cluster: &str, (instance, engine): (&str, &str), settings: &InstanceSettings, tags: &Tags) {
    let Some(of) = inventory.db_clusters.values_mut().find(|db| db.identifier == cluster) else { return };
    let writer = of.members.is_empty();
    let member =
        crate::rds::observed::ClusterMember { instance: instance.to_owned(), writer, parameter_group_status: "in-sync".to_owned() };
    of.members.push(member);
    let (engine_version, storage) = (of.engine_version.clone(), of.storage.clone());
    let arn = arn_of(inventory, Instance, instance);
    let groups = settings.db_parameter_group.iter();
    let new = DbInstance {
        arn: arn.clone(),
        identifier: instance.to_owned(),
        engine: engine.to_owned(),
        engine_version,
        status: "creating".to_owned(),
        class: settings.db_instance_class.clone().unwrap_or_default(),
        endpoint: None,
        cluster: Some(cluster.to_owned()),
        storage,
        parameter_groups: groups.map(|name| AttachedParameterGroup { name: name.clone(), apply_status: "in-sync".to_owned() }).collect(),
        ca_certificate: settings.ca_certificate.clone(),
        ca_valid_till: None,
        pending_ca_certificate: None,
        tags: tags.clone(),
        resource_id: Some(format!("db-of-{instance}")),
        created_at: None,
        settings: Some(Box::new(settings.clone())),
    };
    inventory.db_instances.insert(arn, new);
}

/// The name changes, and with it ARN and endpoint; the members of a cluster follow. [RDS: Renaming a DB instance]
fn rename(inventory: &mut Inventory, kind: ParameterGroupKind, id: &str, to: &str) {
    let arn = arn_of(inventory, kind, to);
    match kind {
        Instance => {
            let Some(old) = inventory.db_instances.iter().find(|(_, db)| db.resource_id.as_deref() == Some(id)).map(|(arn, _)| arn.clone())
            else {
                return;
            };
            let Some(db) = inventory.db_instances.remove(&old) else { return };
            for member in
                inventory.db_clusters.values_mut().flat_map(|cluster| &mut cluster.members).filter(|m| m.instance == db.identifier)
            {
                to.clone_into(&mut member.instance);
            }
            let renamed = DbInstance { arn: arn.clone(), identifier: to.to_owned(), status: "renaming".to_owned(), endpoint: None, ..db };
            inventory.db_instances.insert(arn, renamed);
        }
        Cluster => {
            let Some(old) = inventory.db_clusters.iter().find(|(_, db)| db.resource_id.as_deref() == Some(id)).map(|(arn, _)| arn.clone())
            else {
                return;
            };
            let Some(db) = inventory.db_clusters.remove(&old) else { return };
            for member in inventory.db_instances.values_mut().filter(|member| member.cluster.as_deref() == Some(&db.identifier)) {
                member.cluster = Some(to.to_owned());
            }
            let renamed = DbCluster { arn: arn.clone(), identifier: to.to_owned(), status: "renaming".to_owned(), endpoint: None, ..db };
            inventory.db_clusters.insert(arn, renamed);
        }
    }
}

fn retarget(inventory: &mut Inventory, kind: ParameterGroupKind, (proxy, group): (&str, &str), from: &str, to: &str) {
    let (from, to) = (arn_of(inventory, kind, from), arn_of(inventory, kind, to));
    let all = &mut inventory.migrations.databases;
    if let Some(Reading::Known(proxies)) = all.get_mut(&from).map(|found| &mut found.proxies) {
        proxies.retain(|target| target.proxy != proxy || target.target_group != group);
    }
    if let Some(Reading::Known(proxies)) = all.get_mut(&to).map(|found| &mut found.proxies) {
        proxies.push(crate::rds::migration::observed::ProxyTarget { proxy: proxy.to_owned(), target_group: group.to_owned() });
    }
}

fn begin_deployment(inventory: &mut Inventory, name: &str, source: &str, tags: &Tags) {
    let deployment = BlueGreenDeployment {
        identifier: format!("bgd-of-{name}"),
        name: name.to_owned(),
        source: source.to_owned(),
        target: None,
        status: "PROVISIONING".to_owned(),
        status_details: None,
        tasks: BTreeMap::new(),
        created_at: None,
        tags: tags.clone(),
    };
    if let Reading::Known(all) = &mut inventory.migrations.blue_green_deployments {
        all.insert(deployment.identifier.clone(), deployment);
    }
}

fn set_deployment(inventory: &mut Inventory, identifier: &str, status: &str) {
    if let Reading::Known(all) = &mut inventory.migrations.blue_green_deployments
        && let Some(deployment) = all.get_mut(identifier)
    {
        status.clone_into(&mut deployment.status);
    }
}
