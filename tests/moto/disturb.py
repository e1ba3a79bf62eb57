"""Undoes what Everseal did, or makes something for it to do.

disturb.py queues N            makes N queues without encryption
disturb.py undo SECONDS SEED   undoes settings of the manifest on stdin at random; prints how many
"""

import json
import random
import sys
import time

from accounts import client


def bucket_encryption(entry):
    entry_client(entry).delete_bucket_encryption(Bucket=entry["name"])


def bucket_policy(entry):
    if entry.get("document"):
        entry_client(entry).put_bucket_policy(Bucket=entry["name"], Policy=json.dumps(entry["document"]))
    else:
        entry_client(entry).delete_bucket_policy(Bucket=entry["name"])


def queue_encryption(entry):
    set_queue(entry, {"KmsMasterKeyId": "", "SqsManagedSseEnabled": "false"})


def queue_policy(entry):
    set_queue(entry, {"Policy": json.dumps(entry["document"]) if entry.get("document") else ""})


def set_queue(entry, attributes):
    sqs = entry_client(entry)
    sqs.set_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=entry["name"])["QueueUrl"], Attributes=attributes)


def topic_encryption(entry):
    entry_client(entry).set_topic_attributes(TopicArn=entry["arn"], AttributeName="KmsMasterKeyId", AttributeValue="")


def topic_policy(entry):
    entry_client(entry).set_topic_attributes(TopicArn=entry["arn"], AttributeName="Policy", AttributeValue=json.dumps(entry["document"]))


def data_stream_encryption(entry):
    kinesis = entry_client(entry)
    said = kinesis.describe_stream_summary(StreamName=entry["name"])["StreamDescriptionSummary"]
    if said["EncryptionType"] == "KMS":
        kinesis.stop_stream_encryption(StreamARN=entry["arn"], EncryptionType="KMS", KeyId=said["KeyId"])


def delivery_stream_encryption(entry):
    entry_client(entry).stop_delivery_stream_encryption(DeliveryStreamName=entry["name"])


def key_state(entry):
    if entry["name"] == "alias/asleep":  # the others are on purpose as they are, or wait to be deleted
        entry_client(entry).disable_key(KeyId=entry["arn"])


def key_rotation(entry):
    entry_client(entry).disable_key_rotation(KeyId=entry["arn"])


def entry_client(entry):
    return client(entry["service"], entry["region"], entry["account"])


WAYS = {
    "s3-encryption": bucket_encryption,
    "s3-secure-transport": bucket_policy,
    "sqs-encryption": queue_encryption,
    "sqs-secure-transport": queue_policy,
    "sns-encryption": topic_encryption,
    "sns-secure-transport": topic_policy,
    "kinesis-encryption": data_stream_encryption,
    "firehose-encryption": delivery_stream_encryption,
    "kms-key-rotation": key_rotation,
    "kms-key-state": key_state,
}
# AWS allows 25 changes of a delivery stream's encryption a day, and Everseal keeps count.
AT_MOST = {"firehose-encryption": 5}


def undo(seconds, seed):
    chance = random.Random(seed)
    targets = [(entry, check) for entry in json.load(sys.stdin)["resources"] for check, what in entry["expect"].items() if what == "met" and check in WAYS]
    done, used = 0, {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        entry, check = chance.choice(targets)
        used[check, entry["arn"]] = used.get((check, entry["arn"]), 0) + 1
        if used[check, entry["arn"]] <= AT_MOST.get(check, 1000):
            WAYS[check](entry)
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
