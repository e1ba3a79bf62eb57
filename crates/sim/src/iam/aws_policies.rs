//! A few policies that AWS manages: their gist, without the services that this simulator does not have.
//! [AWS Managed Policy Reference Guide]

/// Name and statement's actions, allowed on everything.
const POLICIES: &[(&str, &[&str])] = &[
    ("AdministratorAccess", &["*"]),
    (
        "ReadOnlyAccess",
        &[
            "cloudfront:Get*",
            "cloudfront:List*",
            "cloudwatch:Get*",
            "cloudwatch:List*",
            "cloudwatch:Describe*",
            "events:Describe*",
            "events:List*",
            "firehose:Describe*",
            "firehose:List*",
            "iam:Get*",
            "iam:List*",
            "kinesis:Describe*",
            "kinesis:Get*",
            "kinesis:List*",
            "kms:Describe*",
            "kms:Get*",
            "kms:List*",
            "organizations:Describe*",
            "organizations:List*",
            "rds:Describe*",
            "rds:List*",
            "s3:Get*",
            "s3:List*",
            "s3:Describe*",
            "sns:Get*",
            "sns:List*",
            "sqs:Get*",
            "sqs:List*",
            "sqs:Receive*",
            "sts:GetCallerIdentity",
            "tag:Get*",
        ],
    ),
    ("AmazonKinesisFirehoseFullAccess", &["firehose:*"]),
    ("AmazonKinesisFullAccess", &["kinesis:*"]),
    ("AmazonS3FullAccess", &["s3:*", "s3-object-lambda:*"]),
    ("AmazonS3ReadOnlyAccess", &["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"]),
    ("AmazonSNSFullAccess", &["sns:*"]),
    ("AmazonSNSReadOnlyAccess", &["sns:GetTopicAttributes", "sns:List*"]),
    ("AmazonSQSFullAccess", &["sqs:*"]),
    (
        "AmazonSQSReadOnlyAccess",
        &[
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ListDeadLetterSourceQueues",
            "sqs:ListQueues",
            "sqs:ListMessageMoveTasks",
            "sqs:ListQueueTags",
        ],
    ),
    (
        "AWSKeyManagementServicePowerUser",
        &[
            "kms:CreateAlias",
            "kms:CreateKey",
            "kms:DeleteAlias",
            "kms:Describe*",
            "kms:GenerateRandom",
            "kms:Get*",
            "kms:List*",
            "kms:TagResource",
            "kms:UntagResource",
            "iam:ListGroups",
            "iam:ListRoles",
            "iam:ListUsers",
        ],
    ),
];

/// What ARNs of AWS's policies begin with.
pub(super) const PREFIX: &str = "arn:aws:iam::aws:policy/";

/// The text of one; `None`: the simulator does not have it.
pub(super) fn document(arn: &str) -> Option<String> {
    let name = arn.strip_prefix(PREFIX)?;
    let (_, actions) = POLICIES.iter().find(|(known, _)| *known == name)?;
    let statement = serde_json::json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    Some(serde_json::json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string())
}

/// All ARNs, sorted.
pub(super) fn arns() -> impl Iterator<Item = String> {
    let mut names: Vec<&str> = POLICIES.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.into_iter().map(|name| format!("{PREFIX}{name}"))
}
