use super::*;

fn sale(world: &mut World) {
    let entry = json!({ "Source": "shop", "DetailType": "Sale", "Detail": r#"{"amount":7}"#, "Resources": ["arn:x"] });
    assert_eq!(call(world, "PutEvents", &json!({ "Entries": [entry] })).unwrap()["FailedEntryCount"], 0);
    a_second(world);
}

fn rule(world: &mut World, target: &Value) {
    call(
        world,
        "PutRule",
        &json!({ "Name": "orders", "EventPattern": r#"{"source":["shop"],"detail":{"amount":[{"numeric":[">",5]}]}}"# }),
    )
    .unwrap();
    call(world, "PutTargets", &json!({ "Rule": "orders", "Targets": [target] })).unwrap();
}

#[test]
fn a_matching_event_reaches_a_queue_as_the_envelope() {
    let mut world = world();
    let queue = queue_for(&mut world, "inbox", &rule_arn("orders"));
    rule(&mut world, &json!({ "Id": "1", "Arn": queue }));
    sale(&mut world);
    world.put_event(ACCOUNT, REGION, "shop", "Sale", json!({ "amount": 5 }));
    a_second(&mut world);
    let bodies = world.queue_bodies(&queue);
    assert_eq!(bodies.len(), 1);
    let event: Value = serde_json::from_str(&bodies[0]).unwrap();
    for (member, value) in [
        ("version", json!("0")),
        ("detail-type", json!("Sale")),
        ("source", json!("shop")),
        ("account", json!(ACCOUNT)),
        ("time", json!("2027-01-15T08:00:00Z")),
        ("region", json!(REGION)),
        ("resources", json!(["arn:x"])),
        ("detail", json!({ "amount": 7 })),
    ] {
        assert_eq!(event[member], value, "{member}");
    }
    assert_eq!(world.tally.hops()[&(rule_arn("orders"), queue)].delivered, 1);
}

#[test]
fn a_disabled_rule_sends_nothing() {
    let mut world = world();
    let queue = queue_for(&mut world, "inbox", &rule_arn("orders"));
    rule(&mut world, &json!({ "Id": "1", "Arn": queue }));
    call(&mut world, "DisableRule", &json!({ "Name": "orders" })).unwrap();
    sale(&mut world);
    assert_eq!(world.queue_depth(&queue), 0);
}

#[test]
fn an_encrypted_queue_needs_its_key_to_let_eventbridge_in() {
    let mut world = world();
    let queue = queue_for(&mut world, "inbox", &rule_arn("orders"));
    rule(&mut world, &json!({ "Id": "1", "Arn": queue }));
    let key = |world: &mut World, source: &str| {
        let statement = json!({
            "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": "*", "Condition": { "ArnEquals": { "aws:SourceArn": source } },
        });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let key = world.create_key(ACCOUNT, REGION, Some(&document)).unwrap();
        world.set_queue_attributes(&queue, &[("KmsMasterKeyId", &key)]).unwrap();
    };
    key(&mut world, &rule_arn("another"));
    sale(&mut world);
    wait(&mut world, Duration::from_hours(24));
    let count = world.tally.hops()[&(rule_arn("orders"), queue.clone())];
    assert_eq!((count.delivered, count.lost, count.refused), (0, 1, 0), "what is forbidden is not tried again");
    key(&mut world, &rule_arn("orders"));
    sale(&mut world);
    assert_eq!(world.queue_depth(&queue), 1);
}

#[test]
fn topics_and_their_keys_must_not_ask_for_the_source() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    rule(&mut world, &json!({ "Id": "1", "Arn": topic }));
    let condition = json!({ "ArnEquals": { "aws:SourceArn": rule_arn("orders") } });
    let statement = |action: &Value, resource: &str, condition: Option<&Value>| {
        let mut statement = json!({ "Sid": "events", "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": action, "Resource": resource });
        if let Some(condition) = condition {
            statement["Condition"] = condition.clone();
        }
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    };
    let (publish, use_key) = (json!("sns:Publish"), json!(["kms:GenerateDataKey*", "kms:Decrypt"]));
    let narrow = world.create_key(ACCOUNT, REGION, Some(&statement(&use_key, "*", Some(&condition)))).unwrap();
    let open = world.create_key(ACCOUNT, REGION, Some(&statement(&use_key, "*", None))).unwrap();
    for (document, key, delivered) in [(Some(&condition), "", 0), (None, "", 1), (None, narrow.as_str(), 1), (None, open.as_str(), 2)] {
        world.set_topic_attribute(&topic, "Policy", &statement(&publish, &topic, document)).unwrap();
        world.set_topic_attribute(&topic, "KmsMasterKeyId", key).unwrap();
        sale(&mut world);
        let count = world.tally.hops()[&(rule_arn("orders"), topic.clone())];
        assert_eq!(count.delivered, delivered, "{document:?} {key}");
    }
}

#[test]
fn a_server_that_is_down_is_tried_again_for_a_day() {
    let mut world = world();
    let queue = queue_for(&mut world, "inbox", &rule_arn("orders"));
    let dead = queue_for(&mut world, "dead", &rule_arn("orders"));
    rule(&mut world, &json!({ "Id": "1", "Arn": queue, "DeadLetterConfig": { "Arn": dead } }));
    let until = world.now() + Duration::from_hours(20);
    world.set_queue_outage(&queue, Some(until));
    sale(&mut world);
    wait(&mut world, Duration::from_mins(1208));
    assert_eq!((world.queue_depth(&queue), world.queue_depth(&dead)), (1, 0));
    let until = world.now() + Duration::from_hours(30);
    world.set_queue_outage(&queue, Some(until));
    sale(&mut world);
    wait(&mut world, Duration::from_hours(25));
    assert_eq!((world.queue_depth(&queue), world.queue_depth(&dead)), (1, 1));
    assert!(world.tally.hops()[&(rule_arn("orders"), queue)].refused <= 2 * 186);
}

#[test]
fn a_target_limits_its_retries_and_the_dead_letter_says_why() {
    let mut world = world();
    let queue = queue_for(&mut world, "inbox", &rule_arn("orders"));
    let dead = queue_for(&mut world, "dead", &rule_arn("orders"));
    let policy = json!({ "MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60 });
    rule(&mut world, &json!({ "Id": "1", "Arn": queue, "RetryPolicy": policy, "DeadLetterConfig": { "Arn": dead } }));
    let until = world.now() + Duration::from_hours(1);
    world.set_queue_outage(&queue, Some(until));
    sale(&mut world);
    wait(&mut world, Duration::from_secs(10));
    let url = format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/dead");
    let input = json!({ "QueueUrl": url, "MessageAttributeNames": ["All"] });
    let got = crate::testing::json(&mut world, ACCOUNT, REGION, "AmazonSQS.ReceiveMessage", &input).unwrap();
    let told = |name: &str| got["Messages"][0]["MessageAttributes"][name]["StringValue"].clone();
    assert_eq!(told("RULE_ARN"), json!(rule_arn("orders")));
    assert_eq!(told("TARGET_ARN"), json!(queue));
    assert_eq!(told("RETRY_ATTEMPTS"), "2");
    assert_eq!(told("EXHAUSTED_RETRY_CONDITION"), "MaximumRetryAttempts");
    assert_eq!(world.tally.hops()[&(rule_arn("orders"), queue)].lost, 0);
}

#[test]
fn inputs_can_be_written_anew() {
    let mut world = world();
    let queue = queue_for(&mut world, "inbox", &rule_arn("orders"));
    for (more, expected) in [
        (json!({ "Input": "\"constant\"" }), r#""constant""#),
        (json!({ "InputPath": "$.detail" }), r#"{"amount":7}"#),
        (
            json!({ "InputTransformer": { "InputPathsMap": { "what": "$.detail.amount", "who": "$.source" }, "InputTemplate": "\"<who> sold <what>\"" } }),
            r#""shop sold 7""#,
        ),
    ] {
        let mut target = json!({ "Id": "1", "Arn": queue });
        target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule(&mut world, &target);
        sale(&mut world);
        assert_eq!(world.queue_bodies(&queue).pop().unwrap(), expected);
    }
}

#[test]
fn events_go_on_to_another_bus_where_it_lets_them_in() {
    let mut world = world();
    let bus = format!("arn:aws:events:{REGION}:{OTHER}:event-bus/default");
    rule(&mut world, &json!({ "Id": "1", "Arn": bus }));
    sale(&mut world);
    assert_eq!(world.tally.hops()[&(rule_arn("orders"), bus.clone())].lost, 1);
    let admit = json!({ "Action": "events:PutEvents", "Principal": ACCOUNT, "StatementId": "partner" });
    call_as(&mut world, OTHER, "PutPermission", &admit).unwrap();
    let queue = world.create_queue(OTHER, REGION, "inbox");
    let document = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": queue }
    ] });
    world.set_queue_attributes(&queue, &[("Policy", &document.to_string())]).unwrap();
    world.create_rule(OTHER, REGION, "all", &json!({ "source": ["shop"] }), &[&queue]).unwrap();
    sale(&mut world);
    a_second(&mut world);
    let event: Value = serde_json::from_str(&world.queue_bodies(&queue)[0]).unwrap();
    assert_eq!(event["account"], ACCOUNT, "where it came from");
}

#[test]
fn a_stream_needs_the_targets_role() {
    let mut world = world();
    let stream = world.create_data_stream(ACCOUNT, REGION, "feed");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/feed");
    rule(&mut world, &json!({ "Id": "1", "Arn": stream, "RoleArn": role }));
    sale(&mut world);
    assert_eq!(world.tally.hops()[&(rule_arn("orders"), stream.clone())].lost, 1, "the role may nothing");
    let document = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": role }, "Action": "kinesis:*", "Resource": stream }
    ] });
    world.set_data_stream_policy(&stream, &document.to_string());
    sale(&mut world);
    assert_eq!(world.data_stream_depth(&stream), 1);
}
