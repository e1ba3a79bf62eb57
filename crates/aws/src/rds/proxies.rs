//! RDS proxies: which there are, which databases stand behind them, and who connects to them without TLS.
//!
//! A proxy that is gone before its databases are asked for is none; databases that can't be asked for are unreadable, never
//! "none". What must never happen here: a minute without a data point counted as a minute without clients.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types as metrics;
use aws_sdk_rds::types::{DbProxyTarget, TargetType};
use everseal_planner::inventory::{DbProxy, ErrorClass, ProxyClients, Reading, Unreadable};
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory, Service};
use futures::{StreamExt, TryStreamExt, stream};

use super::observe::{PAGE, not_an_arn};
use super::{convert, operations};
use crate::call::ScopeContext;
use crate::cloudwatch::operations::GET_METRIC_DATA;
use crate::error::{AwsError, reading};
use crate::listing::pages;
use crate::operation::Api;

/// Seconds of a data point. [RDS: Monitoring RDS Proxy metrics with `CloudWatch`]
const PERIOD: i64 = 60;
/// How far back clients are looked for, in seconds.
const WINDOW: i64 = 3 * 3600;
/// Proxies of one call, at two queries each and 500 in all. [cloudwatch:GetMetricData]
const PROXIES: usize = 250;

/// Where something is known of proxies in a partial observation: the targets that are proxies.
fn among(target: &Target) -> Option<BTreeSet<&Arn>> {
    match target {
        Target::Everything => None,
        Target::Resources(arns) => {
            Some(arns.iter().filter(|arn| arn.service() == "rds" && arn.resource().starts_with("db-proxy:")).collect())
        }
    }
}

/// Reads the proxies of the scope, or those among the targets. Where there are no databases there is nothing to ask.
pub(super) async fn observe(ctx: &ScopeContext, target: &Target, reads: &Reads, part: &mut Inventory) {
    let wanted = among(target);
    if wanted.as_ref().is_some_and(BTreeSet::is_empty) {
        return;
    }
    let no_databases = part.db_instances.is_empty() && part.db_clusters.is_empty() && !part.unlisted.contains_key(&Service::Rds);
    if wanted.is_none() && no_databases {
        part.db_proxies = Reading::Known(BTreeMap::new());
        return;
    }
    let mut proxies = match list(ctx, wanted.as_ref()).await {
        Ok(proxies) => proxies,
        Err(error) => {
            part.db_proxies = Reading::Unreadable { unreadable: error.into() };
            return;
        }
    };
    if reads.gate_facts && wanted.is_some() {
        let names: Vec<String> = proxies.values().map(|proxy| proxy.name.clone()).collect();
        let mut clients = clients(ctx, &names, part.observed_at).await;
        for proxy in proxies.values_mut() {
            proxy.clients = clients.remove(&proxy.name).unwrap_or_default();
        }
    }
    part.db_proxies = Reading::Known(proxies);
}

/// There is no asking for several proxies by name, and none for one by its ARN.
async fn list(ctx: &ScopeContext, wanted: Option<&BTreeSet<&Arn>>) -> Result<BTreeMap<Arn, DbProxy>, AwsError> {
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_db_proxies().max_records(PAGE).set_marker(marker);
        let page = ctx.call(&operations::DESCRIBE_DB_PROXIES, request.send()).await?;
        Ok((page.db_proxies.unwrap_or_default(), page.marker))
    });
    let all: Vec<aws_sdk_rds::types::DbProxy> = listing.try_collect().await?;
    let mut found = Vec::new();
    for one in &all {
        let arn =
            Arn::parse(one.db_proxy_arn().unwrap_or_default()).map_err(|error| not_an_arn(&operations::DESCRIBE_DB_PROXIES, &error))?;
        if wanted.is_none_or(|wanted| wanted.contains(&arn)) {
            found.push(DbProxy {
                arn,
                name: convert::text(one.db_proxy_name()),
                engine_family: convert::text(one.engine_family()),
                status: one.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
                require_tls: one.require_tls().unwrap_or_default(),
                databases: Reading::NotRead,
                clients: Reading::NotRead,
            });
        }
    }
    let read = found.into_iter().map(|proxy| async move {
        match databases(ctx, &proxy.name).await {
            Err(error) if error.is_not_found() => None,
            databases => Some((proxy.arn.clone(), DbProxy { databases: reading(databases), ..proxy })),
        }
    });
    Ok(stream::iter(read).buffer_unordered(Api::Rds.in_flight()).filter_map(std::future::ready).collect().await)
}

