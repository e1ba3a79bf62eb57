//! Records wait, leave together as an object, stay when they can't, and are lost after a day.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use time::OffsetDateTime;

use super::destination::Part;
use super::{Event, encryption};
use crate::cloudwatch;
use crate::moment::Moment;
use crate::s3::{self, ObjectEncryption};
use crate::tally::Undelivered;
use crate::world::{self, Origin, World};

/// How long a record may wait. [Firehose: "Firehose retains records for 24 hours"]
const KEPT: Duration = Duration::from_hours(24);
/// Between two tries.
const RETRY: Duration = Duration::from_mins(1);

/// Which bucket records go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The destination, or the S3 part of one that is no bucket.
    Main,
    /// The second bucket, where there is one.
    Backup,
}

/// A record that waits.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) data: Bytes,
    pub(crate) at: Moment,
    /// The customer's key that it is stored under.
    pub(crate) key: Option<Arc<str>>,
}

/// Records on their way to one bucket, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    records: VecDeque<Held>,
    bytes: usize,
    /// When they leave next.
    next: Option<Moment>,
    /// Not before this: they could not leave the last time.
    not_before: Moment,
    pub(super) delivered: u64,
    pub(super) lost: u64,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn holds_under(&self, key: &str) -> bool {
        self.records.iter().any(|record| record.key.as_deref() == Some(key))
    }

    fn put_back(&mut self, records: impl IntoIterator<Item = Held>) {
        self.records.extend(records);
        self.records.make_contiguous().sort_by_key(|record| record.at);
        self.bytes = self.records.iter().map(|record| record.data.len()).sum();
    }
}

/// Adds to one of a stream's metrics.
pub(super) fn count(world: &mut World, arn: &str, metric: &str, value: f64) {
    let (region, account) = encryption::place(arn);
    let name = arn.rsplit('/').next().unwrap_or_default();
    cloudwatch::count(world, (account, region), ("AWS/Firehose", metric), ("DeliveryStreamName", name), value);
}

/// Takes a record in.
pub(super) fn accept(world: &mut World, arn: &str, record: &Held) {
    let Some(stream) = world.firehose.streams.get_mut(arn) else { return };
    stream.accepted += 1;
    let lanes: &[Lane] = if stream.destination.has_backup() { &[Lane::Main, Lane::Backup] } else { &[Lane::Main] };
    for lane in lanes {
        let queue = &mut stream.queues[*lane as usize];
        queue.bytes += record.data.len();
        queue.records.push_back(record.clone());
    }
    for lane in lanes {
        schedule(world, arn, *lane);
    }
}

/// A full buffer leaves at once, another when its oldest record is old enough. [firehose:BufferingHints]
fn schedule(world: &mut World, arn: &str, lane: Lane) {
    let now = world.now();
    let Some(stream) = world.firehose.streams.get_mut(arn) else { return };
    let (Some(part), Some(oldest)) = (stream.destination.part(lane), stream.queues[lane as usize].records.front().map(|record| record.at))
    else {
        return;
    };
    let queue = &mut stream.queues[lane as usize];
    let due = if queue.bytes >= part.full { now } else { oldest + Duration::from_secs(part.interval) };
    let due = due.max(now).max(queue.not_before);
    if queue.next.is_some_and(|next| next <= due) {
        return;
    }
    leave_at(world, arn, lane, due);
}

fn leave_at(world: &mut World, arn: &str, lane: Lane, at: Moment) {
    if let Some(stream) = world.firehose.streams.get_mut(arn) {
        stream.queues[lane as usize].next = Some(at);
    }
    let after = at.since(world.now());
    world.later(after, world::Event::Firehose(Event::Flush { arn: arn.to_owned(), lane, at }));
}

/// Records that wait for a repair go as soon as there was one.
pub(super) fn retry_now(world: &mut World, arn: &str) {
    for lane in [Lane::Main, Lane::Backup] {
        if let Some(stream) = world.firehose.streams.get_mut(arn) {
            stream.queues[lane as usize].not_before = Moment::default();
        }
        schedule(world, arn, lane);
    }
}

