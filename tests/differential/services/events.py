"""EventBridge: buses, rules, targets, and what reaches a queue."""

import json

from compare import Differs

QUEUE = "arn:aws:sqs:us-east-1:123456789012:diff-events"


def scenario(aws):
    events = aws.events
    events.list_event_buses("at first")
    events.create_event_bus("plain", Name="diff")
    events.create_event_bus("again", Name="diff")
    events.list_event_buses("two")
    events.describe_event_bus("default")
    events.describe_event_bus("of none", Name="none")
    events.list_rules("at first")
    pattern = json.dumps({"source": ["diff"]})
    events.put_rule("plain", Name="diff", EventPattern=pattern, Description="diff")
    events.put_rule("on a schedule", Name="diff-hourly", ScheduleExpression="rate(1 hour)", State="DISABLED")
    events.put_rule("on a bus", Name="diff", EventBusName="diff", EventPattern=pattern)
    events.put_rule("with a bad pattern", Name="bad", EventPattern="{")
    events.put_rule("on no bus", Name="bad", EventBusName="none", EventPattern=pattern)
    events.list_rules("of the default bus")
    events.list_rules("by prefix", NamePrefix="diff-")
    events.list_rules("of a bus", EventBusName="diff")
    events.list_rules("of none", EventBusName="none")
    events.describe_rule("plain", Name="diff")
    events.describe_rule("none", Name="none")
    targets(aws)
    events.disable_rule("plain", Name="diff")
    events.describe_rule("disabled", Name="diff")
    events.enable_rule("plain", Name="diff")
    events.delete_rule("with targets", Name="diff")
    events.remove_targets("plain", Rule="diff", Ids=["queue"])
    events.delete_rule("plain", Name="diff")
    events.put_rule("with neither", Name="bad")
    events.delete_event_bus("default", Name="default")
    events.delete_rule("on a bus", Name="diff", EventBusName="diff")
    events.delete_event_bus("plain", Name="diff")


def targets(aws):
    events, sqs = aws.events, aws.sqs
    queue = sqs.create_queue("for events", QueueName="diff-events").at("QueueUrl")
    let = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": QUEUE}
    sqs.set_queue_attributes("for events", QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [let]})})
    events.list_targets_by_rule("at first", Rule="diff")
    events.put_targets("plain", Rule="diff", Targets=[{"Id": "queue", "Arn": QUEUE}])
    events.put_targets("of no rule", Rule="none", Targets=[{"Id": "queue", "Arn": QUEUE}])
    events.list_targets_by_rule("one", Rule="diff")
    events.list_targets_by_rule("of none", Rule="none")
    events.list_rule_names_by_target("one", TargetArn=QUEUE)
    entry = {"Source": "diff", "DetailType": "order", "Detail": json.dumps({"number": 1})}
    events.put_events("one of two matches", Entries=[entry, {**entry, "Source": "other"}])
    events.put_events("with a bad detail", Entries=[{**entry, "Detail": "{"}])
    got = aws.wait_for(lambda: sqs.quietly("receive_message", QueueUrl=queue), lambda answer: answer.get("Messages"))
    aws.keep_value("events", "Delivered", {"body": got.at("Messages.0.Body")})


TABLE = [
    Differs("moto", "ListEventBuses *", "*.CreationTime | *.LastModifiedTime", "told", "events:EventBus"),
    Differs("ministack", "ListEventBuses *", "*.Description", "only where there is one", "events:EventBus"),
    Differs("ministack", "DescribeEventBus default", "Description", "only where there is one", "events:DescribeEventBus"),
    Differs("ministack", "PutRule with neither", "outcome", "EventPattern or ScheduleExpression", "events:PutRule"),
    Differs("ministack", "ListRules of none | ListTargetsByRule of none", "outcome", "ResourceNotFoundException", "events:ListRules, Errors"),
    Differs("ministack", "PutEvents with a bad detail", "Entries* | FailedEntryCount", "MalformedDetail", "EventBridge User Guide: PutEvents failures"),
    Differs("moto", "Delivered", "body.document.account", "the account of the event's source", "EventBridge User Guide: Event structure reference"),
    Differs("ministack", "DeleteRule with targets", "outcome", "targets first", "events:DeleteRule"),
]
