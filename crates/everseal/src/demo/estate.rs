//! The finance pipeline as somebody left it: it works, most of it is not sealed, and a key waits to be deleted.

use everseal_sim::{ApiError, User, World};
use http::Method;
use serde_json::{Value, json};

/// The account of `config/finance.yaml`.
pub const HOME: &str = "111122223333";
/// Its region.
pub const REGION: &str = "us-east-1";

/// Who uses the pipeline, and where.
#[derive(Debug, Clone)]
pub struct Estate {
    /// Whoever set it up, and undoes it under `--chaos`.
    pub admin: User,
    /// ARN of the pipeline's key.
    key: String,
    /// URLs of the queues that settlement reads.
    pub queues: Vec<(&'static str, String)>,
}

/// The delivery stream that ingest writes to.
pub const STREAM: &str = "finance-trades";
/// The bucket it delivers to.
pub const LANDING: &str = "finance-landing";
/// Where ingest puts statements.
pub const STATEMENTS: &str = "finance-statements";
/// The topic that ingest publishes to.
pub const ALERTS: &str = "arn:aws:sns:us-east-1:111122223333:finance-alerts";

type Done<T = ()> = Result<T, ApiError>;

impl Estate {
    /// Makes everything. `permissions` is what Everseal's own role may do.
    pub fn raise(world: &mut World, permissions: &str) -> Done<Self> {
        let admin = User::administrator(HOME, REGION);
        roles(&admin, world, permissions)?;
        let key = key(&admin, world)?;
        let queues = queues(&admin, world)?;
        buckets(&admin, world)?;
        topic(&admin, world)?;
        streams(&admin, world, &key)?;
        databases(&admin, world)?;
        Ok(Self { admin, key, queues })
    }

    /// Somebody takes the pipeline's key for an old one.
    pub fn lose_key(&self, world: &mut World) -> Done {
        let ask = json!({ "KeyId": self.key, "PendingWindowInDays": 7 });
        self.admin.json(world, "TrentService.ScheduleKeyDeletion", &ask).map(drop)
    }

    /// A session of one of the applications' roles: `ingest` writes, `settlement` reads. Sessions end after an hour.
    pub fn session(&self, world: &mut World, role: &str) -> Done<User> {
        self.admin.assume(world, &format!("arn:aws:iam::{HOME}:role/{role}"))
    }
}

fn roles(admin: &User, world: &mut World, permissions: &str) -> Done {
    let account = json!({ "AWS": format!("arn:aws:iam::{HOME}:root") });
    let data = allowed(&["s3:*", "sqs:*", "sns:*", "firehose:PutRecord", "firehose:PutRecordBatch", "kms:GenerateDataKey", "kms:Decrypt"]);
    let deliver = allowed(&["s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation", "kms:GenerateDataKey", "kms:Decrypt"]);
    role(admin, world, "everseal", (&account, permissions))?;
    role(admin, world, "ingest", (&account, &data))?;
    role(admin, world, "settlement", (&account, &data))?;
    role(admin, world, "firehose-delivery", (&json!({ "Service": "firehose.amazonaws.com" }), &deliver))
}

fn allowed(actions: &[&str]) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] }).to_string()
}

