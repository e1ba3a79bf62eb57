//! Bodies are those of the S3 API reference's examples, with names of ours.

use std::collections::BTreeSet;
use std::sync::Arc;

use everseal_planner::inventory::{BucketEncryption, ErrorClass};
use everseal_planner::plan::{Change, KeyRef, Reads, Target};
use everseal_planner::s3::observed::{BucketNotifications, PublicAccess, ReplicationRule};
use everseal_planner::{Arn, Inventory, Reading, Scope, Service};

use super::BucketListing;
use crate::call::ScopeContext;
use crate::testing::{Answer, Seen, Wire};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

fn xml(root: &str, inner: &str) -> Answer {
    Answer::ok(format!(r#"<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{root}>"#))
}

fn error(status: u16, code: &str) -> Answer {
    let body = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>said {code}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"#
    );
    Answer::new(status, body)
}

fn rule(inner: &str) -> Answer {
    xml("ServerSideEncryptionConfiguration", &format!("<Rule>{inner}</Rule>"))
}

fn sse_s3() -> Answer {
    rule(
        "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled>",
    )
}

fn is(request: &Seen, query: &str) -> bool {
    request.uri.split('?').nth(1).is_some_and(|text| text.split('&').any(|part| part == query))
}

/// Steady state: settings, no facts, no tags.
fn reads() -> Reads {
    Reads { gate_facts: false, path_facts: false, tags_of: BTreeSet::new(), ..Reads::everything() }
}

fn named(bucket: &str) -> Target {
    Target::Resources(BTreeSet::from([arn(bucket)]))
}

fn arn(bucket: &str) -> Arn {
    Arn::parse(&format!("arn:aws:s3:::{bucket}")).unwrap()
}

async fn observe(wire: &Wire, target: &Target, reads: &Reads) -> Inventory {
    super::observe(&wire.context(), &BucketListing::default(), target, reads).await
}

/// Two pages; one bucket of another region.
fn estate(request: &Seen) -> Answer {
    let list = |buckets: &str, token: &str| {
        xml("ListAllMyBucketsResult", &format!("<Owner><ID>AIDACKCEVSQ6C2EXAMPLE</ID></Owner><Buckets>{buckets}</Buckets>{token}"))
    };
    let bucket = |name: &str, region: &str| {
        format!("<Bucket><CreationDate>2019-12-11T23:32:47+00:00</CreationDate>{region}<Name>{name}</Name></Bucket>")
    };
    if is(request, "encryption") {
        sse_s3()
    } else if is(request, "policy") {
        Answer::ok(DOCUMENT)
    } else if request.uri.contains("continuation-token=page2") {
        list(&bucket("orders", "<BucketRegion>us-east-1</BucketRegion>"), "")
    } else {
        let here = bucket("ledger", "<BucketRegion>us-east-1</BucketRegion>");
        let there = bucket("archive", "<BucketRegion>eu-west-1</BucketRegion>");
        list(&format!("{here}{there}"), "<ContinuationToken>page2</ContinuationToken>")
    }
}

#[tokio::test]
async fn lists_all_pages_and_reads_the_buckets_of_its_region_with_two_calls_each() {
    let wire = Wire::new(estate);
    let inventory = observe(&wire, &Target::Everything, &reads()).await;

    assert_eq!(inventory.buckets.keys().map(Arn::name).collect::<Vec<_>>(), ["ledger", "orders"]);
    assert!(inventory.unlisted.is_empty());
    let bucket = &inventory.buckets[&arn("orders")];
    let expected = BucketEncryption { algorithm: "AES256".to_owned(), kms_key: None, bucket_key: false, blocked_encryption_types: None };
    assert_eq!(bucket.encryption, Reading::Known(Some(expected)));
    assert_eq!(bucket.document, Reading::Known(Some(DOCUMENT.to_owned())));
    assert!(bucket.website.is_not_read() && bucket.tags.is_not_read());
    let mut counted = wire.counted();
    counted.sort();
    assert_eq!(
        counted,
        [
            "s3 GetBucketEncryption OK",
            "s3 GetBucketEncryption OK",
            "s3 GetBucketPolicy OK",
            "s3 GetBucketPolicy OK",
            "s3 ListBuckets OK",
            "s3 ListBuckets OK"
        ]
    );
    let owners = wire.seen().into_iter().filter(|request| is(request, "policy") || is(request, "encryption"));
    assert!(owners.into_iter().all(|request| request.header("x-amz-expected-bucket-owner") == Some("111122223333")));
    assert!(wire.seen()[0].uri.contains("max-buckets=1000"), "only then S3 tells regions and pages");
}

/// A server that tells no regions; `filters` says whether it lists by region when asked.
fn regionless(filters: bool) -> Wire {
    Wire::new(move |request| {
        let all = [("ledger", "us-east-1"), ("orders", "us-east-1"), ("archive", "eu-west-1")];
        if request.method == "HEAD" {
            let name = all.iter().find(|(name, _)| request.uri.contains(&format!("/{name}"))).unwrap();
            return Answer::ok("").header("x-amz-bucket-region", name.1);
        }
        if !request.uri.contains("max-buckets") {
            return estate(request);
        }
        let asked = |region: &str| !request.uri.contains("bucket-region=") || request.uri.contains(&format!("bucket-region={region}"));
        let listed = all.iter().filter(|(_, region)| !filters || asked(region));
        let buckets: Vec<String> = listed.map(|(name, _)| format!("<Bucket><Name>{name}</Name></Bucket>")).collect();
        xml("ListAllMyBucketsResult", &format!("<Buckets>{}</Buckets>", buckets.concat()))
    })
}

#[tokio::test]
async fn buckets_without_region_are_placed_with_few_calls_where_the_server_lists_by_region() {
    let wire = regionless(true);
    let inventory = observe(&wire, &Target::Everything, &reads()).await;
    assert_eq!(inventory.buckets.keys().map(Arn::name).collect::<Vec<_>>(), ["ledger", "orders"]);
    assert_eq!(wire.counted().iter().filter(|attempt| attempt.contains("HeadBucket")).count(), 1);
    assert_eq!(wire.counted().iter().filter(|attempt| attempt.contains("ListBuckets")).count(), 3);
}

#[tokio::test]
async fn buckets_without_region_are_asked_one_by_one_where_the_server_ignores_the_filter() {
    let wire = regionless(false);
    let inventory = observe(&wire, &Target::Everything, &reads()).await;
    assert_eq!(inventory.buckets.keys().map(Arn::name).collect::<Vec<_>>(), ["ledger", "orders"]);
}

fn elsewhere(wire: &Wire, region: &str) -> ScopeContext {
    let scope = Scope { partition: "aws".to_owned(), account: "111122223333".to_owned(), region: region.to_owned() };
    ScopeContext::new(scope, &wire.sdk(), Arc::new(wire.clone()))
}

#[tokio::test]
async fn scopes_of_an_account_share_one_listing_per_pass() {
    let wire = Wire::new(estate);
    let (listing, here, there) = (BucketListing::default(), wire.context(), elsewhere(&wire, "eu-west-1"));
    let reads = reads();
    let lists = || wire.seen().iter().filter(|request| request.uri.contains("max-buckets")).count();
    for pass in 1..=3 {
        let (ours, theirs) = futures::join!(
            super::observe(&here, &listing, &Target::Everything, &reads),
            super::observe(&there, &listing, &Target::Everything, &reads)
        );
        assert_eq!(ours.buckets.len(), 2);
        assert_eq!(theirs.buckets.keys().map(Arn::name).collect::<Vec<_>>(), ["archive"]);
        assert_eq!(lists(), pass * 2, "two pages a pass, not four");
    }
}

#[tokio::test]
async fn s3_names_the_region_even_where_it_refuses() {
    for (status, code) in [(301, "PermanentRedirect"), (403, "AccessDenied")] {
        let wire = Wire::new(move |request| {
            if request.method == "HEAD" {
                Answer::new(status, "").header("x-amz-bucket-region", "us-east-1").header("x-amz-error-code", code)
            } else if request.uri.contains("max-buckets") {
                xml("ListAllMyBucketsResult", "<Buckets><Bucket><Name>ledger</Name></Bucket></Buckets>")
            } else {
                estate(request)
            }
        });
        let inventory = observe(&wire, &Target::Everything, &reads()).await;
        assert_eq!(inventory.buckets.len(), 1, "{code}");
        assert!(inventory.unlisted.is_empty());
    }
}

#[tokio::test]
async fn a_bucket_that_cannot_be_placed_is_said_to_be_unlisted() {
    let wire = Wire::new(|request| {
        if request.method == "HEAD" {
            Answer::new(403, "")
        } else {
            xml("ListAllMyBucketsResult", "<Buckets><Bucket><Name>x</Name></Bucket></Buckets>")
        }
    });
    let inventory = observe(&wire, &Target::Everything, &reads()).await;
    assert!(inventory.buckets.is_empty());
    assert_eq!(inventory.unlisted[&Service::S3].missing_action.as_deref(), Some("s3:ListBucket"));
}

#[tokio::test]
async fn a_denied_listing_is_unlisted_and_names_the_permission() {
    let wire = Wire::new(|_| error(403, "AccessDenied"));
    let inventory = observe(&wire, &Target::Everything, &reads()).await;
    assert!(inventory.buckets.is_empty());
    let unlisted = &inventory.unlisted[&Service::S3];
    assert_eq!((unlisted.class, unlisted.missing_action.as_deref()), (ErrorClass::Denied, Some("s3:ListAllMyBuckets")));
}

#[tokio::test]
async fn what_was_listed_before_a_page_failed_is_read_all_the_same() {
    let wire = Wire::new(|request| if request.uri.contains("page2") { error(403, "AccessDenied") } else { estate(request) });
    let inventory = observe(&wire, &Target::Everything, &reads()).await;
    assert_eq!(inventory.buckets.keys().map(Arn::name).collect::<Vec<_>>(), ["ledger"]);
    assert!(inventory.unlisted.contains_key(&Service::S3));
}

#[tokio::test]
async fn one_denied_setting_leaves_the_other() {
    let wire = Wire::new(|request| if is(request, "policy") { error(403, "AccessDenied") } else { sse_s3() });
    let inventory = observe(&wire, &named("ledger"), &reads()).await;
    let bucket = &inventory.buckets[&arn("ledger")];
    assert!(bucket.encryption.known().is_some());
    let Reading::Unreadable { unreadable } = &bucket.document else { panic!("{:?}", bucket.document) };
    assert_eq!(unreadable.class, ErrorClass::Denied);
    assert_eq!(unreadable.operation, "GetBucketPolicy");
    assert_eq!(unreadable.missing_action.as_deref(), Some("s3:GetBucketPolicy"));
    assert_eq!(unreadable.message, "said AccessDenied");
}

#[tokio::test]
async fn the_iam_action_is_named_where_it_differs_from_the_operation() {
    let wire = Wire::new(|request| if is(request, "encryption") { error(403, "AccessDenied") } else { Answer::ok(DOCUMENT) });
    let inventory = observe(&wire, &named("ledger"), &reads()).await;
    let Reading::Unreadable { unreadable } = &inventory.buckets[&arn("ledger")].encryption else { panic!() };
    assert_eq!(unreadable.missing_action.as_deref(), Some("s3:GetEncryptionConfiguration"));
}

#[tokio::test]
async fn a_bucket_without_rule_or_policy_has_none_of_them() {
    let wire = Wire::new(|request| {
        if is(request, "policy") { error(404, "NoSuchBucketPolicy") } else { error(404, "ServerSideEncryptionConfigurationNotFoundError") }
    });
    let inventory = observe(&wire, &named("ledger"), &reads()).await;
    let bucket = &inventory.buckets[&arn("ledger")];
    assert_eq!((&bucket.encryption, &bucket.document), (&Reading::Known(None), &Reading::Known(None)));
}

#[tokio::test]
async fn a_deleted_bucket_and_one_of_another_region_are_left_out() {
    for answer in [error(404, "NoSuchBucket"), error(301, "PermanentRedirect").header("x-amz-bucket-region", "eu-west-1")] {
        let wire = Wire::new(move |_| answer.clone());
        let inventory = observe(&wire, &named("ledger"), &reads()).await;
        assert!(inventory.buckets.is_empty() && inventory.unlisted.is_empty());
    }
}

#[tokio::test]
async fn a_missing_bucket_is_not_taken_for_one_without_policy() {
    let wire = Wire::new(|request| if is(request, "policy") { error(404, "NoSuchThing") } else { sse_s3() });
    let inventory = observe(&wire, &named("ledger"), &reads()).await;
    assert!(matches!(inventory.buckets[&arn("ledger")].document, Reading::Unreadable { .. }));
}

#[tokio::test]
async fn the_rule_is_read_whole() {
    let wire = Wire::new(|request| {
        if is(request, "policy") {
            return Answer::ok(DOCUMENT);
        }
        rule(&format!(
            "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms:dsse</SSEAlgorithm><KMSMasterKeyID>{KEY}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault>\
             <BucketKeyEnabled>true</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
        ))
    });
    let inventory = observe(&wire, &named("ledger"), &reads()).await;
    let expected = BucketEncryption {
        algorithm: "aws:kms:dsse".to_owned(),
        kms_key: Some(KEY.to_owned()),
        bucket_key: true,
        blocked_encryption_types: Some(BTreeSet::from(["SSE-C".to_owned()])),
    };
    assert_eq!(inventory.buckets[&arn("ledger")].encryption, Reading::Known(Some(expected)));
}

#[tokio::test]
async fn an_algorithm_that_is_younger_than_this_program_is_kept_as_it_is() {
    let wire = Wire::new(|request| {
        if is(request, "policy") {
            return Answer::ok(DOCUMENT);
        }
        rule("<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:quantum</SSEAlgorithm></ApplyServerSideEncryptionByDefault>")
    });
    let inventory = observe(&wire, &named("ledger"), &reads()).await;
    let encryption = inventory.buckets[&arn("ledger")].encryption.known().unwrap().as_ref().unwrap();
    assert_eq!(encryption.algorithm, "aws:quantum");
}

#[tokio::test]
async fn only_what_a_policy_asks_for_is_called() {
    let wire = Wire::new(|_| sse_s3());
    let inventory = observe(&wire, &named("ledger"), &Reads { bucket_documents: false, ..reads() }).await;
    assert!(inventory.buckets[&arn("ledger")].document.is_not_read());
    assert_eq!(wire.counted(), ["s3 GetBucketEncryption OK"]);
}

fn with_facts(request: &Seen) -> Answer {
    let query = request.uri.split('?').nth(1).unwrap_or_default();
    match query {
        "encryption" => sse_s3(),
        "policy" => Answer::ok(DOCUMENT),
        "website" => xml("WebsiteConfiguration", "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"),
        "acl" => xml(
            "AccessControlPolicy",
            r#"<Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Owner><AccessControlList><Grant>
               <Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>http://acs.amazonaws.com/groups/s3/LogDelivery</URI></Grantee>
               <Permission>WRITE</Permission></Grant></AccessControlList>"#,
        ),
        "replication" => xml(
            "ReplicationConfiguration",
            "<Role>arn:aws:iam::111122223333:role/replicate</Role>\
             <Rule><ID>all</ID><Status>Enabled</Status><Priority>1</Priority><Filter><Prefix></Prefix></Filter>\
             <SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>\
             <Destination><Bucket>arn:aws:s3:::copy</Bucket><EncryptionConfiguration><ReplicaKmsKeyID>replica-key</ReplicaKmsKeyID></EncryptionConfiguration></Destination></Rule>\
             <Rule><ID>old</ID><Status>Disabled</Status><Prefix></Prefix><Destination><Bucket>arn:aws:s3:::old</Bucket></Destination></Rule>",
        ),
        "notification" => xml(
            "NotificationConfiguration",
            "<QueueConfiguration><Id>1</Id><Queue>arn:aws:sqs:us-east-1:111122223333:events</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>\
             <TopicConfiguration><Id>2</Id><Topic>arn:aws:sns:us-east-1:111122223333:events</Topic><Event>s3:ObjectCreated:Put</Event></TopicConfiguration>\
             <EventBridgeConfiguration/>",
        ),
        "logging" => xml(
            "BucketLoggingStatus",
            "<LoggingEnabled><TargetBucket>access-logs</TargetBucket><TargetPrefix>ledger/</TargetPrefix></LoggingEnabled>",
        ),
        "policyStatus" => xml("PolicyStatus", "<IsPublic>true</IsPublic>"),
        "publicAccessBlock" => xml("PublicAccessBlockConfiguration", "<BlockPublicPolicy>true</BlockPublicPolicy>"),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn facts_of_gates_are_read_where_they_are_asked_for() {
    let wire = Wire::new(with_facts);
    let inventory = observe(&wire, &named("ledger"), &Reads { gate_facts: true, ..reads() }).await;
    let bucket = &inventory.buckets[&arn("ledger")];
    assert_eq!((&bucket.website, &bucket.log_delivery_acl), (&Reading::Known(true), &Reading::Known(true)));
    let replicates = ReplicationRule {
        id: "all".to_owned(),
        destination: "arn:aws:s3:::copy".to_owned(),
        replicates_kms_objects: true,
        replica_kms_key: Some("replica-key".to_owned()),
        role: Some(Arn::parse("arn:aws:iam::111122223333:role/replicate").unwrap()),
    };
    assert_eq!(bucket.replication, Reading::Known(vec![replicates]), "a disabled rule replicates nothing");
    let targets = ["arn:aws:sns:us-east-1:111122223333:events", "arn:aws:sqs:us-east-1:111122223333:events"];
    let targets = targets.map(|target| Arn::parse(target).unwrap()).to_vec();
    assert_eq!(bucket.notifications, Reading::Known(BucketNotifications { targets, event_bridge: true }));
    assert_eq!(bucket.public_access, Reading::Known(PublicAccess { policy_is_public: true, block_public_policy: true }));
    assert_eq!(wire.counted().len(), 8);
}

/// No rule about documents: whether logs are delivered, and who reads the bucket, stands in it all the same.
#[tokio::test]
async fn the_document_is_among_the_facts_of_gates() {
    let wire = Wire::new(with_facts);
    let inventory = observe(&wire, &named("ledger"), &Reads { gate_facts: true, bucket_documents: false, ..reads() }).await;
    assert_eq!(inventory.buckets[&arn("ledger")].document, Reading::Known(Some(DOCUMENT.to_owned())));
}

#[tokio::test]
async fn for_paths_only_what_paths_need_is_read() {
    let wire = Wire::new(with_facts);
    let inventory = observe(&wire, &named("ledger"), &Reads { path_facts: true, ..reads() }).await;
    let bucket = &inventory.buckets[&arn("ledger")];
    assert_eq!(bucket.logging_target, Reading::Known(Some("access-logs".to_owned())));
    assert_eq!(
        (bucket.replication.known().map(Vec::len), bucket.notifications.known().map(|found| found.targets.len())),
        (Some(1), Some(2))
    );
    assert!(bucket.website.is_not_read() && bucket.log_delivery_acl.is_not_read() && bucket.public_access.is_not_read());
    assert_eq!(wire.counted().len(), 5, "encryption, policy, and three facts: {:?}", wire.counted());
}

/// S3 answers an empty element where logging is off. [s3:GetBucketLogging]
#[tokio::test]
async fn logging_that_is_off_is_known_and_logging_that_is_denied_is_not() {
    let off = xml("BucketLoggingStatus", "");
    for (answer, expected) in [(off, Some(None)), (Answer::ok(""), Some(None)), (error(403, "AccessDenied"), None)] {
        let wire = Wire::new(move |request| if is(request, "logging") { answer.clone() } else { with_facts(request) });
        let inventory = observe(&wire, &named("ledger"), &Reads { path_facts: true, ..reads() }).await;
        let bucket = &inventory.buckets[&arn("ledger")];
        assert_eq!(bucket.logging_target.known(), expected.as_ref());
        assert!(bucket.notifications.known().is_some(), "one that is denied leaves the others");
        if let Reading::Unreadable { unreadable } = &bucket.logging_target {
            assert_eq!(unreadable.missing_action.as_deref(), Some("s3:GetBucketLogging"));
        }
    }
}

#[tokio::test]
async fn facts_that_are_not_configured_are_known_to_be_absent() {
    let wire = Wire::new(|request| match request.uri.split('?').nth(1).unwrap_or_default() {
        "website" => error(404, "NoSuchWebsiteConfiguration"),
        "replication" => error(404, "ReplicationConfigurationNotFoundError"),
        "publicAccessBlock" => error(404, "NoSuchPublicAccessBlockConfiguration"),
        "policy" | "policyStatus" => error(404, "NoSuchBucketPolicy"),
        "notification" => xml("NotificationConfiguration", ""),
        "acl" => xml("AccessControlPolicy", "<Owner><ID>75aa57</ID></Owner><AccessControlList></AccessControlList>"),
        _ => sse_s3(),
    });
    let inventory = observe(&wire, &named("ledger"), &Reads { gate_facts: true, ..reads() }).await;
    let bucket = &inventory.buckets[&arn("ledger")];
    assert_eq!((&bucket.website, &bucket.log_delivery_acl), (&Reading::Known(false), &Reading::Known(false)));
    assert_eq!(bucket.replication, Reading::Known(vec![]));
    assert_eq!(bucket.notifications, Reading::Known(BucketNotifications::default()));
    assert_eq!(bucket.public_access, Reading::Known(PublicAccess { policy_is_public: false, block_public_policy: false }));
}

#[tokio::test]
async fn an_answer_without_body_has_no_notifications_and_a_page_of_a_proxy_is_unreadable() {
    for (body, known) in [("", true), ("<html>please log in</html>", false)] {
        let wire = Wire::new(move |request| if is(request, "notification") { Answer::ok(body) } else { with_facts(request) });
        let inventory = observe(&wire, &named("ledger"), &Reads { gate_facts: true, ..reads() }).await;
        let notifications = &inventory.buckets[&arn("ledger")].notifications;
        assert_eq!(notifications.known().is_some(), known, "{notifications:?}");
    }
}

#[tokio::test]
async fn buckets_share_the_connections_of_one_host() {
    let wire = Wire::new(estate);
    observe(&wire, &Target::Everything, &reads()).await;
    assert!(wire.seen().iter().all(|request| request.uri.starts_with("s3.us-east-1.amazonaws.com/")));
}

#[tokio::test]
async fn a_denied_fact_is_unreadable_and_never_absent() {
    let wire = Wire::new(|request| if is(request, "website") { error(403, "AccessDenied") } else { with_facts(request) });
    let inventory = observe(&wire, &named("ledger"), &Reads { gate_facts: true, ..reads() }).await;
    let Reading::Unreadable { unreadable } = &inventory.buckets[&arn("ledger")].website else { panic!() };
    assert_eq!(unreadable.missing_action.as_deref(), Some("s3:GetBucketWebsite"));
}

fn encryption_change(after: BucketEncryption, waits_for: Option<KeyRef>) -> Change {
    Change::BucketEncryption { bucket: "ledger".to_owned(), before: None, after, waits_for }
}

async fn apply(wire: &Wire, change: &Change) -> Result<(), everseal_controller::ApplyError> {
    super::apply(&wire.context(), &arn("ledger"), change).await
}

#[tokio::test]
async fn the_whole_rule_is_written() {
    let wire = Wire::new(|_| Answer::ok(""));
    let after = BucketEncryption {
        algorithm: "aws:kms".to_owned(),
        kms_key: Some(KEY.to_owned()),
        bucket_key: true,
        blocked_encryption_types: Some(BTreeSet::from(["SSE-C".to_owned()])),
    };
    apply(&wire, &encryption_change(after, None)).await.unwrap();
    let [request] = wire.seen().try_into().unwrap();
    assert_eq!((request.method.as_str(), is(&request, "encryption")), ("PUT", true));
    assert_eq!(request.header("x-amz-expected-bucket-owner"), Some("111122223333"));
    assert_eq!(
        request.body,
        format!(
            r#"<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{KEY}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>"#
        )
    );
}

#[tokio::test]
async fn a_rule_without_blocked_types_is_written_without_them() {
    let wire = Wire::new(|_| Answer::ok(""));
    for blocked_encryption_types in [None, Some(BTreeSet::new())] {
        let after = BucketEncryption { algorithm: "AES256".to_owned(), kms_key: None, bucket_key: false, blocked_encryption_types };
        apply(&wire, &encryption_change(after, None)).await.unwrap();
    }
    assert!(wire.seen().iter().all(|request| !request.body.contains("Blocked") && !request.body.contains("KMSMasterKeyID")));
}

#[tokio::test]
async fn a_step_that_waits_for_a_key_writes_nothing() {
    let wire = Wire::new(|_| Answer::ok(""));
    let after = BucketEncryption { algorithm: "aws:kms".to_owned(), kms_key: None, bucket_key: true, blocked_encryption_types: None };
    let change = encryption_change(after, Some(KeyRef::ToBeCreated { alias: "alias/finance".to_owned() }));
    let refused = apply(&wire, &change).await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::Conflict);
    assert!(wire.seen().is_empty());
}

#[tokio::test]
async fn the_whole_policy_is_written_as_the_step_holds_it() {
    let wire = Wire::new(|_| Answer::new(204, ""));
    let change = Change::BucketDocument { bucket: "ledger".to_owned(), before: None, after: DOCUMENT.to_owned() };
    apply(&wire, &change).await.unwrap();
    let [request] = wire.seen().try_into().unwrap();
    assert_eq!((request.method.as_str(), request.body.as_str(), is(&request, "policy")), ("PUT", DOCUMENT, true));
}

#[tokio::test]
async fn a_refused_write_names_permission_and_class() {
    for (status, code, class, action) in [
        (403, "AccessDenied", ErrorClass::Denied, Some("s3:PutBucketPolicy")),
        (409, "OperationAborted", ErrorClass::Conflict, None),
        (400, "MalformedPolicy", ErrorClass::Invalid, None),
        (404, "NoSuchBucket", ErrorClass::NotFound, None),
        (405, "MethodNotAllowed", ErrorClass::Denied, None),
    ] {
        let wire = Wire::new(move |_| error(status, code));
        let change = Change::BucketDocument { bucket: "ledger".to_owned(), before: None, after: DOCUMENT.to_owned() };
        let refused = apply(&wire, &change).await.unwrap_err();
        assert_eq!((refused.class, refused.missing_action.as_deref()), (class, action), "{code}");
        assert_eq!((refused.operation.as_str(), refused.code.as_str()), ("PutBucketPolicy", code));
    }
}
