//! IAM over the wire, and what roles may do.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::testing::{ACCOUNT, OTHER, REGION, world};
use crate::user::User;
use crate::wire::xml::Element;
use crate::world::World;

const ROLE: &str = "arn:aws:iam::111122223333:role/worker";

pub(crate) fn policy(statement: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

pub(crate) fn trusting(principal: &str) -> String {
    policy(&json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" }))
}

fn allow(actions: &[&str]) -> String {
    policy(&json!({ "Effect": "Allow", "Action": actions, "Resource": "*" }))
}

fn iam(world: &mut World, action: &str, members: &[(&str, &str)]) -> Result<Element, String> {
    User::administrator(ACCOUNT, REGION).query(world, "iam", action, members).map_err(|error| error.code.into_owned())
}

/// A session of the role `worker`.
fn worker(world: &mut World) -> User {
    iam(world, "CreateRole", &[("RoleName", "worker"), ("AssumeRolePolicyDocument", &trusting(ACCOUNT))]).unwrap();
    User::administrator(ACCOUNT, REGION).assume(world, ROLE).unwrap()
}

fn lists_keys(world: &mut World, user: &User) -> bool {
    user.json(world, "TrentService.ListKeys", &json!({})).is_ok()
}

#[test]
fn a_role_may_do_what_its_policies_say_and_nothing_before() {
    let mut world = world();
    let user = worker(&mut world);
    assert!(!lists_keys(&mut world, &user));
    let put = [("RoleName", "worker"), ("PolicyName", "keys"), ("PolicyDocument", &allow(&["kms:List*"]))];
    iam(&mut world, "PutRolePolicy", &put).unwrap();
    assert!(lists_keys(&mut world, &user));
    iam(&mut world, "DeleteRolePolicy", &[("RoleName", "worker"), ("PolicyName", "keys")]).unwrap();
    assert!(!lists_keys(&mut world, &user));
    let aws = [("RoleName", "worker"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")];
    iam(&mut world, "AttachRolePolicy", &aws).unwrap();
    assert!(lists_keys(&mut world, &user));
    let refused = user.json(&mut world, "TrentService.CreateKey", &json!({})).unwrap_err();
    assert_eq!((refused.code.as_ref(), refused.status), ("AccessDeniedException", 400));
    assert!(
        refused
            .message
            .starts_with("User: arn:aws:sts::111122223333:assumed-role/worker/session is not authorized to perform: kms:CreateKey")
    );
}

#[test]
fn a_boundary_only_takes_away() {
    let mut world = world();
    let user = worker(&mut world);
    let made = [("PolicyName", "narrow"), ("PolicyDocument", &allow(&["sqs:*"]))];
    let arn = iam(&mut world, "CreatePolicy", &made).unwrap().at("CreatePolicyResult/Policy/Arn").unwrap().to_owned();
    let admin = [("RoleName", "worker"), ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")];
    iam(&mut world, "AttachRolePolicy", &admin).unwrap();
    assert!(lists_keys(&mut world, &user));
    iam(&mut world, "PutRolePermissionsBoundary", &[("RoleName", "worker"), ("PermissionsBoundary", &arn)]).unwrap();
    assert!(!lists_keys(&mut world, &user));
    let shown = iam(&mut world, "GetRole", &[("RoleName", "worker")]).unwrap();
    assert_eq!(shown.at("GetRoleResult/Role/PermissionsBoundary/PermissionsBoundaryArn"), Some(arn.as_str()));
    let wider = [("PolicyArn", arn.as_str()), ("PolicyDocument", &allow(&["kms:*"])), ("SetAsDefault", "true")];
    iam(&mut world, "CreatePolicyVersion", &wider).unwrap();
    assert!(lists_keys(&mut world, &user), "the new default version counts");
    assert_eq!(iam(&mut world, "DeletePolicy", &[("PolicyArn", &arn)]).unwrap_err(), "DeleteConflict");
}

#[test]
fn documents_come_back_url_encoded() {
    let mut world = world();
    worker(&mut world);
    let text = allow(&["kms:List*"]);
    iam(&mut world, "PutRolePolicy", &[("RoleName", "worker"), ("PolicyName", "keys"), ("PolicyDocument", &text)]).unwrap();
    let got = iam(&mut world, "GetRolePolicy", &[("RoleName", "worker"), ("PolicyName", "keys")]).unwrap();
    let encoded = got.at("GetRolePolicyResult/PolicyDocument").unwrap();
    assert!(encoded.starts_with("%7B%22"), "{encoded}");
    assert_eq!(percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap(), text);
}

#[test]
fn refusals_bear_iams_codes() {
    let mut world = world();
    worker(&mut world);
    let trust = trusting(ACCOUNT);
    let long = allow(&[&"x".repeat(10_240)]);
    for (action, members, code) in [
        ("GetRole", vec![("RoleName", "nobody")], "NoSuchEntity"),
        ("CreateRole", vec![("RoleName", "worker"), ("AssumeRolePolicyDocument", trust.as_str())], "EntityAlreadyExists"),
        ("CreateRole", vec![("RoleName", "x"), ("AssumeRolePolicyDocument", "{")], "MalformedPolicyDocument"),
        ("GetRolePolicy", vec![("RoleName", "worker"), ("PolicyName", "none")], "NoSuchEntity"),
        ("AttachRolePolicy", vec![("RoleName", "worker"), ("PolicyArn", "arn:aws:iam::aws:policy/None")], "NoSuchEntity"),
        ("PutRolePolicy", vec![("RoleName", "worker"), ("PolicyName", "p"), ("PolicyDocument", long.as_str())], "LimitExceeded"),
    ] {
        assert_eq!(iam(&mut world, action, &members).unwrap_err(), code, "{action} {members:?}");
    }
    iam(&mut world, "AttachRolePolicy", &[("RoleName", "worker"), ("PolicyArn", "arn:aws:iam::aws:policy/AmazonSQSFullAccess")]).unwrap();
    assert_eq!(iam(&mut world, "DeleteRole", &[("RoleName", "worker")]).unwrap_err(), "DeleteConflict");
    let detach = [("RoleName", "worker"), ("PolicyArn", "arn:aws:iam::aws:policy/AmazonSQSFullAccess")];
    iam(&mut world, "DetachRolePolicy", &detach).unwrap();
    iam(&mut world, "DeleteRole", &[("RoleName", "worker")]).unwrap();
}

#[test]
fn the_whole_account_comes_in_pages() {
    let mut world = world();
    for number in 0..5 {
        let name = format!("role-{number}");
        world.create_role(ACCOUNT, &name, &trusting(ACCOUNT)).unwrap();
        world.put_role_policy(ACCOUNT, &name, "p", &allow(&["sqs:*"])).unwrap();
    }
    world.create_role(OTHER, "elsewhere", &trusting(OTHER)).unwrap();
    let s3 = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    iam(&mut world, "AttachRolePolicy", &[("RoleName", "role-3"), ("PolicyArn", s3)]).unwrap();
    let (mut names, mut policies, mut marker) = (Vec::new(), Vec::new(), String::new());
    loop {
        let mut members = vec![("MaxItems", "2"), ("Filter.member.1", "Role"), ("Filter.member.2", "AWSManagedPolicy")];
        if !marker.is_empty() {
            members.push(("Marker", &marker));
        }
        let page = iam(&mut world, "GetAccountAuthorizationDetails", &members).unwrap();
        let page = page.first("GetAccountAuthorizationDetailsResult").unwrap();
        for role in page.first("RoleDetailList").unwrap().all("member") {
            names.push(role.value("RoleName").unwrap().to_owned());
            assert!(role.at("RolePolicyList/member/PolicyDocument").unwrap().starts_with("%7B"));
        }
        policies.extend(page.first("Policies").unwrap().all("member").map(|policy| policy.value("Arn").unwrap().to_owned()));
        match page.value("Marker") {
            Some(next) => marker = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["role-0", "role-1", "role-2", "role-3", "role-4"]);
    assert_eq!(policies, [s3], "of AWS's policies only those in use");
}
