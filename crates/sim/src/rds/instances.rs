//! DB instances. [rds:CreateDBInstance and its siblings]

use std::time::Duration;

use super::attachment::{ApplyStatus, Attachment};
use super::filters::{Filters, Page, identifier};
use super::members::{OF_INSTANCE, Settings};
use super::storage::{self, Storage};
use super::transitions::{self, End};
use super::{Answer, GroupKind, Place, Request, engines, errors, groups, keys, listings, tags};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::world::World;

/// `CACertificateIdentifier` where nobody says. [RDS: Using SSL/TLS to encrypt a connection]
pub(super) const DEFAULT_CA: &str = "rds-ca-rsa2048-g1";
/// The status in which an instance can be changed.
pub(super) const AVAILABLE: &str = "available";
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
    pub(super) tags: Vec<(String, String)>,
}

/// A change that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// Only a restart brings it; else the maintenance window does, or `ApplyImmediately`.
    pub(super) restart: bool,
}

pub(super) fn create(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    let name = new_identifier(world, request)?;
    let class = form.need("DBInstanceClass")?.to_owned();
    let engine = form.need("Engine")?;
    let cluster = form.get("DBClusterIdentifier").map(str::to_ascii_lowercase);
    if engines::is_clustered(engine) && cluster.is_none() {
        return Err(errors::combination(format!("The engine {engine} needs a DBClusterIdentifier.")));
    }
    let (resource_id, storage, version) = match &cluster {
        None => {
            let resource_id = storage::resource_id(world, "db");
            let (version, _) = engines::choose(engine, form.get("EngineVersion"))?;
            check_login(request)?;
            (resource_id.clone(), Storage::of(world, request, &resource_id, false)?, version)
        }
        Some(cluster) => {
            let resource_id = storage::resource_id(world, "db");
            let found = world.rds.at(&request.place).clusters.get(cluster).ok_or_else(|| errors::cluster_not_found(cluster))?;
            if found.engine != engine {
                return Err(errors::combination(format!("The engine of DBCluster {cluster} is {}.", found.engine)));
            }
            // Members live on their cluster's storage. [rds:CreateDBInstance `StorageEncrypted`]
            (resource_id, found.storage.clone(), found.version.clone())
        }
    };
    let made = Made { name, resource_id, class, engine, version, cluster, storage, settings: Settings::of(form, OF_INSTANCE) };
    finish(world, request, made, "creating", Duration::from_mins(5))
}

/// The name of a new instance. [rds:CreateDBInstance `DBInstanceIdentifier`]
fn new_identifier(world: &mut World, request: &Request<'_>) -> Result<String, ApiError> {
    let name = request.form.need("DBInstanceIdentifier")?.to_ascii_lowercase();
    check_identifier("DBInstanceIdentifier", &name)?;
    if world.rds.at(&request.place).instances.contains_key(&name) {
        return Err(ApiError::bad_request("DBInstanceAlreadyExists", "DB instance already exists"));
    }
    Ok(name)
}

/// 1 to 63 letters, digits and hyphens, a letter first, no hyphen at the end or twice.
pub(super) fn check_identifier(member: &str, name: &str) -> Result<(), ApiError> {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if letters && first && name.len() <= 63 && !name.ends_with('-') && !name.contains("--") {
        return Ok(());
    }
    Err(errors::value(format!(
        "The parameter {member} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, \
         digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
    )))
}

fn check_login(request: &Request<'_>) -> Result<(), ApiError> {
    request.form.need("MasterUsername")?;
    let managed = request.form.get("ManageMasterUserPassword") == Some("true");
    match request.form.get("MasterUserPassword") {
        Some(password) if password.len() < 8 => {
            Err(errors::value("The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters."))
        }
        None if !managed => Err(errors::value("The parameter MasterUserPassword must be provided and must not be blank.")),
        Some(_) | None => Ok(()),
    }
}

/// What a new instance is made of.
struct Made<'a> {
    name: String,
    resource_id: String,
    class: String,
    engine: &'a str,
    version: String,
    cluster: Option<String>,
    storage: Storage,
    settings: Settings,
}

