//! Databases on their way to an encrypted copy: what AWS shows right after a call.
//!
//! What AWS does over time (creating, copying, renaming …) is shown as begun, never as done.

use std::collections::{BTreeMap, BTreeSet};

use super::migrations::Tags;
use crate::inventory::{DbCluster, DbInstance, Reading};
use crate::plan::change::ParameterGroupKind::{self, Cluster, Instance};
use crate::rds::migration::change::MigrationChange;
use crate::rds::migration::observed::{BlueGreenDeployment, ClusterSettings, DbSnapshot, InstanceSettings, ProxyTarget};
use crate::rds::observed::{AttachedParameterGroup, ClusterMember, StorageEncryption};
use crate::{Arn, Inventory};

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
            retarget(inventory, *kind, (proxy, target_group), from, to);
        }
        MigrationChange::SubscribeEvents { subscription, database } => {
            for kind in [Instance, Cluster] {
                let arn = kind.database(&inventory.scope, database);
                if let Some(Reading::Known(names)) =
                    inventory.migrations.databases.get_mut(&arn).map(|found| &mut found.event_subscriptions)
                {
                    names.insert(subscription.clone());
                }
            }
        }
        MigrationChange::CreateBlueGreen { name, source, encrypt: _, key: _, tags, note_refusal: _ } => {
            begin_deployment(inventory, name, source, tags);
        }
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
        storage: StorageEncryption::default(),
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
        StorageEncryption { storage_encrypted: true, storage_encryption_type: Some("sse-kms".to_owned()), kms_key: Some(key.to_owned()) };
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
    let Some(encryption) = encryption.map(|found| found.storage.clone()) else { return };
    let arn = Instance.database(&inventory.scope, instance);
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
    let arn = Cluster.database(&inventory.scope, cluster);
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
    let member = ClusterMember { instance: instance.to_owned(), writer, parameter_group_status: "in-sync".to_owned() };
    of.members.push(member);
    let (engine_version, storage) = (of.engine_version.clone(), of.storage.clone());
    let arn = Instance.database(&inventory.scope, instance);
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
    let arn = kind.database(&inventory.scope, to);
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
    let (from, to) = (kind.database(&inventory.scope, from), kind.database(&inventory.scope, to));
    let all = &mut inventory.migrations.databases;
    if let Some(Reading::Known(proxies)) = all.get_mut(&from).map(|found| &mut found.proxies) {
        proxies.retain(|target| target.proxy != proxy || target.target_group != group);
    }
    if let Some(Reading::Known(proxies)) = all.get_mut(&to).map(|found| &mut found.proxies) {
        proxies.push(ProxyTarget { proxy: proxy.to_owned(), target_group: group.to_owned() });
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
