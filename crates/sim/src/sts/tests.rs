//! Becoming a role. [sts:AssumeRole; IAM: The confused deputy problem; Policy evaluation logic]

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;

use crate::iam::tests::{policy, trusting};
use crate::testing::{ACCOUNT, OTHER, REGION, world};
use crate::user::User;
use crate::wire::xml::Element;
use crate::world::World;

const ROLE: &str = "arn:aws:iam::444455556666:role/everseal";

fn assume(world: &mut World, user: &User, more: &[(&str, &str)]) -> Result<Element, String> {
    let members: Vec<(&str, &str)> = [("RoleArn", ROLE), ("RoleSessionName", "pass")].into_iter().chain(more.iter().copied()).collect();
    user.query(world, "sts", "AssumeRole", &members).map_err(|error| error.code.into_owned())
}

#[test]
fn a_session_is_the_role_until_its_time_is_over() {
    let mut world = world();
    world.create_role(OTHER, "everseal", &trusting(ACCOUNT)).unwrap();
    let home = User::administrator(ACCOUNT, REGION);
    let answer = assume(&mut world, &home, &[("DurationSeconds", "900")]).unwrap();
    let answer = answer.first("AssumeRoleResult").unwrap();
    assert_eq!(answer.at("AssumedRoleUser/Arn"), Some("arn:aws:sts::444455556666:assumed-role/everseal/pass"));
    let access_key = answer.at("Credentials/AccessKeyId").unwrap().to_owned();
    let session = User { access_key, ..home };
    let who = session.query(&mut world, "sts", "GetCallerIdentity", &[]).unwrap();
    assert_eq!(who.at("GetCallerIdentityResult/Account"), Some(OTHER));
    assert_eq!(who.at("GetCallerIdentityResult/Arn"), Some("arn:aws:sts::444455556666:assumed-role/everseal/pass"));
    assert!(who.at("GetCallerIdentityResult/UserId").unwrap().ends_with(":pass"));
    world.advance(world.now() + Duration::from_mins(15));
    assert_eq!(session.query(&mut world, "sts", "GetCallerIdentity", &[]).unwrap_err().code, "ExpiredToken");
    assert_eq!(session.json(&mut world, "TrentService.ListKeys", &json!({})).unwrap_err().code, "ExpiredTokenException");
}

#[test]
fn the_trust_policy_decides_who() {
    let mut world = world();
    let (home, other) = (User::administrator(ACCOUNT, REGION), User::administrator(OTHER, REGION));
    assert_eq!(assume(&mut world, &home, &[]).unwrap_err(), "AccessDenied", "no such role");
    world.create_role(OTHER, "everseal", &trusting(ACCOUNT)).unwrap();
    assert!(assume(&mut world, &home, &[]).is_ok());
    assert_eq!(assume(&mut world, &other, &[]).unwrap_err(), "AccessDenied", "its own administrator is not trusted either");
    world.create_role(ACCOUNT, "weak", &trusting(ACCOUNT)).unwrap();
    let weak = home.assume(&mut world, "arn:aws:iam::111122223333:role/weak").unwrap();
    assert_eq!(assume(&mut world, &weak, &[]).unwrap_err(), "AccessDenied", "the caller's account must allow it too");
    let may = policy(&json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE }));
    world.put_role_policy(ACCOUNT, "weak", "assume", &may).unwrap();
    assert!(assume(&mut world, &weak, &[]).is_ok());
    assert_eq!(assume(&mut world, &weak, &[("DurationSeconds", "3601")]).unwrap_err(), "ValidationError", "a chained session");
}

#[test]
fn an_external_id_must_be_the_one_that_was_agreed() {
    let mut world = world();
    let home = User::administrator(ACCOUNT, REGION);
    let trust = policy(&json!({ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": "agreed" } } }));
    world.create_role(OTHER, "everseal", &trust).unwrap();
    assert_eq!(assume(&mut world, &home, &[]).unwrap_err(), "AccessDenied");
    assert_eq!(assume(&mut world, &home, &[("ExternalId", "other")]).unwrap_err(), "AccessDenied");
    assert!(assume(&mut world, &home, &[("ExternalId", "agreed")]).is_ok());
}

#[test]
fn bad_requests() {
    let mut world = world();
    world.create_role(OTHER, "everseal", &trusting(ACCOUNT)).unwrap();
    let home = User::administrator(ACCOUNT, REGION);
    for (members, code) in [
        (&[("DurationSeconds", "899")][..], "ValidationError"),
        (&[("DurationSeconds", "43201")][..], "ValidationError"),
        (&[("RoleSessionName", "no spaces")][..], "ValidationError"),
        (&[("Policy", "{}")][..], "NotImplemented"),
    ] {
        assert_eq!(assume(&mut world, &home, members).unwrap_err(), code, "{members:?}");
    }
    let nobody = User::anonymous(REGION);
    assert_eq!(nobody.query(&mut world, "sts", "GetCallerIdentity", &[]).unwrap_err().code, "MissingAuthenticationToken");
}
