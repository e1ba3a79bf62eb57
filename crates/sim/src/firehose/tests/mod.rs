#![allow(clippy::unwrap_used)]

mod control;
mod flow;

use std::time::Duration;

use serde_json::{Value, json};

use super::seed::NewDeliveryStream;
use crate::access::Caller;
use crate::s3::BucketSetup;
use crate::testing::json as call;
pub(super) use crate::testing::{ACCOUNT, REGION};
use crate::world::World;

pub(super) const ARN: &str = "arn:aws:firehose:us-east-1:111122223333:deliverystream/ingest";
pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/delivery";
pub(super) const BUCKET: &str = "arn:aws:s3:::landing";

pub(super) fn firehose(world: &mut World, operation: &str, input: &Value) -> Result<Value, (String, String)> {
    call(world, ACCOUNT, REGION, &format!("Firehose_20150804.{operation}"), input)
}

pub(super) fn refusal(answer: Result<Value, (String, String)>) -> String {
    answer.unwrap_err().0
}

pub(super) fn pass(world: &mut World, seconds: u64) {
    let now = world.now();
    world.advance(now + Duration::from_secs(seconds));
}

pub(super) fn administrator() -> Caller {
    Caller::User { account: ACCOUNT.to_owned(), arn: format!("arn:aws:iam::{ACCOUNT}:user/administrator") }
}

pub(super) fn role(name: &str) -> Caller {
    Caller::role(&format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "session").unwrap()
}

pub(super) fn statement(statements: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// The role that delivers: Firehose may become it, and it may do `actions`.
pub(super) fn delivery_role(world: &mut World, actions: &[&str]) {
    let trust = json!({ "Effect": "Allow", "Principal": { "Service": "firehose.amazonaws.com" }, "Action": "sts:AssumeRole" });
    world.create_role(ACCOUNT, "delivery", &statement(&trust)).unwrap();
    world
        .put_role_policy(ACCOUNT, "delivery", "all", &statement(&json!({ "Effect": "Allow", "Action": actions, "Resource": "*" })))
        .unwrap();
}

/// A bucket and a stream that writes there within a minute.
pub(super) fn pipeline(world: &mut World) {
    world.create_bucket(ACCOUNT, REGION, "landing", &BucketSetup::default()).unwrap();
    delivery_role(world, &["s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt", "kinesis:GetRecords"]);
    stream(world, &NewDeliveryStream { ..plain() });
}

pub(super) fn plain() -> NewDeliveryStream<'static> {
    NewDeliveryStream { name: "ingest", bucket: "landing", role: ROLE, destination_key: None, source: None, interval_seconds: 60 }
}

pub(super) fn stream(world: &mut World, new: &NewDeliveryStream<'_>) {
    assert_eq!(world.create_delivery_stream(ACCOUNT, REGION, new).unwrap(), ARN);
}

pub(super) fn put(world: &mut World, data: &'static str) -> Result<(), String> {
    world.put_record(&administrator(), ARN, data).map_err(|error| error.code.into_owned())
}

/// Objects of the bucket: their bodies, in the order of their keys.
pub(super) fn bodies(world: &mut World) -> Vec<String> {
    let origin = crate::world::Origin { caller: administrator(), region: REGION.to_owned(), secure: true };
    let keys = world.object_keys("landing");
    keys.iter().map(|key| String::from_utf8(world.get_object(&origin, "landing", key).unwrap().to_vec()).unwrap()).collect()
}

pub(super) fn metric(world: &World, name: &str) -> f64 {
    world.metric_sum((ACCOUNT, REGION), ("AWS/Firehose", name), ("DeliveryStreamName", "ingest"))
}
