//! Keys' lives over the wire.

use std::time::Duration;

use serde_json::{Value, json};

use super::{call, document, new_key, refusal, root_statement};
use crate::testing::{self, ACCOUNT, OTHER, REGION, world};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn a_new_key_looks_as_aws_says() {
    let mut world = world();
    let made = call(&mut world, "CreateKey", &json!({ "Description": "d", "Tags": [{ "TagKey": "t", "TagValue": "v" }] })).unwrap();
    let metadata = &made["KeyMetadata"];
    for (member, value) in [
        ("AWSAccountId", json!(ACCOUNT)),
        ("Enabled", json!(true)),
        ("KeyState", json!("Enabled")),
        ("KeyManager", json!("CUSTOMER")),
        ("KeyUsage", json!("ENCRYPT_DECRYPT")),
        ("KeySpec", json!("SYMMETRIC_DEFAULT")),
        ("Origin", json!("AWS_KMS")),
        ("MultiRegion", json!(false)),
        ("EncryptionAlgorithms", json!(["SYMMETRIC_DEFAULT"])),
    ] {
        assert_eq!(metadata[member], value, "{member}");
    }
    let key = json!({ "KeyId": metadata["KeyId"] });
    assert_eq!(call(&mut world, "DescribeKey", &key).unwrap()["KeyMetadata"], *metadata);
    assert_eq!(call(&mut world, "ListResourceTags", &key).unwrap()["Tags"], json!([{ "TagKey": "t", "TagValue": "v" }]));
    let policy: Value = serde_json::from_str(call(&mut world, "GetKeyPolicy", &key).unwrap()["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::111122223333:root");
}

#[test]
fn deletion_waits_can_be_cancelled_and_then_is_final() {
    let mut world = world();
    let key = new_key(&mut world);
    call(&mut world, "CreateAlias", &json!({ "AliasName": "alias/a", "TargetKeyId": key })).unwrap();
    let named = json!({ "KeyId": key });
    assert_eq!(refusal(&mut world, "ScheduleKeyDeletion", &json!({ "KeyId": key, "PendingWindowInDays": 6 })), "ValidationException");
    assert_eq!(refusal(&mut world, "CancelKeyDeletion", &named), "KMSInvalidStateException");
    let schedule = json!({ "KeyId": key, "PendingWindowInDays": 7 });
    assert_eq!(call(&mut world, "ScheduleKeyDeletion", &schedule).unwrap()["KeyState"], "PendingDeletion");
    for operation in ["EnableKey", "DisableKey", "ScheduleKeyDeletion", "EnableKeyRotation"] {
        assert_eq!(refusal(&mut world, operation, &named), "KMSInvalidStateException", "{operation}");
    }
    assert_eq!(refusal(&mut world, "CreateAlias", &json!({ "AliasName": "alias/b", "TargetKeyId": key })), "KMSInvalidStateException");
    world.advance(world.now() + DAY * 6);
    call(&mut world, "CancelKeyDeletion", &named).unwrap();
    let described = call(&mut world, "DescribeKey", &named).unwrap();
    assert_eq!(described["KeyMetadata"]["KeyState"], "Disabled");
    assert!(described["KeyMetadata"].get("DeletionDate").is_none());
    call(&mut world, "ScheduleKeyDeletion", &schedule).unwrap();
    world.advance(world.now() + DAY * 2);
    assert!(call(&mut world, "DescribeKey", &named).is_ok(), "the cancelled period's end does not count");
    world.advance(world.now() + DAY * 5);
    assert_eq!(refusal(&mut world, "DescribeKey", &named), "NotFoundException");
    assert_eq!(refusal(&mut world, "DescribeKey", &json!({ "KeyId": "alias/a" })), "NotFoundException");
    assert_eq!(call(&mut world, "ListAliases", &json!({})).unwrap()["Aliases"], json!([]));
}

#[test]
fn rotation_is_for_keys_that_can_and_says_false_while_they_leave() {
    let mut world = world();
    let key = new_key(&mut world);
    let named = json!({ "KeyId": key });
    assert_eq!(call(&mut world, "GetKeyRotationStatus", &named).unwrap()["KeyRotationEnabled"], false);
    call(&mut world, "EnableKeyRotation", &named).unwrap();
    assert_eq!(call(&mut world, "GetKeyRotationStatus", &named).unwrap()["RotationPeriodInDays"], 365);
    call(&mut world, "EnableKeyRotation", &json!({ "KeyId": key, "RotationPeriodInDays": 90 })).unwrap();
    assert_eq!(call(&mut world, "GetKeyRotationStatus", &named).unwrap()["RotationPeriodInDays"], 90);
    assert_eq!(refusal(&mut world, "EnableKeyRotation", &json!({ "KeyId": key, "RotationPeriodInDays": 89 })), "ValidationException");
    call(&mut world, "DisableKey", &named).unwrap();
    assert_eq!(refusal(&mut world, "EnableKeyRotation", &named), "DisabledException");
    call(&mut world, "ScheduleKeyDeletion", &named).unwrap();
    assert_eq!(call(&mut world, "GetKeyRotationStatus", &named).unwrap()["KeyRotationEnabled"], false);
    for input in [json!({ "Origin": "EXTERNAL" }), json!({ "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" })] {
        let other = call(&mut world, "CreateKey", &input).unwrap()["KeyMetadata"]["Arn"].clone();
        assert_eq!(refusal(&mut world, "GetKeyRotationStatus", &json!({ "KeyId": other })), "UnsupportedOperationException", "{input}");
    }
}

#[test]
fn a_replica_takes_a_moment_and_holds_its_primary_back_from_deletion() {
    let mut world = world();
    let primary = call(&mut world, "CreateKey", &json!({ "MultiRegion": true })).unwrap()["KeyMetadata"].clone();
    assert!(primary["KeyId"].as_str().unwrap().starts_with("mrk-"));
    let input = json!({ "KeyId": primary["KeyId"], "ReplicaRegion": "eu-west-1" });
    let made = call(&mut world, "ReplicateKey", &input).unwrap()["ReplicaKeyMetadata"].clone();
    assert_eq!((&made["KeyState"], &made["KeyId"]), (&json!("Creating"), &primary["KeyId"]));
    assert_eq!(made["MultiRegionConfiguration"]["PrimaryKey"]["Arn"], primary["Arn"]);
    assert_eq!(refusal(&mut world, "ReplicateKey", &input), "AlreadyExistsException");
    let there = |world: &mut _, operation: &str, input: &Value| {
        testing::json(world, ACCOUNT, "eu-west-1", &format!("TrentService.{operation}"), input)
    };
    let data_key = json!({ "KeyId": made["Arn"], "KeySpec": "AES_256" });
    assert_eq!(there(&mut world, "GenerateDataKey", &data_key).unwrap_err().0, "KMSInvalidStateException");
    there(&mut world, "CreateAlias", &json!({ "AliasName": "alias/mr", "TargetKeyId": made["KeyId"] })).unwrap();
    world.advance(world.now() + Duration::from_mins(1));
    let blob = there(&mut world, "GenerateDataKey", &data_key).unwrap()["CiphertextBlob"].clone();
    assert!(call(&mut world, "Decrypt", &json!({ "CiphertextBlob": blob })).is_ok(), "the family shares its material");
    let scheduled = call(&mut world, "ScheduleKeyDeletion", &json!({ "KeyId": primary["KeyId"], "PendingWindowInDays": 7 })).unwrap();
    assert_eq!(scheduled["KeyState"], "PendingReplicaDeletion");
    there(&mut world, "ScheduleKeyDeletion", &json!({ "KeyId": made["KeyId"], "PendingWindowInDays": 7 })).unwrap();
    world.advance(world.now() + DAY * 8);
    let left = call(&mut world, "DescribeKey", &json!({ "KeyId": primary["KeyId"] })).unwrap();
    assert_eq!(left["KeyMetadata"]["KeyState"], "PendingDeletion");
    world.advance(world.now() + DAY * 8);
    assert_eq!(refusal(&mut world, "DescribeKey", &json!({ "KeyId": primary["KeyId"] })), "NotFoundException");
}

/// [kms:PutKeyPolicy]
#[test]
fn documents_that_kms_does_not_take() {
    let mut world = world();
    let key = new_key(&mut world);
    let statement = |principal: Value| json!({ "Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*" });
    let long = json!({ "Sid": "x".repeat(33_000), "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*" });
    let stranger = statement(json!({ "AWS": "arn:aws:iam::111122223333:role/stranger" }));
    for (text, code) in [
        ("{".to_owned(), "MalformedPolicyDocumentException"),
        ("{}".to_owned(), "MalformedPolicyDocumentException"),
        (document(&[root_statement(), statement(json!({ "AWS": "AIDACKCEVSQ6C2EXAMPLE" }))]), "MalformedPolicyDocumentException"),
        (document(&[json!({ "Effect": "Allow", "Action": "kms:*", "Resource": "*" })]), "MalformedPolicyDocumentException"),
        // The caller would be locked out.
        (document(&[stranger]), "MalformedPolicyDocumentException"),
        (document(&[root_statement(), long]), "LimitExceededException"),
        (document(&[root_statement()]).replace("2012", "20\u{2028}12"), "ValidationException"),
    ] {
        assert_eq!(refusal(&mut world, "PutKeyPolicy", &json!({ "KeyId": key, "Policy": text })), code, "{}", &text[..text.len().min(200)]);
    }
    let other_name = json!({ "KeyId": key, "PolicyName": "AWS_RAM", "Policy": document(&[root_statement()]) });
    assert_eq!(refusal(&mut world, "PutKeyPolicy", &other_name), "ValidationException");
}

#[test]
fn a_foreign_account_reads_no_document_and_lists_only_its_own() {
    let mut world = world();
    let open = json!({ "Effect": "Allow", "Principal": { "AWS": OTHER }, "Action": "kms:*", "Resource": "*" });
    let made = call(&mut world, "CreateKey", &json!({ "Policy": document(&[root_statement(), open]) })).unwrap();
    let named = json!({ "KeyId": made["KeyMetadata"]["Arn"] });
    let foreign =
        |world: &mut _, operation: &str, input: &Value| testing::json(world, OTHER, REGION, &format!("TrentService.{operation}"), input);
    assert!(foreign(&mut world, "DescribeKey", &named).is_ok());
    assert_eq!(foreign(&mut world, "GetKeyPolicy", &named).unwrap_err().0, "AccessDeniedException");
    assert_eq!(foreign(&mut world, "ListKeys", &json!({})).unwrap()["Keys"], json!([]));
    assert_eq!(
        testing::json(&mut world, "", REGION, "TrentService.ListKeys", &json!({})).unwrap_err().0,
        "MissingAuthenticationTokenException"
    );
}

#[test]
fn listings_come_in_pages_without_gap_or_repetition() {
    let mut world = world();
    let keys: std::collections::BTreeSet<String> = (0..7).map(|_| new_key(&mut world)).collect();
    let (mut seen, mut marker, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let mut input = json!({ "Limit": 3 });
        if !marker.is_null() {
            input["Marker"] = marker;
        }
        let page = call(&mut world, "ListKeys", &input).unwrap();
        seen.extend(page["Keys"].as_array().unwrap().iter().map(|key| key["KeyArn"].as_str().unwrap().to_owned()));
        pages += 1;
        marker = page["NextMarker"].clone();
        assert_eq!(page["Truncated"], json!(!marker.is_null()));
        if marker.is_null() {
            break;
        }
    }
    assert_eq!((seen, pages), (keys.into_iter().collect(), 3));
    assert_eq!(refusal(&mut world, "ListKeys", &json!({ "Limit": 1001 })), "ValidationException");
}

#[test]
fn aliases_are_moved_listed_and_removed() {
    let mut world = world();
    let (first, second) = (new_key(&mut world), new_key(&mut world));
    let create = json!({ "AliasName": "alias/finance", "TargetKeyId": first });
    call(&mut world, "CreateAlias", &create).unwrap();
    assert_eq!(refusal(&mut world, "CreateAlias", &create), "AlreadyExistsException");
    assert_eq!(
        refusal(&mut world, "CreateAlias", &json!({ "AliasName": "alias/aws/x", "TargetKeyId": first })),
        "InvalidAliasNameException"
    );
    assert_eq!(refusal(&mut world, "CreateAlias", &json!({ "AliasName": "finance", "TargetKeyId": first })), "ValidationException");
    call(&mut world, "UpdateAlias", &json!({ "AliasName": "alias/finance", "TargetKeyId": second })).unwrap();
    let described = call(&mut world, "DescribeKey", &json!({ "KeyId": "alias/finance" })).unwrap();
    assert_eq!(described["KeyMetadata"]["Arn"], json!(second));
    assert_eq!(call(&mut world, "ListAliases", &json!({ "KeyId": first })).unwrap()["Aliases"], json!([]));
    let listed = call(&mut world, "ListAliases", &json!({ "KeyId": second })).unwrap();
    assert_eq!(listed["Aliases"][0]["AliasArn"], "arn:aws:kms:us-east-1:111122223333:alias/finance");
    assert_eq!(refusal(&mut world, "GetKeyPolicy", &json!({ "KeyId": "alias/finance" })), "NotFoundException", "not by alias");
    call(&mut world, "DeleteAlias", &json!({ "AliasName": "alias/finance" })).unwrap();
    assert_eq!(refusal(&mut world, "DescribeKey", &json!({ "KeyId": "alias/finance" })), "NotFoundException");
    let managed = call(&mut world, "DescribeKey", &json!({ "KeyId": "alias/aws/sns" })).unwrap();
    assert_eq!(managed["KeyMetadata"]["KeyManager"], "AWS");
    let lock = json!({ "KeyId": managed["KeyMetadata"]["Arn"], "Policy": document(&[root_statement()]) });
    assert_eq!(refusal(&mut world, "PutKeyPolicy", &lock), "AccessDeniedException", "an AWS-managed key's document can't be edited");
}
