//! Whether anybody is connected to a database, and whether it writes much all the same: `DatabaseConnections` and
//! `WriteIOPS` of `CloudWatch`, minute by minute.
//!
//! What must never happen here: a minute without a data point counted as a minute without connections. So an interval is
//! told only as far as it is unbroken, and for a cluster only where each of its members has a point.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types;
use everseal_planner::inventory::{ErrorClass, Reading, Unreadable};
use everseal_planner::rds::migration::observed::{DatabaseActivity, IDLE_WRITE_IOPS};

use crate::call::ScopeContext;
use crate::cloudwatch::operations::GET_METRIC_DATA;
use crate::error::AwsError;

/// Seconds of a data point: the period of RDS's metrics. [RDS: CloudWatch metrics for Amazon RDS]
const PERIOD: i64 = 60;
/// How far back is asked, in seconds: writes stay stopped for as long as a snapshot is taken, copied and restored, and for all
/// of that time nobody may have been connected.
const WINDOW: i64 = 24 * 3600;
/// Instances of one call, with two queries each: 1,440 points of 70 queries are within the 100,800 of one call.
/// [cloudwatch:GetMetricData]
const INSTANCES: usize = 35;
/// What is asked of each instance.
const METRICS: [&str; 2] = ["DatabaseConnections", "WriteIOPS"];

/// Start of a minute → the highest value in it.
type Minutes = BTreeMap<i64, u32>;

/// Minutes of one instance.
#[derive(Debug, Clone, Default)]
struct Told {
    connections: Minutes,
    writes: Minutes,
}

/// What was learnt of each instance, by identifier.
#[derive(Debug, Default)]
pub(in crate::rds) struct Connections(BTreeMap<String, Result<Told, Unreadable>>);

impl Connections {
    /// Asks for the last hours of all `instances` up to `now`, in seconds since the Unix epoch.
    pub(in crate::rds) async fn read(ctx: &ScopeContext, instances: &BTreeSet<String>, now: i64) -> Self {
        let to = now.div_euclid(PERIOD) * PERIOD;
        let names: Vec<&str> = instances.iter().map(String::as_str).collect();
        let mut known = BTreeMap::new();
        for names in names.chunks(INSTANCES) {
            match ask(ctx, names, to - WINDOW, to).await {
                Ok(answers) => known.extend(answers),
                Err(error) => {
                    let why = Unreadable::from(error);
                    known.extend(names.iter().map(|name| ((*name).to_owned(), Err(why.clone()))));
                }
            }
        }
        Self(known)
    }

    /// Of a database that consists of these instances.
    pub(in crate::rds) fn of(&self, instances: &[String]) -> Reading<DatabaseActivity> {
        let mut all = Vec::with_capacity(instances.len());
        for instance in instances {
            match self.0.get(instance) {
                Some(Ok(told)) => all.push(told),
                Some(Err(why)) => return Reading::Unreadable { unreadable: why.clone() },
                None => return unknown(&format!("nothing was asked of {instance}")),
            }
        }
        match activity(&all) {
            Some(activity) => Reading::Known(activity),
            None if instances.is_empty() => unknown("the cluster has no instance of which CloudWatch could have numbers"),
            None => unknown(&format!("CloudWatch has no minute of the last 24 hours with connections of each of {}", instances.join(", "))),
        }
    }
}

fn unknown(message: &str) -> Reading<DatabaseActivity> {
    Reading::Unreadable { unreadable: AwsError::unavailable(&GET_METRIC_DATA, "NoData", message).into() }
}

fn activity(told: &[&Told]) -> Option<DatabaseActivity> {
    let instances: Vec<&Minutes> = told.iter().map(|told| &told.connections).collect();
    let (first, others) = instances.split_first()?;
    let whole = |at: i64| others.iter().all(|minutes| minutes.contains_key(&at));
    let sum = |at: i64| instances.iter().filter_map(|minutes| minutes.get(&at)).fold(0_u32, |sum, count| sum.saturating_add(*count));
    let mut covered = first.keys().rev().copied().filter(|at| whole(*at));
    let last = covered.next()?;
    let (mut from, mut most) = (last, sum(last));
    for at in covered {
        if at + PERIOD != from {
            break;
        }
        from = at;
        most = most.max(sum(at));
    }
    Some(DatabaseActivity {
        from,
        to: last + PERIOD,
        most_connections: most,
        last_connection_at: instances.iter().filter_map(|minutes| last_above(minutes, 0)).max(),
        connections_now: sum(last),
        last_busy_write_at: told.iter().filter_map(|told| last_above(&told.writes, IDLE_WRITE_IOPS)).max(),
    })
}

