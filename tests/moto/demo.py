"""Seeds the finance pipeline of tests/demo: orders arrive, are queued, announced, delivered and kept."""

import json

from accounts import MAIN, client

s3, sqs, sns, firehose, rds = (client(service) for service in ("s3", "sqs", "sns", "firehose", "rds"))
INGEST = f"arn:aws:iam::{MAIN}:role/ingest"


def allow(sid, principal, action, resource, **condition):
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


for name in ("finance-orders", "finance-archive", "finance-site"):
    s3.create_bucket(Bucket=name)
reader = allow("Settlement", {"AWS": f"arn:aws:iam::{MAIN}:role/settlement"}, "s3:GetObject", "arn:aws:s3:::finance-archive/*")
s3.put_bucket_policy(Bucket="finance-archive", Policy=document(reader))
s3.put_bucket_website(Bucket="finance-site", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})

plain = {"SqsManagedSseEnabled": "false"}
arrived = f"arn:aws:sqs:us-east-1:{MAIN}:orders-arrived"
from_bucket = allow(
    "Notifications", {"Service": "s3.amazonaws.com"}, "sqs:SendMessage", arrived,
    ArnLike={"aws:SourceArn": "arn:aws:s3:::finance-orders"}, StringEquals={"aws:SourceAccount": MAIN},
)
sqs.create_queue(QueueName="orders-arrived", Attributes={**plain, "Policy": document(from_bucket)})
scheduled = f"arn:aws:sqs:us-east-1:{MAIN}:end-of-day"
from_rule = allow("Schedule", {"Service": "events.amazonaws.com"}, "sqs:SendMessage", scheduled)
sqs.create_queue(QueueName="end-of-day", Attributes={**plain, "Policy": document(from_rule)})
s3.put_bucket_notification_configuration(
    Bucket="finance-orders",
    NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arrived, "Events": ["s3:ObjectCreated:*"]}]},
)

topic = sns.create_topic(Name="settlements")["TopicArn"]
sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://billing.example.com/hook")

destination = {"RoleARN": INGEST, "BucketARN": "arn:aws:s3:::finance-archive", "CompressionFormat": "UNCOMPRESSED"}
firehose.create_delivery_stream(DeliveryStreamName="trades", DeliveryStreamType="DirectPut", ExtendedS3DestinationConfiguration=destination)

rds.create_db_parameter_group(DBParameterGroupName="ledger", DBParameterGroupFamily="postgres14", Description="ledger")
rds.modify_db_parameter_group(
    DBParameterGroupName="ledger",
    Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}],
)
rds.create_db_instance(
    DBInstanceIdentifier="ledger", Engine="postgres", EngineVersion="14.9", DBInstanceClass="db.t3.medium", AllocatedStorage=20,
    MasterUsername="owner", MasterUserPassword="not-a-secret", DBParameterGroupName="ledger",
)
