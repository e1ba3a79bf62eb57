//! A data stream and its records.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::access::Document;
use crate::moment::Moment;

/// A data stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) created: Moment,
    pub(crate) shards: u32,
    pub(crate) on_demand: bool,
    pub(crate) retention_hours: u32,
    /// The key as written; `None` = not encrypted.
    pub(crate) key: Option<Arc<str>>,
    /// Changes to a key in the last 24 hours, and to none.
    pub(crate) changes: [VecDeque<Moment>; 2],
    pub(crate) policy: Option<(String, Document)>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Oldest first; numbers grow by one.
    pub(crate) records: VecDeque<Kept>,
    /// The latest record's number.
    pub(crate) sequence: u64,
}

/// `StreamStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Creating,
    Deleting,
    Active,
    Updating,
}

impl Status {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Deleting => "DELETING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
        }
    }

    /// Records go in and out.
    pub(crate) const fn serves(self) -> bool {
        matches!(self, Self::Active | Self::Updating)
    }
}

/// A record as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) sequence: u64,
    pub(crate) at: Moment,
    pub(crate) shard: u32,
    pub(crate) partition_key: Box<str>,
    pub(crate) data: Bytes,
    /// The ARN of the key that it is stored under.
    pub(crate) key: Option<Arc<str>>,
}

impl Stream {
    pub(crate) fn new(name: String, created: Moment, shards: u32) -> Self {
        Self {
            name,
            status: Status::Creating,
            created,
            shards,
            on_demand: false,
            retention_hours: 24,
            key: None,
            changes: [VecDeque::new(), VecDeque::new()],
            policy: None,
            tags: BTreeMap::new(),
            records: VecDeque::new(),
            sequence: 0,
        }
    }

    /// Lets go of records older than the retention period.
    pub(crate) fn trim(&mut self, now: Moment) {
        let kept = Duration::from_secs(u64::from(self.retention_hours) * 3600);
        while self.records.front().is_some_and(|record| now.since(record.at) >= kept) {
            self.records.pop_front();
        }
    }

    /// Records with a greater number, oldest first.
    pub(crate) fn after(&self, sequence: u64) -> impl Iterator<Item = &Kept> {
        let from = self.records.partition_point(|record| record.sequence <= sequence);
        self.records.range(from..)
    }
}
