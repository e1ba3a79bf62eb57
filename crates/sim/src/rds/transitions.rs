//! What happens to databases by themselves: transitions end, maintenance windows come, keys are missed.

use std::collections::BTreeSet;
use std::time::Duration;

use super::attachment::ApplyStatus;
use super::instances::{AVAILABLE, INACCESSIBLE, Instance, RECOVERABLE};
use super::{Databases, GroupKind, Place, engines, groups, keys};
use crate::world::{self, World};

/// From a lost key to the status that tells it, "about two hours". [RDS: Encrypting Amazon RDS resources]
const MISSED_AFTER: Duration = Duration::from_hours(2);
/// For so long the instance can be had back. [RDS: Encrypting Amazon RDS resources]
const RECOVERABLE_FOR: Duration = Duration::from_hours(7 * 24);

/// Something that comes to an end.
#[derive(Debug)]
pub(crate) enum Event {
    Instance {
        place: Place,
        identifier: String,
        resource_id: String,
        end: End,
    },
    Cluster {
        place: Place,
        identifier: String,
        resource_id: String,
        end: End,
    },
    Snapshot {
        place: Place,
        kind: SnapshotOf,
        identifier: String,
    },
    /// A key was lost two hours ago.
    Key {
        key: String,
    },
    /// Nobody gave an instance its key back.
    Given {
        place: Place,
        identifier: String,
        resource_id: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SnapshotOf {
    Instance,
    Cluster,
}

/// How a transition ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It is there.
    Available,
    /// What waited is done.
    Modified,
    /// A new group's name is taken.
    Settled,
    /// The database has restarted.
    Rebooted,
    Stopped,
    Deleted,
    /// The maintenance window has come.
    Window,
}

/// Schedules the end of an instance's transition. `of`: identifier and resource id.
pub(super) fn instance(world: &mut World, place: &Place, of: (&str, &str), takes: Duration, end: End) {
    let after = world.transition(takes);
    schedule_instance(world, place, of, after, end);
}

fn schedule_instance(world: &mut World, place: &Place, (identifier, resource_id): (&str, &str), after: Duration, end: End) {
    let event = Event::Instance { place: place.clone(), identifier: identifier.to_owned(), resource_id: resource_id.to_owned(), end };
    world.later(after, world::Event::Rds(event));
}

/// The same for a cluster.
pub(super) fn cluster(world: &mut World, place: &Place, of: (&str, &str), takes: Duration, end: End) {
    let after = world.transition(takes);
    schedule_cluster(world, place, of, after, end);
}

fn schedule_cluster(world: &mut World, place: &Place, (identifier, resource_id): (&str, &str), after: Duration, end: End) {
    let event = Event::Cluster { place: place.clone(), identifier: identifier.to_owned(), resource_id: resource_id.to_owned(), end };
    world.later(after, world::Event::Rds(event));
}

/// Schedules the next maintenance window for an instance.
pub(super) fn window(world: &mut World, place: &Place, of: (&str, &str)) {
    schedule_instance(world, place, of, until_sunday(world), End::Window);
}

/// The same for a cluster.
pub(super) fn cluster_window(world: &mut World, place: &Place, of: (&str, &str)) {
    schedule_cluster(world, place, of, until_sunday(world), End::Window);
}

/// Every window here is on Sunday at 05:00 UTC. 1 January 1970 was a Thursday.
fn until_sunday(world: &World) -> Duration {
    const WEEK: u64 = 7 * 86_400;
    const FIRST: u64 = 3 * 86_400 + 5 * 3600;
    let into = (world.now().seconds() + WEEK - FIRST) % WEEK;
    Duration::from_secs(WEEK - into)
}

/// KMS says that a key may have become unusable. What misses it shows so two hours later, if it is still missed then.
pub(crate) fn keys_changed(world: &mut World) {
    let databases = || world.rds.places.values();
    let of_instances = databases().flat_map(|all| all.instances.values()).filter_map(|one| one.storage.key());
    let of_clusters = databases().flat_map(|all| all.clusters.values()).filter_map(|one| one.storage.key());
    let in_use: BTreeSet<String> = of_instances.chain(of_clusters).map(str::to_owned).collect();
    for key in in_use {
        if !keys::is_usable(world, &key) {
            world.later(MISSED_AFTER, world::Event::Rds(Event::Key { key }));
        }
    }
}

pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Instance { place, identifier, resource_id, end } => end_of_instance(world, &place, (&identifier, &resource_id), end),
        Event::Cluster { place, identifier, resource_id, end } => end_of_cluster(world, &place, (&identifier, &resource_id), end),
        Event::Snapshot { place, kind, identifier } => {
            let databases = world.rds.at(&place);
            let all = match kind {
                SnapshotOf::Instance => &mut databases.snapshots,
                SnapshotOf::Cluster => &mut databases.cluster_snapshots,
            };
            if let Some(snapshot) = all.get_mut(&identifier) {
                snapshot.status = AVAILABLE;
            }
        }
        Event::Key { key } => miss(world, &key),
        Event::Given { place, identifier, resource_id } => {
            if let Some(instance) = found(world.rds.at(&place), (&identifier, &resource_id)).filter(|one| one.status == RECOVERABLE) {
                instance.status = INACCESSIBLE;
            }
        }
    }
}

