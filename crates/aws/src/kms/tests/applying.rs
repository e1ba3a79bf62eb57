use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use everseal_controller::ApplyError;
use everseal_planner::Arn;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::kms::observed::creation_tags;
use everseal_planner::plan::Change;
use serde_json::json;

use super::{ALIAS, body, denied, described, key, ok, operations, refused, tagged};
use crate::kms::apply;
use crate::testing::{Answer, Seen, Wire};

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"EversealRoot"}]}"#;

async fn run(
    resource: &Arn,
    change: &Change,
    answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
) -> (Result<(), ApplyError>, Vec<Seen>) {
    let wire = Wire::new(answer);
    let outcome = apply(&wire.context(), resource, change).await;
    (outcome, wire.seen())
}

fn alias_arn() -> Arn {
    Arn::new("aws", "kms", "us-east-1", "111122223333", ALIAS)
}

fn create() -> Change {
    Change::CreateKey {
        alias: ALIAS.into(),
        description: "Finance pipeline data".into(),
        multi_region: true,
        tags: creation_tags(ALIAS, "finance"),
        document: DOCUMENT.into(),
        rotation_period_in_days: Some(365),
    }
}

/// No key, no alias, and everything is allowed.
fn empty_account(seen: &Seen) -> Answer {
    match seen.target.as_str() {
        "DescribeKey" => refused("NotFoundException"),
        "GetResources" => ok(&tagged(&[])),
        "CreateKey" => ok(&described(&key("mrk-new"), "Enabled")),
        "CreateAlias" | "EnableKeyRotation" => Answer::ok("{}"),
        other => panic!("unexpected {other}"),
    }
}

#[tokio::test]
async fn a_key_is_created_then_named_then_rotated() {
    let (outcome, seen) = run(&alias_arn(), &create(), empty_account).await;
    outcome.unwrap();
    assert_eq!(operations(&seen), ["DescribeKey", "GetResources", "CreateKey", "CreateAlias", "EnableKeyRotation"]);
    assert_eq!(body(&seen[0]), json!({ "KeyId": ALIAS }));
    let expected = json!({
        "Description": "Finance pipeline data", "MultiRegion": true, "Policy": DOCUMENT,
        "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT",
        "Tags": [{ "TagKey": "everseal:alias", "TagValue": ALIAS }, { "TagKey": "everseal:policy", "TagValue": "finance" }],
    });
    assert_eq!(body(&seen[2]), expected, "the check against locking everybody out is never bypassed");
    assert_eq!(body(&seen[3]), json!({ "AliasName": ALIAS, "TargetKeyId": key("mrk-new").as_str() }));
    assert_eq!(body(&seen[4]), json!({ "KeyId": key("mrk-new").as_str(), "RotationPeriodInDays": 365 }));
}

#[tokio::test]
async fn a_creation_that_died_before_the_alias_goes_on_with_the_same_key() {
    let (outcome, seen) = run(&alias_arn(), &create(), |seen| match seen.target.as_str() {
        "GetResources" => ok(&tagged(&[(&key("mrk-first"), ALIAS)])),
        "DescribeKey" if body(seen)["KeyId"] == key("mrk-first").as_str() => ok(&described(&key("mrk-first"), "Enabled")),
        _ => empty_account(seen),
    })
    .await;
    outcome.unwrap();
    assert_eq!(operations(&seen), ["DescribeKey", "GetResources", "DescribeKey", "CreateAlias", "EnableKeyRotation"]);
    assert_eq!(body(&seen[3])["TargetKeyId"], key("mrk-first").as_str());
}

#[tokio::test]
async fn a_creation_that_died_before_the_rotation_only_sets_it() {
    let (outcome, seen) = run(&alias_arn(), &create(), |seen| match seen.target.as_str() {
        "DescribeKey" => ok(&described(&key("mrk-first"), "Enabled")),
        "ListResourceTags" => ok(&json!({ "Tags": [{ "TagKey": "everseal:alias", "TagValue": ALIAS }], "Truncated": false })),
        _ => empty_account(seen),
    })
    .await;
    outcome.unwrap();
    assert_eq!(operations(&seen), ["DescribeKey", "ListResourceTags", "EnableKeyRotation"]);
}

