use super::*;

#[test]
fn a_new_topic_has_the_default_document_and_no_key() {
    let mut world = world();
    let made = call(&mut world, "CreateTopic", &[("Name", "orders")]).unwrap();
    assert_eq!(made.value("TopicArn"), Some(arn("orders").as_str()));
    let read = call(&mut world, "GetTopicAttributes", &[("TopicArn", &arn("orders"))]).unwrap();
    let document: Value = serde_json::from_str(&attribute(&read, "Policy").unwrap()).unwrap();
    assert_eq!(document["Id"], "__default_policy_ID");
    assert_eq!(document["Statement"][0]["Sid"], "__default_statement_ID");
    assert_eq!(document["Statement"][0]["Condition"], json!({ "StringEquals": { "AWS:SourceOwner": ACCOUNT } }));
    assert_eq!(attribute(&read, "KmsMasterKeyId"), None);
    assert_eq!(attribute(&read, "Owner").as_deref(), Some(ACCOUNT));
    assert_eq!(attribute(&read, "SubscriptionsConfirmed").as_deref(), Some("0"));
}

#[test]
fn one_attribute_is_set_by_a_call_and_an_empty_key_turns_encryption_off() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    let key = |world: &mut World| {
        let read = call(world, "GetTopicAttributes", &[("TopicArn", &arn("orders"))]).unwrap();
        attribute(&read, "KmsMasterKeyId")
    };
    set(&mut world, &topic, "KmsMasterKeyId", "alias/nobody-made-it").unwrap();
    assert_eq!(key(&mut world).as_deref(), Some("alias/nobody-made-it"), "the key is not looked at");
    set(&mut world, &topic, "KmsMasterKeyId", "").unwrap();
    assert_eq!(key(&mut world), None);
    assert_eq!(set(&mut world, &topic, "Nonsense", "1").unwrap_err(), (400, "InvalidParameter".to_owned()));
    assert_eq!(set(&mut world, &arn("none"), "DisplayName", "x").unwrap_err(), (404, "NotFound".to_owned()));
}

#[test]
fn documents_are_checked() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    let everybody = json!("*");
    let good = policy(&[statement(&topic, "a", &everybody, "sns:Publish"), statement(&topic, "b", &everybody, "SNS:Subscribe")]);
    set(&mut world, &topic, "Policy", &good).unwrap();
    let mut two_resources = statement(&topic, "a", &everybody, "sns:Publish");
    two_resources["Resource"] = json!([topic, "x"]);
    for bad in [
        "{".to_owned(),
        policy(&[]),
        policy(&[statement(&topic, "a", &everybody, "sns:*")]),
        policy(&[statement(&topic, "a", &everybody, "*")]),
        policy(&[statement(&topic, "a", &everybody, "sns:Unsubscribe")]),
        policy(&[statement(&topic, "a", &everybody, "sns:Publish"), statement(&topic, "a", &everybody, "sns:Subscribe")]),
        policy(&[statement(&topic, "a", &json!({ "AWS": "AROAIOSFODNN7EXAMPLE" }), "sns:Publish")]),
        policy(&[two_resources]),
        policy(&[statement(&topic, &"x".repeat(30 * 1024), &everybody, "sns:Publish")]),
    ] {
        assert_eq!(set(&mut world, &topic, "Policy", &bad).unwrap_err(), (400, "InvalidParameter".to_owned()), "{bad:.80}");
    }
    let read = call(&mut world, "GetTopicAttributes", &[("TopicArn", &topic)]).unwrap();
    assert_eq!(attribute(&read, "Policy"), Some(good), "as written");
}

#[test]
fn listings_have_a_hundred_a_page() {
    let mut world = world();
    for number in 0..101 {
        let topic = world.create_topic(ACCOUNT, REGION, &format!("t{number:03}"));
        world.subscribe(&topic, "email", "people@example.com", &[]);
    }
    world.create_topic(OTHER, REGION, "foreign");
    for (operation, member) in [("ListTopics", "Topics"), ("ListSubscriptions", "Subscriptions")] {
        let first = call(&mut world, operation, &[]).unwrap();
        assert_eq!(first.first(member).unwrap().all("member").count(), 100, "{operation}");
        let rest = call(&mut world, operation, &[("NextToken", first.value("NextToken").unwrap())]).unwrap();
        let rest: Vec<_> = rest.first(member).unwrap().all("member").map(|one| one.value("TopicArn").unwrap().to_owned()).collect();
        assert_eq!(rest, [arn("t100")], "{operation}");
    }
    let by_topic = call(&mut world, "ListSubscriptionsByTopic", &[("TopicArn", &arn("t007"))]).unwrap();
    assert_eq!(by_topic.first("Subscriptions").unwrap().all("member").count(), 1);
    let none = call_as(&mut world, "777788889999", "ListTopics", &[]).unwrap();
    assert!(none.first("Topics").is_some() && none.value("NextToken").is_none());
}

#[test]
fn tags_are_set_listed_and_taken_away() {
    let mut world = world();
    call(&mut world, "CreateTopic", &[("Name", "orders"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "finance")]).unwrap();
    let topic = arn("orders");
    call(&mut world, "TagResource", &[("ResourceArn", &topic), ("Tags.member.1.Key", "env"), ("Tags.member.1.Value", "prod")]).unwrap();
    call(&mut world, "UntagResource", &[("ResourceArn", &topic), ("TagKeys.member.1", "team")]).unwrap();
    let tags = call(&mut world, "ListTagsForResource", &[("ResourceArn", &topic)]).unwrap();
    let tags: Vec<_> = tags.first("Tags").unwrap().all("member").map(|tag| (tag.value("Key"), tag.value("Value"))).collect();
    assert_eq!(tags, [(Some("env"), Some("prod"))]);
    assert_eq!(refused(&mut world, "TagResource", &[("ResourceArn", &arn("none"))]), (404, "ResourceNotFound".to_owned()));
}

