//! New instances: created, restored from a snapshot, made as a replica. [rds:CreateDBInstance and its siblings]

use std::time::Duration;

use super::attachment::Attachment;
use super::filters::identifier;
use super::instances::{AVAILABLE, Instance};
use super::members::{OF_INSTANCE, Settings};
use super::rows::{Follow, Rows, Why};
use super::storage::{self, Storage};
use super::transitions::{self, End};
use super::{Answer, GroupKind, Request, choices, engines, errors, groups, instances, listings, options, tags};
use crate::error::ApiError;
use crate::world::World;

pub(super) fn create(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    let name = new_identifier(world, request)?;
    let class = form.need("DBInstanceClass")?.to_owned();
    let engine = form.need("Engine")?;
    let cluster = form.get("DBClusterIdentifier").map(str::to_ascii_lowercase);
    if engines::is_clustered(engine) && cluster.is_none() {
        return Err(errors::combination(format!("The engine {engine} needs a DBClusterIdentifier.")));
    }
    let resource_id = storage::resource_id(world, "db");
    let (storage, version, port) = match &cluster {
        None => {
            let (version, _) = engines::choose(engine, form.get("EngineVersion"))?;
            check_login(request)?;
            (Storage::of(world, request, &resource_id, false)?, version, engines::default_port(engine))
        }
        Some(cluster) => {
            let found = world.rds.at(&request.place).clusters.get(cluster).ok_or_else(|| errors::cluster_not_found(cluster))?;
            if found.engine != engine {
                return Err(errors::combination(format!("The engine of DBCluster {cluster} is {}.", found.engine)));
            }
            if ["creating", "deleting", "stopped"].contains(&found.status) {
                return Err(errors::cluster_state(format!("DBCluster {cluster} is not in available state.")));
            }
            // Members live on their cluster's storage. [rds:CreateDBInstance `StorageEncrypted`]
            (found.storage.clone(), found.version.clone(), found.port)
        }
    };
    let settings = Settings::of(form, OF_INSTANCE);
    let mut made = Made::new((name, resource_id), class, engine, version, storage);
    made.cluster = cluster;
    made.settings = settings;
    made.port = port;
    made.tags = tags::of(form)?;
    finish(world, request, made, Duration::from_mins(5))
}

/// The name of a new instance. [rds:CreateDBInstance `DBInstanceIdentifier`]
fn new_identifier(world: &mut World, request: &Request<'_>) -> Result<String, ApiError> {
    let name = request.form.need("DBInstanceIdentifier")?.to_ascii_lowercase();
    check_identifier("DBInstanceIdentifier", &name)?;
    if world.rds.at(&request.place).instances.contains_key(&name) {
        return Err(errors::instance_exists());
    }
    Ok(name)
}

/// 1 to 63 letters, digits and hyphens, a letter first, no hyphen at the end or twice.
pub(super) fn check_identifier(member: &str, name: &str) -> Result<(), ApiError> {
    check_name(member, name, 63)
}

/// The same up to another length.
pub(super) fn check_name(member: &str, name: &str, most: usize) -> Result<(), ApiError> {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if letters && first && name.len() <= most && !name.ends_with('-') && !name.contains("--") {
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
        Some(_) if managed => Err(errors::combination("You can't specify MasterUserPassword when ManageMasterUserPassword is turned on.")),
        Some(password) if password.len() < 8 => {
            Err(errors::value("The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters."))
        }
        None if !managed => Err(errors::value("The parameter MasterUserPassword must be provided and must not be blank.")),
        Some(_) | None => Ok(()),
    }
}

/// What a new instance is made of, apart from what its request says.
pub(super) struct Made<'a> {
    name: String,
    resource_id: String,
    class: String,
    engine: &'a str,
    version: String,
    storage: Storage,
    cluster: Option<String>,
    pub(super) settings: Settings,
    pub(super) port: u16,
    pub(super) tags: Vec<(String, String)>,
    rows: Rows,
    follows: Option<Follow>,
    /// Where the request names none: the engine's default.
    group: Option<String>,
    option_group: Option<String>,
}

impl<'a> Made<'a> {
    fn new((name, resource_id): (String, String), class: String, engine: &'a str, version: String, storage: Storage) -> Self {
        Self {
            name,
            resource_id,
            class,
            engine,
            version,
            storage,
            cluster: None,
            settings: Settings::default(),
            port: engines::default_port(engine),
            tags: Vec::new(),
            rows: Rows::default(),
            follows: None,
            group: None,
            option_group: None,
        }
    }
}

