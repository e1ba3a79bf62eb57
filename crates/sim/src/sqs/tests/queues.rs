use super::*;

#[test]
fn a_queue_is_made_with_sse_sqs_unless_something_is_said_of_encryption() {
    let mut world = world();
    create(&mut world, "plainly", &json!({}));
    assert_eq!(get(&mut world, "plainly", &["SqsManagedSseEnabled", "KmsMasterKeyId"]), json!({ "SqsManagedSseEnabled": "true" }));
    create(&mut world, "off", &json!({ "SqsManagedSseEnabled": "false" }));
    assert_eq!(get(&mut world, "off", &["SqsManagedSseEnabled"]), json!({ "SqsManagedSseEnabled": "false" }));
    create(&mut world, "key", &json!({ "KmsMasterKeyId": "alias/nobody-made-it" }));
    let names = ["SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"];
    let expected =
        json!({ "SqsManagedSseEnabled": "false", "KmsDataKeyReusePeriodSeconds": "300", "KmsMasterKeyId": "alias/nobody-made-it" });
    assert_eq!(get(&mut world, "key", &names), expected, "the key is not looked at");
}

#[test]
fn no_names_read_nothing_and_all_reads_what_is_set() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    assert_eq!(get(&mut world, "orders", &[]), Value::Null);
    let all = get(&mut world, "orders", &["All"]);
    for (name, value) in [
        ("VisibilityTimeout", "30"),
        ("MaximumMessageSize", "1048576"),
        ("MessageRetentionPeriod", "345600"),
        ("DelaySeconds", "0"),
        ("ReceiveMessageWaitTimeSeconds", "0"),
        ("ApproximateNumberOfMessages", "0"),
        ("QueueArn", &arn("orders")),
        ("CreatedTimestamp", "1800000000"),
    ] {
        assert_eq!(all[name], value, "{name}");
    }
    for absent in ["Policy", "RedrivePolicy", "KmsMasterKeyId", "FifoQueue"] {
        assert!(all.get(absent).is_none(), "{absent}");
    }
    let unknown = json!({ "QueueUrl": url("orders"), "AttributeNames": ["Encryption"] });
    assert_eq!(refused(&mut world, "GetQueueAttributes", &unknown), "InvalidAttributeName");
}

#[test]
fn the_same_name_is_the_same_queue_unless_an_attribute_differs() {
    let mut world = world();
    create(&mut world, "orders", &json!({ "VisibilityTimeout": "60" }));
    create(&mut world, "orders", &json!({ "VisibilityTimeout": "60" }));
    create(&mut world, "orders", &json!({}));
    let other = json!({ "QueueName": "orders", "Attributes": { "VisibilityTimeout": "61" } });
    let (code, message) = call(&mut world, "CreateQueue", &other).unwrap_err();
    let expected = "A queue already exists with the same name and a different value for attribute VisibilityTimeout";
    assert_eq!((code.as_str(), message.as_str()), ("QueueNameExists", expected));
}

#[test]
fn names_are_checked() {
    let mut world = world();
    for name in ["", "with space", "dot.ted", "orders.fifo", &"x".repeat(81)] {
        assert_eq!(refused(&mut world, "CreateQueue", &json!({ "QueueName": name })), "InvalidParameterValueException", "{name}");
    }
    let fifo = json!({ "FifoQueue": "true" });
    create(&mut world, "orders.fifo", &fifo);
    assert_eq!(refused(&mut world, "CreateQueue", &json!({ "QueueName": "orders", "Attributes": fifo })), "InvalidParameterValueException");
}

#[test]
fn a_deleted_name_rests_for_a_minute() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    call(&mut world, "DeleteQueue", &json!({ "QueueUrl": url("orders") })).unwrap();
    assert_eq!(refused(&mut world, "GetQueueUrl", &json!({ "QueueName": "orders" })), "QueueDoesNotExist");
    wait(&mut world, 59);
    assert_eq!(refused(&mut world, "CreateQueue", &json!({ "QueueName": "orders" })), "QueueDeletedRecently");
    wait(&mut world, 1);
    create(&mut world, "orders", &json!({}));
}

