//! What becomes of records.

#![allow(clippy::float_cmp)]

use serde_json::{Value, json};

use super::super::seed::{NewDeliveryStream, Records};
use super::{
    ACCOUNT, ARN, BUCKET, REGION, administrator, bodies, delivery_role, firehose, metric, pass, pipeline, plain, put, role, statement,
    stream,
};
use crate::access::Caller;
use crate::kms::KeyState;
use crate::moment::Moment;
use crate::s3::BucketSetup;
use crate::testing::world;
use crate::world::World;

const DAY: u64 = 24 * 3600;

fn records(world: &World) -> Records {
    world.delivery_stream_records(ARN)
}

/// A key whose document has the account's default statement and one more.
fn document(more: &Value) -> String {
    statement(&json!([
        { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "kms:*", "Resource": "*" },
        more,
    ]))
}

/// The pipeline with its stream under a customer's key.
fn sealed(world: &mut World) -> String {
    pipeline(world);
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.encrypt_delivery_stream(ARN, &administrator(), Some(&key)).unwrap();
    key
}

#[test]
fn records_leave_together_when_the_oldest_is_old_enough() {
    let mut world = world();
    pipeline(&mut world);
    put(&mut world, "a\n").unwrap();
    pass(&mut world, 30);
    put(&mut world, "b\n").unwrap();
    pass(&mut world, 29);
    assert_eq!(bodies(&mut world), Vec::<String>::new());
    pass(&mut world, 1);
    assert_eq!(bodies(&mut world), ["a\nb\n"]);
    // 2027-01-15 08:01:00 UTC.
    let keys = world.object_keys("landing");
    assert!(keys[0].starts_with("2027/01/15/08/ingest-1-2027-01-15-08-01-00-"), "{keys:?}");
    assert_eq!(records(&world), Records { accepted: 2, delivered: 2, waiting: 0, lost: 0 });
    assert_eq!(world.tally.hops()[&(ARN.to_owned(), BUCKET.to_owned())].delivered, 2);
    assert_eq!(
        (metric(&world, "IncomingRecords"), metric(&world, "DeliveryToS3.Records"), metric(&world, "DeliveryToS3.Success")),
        (2.0, 2.0, 1.0)
    );
    assert_eq!(metric(&world, "DeliveryToS3.DataFreshness"), 60.0);
}

#[test]
fn a_full_buffer_leaves_at_once() {
    let mut world = world();
    pipeline(&mut world);
    let megabyte = || bytes::Bytes::from(vec![b'x'; 1_000_000]);
    for _ in 0..5 {
        world.put_record(&administrator(), ARN, megabyte()).unwrap();
    }
    pass(&mut world, 1);
    assert_eq!(records(&world).waiting, 5);
    world.put_record(&administrator(), ARN, megabyte()).unwrap();
    pass(&mut world, 1);
    assert_eq!(records(&world).delivered, 6);
}

#[test]
fn records_put_over_the_wire_arrive_decoded() {
    let mut world = world();
    pipeline(&mut world);
    let one = firehose(&mut world, "PutRecord", &json!({ "DeliveryStreamName": "ingest", "Record": { "Data": "YQ==" } })).unwrap();
    assert_eq!(one["Encrypted"], false);
    assert!(!one["RecordId"].as_str().unwrap().is_empty());
    let two = json!({ "DeliveryStreamName": "ingest", "Records": [{ "Data": "Yg==" }, { "Data": "Yw==" }] });
    let two = firehose(&mut world, "PutRecordBatch", &two).unwrap();
    assert_eq!((&two["FailedPutCount"], two["RequestResponses"].as_array().unwrap().len()), (&json!(0), 2));
    let none = json!({ "DeliveryStreamName": "ingest", "Records": [] });
    assert_eq!(firehose(&mut world, "PutRecordBatch", &none).unwrap_err().0, "ValidationException");
    pass(&mut world, 60);
    assert_eq!(bodies(&mut world), ["abc"]);
}

