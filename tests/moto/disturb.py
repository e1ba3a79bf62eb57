"""Undoes what Everseal did, or makes something for it to do.

disturb.py queues N            makes N queues without encryption
disturb.py undo SECONDS SEED   undoes settings of the manifest on stdin at random; prints how many
"""

import json
import random
import sys
import time

from accounts import client


# A setting is put back to what it was, or to a value that it never had. The two differ for Everseal: AWS may show a
# value from before a write for a minute after it, so a setting that is put back counts as such a reading at first.


def bucket_encryption(entry, back):
    if back:
        entry_client(entry).delete_bucket_encryption(Bucket=entry["name"])
    else:
        other = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": OTHER_KEY}
        rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": other}]}
        entry_client(entry).put_bucket_encryption(Bucket=entry["name"], ServerSideEncryptionConfiguration=rules)


def bucket_policy(entry, back):
    document = entry.get("document")
    if not back:
        document = weakened(document, [f"arn:aws:s3:::{entry['name']}/*"], "s3:GetObject")
    if document:
        entry_client(entry).put_bucket_policy(Bucket=entry["name"], Policy=json.dumps(document))
    else:
        entry_client(entry).delete_bucket_policy(Bucket=entry["name"])


def queue_encryption(entry, back):
    set_queue(entry, {"KmsMasterKeyId": "", "SqsManagedSseEnabled": "false"} if back else {"KmsMasterKeyId": OTHER_KEY})


def queue_policy(entry, back):
    document = entry.get("document") if back else weakened(entry.get("document"), entry["arn"], "sqs:SendMessage")
    set_queue(entry, {"Policy": json.dumps(document) if document else ""})


def set_queue(entry, attributes):
    sqs = entry_client(entry)
    sqs.set_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=entry["name"])["QueueUrl"], Attributes=attributes)


def topic_encryption(entry, back):
    value = "" if back else OTHER_KEY
    entry_client(entry).set_topic_attributes(TopicArn=entry["arn"], AttributeName="KmsMasterKeyId", AttributeValue=value)


def topic_policy(entry, back):
    document = entry["document"] if back else weakened(entry["document"], entry["arn"], "sns:Subscribe")
    entry_client(entry).set_topic_attributes(TopicArn=entry["arn"], AttributeName="Policy", AttributeValue=json.dumps(document))


def weakened(document, resource, action):
    """The document with a statement under Everseal's Sid that denies less than it should."""
    ours = {"Sid": "EversealDenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}
    ours["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    document = document or {"Version": "2012-10-17", "Statement": []}
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return {**document, "Statement": [*statements, ours]}


def data_stream_encryption(entry, back):
    kinesis = entry_client(entry)
    said = kinesis.describe_stream_summary(StreamName=entry["name"])["StreamDescriptionSummary"]
    if not back:
        kinesis.start_stream_encryption(StreamARN=entry["arn"], EncryptionType="KMS", KeyId=OTHER_KEY)
    elif said["EncryptionType"] == "KMS":
        kinesis.stop_stream_encryption(StreamARN=entry["arn"], EncryptionType="KMS", KeyId=said["KeyId"])


def delivery_stream_encryption(entry, back):
    firehose = entry_client(entry)
    said = firehose.describe_delivery_stream(DeliveryStreamName=entry["name"])["DeliveryStreamDescription"]
    if said.get("DeliveryStreamEncryptionConfiguration", {}).get("Status") == "ENABLED":
        firehose.stop_delivery_stream_encryption(DeliveryStreamName=entry["name"])


def entry_client(entry):
    return client(entry["service"], entry["region"], entry["account"])


OTHER_KEY = "alias/aws/ssm"
WAYS = {
    "s3-encryption": bucket_encryption,
    "s3-secure-transport": bucket_policy,
    "sqs-encryption": queue_encryption,
    "sqs-secure-transport": queue_policy,
    "sns-encryption": topic_encryption,
    "sns-secure-transport": topic_policy,
    "kinesis-encryption": data_stream_encryption,
    "firehose-encryption": delivery_stream_encryption,
}
# AWS allows 25 changes of a delivery stream's encryption a day, and Everseal keeps count.
AT_MOST = {"firehose-encryption": 5}


def undo(seconds, seed):
    chance = random.Random(seed)
    resources = [entry for entry in json.load(sys.stdin)["resources"] if not entry.get("keeps_encryption") and not entry.get("untouched")]
    # A stream that is fed by another has no encryption of its own; standard resources may be better protected than asked.
    resources = [entry for entry in resources if "source" not in entry and entry["name"].startswith("fin-")]
    targets = [(entry, check) for entry in resources for check, what in entry["expect"].items() if what == "met" and check in WAYS]
    done, used = 0, {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        entry, check = chance.choice(targets)
        used[check, entry["arn"]] = used.get((check, entry["arn"]), 0) + 1
        if used[check, entry["arn"]] <= AT_MOST.get(check, 1000):
            WAYS[check](entry, back=chance.random() < 0.5)
            done += 1
        time.sleep(chance.uniform(0.05, 0.5))
    return done


def queues(count):
    sqs = client("sqs")
    for number in range(count):
        sqs.create_queue(QueueName=f"queue-{number}", Attributes={"SqsManagedSseEnabled": "false"})
    return count


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "queues":
        print(queues(int(arguments[0])))
    elif what == "undo":
        print(undo(float(arguments[0]), arguments[1]))
    else:
        sys.exit(__doc__)
