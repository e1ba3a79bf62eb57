//! Instances as `Describe…` tells them. [rds:DBInstance]

use std::collections::BTreeMap;
use std::time::Duration;

use super::attachment::ApplyStatus;
use super::instances::{Domain, Instance, Pending, Role};
use super::members::OF_INSTANCE;
use super::{Databases, Place, listings, storage, tags};
use crate::moment::Moment;
use crate::wire::xml::Element;

/// Automated backups reach up to five minutes before now. [RDS: Point-in-time recovery]
const LOGS_EVERY: Duration = Duration::from_mins(5);
/// A stopped instance starts by itself. [RDS: Stopping a DB instance temporarily]
pub(super) const STOPPED_FOR: Duration = Duration::from_hours(7 * 24);
/// Changes that show in `PendingModifiedValues`. [rds:PendingModifiedValues]
const PENDING: &[&str] = &[
    "AllocatedStorage",
    "BackupRetentionPeriod",
    "CACertificateIdentifier",
    "DBInstanceClass",
    "DBInstanceIdentifier",
    "DBSubnetGroupName",
    "DedicatedLogVolume",
    "EngineVersion",
    "IAMDatabaseAuthenticationEnabled",
    "Iops",
    "LicenseModel",
    "MasterUserPassword",
    "MultiAZ",
    "Port",
    "StorageThroughput",
    "StorageType",
];

/// Who is told of: an account's databases in a region, at a time.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    place: &'a Place,
    databases: &'a Databases,
    now: Moment,
    /// Replicas' identifiers by their source's resource id: found once for all that is told.
    replicas: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(place: &'a Place, databases: &'a Databases, now: Moment) -> Self {
        let mut replicas: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for instance in databases.instances.values().filter(|one| one.is_replica()) {
            if let Some(follow) = &instance.follows {
                replicas.entry(&follow.source).or_default().push(&instance.identifier);
            }
        }
        Self { place, databases, now, replicas }
    }

    /// `DBInstance`.
    pub(super) fn instance(&self, instance: &Instance) -> Element {
        let place = self.place;
        let mut element = Element::new("DBInstance")
            .text("DBInstanceIdentifier", &instance.identifier)
            .text("DBInstanceArn", place.arn("db", &instance.identifier))
            .text("DbiResourceId", &instance.resource_id)
            .text("DBInstanceClass", &instance.class)
            .text("Engine", instance.engine)
            .text("EngineVersion", &instance.version)
            .text("DBInstanceStatus", instance.status)
            .text("DbInstancePort", 0)
            .maybe("DBClusterIdentifier", instance.cluster.as_deref())
            .text("CACertificateIdentifier", &instance.authority)
            .child(listings::certificate_details(&instance.authority))
            .child(groups(instance))
            .child(option_groups(instance))
            .child(pending(&instance.pending))
            .child(security_groups(&instance.security_groups))
            .child(storage::subnet_group(place, &instance.subnet_group))
            .child(roles("DBInstanceRole", &instance.roles))
            .child(Element::new("DomainMemberships").children(instance.domain.as_ref().map(domain)))
            .child(tags::element(&instance.tags));
        if !instance.logs.is_empty() {
            element = element.child(logs(&instance.logs));
        }
        if !instance.processor.is_empty() {
            element = element.child(processor(&instance.processor));
        }
        if let Some(secret) = &instance.secret {
            let told = Element::new("MasterUserSecret").text("SecretArn", &secret.arn).text("SecretStatus", "active");
            element = element.child(told.text("KmsKeyId", &secret.key));
        }
        if instance.status != "creating" {
            let endpoint = Element::new("Endpoint").text("Address", storage::endpoint(place, &instance.identifier));
            element = element.child(endpoint.text("Port", instance.port).text("HostedZoneId", "Z2R2ITUGPM61AM"));
            element = element.text("InstanceCreateTime", instance.created.iso8601());
        }
        element = self.replication(element, instance);
        element = self.times(element, instance);
        element = instance.storage.members(element, "StorageEncrypted");
        instance.settings.members(element, OF_INSTANCE)
    }

    /// Links name what is linked as it is called now.
    fn replication(&self, element: Element, instance: &Instance) -> Element {
        let replicas = self.replicas.get(instance.resource_id.as_str());
        let list = replicas
            .into_iter()
            .flatten()
            .fold(Element::new("ReadReplicaDBInstanceIdentifiers"), |list, name| list.text("ReadReplicaDBInstanceIdentifier", *name));
        let follows = instance.follows.as_ref().filter(|_| instance.is_replica());
        let source = follows.and_then(|follow| self.databases.instance_of(&follow.source));
        let element = element.child(list).maybe("ReadReplicaSourceDBInstanceIdentifier", source.map(|one| &one.identifier));
        if source.is_none() {
            return element;
        }
        let state = Element::new("DBInstanceStatusInfo").text("StatusType", "read replication");
        let state = state.text("Normal", true).text("Status", "replicating");
        element.child(Element::new("StatusInfos").child(state))
    }

    fn times(&self, element: Element, instance: &Instance) -> Element {
        let has_backups = instance.retention() > 0 && instance.cluster.is_none() && instance.status != "creating";
        let step = u64::try_from(LOGS_EVERY.as_millis()).unwrap_or(u64::MAX);
        let latest = (self.now.0 / step * step).max(instance.created.0);
        element
            .maybe("LatestRestorableTime", has_backups.then(|| Moment(latest).iso8601()))
            .maybe("AutomaticRestartTime", instance.stopped.map(|at| (at + STOPPED_FOR).iso8601()))
    }
}

