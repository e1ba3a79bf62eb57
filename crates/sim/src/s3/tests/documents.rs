//! Bucket policies: what is accepted, what is public, what they do.

use super::{ADMINISTRATOR, Client, NOBODY, code, denied, deny_http, document, refusal, root};
use crate::s3::BucketSetup;
use crate::testing::{ACCOUNT, OTHER, REGION, world};
use crate::world::World;

const PUBLIC: &str = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}"#;

fn with_bucket(setup: &BucketSetup) -> World {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "data", setup).unwrap();
    world
}

#[test]
fn requiring_tls_shuts_out_plain_http_alone() {
    let mut world = with_bucket(&BucketSetup::default());
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data?policy", &document(&[&deny_http("data")])).status, 204);
    let plain = Client { secure: false, ..ADMINISTRATOR };
    assert_eq!(refusal(&plain.put(&mut world, "/data/key", "text")), denied());
    assert_eq!(refusal(&plain.get(&mut world, "/data?list-type=2")), denied());
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data/key", "text").status, 200);
    assert_eq!(&ADMINISTRATOR.get(&mut world, "/data/key").body[..], b"text");
    assert_eq!(refusal(&plain.get(&mut world, "/data/key")), denied());
}

#[test]
fn a_least_version_of_tls_shuts_out_older_ones() {
    let mut world = with_bucket(&BucketSetup::default());
    let least = |version: &str| {
        let condition = format!(r#"{{"NumericLessThan":{{"s3:TlsVersion":"{version}"}}}}"#);
        document(&[&format!(
            r#"{{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*","Condition":{condition}}}"#
        )])
    };
    ADMINISTRATOR.put(&mut world, "/data/key", "text");
    for (version, status) in [("1.2", 200), ("1.3", 200), ("1.4", 403)] {
        ADMINISTRATOR.put(&mut world, "/data?policy", &least(version));
        assert_eq!(ADMINISTRATOR.get(&mut world, "/data/key").status, status, "{version}");
    }
}

#[test]
fn a_policy_comes_back_with_booleans_and_accounts_as_s3_writes_them() {
    let mut world = with_bucket(&BucketSetup::default());
    let written = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"s3:*","Resource":"arn:aws:s3:::data","Condition":{"Bool":{"aws:SecureTransport":false}}}]}"#;
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data?policy", written).status, 204);
    let read = ADMINISTRATOR.get(&mut world, "/data?policy");
    let expected = written.replace("\"444455556666\"", "\"arn:aws:iam::444455556666:root\"").replace("false", "\"false\"");
    assert_eq!(std::str::from_utf8(&read.body).unwrap(), expected);
    assert_eq!(ADMINISTRATOR.send(&mut world, "DELETE /data?policy", &[], "").status, 204);
    assert_eq!(refusal(&ADMINISTRATOR.get(&mut world, "/data?policy")), code(404, "NoSuchBucketPolicy"));
}

