use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::inventory::{ErrorClass, Queue};
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Reading, Service};
use serde_json::{Value, json};

use crate::tags;
use crate::testing::{Answer, Seen, Wire};

fn arn(text: &str) -> Arn {
    Arn::parse(text).unwrap()
}

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders";
const BUCKET: &str = "arn:aws:s3:::ledger";

fn body(request: &Seen) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

fn mapping(arn: &str, value: &str) -> Value {
    json!({ "ResourceARN": arn, "Tags": [{ "Key": "classification", "Value": value }] })
}

fn reads(services: &[Service]) -> Reads {
    Reads { tags_of: services.iter().copied().collect(), ..Reads::everything() }
}

fn pages(request: &Seen) -> Answer {
    let second = body(request)["PaginationToken"] == "page2";
    let (mapping, token) = if second { (mapping(BUCKET, "secret"), "") } else { (mapping(QUEUE, "internal"), "page2") };
    Answer::ok(json!({ "ResourceTagMappingList": [mapping], "PaginationToken": token }).to_string())
}

#[tokio::test]
async fn tags_of_several_services_come_a_hundred_at_a_time() {
    let wire = Wire::new(pages);
    let found =
        tags::observe(&wire.context(), &Target::Everything, &reads(&[Service::S3, Service::Sqs, Service::Firehose, Service::Rds])).await;
    let tag = |value: &str| BTreeMap::from([("classification".to_owned(), value.to_owned())]);
    assert_eq!(found, Reading::Known(BTreeMap::from([(arn(QUEUE), tag("internal")), (arn(BUCKET), tag("secret"))])));
    let asked = body(&wire.seen()[0]);
    assert_eq!(asked, json!({ "ResourcesPerPage": 100, "ResourceTypeFilters": ["s3", "sqs", "firehose:deliverystream"] }));
    assert_eq!(wire.counted(), ["tagging GetResources OK"; 2]);
}

#[tokio::test]
async fn nobody_asks_for_tags_that_no_rule_wants() {
    let wire = Wire::new(pages);
    assert!(tags::observe(&wire.context(), &Target::Everything, &reads(&[])).await.is_not_read());
    assert!(tags::observe(&wire.context(), &Target::Everything, &reads(&[Service::Rds, Service::Kms])).await.is_not_read());
    let bucket = Target::Resources(BTreeSet::from([arn(BUCKET)]));
    assert!(tags::observe(&wire.context(), &bucket, &reads(&[Service::Sqs])).await.is_not_read());
    assert!(wire.seen().is_empty());
}

/// The list of ARNs excludes filters and paging. [resourcegroupstagging:GetResources]
#[tokio::test]
async fn a_partial_observation_asks_for_its_resources_alone() {
    let wire = Wire::new(|_| Answer::ok(json!({ "ResourceTagMappingList": [mapping(QUEUE, "internal")] }).to_string()));
    let target = Target::Resources(BTreeSet::from([arn(QUEUE), arn(BUCKET)]));
    let found = tags::observe(&wire.context(), &target, &reads(&[Service::Sqs])).await;
    assert_eq!(found.known().unwrap().len(), 1);
    assert_eq!(body(&wire.seen()[0]), json!({ "ResourceARNList": [QUEUE] }));
}

#[tokio::test]
async fn denied_tags_are_unreadable_on_every_resource_and_untagged_is_known() {
    let queue = || Queue { arn: arn(QUEUE), url: String::new(), attributes: Reading::NotRead, tags: Reading::NotRead };
    let denied = Wire::new(|_| Answer::new(400, r#"{"__type":"AccessDeniedException","message":"no"}"#));
    let mut inventory = denied.context().part();
    inventory.queues.insert(arn(QUEUE), queue());
    let reads = reads(&[Service::Sqs]);
    let found = tags::observe(&denied.context(), &Target::Everything, &reads).await;
    tags::assign(&mut inventory, &found, &reads);
    let Reading::Unreadable { unreadable } = &inventory.queues[&arn(QUEUE)].tags else { panic!() };
    assert_eq!((unreadable.class, unreadable.missing_action.as_deref()), (ErrorClass::Denied, Some("tag:GetResources")));

    tags::assign(&mut inventory, &Reading::Known(BTreeMap::new()), &reads);
    assert_eq!(inventory.queues[&arn(QUEUE)].tags, Reading::Known(BTreeMap::new()));
}
