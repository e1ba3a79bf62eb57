//! `PutMetricData`.

use serde_json::{Map, Value};

use super::form::{moment, number};
use super::metrics::{Metric, Point};
use super::{invalid, missing, permit};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::json as input_of;
use crate::world::{Origin, World};

/// Metrics of one request. [cloudwatch:PutMetricData]
const METRICS: usize = 1000;
/// Dimensions of one metric.
const DIMENSIONS: usize = 30;

pub(super) fn put(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    permit(world, origin, "PutMetricData", "*")?;
    let namespace = input_of::optional(input, "Namespace").ok_or_else(|| missing("Namespace"))?;
    if namespace.is_empty() || namespace.len() > 255 || namespace.starts_with(':') || namespace.starts_with("AWS/") {
        return Err(invalid(format!("The value {namespace} for parameter Namespace is invalid.")));
    }
    let data = input.get("MetricData").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if data.len() > METRICS {
        return Err(invalid(format!("The collection MetricData must not have a size greater than {METRICS}.")));
    }
    let now = world.now();
    let data = data.iter().map(|datum| read(namespace, now, datum)).collect::<Result<Vec<_>, _>>()?;
    for (metric, unit, at, points) in data {
        let series = world.cloudwatch.series((origin.account(), &origin.region), metric, &unit);
        for point in points {
            series.add(now, at, point);
        }
    }
    Ok(Value::Null)
}

type Datum = (Metric, String, Moment, Vec<Point>);

fn read(namespace: &str, now: Moment, datum: &Value) -> Result<Datum, ApiError> {
    let datum = datum.as_object().ok_or_else(|| invalid("A MetricDatum must be a structure."))?;
    let name =
        input_of::optional(datum, "MetricName").filter(|name| !name.is_empty()).ok_or_else(|| missing("MetricData.member.MetricName"))?;
    let metric = Metric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions: dimensions(datum)? };
    let unit = input_of::optional(datum, "Unit").unwrap_or("None").to_owned();
    let at = datum.get("Timestamp").and_then(moment).unwrap_or(now);
    Ok((metric, unit, at, points(datum)?))
}

fn points(datum: &Map<String, Value>) -> Result<Vec<Point>, ApiError> {
    if let Some(value) = datum.get("Value").and_then(number) {
        return Ok(vec![Point::of(value)]);
    }
    if let Some(set) = datum.get("StatisticValues") {
        let member =
            |name: &str| set.get(name).and_then(number).ok_or_else(|| missing(&format!("MetricData.member.StatisticValues.{name}")));
        return Ok(vec![Point {
            samples: member("SampleCount")?,
            sum: member("Sum")?,
            least: member("Minimum")?,
            most: member("Maximum")?,
        }]);
    }
    let numbers = |name: &str| -> Vec<f64> { datum.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(number).collect() };
    let (values, counts) = (numbers("Values"), numbers("Counts"));
    if values.is_empty() {
        return Err(missing("MetricData.member.Value"));
    }
    if !counts.is_empty() && counts.len() != values.len() {
        return Err(invalid("The parameters MetricData.member.Values and MetricData.member.Counts must be of the same size."));
    }
    let point = |(index, value): (usize, &f64)| {
        let samples = counts.get(index).copied().unwrap_or(1.0);
        Point { samples, sum: value * samples, least: *value, most: *value }
    };
    Ok(values.iter().enumerate().map(point).collect())
}

/// `Dimensions`, in the order of their names.
pub(super) fn dimensions(of: &Map<String, Value>) -> Result<Vec<(String, String)>, ApiError> {
    let given = of.get("Dimensions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pair = |dimension: &Value| Some((dimension.get("Name")?.as_str()?.to_owned(), dimension.get("Value")?.as_str()?.to_owned()));
    let pairs: Option<Vec<(String, String)>> = given.iter().map(pair).collect();
    let mut pairs = pairs.filter(|pairs| pairs.len() <= DIMENSIONS).ok_or_else(|| invalid("The dimensions are not valid."))?;
    pairs.sort();
    Ok(pairs)
}