fn finish(world: &mut World, request: &Request<'_>, made: Made<'_>, status: &'static str, takes: Duration) -> Answer {
    let Request { origin: _, place, form } = request;
    let Made { name, resource_id, class, engine, version, cluster, storage, mut settings } = made;
    let (_, major) = engines::choose(engine, Some(&version))?;
    let authority = form.get("CACertificateIdentifier").unwrap_or(DEFAULT_CA).to_owned();
    listings::check_authority(&authority)?;
    let created = world.now();
    let databases = world.rds.at(place);
    let default = format!("default.{}", major.family);
    let group = groups::find(databases, GroupKind::Instance, form.get("DBParameterGroupName").unwrap_or(&default))?;
    if group.family != major.family {
        return Err(errors::combination(format!(
            "The Parameter Group {} with DBParameterGroupFamily {} cannot be used for this instance. Please use a Parameter Group with \
             DBParameterGroupFamily {}",
            group.name, group.family, major.family
        )));
    }
    let group = Attachment::loaded(group);
    let cluster_group = cluster.as_ref().and_then(|cluster| databases.clusters.get(cluster)).map(|cluster| cluster.group.clone());
    let cluster_group = cluster_group.map(|name| groups::find(databases, GroupKind::Cluster, &name).map(|group| Attachment::loaded(group)));
    settings.set("LicenseModel", form.get("LicenseModel").unwrap_or_else(|| engines::license(engine)));
    if settings.get("AvailabilityZone").is_none() {
        settings.set("AvailabilityZone", &format!("{}a", place.region));
    }
    let instance = Instance {
        identifier: name.clone(),
        resource_id: resource_id.clone(),
        engine: major.engine,
        version,
        class,
        status,
        cluster: cluster.clone(),
        created,
        storage,
        group,
        cluster_group: cluster_group.transpose()?,
        authority,
        pending: Vec::new(),
        settings,
        port: form.get("Port").and_then(|port| port.parse().ok()).unwrap_or_else(|| engines::default_port(engine)),
        security_groups: form.values("VpcSecurityGroupIds.VpcSecurityGroupId"),
        tags: tags::of(form)?,
    };
    let element = element(place, &instance);
    databases.instances.insert(name.clone(), instance);
    if let Some(cluster) = cluster.and_then(|cluster| databases.clusters.get_mut(&cluster)) {
        cluster.members.push(name.clone());
    }
    transitions::instance(world, place, (&name, &resource_id), takes, End::Available);
    Ok(Element::default().child(element))
}

/// Encryption comes from the snapshot, and the parameter group falls to the default where none is named.
/// [rds:RestoreDBInstanceFromDBSnapshot: it has no `KmsKeyId`]
pub(super) fn restore(world: &mut World, request: &Request<'_>) -> Answer {
    let name = new_identifier(world, request)?;
    let source = identifier(request.form.need("DBSnapshotIdentifier")?);
    let snapshot = world.rds.at(&request.place).snapshots.get(&source).cloned();
    let snapshot = snapshot.ok_or_else(|| ApiError::new(404, "DBSnapshotNotFound", format!("DBSnapshot {source} not found.")))?;
    if snapshot.status != AVAILABLE {
        return Err(ApiError::bad_request("InvalidDBSnapshotState", format!("DBSnapshot {source} is not available.")));
    }
    let resource_id = storage::resource_id(world, "db");
    let storage = snapshot.storage.again(world, request, &resource_id)?;
    let mut settings = Settings::of(&request.form, OF_INSTANCE);
    for kept in ["AllocatedStorage", "MasterUsername", "DBName", "StorageType"] {
        if let (None, Some(value)) = (settings.get(kept), snapshot.settings.get(kept)) {
            settings.set(kept, value);
        }
    }
    let class = request.form.get("DBInstanceClass").unwrap_or(&snapshot.class).to_owned();
    let made = Made { name, resource_id, class, engine: snapshot.engine, version: snapshot.version, cluster: None, storage, settings };
    finish(world, request, made, "creating", Duration::from_mins(5))
}

/// The instance that a request names.
pub(super) fn find<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Instance, ApiError> {
    let name = identifier(request.form.need("DBInstanceIdentifier")?);
    world.rds.at(&request.place).instances.get_mut(&name).ok_or_else(|| errors::instance_not_found(&name))
}

