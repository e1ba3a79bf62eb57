//! Delivery streams without the wire: for tests, the simulation and the demo.

use bytes::Bytes;
use serde_json::json;

use super::destination::Destination;
use super::stream::{Requested, Source, Status};
use super::{create, encryption, permit, records};
use crate::access::Caller;
use crate::error::ApiError;
use crate::world::{Origin, World};

/// What became of a delivery stream's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Records {
    /// Taken in.
    pub accepted: u64,
    /// Written to the destination's bucket.
    pub delivered: u64,
    /// Waiting for it.
    pub waiting: u64,
    /// Lost: not deliverable for 24 hours, or held by a stream that was deleted.
    pub lost: u64,
}

/// The least that a delivery stream needs.
#[derive(Debug, Clone)]
pub struct NewDeliveryStream<'a> {
    /// Its name.
    pub name: &'a str,
    /// The bucket's name.
    pub bucket: &'a str,
    /// The ARN of the role that writes there.
    pub role: &'a str,
    /// The key that objects are written with; `None` = the bucket's default.
    pub destination_key: Option<&'a str>,
    /// The data stream's ARN that it reads with the same role; `None` = producers put records.
    pub source: Option<&'a str>,
    /// Seconds that records wait at most.
    pub interval_seconds: u32,
}

impl World {
    /// Makes an active delivery stream, with the time as it is; nobody is asked. On success: its ARN.
    pub fn create_delivery_stream(&mut self, account: &str, region: &str, new: &NewDeliveryStream<'_>) -> Result<String, ApiError> {
        let mut configuration = json!({
            "RoleARN": new.role,
            "BucketARN": format!("arn:aws:s3:::{}", new.bucket),
            "BufferingHints": { "SizeInMBs": 5, "IntervalInSeconds": new.interval_seconds },
        });
        if let Some(key) = new.destination_key {
            configuration["EncryptionConfiguration"] = json!({ "KMSEncryptionConfig": { "AWSKMSKeyARN": key } });
        }
        let wrapped = json!({ "ExtendedS3DestinationConfiguration": configuration });
        let input = wrapped.as_object().cloned().unwrap_or_default();
        let (kind, configuration) = Destination::find(&input, "Configuration")?;
        let destination = Destination::new(kind, configuration)?;
        let source = match new.source {
            None => Source::DirectPut,
            Some(stream) => create::kinesis_source(self, stream.to_owned(), new.role.to_owned()),
        };
        let arn = format!("arn:aws:firehose:{region}:{account}:deliverystream/{}", new.name);
        let mut stream = create::fresh(new.name.to_owned(), self.now(), source, destination);
        stream.status = Status::Active;
        create::insert(self, &arn, stream);
        Ok(arn)
    }

    /// Encrypts a delivery stream at once, with a grant of `caller`'s; `None` = under a key of AWS's own. On failure, in
    /// Firehose's words, what was stays.
    pub fn encrypt_delivery_stream(&mut self, arn: &str, caller: &Caller, key: Option<&str>) -> Result<(), String> {
        let requested = key.map_or(Requested::AwsOwned, |key| Requested::Customer(key.to_owned()));
        encryption::conclude(self, arn, caller, Some(requested));
        match self.firehose.streams.get(arn).and_then(|stream| stream.encryption.failure.as_ref()) {
            Some(failure) => Err(format!("{}: {}", failure.kind, failure.details)),
            None => Ok(()),
        }
    }

    /// A delivery stream was made at another time: streams made before 20 April 2026 do not check their producers yet.
    pub fn backdate_delivery_stream(&mut self, arn: &str, created: crate::Moment) {
        if let Some(stream) = self.firehose.streams.get_mut(arn) {
            stream.created = created;
        }
    }

    /// Puts a record as a caller, as `PutRecord` does.
    pub fn put_record(&mut self, caller: &Caller, arn: &str, data: impl Into<Bytes>) -> Result<(), ApiError> {
        let (region, _) = encryption::place(arn);
        let origin = Origin { caller: caller.clone(), region: region.to_owned(), secure: true };
        permit(self, &origin, "PutRecord", arn)?;
        records::put(self, &origin, arn, vec![data.into()]).map(|_| ())
    }

    /// What became of a delivery stream's records.
    pub fn delivery_stream_records(&self, arn: &str) -> Records {
        let Some(stream) = self.firehose.streams.get(arn) else { return Records::default() };
        let [main, _] = &stream.queues;
        Records { accepted: stream.accepted, delivered: main.delivered, waiting: main.len() as u64, lost: main.lost }
    }

    /// ARNs of all delivery streams, in their order.
    pub fn delivery_streams(&self) -> Vec<String> {
        self.firehose.streams.keys().cloned().collect()
    }

    /// The customer's key that a delivery stream's new records are encrypted under: its ARN.
    pub fn delivery_stream_key(&self, arn: &str) -> Option<&str> {
        self.firehose.streams.get(arn)?.encryption.customer_key()
    }
}