#[tokio::test]
async fn an_alias_that_somebody_else_made_meanwhile_is_not_touched() {
    for tags in [json!([]), json!([{ "TagKey": "everseal:alias", "TagValue": "alias/other" }])] {
        let (outcome, seen) = run(&alias_arn(), &create(), move |seen| match seen.target.as_str() {
            "DescribeKey" => ok(&described(&key("theirs"), "Enabled")),
            "ListResourceTags" => ok(&json!({ "Tags": tags, "Truncated": false })),
            other => panic!("unexpected {other}"),
        })
        .await;
        assert_eq!(outcome.unwrap_err().class, ErrorClass::Conflict);
        assert_eq!(seen.len(), 2);
    }
}

#[tokio::test]
async fn no_key_is_made_while_nobody_knows_whether_one_is_there() {
    let (outcome, seen) = run(&alias_arn(), &create(), |seen| match seen.target.as_str() {
        "GetResources" | "ListKeys" => denied(),
        _ => empty_account(seen),
    })
    .await;
    assert_eq!(outcome.unwrap_err().missing_action.as_deref(), Some("kms:ListKeys"));
    assert_eq!(operations(&seen), ["DescribeKey", "GetResources", "ListKeys"]);

    let (outcome, seen) = run(&alias_arn(), &create(), |seen| match seen.target.as_str() {
        "DescribeKey" => denied(),
        _ => empty_account(seen),
    })
    .await;
    assert_eq!(outcome.unwrap_err().missing_action.as_deref(), Some("kms:DescribeKey"));
    assert_eq!(seen.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_kms_does_not_know_everywhere_yet_is_named_a_moment_later() {
    let refusals = AtomicUsize::new(0);
    let (outcome, seen) = run(&alias_arn(), &create(), move |seen| match seen.target.as_str() {
        "CreateAlias" if refusals.fetch_add(1, Ordering::Relaxed) < 2 => refused("NotFoundException"),
        _ => empty_account(seen),
    })
    .await;
    outcome.unwrap();
    assert_eq!(operations(&seen).iter().filter(|operation| **operation == "CreateKey").count(), 1);
    assert_eq!(operations(&seen).iter().filter(|operation| **operation == "CreateAlias").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_key_ends() {
    let started = tokio::time::Instant::now();
    let (outcome, _) =
        run(&alias_arn(), &Change::CreateAlias { alias: ALIAS.into(), key: key("a") }, |_| refused("NotFoundException")).await;
    assert_eq!(outcome.unwrap_err().class, ErrorClass::NotFound);
    assert!(started.elapsed().as_secs() < 10, "shorter than a graceful stop");
}

#[tokio::test]
async fn an_alias_that_names_the_very_key_is_done_and_one_that_names_another_is_a_conflict() {
    for (named, done) in [(key("a"), true), (key("b"), false)] {
        let change = Change::CreateAlias { alias: ALIAS.into(), key: key("a") };
        let (outcome, seen) = run(&alias_arn(), &change, move |seen| match seen.target.as_str() {
            "CreateAlias" => refused("AlreadyExistsException"),
            _ => ok(&described(&named, "Enabled")),
        })
        .await;
        assert_eq!(outcome.as_ref().map_err(|error| error.class), if done { Ok(&()) } else { Err(ErrorClass::Conflict) });
        assert_eq!(operations(&seen), ["CreateAlias", "DescribeKey"]);
    }
}

fn replicate() -> Change {
    Change::ReplicateKey {
        primary: key("mrk-1"),
        region: "eu-west-1".into(),
        alias: ALIAS.into(),
        description: "Finance pipeline data".into(),
        tags: BTreeMap::from([("everseal:alias".into(), ALIAS.into())]),
        document: DOCUMENT.into(),
    }
}

#[tokio::test]
async fn a_replica_is_asked_for_in_the_primarys_region_and_named_in_its_own() {
    let (outcome, seen) = run(&key("mrk-1"), &replicate(), |_| Answer::ok("{}")).await;
    outcome.unwrap();
    assert_eq!(operations(&seen), ["ReplicateKey", "CreateAlias"]);
    assert!(seen[0].uri.starts_with("kms.us-east-1."), "{}", seen[0].uri);
    assert!(seen[1].uri.starts_with("kms.eu-west-1."), "{}", seen[1].uri);
    let expected = json!({
        "KeyId": "mrk-1", "ReplicaRegion": "eu-west-1", "Policy": DOCUMENT, "Description": "Finance pipeline data",
        "Tags": [{ "TagKey": "everseal:alias", "TagValue": ALIAS }],
    });
    assert_eq!(body(&seen[0]), expected);
    assert_eq!(body(&seen[1]), json!({ "AliasName": ALIAS, "TargetKeyId": "arn:aws:kms:eu-west-1:111122223333:key/mrk-1" }));
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_an_earlier_start_made_is_named_once_kms_has_finished_it() {
    let refusals = AtomicUsize::new(0);
    let (outcome, seen) = run(&key("mrk-1"), &replicate(), move |seen| match seen.target.as_str() {
        "ReplicateKey" => refused("AlreadyExistsException"),
        "CreateAlias" if refusals.fetch_add(1, Ordering::Relaxed) == 0 => refused("KMSInvalidStateException"),
        _ => Answer::ok("{}"),
    })
    .await;
    outcome.unwrap();
    assert_eq!(operations(&seen), ["ReplicateKey", "CreateAlias", "CreateAlias"]);
}

#[tokio::test]
async fn a_replica_that_is_refused_is_not_named() {
    let (outcome, seen) = run(&key("mrk-1"), &replicate(), |_| denied()).await;
    assert_eq!(outcome.unwrap_err().missing_action.as_deref(), Some("kms:ReplicateKey"));
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn changes_of_a_key_are_sent_to_its_own_region_exactly_as_the_step_holds_them() {
    let there = Arn::parse("arn:aws:kms:eu-west-1:111122223333:key/mrk-1").unwrap();
    let name = there.as_str();
    let cases = [
        (
            Change::KeyDocument { before: "{}".into(), after: DOCUMENT.into() },
            "PutKeyPolicy",
            json!({ "KeyId": name, "PolicyName": "default", "Policy": DOCUMENT }),
        ),
        (Change::EnableKey {}, "EnableKey", json!({ "KeyId": "mrk-1" })),
        (Change::CancelKeyDeletion {}, "CancelKeyDeletion", json!({ "KeyId": "mrk-1" })),
        (Change::KeyRotation { before: None, after: 90 }, "EnableKeyRotation", json!({ "KeyId": name, "RotationPeriodInDays": 90 })),
    ];
    for (change, operation, expected) in cases {
        let (outcome, seen) = run(&there, &change, |_| Answer::ok("{}")).await;
        outcome.unwrap();
        assert_eq!(operations(&seen), [operation]);
        assert_eq!(body(&seen[0]), expected);
        assert!(seen[0].uri.starts_with("kms.eu-west-1."));
    }
}

#[tokio::test]
async fn a_key_of_another_account_is_never_written() {
    let theirs = Arn::parse("arn:aws:kms:us-east-1:999988887777:key/a").unwrap();
    let (outcome, seen) = run(&theirs, &Change::EnableKey {}, |_| Answer::ok("{}")).await;
    assert_eq!((outcome.unwrap_err().class, seen.len()), (ErrorClass::Invalid, 0));
}

#[tokio::test]
async fn a_document_that_would_lock_the_caller_out_is_invalid_and_a_state_in_the_way_a_conflict() {
    let change = Change::KeyDocument { before: "{}".into(), after: DOCUMENT.into() };
    let (outcome, seen) = run(&key("a"), &change, |_| refused("MalformedPolicyDocumentException")).await;
    assert_eq!((outcome.unwrap_err().class, seen.len()), (ErrorClass::Invalid, 1));
    let (outcome, _) = run(&key("a"), &Change::EnableKey {}, |_| refused("KMSInvalidStateException")).await;
    assert_eq!(outcome.unwrap_err().class, ErrorClass::Conflict);
}
