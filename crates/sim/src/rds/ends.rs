//! What becomes of databases when a transition ends, a maintenance window comes or a key stays lost.

use std::time::Duration;

use super::attachment::ApplyStatus;
use super::describe::STOPPED_FOR;
use super::instances::{AVAILABLE, INACCESSIBLE, Instance, OPTIMIZING, Pending, RECOVERABLE};
use super::transitions::{self, End, Event};
use super::{Databases, GroupKind, Place, engines, groups, keys};
use crate::moment::Moment;
use crate::world::{self, World};

/// For so long an instance that lost its key can be had back. [RDS: Encrypting Amazon RDS resources]
const RECOVERABLE_FOR: Duration = Duration::from_hours(7 * 24);
/// A new name is in DNS after about ten minutes; the old one goes at once. [RDS: Renaming a DB instance]
const NAMED_AFTER: Duration = Duration::from_mins(10);
/// Storage is rearranged for hours; here for one. [RDS: Working with storage]
const OPTIMIZED_AFTER: Duration = Duration::from_hours(1);

/// Settings whose change rearranges storage.
pub(super) const STORAGE: &[&str] = &["AllocatedStorage", "Iops", "StorageThroughput", "StorageType"];

/// The instance, also under another name, unless it is another one by now.
pub(super) fn found<'d>(databases: &'d mut Databases, (identifier, resource_id): (&str, &str)) -> Option<&'d mut Instance> {
    let name = match databases.instances.get(identifier) {
        Some(instance) if instance.resource_id == resource_id => identifier.to_owned(),
        _ => databases.instances.iter().find(|(_, instance)| instance.resource_id == resource_id)?.0.clone(),
    };
    databases.instances.get_mut(&name)
}

pub(super) fn of_instance(world: &mut World, place: &Place, of: (&str, &str), end: End) {
    let now = world.now();
    let databases = world.rds.at(place);
    let Some(instance) = found(databases, of) else { return };
    // A deletion that began meanwhile goes on, and what lost its key stays lost.
    let settled = ["deleting", RECOVERABLE, INACCESSIBLE].contains(&instance.status);
    let (name, status) = (instance.identifier.clone(), instance.status);
    match end {
        End::Deleted => remove(world, place, of),
        _ if settled => {}
        End::Available => {
            instance.resolves_from = now;
            databases.enter(now, &name, AVAILABLE);
        }
        End::Stopped => {
            instance.stopped = Some(now);
            databases.enter(now, &name, "stopped");
            transitions::schedule_instance(world, place, of, STOPPED_FOR, End::Rested);
        }
        End::Rested => {
            if instance.stopped.is_some_and(|at| at + STOPPED_FOR <= now) {
                databases.enter(now, &name, "starting");
                transitions::instance(world, place, of, Duration::from_mins(5), End::Rebooted);
            }
        }
        End::Settled => {
            instance.group.settle();
            databases.enter(now, &name, AVAILABLE);
        }
        End::Optimized if status == OPTIMIZING => databases.enter(now, &name, AVAILABLE),
        End::Optimized => {}
        End::Modified | End::Window => applied(world, place, of, end == End::Modified),
        End::Rebooted => {
            instance.stopped = None;
            instance.read_only = false;
            let cluster = instance.cluster.clone();
            if let Some(cluster) = cluster.and_then(|cluster| databases.clusters.get_mut(&cluster)) {
                cluster.read_only &= cluster.members.first() != Some(&name);
            }
            databases.enter(now, &name, AVAILABLE);
            apply(world, place, of, true);
        }
    }
}

/// Changes come, with a restart where one of them needs it. After a change of storage that is rearranged for a while.
fn applied(world: &mut World, place: &Place, of: (&str, &str), is_over: bool) {
    let now = world.now();
    let databases = world.rds.at(place);
    let Some(instance) = found(databases, of) else { return };
    // What is stopped or restarting in its window takes nothing, and waits for the next.
    if !is_over && !instance.is_changeable() {
        transitions::window(world, place, of);
        return;
    }
    let name = instance.identifier.clone();
    let due = instance.pending.iter().any(|pending| !pending.restart && restarts(instance, pending));
    let is_rearranged = instance.pending.iter().any(|pending| STORAGE.contains(&pending.name));
    if is_rearranged {
        databases.enter(now, &name, OPTIMIZING);
        transitions::instance(world, place, of, OPTIMIZED_AFTER, End::Optimized);
    } else if is_over {
        databases.enter(now, &name, AVAILABLE);
    }
    apply(world, place, of, due);
}

/// Changes that restart the database, and so bring what waits for a restart. [rds:ModifyDBInstance]
fn restarts(instance: &Instance, pending: &Pending) -> bool {
    match pending.name {
        "DBInstanceClass" | "EngineVersion" | "Port" | "DBInstanceIdentifier" => true,
        "CACertificateIdentifier" => !engines::rotates_while_running(instance.engine),
        _ => false,
    }
}

/// Brings what waits, with a restart or without one.
fn apply(world: &mut World, place: &Place, of: (&str, &str), restart: bool) {
    let now = world.now();
    let named_after = world.transition(NAMED_AFTER);
    let databases = world.rds.at(place);
    let Some(instance) = found(databases, of) else { return };
    let (name, mut new_name) = (instance.identifier.clone(), None);
    let (due, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut instance.pending).into_iter().partition(|one| restart || !one.restart);
    instance.pending = kept;
    for pending in due {
        match pending.name {
            "DBInstanceClass" => instance.class = pending.value,
            "EngineVersion" => instance.version = pending.value,
            "CACertificateIdentifier" => instance.authority = pending.value,
            "DBSubnetGroupName" => instance.subnet_group = pending.value,
            "OptionGroupName" => instance.option_group = pending.value,
            "Port" => instance.port = pending.value.parse().unwrap_or(instance.port),
            "DBInstanceIdentifier" => new_name = Some(pending.value),
            "MasterUserPassword" => {}
            setting => instance.settings.set(setting, &pending.value),
        }
    }
    instance.group.settle();
    if restart {
        databases.hang_up(now, &name);
        reload(databases, &name);
    }
    if let Some(new) = new_name.filter(|new| !databases.instances.contains_key(new)) {
        databases.hang_up(now, &name);
        rename(databases, now, (&name, &new), now + named_after);
    }
}

