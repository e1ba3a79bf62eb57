"""Delivery streams: life, encryption, destinations, records, and what arrives in the bucket."""

import json

from compare import Differs

ROLE = "arn:aws:iam::123456789012:role/diff-delivery"
BUCKET = "arn:aws:s3:::diff-delivered"


def scenario(aws):
    firehose = aws.firehose
    aws.s3.create_bucket("for deliveries", Bucket="diff-delivered")
    trust = {"Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole"}
    aws.iam.create_role(
        "for deliveries", RoleName="diff-delivery", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    may = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    aws.iam.put_role_policy(
        "for deliveries", RoleName="diff-delivery", PolicyName="deliver",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]}),
    )
    destination = {"RoleARN": ROLE, "BucketARN": BUCKET, "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 1}}
    firehose.list_delivery_streams("of an empty account")
    firehose.create_delivery_stream("plain", DeliveryStreamName="diff", ExtendedS3DestinationConfiguration=destination)
    firehose.create_delivery_stream("again", DeliveryStreamName="diff", ExtendedS3DestinationConfiguration=destination)
    wait(aws)
    firehose.create_delivery_stream(
        "encrypted", DeliveryStreamName="diff-2", ExtendedS3DestinationConfiguration=destination,
        DeliveryStreamEncryptionConfigurationInput={"KeyType": "AWS_OWNED_CMK"},
    )
    wait(aws, "diff-2")
    firehose.list_delivery_streams("two")
    firehose.list_delivery_streams("first page", Limit=1)
    firehose.list_delivery_streams("second page", ExclusiveStartDeliveryStreamName="diff")
    said = firehose.describe_delivery_stream("plain", DeliveryStreamName="diff")
    firehose.describe_delivery_stream("encrypted", DeliveryStreamName="diff-2")
    firehose.describe_delivery_stream("of none", DeliveryStreamName="none")
    firehose.start_delivery_stream_encryption(
        "plain", DeliveryStreamName="diff", DeliveryStreamEncryptionConfigurationInput={"KeyType": "AWS_OWNED_CMK"}
    )
    encrypted = "DeliveryStreamDescription.DeliveryStreamEncryptionConfiguration.Status"
    aws.wait_for(lambda: firehose.quietly("describe_delivery_stream", DeliveryStreamName="diff"), lambda answer: answer.at(encrypted) == "ENABLED")
    firehose.describe_delivery_stream("encrypted afterwards", DeliveryStreamName="diff")
    firehose.start_delivery_stream_encryption("of none", DeliveryStreamName="none")
    description = "DeliveryStreamDescription"
    update = {
        "DeliveryStreamName": "diff",
        "CurrentDeliveryStreamVersionId": said.at(f"{description}.VersionId"),
        "DestinationId": said.at(f"{description}.Destinations.0.DestinationId"),
        "ExtendedS3DestinationUpdate": {"Prefix": "in/"},
    }
    firehose.update_destination("of an old version", **{**update, "CurrentDeliveryStreamVersionId": "99"})
    current = firehose.quietly("describe_delivery_stream", DeliveryStreamName="diff").at(f"{description}.VersionId")
    firehose.update_destination("plain", **{**update, "CurrentDeliveryStreamVersionId": current})
    firehose.describe_delivery_stream("with another prefix", DeliveryStreamName="diff")
    records(aws)
    firehose.tag_delivery_stream("plain", DeliveryStreamName="diff", Tags=[{"Key": "a", "Value": "1"}])
    firehose.list_tags_for_delivery_stream("plain", DeliveryStreamName="diff")
    firehose.untag_delivery_stream("plain", DeliveryStreamName="diff", TagKeys=["a"])
    firehose.start_delivery_stream_encryption(
        "with a customer's key that is not named", DeliveryStreamName="diff",
        DeliveryStreamEncryptionConfigurationInput={"KeyType": "CUSTOMER_MANAGED_CMK"},
    )
    firehose.create_delivery_stream("without a destination", DeliveryStreamName="nowhere")
    firehose.stop_delivery_stream_encryption("plain", DeliveryStreamName="diff-2")
    firehose.delete_delivery_stream("plain", DeliveryStreamName="diff")
    firehose.delete_delivery_stream("none", DeliveryStreamName="none")


def wait(aws, name="diff"):
    state = "DeliveryStreamDescription.DeliveryStreamStatus"
    ask = lambda: aws.firehose.quietly("describe_delivery_stream", DeliveryStreamName=name)  # noqa: E731
    aws.wait_for(ask, lambda answer: answer.at(state) == "ACTIVE")


def records(aws):
    firehose = aws.firehose
    firehose.put_record("plain", DeliveryStreamName="diff", Record={"Data": b"one"})
    firehose.put_record_batch("two", DeliveryStreamName="diff", Records=[{"Data": b"two"}, {"Data": b"three"}])
    firehose.put_record("to none", DeliveryStreamName="none", Record={"Data": b"one"})
    firehose.put_record("too large", DeliveryStreamName="diff", Record={"Data": b"x" * 1_024_001})
    listed = aws.wait_for(lambda: aws.s3.quietly("list_objects_v2", Bucket="diff-delivered", Prefix="in/"), lambda answer: answer.get("Contents"))
    keys = [entry["Key"] for entry in listed.get("Contents", [])]
    bodies = [aws.s3.quietly("get_object", Bucket="diff-delivered", Key=key)["Body"].read().decode() for key in sorted(keys)]
    aws.keep_value("firehose", "Delivered", {"text": "".join(bodies)})


DESCRIBED = "DescribeDeliveryStream plain | DescribeDeliveryStream encrypted | DescribeDeliveryStream encrypted afterwards | "
DESCRIBED += "DescribeDeliveryStream with another prefix"
EARLIER = "DescribeDeliveryStream plain | DescribeDeliveryStream encrypted | DescribeDeliveryStream encrypted afterwards"
EXTENDED = "firehose:ExtendedS3DestinationDescription (both are there; required members and defaults are told)"

TABLE = [
    Differs("moto ministack", "CreateBucket for deliveries", "BucketArn", "see services/s3.py", "s3:CreateBucket"),
    Differs("moto", "CreateRole for deliveries", "Role.RoleLastUsed", "see services/iam.py", "iam:RoleLastUsed"),
    Differs("ministack", "CreateRole for deliveries", "Role.Description", "only where it has one", "iam:Role"),
    Differs("moto ministack", DESCRIBED, "*.CloudWatchLoggingOptions.Enabled", "off unless asked for, and told", EXTENDED),
    Differs(
        "moto", DESCRIBED, "*.ExtendedS3*.CompressionFormat | *.ExtendedS3*.EncryptionConfiguration.NoEncryptionConfig | *.S3BackupMode",
        "told", EXTENDED,
    ),
    Differs("moto", DESCRIBED, "*[0].S3DestinationDescription.*", "complete, as the other one", EXTENDED),
    Differs("ministack", DESCRIBED, "*[0].S3DestinationDescription.*", "told beside the other one", EXTENDED),
    Differs("ministack", DESCRIBED, "*.ErrorOutputPrefix", "only where there is one", EXTENDED),
    Differs("ministack", EARLIER, "*.ExtendedS3DestinationDescription.Prefix", "only where there is one", EXTENDED),
    Differs(
        "moto ministack", "DescribeDeliveryStream plain | DescribeDeliveryStream encrypted", "*.LastUpdateTimestamp",
        "only after an update", "firehose:DeliveryStreamDescription, LastUpdateTimestamp",
    ),
    Differs(
        "moto ministack", "DescribeDeliveryStream encrypted afterwards", "*.LastUpdateTimestamp",
        "UpdateDestination updates a stream; what else does is not said", "firehose:DeliveryStreamDescription, LastUpdateTimestamp",
    ),
    Differs("moto ministack", "DescribeDeliveryStream plain", "*.Status", "DISABLED where it is", "firehose:DeliveryStreamEncryptionConfiguration"),
    Differs("moto", "DescribeDeliveryStream encrypted", "*.Status", "ENABLED where it is", "firehose:DeliveryStreamEncryptionConfiguration"),
    Differs("ministack", "DescribeDeliveryStream encrypted", "*.DestinationId", "counted within the stream", "firehose:DestinationDescription"),
    Differs("moto ministack", "PutRecord plain | PutRecordBatch two", "Encrypted", "the stream is", "firehose:PutRecord, Encrypted"),
    Differs("moto", "PutRecord too large", "outcome", "1,000 KiB at most", "firehose:Record, Data"),
    Differs("ministack", "PutRecord too large", "Error.Code", "a member that is too long", "Firehose API Reference: Common Errors, ValidationError"),
    Differs(
        "moto ministack", "StartDeliveryStreamEncryption with a customer's key that is not named", "outcome", "KeyARN is required then",
        "firehose:DeliveryStreamEncryptionConfigurationInput, KeyARN",
    ),
    Differs("ministack", "CreateDeliveryStream without a destination", "outcome", "one destination exactly", "firehose:CreateDeliveryStream"),
]
