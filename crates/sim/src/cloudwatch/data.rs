//! Metric data is read.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::form::{double, moment, time, truth, whole};
use super::metrics::{Metric, Series};
use super::put::dimensions;
use super::{invalid, missing, permit, validation};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::rds::meters;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// Queries of one request. [cloudwatch:GetMetricData]
const QUERIES: usize = 500;
/// Points of one answer. [cloudwatch:GetMetricData]
const POINTS: u64 = 100_800;
/// Points of `GetMetricStatistics`. [cloudwatch:GetMetricStatistics]
const STATISTICS_POINTS: usize = 1440;
/// Metrics of one page. [cloudwatch:ListMetrics]
const METRICS: usize = 500;

/// One query, read.
struct Query {
    id: String,
    label: String,
    metric: Metric,
    period: u64,
    statistic: String,
    unit: Option<String>,
    returned: bool,
}

pub(super) fn get_metric_data(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    permit(world, origin, "GetMetricData", "*")?;
    let (start, end) = window(input)?;
    let given = input.get("MetricDataQueries").and_then(Value::as_array).ok_or_else(|| missing("MetricDataQueries"))?;
    if given.len() > QUERIES {
        return Err(validation(format!("The collection MetricDataQueries must not have a size greater than {QUERIES}.")));
    }
    let queries = given.iter().map(query).collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    if ids.len() < queries.len() {
        return Err(validation("The values for parameter id in MetricDataQueries are not unique."));
    }
    let ascending = match input_of::optional(input, "ScanBy").unwrap_or("TimestampDescending") {
        "TimestampAscending" => true,
        "TimestampDescending" => false,
        other => return Err(validation(format!("The value {other} for parameter ScanBy is invalid."))),
    };
    let most = input.get("MaxDatapoints").and_then(whole).unwrap_or(POINTS).clamp(1, POINTS);
    let from = input_of::optional(input, "NextToken").map_or(Ok((0, 0)), place)?;
    let of = |query: &Query| points(world, origin, query, (start, end), ascending);
    let returned: Vec<&Query> = queries.iter().filter(|query| query.returned).collect();
    let (results, next) = page(&returned, of, from, usize::try_from(most).unwrap_or(usize::MAX));
    let mut output = json!({ "MetricDataResults": results, "Messages": [] });
    if let Some((query, point)) = next {
        output["NextToken"] = json!(format!("{query}:{point}"));
    }
    Ok(output)
}

/// Where a token goes on: query and point.
fn place(token: &str) -> Result<(usize, usize), ApiError> {
    let (query, point) = token.split_once(':').unwrap_or_default();
    let invalid = |_| ApiError::bad_request("InvalidNextToken", "The next token specified is invalid.");
    Ok((query.parse().map_err(invalid)?, point.parse().map_err(invalid)?))
}

/// One page of at most so many points, and where the next begins.
fn page(
    queries: &[&Query],
    of: impl Fn(&Query) -> Vec<(u64, f64)>,
    from: (usize, usize),
    most: usize,
) -> (Vec<Value>, Option<(usize, usize)>) {
    let mut results = Vec::new();
    let mut room = most;
    for (index, query) in queries.iter().enumerate().skip(from.0) {
        let skipped = if index == from.0 { from.1 } else { 0 };
        let points = of(query);
        let rest = points.get(skipped..).unwrap_or_default();
        if room == 0 && !rest.is_empty() {
            return (results, Some((index, skipped)));
        }
        let shown = &rest[..rest.len().min(room)];
        room -= shown.len();
        let whole = shown.len() == rest.len();
        results.push(json!({
            "Id": query.id,
            "Label": query.label,
            "Timestamps": shown.iter().map(|(at, _)| time(Moment(at * 1000))).collect::<Vec<_>>(),
            "Values": shown.iter().map(|(_, value)| double(*value)).collect::<Vec<_>>(),
            "StatusCode": if whole { "Complete" } else { "PartialData" },
        }));
        if !whole {
            return (results, Some((index, skipped + shown.len())));
        }
    }
    (results, None)
}

