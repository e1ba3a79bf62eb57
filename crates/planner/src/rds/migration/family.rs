//! What belongs to one migration: the old database, its copy, and what was made on the way, found by tags *and* names.
//!
//! Tags alone prove nothing: AWS copies them (`CopyTagsToSnapshot`, blue/green deployments, point-in-time restores), so a
//! snapshot or a database that a person made of a migrated one may bear them. What is not named as a migration names it is
//! never taken for the migration's, and so never touched.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::names::{self, Mark};
use super::observed::{BlueGreenDeployment, ClusterSettings, DbSnapshot, InstanceSettings};
use super::observed::{TAG_ABORTED_AT, TAG_DATA_OF, TAG_NAME, TAG_OF, TAG_REPLACED_AT, TAG_SECURITY_GROUPS, TAG_STARTED_AT};
use super::status::{Condition, condition};
use crate::plan::change::ParameterGroupKind;
use crate::rds::desired::is_of_rds;
use crate::rds::encryption::{Storage, storage};
use crate::rds::observed::{DbCluster, DbInstance, StorageEncryption};
use crate::{Arn, Inventory};

/// An instance on its own, a cluster, or a member of one.
#[derive(Clone, Copy)]
pub(super) struct Db<'a> {
    pub(super) kind: ParameterGroupKind,
    pub(super) arn: &'a Arn,
    pub(super) identifier: &'a str,
    pub(super) engine: &'a str,
    pub(super) engine_version: &'a str,
    pub(super) status: &'a str,
    pub(super) storage: &'a StorageEncryption,
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) resource_id: Option<&'a str>,
    pub(super) created_at: Option<i64>,
    pub(super) instance: Option<&'a DbInstance>,
    pub(super) cluster: Option<&'a DbCluster>,
}

impl<'a> Db<'a> {
    pub(super) fn of_instance(db: &'a DbInstance) -> Self {
        let DbInstance { arn, identifier, engine, engine_version, status, storage, tags, resource_id, created_at, .. } = db;
        let kind = ParameterGroupKind::Instance;
        let (resource_id, created_at) = (resource_id.as_deref(), *created_at);
        Self {
            kind,
            arn,
            identifier,
            engine,
            engine_version,
            status,
            storage,
            tags,
            resource_id,
            created_at,
            instance: Some(db),
            cluster: None,
        }
    }

    pub(super) fn of_cluster(db: &'a DbCluster) -> Self {
        let DbCluster { arn, identifier, engine, engine_version, status, storage, tags, resource_id, created_at, .. } = db;
        let kind = ParameterGroupKind::Cluster;
        let (resource_id, created_at) = (resource_id.as_deref(), *created_at);
        Self {
            kind,
            arn,
            identifier,
            engine,
            engine_version,
            status,
            storage,
            tags,
            resource_id,
            created_at,
            instance: None,
            cluster: Some(db),
        }
    }

    pub(super) fn tag(&self, key: &str) -> Option<&'a str> {
        self.tags.get(key).map(String::as_str)
    }

    /// A tag that is a moment, in seconds since the Unix epoch.
    pub(super) fn moment(&self, key: &str) -> Option<i64> {
        self.tag(key)?.parse().ok()
    }

    pub(super) fn condition(&self) -> Condition {
        condition(self.status)
    }

    pub(super) fn is_open_storage(&self) -> bool {
        matches!(storage(self.storage), Storage::Open)
    }

    /// Which data it holds, if it is a copy.
    pub(super) fn mark(&self) -> Mark {
        Mark::parse(self.tag(TAG_DATA_OF))
    }

    pub(super) fn started_at(&self) -> Option<i64> {
        self.moment(TAG_STARTED_AT)
    }

    pub(super) fn instance_settings(&self) -> Option<&'a InstanceSettings> {
        self.instance.and_then(|db| db.settings.as_deref())
    }

    pub(super) fn cluster_settings(&self) -> Option<&'a ClusterSettings> {
        self.cluster.and_then(|db| db.settings.as_deref())
    }

    /// Settings as JSON, for comparison field by field; `None`: not read.
    pub(super) fn settings(&self) -> Option<Value> {
        let instance = self.instance_settings().and_then(|settings| serde_json::to_value(settings).ok());
        instance.or_else(|| self.cluster_settings().and_then(|settings| serde_json::to_value(settings).ok()))
    }

    pub(super) fn security_groups(&self) -> Option<&'a BTreeSet<String>> {
        let instance = self.instance_settings().map(|settings| &settings.vpc_security_groups);
        instance.or_else(|| self.cluster_settings().map(|settings| &settings.vpc_security_groups))
    }

    pub(super) fn deletion_protection(&self) -> Option<bool> {
        let instance = self.instance_settings().map(|settings| settings.deletion_protection);
        instance.or_else(|| self.cluster_settings().map(|settings| settings.deletion_protection))
    }

    /// Its own security groups, while it is isolated.
    pub(super) fn groups_before_isolation(&self) -> Option<BTreeSet<String>> {
        self.tag(TAG_SECURITY_GROUPS).map(|groups| groups.split_whitespace().map(str::to_owned).collect())
    }

    /// Aurora clusters are made of instances of their own; members of Multi-AZ clusters come with the cluster.
    pub(super) fn is_aurora(&self) -> bool {
        self.engine.starts_with("aurora")
    }

    /// `database orders` or `cluster ledger`.
    pub(super) fn words(&self) -> String {
        match self.kind {
            ParameterGroupKind::Instance => format!("database {}", self.identifier),
            ParameterGroupKind::Cluster => format!("cluster {}", self.identifier),
        }
    }
}

