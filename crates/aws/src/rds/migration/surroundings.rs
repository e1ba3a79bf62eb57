//! What hangs on single databases by their names: connections, proxies, event subscriptions, alarms, replicated backups.
//!
//! Each listing is read once for all databases of an observation.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types::{AlarmType, Metric, MetricAlarm};
use aws_sdk_rds::types::{DbProxyTarget, EventSubscription};
use everseal_planner::inventory::Reading;
use everseal_planner::plan::change::ParameterGroupKind;
use everseal_planner::plan::{Reads, Target};
use everseal_planner::rds::migration::observed::{DatabaseSurroundings, ProxyTarget};
use everseal_planner::{Arn, Inventory};
use futures::TryStreamExt;

use super::activity::Connections;
use crate::call::ScopeContext;
use crate::cloudwatch::operations::DESCRIBE_ALARMS;
use crate::error::{AwsError, reading};
use crate::listing::pages;
use crate::rds::observe::{PAGE, identifiers};
use crate::rds::operations;

/// Databases' ARNs → where their automated backups are replicated to, as their descriptions say.
pub(in crate::rds) type Replications = BTreeMap<Arn, BTreeSet<String>>;

/// A database whose surroundings are read.
struct Subject<'a> {
    arn: &'a Arn,
    kind: ParameterGroupKind,
    identifier: &'a str,
    /// Itself, or a cluster's members.
    instances: Vec<String>,
}

/// Surroundings of the targets among the databases of `part`; where there are no single targets, of those that a migration
/// may concern. `DatabaseConnections` are also what the TLS gates go by; all else is read only for migrations.
pub(in crate::rds) async fn surroundings(
    ctx: &ScopeContext,
    target: &Target,
    reads: &Reads,
    (part, replications): (&Inventory, &Replications),
) -> BTreeMap<Arn, DatabaseSurroundings> {
    let subjects = subjects(target, part);
    if subjects.is_empty() {
        return BTreeMap::new();
    }
    let instances = subjects.iter().flat_map(|subject| subject.instances.iter().cloned()).collect();
    let (connections, names) = futures::join!(
        Box::pin(Connections::read(ctx, &instances, part.observed_at)),
        Box::pin(async { if reads.migrations { Some(Names::read(ctx).await) } else { None } }),
    );
    let around = |subject: &Subject<'_>| {
        let activity = connections.of(&subject.instances);
        let Some(names) = &names else { return DatabaseSurroundings { activity, ..DatabaseSurroundings::default() } };
        let replicated = |instance: &String| replications.get(&part.scope.arn("rds", &format!("db:{instance}")));
        let replications = subject.instances.iter().filter_map(replicated).flatten().cloned().collect();
        DatabaseSurroundings {
            activity,
            proxies: names.proxies.as_ref().map(|all| of_proxies(all, subject)),
            event_subscriptions: names.subscriptions.as_ref().map(|all| of_subscriptions(all, subject)),
            alarms: names.alarms.as_ref().map(|all| of_alarms(all, subject)),
            automated_backup_replications: Reading::Known(replications),
        }
    };
    subjects.iter().map(|subject| (subject.arn.clone(), around(subject))).collect()
}

fn subjects<'a>(target: &Target, part: &'a Inventory) -> Vec<Subject<'a>> {
    let (instances, clusters) = (identifiers(target, "db"), identifiers(target, "cluster"));
    let instances = part.db_instances.values().filter(move |one| match &instances {
        Some(wanted) => wanted.contains(&one.identifier),
        None => one.settings.is_some() && one.cluster.is_none(),
    });
    let clusters = part.db_clusters.values().filter(move |one| match &clusters {
        Some(wanted) => wanted.contains(&one.identifier),
        None => one.settings.is_some(),
    });
    let of_instances = instances.map(|one| Subject {
        arn: &one.arn,
        kind: ParameterGroupKind::Instance,
        identifier: &one.identifier,
        instances: vec![one.identifier.clone()],
    });
    let of_clusters = clusters.map(|one| Subject {
        arn: &one.arn,
        kind: ParameterGroupKind::Cluster,
        identifier: &one.identifier,
        instances: one.members.iter().map(|member| member.instance.clone()).collect(),
    });
    of_instances.chain(of_clusters).collect()
}