#[test]
fn a_prefix_with_expressions_replaces_the_date() {
    let mut world = world();
    pipeline(&mut world);
    let update = json!({
        "DeliveryStreamName": "ingest", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": { "Prefix": "year=!{timestamp:yyyy}/m=!{timestamp:MM}/" },
    });
    firehose(&mut world, "UpdateDestination", &update).unwrap();
    put(&mut world, "a").unwrap();
    pass(&mut world, 60);
    assert!(world.object_keys("landing")[0].starts_with("year=2027/m=01/ingest-2-2027-01-15-08-01-00-"));
}

#[test]
fn compressed_objects_say_so_and_hold_the_records() {
    let mut world = world();
    pipeline(&mut world);
    let update = |format: &str| {
        json!({
            "DeliveryStreamName": "ingest", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
            "ExtendedS3DestinationUpdate": { "CompressionFormat": format },
        })
    };
    assert_eq!(firehose(&mut world, "UpdateDestination", &update("Snappy")).unwrap_err().0, "NotImplemented");
    firehose(&mut world, "UpdateDestination", &update("GZIP")).unwrap();
    put(&mut world, "a\nb\n").unwrap();
    pass(&mut world, 60);
    let key = world.object_keys("landing").remove(0);
    assert!(std::path::Path::new(&key).extension().is_some_and(|extension| extension == "gz"), "{key}");
    let origin = crate::world::Origin { caller: administrator(), region: REGION.to_owned(), secure: true };
    let object = world.get_object(&origin, "landing", &key).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(object.as_ref()), &mut text).unwrap();
    assert_eq!(text, "a\nb\n");
}

#[test]
fn what_the_role_may_not_write_stays_and_goes_when_it_may() {
    let mut world = world();
    pipeline(&mut world);
    delivery_role(&mut world, &["s3:GetObject"]);
    put(&mut world, "a").unwrap();
    pass(&mut world, 3600);
    assert_eq!(records(&world), Records { accepted: 1, delivered: 0, waiting: 1, lost: 0 });
    let count = world.tally.hops()[&(ARN.to_owned(), BUCKET.to_owned())];
    assert!(count.refused > 10 && count.refused < 100 && count.lost == 0, "{count:?}");
    assert_eq!(metric(&world, "KMSKeyAccessDenied"), 0.0, "not the stream's key");
    delivery_role(&mut world, &["s3:PutObject"]);
    pass(&mut world, 60);
    assert_eq!(bodies(&mut world), ["a"]);
}

#[test]
fn a_role_that_does_not_trust_firehose_delivers_nothing() {
    let mut world = world();
    pipeline(&mut world);
    let other = json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" });
    world.create_role(ACCOUNT, "delivery", &statement(&other)).unwrap();
    put(&mut world, "a").unwrap();
    pass(&mut world, 120);
    assert_eq!(records(&world).waiting, 1);
    assert!(world.tally.latest_undelivered().last().unwrap().why.contains("unable to assume role"));
}

#[test]
fn records_are_lost_after_a_day_and_counted_one_by_one() {
    let mut world = world();
    pipeline(&mut world);
    delivery_role(&mut world, &["s3:GetObject"]);
    put(&mut world, "a").unwrap();
    put(&mut world, "b").unwrap();
    pass(&mut world, 3600);
    put(&mut world, "c").unwrap();
    pass(&mut world, DAY - 3600 - 1);
    assert_eq!(records(&world), Records { accepted: 3, delivered: 0, waiting: 3, lost: 0 });
    pass(&mut world, 61);
    assert_eq!(records(&world), Records { accepted: 3, delivered: 0, waiting: 1, lost: 2 });
    assert_eq!(world.tally.hops()[&(ARN.to_owned(), BUCKET.to_owned())].lost, 2);
    delivery_role(&mut world, &["s3:PutObject"]);
    pass(&mut world, 60);
    assert_eq!(bodies(&mut world), ["c"]);
}

