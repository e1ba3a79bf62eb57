//! What leaves a bucket by itself: notifications, replicas, access logs, pages.

use serde_json::Value;

use super::{ADMINISTRATOR, code, deny_http, document, pass, refusal, root};
use crate::s3::BucketSetup;
use crate::tally::Count;
use crate::testing::{ACCOUNT, REGION, administrator, world};
use crate::world::World;

const DATA: &str = "arn:aws:s3:::data";
const DELEGATES: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;
const S3_USES: &str = r#"{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}"#;

fn with_bucket(setup: &BucketSetup) -> World {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "data", setup).unwrap();
    world
}

fn count(world: &World, from: &str, to: &str) -> (u64, u64) {
    let Count { delivered, lost, refused } = world.tally.hops().get(&(from.to_owned(), to.to_owned())).copied().unwrap_or_default();
    assert_eq!(refused, 0, "S3 does not try again");
    (delivered, lost)
}

/// A queue that S3 may send to from the bucket.
fn open_queue(world: &mut World, name: &str) -> String {
    let queue = world.create_queue(ACCOUNT, REGION, name);
    let statement = format!(
        r#"{{"Effect":"Allow","Principal":{{"Service":"s3.amazonaws.com"}},"Action":"sqs:SendMessage","Resource":"{queue}","Condition":{{"ArnEquals":{{"aws:SourceArn":"{DATA}"}},"StringEquals":{{"aws:SourceAccount":"{ACCOUNT}"}}}}}}"#
    );
    world.set_queue_attributes(&queue, &[("Policy", &document(&[&statement]))]).unwrap();
    queue
}

fn notify(queue: &str, events: &[&str], rules: &[(&str, &str)]) -> String {
    let events: String = events.iter().fold(String::new(), |text, event| text + &format!("<Event>{event}</Event>"));
    let rules: String = rules
        .iter()
        .fold(String::new(), |text, (name, value)| text + &format!("<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>"));
    format!("<QueueConfiguration><Id>one</Id><Queue>{queue}</Queue>{events}<Filter><S3Key>{rules}</S3Key></Filter></QueueConfiguration>")
}

fn put_notifications(world: &mut World, inner: &str) -> crate::http::Reply {
    ADMINISTRATOR.put(world, "/data?notification", &format!("<NotificationConfiguration>{inner}</NotificationConfiguration>"))
}

#[test]
fn a_queue_hears_of_new_objects() {
    let mut world = with_bucket(&BucketSetup::default());
    let queue = open_queue(&mut world, "events");
    assert_eq!(
        put_notifications(&mut world, &notify(&queue, &["s3:ObjectCreated:*"], &[("prefix", "in/"), ("suffix", ".csv")])).status,
        200
    );
    let test: Value = serde_json::from_str(&world.queue_bodies(&queue)[0]).unwrap();
    assert_eq!((test["Event"].as_str(), test["Bucket"].as_str()), (Some("s3:TestEvent"), Some("data")));
    for key in ["in/a%20b+c.csv", "in/a.txt", "out/a.csv"] {
        ADMINISTRATOR.put(&mut world, &format!("/data/{key}"), "12345");
    }
    assert_eq!(world.queue_bodies(&queue).len(), 1, "it takes a moment");
    pass(&mut world, 2);
    let bodies = world.queue_bodies(&queue);
    assert_eq!(bodies.len(), 2);
    let body: Value = serde_json::from_str(&bodies[1]).unwrap();
    let record = &body["Records"][0];
    assert_eq!(record["eventSource"], "aws:s3");
    assert_eq!(record["eventName"], "ObjectCreated:Put");
    assert_eq!(record["awsRegion"], REGION);
    assert_eq!(record["s3"]["configurationId"], "one");
    assert_eq!(record["s3"]["bucket"]["name"], "data");
    assert_eq!(record["s3"]["bucket"]["arn"], DATA);
    assert_eq!(record["s3"]["object"]["key"], "in/a+b%2Bc.csv");
    assert_eq!(record["s3"]["object"]["size"], 5);
    assert_eq!(count(&world, DATA, &queue), (1, 0));
}

