mod applying;
mod blue_green;
mod observing;
mod settings;
mod surroundings;

use ciborium::Value;
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory};

use super::{action, arn, xml};
use crate::rds::observe;
use crate::testing::{Answer, Seen, Wire};

/// 2026-11-24T12:00:00Z.
const NOON: i64 = 1_795_521_600;

async fn look(target: &Target, reads: &Reads, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Inventory, Vec<Seen>) {
    let wire = Wire::new(answer);
    let inventory = observe(&wire.context(), target, reads).await;
    wire.counted();
    (inventory, wire.seen())
}

/// What no test is about: no database, no snapshot, nothing.
fn nothing(seen: &Seen) -> Answer {
    match operation(seen).as_str() {
        "GetMetricData" => cbor(&map(vec![("MetricDataResults", Value::Array(Vec::new()))])),
        "DescribeAlarms" => cbor(&map(vec![("MetricAlarms", Value::Array(Vec::new()))])),
        action => xml(action, ""),
    }
}

/// The operation of either protocol.
fn operation(seen: &Seen) -> String {
    seen.uri.split_once("/operation/").map_or_else(|| action(seen), |(_, operation)| operation.to_owned())
}

fn instance(name: &str, more: &str) -> String {
    format!(
        "<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier><DBInstanceArn>{}</DBInstanceArn><Engine>postgres</Engine>\
         <EngineVersion>15.4</EngineVersion><DBInstanceStatus>available</DBInstanceStatus>{more}</DBInstance>",
        arn(&format!("db:{name}"))
    )
}

fn cluster(name: &str, more: &str) -> String {
    format!(
        "<DBCluster><DBClusterIdentifier>{name}</DBClusterIdentifier><DBClusterArn>{}</DBClusterArn><Engine>aurora-postgresql</Engine>\
         <EngineVersion>16.1</EngineVersion><Status>available</Status>{more}</DBCluster>",
        arn(&format!("cluster:{name}"))
    )
}

fn instances(list: &str) -> Answer {
    xml("DescribeDBInstances", &format!("<DBInstances>{list}</DBInstances>"))
}

fn clusters(list: &str) -> Answer {
    xml("DescribeDBClusters", &format!("<DBClusters>{list}</DBClusters>"))
}

fn tag(key: &str, value: &str) -> String {
    format!("<TagList><Tag><Key>{key}</Key><Value>{value}</Value></Tag></TagList>")
}

fn only(arns: &[Arn]) -> Target {
    Target::Resources(arns.iter().cloned().collect())
}

/// What a policy that asks for migrations makes a pass read.
fn for_migrations() -> Reads {
    Reads { migrations: true, ..Reads::nothing() }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn map(pairs: Vec<(&str, Value)>) -> Value {
    Value::Map(pairs.into_iter().map(|(key, value)| (text(key), value)).collect())
}

/// An answer of `CloudWatch`, which speaks RPC v2 CBOR.
fn cbor(body: &Value) -> Answer {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).unwrap();
    Answer::ok(bytes).header("smithy-protocol", "rpc-v2-cbor").header("content-type", "application/cbor")
}
