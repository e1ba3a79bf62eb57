//! RDS proxies: which lead to a database, and how one is led to another.
//!
//! A target group leads to one database, so the old one must leave before the new one can come. Whatever moment the process
//! dies, a proxy that leads nowhere is recognised by its tag [`LEADS_TO`] and told as one of the database that has left it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::types::{DbProxy, DbProxyTarget, TargetType};
use everseal_planner::Arn;
use everseal_planner::plan::change::ParameterGroupKind;
use everseal_planner::rds::migration::observed::ProxyTarget;
use futures::TryStreamExt;

use super::apply::set_tags;
use super::identity::tag;
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::listing::pages;
use crate::rds::observe::PAGE;
use crate::rds::operations;

/// On a proxy while it is led to another database: `db:` or `cluster:` and the identifier of the one it led to.
const LEADS_TO: &str = "everseal:leads-to";

/// A target group, and what is behind it.
pub(super) type Behind = (ProxyTarget, DbProxyTarget);

/// Every target of every proxy. A proxy that goes while it is read is none.
pub(super) async fn read(ctx: &ScopeContext) -> Result<Vec<Behind>, AwsError> {
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_db_proxies().max_records(PAGE).set_marker(marker);
        let page = ctx.call(&operations::DESCRIBE_DB_PROXIES, request.send()).await?;
        Ok((page.db_proxies.unwrap_or_default(), page.marker))
    });
    let proxies: Vec<DbProxy> = listing.try_collect().await?;
    let mut found = Vec::new();
    for proxy in &proxies {
        match Box::pin(behind(ctx, proxy)).await {
            Err(error) if error.is_not_found() => {}
            targets => found.extend(targets?),
        }
    }
    Ok(found)
}

async fn behind(ctx: &ScopeContext, proxy: &DbProxy) -> Result<Vec<Behind>, AwsError> {
    let mut found = Vec::new();
    for (group, targets) in groups(ctx, proxy.db_proxy_name().unwrap_or_default()).await? {
        let targets = if targets.is_empty() { left(ctx, proxy).await?.into_iter().collect() } else { targets };
        found.extend(targets.into_iter().map(|target| (group.clone(), target)));
    }
    Ok(found)
}

/// The database that has left a proxy of which nothing else has become yet.
async fn left(ctx: &ScopeContext, proxy: &DbProxy) -> Result<Option<DbProxyTarget>, AwsError> {
    let request = ctx.rds().list_tags_for_resource().resource_name(proxy.db_proxy_arn().unwrap_or_default());
    let page = ctx.call(&operations::LIST_TAGS_FOR_RESOURCE, request.send()).await?;
    let target = tag(page.tag_list(), LEADS_TO).and_then(|text| text.split_once(':')).map(|(kind, identifier)| {
        let kind = if kind == "cluster" { TargetType::TrackedCluster } else { TargetType::RdsInstance };
        DbProxyTarget::builder().rds_resource_id(identifier).r#type(kind).build()
    });
    Ok(target)
}

async fn groups(ctx: &ScopeContext, proxy: &str) -> Result<Vec<(ProxyTarget, Vec<DbProxyTarget>)>, AwsError> {
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_db_proxy_target_groups().db_proxy_name(proxy).max_records(PAGE).set_marker(marker);
        let page = ctx.call(&operations::DESCRIBE_DB_PROXY_TARGET_GROUPS, request.send()).await?;
        Ok((page.target_groups.unwrap_or_default(), page.marker))
    });
    let names: Vec<String> = listing.try_filter_map(|one| async { Ok(one.target_group_name) }).try_collect().await?;
    let mut found = Vec::new();
    for group in names {
        let name = group.as_str();
        let listing = pages(|marker| async move {
            let request = ctx.rds().describe_db_proxy_targets().db_proxy_name(proxy).target_group_name(name);
            let page = ctx.call(&operations::DESCRIBE_DB_PROXY_TARGETS, request.max_records(PAGE).set_marker(marker).send()).await?;
            Ok((page.targets.unwrap_or_default(), page.marker))
        });
        let targets = listing.try_collect().await?;
        found.push((ProxyTarget { proxy: proxy.to_owned(), target_group: group }, targets));
    }
    Ok(found)
}

