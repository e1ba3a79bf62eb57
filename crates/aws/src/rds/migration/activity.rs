//! Whether anybody is connected to a database: `DatabaseConnections` of `CloudWatch`, minute by minute.
//!
//! What must never happen here: a minute without a data point counted as a minute without connections. So an interval is
//! told only as far as it is unbroken, and for a cluster only where each of its members has a point.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types;
use everseal_planner::inventory::{ErrorClass, Reading, Unreadable};
use everseal_planner::rds::migration::observed::DatabaseActivity;

use crate::call::ScopeContext;
use crate::cloudwatch::operations::GET_METRIC_DATA;
use crate::error::AwsError;

/// Seconds of a data point: the period of RDS's metrics. [RDS: CloudWatch metrics for Amazon RDS]
const PERIOD: i64 = 60;
/// How far back is asked, in seconds: writes stay stopped for as long as a snapshot is taken, copied and restored, and for all
/// of that time nobody may have been connected.
const WINDOW: i64 = 24 * 3600;
/// Queries of one call: 1,440 points of 70 queries are within the 100,800 of one call. [cloudwatch:GetMetricData]
const QUERIES: usize = 70;

/// Start of a minute → the highest number of connections in it.
type Minutes = BTreeMap<i64, u32>;

/// What was learnt of each instance, by identifier.
#[derive(Debug, Default)]
pub(in crate::rds) struct Connections(BTreeMap<String, Result<Minutes, Unreadable>>);

impl Connections {
    /// Asks for the last hours of all `instances` up to `now`, in seconds since the Unix epoch.
    pub(in crate::rds) async fn read(ctx: &ScopeContext, instances: &BTreeSet<String>, now: i64) -> Self {
        let to = now.div_euclid(PERIOD) * PERIOD;
        let names: Vec<&str> = instances.iter().map(String::as_str).collect();
        let mut known = BTreeMap::new();
        for names in names.chunks(QUERIES) {
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
                Some(Ok(minutes)) => all.push(minutes),
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

fn activity(instances: &[&Minutes]) -> Option<DatabaseActivity> {
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
    let connected = instances.iter().filter_map(|minutes| minutes.iter().rev().find(|(_, count)| **count > 0));
    Some(DatabaseActivity {
        from,
        to: last + PERIOD,
        most_connections: most,
        last_connection_at: connected.map(|(at, _)| at + PERIOD).max(),
        connections_now: sum(last),
    })
}

/// Answers by instance. One that `CloudWatch` says is not complete is not known.
async fn ask(
    ctx: &ScopeContext,
    instances: &[&str],
    from: i64,
    to: i64,
) -> Result<BTreeMap<String, Result<Minutes, Unreadable>>, AwsError> {
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
    let answer = |(index, instance): (usize, &&str)| {
        let (status, minutes) = points.remove(&query_id(index)).unwrap_or_default();
        ((*instance).to_owned(), complete(instance, status.as_ref()).map(|()| minutes))
    };
    Ok(instances.iter().enumerate().map(answer).collect())
}

/// No unit is named: one that does not match would give an empty answer.
fn queries(instances: &[&str]) -> Vec<types::MetricDataQuery> {
    let query = |(index, instance): (usize, &&str)| {
        let dimension = types::Dimension::builder().name("DBInstanceIdentifier").value(*instance).build();
        let metric = types::Metric::builder().namespace("AWS/RDS").metric_name("DatabaseConnections").dimensions(dimension).build();
        let stat = types::MetricStat::builder().metric(metric).period(60).stat("Maximum").build();
        types::MetricDataQuery::builder().id(query_id(index)).metric_stat(stat).build()
    };
    instances.iter().enumerate().map(query).collect()
}

fn query_id(index: usize) -> String {
    format!("i{index}")
}

fn complete(instance: &str, status: Option<&types::StatusCode>) -> Result<(), Unreadable> {
    let class = match status {
        Some(types::StatusCode::Complete) => return Ok(()),
        Some(types::StatusCode::Forbidden) => ErrorClass::Denied,
        _ => ErrorClass::Unavailable,
    };
    let status = status.map_or("no result", types::StatusCode::as_str);
    let message = format!("CloudWatch did not give all of DatabaseConnections of {instance}: {status}");
    let missing_action = GET_METRIC_DATA.action().filter(|_| class == ErrorClass::Denied).map(str::to_owned);
    Err(Unreadable { class, operation: GET_METRIC_DATA.name.to_owned(), missing_action, message })
}

/// The highest of a minute is a whole number that travels as a float; a part of a connection would be one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn count(value: f64) -> u32 {
    value.ceil() as u32
}