/// One migration.
pub(super) struct Family<'a> {
    /// `DbiResourceId` or `DbClusterResourceId` of the old database.
    pub(super) id: &'a str,
    /// The name by which clients know the database.
    pub(super) name: String,
    /// The database that is not encrypted; `None` once it is gone.
    pub(super) old: Option<Db<'a>>,
    /// The encrypted one: made by us, or the green side of our deployment.
    pub(super) copy: Option<Db<'a>>,
    /// Snapshots that we made, with whose data they hold.
    pub(super) snapshots: Vec<(Mark, &'a DbSnapshot)>,
    /// The blue/green deployment that we made.
    pub(super) blue_green: Option<&'a BlueGreenDeployment>,
    /// One of the old database that somebody else made.
    pub(super) foreign_blue_green: Option<&'a BlueGreenDeployment>,
}

/// What a whole listing knows, once for all migrations.
pub(super) struct Seen<'a> {
    databases: Vec<Db<'a>>,
    members: Vec<Db<'a>>,
    snapshots: Vec<&'a DbSnapshot>,
    deployments: Vec<&'a BlueGreenDeployment>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(inventory: &'a Inventory) -> Self {
        let instances = inventory.db_instances.values().filter(|db| is_of_rds(&db.engine));
        let (members, alone): (Vec<Db<'a>>, Vec<Db<'a>>) =
            instances.map(Db::of_instance).partition(|db| db.instance.is_some_and(|db| db.cluster.is_some()));
        let clusters = inventory.db_clusters.values().filter(|db| is_of_rds(&db.engine)).map(Db::of_cluster);
        let migrations = &inventory.migrations;
        Self {
            databases: alone.into_iter().chain(clusters).collect(),
            members,
            snapshots: migrations.snapshots.known().into_iter().flat_map(BTreeMap::values).collect(),
            deployments: migrations.blue_green_deployments.known().into_iter().flat_map(BTreeMap::values).collect(),
        }
    }

    /// Resource ids of databases that are being migrated, or that `asked` says are to be.
    pub(super) fn ids(&self, asked: impl Fn(&Db<'a>) -> bool) -> BTreeSet<&'a str> {
        let begun = |db: &Db<'_>| [TAG_SECURITY_GROUPS, TAG_REPLACED_AT, TAG_ABORTED_AT].iter().any(|tag| db.tag(tag).is_some());
        let old = self.databases.iter().filter(|db| db.is_open_storage() && (begun(db) || (asked(db) && !self.is_green(db))));
        let old = old.filter_map(|db| db.resource_id);
        let copies = self.databases.iter().filter(|db| is_copy(db)).filter_map(|db| db.tag(TAG_OF));
        let deployments = self.deployments.iter().filter_map(|deployment| of(&deployment.tags));
        old.chain(copies).chain(deployments).collect()
    }

    /// The green side of a deployment, ours or not, that has not been switched to: it stands and falls with that.
    fn is_green(&self, db: &Db<'_>) -> bool {
        let open = self.deployments.iter().filter(|deployment| deployment.status != "SWITCHOVER_COMPLETED");
        open.into_iter().any(|deployment| deployment.target.as_deref() == Some(db.arn.as_str()))
    }

    pub(super) fn family(&self, id: &'a str) -> Family<'a> {
        let old = self.databases.iter().find(|db| db.resource_id == Some(id)).copied();
        let blue_green = self.deployments.iter().find(|deployment| of(&deployment.tags) == Some(id)).copied();
        let tagged = self.databases.iter().find(|db| db.tag(TAG_OF) == Some(id) && is_copy(db)).copied();
        let green = blue_green.and_then(|deployment| deployment.target.as_deref());
        let green = green.and_then(|target| self.databases.iter().find(|db| db.arn.as_str() == target)).copied();
        let copy = tagged.or(green);
        let name = tagged.and_then(|db| db.tag(TAG_NAME)).or_else(|| blue_green.and_then(|d| d.tags.get(TAG_NAME).map(String::as_str)));
        let name = name.or(old.map(|db| db.identifier)).unwrap_or_default().to_owned();
        let own = self.snapshots.iter().filter(|snapshot| of(&snapshot.tags) == Some(id));
        let snapshots = own.filter_map(|snapshot| Some((names::mark_of_snapshot(&name, &snapshot.identifier)?, *snapshot))).collect();
        let foreign_blue_green = self.deployments.iter().find(|deployment| {
            of(&deployment.tags) != Some(id)
                && deployment.status != "DELETING"
                && old.is_some_and(|old| deployment.source == old.arn.as_str())
        });
        Family { id, name, old, copy, snapshots, blue_green, foreign_blue_green: foreign_blue_green.copied() }
    }

    /// Members of a cluster.
    pub(super) fn members_of(&self, cluster: &Db<'_>) -> Vec<Db<'a>> {
        let of_it = |db: &&Db<'a>| db.instance.and_then(|db| db.cluster.as_deref()) == Some(cluster.identifier);
        self.members.iter().filter(of_it).copied().collect()
    }

    /// Is the identifier taken by an instance or cluster (whichever `kind` says)?
    pub(super) fn is_taken(&self, kind: ParameterGroupKind, identifier: &str) -> bool {
        self.databases.iter().chain(&self.members).any(|db| db.kind == kind && db.identifier == identifier)
    }
}

impl<'a> Family<'a> {
    /// The snapshot of this name, if it is ours.
    pub(super) fn snapshot(&self, identifier: &str) -> Option<&'a DbSnapshot> {
        self.snapshots.iter().find(|(_, snapshot)| snapshot.identifier == identifier).map(|(_, snapshot)| *snapshot)
    }

    /// Clients reach the encrypted database.
    pub(super) fn is_switched(&self) -> bool {
        self.copy.is_some_and(|copy| copy.identifier == self.name)
    }

    /// The old database gave its name away and nobody has it yet.
    pub(super) fn is_between(&self) -> bool {
        !self.is_switched() && self.old.is_some_and(|old| old.identifier == names::old(&self.name) && old.identifier != self.name)
    }

    /// The old database is cut off, or about to be.
    pub(super) fn is_isolated(&self) -> bool {
        self.old.is_some_and(|old| old.tag(TAG_SECURITY_GROUPS).is_some())
    }

    /// Clients are cut off, or about to be, because of this migration.
    pub(super) fn cuts_off(&self) -> bool {
        let switching = self.blue_green.is_some_and(|deployment| deployment.status == "SWITCHOVER_IN_PROGRESS");
        let finishing = self.is_switched() && self.old.is_some_and(|old| old.tag(TAG_REPLACED_AT).is_none());
        switching || self.is_between() || finishing || (self.is_isolated() && !self.is_switched())
    }

    /// The copy as something that we made and nobody uses.
    pub(super) fn unused_copy(&self) -> Option<Db<'a>> {
        self.copy.filter(|copy| copy.tag(TAG_OF) == Some(self.id) && copy.identifier == names::copy(&self.name) && !self.is_between())
    }
}

fn of(tags: &BTreeMap<String, String>) -> Option<&str> {
    tags.get(TAG_OF).map(String::as_str)
}

/// Tagged as a copy, and named as one: before the switch, or after it.
fn is_copy(db: &Db<'_>) -> bool {
    let named = |name: &str| db.identifier == name || db.identifier == names::copy(name);
    db.tag(TAG_OF).is_some() && db.tag(TAG_OF) != db.resource_id && db.tag(TAG_NAME).is_some_and(named)
}