/// What names databases.
struct Names {
    proxies: Reading<Vec<(ProxyTarget, DbProxyTarget)>>,
    subscriptions: Reading<Vec<EventSubscription>>,
    alarms: Reading<Vec<MetricAlarm>>,
}

impl Names {
    async fn read(ctx: &ScopeContext) -> Self {
        let (proxies, subscriptions, alarms) = futures::join!(proxies(ctx), subscriptions(ctx), alarms(ctx));
        Self { proxies: reading(proxies), subscriptions: reading(subscriptions), alarms: reading(alarms) }
    }
}

/// Every target of every proxy. A proxy that goes while it is read is none.
async fn proxies(ctx: &ScopeContext) -> Result<Vec<(ProxyTarget, DbProxyTarget)>, AwsError> {
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_db_proxies().max_records(PAGE).set_marker(marker);
        let page = ctx.call(&operations::DESCRIBE_DB_PROXIES, request.send()).await?;
        Ok((page.db_proxies.unwrap_or_default(), page.marker))
    });
    let names: Vec<String> = listing.try_filter_map(|one| async { Ok(one.db_proxy_name) }).try_collect().await?;
    let mut found = Vec::new();
    for proxy in &names {
        match Box::pin(targets(ctx, proxy)).await {
            Err(error) if error.is_not_found() => {}
            targets => found.extend(targets?),
        }
    }
    Ok(found)
}

async fn targets(ctx: &ScopeContext, proxy: &str) -> Result<Vec<(ProxyTarget, DbProxyTarget)>, AwsError> {
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_db_proxy_target_groups().db_proxy_name(proxy).max_records(PAGE).set_marker(marker);
        let page = ctx.call(&operations::DESCRIBE_DB_PROXY_TARGET_GROUPS, request.send()).await?;
        Ok((page.target_groups.unwrap_or_default(), page.marker))
    });
    let groups: Vec<String> = listing.try_filter_map(|one| async { Ok(one.target_group_name) }).try_collect().await?;
    let mut found = Vec::new();
    for group in groups {
        let name = group.as_str();
        let listing = pages(|marker| async move {
            let request = ctx.rds().describe_db_proxy_targets().db_proxy_name(proxy).target_group_name(name);
            let page = ctx.call(&operations::DESCRIBE_DB_PROXY_TARGETS, request.max_records(PAGE).set_marker(marker).send()).await?;
            Ok((page.targets.unwrap_or_default(), page.marker))
        });
        let targets: Vec<DbProxyTarget> = listing.try_collect().await?;
        let of_group = ProxyTarget { proxy: proxy.to_owned(), target_group: group };
        found.extend(targets.into_iter().map(|target| (of_group.clone(), target)));
    }
    Ok(found)
}

async fn subscriptions(ctx: &ScopeContext) -> Result<Vec<EventSubscription>, AwsError> {
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_event_subscriptions().max_records(PAGE).set_marker(marker);
        let page = ctx.call(&operations::DESCRIBE_EVENT_SUBSCRIPTIONS, request.send()).await?;
        Ok((page.event_subscriptions_list.unwrap_or_default(), page.marker))
    });
    listing.try_collect().await
}

/// Alarms on metrics; there is no asking for those of one database.
async fn alarms(ctx: &ScopeContext) -> Result<Vec<MetricAlarm>, AwsError> {
    let listing = pages(|token| async move {
        let request = ctx.cloudwatch().describe_alarms().alarm_types(AlarmType::MetricAlarm).max_records(PAGE).set_next_token(token);
        let page = ctx.call(&DESCRIBE_ALARMS, request.send()).await?;
        Ok((page.metric_alarms.unwrap_or_default(), page.next_token))
    });
    listing.try_collect().await
}

