//! The IAM policy that Everseal needs, from the very tables that its calls are made with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::operation::{Need, Operation};

/// The mode that the permissions are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionMode {
    /// Reading only.
    Audit,
    /// Reading and changing.
    Enforce,
}

/// Every operation that Everseal calls.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        crate::cloudwatch::operations::ALL,
        crate::connect::sts::ALL,
        crate::firehose::operations::ALL,
        crate::kinesis::operations::ALL,
        crate::kms::operations::ALL,
        crate::rds::operations::ALL,
        crate::s3::operations::ALL,
        crate::sns::operations::ALL,
        crate::sqs::operations::ALL,
        crate::tags::operations::ALL,
    ]
    .into_iter()
    .flatten()
}

/// The IAM policy document: one statement for each need and service, everything sorted.
pub fn iam_policy(mode: PermissionMode) -> Value {
    let mut statements: BTreeMap<(Need, &str), BTreeSet<&str>> = BTreeMap::new();
    for operation in operations().filter(|operation| mode == PermissionMode::Enforce || operation.need == Need::Audit) {
        for action in operation.actions {
            let (service, _) = action.split_once(':').unwrap_or((action, ""));
            statements.entry((operation.need, service)).or_default().insert(action);
        }
    }
    let statements: Vec<Value> = statements
        .into_iter()
        .map(|((need, service), actions)| {
            let verb = match need {
                Need::Audit => "Read",
                Need::Enforce => "Change",
            };
            json!({ "Sid": format!("{verb}{}", capitalised(service)), "Effect": "Allow", "Action": actions, "Resource": "*" })
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