/// What is kept of a metric, or what a service makes of it for the asking, between two times.
fn series<'a>(world: &'a World, origin: &Origin, metric: &Metric, unit: Option<&str>, window: (u64, u64)) -> Option<Cow<'a, Series>> {
    let place = (origin.account().to_owned(), origin.region.clone());
    let kept = world.cloudwatch.metrics.get(&place).and_then(|metrics| metrics.get(metric)).map(Cow::Borrowed);
    let found = kept.or_else(|| meters::series(world, origin.account(), &origin.region, metric, window).map(Cow::Owned));
    found.filter(|series| unit.is_none_or(|unit| *series.unit == *unit))
}

fn points(world: &World, origin: &Origin, query: &Query, window: (u64, u64), ascending: bool) -> Vec<(u64, f64)> {
    let Some(series) = series(world, origin, &query.metric, query.unit.as_deref(), window) else { return Vec::new() };
    let periods = series.periods(window.0, window.1, query.period);
    let mut points: Vec<(u64, f64)> =
        periods.into_iter().filter_map(|(at, point)| Some((at, point.statistic(&query.statistic)?))).collect();
    if !ascending {
        points.reverse();
    }
    points
}

/// Start and end, in seconds.
fn window(input: &Map<String, Value>) -> Result<(u64, u64), ApiError> {
    let of = |name: &str| input.get(name).and_then(moment).map(Moment::seconds).ok_or_else(|| missing(name));
    let (start, end) = (of("StartTime")?, of("EndTime")?);
    if start < end { Ok((start, end)) } else { Err(validation("The parameter StartTime must be less than the parameter EndTime.")) }
}

