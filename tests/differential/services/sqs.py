"""Queues: attributes, documents, encryption, messages, dead letters."""

import json

from compare import Differs, Lacks

def deny(name):
    """What Everseal writes."""
    statement = {
        "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": f"arn:aws:sqs:us-east-1:123456789012:{name}",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


READ = {
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "Read", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:root"}, "Action": "sqs:ReceiveMessage",
        "Resource": "arn:aws:sqs:us-east-1:123456789012:plain",
    }],
}
ALIAS = "alias/aws/sqs"


def scenario(aws):
    queues(aws)
    encryption(aws)
    messages(aws)
    dead_letters(aws)


def queues(aws):
    sqs = aws.sqs
    sqs.list_queues("of an empty account")
    queue = sqs.create_queue("plain", QueueName="plain").at("QueueUrl")
    sqs.create_queue("again", QueueName="plain")
    sqs.create_queue("again with other attributes", QueueName="plain", Attributes={"VisibilityTimeout": "31"})
    sqs.create_queue("fifo", QueueName="ordered.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
    sqs.create_queue("with tags", QueueName="tagged", tags={"classification": "confidential"})
    sqs.get_queue_url("of plain", QueueName="plain")
    sqs.get_queue_url("of none", QueueName="none")
    sqs.list_queues("all")
    sqs.list_queues("by prefix", QueueNamePrefix="pl")
    first = sqs.list_queues("first page", MaxResults=1)
    sqs.list_queues("second page", MaxResults=1, NextToken=first.at("NextToken"))
    sqs.list_queue_tags("of plain", QueueUrl=queue)
    sqs.tag_queue("plain", QueueUrl=queue, Tags={"a": "1", "b": "2"})
    sqs.untag_queue("plain", QueueUrl=queue, TagKeys=["a"])
    sqs.list_queue_tags("of plain, tagged", QueueUrl=queue)
    sqs.get_queue_attributes("none asked", QueueUrl=queue)
    sqs.get_queue_attributes("all of plain", QueueUrl=queue, AttributeNames=["All"])
    sqs.get_queue_attributes("two", QueueUrl=queue, AttributeNames=["QueueArn", "VisibilityTimeout"])
    sqs.get_queue_attributes("unknown name", QueueUrl=queue, AttributeNames=["Colour"])
    sqs.get_queue_attributes("of a missing queue", QueueUrl=queue.replace("plain", "none"), AttributeNames=["All"])
    sqs.set_queue_attributes("of a missing queue", QueueUrl=queue.replace("plain", "none"), Attributes={"DelaySeconds": "0"})
    sqs.set_queue_attributes("document", QueueUrl=queue, Attributes={"Policy": json.dumps(READ)})
    sqs.get_queue_attributes("with a document", QueueUrl=queue, AttributeNames=["Policy"])
    sqs.set_queue_attributes("visibility out of range", QueueUrl=queue, Attributes={"VisibilityTimeout": "43201"})
    sqs.set_queue_attributes("unknown attribute", QueueUrl=queue, Attributes={"Colour": "red"})
    sqs.set_queue_attributes("fifo afterwards", QueueUrl=queue, Attributes={"FifoQueue": "true"})
    sqs.set_queue_attributes("visibility", QueueUrl=queue, Attributes={"VisibilityTimeout": "60"})
    sqs.get_queue_attributes("document after another write", QueueUrl=queue, AttributeNames=["Policy", "VisibilityTimeout"])
    sqs.set_queue_attributes("document that is no JSON", QueueUrl=queue, Attributes={"Policy": "{"})
    sqs.set_queue_attributes("no document", QueueUrl=queue, Attributes={"Policy": ""})
    sqs.get_queue_attributes("without a document", QueueUrl=queue, AttributeNames=["Policy"])
    sqs.get_queue_attributes("all of fifo", QueueUrl=queue.replace("plain", "ordered.fifo"), AttributeNames=["All"])
    sqs.delete_queue("tagged", QueueUrl=queue.replace("plain", "tagged"))
    sqs.delete_queue("of a missing queue", QueueUrl=queue.replace("plain", "none"))
    sqs.create_queue("with a name too long", QueueName="q" * 81)
    sqs.create_queue("with a bad name", QueueName="a b")
    sqs.create_queue("fifo without the suffix", QueueName="fifo", Attributes={"FifoQueue": "true"})
    sqs.create_queue("of an unknown attribute", QueueName="other", Attributes={"Colour": "red"})
    sealed = sqs.create_queue("that denies plain HTTP", QueueName="tls", Attributes={"Policy": json.dumps(deny("tls"))}).at("QueueUrl")
    sqs.get_queue_attributes("over plain HTTP where that is denied", QueueUrl=sealed, AttributeNames=["QueueArn"])


def encryption(aws):
    sqs = aws.sqs
    names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]
    queue = sqs.create_queue("without encryption", QueueName="sealed", Attributes={"SqsManagedSseEnabled": "false"}).at("QueueUrl")
    sqs.get_queue_attributes("without encryption", QueueUrl=queue, AttributeNames=names)
    sqs.set_queue_attributes("SSE-SQS", QueueUrl=queue, Attributes={"SqsManagedSseEnabled": "true"})
    sqs.get_queue_attributes("SSE-SQS", QueueUrl=queue, AttributeNames=names)
    sqs.set_queue_attributes("SSE-KMS", QueueUrl=queue, Attributes={"KmsMasterKeyId": ALIAS, "KmsDataKeyReusePeriodSeconds": "600"})
    sqs.get_queue_attributes("SSE-KMS", QueueUrl=queue, AttributeNames=names)
    sqs.set_queue_attributes("reuse period too short", QueueUrl=queue, Attributes={"KmsDataKeyReusePeriodSeconds": "59"})
    both = {"KmsMasterKeyId": ALIAS, "SqsManagedSseEnabled": "true"}
    sqs.set_queue_attributes("both kinds at once", QueueUrl=queue, Attributes=both)
    sqs.set_queue_attributes("no SSE-KMS", QueueUrl=queue, Attributes={"KmsMasterKeyId": ""})
    sqs.get_queue_attributes("no SSE-KMS", QueueUrl=queue, AttributeNames=names)


