use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::inventory::ErrorClass;
use everseal_planner::kms::observed::KeyRotation;
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Service, Unreadable};
use serde_json::{Value, json};

use super::{ALIAS, body, denied, described, key, ok, operations, refused, tagged};
use crate::kms::observe;
use crate::testing::{Answer, Seen, Wire};

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

fn listing(gate_facts: bool, listed: &[&str]) -> Reads {
    Reads { listed_aliases: listed.iter().map(|alias| (*alias).to_owned()).collect(), gate_facts, ..Reads::nothing() }
}

async fn run(
    target: &Target,
    reads: &Reads,
    references: &[&str],
    answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
) -> (Inventory, Vec<Seen>) {
    let wire = Wire::new(answer);
    let ctx = wire.context();
    let mut inventory = ctx.part();
    let references = references.iter().map(|reference| (*reference).to_owned()).collect();
    observe(&ctx, target, reads, &references, &mut inventory).await;
    (inventory, wire.seen())
}

/// An account with `alias/finance` → key `a`, `alias/aws/s3` → key `managed`, and an AWS alias without a key.
fn account(seen: &Seen) -> Answer {
    let asked = body(seen);
    match seen.target.as_str() {
        "ListAliases" if asked["Marker"].is_null() => ok(&json!({
            "Aliases": [{ "AliasName": ALIAS, "AliasArn": "…", "TargetKeyId": "a" }, { "AliasName": "alias/aws/dynamodb", "AliasArn": "…" }],
            "Truncated": true, "NextMarker": "m",
        })),
        "ListAliases" => {
            ok(&json!({ "Aliases": [{ "AliasName": "alias/aws/s3", "AliasArn": "…", "TargetKeyId": "managed" }], "Truncated": false }))
        }
        "DescribeKey" => {
            let arn = Arn::parse(asked["KeyId"].as_str().unwrap()).unwrap();
            let mut answer = described(&arn, "Enabled");
            if arn.name() == "managed" {
                answer["KeyMetadata"]["KeyManager"] = json!("AWS");
            }
            ok(&answer)
        }
        "GetKeyPolicy" => {
            assert_eq!(asked["PolicyName"], "default");
            ok(&json!({ "Policy": DOCUMENT }))
        }
        "GetKeyRotationStatus" => ok(&json!({ "KeyRotationEnabled": true, "RotationPeriodInDays": 180 })),
        other => panic!("unexpected {other}"),
    }
}

fn unreadable<T>(reading: &Reading<T>) -> &Unreadable {
    match reading {
        Reading::Unreadable { unreadable } => unreadable,
        Reading::Known(_) | Reading::NotRead => panic!("not unreadable"),
    }
}

#[tokio::test]
async fn a_key_with_many_names_is_described_once() {
    let references = ["a", key("a").as_str(), ALIAS, "arn:aws:kms:us-east-1:111122223333:alias/finance"].map(str::to_owned);
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let (inventory, seen) = run(&Target::Everything, &listing(false, &[]), &references, account).await;
    assert_eq!(operations(&seen), ["ListAliases", "ListAliases", "DescribeKey"]);
    assert_eq!(body(&seen[0])["Limit"], 100);
    let expected = BTreeMap::from([(ALIAS.to_owned(), key("a")), ("alias/aws/s3".to_owned(), key("managed"))]);
    assert_eq!(inventory.aliases, Reading::Known(expected));
    let read = &inventory.keys[&key("a")];
    assert_eq!(read.metadata.known().unwrap().state, "Enabled");
    assert!(read.document.is_not_read() && read.rotation.is_not_read(), "nobody asked for them");
}

#[tokio::test]
async fn a_listed_key_is_read_whole_and_only_once_if_it_is_in_use_too() {
    let (inventory, seen) = run(&Target::Everything, &listing(false, &[ALIAS]), &["a"], account).await;
    assert_eq!(operations(&seen), ["ListAliases", "ListAliases", "DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"]);
    let read = &inventory.keys[&key("a")];
    assert_eq!(read.document, Reading::Known(DOCUMENT.to_owned()));
    assert_eq!(read.rotation, Reading::Known(KeyRotation { enabled: true, period_in_days: Some(180) }));
    assert_eq!(inventory.keys_awaiting_alias, Reading::Known(BTreeMap::new()), "no alias is missing, so nothing was asked");
}

#[tokio::test]
async fn an_aws_managed_key_has_no_document_and_no_rotation_to_manage() {
    let (inventory, seen) =
        run(&Target::Everything, &listing(true, &["alias/none"]), &["alias/aws/s3"], |seen| match seen.target.as_str() {
            "GetResources" => ok(&tagged(&[])),
            _ => account(seen),
        })
        .await;
    assert!(inventory.keys[&key("managed")].metadata.known().unwrap().aws_managed);
    assert!(!operations(&seen).contains(&"GetKeyPolicy"));
}

