use super::*;
use crate::sns::retry;

fn wired(world: &mut World) -> (String, String, String) {
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    let queue = queue_for(world, "inbox", &topic);
    let subscription = world.subscribe(&topic, "sqs", &queue, &[]);
    (topic, queue, subscription)
}

fn publish(world: &mut World, topic: &str, message: &str) {
    world.publish_message(&administrator(ACCOUNT), topic, message).unwrap();
    a_second(world);
}

#[test]
fn a_queue_gets_the_envelope_or_the_bare_message() {
    let mut world = world();
    let (topic, queue, subscription) = wired(&mut world);
    let members = [("TopicArn", topic.as_str()), ("Message", "hello"), ("Subject", "greeting")];
    let id = call(&mut world, "Publish", &members).unwrap().value("MessageId").unwrap().to_owned();
    a_second(&mut world);
    let body: Value = serde_json::from_str(&world.queue_bodies(&queue)[0]).unwrap();
    for (member, value) in
        [("Type", "Notification"), ("MessageId", &id), ("TopicArn", &topic), ("Subject", "greeting"), ("Message", "hello")]
    {
        assert_eq!(body[member], value, "{member}");
    }
    assert!(body["UnsubscribeURL"].as_str().unwrap().ends_with(&subscription));
    let raw = [("SubscriptionArn", subscription.as_str()), ("AttributeName", "RawMessageDelivery"), ("AttributeValue", "true")];
    call(&mut world, "SetSubscriptionAttributes", &raw).unwrap();
    publish(&mut world, &topic, "bare");
    assert_eq!(world.queue_bodies(&queue)[1], "bare");
    assert_eq!(world.tally.hops()[&(topic, queue)].delivered, 2);
}

#[test]
fn texts_can_differ_by_protocol() {
    let mut world = world();
    let (topic, queue, _) = wired(&mut world);
    let message = r#"{"default":"for all","sqs":"for queues"}"#;
    call(&mut world, "Publish", &[("TopicArn", &topic), ("Message", message), ("MessageStructure", "json")]).unwrap();
    a_second(&mut world);
    let body: Value = serde_json::from_str(&world.queue_bodies(&queue)[0]).unwrap();
    assert_eq!(body["Message"], "for queues");
}

#[test]
fn what_the_queue_refuses_is_lost_at_once() {
    let mut world = world();
    let (topic, queue, _) = wired(&mut world);
    world.set_queue_attributes(&queue, &[("Policy", "")]).unwrap();
    publish(&mut world, &topic, "x");
    wait(&mut world, Duration::from_hours(24));
    let count = world.tally.hops()[&(topic, queue)];
    assert_eq!((count.delivered, count.lost, count.refused), (0, 1, 0));
}

#[test]
fn an_encrypted_queue_needs_its_key_to_let_sns_in() {
    let mut world = world();
    let (topic, queue, _) = wired(&mut world);
    let key = key_for(&mut world, None);
    world.set_queue_attributes(&queue, &[("KmsMasterKeyId", &key)]).unwrap();
    publish(&mut world, &topic, "lost");
    assert!(world.tally.latest_undelivered().next().unwrap().why.starts_with("KmsAccessDenied"));
    let key = key_for(&mut world, Some("sns.amazonaws.com"));
    world.set_queue_attributes(&queue, &[("KmsMasterKeyId", &key)]).unwrap();
    publish(&mut world, &topic, "delivered");
    assert_eq!(world.queue_depth(&queue), 1);
}

#[test]
fn the_dead_letter_queue_gets_it_where_it_lets_sns_in() {
    let mut world = world();
    let (topic, queue, subscription) = wired(&mut world);
    let dead = queue_for(&mut world, "dead", &topic);
    let redrive = json!({ "deadLetterTargetArn": dead }).to_string();
    let members = [("SubscriptionArn", subscription.as_str()), ("AttributeName", "RedrivePolicy"), ("AttributeValue", &redrive)];
    call(&mut world, "SetSubscriptionAttributes", &members).unwrap();
    world.set_queue_attributes(&queue, &[("Policy", "")]).unwrap();
    publish(&mut world, &topic, "saved");
    assert_eq!(world.queue_depth(&dead), 1);
    let count = world.tally.hops()[&(topic.clone(), queue.clone())];
    assert_eq!((count.lost, count.refused), (0, 1));
    world.set_queue_attributes(&dead, &[("Policy", "")]).unwrap();
    publish(&mut world, &topic, "lost");
    assert_eq!(world.tally.hops()[&(topic, queue)].lost, 1);
}

#[test]
fn a_server_that_is_down_is_tried_again_until_it_is_back() {
    let mut world = world();
    let (topic, queue, _) = wired(&mut world);
    let until = world.now() + Duration::from_hours(1);
    world.set_queue_outage(&queue, Some(until));
    publish(&mut world, &topic, "patient");
    assert_eq!(world.queue_depth(&queue), 0);
    wait(&mut world, Duration::from_secs(3620));
    assert_eq!(world.queue_depth(&queue), 1);
    assert_eq!(world.tally.hops()[&(topic, queue)].lost, 0);
}

