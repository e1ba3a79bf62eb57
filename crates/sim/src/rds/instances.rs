//! DB instances, once they are there: what they are, and their life by request. [rds:DBInstance]

use std::time::Duration;

use super::attachment::Attachment;
use super::describe::Shown;
use super::filters::{Filters, Page, identifier};
use super::members::Settings;
use super::rows::{self, Follow, Rows, Why};
use super::storage::Storage;
use super::transitions::{self, End};
use super::{Answer, Databases, GroupKind, Place, Request, errors, keys};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::world::World;

/// `CACertificateIdentifier` where nobody says. [RDS: Using SSL/TLS to encrypt a connection]
pub(super) const DEFAULT_CA: &str = "rds-ca-rsa2048-g1";
/// The status in which an instance can be changed.
pub(super) const AVAILABLE: &str = "available";
/// A snapshot is being taken.
pub(super) const BACKING_UP: &str = "backing-up";
/// Storage is being rearranged: everything else can be changed. [RDS: Viewing DB instance status]
pub(super) const OPTIMIZING: &str = "storage-optimization";
/// Its key can't be used, and it can be started once it can again.
pub(super) const RECOVERABLE: &str = "inaccessible-encryption-credentials-recoverable";
/// Its key can't be used for good.
pub(super) const INACCESSIBLE: &str = "inaccessible-encryption-credentials";

/// A DB instance.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) identifier: String,
    pub(super) resource_id: String,
    pub(super) engine: &'static str,
    pub(super) version: String,
    pub(super) class: String,
    pub(super) status: &'static str,
    /// The cluster it is a member of.
    pub(super) cluster: Option<String>,
    pub(super) created: Moment,
    pub(super) storage: Storage,
    pub(super) group: Attachment,
    /// Of a member: its cluster's group, as this member has read it.
    pub(super) cluster_group: Option<Attachment>,
    pub(super) authority: String,
    /// `PendingModifiedValues`.
    pub(super) pending: Vec<Pending>,
    pub(super) settings: Settings,
    pub(super) port: u16,
    pub(super) security_groups: Vec<String>,
    pub(super) subnet_group: String,
    pub(super) option_group: String,
    pub(super) roles: Vec<Role>,
    /// `EnabledCloudwatchLogsExports`.
    pub(super) logs: Vec<String>,
    /// `ProcessorFeatures`; none = the class's own.
    pub(super) processor: Vec<(String, String)>,
    pub(super) domain: Option<Domain>,
    /// The master password is Secrets Manager's.
    pub(super) secret: Option<Secret>,
    pub(super) tags: Vec<(String, String)>,
    /// What a member holds is its cluster's.
    pub(super) rows: Rows,
    pub(super) follows: Option<Follow>,
    /// It was the blue side of a switch-over. [RDS: Switching a blue/green deployment: "the blue environment is read-only"]
    pub(super) read_only: bool,
    /// Its automated backups stay when it goes.
    pub(super) keeps_backups: bool,
    /// When its name is in DNS.
    pub(super) resolves_from: Moment,
    /// When it was stopped.
    pub(super) stopped: Option<Moment>,
}

/// A change that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// Only a restart brings it; else the maintenance window does, or `ApplyImmediately`.
    pub(super) restart: bool,
}

/// `AssociatedRoles`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) feature: String,
}

/// `DomainMemberships`: member names with values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Domain {
    pub(super) members: Vec<(&'static str, String)>,
    pub(super) dns: Vec<String>,
}

/// `MasterUserSecret`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret {
    pub(super) arn: String,
    pub(super) key: String,
}

impl Instance {
    /// Statuses in which requests may change it.
    pub(super) fn is_changeable(&self) -> bool {
        [AVAILABLE, OPTIMIZING].contains(&self.status)
    }

    pub(super) fn retention(&self) -> u64 {
        self.settings.number("BackupRetentionPeriod").unwrap_or(1)
    }

