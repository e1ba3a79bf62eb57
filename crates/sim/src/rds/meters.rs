//! What `CloudWatch` shows of an instance: connections and writes by the minute, as long as it runs.
//!
//! Nothing is written down minute by minute: points are made when somebody asks, from what changed and when. A meter belongs
//! to a name, not to an instance: what is renamed leaves its past behind. [RDS: Renaming a DB instance]

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Databases, Place};
use crate::cloudwatch::metrics::{Metric, Point, Series};
use crate::moment::Moment;
use crate::world::World;

const NAMESPACE: &str = "AWS/RDS";
const DIMENSION: &str = "DBInstanceIdentifier";
/// Metrics with their units. [RDS: `CloudWatch` metrics]
const METRICS: &[(&str, &str)] = &[("DatabaseConnections", "Count"), ("WriteIOPS", "Count/Second"), ("WriteThroughput", "Bytes/Second")];
/// What a row costs: one page of 8 KiB.
const PAGE: u32 = 8192;
/// One-minute points are kept for 15 days. [`CloudWatch`: Metrics retention]
const KEPT: Duration = Duration::from_hours(15 * 24);

/// What is known of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Meter {
    /// From when on how many connections are open; `None`: it doesn't run, so there are no points.
    steps: Vec<(Moment, Option<u32>)>,
    /// Rows by the minute.
    writes: BTreeMap<u64, u32>,
}

impl Meter {
    pub(super) fn connections(&mut self, now: Moment, open: Option<u32>) {
        if self.steps.last().map_or(open.is_some(), |(_, known)| *known != open) {
            self.steps.push((now, open));
        }
        let oldest = Moment(now.0.saturating_sub(u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX)));
        let gone = self.steps.iter().take_while(|(at, _)| *at < oldest).count();
        // The last of them still says what the time after it began with.
        self.steps.drain(..gone.saturating_sub(1));
        self.writes = self.writes.split_off(&(oldest.seconds() / 60));
    }

    pub(super) fn wrote(&mut self, now: Moment) {
        *self.writes.entry(now.seconds() / 60).or_default() += 1;
    }

    /// Minutes in which it ran, with the most connections that were open in each.
    fn minutes(&self, from: u64, to: u64) -> Vec<(u64, u32)> {
        let mut found = Vec::new();
        let mut next = 0;
        let mut open = None;
        for minute in from..to {
            let (start, end) = (Moment(minute * 60_000), Moment((minute + 1) * 60_000));
            while let Some((_, step)) = self.steps.get(next).filter(|(at, _)| *at < start) {
                open = *step;
                next += 1;
            }
            // What changes with the minute's beginning takes nothing over from before.
            let mut most = open.filter(|_| self.steps.get(next).is_none_or(|(at, _)| *at > start));
            while let Some((_, step)) = self.steps.get(next).filter(|(at, _)| *at < end) {
                most = most.max(*step);
                open = *step;
                next += 1;
            }
            found.extend(most.map(|most| (minute, most)));
        }
        found
    }
}

impl Databases {
    /// The meter of an instance follows its status and its connections.
    pub(super) fn measure(&mut self, now: Moment, identifier: &str) {
        let Some(instance) = self.instances.get(identifier) else { return };
        let open = self.clients.values().filter(|client| client.instance == instance.resource_id).count();
        let open = instance.runs().then_some(u32::try_from(open).unwrap_or(u32::MAX));
        if let Some(meter) = self.meter(identifier, open.is_some()) {
            meter.connections(now, open);
        }
    }

    /// The meter of a name, where there is one, or one is wanted.
    pub(super) fn meter(&mut self, identifier: &str, wanted: bool) -> Option<&mut Meter> {
        if wanted && !self.meters.contains_key(identifier) {
            self.meters.insert(identifier.to_owned(), Meter::default());
        }
        self.meters.get_mut(identifier)
    }

    /// Nothing bears the name any more.
    pub(super) fn stop_meter(&mut self, now: Moment, identifier: &str) {
        if let Some(meter) = self.meters.get_mut(identifier) {
            meter.connections(now, None);
        }
    }
}

/// Points of a metric of ours between two times (in seconds), of minutes that are over. `None`: it is none of ours.
pub(crate) fn series(world: &World, account: &str, region: &str, metric: &Metric, (start, end): (u64, u64)) -> Option<Series> {
    let [(dimension, name)] = metric.dimensions.as_slice() else { return None };
    let (kind, unit) = METRICS.iter().find(|(known, _)| *known == metric.name)?;
    if metric.namespace != NAMESPACE || dimension != DIMENSION {
        return None;
    }
    let place = Place { account: account.to_owned(), region: region.to_owned() };
    let meter = world.rds.places.get(&place)?.meters.get(name)?;
    let now = world.now();
    let oldest = now.seconds().saturating_sub(KEPT.as_secs()) / 60;
    let mut series = Series::new(unit);
    for (minute, open) in meter.minutes((start / 60).max(oldest), end.div_ceil(60).min(now.seconds() / 60)) {
        let wrote = f64::from(meter.writes.get(&minute).copied().unwrap_or_default());
        let value = match *kind {
            "DatabaseConnections" => f64::from(open),
            "WriteIOPS" => wrote / 60.0,
            _ => wrote * f64::from(PAGE) / 60.0,
        };
        series.add(now, Moment(minute * 60_000), Point::of(value));
    }
    Some(series)
}

/// Metrics of ours that an account has in a region, each with the second of its latest point.
pub(crate) fn metrics(world: &World, account: &str, region: &str) -> Vec<(Metric, u64)> {
    let place = Place { account: account.to_owned(), region: region.to_owned() };
    let Some(databases) = world.rds.places.get(&place) else { return Vec::new() };
    let now = world.now();
    let latest = |meter: &Meter| match meter.steps.last() {
        Some((_, Some(_))) => now.seconds(),
        Some((stopped, None)) => stopped.seconds(),
        None => 0,
    };
    let named = |name: &str, identifier: &str| Metric {
        namespace: NAMESPACE.to_owned(),
        name: name.to_owned(),
        dimensions: vec![(DIMENSION.to_owned(), identifier.to_owned())],
    };
    let of = |(identifier, meter): (&String, &Meter)| {
        METRICS.iter().map(|(name, _)| (named(name, identifier), latest(meter))).collect::<Vec<_>>()
    };
    databases.meters.iter().flat_map(of).collect()
}