#[test]
fn malformed_policies_are_refused_whole() {
    let mut world = with_bucket(&BucketSetup::default());
    let good = document(&[&deny_http("data")]);
    ADMINISTRATOR.put(&mut world, "/data?policy", &good);
    let statement = |principal: &str, action: &str, resource: &str| {
        document(&[&format!(r#"{{"Effect":"Deny","Principal":{principal},"Action":"{action}","Resource":"{resource}"}}"#)])
    };
    let own = "arn:aws:s3:::data/*";
    let large =
        document(&[&format!(r#"{{"Sid":"{}","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"{own}"}}"#, "x".repeat(20_480))]);
    for (what, body) in [
        ("no JSON", "no JSON".to_owned()),
        ("no statement", r#"{"Version":"2012-10-17"}"#.to_owned()),
        ("a deleted user's id", statement(r#"{"AWS":"AIDACKCEVSQ6C2EXAMPLE"}"#, "s3:*", own)),
        ("a deleted role's id", statement(r#"{"AWS":["arn:aws:iam::111122223333:root","AROACKCEVSQ6C2EXAMPLE"]}"#, "s3:*", own)),
        ("another service's action", statement(r#""*""#, "sqs:SendMessage", own)),
        ("another bucket", statement(r#""*""#, "s3:*", "arn:aws:s3:::other/*")),
        ("more than 20 KB", large),
    ] {
        assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, "/data?policy", &body)), code(400, "MalformedPolicy"), "{what}");
    }
    assert_eq!(world.bucket_document("data"), Some(good.as_str()), "the policy that was there is untouched");
}

#[test]
fn public_is_what_aws_calls_public() {
    let mut world = with_bucket(&BucketSetup { public: true, ..BucketSetup::default() });
    let allow = |principal: &str, condition: &str| {
        let condition = if condition.is_empty() { String::new() } else { format!(r#","Condition":{condition}"#) };
        document(&[&format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"{condition}}}"#
        )])
    };
    for (policy, expected) in [
        (document(&[&deny_http("data")]), "false"),
        (allow(r#""*""#, ""), "true"),
        (allow(r#"{"AWS":"*"}"#, ""), "true"),
        (allow(r#"{"AWS":"arn:aws:iam::444455556666:root"}"#, ""), "false"),
        (allow(r#"{"Service":"logging.s3.amazonaws.com"}"#, ""), "false"),
        (allow(r#""*""#, r#"{"Bool":{"aws:SecureTransport":"true"}}"#), "true"),
        (allow(r#""*""#, r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#), "false"),
        (allow(r#""*""#, r#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#), "true"),
        (allow(r#""*""#, r#"{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}"#), "false"),
        (allow(r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#), "false"),
        (allow(r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#), "true"),
    ] {
        assert_eq!(ADMINISTRATOR.put(&mut world, "/data?policy", &policy).status, 204, "{policy}");
        assert_eq!(root(&ADMINISTRATOR.get(&mut world, "/data?policyStatus")).value("IsPublic"), Some(expected), "{policy}");
    }
}

#[test]
fn a_public_policy_is_refused_even_with_a_harmless_addition() {
    let mut world = with_bucket(&BucketSetup { document: Some(document(&[PUBLIC])), ..BucketSetup::default() });
    let with_deny = document(&[PUBLIC, &deny_http("data")]);
    assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, "/data?policy", &with_deny)), denied());
    assert_eq!(ADMINISTRATOR.send(&mut world, "DELETE /data?publicAccessBlock", &[], "").status, 204);
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data?policy", &with_deny).status, 204);
    let account = "<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>";
    let control = "/v20180820/configuration/publicAccessBlock";
    let reply = ADMINISTRATOR.send(&mut world, &format!("PUT {control}"), &[("x-amz-account-id", ACCOUNT)], account);
    assert_eq!(reply.status, 201);
    assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, "/data?policy", &with_deny)), denied(), "the account's setting counts too");
}

#[test]
fn everybody_reads_a_public_bucket_unless_restricted() {
    let setup = BucketSetup { document: Some(document(&[PUBLIC])), public: true, ..BucketSetup::default() };
    let mut world = with_bucket(&setup);
    ADMINISTRATOR.put(&mut world, "/data/key", "text");
    assert_eq!(NOBODY.get(&mut world, "/data/key").status, 200);
    let restrict = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data?publicAccessBlock", restrict).status, 200);
    assert_eq!(refusal(&NOBODY.get(&mut world, "/data/key")), denied());
    let other = Client { access_key: OTHER, ..ADMINISTRATOR };
    assert_eq!(refusal(&other.get(&mut world, "/data/key")), denied());
    assert_eq!(ADMINISTRATOR.get(&mut world, "/data/key").status, 200);
}

#[test]
fn only_the_owners_account_touches_the_policy() {
    let all = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:*","Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"]}"#;
    let mut world = with_bucket(&BucketSetup { document: Some(document(&[all])), ..BucketSetup::default() });
    let other = Client { access_key: OTHER, ..ADMINISTRATOR };
    assert_eq!(refusal(&other.get(&mut world, "/data?policy")), code(405, "MethodNotAllowed"));
    assert_eq!(other.get(&mut world, "/data?encryption").status, 200);
}
