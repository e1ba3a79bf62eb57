//! Who may use which key: expected answers are from the KMS developer guide.

use serde_json::{Value, json};

use super::{document, root_statement};
use crate::access::Caller;
use crate::kms::{GrantRequest, KeyRefusal, KeyState, KeyUse, create_grant, retire_grant, use_key};
use crate::testing::{ACCOUNT, OTHER, REGION, world};
use crate::world::World;

const BUCKET: &str = "arn:aws:s3:::reports";

fn user(account: &str) -> Caller {
    Caller::User { account: account.to_owned(), arn: format!("arn:aws:iam::{account}:user/administrator") }
}

fn uses<'a>(caller: &'a Caller, key: &'a str, action: &'a str) -> KeyUse<'a> {
    KeyUse { caller, action, key, account: ACCOUNT, region: REGION, via: None, encryption_context: &[] }
}

fn key(world: &mut World, statements: &[Value]) -> String {
    world.create_key(ACCOUNT, REGION, Some(&document(statements))).unwrap()
}

#[test]
fn a_key_is_found_by_id_arn_alias_and_alias_arn() {
    let mut world = world();
    let arn = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.create_alias("alias/finance", &arn).unwrap();
    let id = arn.rsplit('/').next().unwrap().to_owned();
    let alias_arn = format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/finance");
    for written in [id.as_str(), arn.as_str(), "alias/finance", alias_arn.as_str()] {
        assert_eq!(use_key(&mut world, &uses(&user(ACCOUNT), written, "kms:Encrypt")).as_ref(), Ok(&arn), "{written}");
    }
}

#[test]
fn a_name_means_nothing_in_another_region_or_account() {
    let mut world = world();
    let arn = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.create_alias("alias/finance", &arn).unwrap();
    let caller = user(ACCOUNT);
    for (account, region, written) in [
        (ACCOUNT, "eu-west-1", "alias/finance"),
        (OTHER, REGION, "alias/finance"),
        (ACCOUNT, "eu-west-1", arn.as_str()),
        (ACCOUNT, REGION, "testKeyId"),
        (ACCOUNT, REGION, "1234abcd-12ab-34cd-56ef-1234567890ab"),
    ] {
        let usage = KeyUse { account, region, ..uses(&caller, written, "kms:Encrypt") };
        assert!(matches!(use_key(&mut world, &usage), Err(KeyRefusal::NotFound(_))), "{account} {region} {written}");
    }
}

#[test]
fn a_service_needs_a_statement_of_its_own() {
    let mut world = world();
    let service = Caller::service("s3.amazonaws.com", BUCKET, ACCOUNT);
    let plain = key(&mut world, &[root_statement()]);
    assert!(matches!(use_key(&mut world, &uses(&service, &plain, "kms:GenerateDataKey")), Err(KeyRefusal::AccessDenied(_))));
    let grant = json!({ "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" }, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
        "Resource": "*", "Condition": { "StringEquals": { "aws:SourceAccount": ACCOUNT }, "ArnLike": { "aws:SourceArn": BUCKET } } });
    let open = key(&mut world, &[root_statement(), grant]);
    assert_eq!(use_key(&mut world, &uses(&service, &open, "kms:GenerateDataKey")), Ok(open.clone()));
    let other_bucket = Caller::service("s3.amazonaws.com", "arn:aws:s3:::elsewhere", ACCOUNT);
    assert!(use_key(&mut world, &uses(&other_bucket, &open, "kms:GenerateDataKey")).is_err());
    assert!(use_key(&mut world, &uses(&service, &open, "kms:Encrypt")).is_err(), "not among the actions");
}

/// IAM policies count only where the document lets the account in. [KMS: Default key policy]
#[test]
fn without_the_root_statement_administrators_are_locked_out() {
    let mut world = world();
    let role = json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:role/ingest") }, "Action": "kms:*", "Resource": "*" });
    let closed = key(&mut world, &[role]);
    assert!(use_key(&mut world, &uses(&user(ACCOUNT), &closed, "kms:Decrypt")).is_err());
    let ingest = Caller::role(&format!("arn:aws:iam::{ACCOUNT}:role/ingest"), "batch").unwrap();
    assert!(use_key(&mut world, &uses(&ingest, &closed, "kms:Decrypt")).is_ok(), "named itself, it needs no IAM policy");
    let open = key(&mut world, &[root_statement()]);
    assert!(use_key(&mut world, &uses(&user(ACCOUNT), &open, "kms:Decrypt")).is_ok());
    assert!(use_key(&mut world, &uses(&ingest, &open, "kms:Decrypt")).is_err(), "a role without policies has only what documents say");
}

/// Both the key's document and the caller's own policies must allow. [KMS: Allowing users in other accounts]
#[test]
fn another_account_needs_both_sides() {
    let mut world = world();
    let foreign = json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{OTHER}:root") }, "Action": "kms:Decrypt", "Resource": "*" });
    let shared = key(&mut world, &[root_statement(), foreign]);
    assert!(use_key(&mut world, &uses(&user(OTHER), &shared, "kms:Decrypt")).is_ok());
    assert!(use_key(&mut world, &uses(&user(OTHER), &shared, "kms:Encrypt")).is_err());
    let role = Caller::role(&format!("arn:aws:iam::{OTHER}:role/reader"), "s").unwrap();
    assert!(use_key(&mut world, &uses(&role, &shared, "kms:Decrypt")).is_err());
}