fn groups(instance: &Instance) -> Element {
    let attached = Element::new("DBParameterGroup")
        .text("DBParameterGroupName", &instance.group.name)
        .text("ParameterApplyStatus", instance.group.status.as_str());
    Element::new("DBParameterGroups").child(attached)
}

fn option_groups(instance: &Instance) -> Element {
    let membership = |name: &str, status: &str| Element::new("OptionGroupMembership").text("OptionGroupName", name).text("Status", status);
    let waiting = instance.pending.iter().find(|pending| pending.name == "OptionGroupName");
    Element::new("OptionGroupMemberships")
        .child(membership(&instance.option_group, ApplyStatus::InSync.as_str()))
        .children(waiting.map(|pending| membership(&pending.value, "pending-maintenance-apply")))
}

pub(super) fn security_groups(groups: &[String]) -> Element {
    let membership = |group: &String| Element::new("VpcSecurityGroupMembership").text("VpcSecurityGroupId", group).text("Status", "active");
    Element::new("VpcSecurityGroups").children(groups.iter().map(membership))
}

/// `AssociatedRoles`, of `DBInstanceRole` or `DBClusterRole`.
pub(super) fn roles(element: &'static str, roles: &[Role]) -> Element {
    let role = |role: &Role| {
        let feature = Some(&role.feature).filter(|feature| !feature.is_empty());
        Element::new(element).text("RoleArn", &role.arn).maybe("FeatureName", feature).text("Status", "ACTIVE")
    };
    Element::new("AssociatedRoles").children(roles.iter().map(role))
}

pub(super) fn logs(names: &[String]) -> Element {
    names.iter().fold(Element::new("EnabledCloudwatchLogsExports"), |list, name| list.text("member", name))
}

fn processor(features: &[(String, String)]) -> Element {
    let feature = |(name, value): &(String, String)| Element::new("ProcessorFeature").text("Name", name).text("Value", value);
    Element::new("ProcessorFeatures").children(features.iter().map(feature))
}

fn domain(domain: &Domain) -> Element {
    let Domain { members, dns } = domain;
    let element = Element::new("DomainMembership").text("Status", "joined");
    let element = members.iter().fold(element, |element, (name, value)| element.text(*name, value));
    element.child(dns.iter().fold(Element::new("DnsIps"), |list, address| list.text("member", address)))
}

fn pending(pending: &[Pending]) -> Element {
    let shown = |value: &Pending| if value.name == "MasterUserPassword" { "****".to_owned() } else { value.value.clone() };
    let known = pending.iter().filter(|value| PENDING.contains(&value.name));
    known.fold(Element::new("PendingModifiedValues"), |element, value| element.text(value.name, shown(value)))
}