async fn databases(ctx: &ScopeContext, proxy: &str) -> Result<BTreeSet<String>, AwsError> {
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_db_proxy_targets().db_proxy_name(proxy).max_records(PAGE).set_marker(marker);
        let page = ctx.call(&operations::DESCRIBE_DB_PROXY_TARGETS, request.send()).await?;
        Ok((page.targets.unwrap_or_default(), page.marker))
    });
    listing.try_filter_map(|target| async move { Ok(database(&target)) }).try_collect().await
}

/// A cluster behind a proxy is told as itself (`TRACKED_CLUSTER`) and as each of its instances, which name it.
fn database(target: &DbProxyTarget) -> Option<String> {
    if let Some(cluster) = target.tracked_cluster_id().filter(|cluster| !cluster.is_empty()) {
        return Some(format!("cluster:{cluster}"));
    }
    let identifier = target.rds_resource_id()?;
    let kind = if target.r#type() == Some(&TargetType::RdsInstance) { "db" } else { "cluster" };
    Some(format!("{kind}:{identifier}"))
}

type Clients = BTreeMap<String, Reading<Option<ProxyClients>>>;

async fn clients(ctx: &ScopeContext, proxies: &[String], now: i64) -> Clients {
    let to = now.div_euclid(PERIOD) * PERIOD;
    let mut known = Clients::new();
    for proxies in proxies.chunks(PROXIES) {
        match ask(ctx, proxies, (to - WINDOW, to)).await {
            Ok(answers) => known.extend(answers),
            Err(error) => {
                let unreadable = Unreadable::from(error);
                known.extend(proxies.iter().map(|name| (name.clone(), Reading::Unreadable { unreadable: unreadable.clone() })));
            }
        }
    }
    known
}

/// Minute → connections.
type Minutes = BTreeMap<i64, u32>;

/// What one query was answered.
#[derive(Debug, Default)]
struct Answer {
    minutes: Minutes,
    status: Option<metrics::StatusCode>,
}

/// Each proxy may run on several machines, each with points of its own: their sum counts. No unit is named: one that does not
/// match would give an empty answer.
fn queries(proxies: &[String]) -> Vec<metrics::MetricDataQuery> {
    let query = |(index, proxy): (usize, &String), (id, name): (&str, &str)| {
        let dimension = metrics::Dimension::builder().name("ProxyName").value(proxy).build();
        let metric = metrics::Metric::builder().namespace("AWS/RDS").metric_name(name).dimensions(dimension).build();
        let stat = metrics::MetricStat::builder().metric(metric).period(60).stat("Sum").build();
        metrics::MetricDataQuery::builder().id(format!("{id}{index}")).metric_stat(stat).build()
    };
    let both = |proxy: (usize, &String)| [query(proxy, ("plain", "ClientConnectionsNoTLS")), query(proxy, ("all", "ClientConnections"))];
    proxies.iter().enumerate().flat_map(both).collect()
}

async fn ask(ctx: &ScopeContext, proxies: &[String], (from, to): (i64, i64)) -> Result<Clients, AwsError> {
    let mut answers: BTreeMap<String, Answer> = BTreeMap::new();
    let mut token: Option<String> = None;
    loop {
        let request = ctx.cloudwatch().get_metric_data().set_metric_data_queries(Some(queries(proxies)));
        let request = request.start_time(DateTime::from_secs(from)).end_time(DateTime::from_secs(to)).set_next_token(token.clone());
        let page = ctx.call(&GET_METRIC_DATA, request.send()).await?;
        for result in page.metric_data_results() {
            let answer = answers.entry(result.id().unwrap_or_default().to_owned()).or_default();
            answer.status = result.status_code().cloned();
            let points = result.timestamps().iter().zip(result.values());
            answer.minutes.extend(points.map(|(at, value)| (at.secs(), count(*value))));
        }
        if page.next_token.is_none() {
            break;
        }
        if page.next_token == token {
            return Err(AwsError::incomplete(&GET_METRIC_DATA, "a new page token"));
        }
        token = page.next_token;
    }
    let of = |(index, proxy): (usize, &String)| {
        let mut take = |id: &str| answers.remove(&format!("{id}{index}")).unwrap_or_default();
        (proxy.clone(), read(proxy, &take("plain"), &take("all")))
    };
    Ok(proxies.iter().enumerate().map(of).collect())
}

