//! What hangs on single databases by their names: connections, proxies, event subscriptions, alarms, replicated backups.
//!
//! Each listing is read once for all databases of an observation.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types::{AlarmType, Metric, MetricAlarm};
use aws_sdk_rds::types::EventSubscription;
use everseal_planner::inventory::Reading;
use everseal_planner::plan::change::ParameterGroupKind;
use everseal_planner::plan::{Reads, Target};
use everseal_planner::rds::migration::observed::DatabaseSurroundings;
use everseal_planner::{Arn, Inventory};
use futures::TryStreamExt;

use super::activity::Connections;
use super::proxies;
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
            proxies: names.proxies.as_ref().map(|all| proxies::leading_to(all, subject.kind, subject.identifier, subject.arn)),
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
    proxies: Reading<Vec<proxies::Behind>>,
    subscriptions: Reading<Vec<EventSubscription>>,
    alarms: Reading<Vec<MetricAlarm>>,
}

impl Names {
    async fn read(ctx: &ScopeContext) -> Self {
        let (proxies, subscriptions, alarms) = futures::join!(proxies::read(ctx), subscriptions(ctx), alarms(ctx));
        Self { proxies: reading(proxies), subscriptions: reading(subscriptions), alarms: reading(alarms) }
    }
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
