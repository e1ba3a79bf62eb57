//! Amazon RDS and Aurora: instances, clusters, parameter groups, snapshots.
//!
//! What matters here is what decides whether a database is protected: encryption at rest with the key's grant, and
//! parameter groups as they really work. A default group can't be changed, a group that was just attached says nothing
//! until a reboot, static parameters wait for one, dynamic ones don't. No database runs behind an instance.

mod attachment;
mod backups;
mod choices;
mod clients;
mod cluster_life;
mod clusters;
mod create;
mod deployments;
mod describe;
mod ends;
mod engines;
mod errors;
mod filters;
mod group_life;
mod groups;
mod instances;
mod keys;
mod listings;
mod members;
pub(crate) mod meters;
mod modify;
mod multi_az;
mod options;
mod parameters;
mod proxies;
mod roles;
mod rows;
mod seed;
mod snapshots;
mod storage;
mod subscriptions;
mod tags;
#[cfg(test)]
mod tests;
mod transitions;

use std::collections::{BTreeMap, BTreeSet};

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::wire::{Route, query};
use crate::world::{Ask, Origin, World};

pub use clients::{ClientError, Connection};
use clusters::Cluster;
use groups::{Group, GroupKind};
use instances::Instance;
use members::Settings;
use snapshots::Snapshot;
pub(crate) use tags::tags_of;
pub(crate) use transitions::{Event, happen, keys_changed};

/// [RDS: Quotas and constraints]
const SNAPSHOTS: usize = 100;

const NAMESPACE: &str = "http://rds.amazonaws.com/doc/2014-10-31/";

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    places: BTreeMap<Place, Databases>,
}

/// An account and a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    account: String,
    region: String,
}

impl Place {
    fn of(origin: &Origin) -> Self {
        Self { account: origin.account().to_owned(), region: origin.region.clone() }
    }

    fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:rds:{}:{}:{kind}:{name}", self.region, self.account)
    }
}

/// What an account has in a region, by identifier: AWS keeps them in lower case.
#[derive(Debug)]
struct Databases {
    instances: BTreeMap<String, Instance>,
    clusters: BTreeMap<String, Cluster>,
    instance_groups: BTreeMap<String, Group>,
    cluster_groups: BTreeMap<String, Group>,
    snapshots: BTreeMap<String, Snapshot>,
    cluster_snapshots: BTreeMap<String, Snapshot>,
    option_groups: BTreeMap<String, options::OptionGroup>,
    /// Manual snapshots of each kind that there may be.
    snapshot_quota: usize,
    /// The account's own default certificate authority.
    authority: Option<String>,
    /// Security groups that let nobody in.
    closed_groups: BTreeSet<String>,
    /// Connections that are open, by number, and the last number.
    clients: BTreeMap<u64, clients::Client>,
    connected: u64,
    /// By instance identifier, also of those that are gone.
    meters: BTreeMap<String, meters::Meter>,
    /// Resource ids of what a switch-over holds back.
    switching: BTreeSet<String>,
    /// Blue/green deployments, by identifier.
    deployments: BTreeMap<String, deployments::Deployment>,
    /// Event subscriptions and proxies, by name.
    subscriptions: BTreeMap<String, subscriptions::Subscription>,
    proxies: BTreeMap<String, proxies::Proxy>,
    /// Instances that are gone and whose automated backups are kept, by resource id.
    retained: BTreeMap<String, Instance>,
    /// It doesn't take `TargetKmsKeyId`.
    refuses_target_key: bool,
}

impl Default for Databases {
    fn default() -> Self {
        Self {
            instances: BTreeMap::new(),
            clusters: BTreeMap::new(),
            instance_groups: BTreeMap::new(),
            cluster_groups: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            cluster_snapshots: BTreeMap::new(),
            option_groups: BTreeMap::new(),
            snapshot_quota: SNAPSHOTS,
            authority: None,
            closed_groups: BTreeSet::new(),
            clients: BTreeMap::new(),
            connected: 0,
            meters: BTreeMap::new(),
            switching: BTreeSet::new(),
            deployments: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            proxies: BTreeMap::new(),
            retained: BTreeMap::new(),
            refuses_target_key: false,
        }
    }
}

impl Databases {
    /// The certificate authority of new instances where nobody says.
    fn authority(&self) -> &str {
        self.authority.as_deref().unwrap_or(instances::DEFAULT_CA)
    }

    const fn groups(&self, kind: GroupKind) -> &BTreeMap<String, Group> {
        match kind {
            GroupKind::Instance => &self.instance_groups,
            GroupKind::Cluster => &self.cluster_groups,
        }
    }

    const fn groups_mut(&mut self, kind: GroupKind) -> &mut BTreeMap<String, Group> {
        match kind {
            GroupKind::Instance => &mut self.instance_groups,
            GroupKind::Cluster => &mut self.cluster_groups,
        }
    }
}

