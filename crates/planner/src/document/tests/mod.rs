//! Tables of documented behaviour, then properties over generated documents.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

mod document;
mod evaluate;
mod fuzz;
mod generate;
mod oracle;
mod ours;
mod peers;
mod properties;
mod transport;

use serde_json::Value;

use super::Document;
use crate::Arn;

fn parse(value: &Value) -> Document {
    Document::parse(&value.to_string()).unwrap()
}

/// A document with these statements.
fn holding(statements: Value) -> Document {
    parse(&serde_json::json!({"Version": "2012-10-17", "Statement": statements}))
}

fn bucket() -> Arn {
    Arn::parse("arn:aws:s3:::ledger").unwrap()
}

fn queue() -> Arn {
    Arn::parse("arn:aws:sqs:us-east-1:111122223333:orders").unwrap()
}

fn topic() -> Arn {
    Arn::parse("arn:aws:sns:us-east-1:111122223333:alarms").unwrap()
}