fn role(admin: &User, world: &mut World, name: &str, (trusts, policy): (&Value, &str)) -> Done {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": trusts, "Action": "sts:AssumeRole" }] });
    let trust = trust.to_string();
    admin.query(world, "iam", "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)])?;
    admin.query(world, "iam", "PutRolePolicy", &[("RoleName", name), ("PolicyName", "own"), ("PolicyDocument", policy)])?;
    Ok(())
}

/// The pipeline's key, multi-Region, with nobody in its document but the account.
fn key(admin: &User, world: &mut World) -> Done<String> {
    let made = admin.json(world, "TrentService.CreateKey", &json!({ "MultiRegion": true, "Description": "Finance pipeline data" }))?;
    let arn = made["KeyMetadata"]["Arn"].as_str().unwrap_or_default().to_owned();
    admin.json(world, "TrentService.CreateAlias", &json!({ "AliasName": "alias/finance", "TargetKeyId": arn }))?;
    Ok(arn)
}

fn document(statement: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

/// Lets a service send to a queue for one source, as AWS's guides write it.
fn opened(queue: &str, service: &str, source: &str) -> String {
    document(&json!({
        "Sid": "producer", "Effect": "Allow", "Principal": { "Service": service }, "Action": "sqs:SendMessage",
        "Resource": format!("arn:aws:sqs:{REGION}:{HOME}:{queue}"),
        "Condition": { "ArnEquals": { "aws:SourceArn": source }, "StringEquals": { "aws:SourceAccount": HOME } }
    }))
}

fn queues(admin: &User, world: &mut World) -> Done<Vec<(&'static str, String)>> {
    let mut urls = Vec::new();
    let landing = format!("arn:aws:s3:::{LANDING}");
    for (name, document) in [
        ("finance-landed", Some(opened("finance-landed", "s3.amazonaws.com", &landing))),
        ("finance-alerts", Some(opened("finance-alerts", "sns.amazonaws.com", ALERTS))),
        ("finance-orders", None),
        ("finance-orders-dead", None),
    ] {
        let mut attributes = json!({ "SqsManagedSseEnabled": if name == "finance-orders" { "false" } else { "true" } });
        if let Some(document) = document {
            attributes["Policy"] = json!(document);
        }
        let made = admin.json(world, "AmazonSQS.CreateQueue", &json!({ "QueueName": name, "Attributes": attributes }))?;
        urls.push((name, made["QueueUrl"].as_str().unwrap_or_default().to_owned()));
    }
    let redrive = json!({ "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{HOME}:finance-orders-dead"), "maxReceiveCount": 3 });
    let orders = json!({ "QueueUrl": urls[2].1, "Attributes": { "RedrivePolicy": redrive.to_string() } });
    admin.json(world, "AmazonSQS.SetQueueAttributes", &orders)?;
    Ok(urls)
}

fn buckets(admin: &User, world: &mut World) -> Done {
    let tags = "<Tagging><TagSet><Tag><Key>classification</Key><Value>confidential</Value></Tag></TagSet></Tagging>";
    for name in [LANDING, STATEMENTS, "finance-access-logs", "legacy-site"] {
        admin.s3(world, (Method::PUT, &format!("/{name}"), ""), "")?;
        if name.starts_with("finance-") {
            admin.s3(world, (Method::PUT, &format!("/{name}"), "tagging"), tags)?;
        }
    }
    let queue = format!("arn:aws:sqs:{REGION}:{HOME}:finance-landed");
    let announced = format!(
        "<NotificationConfiguration><QueueConfiguration><Queue>{queue}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>"
    );
    admin.s3(world, (Method::PUT, &format!("/{LANDING}"), "notification"), announced)?;
    let site = "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>";
    admin.s3(world, (Method::PUT, "/legacy-site", "website"), site)?;
    Ok(())
}

fn topic(admin: &User, world: &mut World) -> Done {
    admin.query(world, "sns", "CreateTopic", &[("Name", "finance-alerts")])?;
    let endpoint = format!("arn:aws:sqs:{REGION}:{HOME}:finance-alerts");
    admin.query(world, "sns", "Subscribe", &[("TopicArn", ALERTS), ("Protocol", "sqs"), ("Endpoint", &endpoint)])?;
    Ok(())
}

/// One stream without encryption of its own, and one under the key that waits to be deleted.
fn streams(admin: &User, world: &mut World, key: &str) -> Done {
    let destination = json!({
        "RoleARN": format!("arn:aws:iam::{HOME}:role/firehose-delivery"), "BucketARN": format!("arn:aws:s3:::{LANDING}"),
        "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 5 }
    });
    for (name, encryption) in [(STREAM, None), ("finance-audit", Some(key))] {
        let mut ask =
            json!({ "DeliveryStreamName": name, "DeliveryStreamType": "DirectPut", "ExtendedS3DestinationConfiguration": destination });
        if let Some(key) = encryption {
            ask["DeliveryStreamEncryptionConfigurationInput"] = json!({ "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key });
        }
        admin.json(world, "Firehose_20150804.CreateDeliveryStream", &ask)?;
    }
    Ok(())
}

fn databases(admin: &User, world: &mut World) -> Done {
    let ledger = [
        ("DBInstanceIdentifier", "finance-ledger"),
        ("Engine", "postgres"),
        ("EngineVersion", "14.12"),
        ("DBInstanceClass", "db.r6g.large"),
        ("AllocatedStorage", "100"),
        ("MasterUsername", "ledger"),
        ("MasterUserPassword", "simulated-only"),
    ];
    admin.query(world, "rds", "CreateDBInstance", &ledger)?;
    Ok(())
}
