//! Expected values are those of the SNS guide and API reference.

mod delivering;
mod publishing;
mod topics;

use std::time::Duration;

use serde_json::{Value, json};

use crate::access::Caller;
use crate::testing::{ACCOUNT, OTHER, REGION, administrator, form, world};
use crate::wire::xml::Element;
use crate::world::{Origin, World};

fn arn(name: &str) -> String {
    format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}")
}

/// On failure: status and code.
fn call_as(world: &mut World, account: &str, operation: &str, members: &[(&str, &str)]) -> Result<Element, (u16, String)> {
    let all: Vec<_> = std::iter::once(("Action", operation)).chain(members.iter().copied()).collect();
    let (status, root) = form(world, account, REGION, "sns", &all);
    if status == 200 {
        return Ok(root.first(&format!("{operation}Result")).cloned().unwrap_or_default());
    }
    Err((status, root.at("Error/Code").unwrap().to_owned()))
}

fn call(world: &mut World, operation: &str, members: &[(&str, &str)]) -> Result<Element, (u16, String)> {
    call_as(world, ACCOUNT, operation, members)
}

fn refused(world: &mut World, operation: &str, members: &[(&str, &str)]) -> (u16, String) {
    call(world, operation, members).unwrap_err()
}

fn attribute(result: &Element, name: &str) -> Option<String> {
    let entries = result.first("Attributes")?;
    entries.all("entry").find(|entry| entry.value("key") == Some(name)).map(|entry| entry.value("value").unwrap().to_owned())
}

fn set(world: &mut World, topic: &str, name: &str, value: &str) -> Result<Element, (u16, String)> {
    call(world, "SetTopicAttributes", &[("TopicArn", topic), ("AttributeName", name), ("AttributeValue", value)])
}

fn statement(topic: &str, sid: &str, principal: &Value, action: &str) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": topic })
}

fn policy(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Id": "ours", "Statement": statements }).to_string()
}

/// A queue that a topic may send to.
fn queue_for(world: &mut World, name: &str, topic: &str) -> String {
    let queue = world.create_queue(ACCOUNT, REGION, name);
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": queue,
        "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
    });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    world.set_queue_attributes(&queue, &[("Policy", &document)]).unwrap();
    queue
}

/// A key that its account's IAM decides on and that a service may use as well.
fn key_for(world: &mut World, service: Option<&str>) -> String {
    let root =
        json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }, "Action": "kms:*", "Resource": "*" });
    let service = service.map(|name| {
        json!({ "Effect": "Allow", "Principal": { "Service": name }, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*" })
    });
    let statements: Vec<Value> = std::iter::once(root).chain(service).collect();
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    world.create_key(ACCOUNT, REGION, Some(&document)).unwrap()
}

fn wait(world: &mut World, time: Duration) {
    world.advance(world.now() + time);
}

fn a_second(world: &mut World) {
    wait(world, Duration::from_secs(1));
}

fn service(name: &str, source: Option<&str>) -> Origin {
    let caller = match source {
        Some(source) => Caller::service(name, source, ACCOUNT),
        None => Caller::Service { name: name.to_owned(), source_arn: None, source_account: None },
    };
    Origin { caller, region: REGION.to_owned(), secure: true }
}