#[test]
fn a_listing_has_a_token_only_where_a_page_size_is_asked_for() {
    let mut world = world();
    for number in 0..1001 {
        world.create_queue(ACCOUNT, REGION, &format!("q{number:04}"));
    }
    world.create_queue(OTHER, REGION, "foreign");
    world.create_queue(ACCOUNT, "eu-west-1", "far");
    let all = call(&mut world, "ListQueues", &json!({})).unwrap();
    assert_eq!((all["QueueUrls"].as_array().unwrap().len(), all.get("NextToken")), (1000, None));
    let first = call(&mut world, "ListQueues", &json!({ "MaxResults": 1000 })).unwrap();
    let rest = call(&mut world, "ListQueues", &json!({ "MaxResults": 1000, "NextToken": first["NextToken"] })).unwrap();
    assert_eq!((&rest["QueueUrls"], rest.get("NextToken")), (&json!([url("q1000")]), None));
    let some = call(&mut world, "ListQueues", &json!({ "QueueNamePrefix": "q100" })).unwrap();
    assert_eq!(some["QueueUrls"], json!([url("q1000")]));
    let none = call(&mut world, "ListQueues", &json!({ "QueueNamePrefix": "zz" })).unwrap();
    assert_eq!(none, json!({}));
    assert_eq!(refused(&mut world, "ListQueues", &json!({ "MaxResults": 1001 })), "InvalidParameterValueException");
}

#[test]
fn kms_and_sse_sqs_exclude_each_other() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    let both = json!({ "KmsMasterKeyId": "alias/finance", "SqsManagedSseEnabled": "true" });
    let (code, message) = set(&mut world, "orders", &both).unwrap_err();
    assert_eq!(code, "InvalidAttributeName");
    assert_eq!(message, "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.");
    let now = |world: &mut World| get(world, "orders", &["SqsManagedSseEnabled", "KmsMasterKeyId"]);
    set(&mut world, "orders", &json!({ "KmsMasterKeyId": "alias/finance" })).unwrap();
    assert_eq!(now(&mut world), json!({ "SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/finance" }));
    set(&mut world, "orders", &json!({ "KmsMasterKeyId": "" })).unwrap();
    assert_eq!(now(&mut world), json!({ "SqsManagedSseEnabled": "false" }), "turning the key off turns nothing on");
    set(&mut world, "orders", &json!({ "KmsMasterKeyId": "alias/finance" })).unwrap();
    set(&mut world, "orders", &json!({ "SqsManagedSseEnabled": "true", "KmsMasterKeyId": "" })).unwrap();
    assert_eq!(now(&mut world), json!({ "SqsManagedSseEnabled": "true" }));
}

#[test]
fn values_out_of_range_change_nothing() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    for (name, value) in [
        ("VisibilityTimeout", "43201"),
        ("DelaySeconds", "901"),
        ("MaximumMessageSize", "1023"),
        ("MessageRetentionPeriod", "59"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("KmsDataKeyReusePeriodSeconds", "59"),
        ("SqsManagedSseEnabled", "yes"),
        ("Policy", "{"),
    ] {
        let before = get(&mut world, "orders", &["All"]);
        let (code, message) = set(&mut world, "orders", &json!({ "DelaySeconds": "7", name: value })).unwrap_err();
        assert_eq!((code, message), ("InvalidAttributeValue".to_owned(), format!("Invalid value for the parameter {name}.")));
        assert_eq!(get(&mut world, "orders", &["All"]), before);
    }
    assert_eq!(set(&mut world, "orders", &json!({ "QueueArn": "x" })).unwrap_err().0, "InvalidAttributeName");
    assert_eq!(set(&mut world, "orders", &json!({ "ContentBasedDeduplication": "true" })).unwrap_err().0, "InvalidAttributeName");
}

