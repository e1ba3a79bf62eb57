//! Firehose's four KMS counters, from CloudWatch's deltas to totals that count each error once.
//!
//! CloudWatch shows a minute's data point late and lets it grow (AWS-FACTS §10). So a poll's window
//! ends some minutes ago, the last hour is read again every time, the count of each minute in it is
//! remembered, and only the increase is added. The watermark is per stream: a poll that failed is
//! made up for by the next. Nothing that could not be read is ever taken for zero.
//!
//! A *run* of errors begins with the first data point above zero; 24 hours later Firehose starts to
//! discard records. It has ended when the newest [`RUN_ENDS_AFTER_SECONDS`] of the window show none.

use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::firehose::observed::{DeliveryStream, KmsError, KmsErrorRun, KmsErrors};
use everseal_planner::inventory::Unreadable;
use everseal_planner::{Inventory, Reading};

use crate::account::KmsErrorPoint;

/// A poll's window ends this long ago: younger minutes are still being counted.
pub const WINDOW_ENDS_SECONDS_AGO: i64 = 150;
/// Read again in every poll, because data points arrive late and grow.
pub const READ_AGAIN_SECONDS: i64 = 3600;
/// Firehose keeps what it cannot decrypt for 24 hours: errors before that have lost their data already.
pub const RETENTION_SECONDS: i64 = 24 * 3600;
/// Two of the longest buffering intervals (900 s each) without an error end a run: a stream with
/// data that it cannot decrypt would have failed again by then.
pub const RUN_ENDS_AFTER_SECONDS: i64 = 2 * 900;

const MINUTE: i64 = 60;
const CUSTOMER_MANAGED: &str = "CUSTOMER_MANAGED_CMK";

/// One call to CloudWatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Streams with a customer managed key.
    pub streams: Vec<String>,
    /// Inclusive, a full minute, in Unix time.
    pub from: i64,
    /// Exclusive, a full minute.
    pub to: i64,
}

/// Errors that were not counted before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Increase {
    /// The stream's name.
    pub stream: String,
    /// Which counter.
    pub error: KmsError,
    /// How many more.
    pub count: u64,
}

#[derive(Debug, Clone)]
struct Watched {
    /// Everything before this has been read at least once.
    read_to: Option<i64>,
    /// Minutes before this are not counted: another process, or an earlier life of the stream, did.
    counted_from: i64,
    counters: BTreeMap<KmsError, Counter>,
    /// Why the last poll failed.
    unreadable: Option<Unreadable>,
}

#[derive(Debug, Clone, Default)]
struct Counter {
    /// Count by minute, within what is read again.
    minutes: BTreeMap<i64, u64>,
    /// The run as it stood before the first of `minutes`.
    before: Option<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first_at: i64,
    last_at: i64,
    count: u64,
}

/// What has been read of the counters of one scope.
#[derive(Debug, Clone, Default)]
pub struct KmsErrorWatch {
    started: i64,
    streams: BTreeMap<String, Watched>,
    /// When streams left the watch: if one comes back, what was counted then is not counted again.
    left: BTreeMap<String, i64>,
    increases: Vec<Increase>,
    gone: Vec<String>,
}

impl KmsErrorWatch {
    /// Nothing read yet; errors are counted from now (Unix time) on. Runs that began earlier are found all the same.
    pub fn starting(now: i64) -> Self {
        Self { started: floor(now), ..Self::default() }
    }

    /// True where the inventory has a stream to watch that was never polled.
    pub fn unread(&self, inventory: &Inventory) -> bool {
        watchable(inventory).any(|stream| self.streams.get(&stream.name).is_none_or(|w| w.read_to.is_none() && w.unreadable.is_none()))
    }

    /// What to ask CloudWatch now. Streams that are gone, or have no customer managed key any more, leave the watch.
    pub fn queries(&mut self, inventory: &Inventory, now: i64) -> Vec<Query> {
        let to = floor(now - WINDOW_ENDS_SECONDS_AGO);
        let names: BTreeSet<&str> = watchable(inventory).map(|stream| stream.name.as_str()).collect();
        self.left.retain(|_, at| now - *at < RETENTION_SECONDS + READ_AGAIN_SECONDS);
        let (left, gone) = (&mut self.left, &mut self.gone);
        self.streams.retain(|name, watched| {
            let stays = names.contains(name.as_str());
            if !stays {
                gone.push(name.clone());
                left.insert(name.clone(), watched.read_to.unwrap_or(watched.counted_from));
            }
            stays
        });
        let mut by_start: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for name in names {
            let counted_from = left.get(name).copied().unwrap_or(self.started).max(self.started);
            let watched = self.streams.entry(name.to_owned()).or_insert_with(|| Watched::new(counted_from));
            // Nothing older than 15 days is kept in minutes; a day is all that a run can still save.
            let oldest = to - RETENTION_SECONDS;
            let from = watched.read_to.map_or(oldest, |read_to| (read_to - READ_AGAIN_SECONDS).max(oldest));
            by_start.entry(from).or_default().push(name.to_owned());
        }
        by_start.into_iter().filter(|(from, _)| *from < to).map(|(from, streams)| Query { streams, from, to }).collect()
    }

