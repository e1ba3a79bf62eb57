//! Shards: who gets which record, and how numbers are written.

use md5::{Digest, Md5};

/// `shardId-000000000000`.
pub(super) fn id(shard: u32) -> String {
    format!("shardId-{shard:012}")
}

/// The shard that an id names, of so many.
pub(super) fn of_id(id: &str, shards: u32) -> Option<u32> {
    let number = id.strip_prefix("shardId-").filter(|digits| digits.len() == 12)?;
    number.parse().ok().filter(|number| *number < shards)
}

/// First and last hash key of a shard: equal parts of 128 bits.
pub(super) fn range(shard: u32, shards: u32) -> (u128, u128) {
    let part = u128::MAX / u128::from(shards.max(1));
    let first = part * u128::from(shard);
    let last = if shard + 1 >= shards { u128::MAX } else { part * u128::from(shard + 1) - 1 };
    (first, last)
}

/// The shard of a record: by the MD5 of its partition key, or by the hash key that its producer gives.
/// [kinesis:PutRecord]
pub(super) fn of(partition_key: &str, explicit: Option<u128>, shards: u32) -> u32 {
    let hash = explicit.unwrap_or_else(|| u128::from_be_bytes(Md5::digest(partition_key.as_bytes()).into()));
    let part = u128::MAX / u128::from(shards.max(1));
    u32::try_from(hash / part).unwrap_or(u32::MAX).min(shards.saturating_sub(1))
}

/// A record's number as Kinesis writes it: 56 digits.
pub(super) fn sequence(number: u64) -> String {
    format!("49{number:054}")
}

/// The number behind that.
pub(super) fn number(sequence: &str) -> Option<u64> {
    let digits = sequence.strip_prefix("49").filter(|digits| digits.len() == 54)?;
    digits.trim_start_matches('0').parse().ok().or_else(|| digits.bytes().all(|digit| digit == b'0').then_some(0))
}