def messages(aws):
    sqs = aws.sqs
    queue = sqs.create_queue("for messages", QueueName="messages", Attributes={"VisibilityTimeout": "43200"}).at("QueueUrl")
    sqs.send_message("plain", QueueUrl=queue, MessageBody="one")
    attributes = {"kind": {"DataType": "String", "StringValue": "order"}}
    sqs.send_message("with attributes", QueueUrl=queue, MessageBody="two", MessageAttributes=attributes)
    sqs.send_message("to a missing queue", QueueUrl=queue.replace("messages", "none"), MessageBody="one")
    sqs.send_message("with a bad delay", QueueUrl=queue, MessageBody="one", DelaySeconds=901)
    sqs.send_message_batch("batch", QueueUrl=queue, Entries=[{"Id": "a", "MessageBody": "three"}, {"Id": "b", "MessageBody": "four"}])
    twice = [{"Id": "a", "MessageBody": "x"}, {"Id": "a", "MessageBody": "y"}]
    sqs.send_message_batch("with an id twice", QueueUrl=queue, Entries=twice)
    sqs.send_message_batch("of nothing", QueueUrl=queue, Entries=[])
    sqs.send_message_batch("of eleven", QueueUrl=queue, Entries=[{"Id": str(n), "MessageBody": "x"} for n in range(11)])
    sqs.get_queue_attributes("depth", QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    sqs.receive_message("eleven", QueueUrl=queue, MaxNumberOfMessages=11)
    answer = sqs.receive_message("one", QueueUrl=queue, MessageAttributeNames=["All"], AttributeNames=["All"])
    handle = answer.at("Messages.0.ReceiptHandle")
    sqs.change_message_visibility("too long", QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=43201)
    sqs.change_message_visibility("of one", QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=3600)
    sqs.delete_message("one", QueueUrl=queue, ReceiptHandle=handle)
    sqs.delete_message("by a bad handle", QueueUrl=queue, ReceiptHandle="no-handle")
    got = sqs.receive_message("the rest", QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["kind"])
    entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(got.get("Messages", []))]
    sqs.delete_message_batch("the rest", QueueUrl=queue, Entries=entries)
    sqs.receive_message("nothing", QueueUrl=queue)
    sqs.send_message("empty", QueueUrl=queue, MessageBody="")
    sqs.purge_queue("messages", QueueUrl=queue)
    fifo = queue.replace("messages", "ordered.fifo")
    sqs.send_message("fifo without a group", QueueUrl=fifo, MessageBody="one")
    sqs.send_message("fifo", QueueUrl=fifo, MessageBody="one", MessageGroupId="g")
    sqs.send_message("fifo again", QueueUrl=fifo, MessageBody="one", MessageGroupId="g")
    sqs.receive_message("fifo", QueueUrl=fifo, MaxNumberOfMessages=10, AttributeNames=["All"])


