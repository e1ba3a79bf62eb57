//! The questions put to `GetMetricData`, and what its answers say.
//!
//! No data point means no errors; a result that is not complete means that nobody knows, and must
//! never be taken for zero. Windows are whole minutes, the period of these metrics.

use std::collections::BTreeMap;
use std::ops::Range;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types;
use everseal_controller::KmsErrorPoint;
use everseal_planner::firehose::observed::KmsError;
use everseal_planner::inventory::{ErrorClass, Unreadable};

/// Seconds of a data point.
const PERIOD: i64 = 60;
/// Queries of one call. [cloudwatch:GetMetricData]
const QUERIES: usize = 500;
/// Data points of one call. [cloudwatch:GetMetricData]
const POINTS: usize = 100_800;

/// One call: streams whose four counters are asked for, and the window, in seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch<'a> {
    pub(crate) streams: &'a [String],
    pub(crate) window: Range<i64>,
}

/// The calls that cover `streams` from `from` (inclusive) to `to` (exclusive); a minute that has not ended is not asked for.
pub(crate) fn batches(streams: &[String], from: i64, to: i64) -> Vec<Batch<'_>> {
    let (from, to) = (from.div_euclid(PERIOD) * PERIOD, to.div_euclid(PERIOD) * PERIOD);
    let mut batches = Vec::new();
    for streams in streams.chunks(QUERIES / KmsError::ALL.len()) {
        let minutes = POINTS / (streams.len() * KmsError::ALL.len());
        let longest = i64::try_from(minutes).unwrap_or(i64::MAX / PERIOD) * PERIOD;
        let mut start = from;
        while start < to {
            let end = to.min(start + longest);
            batches.push(Batch { streams, window: start..end });
            start = end;
        }
    }
    batches
}

/// One query for each stream and counter; a query's id says which. No unit is named: a unit that does
/// not match would give an empty answer, which reads like "no errors".
pub(crate) fn queries(streams: &[String]) -> Vec<types::MetricDataQuery> {
    let mut queries = Vec::with_capacity(streams.len() * KmsError::ALL.len());
    for (index, stream) in streams.iter().enumerate() {
        for error in KmsError::ALL {
            let dimension = types::Dimension::builder().name("DeliveryStreamName").value(stream).build();
            let metric = types::Metric::builder().namespace("AWS/Firehose").metric_name(error.id()).dimensions(dimension).build();
            let stat = types::MetricStat::builder().metric(metric).period(60).stat("Sum").build();
            queries.push(types::MetricDataQuery::builder().id(query_id(index, *error)).metric_stat(stat).build());
        }
    }
    queries
}

/// Letters, digits and underscore, a lower-case letter first. [cloudwatch:MetricDataQuery]
fn query_id(stream: usize, error: KmsError) -> String {
    format!("s{stream}_{}", error.id())
}

/// The answers of one batch, gathered over its pages.
#[derive(Debug)]
pub(crate) struct Answers<'a> {
    /// Query id → what it asked for, and the status of its last result.
    asked: BTreeMap<String, (&'a str, KmsError, Option<types::StatusCode>)>,
    /// Keyed, so that a page that repeats a point does not count it twice.
    points: BTreeMap<(String, i64), u64>,
    messages: Vec<String>,
}

impl<'a> Answers<'a> {
    pub(crate) fn new(streams: &'a [String]) -> Self {
        let ids = |(index, stream): (usize, &'a String)| {
            KmsError::ALL.iter().map(move |error| (query_id(index, *error), (stream.as_str(), *error, None)))
        };
        Self { asked: streams.iter().enumerate().flat_map(ids).collect(), points: BTreeMap::new(), messages: Vec::new() }
    }

    /// Takes in one page.
    pub(crate) fn page(&mut self, results: &[types::MetricDataResult], messages: &[types::MessageData]) {
        self.messages.extend(messages.iter().map(message));
        for result in results {
            let Some((_, _, status)) = result.id().and_then(|id| self.asked.get_mut(id)) else { continue };
            *status = result.status_code().cloned();
            self.messages.extend(result.messages().iter().map(message));
            let id = result.id().unwrap_or_default();
            for (at, value) in result.timestamps().iter().zip(result.values()) {
                if let Some(count) = count(*value) {
                    self.points.insert((id.to_owned(), at.secs()), count);
                }
            }
        }
    }

    /// The points above zero once the last page is in, or why they are not known.
    pub(crate) fn finish(self) -> Result<Vec<KmsErrorPoint>, Unreadable> {
        for (stream, error, status) in self.asked.values() {
            let class = match status {
                Some(types::StatusCode::Complete) => continue,
                Some(types::StatusCode::Forbidden) => ErrorClass::Denied,
                _ => ErrorClass::Unavailable,
            };
            let status = status.as_ref().map_or("no result", types::StatusCode::as_str);
            let mut message = format!("CloudWatch did not give all data of metric {error} of delivery stream {stream}: {status}");
            for more in &self.messages {
                message.push_str("; ");
                message.push_str(more);
            }
            let missing_action = (class == ErrorClass::Denied).then(|| "cloudwatch:GetMetricData".to_owned());
            return Err(Unreadable { class, operation: "GetMetricData".to_owned(), missing_action, message });
        }
        let point = |((id, at), count): ((String, i64), u64)| {
            let (stream, error, _) = self.asked.get(&id)?;
            Some(KmsErrorPoint { stream: (*stream).to_owned(), error: *error, at, count })
        };
        Ok(self.points.into_iter().filter_map(point).collect())
    }
}

/// A sum of counts is a whole number that happens to travel as a float.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn count(value: f64) -> Option<u64> {
    (value > 0.0).then_some(value.round() as u64).filter(|count| *count > 0)
}

fn message(data: &types::MessageData) -> String {
    format!("{}: {}", data.code().unwrap_or_default(), data.value().unwrap_or_default())
}

/// The window's ends as the SDK takes them.
pub(crate) fn window(range: &Range<i64>) -> (DateTime, DateTime) {
    (DateTime::from_secs(range.start), DateTime::from_secs(range.end))
}