impl State {
    fn at(&mut self, place: &Place) -> &mut Databases {
        if !self.places.contains_key(place) {
            self.places.insert(place.clone(), Databases::default());
        }
        self.places.get_mut(place).expect("it was just put there")
    }
}

/// A request, read.
struct Request<'a> {
    origin: &'a Origin,
    place: Place,
    form: Form,
}

type Answer = Result<Element, ApiError>;

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let request = Request { origin, place: Place::of(origin), form: Form::of(call) };
    let result = permit(world, &request, &route.operation).and_then(|()| dispatch(world, &request, &route.operation));
    query::reply(&route.operation, NAMESPACE, &world.uuid(), result)
}

/// Each theme knows its operations; what none of them knows is refused.
fn dispatch(world: &mut World, request: &Request<'_>, operation: &str) -> Answer {
    of_instances(world, request, operation)
        .or_else(|| of_clusters(world, request, operation))
        .or_else(|| of_snapshots(world, request, operation))
        .or_else(|| of_groups(world, request, operation))
        .or_else(|| of_company(world, request, operation))
        .unwrap_or_else(|| Err(ApiError::unknown_operation(operation)))
}

fn of_instances(world: &mut World, request: &Request<'_>, operation: &str) -> Option<Answer> {
    Some(match operation {
        "CreateDBInstance" => create::create(world, request),
        "CreateDBInstanceReadReplica" => create::replica(world, request),
        "RestoreDBInstanceFromDBSnapshot" => create::restore(world, request),
        "PromoteReadReplica" => create::promote(world, request),
        "DeleteDBInstance" => instances::delete(world, request),
        "DescribeDBInstances" => instances::describe(world, request),
        "ModifyDBInstance" => modify::instance(world, request),
        "RebootDBInstance" => instances::reboot(world, request),
        "StartDBInstance" => instances::start(world, request),
        "StopDBInstance" => instances::stop(world, request),
        "AddRoleToDBInstance" => roles::add_to_instance(world, request),
        "RemoveRoleFromDBInstance" => roles::remove_from_instance(world, request),
        "CreateBlueGreenDeployment" => deployments::create(world, request),
        "DescribeBlueGreenDeployments" => deployments::describe(world, request),
        "SwitchoverBlueGreenDeployment" => deployments::switch(world, request),
        "DeleteBlueGreenDeployment" => deployments::delete(world, request),
        "AddTagsToResource" => tags::add(world, request),
        "RemoveTagsFromResource" => tags::remove(world, request),
        "ListTagsForResource" => tags::list(world, request),
        _ => return None,
    })
}

fn of_clusters(world: &mut World, request: &Request<'_>, operation: &str) -> Option<Answer> {
    Some(match operation {
        "CreateDBCluster" => clusters::create(world, request),
        "RestoreDBClusterFromSnapshot" => clusters::restore(world, request),
        "DeleteDBCluster" => cluster_life::delete(world, request),
        "DescribeDBClusters" => cluster_life::describe(world, request),
        "ModifyDBCluster" => cluster_life::modify(world, request),
        "StartDBCluster" => cluster_life::start(world, request),
        "StopDBCluster" => cluster_life::stop(world, request),
        "AddRoleToDBCluster" => roles::add_to_cluster(world, request),
        "RemoveRoleFromDBCluster" => roles::remove_from_cluster(world, request),
        _ => return None,
    })
}

fn of_snapshots(world: &mut World, request: &Request<'_>, operation: &str) -> Option<Answer> {
    Some(match operation {
        "CreateDBSnapshot" => snapshots::create(world, request, GroupKind::Instance),
        "CreateDBClusterSnapshot" => snapshots::create(world, request, GroupKind::Cluster),
        "DescribeDBSnapshots" => snapshots::describe(world, request, GroupKind::Instance),
        "DescribeDBClusterSnapshots" => snapshots::describe(world, request, GroupKind::Cluster),
        "DeleteDBSnapshot" => snapshots::delete(world, request, GroupKind::Instance),
        "DeleteDBClusterSnapshot" => snapshots::delete(world, request, GroupKind::Cluster),
        "CopyDBSnapshot" => snapshots::copy(world, request, GroupKind::Instance),
        "CopyDBClusterSnapshot" => snapshots::copy(world, request, GroupKind::Cluster),
        _ => return None,
    })
}

