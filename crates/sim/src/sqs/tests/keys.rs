use super::*;
use crate::kms::KeyState;

const BUCKET: &str = "arn:aws:s3:::finance";

/// A document that leaves its account to IAM and has one more statement.
fn key_document(more: Option<&Value>) -> String {
    let root =
        json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }, "Action": "kms:*", "Resource": "*" });
    let statements: Vec<&Value> = std::iter::once(&root).chain(more).collect();
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn for_service(name: &str, actions: &[&str]) -> Value {
    json!({ "Effect": "Allow", "Principal": { "Service": name }, "Action": actions, "Resource": "*" })
}

/// A queue that S3 may send to, under a key.
fn encrypted(world: &mut World, key_document: &str) -> (String, String) {
    let queue = world.create_queue(ACCOUNT, REGION, "orders");
    let key = world.create_key(ACCOUNT, REGION, Some(key_document)).unwrap();
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": queue }
    ] });
    world.set_queue_attributes(&queue, &[("KmsMasterKeyId", &key), ("Policy", &policy.to_string())]).unwrap();
    (queue, key)
}

#[test]
fn a_service_that_sends_needs_the_key_itself() {
    let mut world = world();
    let (queue, key) = encrypted(&mut world, &key_document(None));
    let s3 = service("s3.amazonaws.com", BUCKET);
    assert_eq!(world.send_message(&s3, &queue, "x").unwrap_err().code, "KmsAccessDenied");
    for (actions, taken) in
        [(vec!["kms:GenerateDataKey"], false), (vec!["kms:Decrypt"], false), (vec!["kms:GenerateDataKey", "kms:Decrypt"], true)]
    {
        world.put_key_document(&key, &key_document(Some(&for_service("s3.amazonaws.com", &actions)))).unwrap();
        assert_eq!(world.send_message(&s3, &queue, "x").is_ok(), taken, "{actions:?}");
    }
    assert_eq!(world.queue_depth(&queue), 1);
}

#[test]
fn the_key_sees_the_source_and_the_queue() {
    let mut world = world();
    let (queue, key) = encrypted(&mut world, &key_document(None));
    let mut statement = for_service("s3.amazonaws.com", &["kms:GenerateDataKey*", "kms:Decrypt"]);
    statement["Condition"] =
        json!({ "StringEquals": { "aws:SourceArn": BUCKET, "aws:SourceAccount": ACCOUNT, "kms:EncryptionContext:aws:sqs:arn": queue } });
    world.put_key_document(&key, &key_document(Some(&statement))).unwrap();
    world.send_message(&service("s3.amazonaws.com", BUCKET), &queue, "x").unwrap();
    assert!(world.send_message(&service("s3.amazonaws.com", "arn:aws:s3:::other"), &queue, "x").is_err());
}

#[test]
fn a_data_key_serves_until_the_reuse_period_is_over() {
    let mut world = world();
    let (queue, key) = encrypted(&mut world, &key_document(None));
    let me = administrator(ACCOUNT);
    world.send_message(&me, &queue, "one").unwrap();
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    wait(&mut world, 299);
    world.send_message(&me, &queue, "two").unwrap();
    let other = Origin { caller: Caller::Root { account: ACCOUNT.to_owned() }, ..me.clone() };
    assert_eq!(world.send_message(&other, &queue, "x").unwrap_err().code, "KmsDisabled", "a data key is its principal's own");
    wait(&mut world, 1);
    assert_eq!(world.send_message(&me, &queue, "three").unwrap_err().code, "KmsDisabled");
}

#[test]
fn a_message_keeps_its_key_and_needs_it_until_it_is_read() {
    let mut world = world();
    let (queue, old) = encrypted(&mut world, &key_document(None));
    let me = administrator(ACCOUNT);
    world.send_message(&me, &queue, "under the old key").unwrap();
    world.set_queue_attributes(&queue, &[("KmsMasterKeyId", ""), ("SqsManagedSseEnabled", "true")]).unwrap();
    world.send_message(&me, &queue, "under none").unwrap();
    world.set_key_state(&old, KeyState::Disabled).unwrap();
    let read: Vec<_> = world.consume_messages(&me, &queue).unwrap().into_iter().map(|message| message.body).collect();
    assert_eq!(read, ["under none"]);
    assert_eq!(world.consume_messages(&me, &queue).unwrap_err().code, "KmsDisabled");
    world.set_key_state(&old, KeyState::Enabled).unwrap();
    assert_eq!(world.consume_messages(&me, &queue).unwrap().len(), 1);
}

#[test]
fn dead_letters_need_the_key_of_the_queue_that_they_came_from() {
    let mut world = world();
    let (queue, key) = encrypted(&mut world, &key_document(None));
    let dead = world.create_queue(ACCOUNT, REGION, "dead");
    let redrive = json!({ "deadLetterTargetArn": dead, "maxReceiveCount": 1 }).to_string();
    world.set_queue_attributes(&queue, &[("RedrivePolicy", &redrive), ("VisibilityTimeout", "0")]).unwrap();
    send(&mut world, "orders", "poison");
    let receive = json!({ "QueueUrl": url("orders") });
    assert_eq!(bodies(&call(&mut world, "ReceiveMessage", &receive).unwrap()), ["poison"]);
    assert_eq!(call(&mut world, "ReceiveMessage", &receive).unwrap(), json!({}));
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    assert_eq!(world.consume_messages(&administrator(ACCOUNT), &dead).unwrap_err().code, "KmsDisabled");
    world.set_key_state(&key, KeyState::Enabled).unwrap();
    assert_eq!(world.consume_messages(&administrator(ACCOUNT), &dead).unwrap().len(), 1);
}

#[test]
fn a_wrong_key_shows_at_the_first_use_in_both_protocols() {
    let mut world = world();
    create(&mut world, "orders", &json!({ "KmsMasterKeyId": "alias/typo" }));
    let message = json!({ "QueueUrl": url("orders"), "MessageBody": "x" });
    assert_eq!(refused(&mut world, "SendMessage", &message), "KmsNotFound");
    let url = url("orders");
    let (status, error) = form(&mut world, ACCOUNT, REGION, "sqs", &[("Action", "SendMessage"), ("QueueUrl", &url), ("MessageBody", "x")]);
    assert_eq!((status, error.at("Error/Code")), (400, Some("KMS.NotFoundException")));
}

#[test]
fn the_aws_managed_key_serves_the_account_and_no_service() {
    let mut world = world();
    let (queue, _) = encrypted(&mut world, &key_document(None));
    world.set_queue_attributes(&queue, &[("KmsMasterKeyId", "alias/aws/sqs")]).unwrap();
    world.send_message(&administrator(ACCOUNT), &queue, "x").unwrap();
    assert_eq!(world.send_message(&service("s3.amazonaws.com", BUCKET), &queue, "x").unwrap_err().code, "KmsAccessDenied");
}
