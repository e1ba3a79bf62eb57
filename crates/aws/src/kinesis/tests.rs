#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use everseal_planner::inventory::{Channel, ErrorClass};
use everseal_planner::kinesis::observed::DataStreamSummary;
use everseal_planner::plan::{Change, KeyRef, Reads, Target};
use everseal_planner::{Arn, Reading, Service};
use serde_json::{Value, json};

use super::{apply, observe};
use crate::testing::{Answer, Seen, Wire};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555";

fn arn(name: &str) -> Arn {
    Arn::new("aws", "kinesis", "us-east-1", "111122223333", &format!("stream/{name}"))
}

fn body(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap()
}

fn refused(code: &str) -> Answer {
    Answer::new(400, json!({ "__type": code, "message": "no" }).to_string())
}

fn listed(name: &str) -> Value {
    json!({ "StreamName": name, "StreamARN": arn(name).as_str(), "StreamStatus": "ACTIVE" })
}

fn summary(arn: &str, encryption: &Value) -> Answer {
    let mut summary = json!({
        "StreamName": arn.rsplit('/').next(), "StreamARN": arn, "StreamStatus": "UPDATING", "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": 1_764_000_000, "EnhancedMonitoring": [], "OpenShardCount": 1,
    });
    summary.as_object_mut().unwrap().extend(encryption.as_object().unwrap().clone());
    Answer::ok(json!({ "StreamDescriptionSummary": summary }).to_string())
}

#[tokio::test]
async fn streams_are_paged_by_token_and_each_is_described_once() {
    let wire = Wire::new(|seen| match (seen.target.as_str(), body(seen)["NextToken"].as_str()) {
        ("ListStreams", None) => {
            let page = json!({ "StreamNames": ["a", "b"], "StreamSummaries": [listed("a"), listed("b")], "HasMoreStreams": true, "NextToken": "t" });
            Answer::ok(page.to_string())
        }
        ("ListStreams", Some("t")) => {
            assert!(body(seen).get("ExclusiveStartStreamName").is_none(), "either a token or a name");
            Answer::ok(json!({ "StreamNames": ["c"], "StreamSummaries": [listed("c")], "HasMoreStreams": false }).to_string())
        }
        ("DescribeStreamSummary", _) => {
            let stream = body(seen)["StreamARN"].as_str().unwrap().to_owned();
            let encryption = if stream.ends_with("/a") {
                json!({ "EncryptionType": "KMS", "KeyId": "alias/finance" })
            } else {
                json!({ "EncryptionType": "NONE" })
            };
            summary(&stream, &encryption)
        }
        other => panic!("unexpected {other:?}"),
    });
    let inventory = observe(&wire.context(), &Target::Everything, &Reads::everything()).await;
    assert_eq!(wire.seen().len(), 5);
    assert_eq!(body(&wire.seen()[0])["Limit"], 100);
    let summaries: Vec<_> =
        inventory.data_streams.values().map(|stream| (stream.name.as_str(), stream.summary.known().unwrap().clone())).collect();
    let plain = DataStreamSummary { status: "UPDATING".into(), encrypted: false, kms_key: None };
    let encrypted = DataStreamSummary { encrypted: true, kms_key: Some("alias/finance".into()), ..plain.clone() };
    assert_eq!(summaries, [("a", encrypted), ("b", plain.clone()), ("c", plain)]);
}

#[tokio::test]
async fn where_there_is_no_token_the_listing_goes_on_from_the_last_name() {
    let wire = Wire::new(|seen| match (seen.target.as_str(), body(seen)["ExclusiveStartStreamName"].as_str()) {
        ("ListStreams", None) => Answer::ok(json!({ "StreamNames": ["a"], "HasMoreStreams": true }).to_string()),
        ("ListStreams", Some("a")) => Answer::ok(json!({ "StreamNames": ["b"], "HasMoreStreams": false }).to_string()),
        _ => summary(body(seen)["StreamARN"].as_str().unwrap(), &json!({})),
    });
    let inventory = observe(&wire.context(), &Target::Everything, &Reads::everything()).await;
    assert_eq!(inventory.data_streams.keys().collect::<Vec<_>>(), [&arn("a"), &arn("b")]);
}

#[tokio::test]
async fn gone_streams_are_left_out_and_refusals_are_kept() {
    let targets = Target::Resources(BTreeSet::from([arn("gone"), arn("closed"), arn("in/consumer/x:1")]));
    let wire = Wire::new(|seen| {
        let gone = body(seen)["StreamARN"].as_str().unwrap().ends_with("gone");
        refused(if gone { "ResourceNotFoundException" } else { "AccessDeniedException" })
    });
    let inventory = observe(&wire.context(), &targets, &Reads::everything()).await;
    assert_eq!(wire.seen().len(), 2, "a consumer is no stream");
    assert_eq!(inventory.data_streams.keys().collect::<Vec<_>>(), [&arn("closed")]);
    let Reading::Unreadable { unreadable } = &inventory.data_streams[&arn("closed")].summary else { panic!("readable") };
    assert_eq!(unreadable.class, ErrorClass::Denied);
    assert_eq!(unreadable.missing_action.as_deref(), Some("kinesis:DescribeStreamSummary"));
}

#[tokio::test]
async fn a_failed_listing_says_so_instead_of_showing_no_streams() {
    let wire = Wire::new(|_| refused("AccessDeniedException"));
    let inventory = observe(&wire.context(), &Target::Everything, &Reads::everything()).await;
    assert_eq!(inventory.unlisted[&Service::Kinesis].missing_action.as_deref(), Some("kinesis:ListStreams"));
}

