#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::Arc;

use everseal_controller::ApplyError;
use everseal_planner::firehose::observed::{DestinationKind, StreamEncryption};
use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::{Change, KeyRef, Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Scope, Service};
use serde_json::{Value, json};

use super::{apply, observe};
use crate::call::ScopeContext;
use crate::testing::{Answer, Seen, Wire};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555";
const ROLE: &str = "arn:aws:iam::111122223333:role/firehose";

fn stream_arn(name: &str) -> Arn {
    Arn::new("aws", "firehose", "us-east-1", "111122223333", &format!("deliverystream/{name}"))
}

fn body(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap()
}

fn refused(code: &str) -> Answer {
    Answer::new(400, json!({ "__type": code, "message": "User is not authorized" }).to_string())
}

fn s3_description(bucket: &str, key: Option<&str>) -> Value {
    let encryption =
        key.map_or(json!({ "NoEncryptionConfig": "NoEncryption" }), |key| json!({ "KMSEncryptionConfig": { "AWSKMSKeyARN": key } }));
    json!({
        "RoleARN": ROLE, "BucketARN": format!("arn:aws:s3:::{bucket}"), "Prefix": "raw/", "ErrorOutputPrefix": "bad/",
        "BufferingHints": { "SizeInMBs": 5, "IntervalInSeconds": 300 }, "CompressionFormat": "GZIP",
        "EncryptionConfiguration": encryption, "CloudWatchLoggingOptions": { "Enabled": false },
    })
}

fn description(name: &str, destinations: &Value) -> Value {
    json!({ "DeliveryStreamDescription": {
        "DeliveryStreamName": name, "DeliveryStreamARN": stream_arn(name).as_str(), "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamType": "DirectPut", "VersionId": "7", "CreateTimestamp": 1_764_000_000.5,
        "Destinations": destinations, "HasMoreDestinations": false,
    } })
}

async fn observe_with(target: &Target, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Inventory, Vec<Seen>) {
    let wire = Wire::new(answer);
    let inventory = observe(&wire.context(), target, &Reads::everything()).await;
    (inventory, wire.seen())
}

async fn apply_with(
    resource: &Arn,
    change: &Change,
    answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
) -> (Result<(), ApplyError>, Vec<Seen>) {
    let wire = Wire::new(answer);
    let outcome = apply(&wire.context(), resource, change).await;
    (outcome, wire.seen())
}