#[tokio::test]
async fn an_observation_without_a_policy_reads_every_customer_key_that_has_a_name() {
    let (inventory, seen) = run(&Target::Everything, &Reads::everything(), &[], account).await;
    assert_eq!(inventory.keys.keys().collect::<Vec<_>>(), [&key("a")]);
    assert_eq!(operations(&seen)[2..], ["DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"]);
}

#[tokio::test]
async fn a_key_of_another_account_is_described_by_its_arn_and_its_document_is_never_asked_for() {
    let theirs = "arn:aws:kms:us-east-1:999988887777:key/b";
    let targets = Target::Resources(BTreeSet::from([Arn::parse("arn:aws:sqs:us-east-1:111122223333:q").unwrap()]));
    let (inventory, seen) = run(&targets, &listing(true, &[]), &[theirs], account).await;
    assert_eq!(operations(&seen), ["DescribeKey"]);
    assert_eq!(body(&seen[0])["KeyId"], theirs);
    let read = &inventory.keys[&Arn::parse(theirs).unwrap()];
    assert!(read.metadata.known().is_some());
    let why = unreadable(&read.document);
    assert_eq!((why.class, why.operation.as_str(), why.missing_action.as_deref()), (ErrorClass::Denied, "GetKeyPolicy", None));
    assert!(why.message.contains("999988887777"));
}

#[tokio::test]
async fn a_key_of_another_region_is_not_asked_about_here() {
    let elsewhere = "arn:aws:kms:eu-west-1:111122223333:key/b";
    let targets = Target::Resources(BTreeSet::from([Arn::parse("arn:aws:sqs:us-east-1:111122223333:q").unwrap()]));
    let (inventory, seen) = run(&targets, &listing(true, &[]), &[elsewhere], account).await;
    assert_eq!(seen.len(), 0);
    let why = unreadable(&inventory.keys[&Arn::parse(elsewhere).unwrap()].metadata);
    assert_eq!(why.class, ErrorClass::Invalid);
    assert!(why.message.contains("eu-west-1") && why.message.contains("us-east-1"), "{}", why.message);
}

#[tokio::test]
async fn a_reference_to_a_key_that_does_not_exist_stays_in_the_inventory_as_not_found() {
    let (inventory, _) = run(&Target::Everything, &listing(false, &[]), &["typo"], |seen| match seen.target.as_str() {
        "DescribeKey" => refused("NotFoundException"),
        _ => account(seen),
    })
    .await;
    assert_eq!(unreadable(&inventory.keys[&key("typo")].metadata).class, ErrorClass::NotFound);
}

#[tokio::test]
async fn refusals_name_the_missing_action() {
    let (inventory, _) = run(&Target::Everything, &listing(false, &[ALIAS]), &[key("b").as_str()], |seen| match seen.target.as_str() {
        "ListAliases" => denied(),
        _ => account(seen),
    })
    .await;
    assert_eq!(unreadable(&inventory.aliases).missing_action.as_deref(), Some("kms:ListAliases"));
    assert_eq!(inventory.unlisted[&Service::Kms].class, ErrorClass::Denied);
    assert!(inventory.keys[&key("b")].metadata.known().is_some(), "a key with its ARN needs no alias");
    assert!(inventory.keys_awaiting_alias.is_not_read(), "which alias is missing is not known");

    let (inventory, _) = run(&Target::Everything, &listing(false, &[ALIAS]), &[], |seen| match seen.target.as_str() {
        "GetKeyPolicy" | "GetKeyRotationStatus" => denied(),
        _ => account(seen),
    })
    .await;
    let read = &inventory.keys[&key("a")];
    assert_eq!(unreadable(&read.document).missing_action.as_deref(), Some("kms:GetKeyPolicy"));
    assert_eq!(unreadable(&read.rotation).missing_action.as_deref(), Some("kms:GetKeyRotationStatus"));
}

#[tokio::test]
async fn a_key_that_may_not_be_described_shows_nothing_of_what_was_asked_for() {
    let (inventory, seen) = run(&Target::Everything, &listing(false, &[ALIAS]), &["b"], |seen| match seen.target.as_str() {
        "DescribeKey" => denied(),
        _ => account(seen),
    })
    .await;
    assert!(!operations(&seen).contains(&"GetKeyPolicy"));
    let listed = &inventory.keys[&key("a")];
    for missing in [
        &unreadable(&listed.metadata).missing_action,
        &unreadable(&listed.document).missing_action,
        &unreadable(&listed.rotation).missing_action,
    ] {
        assert_eq!(missing.as_deref(), Some("kms:DescribeKey"));
    }
    assert!(inventory.keys[&key("b")].document.is_not_read(), "nobody asked for it");
}

