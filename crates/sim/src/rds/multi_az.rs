//! Multi-AZ DB clusters: a writer and two readers that come with the cluster. [RDS: Multi-AZ DB cluster deployments]

use super::attachment::Attachment;
use super::clusters::Cluster;
use super::instances::Instance;
use super::members::Settings;
use super::rows::Rows;
use super::{GroupKind, Request, engines, errors, groups, options, storage};
use crate::error::ApiError;
use crate::world::World;

/// Engines that have them. [RDS: Multi-AZ DB cluster deployments]
const ENGINES: &[&str] = &["mysql", "postgres"];

/// The members of a cluster that is being made. [rds:CreateDBCluster `DBClusterInstanceClass`: required for Multi-AZ DB clusters]
pub(super) fn members(world: &mut World, request: &Request<'_>, cluster: &Cluster) -> Result<Vec<Instance>, ApiError> {
    if !ENGINES.contains(&cluster.engine) {
        return Err(errors::value("Invalid DB engine"));
    }
    let class = request.form.need("DBClusterInstanceClass")?.to_owned();
    (1..=3).map(|number| member(world, request, cluster, (number, &class))).collect()
}

fn member(world: &mut World, request: &Request<'_>, cluster: &Cluster, (number, class): (u8, &str)) -> Result<Instance, ApiError> {
    let place = &request.place;
    let identifier = format!("{}-instance-{number}", cluster.identifier);
    let resource_id = storage::resource_id(world, "db");
    let (_, major) = engines::choose(cluster.engine, Some(&cluster.version))?;
    let databases = world.rds.at(place);
    if databases.instances.contains_key(&identifier) {
        return Err(errors::instance_exists());
    }
    let authority = databases.authority().to_owned();
    let group = Attachment::loaded(groups::find(databases, GroupKind::Instance, &format!("default.{}", major.family))?);
    let cluster_group = Attachment::loaded(groups::find(databases, GroupKind::Cluster, &cluster.group)?);
    let mut settings = Settings::default();
    for kept in ["AllocatedStorage", "BackupRetentionPeriod", "Iops", "MasterUsername", "StorageType"] {
        if let Some(value) = cluster.settings.get(kept) {
            settings.set(kept, value);
        }
    }
    settings.set("LicenseModel", engines::license(cluster.engine));
    settings.set("AvailabilityZone", &format!("{}{}", place.region, char::from(b'a' + number - 1)));
    Ok(Instance {
        identifier,
        resource_id,
        engine: cluster.engine,
        version: cluster.version.clone(),
        class: class.to_owned(),
        status: "creating",
        cluster: Some(cluster.identifier.clone()),
        created: cluster.created,
        storage: cluster.storage.clone(),
        group,
        cluster_group: Some(cluster_group),
        authority,
        pending: Vec::new(),
        settings,
        port: cluster.port,
        security_groups: cluster.security_groups.clone(),
        subnet_group: cluster.subnet_group.clone(),
        option_group: options::default_of(major),
        roles: Vec::new(),
        logs: cluster.logs.clone(),
        processor: Vec::new(),
        domain: None,
        secret: None,
        tags: Vec::new(),
        rows: Rows::default(),
        follows: None,
        read_only: false,
        keeps_backups: false,
        resolves_from: cluster.created,
        stopped: None,
    })
}
