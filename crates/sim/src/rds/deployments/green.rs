//! The green side: copies with names of their own, which follow what they were copied from.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Kind, Pair};
use crate::error::ApiError;
use crate::rds::attachment::Attachment;
use crate::rds::clusters::Cluster;
use crate::rds::instances::Instance;
use crate::rds::rows::{Follow, Rows, Why};
use crate::rds::storage::{self, Storage};
use crate::rds::{GroupKind, Request, choices, engines, groups};
use crate::world::World;

/// What a green database is to have otherwise than its blue one.
pub(super) struct Wanted {
    /// Keys by the blue one's ARN.
    pub(super) keys: BTreeMap<String, String>,
}

impl Wanted {
    fn storage(&self, world: &mut World, request: &Request<'_>, blue: (&str, &Storage), resource_id: &str) -> Result<Storage, ApiError> {
        match self.keys.get(blue.0) {
            Some(key) => Storage::under(world, request, key, resource_id),
            None => blue.1.again(world, request, resource_id),
        }
    }
}

/// `orders-green-a1b2c3`; a long name is cut.
fn name(world: &mut World, blue: &str) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let end: String = (0..6).map(|_| char::from(LETTERS[world.rng.usize(0..LETTERS.len())])).collect();
    format!("{}-green-{end}", blue.get(..50).unwrap_or(blue).trim_end_matches('-'))
}

/// An instance, and its replicas with it. The green replicas follow the green instance.
pub(super) fn instances(world: &mut World, request: &Request<'_>, blue: &Instance, wanted: &Wanted) -> Result<Vec<Pair>, ApiError> {
    let place = &request.place;
    let follow = Follow { source: blue.resource_id.clone(), why: Why::Green, lag: Duration::ZERO };
    let first = instance(world, request, (blue, follow), wanted)?;
    let mut made = vec![first];
    let databases = world.rds.at(place);
    let names: Vec<_> = databases.replicas_of(&blue.resource_id).into_iter().map(str::to_owned).collect();
    for replica in names {
        let Some(replica) = world.rds.at(place).instances.get(&replica).cloned() else { continue };
        let follow = Follow { source: made[0].1.resource_id.clone(), why: Why::Replica, lag: Duration::ZERO };
        made.push(instance(world, request, (&replica, follow), wanted)?);
    }
    let databases = world.rds.at(place);
    Ok(made
        .into_iter()
        .map(|(blue, green)| {
            let pair = Pair { kind: Kind::Instance, blue, green: green.resource_id.clone() };
            databases.instances.insert(green.identifier.clone(), green);
            pair
        })
        .collect())
}

/// A copy that is not there yet; with the blue one's resource id.
fn instance(
    world: &mut World,
    request: &Request<'_>,
    (blue, follow): (&Instance, Follow),
    wanted: &Wanted,
) -> Result<(String, Instance), ApiError> {
    let Request { origin: _, place, form } = request;
    let mut green = blue.clone();
    green.identifier = name(world, &blue.identifier);
    green.resource_id = storage::resource_id(world, "db");
    green.storage = wanted.storage(world, request, (&place.arn("db", &blue.identifier), &blue.storage), &green.resource_id)?;
    green.rows = blue.rows.at(world.now());
    green.follows = Some(follow);
    green.created = world.now();
    green.status = "creating";
    green.pending.clear();
    if let Some(version) = form.get("TargetEngineVersion") {
        green.version = engines::choose(blue.engine, Some(version))?.0;
    }
    let (_, major) = engines::choose(blue.engine, Some(&green.version))?;
    let default = format!("default.{}", major.family);
    let own = if blue.group.name.starts_with("default.") { &default } else { &blue.group.name };
    let group = form.get("TargetDBParameterGroupName").unwrap_or(own);
    green.group = Attachment::loaded(groups::of_family(world.rds.at(place), GroupKind::Instance, group, major.family)?);
    if let Some(class) = form.get("TargetDBInstanceClass") {
        class.clone_into(&mut green.class);
    }
    for (target, setting) in [
        ("TargetAllocatedStorage", "AllocatedStorage"),
        ("TargetIops", "Iops"),
        ("TargetStorageThroughput", "StorageThroughput"),
        ("TargetStorageType", "StorageType"),
    ] {
        form.get(target).into_iter().for_each(|value| green.settings.set(setting, value));
    }
    choices::check(&green.settings, blue.engine)?;
    Ok((blue.resource_id.clone(), green))
}

/// A cluster with as many members.
pub(super) fn cluster(world: &mut World, request: &Request<'_>, blue: &Cluster, wanted: &Wanted) -> Result<Vec<Pair>, ApiError> {
    let Request { origin: _, place, form } = request;
    let now = world.now();
    let mut green = blue.clone();
    green.identifier = name(world, &blue.identifier);
    green.resource_id = storage::resource_id(world, "cluster");
    green.storage = wanted.storage(world, request, (&place.arn("cluster", &blue.identifier), &blue.storage), &green.resource_id)?;
    green.rows = blue.rows.at(now);
    green.follows = Some(Follow { source: blue.resource_id.clone(), why: Why::Green, lag: Duration::ZERO });
    (green.created, green.status) = (now, "creating");
    if let Some(version) = form.get("TargetEngineVersion") {
        green.version = engines::choose(blue.engine, Some(version))?.0;
    }
    let (_, major) = engines::choose(blue.engine, Some(&green.version))?;
    let group = form.get("TargetDBClusterParameterGroupName").unwrap_or(&blue.group);
    let group = groups::of_family(world.rds.at(place), GroupKind::Cluster, group, major.family)?.clone();
    green.group.clone_from(&group.name);
    let mut pairs = vec![Pair { kind: Kind::Cluster, blue: blue.resource_id.clone(), green: green.resource_id.clone() }];
    green.members.clear();
    for member in &blue.members {
        let Some(blue) = world.rds.at(place).instances.get(member).cloned() else { continue };
        let mut copy = blue.clone();
        copy.identifier = name(world, member);
        copy.resource_id = storage::resource_id(world, "db");
        copy.cluster = Some(green.identifier.clone());
        copy.cluster_group = Some(Attachment::loaded(&group));
        copy.storage = green.storage.clone();
        copy.rows = Rows::default();
        copy.version.clone_from(&green.version);
        (copy.created, copy.status) = (now, "creating");
        copy.pending.clear();
        green.members.push(copy.identifier.clone());
        pairs.push(Pair { kind: Kind::Instance, blue: blue.resource_id, green: copy.resource_id.clone() });
        world.rds.at(place).instances.insert(copy.identifier.clone(), copy);
    }
    world.rds.at(place).clusters.insert(green.identifier.clone(), green);
    Ok(pairs)
}