#[tokio::test]
async fn keys_that_cannot_rotate_are_not_asked_whether_they_do() {
    let kinds = [
        json!({ "Origin": "EXTERNAL" }),
        json!({ "Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1" }),
        json!({ "Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": "cks-2" }),
        json!({ "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC" }),
        json!({ "KeySpec": "ML_DSA_65", "KeyUsage": "SIGN_VERIFY" }),
    ];
    for kind in kinds {
        let changes = kind.as_object().unwrap().clone();
        let (inventory, seen) = run(&Target::Everything, &listing(false, &[ALIAS]), &[], move |seen| match seen.target.as_str() {
            "DescribeKey" => {
                let mut answer = described(&key("a"), "Enabled");
                answer["KeyMetadata"].as_object_mut().unwrap().extend(changes.clone());
                ok(&answer)
            }
            _ => account(seen),
        })
        .await;
        assert!(!operations(&seen).contains(&"GetKeyRotationStatus"), "{kind}");
        assert!(inventory.keys[&key("a")].rotation.is_not_read());
        assert!(inventory.keys[&key("a")].document.known().is_some());
    }
}

#[tokio::test]
async fn a_symmetric_key_without_a_named_usage_encrypts_and_another_stays_unclear() {
    for (spec, usage) in [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "")] {
        let (inventory, _) = run(&Target::Everything, &listing(false, &[]), &["a"], move |seen| match seen.target.as_str() {
            "DescribeKey" => {
                let mut answer = described(&key("a"), "Enabled");
                answer["KeyMetadata"].as_object_mut().unwrap().remove("KeyUsage");
                answer["KeyMetadata"]["KeySpec"] = json!(spec);
                ok(&answer)
            }
            _ => account(seen),
        })
        .await;
        assert_eq!(inventory.keys[&key("a")].metadata.known().unwrap().usage, usage);
    }
}

#[tokio::test]
async fn the_facts_of_a_multi_region_key_and_of_its_deletion_are_kept() {
    let (inventory, _) = run(&Target::Everything, &listing(false, &[]), &["mrk-1"], |seen| match seen.target.as_str() {
        "DescribeKey" => {
            let mut answer = described(&key("mrk-1"), "PendingDeletion");
            answer["KeyMetadata"]["DeletionDate"] = json!(1_790_000_000.25);
            answer["KeyMetadata"]["MultiRegionConfiguration"] = json!({
                "MultiRegionKeyType": "PRIMARY", "PrimaryKey": { "Arn": key("mrk-1").as_str(), "Region": "us-east-1" },
                "ReplicaKeys": [{ "Arn": "arn:aws:kms:eu-west-1:111122223333:key/mrk-1", "Region": "eu-west-1" }],
            });
            ok(&answer)
        }
        _ => account(seen),
    })
    .await;
    let metadata = inventory.keys[&key("mrk-1")].metadata.known().unwrap();
    assert_eq!((metadata.state.as_str(), metadata.deletion_date), ("PendingDeletion", Some(1_790_000_000)));
    let multi_region = metadata.multi_region.as_ref().unwrap();
    assert_eq!(multi_region.primary, key("mrk-1"));
    assert_eq!(multi_region.replicas.iter().map(Arn::region).collect::<Vec<_>>(), ["eu-west-1"]);
}

#[tokio::test]
async fn a_key_as_target_is_read_whole_without_listing_aliases() {
    let targets = Target::Resources(BTreeSet::from([key("a")]));
    let (inventory, seen) = run(&targets, &listing(false, &[ALIAS]), &[key("a").as_str()], account).await;
    assert_eq!(operations(&seen), ["DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"]);
    assert!(inventory.keys[&key("a")].document.known().is_some());
    assert!(inventory.aliases.is_not_read() && inventory.keys_awaiting_alias.is_not_read());
}

#[tokio::test]
async fn a_key_that_a_target_uses_shows_its_document_only_to_a_gate() {
    let targets = Target::Resources(BTreeSet::from([Arn::parse("arn:aws:sqs:us-east-1:111122223333:q").unwrap()]));
    let (inventory, seen) = run(&targets, &listing(false, &[ALIAS]), &[key("a").as_str()], account).await;
    assert_eq!(operations(&seen), ["DescribeKey"]);
    assert!(inventory.keys[&key("a")].document.is_not_read());
    let (inventory, seen) = run(&targets, &listing(true, &[ALIAS]), &[key("a").as_str()], account).await;
    assert_eq!(operations(&seen), ["DescribeKey", "GetKeyPolicy"]);
    assert!(inventory.keys[&key("a")].document.known().is_some());
}