fn of_groups(world: &mut World, request: &Request<'_>, operation: &str) -> Option<Answer> {
    Some(match operation {
        "CreateDBParameterGroup" => groups::create(world, request, GroupKind::Instance),
        "CreateDBClusterParameterGroup" => groups::create(world, request, GroupKind::Cluster),
        "CopyDBParameterGroup" => group_life::copy(world, request, GroupKind::Instance),
        "CopyDBClusterParameterGroup" => group_life::copy(world, request, GroupKind::Cluster),
        "ResetDBParameterGroup" => group_life::reset(world, request, GroupKind::Instance),
        "ResetDBClusterParameterGroup" => group_life::reset(world, request, GroupKind::Cluster),
        "DeleteDBParameterGroup" => groups::delete(world, request, GroupKind::Instance),
        "DeleteDBClusterParameterGroup" => groups::delete(world, request, GroupKind::Cluster),
        "DescribeDBParameterGroups" => groups::describe(world, request, GroupKind::Instance),
        "DescribeDBClusterParameterGroups" => groups::describe(world, request, GroupKind::Cluster),
        "ModifyDBParameterGroup" => groups::modify(world, request, GroupKind::Instance),
        "ModifyDBClusterParameterGroup" => groups::modify(world, request, GroupKind::Cluster),
        "DescribeDBParameters" => listings::parameters(world, request, GroupKind::Instance),
        "DescribeDBClusterParameters" => listings::parameters(world, request, GroupKind::Cluster),
        "DescribeDBEngineVersions" => listings::engine_versions(request),
        "DescribeCertificates" => listings::certificates(world, request),
        "ModifyCertificates" => listings::modify_certificates(world, request),
        "CreateOptionGroup" => options::create(world, request),
        "CopyOptionGroup" => options::copy(world, request),
        "DeleteOptionGroup" => options::delete(world, request),
        "DescribeOptionGroups" => options::describe(world, request),
        _ => return None,
    })
}

/// What goes with databases.
fn of_company(world: &mut World, request: &Request<'_>, operation: &str) -> Option<Answer> {
    Some(match operation {
        "CreateEventSubscription" => subscriptions::create(world, request),
        "DeleteEventSubscription" => subscriptions::delete(world, request),
        "DescribeEventSubscriptions" => subscriptions::describe(world, request),
        "AddSourceIdentifierToSubscription" => subscriptions::add_source(world, request),
        "RemoveSourceIdentifierFromSubscription" => subscriptions::remove_source(world, request),
        "CreateDBProxy" => proxies::create(world, request),
        "DeleteDBProxy" => proxies::delete(world, request),
        "DescribeDBProxies" => proxies::describe(world, request),
        "DescribeDBProxyTargetGroups" => proxies::describe_groups(world, request),
        "DescribeDBProxyTargets" => proxies::describe_targets(world, request),
        "ModifyDBProxy" => proxies::modify(world, request),
        "RegisterDBProxyTargets" => proxies::register(world, request),
        "DeregisterDBProxyTargets" => proxies::deregister(world, request),
        "DescribeDBInstanceAutomatedBackups" => backups::describe(world, request),
        "DeleteDBInstanceAutomatedBackup" => backups::delete(world, request),
        "DescribePendingMaintenanceActions" => backups::pending_maintenance(request),
        _ => return None,
    })
}

/// Members that name what a request is about, with the kind in its ARN; the first that is there counts.
const SUBJECTS: &[(&str, &str)] = &[
    ("BlueGreenDeploymentIdentifier", "deployment"),
    ("DBProxyName", "db-proxy"),
    ("SubscriptionName", "es"),
    ("OptionGroupName", "og"),
    ("TargetDBSnapshotIdentifier", "snapshot"),
    ("TargetDBClusterSnapshotIdentifier", "cluster-snapshot"),
    ("DBSnapshotIdentifier", "snapshot"),
    ("DBClusterSnapshotIdentifier", "cluster-snapshot"),
    ("DBInstanceIdentifier", "db"),
    ("DBClusterIdentifier", "cluster"),
    ("DBParameterGroupName", "pg"),
    ("DBClusterParameterGroupName", "cluster-pg"),
];

/// RDS has no resource documents: the caller's own policies decide. [Service Authorization Reference: Amazon RDS]
fn permit(world: &World, request: &Request<'_>, operation: &str) -> Result<(), ApiError> {
    let Request { origin, place, form } = request;
    let subject = SUBJECTS.iter().find_map(|(member, kind)| form.get(member).map(|name| (*kind, name)));
    let resource = match (form.get("ResourceName"), subject) {
        (Some(arn), _) | (None, Some((_, arn))) if arn.starts_with("arn:") => arn.to_owned(),
        (_, Some((kind, name))) => place.arn(kind, &name.to_ascii_lowercase()),
        _ => place.arn("*", "*"),
    };
    let mut context = crate::access::RequestContext::new();
    // Restores have no such member, and are taken for unencrypted, whatever their snapshot is: so a service control policy
    // against unencrypted databases stops them. [aws/aws-sdk-go-v2#2678]
    if operation.starts_with("Create") || operation.starts_with("Restore") {
        context.insert("rds:storageencrypted".to_owned(), vec![form.get("StorageEncrypted").unwrap_or("false").to_owned()]);
    }
    let action = format!("rds:{operation}");
    let ask = Ask { action: &action, resource: &resource, owner: &place.account, document: None, context };
    world.permit(origin, &ask).map_err(|denial| ApiError::new(403, "AccessDenied", denial.message))
}