    /// Takes in CloudWatch's answer to a query.
    pub fn take_in(&mut self, query: &Query, answer: Result<Vec<KmsErrorPoint>, Unreadable>) {
        let points = match answer {
            Ok(points) => points,
            Err(unreadable) => {
                for name in &query.streams {
                    if let Some(watched) = self.streams.get_mut(name) {
                        watched.unreadable = Some(unreadable.clone());
                    }
                }
                return;
            }
        };
        let in_window = |point: &&KmsErrorPoint| (query.from..query.to).contains(&point.at) && query.streams.contains(&point.stream);
        for point in points.iter().filter(in_window) {
            if let Some(watched) = self.streams.get_mut(&point.stream) {
                let more = watched.count(point);
                if more > 0 {
                    self.increases.push(Increase { stream: point.stream.clone(), error: point.error, count: more });
                }
            }
        }
        for name in &query.streams {
            if let Some(watched) = self.streams.get_mut(name) {
                watched.read(query.to);
            }
        }
    }

    /// What is new since the last call.
    pub fn drain_increases(&mut self) -> Vec<Increase> {
        std::mem::take(&mut self.increases)
    }

    /// Streams that have left the watch since the last call.
    pub fn drain_gone(&mut self) -> Vec<String> {
        std::mem::take(&mut self.gone)
    }

    /// The streams under watch.
    pub fn watched(&self) -> impl Iterator<Item = &str> {
        self.streams.keys().map(String::as_str)
    }

    /// When Firehose starts to discard records of a stream: the first error of the earliest current run, and 24 hours.
    pub fn loss_deadline(&self, stream: &str) -> Option<i64> {
        self.streams.get(stream)?.runs().iter().map(|run| run.first_at + RETENTION_SECONDS).min()
    }

    /// Puts what is known of the counters into the inventory's streams.
    pub fn dress(&self, inventory: &mut Inventory) {
        for stream in inventory.delivery_streams.values_mut() {
            if !is_watchable(stream) {
                continue;
            }
            stream.kms_errors = match self.streams.get(&stream.name) {
                Some(Watched { unreadable: Some(unreadable), .. }) => Reading::Unreadable { unreadable: unreadable.clone() },
                None | Some(Watched { read_to: None, .. }) => Reading::NotRead,
                Some(watched) => Reading::Known(KmsErrors { current: watched.runs() }),
            };
        }
    }
}

impl Watched {
    const fn new(counted_from: i64) -> Self {
        Self { read_to: None, counted_from, counters: BTreeMap::new(), unreadable: None }
    }

    /// Remembers a data point and returns by how much the total grows.
    fn count(&mut self, point: &KmsErrorPoint) -> u64 {
        let minute = floor(point.at);
        let known = self.counters.entry(point.error).or_default().minutes.entry(minute).or_default();
        let more = point.count.saturating_sub(*known);
        *known += more;
        if minute < self.counted_from { 0 } else { more }
    }

    /// Everything before `to` has been read: what will not be read again is folded up, and silence ends runs.
    fn read(&mut self, to: i64) {
        self.read_to = Some(to);
        self.unreadable = None;
        for counter in self.counters.values_mut() {
            let kept = counter.minutes.split_off(&(to - READ_AGAIN_SECONDS));
            let settled = std::mem::replace(&mut counter.minutes, kept);
            counter.before = Run::through(counter.before, &settled);
        }
        self.counters.retain(|_, counter| !counter.minutes.is_empty() || counter.current(to).is_some());
    }

    fn runs(&self) -> Vec<KmsErrorRun> {
        let Some(to) = self.read_to else { return Vec::new() };
        let run = |(error, counter): (&KmsError, &Counter)| {
            let Run { first_at, last_at, count } = counter.current(to)?;
            Some(KmsErrorRun { error: *error, count, first_at, last_at })
        };
        self.counters.iter().filter_map(run).collect()
    }
}

impl Counter {
    /// The run that is going on at `to`; `None` where the last one has ended.
    fn current(&self, to: i64) -> Option<Run> {
        Run::through(self.before, &self.minutes).filter(|run| to - (run.last_at + MINUTE) < RUN_ENDS_AFTER_SECONDS)
    }
}

impl Run {
    /// The last run once these later minutes are seen: each either goes on with it or, after a silence, begins another.
    fn through(before: Option<Self>, minutes: &BTreeMap<i64, u64>) -> Option<Self> {
        minutes.iter().filter(|(_, count)| **count > 0).fold(before, |run, (minute, count)| match run {
            Some(run) if minute - (run.last_at + MINUTE) < RUN_ENDS_AFTER_SECONDS => {
                Some(Self { first_at: run.first_at, last_at: *minute, count: run.count + count })
            }
            Some(_) | None => Some(Self { first_at: *minute, last_at: *minute, count: *count }),
        })
    }
}

const fn floor(at: i64) -> i64 {
    at - at.rem_euclid(MINUTE)
}

fn is_watchable(stream: &DeliveryStream) -> bool {
    let key_type = stream.description.known().and_then(|description| description.encryption.key_type.as_deref());
    key_type == Some(CUSTOMER_MANAGED)
}

fn watchable(inventory: &Inventory) -> impl Iterator<Item = &DeliveryStream> {
    inventory.delivery_streams.values().filter(|stream| is_watchable(stream))
}

#[cfg(test)]
mod tests;
