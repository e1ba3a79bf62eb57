//! Old and copy, field by field: what a restore lost, what can be set, and what only a person can carry over.
//! (AWS-FACTS §8.2, items 5 to 8.)

use std::collections::BTreeSet;

use serde_json::Value;

use super::family::Db;
use super::observed::{ClusterSettings, DatabaseSurroundings, InstanceSettings};
use crate::inventory::Reading;

/// Fields that differ for a good reason: the zone is AWS's choice; the copy is not protected until it is in use; replicas
/// and streams are told of in [`by_hand`]; the rest is compared in its own way.
const NOT_COMPARED: &[&str] = &[
    "availabilityZone",
    "deletionProtection",
    "replicaOf",
    "readReplicas",
    "replicaMode",
    "activityStream",
    "associatedRoles",
    "allocatedStorage",
    "globalCluster",
];
/// What no call changes once a database is there.
const FIXED: &[&str] =
    &["dbSubnetGroup", "timezone", "multiTenant", "engineLifecycleSupport", "engineMode", "databaseName", "engineVersion"];

/// One field that is not alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) field: String,
    pub(super) old: String,
    pub(super) copy: String,
    /// A call can set it.
    pub(super) can_be_set: bool,
}

impl Difference {
    pub(super) fn words(&self) -> String {
        format!("{}: {} on the old database, {} on the copy", self.field, self.old, self.copy)
    }
}

/// The instance's settings as the copy must have them: with its own security groups while it is isolated, and unprotected
/// until it is in use.
pub(super) fn instance_target(old: &Db<'_>) -> Option<InstanceSettings> {
    let mut settings = old.instance_settings()?.clone();
    if let Some(groups) = old.groups_before_isolation() {
        settings.vpc_security_groups = groups;
    }
    settings.availability_zone = None;
    settings.deletion_protection = false;
    settings.replica_of = None;
    settings.read_replicas = BTreeSet::new();
    settings.activity_stream = false;
    Some(settings)
}

/// The same for clusters.
pub(super) fn cluster_target(old: &Db<'_>) -> Option<ClusterSettings> {
    let mut settings = old.cluster_settings()?.clone();
    if let Some(groups) = old.groups_before_isolation() {
        settings.vpc_security_groups = groups;
    }
    settings.deletion_protection = false;
    settings.replica_of = None;
    settings.read_replicas = BTreeSet::new();
    settings.activity_stream = false;
    settings.global_cluster = None;
    Some(settings)
}

fn target(old: &Db<'_>) -> Option<Value> {
    let instance = instance_target(old).and_then(|settings| serde_json::to_value(settings).ok());
    instance.or_else(|| cluster_target(old).and_then(|settings| serde_json::to_value(settings).ok()))
}

/// What is not alike; `None`: the settings of one of them were not read.
pub(super) fn differences(old: &Db<'_>, copy: &Db<'_>) -> Option<Vec<Difference>> {
    let (wanted, found) = (target(old)?, copy.settings()?);
    let (wanted, found) = (wanted.as_object()?, found.as_object()?);
    let mut different: Vec<Difference> = wanted
        .iter()
        .filter(|(field, value)| !NOT_COMPARED.contains(&field.as_str()) && found.get(*field) != Some(value))
        .map(|(field, value)| difference(field, value, found.get(field)))
        .collect();
    let size = |settings: &serde_json::Map<String, Value>| settings.get("allocatedStorage").and_then(Value::as_u64);
    if size(wanted).is_some_and(|wanted| size(found).is_none_or(|found| found < wanted)) {
        different.push(difference("allocatedStorage", &wanted["allocatedStorage"], found.get("allocatedStorage")));
    }
    if old.engine_version != copy.engine_version {
        different.push(difference("engineVersion", &old.engine_version.into(), Some(&copy.engine_version.into())));
    }
    Some(different)
}

fn difference(field: &str, old: &Value, copy: Option<&Value>) -> Difference {
    Difference { field: field.to_owned(), old: words(Some(old)), copy: words(copy), can_be_set: !FIXED.contains(&field) }
}

fn words(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(on)) => if *on { "on" } else { "off" }.to_owned(),
        Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
        Some(Value::Array(items)) => items.iter().map(|item| words(Some(item))).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    }
}

/// The copy's settings with what can be set as it is on the old one: `before` and `after` of one call.
pub(super) fn corrected<S: serde::Serialize + serde::de::DeserializeOwned>(copy: &S, wanted: &S, different: &[Difference]) -> Option<S> {
    let (mut after, wanted) = (serde_json::to_value(copy).ok()?, serde_json::to_value(wanted).ok()?);
    for Difference { field, can_be_set, .. } in different {
        if *can_be_set {
            after[field] = wanted[field].clone();
        }
    }
    serde_json::from_value(after).ok()
}

/// Roles that the old database has and the copy lacks: feature and ARN.
pub(super) fn missing_roles(old: &Db<'_>, copy: &Db<'_>) -> Vec<(String, String)> {
    let roles = |db: &Db<'_>| {
        let instance = db.instance_settings().map(|settings| settings.associated_roles.clone());
        instance.or_else(|| db.cluster_settings().map(|settings| settings.associated_roles.clone())).unwrap_or_default()
    };
    let there = roles(copy);
    roles(old).into_iter().filter(|(feature, role)| there.get(feature) != Some(role)).collect()
}

/// What no step carries over, and what a person must know before the switch.
pub(super) fn by_hand(old: &Db<'_>, name: &str, surroundings: Option<&DatabaseSurroundings>) -> Vec<String> {
    let mut said = Vec::new();
    let (replicas, stream, secret, iam) = match (old.instance_settings(), old.cluster_settings()) {
        (Some(settings), _) => {
            let InstanceSettings { read_replicas, activity_stream, manage_master_user_password, iam_database_authentication, .. } =
                settings;
            (read_replicas, *activity_stream, *manage_master_user_password, *iam_database_authentication)
        }
        (None, Some(settings)) => {
            let ClusterSettings { read_replicas, activity_stream, manage_master_user_password, iam_database_authentication, .. } = settings;
            (read_replicas, *activity_stream, *manage_master_user_password, *iam_database_authentication)
        }
        (None, None) => return said,
    };
    if !replicas.is_empty() {
        let replicas = replicas.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        said.push(format!(
            "Read replicas ({replicas}) stay attached to the old database, and unencrypted: create them anew from {name} after the switch."
        ));
    }
    if stream {
        said.push(format!("The database activity stream does not come along: start it on {name} after the switch (StartActivityStream)."));
    }
    if secret {
        said.push(format!(
            "The master password lives in Secrets Manager: {name} gets a new secret. Let its readers and its rotation use that one."
        ));
    }
    if iam {
        let id = old.resource_id.unwrap_or("its resource id");
        said.push(format!("IAM policies that allow rds-db:connect to {id} must name the new database's resource id as well."));
    }
    let Some(DatabaseSurroundings { alarms, automated_backup_replications, .. }) = surroundings else { return said };
    if let Some(alarms) = alarms.known().filter(|alarms| !alarms.is_empty()) {
        let alarms = alarms.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        said.push(format!("Alarms go by name and will watch the new {name}: {alarms}."));
    }
    match automated_backup_replications {
        Reading::Known(regions) if !regions.is_empty() => {
            let regions = regions.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            said.push(format!("Replication of automated backups ({regions}) must be started anew for {name}."));
        }
        Reading::Known(_) | Reading::NotRead => {}
        Reading::Unreadable { unreadable } => said.push(format!(
            "Whether automated backups are replicated could not be read ({}): look, and start it anew for {name}.",
            unreadable.message
        )),
    }
    said
}