#[test]
fn removal_is_told_to_who_asked() {
    let mut world = with_bucket(&BucketSetup { versioned: true, ..BucketSetup::default() });
    let queue = open_queue(&mut world, "events");
    put_notifications(&mut world, &notify(&queue, &["s3:ObjectRemoved:*"], &[]));
    ADMINISTRATOR.put(&mut world, "/data/key", "x");
    ADMINISTRATOR.send(&mut world, "DELETE /data/key", &[], "");
    pass(&mut world, 2);
    let bodies = world.queue_bodies(&queue);
    assert_eq!(bodies.len(), 2);
    assert!(bodies[1].contains("ObjectRemoved:DeleteMarkerCreated"));
}

#[test]
fn a_destination_that_s3_may_not_use_is_refused() {
    let mut world = with_bucket(&BucketSetup::default());
    let closed = world.create_queue(ACCOUNT, REGION, "closed");
    let wrong = put_notifications(&mut world, &notify(&closed, &["s3:ObjectCreated:*"], &[]));
    assert_eq!(refusal(&wrong), code(400, "InvalidArgument"));
    assert_eq!(root(&wrong).value("Message"), Some("Unable to validate the following destination configurations"));
    let none = put_notifications(&mut world, &notify("arn:aws:sqs:us-east-1:111122223333:none", &["s3:ObjectCreated:*"], &[]));
    assert_eq!(refusal(&none), code(400, "InvalidArgument"));
    assert!(root(&ADMINISTRATOR.get(&mut world, "/data?notification")).first("QueueConfiguration").is_none(), "nothing was written");
    let queue = open_queue(&mut world, "sealed");
    let key = world.create_key(ACCOUNT, REGION, Some(&document(&[DELEGATES]))).unwrap();
    world.set_queue_attributes(&queue, &[("KmsMasterKeyId", &key)]).unwrap();
    assert_eq!(refusal(&put_notifications(&mut world, &notify(&queue, &["s3:ObjectCreated:*"], &[]))), code(400, "InvalidArgument"));
    world.put_key_document(&key, &document(&[DELEGATES, S3_USES])).unwrap();
    assert_eq!(put_notifications(&mut world, &notify(&queue, &["s3:ObjectCreated:*"], &[])).status, 200);
}

#[test]
fn a_queue_that_is_sealed_without_letting_s3_use_its_key_loses_messages() {
    let mut world = with_bucket(&BucketSetup::default());
    let queue = open_queue(&mut world, "events");
    put_notifications(&mut world, &notify(&queue, &["s3:ObjectCreated:*"], &[]));
    let key = world.create_key(ACCOUNT, REGION, Some(&document(&[DELEGATES]))).unwrap();
    world.set_queue_attributes(&queue, &[("KmsMasterKeyId", &key)]).unwrap();
    pass(&mut world, 120);
    ADMINISTRATOR.put(&mut world, "/data/lost", "x");
    pass(&mut world, 2);
    assert_eq!(count(&world, DATA, &queue), (0, 1));
    world.put_key_document(&key, &document(&[DELEGATES, S3_USES])).unwrap();
    ADMINISTRATOR.put(&mut world, "/data/told", "x");
    pass(&mut world, 2);
    assert_eq!(count(&world, DATA, &queue), (1, 1));
}

#[test]
fn one_event_is_not_told_twice() {
    let mut world = with_bucket(&BucketSetup::default());
    let (one, two) = (open_queue(&mut world, "one"), open_queue(&mut world, "two"));
    let overlap = notify(&one, &["s3:ObjectCreated:*"], &[]) + &notify(&two, &["s3:ObjectCreated:Put"], &[("prefix", "in/")]);
    assert_eq!(refusal(&put_notifications(&mut world, &overlap)), code(400, "InvalidArgument"));
    let apart = notify(&one, &["s3:ObjectCreated:*"], &[("prefix", "a/")]) + &notify(&two, &["s3:ObjectCreated:*"], &[("prefix", "b/")]);
    assert_eq!(put_notifications(&mut world, &apart).status, 200);
    assert_eq!(refusal(&put_notifications(&mut world, &notify(&one, &["s3:Nonsense"], &[]))), code(400, "InvalidArgument"));
    assert_eq!(put_notifications(&mut world, "").status, 200);
    assert!(root(&ADMINISTRATOR.get(&mut world, "/data?notification")).is_empty());
}