/// The instance, also under another name, unless it is another one by now.
fn found<'d>(databases: &'d mut Databases, (identifier, resource_id): (&str, &str)) -> Option<&'d mut Instance> {
    let name = match databases.instances.get(identifier) {
        Some(instance) if instance.resource_id == resource_id => identifier.to_owned(),
        _ => databases.instances.iter().find(|(_, instance)| instance.resource_id == resource_id)?.0.clone(),
    };
    databases.instances.get_mut(&name)
}

fn end_of_instance(world: &mut World, place: &Place, of: (&str, &str), end: End) {
    let Some(instance) = found(world.rds.at(place), of) else { return };
    // A deletion that began meanwhile goes on, and what lost its key stays lost.
    let settled = ["deleting", RECOVERABLE, INACCESSIBLE].contains(&instance.status);
    match end {
        End::Deleted => remove(world, place, of),
        _ if settled => {}
        End::Available => instance.status = AVAILABLE,
        End::Stopped => instance.status = "stopped",
        End::Settled => {
            instance.status = AVAILABLE;
            instance.group.settle();
        }
        End::Modified | End::Window => {
            if end == End::Modified {
                instance.status = AVAILABLE;
            }
            let due = instance.pending.iter().any(|pending| !pending.restart && restarts(instance, pending));
            apply(world.rds.at(place), of, due);
        }
        End::Rebooted => {
            instance.status = AVAILABLE;
            apply(world.rds.at(place), of, true);
        }
    }
}

/// Changes that restart the database, and so bring what waits for a restart. [rds:ModifyDBInstance]
fn restarts(instance: &Instance, pending: &super::instances::Pending) -> bool {
    match pending.name {
        "DBInstanceClass" | "EngineVersion" | "Port" | "DBInstanceIdentifier" => true,
        "CACertificateIdentifier" => !engines::rotates_while_running(instance.engine),
        _ => false,
    }
}

/// Brings what waits, with a restart or without one.
fn apply(databases: &mut Databases, of: (&str, &str), restart: bool) {
    let Some(instance) = found(databases, of) else { return };
    let (name, mut rename) = (instance.identifier.clone(), None);
    let (due, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut instance.pending).into_iter().partition(|one| restart || !one.restart);
    instance.pending = kept;
    for pending in due {
        match pending.name {
            "DBInstanceClass" => instance.class = pending.value,
            "EngineVersion" => instance.version = pending.value,
            "CACertificateIdentifier" => instance.authority = pending.value,
            "Port" => instance.port = pending.value.parse().unwrap_or(instance.port),
            "DBInstanceIdentifier" => rename = Some(pending.value),
            "MasterUserPassword" => {}
            setting => instance.settings.set(setting, &pending.value),
        }
    }
    instance.group.settle();
    if restart {
        reload(databases, &name);
    }
    if let Some(new) = rename.filter(|new| !databases.instances.contains_key(new)) {
        let Some(mut instance) = databases.instances.remove(&name) else { return };
        if let Some(cluster) = instance.cluster.as_ref().and_then(|cluster| databases.clusters.get_mut(cluster)) {
            cluster.members.iter_mut().filter(|member| **member == name).for_each(|member| new.clone_into(member));
        }
        instance.identifier.clone_from(&new);
        databases.instances.insert(new, instance);
    }
}

