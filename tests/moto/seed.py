"""Builds the estate on the server at EVERSEAL_TEST_ENDPOINT; prints it, key ids filled in, as JSON."""

import json
import sys

import estate
from accounts import MAIN, OTHER, REGIONS, client

LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def key(entry, keys):
    kms = client("kms", entry["region"], entry["account"])
    origin = {"Origin": entry["origin"]} if "origin" in entry else {}
    usage = {"KeySpec": entry["spec"], "KeyUsage": "SIGN_VERIFY"} if "spec" in entry else {"KeyUsage": "ENCRYPT_DECRYPT"}
    made = kms.create_key(Description="seeded", MultiRegion=entry.get("multi_region", False), **origin, **usage)["KeyMetadata"]
    kms.create_alias(AliasName=entry["name"], TargetKeyId=made["KeyId"])
    keys[entry["account"], entry["region"], entry["name"]] = made["Arn"]
    if entry.get("foreign_statement"):
        document = json.loads(kms.get_key_policy(KeyId=made["KeyId"], PolicyName="default")["Policy"])
        document["Statement"].append({
            "Sid": "Auditors",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{MAIN}:role/audit"},
            "Action": ["kms:DescribeKey", "kms:GetKeyPolicy"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:CallerAccount": MAIN}},
        })
        kms.put_key_policy(KeyId=made["KeyId"], PolicyName="default", Policy=json.dumps(document))
        entry["document"] = document
    if entry.get("state") == "Disabled":
        kms.disable_key(KeyId=made["KeyId"])
    if entry.get("state") == "PendingDeletion":
        kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=30)
    return made["Arn"]


def bucket(entry, keys):
    s3 = client("s3", entry["region"], entry["account"])
    name = entry["name"]
    place = {} if entry["region"] == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": entry["region"]}}
    ownership = {"ObjectOwnership": "BucketOwnerPreferred"} if entry.get("log_delivery") else {}
    s3.create_bucket(Bucket=name, **place, **ownership)
    if wanted := entry.get("encryption"):
        default = {"SSEAlgorithm": wanted["algorithm"]}
        if "key" in wanted:
            default["KMSMasterKeyID"] = keys[entry["account"], entry["region"], wanted["key"]]
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]})
    if entry.get("document"):
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(entry["document"]))
    if entry.get("website"):
        s3.put_bucket_website(Bucket=name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    if entry.get("log_delivery"):
        owner = s3.get_bucket_acl(Bucket=name)["Owner"]
        grants = [{"Grantee": {"Type": "Group", "URI": LOG_DELIVERY}, "Permission": permission} for permission in ("WRITE", "READ_ACP")]
        s3.put_bucket_acl(Bucket=name, AccessControlPolicy={"Owner": owner, "Grants": grants})
    return f"arn:aws:s3:::{name}"


def replication(entry):
    s3 = client("s3", entry["region"], entry["account"])
    for name, region in ((entry["name"], entry["region"]), (entry["replicates_to"], "eu-west-1")):
        client("s3", region).put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "to-europe",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{entry['replicates_to']}"},
    }
    s3.put_bucket_replication(Bucket=entry["name"], ReplicationConfiguration={"Role": f"arn:aws:iam::{MAIN}:role/replication", "Rules": [rule]})


def queue(entry, keys):
    sqs = client("sqs", entry["region"], entry["account"])
    attributes = dict(entry["attributes"])
    if entry.get("document"):
        attributes["Policy"] = json.dumps(entry["document"])
    url = sqs.create_queue(QueueName=entry["name"], Attributes=attributes)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def topic(entry, keys):
    sns = client("sns", entry["region"], entry["account"])
    attributes = {"FifoTopic": "true"} if entry.get("fifo") else {}
    if "key" in entry:
        attributes["KmsMasterKeyId"] = entry["key"]
    arn = sns.create_topic(Name=entry["name"], Attributes=attributes)["TopicArn"]
    if entry.get("document"):
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(entry["document"]))
    else:
        entry["document"] = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    for protocol, endpoint in entry.get("subscriptions", []):
        sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)
    return arn