#[test]
fn the_policy_of_retries_is_the_documented_one() {
    let seconds = |attempts: u32| retry::to_aws(attempts).map(|time| time.as_secs_f64());
    assert_eq!([1, 2, 3].map(seconds), [Some(0.0); 3], "3 times, without delay");
    assert_eq!([4, 5].map(seconds), [Some(1.0); 2], "2 times, 1 second apart");
    assert_eq!([6, 15].map(seconds), [Some(1.0), Some(20.0)], "10 times, from 1 second to 20 seconds");
    assert_eq!([16, 100_015, 100_016].map(seconds), [Some(20.0), Some(20.0), None], "100,000 times, 20 seconds apart");
    assert_eq!([1, 3, 4].map(|attempts| retry::to_customer(attempts).map(|time| time.as_secs())), [Some(20), Some(20), None]);
}

#[test]
fn filters_let_only_some_through() {
    let mut world = world();
    let (topic, queue, subscription) = wired(&mut world);
    let filter = |world: &mut World, name: &str, value: &str| {
        let members = [("SubscriptionArn", subscription.as_str()), ("AttributeName", name), ("AttributeValue", value)];
        call(world, "SetSubscriptionAttributes", &members)
    };
    filter(&mut world, "FilterPolicy", r#"{"kind":["sale",{"prefix":"re"}],"amount":[{"numeric":[">",100]}]}"#).unwrap();
    let mut publish = |kind: &str, amount: &str| {
        let members = [
            ("TopicArn", topic.as_str()),
            ("Message", "x"),
            ("MessageAttributes.entry.1.Name", "kind"),
            ("MessageAttributes.entry.1.Value.DataType", "String"),
            ("MessageAttributes.entry.1.Value.StringValue", kind),
            ("MessageAttributes.entry.2.Name", "amount"),
            ("MessageAttributes.entry.2.Value.DataType", "Number"),
            ("MessageAttributes.entry.2.Value.StringValue", amount),
        ];
        call(&mut world, "Publish", &members).unwrap();
        a_second(&mut world);
        world.queue_depth(&queue)
    };
    assert_eq!(publish("sale", "101"), 1);
    assert_eq!(publish("sale", "100"), 1);
    assert_eq!(publish("refund", "1000"), 2);
    assert_eq!(publish("gift", "1000"), 2);
    assert_eq!(filter(&mut world, "FilterPolicy", r#"{"kind":"sale"}"#).unwrap_err().1, "InvalidParameter");
    filter(&mut world, "FilterPolicyScope", "MessageBody").unwrap();
    filter(&mut world, "FilterPolicy", r#"{"order":{"kind":["sale"]}}"#).unwrap();
    for (message, depth) in [(r#"{"order":{"kind":"sale"}}"#, 3), (r#"{"order":{"kind":"gift"}}"#, 3), ("text", 3)] {
        world.publish_message(&administrator(ACCOUNT), &topic, message).unwrap();
        a_second(&mut world);
        assert_eq!(world.queue_depth(&queue), depth, "{message}");
    }
}

#[test]
fn http_endpoints_find_their_posts_in_the_outbox() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    world.subscribe(&topic, "https", "https://example.com/in", &[("RawMessageDelivery", "true")]);
    publish(&mut world, &topic, "hello");
    let posted: Vec<_> = world.notifications().map(|one| (one.endpoint.as_str(), one.body.as_str())).collect();
    assert_eq!(posted, [("https://example.com/in", "hello")]);
    assert_eq!(world.tally.hops()[&(topic, "https://example.com/in".to_owned())].delivered, 1);
}

#[test]
fn where_somebody_posts_the_endpoint_decides() {
    use crate::sns::PostResult;
    let mut world = world();
    world.attend_outbox();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    world.subscribe(&topic, "http", "http://127.0.0.1:9/", &[]);
    let hop = (topic.clone(), "http://127.0.0.1:9/".to_owned());
    publish(&mut world, &topic, "down, then back");
    let posting = world.next_posting().unwrap();
    assert!(!world.tally.hops().contains_key(&hop));
    world.posting_done(&posting, &PostResult::Status(500));
    assert!(world.next_posting().is_none());
    wait(&mut world, Duration::from_secs(20));
    let posting = world.next_posting().unwrap();
    world.posting_done(&posting, &PostResult::Status(200));
    publish(&mut world, &topic, "refused");
    let posting = world.next_posting().unwrap();
    world.posting_done(&posting, &PostResult::Status(403));
    let count = world.tally.hops()[&hop];
    assert_eq!((count.delivered, count.refused, count.lost), (1, 1, 1));
}

#[test]
fn a_delivery_stream_gets_records_as_the_subscriptions_role() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    let stream = format!("arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/none");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/feed");
    world.subscribe(&topic, "firehose", &stream, &[("SubscriptionRoleArn", &role)]);
    publish(&mut world, &topic, "x");
    assert_eq!(world.tally.hops()[&(topic, stream)].lost, 1, "the role may not put records there");
}

#[test]
fn a_fifo_topic_hands_its_groups_on() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders.fifo");
    let queue = queue_for(&mut world, "inbox.fifo", &topic);
    world.subscribe(&topic, "sqs", &queue, &[("RawMessageDelivery", "true")]);
    let members = [("TopicArn", topic.as_str()), ("Message", "x"), ("MessageGroupId", "a"), ("MessageDeduplicationId", "1")];
    assert_eq!(refused(&mut world, "Publish", &members[..2]).1, "InvalidParameter");
    let first = call(&mut world, "Publish", &members).unwrap();
    let again = call(&mut world, "Publish", &members).unwrap();
    assert_eq!(first.value("MessageId"), again.value("MessageId"));
    a_second(&mut world);
    assert_eq!(world.queue_bodies(&queue), ["x"]);
}
