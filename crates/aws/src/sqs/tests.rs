//! Bodies are those of the SQS API reference's JSON examples, with names of ours.

use std::collections::BTreeSet;

use everseal_planner::inventory::{ErrorClass, QueueAttributes};
use everseal_planner::plan::change::QueueEncryption;
use everseal_planner::plan::{Change, KeyRef, Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Service};
use serde_json::{Value, json};

use crate::testing::{Answer, Seen, Wire};

const URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/orders";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn arn(name: &str) -> Arn {
    Arn::parse(&format!("arn:aws:sqs:us-east-1:111122223333:{name}")).unwrap()
}

fn json_of(request: &Seen) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

fn attributes(attributes: &Value) -> Answer {
    Answer::ok(json!({ "Attributes": attributes }).to_string())
}

/// As SQS answers SDKs that speak JSON: the old code stands in a header. [SQS: query-compatible errors]
fn error(status: u16, shape: &str, query_code: &str) -> Answer {
    let body = json!({ "__type": format!("com.amazonaws.sqs#{shape}"), "message": format!("said {shape}") });
    Answer::new(status, body.to_string()).header("x-amzn-query-error", format!("{query_code};Sender"))
}

async fn observe(wire: &Wire, target: &Target) -> Inventory {
    super::observe(&wire.context(), target, &Reads::everything()).await
}

fn one() -> Target {
    Target::Resources(BTreeSet::from([arn("orders")]))
}

#[tokio::test]
async fn lists_all_pages_and_reads_each_queue_with_one_call() {
    let wire = Wire::new(|request| match request.target.as_str() {
        "ListQueues" if json_of(request).get("NextToken").is_some() => {
            Answer::ok(r#"{"QueueUrls":["https://sqs.us-east-1.amazonaws.com/111122223333/refunds.fifo"]}"#)
        }
        "ListQueues" => Answer::ok(json!({ "QueueUrls": [URL], "NextToken": "page2" }).to_string()),
        _ => attributes(&json!({ "SqsManagedSseEnabled": "true" })),
    });
    let inventory = observe(&wire, &Target::Everything).await;
    assert_eq!(inventory.queues.keys().cloned().collect::<Vec<_>>(), [arn("orders"), arn("refunds.fifo")]);
    assert_eq!(inventory.queues[&arn("orders")].url, URL);
    assert_eq!(wire.counted().len(), 4);
    assert_eq!(json_of(&wire.seen()[0]), json!({ "MaxResults": 1000 }), "without it SQS gives no token");
}

#[tokio::test]
async fn asks_for_exactly_the_attributes_that_matter() {
    let wire = Wire::new(|request| match request.target.as_str() {
        "GetQueueUrl" => Answer::ok(json!({ "QueueUrl": URL }).to_string()),
        _ => attributes(&json!({
            "KmsMasterKeyId": KEY, "KmsDataKeyReusePeriodSeconds": "300", "SqsManagedSseEnabled": "false", "Policy": "{}",
            "QueueArn": arn("orders"),
            "RedrivePolicy": r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead","maxReceiveCount":"5"}"#,
        })),
    });
    let inventory = observe(&wire, &one()).await;
    let expected = QueueAttributes {
        kms_key: Some(KEY.to_owned()),
        data_key_reuse_seconds: Some(300),
        sqs_managed_sse: false,
        document: Some("{}".to_owned()),
        dead_letter_queue: Some(arn("dead")),
    };
    assert_eq!(inventory.queues[&arn("orders")].attributes, Reading::Known(expected));
    let names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "Policy", "QueueArn", "RedrivePolicy"];
    assert_eq!(json_of(&wire.seen()[1]), json!({ "QueueUrl": URL, "AttributeNames": names }));
}

#[tokio::test]
async fn absent_and_empty_attributes_mean_the_same() {
    for told in [json!({}), json!({ "KmsMasterKeyId": "", "Policy": "", "SqsManagedSseEnabled": "false" })] {
        let wire = Wire::new(move |request| match request.target.as_str() {
            "GetQueueUrl" => Answer::ok(json!({ "QueueUrl": URL }).to_string()),
            _ => attributes(&told),
        });
        let inventory = observe(&wire, &one()).await;
        assert_eq!(inventory.queues[&arn("orders")].attributes, Reading::Known(QueueAttributes::default()));
    }
}