/// A count of connections is a whole number that happens to travel as a float.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn count(value: f64) -> u32 {
    if value > 0.0 { value.ceil() as u32 } else { 0 }
}

fn read(proxy: &str, plain: &Answer, all: &Answer) -> Reading<Option<ProxyClients>> {
    for status in [&plain.status, &all.status] {
        let class = match status {
            Some(metrics::StatusCode::Complete) => continue,
            Some(metrics::StatusCode::Forbidden) => ErrorClass::Denied,
            _ => ErrorClass::Unavailable,
        };
        let status = status.as_ref().map_or("no result", metrics::StatusCode::as_str);
        let missing_action = (class == ErrorClass::Denied).then(|| "cloudwatch:GetMetricData".to_owned());
        let message = format!("CloudWatch did not give all connections of proxy {proxy}: {status}");
        return Reading::Unreadable { unreadable: Unreadable { class, operation: "GetMetricData".to_owned(), missing_action, message } };
    }
    let (Some((from, _)), Some((last, _))) = (plain.minutes.first_key_value(), plain.minutes.last_key_value()) else {
        return Reading::Known(None);
    };
    let most = |minutes: &Minutes| minutes.values().copied().max().unwrap_or_default();
    let (most_plain, most_all) = (most(&plain.minutes), most(&all.minutes));
    Reading::Known(Some(ProxyClients { from: *from, to: last + PERIOD, most_plain, most: most_all.max(most_plain) }))
}

/// `ModifyDBProxy(RequireTLS=true)`; nothing else of the proxy is named, so nothing else changes. [rds:ModifyDBProxy]
pub(super) async fn require_tls(ctx: &ScopeContext, proxy: &str) -> Result<(), AwsError> {
    let request = ctx.rds().modify_db_proxy().db_proxy_name(proxy).require_tls(true);
    ctx.call(&operations::MODIFY_DB_PROXY, request.send()).await.map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(status: metrics::StatusCode, minutes: &[(i64, f64)]) -> Answer {
        Answer { minutes: minutes.iter().map(|(at, value)| (*at, count(*value))).collect(), status: Some(status) }
    }

    #[test]
    fn both_metrics_are_summed_over_the_machines_of_a_proxy_without_a_unit() {
        let queries = queries(&["front".to_owned(), "back".to_owned()]);
        let ids: Vec<_> = queries.iter().map(|query| query.id().unwrap()).collect();
        assert_eq!(ids, ["plain0", "all0", "plain1", "all1"]);
        let names = ["ClientConnectionsNoTLS", "ClientConnections"];
        for (query, (proxy, name)) in queries.iter().zip(["front", "front", "back", "back"].iter().zip(names.iter().cycle())) {
            let stat = query.metric_stat().unwrap();
            assert_eq!((stat.stat(), stat.period(), stat.unit()), (Some("Sum"), Some(60), None));
            let metric = stat.metric().unwrap();
            assert_eq!((metric.namespace(), metric.metric_name()), (Some("AWS/RDS"), Some(*name)));
            let [dimension] = metric.dimensions() else { panic!("one dimension") };
            assert_eq!((dimension.name(), dimension.value()), (Some("ProxyName"), Some(*proxy)));
        }
    }

    #[test]
    fn no_data_is_not_zero_and_data_that_is_not_whole_is_not_known() {
        use metrics::StatusCode::{Complete, Forbidden, PartialData};
        let all = answer(Complete, &[(0, 20.0), (60, 21.0)]);
        let none = read("front", &answer(Complete, &[]), &all);
        assert_eq!(none, Reading::Known(None), "connections were counted, and nobody said of which kind");
        let known = read("front", &answer(Complete, &[(60, 0.0), (120, 2.0)]), &all);
        assert_eq!(known, Reading::Known(Some(ProxyClients { from: 60, to: 180, most_plain: 2, most: 21 })));
        for (status, class) in [(Forbidden, ErrorClass::Denied), (PartialData, ErrorClass::Unavailable)] {
            let Reading::Unreadable { unreadable } = read("front", &answer(status, &[(60, 0.0)]), &all) else { panic!("not known") };
            assert_eq!(unreadable.class, class);
        }
        let unanswered = read("front", &Answer::default(), &all);
        assert!(matches!(unanswered, Reading::Unreadable { .. }));
    }
}