#[test]
fn a_dead_letter_queue_has_to_be_there_and_of_the_same_kind() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    let redrive = |target: &str, most: Value| json!({ "RedrivePolicy": json!({ "deadLetterTargetArn": target, "maxReceiveCount": most }).to_string() });
    let (code, message) = set(&mut world, "orders", &redrive(&arn("dead"), json!(3))).unwrap_err();
    assert_eq!(code, "InvalidParameterValueException");
    assert!(message.ends_with("Reason: Dead letter target does not exist."), "{message}");
    create(&mut world, "dead", &json!({}));
    set(&mut world, "orders", &redrive(&arn("dead"), json!("3"))).unwrap();
    assert!(set(&mut world, "orders", &redrive(&arn("dead"), json!(1001))).unwrap_err().1.contains("valid values are from 1 to 1000"));
    create(&mut world, "dead.fifo", &json!({ "FifoQueue": "true" }));
    assert!(set(&mut world, "orders", &redrive(&arn("dead.fifo"), json!(3))).unwrap_err().1.contains("same type"));
    let sources = call(&mut world, "ListDeadLetterSourceQueues", &json!({ "QueueUrl": url("dead") })).unwrap();
    assert_eq!(sources["queueUrls"], json!([url("orders")]));
    set(&mut world, "orders", &json!({ "RedrivePolicy": "" })).unwrap();
    assert_eq!(get(&mut world, "orders", &["RedrivePolicy"]), Value::Null);
}

#[test]
fn tags_are_set_listed_and_taken_away() {
    let mut world = world();
    call(&mut world, "CreateQueue", &json!({ "QueueName": "orders", "tags": { "team": "finance" } })).unwrap();
    call(&mut world, "TagQueue", &json!({ "QueueUrl": url("orders"), "Tags": { "env": "prod" } })).unwrap();
    let tags = |world: &mut World| call(world, "ListQueueTags", &json!({ "QueueUrl": url("orders") })).unwrap();
    assert_eq!(tags(&mut world), json!({ "Tags": { "env": "prod", "team": "finance" } }));
    call(&mut world, "UntagQueue", &json!({ "QueueUrl": url("orders"), "TagKeys": ["env", "team"] })).unwrap();
    assert_eq!(tags(&mut world), json!({}));
}

#[test]
fn the_query_protocol_says_the_same_in_xml() {
    let mut world = world();
    let made = form(
        &mut world,
        ACCOUNT,
        REGION,
        "sqs",
        &[("Action", "CreateQueue"), ("QueueName", "orders"), ("Attribute.1.Name", "DelaySeconds"), ("Attribute.1.Value", "5")],
    );
    assert_eq!(made.1.at("CreateQueueResult/QueueUrl"), Some(url("orders").as_str()));
    let url = url("orders");
    let read = form(
        &mut world,
        ACCOUNT,
        REGION,
        "sqs",
        &[("Action", "GetQueueAttributes"), ("QueueUrl", &url), ("AttributeName.1", "DelaySeconds"), ("AttributeName.2", "QueueArn")],
    );
    let attributes: Vec<_> = read.1.first("GetQueueAttributesResult").unwrap().all("Attribute").collect();
    assert_eq!((attributes[0].value("Name"), attributes[0].value("Value")), (Some("DelaySeconds"), Some("5")));
    assert_eq!(attributes[1].value("Value"), Some(arn("orders").as_str()));
    let (status, gone) = form(&mut world, ACCOUNT, REGION, "sqs", &[("Action", "GetQueueUrl"), ("QueueName", "none")]);
    assert_eq!((status, gone.at("Error/Code")), (400, Some("AWS.SimpleQueueService.NonExistentQueue")));
}

#[test]
fn operations_that_are_not_there_say_so() {
    assert_eq!(refused(&mut world(), "StartMessageMoveTask", &json!({})), "NotImplemented");
}

#[test]
fn errors_in_json_tell_the_older_code_too() {
    let reply = crate::wire::json::error(&crate::sqs::errors::no_such_queue());
    assert_eq!(reply.headers["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender");
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status, &body["__type"]), (400, &json!("QueueDoesNotExist")));
}
