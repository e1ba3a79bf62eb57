//! Reads parameter groups: those in use, and those that Everseal made.
//!
//! A group holds hundreds of parameters and a page a hundred, so only what matters is asked for: the
//! parameters that decide TLS, by name, and in groups that can be edited those that a user set. Where a
//! service does not know the name filter (or ignores it) the group is read to its end instead: a
//! parameter that was not on the first page must never look as if it were not set.
//!
//! Members of a cluster take what decides TLS from the cluster's group, so their own groups are not read.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::types::{Filter, Parameter};
use everseal_planner::inventory::{ErrorClass, Reading};
use everseal_planner::plan::Target;
use everseal_planner::plan::change::ParameterGroupKind;
use everseal_planner::rds::observed::{DbParameter, DbParameterGroup};
use everseal_planner::{Inventory, Unreadable};
use futures::{StreamExt, stream};

use super::observe::{PAGE, identifiers};
use super::{convert, operations};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::Api;

/// Names of groups that Everseal makes start with this.
const OURS: &str = "everseal-";
/// Groups of AWS's own: never edited, so nothing in them was set by a user.
const DEFAULT: &str = "default.";

type Groups = BTreeMap<String, Reading<DbParameterGroup>>;

/// Reads the groups that the databases in `part` use, those that are targets, and those of ours.
pub(super) async fn observe(ctx: &ScopeContext, target: &Target, part: &mut Inventory) {
    let alone = part.db_instances.values().filter(|instance| instance.cluster.is_none());
    let of_instances = alone.flat_map(|instance| &instance.parameter_groups).map(|group| group.name.clone());
    let of_clusters = part.db_clusters.values().map(|cluster| cluster.parameter_group.clone());
    let (instance, cluster) = futures::join!(
        read(ctx, ParameterGroupKind::Instance, of_instances.collect(), identifiers(target, "pg").unwrap_or_default()),
        read(ctx, ParameterGroupKind::Cluster, of_clusters.collect(), identifiers(target, "cluster-pg").unwrap_or_default()),
    );
    part.db_parameter_groups = instance;
    part.db_cluster_parameter_groups = cluster;
}

/// `in_use` exist for certain; `targets` may be gone.
async fn read(ctx: &ScopeContext, kind: ParameterGroupKind, in_use: BTreeSet<String>, targets: BTreeSet<String>) -> Groups {
    if in_use.is_empty() && targets.is_empty() {
        return Groups::new();
    }
    let families = match families(ctx, kind).await {
        Ok(families) => families,
        Err(error) => {
            let unreadable = Unreadable::from(error);
            return in_use.into_iter().map(|name| (name, Reading::Unreadable { unreadable: unreadable.clone() })).collect();
        }
    };
    let ours = families.keys().filter(|name| name.starts_with(OURS)).cloned();
    let wanted: BTreeSet<String> =
        in_use.into_iter().chain(targets.into_iter().filter(|name| families.contains_key(name))).chain(ours).collect();
    let groups = wanted.into_iter().map(|name| {
        let family = families.get(&name).cloned();
        async move { (name.clone(), group(ctx, kind, name, family).await) }
    });
    stream::iter(groups).buffer_unordered(Api::Rds.in_flight()).collect().await
}

async fn group(ctx: &ScopeContext, kind: ParameterGroupKind, name: String, family: Option<String>) -> Reading<DbParameterGroup> {
    let Some(family) = family else {
        let missing = format!("parameter group {name}, which a database uses");
        return Reading::Unreadable { unreadable: AwsError::incomplete(listing(kind), &missing).into() };
    };
    match parameters(ctx, kind, &name, &family).await {
        Ok(parameters) => Reading::Known(DbParameterGroup { name, family, parameters }),
        Err(error) => Reading::Unreadable { unreadable: error.into() },
    }
}