#[tokio::test]
async fn a_deleted_queue_is_left_out() {
    let gone = || error(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue");
    let between_the_calls = move |request: &Seen| match request.target.as_str() {
        "ListQueues" => Answer::ok(json!({ "QueueUrls": [URL] }).to_string()),
        _ => gone(),
    };
    for target in [one(), Target::Everything] {
        let inventory = observe(&Wire::new(between_the_calls), &target).await;
        assert!(inventory.queues.is_empty() && inventory.unlisted.is_empty());
    }
}

#[tokio::test]
async fn a_denied_queue_is_unreadable_and_names_the_permission() {
    let wire = Wire::new(|request| match request.target.as_str() {
        "ListQueues" => Answer::ok(json!({ "QueueUrls": [URL] }).to_string()),
        _ => error(403, "AccessDeniedException", "AccessDenied"),
    });
    let inventory = observe(&wire, &Target::Everything).await;
    let Reading::Unreadable { unreadable } = &inventory.queues[&arn("orders")].attributes else { panic!() };
    assert_eq!((unreadable.class, unreadable.missing_action.as_deref()), (ErrorClass::Denied, Some("sqs:GetQueueAttributes")));
}

#[tokio::test]
async fn a_denied_listing_is_unlisted() {
    let wire = Wire::new(|_| error(403, "AccessDeniedException", "AccessDenied"));
    let inventory = observe(&wire, &Target::Everything).await;
    assert_eq!(inventory.unlisted[&Service::Sqs].missing_action.as_deref(), Some("sqs:ListQueues"));
}

fn change(before: QueueEncryption, after: QueueEncryption) -> Change {
    Change::QueueEncryption { url: URL.to_owned(), before, after, waits_for: None }
}

fn kms() -> QueueEncryption {
    QueueEncryption { kms_key: Some(KEY.to_owned()), data_key_reuse_seconds: Some(300), sqs_managed_sse: false }
}

fn sse_sqs() -> QueueEncryption {
    QueueEncryption { kms_key: None, data_key_reuse_seconds: None, sqs_managed_sse: true }
}

async fn written(change: &Change) -> Value {
    let wire = Wire::new(|_| Answer::ok("{}"));
    super::apply(&wire.context(), &arn("orders"), change).await.unwrap();
    let [request] = wire.seen().try_into().unwrap();
    assert_eq!(request.target, "SetQueueAttributes");
    json_of(&request)
}

#[tokio::test]
async fn a_key_is_set_without_sse_sqs_beside_it() {
    let body = written(&change(sse_sqs(), kms())).await;
    assert_eq!(body, json!({ "QueueUrl": URL, "Attributes": { "KmsMasterKeyId": KEY, "KmsDataKeyReusePeriodSeconds": "300" } }));
}

#[tokio::test]
async fn an_unmanaged_reuse_period_is_not_written() {
    let body = written(&change(sse_sqs(), QueueEncryption { data_key_reuse_seconds: None, ..kms() })).await;
    assert_eq!(body["Attributes"], json!({ "KmsMasterKeyId": KEY }));
}

#[tokio::test]
async fn a_key_is_turned_off_and_sse_sqs_on_in_one_call() {
    let body = written(&change(kms(), sse_sqs())).await;
    assert_eq!(body["Attributes"], json!({ "KmsMasterKeyId": "", "SqsManagedSseEnabled": "true" }));
}

#[tokio::test]
async fn a_plain_queue_gets_sse_sqs_alone() {
    let body = written(&change(QueueEncryption::default(), sse_sqs())).await;
    assert_eq!(body["Attributes"], json!({ "SqsManagedSseEnabled": "true" }));
}

#[tokio::test]
async fn a_policy_is_written_as_the_step_holds_it() {
    let after = r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned();
    let body = written(&Change::QueueDocument { url: URL.to_owned(), before: None, after: after.clone() }).await;
    assert_eq!(body, json!({ "QueueUrl": URL, "Attributes": { "Policy": after } }));
}

#[tokio::test]
async fn nothing_is_written_that_leaves_a_queue_unencrypted_or_waits_for_a_key() {
    let wire = Wire::new(|_| Answer::ok("{}"));
    let waiting = Change::QueueEncryption {
        url: URL.to_owned(),
        before: sse_sqs(),
        after: QueueEncryption { kms_key: None, ..kms() },
        waits_for: Some(KeyRef::ToBeCreated { alias: "alias/finance".to_owned() }),
    };
    for (change, class) in [(change(kms(), QueueEncryption::default()), ErrorClass::Invalid), (waiting, ErrorClass::Conflict)] {
        let refused = super::apply(&wire.context(), &arn("orders"), &change).await.unwrap_err();
        assert_eq!(refused.class, class);
    }
    assert!(wire.seen().is_empty());
}

#[tokio::test]
async fn a_change_of_another_service_is_refused() {
    let wire = Wire::new(|_| Answer::ok("{}"));
    let refused = super::apply(&wire.context(), &arn("orders"), &Change::EnableKey {}).await.unwrap_err();
    assert_eq!((refused.class, refused.code.as_str()), (ErrorClass::Invalid, "Misrouted"));
    assert!(wire.seen().is_empty());
}