/// The same, where its status allows a change.
pub(super) fn available<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Instance, ApiError> {
    let instance = find(world, request)?;
    if instance.status == AVAILABLE {
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
    let databases = world.rds.at(&request.place);
    let instance = databases.instances.get_mut(&instance.identifier).ok_or_else(|| errors::instance_not_found(&instance.identifier))?;
    instance.status = status;
    let (element, name, id) = (element(&request.place, instance), instance.identifier.clone(), instance.resource_id.clone());
    transitions::instance(world, &request.place, (&name, &id), then.0, then.1);
    Ok(Element::default().child(element))
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Answer {
    let instance = find(world, request)?.clone();
    let form = &request.form;
    if instance.settings.get("DeletionProtection") == Some("true") {
        return Err(errors::combination("Cannot delete protected DB Instance, please disable deletion protection and try again."));
    }
    if instance.status == "deleting" {
        return Err(errors::instance_state(format!("Instance {} is already being deleted.", instance.identifier)));
    }
    if instance.cluster.is_none() && form.get("SkipFinalSnapshot") != Some("true") {
        let Some(last) = form.get("FinalDBSnapshotIdentifier") else {
            return Err(errors::combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."));
        };
        super::snapshots::take(world, request, GroupKind::Instance, &instance.identifier, last)?;
    }
    passing(world, request, &instance, "deleting", (Duration::from_mins(2), End::Deleted))
}

pub(super) fn reboot(world: &mut World, request: &Request<'_>) -> Answer {
    let instance = available(world, request)?.clone();
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
        let message = format!("The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it.");
        return Err(ApiError::bad_request("KMSKeyNotAccessibleFault", message));
    }
    passing(world, request, &instance, "starting", (Duration::from_mins(3), End::Rebooted))
}

pub(super) fn stop(world: &mut World, request: &Request<'_>) -> Answer {
    let instance = available(world, request)?.clone();
    if instance.cluster.is_some() {
        return Err(ApiError::bad_request("InvalidDBClusterStateFault", "Members of a cluster are stopped with it."));
    }
    passing(world, request, &instance, "stopping", (Duration::from_mins(3), End::Stopped))
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let filters = Filters::of(form, &["db-cluster-id", "db-instance-id", "dbi-resource-id", "domain", "engine"])?;
    let page = Page::of(form)?;
    let databases = world.rds.at(place);
    let passes = |instance: &Instance| {
        filters.pass(|name| match name {
            "db-cluster-id" => instance.cluster.clone().unwrap_or_default(),
            "db-instance-id" => instance.identifier.clone(),
            "dbi-resource-id" => instance.resource_id.clone(),
            "engine" => instance.engine.to_owned(),
            _ => String::new(),
        })
    };
    if let Some(name) = form.get("DBInstanceIdentifier") {
        let name = identifier(name);
        let instance = databases.instances.get(&name).ok_or_else(|| errors::instance_not_found(&name))?;
        let list = Element::new("DBInstances").children(passes(instance).then(|| element(place, instance)));
        return Ok(Element::default().child(list));
    }
    let all = databases.instances.range::<str, _>(page.from()).filter(|(_, instance)| passes(instance));
    Ok(page.listed("DBInstances", all.map(|(name, instance)| (name.clone(), element(place, instance)))))
}

/// `DBInstance`. [rds:DBInstance]
pub(super) fn element(place: &Place, instance: &Instance) -> Element {
    let attached = Element::new("DBParameterGroup")
        .text("DBParameterGroupName", &instance.group.name)
        .text("ParameterApplyStatus", instance.group.status.as_str());
    let options = Element::new("OptionGroupMembership")
        .text("OptionGroupName", format!("default:{}", instance.engine))
        .text("Status", ApplyStatus::InSync.as_str());
    let mut element = Element::new("DBInstance")
        .text("DBInstanceIdentifier", &instance.identifier)
        .text("DBInstanceArn", place.arn("db", &instance.identifier))
        .text("DbiResourceId", &instance.resource_id)
        .text("DBInstanceClass", &instance.class)
        .text("Engine", instance.engine)
        .text("EngineVersion", &instance.version)
        .text("DBInstanceStatus", instance.status)
        .maybe("DBClusterIdentifier", instance.cluster.as_deref())
        .text("CACertificateIdentifier", &instance.authority)
        .child(listings::certificate_details(&instance.authority))
        .child(Element::new("DBParameterGroups").child(attached))
        .child(Element::new("OptionGroupMemberships").child(options))
        .child(pending(&instance.pending))
        .child(security_groups(&instance.security_groups))
        .child(tags::element(&instance.tags));
    if instance.status != "creating" {
        let endpoint = Element::new("Endpoint").text("Address", storage::endpoint(place, &instance.identifier)).text("Port", instance.port);
        element = element.child(endpoint).text("InstanceCreateTime", instance.created.iso8601());
    }
    element = instance.storage.members(element, "StorageEncrypted");
    instance.settings.members(element, OF_INSTANCE)
}

pub(super) fn security_groups(groups: &[String]) -> Element {
    let membership = |group: &String| Element::new("VpcSecurityGroupMembership").text("VpcSecurityGroupId", group).text("Status", "active");
    Element::new("VpcSecurityGroups").children(groups.iter().map(membership))
}

fn pending(pending: &[Pending]) -> Element {
    let shown = |value: &Pending| if value.name == "MasterUserPassword" { "****".to_owned() } else { value.value.clone() };
    pending.iter().fold(Element::new("PendingModifiedValues"), |element, value| element.text(value.name, shown(value)))
}