fn finish(world: &mut World, request: &Request<'_>, made: Made<'_>, takes: Duration) -> Answer {
    let Request { origin: _, place, form } = request;
    let Made { name, resource_id, class, engine, version, storage, cluster, mut settings, port, tags, rows, follows, group, option_group } =
        made;
    let (_, major) = engines::choose(engine, Some(&version))?;
    choices::check(&settings, engine)?;
    choices::pass_monitoring_role(world, request)?;
    let secret = choices::secret(world, request, &resource_id)?;
    let now = world.now();
    let databases = world.rds.at(place);
    let authority = form.get("CACertificateIdentifier").unwrap_or(databases.authority()).to_owned();
    listings::check_authority(&authority)?;
    let group = form.get("DBParameterGroupName").map(str::to_owned).or(group).unwrap_or_else(|| format!("default.{}", major.family));
    let group = Attachment::loaded(groups::of_family(databases, GroupKind::Instance, &group, major.family)?);
    let cluster_group = cluster.as_ref().and_then(|cluster| databases.clusters.get(cluster)).map(|cluster| cluster.group.clone());
    let cluster_group = cluster_group.map(|name| groups::find(databases, GroupKind::Cluster, &name).map(|group| Attachment::loaded(group)));
    let option_group = form.get("OptionGroupName").map(str::to_owned).or(option_group).unwrap_or_else(|| options::default_of(major));
    options::check(databases, &option_group, major)?;
    choices::fill(&mut settings, engine, request);
    let instance = Instance {
        identifier: name.clone(),
        resource_id: resource_id.clone(),
        engine: major.engine,
        version,
        class,
        status: "creating",
        cluster: cluster.clone(),
        created: now,
        storage,
        group,
        cluster_group: cluster_group.transpose()?,
        authority,
        pending: Vec::new(),
        settings,
        port: choices::port(form, "Port", port)?,
        security_groups: choices::security_groups(form, place)?,
        subnet_group: form.get("DBSubnetGroupName").unwrap_or("default").to_ascii_lowercase(),
        option_group,
        roles: Vec::new(),
        logs: form.values("EnableCloudwatchLogsExports.member"),
        processor: choices::processor(form),
        domain: choices::domain(form),
        secret,
        tags,
        rows,
        follows,
        read_only: false,
        keeps_backups: false,
        resolves_from: now,
        stopped: None,
    };
    databases.instances.insert(name.clone(), instance);
    if let Some(cluster) = cluster.and_then(|cluster| databases.clusters.get_mut(&cluster)) {
        cluster.members.push(name.clone());
    }
    transitions::instance(world, place, (&name, &resource_id), takes, End::Available);
    instances::shown(world, place, &name)
}

/// What a restored instance has from its snapshot where the request doesn't say; all else falls to the defaults of a new one:
/// default parameter, option and security group, Single-AZ, `gp3`, no log exports, no IAM authentication, no protection.
/// [rds:RestoreDBInstanceFromDBSnapshot, member by member]
const KEPT: &[&str] =
    &["AllocatedStorage", "BackupRetentionPeriod", "CharacterSetName", "DBName", "Iops", "LicenseModel", "MasterUsername", "Timezone"];

/// Encryption comes from the snapshot. [rds:RestoreDBInstanceFromDBSnapshot: it has no `KmsKeyId`]
pub(super) fn restore(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    let name = new_identifier(world, request)?;
    let source = identifier(form.need("DBSnapshotIdentifier")?);
    let snapshot = world.rds.at(&request.place).snapshots.get(&source).cloned();
    let snapshot = snapshot.ok_or_else(|| ApiError::new(404, "DBSnapshotNotFound", format!("DBSnapshot {source} not found.")))?;
    if snapshot.status != AVAILABLE {
        return Err(ApiError::bad_request("InvalidDBSnapshotState", format!("DBSnapshot {source} is not available.")));
    }
    if form.get("Engine").is_some_and(|engine| engine != snapshot.engine) {
        return Err(errors::combination(format!("The snapshot can't be restored to another engine than {}.", snapshot.engine)));
    }
    if form.get("ManageMasterUserPassword") == Some("true") && !snapshot.engine.starts_with("oracle") {
        return Err(errors::combination(format!("ManageMasterUserPassword isn't supported when restoring {}.", snapshot.engine)));
    }
    let mut settings = Settings::of(form, OF_INSTANCE);
    for kept in KEPT {
        if let Some(value) = snapshot.settings.get(kept) {
            settings.set_default(kept, value);
        }
    }
    settings.set_default("StorageType", if form.get("Iops").is_some() { "io1" } else { "gp3" });
    let smallest = snapshot.settings.number("AllocatedStorage").unwrap_or_default();
    if settings.number("AllocatedStorage").is_some_and(|size| size < smallest) {
        return Err(errors::combination(format!("The allocated storage size can't be less than the snapshot's {smallest} GiB.")));
    }
    let resource_id = storage::resource_id(world, "db");
    let storage = snapshot.storage.again(world, request, &resource_id)?;
    let class = form.get("DBInstanceClass").unwrap_or(&snapshot.class).to_owned();
    let mut made = Made::new((name, resource_id), class, snapshot.engine, snapshot.version, storage);
    made.settings = settings;
    made.port = snapshot.port;
    // "If there are no new tags, RDS looks for the tags from the source DB instance." [`CopyTagsToSnapshot`]
    let tags = tags::of(form)?;
    made.tags = if tags.is_empty() { snapshot.source_tags } else { tags };
    made.rows = snapshot.rows;
    finish(world, request, made, Duration::from_mins(20))
}

