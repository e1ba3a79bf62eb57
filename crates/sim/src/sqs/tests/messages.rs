use super::*;

fn receive(world: &mut World, name: &str, more: &Value) -> Value {
    let mut input = json!({ "QueueUrl": url(name) });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call(world, "ReceiveMessage", &input).unwrap()
}

#[test]
fn a_message_is_hidden_while_in_flight_and_comes_back() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    send(&mut world, "orders", "one");
    let first = receive(&mut world, "orders", &json!({ "AttributeNames": ["ApproximateReceiveCount"] }));
    assert_eq!(bodies(&first), ["one"]);
    assert_eq!(first["Messages"][0]["Attributes"], json!({ "ApproximateReceiveCount": "1" }));
    assert_eq!(first["Messages"][0]["MD5OfBody"], "f97c5d29941bfb1b2fdab0874906ab82", "md5sum of `one`");
    assert_eq!(receive(&mut world, "orders", &json!({})), json!({}));
    let state = get(&mut world, "orders", &["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]);
    assert_eq!(state, json!({ "ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "1" }));
    wait(&mut world, 30);
    let second = receive(&mut world, "orders", &json!({ "MessageSystemAttributeNames": ["All"] }));
    assert_eq!(second["Messages"][0]["Attributes"]["ApproximateReceiveCount"], "2");
    let handle = |answer: &Value| json!({ "QueueUrl": url("orders"), "ReceiptHandle": answer["Messages"][0]["ReceiptHandle"] });
    call(&mut world, "DeleteMessage", &handle(&first)).unwrap();
    assert_eq!(world.queue_depth(&arn("orders")), 1, "an older handle deletes nothing");
    call(&mut world, "DeleteMessage", &handle(&second)).unwrap();
    assert_eq!(world.queue_depth(&arn("orders")), 0);
    call(&mut world, "DeleteMessage", &handle(&second)).unwrap();
    let wrong = json!({ "QueueUrl": url("orders"), "ReceiptHandle": "nonsense" });
    assert_eq!(refused(&mut world, "DeleteMessage", &wrong), "ReceiptHandleIsInvalid");
}

#[test]
fn visibility_can_be_changed_while_in_flight() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    send(&mut world, "orders", "one");
    let got = receive(&mut world, "orders", &json!({ "VisibilityTimeout": 10 }));
    let change = |seconds: u32| json!({ "QueueUrl": url("orders"), "ReceiptHandle": got["Messages"][0]["ReceiptHandle"], "VisibilityTimeout": seconds });
    call(&mut world, "ChangeMessageVisibility", &change(100)).unwrap();
    wait(&mut world, 99);
    assert_eq!(receive(&mut world, "orders", &json!({})), json!({}));
    call(&mut world, "ChangeMessageVisibility", &change(0)).unwrap();
    assert_eq!(refused(&mut world, "ChangeMessageVisibility", &change(5)), "MessageNotInflight");
    assert_eq!(bodies(&receive(&mut world, "orders", &json!({}))), ["one"]);
}

#[test]
fn messages_grow_too_old() {
    let mut world = world();
    create(&mut world, "orders", &json!({ "MessageRetentionPeriod": "60" }));
    send(&mut world, "orders", "old");
    wait(&mut world, 59);
    send(&mut world, "orders", "young");
    assert_eq!(world.queue_depth(&arn("orders")), 2);
    wait(&mut world, 1);
    assert_eq!(world.queue_bodies(&arn("orders")).len(), 2);
    assert_eq!(world.queue_depth(&arn("orders")), 1);
    assert_eq!(world.queue_counts(&arn("orders")).expired, 1);
    set(&mut world, "orders", &json!({ "MessageRetentionPeriod": "3600" })).unwrap();
    wait(&mut world, 3500);
    assert_eq!(world.queue_depth(&arn("orders")), 1);
}

#[test]
fn what_is_received_too_often_goes_to_the_dead_letter_queue_and_keeps_its_age() {
    let mut world = world();
    create(&mut world, "dead", &json!({}));
    let redrive = json!({ "deadLetterTargetArn": arn("dead"), "maxReceiveCount": 2 }).to_string();
    create(&mut world, "orders", &json!({ "RedrivePolicy": redrive, "VisibilityTimeout": "1" }));
    send(&mut world, "orders", "poison");
    let sent = world.now();
    for _ in 0..2 {
        assert_eq!(bodies(&receive(&mut world, "orders", &json!({}))), ["poison"]);
        wait(&mut world, 1);
    }
    assert_eq!(receive(&mut world, "orders", &json!({})), json!({}));
    assert_eq!((world.queue_depth(&arn("orders")), world.queue_depth(&arn("dead"))), (0, 1));
    let dead =
        receive(&mut world, "dead", &json!({ "AttributeNames": ["SentTimestamp", "DeadLetterQueueSourceArn", "ApproximateReceiveCount"] }));
    let expected =
        json!({ "SentTimestamp": sent.0.to_string(), "DeadLetterQueueSourceArn": arn("orders"), "ApproximateReceiveCount": "3" });
    assert_eq!(dead["Messages"][0]["Attributes"], expected);
    assert_eq!(world.tally.hops()[&(arn("orders"), arn("dead"))].delivered, 1);
}

#[test]
fn a_delay_hides_what_is_new() {
    let mut world = world();
    create(&mut world, "orders", &json!({ "DelaySeconds": "5" }));
    send(&mut world, "orders", "later");
    assert_eq!(get(&mut world, "orders", &["ApproximateNumberOfMessagesDelayed"]), json!({ "ApproximateNumberOfMessagesDelayed": "1" }));
    call(&mut world, "SendMessage", &json!({ "QueueUrl": url("orders"), "MessageBody": "now", "DelaySeconds": 0 })).unwrap();
    assert_eq!(bodies(&receive(&mut world, "orders", &json!({ "MaxNumberOfMessages": 10 }))), ["now"]);
    wait(&mut world, 5);
    assert_eq!(bodies(&receive(&mut world, "orders", &json!({}))), ["later"]);
}

#[test]
fn attributes_travel_with_the_digest_that_the_guide_describes() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    let attributes = json!({ "kind": { "DataType": "String", "StringValue": "sale" } });
    let input = json!({ "QueueUrl": url("orders"), "MessageBody": "x", "MessageAttributes": attributes });
    let sent = call(&mut world, "SendMessage", &input).unwrap();
    // printf '\0\0\0\4kind\0\0\0\6String\1\0\0\0\4sale' | md5sum
    assert_eq!(sent["MD5OfMessageAttributes"], "789437b9b33350db236e89bbd776ca82");
    let got = receive(&mut world, "orders", &json!({ "MessageAttributeNames": ["ki.*", "All"] }));
    assert_eq!(got["Messages"][0]["MessageAttributes"], attributes);
    assert_eq!(got["Messages"][0]["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
}

#[test]
fn messages_are_checked() {
    let mut world = world();
    create(&mut world, "orders", &json!({ "MaximumMessageSize": "1024" }));
    let message = |body: &str| json!({ "QueueUrl": url("orders"), "MessageBody": body });
    assert_eq!(refused(&mut world, "SendMessage", &message("")), "MissingRequiredParameterException");
    assert_eq!(refused(&mut world, "SendMessage", &message(&"x".repeat(1025))), "InvalidParameterValueException");
    call(&mut world, "SendMessage", &message(&"x".repeat(1024))).unwrap();
    assert_eq!(refused(&mut world, "SendMessage", &message("\u{1}")), "InvalidMessageContents");
    let too_many = json!({ "QueueUrl": url("orders"), "MaxNumberOfMessages": 11 });
    assert_eq!(refused(&mut world, "ReceiveMessage", &too_many), "InvalidParameterValueException");
}

#[test]
fn entries_of_a_batch_fail_each_for_itself() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    let entry = |id: &str, body: &str| json!({ "Id": id, "MessageBody": body });
    let batch = |entries: &[Value]| json!({ "QueueUrl": url("orders"), "Entries": entries });
    let sent = call(&mut world, "SendMessageBatch", &batch(&[entry("a", "one"), entry("b", "\u{1}")])).unwrap();
    assert_eq!(sent["Successful"][0]["Id"], "a");
    assert_eq!((&sent["Failed"][0]["Id"], &sent["Failed"][0]["Code"]), (&json!("b"), &json!("InvalidMessageContents")));
    for (entries, code) in [
        (vec![], "EmptyBatchRequest"),
        (vec![entry("a", "1"), entry("a", "2")], "BatchEntryIdsNotDistinct"),
        (vec![entry("a b", "1")], "InvalidBatchEntryId"),
        ((0..11).map(|number| entry(&number.to_string(), "1")).collect(), "TooManyEntriesInBatchRequest"),
    ] {
        assert_eq!(refused(&mut world, "SendMessageBatch", &batch(&entries)), code);
    }
    let got = receive(&mut world, "orders", &json!({}));
    let handles = batch(&[json!({ "Id": "a", "ReceiptHandle": got["Messages"][0]["ReceiptHandle"] })]);
    assert_eq!(call(&mut world, "DeleteMessageBatch", &handles).unwrap(), json!({ "Successful": [{ "Id": "a" }] }));
    assert_eq!(world.queue_depth(&arn("orders")), 0);
}

#[test]
fn a_group_keeps_its_order_and_repeats_are_dropped_for_five_minutes() {
    let mut world = world();
    create(&mut world, "orders.fifo", &json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" }));
    let put = |world: &mut World, body: &str, group: &str| {
        call(world, "SendMessage", &json!({ "QueueUrl": url("orders.fifo"), "MessageBody": body, "MessageGroupId": group })).unwrap()
    };
    let first = put(&mut world, "a1", "a");
    put(&mut world, "a2", "a");
    put(&mut world, "b1", "b");
    assert_eq!(put(&mut world, "a1", "a")["MessageId"], first["MessageId"]);
    let one = receive(&mut world, "orders.fifo", &json!({}));
    assert_eq!(bodies(&one), ["a1"]);
    assert_eq!(bodies(&receive(&mut world, "orders.fifo", &json!({ "MaxNumberOfMessages": 10 }))), ["b1"], "group a is in flight");
    let handle = json!({ "QueueUrl": url("orders.fifo"), "ReceiptHandle": one["Messages"][0]["ReceiptHandle"] });
    call(&mut world, "DeleteMessage", &handle).unwrap();
    assert_eq!(bodies(&receive(&mut world, "orders.fifo", &json!({ "MaxNumberOfMessages": 10 }))), ["a2"]);
    wait(&mut world, 301);
    put(&mut world, "a1", "c");
    assert_eq!(world.queue_counts(&arn("orders.fifo")).sent, 4);
    let without = json!({ "QueueUrl": url("orders.fifo"), "MessageBody": "x" });
    assert_eq!(refused(&mut world, "SendMessage", &without), "MissingRequiredParameterException");
}

#[test]
fn an_emptied_queue_rests_for_a_minute() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    send(&mut world, "orders", "one");
    call(&mut world, "PurgeQueue", &json!({ "QueueUrl": url("orders") })).unwrap();
    assert_eq!(world.queue_depth(&arn("orders")), 0);
    assert_eq!(refused(&mut world, "PurgeQueue", &json!({ "QueueUrl": url("orders") })), "PurgeQueueInProgress");
    wait(&mut world, 60);
    call(&mut world, "PurgeQueue", &json!({ "QueueUrl": url("orders") })).unwrap();
}

#[test]
fn messages_travel_in_xml_too() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    let url = url("orders");
    let attribute = [
        ("MessageAttribute.1.Name", "kind"),
        ("MessageAttribute.1.Value.DataType", "String"),
        ("MessageAttribute.1.Value.StringValue", "sale"),
    ];
    let mut members = vec![("Action", "SendMessage"), ("QueueUrl", url.as_str()), ("MessageBody", "<one> & two")];
    members.extend(attribute);
    let (status, sent) = form(&mut world, ACCOUNT, REGION, "sqs", &members);
    assert_eq!(status, 200);
    let receive = [("Action", "ReceiveMessage"), ("QueueUrl", &url), ("MessageAttributeName.1", "All"), ("AttributeName.1", "All")];
    let (_, got) = form(&mut world, ACCOUNT, REGION, "sqs", &receive);
    let message = got.first("ReceiveMessageResult").and_then(|result| result.first("Message")).unwrap();
    assert_eq!(message.value("Body"), Some("<one> & two"));
    assert_eq!(message.value("MessageId"), sent.at("SendMessageResult/MessageId"));
    assert_eq!(message.at("MessageAttribute/Value/StringValue"), Some("sale"));
    assert!(message.all("Attribute").any(|one| one.value("Name") == Some("ApproximateReceiveCount") && one.value("Value") == Some("1")));
    let batch = [
        ("Action", "SendMessageBatch"),
        ("QueueUrl", &url),
        ("SendMessageBatchRequestEntry.1.Id", "a"),
        ("SendMessageBatchRequestEntry.1.MessageBody", "x"),
    ];
    let (_, sent) = form(&mut world, ACCOUNT, REGION, "sqs", &batch);
    assert_eq!(sent.at("SendMessageBatchResult/SendMessageBatchResultEntry/Id"), Some("a"));
}
