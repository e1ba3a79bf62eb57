//! Amazon `CloudWatch`: metric data, and alarms that publish.
//!
//! The service speaks three protocols; each is read into and written from one plain form ([`form`]). Points are kept by
//! the minute, only where there are any, for 15 days.

mod alarms;
mod data;
mod form;
pub(crate) mod metrics;
mod put;
mod seed;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::Route;
use crate::world::{Ask, Origin, World};

use alarms::Alarm;
use metrics::{Metric, Point, Series};

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Of each account and region, by metric.
    metrics: BTreeMap<(String, String), BTreeMap<Metric, Series>>,
    /// By ARN.
    alarms: BTreeMap<String, Alarm>,
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let result = form::input(route, call).and_then(|input| answer(world, origin, &route.operation, &input));
    form::reply(world, route, result)
}

fn answer(world: &mut World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<Value, ApiError> {
    match operation {
        "PutMetricData" => put::put(world, origin, input),
        "GetMetricData" => data::get_metric_data(world, origin, input),
        "GetMetricStatistics" => data::get_metric_statistics(world, origin, input),
        "ListMetrics" => data::list_metrics(world, origin, input),
        "PutMetricAlarm" => alarms::put(world, origin, input),
        "DescribeAlarms" => alarms::describe(world, origin, input),
        "DeleteAlarms" => alarms::delete(world, origin, input),
        "SetAlarmState" => alarms::set_state(world, origin, input),
        other => Err(ApiError::unknown_operation(other)),
    }
}

fn permit(world: &World, origin: &Origin, operation: &str, resource: &str) -> Result<(), ApiError> {
    let action = format!("cloudwatch:{operation}");
    let ask = Ask { action: &action, resource, owner: origin.account(), document: None, context: BTreeMap::new() };
    world.permit(origin, &ask).map_err(|denial| ApiError::new(403, "AccessDenied", denial.message))
}

/// A parameter is wrong: the modelled name, and the query protocol's. [cloudwatch:InvalidParameterValueException]
fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterValueException", message).query_code("InvalidParameterValue")
}

/// A parameter is missing. [cloudwatch:MissingRequiredParameterException]
fn missing(name: &str) -> ApiError {
    let message = format!("The parameter {name} is required.");
    ApiError::bad_request("MissingRequiredParameterException", message).query_code("MissingParameter")
}

/// What the service's front refuses before the operation sees it.
fn validation(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("ValidationError", message)
}

/// Adds to a metric's data point of the present minute: (account, region), (namespace, name), (dimension, value).
pub(crate) fn count(world: &mut World, place: (&str, &str), metric: (&str, &str), dimension: (&str, &str), value: f64) {
    let now = world.now();
    let metric = Metric {
        namespace: metric.0.to_owned(),
        name: metric.1.to_owned(),
        dimensions: vec![(dimension.0.to_owned(), dimension.1.to_owned())],
    };
    let unit = match metric.name.as_str() {
        name if name.ends_with("Freshness") => "Seconds",
        name if name.ends_with("Bytes") => "Bytes",
        _ => "Count",
    };
    world.cloudwatch.series(place, metric, unit).add(now, now, Point::of(value));
}

impl State {
    fn series(&mut self, place: (&str, &str), metric: Metric, unit: &str) -> &mut Series {
        let place = (place.0.to_owned(), place.1.to_owned());
        self.metrics.entry(place).or_default().entry(metric).or_insert_with(|| Series::new(unit))
    }
}
