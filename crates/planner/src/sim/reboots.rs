//! Reboots of databases, and what RDS proxies require.

use super::{Standing, current};
use crate::plan::change::ParameterGroupKind;
use crate::rds::observed::{DbCluster, DbInstance};
use crate::{Arn, Inventory};

const PENDING: &str = "pending-reboot";

/// What a reboot is about: its status, and whether anything waits for it.
struct Look<'a> {
    status: &'a str,
    waits: bool,
}

fn of_instance<'a>(inventory: &'a Inventory, resource: &Arn, name: &str) -> Result<Look<'a>, Standing> {
    let member = match inventory.db_clusters.get(resource) {
        Some(cluster) => Some(cluster.members.iter().find(|member| member.instance == name).ok_or(Standing::Gone)?),
        None => None,
    };
    let Some(DbInstance { status, parameter_groups, pending_ca_certificate, .. }) = instance(inventory, name) else {
        // A member's status is its own; where only its cluster was read, nothing can be said.
        return Err(if member.is_some() { Standing::CannotTell(format!("instance {name} was not read")) } else { Standing::Gone });
    };
    let groups = parameter_groups.iter().map(|group| group.apply_status.as_str());
    let mut groups = groups.chain(member.map(|member| member.parameter_group_status.as_str()));
    Ok(Look { status, waits: pending_ca_certificate.is_some() || groups.any(|status| status == PENDING) })
}

fn instance<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a DbInstance> {
    inventory.db_instances.values().find(|instance| instance.identifier == name)
}

/// Done is: it is rebooting, or nothing waits any more.
pub(super) fn standing(inventory: &Inventory, resource: &Arn, kind: ParameterGroupKind, database: &str) -> Standing {
    let look = match kind {
        ParameterGroupKind::Instance => of_instance(inventory, resource, database),
        ParameterGroupKind::Cluster => inventory.db_clusters.get(resource).ok_or(Standing::Gone).map(|cluster| {
            let DbCluster { status, members, .. } = cluster;
            Look { status, waits: members.iter().any(|member| member.parameter_group_status == PENDING) }
        }),
    };
    match look {
        Err(standing) => standing,
        Ok(Look { status, waits }) if status == "rebooting" || !waits => Standing::After,
        Ok(Look { status: "available", waits: _ }) => Standing::Before,
        Ok(Look { status, waits: _ }) => Standing::Changed(format!("it is now {status}")),
    }
}

/// A restart applies the parameter groups and the certificate that wait for it.
pub(super) fn make(inventory: &mut Inventory, resource: &Arn, kind: ParameterGroupKind, database: &str) {
    let in_sync = |status: &mut String| {
        if status == PENDING {
            "in-sync".clone_into(status);
        }
    };
    for instance in inventory.db_instances.values_mut() {
        let is_it = match kind {
            ParameterGroupKind::Instance => instance.identifier == database,
            ParameterGroupKind::Cluster => instance.cluster.as_deref() == Some(database),
        };
        if is_it {
            instance.parameter_groups.iter_mut().for_each(|group| in_sync(&mut group.apply_status));
            if let Some(authority) = instance.pending_ca_certificate.take() {
                instance.ca_certificate = Some(authority);
            }
        }
    }
    if let Some(cluster) = inventory.db_clusters.get_mut(resource) {
        let rebooted = |name: &str| kind == ParameterGroupKind::Cluster || name == database;
        cluster
            .members
            .iter_mut()
            .filter(|member| rebooted(&member.instance))
            .for_each(|member| in_sync(&mut member.parameter_group_status));
    }
}

pub(super) fn proxy_standing(inventory: &Inventory, resource: &Arn) -> Standing {
    match current(Some(&inventory.db_proxies)) {
        Ok(proxies) => match proxies.get(resource) {
            Some(proxy) if proxy.require_tls => Standing::After,
            Some(_) => Standing::Before,
            None => Standing::Gone,
        },
        Err(standing) => standing,
    }
}
