//! Expected values are those of the `EventBridge` guide and API reference.

mod delivering;
mod patterns;
mod rules;

use std::time::Duration;

use serde_json::{Value, json};

use crate::testing::{ACCOUNT, OTHER, REGION, world};
use crate::world::World;

fn call_as(world: &mut World, account: &str, operation: &str, input: &Value) -> Result<Value, (String, String)> {
    crate::testing::json(world, account, REGION, &format!("AWSEvents.{operation}"), input)
}

fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, (String, String)> {
    call_as(world, ACCOUNT, operation, input)
}

fn refused(world: &mut World, operation: &str, input: &Value) -> String {
    call(world, operation, input).unwrap_err().0
}

fn wait(world: &mut World, time: Duration) {
    world.advance(world.now() + time);
}

fn a_second(world: &mut World) {
    wait(world, Duration::from_secs(1));
}

/// A queue that `EventBridge` may send to for a rule.
fn queue_for(world: &mut World, name: &str, rule: &str) -> String {
    let queue = world.create_queue(ACCOUNT, REGION, name);
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": queue,
        "Condition": { "ArnEquals": { "aws:SourceArn": rule } },
    });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    world.set_queue_attributes(&queue, &[("Policy", &document)]).unwrap();
    queue
}

fn rule_arn(name: &str) -> String {
    format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}")
}
