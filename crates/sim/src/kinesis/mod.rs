//! Kinesis Data Streams: records in shards, each under the key that its stream had when it came.
//!
//! Two ways out: readers (`GetRecords`, delivery streams) and channels, which carry records into buckets by themselves.
//! Producers and readers use the stream's key with their own identity; nothing is given to who may not decrypt.

mod access;
mod channels;
mod describe;
mod encryption;
mod lifecycle;
mod policy;
mod read;
mod seed;
mod shards;
mod stream;
mod tags;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, json};
use crate::world::{Origin, World};

use channels::Channel;
use stream::Stream;

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By ARN: of one account and region in the order of their names.
    streams: BTreeMap<String, Stream>,
    /// By ARN.
    channels: BTreeMap<String, Channel>,
}

/// What happens by itself.
#[derive(Debug)]
pub(crate) enum Event {
    /// CREATING ends.
    Active { arn: String },
    /// UPDATING ends, and with it an encryption begins; `None`: it ends.
    Encrypted { arn: String, key: Option<String> },
    /// A stream is gone.
    Deleted { arn: String },
    /// A channel is ready.
    ChannelActive { arn: String },
    /// A channel is gone.
    ChannelDeleted { arn: String },
    /// A channel delivers.
    Carry { arn: String },
}

pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Active { arn } => lifecycle::active(world, &arn),
        Event::Encrypted { arn, key } => lifecycle::encrypted(world, &arn, key),
        Event::Deleted { arn } => lifecycle::deleted(world, &arn),
        Event::ChannelActive { arn } => channels::active(world, &arn),
        Event::ChannelDeleted { arn } => channels::deleted(world, &arn),
        Event::Carry { arn } => channels::carry(world, &arn),
    }
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let result = json::input(call).and_then(|input| answer(world, origin, &route.operation, &input));
    json::reply(route, result)
}

fn answer(world: &mut World, origin: &Origin, operation: &str, input: &Map<String, Value>) -> Result<Value, ApiError> {
    match operation {
        "CreateStream" => lifecycle::create(world, origin, input),
        "DeleteStream" => lifecycle::delete(world, origin, input),
        "IncreaseStreamRetentionPeriod" | "DecreaseStreamRetentionPeriod" => lifecycle::retention(world, origin, operation, input),
        "DescribeStream" => describe::describe(world, origin, input),
        "DescribeStreamSummary" => describe::summary(world, origin, input),
        "ListStreams" => describe::list(world, origin, input),
        "ListShards" => describe::shards(world, origin, input),
        "PutRecord" => write::put_record(world, origin, input),
        "PutRecords" => write::put_records(world, origin, input),
        "GetShardIterator" => read::get_shard_iterator(world, origin, input),
        "GetRecords" => read::get_records(world, origin, input),
        "StartStreamEncryption" => encryption::start(world, origin, input),
        "StopStreamEncryption" => encryption::stop(world, origin, input),
        "GetResourcePolicy" => policy::get(world, origin, input),
        "PutResourcePolicy" => policy::put(world, origin, input),
        "DeleteResourcePolicy" => policy::delete(world, origin, input),
        "TagResource" | "AddTagsToStream" => tags::add(world, origin, operation, input),
        "UntagResource" | "RemoveTagsFromStream" => tags::remove(world, origin, operation, input),
        "ListTagsForResource" | "ListTagsForStream" => tags::list(world, origin, operation, input),
        "CreateChannel" => channels::create(world, origin, input),
        "DescribeChannel" => channels::describe(world, origin, input),
        "ListChannels" => channels::list(world, origin, input),
        "DeleteChannel" => channels::delete(world, origin, input),
        other => Err(ApiError::unknown_operation(other)),
    }
}

/// A record of a data stream.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Grows by one with each record of the stream.
    pub(crate) sequence: u64,
    pub(crate) data: bytes::Bytes,
}

/// Records after a sequence number, for a reader: checks its permission and that it may decrypt.
pub(crate) fn read(world: &mut World, origin: &Origin, stream: &str, after: u64) -> Result<Vec<Record>, ApiError> {
    access::permit(world, origin, "GetRecords", stream)?;
    read::records(world, origin, stream, after)
}

/// The sequence number of a stream's latest record; zero where there is none.
pub(crate) fn latest(world: &World, stream: &str) -> u64 {
    world.kinesis.streams.get(stream).map_or(0, |stream| stream.sequence)
}

impl State {
    fn stream(&self, arn: &str) -> Result<&Stream, ApiError> {
        self.streams.get(arn).ok_or_else(|| access::not_found(arn))
    }

    fn stream_mut(&mut self, arn: &str) -> Result<&mut Stream, ApiError> {
        self.streams.get_mut(arn).ok_or_else(|| access::not_found(arn))
    }
}

/// Tags of all streams of an account and region, by ARN.
pub(crate) fn tags_of(world: &World, account: &str, region: &str) -> Vec<(String, Vec<(String, String)>)> {
    let prefix = format!("arn:aws:kinesis:{region}:{account}:");
    let ours = world.kinesis.streams.range(prefix.clone()..).take_while(|(arn, _)| arn.starts_with(&prefix));
    ours.map(|(arn, stream)| (arn.clone(), stream.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect())).collect()
}
