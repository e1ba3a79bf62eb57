//! Databases and parameter groups.

use std::collections::BTreeMap;

use super::Standing;
use crate::inventory::{DbParameterGroup, Reading};
use crate::plan::change::{ParameterGroupKind, ParameterValue};
use crate::rds::observed::{AttachedParameterGroup, DbParameter};
use crate::{Arn, Inventory};

type Groups = BTreeMap<String, Reading<DbParameterGroup>>;

fn groups(inventory: &Inventory, kind: ParameterGroupKind) -> &Groups {
    match kind {
        ParameterGroupKind::Instance => &inventory.db_parameter_groups,
        ParameterGroupKind::Cluster => &inventory.db_cluster_parameter_groups,
    }
}

fn groups_mut(inventory: &mut Inventory, kind: ParameterGroupKind) -> &mut Groups {
    match kind {
        ParameterGroupKind::Instance => &mut inventory.db_parameter_groups,
        ParameterGroupKind::Cluster => &mut inventory.db_cluster_parameter_groups,
    }
}

/// Parameter values are text, and `on`, `ON` and `1` are one value to the engines. [RDS: working with parameters]
fn same_value(a: Option<&str>, b: Option<&str>) -> bool {
    let plain = |text: &str| match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "1" => "1".to_owned(),
        "off" | "false" | "0" => "0".to_owned(),
        other => other.to_owned(),
    };
    a.map(plain) == b.map(plain)
}

fn shows(group: &DbParameterGroup, wanted: &BTreeMap<String, ParameterValue>) -> bool {
    wanted.iter().all(|(name, wanted)| {
        let now = group.parameters.get(name).and_then(|parameter| parameter.value.as_deref());
        same_value(now, Some(&wanted.value))
    })
}

pub(super) fn creation_standing(
    inventory: &Inventory,
    kind: ParameterGroupKind,
    name: &str,
    parameters: &BTreeMap<String, ParameterValue>,
) -> Standing {
    match groups(inventory, kind).get(name) {
        Some(Reading::Known(group)) if shows(group, parameters) => Standing::After,
        // Not made, or half made: the adapter creates what is missing and sets the rest.
        None | Some(Reading::Known(_)) => Standing::Before,
        Some(Reading::Unreadable { unreadable }) => Standing::CannotTell(unreadable.message.clone()),
        Some(Reading::NotRead) => Standing::CannotTell("the parameter group was not read".to_owned()),
    }
}

pub(super) fn group_standing(
    inventory: &Inventory,
    kind: ParameterGroupKind,
    name: &str,
    before: &BTreeMap<String, Option<String>>,
    after: &BTreeMap<String, ParameterValue>,
) -> Standing {
    let group = match super::current(groups(inventory, kind).get(name)) {
        Ok(group) => group,
        Err(standing) => return standing,
    };
    if shows(group, after) {
        return Standing::After;
    }
    let unchanged = before.iter().all(|(name, before)| {
        let now = group.parameters.get(name).and_then(|parameter| parameter.value.as_deref());
        same_value(now, before.as_deref())
    });
    if unchanged { Standing::Before } else { Standing::Changed("its parameters are not what was planned from".to_owned()) }
}

fn attached<'a>(inventory: &'a Inventory, resource: &Arn, kind: ParameterGroupKind) -> Option<&'a str> {
    match kind {
        ParameterGroupKind::Instance => {
            let instance = inventory.db_instances.get(resource)?;
            Some(instance.parameter_groups.first().map_or("", |group| group.name.as_str()))
        }
        ParameterGroupKind::Cluster => inventory.db_clusters.get(resource).map(|cluster| cluster.parameter_group.as_str()),
    }
}

pub(super) fn attachment_standing(inventory: &Inventory, resource: &Arn, kind: ParameterGroupKind, before: &str, after: &str) -> Standing {
    match attached(inventory, resource, kind) {
        None => Standing::Gone,
        Some(now) if now == after => Standing::After,
        Some(now) if now == before => Standing::Before,
        Some(now) => Standing::Changed(format!("its parameter group is now {now}")),
    }
}

pub(super) fn ca_standing(inventory: &Inventory, resource: &Arn, before: Option<&str>, after: &str) -> Standing {
    let Some(instance) = inventory.db_instances.get(resource) else { return Standing::Gone };
    let now = instance.ca_certificate.as_deref();
    if now == Some(after) || instance.pending_ca_certificate.as_deref() == Some(after) {
        Standing::After
    } else if now == before {
        Standing::Before
    } else {
        Standing::Changed(format!("its certificate authority is now {}", now.unwrap_or("none")))
    }
}

fn written(value: &ParameterValue) -> DbParameter {
    let ParameterValue { value, pending_reboot } = value;
    DbParameter {
        value: Some(value.clone()),
        source: "user".to_owned(),
        apply_type: if *pending_reboot { "static" } else { "dynamic" }.to_owned(),
        is_modifiable: true,
    }
}

pub(super) fn create_group(
    inventory: &mut Inventory,
    kind: ParameterGroupKind,
    name: &str,
    family: &str,
    parameters: &BTreeMap<String, ParameterValue>,
) {
    let parameters = parameters.iter().map(|(name, value)| (name.clone(), written(value))).collect();
    let group = DbParameterGroup { name: name.to_owned(), family: family.to_owned(), parameters };
    groups_mut(inventory, kind).insert(name.to_owned(), Reading::Known(group));
}

pub(super) fn set_parameters(inventory: &mut Inventory, kind: ParameterGroupKind, name: &str, after: &BTreeMap<String, ParameterValue>) {
    if let Some(Reading::Known(group)) = groups_mut(inventory, kind).get_mut(name) {
        for (name, value) in after {
            group.parameters.insert(name.clone(), written(value));
        }
    }
}

/// An attached group needs a reboot before anything in it applies. [RDS: parameter groups overview]
pub(super) fn attach_group(inventory: &mut Inventory, resource: &Arn, after: &str) {
    if let Some(instance) = inventory.db_instances.get_mut(resource) {
        instance.parameter_groups = vec![AttachedParameterGroup { name: after.to_owned(), apply_status: "pending-reboot".to_owned() }];
    }
    if let Some(cluster) = inventory.db_clusters.get_mut(resource) {
        after.clone_into(&mut cluster.parameter_group);
        for member in &mut cluster.members {
            "pending-reboot".clone_into(&mut member.parameter_group_status);
        }
    }
}
