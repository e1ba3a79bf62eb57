#![allow(clippy::unwrap_used)]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::shards;
use crate::access::Caller;
use crate::kms::KeyState;
use crate::testing::{ACCOUNT, OTHER, REGION, json as call, world};
use crate::world::World;

const ARN: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/in";

fn kinesis(world: &mut World, operation: &str, input: &Value) -> Result<Value, (String, String)> {
    call(world, ACCOUNT, REGION, &format!("Kinesis_20131202.{operation}"), input)
}

fn refusal(answer: Result<Value, (String, String)>) -> String {
    answer.unwrap_err().0
}

fn pass(world: &mut World, seconds: u64) {
    let now = world.now();
    world.advance(now + Duration::from_secs(seconds));
}

fn role(name: &str) -> Caller {
    Caller::role(&format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "session").unwrap()
}

/// A key document that lets roles do what each may, and nobody else anything.
fn document(allowed: &[(&str, &str)]) -> String {
    let statement = |(role, action): &(&str, &str)| json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:role/{role}") }, "Action": action, "Resource": "*" });
    json!({ "Version": "2012-10-17", "Statement": allowed.iter().map(statement).collect::<Vec<_>>() }).to_string()
}

/// A stream's document that lets roles put and get.
fn open_to(world: &mut World, roles: &[&str]) {
    let principals: Vec<String> = roles.iter().map(|role| format!("arn:aws:iam::{ACCOUNT}:role/{role}")).collect();
    let statement = json!({ "Effect": "Allow", "Principal": { "AWS": principals }, "Action": ["kinesis:PutRecord", "kinesis:GetRecords"], "Resource": ARN });
    world.set_data_stream_policy(ARN, &json!({ "Version": "2012-10-17", "Statement": statement }).to_string());
}

#[test]
fn a_stream_is_created_described_and_deleted_in_its_time() {
    let mut world = world();
    kinesis(&mut world, "CreateStream", &json!({ "StreamName": "in", "ShardCount": 2, "Tags": { "team": "finance" } })).unwrap();
    let of = |world: &mut World| {
        kinesis(world, "DescribeStreamSummary", &json!({ "StreamName": "in" })).unwrap()["StreamDescriptionSummary"].clone()
    };
    assert_eq!(of(&mut world)["StreamStatus"], "CREATING");
    assert_eq!(refusal(kinesis(&mut world, "CreateStream", &json!({ "StreamName": "in", "ShardCount": 1 }))), "ResourceInUseException");
    pass(&mut world, 60);
    let summary = of(&mut world);
    assert_eq!(summary["StreamARN"], ARN);
    assert_eq!(summary["StreamStatus"], "ACTIVE");
    assert_eq!(summary["OpenShardCount"], 2);
    assert_eq!(summary["RetentionPeriodHours"], 24);
    assert_eq!(summary["EncryptionType"], "NONE");
    assert!(summary.get("KeyId").is_none());
    let described = kinesis(&mut world, "DescribeStream", &json!({ "StreamARN": ARN, "Limit": 1 })).unwrap()["StreamDescription"].clone();
    assert_eq!(described["HasMoreShards"], true);
    assert_eq!(described["Shards"][0]["HashKeyRange"]["StartingHashKey"], "0");
    let tags = kinesis(&mut world, "ListTagsForStream", &json!({ "StreamName": "in" })).unwrap();
    assert_eq!(tags["Tags"], json!([{ "Key": "team", "Value": "finance" }]));
    kinesis(&mut world, "DeleteStream", &json!({ "StreamName": "in" })).unwrap();
    assert_eq!(of(&mut world)["StreamStatus"], "DELETING");
    pass(&mut world, 60);
    assert_eq!(refusal(kinesis(&mut world, "DescribeStream", &json!({ "StreamName": "in" }))), "ResourceNotFoundException");
}

#[test]
fn streams_are_listed_in_pages_by_name_with_a_token() {
    let mut world = world();
    for number in 0..5 {
        world.create_data_stream(ACCOUNT, REGION, &format!("s{number}"));
    }
    world.create_data_stream(OTHER, REGION, "foreign");
    world.create_data_stream(ACCOUNT, "eu-west-1", "elsewhere");
    let first = kinesis(&mut world, "ListStreams", &json!({ "Limit": 3 })).unwrap();
    assert_eq!(first["StreamNames"], json!(["s0", "s1", "s2"]));
    assert_eq!(first["HasMoreStreams"], true);
    assert_eq!(first["StreamSummaries"][2]["StreamARN"], "arn:aws:kinesis:us-east-1:111122223333:stream/s2");
    let second = kinesis(&mut world, "ListStreams", &json!({ "Limit": 3, "NextToken": first["NextToken"] })).unwrap();
    assert_eq!(second["StreamNames"], json!(["s3", "s4"]));
    assert_eq!(second["HasMoreStreams"], false);
    assert!(second.get("NextToken").is_none());
    let by_name = kinesis(&mut world, "ListStreams", &json!({ "ExclusiveStartStreamName": "s3" })).unwrap();
    assert_eq!(by_name["StreamNames"], json!(["s4"]));
}