#[test]
fn trouble_with_the_streams_key_holds_records_and_is_counted_by_its_kind() {
    for (state, name, code) in [
        (KeyState::Disabled, "KMSKeyDisabled", "DisabledException"),
        (KeyState::PendingDeletion, "KMSKeyInvalidState", "InvalidStateException"),
        (KeyState::Unavailable, "KMSKeyInvalidState", "InvalidStateException"),
    ] {
        let mut world = world();
        let key = sealed(&mut world);
        put(&mut world, "a").unwrap();
        world.set_key_state(&key, state).unwrap();
        pass(&mut world, 120);
        assert_eq!(records(&world).waiting, 1, "{state:?}");
        assert_eq!(metric(&world, name), 2.0, "{state:?}: at 60 and at 120 seconds");
        assert_eq!(metric(&world, "KMSKeyNotFound"), 0.0);
        // Producers hear of it too.
        let input = json!({ "DeliveryStreamName": "ingest", "Record": { "Data": "YQ==" } });
        let user = crate::user::User::administrator(ACCOUNT, REGION);
        let refused = user.json(&mut world, "Firehose_20150804.PutRecord", &input).unwrap_err();
        assert_eq!(refused.code, "InvalidKMSResourceException");
        let reason = world.put_record(&administrator(), ARN, "b").unwrap_err().details;
        assert_eq!(reason, [("code", code.to_owned())], "{state:?}");
        world.set_key_state(&key, KeyState::Enabled).unwrap();
        pass(&mut world, 60);
        assert_eq!(bodies(&mut world), ["a"], "{state:?}");
    }
}

#[test]
fn a_denied_service_is_counted_and_a_lost_key_loses_its_records() {
    let mut world = world();
    let key = sealed(&mut world);
    put(&mut world, "a").unwrap();
    let deny = json!({ "Effect": "Deny", "Principal": { "Service": "firehose.amazonaws.com" }, "Action": "kms:*", "Resource": "*" });
    world.put_key_document(&key, &document(&deny)).unwrap();
    pass(&mut world, 60);
    assert_eq!((metric(&world, "KMSKeyAccessDenied"), records(&world).waiting), (1.0, 1));
    // A new grant does not help against a Deny; another key does, for new records.
    let other = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.encrypt_delivery_stream(ARN, &administrator(), Some(&other)).unwrap();
    put(&mut world, "b").unwrap();
    pass(&mut world, 120);
    assert_eq!(bodies(&mut world), ["b"]);
    assert_eq!(records(&world), Records { accepted: 2, delivered: 1, waiting: 1, lost: 0 });
    pass(&mut world, DAY);
    assert_eq!(records(&world), Records { accepted: 2, delivered: 1, waiting: 0, lost: 1 });
}

#[test]
fn a_revoked_grant_is_made_again_by_another_start() {
    let mut world = world();
    let key = sealed(&mut world);
    put(&mut world, "a").unwrap();
    let administrator_user = crate::user::User::administrator(ACCOUNT, REGION);
    let grants = administrator_user.json(&mut world, "TrentService.ListGrants", &json!({ "KeyId": key })).unwrap();
    let grant = &grants["Grants"][0];
    assert_eq!(grant["GranteePrincipal"], "firehose.amazonaws.com");
    administrator_user.json(&mut world, "TrentService.RevokeGrant", &json!({ "KeyId": key, "GrantId": grant["GrantId"] })).unwrap();
    pass(&mut world, 60);
    assert_eq!((metric(&world, "KMSKeyAccessDenied"), records(&world).waiting), (1.0, 1));
    world.encrypt_delivery_stream(ARN, &administrator(), Some(&key)).unwrap();
    pass(&mut world, 1);
    assert_eq!(bodies(&mut world), ["a"]);
}

#[test]
fn a_former_grant_lives_as_long_as_records_need_it() {
    let mut world = world();
    let old = sealed(&mut world);
    put(&mut world, "old").unwrap();
    let new = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.encrypt_delivery_stream(ARN, &administrator(), Some(&new)).unwrap();
    put(&mut world, "new").unwrap();
    let grants = |world: &mut World, key: &str| {
        let user = crate::user::User::administrator(ACCOUNT, REGION);
        user.json(world, "TrentService.ListGrants", &json!({ "KeyId": key })).unwrap()["Grants"].as_array().unwrap().len()
    };
    assert_eq!((grants(&mut world, &old), grants(&mut world, &new)), (1, 1));
    pass(&mut world, 60);
    assert_eq!(bodies(&mut world), ["oldnew"]);
    assert_eq!((grants(&mut world, &old), grants(&mut world, &new)), (0, 1));
    firehose(&mut world, "DeleteDeliveryStream", &json!({ "DeliveryStreamName": "ingest" })).unwrap();
    pass(&mut world, 60);
    assert_eq!(grants(&mut world, &new), 0);
}

