//! Answers of the services that speak AWS JSON: KMS, SQS, Firehose, Kinesis.

use serde_json::{Value, json};

use super::{ACCOUNT, Estate, REGION, alias, document, key_arn, key_id, page};

/// `None`: this operation is not known.
pub(super) fn answer(estate: Estate, operation: &str, body: &str) -> Option<String> {
    let input: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let output = match operation {
        "ListQueues" => list_queues(estate, &input),
        "GetQueueAttributes" => queue(text("QueueUrl").rsplit('/').next().unwrap_or_default()),
        "ListDeliveryStreams" => list_delivery_streams(estate, &input),
        "DescribeDeliveryStream" => delivery_stream(text("DeliveryStreamName")),
        "ListStreams" => json!({"StreamNames": [], "StreamSummaries": [], "HasMoreStreams": false}),
        "ListAliases" => aliases(estate, &input),
        "DescribeKey" => key(text("KeyId")),
        "GetKeyPolicy" => json!({"PolicyName": "default", "Policy": key_document()}),
        "GetKeyRotationStatus" => json!({"KeyId": text("KeyId"), "KeyRotationEnabled": true, "RotationPeriodInDays": 365}),
        "GetResources" => json!({"PaginationToken": "", "ResourceTagMappingList": []}),
        _ => return None,
    };
    Some(output.to_string())
}

fn number(input: &Value, name: &str) -> usize {
    input[name].as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn limit(input: &Value, name: &str, default: usize) -> usize {
    input[name].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default)
}

fn list_queues(estate: Estate, input: &Value) -> Value {
    let (these, next) = page(number(input, "NextToken"), limit(input, "MaxResults", 1000), estate.queues);
    let urls: Vec<String> =
        these.map(|queue| format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{}", estate.name("queue", queue))).collect();
    match next {
        Some(next) => json!({"QueueUrls": urls, "NextToken": next.to_string()}),
        None => json!({"QueueUrls": urls}),
    }
}

fn queue(name: &str) -> Value {
    let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
    json!({"Attributes": {
        "KmsMasterKeyId": Estate::key_of_name(name),
        "KmsDataKeyReusePeriodSeconds": "300",
        "SqsManagedSseEnabled": "false",
        "Policy": document("sqs:*", &[&arn]),
        "QueueArn": arn,
    }})
}

fn list_delivery_streams(estate: Estate, input: &Value) -> Value {
    let after = input["ExclusiveStartDeliveryStreamName"].as_str().and_then(|name| name.split('-').nth(1)?.parse::<usize>().ok());
    let (these, next) = page(after.map_or(0, |after| after + 1), limit(input, "Limit", 10), estate.delivery_streams);
    let names: Vec<String> = these.map(|stream| estate.name("stream", stream)).collect();
    json!({"DeliveryStreamNames": names, "HasMoreDeliveryStreams": next.is_some()})
}

fn delivery_stream(name: &str) -> Value {
    let key = Estate::key_of_name(name);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/firehose");
    let s3 = json!({
        "RoleARN": role, "BucketARN": format!("arn:aws:s3:::{}", name.replace("stream", "bucket")),
        "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300}, "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}},
    });
    json!({"DeliveryStreamDescription": {
        "DeliveryStreamName": name,
        "DeliveryStreamARN": format!("arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{name}"),
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamType": "DirectPut",
        "VersionId": "1",
        "CreateTimestamp": 1_795_000_000,
        "DeliveryStreamEncryptionConfiguration": {"KeyARN": key, "KeyType": "CUSTOMER_MANAGED_CMK", "Status": "ENABLED"},
        "Destinations": [{"DestinationId": "destinationId-000000000001", "ExtendedS3DestinationDescription": s3}],
        "HasMoreDestinations": false,
    }})
}

fn aliases(estate: Estate, input: &Value) -> Value {
    let (these, next) = page(number(input, "Marker"), limit(input, "Limit", 50), estate.keys);
    let aliases: Vec<Value> = these
        .map(|key| {
            json!({"AliasName": alias(key), "AliasArn": format!("arn:aws:kms:{REGION}:{ACCOUNT}:{}", alias(key)), "TargetKeyId": key_id(key)})
        })
        .collect();
    match next {
        Some(next) => json!({"Aliases": aliases, "Truncated": true, "NextMarker": next.to_string()}),
        None => json!({"Aliases": aliases, "Truncated": false}),
    }
}

fn key(reference: &str) -> Value {
    let number = reference.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    json!({"KeyMetadata": {
        "AWSAccountId": ACCOUNT, "KeyId": key_id(number), "Arn": key_arn(number), "CreationDate": 1_795_000_000, "Enabled": true,
        "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
    }})
}

fn key_document() -> String {
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let statement = json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}
