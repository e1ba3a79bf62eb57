//! What a database holds: rows, in the order in which they were written. No engine runs, so a row is a text.

use std::time::Duration;

use super::{Databases, Place};
use crate::moment::Moment;
use crate::world::World;

/// Rows, each with when it can be seen here: a follower sees it later than its source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows(Vec<(Moment, String)>);

impl Rows {
    pub(super) fn put(&mut self, seen_from: Moment, row: &str) {
        self.0.push((seen_from, row.to_owned()));
    }

    /// What can be seen.
    pub(super) fn seen(&self, now: Moment) -> Vec<String> {
        self.0.iter().filter(|(from, _)| *from <= now).map(|(_, row)| row.clone()).collect()
    }

    /// The same as rows: what a snapshot holds, or a follower that stops to follow.
    pub(super) fn at(&self, now: Moment) -> Self {
        Self(self.0.iter().filter(|(from, _)| *from <= now).cloned().collect())
    }

    /// When the last of them can be seen.
    pub(super) fn complete_at(&self) -> Option<Moment> {
        self.0.iter().map(|(from, _)| *from).max()
    }
}

/// What a database gets its rows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Follow {
    /// The source's resource id, which a rename doesn't change.
    pub(super) source: String,
    pub(super) why: Why,
    pub(super) lag: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// A read replica.
    Replica,
    /// The green side of a blue/green deployment.
    Green,
}

/// A row is written to an instance or cluster, by resource id, and to whatever follows it, and so on.
pub(super) fn write(world: &mut World, place: &Place, resource_id: &str, row: &str) {
    let now = world.now();
    let databases = world.rds.at(place);
    let mut due = vec![(resource_id.to_owned(), now)];
    while let Some((id, at)) = due.pop() {
        if let Some(rows) = rows_of(databases, &id) {
            rows.put(at, row);
        }
        for (follower, follow) in followers(databases, &id) {
            due.push((follower, at + follow.lag));
        }
    }
}

/// What follows a database directly: resource ids.
pub(super) fn followers(databases: &Databases, resource_id: &str) -> Vec<(String, Follow)> {
    let instances = databases.instances.values().filter_map(|one| Some((&one.resource_id, one.follows.as_ref()?)));
    let clusters = databases.clusters.values().filter_map(|one| Some((&one.resource_id, one.follows.as_ref()?)));
    let all = instances.chain(clusters).filter(|(_, follow)| follow.source == resource_id);
    all.map(|(id, follow)| (id.clone(), follow.clone())).collect()
}

fn rows_of<'d>(databases: &'d mut Databases, resource_id: &str) -> Option<&'d mut Rows> {
    let instance = databases.instances.values_mut().find(|one| one.resource_id == resource_id).map(|one| &mut one.rows);
    if instance.is_some() {
        return instance;
    }
    databases.clusters.values_mut().find(|one| one.resource_id == resource_id).map(|one| &mut one.rows)
}