def dead_letters(aws):
    sqs = aws.sqs
    dead = sqs.create_queue("for dead letters", QueueName="dead").at("QueueUrl")
    target = "arn:aws:sqs:us-east-1:123456789012:dead"
    redrive = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 1})
    queue = sqs.create_queue("with dead letters", QueueName="living", Attributes={"VisibilityTimeout": "0", "RedrivePolicy": redrive})
    queue = queue.at("QueueUrl")
    sqs.get_queue_attributes("redrive", QueueUrl=queue, AttributeNames=["RedrivePolicy"])
    sqs.list_dead_letter_source_queues("of dead", QueueUrl=dead)
    missing = json.dumps({"deadLetterTargetArn": target + "er", "maxReceiveCount": 1})
    sqs.set_queue_attributes("redrive to a missing queue", QueueUrl=queue, Attributes={"RedrivePolicy": missing})
    sqs.set_queue_attributes("redrive that is no JSON", QueueUrl=queue, Attributes={"RedrivePolicy": "{"})
    sqs.send_message("that dies", QueueUrl=queue, MessageBody="dies")
    sqs.receive_message("once", QueueUrl=queue)
    sqs.receive_message("twice", QueueUrl=queue)
    sqs.receive_message("of the dead", QueueUrl=dead, AttributeNames=["ApproximateReceiveCount", "DeadLetterQueueSourceArn"])


ATTRIBUTES = "sqs:SetQueueAttributes, Attributes"
ERRORS = "Amazon SQS API Reference: Common Error Types; AWS query-compatible errors (x-amzn-query-error) of the SDK model"
QUERY_ERROR = "Error.QueryErrorCode"

