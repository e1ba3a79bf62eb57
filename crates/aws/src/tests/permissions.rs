use std::collections::BTreeSet;

use serde_json::Value;

use crate::operation::{Api, Need};
use crate::permissions::{PermissionMode, iam_policy, operations};

fn actions(mode: PermissionMode) -> BTreeSet<String> {
    let policy = iam_policy(mode);
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap().clone());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_operation_of_the_tables_is_allowed_in_its_mode() {
    let (audit, enforce) = (actions(PermissionMode::Audit), actions(PermissionMode::Enforce));
    for operation in operations() {
        for action in operation.actions {
            assert!(enforce.contains(*action), "{action}");
            assert!(audit.contains(*action) || operation.need == Need::Enforce, "{action}");
        }
    }
    assert!(audit.is_subset(&enforce));
}

#[test]
fn audit_can_only_read() {
    let reading = ["Get", "List", "Describe", "AssumeRole"];
    for action in actions(PermissionMode::Audit) {
        let (_, verb) = action.split_once(':').unwrap();
        assert!(reading.iter().any(|prefix| verb.starts_with(prefix)), "{action}");
    }
}

/// AWS-FACTS §14: what the controller must never be able to do.
#[test]
fn what_destroys_or_lowers_is_never_asked_for() {
    let enforce = actions(PermissionMode::Enforce);
    let never = [
        "s3:DeleteBucketPolicy",
        "s3:DeleteObject",
        "kms:ScheduleKeyDeletion",
        "kms:DisableKey",
        "firehose:StopDeliveryStreamEncryption",
        "kinesis:StopStreamEncryption",
    ];
    assert!(never.iter().all(|action| !enforce.contains(*action)));
    assert!(enforce.iter().all(|action| !action.contains('*')));
}

/// IAM's names where they differ from the operation's. [AWS-FACTS §14: Service Authorization Reference]
#[test]
fn actions_bear_iams_names() {
    let action = |api: Api, name: &str| operations().find(|operation| operation.api == api && operation.name == name).unwrap().action();
    assert_eq!(action(Api::S3, "ListBuckets"), Some("s3:ListAllMyBuckets"));
    assert_eq!(action(Api::S3, "HeadBucket"), Some("s3:ListBucket"));
    assert_eq!(action(Api::S3, "PutBucketEncryption"), Some("s3:PutEncryptionConfiguration"));
    assert_eq!(action(Api::S3, "GetPublicAccessBlock"), Some("s3:GetBucketPublicAccessBlock"));
    assert_eq!(action(Api::S3, "GetBucketReplication"), Some("s3:GetReplicationConfiguration"));
    assert_eq!(action(Api::S3, "GetBucketNotificationConfiguration"), Some("s3:GetBucketNotification"));
    assert_eq!(action(Api::Tagging, "GetResources"), Some("tag:GetResources"));
}

#[test]
fn the_policy_is_the_same_every_time_and_sorted() {
    let policy = iam_policy(PermissionMode::Enforce);
    assert_eq!(policy, iam_policy(PermissionMode::Enforce));
    assert_eq!(policy["Version"], "2012-10-17");
    let sids: Vec<&str> = policy["Statement"].as_array().unwrap().iter().map(|statement| statement["Sid"].as_str().unwrap()).collect();
    assert_eq!(sids.iter().collect::<BTreeSet<_>>().len(), sids.len(), "IAM wants Sids to be unique");
    assert!(sids.iter().all(|sid| sid.chars().all(char::is_alphanumeric)));
    for statement in policy["Statement"].as_array().unwrap() {
        let actions: Vec<&Value> = statement["Action"].as_array().unwrap().iter().collect();
        assert!(actions.is_sorted_by_key(|action| action.as_str().unwrap()));
    }
}

#[test]
fn operations_are_listed_once() {
    let names: Vec<_> = operations().map(|operation| (operation.api, operation.name)).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

fn statements_of<'a>(policy: &'a Value, action: &str) -> Vec<&'a Value> {
    let statements = policy["Statement"].as_array().unwrap();
    let holding: Vec<_> =
        statements.iter().filter(|statement| statement["Action"].as_array().unwrap().iter().any(|a| a == action)).collect();
    assert!(!holding.is_empty(), "{action}");
    holding
}