#[test]
fn event_bridge_hears_of_everything() {
    let mut world = with_bucket(&BucketSetup::default());
    assert_eq!(put_notifications(&mut world, "<EventBridgeConfiguration/>").status, 200);
    assert!(root(&ADMINISTRATOR.get(&mut world, "/data?notification")).first("EventBridgeConfiguration").is_some());
    ADMINISTRATOR.put(&mut world, "/data/key", "x");
    ADMINISTRATOR.send(&mut world, "DELETE /data/key", &[], "");
    pass(&mut world, 2);
    assert_eq!(count(&world, DATA, "arn:aws:events:us-east-1:111122223333:event-bus/default"), (2, 0));
}

#[test]
fn access_logs_reach_only_targets_that_kms_does_not_seal() {
    let lets_in = document(&[
        &deny_http("logs"),
        r#"{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::data"}}}"#,
    ]);
    let mut world = with_bucket(&BucketSetup { logs_to: Some("logs".to_owned()), ..BucketSetup::default() });
    world.create_bucket(ACCOUNT, REGION, "logs", &BucketSetup { document: Some(lets_in), ..BucketSetup::default() }).unwrap();
    ADMINISTRATOR.put(&mut world, "/data/key", "x");
    pass(&mut world, 3601);
    assert_eq!(count(&world, DATA, "arn:aws:s3:::logs"), (1, 0));
    let key = &world.object_keys("logs")[0];
    assert!(key.starts_with("data/2027-01-15-09-00-00-"), "{key}");
    let log = world.get_object(&administrator(ACCOUNT), "logs", key).unwrap();
    assert!(std::str::from_utf8(&log).unwrap().contains("REST.PUT.OBJECT key 200"));
    let rule = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>\
        </ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";
    ADMINISTRATOR.put(&mut world, "/logs?encryption", rule);
    ADMINISTRATOR.get(&mut world, "/data/key");
    pass(&mut world, 3601);
    assert_eq!(count(&world, DATA, "arn:aws:s3:::logs"), (1, 1));
}

#[test]
fn access_logs_need_to_be_let_in_by_policy_or_acl() {
    let mut world = with_bucket(&BucketSetup::default());
    world.create_bucket(ACCOUNT, REGION, "logs", &BucketSetup::default()).unwrap();
    let enabled = "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>p/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>";
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data?logging", enabled).status, 200);
    assert_eq!(root(&ADMINISTRATOR.get(&mut world, "/data?logging")).at("LoggingEnabled/TargetPrefix"), Some("p/"));
    pass(&mut world, 3601);
    let (delivered, lost) = count(&world, DATA, "arn:aws:s3:::logs");
    assert_eq!((delivered, lost), (0, 1));
    let ownership = "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    ADMINISTRATOR.put(&mut world, "/logs?ownershipControls", ownership);
    ADMINISTRATOR.send(&mut world, "PUT /logs?acl", &[("x-amz-acl", "log-delivery-write")], "");
    ADMINISTRATOR.put(&mut world, "/data/key", "x");
    pass(&mut world, 3601);
    assert_eq!(count(&world, DATA, "arn:aws:s3:::logs"), (1, 1));
}