/// A target of a cluster is told as the cluster (`TRACKED_CLUSTER`) and as each of its instances.
fn of_proxies(all: &[(ProxyTarget, DbProxyTarget)], subject: &Subject<'_>) -> Vec<ProxyTarget> {
    let is_subject = |target: &DbProxyTarget| match subject.kind {
        _ if target.target_arn() == Some(subject.arn.as_str()) => true,
        ParameterGroupKind::Instance => is_instance(target) && target.rds_resource_id() == Some(subject.identifier),
        ParameterGroupKind::Cluster => {
            target.tracked_cluster_id() == Some(subject.identifier)
                || (!is_instance(target) && target.rds_resource_id() == Some(subject.identifier))
        }
    };
    let mut found: Vec<ProxyTarget> = all.iter().filter(|(_, target)| is_subject(target)).map(|(of, _)| of.clone()).collect();
    found.dedup();
    found
}

fn is_instance(target: &DbProxyTarget) -> bool {
    target.r#type() == Some(&aws_sdk_rds::types::TargetType::RdsInstance)
}

fn of_subscriptions(all: &[EventSubscription], subject: &Subject<'_>) -> BTreeSet<String> {
    let kind = match subject.kind {
        ParameterGroupKind::Instance => "db-instance",
        ParameterGroupKind::Cluster => "db-cluster",
    };
    let names = |one: &&EventSubscription| {
        one.source_type() == Some(kind) && one.source_ids_list().iter().any(|source| source.eq_ignore_ascii_case(subject.identifier))
    };
    all.iter().filter(names).filter_map(|one| one.cust_subscription_id.clone()).collect()
}

/// An alarm names its metric itself, or in the queries of an expression.
fn of_alarms(all: &[MetricAlarm], subject: &Subject<'_>) -> BTreeSet<String> {
    let kind = match subject.kind {
        ParameterGroupKind::Instance => "DBInstanceIdentifier",
        ParameterGroupKind::Cluster => "DBClusterIdentifier",
    };
    let on_subject = |alarm: &&MetricAlarm| {
        let queried = alarm.metrics().iter().filter_map(|query| query.metric_stat()?.metric()).flat_map(Metric::dimensions);
        let mut dimensions = alarm.dimensions().iter().chain(queried);
        dimensions.any(|dimension| dimension.name() == Some(kind) && dimension.value() == Some(subject.identifier))
    };
    all.iter().filter(on_subject).filter_map(|alarm| alarm.alarm_name.clone()).collect()
}

/// `RegisterDBProxyTargets`. A target group leads to one database: the new one can come only once the old one has left, so
/// the old one comes back where the new one is refused. [rds:DBProxyTargetGroup]
pub(super) async fn retarget(
    ctx: &ScopeContext,
    (proxy, group): (&str, &str),
    kind: ParameterGroupKind,
    (from, to): (&str, &str),
) -> Result<(), AwsError> {
    let targets = targets(ctx, proxy).await?;
    let leads_to = |database: &str| {
        let is = |target: &DbProxyTarget| match kind {
            ParameterGroupKind::Instance => is_instance(target) && target.rds_resource_id() == Some(database),
            ParameterGroupKind::Cluster => {
                target.tracked_cluster_id() == Some(database) || (!is_instance(target) && target.rds_resource_id() == Some(database))
            }
        };
        targets.iter().any(|(of, target)| of.target_group == group && is(target))
    };
    let had_old = leads_to(from);
    if had_old {
        deregister(ctx, (proxy, group), kind, from).await?;
    }
    if leads_to(to) {
        return Ok(());
    }
    let Err(error) = register(ctx, (proxy, group), kind, to).await else { return Ok(()) };
    if !had_old {
        return Err(error);
    }
    let now = match register(ctx, (proxy, group), kind, from).await {
        Ok(()) => format!("proxy {proxy} leads to {from} as before"),
        Err(again) => {
            format!("proxy {proxy} leads nowhere: register {to} or {from} with it by hand, for {from} was refused as well ({again})")
        }
    };
    Err(AwsError { message: format!("{}; {now}", error.message), ..error })
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
