//! What happens to databases by themselves is put on the schedule here: transitions end, maintenance windows come, keys are
//! missed. What then becomes of them is in [`ends`].

use std::collections::BTreeSet;
use std::time::Duration;

use super::ends::{self, found};
use super::instances::{INACCESSIBLE, RECOVERABLE};
use super::{GroupKind, Place, deployments, keys};
use crate::world::{self, World};

/// From a lost key to the status that tells it, "about two hours". [RDS: Encrypting Amazon RDS resources]
const MISSED_AFTER: Duration = Duration::from_hours(2);

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
    /// A blue/green deployment goes on.
    Deployment {
        place: Place,
        identifier: String,
        step: deployments::Step,
    },
    /// A proxy is there, changed or gone.
    Proxy {
        place: Place,
        name: String,
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
    /// Storage is arranged.
    Optimized,
    /// It has been stopped for seven days.
    Rested,
}

/// Schedules the end of an instance's transition. `of`: identifier and resource id.
pub(super) fn instance(world: &mut World, place: &Place, of: (&str, &str), takes: Duration, end: End) {
    let after = world.transition(takes);
    schedule_instance(world, place, of, after, end);
}

pub(super) fn schedule_instance(world: &mut World, place: &Place, (identifier, resource_id): (&str, &str), after: Duration, end: End) {
    let event = Event::Instance { place: place.clone(), identifier: identifier.to_owned(), resource_id: resource_id.to_owned(), end };
    world.later(after, world::Event::Rds(event));
}

/// The same for a cluster.
pub(super) fn cluster(world: &mut World, place: &Place, of: (&str, &str), takes: Duration, end: End) {
    let after = world.transition(takes);
    schedule_cluster(world, place, of, after, end);
}

pub(super) fn schedule_cluster(world: &mut World, place: &Place, (identifier, resource_id): (&str, &str), after: Duration, end: End) {
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
        Event::Instance { place, identifier, resource_id, end } => ends::of_instance(world, &place, (&identifier, &resource_id), end),
        Event::Cluster { place, identifier, resource_id, end } => ends::of_cluster(world, &place, (&identifier, &resource_id), end),
        Event::Snapshot { place, kind, identifier } => {
            let kind = match kind {
                SnapshotOf::Instance => GroupKind::Instance,
                SnapshotOf::Cluster => GroupKind::Cluster,
            };
            super::snapshots::done(world, &place, kind, &identifier);
        }
        Event::Deployment { place, identifier, step } => deployments::happen(world, &place, &identifier, step),
        Event::Proxy { place, name } => super::proxies::done(world.rds.at(&place), &name),
        Event::Key { key } => ends::miss(world, &key),
        Event::Given { place, identifier, resource_id } => {
            let now = world.now();
            let databases = world.rds.at(&place);
            let missed = found(databases, (&identifier, &resource_id)).filter(|one| one.status == RECOVERABLE);
            if let Some(name) = missed.map(|one| one.identifier.clone()) {
                databases.enter(now, &name, INACCESSIBLE);
            }
        }
    }
}
