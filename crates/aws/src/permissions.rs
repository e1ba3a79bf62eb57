//! The IAM policy that Everseal needs, from the very tables that its calls are made with.

use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::rds::migration::observed::{TAG_OF, TAG_REPLACED_AT};
use everseal_planner::rds::sessions::TAG_MONITORING;
use serde_json::{Value, json};

use crate::operation::{Api, Need, Operation};

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
        crate::secretsmanager::operations::ALL,
        crate::sns::operations::ALL,
        crate::sqs::operations::ALL,
        crate::tags::operations::ALL,
    ]
    .into_iter()
    .flatten()
}

/// What an action is narrowed by, because nothing Everseal does needs more of it.
///
/// Not narrowed, though migrations write with them: `rds:ModifyDBInstance`, `rds:ModifyDBCluster` and
/// `rds:AddTagsToResource` (the database to encrypt bears no tag of ours before the first of these calls, and copies get its
/// own tags), `rds:CreateDBSnapshot`, `rds:CreateDBClusterSnapshot` (AWS asks for them also at a deletion, for the last
/// snapshot, which gets no tags), `rds:CreateDBInstance` and what else AWS calls to build a green side or the instances of a
/// Multi-AZ cluster (with tags of its own choice), `rds:SwitchoverBlueGreenDeployment` (asked of both sides, and the blue one
/// bears no tag), and whatever concerns proxies, roles and subscriptions, which are the customer's. These create or change;
/// what deletes is narrowed without exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Narrowed {
    /// Not at all.
    No,
    /// Roles are passed on to Firehose, which delivers under them. [IAM: iam:PassedToService]
    PassedToFirehose,
    /// And to RDS: monitoring, import and export, directories, as the replaced database has them.
    PassedToRds,
    /// Grants are made for AWS services alone. [KMS: kms:GrantIsForAWSResource]
    GrantsForAws,
    /// Keys are used only by a service on our behalf (Firehose checks that its caller may use the key): Everseal itself
    /// decrypts nothing. [KMS: kms:ViaService; firehose:StartDeliveryStreamEncryption]
    ThroughServices,
    /// Secrets that RDS makes for master passwords. [RDS: password management with Secrets Manager]
    SecretsOfRds,
    /// Secrets are read that somebody tagged for it, whatever the tag's value; all others stay closed, also to whoever may write
    /// a policy of ours. [Secrets Manager guide: attribute-based access control]
    TaggedForMonitoring,
    /// What is created gets the tag of the migration. [IAM: aws:RequestTag]
    ForMigrations,
    /// What is deleted bears the tag of the migration that made it. [IAM: aws:ResourceTag]
    MadeByMigrations,
    /// Or the tag of a database that a migration has replaced.
    ReplacedByMigrations,
    /// Only tags of ours are taken away. [IAM: aws:TagKeys]
    OurTags,
}

impl Narrowed {
    /// One statement for each; AWS joins statements by "or".
    const fn of(api: Api, action: &str) -> &'static [Self] {
        match (api, action.as_bytes()) {
            (Api::Rds, b"iam:PassRole") => &[Self::PassedToRds],
            (_, b"iam:PassRole") => &[Self::PassedToFirehose],
            (_, b"kms:CreateGrant") => &[Self::GrantsForAws],
            (_, b"kms:Decrypt" | b"kms:GenerateDataKey") => &[Self::ThroughServices],
            (_, b"secretsmanager:CreateSecret" | b"secretsmanager:TagResource") => &[Self::SecretsOfRds],
            (_, b"secretsmanager:GetSecretValue") => &[Self::TaggedForMonitoring],
            (
                _,
                b"rds:CopyDBSnapshot"
                | b"rds:CreateBlueGreenDeployment"
                | b"rds:RestoreDBClusterFromSnapshot"
                | b"rds:RestoreDBInstanceFromDBSnapshot",
            ) => &[Self::ForMigrations],
            (_, b"rds:DeleteBlueGreenDeployment" | b"rds:DeleteDBClusterSnapshot" | b"rds:DeleteDBSnapshot") => &[Self::MadeByMigrations],
            (_, b"rds:DeleteDBCluster" | b"rds:DeleteDBInstance") => &[Self::MadeByMigrations, Self::ReplacedByMigrations],
            (_, b"rds:RemoveTagsFromResource") => &[Self::OurTags],
            _ => &[Self::No],
        }
    }

    const fn sid(self) -> &'static str {
        match self {
            Self::No => "",
            Self::PassedToFirehose => "ForFirehose",
            Self::PassedToRds => "ForRds",
            Self::GrantsForAws => "GrantsForAws",
            Self::ThroughServices => "ThroughServices",
            Self::SecretsOfRds => "OfRds",
            Self::TaggedForMonitoring => "TaggedForMonitoring",
            Self::ForMigrations => "ForMigrations",
            Self::MadeByMigrations => "MadeByMigrations",
            Self::ReplacedByMigrations => "ReplacedByMigrations",
            Self::OurTags => "OurTags",
        }
    }

    const fn resource(self) -> &'static str {
        match self {
            Self::SecretsOfRds => "arn:*:secretsmanager:*:*:secret:rds!*",
            _ => "*",
        }
    }

    fn condition(self) -> Option<Value> {
        let services = ["directoryservice.rds.amazonaws.com", "monitoring.rds.amazonaws.com", "rds.amazonaws.com"];
        let there = |key: &str, tag: &str| Some(json!({ "Null": { format!("aws:{key}/{tag}"): "false" } }));
        match self {
            Self::No | Self::SecretsOfRds => None,
            Self::PassedToFirehose => Some(json!({ "StringEquals": { "iam:PassedToService": "firehose.amazonaws.com" } })),
            Self::PassedToRds => Some(json!({ "StringEquals": { "iam:PassedToService": services } })),
            Self::GrantsForAws => Some(json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } })),
            Self::ThroughServices => Some(json!({ "Null": { "kms:ViaService": "false" } })),
            Self::TaggedForMonitoring => there("ResourceTag", TAG_MONITORING),
            Self::ForMigrations => there("RequestTag", TAG_OF),
            Self::MadeByMigrations => there("ResourceTag", TAG_OF),
            Self::ReplacedByMigrations => there("ResourceTag", TAG_REPLACED_AT),
            // Of no keys at all "for all" holds as well.
            Self::OurTags => {
                Some(json!({ "ForAllValues:StringLike": { "aws:TagKeys": "everseal:*" }, "Null": { "aws:TagKeys": "false" } }))
            }
        }
    }
}

/// The IAM policy document: one statement for each need, service and condition, everything sorted.
pub fn iam_policy(mode: PermissionMode) -> Value {
    let mut statements: BTreeMap<(Need, &str, Narrowed), BTreeSet<&str>> = BTreeMap::new();
    for operation in operations().filter(|operation| mode == PermissionMode::Enforce || operation.need == Need::Audit) {
        for action in operation.actions {
            let (service, _) = action.split_once(':').unwrap_or((action, ""));
            for narrowed in Narrowed::of(operation.api, action) {
                statements.entry((operation.need, service, *narrowed)).or_default().insert(action);
            }
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
            let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": narrowed.resource() });
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