    /// It is a read replica.
    pub(super) fn is_replica(&self) -> bool {
        self.follows.as_ref().is_some_and(|follow| follow.why == Why::Replica)
    }
}

impl Databases {
    /// An instance comes into a status.
    pub(super) fn enter(&mut self, now: Moment, identifier: &str, status: &'static str) {
        if let Some(instance) = self.instances.get_mut(identifier) {
            instance.status = status;
            if !instance.runs() {
                self.hang_up(now, identifier);
            }
            self.measure(now, identifier);
        }
    }

    /// Its read replicas' identifiers.
    pub(super) fn replicas_of(&self, resource_id: &str) -> Vec<&str> {
        let is_one = |one: &&Instance| one.is_replica() && one.follows.as_ref().is_some_and(|follow| follow.source == resource_id);
        self.instances.values().filter(is_one).map(|one| one.identifier.as_str()).collect()
    }

    pub(super) fn instance_of(&self, resource_id: &str) -> Option<&Instance> {
        self.instances.values().find(|one| one.resource_id == resource_id)
    }
}

/// The instance that a request names.
pub(super) fn find<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Instance, ApiError> {
    let name = identifier(request.form.need("DBInstanceIdentifier")?);
    world.rds.at(&request.place).instances.get_mut(&name).ok_or_else(|| errors::instance_not_found(&name))
}

/// The same, where its status allows a change.
pub(super) fn available<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Instance, ApiError> {
    let instance = find(world, request)?;
    if instance.is_changeable() {
        return Ok(instance);
    }
    Err(errors::instance_state("Database instance is not in available state."))
}

/// Puts it in a status until the transition ends.
pub(super) fn passing(
    world: &mut World,
    request: &Request<'_>,
    instance: &Instance,
    status: &'static str,
    then: (Duration, End),
) -> Answer {
    let now = world.now();
    let name = instance.identifier.clone();
    world.rds.at(&request.place).enter(now, &name, status);
    transitions::instance(world, &request.place, (&name, &instance.resource_id), then.0, then.1);
    shown(world, &request.place, &name)
}