/// What a replica has from its source where the request doesn't say. [rds:CreateDBInstanceReadReplica, member by member]
const OF_SOURCE: &[&str] = &[
    "AllocatedStorage",
    "AutoMinorVersionUpgrade",
    "CharacterSetName",
    "DBName",
    "Iops",
    "LicenseModel",
    "MasterUsername",
    "MaxAllocatedStorage",
    "StorageThroughput",
    "StorageType",
    "Timezone",
];

/// It is encrypted as its source is: neither may the one be and the other not. [RDS: Encrypting Amazon RDS resources]
pub(super) fn replica(world: &mut World, request: &Request<'_>) -> Answer {
    let form = &request.form;
    let name = new_identifier(world, request)?;
    let named = identifier(form.need("SourceDBInstanceIdentifier")?);
    let source = world.rds.at(&request.place).instances.get(&named).cloned().ok_or_else(|| errors::instance_not_found(&named))?;
    if !source.is_changeable() {
        return Err(errors::instance_state("Database instance is not in available state."));
    }
    if source.retention() == 0 && !source.is_replica() {
        return Err(errors::instance_state(
            "Automated backups are not enabled for this database instance. To enable automated backups, use ModifyDBInstance to set the \
             backup retention period to a non-zero value.",
        ));
    }
    if form.get("KmsKeyId").is_some_and(|key| !key.is_empty()) {
        return Err(errors::combination("KmsKeyId can't be specified for a read replica in the Region of its source."));
    }
    let mut settings = Settings::of(form, OF_INSTANCE);
    for kept in OF_SOURCE {
        if let Some(value) = source.settings.get(kept) {
            settings.set_default(kept, value);
        }
    }
    settings.set_default("BackupRetentionPeriod", "0");
    if source.engine.starts_with("oracle") {
        settings.set_default("ReplicaMode", "open-read-only");
    }
    let resource_id = storage::resource_id(world, "db");
    let storage = source.storage.again(world, request, &resource_id)?;
    let class = form.get("DBInstanceClass").unwrap_or(&source.class).to_owned();
    let mut made = Made::new((name, resource_id), class, source.engine, source.version, storage);
    made.settings = settings;
    made.tags = tags::of(form)?;
    made.rows = source.rows.at(world.now());
    made.follows = Some(Follow { source: source.resource_id, why: Why::Replica, lag: Duration::ZERO });
    made.group = Some(source.group.name);
    made.option_group = Some(source.option_group);
    finish(world, request, made, Duration::from_mins(20))
}

/// It becomes an instance of its own, with what it has got so far. Backups are on for a day where nobody says.
/// [rds:PromoteReadReplica]
pub(super) fn promote(world: &mut World, request: &Request<'_>) -> Answer {
    let now = world.now();
    let instance = instances::available(world, request)?;
    if !instance.is_replica() {
        return Err(errors::instance_state(format!("DB Instance {} is not a read replica.", instance.identifier)));
    }
    instance.follows = None;
    instance.rows = instance.rows.at(now);
    instance.settings.unset("ReplicaMode");
    instance.settings.set("BackupRetentionPeriod", request.form.get("BackupRetentionPeriod").unwrap_or("1"));
    if let Some(window) = request.form.get("PreferredBackupWindow") {
        instance.settings.set("PreferredBackupWindow", window);
    }
    let instance = instance.clone();
    instances::passing(world, request, &instance, "modifying", (Duration::from_mins(5), End::Rebooted))
}
