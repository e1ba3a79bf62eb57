//! Delivery streams that read a data stream, as their source role.

use std::time::Duration;

use super::delivery::{self, Held};
use super::stream::{Source, Status};
use super::{Event, encryption};
use crate::kinesis;
use crate::tally::Undelivered;
use crate::world::{self, Origin, World};

/// Firehose calls `GetRecords` once a second for each shard. [Firehose: Writing to Firehose using Kinesis Data Streams]
const POLL: Duration = Duration::from_secs(1);
/// Between two tries where it may not read.
const RETRY: Duration = Duration::from_mins(1);

/// Something was written to a data stream: whoever reads it will see.
pub(crate) fn written(world: &mut World, data_stream: &str) {
    let Some(readers) = world.firehose.readers.get(data_stream).cloned() else { return };
    for arn in readers {
        read_after(world, &arn, POLL);
    }
}

/// A stream has become active.
pub(super) fn begin(world: &mut World, arn: &str) {
    read_after(world, arn, POLL);
}

fn read_after(world: &mut World, arn: &str, after: Duration) {
    let Some(stream) = world.firehose.streams.get_mut(arn).filter(|stream| stream.status == Status::Active) else { return };
    let Source::Kinesis { reading, .. } = &mut stream.source else { return };
    if !std::mem::replace(reading, true) {
        world.later(after, world::Event::Firehose(Event::Read { arn: arn.to_owned() }));
    }
}

/// Reads what is new. What can't be read stays in the data stream for as long as that keeps it.
pub(super) fn read(world: &mut World, arn: &str) {
    let Some(stream) = world.firehose.streams.get_mut(arn) else { return };
    let Source::Kinesis { stream: from, role, begins: _, after, reading } = &mut stream.source else { return };
    *reading = false;
    let (from, role, last) = (from.clone(), role.clone(), *after);
    let (region, _) = encryption::place(arn);
    let at = world.now();
    let records = encryption::assume(world, arn, &role).and_then(|caller| {
        let origin = Origin { caller, region: region.to_owned(), secure: true };
        kinesis::read(world, &origin, &from, last)
    });
    match records {
        Ok(records) => {
            let mut after = last;
            for record in records {
                for _ in after + 1..record.sequence {
                    let why = "the data stream did not keep the record until it could be read".to_owned();
                    world.tally.undelivered(Undelivered { at, from: from.clone(), to: arn.to_owned(), why, lost: true });
                }
                after = record.sequence;
                world.tally.delivered(&from, arn);
                delivery::count(world, arn, "DataReadFromKinesisStream.Records", 1.0);
                delivery::accept(world, arn, &Held { data: record.data, at, key: None });
            }
            if let Some(Source::Kinesis { after: kept, .. }) = world.firehose.streams.get_mut(arn).map(|stream| &mut stream.source) {
                *kept = after;
            }
        }
        Err(error) => {
            world.tally.undelivered(Undelivered { at, from, to: arn.to_owned(), why: error.to_string(), lost: false });
            read_after(world, arn, RETRY);
        }
    }
}