/// Those among `all` that lead to a database. A target of a cluster is told as the cluster (`TRACKED_CLUSTER`) and as each of
/// its instances.
pub(super) fn leading_to(all: &[Behind], kind: ParameterGroupKind, identifier: &str, arn: &Arn) -> Vec<ProxyTarget> {
    let is = |target: &DbProxyTarget| target.target_arn() == Some(arn.as_str()) || is_target(target, kind, identifier);
    let mut found: Vec<ProxyTarget> = all.iter().filter(|(_, target)| is(target)).map(|(of, _)| of.clone()).collect();
    found.dedup();
    found
}

fn is_target(target: &DbProxyTarget, kind: ParameterGroupKind, identifier: &str) -> bool {
    let instance = target.r#type() == Some(&TargetType::RdsInstance);
    let named = target.rds_resource_id() == Some(identifier);
    match kind {
        ParameterGroupKind::Instance => instance && named,
        ParameterGroupKind::Cluster => target.tracked_cluster_id() == Some(identifier) || (!instance && named),
    }
}

/// `RegisterDBProxyTargets`, after the old database has left. Where the new one is refused, the old one comes back.
/// [rds:DBProxyTargetGroup: one database each]
pub(super) async fn retarget(
    ctx: &ScopeContext,
    (proxy, group): (&str, &str),
    kind: ParameterGroupKind,
    (from, to): (&str, &str),
) -> Result<(), AwsError> {
    let arn = arn_of(ctx, proxy).await?;
    let targets: Vec<DbProxyTarget> =
        groups(ctx, proxy).await?.into_iter().filter(|(of, _)| of.target_group == group).flat_map(|(_, targets)| targets).collect();
    let leads_to = |database: &str| targets.iter().any(|target| is_target(target, kind, database));
    let (had_old, has_new) = (leads_to(from), leads_to(to));
    if had_old {
        let prefix = match kind {
            ParameterGroupKind::Instance => "db",
            ParameterGroupKind::Cluster => "cluster",
        };
        let note = BTreeMap::from([(LEADS_TO.to_owned(), format!("{prefix}:{from}"))]);
        set_tags(ctx, &arn, &note, &BTreeSet::new()).await?;
        deregister(ctx, (proxy, group), kind, from).await?;
    }
    if !has_new && let Err(error) = register(ctx, (proxy, group), kind, to).await {
        if !had_old {
            return Err(error);
        }
        let now = match register(ctx, (proxy, group), kind, from).await {
            Ok(()) => format!("proxy {proxy} leads to {from} as before"),
            Err(again) => {
                format!("proxy {proxy} leads nowhere: register {to} or {from} with it by hand, for {from} was refused as well ({again})")
            }
        };
        return Err(AwsError { message: format!("{}; {now}", error.message), ..error });
    }
    set_tags(ctx, &arn, &BTreeMap::new(), &BTreeSet::from([LEADS_TO.to_owned()])).await
}

async fn arn_of(ctx: &ScopeContext, proxy: &str) -> Result<String, AwsError> {
    let request = ctx.rds().describe_db_proxies().db_proxy_name(proxy);
    let page = ctx.call(&operations::DESCRIBE_DB_PROXIES, request.send()).await?;
    let found = page.db_proxies.unwrap_or_default().into_iter().next().and_then(|found| found.db_proxy_arn);
    found.ok_or_else(|| AwsError::incomplete(&operations::DESCRIBE_DB_PROXIES, "the proxy"))
}

fn names(kind: ParameterGroupKind, database: &str) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let names = Some(vec![database.to_owned()]);
    match kind {
        ParameterGroupKind::Instance => (names, None),
        ParameterGroupKind::Cluster => (None, names),
    }
}

async fn register(ctx: &ScopeContext, (proxy, group): (&str, &str), kind: ParameterGroupKind, database: &str) -> Result<(), AwsError> {
    let (instances, clusters) = names(kind, database);
    let request = ctx.rds().register_db_proxy_targets().db_proxy_name(proxy).target_group_name(group);
    let request = request.set_db_instance_identifiers(instances).set_db_cluster_identifiers(clusters);
    ctx.call(&operations::REGISTER_DB_PROXY_TARGETS, request.send()).await.map(drop)
}

async fn deregister(ctx: &ScopeContext, (proxy, group): (&str, &str), kind: ParameterGroupKind, database: &str) -> Result<(), AwsError> {
    let (instances, clusters) = names(kind, database);
    let request = ctx.rds().deregister_db_proxy_targets().db_proxy_name(proxy).target_group_name(group);
    let request = request.set_db_instance_identifiers(instances).set_db_cluster_identifiers(clusters);
    ctx.call(&operations::DEREGISTER_DB_PROXY_TARGETS, request.send()).await.map(drop)
}
