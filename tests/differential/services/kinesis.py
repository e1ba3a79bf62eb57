"""Data streams: life, encryption, records, documents, tags."""

import json

from compare import Differs, Lacks

ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/diff"


def scenario(aws):
    kinesis = aws.kinesis
    kinesis.list_streams("of an empty account")
    kinesis.create_stream("plain", StreamName="diff", ShardCount=1)
    kinesis.create_stream("again", StreamName="diff", ShardCount=1)
    wait(aws)
    kinesis.create_stream("second", StreamName="diff-2", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    wait(aws, "diff-2")
    kinesis.list_streams("two")
    kinesis.list_streams("first page", Limit=1)
    kinesis.list_streams("second page", ExclusiveStartStreamName="diff")
    kinesis.describe_stream_summary("plain", StreamName="diff")
    kinesis.describe_stream_summary("by ARN", StreamARN=ARN)
    kinesis.describe_stream_summary("on demand", StreamName="diff-2")
    kinesis.describe_stream_summary("of none", StreamName="none")
    kinesis.describe_stream("plain", StreamName="diff")
    kinesis.list_shards("plain", StreamName="diff")
    encryption(aws)
    records(aws)
    documents(aws)
    kinesis.list_channels("none")
    kinesis.delete_stream("plain", StreamName="diff")
    kinesis.delete_stream("none", StreamName="none")


def wait(aws, name="diff"):
    state = "StreamDescriptionSummary.StreamStatus"
    aws.wait_for(lambda: aws.kinesis.quietly("describe_stream_summary", StreamName=name), lambda answer: answer.at(state) == "ACTIVE")


def encryption(aws):
    kinesis = aws.kinesis
    kinesis.start_stream_encryption("plain", StreamName="diff", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    wait(aws)
    kinesis.describe_stream_summary("encrypted", StreamName="diff")
    kinesis.start_stream_encryption("of none", StreamName="none", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    kinesis.start_stream_encryption("under no key", StreamName="diff", EncryptionType="KMS", KeyId="alias/none")
    wait(aws)
    kinesis.stop_stream_encryption("plain", StreamName="diff", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    wait(aws)
    kinesis.describe_stream_summary("no longer encrypted", StreamName="diff")


def records(aws):
    kinesis = aws.kinesis
    kinesis.put_record("plain", StreamName="diff", Data=b"one", PartitionKey="a")
    kinesis.put_records("two", StreamName="diff", Records=[{"Data": b"two", "PartitionKey": "a"}, {"Data": b"three", "PartitionKey": "b"}])
    kinesis.put_record("to none", StreamName="none", Data=b"one", PartitionKey="a")
    where = {"StreamName": "diff", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator("plain", **where).at("ShardIterator")
    kinesis.get_shard_iterator("of no shard", **{**where, "ShardId": "shardId-000000000009"})
    got = kinesis.get_records("all", ShardIterator=iterator)
    aws.keep_value("kinesis", "Read", {"data": [record["Data"] for record in got.get("Records", [])]})
    kinesis.get_records("by a bad iterator", ShardIterator="nonsense")


def documents(aws):
    kinesis = aws.kinesis
    kinesis.get_resource_policy("without one", ResourceARN=ARN)
    let = {"Sid": "Write", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:root"}, "Action": "kinesis:PutRecord", "Resource": ARN}
    kinesis.put_resource_policy("plain", ResourceARN=ARN, Policy=json.dumps({"Version": "2012-10-17", "Statement": [let]}))
    kinesis.get_resource_policy("with one", ResourceARN=ARN)
    kinesis.delete_resource_policy("plain", ResourceARN=ARN)
    kinesis.add_tags_to_stream("plain", StreamName="diff", Tags={"a": "1"})
    kinesis.list_tags_for_stream("plain", StreamName="diff")
    kinesis.list_tags_for_resource("plain", ResourceARN=ARN)
    kinesis.remove_tags_from_stream("plain", StreamName="diff", TagKeys=["a"])
    kinesis.increase_stream_retention_period("plain", StreamName="diff", RetentionPeriodHours=48)
    wait(aws)
    kinesis.describe_stream_summary("kept longer", StreamName="diff")


SUMMARY = "kinesis:StreamDescriptionSummary"

TABLE = [
    Differs("moto", "ListStreams first page", "NextToken | StreamSummaries*", "as many as asked for, with a token", "kinesis:ListStreams"),
    Differs("ministack", "ListStreams first page", "NextToken", "a token where there is more", "kinesis:ListStreams"),
    Differs("moto", "ListStreams second page", "StreamSummaries*", "the streams after the named one", "kinesis:ListStreams, ExclusiveStartStreamName"),
    Differs("moto", "DescribeStreamSummary *", "*.ConsumerCount", "told", SUMMARY),
    Differs(
        "ministack", "DescribeStreamSummary on demand", "*.OpenShardCount", "a stream on demand begins with four",
        "Kinesis Developer Guide: Choose the right mode, on-demand",
    ),
    Differs("moto", "DescribeStream plain", "*.StreamMode", "told", "kinesis:StreamDescription"),
    Differs("moto ministack", "StartStreamEncryption under no key", "outcome", "KMSNotFoundException", "kinesis:StartStreamEncryption, Errors"),
    Differs("moto", "PutRecord plain | PutRecords two | GetRecords all", "*EncryptionType", "NONE or KMS, told", "kinesis:PutRecord"),
    Differs("moto", "GetRecords by a bad iterator", "Error.Code | status | RequestId", "InvalidArgumentException; moto breaks", "kinesis:GetRecords"),
    Differs("ministack", "GetRecords by a bad iterator", "Error.Code", "never an iterator, so none that expired", "kinesis:GetRecords, Errors"),
    Differs(
        "moto ministack", "GetResourcePolicy without one", "outcome",
        "not said in so many words; ResourceNotFoundException is what there is for it", "kinesis:GetResourcePolicy, Errors",
    ),
    Lacks("moto", "ListTagsForResource", "answers HTTP 500"),
    Lacks("ministack", "ListTagsForResource", "answers InvalidAction"),
    Lacks("ministack", "ListChannels", "answers InvalidAction"),
]