#[test]
fn records_come_out_as_they_went_in() {
    let mut world = world();
    world.create_data_stream(ACCOUNT, REGION, "in");
    let put = json!({ "StreamName": "in", "Records": [{ "Data": STANDARD.encode("a"), "PartitionKey": "k" }, { "Data": STANDARD.encode("b"), "PartitionKey": "k" }] });
    let written = kinesis(&mut world, "PutRecords", &put).unwrap();
    assert_eq!(written["FailedRecordCount"], 0);
    assert_eq!(written["Records"][0]["ShardId"], "shardId-000000000000");
    let iterator = json!({ "StreamName": "in", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON" });
    let iterator = kinesis(&mut world, "GetShardIterator", &iterator).unwrap()["ShardIterator"].clone();
    let read = kinesis(&mut world, "GetRecords", &json!({ "ShardIterator": iterator, "Limit": 1 })).unwrap();
    assert_eq!(read["Records"].as_array().unwrap().len(), 1);
    assert_eq!(read["Records"][0]["Data"], STANDARD.encode("a"));
    assert_eq!(read["Records"][0]["PartitionKey"], "k");
    let read = kinesis(&mut world, "GetRecords", &json!({ "ShardIterator": read["NextShardIterator"] })).unwrap();
    assert_eq!(read["Records"][0]["Data"], STANDARD.encode("b"));
    assert_eq!(read["MillisBehindLatest"], 0);
    pass(&mut world, 301);
    let late = kinesis(&mut world, "GetRecords", &json!({ "ShardIterator": read["NextShardIterator"] }));
    assert_eq!(refusal(late), "ExpiredIteratorException");
}

#[test]
fn records_go_after_the_retention_period() {
    let mut world = world();
    world.create_data_stream(ACCOUNT, REGION, "in");
    let administrator = Caller::Root { account: ACCOUNT.to_owned() };
    world.put_data_record(&administrator, ARN, "old").unwrap();
    pass(&mut world, 24 * 3600 - 1);
    assert_eq!(world.get_data_records(&administrator, ARN, 0).unwrap().len(), 1);
    pass(&mut world, 1);
    assert_eq!(world.get_data_records(&administrator, ARN, 0).unwrap(), []);
    let hours = |hours: u32| json!({ "StreamName": "in", "RetentionPeriodHours": hours });
    kinesis(&mut world, "IncreaseStreamRetentionPeriod", &hours(48)).unwrap();
    assert_eq!(refusal(kinesis(&mut world, "IncreaseStreamRetentionPeriod", &hours(24))), "InvalidArgumentException");
    assert_eq!(refusal(kinesis(&mut world, "IncreaseStreamRetentionPeriod", &hours(8761))), "InvalidArgumentException");
}

#[test]
fn encryption_takes_time_and_counts_its_changes() {
    let mut world = world();
    world.create_data_stream(ACCOUNT, REGION, "in");
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    let start = json!({ "StreamARN": ARN, "EncryptionType": "KMS", "KeyId": key });
    for _ in 0..25 {
        kinesis(&mut world, "StartStreamEncryption", &start).unwrap();
        assert_eq!(refusal(kinesis(&mut world, "StartStreamEncryption", &start)), "ResourceInUseException");
        pass(&mut world, 60);
    }
    let summary = kinesis(&mut world, "DescribeStreamSummary", &json!({ "StreamARN": ARN })).unwrap()["StreamDescriptionSummary"].clone();
    assert_eq!((&summary["EncryptionType"], &summary["KeyId"]), (&json!("KMS"), &json!(key)));
    assert_eq!(refusal(kinesis(&mut world, "StartStreamEncryption", &start)), "LimitExceededException");
    // Switching off has a budget of its own.
    kinesis(&mut world, "StopStreamEncryption", &start).unwrap();
    pass(&mut world, 24 * 3600);
    kinesis(&mut world, "StartStreamEncryption", &start).unwrap();
}

#[test]
fn a_key_that_nobody_could_use_is_refused_when_encryption_is_started() {
    let mut world = world();
    world.create_data_stream(ACCOUNT, REGION, "in");
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    let start = |key: &str| json!({ "StreamName": "in", "EncryptionType": "KMS", "KeyId": key });
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    assert_eq!(refusal(kinesis(&mut world, "StartStreamEncryption", &start(&key))), "KMSDisabledException");
    world.set_key_state(&key, KeyState::PendingDeletion).unwrap();
    assert_eq!(refusal(kinesis(&mut world, "StartStreamEncryption", &start(&key))), "KMSInvalidStateException");
    let gone = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000";
    assert_eq!(refusal(kinesis(&mut world, "StartStreamEncryption", &start(gone))), "KMSNotFoundException");
    let closed = world.create_key(ACCOUNT, REGION, Some(&document(&[("someone", "kms:*")]))).unwrap();
    assert_eq!(refusal(kinesis(&mut world, "StartStreamEncryption", &start(&closed))), "KMSAccessDeniedException");
    let none = json!({ "StreamName": "in", "EncryptionType": "NONE", "KeyId": key });
    assert_eq!(refusal(kinesis(&mut world, "StartStreamEncryption", &none)), "InvalidArgumentException");
}

#[test]
fn producers_and_readers_need_the_key_themselves() {
    let mut world = world();
    world.create_data_stream(ACCOUNT, REGION, "in");
    open_to(&mut world, &["producer", "reader"]);
    let key = world.create_key(ACCOUNT, REGION, Some(&document(&[("producer", "kms:GenerateDataKey")]))).unwrap();
    world.put_data_record(&role("producer"), ARN, "plain").unwrap();
    world.set_data_stream_key(ARN, Some(&key));
    assert_eq!(world.put_data_record(&role("reader"), ARN, "x").unwrap_err().code, "KMSAccessDeniedException");
    world.put_data_record(&role("producer"), ARN, "sealed").unwrap();
    assert_eq!(world.put_data_record(&role("stranger"), ARN, "x").unwrap_err().code, "AccessDeniedException");
    assert_eq!(world.get_data_records(&role("reader"), ARN, 0).unwrap_err().code, "KMSAccessDeniedException");
    // The record's own key counts, not the one that the stream has now.
    world.set_data_stream_key(ARN, None);
    assert_eq!(world.get_data_records(&role("reader"), ARN, 0).unwrap_err().code, "KMSAccessDeniedException");
    world.put_key_document(&key, &document(&[("producer", "kms:GenerateDataKey"), ("reader", "kms:Decrypt")])).unwrap();
    let read: Vec<String> = world
        .get_data_records(&role("reader"), ARN, 0)
        .unwrap()
        .into_iter()
        .map(|(_, data)| String::from_utf8(data.to_vec()).unwrap())
        .collect();
    assert_eq!(read, ["plain", "sealed"]);
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    assert_eq!(world.get_data_records(&role("reader"), ARN, 0).unwrap_err().code, "KMSDisabledException");
}

#[test]
fn the_stream_is_the_encryption_context_and_kinesis_the_way() {
    let mut world = world();
    world.create_data_stream(ACCOUNT, REGION, "in");
    open_to(&mut world, &["producer"]);
    let conditions = |arn: &str, via: &str| {
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:role/producer") }, "Action": "kms:GenerateDataKey", "Resource": "*",
            "Condition": { "StringEquals": { "kms:EncryptionContext:aws:kinesis:arn": arn, "kms:ViaService": via } },
        }] })
        .to_string()
    };
    let key = world.create_key(ACCOUNT, REGION, Some(&conditions(ARN, "kinesis.us-east-1.amazonaws.com"))).unwrap();
    world.set_data_stream_key(ARN, Some(&key));
    world.put_data_record(&role("producer"), ARN, "x").unwrap();
    for (arn, via) in
        [("arn:aws:kinesis:us-east-1:111122223333:stream/other", "kinesis.us-east-1.amazonaws.com"), (ARN, "sqs.us-east-1.amazonaws.com")]
    {
        world.put_key_document(&key, &conditions(arn, via)).unwrap();
        assert_eq!(world.put_data_record(&role("producer"), ARN, "x").unwrap_err().code, "KMSAccessDeniedException");
    }
}