#[test]
fn producers_need_the_key_themselves_on_new_streams_and_soon_on_all() {
    let mut world = world();
    let key = sealed(&mut world);
    let trust = json!({ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" });
    world.create_role(ACCOUNT, "producer", &statement(&trust)).unwrap();
    let may = json!({ "Effect": "Allow", "Action": "firehose:PutRecord", "Resource": ARN });
    world.put_role_policy(ACCOUNT, "producer", "put", &statement(&may)).unwrap();
    let producer = |world: &mut World| world.put_record(&role("producer"), ARN, "x").map_err(|error| error.code.into_owned());
    assert_eq!(producer(&mut world).unwrap_err(), "InvalidKMSResourceException");
    // 2026-04-19 23:59:59 UTC: before AWS began to ask.
    world.backdate_delivery_stream(ARN, Moment(1_776_643_199_000));
    producer(&mut world).unwrap();
    // 2027-02-28: of all streams.
    world.advance(Moment(1_803_772_799_000));
    producer(&mut world).unwrap();
    world.advance(Moment(1_803_772_800_000));
    assert_eq!(producer(&mut world).unwrap_err(), "InvalidKMSResourceException");
    assert_eq!(metric(&world, "KMSKeyAccessDenied"), 0.0, "the producer was refused, not Firehose");
    let one = json!({ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:role/producer" }, "Action": "kms:GenerateDataKey", "Resource": "*" });
    world.put_key_document(&key, &document(&one)).unwrap();
    assert_eq!(producer(&mut world).unwrap_err(), "InvalidKMSResourceException");
    let both = json!({
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:role/producer" }, "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*", "Condition": { "StringEquals": { "kms:ViaService": "firehose.us-east-1.amazonaws.com" } },
    });
    world.put_key_document(&key, &document(&both)).unwrap();
    producer(&mut world).unwrap();
    let stranger = Caller::role("arn:aws:iam::111122223333:role/stranger", "s").unwrap();
    assert_eq!(world.put_record(&stranger, ARN, "x").unwrap_err().code, "AccessDeniedException");
}

#[test]
fn the_bucket_key_is_used_by_the_role() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "landing", &BucketSetup::default()).unwrap();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    stream(&mut world, &NewDeliveryStream { destination_key: Some(&key), ..plain() });
    delivery_role(&mut world, &["s3:PutObject"]);
    put(&mut world, "a").unwrap();
    pass(&mut world, 60);
    assert_eq!(records(&world).waiting, 1, "the role may write and may not use the key");
    delivery_role(&mut world, &["s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"]);
    pass(&mut world, 60);
    assert_eq!(records(&world).delivered, 1);
}

#[test]
fn a_data_stream_is_read_by_the_role_that_may_decrypt_it() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "landing", &BucketSetup::default()).unwrap();
    delivery_role(&mut world, &["s3:PutObject", "kinesis:GetRecords"]);
    let source = world.create_data_stream(ACCOUNT, REGION, "in");
    world.put_data_record(&administrator(), &source, "before").unwrap();
    stream(&mut world, &NewDeliveryStream { source: Some(&source), ..plain() });
    world.put_data_record(&administrator(), &source, "a").unwrap();
    pass(&mut world, 61);
    assert_eq!(bodies(&mut world), ["a"], "from the latest on");
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.set_data_stream_key(&source, Some(&key));
    world.put_data_record(&administrator(), &source, "b").unwrap();
    pass(&mut world, 600);
    assert_eq!(records(&world).accepted, 1);
    let hop = (source.clone(), ARN.to_owned());
    assert!(world.tally.hops()[&hop].refused >= 9);
    assert!(world.tally.latest_undelivered().last().unwrap().why.starts_with("KMSAccessDeniedException"));
    delivery_role(&mut world, &["s3:PutObject", "kinesis:GetRecords", "kms:Decrypt"]);
    pass(&mut world, 121);
    assert_eq!(records(&world).delivered, 2);
    // What the data stream no longer keeps is lost.
    delivery_role(&mut world, &["s3:PutObject"]);
    world.put_data_record(&administrator(), &source, "c").unwrap();
    pass(&mut world, DAY);
    world.put_data_record(&administrator(), &source, "d").unwrap();
    delivery_role(&mut world, &["s3:PutObject", "kinesis:GetRecords", "kms:Decrypt"]);
    pass(&mut world, 121);
    assert_eq!((world.tally.hops()[&hop].lost, world.tally.hops()[&hop].delivered), (1, 3));
}