def data_stream(entry, keys):
    kinesis = client("kinesis", entry["region"], entry["account"])
    kinesis.create_stream(StreamName=entry["name"], ShardCount=1)
    arn = kinesis.describe_stream_summary(StreamName=entry["name"])["StreamDescriptionSummary"]["StreamARN"]
    if "key" in entry:
        kinesis.start_stream_encryption(StreamARN=arn, EncryptionType="KMS", KeyId=entry["key"])
    return arn


def delivery_stream(entry, keys):
    firehose = client("firehose", entry["region"], entry["account"])
    role = f"arn:aws:iam::{MAIN}:role/firehose"
    s3 = {"RoleARN": role, "BucketARN": f"arn:aws:s3:::{entry['bucket']}", "CompressionFormat": "GZIP"}
    if "destination_key" in entry:
        s3["EncryptionConfiguration"] = {"KMSEncryptionConfig": {"AWSKMSKeyARN": keys[entry["account"], entry["region"], entry["destination_key"]]}}
    made_of = {"DeliveryStreamType": "DirectPut"}
    if "source" in entry:
        source = {"KinesisStreamARN": estate.arn("kinesis", f"stream/{entry['source']}", entry["region"]), "RoleARN": role}
        made_of = {"DeliveryStreamType": "KinesisStreamAsSource", "KinesisStreamSourceConfiguration": source}
    if "encryption" in entry:
        made_of["DeliveryStreamEncryptionConfigurationInput"] = entry["encryption"]
    return firehose.create_delivery_stream(DeliveryStreamName=entry["name"], ExtendedS3DestinationConfiguration=s3, **made_of)["DeliveryStreamARN"]


def database(entry, keys):
    rds = client("rds", entry["region"], entry["account"])
    name, group = entry["name"], entry.get("group")
    kind = "Cluster" if entry.get("cluster") else ""
    attached = {}
    if group:
        family, values = group
        naming = {f"DB{kind}ParameterGroupName": f"{name}-group"}
        create = rds.create_db_cluster_parameter_group if kind else rds.create_db_parameter_group
        modify = rds.modify_db_cluster_parameter_group if kind else rds.modify_db_parameter_group
        create(**naming, DBParameterGroupFamily=family, Description="seeded")
        modify(**naming, Parameters=[{"ParameterName": n, "ParameterValue": v, "ApplyMethod": "immediate"} for n, v in values.items()])
        attached = naming
    storage = {"StorageEncrypted": "encrypted" in entry}
    if "encrypted" in entry:
        storage["KmsKeyId"] = keys[entry["account"], entry["region"], entry["encrypted"]]
    common = {"Engine": entry["engine"], "EngineVersion": entry["version"], "MasterUsername": "owner", "MasterUserPassword": "not-a-secret"}
    if kind:
        rds.create_db_cluster(DBClusterIdentifier=name, **common, **attached, **storage)
        rds.create_db_instance(DBInstanceIdentifier=f"{name}-1", DBClusterIdentifier=name, DBInstanceClass="db.r6g.large", Engine=entry["engine"])
        return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["DBClusterArn"]
    made = rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.medium", AllocatedStorage=20, **common, **attached, **storage)
    return made["DBInstance"]["DBInstanceArn"]


BUILDERS = {"kms": key, "s3": bucket, "sqs": queue, "sns": topic, "kinesis": data_stream, "firehose": delivery_stream, "rds": database}


def build(entries, skip_services=()):
    keys = {}
    for entry in entries:
        if entry["service"] not in skip_services:
            entry["arn"] = BUILDERS[entry["service"]](entry, keys)
    for entry in entries:
        if entry.get("replicates_to"):
            replication(entry)
    return [entry for entry in entries if "arn" in entry]


if __name__ == "__main__":
    made = build(estate.everything())
    json.dump({"accounts": [MAIN, OTHER], "regions": REGIONS, "resources": made}, sys.stdout, indent=1)
