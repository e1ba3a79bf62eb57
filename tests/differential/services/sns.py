"""Topics: attributes, documents, subscriptions, and what reaches a queue."""

import json

from compare import Differs

TOPIC = "arn:aws:sns:us-east-1:123456789012:diff-topic"
DENY = {
    "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": TOPIC,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def scenario(aws):
    topics(aws)
    subscriptions(aws)
    publishing(aws)
    ends(aws)


def topics(aws):
    sns = aws.sns
    sns.list_topics("of an empty account")
    sns.create_topic("plain", Name="diff-topic")
    sns.create_topic("again", Name="diff-topic")
    sns.create_topic("with a key", Name="diff-sealed", Attributes={"KmsMasterKeyId": "alias/aws/sns"})
    sns.list_topics("two")
    sns.get_topic_attributes("plain", TopicArn=TOPIC)
    sns.get_topic_attributes("with a key", TopicArn=TOPIC.replace("topic", "sealed"))
    sns.get_topic_attributes("of none", TopicArn=TOPIC + "s")
    sns.get_topic_attributes("of a bad ARN", TopicArn="diff-topic")
    sns.set_topic_attributes("a key", TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    sns.get_topic_attributes("after a key", TopicArn=TOPIC)
    sns.set_topic_attributes("no key", TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue="")
    sns.get_topic_attributes("after no key", TopicArn=TOPIC)
    sns.set_topic_attributes("of none", TopicArn=TOPIC + "s", AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    sns.set_topic_attributes("unknown", TopicArn=TOPIC, AttributeName="Colour", AttributeValue="red")
    sns.set_topic_attributes("document that is no JSON", TopicArn=TOPIC, AttributeName="Policy", AttributeValue="{")
    wide = json.dumps({"Version": "2012-10-17", "Id": "wide", "Statement": [{**DENY, "Action": "sns:*"}]})
    sns.set_topic_attributes("document with every action", TopicArn=TOPIC, AttributeName="Policy", AttributeValue=wide)
    sns.set_topic_attributes("display name", TopicArn=TOPIC, AttributeName="DisplayName", AttributeValue="Orders")
    sns.list_tags_for_resource("without tags", ResourceArn=TOPIC)
    sns.tag_resource("plain", ResourceArn=TOPIC, Tags=[{"Key": "a", "Value": "1"}])
    sns.list_tags_for_resource("with tags", ResourceArn=TOPIC)
    sns.untag_resource("plain", ResourceArn=TOPIC, TagKeys=["a"])
    sns.list_tags_for_resource("of none", ResourceArn=TOPIC + "s")
    sns.create_topic("with a bad name", Name="a b")
    sns.create_topic("fifo", Name="diff.fifo", Attributes={"FifoTopic": "true"})
    sns.get_topic_attributes("of fifo", TopicArn=TOPIC.replace("diff-topic", "diff.fifo"))


def subscriptions(aws):
    sns, sqs = aws.sns, aws.sqs
    queue = sqs.create_queue("subscribed", QueueName="diff-subscribed").at("QueueUrl")
    target = "arn:aws:sqs:us-east-1:123456789012:diff-subscribed"
    let = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": target}
    sqs.set_queue_attributes(
        "subscribed", QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [let]})}
    )
    sns.list_subscriptions("none")
    arn = sns.subscribe("queue", TopicArn=TOPIC, Protocol="sqs", Endpoint=target).at("SubscriptionArn")
    sns.subscribe("queue again", TopicArn=TOPIC, Protocol="sqs", Endpoint=target)
    sns.subscribe("to no topic", TopicArn=TOPIC + "s", Protocol="sqs", Endpoint=target)
    sns.get_subscription_attributes("queue", SubscriptionArn=arn)
    sns.set_subscription_attributes("raw", SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    sns.set_subscription_attributes("unknown", SubscriptionArn=arn, AttributeName="Colour", AttributeValue="red")
    sns.list_subscriptions("one")
    sns.list_subscriptions_by_topic("one", TopicArn=TOPIC)
    sns.list_subscriptions_by_topic("of none", TopicArn=TOPIC + "s")
    sns.get_subscription_attributes("of none", SubscriptionArn=TOPIC + ":00000000-0000-0000-0000-000000000000")


def publishing(aws):
    sns, sqs = aws.sns, aws.sqs
    queue = sqs.get_queue_url("subscribed", QueueName="diff-subscribed").at("QueueUrl")
    sns.publish("plain", TopicArn=TOPIC, Message="one", MessageAttributes={"kind": {"DataType": "String", "StringValue": "order"}})
    sns.publish("to none", TopicArn=TOPIC + "s", Message="one")
    entries = [{"Id": "a", "Message": "two"}, {"Id": "b", "Message": "three"}]
    sns.publish_batch("two", TopicArn=TOPIC, PublishBatchRequestEntries=entries)
    sns.publish_batch("with an id twice", TopicArn=TOPIC, PublishBatchRequestEntries=[entries[0], entries[0]])
    got = [aws.wait_for(lambda: sqs.quietly("receive_message", QueueUrl=queue), lambda a: a.get("Messages")) for _ in range(3)]
    aws.keep_value("sns", "Delivered raw", {"bodies": sorted(answer.at("Messages.0.Body") for answer in got)})
    arn = sns.list_subscriptions_by_topic("to change", TopicArn=TOPIC).at("Subscriptions.0.SubscriptionArn")
    sns.set_subscription_attributes("wrapped", SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="false")
    sns.publish("wrapped", TopicArn=TOPIC, Message="four", Subject="greeting")
    got = aws.wait_for(lambda: sqs.quietly("receive_message", QueueUrl=queue), lambda a: a.get("Messages"))
    aws.keep_value("sns", "Delivered wrapped", {"body": got.at("Messages.0.Body")})


def ends(aws):
    sns = aws.sns
    arn = sns.list_subscriptions_by_topic("to end", TopicArn=TOPIC).at("Subscriptions.0.SubscriptionArn")
    sns.unsubscribe("queue", SubscriptionArn=arn)
    sns.list_subscriptions("after the end")
    sns.publish("nothing", TopicArn=TOPIC, Message="")
    sns.subscribe("by no protocol", TopicArn=TOPIC, Protocol="pigeon", Endpoint="arn:aws:sqs:us-east-1:123456789012:diff-subscribed")
    sns.delete_topic("plain", TopicArn=TOPIC)
    sns.delete_topic("none", TopicArn=TOPIC + "s")
    sns.get_topic_attributes("after deletion", TopicArn=TOPIC)


ERRORS = "Amazon SNS API Reference: Common Error Types"
STATEMENT = "Attributes.Policy.document.Statement[__default_statement_ID].Action[*"

TABLE = [
    Differs("moto", "*", "Error.message", "errors of the query protocol have Code, Message and Type", ERRORS),
    Differs("moto", "GetTopicAttributes *", "Attributes.DeliveryPolicy", "only where one was set", "sns:GetTopicAttributes"),
    Differs(
        "moto ministack", "GetTopicAttributes *", "Attributes.EffectiveDeliveryPolicy*", "the default is http.defaultHealthyRetryPolicy",
        "SNS Developer Guide: Message delivery retries, Creating an HTTP/S delivery policy",
    ),
    Differs(
        "ministack", "GetTopicAttributes *", STATEMENT, "what a topic's owner may do by default: all that a topic's document may name",
        "sns:GetTopicAttributes, Policy; SNS Developer Guide: API permissions reference",
    ),
    Differs("ministack", "GetTopicAttributes after no key", "Attributes.KmsMasterKeyId", "no key, no attribute", "sns:GetTopicAttributes"),
    Differs("moto", "GetTopicAttributes of a bad ARN", "Error.* | status | RequestId", "InvalidParameter; moto breaks", "sns:GetTopicAttributes, Errors"),
    Differs("ministack", "GetTopicAttributes of a bad ARN", "Error.Code | status", "InvalidParameter", "sns:GetTopicAttributes, Errors"),
    Differs(
        "moto ministack", "SetTopicAttributes unknown | SetTopicAttributes document with every action", "outcome", "InvalidParameter",
        "sns:SetTopicAttributes, Errors; SNS Developer Guide: API permissions reference (a topic's document may name some actions alone)",
    ),
    Differs("moto", "SetTopicAttributes document that is no JSON", "Error.* | status | RequestId", "InvalidParameter; moto breaks", "sns:SetTopicAttributes"),
    Differs("ministack", "SetTopicAttributes document that is no JSON", "outcome", "InvalidParameter", "sns:SetTopicAttributes"),
    Differs("ministack", "ListTagsForResource of none", "Error.Code", "ResourceNotFound", "SNS's model, ResourceNotFoundException"),
    Differs("ministack", "CreateTopic with a bad name", "outcome", "letters, digits, hyphens and underscores", "sns:CreateTopic, Name"),
    Differs("ministack", "SetSubscriptionAttributes unknown", "Error.Code", "InvalidParameter", "SNS's model, InvalidParameterException"),
    Differs("moto", "Delivered wrapped", "body.document.SignatureVersion", "1 unless the topic says 2", "sns:SetTopicAttributes, SignatureVersion"),
    Differs("ministack", "Delivered wrapped", "body.document.UnsubscribeURL", "names the subscription, at SNS", "SNS Developer Guide: message format"),
    Differs("moto ministack", "Publish nothing", "outcome", "a message is not empty", "sns:Publish, Message"),
    Differs("moto ministack", "Subscribe by no protocol", "outcome", "InvalidParameter", "sns:Subscribe, Protocol"),
]
