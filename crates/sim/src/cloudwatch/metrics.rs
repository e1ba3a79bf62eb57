//! Metrics and their points.

use std::collections::BTreeMap;

use crate::moment::Moment;

/// One-minute points are kept for 15 days. [`CloudWatch`: Metrics retention]
const KEPT_MINUTES: u64 = 15 * 24 * 60;

/// What identifies a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metric {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// In the order of their names.
    pub(crate) dimensions: Vec<(String, String)>,
}

/// What is known of one minute, or of several together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) samples: f64,
    pub(crate) sum: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Point {
    /// One value.
    pub(crate) const fn of(value: f64) -> Self {
        Self { samples: 1.0, sum: value, least: value, most: value }
    }

    /// The two together.
    pub(crate) const fn with(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            sum: self.sum + other.sum,
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }

    /// A statistic by its name; `None` = not one that sums can answer.
    pub(crate) fn statistic(self, name: &str) -> Option<f64> {
        match name {
            "SampleCount" => Some(self.samples),
            "Sum" => Some(self.sum),
            "Average" => Some(self.sum / self.samples),
            "Minimum" => Some(self.least),
            "Maximum" => Some(self.most),
            _ => None,
        }
    }
}

/// A metric's points by the minute.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) unit: Box<str>,
    minutes: BTreeMap<u64, Point>,
}

impl Series {
    pub(crate) fn new(unit: &str) -> Self {
        Self { unit: unit.into(), minutes: BTreeMap::new() }
    }

    /// Adds to the minute of `at`, and lets go of what is older than 15 days by `now`.
    pub(crate) fn add(&mut self, now: Moment, at: Moment, point: Point) {
        let known = self.minutes.entry(at.seconds() / 60);
        known.and_modify(|known| *known = known.with(point)).or_insert(point);
        let oldest = (now.seconds() / 60).saturating_sub(KEPT_MINUTES);
        while let Some(first) = self.minutes.first_entry().filter(|first| *first.key() < oldest) {
            first.remove();
        }
    }

    /// Points of whole periods from `start` (in seconds, rounded down to the minute) to before `end`, where there are any:
    /// (the period's beginning in seconds, the point). [cloudwatch:GetMetricData]
    pub(crate) fn periods(&self, start: u64, end: u64, period: u64) -> Vec<(u64, Point)> {
        let start = start / 60 * 60;
        let mut periods: Vec<(u64, Point)> = Vec::new();
        if start >= end {
            return periods;
        }
        for (minute, point) in self.minutes.range(start / 60..end.div_ceil(60)) {
            let begins = start + (minute * 60 - start) / period * period;
            match periods.last_mut() {
                Some((known, sum)) if *known == begins => *sum = sum.with(*point),
                _ => periods.push((begins, *point)),
            }
        }
        periods
    }

    /// The latest minute with a point, in seconds.
    pub(crate) fn latest(&self) -> Option<u64> {
        self.minutes.last_key_value().map(|(minute, _)| minute * 60)
    }

    /// Minutes that are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.minutes.len()
    }
}