fn query(given: &Value) -> Result<Query, ApiError> {
    let given = given.as_object().ok_or_else(|| validation("A MetricDataQuery must be a structure."))?;
    let id = input_of::optional(given, "Id").ok_or_else(|| missing("MetricDataQueries.member.Id"))?;
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !id.starts_with(|first: char| first.is_ascii_lowercase()) || !id.bytes().all(fine) || id.len() > 255 {
        return Err(validation(format!(
            "The value {id} for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    let Some(stat) = given.get("MetricStat").and_then(Value::as_object) else {
        return Err(ApiError::unknown_operation("GetMetricData with an Expression"));
    };
    let metric = stat.get("Metric").and_then(Value::as_object).ok_or_else(|| missing("MetricDataQueries.member.MetricStat.Metric"))?;
    let metric = metric_of(metric)?;
    let period = period(stat.get("Period"))?;
    let statistic = statistic(input_of::optional(stat, "Stat").ok_or_else(|| missing("MetricDataQueries.member.MetricStat.Stat"))?)?;
    Ok(Query {
        id: id.to_owned(),
        label: input_of::optional(given, "Label").unwrap_or(&metric.name).to_owned(),
        metric,
        period,
        statistic,
        unit: input_of::optional(stat, "Unit").map(str::to_owned),
        returned: given.get("ReturnData").and_then(truth).unwrap_or(true),
    })
}

fn metric_of(given: &Map<String, Value>) -> Result<Metric, ApiError> {
    let text = |name: &str| input_of::optional(given, name).map(str::to_owned).ok_or_else(|| missing(name));
    Ok(Metric { namespace: text("Namespace")?, name: text("MetricName")?, dimensions: dimensions(given)? })
}

/// Points are kept by the minute, so a shorter period has none of its own. [cloudwatch:MetricStat]
fn period(given: Option<&Value>) -> Result<u64, ApiError> {
    let period = given.and_then(whole).ok_or_else(|| missing("Period"))?;
    match period {
        1 | 5 | 10 | 30 => Ok(60),
        period if period > 0 && period % 60 == 0 => Ok(period),
        _ => Err(validation("The parameter Period must be 1, 5, 10, 30 or a multiple of 60.")),
    }
}

/// Percentiles and the like need single values, which are not kept.
fn statistic(name: &str) -> Result<String, ApiError> {
    match name {
        "SampleCount" | "Sum" | "Average" | "Minimum" | "Maximum" => Ok(name.to_owned()),
        other => Err(ApiError::unknown_operation(&format!("the statistic {other}"))),
    }
}

pub(super) fn get_metric_statistics(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    permit(world, origin, "GetMetricStatistics", "*")?;
    let (start, end) = window(input)?;
    let metric = metric_of(input)?;
    let period = period(input.get("Period"))?;
    let names = input.get("Statistics").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let names = names.map(statistic).collect::<Result<Vec<String>, _>>()?;
    if names.is_empty() {
        return Err(missing("Statistics"));
    }
    let found = series(world, origin, &metric, input_of::optional(input, "Unit"), (start, end));
    let periods = found.as_ref().map(|series| series.periods(start, end, period)).unwrap_or_default();
    if periods.len() > STATISTICS_POINTS {
        let message = format!("You have requested up to {} datapoints, which exceeds the limit of 1,440.", periods.len());
        return Err(ApiError::bad_request("InvalidParameterCombinationException", message).query_code("InvalidParameterCombination"));
    }
    let unit = found.map(|series| series.unit.to_string()).unwrap_or_default();
    let point = |(at, point): &(u64, super::Point)| {
        let mut described = json!({ "Timestamp": time(Moment(at * 1000)), "Unit": unit });
        for name in &names {
            described[name] = point.statistic(name).map_or(Value::Null, double);
        }
        described
    };
    Ok(json!({ "Label": metric.name, "Datapoints": periods.iter().map(point).collect::<Vec<_>>() }))
}

/// Metrics of the last two weeks; the token is a position. [cloudwatch:ListMetrics]
pub(super) fn list_metrics(world: &World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    permit(world, origin, "ListMetrics", "*")?;
    let (namespace, name) = (input_of::optional(input, "Namespace"), input_of::optional(input, "MetricName"));
    let filters: Vec<(&str, Option<&str>)> = input
        .get("Dimensions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|filter| Some((filter.get("Name")?.as_str()?, filter.get("Value").and_then(Value::as_str))))
        .collect();
    let since = match input_of::optional(input, "RecentlyActive") {
        None => world.now().seconds().saturating_sub(14 * 24 * 3600),
        Some("PT3H") => world.now().seconds().saturating_sub(3 * 3600),
        Some(other) => return Err(invalid(format!("The value {other} for parameter RecentlyActive is invalid."))),
    };
    let has = |metric: &Metric, (wanted, value): &(&str, Option<&str>)| {
        metric.dimensions.iter().any(|(name, known)| name == wanted && value.is_none_or(|value| value == known))
    };
    let start: usize = match input_of::optional(input, "NextToken") {
        Some(token) => token.parse().map_err(|_| ApiError::bad_request("InvalidNextToken", "The next token specified is invalid."))?,
        None => 0,
    };
    let place = (origin.account().to_owned(), origin.region.clone());
    let kept = world.cloudwatch.metrics.get(&place).into_iter().flatten();
    let kept = kept.filter_map(|(metric, series)| Some((metric.clone(), series.latest()?)));
    let mut matching = kept
        .chain(meters::metrics(world, origin.account(), &origin.region))
        .filter(|(metric, latest)| {
            namespace.is_none_or(|namespace| namespace == metric.namespace)
                && name.is_none_or(|name| name == metric.name)
                && filters.iter().all(|filter| has(metric, filter))
                && *latest >= since
        })
        .map(|(metric, _)| describe(&metric))
        .skip(start);
    let page: Vec<Value> = matching.by_ref().take(METRICS).collect();
    let end = start + page.len();
    let mut output = json!({ "Metrics": page });
    if matching.next().is_some() {
        output["NextToken"] = json!(end.to_string());
    }
    Ok(output)
}

fn describe(metric: &Metric) -> Value {
    let dimensions: Vec<Value> = metric.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    json!({ "Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions })
}
