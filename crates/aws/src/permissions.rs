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
        crate::cloudfront::operations::ALL,
        crate::cloudwatch::operations::ALL,
        crate::connect::sts::ALL,
        crate::events::operations::ALL,
        crate::firehose::operations::ALL,
        crate::iam::operations::ALL,
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

/// What an action is narrowed by, because nothing Everseal does needs more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Narrowed {
    /// Not at all.
    No,
    /// Roles are passed on to Firehose alone, which delivers under them. [IAM: iam:PassedToService]
    PassedToFirehose,
    /// Grants are made for AWS services alone. [KMS: kms:GrantIsForAWSResource]
    GrantsForAws,
    /// Keys are used only by a service on our behalf (Firehose checks that its caller may use the key): Everseal itself
    /// decrypts nothing. [KMS: kms:ViaService; firehose:StartDeliveryStreamEncryption]
    ThroughServices,
}

impl Narrowed {
    fn of(action: &str) -> Self {
        match action {
            "iam:PassRole" => Self::PassedToFirehose,
            "kms:CreateGrant" => Self::GrantsForAws,
            "kms:Decrypt" | "kms:GenerateDataKey" => Self::ThroughServices,
            _ => Self::No,
        }
    }

    const fn sid(self) -> &'static str {
        match self {
            Self::No => "",
            Self::PassedToFirehose => "ForFirehose",
            Self::GrantsForAws => "GrantsForAws",
            Self::ThroughServices => "ThroughServices",
        }
    }

    fn condition(self) -> Option<Value> {
        match self {
            Self::No => None,
            Self::PassedToFirehose => Some(json!({ "StringEquals": { "iam:PassedToService": "firehose.amazonaws.com" } })),
            Self::GrantsForAws => Some(json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } })),
            Self::ThroughServices => Some(json!({ "Null": { "kms:ViaService": "false" } })),
        }
    }
}

/// The IAM policy document: one statement for each need, service and condition, everything sorted.
pub fn iam_policy(mode: PermissionMode) -> Value {
    let mut statements: BTreeMap<(Need, &str, Narrowed), BTreeSet<&str>> = BTreeMap::new();
    for operation in operations().filter(|operation| mode == PermissionMode::Enforce || operation.need == Need::Audit) {
        for action in operation.actions {
            let (service, _) = action.split_once(':').unwrap_or((action, ""));
            statements.entry((operation.need, service, Narrowed::of(action))).or_default().insert(action);
        }
    }
    let statements: Vec<Value> = statements
        .into_iter()
        .map(|((need, service, narrowed), actions)| {
            let verb = match need {
                Need::Audit => "Read",
                Need::Enforce => "Change",
            };
            let sid = format!("{verb}{}{}", capitalised(service), narrowed.sid());
            let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*" });
            if let Some(condition) = narrowed.condition() {
                statement["Condition"] = condition;
            }
            statement
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