async fn parameters(
    ctx: &ScopeContext,
    kind: ParameterGroupKind,
    group: &str,
    family: &str,
) -> Result<BTreeMap<String, DbParameter>, AwsError> {
    let decide_tls = convert::tls_parameters(family);
    let mut known = BTreeMap::new();
    if !group.starts_with(DEFAULT) {
        let rows = rows(ctx, kind, group, &Asked::SetByUser).await?;
        // An emulator that ignores the question answers with everything.
        known.extend(rows.iter().map(convert::parameter).filter(|(name, row)| row.source == "user" || decide_tls.contains(&name.as_str())));
    }
    if decide_tls.iter().any(|name| !known.contains_key(*name)) {
        let asked = match rows(ctx, kind, group, &Asked::Named(decide_tls)).await {
            Err(error) if error.class == ErrorClass::Invalid => rows(ctx, kind, group, &Asked::All).await?,
            rows => rows?,
        };
        known.extend(asked.iter().map(convert::parameter).filter(|(name, _)| decide_tls.contains(&name.as_str())));
    }
    Ok(known)
}

/// Which parameters of a group.
enum Asked {
    SetByUser,
    Named(&'static [&'static str]),
    All,
}

impl Asked {
    fn source(&self) -> Option<String> {
        matches!(self, Self::SetByUser).then(|| "user".to_owned())
    }

    fn filters(&self) -> Option<Vec<Filter>> {
        let Self::Named(names) = self else { return None };
        let values = names.iter().map(|name| (*name).to_owned()).collect();
        Some(vec![Filter::builder().name("parameter-name").set_values(Some(values)).build()])
    }
}

async fn rows(ctx: &ScopeContext, kind: ParameterGroupKind, group: &str, asked: &Asked) -> Result<Vec<Parameter>, AwsError> {
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let (rows, next) = page(ctx, kind, group, asked, marker).await?;
        found.extend(rows);
        if next.is_none() {
            return Ok(found);
        }
        marker = next;
    }
}

async fn page(
    ctx: &ScopeContext,
    kind: ParameterGroupKind,
    group: &str,
    asked: &Asked,
    marker: Option<String>,
) -> Result<(Vec<Parameter>, Option<String>), AwsError> {
    let (source, filters) = (asked.source(), asked.filters());
    match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().describe_db_parameters().db_parameter_group_name(group);
            let request = request.max_records(PAGE).set_source(source).set_filters(filters).set_marker(marker);
            let page = ctx.call(&operations::DESCRIBE_DB_PARAMETERS, request.send()).await?;
            Ok((page.parameters.unwrap_or_default(), page.marker))
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
            let request = request.max_records(PAGE).set_source(source).set_filters(filters).set_marker(marker);
            let page = ctx.call(&operations::DESCRIBE_DB_CLUSTER_PARAMETERS, request.send()).await?;
            Ok((page.parameters.unwrap_or_default(), page.marker))
        }
    }
}

const fn listing(kind: ParameterGroupKind) -> &'static crate::operation::Operation {
    match kind {
        ParameterGroupKind::Instance => &operations::DESCRIBE_DB_PARAMETER_GROUPS,
        ParameterGroupKind::Cluster => &operations::DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS,
    }
}

/// Family of every group, by name.
async fn families(ctx: &ScopeContext, kind: ParameterGroupKind) -> Result<BTreeMap<String, String>, AwsError> {
    let (mut families, mut marker) = (BTreeMap::new(), None);
    loop {
        let (page, next): (Vec<_>, Option<String>) = match kind {
            ParameterGroupKind::Instance => {
                let request = ctx.rds().describe_db_parameter_groups().max_records(PAGE).set_marker(marker);
                let page = ctx.call(listing(kind), request.send()).await?;
                let pair = |one: aws_sdk_rds::types::DbParameterGroup| (one.db_parameter_group_name, one.db_parameter_group_family);
                (page.db_parameter_groups.unwrap_or_default().into_iter().map(pair).collect(), page.marker)
            }
            ParameterGroupKind::Cluster => {
                let request = ctx.rds().describe_db_cluster_parameter_groups().max_records(PAGE).set_marker(marker);
                let page = ctx.call(listing(kind), request.send()).await?;
                let pair =
                    |one: aws_sdk_rds::types::DbClusterParameterGroup| (one.db_cluster_parameter_group_name, one.db_parameter_group_family);
                (page.db_cluster_parameter_groups.unwrap_or_default().into_iter().map(pair).collect(), page.marker)
            }
        };
        families.extend(page.into_iter().filter_map(|(name, family)| Some((name?, family?))));
        if next.is_none() {
            return Ok(families);
        }
        marker = next;
    }
}