#[test]
fn subscriptions_of_ones_own_queue_are_confirmed_and_others_pend() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    let subscribe = |protocol: &'static str, endpoint: &'static str| {
        [("TopicArn", arn("orders")), ("Protocol", protocol.to_owned()), ("Endpoint", endpoint.to_owned())]
    };
    let made = |world: &mut World, protocol, endpoint| {
        let members = subscribe(protocol, endpoint);
        let members: Vec<_> = members.iter().map(|(name, value)| (*name, value.as_str())).collect();
        call(world, "Subscribe", &members).map(|result| result.value("SubscriptionArn").unwrap().to_owned())
    };
    let own = made(&mut world, "sqs", "arn:aws:sqs:us-east-1:111122223333:orders").unwrap();
    assert!(own.starts_with(&format!("{topic}:")));
    assert_eq!(made(&mut world, "sqs", "arn:aws:sqs:us-east-1:111122223333:orders").unwrap(), own, "the same again");
    assert_eq!(made(&mut world, "sqs", "arn:aws:sqs:us-east-1:444455556666:orders").unwrap(), "pending confirmation");
    assert_eq!(made(&mut world, "https", "https://example.com/in").unwrap(), "pending confirmation");
    for (protocol, endpoint) in [
        ("https", "http://example.com"),
        ("sqs", "orders"),
        ("pigeon", "x"),
        ("firehose", "arn:aws:firehose:us-east-1:111122223333:deliverystream/x"),
    ] {
        assert_eq!(made(&mut world, protocol, endpoint).unwrap_err().1, "InvalidParameter", "{protocol}");
    }
    a_second(&mut world);
    let confirmation = world.notifications().next().unwrap().clone();
    let body: Value = serde_json::from_str(&confirmation.body).unwrap();
    assert_eq!((body["Type"].as_str(), confirmation.endpoint.as_str()), (Some("SubscriptionConfirmation"), "https://example.com/in"));
    let token = body["Token"].as_str().unwrap();
    let confirmed = call(&mut world, "ConfirmSubscription", &[("TopicArn", &topic), ("Token", token)]).unwrap();
    let subscription = confirmed.value("SubscriptionArn").unwrap().to_owned();
    let read = call(&mut world, "GetSubscriptionAttributes", &[("SubscriptionArn", &subscription)]).unwrap();
    assert_eq!(attribute(&read, "PendingConfirmation").as_deref(), Some("false"));
    let listed = call(&mut world, "ListSubscriptionsByTopic", &[("TopicArn", &topic)]).unwrap();
    let pending = |one: &&Element| one.value("SubscriptionArn") == Some("PendingConfirmation");
    assert_eq!(listed.first("Subscriptions").unwrap().all("member").filter(pending).count(), 1);
    call(&mut world, "Unsubscribe", &[("SubscriptionArn", &own)]).unwrap();
    let read = call(&mut world, "GetTopicAttributes", &[("TopicArn", &topic)]).unwrap();
    let counts = ["SubscriptionsConfirmed", "SubscriptionsPending", "SubscriptionsDeleted"].map(|name| attribute(&read, name).unwrap());
    assert_eq!(counts, ["1", "1", "1"]);
}

#[test]
fn a_document_can_forbid_subscriptions_without_tls() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    let deny = json!({
        "Sid": "https", "Effect": "Deny", "Principal": "*", "Action": "sns:Subscribe", "Resource": topic,
        "Condition": { "StringEquals": { "sns:Protocol": "http" } },
    });
    set(&mut world, &topic, "Policy", &policy(&[deny])).unwrap();
    let members = |protocol: &'static str, endpoint: &'static str| {
        [("TopicArn", "arn:aws:sns:us-east-1:111122223333:orders"), ("Protocol", protocol), ("Endpoint", endpoint)]
    };
    assert_eq!(refused(&mut world, "Subscribe", &members("http", "http://example.com")), (403, "AuthorizationError".to_owned()));
    call(&mut world, "Subscribe", &members("https", "https://example.com")).unwrap();
}

#[test]
fn permissions_are_added_and_removed_as_statements() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    let add = [("TopicArn", topic.as_str()), ("Label", "partner"), ("AWSAccountId.member.1", OTHER), ("ActionName.member.1", "Publish")];
    let publish = [("TopicArn", topic.as_str()), ("Message", "x")];
    assert_eq!(call_as(&mut world, OTHER, "Publish", &publish).unwrap_err(), (403, "AuthorizationError".to_owned()));
    call(&mut world, "AddPermission", &add).unwrap();
    call_as(&mut world, OTHER, "Publish", &publish).unwrap();
    assert_eq!(refused(&mut world, "AddPermission", &add).1, "InvalidParameter");
    call(&mut world, "RemovePermission", &add[..2]).unwrap();
    assert!(call_as(&mut world, OTHER, "Publish", &publish).is_err());
    call(&mut world, "DeleteTopic", &[("TopicArn", &topic)]).unwrap();
    call(&mut world, "DeleteTopic", &[("TopicArn", &topic)]).unwrap();
    assert_eq!(refused(&mut world, "Publish", &publish), (404, "NotFound".to_owned()));
}
