//! Metrics and alarms without the wire: for tests, the simulation and the demo.

use super::alarms;
use super::metrics::Metric;
use crate::error::ApiError;
use crate::world::World;

impl World {
    /// The sum of all points that are kept of a metric with one dimension: (account, region), (namespace, name), (dimension, value).
    pub fn metric_sum(&self, place: (&str, &str), metric: (&str, &str), dimension: (&str, &str)) -> f64 {
        let metric = Metric {
            namespace: metric.0.to_owned(),
            name: metric.1.to_owned(),
            dimensions: vec![(dimension.0.to_owned(), dimension.1.to_owned())],
        };
        let found = self.cloudwatch.metrics.get(&(place.0.to_owned(), place.1.to_owned())).and_then(|metrics| metrics.get(&metric));
        found.map_or(0.0, |series| series.periods(0, u64::MAX / 60 * 60, 60).iter().map(|(_, point)| point.sum).sum())
    }

    /// Makes an alarm on delivery streams' key errors that publishes to a topic. Its ARN.
    pub fn create_alarm(&mut self, account: &str, region: &str, name: &str, topic: &str) -> String {
        let arn = format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}");
        alarms::seed(self, &arn, topic);
        arn
    }

    /// Puts an alarm into a state (`OK`, `ALARM`, `INSUFFICIENT_DATA`); it publishes if that is another than before.
    pub fn set_alarm_state(&mut self, arn: &str, state: &str, reason: &str) -> Result<(), ApiError> {
        alarms::change(self, arn, state, reason)
    }
}
