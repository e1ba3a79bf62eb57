use std::collections::BTreeSet;

use everseal_controller::Account;
use everseal_planner::inventory::{
    Bucket, BucketEncryption, DataStream, DataStreamSummary, ErrorClass, Queue, QueueAttributes, Topic, TopicAttributes,
};
use everseal_planner::plan::{Change, Reads, Target};
use everseal_planner::{Arn, Reading};

use crate::account::AwsAccount;
use crate::account::keys::references;
use crate::testing::{Answer, Wire};

fn arn(text: &str) -> Arn {
    Arn::parse(text).unwrap()
}

fn bucket(name: &str, algorithm: &str, kms_key: Option<&str>) -> Bucket {
    let encryption = BucketEncryption {
        algorithm: algorithm.to_owned(),
        kms_key: kms_key.map(str::to_owned),
        bucket_key: false,
        blocked_encryption_types: None,
    };
    Bucket {
        arn: arn(&format!("arn:aws:s3:::{name}")),
        name: name.to_owned(),
        encryption: Reading::Known(Some(encryption)),
        document: Reading::NotRead,
        tags: Reading::NotRead,
        website: Reading::NotRead,
        log_delivery_acl: Reading::NotRead,
        logging_target: Reading::NotRead,
        replication: Reading::NotRead,
        notifications: Reading::NotRead,
        public_access: Reading::NotRead,
    }
}

#[test]
fn each_key_in_use_is_named_once_however_it_is_spelt() {
    let wire = Wire::new(|_| Answer::ok("{}"));
    let mut inventory = wire.context().part();
    for bucket in [
        bucket("a", "aws:kms", Some("key-1")),
        bucket("b", "aws:kms", None),
        bucket("c", "AES256", None),
        bucket("d", "aws:kms", Some("key-1")),
    ] {
        inventory.buckets.insert(bucket.arn.clone(), bucket);
    }
    let queue = arn("arn:aws:sqs:us-east-1:111122223333:q");
    let attributes = QueueAttributes { kms_key: Some("alias/finance".to_owned()), ..QueueAttributes::default() };
    inventory
        .queues
        .insert(queue.clone(), Queue { arn: queue, url: String::new(), attributes: Reading::Known(attributes), tags: Reading::NotRead });
    let topic = arn("arn:aws:sns:us-east-1:111122223333:t");
    let attributes = Reading::Known(TopicAttributes { kms_key: Some("key-2".to_owned()), document: None });
    inventory.topics.insert(topic.clone(), Topic { arn: topic, attributes, tags: Reading::NotRead });
    let stream = arn("arn:aws:kinesis:us-east-1:111122223333:stream/s");
    let summary = DataStreamSummary { status: "ACTIVE".to_owned(), encrypted: true, kms_key: Some("key-3".to_owned()) };
    inventory
        .data_streams
        .insert(stream.clone(), DataStream { arn: stream, name: "s".to_owned(), summary: Reading::Known(summary), tags: Reading::NotRead });
    let expected = ["alias/aws/s3", "alias/finance", "key-1", "key-2", "key-3"];
    assert_eq!(references(&inventory), BTreeSet::from(expected.map(str::to_owned)));
}

#[tokio::test]
async fn a_partial_observation_asks_only_the_services_of_its_targets() {
    let wire = Wire::new(|request| {
        assert!(request.body.starts_with("Action=GetTopicAttributes"), "{request:?}");
        Answer::ok(
            "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes></Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>",
        )
    });
    let account = AwsAccount::new(wire.context(), std::sync::Arc::default());
    let topic = arn("arn:aws:sns:us-east-1:111122223333:t");
    let mut reads = Reads { tags_of: BTreeSet::new(), ..Reads::everything() };
    reads.services.remove(&everseal_planner::Service::Kms);
    let inventory = account.observe(&Target::Resources(BTreeSet::from([topic.clone()])), &reads).await;
    assert_eq!(inventory.topics.keys().collect::<Vec<_>>(), [&topic]);
    assert_eq!(wire.counted(), ["sns GetTopicAttributes OK"]);
}

