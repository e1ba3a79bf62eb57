//! Doors for tests and the demo, where the wire would be clumsy.

use std::time::Duration;

use super::{Databases, GroupKind, Place, parameters};
use crate::moment::Moment;
use crate::world::World;

/// An ARN's place, kind and name.
pub(super) fn parts(arn: &str) -> Option<(Place, String, String)> {
    let mut parts = arn.splitn(7, ':');
    let place = Place { region: parts.nth(3)?.to_owned(), account: parts.next()?.to_owned() };
    Some((place, parts.next()?.to_owned(), parts.next()?.to_ascii_lowercase()))
}

impl Databases {
    /// What an instance holds: a member of a cluster what its cluster does.
    pub(super) fn rows_of_instance(&self, name: &str, now: Moment) -> Option<Vec<String>> {
        let instance = self.instances.get(name)?;
        let cluster = instance.cluster.as_ref().and_then(|cluster| self.clusters.get(cluster));
        Some(cluster.map_or(&instance.rows, |cluster| &cluster.rows).seen(now))
    }
}

impl World {
    /// The value of a parameter that a running instance obeys: what it has read from its group (a member: from its
    /// cluster's, where that has the parameter), else its family's default. `None`: no such instance or parameter, or the
    /// engine's own default.
    pub fn db_parameter(&mut self, instance_arn: &str, name: &str) -> Option<String> {
        let (place, _, identifier) = parts(instance_arn)?;
        let databases = self.rds.at(&place);
        let instance = databases.instances.get(&identifier)?;
        let of_cluster = instance.cluster_group.as_ref().map(|group| (group, GroupKind::Cluster));
        let (_, major) = super::engines::choose(instance.engine, Some(&instance.version)).ok()?;
        for (group, kind) in of_cluster.into_iter().chain([(&instance.group, GroupKind::Instance)]) {
            if let Some(parameter) = parameters::find(major.family, kind == GroupKind::Cluster, name) {
                return group.value(name).or(parameter.value).map(str::to_owned);
            }
        }
        None
    }

    /// The status of an instance or cluster, as `Describe…` tells it; `None` where there is none.
    pub fn db_status(&mut self, arn: &str) -> Option<&'static str> {
        let (place, kind, name) = parts(arn)?;
        let databases = self.rds.at(&place);
        match kind.as_str() {
            "cluster" => databases.clusters.get(&name).map(|cluster| cluster.status),
            _ => databases.instances.get(&name).map(|instance| instance.status),
        }
    }

    /// The rows that an instance, a cluster or a snapshot of either holds, by its ARN, whoever can reach it.
    pub fn rows(&mut self, arn: &str) -> Option<Vec<String>> {
        let now = self.now();
        let (place, kind, name) = parts(arn)?;
        let databases = self.rds.at(&place);
        match kind.as_str() {
            "cluster" => databases.clusters.get(&name).map(|cluster| cluster.rows.seen(now)),
            "snapshot" => databases.snapshots.get(&name).map(|snapshot| snapshot.rows.seen(now)),
            "cluster-snapshot" => databases.cluster_snapshots.get(&name).map(|snapshot| snapshot.rows.seen(now)),
            _ => databases.rows_of_instance(&name, now),
        }
    }

    /// The name under which clients find an instance, or a cluster's writer, by its ARN. `None`: there is none.
    pub fn db_endpoint(&mut self, arn: &str) -> Option<String> {
        let (place, kind, name) = parts(arn)?;
        let databases = self.rds.at(&place);
        match kind.as_str() {
            "cluster" => databases.clusters.contains_key(&name).then(|| super::storage::cluster_endpoint(&place, &name)),
            _ => databases.instances.contains_key(&name).then(|| super::storage::endpoint(&place, &name)),
        }
    }

    /// A VPC security group lets nobody in from now on. All others let everybody in.
    pub fn close_security_group(&mut self, account: &str, region: &str, group: &str) {
        let place = Place { account: account.to_owned(), region: region.to_owned() };
        self.rds.at(&place).closed_groups.insert(group.to_owned());
    }

    /// It lets everybody in again.
    pub fn open_security_group(&mut self, account: &str, region: &str, group: &str) {
        let place = Place { account: account.to_owned(), region: region.to_owned() };
        self.rds.at(&place).closed_groups.remove(group);
    }

    /// How many manual snapshots of instances, and of clusters, an account may have in a region: 100 of each at first.
    /// [RDS: Quotas and constraints]
    pub fn set_snapshot_quota(&mut self, account: &str, region: &str, most: usize) {
        let place = Place { account: account.to_owned(), region: region.to_owned() };
        self.rds.at(&place).snapshot_quota = most;
    }

    /// How far a replica or the green side of a blue/green deployment is behind from now on, by its ARN.
    pub fn set_replication_lag(&mut self, arn: &str, lag: Duration) {
        let Some((place, kind, name)) = parts(arn) else { return };
        let databases = self.rds.at(&place);
        let follows = match kind.as_str() {
            "cluster" => databases.clusters.get_mut(&name).and_then(|one| one.follows.as_mut()),
            _ => databases.instances.get_mut(&name).and_then(|one| one.follows.as_mut()),
        };
        if let Some(follow) = follows {
            follow.lag = lag;
        }
    }

    /// An Aurora cluster becomes one of the time before 18 February 2026, whose storage nobody encrypted: new ones always are.
    /// To be called before it has members. [Aurora: Encrypting Aurora resources]
    pub fn leave_unencrypted(&mut self, cluster_arn: &str) {
        let Some((place, _, name)) = parts(cluster_arn) else { return };
        if let Some(cluster) = self.rds.at(&place).clusters.get_mut(&name) {
            cluster.storage = super::storage::Storage::Plain;
        }
    }
}