/// End of the last minute above `most`.
fn last_above(minutes: &Minutes, most: u32) -> Option<i64> {
    minutes.iter().rev().find(|(_, value)| **value > most).map(|(at, _)| at + PERIOD)
}

/// Answers by instance. One that `CloudWatch` says is not complete is not known.
async fn ask(ctx: &ScopeContext, instances: &[&str], from: i64, to: i64) -> Result<BTreeMap<String, Result<Told, Unreadable>>, AwsError> {
    let mut points: BTreeMap<String, (Option<types::StatusCode>, Minutes)> = BTreeMap::new();
    let mut token: Option<String> = None;
    loop {
        let request = ctx.cloudwatch().get_metric_data().set_metric_data_queries(Some(queries(instances)));
        let request = request.start_time(DateTime::from_secs(from)).end_time(DateTime::from_secs(to)).set_next_token(token.clone());
        let page = ctx.call(&GET_METRIC_DATA, request.send()).await?;
        for result in page.metric_data_results() {
            let (status, minutes) = points.entry(result.id().unwrap_or_default().to_owned()).or_default();
            *status = result.status_code().cloned();
            minutes.extend(result.timestamps().iter().zip(result.values()).map(|(at, value)| (at.secs(), count(*value))));
        }
        let next = page.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            break;
        }
        if next == token {
            return Err(AwsError::incomplete(&GET_METRIC_DATA, "a new page token"));
        }
        token = next;
    }
    let mut take = |metric: usize, index: usize, instance: &str| {
        let (status, minutes) = points.remove(&query_id(metric, index)).unwrap_or_default();
        complete(instance, METRICS[metric], status.as_ref()).map(|()| minutes)
    };
    let answer = |(index, instance): (usize, &&str)| {
        let (connections, writes) = (take(0, index, instance), take(1, index, instance));
        let told = connections.and_then(|connections| Ok(Told { connections, writes: writes? }));
        ((*instance).to_owned(), told)
    };
    Ok(instances.iter().enumerate().map(answer).collect())
}

/// No unit is named: one that does not match would give an empty answer.
fn queries(instances: &[&str]) -> Vec<types::MetricDataQuery> {
    let query = |(index, instance, metric): (usize, &str, usize)| {
        let dimension = types::Dimension::builder().name("DBInstanceIdentifier").value(instance).build();
        let named = types::Metric::builder().namespace("AWS/RDS").metric_name(METRICS[metric]).dimensions(dimension).build();
        let stat = types::MetricStat::builder().metric(named).period(60).stat("Maximum").build();
        types::MetricDataQuery::builder().id(query_id(metric, index)).metric_stat(stat).build()
    };
    let each = instances.iter().enumerate().flat_map(|(index, instance)| [(index, *instance, 0), (index, *instance, 1)]);
    each.map(query).collect()
}

/// `i0`, `w0`: ids begin with a lower-case letter. [cloudwatch:MetricDataQuery]
fn query_id(metric: usize, index: usize) -> String {
    format!("{}{index}", ["i", "w"][metric])
}

fn complete(instance: &str, metric: &str, status: Option<&types::StatusCode>) -> Result<(), Unreadable> {
    let class = match status {
        Some(types::StatusCode::Complete) => return Ok(()),
        Some(types::StatusCode::Forbidden) => ErrorClass::Denied,
        _ => ErrorClass::Unavailable,
    };
    let status = status.map_or("no result", types::StatusCode::as_str);
    let message = format!("CloudWatch did not give all of {metric} of {instance}: {status}");
    let missing_action = GET_METRIC_DATA.action().filter(|_| class == ErrorClass::Denied).map(str::to_owned);
    Err(Unreadable { class, operation: GET_METRIC_DATA.name.to_owned(), missing_action, message })
}

/// The highest of a minute travels as a float; a part of a connection would be one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn count(value: f64) -> u32 {
    value.ceil() as u32
}
