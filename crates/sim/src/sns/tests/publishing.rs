use super::*;
use crate::kms::KeyState;

fn encrypted(world: &mut World, service: Option<&str>) -> (String, String) {
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    let key = key_for(world, service);
    world.set_topic_attribute(&topic, "KmsMasterKeyId", &key).unwrap();
    (topic, key)
}

fn admit(world: &mut World, topic: &str, service: &str) {
    let statement = statement(topic, "service", &json!({ "Service": service }), "sns:Publish");
    world.set_topic_attribute(topic, "Policy", &policy(&[statement])).unwrap();
}

#[test]
fn a_service_needs_the_document_and_the_key_as_itself() {
    let mut world = world();
    let (topic, _) = encrypted(&mut world, None);
    let bucket = service("s3.amazonaws.com", Some("arn:aws:s3:::finance"));
    assert_eq!(world.publish_message(&bucket, &topic, "x").unwrap_err().code, "AuthorizationError");
    admit(&mut world, &topic, "s3.amazonaws.com");
    assert_eq!(world.publish_message(&bucket, &topic, "x").unwrap_err().code, "KMSAccessDenied");
    let key = key_for(&mut world, Some("s3.amazonaws.com"));
    world.set_topic_attribute(&topic, "KmsMasterKeyId", &key).unwrap();
    world.publish_message(&bucket, &topic, "x").unwrap();
}

#[test]
fn the_key_sees_the_topic() {
    let mut world = world();
    let (topic, key) = encrypted(&mut world, None);
    let statement = |topic: &str| {
        let condition = json!({ "StringEquals": { "kms:EncryptionContext:aws:sns:topicArn": topic } });
        let principal = json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:root") });
        json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*", "Condition": condition }
        ] })
        .to_string()
    };
    world.put_key_document(&key, &statement(&arn("other"))).unwrap();
    assert_eq!(world.publish_message(&administrator(ACCOUNT), &topic, "x").unwrap_err().code, "KMSAccessDenied");
    world.put_key_document(&key, &statement(&topic)).unwrap();
    world.publish_message(&administrator(ACCOUNT), &topic, "x").unwrap();
}

#[test]
fn alarms_reach_a_topic_that_nobody_prepared_and_not_under_the_aws_managed_key() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "alarms");
    let alarm = service("cloudwatch.amazonaws.com", Some("arn:aws:cloudwatch:us-east-1:111122223333:alarm:x"));
    world.publish_message(&alarm, &topic, "x").unwrap();
    let event = service("events.amazonaws.com", None);
    assert_eq!(world.publish_message(&event, &topic, "x").unwrap_err().code, "AuthorizationError");
    world.set_topic_attribute(&topic, "KmsMasterKeyId", "alias/aws/sns").unwrap();
    assert_eq!(world.publish_message(&alarm, &topic, "x").unwrap_err().code, "KMSAccessDenied");
    world.publish_message(&administrator(ACCOUNT), &topic, "x").unwrap();
}

#[test]
fn encryption_asks_for_tls_and_signatures() {
    let mut world = world();
    let (topic, _) = encrypted(&mut world, None);
    let plain = Origin { secure: false, ..administrator(ACCOUNT) };
    assert_eq!(world.publish_message(&plain, &topic, "x").unwrap_err().code, "InvalidSecurity");
    world.set_topic_attribute(&topic, "KmsMasterKeyId", "").unwrap();
    world.publish_message(&plain, &topic, "x").unwrap();
    let deny = json!({
        "Sid": "tls", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic,
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    world.set_topic_attribute(&topic, "Policy", &policy(&[deny])).unwrap();
    assert_eq!(world.publish_message(&plain, &topic, "x").unwrap_err().code, "AuthorizationError");
}

#[test]
fn a_data_key_serves_for_five_minutes() {
    let mut world = world();
    let (topic, key) = encrypted(&mut world, None);
    let me = administrator(ACCOUNT);
    world.publish_message(&me, &topic, "x").unwrap();
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    wait(&mut world, Duration::from_secs(299));
    world.publish_message(&me, &topic, "x").unwrap();
    a_second(&mut world);
    assert_eq!(world.publish_message(&me, &topic, "x").unwrap_err().code, "KMSDisabled");
}

#[test]
fn messages_are_checked() {
    let mut world = world();
    let topic = world.create_topic(ACCOUNT, REGION, "orders");
    let publish = |more: &[(&'static str, &'static str)]| {
        let mut members = vec![("TopicArn", "arn:aws:sns:us-east-1:111122223333:orders")];
        members.extend(more);
        members
    };
    for bad in [
        vec![],
        vec![("Message", "x"), ("Subject", "two\nlines")],
        vec![("Message", "x"), ("MessageDeduplicationId", "1")],
        vec![("Message", "{}"), ("MessageStructure", "json")],
    ] {
        assert_eq!(refused(&mut world, "Publish", &publish(&bad)).1, "InvalidParameter", "{bad:?}");
    }
    let done = call(&mut world, "Publish", &publish(&[("Message", "x")])).unwrap();
    assert_eq!(done.value("MessageId").unwrap().len(), 36);
    let batch = [
        ("TopicArn", topic.as_str()),
        ("PublishBatchRequestEntries.member.1.Id", "a"),
        ("PublishBatchRequestEntries.member.1.Message", "x"),
        ("PublishBatchRequestEntries.member.2.Id", "b"),
        ("PublishBatchRequestEntries.member.2.Message", ""),
    ];
    let done = call(&mut world, "PublishBatch", &batch).unwrap();
    assert_eq!(done.at("Successful/member/Id"), Some("a"));
    assert_eq!((done.at("Failed/member/Id"), done.at("Failed/member/Code")), (Some("b"), Some("InvalidParameter")));
    assert_eq!(refused(&mut world, "PublishBatch", &batch[..1]).1, "EmptyBatchRequest");
}
