//! Guardrails. [Organizations user guide: SCPs; RCPs; Quotas]

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::testing::{self, ACCOUNT, OTHER, REGION, world};
use crate::world::World;

fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, (String, String)> {
    testing::json(world, ACCOUNT, REGION, &format!("AWSOrganizationsV20161128.{operation}"), input)
}

fn organization() -> World {
    let mut world = world();
    world.create_organization(ACCOUNT);
    world.join_organization(OTHER, "member");
    world
}

fn made(world: &mut World, kind: &str, statement: &Value) -> String {
    let content = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let input = json!({ "Type": kind, "Name": "guard", "Description": "", "Content": content });
    call(world, "CreatePolicy", &input).unwrap()["Policy"]["PolicySummary"]["Id"].as_str().unwrap().to_owned()
}

fn creates_keys(world: &mut World, account: &str) -> bool {
    testing::json(world, account, REGION, "TrentService.CreateKey", &json!({})).is_ok()
}

#[test]
fn an_scp_limits_members_and_not_the_management_account() {
    let mut world = organization();
    let id = made(&mut world, "SERVICE_CONTROL_POLICY", &json!({ "Effect": "Deny", "Action": "kms:CreateKey", "Resource": "*" }));
    assert!(creates_keys(&mut world, OTHER));
    let root = call(&mut world, "ListRoots", &json!({})).unwrap()["Roots"][0]["Id"].clone();
    call(&mut world, "AttachPolicy", &json!({ "PolicyId": id, "TargetId": root })).unwrap();
    assert!(!creates_keys(&mut world, OTHER));
    assert!(creates_keys(&mut world, ACCOUNT));
    assert_eq!(call(&mut world, "DeletePolicy", &json!({ "PolicyId": id })).unwrap_err().0, "PolicyInUseException");
    let targets = call(&mut world, "ListTargetsForPolicy", &json!({ "PolicyId": id })).unwrap();
    assert_eq!(targets["Targets"][0]["Type"], "ROOT");
    call(&mut world, "DetachPolicy", &json!({ "PolicyId": id, "TargetId": root })).unwrap();
    assert!(creates_keys(&mut world, OTHER));
    let last = json!({ "PolicyId": "p-FullAWSAccess", "TargetId": OTHER });
    assert_eq!(call(&mut world, "DetachPolicy", &last).unwrap_err().0, "ConstraintViolationException");
}

#[test]
fn an_rcp_limits_what_anybody_does_to_a_members_keys() {
    let mut world = organization();
    let key = testing::json(&mut world, OTHER, REGION, "TrentService.CreateKey", &json!({})).unwrap()["KeyMetadata"]["Arn"].clone();
    let input = json!({ "KeyId": key, "KeySpec": "AES_256" });
    let works = |world: &mut World| testing::json(world, OTHER, REGION, "TrentService.GenerateDataKey", &input).is_ok();
    assert!(works(&mut world));
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "kms:GenerateDataKey", "Resource": "*" });
    let id = made(&mut world, "RESOURCE_CONTROL_POLICY", &deny);
    call(&mut world, "AttachPolicy", &json!({ "PolicyId": id, "TargetId": OTHER })).unwrap();
    assert!(!works(&mut world));
}

#[test]
fn sizes_and_forms() {
    let mut world = organization();
    for (kind, characters, code) in [
        ("SERVICE_CONTROL_POLICY", 10_300, "ConstraintViolationException"),
        ("RESOURCE_CONTROL_POLICY", 5_200, "ConstraintViolationException"),
    ] {
        let content = " ".repeat(characters);
        let input = json!({ "Type": kind, "Name": "long", "Description": "", "Content": content });
        assert_eq!(call(&mut world, "CreatePolicy", &input).unwrap_err().0, code, "white space counts");
    }
    let bare =
        json!({ "Version": "2012-10-17", "Statement": { "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" } }).to_string();
    let input = json!({ "Type": "RESOURCE_CONTROL_POLICY", "Name": "bare", "Description": "", "Content": bare });
    assert_eq!(call(&mut world, "CreatePolicy", &input).unwrap_err().0, "MalformedPolicyDocumentException");
}

#[test]
fn accounts_are_listed_to_the_management_account_only() {
    let mut world = organization();
    let first = call(&mut world, "ListAccounts", &json!({ "MaxResults": 1 })).unwrap();
    assert_eq!((&first["Accounts"][0]["Id"], &first["Accounts"][0]["Status"]), (&json!(ACCOUNT), &json!("ACTIVE")));
    let second = call(&mut world, "ListAccounts", &json!({ "NextToken": first["NextToken"] })).unwrap();
    assert_eq!(second["Accounts"][0]["Id"], OTHER);
    assert!(second.get("NextToken").is_none());
    let as_member = |world: &mut World, operation: &str| {
        testing::json(world, OTHER, REGION, &format!("AWSOrganizationsV20161128.{operation}"), &json!({}))
    };
    assert_eq!(as_member(&mut world, "ListAccounts").unwrap_err().0, "AccessDeniedException");
    assert_eq!(as_member(&mut world, "DescribeOrganization").unwrap()["Organization"]["MasterAccountId"], ACCOUNT);
    let mut alone = testing::world();
    for operation in ["DescribeOrganization", "ListAccounts", "ListRoots"] {
        assert_eq!(call(&mut alone, operation, &json!({})).unwrap_err().0, "AWSOrganizationsNotInUseException", "{operation}");
    }
}
