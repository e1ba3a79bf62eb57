//! Bodies are those of the SNS API reference's examples, with names of ours.

use std::collections::BTreeSet;

use everseal_planner::inventory::{ErrorClass, Subscription, TopicAttributes};
use everseal_planner::plan::{Change, KeyRef, Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Service};

use crate::testing::{Answer, Seen, Wire};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn arn(name: &str) -> Arn {
    Arn::parse(&format!("arn:aws:sns:us-east-1:111122223333:{name}")).unwrap()
}

fn answer(operation: &str, result: &str) -> Answer {
    Answer::ok(format!(
        r#"<{operation}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><{operation}Result>{result}</{operation}Result><ResponseMetadata><RequestId>d1d743aa</RequestId></ResponseMetadata></{operation}Response>"#
    ))
}

fn error(status: u16, code: &str) -> Answer {
    Answer::new(
        status,
        format!(
            r#"<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>said {code}</Message></Error><RequestId>d1d743aa</RequestId></ErrorResponse>"#
        ),
    )
}

fn called(request: &Seen, operation: &str) -> bool {
    request.body.starts_with(&format!("Action={operation}&"))
}

fn attributes(entries: &[(&str, &str)]) -> Answer {
    let entries = entries.iter().map(|(key, value)| format!("<entry><key>{key}</key><value>{value}</value></entry>"));
    answer("GetTopicAttributes", &format!("<Attributes>{}</Attributes>", entries.collect::<String>()))
}

fn estate(request: &Seen) -> Answer {
    let topics = |name: &str, next: &str| {
        answer("ListTopics", &format!("<Topics><member><TopicArn>{}</TopicArn></member></Topics>{next}", arn(name)))
    };
    let subscription = |id: &str, protocol: &str, endpoint: &str, next: &str| {
        let topic = arn("orders");
        let member = format!(
            "<member><TopicArn>{topic}</TopicArn><Protocol>{protocol}</Protocol><SubscriptionArn>{id}</SubscriptionArn><Owner>111122223333</Owner><Endpoint>{endpoint}</Endpoint></member>"
        );
        answer("ListSubscriptions", &format!("<Subscriptions>{member}</Subscriptions>{next}"))
    };
    match (called(request, "ListTopics"), called(request, "ListSubscriptions"), request.body.contains("NextToken=page2")) {
        (true, _, false) => topics("orders", "<NextToken>page2</NextToken>"),
        (true, _, true) => topics("refunds.fifo", ""),
        (_, true, false) => {
            subscription("arn:aws:sns:us-east-1:111122223333:orders:be21", "http", "http://example.com", "<NextToken>page2</NextToken>")
        }
        (_, true, true) => subscription("PendingConfirmation", "https", "https://example.com", "<NextToken></NextToken>"),
        _ => attributes(&[("TopicArn", "x"), ("Policy", "{}"), ("KmsMasterKeyId", "alias/aws/sns")]),
    }
}

async fn observe(wire: &Wire, target: &Target, subscriptions: bool) -> Inventory {
    super::observe(&wire.context(), target, &Reads { subscriptions, ..Reads::everything() }).await
}

fn one() -> Target {
    Target::Resources(BTreeSet::from([arn("orders")]))
}

#[tokio::test]
async fn lists_all_pages_of_topics_and_reads_each_with_one_call() {
    let wire = Wire::new(estate);
    let inventory = observe(&wire, &Target::Everything, false).await;
    assert_eq!(inventory.topics.keys().cloned().collect::<Vec<_>>(), [arn("orders"), arn("refunds.fifo")]);
    let expected = TopicAttributes { kms_key: Some("alias/aws/sns".to_owned()), document: Some("{}".to_owned()) };
    assert_eq!(inventory.topics[&arn("orders")].attributes, Reading::Known(expected));
    assert!(inventory.subscriptions.is_not_read());
    assert_eq!(wire.counted().len(), 4);
}

#[tokio::test]
async fn subscriptions_of_the_scope_come_with_one_paged_listing() {
    let inventory = observe(&Wire::new(estate), &Target::Everything, true).await;
    let subscription = |id: &str, protocol: &str, endpoint: &str| Subscription {
        id: id.to_owned(),
        topic: arn("orders"),
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
    };
    let expected = vec![
        subscription("arn:aws:sns:us-east-1:111122223333:orders:be21", "http", "http://example.com"),
        subscription("PendingConfirmation", "https", "https://example.com"),
    ];
    assert_eq!(inventory.subscriptions, Reading::Known(expected));
}

