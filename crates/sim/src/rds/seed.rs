//! Doors for tests and the demo, where the wire would be clumsy.

use super::{GroupKind, Place, parameters};
use crate::world::World;

impl World {
    /// The value of a parameter that a running instance obeys: what it has read from its group (a member: from its
    /// cluster's, where that has the parameter), else its family's default. `None`: no such instance or parameter, or the
    /// engine's own default.
    pub fn db_parameter(&mut self, instance_arn: &str, name: &str) -> Option<String> {
        let mut parts = instance_arn.split(':');
        let place = Place { region: parts.nth(3)?.to_owned(), account: parts.next()?.to_owned() };
        let databases = self.rds.at(&place);
        let instance = databases.instances.get(parts.nth(1)?)?;
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
        let mut parts = arn.split(':');
        let place = Place { region: parts.nth(3)?.to_owned(), account: parts.next()?.to_owned() };
        let databases = self.rds.at(&place);
        let (kind, name) = (parts.next()?, parts.next()?);
        match kind {
            "cluster" => databases.clusters.get(name).map(|cluster| cluster.status),
            _ => databases.instances.get(name).map(|instance| instance.status),
        }
    }
}