#[test]
fn a_document_is_kept_as_written() {
    let mut world = world();
    world.create_data_stream(ACCOUNT, REGION, "in");
    let arn = json!({ "ResourceARN": ARN });
    assert_eq!(refusal(kinesis(&mut world, "GetResourcePolicy", &arn)), "ResourceNotFoundException");
    let text = "{ \"Version\":\"2012-10-17\", \"Statement\":[] }";
    kinesis(&mut world, "PutResourcePolicy", &json!({ "ResourceARN": ARN, "Policy": text })).unwrap();
    assert_eq!(kinesis(&mut world, "GetResourcePolicy", &arn).unwrap()["Policy"], text);
    assert_eq!(
        refusal(kinesis(&mut world, "PutResourcePolicy", &json!({ "ResourceARN": ARN, "Policy": "no" }))),
        "InvalidArgumentException"
    );
    kinesis(&mut world, "DeleteResourcePolicy", &arn).unwrap();
    assert_eq!(refusal(kinesis(&mut world, "GetResourcePolicy", &arn)), "ResourceNotFoundException");
}

#[test]
fn tags_have_two_interfaces_and_one_home() {
    let mut world = world();
    world.create_data_stream(ACCOUNT, REGION, "in");
    kinesis(&mut world, "TagResource", &json!({ "ResourceARN": ARN, "Tags": { "a": "1", "b": "2" } })).unwrap();
    kinesis(&mut world, "AddTagsToStream", &json!({ "StreamName": "in", "Tags": { "c": "3" } })).unwrap();
    kinesis(&mut world, "UntagResource", &json!({ "ResourceARN": ARN, "TagKeys": ["a"] })).unwrap();
    let page = kinesis(&mut world, "ListTagsForStream", &json!({ "StreamName": "in", "Limit": 1 })).unwrap();
    assert_eq!(page, json!({ "Tags": [{ "Key": "b", "Value": "2" }], "HasMoreTags": true }));
    let all = kinesis(&mut world, "ListTagsForResource", &json!({ "ResourceARN": ARN })).unwrap();
    assert_eq!(all, json!({ "Tags": [{ "Key": "b", "Value": "2" }, { "Key": "c", "Value": "3" }] }));
    assert_eq!(super::tags_of(&world, ACCOUNT, REGION), [(ARN.to_owned(), vec![("b".into(), "2".into()), ("c".into(), "3".into())])]);
}