/// Buckets `data` and `copy`, with replication by a role that may do what it must with objects.
fn replicated(kms: bool) -> (World, String) {
    let mut world = with_bucket(&BucketSetup { versioned: true, ..BucketSetup::default() });
    world.create_bucket(ACCOUNT, REGION, "copy", &BucketSetup { versioned: true, ..BucketSetup::default() }).unwrap();
    let trust = document(&[r#"{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}"#]);
    let role = world.create_role(ACCOUNT, "replication", &trust).unwrap();
    let objects = document(&[r#"{"Effect":"Allow","Action":["s3:GetObjectVersionForReplication","s3:ReplicateObject"],"Resource":"*"}"#]);
    world.put_role_policy(ACCOUNT, "replication", "objects", &objects).unwrap();
    let key = world.create_key(ACCOUNT, REGION, Some(&document(&[DELEGATES]))).unwrap();
    let criteria = if kms {
        "<SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>"
    } else {
        ""
    };
    let encryption = if kms {
        format!("<EncryptionConfiguration><ReplicaKmsKeyID>{key}</ReplicaKmsKeyID></EncryptionConfiguration>")
    } else {
        String::new()
    };
    let configuration = format!(
        "<ReplicationConfiguration><Role>{role}</Role><Rule><ID>all</ID><Priority>1</Priority><Status>Enabled</Status>\
         <Filter><Prefix></Prefix></Filter>{criteria}<Destination><Bucket>arn:aws:s3:::copy</Bucket>{encryption}</Destination>\
         </Rule></ReplicationConfiguration>"
    );
    let put = ADMINISTRATOR.put(&mut world, "/data?replication", &configuration);
    assert_eq!(put.status, 200, "{:?}", put.body);
    (world, key)
}

fn put_sealed(world: &mut World, key: &str) {
    let headers = [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", key)];
    assert_eq!(ADMINISTRATOR.send(world, "PUT /data/sealed", &headers, "text").status, 200);
}

#[test]
fn objects_are_replicated_once() {
    let (mut world, _) = replicated(false);
    ADMINISTRATOR.put(&mut world, "/data/key", "text");
    assert!(world.object_keys("copy").is_empty());
    pass(&mut world, 16);
    assert_eq!(&ADMINISTRATOR.get(&mut world, "/copy/key").body[..], b"text");
    assert_eq!(count(&world, DATA, "arn:aws:s3:::copy"), (1, 0));
}

#[test]
fn sealed_objects_are_not_replicated_unless_the_rule_says_so() {
    let (mut world, key) = replicated(false);
    put_sealed(&mut world, &key);
    pass(&mut world, 16);
    assert!(world.object_keys("copy").is_empty());
    assert_eq!(count(&world, DATA, "arn:aws:s3:::copy"), (0, 1));
}

#[test]
fn replicating_sealed_objects_takes_both_keys() {
    let (mut world, key) = replicated(true);
    put_sealed(&mut world, &key);
    pass(&mut world, 16);
    assert_eq!(count(&world, DATA, "arn:aws:s3:::copy"), (0, 1), "the role may not use the key yet");
    let keys = document(&[r#"{"Effect":"Allow","Action":["kms:Decrypt","kms:Encrypt"],"Resource":"*"}"#]);
    world.put_role_policy(ACCOUNT, "replication", "keys", &keys).unwrap();
    put_sealed(&mut world, &key);
    pass(&mut world, 16);
    assert_eq!(count(&world, DATA, "arn:aws:s3:::copy"), (1, 1));
    let head = ADMINISTRATOR.send(&mut world, "HEAD /copy/sealed", &[], "");
    assert_eq!(super::header(&head, "x-amz-server-side-encryption-aws-kms-key-id"), Some(key.as_str()));
}

#[test]
fn replication_needs_versions_on_both_sides() {
    let mut world = with_bucket(&BucketSetup::default());
    let rule = "<ReplicationConfiguration><Role>arn:aws:iam::111122223333:role/r</Role><Rule><Status>Enabled</Status>\
        <Destination><Bucket>arn:aws:s3:::copy</Bucket></Destination></Rule></ReplicationConfiguration>";
    assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, "/data?replication", rule)), code(400, "InvalidRequest"));
    ADMINISTRATOR.put(&mut world, "/data?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
    assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, "/data?replication", rule)), code(400, "InvalidRequest"), "no destination");
}

#[test]
fn requiring_tls_silences_a_website() {
    let public = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}"#;
    let setup =
        BucketSetup { document: Some(document(&[public])), public: true, website: Some("index.html".to_owned()), ..BucketSetup::default() };
    let mut world = with_bucket(&setup);
    ADMINISTRATOR.put(&mut world, "/data/index.html", "<p>hello</p>");
    let visitor = super::Client { host: "data.s3-website-us-east-1.amazonaws.com", ..super::NOBODY };
    assert_eq!(&visitor.get(&mut world, "/").body[..], b"<p>hello</p>");
    assert_eq!(&world.visit_website("data", "").unwrap()[..], b"<p>hello</p>");
    world.set_bucket_document("data", Some(&document(&[public, &deny_http("data")]))).unwrap();
    assert_eq!(visitor.get(&mut world, "/").status, 403);
    assert_eq!(count(&world, DATA, "website visitors"), (2, 1));
}