/// What waits in a lane leaves, as far as it can.
pub(super) fn flush(world: &mut World, arn: &str, lane: Lane, at: Moment) {
    let now = world.now();
    let Some(stream) = world.firehose.streams.get_mut(arn) else { return };
    let queue = &mut stream.queues[lane as usize];
    if queue.next != Some(at) {
        return;
    }
    queue.next = None;
    queue.bytes = 0;
    let records = std::mem::take(&mut queue.records);
    let Some(part) = stream.destination.part(lane) else { return };
    let (expired, records): (VecDeque<Held>, VecDeque<Held>) = records.into_iter().partition(|record| now.since(record.at) >= KEPT);
    lose(world, arn, lane, &part, expired.len(), "Firehose could not deliver the record for 24 hours");
    let Some(oldest) = records.front().map(|record| record.at) else { return };
    let (readable, mut left) = decrypt(world, arn, &part, records);
    for chunk in chunks(readable, part.full) {
        left.extend(deliver(world, arn, lane, &part, chunk));
    }
    count(world, arn, "DeliveryToS3.DataFreshness", now.since(oldest).as_secs_f64());
    if !left.is_empty() {
        if let Some(stream) = world.firehose.streams.get_mut(arn) {
            let queue = &mut stream.queues[lane as usize];
            queue.put_back(left);
            queue.not_before = now + RETRY;
        }
        leave_at(world, arn, lane, now + RETRY);
    }
    encryption::retire_unneeded(world, arn);
}

/// Records whose key lets Firehose read them, and the others.
fn decrypt(world: &mut World, arn: &str, part: &Part, records: VecDeque<Held>) -> (Vec<Held>, Vec<Held>) {
    let mut keys: Vec<(Arc<str>, bool)> = Vec::new();
    for record in &records {
        let Some(key) = record.key.as_ref().filter(|key| keys.iter().all(|(known, _)| known != *key)) else { continue };
        let used = encryption::use_as_firehose(world, arn, "kms:Decrypt", key);
        keys.push((Arc::clone(key), used.is_ok()));
        if let Err(refusal) = used {
            refused(world, arn, part, format!("the delivery stream's key: {refusal:?}"));
        }
    }
    let readable = |record: &Held| record.key.as_ref().is_none_or(|key| keys.iter().any(|(known, fine)| known == key && *fine));
    records.into_iter().partition(readable)
}

/// Records in objects of at most about `full` bytes.
fn chunks(records: Vec<Held>, full: usize) -> Vec<Vec<Held>> {
    let mut chunks: Vec<Vec<Held>> = Vec::new();
    let mut bytes = full;
    for record in records {
        if bytes >= full {
            chunks.push(Vec::new());
            bytes = 0;
        }
        bytes += record.data.len();
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(record);
        }
    }
    chunks
}

/// Writes one object as the stream's role. What could not be written comes back.
fn deliver(world: &mut World, arn: &str, lane: Lane, part: &Part, records: Vec<Held>) -> Vec<Held> {
    let (region, _) = encryption::place(arn);
    let mut body = BytesMut::new();
    for record in &records {
        body.extend_from_slice(&record.data);
    }
    let bytes = body.len();
    let body = if part.gzip { compressed(&body) } else { body.freeze() };
    let key = object_key(world, arn, part);
    let object_encryption = part.key.as_ref().map(|key| ObjectEncryption { algorithm: "aws:kms".to_owned(), kms_key: Some(key.clone()) });
    let bucket = part.bucket_arn.rsplit(':').next().unwrap_or_default();
    let stored = encryption::assume(world, arn, &part.role).and_then(|caller| {
        let origin = Origin { caller, region: region.to_owned(), secure: true };
        s3::store(world, &origin, bucket, &key, body, object_encryption.as_ref())
    });
    count(world, arn, "DeliveryToS3.Success", if stored.is_ok() { 1.0 } else { 0.0 });
    if let Err(error) = stored {
        refused(world, arn, part, error.to_string());
        return records;
    }
    for _ in &records {
        world.tally.delivered(arn, &part.bucket_arn);
    }
    count(world, arn, "DeliveryToS3.Records", records.iter().map(|_| 1.0).sum());
    #[expect(clippy::cast_precision_loss, reason = "an object has fewer than 2^53 bytes")]
    count(world, arn, "DeliveryToS3.Bytes", bytes as f64);
    if let Some(stream) = world.firehose.streams.get_mut(arn) {
        stream.queues[lane as usize].delivered += records.len() as u64;
    }
    Vec::new()
}