#[tokio::test]
async fn encryption_is_started_with_the_full_key_arn() {
    let wire = Wire::new(|_| Answer::ok("{}"));
    let change = Change::DataStreamEncryption { before: None, after: KeyRef::Arn(Arn::parse(KEY).unwrap()) };
    apply(&wire.context(), &arn("in"), &change).await.unwrap();
    let seen = wire.seen();
    assert_eq!((seen.len(), seen[0].target.as_str()), (1, "StartStreamEncryption"));
    assert_eq!(body(&seen[0]), json!({ "StreamARN": arn("in").as_str(), "EncryptionType": "KMS", "KeyId": KEY }));
}

#[tokio::test]
async fn a_stream_that_is_changing_is_a_conflict_and_a_key_to_come_is_never_sent() {
    let wire = Wire::new(|_| refused("ResourceInUseException"));
    let change = Change::DataStreamEncryption { before: None, after: KeyRef::Arn(Arn::parse(KEY).unwrap()) };
    assert_eq!(apply(&wire.context(), &arn("in"), &change).await.unwrap_err().class, ErrorClass::Conflict);
    let change = Change::DataStreamEncryption { before: None, after: KeyRef::ToBeCreated { alias: "alias/finance".into() } };
    assert_eq!(apply(&wire.context(), &arn("in"), &change).await.unwrap_err().class, ErrorClass::Invalid);
    assert_eq!(wire.seen().len(), 1);
}

fn channel(name: &str) -> String {
    format!("arn:aws:kinesis:us-east-1:111122223333:channel/{name}")
}

/// Two pages: one channel to a bucket from two streams under a key, one to S3 Tables.
fn channels(seen: &Seen) -> Answer {
    let listed = |name: &str| {
        json!({ "ChannelName": name, "ChannelARN": channel(name), "ChannelId": name, "ChannelStatus": "ACTIVE",
            "ChannelCreationTimestamp": 1_764_000_000, "ChannelDestinationType": "S3", "Streams": [] })
    };
    let from = |name: &str| json!({ "StreamARN": arn(name).as_str(), "StreamCreationTimestamp": 1_764_000_000 });
    let asked = body(seen);
    let answer = match (seen.target.as_str(), asked["NextToken"].as_str(), asked["ChannelARN"].as_str()) {
        ("ListChannels", None, _) => json!({ "ChannelSummaries": [listed("lake")], "NextToken": "t" }),
        ("ListChannels", Some("t"), _) => json!({ "ChannelSummaries": [listed("tables")] }),
        ("DescribeChannel", _, Some(named)) => {
            let lake = named.ends_with("lake");
            let mut description = listed(if lake { "lake" } else { "tables" });
            description["ServiceExecutionRoleARN"] = json!("arn:aws:iam::111122223333:role/channel");
            description["StreamConfigurationList"] = if lake { json!([from("a"), from("b")]) } else { json!([from("c")]) };
            if lake {
                description["EncryptionConfiguration"] = json!({ "EncryptionType": "KMS", "KeyId": KEY });
                description["S3DestinationConfiguration"] = json!({ "DataFreshnessInSeconds": 60, "StorageConfiguration": {
                    "BucketARN": "arn:aws:s3:::lake", "ExpectedBucketOwner": "111122223333", "CompressionType": "GZIP" } });
            }
            json!({ "ChannelDescription": description })
        }
        other => panic!("unexpected {other:?}"),
    };
    Answer::ok(answer.to_string())
}

#[tokio::test]
async fn channels_of_all_pages_are_described_with_bucket_role_and_key() {
    let wire = Wire::new(channels);
    let found = super::channels(&wire.context()).await.unwrap();
    let role = Some(Arn::parse("arn:aws:iam::111122223333:role/channel").unwrap());
    let lake = |stream: &str| Channel {
        arn: Arn::parse(&channel("lake")).unwrap(),
        stream: arn(stream),
        bucket: Some(Arn::parse("arn:aws:s3:::lake").unwrap()),
        role: role.clone(),
        kms_key: Some(KEY.to_owned()),
    };
    let tables =
        Channel { arn: Arn::parse(&channel("tables")).unwrap(), stream: arn("c"), bucket: None, role: role.clone(), kms_key: None };
    assert_eq!(found, [lake("a"), lake("b"), tables], "one value for each stream");
    assert_eq!(wire.counted().len(), 4);
}

#[tokio::test]
async fn a_region_without_channels_has_none_and_a_refusal_is_an_error() {
    for code in ["UnknownOperationException", "InvalidAction"] {
        let wire = Wire::new(move |_| refused(code));
        assert_eq!(super::channels(&wire.context()).await, Ok(Vec::new()));
    }
    for (denied, action) in [("ListChannels", "kinesis:ListChannels"), ("DescribeChannel", "kinesis:DescribeChannel")] {
        let wire = Wire::new(move |seen| if seen.target == denied { refused("AccessDeniedException") } else { channels(seen) });
        let error = super::channels(&wire.context()).await.unwrap_err();
        assert_eq!((error.class, error.missing_action), (ErrorClass::Denied, Some(action)));
    }
}

#[tokio::test]
async fn a_channel_that_is_deleted_meanwhile_is_left_out() {
    let wire = Wire::new(|seen| {
        let gone = body(seen)["ChannelARN"].as_str().is_some_and(|arn| arn.ends_with("lake"));
        if gone { refused("ResourceNotFoundException") } else { channels(seen) }
    });
    let found = super::channels(&wire.context()).await.unwrap();
    assert_eq!(found.iter().map(|channel| channel.arn.name()).collect::<Vec<_>>(), ["tables"]);
}