#[test]
fn states_refuse_in_their_own_words() {
    let mut world = world();
    let arn = world.create_key(ACCOUNT, REGION, None).unwrap();
    let caller = user(ACCOUNT);
    world.set_key_state(&arn, KeyState::Disabled).unwrap();
    assert!(matches!(use_key(&mut world, &uses(&caller, &arn, "kms:Decrypt")), Err(KeyRefusal::Disabled(_))));
    for state in [KeyState::PendingDeletion, KeyState::PendingImport, KeyState::Creating, KeyState::Unavailable] {
        world.set_key_state(&arn, state).unwrap();
        assert!(matches!(use_key(&mut world, &uses(&caller, &arn, "kms:Decrypt")), Err(KeyRefusal::InvalidState(_))), "{state:?}");
    }
    world.set_key_state(&arn, KeyState::Enabled).unwrap();
    assert!(use_key(&mut world, &uses(&caller, &arn, "kms:Decrypt")).is_ok());
}

/// Only principals of the account, only through the service. [KMS: AWS managed keys]
#[test]
fn an_aws_managed_key_serves_callers_through_its_service_and_nobody_else() {
    let mut world = world();
    let caller = user(ACCOUNT);
    let through = KeyUse { via: Some("sqs"), ..uses(&caller, "alias/aws/sqs", "kms:GenerateDataKey") };
    let arn = use_key(&mut world, &through).unwrap();
    assert!(use_key(&mut world, &uses(&caller, "alias/aws/sqs", "kms:GenerateDataKey")).is_err(), "not directly");
    let other_service = KeyUse { via: Some("sns"), ..through.clone() };
    assert!(use_key(&mut world, &other_service).is_err());
    let service = Caller::service("s3.amazonaws.com", BUCKET, ACCOUNT);
    assert!(use_key(&mut world, &uses(&service, "alias/aws/sqs", "kms:GenerateDataKey")).is_err(), "no event source");
    let foreign = user(OTHER);
    assert!(use_key(&mut world, &KeyUse { caller: &foreign, key: &arn, ..through.clone() }).is_err(), "no other account");
    assert_eq!(use_key(&mut world, &through), Ok(arn), "the same key from then on");
}

#[test]
fn the_encryption_context_reaches_conditions() {
    let mut world = world();
    let statement = json!({ "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:role/firehose") }, "Action": "kms:GenerateDataKey",
        "Resource": "*", "Condition": { "StringLike": { "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::reports/*" },
            "StringEquals": { "kms:ViaService": "s3.us-east-1.amazonaws.com" } } });
    let arn = key(&mut world, &[root_statement(), statement]);
    let role = Caller::role(&format!("arn:aws:iam::{ACCOUNT}:role/firehose"), "s").unwrap();
    let object = [("aws:s3:arn", "arn:aws:s3:::reports/2026/x")];
    let bucket = [("aws:s3:arn", "arn:aws:s3:::reports")];
    let usage = KeyUse { via: Some("s3"), encryption_context: &object, ..uses(&role, &arn, "kms:GenerateDataKey") };
    assert!(use_key(&mut world, &usage).is_ok());
    // With a bucket key the context is the bucket's ARN: what breaks Firehose roles in practice.
    assert!(use_key(&mut world, &KeyUse { encryption_context: &bucket, ..usage.clone() }).is_err());
    assert!(use_key(&mut world, &KeyUse { via: None, ..usage }).is_err());
}

#[test]
fn a_service_works_with_the_grant_that_it_made_until_it_gives_it_back() {
    let mut world = world();
    let arn = key(&mut world, &[root_statement()]);
    let caller = user(ACCOUNT);
    let request = GrantRequest {
        caller: &caller,
        key: &arn,
        account: ACCOUNT,
        region: REGION,
        via: "firehose",
        operations: &["GenerateDataKey", "Decrypt"],
        encryption_context: &[("aws:firehose:arn", "x")],
    };
    let (made_on, grant) = create_grant(&mut world, &request).unwrap();
    assert_eq!(made_on, arn);
    let service = Caller::service("firehose.amazonaws.com", "arn:aws:firehose:us-east-1:111122223333:deliverystream/x", ACCOUNT);
    let usage = KeyUse { encryption_context: &[("aws:firehose:arn", "x")], ..uses(&service, &arn, "kms:Decrypt") };
    assert!(use_key(&mut world, &usage).is_ok());
    assert!(use_key(&mut world, &KeyUse { encryption_context: &[], ..usage.clone() }).is_err(), "the constraint");
    assert!(use_key(&mut world, &KeyUse { action: "kms:Encrypt", ..usage.clone() }).is_err(), "not granted");
    retire_grant(&mut world, &arn, &grant);
    assert!(use_key(&mut world, &usage).is_err());
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*", "Condition": { "Bool": { "kms:GrantIsForAWSResource": "true" } } });
    world.put_key_document(&arn, &document(&[root_statement(), deny])).unwrap();
    assert!(matches!(create_grant(&mut world, &request), Err(KeyRefusal::AccessDenied(_))));
}