/// An instance gets another name; clients find it by that from a time on. What is linked to it stays linked.
pub(super) fn rename(databases: &mut Databases, now: Moment, (old, new): (&str, &str), resolves_from: Moment) {
    databases.stop_meter(now, old);
    let Some(mut instance) = databases.instances.remove(old) else { return };
    if let Some(cluster) = instance.cluster.as_ref().and_then(|cluster| databases.clusters.get_mut(cluster)) {
        cluster.members.iter_mut().filter(|member| *member == old).for_each(|member| new.clone_into(member));
    }
    new.clone_into(&mut instance.identifier);
    instance.resolves_from = resolves_from;
    databases.instances.insert(new.to_owned(), instance);
    databases.measure(now, new);
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

/// Its replicas become instances of their own. [RDS: Deleting a DB instance]
fn remove(world: &mut World, place: &Place, of: (&str, &str)) {
    let now = world.now();
    let databases = world.rds.at(place);
    let Some(name) = found(databases, of).map(|instance| instance.identifier.clone()) else { return };
    databases.hang_up(now, &name);
    databases.stop_meter(now, &name);
    let Some(instance) = databases.instances.remove(&name) else { return };
    for replica in databases.instances.values_mut() {
        if replica.follows.as_ref().is_some_and(|follow| follow.source == instance.resource_id) {
            replica.follows = None;
            replica.rows = replica.rows.at(now);
        }
    }
    if instance.keeps_backups && instance.retention() > 0 {
        databases.retained.insert(instance.resource_id.clone(), instance.clone());
    }
    match instance.cluster.as_ref().and_then(|cluster| databases.clusters.get_mut(cluster)) {
        Some(cluster) => cluster.members.retain(|member| *member != name),
        None => instance.storage.forget(world),
    }
}

pub(super) fn of_cluster(world: &mut World, place: &Place, (identifier, resource_id): (&str, &str), end: End) {
    let now = world.now();
    let named_after = world.transition(NAMED_AFTER);
    let databases = world.rds.at(place);
    let found = databases.clusters.values_mut().find(|cluster| cluster.resource_id == resource_id);
    let Some(cluster) = found else { return };
    let name = cluster.identifier.clone();
    debug_assert!(!identifier.is_empty(), "events name what they are about");
    match end {
        End::Deleted => {
            if let Some(cluster) = databases.clusters.remove(&name) {
                cluster.storage.forget(world);
            }
        }
        End::Window => {
            take_group(databases, &name);
            super::clusters::take_name(databases, now, &name, now + named_after);
        }
        End::Stopped => {
            cluster.stopped = Some(now);
            members(databases, now, &name, "stopped");
            transitions::schedule_cluster(world, place, (&name, resource_id), STOPPED_FOR, End::Rested);
        }
        End::Rested => {
            if cluster.stopped.is_some_and(|at| at + STOPPED_FOR <= now) {
                members(databases, now, &name, "starting");
                transitions::cluster(world, place, (&name, resource_id), Duration::from_mins(5), End::Rebooted);
            }
        }
        End::Available | End::Modified | End::Settled | End::Rebooted | End::Optimized => {
            if ["deleting", RECOVERABLE, INACCESSIBLE].contains(&cluster.status) {
                return;
            }
            let was_down = ["starting", "stopped", "stopping"].contains(&cluster.status);
            (cluster.status, cluster.stopped) = (AVAILABLE, None);
            if was_down {
                members(databases, now, &name, AVAILABLE);
            }
            for instance in databases.instances.values_mut().filter(|one| one.cluster.as_deref() == Some(&name)) {
                instance.cluster_group.iter_mut().for_each(super::attachment::Attachment::settle);
            }
            if end == End::Modified {
                super::clusters::take_name(databases, now, &name, now + named_after);
            }
        }
    }
}

/// A cluster and its members come into a status together.
pub(super) fn members(databases: &mut Databases, now: Moment, name: &str, status: &'static str) {
    let Some(cluster) = databases.clusters.get_mut(name) else { return };
    cluster.status = status;
    cluster.read_only &= status != AVAILABLE;
    for member in cluster.members.clone() {
        databases.enter(now, &member, status);
        if status == AVAILABLE {
            reload(databases, &member);
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
pub(super) fn miss(world: &mut World, key: &str) {
    if keys::is_usable(world, key) {
        return;
    }
    let now = world.now();
    let mut given = Vec::new();
    for (place, databases) in &mut world.rds.places {
        for cluster in databases.clusters.values_mut().filter(|one| one.storage.key() == Some(key)) {
            cluster.status = RECOVERABLE;
        }
        let lost = |one: &&Instance| one.storage.key() == Some(key) && !["deleting", RECOVERABLE, INACCESSIBLE].contains(&one.status);
        let lost: Vec<_> = databases.instances.values().filter(lost).map(|one| (one.identifier.clone(), one.resource_id.clone())).collect();
        for (identifier, resource_id) in lost {
            databases.enter(now, &identifier, RECOVERABLE);
            given.push(Event::Given { place: place.clone(), identifier, resource_id });
        }
    }
    for event in given {
        world.later(RECOVERABLE_FOR, world::Event::Rds(event));
    }
}
