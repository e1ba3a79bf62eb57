//! What a user sets and sees.

use serde_json::{Value, json};

use super::{ARN, ROLE, delivery_role, firehose, pass, pipeline, refusal, statement};
use crate::kms::KeyState;
use crate::testing::{ACCOUNT, REGION, world};
use crate::user::User;
use crate::world::World;

fn s3_part(bucket: &str) -> Value {
    json!({ "RoleARN": ROLE, "BucketARN": format!("arn:aws:s3:::{bucket}") })
}

fn create(world: &mut World, name: &str, more: &Value) -> Result<Value, (String, String)> {
    let mut input = json!({ "DeliveryStreamName": name });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    firehose(world, "CreateDeliveryStream", &input)
}

fn describe(world: &mut World, name: &str) -> Value {
    firehose(world, "DescribeDeliveryStream", &json!({ "DeliveryStreamName": name })).unwrap()["DeliveryStreamDescription"].clone()
}

fn encryption(world: &mut World) -> Value {
    describe(world, "ingest")["DeliveryStreamEncryptionConfiguration"].clone()
}

fn start(world: &mut World, key: Option<&str>) -> Result<Value, (String, String)> {
    let configuration = match key {
        Some(key) => json!({ "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key }),
        None => json!({ "KeyType": "AWS_OWNED_CMK" }),
    };
    let input = json!({ "DeliveryStreamName": "ingest", "DeliveryStreamEncryptionConfigurationInput": configuration });
    firehose(world, "StartDeliveryStreamEncryption", &input)
}

#[test]
fn a_stream_is_created_described_and_deleted_in_its_time() {
    let mut world = world();
    let mut part = s3_part("landing");
    part["Prefix"] = json!("raw/");
    part["EncryptionConfiguration"] = json!({ "KMSEncryptionConfig": { "AWSKMSKeyARN": "arn:aws:kms:us-east-1:111122223333:key/k" } });
    let more = json!({ "ExtendedS3DestinationConfiguration": part, "Tags": [{ "Key": "team", "Value": "finance" }] });
    assert_eq!(create(&mut world, "ingest", &more).unwrap()["DeliveryStreamARN"], ARN);
    assert_eq!(describe(&mut world, "ingest")["DeliveryStreamStatus"], "CREATING");
    assert_eq!(refusal(create(&mut world, "ingest", &more)), "ResourceInUseException");
    assert_eq!(refusal(firehose(&mut world, "DeleteDeliveryStream", &json!({ "DeliveryStreamName": "ingest" }))), "ResourceInUseException");
    pass(&mut world, 60);
    let described = describe(&mut world, "ingest");
    assert_eq!(described["DeliveryStreamStatus"], "ACTIVE");
    assert_eq!(described["DeliveryStreamType"], "DirectPut");
    assert_eq!(described["VersionId"], "1");
    assert_eq!(described["HasMoreDestinations"], false);
    assert_eq!(described["DeliveryStreamEncryptionConfiguration"], json!({ "Status": "DISABLED" }));
    let destination = &described["Destinations"][0];
    assert_eq!(destination["DestinationId"], "destinationId-000000000001");
    let extended = &destination["ExtendedS3DestinationDescription"];
    assert_eq!(extended["BufferingHints"], json!({ "SizeInMBs": 5, "IntervalInSeconds": 300 }));
    assert_eq!((&extended["CompressionFormat"], &extended["S3BackupMode"]), (&json!("UNCOMPRESSED"), &json!("Disabled")));
    assert_eq!(extended["EncryptionConfiguration"], part["EncryptionConfiguration"]);
    assert_eq!(destination["S3DestinationDescription"]["Prefix"], "raw/");
    assert!(destination["S3DestinationDescription"].get("S3BackupMode").is_none());
    let tags = firehose(&mut world, "ListTagsForDeliveryStream", &json!({ "DeliveryStreamName": "ingest" })).unwrap();
    assert_eq!(tags, json!({ "Tags": [{ "Key": "team", "Value": "finance" }], "HasMoreTags": false }));
    firehose(&mut world, "DeleteDeliveryStream", &json!({ "DeliveryStreamName": "ingest" })).unwrap();
    assert_eq!(describe(&mut world, "ingest")["DeliveryStreamStatus"], "DELETING");
    pass(&mut world, 60);
    let gone = firehose(&mut world, "DescribeDeliveryStream", &json!({ "DeliveryStreamName": "ingest" }));
    assert_eq!(gone.unwrap_err(), ("ResourceNotFoundException".into(), "Firehose ingest under account 111122223333 not found.".into()));
}

#[test]
fn streams_are_listed_ten_a_page_from_after_a_name() {
    let mut world = world();
    for number in 0..12 {
        create(&mut world, &format!("s{number:02}"), &json!({ "ExtendedS3DestinationConfiguration": s3_part("b") })).unwrap();
    }
    let first = firehose(&mut world, "ListDeliveryStreams", &json!({})).unwrap();
    assert_eq!((first["DeliveryStreamNames"].as_array().unwrap().len(), &first["HasMoreDeliveryStreams"]), (10, &json!(true)));
    let rest = firehose(&mut world, "ListDeliveryStreams", &json!({ "ExclusiveStartDeliveryStreamName": "s09" })).unwrap();
    assert_eq!(rest, json!({ "DeliveryStreamNames": ["s10", "s11"], "HasMoreDeliveryStreams": false }));
    let all = firehose(&mut world, "ListDeliveryStreams", &json!({ "Limit": 10_000 })).unwrap();
    assert_eq!(all["DeliveryStreamNames"].as_array().unwrap().len(), 12);
    assert_eq!(refusal(firehose(&mut world, "ListDeliveryStreams", &json!({ "Limit": 10_001 }))), "ValidationException");
    let sources = json!({ "DeliveryStreamType": "KinesisStreamAsSource" });
    assert_eq!(firehose(&mut world, "ListDeliveryStreams", &sources).unwrap()["DeliveryStreamNames"], json!([]));
}

#[test]
fn every_destination_describes_its_s3_part_and_no_secret() {
    let cases = [
        ("Redshift", json!({ "RoleARN": ROLE, "ClusterJDBCURL": "jdbc:x", "CopyCommand": { "DataTableName": "t" }, "Password": "hidden" })),
        ("Elasticsearch", json!({ "RoleARN": ROLE, "IndexName": "i", "DomainARN": "arn:aws:es:us-east-1:111122223333:domain/d" })),
        ("Amazonopensearchservice", json!({ "RoleARN": ROLE, "IndexName": "i" })),
        ("AmazonOpenSearchServerless", json!({ "RoleARN": ROLE, "IndexName": "i" })),
        ("Splunk", json!({ "HECEndpoint": "https://s", "HECEndpointType": "Raw", "HECToken": "t" })),
        ("HttpEndpoint", json!({ "EndpointConfiguration": { "Url": "https://h", "AccessKey": "hidden" } })),
        (
            "Snowflake",
            json!({ "AccountUrl": "u", "Database": "d", "Schema": "s", "Table": "t", "RoleARN": ROLE, "PrivateKey": "hidden", "KeyPassphrase": "hidden" }),
        ),
        ("Iceberg", json!({ "RoleARN": ROLE, "CatalogConfiguration": {} })),
    ];
    for (kind, mut configuration) in cases {
        let mut world = world();
        configuration["S3Configuration"] = s3_part("staging");
        create(&mut world, "ingest", &json!({ format!("{kind}DestinationConfiguration"): configuration })).unwrap();
        pass(&mut world, 60);
        let described = describe(&mut world, "ingest");
        let part = &described["Destinations"][0][format!("{kind}DestinationDescription")]["S3DestinationDescription"];
        assert_eq!(part["BucketARN"], "arn:aws:s3:::staging", "{kind}");
        assert_eq!(part["EncryptionConfiguration"], json!({ "NoEncryptionConfig": "NoEncryption" }), "{kind}");
        assert!(!described.to_string().contains("hidden"), "{kind}");
        let key = json!({ "KMSEncryptionConfig": { "AWSKMSKeyARN": "arn:aws:kms:us-east-1:111122223333:key/k" } });
        let member = if kind == "Iceberg" { "S3Configuration" } else { "S3Update" };
        let mut change = json!({ "EncryptionConfiguration": key });
        if kind == "Iceberg" {
            change.as_object_mut().unwrap().extend(s3_part("staging").as_object().unwrap().clone());
        }
        let update = json!({
            "DeliveryStreamName": "ingest", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
            format!("{kind}DestinationUpdate"): { member: change },
        });
        firehose(&mut world, "UpdateDestination", &update).unwrap();
        let after = describe(&mut world, "ingest");
        let destination = &after["Destinations"][0][format!("{kind}DestinationDescription")];
        assert_eq!(destination["S3DestinationDescription"]["EncryptionConfiguration"], key, "{kind}");
        assert_eq!(destination["S3DestinationDescription"]["BucketARN"], "arn:aws:s3:::staging", "{kind}: what is not named stays");
        assert_eq!(after["VersionId"], "2", "{kind}");
        // All else is as it was.
        let mut before = described["Destinations"][0].clone();
        before[format!("{kind}DestinationDescription")]["S3DestinationDescription"] = destination["S3DestinationDescription"].clone();
        assert_eq!(after["Destinations"][0], before, "{kind}");
    }
}

#[test]
fn an_update_names_the_version_that_it_was_made_from() {
    let mut world = world();
    pipeline(&mut world);
    let update = |version: &str, id: &str, change: Value| json!({ "DeliveryStreamName": "ingest", "CurrentDeliveryStreamVersionId": version, "DestinationId": id, "ExtendedS3DestinationUpdate": change });
    let id = "destinationId-000000000001";
    let of = |world: &mut World, input: &Value| firehose(world, "UpdateDestination", input);
    of(&mut world, &update("1", id, json!({ "Prefix": "a/" }))).unwrap();
    assert_eq!(refusal(of(&mut world, &update("1", id, json!({ "Prefix": "b/" })))), "ConcurrentModificationException");
    assert_eq!(refusal(of(&mut world, &update("2", "destinationId-000000000002", json!({})))), "InvalidArgumentException");
    assert_eq!(refusal(of(&mut world, &update("2", id, json!({ "BufferingHints": { "SizeInMBs": 129 } })))), "InvalidArgumentException");
    let extended = describe(&mut world, "ingest")["Destinations"][0]["ExtendedS3DestinationDescription"].clone();
    assert_eq!((&extended["Prefix"], &extended["BufferingHints"]["IntervalInSeconds"]), (&json!("a/"), &json!(60)));
    // Another type must come whole.
    let mut other = update("2", id, json!({}));
    other.as_object_mut().unwrap().remove("ExtendedS3DestinationUpdate");
    other["HttpEndpointDestinationUpdate"] = json!({ "EndpointConfiguration": { "Url": "https://h" } });
    assert_eq!(refusal(of(&mut world, &other)), "ValidationException");
    other["HttpEndpointDestinationUpdate"]["S3Update"] = s3_part("backup");
    of(&mut world, &other).unwrap();
    assert!(describe(&mut world, "ingest")["Destinations"][0].get("ExtendedS3DestinationDescription").is_none());
}

#[test]
fn passing_a_role_needs_permission_and_an_update_without_one_does_not() {
    let mut world = world();
    pipeline(&mut world);
    let trust = json!({ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" });
    world.create_role(ACCOUNT, "operator", &statement(&trust)).unwrap();
    let policy = json!({ "Effect": "Allow", "Action": "firehose:*", "Resource": "*" });
    world.put_role_policy(ACCOUNT, "operator", "all", &statement(&policy)).unwrap();
    let operator = User::administrator(ACCOUNT, REGION).assume(&mut world, "arn:aws:iam::111122223333:role/operator").unwrap();
    let mut update = json!({
        "DeliveryStreamName": "ingest", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": { "RoleARN": ROLE },
    });
    let refused = operator.json(&mut world, "Firehose_20150804.UpdateDestination", &update).unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert!(refused.message.contains("iam:PassRole on resource: arn:aws:iam::111122223333:role/delivery"), "{}", refused.message);
    update["ExtendedS3DestinationUpdate"] = json!({ "Prefix": "a/" });
    operator.json(&mut world, "Firehose_20150804.UpdateDestination", &update).unwrap();
}

#[test]
fn encryption_takes_time_and_no_second_change_meanwhile() {
    let mut world = world();
    pipeline(&mut world);
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    start(&mut world, Some(&key)).unwrap();
    assert_eq!(encryption(&mut world), json!({ "Status": "ENABLING", "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key }));
    assert_eq!(refusal(start(&mut world, Some(&key))), "ResourceInUseException");
    pass(&mut world, 90);
    assert_eq!(encryption(&mut world), json!({ "Status": "ENABLED", "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key }));
    start(&mut world, None).unwrap();
    pass(&mut world, 90);
    assert_eq!(encryption(&mut world), json!({ "Status": "ENABLED", "KeyType": "AWS_OWNED_CMK" }));
    firehose(&mut world, "StopDeliveryStreamEncryption", &json!({ "DeliveryStreamName": "ingest" })).unwrap();
    assert_eq!(encryption(&mut world)["Status"], "DISABLING");
    pass(&mut world, 90);
    assert_eq!(encryption(&mut world), json!({ "Status": "DISABLED" }));
}

#[test]
fn a_failed_change_keeps_the_old_key_and_says_why() {
    let mut world = world();
    pipeline(&mut world);
    let (old, new) = (world.create_key(ACCOUNT, REGION, None).unwrap(), world.create_key(ACCOUNT, REGION, None).unwrap());
    start(&mut world, Some(&old)).unwrap();
    pass(&mut world, 90);
    let closed = statement(
        &json!({ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:role/x" }, "Action": "kms:*", "Resource": "*" }),
    );
    let usable = |grant: &[&str]| {
        statement(
            &json!({ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:user/administrator" }, "Action": grant, "Resource": "*" }),
        )
    };
    for (state, document, kind) in [
        (KeyState::Disabled, None, "DISABLED_KMS_KEY"),
        (KeyState::PendingDeletion, None, "INVALID_KMS_KEY"),
        (KeyState::Enabled, Some(closed), "KMS_ACCESS_DENIED"),
        (KeyState::Enabled, Some(usable(&["kms:GenerateDataKey", "kms:Decrypt"])), "CREATE_KMS_GRANT_FAILED"),
    ] {
        world.set_key_state(&new, state).unwrap();
        if let Some(document) = document {
            world.put_key_document(&new, &document).unwrap();
        }
        start(&mut world, Some(&new)).unwrap();
        pass(&mut world, 90);
        let now = encryption(&mut world);
        assert_eq!((&now["Status"], &now["KeyARN"]), (&json!("ENABLING_FAILED"), &json!(old)), "{kind}");
        assert_eq!(now["FailureDescription"]["Type"], kind);
        assert_eq!(world.delivery_stream_key(ARN), Some(old.as_str()));
    }
    world.put_key_document(&new, &usable(&["kms:GenerateDataKey", "kms:Decrypt", "kms:CreateGrant"])).unwrap();
    start(&mut world, Some(&new)).unwrap();
    pass(&mut world, 90);
    assert_eq!(encryption(&mut world), json!({ "Status": "ENABLED", "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": new }));
}

#[test]
fn start_and_stop_together_have_twenty_five_calls_a_day() {
    let mut world = world();
    pipeline(&mut world);
    let stop = json!({ "DeliveryStreamName": "ingest" });
    for call in 0..25 {
        if call % 2 == 0 { start(&mut world, None) } else { firehose(&mut world, "StopDeliveryStreamEncryption", &stop) }.unwrap();
        pass(&mut world, 61);
    }
    assert_eq!(refusal(start(&mut world, None)), "LimitExceededException");
    assert_eq!(refusal(firehose(&mut world, "StopDeliveryStreamEncryption", &stop)), "LimitExceededException");
    pass(&mut world, 24 * 3600 - 25 * 61);
    start(&mut world, None).unwrap();
}

#[test]
fn an_old_session_makes_no_grant() {
    let mut world = world();
    pipeline(&mut world);
    let trust = json!({ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" });
    world.create_role(ACCOUNT, "operator", &statement(&trust)).unwrap();
    let policy = json!({ "Effect": "Allow", "Action": ["firehose:*", "kms:*"], "Resource": "*" });
    world.put_role_policy(ACCOUNT, "operator", "all", &statement(&policy)).unwrap();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    let session = [("RoleArn", "arn:aws:iam::111122223333:role/operator"), ("RoleSessionName", "long"), ("DurationSeconds", "43200")];
    let answer = User::administrator(ACCOUNT, REGION).query(&mut world, "sts", "AssumeRole", &session).unwrap();
    let access_key = answer.at("AssumeRoleResult/Credentials/AccessKeyId").unwrap().to_owned();
    let operator = User { access_key, ..User::administrator(ACCOUNT, REGION) };
    let input = json!({ "DeliveryStreamName": "ingest", "DeliveryStreamEncryptionConfigurationInput": { "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key } });
    operator.json(&mut world, "Firehose_20150804.StartDeliveryStreamEncryption", &input).unwrap();
    pass(&mut world, 90);
    assert_eq!(encryption(&mut world)["Status"], "ENABLED");
    pass(&mut world, 6 * 3600);
    operator.json(&mut world, "Firehose_20150804.StartDeliveryStreamEncryption", &input).unwrap();
    pass(&mut world, 90);
    assert_eq!(encryption(&mut world)["FailureDescription"]["Type"], "CREATE_KMS_GRANT_FAILED");
}

#[test]
fn a_stream_with_a_source_has_no_encryption_of_its_own() {
    let mut world = world();
    delivery_role(&mut world, &[]);
    let source = world.create_data_stream(ACCOUNT, REGION, "in");
    let mut more = json!({
        "DeliveryStreamType": "KinesisStreamAsSource", "ExtendedS3DestinationConfiguration": s3_part("landing"),
        "KinesisStreamSourceConfiguration": { "KinesisStreamARN": source, "RoleARN": ROLE },
        "DeliveryStreamEncryptionConfigurationInput": { "KeyType": "AWS_OWNED_CMK" },
    });
    assert_eq!(refusal(create(&mut world, "ingest", &more)), "InvalidArgumentException");
    more.as_object_mut().unwrap().remove("DeliveryStreamEncryptionConfigurationInput");
    create(&mut world, "ingest", &more).unwrap();
    pass(&mut world, 60);
    let described = describe(&mut world, "ingest");
    assert_eq!(described["DeliveryStreamType"], "KinesisStreamAsSource");
    assert_eq!(described["Source"]["KinesisStreamSourceDescription"]["KinesisStreamARN"], source);
    let refused = start(&mut world, None).unwrap_err();
    assert_eq!(refused.0, "InvalidArgumentException");
    let record = json!({ "DeliveryStreamName": "ingest", "Record": { "Data": "YQ==" } });
    assert_eq!(refusal(firehose(&mut world, "PutRecord", &record)), "InvalidArgumentException");
}

#[test]
fn creating_with_a_key_that_fails_fails() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    let more = json!({
        "ExtendedS3DestinationConfiguration": s3_part("landing"),
        "DeliveryStreamEncryptionConfigurationInput": { "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key },
    });
    create(&mut world, "ingest", &more).unwrap();
    pass(&mut world, 60);
    let described = describe(&mut world, "ingest");
    assert_eq!(
        (&described["DeliveryStreamStatus"], &described["FailureDescription"]["Type"]),
        (&json!("CREATING_FAILED"), &json!("DISABLED_KMS_KEY"))
    );
    firehose(&mut world, "DeleteDeliveryStream", &json!({ "DeliveryStreamName": "ingest" })).unwrap();
}

#[test]
fn requests_that_aws_refuses_are_refused() {
    let mut world = world();
    pipeline(&mut world);
    let part = json!({ "ExtendedS3DestinationConfiguration": s3_part("b") });
    assert_eq!(refusal(create(&mut world, "a b", &part)), "ValidationException");
    assert_eq!(refusal(create(&mut world, "a", &json!({}))), "InvalidArgumentException");
    let two = json!({ "ExtendedS3DestinationConfiguration": s3_part("b"), "S3DestinationConfiguration": s3_part("b") });
    assert_eq!(refusal(create(&mut world, "a", &two)), "InvalidArgumentException");
    assert_eq!(
        refusal(create(&mut world, "a", &json!({ "ExtendedS3DestinationConfiguration": { "RoleARN": ROLE } }))),
        "ValidationException"
    );
    let typed = |kind: Value| json!({ "DeliveryStreamName": "ingest", "DeliveryStreamEncryptionConfigurationInput": kind });
    for (configuration, code) in [
        (json!({ "KeyType": "CUSTOMER_MANAGED_CMK" }), "InvalidArgumentException"),
        (json!({ "KeyType": "AWS_OWNED_CMK", "KeyARN": "arn:aws:kms:us-east-1:111122223333:key/k" }), "InvalidArgumentException"),
        (json!({ "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": "alias/x" }), "ValidationException"),
        (json!({ "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": "arn:aws:kms:eu-west-1:111122223333:key/k" }), "InvalidArgumentException"),
        (json!({ "KeyType": "OTHER" }), "ValidationException"),
    ] {
        assert_eq!(refusal(firehose(&mut world, "StartDeliveryStreamEncryption", &typed(configuration.clone()))), code, "{configuration}");
    }
    let stranger = User::administrator("444455556666", REGION);
    let seen = stranger.json(&mut world, "Firehose_20150804.DescribeDeliveryStream", &json!({ "DeliveryStreamName": "ingest" }));
    assert_eq!(seen.unwrap_err().code, "ResourceNotFoundException");
    assert_eq!(refusal(firehose(&mut world, "Nothing", &json!({}))), "NotImplemented");
}