#[test]
fn shards_divide_all_hash_keys() {
    assert_eq!(shards::range(0, 1), (0, u128::MAX));
    for count in [2, 3, 7, 1000] {
        for shard in 1..count {
            assert_eq!(shards::range(shard, count).0, shards::range(shard - 1, count).1 + 1);
        }
        assert_eq!(shards::range(count - 1, count).1, u128::MAX);
        for shard in 0..count {
            let (first, last) = shards::range(shard, count);
            assert_eq!((shards::of("", Some(first), count), shards::of("", Some(last), count)), (shard, shard));
        }
    }
    // md5("a") = 0cc175b9…: the first of two halves; md5("b") = 92eb5ffe…: the second.
    assert_eq!((shards::of("a", None, 2), shards::of("b", None, 2)), (0, 1));
    assert_eq!(shards::number(&shards::sequence(42)), Some(42));
    assert_eq!(shards::sequence(42).len(), 56);
}

#[test]
fn a_channel_is_created_listed_and_fails_without_its_stream() {
    let mut world = world();
    world.create_data_stream(ACCOUNT, REGION, "in");
    let create = json!({
        "ChannelName": "out", "ServiceExecutionRoleARN": format!("arn:aws:iam::{ACCOUNT}:role/channel"),
        "StreamConfigurationList": [{ "StreamARN": ARN, "RecordConfiguration": { "RecordFormatType": "JSON" } }],
        "S3DestinationConfiguration": { "StorageConfiguration": { "BucketARN": "arn:aws:s3:::landing", "ExpectedBucketOwner": ACCOUNT, "CompressionType": "NONE" } },
    });
    let created = kinesis(&mut world, "CreateChannel", &create).unwrap()["ChannelDescription"].clone();
    assert_eq!(created["ChannelStatus"], "CREATING");
    assert_eq!(created["S3DestinationConfiguration"]["DataFreshnessInSeconds"], 300);
    assert_eq!(refusal(kinesis(&mut world, "CreateChannel", &create)), "ResourceInUseException");
    pass(&mut world, 60);
    let list = kinesis(&mut world, "ListChannels", &json!({})).unwrap()["ChannelSummaries"].clone();
    assert_eq!(list[0]["ChannelStatus"], "ACTIVE");
    assert_eq!(list[0]["ChannelDestinationType"], "S3");
    assert_eq!(list[0]["Streams"][0]["StreamARN"], ARN);
    let described = |world: &mut World| kinesis(world, "DescribeChannel", &json!({ "ChannelARN": created["ChannelARN"] }));
    assert_eq!(
        described(&mut world).unwrap()["ChannelDescription"]["StreamConfigurationList"][0]["RecordConfiguration"]["RecordFormatType"],
        "JSON"
    );
    kinesis(&mut world, "DeleteStream", &json!({ "StreamName": "in" })).unwrap();
    pass(&mut world, 60);
    assert_eq!(described(&mut world).unwrap()["ChannelDescription"]["ChannelStatus"], "FAILED");
    kinesis(&mut world, "DeleteChannel", &json!({ "ChannelARN": created["ChannelARN"] })).unwrap();
    pass(&mut world, 60);
    assert_eq!(refusal(described(&mut world)), "ResourceNotFoundException");
}
