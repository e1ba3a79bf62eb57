//! Data streams without the wire: for tests, the simulation and the demo.

use std::sync::Arc;

use bytes::Bytes;

use super::access;
use super::stream::{Status, Stream};
use super::write::{self, New};
use crate::access::{Caller, Document};
use crate::error::ApiError;
use crate::world::{Origin, World};

impl World {
    /// Makes an active data stream of one shard; nobody is asked. Its ARN.
    pub fn create_data_stream(&mut self, account: &str, region: &str, name: &str) -> String {
        let arn = format!("arn:aws:kinesis:{region}:{account}:stream/{name}");
        let mut stream = Stream::new(name.to_owned(), self.now(), 1);
        stream.status = Status::Active;
        self.kinesis.streams.insert(arn.clone(), stream);
        arn
    }

    /// Sets a data stream's key, as written, at once; nobody is asked.
    pub fn set_data_stream_key(&mut self, arn: &str, key: Option<&str>) {
        if let Some(stream) = self.kinesis.streams.get_mut(arn) {
            stream.key = key.map(Arc::from);
        }
    }

    /// Sets a data stream's document; text that is none is left out.
    pub fn set_data_stream_policy(&mut self, arn: &str, text: &str) {
        if let Some(stream) = self.kinesis.streams.get_mut(arn) {
            stream.policy = Document::parse(text).map(|document| (text.to_owned(), document));
        }
    }

    /// Puts a record into a data stream as a caller, as `PutRecord` does.
    pub fn put_data_record(&mut self, caller: &Caller, arn: &str, data: impl Into<Bytes>) -> Result<(), ApiError> {
        let region = arn.split(':').nth(3).unwrap_or_default().to_owned();
        let origin = Origin { caller: caller.clone(), region, secure: true };
        access::permit(self, &origin, "PutRecord", arn)?;
        let partition_key = self.kinesis.stream(arn)?.sequence.to_string();
        write::put(self, &origin, arn, vec![New { partition_key, hash_key: None, data: data.into() }]).map(|_| ())
    }

    /// Takes all records of a data stream after a number as a caller, as `GetRecords` does: (number, data).
    pub fn get_data_records(&mut self, caller: &Caller, arn: &str, after: u64) -> Result<Vec<(u64, Bytes)>, ApiError> {
        let region = arn.split(':').nth(3).unwrap_or_default().to_owned();
        let origin = Origin { caller: caller.clone(), region, secure: true };
        let records = super::read(self, &origin, arn, after)?;
        Ok(records.into_iter().map(|record| (record.sequence, record.data)).collect())
    }

    /// Records that a data stream holds.
    pub fn data_stream_depth(&self, arn: &str) -> usize {
        self.kinesis.streams.get(arn).map_or(0, |stream| stream.records.len())
    }
}
