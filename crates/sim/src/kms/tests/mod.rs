//! KMS as its callers and other services see it.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::testing::{self, ACCOUNT, REGION};
use crate::world::World;

mod crypto;
mod grants;
mod managing;
mod using;

fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, (String, String)> {
    testing::json(world, ACCOUNT, REGION, &format!("TrentService.{operation}"), input)
}

/// The code of a refusal.
fn refusal(world: &mut World, operation: &str, input: &Value) -> String {
    call(world, operation, input).unwrap_err().0
}

fn new_key(world: &mut World) -> String {
    call(world, "CreateKey", &json!({})).unwrap()["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
}

fn root_statement() -> Value {
    json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }, "Action": "kms:*", "Resource": "*" })
}

fn document(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}