#[test]
fn a_second_bucket_gets_the_same_records() {
    let mut world = world();
    pipeline(&mut world);
    world.create_bucket(ACCOUNT, REGION, "backup", &BucketSetup::default()).unwrap();
    let part = json!({ "RoleARN": super::ROLE, "BucketARN": "arn:aws:s3:::backup", "BufferingHints": { "IntervalInSeconds": 60 } });
    let update = json!({
        "DeliveryStreamName": "ingest", "CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": { "S3BackupMode": "Enabled", "S3BackupUpdate": part },
    });
    firehose(&mut world, "UpdateDestination", &update).unwrap();
    put(&mut world, "a").unwrap();
    pass(&mut world, 60);
    assert_eq!((world.object_count("landing"), world.object_count("backup")), (1, 1));
    assert_eq!(records(&world).delivered, 1);
}

#[test]
fn what_a_deleted_stream_holds_is_lost() {
    let mut world = world();
    pipeline(&mut world);
    delivery_role(&mut world, &["s3:GetObject"]);
    put(&mut world, "a").unwrap();
    firehose(&mut world, "DeleteDeliveryStream", &json!({ "DeliveryStreamName": "ingest" })).unwrap();
    pass(&mut world, 31);
    assert_eq!(world.tally.hops()[&(ARN.to_owned(), BUCKET.to_owned())].lost, 1);
    assert!(world.delivery_streams().is_empty());
}

#[test]
fn a_channel_carries_records_as_its_role() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "landing", &BucketSetup::default()).unwrap();
    let trust = json!({ "Effect": "Allow", "Principal": { "Service": "kinesis.amazonaws.com" }, "Action": "sts:AssumeRole" });
    world.create_role(ACCOUNT, "channel", &statement(&trust)).unwrap();
    let source = world.create_data_stream(ACCOUNT, REGION, "in");
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    let create = json!({
        "ChannelName": "out", "ServiceExecutionRoleARN": "arn:aws:iam::111122223333:role/channel",
        "StreamConfigurationList": [{ "StreamARN": source }], "EncryptionConfiguration": { "EncryptionType": "KMS", "KeyId": key },
        "S3DestinationConfiguration": { "DataFreshnessInSeconds": 60, "StorageConfiguration": { "BucketARN": BUCKET, "ExpectedBucketOwner": ACCOUNT, "CompressionType": "NONE" } },
    });
    crate::testing::json(&mut world, ACCOUNT, REGION, "Kinesis_20131202.CreateChannel", &create).unwrap();
    pass(&mut world, 60);
    world.put_data_record(&administrator(), &source, "a").unwrap();
    pass(&mut world, 120);
    let hop = (source, BUCKET.to_owned());
    assert_eq!((world.tally.hops()[&hop].delivered, world.object_count("landing")), (0, 0), "the role may do nothing yet");
    let all = json!({ "Effect": "Allow", "Action": ["kinesis:GetRecords", "s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*" });
    world.put_role_policy(ACCOUNT, "channel", "all", &statement(&all)).unwrap();
    pass(&mut world, 120);
    assert_eq!((world.tally.hops()[&hop].delivered, bodies(&mut world)), (1, vec!["a".to_owned()]));
}