#[tokio::test]
async fn a_change_goes_to_the_service_that_makes_it() {
    let wire = Wire::new(|_| Answer::ok("{}"));
    let account = AwsAccount::new(wire.context(), std::sync::Arc::default());
    let queue = arn("arn:aws:sqs:us-east-1:111122223333:q");
    let url = "https://sqs.us-east-1.amazonaws.com/111122223333/q".to_owned();
    account.apply(&queue, &Change::QueueDocument { url, before: None, after: "{}".to_owned() }).await.unwrap();
    let change = Change::BucketDocument { bucket: "b".to_owned(), before: None, after: "{}".to_owned() };
    account.apply(&arn("arn:aws:s3:::b"), &change).await.unwrap();
    assert_eq!(wire.counted(), ["sqs SetQueueAttributes OK", "s3 PutBucketPolicy OK"]);
}

/// 300 buckets and 300 queues, 30 ms for each call.
#[tokio::test(start_paused = true)]
async fn latency_is_hidden_by_a_bounded_number_of_calls_in_flight() {
    let wire = Wire::slow(std::time::Duration::from_millis(30), |request| {
        if request.uri.contains("max-buckets") {
            let bucket = |i| format!("<Bucket><Name>b{i}</Name><BucketRegion>us-east-1</BucketRegion></Bucket>");
            let buckets: Vec<String> = (0..300).map(bucket).collect();
            Answer::ok(format!("<ListAllMyBucketsResult><Buckets>{}</Buckets></ListAllMyBucketsResult>", buckets.concat()))
        } else if request.target == "ListQueues" {
            let urls: Vec<String> = (0..300).map(|i| format!(r#""https://sqs.us-east-1.amazonaws.com/111122223333/q{i}""#)).collect();
            Answer::ok(format!(r#"{{"QueueUrls":[{}]}}"#, urls.join(",")))
        } else if request.uri.ends_with("?encryption") {
            Answer::ok(
                "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
            )
        } else {
            Answer::ok("{}")
        }
    });
    let account = AwsAccount::new(wire.context(), std::sync::Arc::default());
    let services = [everseal_planner::Service::S3, everseal_planner::Service::Sqs].into();
    let reads = Reads { services, gate_facts: false, path_facts: false, tags_of: BTreeSet::new(), ..Reads::everything() };
    let start = tokio::time::Instant::now();
    let inventory = account.observe(&Target::Everything, &reads).await;
    assert_eq!((inventory.buckets.len(), inventory.queues.len()), (300, 300));
    assert_eq!(wire.seen().len(), 2 + 300 * 3, "1.5 calls a resource");
    assert_eq!(wire.most_in_flight(), 64, "32 of each service");
    let took = start.elapsed();
    assert!(took < std::time::Duration::from_millis(700), "600 calls, 32 at a time, after one listing: {took:?}");
}

/// IAM and `CloudFront` refuse everything, the other services have nothing.
fn refusing(request: &crate::testing::Seen) -> Answer {
    if request.uri.starts_with("iam.") || request.uri.starts_with("cloudfront.") {
        return Answer::new(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>");
    }
    if ["ListEventBuses", "ListChannels"].contains(&request.target.as_str()) {
        return Answer::new(400, r#"{"__type":"AccessDeniedException","message":"no"}"#);
    }
    Answer::ok("{}")
}

fn missing<T>(reading: &Reading<T>) -> Option<&str> {
    match reading {
        Reading::Unreadable { unreadable } => unreadable.missing_action.as_deref(),
        Reading::Known(_) | Reading::NotRead => None,
    }
}

fn paths() -> Reads {
    Reads { path_facts: true, services: [everseal_planner::Service::Sqs].into(), ..Reads::nothing() }
}

#[tokio::test]
async fn missing_permissions_for_paths_are_named_and_spoil_nothing_else() {
    let wire = Wire::new(refusing);
    let account = AwsAccount::new(wire.context(), std::sync::Arc::default());
    let inventory = account.observe(&Target::Everything, &paths()).await;
    let facts = &inventory.path_facts;
    let actions = [missing(&facts.event_rules), missing(&facts.distributions), missing(&facts.channels), missing(&facts.roles)];
    let expected = ["events:ListEventBuses", "cloudfront:ListDistributions", "kinesis:ListChannels", "iam:GetAccountAuthorizationDetails"];
    assert_eq!(actions, expected.map(Some));
    assert!(inventory.unlisted.is_empty() && inventory.unread().is_empty(), "what is planned does not hang on paths");
}

#[tokio::test]
async fn paths_are_not_read_where_nobody_asks_for_them() {
    let wire = Wire::new(|_| Answer::ok("{}"));
    let account = AwsAccount::new(wire.context(), std::sync::Arc::default());
    let resource = Target::Resources(BTreeSet::from([arn("arn:aws:events:us-east-1:111122223333:rule/r")]));
    let gates = Reads { gate_facts: true, path_facts: false, ..paths() };
    for (target, reads) in [(&Target::Everything, &gates), (&resource, &paths()), (&resource, &gates)] {
        assert!(account.observe(target, reads).await.path_facts.is_empty(), "{target:?}");
    }
    let others = wire.counted().into_iter().filter(|call| !call.starts_with("sqs"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<String>::new());
}

/// A step hangs on a role: what the executor's round of facts asks for.
#[tokio::test]
async fn roles_among_the_targets_are_read_with_the_facts_of_gates_alone() {
    let role = arn("arn:aws:iam::111122223333:role/ingest");
    let target = Target::Resources(BTreeSet::from([role.clone()]));
    let wire = Wire::new(refusing);
    let account = AwsAccount::new(wire.context(), std::sync::Arc::default());
    let inventory = account.observe(&target, &Reads { gate_facts: true, ..Reads::nothing() }).await;
    assert_eq!(missing(&inventory.path_facts.roles), Some("iam:GetRole"));
    assert_eq!(wire.counted(), ["iam GetRole AccessDenied"]);
    assert!(account.observe(&target, &Reads::nothing()).await.path_facts.is_empty());
}

const NOT_THERE: &str = "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no</Message></Error></ErrorResponse>";

/// Where the listing of all roles is refused, those that steps hang on are read by name, and none is called unreadable; but
/// that they were not listed is told.
#[tokio::test]
async fn a_refused_listing_of_all_roles_takes_nothing_from_those_read_by_name() {
    let (root, role) = (arn("arn:aws:iam::111122223333:root"), arn("arn:aws:iam::111122223333:role/gone"));
    let wire = Wire::new(|seen| if seen.body.contains("Action=GetRole&") { Answer::new(404, NOT_THERE) } else { refusing(seen) });
    let account = AwsAccount::new(wire.context(), std::sync::Arc::default());
    let facts = |targets: &[&Arn]| Target::Resources(targets.iter().map(|arn| (*arn).clone()).collect());
    let reads = Reads { gate_facts: true, ..Reads::nothing() };
    let seen = account.observe(&facts(&[&root, &role]), &reads).await.path_facts;
    assert_eq!((seen.roles.known().map(|roles| roles.contains_key(&role)), seen.all_roles), (Some(true), false));
    assert_eq!(seen.unlisted_roles.map(|why| why.class), Some(ErrorClass::Denied));
    let seen = account.observe(&facts(&[&root]), &reads).await.path_facts;
    assert!(seen.roles.is_not_read() && seen.unlisted_roles.is_some());
}

/// Two regions of one account, two passes.
#[tokio::test]
async fn what_is_global_is_read_once_for_all_scopes_of_a_pass() {
    let wire = Wire::new(refusing);
    let shared = std::sync::Arc::default();
    let east = AwsAccount::new(wire.context(), std::sync::Arc::clone(&shared));
    let west = AwsAccount::new(wire.context().in_region("us-west-2"), shared);
    let global = || wire.counted().iter().filter(|call| call.starts_with("iam ") || call.starts_with("cloudfront ")).count();
    let reads = paths();
    let (first, second) = futures::join!(east.observe(&Target::Everything, &reads), west.observe(&Target::Everything, &reads));
    assert_eq!((&first.path_facts.roles, global()), (&second.path_facts.roles, 2));
    east.observe(&Target::Everything, &reads).await;
    assert_eq!(global(), 4, "a new pass reads them anew");
}