/// The database reads its groups. After a major upgrade that is the new family's default, where it was the old one's.
fn reload(databases: &mut Databases, name: &str) {
    let Some(instance) = databases.instances.get(name) else { return };
    let family = engines::choose(instance.engine, Some(&instance.version)).map(|(_, major)| major.family).unwrap_or_default();
    let mut wanted = instance.group.name.clone();
    if wanted.starts_with("default.") {
        wanted = format!("default.{family}");
    }
    let of_cluster = instance.cluster_group.as_ref().map(|group| group.name.clone());
    let own = groups::find(databases, GroupKind::Instance, &wanted).ok().cloned();
    let of_cluster = of_cluster.and_then(|name| groups::find(databases, GroupKind::Cluster, &name).ok().cloned());
    let Some(instance) = databases.instances.get_mut(name) else { return };
    if let Some(group) = own {
        instance.group.name(&group.name, ApplyStatus::InSync);
        instance.group.reboot(&group);
    }
    if let (Some(attachment), Some(group)) = (&mut instance.cluster_group, of_cluster) {
        attachment.reboot(&group);
    }
}

fn remove(world: &mut World, place: &Place, of: (&str, &str)) {
    let databases = world.rds.at(place);
    let Some(name) = found(databases, of).map(|instance| instance.identifier.clone()) else { return };
    let Some(instance) = databases.instances.remove(&name) else { return };
    match instance.cluster.as_ref().and_then(|cluster| databases.clusters.get_mut(cluster)) {
        Some(cluster) => cluster.members.retain(|member| *member != name),
        None => instance.storage.forget(world),
    }
}

fn end_of_cluster(world: &mut World, place: &Place, (identifier, resource_id): (&str, &str), end: End) {
    let databases = world.rds.at(place);
    let Some(cluster) = databases.clusters.get_mut(identifier).filter(|cluster| cluster.resource_id == resource_id) else { return };
    match end {
        End::Deleted => {
            if let Some(cluster) = databases.clusters.remove(identifier) {
                cluster.storage.forget(world);
            }
        }
        End::Window => take_group(databases, identifier),
        End::Available | End::Modified | End::Settled | End::Rebooted | End::Stopped => {
            if cluster.status != "deleting" {
                cluster.status = AVAILABLE;
            }
            for instance in databases.instances.values_mut().filter(|one| one.cluster.as_deref() == Some(identifier)) {
                instance.cluster_group.iter_mut().for_each(super::attachment::Attachment::settle);
            }
        }
    }
}

/// The cluster takes the group that it was told to; its members read it when they restart.
pub(super) fn take_group(databases: &mut Databases, identifier: &str) {
    let Some(cluster) = databases.clusters.get_mut(identifier) else { return };
    let Some(group) = cluster.pending_group.take() else { return };
    group.clone_into(&mut cluster.group);
    for instance in databases.instances.values_mut().filter(|one| one.cluster.as_deref() == Some(identifier)) {
        instance.cluster_group.iter_mut().for_each(|attachment| attachment.name(&group, ApplyStatus::PendingReboot));
    }
}

/// Databases under a key that still can't be used stop. [RDS: Encrypting Amazon RDS resources]
fn miss(world: &mut World, key: &str) {
    if keys::is_usable(world, key) {
        return;
    }
    let mut given = Vec::new();
    for (place, databases) in &mut world.rds.places {
        for cluster in databases.clusters.values_mut().filter(|one| one.storage.key() == Some(key)) {
            cluster.status = RECOVERABLE;
        }
        for instance in databases.instances.values_mut() {
            if instance.storage.key() == Some(key) && !["deleting", RECOVERABLE, INACCESSIBLE].contains(&instance.status) {
                instance.status = RECOVERABLE;
                let (identifier, resource_id) = (instance.identifier.clone(), instance.resource_id.clone());
                given.push(Event::Given { place: place.clone(), identifier, resource_id });
            }
        }
    }
    for event in given {
        world.later(RECOVERABLE_FOR, world::Event::Rds(event));
    }
}
