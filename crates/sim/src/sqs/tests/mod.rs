//! Expected values are those of the SQS guide and API reference.

mod documents;
mod keys;
mod messages;
mod polling;
mod queues;

use serde_json::{Value, json};

use crate::access::Caller;
use crate::testing::{ACCOUNT, OTHER, REGION, administrator, form, world};
use crate::world::{Origin, World};

fn url(name: &str) -> String {
    format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{name}")
}

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// In AWS JSON as an account.
fn call_as(world: &mut World, account: &str, operation: &str, input: &Value) -> Result<Value, (String, String)> {
    crate::testing::json(world, account, REGION, &format!("AmazonSQS.{operation}"), input)
}

fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, (String, String)> {
    call_as(world, ACCOUNT, operation, input)
}

fn refused(world: &mut World, operation: &str, input: &Value) -> String {
    call(world, operation, input).unwrap_err().0
}

fn create(world: &mut World, name: &str, attributes: &Value) {
    let made = call(world, "CreateQueue", &json!({ "QueueName": name, "Attributes": attributes })).unwrap();
    assert_eq!(made["QueueUrl"], url(name));
}

fn set(world: &mut World, name: &str, attributes: &Value) -> Result<Value, (String, String)> {
    call(world, "SetQueueAttributes", &json!({ "QueueUrl": url(name), "Attributes": attributes }))
}

fn get(world: &mut World, name: &str, names: &[&str]) -> Value {
    let answer = call(world, "GetQueueAttributes", &json!({ "QueueUrl": url(name), "AttributeNames": names })).unwrap();
    answer.get("Attributes").cloned().unwrap_or(Value::Null)
}

fn send(world: &mut World, name: &str, body: &str) {
    call(world, "SendMessage", &json!({ "QueueUrl": url(name), "MessageBody": body })).unwrap();
}

fn bodies(answer: &Value) -> Vec<&str> {
    answer["Messages"].as_array().into_iter().flatten().map(|message| message["Body"].as_str().unwrap()).collect()
}

fn wait(world: &mut World, seconds: u64) {
    world.advance(world.now() + std::time::Duration::from_secs(seconds));
}

fn service(name: &str, source: &str) -> Origin {
    Origin { caller: Caller::service(name, source, ACCOUNT), region: REGION.to_owned(), secure: true }
}