#[tokio::test]
async fn names_are_paged_by_the_last_one_and_each_stream_is_described_once() {
    let (inventory, seen) = observe_with(&Target::Everything, |seen| match seen.target.as_str() {
        "ListDeliveryStreams" => match body(seen)["ExclusiveStartDeliveryStreamName"].as_str() {
            None => Answer::ok(json!({ "DeliveryStreamNames": ["a", "b"], "HasMoreDeliveryStreams": true }).to_string()),
            Some("b") => Answer::ok(json!({ "DeliveryStreamNames": ["c"], "HasMoreDeliveryStreams": false }).to_string()),
            Some(other) => panic!("asked from {other}"),
        },
        "DescribeDeliveryStream" => Answer::ok(description(body(seen)["DeliveryStreamName"].as_str().unwrap(), &json!([])).to_string()),
        other => panic!("unexpected {other}"),
    })
    .await;
    assert_eq!(inventory.delivery_streams.keys().map(Arn::name).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(seen.iter().filter(|seen| seen.target == "ListDeliveryStreams").count(), 2);
    assert_eq!(seen.iter().filter(|seen| seen.target == "DescribeDeliveryStream").count(), 3);
    let described = inventory.delivery_streams[&stream_arn("a")].description.known().unwrap();
    assert_eq!((described.stream_type.as_str(), described.version_id.as_str()), ("DirectPut", "7"));
    assert_eq!(described.created_at, Some(1_764_000_000));
    assert_eq!(described.encryption, StreamEncryption::default());
}

#[tokio::test]
async fn a_listing_that_is_refused_names_the_missing_action() {
    let (inventory, _) = observe_with(&Target::Everything, |_| refused("AccessDeniedException")).await;
    let why = &inventory.unlisted[&Service::Firehose];
    assert_eq!((why.class, why.operation.as_str()), (ErrorClass::Denied, "ListDeliveryStreams"));
    assert_eq!(why.missing_action.as_deref(), Some("firehose:ListDeliveryStreams"));
}

#[tokio::test]
async fn a_stream_that_is_gone_is_left_out_and_one_that_may_not_be_read_stays_unreadable() {
    let targets = Target::Resources(BTreeSet::from([
        stream_arn("gone"),
        stream_arn("closed"),
        Arn::parse("arn:aws:sqs:us-east-1:111122223333:q").unwrap(),
    ]));
    let (inventory, seen) = observe_with(&targets, |seen| match body(seen)["DeliveryStreamName"].as_str().unwrap() {
        "gone" => refused("ResourceNotFoundException"),
        _ => refused("AccessDeniedException"),
    })
    .await;
    assert_eq!(seen.len(), 2, "no listing, no other service's targets");
    assert_eq!(inventory.delivery_streams.keys().collect::<Vec<_>>(), [&stream_arn("closed")]);
    let json = serde_json::to_value(&inventory.delivery_streams[&stream_arn("closed")].description).unwrap();
    assert_eq!(json["unreadable"]["missingAction"], "firehose:DescribeDeliveryStream");
    assert_eq!(json["unreadable"]["class"], "denied");
}

/// One widely used scanner calls such a stream unencrypted.
#[tokio::test(start_paused = true)]
async fn a_description_that_was_throttled_is_not_known() {
    let target = Target::Resources(BTreeSet::from([stream_arn("a")]));
    let (inventory, seen) = observe_with(&target, |_| refused("LimitExceededException")).await;
    assert!(seen.len() > 1, "tried again first");
    let Reading::Unreadable { unreadable } = &inventory.delivery_streams[&stream_arn("a")].description else { panic!("readable") };
    assert_eq!(unreadable.class, ErrorClass::Throttled);
}

#[tokio::test]
async fn names_become_arns_of_the_scopes_own_partition() {
    let wire = Wire::new(|seen| match seen.target.as_str() {
        "ListDeliveryStreams" => Answer::ok(json!({ "DeliveryStreamNames": ["a"], "HasMoreDeliveryStreams": false }).to_string()),
        _ => refused("AccessDeniedException"),
    });
    let scope = Scope { partition: "aws-cn".into(), account: "111122223333".into(), region: "cn-north-1".into() };
    let ctx = ScopeContext::new(scope, &wire.sdk(), Arc::new(wire.clone()));
    let inventory = observe(&ctx, &Target::Everything, &Reads::everything()).await;
    let arns: Vec<_> = inventory.delivery_streams.keys().map(Arn::as_str).collect();
    assert_eq!(arns, ["arn:aws-cn:firehose:cn-north-1:111122223333:deliverystream/a"]);
}

#[tokio::test]
async fn the_state_of_encryption_is_told_with_its_failure() {
    let (inventory, _) = observe_with(&Target::Resources(BTreeSet::from([stream_arn("a")])), |_| {
        let mut answer = description("a", &json!([]));
        answer["DeliveryStreamDescription"]["DeliveryStreamEncryptionConfiguration"] = json!({
            "KeyARN": KEY, "KeyType": "CUSTOMER_MANAGED_CMK", "Status": "ENABLING_FAILED",
            "FailureDescription": { "Type": "KMS_ACCESS_DENIED", "Details": "…" },
        });
        Answer::ok(answer.to_string())
    })
    .await;
    let expected = StreamEncryption {
        status: "ENABLING_FAILED".into(),
        key_type: Some("CUSTOMER_MANAGED_CMK".into()),
        kms_key: Some(KEY.into()),
        failure: Some("KMS_ACCESS_DENIED".into()),
    };
    assert_eq!(inventory.delivery_streams[&stream_arn("a")].description.known().unwrap().encryption, expected);
}

#[tokio::test]
async fn a_stream_that_reads_kinesis_names_its_source() {
    let (inventory, _) = observe_with(&Target::Resources(BTreeSet::from([stream_arn("a")])), |_| {
        let mut answer = description("a", &json!([]));
        answer["DeliveryStreamDescription"]["DeliveryStreamType"] = json!("KinesisStreamAsSource");
        answer["DeliveryStreamDescription"]["Source"] =
            json!({ "KinesisStreamSourceDescription": { "KinesisStreamARN": "arn:aws:kinesis:us-east-1:111122223333:stream/in", "RoleARN": ROLE } });
        Answer::ok(answer.to_string())
    })
    .await;
    let described = inventory.delivery_streams[&stream_arn("a")].description.known().unwrap();
    assert_eq!(described.source_stream.as_ref().unwrap().as_str(), "arn:aws:kinesis:us-east-1:111122223333:stream/in");
    assert_eq!(described.source_role.as_ref().unwrap().as_str(), ROLE);
}

/// An S3 part: its kind, bucket and key.
type Part = (DestinationKind, &'static str, Option<&'static str>);

/// Member of `DestinationDescription`, what stands in it, and the S3 parts that must be seen.
fn shapes() -> Vec<(&'static str, Value, Vec<Part>)> {
    let one = |kind| vec![(kind, "main", None)];
    let s3 = || json!({ "S3DestinationDescription": s3_description("main", None) });
    let mut extended = s3_description("main", Some(KEY));
    extended["S3BackupMode"] = json!("Enabled");
    extended["S3BackupDescription"] = s3_description("backup", None);
    let redshift = json!({
        "RoleARN": ROLE, "ClusterJDBCURL": "jdbc:redshift://x:5439/db", "CopyCommand": { "DataTableName": "t" },
        "S3DestinationDescription": s3_description("staging", None),
        "S3BackupMode": "Enabled", "S3BackupDescription": s3_description("backup", Some(KEY)),
    });
    vec![
        (
            "ExtendedS3DestinationDescription",
            extended,
            vec![(DestinationKind::ExtendedS3, "main", Some(KEY)), (DestinationKind::ExtendedS3Backup, "backup", None)],
        ),
        ("S3DestinationDescription", s3_description("main", None), one(DestinationKind::ExtendedS3)),
        (
            "RedshiftDestinationDescription",
            redshift,
            vec![(DestinationKind::Redshift, "staging", None), (DestinationKind::RedshiftBackup, "backup", Some(KEY))],
        ),
        ("AmazonopensearchserviceDestinationDescription", s3(), one(DestinationKind::OpenSearch)),
        ("ElasticsearchDestinationDescription", s3(), one(DestinationKind::Elasticsearch)),
        ("AmazonOpenSearchServerlessDestinationDescription", s3(), one(DestinationKind::OpenSearchServerless)),
        ("SplunkDestinationDescription", s3(), one(DestinationKind::Splunk)),
        ("HttpEndpointDestinationDescription", s3(), one(DestinationKind::HttpEndpoint)),
        ("SnowflakeDestinationDescription", s3(), one(DestinationKind::Snowflake)),
        ("IcebergDestinationDescription", s3(), one(DestinationKind::Iceberg)),
    ]
}

#[tokio::test]
async fn the_s3_parts_of_every_kind_of_destination_are_seen() {
    let kinds: BTreeSet<_> = shapes().into_iter().flat_map(|(_, _, parts)| parts).map(|(kind, _, _)| kind).collect();
    assert_eq!(kinds.len(), DestinationKind::ALL.len(), "a kind has no shape here");
    for (member, shape, expected) in shapes() {
        let destinations = json!([{ "DestinationId": "destinationId-000000000001", member: shape }]);
        let target = Target::Resources(BTreeSet::from([stream_arn("a")]));
        let (inventory, _) = observe_with(&target, move |_| Answer::ok(description("a", &destinations).to_string())).await;
        let described = inventory.delivery_streams[&stream_arn("a")].description.known().unwrap();
        let parts: Vec<_> = described.destinations.iter().map(|part| (part.kind, part.bucket.name(), part.kms_key.as_deref())).collect();
        assert_eq!(parts, expected, "{member}");
        assert!(described.destinations.iter().all(|part| part.id == "destinationId-000000000001" && part.role.as_str() == ROLE));
    }
}

#[tokio::test]
async fn a_backup_that_is_switched_off_is_no_place_that_data_goes_to() {
    let mut extended = s3_description("main", Some(KEY));
    extended["S3BackupMode"] = json!("Disabled");
    extended["S3BackupDescription"] = s3_description("backup", None);
    // Firehose repeats the main part in the plain, deprecated form.
    let destinations = json!([{ "DestinationId": "d", "ExtendedS3DestinationDescription": extended, "S3DestinationDescription": s3_description("main", Some(KEY)) }]);
    let target = Target::Resources(BTreeSet::from([stream_arn("a")]));
    let (inventory, _) = observe_with(&target, move |_| Answer::ok(description("a", &destinations).to_string())).await;
    let described = inventory.delivery_streams[&stream_arn("a")].description.known().unwrap();
    assert_eq!(described.destinations.iter().map(|part| part.kind).collect::<Vec<_>>(), [DestinationKind::ExtendedS3]);
}

#[tokio::test]
async fn encryption_is_started_with_the_customers_key_or_with_awss_own() {
    for (after, expected) in [
        (Some(KeyRef::Arn(Arn::parse(KEY).unwrap())), json!({ "KeyARN": KEY, "KeyType": "CUSTOMER_MANAGED_CMK" })),
        (None, json!({ "KeyType": "AWS_OWNED_CMK" })),
    ] {
        let change = Change::DeliveryStreamEncryption { stream: "a".into(), before: StreamEncryption::default(), after };
        let (outcome, seen) = apply_with(&stream_arn("a"), &change, |_| Answer::ok("{}")).await;
        outcome.unwrap();
        assert_eq!(seen[0].target, "StartDeliveryStreamEncryption");
        assert_eq!(body(&seen[0]), json!({ "DeliveryStreamName": "a", "DeliveryStreamEncryptionConfigurationInput": expected }));
    }
}

#[tokio::test]
async fn a_used_up_budget_of_encryption_calls_is_a_limit_and_not_asked_again() {
    let change = Change::DeliveryStreamEncryption { stream: "a".into(), before: StreamEncryption::default(), after: None };
    let (outcome, seen) = apply_with(&stream_arn("a"), &change, |_| refused("LimitExceededException")).await;
    assert_eq!(outcome.unwrap_err().class, ErrorClass::LimitExceeded);
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn a_key_that_does_not_exist_yet_is_never_sent() {
    let after = KeyRef::ToBeCreated { alias: "alias/finance".into() };
    let change = Change::DeliveryStreamEncryption { stream: "a".into(), before: StreamEncryption::default(), after: Some(after.clone()) };
    let (outcome, seen) = apply_with(&stream_arn("a"), &change, |_| Answer::ok("{}")).await;
    assert_eq!((outcome.unwrap_err().class, seen.len()), (ErrorClass::Invalid, 0));
    let (outcome, seen) = apply_with(&stream_arn("a"), &destination_change(DestinationKind::Splunk, after), |_| Answer::ok("{}")).await;
    assert_eq!((outcome.unwrap_err().class, seen.len()), (ErrorClass::Invalid, 0));
}

fn destination_change(kind: DestinationKind, after: KeyRef) -> Change {
    Change::DeliveryDestinationEncryption {
        stream: "a".into(),
        version_id: "7".into(),
        destination_id: "destinationId-000000000001".into(),
        kind,
        before: None,
        after,
    }
}

/// What an update must hold besides the stream, the version and the destination's id: the encryption and nothing else,
/// for Firehose retains what is not named. [firehose:UpdateDestination]
fn expected_update(kind: DestinationKind) -> (&'static str, Value) {
    let encryption = json!({ "EncryptionConfiguration": { "KMSEncryptionConfig": { "AWSKMSKeyARN": KEY } } });
    match kind {
        DestinationKind::ExtendedS3 => ("ExtendedS3DestinationUpdate", encryption),
        DestinationKind::ExtendedS3Backup => ("ExtendedS3DestinationUpdate", json!({ "S3BackupUpdate": encryption })),
        DestinationKind::Redshift => ("RedshiftDestinationUpdate", json!({ "S3Update": encryption })),
        DestinationKind::RedshiftBackup => ("RedshiftDestinationUpdate", json!({ "S3BackupUpdate": encryption })),
        DestinationKind::OpenSearch => ("AmazonopensearchserviceDestinationUpdate", json!({ "S3Update": encryption })),
        DestinationKind::Elasticsearch => ("ElasticsearchDestinationUpdate", json!({ "S3Update": encryption })),
        DestinationKind::OpenSearchServerless => ("AmazonOpenSearchServerlessDestinationUpdate", json!({ "S3Update": encryption })),
        DestinationKind::Splunk => ("SplunkDestinationUpdate", json!({ "S3Update": encryption })),
        DestinationKind::HttpEndpoint => ("HttpEndpointDestinationUpdate", json!({ "S3Update": encryption })),
        DestinationKind::Snowflake => ("SnowflakeDestinationUpdate", json!({ "S3Update": encryption })),
        // The one update whose S3 part is a whole configuration.
        DestinationKind::Iceberg => ("IcebergDestinationUpdate", json!({ "S3Configuration": s3_description("main", Some(KEY)) })),
    }
}

#[tokio::test]
async fn an_update_of_a_destination_carries_the_encryption_and_nothing_else() {
    for kind in DestinationKind::ALL {
        let destinations = json!([
            { "DestinationId": "another", "IcebergDestinationDescription": { "S3DestinationDescription": s3_description("other", None) } },
            { "DestinationId": "destinationId-000000000001", "IcebergDestinationDescription": { "S3DestinationDescription": s3_description("main", None) } },
        ]);
        let change = destination_change(*kind, KeyRef::Arn(Arn::parse(KEY).unwrap()));
        let (outcome, seen) = apply_with(&stream_arn("a"), &change, move |seen| match seen.target.as_str() {
            "DescribeDeliveryStream" => Answer::ok(description("a", &destinations).to_string()),
            _ => Answer::ok("{}"),
        })
        .await;
        outcome.unwrap();
        assert_eq!(seen.len(), if *kind == DestinationKind::Iceberg { 2 } else { 1 }, "{kind}");
        let update = seen.last().unwrap();
        assert_eq!(update.target, "UpdateDestination");
        let (member, inner) = expected_update(*kind);
        let expected = json!({
            "DeliveryStreamName": "a", "CurrentDeliveryStreamVersionId": "7", "DestinationId": "destinationId-000000000001", member: inner,
        });
        assert_eq!(body(update), expected, "{kind}");
    }
}

#[tokio::test]
async fn an_update_of_a_version_that_has_passed_is_a_conflict() {
    let change = destination_change(DestinationKind::ExtendedS3, KeyRef::Arn(Arn::parse(KEY).unwrap()));
    let (outcome, _) = apply_with(&stream_arn("a"), &change, |_| refused("ConcurrentModificationException")).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Conflict, "ConcurrentModificationException"));
}

#[tokio::test]
async fn a_refused_write_names_the_missing_action() {
    let change = destination_change(DestinationKind::ExtendedS3, KeyRef::Arn(Arn::parse(KEY).unwrap()));
    let (outcome, _) = apply_with(&stream_arn("a"), &change, |_| refused("AccessDeniedException")).await;
    assert_eq!(outcome.unwrap_err().missing_action.as_deref(), Some("firehose:UpdateDestination"));
}