#[test]
fn what_could_be_misused_is_narrowed() {
    let policy = iam_policy(PermissionMode::Enforce);
    let conditioned = |action: &str| {
        let holding = statements_of(&policy, action);
        assert_eq!(holding.len(), 1, "{action}");
        holding[0]["Condition"].clone()
    };
    assert_eq!(conditioned("kms:CreateGrant"), serde_json::json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } }));
    for data in ["kms:Decrypt", "kms:GenerateDataKey"] {
        assert_eq!(conditioned(data), serde_json::json!({ "Null": { "kms:ViaService": "false" } }), "{data} is never used directly");
    }
    let tagged = serde_json::json!({ "Null": { "aws:ResourceTag/everseal:monitoring": "false" } });
    assert_eq!(conditioned("secretsmanager:GetSecretValue"), tagged, "only secrets that somebody opened");
    assert!(conditioned("kms:PutKeyPolicy").is_null());
    let passed: Vec<&Value> = statements_of(&policy, "iam:PassRole")
        .iter()
        .map(|statement| &statement["Condition"]["StringEquals"]["iam:PassedToService"])
        .collect();
    let rds = serde_json::json!(["directoryservice.rds.amazonaws.com", "monitoring.rds.amazonaws.com", "rds.amazonaws.com"]);
    assert_eq!(passed, [&serde_json::json!("firehose.amazonaws.com"), &rds]);
    let secrets = statements_of(&policy, "secretsmanager:CreateSecret");
    assert_eq!(secrets.iter().map(|statement| &statement["Resource"]).collect::<Vec<_>>(), ["arn:*:secretsmanager:*:*:secret:rds!*"]);
}

/// Issue 4: nothing is ever deleted but what the migration made, and what it replaced. AWS itself sees to it.
#[test]
fn nothing_can_be_deleted_but_what_a_migration_made_or_replaced() {
    let policy = iam_policy(PermissionMode::Enforce);
    let made = serde_json::json!({ "Null": { "aws:ResourceTag/everseal:migration-of": "false" } });
    let replaced = serde_json::json!({ "Null": { "aws:ResourceTag/everseal:replaced-at": "false" } });
    for action in ["rds:DeleteDBSnapshot", "rds:DeleteDBClusterSnapshot", "rds:DeleteBlueGreenDeployment"] {
        let conditions: Vec<&Value> = statements_of(&policy, action).iter().map(|statement| &statement["Condition"]).collect();
        assert_eq!(conditions, [&made], "{action}");
    }
    for action in ["rds:DeleteDBInstance", "rds:DeleteDBCluster"] {
        let conditions: Vec<&Value> = statements_of(&policy, action).iter().map(|statement| &statement["Condition"]).collect();
        assert_eq!(conditions, [&made, &replaced], "{action}");
    }
    let deleting = actions(PermissionMode::Enforce).into_iter().filter(|action| action.contains(":Delete"));
    let expected = [
        "rds:DeleteBlueGreenDeployment",
        "rds:DeleteDBCluster",
        "rds:DeleteDBClusterSnapshot",
        "rds:DeleteDBInstance",
        "rds:DeleteDBSnapshot",
    ];
    assert_eq!(deleting.collect::<Vec<_>>(), expected);
    let tags = &statements_of(&policy, "rds:RemoveTagsFromResource")[0]["Condition"];
    assert_eq!(tags["ForAllValues:StringLike"]["aws:TagKeys"], "everseal:*");
    for action in
        ["rds:CopyDBSnapshot", "rds:RestoreDBInstanceFromDBSnapshot", "rds:RestoreDBClusterFromSnapshot", "rds:CreateBlueGreenDeployment"]
    {
        let condition = &statements_of(&policy, action)[0]["Condition"];
        assert_eq!(condition, &serde_json::json!({ "Null": { "aws:RequestTag/everseal:migration-of": "false" } }), "{action}");
    }
}

/// White space does not count. [IAM and STS quotas: managed policies]
#[test]
fn each_fits_into_one_managed_policy() {
    for mode in [PermissionMode::Audit, PermissionMode::Enforce] {
        let size = iam_policy(mode).to_string().len();
        assert!(size <= 6144, "{mode:?}: {size}");
    }
}