fn compressed(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.map(Bytes::from).unwrap_or_default()
}

/// `<prefix>YYYY/MM/DD/HH/<stream>-<version>-YYYY-MM-DD-HH-MM-SS-<id>`; a prefix with expressions replaces the date.
/// [Firehose: Amazon S3 object name format; Custom prefixes]
fn object_key(world: &mut World, arn: &str, part: &Part) -> String {
    let now = i64::try_from(world.now().seconds()).unwrap_or(i64::MAX);
    let at = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (name, version) = world.firehose.streams.get(arn).map(|stream| (stream.name.clone(), stream.version)).unwrap_or_default();
    let prefix = if part.prefix.contains("!{") {
        expand(world, &part.prefix, at)
    } else {
        format!("{}{:04}/{:02}/{:02}/{:02}/", part.prefix, at.year(), u8::from(at.month()), at.day(), at.hour())
    };
    let stamp =
        format!("{:04}-{:02}-{:02}-{:02}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day(), at.hour(), at.minute(), at.second());
    format!("{prefix}{name}-{version}-{stamp}-{}{}", world.uuid(), if part.gzip { ".gz" } else { "" })
}

/// `!{timestamp:…}` and `!{firehose:random-string}`; another namespace stays as written.
fn expand(world: &mut World, prefix: &str, at: OffsetDateTime) -> String {
    let mut out = String::new();
    let mut rest = prefix;
    while let Some((before, after)) = rest.split_once("!{") {
        let Some((expression, tail)) = after.split_once('}') else { break };
        out.push_str(before);
        match expression.split_once(':') {
            Some(("timestamp", pattern)) => out.push_str(&dated(pattern, at)),
            Some(("firehose", "random-string")) => out.push_str(&world.hex(11)),
            _ => out.extend(["!{", expression, "}"]),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// The common letters of Java's `DateTimeFormatter`.
fn dated(pattern: &str, at: OffsetDateTime) -> String {
    pattern
        .replace("yyyy", &format!("{:04}", at.year()))
        .replace("MM", &format!("{:02}", u8::from(at.month())))
        .replace("dd", &format!("{:02}", at.day()))
        .replace("HH", &format!("{:02}", at.hour()))
        .replace("mm", &format!("{:02}", at.minute()))
        .replace("ss", &format!("{:02}", at.second()))
        .replace('\'', "")
}

fn refused(world: &mut World, arn: &str, part: &Part, why: String) {
    let at = world.now();
    world.tally.undelivered(Undelivered { at, from: arn.to_owned(), to: part.bucket_arn.clone(), why, lost: false });
}

fn lose(world: &mut World, arn: &str, lane: Lane, part: &Part, records: usize, why: &str) {
    let at = world.now();
    for _ in 0..records {
        world.tally.undelivered(Undelivered { at, from: arn.to_owned(), to: part.bucket_arn.clone(), why: why.to_owned(), lost: true });
    }
    if let Some(stream) = world.firehose.streams.get_mut(arn) {
        stream.queues[lane as usize].lost += records as u64;
    }
}

/// All that a stream still holds is lost.
pub(super) fn lose_everything(world: &mut World, arn: &str, why: &str) {
    for lane in [Lane::Main, Lane::Backup] {
        let Some(stream) = world.firehose.streams.get_mut(arn) else { return };
        let records = std::mem::take(&mut stream.queues[lane as usize].records).len();
        if let Some(part) = stream.destination.part(lane) {
            lose(world, arn, lane, &part, records, why);
        }
    }
}