TABLE = [
    Differs("ministack", "ListQueues of an empty account", "QueueUrls", "members without a value are left out, not empty", "sqs:ListQueues"),
    Differs("moto ministack", "ListQueueTags of plain", "Tags", "as above", "sqs:ListQueueTags"),
    Differs("moto ministack", "SendMessageBatch batch | DeleteMessageBatch the rest", "Failed", "as above", "sqs:SendMessageBatch"),
    Differs(
        "moto ministack", "ListQueues first page | ListQueues second page", "QueueUrls[*", "in the order of making; the order is not documented",
        "sqs:ListQueues",
    ),
    Differs("moto", "GetQueueAttributes all of *", "Attributes.*Timestamp", "epoch time in whole seconds", "sqs:GetQueueAttributes"),
    Differs(
        "moto ministack", "GetQueueAttributes all of *", "Attributes.SqsManagedSseEnabled",
        "a queue made over plain HTTP is not encrypted, and says so", "SQS Developer Guide: Configuring SSE for a queue using SQS-managed keys",
    ),
    Differs("ministack", "GetQueueAttributes none asked", "Attributes.*", "no names, no attributes", "sqs:GetQueueAttributes, AttributeNames"),
    Differs("ministack", "GetQueueAttributes unknown name", "outcome", "InvalidAttributeName", "sqs:GetQueueAttributes, Errors"),
    Differs(
        "ministack", "GetQueueAttributes all of fifo", "Attributes.DeduplicationScope | Attributes.FifoThroughputLimit",
        "a FIFO queue has both, with their defaults", "sqs:GetQueueAttributes",
    ),
    Differs(
        "moto ministack", "GetQueueAttributes over plain HTTP where that is denied", "outcome", "neither enforces queue documents",
        "SQS Developer Guide: Security best practices, aws:SecureTransport",
    ),
    Differs(
        "ministack", "CreateQueue with a name too long | CreateQueue with a bad name", "outcome",
        "up to 80 letters, digits, hyphens and underscores", "sqs:CreateQueue, QueueName",
    ),
    Differs("moto ministack", "CreateQueue of an unknown attribute", "outcome", "InvalidAttributeName", "sqs:CreateQueue, Errors"),
    Differs(
        "moto", "CreateQueue with a * | CreateQueue fifo without the suffix | SendMessage with a bad delay | ReceiveMessage eleven | "
        "ChangeMessageVisibility too long", QUERY_ERROR, "the shape is InvalidParameterValueException, its older code without Exception", ERRORS,
    ),
    Differs("ministack", "CreateQueue fifo without the suffix | ReceiveMessage eleven", QUERY_ERROR, "as above", ERRORS),
    Differs(
        "ministack", "SendMessage empty | SendMessage fifo without a group", QUERY_ERROR,
        "the shape is MissingRequiredParameterException, its older code MissingParameter", ERRORS,
    ),
    Differs("moto", "SetQueueAttributes document that is no JSON", "Error.* | status | RequestId", "InvalidAttributeValue; moto breaks", ATTRIBUTES),
    Differs("ministack", "SetQueueAttributes document that is no JSON", "outcome", "InvalidAttributeValue", ATTRIBUTES),
    Differs("moto", "SetQueueAttributes visibility out of range", "outcome", "0 to 43,200", ATTRIBUTES),
    Differs("moto ministack", "SetQueueAttributes unknown attribute", "outcome", "InvalidAttributeName", "sqs:SetQueueAttributes, Errors"),
    Differs("moto ministack", "SetQueueAttributes fifo afterwards", "outcome", "a standard queue stays one", "sqs:CreateQueue, FifoQueue"),
    Differs("ministack", "GetQueueAttributes SSE-KMS", "Attributes.SqsManagedSseEnabled", "one kind of encryption at a time", ATTRIBUTES),
    Differs("moto", "SetQueueAttributes reuse period too short", "outcome", "60 to 86,400", ATTRIBUTES),
    Differs("moto ministack", "SetQueueAttributes both kinds at once", "outcome", "one kind of encryption at a time", ATTRIBUTES),
    Differs(
        "ministack", "GetQueueAttributes no SSE-KMS", "Attributes.*", "SSE-KMS leaves nothing behind, and does not turn SSE-SQS on",
        "SQS Developer Guide: Configuring SSE for a queue using SQS-managed keys",
    ),
    Differs("moto", "SendMessage empty", "outcome", "a body has one character at least", "sqs:SendMessage, MessageBody"),
    Differs("ministack", "SendMessage with a bad delay", "outcome", "0 to 900", "sqs:SendMessage, DelaySeconds"),
    Differs("ministack", "ReceiveMessage one | ReceiveMessage fifo", "*.SenderId", "the sender's id, not its account", "sqs:ReceiveMessage"),
    Differs("ministack", "ChangeMessageVisibility too long", "outcome", "0 to 43,200", "sqs:ChangeMessageVisibility"),
    Differs("moto ministack", "DeleteMessage by a bad handle", "status", "ReceiptHandleIsInvalid is 404", "SQS's model, ReceiptHandleIsInvalid"),
    Differs("moto", "SendMessage fifo* | ReceiveMessage fifo", "*SequenceNumber", "FIFO messages are numbered", "sqs:SendMessage, SequenceNumber"),
    Lacks("ministack", "ListDeadLetterSourceQueues", "answers InvalidAction"),
    Differs(
        "moto ministack", "SetQueueAttributes redrive *", "Error.*", "a bad RedrivePolicy is an InvalidParameterValue with the reason", ERRORS
    ),
    Differs("moto", "SetQueueAttributes redrive that is no JSON", "status | RequestId", "moto breaks", ERRORS),
    Differs("ministack", "GetQueueAttributes without a document", "Attributes", "none there, none given", "sqs:GetQueueAttributes"),
    Differs("moto", "ReceiveMessage of the dead", "*.DeadLetterQueueSourceArn", "given where asked for", "sqs:ReceiveMessage"),
]