#[tokio::test]
async fn an_alias_as_target_brings_the_listing_and_its_key() {
    let alias = Arn::parse("arn:aws:kms:us-east-1:111122223333:alias/finance").unwrap();
    let targets = Target::Resources(BTreeSet::from([alias.clone()]));
    let (inventory, seen) = run(&targets, &listing(false, &[ALIAS, "alias/other"]), &[alias.as_str()], account).await;
    assert_eq!(operations(&seen), ["ListAliases", "ListAliases", "DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"]);
    assert!(inventory.aliases.known().unwrap().contains_key(ALIAS));
    assert_eq!(inventory.keys_awaiting_alias, Reading::Known(BTreeMap::new()));
}

#[tokio::test]
async fn a_key_whose_creation_was_cut_short_is_found_by_its_tag() {
    let (inventory, seen) = run(&Target::Everything, &listing(false, &[ALIAS, "alias/new"]), &[], |seen| match seen.target.as_str() {
        "GetResources" if body(seen)["PaginationToken"].is_null() => {
            let mut page = tagged(&[(&key("a"), ALIAS), (&key("doomed"), "alias/new")]);
            page["PaginationToken"] = json!("p");
            ok(&page)
        }
        "GetResources" => ok(&tagged(&[(&key("gone"), "alias/new"), (&key("half-done"), "alias/new"), (&key("x"), "alias/unlisted")])),
        "DescribeKey" if body(seen)["KeyId"] == key("doomed").as_str() => ok(&described(&key("doomed"), "PendingDeletion")),
        "DescribeKey" if body(seen)["KeyId"] == key("gone").as_str() => refused("NotFoundException"),
        _ => account(seen),
    })
    .await;
    assert_eq!(inventory.keys_awaiting_alias, Reading::Known(BTreeMap::from([("alias/new".to_owned(), key("half-done"))])));
    assert!(inventory.keys[&key("half-done")].document.known().is_some(), "read like a listed key");
    let asked = seen.iter().find(|seen| seen.target == "GetResources").map(body).unwrap();
    assert_eq!(asked, json!({ "ResourceTypeFilters": ["kms:key"], "TagFilters": [{ "Key": "everseal:alias" }], "ResourcesPerPage": 100 }));
}

#[tokio::test]
async fn where_the_tagging_api_refuses_every_key_is_asked_for_its_tags() {
    let answer = |seen: &Seen| match (seen.target.as_str(), body(seen)) {
        ("GetResources", _) => denied(),
        ("ListKeys", asked) if asked["Marker"].is_null() => {
            ok(&json!({ "Keys": [{ "KeyId": "a", "KeyArn": key("a").as_str() }], "Truncated": true, "NextMarker": "m" }))
        }
        ("ListKeys", _) => ok(&json!({ "Keys": [{ "KeyId": "half-done", "KeyArn": key("half-done").as_str() }], "Truncated": false })),
        ("ListResourceTags", asked) if asked["KeyId"] == key("a").as_str() => ok(&json!({ "Tags": [], "Truncated": false })),
        ("ListResourceTags", asked) if asked["Marker"].is_null() => {
            ok(&json!({ "Tags": [{ "TagKey": "team", "TagValue": "x" }], "Truncated": true, "NextMarker": "t" }))
        }
        ("ListResourceTags", _) => ok(&json!({ "Tags": [{ "TagKey": "everseal:alias", "TagValue": "alias/new" }], "Truncated": false })),
        _ => account(seen),
    };
    let (inventory, _) = run(&Target::Everything, &listing(false, &["alias/new"]), &[], answer).await;
    assert_eq!(inventory.keys_awaiting_alias, Reading::Known(BTreeMap::from([("alias/new".to_owned(), key("half-done"))])));
}

#[tokio::test]
async fn a_search_for_unfinished_keys_that_failed_is_not_an_empty_one() {
    let (inventory, _) = run(&Target::Everything, &listing(false, &["alias/new"]), &[], |seen| match seen.target.as_str() {
        "GetResources" | "ListKeys" => denied(),
        _ => account(seen),
    })
    .await;
    assert_eq!(unreadable(&inventory.keys_awaiting_alias).missing_action.as_deref(), Some("kms:ListKeys"));
    let _: Value = serde_json::to_value(&inventory).unwrap();
}