#[tokio::test]
async fn a_partial_listing_of_subscriptions_is_unreadable() {
    let wire = Wire::new(|request| {
        let second_page = called(request, "ListSubscriptions") && request.body.contains("page2");
        if second_page { error(403, "AuthorizationError") } else { estate(request) }
    });
    let inventory = observe(&wire, &Target::Everything, true).await;
    let Reading::Unreadable { unreadable } = &inventory.subscriptions else { panic!() };
    assert_eq!((unreadable.class, unreadable.missing_action.as_deref()), (ErrorClass::Denied, Some("sns:ListSubscriptions")));
    assert_eq!(inventory.topics.len(), 2, "topics are read all the same");
}

#[tokio::test]
async fn a_partial_observation_reads_only_its_topics() {
    let wire = Wire::new(estate);
    let inventory = observe(&wire, &one(), true).await;
    assert_eq!(inventory.topics.len(), 1);
    assert!(inventory.subscriptions.is_not_read());
    assert_eq!(wire.counted(), ["sns GetTopicAttributes OK"]);
}

#[tokio::test]
async fn an_empty_key_is_no_key() {
    let inventory = observe(&Wire::new(|_| attributes(&[("KmsMasterKeyId", "")])), &one(), false).await;
    assert_eq!(inventory.topics[&arn("orders")].attributes, Reading::Known(TopicAttributes::default()));
}

#[tokio::test]
async fn a_deleted_topic_is_left_out_and_a_denied_one_is_unreadable() {
    let inventory = observe(&Wire::new(|_| error(404, "NotFound")), &one(), false).await;
    assert!(inventory.topics.is_empty());
    let inventory = observe(&Wire::new(|_| error(403, "AuthorizationError")), &one(), false).await;
    let Reading::Unreadable { unreadable } = &inventory.topics[&arn("orders")].attributes else { panic!() };
    assert_eq!((unreadable.class, unreadable.missing_action.as_deref()), (ErrorClass::Denied, Some("sns:GetTopicAttributes")));
}

#[tokio::test]
async fn a_denied_listing_is_unlisted() {
    let inventory = observe(&Wire::new(|_| error(403, "AuthorizationError")), &Target::Everything, false).await;
    assert_eq!(inventory.unlisted[&Service::Sns].missing_action.as_deref(), Some("sns:ListTopics"));
}

async fn written(change: &Change) -> String {
    let wire = Wire::new(|_| answer("SetTopicAttributes", ""));
    super::apply(&wire.context(), &arn("orders"), change).await.unwrap();
    let [request] = wire.seen().try_into().unwrap();
    request.body
}

#[tokio::test]
async fn one_attribute_is_written_by_a_call() {
    let topic = "TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A111122223333%3Aorders";
    let body = written(&Change::TopicEncryption { before: None, after: KeyRef::Arn(Arn::parse(KEY).unwrap()) }).await;
    let key = "arn%3Aaws%3Akms%3Aus-east-1%3A111122223333%3Akey%2F1234abcd-12ab-34cd-56ef-1234567890ab";
    let set = "Action=SetTopicAttributes&Version=2010-03-31";
    assert_eq!(body, format!("{set}&{topic}&AttributeName=KmsMasterKeyId&AttributeValue={key}"));
    let body = written(&Change::TopicDocument { before: None, after: r#"{"Id":"x"}"#.to_owned() }).await;
    assert_eq!(body, format!("{set}&{topic}&AttributeName=Policy&AttributeValue=%7B%22Id%22%3A%22x%22%7D"));
}

#[tokio::test]
async fn a_step_that_waits_for_a_key_writes_nothing() {
    let wire = Wire::new(|_| answer("SetTopicAttributes", ""));
    let change = Change::TopicEncryption { before: None, after: KeyRef::ToBeCreated { alias: "alias/finance".to_owned() } };
    let refused = super::apply(&wire.context(), &arn("orders"), &change).await.unwrap_err();
    assert_eq!((refused.class, refused.message.as_str()), (ErrorClass::Conflict, "the key `alias/finance` does not exist yet"));
    assert!(wire.seen().is_empty());
}

#[test]
fn rates_follow_the_region() {
    let rate = |region: &str| super::operations::GET_TOPIC_ATTRIBUTES.rate.in_region(region);
    assert_eq!(rate("us-east-1"), Some((3000, 3000)));
    assert_eq!(rate("eu-north-1"), Some((30, 900)));
    assert_eq!(super::operations::LIST_TOPICS.rate.in_region("us-east-1"), Some((30, 30)));
}