/// The answer that tells of one instance.
pub(super) fn shown(world: &mut World, place: &Place, identifier: &str) -> Answer {
    let now = world.now();
    let databases = world.rds.at(place);
    let instance = databases.instances.get(identifier).ok_or_else(|| errors::instance_not_found(identifier))?;
    Ok(Element::default().child(Shown::new(place, databases, now).instance(instance)))
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Answer {
    let instance = find(world, request)?.clone();
    let form = &request.form;
    if instance.settings.is_on("DeletionProtection") {
        return Err(errors::combination("Cannot delete protected DB Instance, please disable deletion protection and try again."));
    }
    if instance.status == "deleting" {
        return Err(errors::instance_state(format!("Instance {} is already being deleted.", instance.identifier)));
    }
    kept(world, request, &instance.resource_id)?;
    let is_skipped = form.get("SkipFinalSnapshot") == Some("true");
    let last = form.get("FinalDBSnapshotIdentifier");
    if is_skipped && last.is_some() {
        return Err(errors::combination("FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot."));
    }
    if let (false, Some(_)) = (instance.cluster.is_none() && !instance.is_replica(), last) {
        return Err(errors::combination("FinalDBSnapshotIdentifier can not be specified when deleting a replica or a cluster's member."));
    }
    if instance.cluster.is_none() && !instance.is_replica() && !is_skipped {
        let Some(last) = last else {
            return Err(errors::combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."));
        };
        super::snapshots::take(world, request, GroupKind::Instance, (&instance.identifier, last))?;
    }
    find(world, request)?.keeps_backups = instance.cluster.is_none() && form.get("DeleteAutomatedBackups") == Some("false");
    passing(world, request, &instance, "deleting", (Duration::from_mins(5), End::Deleted))
}

/// What has a part in a blue/green deployment can't be deleted, stopped or renamed.
pub(super) fn kept(world: &mut World, request: &Request<'_>, resource_id: &str) -> Result<(), ApiError> {
    if world.rds.at(&request.place).is_deployed(resource_id) {
        return Err(errors::instance_state("The database is part of a blue/green deployment: delete the deployment first."));
    }
    Ok(())
}

/// Connections end and what waits for a restart comes. Only what is available can be rebooted. [rds:RebootDBInstance]
pub(super) fn reboot(world: &mut World, request: &Request<'_>) -> Answer {
    let instance = available(world, request)?.clone();
    if request.form.get("ForceFailover") == Some("true") && !instance.settings.is_on("MultiAZ") {
        return Err(errors::combination("ForceFailover can only be specified for a Multi-AZ DB instance."));
    }
    passing(world, request, &instance, "rebooting", (Duration::from_mins(1), End::Rebooted))
}

/// Also the way back for an instance that lost its key. [RDS: Overview of encrypting; rds:StartDBInstance]
pub(super) fn start(world: &mut World, request: &Request<'_>) -> Answer {
    let instance = find(world, request)?.clone();
    if !["stopped", RECOVERABLE].contains(&instance.status) {
        return Err(errors::instance_state(format!(
            "Instance {} cannot be started as it is not in one of the following statuses: 'stopped, \
             inaccessible-encryption-credentials-recoverable, incompatible-network (only for non-SQL Server instances)'.",
            instance.identifier
        )));
    }
    if let Some(key) = instance.storage.key().filter(|key| !keys::is_usable(world, key)) {
        return Err(keys::not_accessible(key));
    }
    passing(world, request, &instance, "starting", (Duration::from_mins(5), End::Rebooted))
}

/// Neither a replica nor the source of one can be stopped. After seven days it starts by itself.
/// [RDS: Stopping a DB instance temporarily]
pub(super) fn stop(world: &mut World, request: &Request<'_>) -> Answer {
    let instance = available(world, request)?.clone();
    if instance.cluster.is_some() {
        return Err(ApiError::bad_request("InvalidDBClusterStateFault", "Members of a cluster are stopped with it."));
    }
    kept(world, request, &instance.resource_id)?;
    let databases = world.rds.at(&request.place);
    if instance.follows.is_some() || !rows::followers(databases, &instance.resource_id).is_empty() {
        return Err(errors::instance_state("Cannot stop or start a read replica instance, or an instance that has a read replica."));
    }
    if let Some(last) = request.form.get("DBSnapshotIdentifier") {
        super::snapshots::take(world, request, GroupKind::Instance, (&instance.identifier, last))?;
    }
    passing(world, request, &instance, "stopping", (Duration::from_mins(5), End::Stopped))
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let filters = Filters::of(form, &["db-cluster-id", "db-instance-id", "dbi-resource-id", "domain", "engine"])?;
    let page = Page::of(form)?;
    let now = world.now();
    let databases = &*world.rds.at(place);
    let shown = Shown::new(place, databases, now);
    let passes = |instance: &Instance| {
        filters.pass(|name| match name {
            "db-cluster-id" => instance.cluster.clone().unwrap_or_default(),
            "db-instance-id" => instance.identifier.clone(),
            "dbi-resource-id" => instance.resource_id.clone(),
            "engine" => instance.engine.to_owned(),
            _ => instance.domain.iter().filter_map(|domain| domain.members.first()).map(|(_, id)| id.clone()).collect(),
        })
    };
    if let Some(name) = form.get("DBInstanceIdentifier") {
        let name = identifier(name);
        let instance = databases.instances.get(&name).ok_or_else(|| errors::instance_not_found(&name))?;
        let list = Element::new("DBInstances").children(passes(instance).then(|| shown.instance(instance)));
        return Ok(Element::default().child(list));
    }
    let all = databases.instances.range::<str, _>(page.from()).filter(|(_, instance)| passes(instance));
    Ok(page.listed("DBInstances", all.map(|(name, instance)| (name.clone(), shown.instance(instance)))))
}
