//! Databases on their way to an encrypted copy.
//!
//! A database is found by its resource id wherever a change would hurt if it hit another one of the same name: renames and
//! deletions.

use std::collections::{BTreeMap, BTreeSet};

use super::Standing;
use crate::inventory::{DbCluster, DbInstance, Reading};
use crate::plan::change::ParameterGroupKind::{self, Cluster, Instance};
use crate::rds::migration::OLD;
use crate::rds::migration::change::MigrationChange;
use crate::rds::migration::observed::{BlueGreenDeployment, DbSnapshot, TAG_OF};
use crate::{Arn, Inventory, Service};

pub(super) type Tags = BTreeMap<String, String>;

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
            proxy_standing(inventory, *kind, (proxy, target_group), (from, to))
        }
        MigrationChange::SubscribeEvents { subscription, database } => subscription_standing(inventory, subscription, database),
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
    let arn = kind.database(&inventory.scope, identifier);
    inventory.migrations.databases.get(&arn)
}

fn proxy_standing(inventory: &Inventory, kind: ParameterGroupKind, (proxy, group): (&str, &str), (from, to): (&str, &str)) -> Standing {
    let leads = |identifier: &str| {
        let proxies = surroundings(inventory, kind, identifier).map(|found| &found.proxies);
        proxies.and_then(Reading::known).map(|all| all.iter().any(|one| one.proxy == proxy && one.target_group == group))
    };
    match (leads(from), leads(to)) {
        (Some(false), Some(true)) => Standing::After,
        (Some(_), Some(_) | None) => Standing::Before,
        (None, _) => Standing::CannotTell("the proxies of the databases were not read".to_owned()),
    }
}

fn subscription_standing(inventory: &Inventory, subscription: &str, database: &str) -> Standing {
    let found =
        [Instance, Cluster].iter().find_map(|kind| surroundings(inventory, *kind, database)).map(|found| &found.event_subscriptions);
    match found.and_then(Reading::known) {
        Some(names) => stands(names.contains(subscription)),
        None => Standing::CannotTell("event subscriptions were not read".to_owned()),
    }
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
        Some(found) => match connections(inventory, kind, from) {
            // The old database gives its name away: a client that came back since the plan stops that.
            Some(open) if open > 0 && !found.tags().contains_key(TAG_OF) && to.ends_with(OLD) => {
                Standing::Changed(format!("{open} connections to {from} are open"))
            }
            Some(_) | None => Standing::Before,
        },
    }
}

fn connections(inventory: &Inventory, kind: ParameterGroupKind, identifier: &str) -> Option<u32> {
    Some(surroundings(inventory, kind, identifier)?.activity.known()?.connections_now)
}
