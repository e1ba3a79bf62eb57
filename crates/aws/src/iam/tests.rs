//! Bodies are those of the IAM API reference, with names of ours. Policy texts are percent-encoded as IAM encodes them.

use std::collections::BTreeSet;

use everseal_planner::inventory::{ErrorClass, Role};
use everseal_planner::{Arn, Reading};

use super::Roles;
use crate::account::once::OncePerPass;
use crate::testing::{Answer, Seen, Wire};

const INLINE: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%22a%2Bb+c%20%C3%A9%22%7D";
/// `%20` is a space; `+` is a plus sign in RFC 3986; `%C3%A9` is é in UTF-8.
const INLINE_TEXT: &str = "{\"Version\":\"2012-10-17\",\"Statement\":\"a+b+c \u{e9}\"}";
const PUT: &str = "arn:aws:iam::111122223333:policy/put";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const BOUND: &str = "arn:aws:iam::111122223333:policy/bound";

fn role(name: &str) -> Arn {
    Arn::parse(&format!("arn:aws:iam::111122223333:role/{name}")).unwrap()
}

fn answer(operation: &str, result: &str) -> Answer {
    Answer::ok(format!(
        r#"<{operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{operation}Result>{result}</{operation}Result><ResponseMetadata><RequestId>7a62c49f</RequestId></ResponseMetadata></{operation}Response>"#
    ))
}

fn error(status: u16, code: &str) -> Answer {
    Answer::new(
        status,
        format!(
            r#"<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>{code}</Code><Message>said {code}</Message></Error><RequestId>7a62c49f</RequestId></ErrorResponse>"#
        ),
    )
}

fn called(seen: &Seen) -> &str {
    seen.body.strip_prefix("Action=").and_then(|rest| rest.split('&').next()).unwrap()
}

fn asks(seen: &Seen, field: &str) -> bool {
    seen.body.split('&').any(|part| part == field)
}

fn role_detail(arn: &Arn, inline: &[&str], attached: &[&str], boundary: Option<&str>) -> String {
    let inline = inline.iter().map(|text| format!("<member><PolicyName>p</PolicyName><PolicyDocument>{text}</PolicyDocument></member>"));
    let attached = attached.iter().map(|arn| format!("<member><PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn></member>"));
    let boundary = boundary.map(|arn| {
        format!("<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>")
    });
    format!(
        "<member><Path>/</Path><RoleName>{}</RoleName><Arn>{arn}</Arn><RolePolicyList>{}</RolePolicyList>\
         <AttachedManagedPolicies>{}</AttachedManagedPolicies>{}</member>",
        arn.name(),
        inline.collect::<String>(),
        attached.collect::<String>(),
        boundary.unwrap_or_default()
    )
}

fn managed(arn: &str, versions: &[(&str, bool)]) -> String {
    let version = |(text, default): &(&str, bool)| {
        format!("<member><Document>{text}</Document><VersionId>v</VersionId><IsDefaultVersion>{default}</IsDefaultVersion></member>")
    };
    let versions = versions.iter().map(version).collect::<Vec<_>>().concat();
    format!("<member><PolicyName>p</PolicyName><Arn>{arn}</Arn><PolicyVersionList>{versions}</PolicyVersionList></member>")
}

/// Two pages: roles on the first, on the second one more and the managed policies of all; `ReadOnlyAccess` is left out.
fn listing(seen: &Seen) -> Answer {
    if called(seen) != "GetAccountAuthorizationDetails" {
        return single(seen);
    }
    if asks(seen, "Marker=page2") {
        let roles = role_detail(&role("path/to/plain"), &[], &[], None);
        let policies = managed(PUT, &[("old", false), ("%7B%22put%22%3A1%7D", true)]) + &managed(BOUND, &[("bound", true)]);
        let result = format!("<IsTruncated>false</IsTruncated><RoleDetailList>{roles}</RoleDetailList><Policies>{policies}</Policies>");
        return answer("GetAccountAuthorizationDetails", &result);
    }
    let roles = role_detail(&role("ingest"), &[INLINE, "second"], &[PUT, READ_ONLY], Some(BOUND));
    let result = format!("<IsTruncated>true</IsTruncated><Marker>page2</Marker><RoleDetailList>{roles}</RoleDetailList>");
    answer("GetAccountAuthorizationDetails", &result)
}

/// The same roles, one call for each thing.
fn single(seen: &Seen) -> Answer {
    let operation = called(seen);
    let ingest = asks(seen, "RoleName=ingest");
    let second = asks(seen, "Marker=page2");
    let policies = |arns: &[&str]| {
        let member = |arn: &&str| format!("<member><PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn></member>");
        arns.iter().map(member).collect::<Vec<_>>().concat()
    };
    let result = match operation {
        "GetRole" => {
            let (arn, boundary) = if ingest {
                (role("ingest"), Some(BOUND))
            } else if asks(seen, "RoleName=plain") {
                (role("path/to/plain"), None)
            } else {
                return error(404, "NoSuchEntity");
            };
            let boundary = boundary.map(|arn| format!("<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>"));
            format!(
                "<Role><Path>/</Path><RoleName>{}</RoleName><RoleId>AROA1234567890EXAMPLE</RoleId><Arn>{arn}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>{}</Role>",
                arn.name(),
                boundary.unwrap_or_default()
            )
        }
        "ListRolePolicies" if !ingest => "<PolicyNames/><IsTruncated>false</IsTruncated>".to_owned(),
        "ListRolePolicies" if second => "<PolicyNames><member>two</member></PolicyNames><IsTruncated>false</IsTruncated>".to_owned(),
        "ListRolePolicies" => {
            "<PolicyNames><member>one</member></PolicyNames><IsTruncated>true</IsTruncated><Marker>page2</Marker>".to_owned()
        }
        "GetRolePolicy" => {
            let text = if asks(seen, "PolicyName=one") { INLINE } else { "second" };
            format!("<RoleName>ingest</RoleName><PolicyName>p</PolicyName><PolicyDocument>{text}</PolicyDocument>")
        }
        "ListAttachedRolePolicies" if !ingest => "<AttachedPolicies/><IsTruncated>false</IsTruncated>".to_owned(),
        "ListAttachedRolePolicies" if second => {
            format!("<AttachedPolicies>{}</AttachedPolicies><IsTruncated>false</IsTruncated>", policies(&[READ_ONLY]))
        }
        "ListAttachedRolePolicies" => {
            format!("<AttachedPolicies>{}</AttachedPolicies><IsTruncated>true</IsTruncated><Marker>page2</Marker>", policies(&[PUT]))
        }
        "GetPolicy" => "<Policy><DefaultVersionId>v7</DefaultVersionId></Policy>".to_owned(),
        "GetPolicyVersion" => {
            assert!(asks(seen, "VersionId=v7"), "{seen:?}");
            let text = if seen.body.contains("ReadOnlyAccess") {
                "%7B%22read%22%3A1%7D"
            } else if seen.body.contains("bound") {
                "bound"
            } else {
                "%7B%22put%22%3A1%7D"
            };
            format!(
                "<PolicyVersion><Document>{text}</Document><VersionId>v7</VersionId><IsDefaultVersion>true</IsDefaultVersion></PolicyVersion>"
            )
        }
        other => panic!("{other}"),
    };
    answer(operation, &result)
}

fn ingest() -> Role {
    let policies = [INLINE_TEXT, "second", r#"{"put":1}"#, r#"{"read":1}"#].map(str::to_owned).to_vec();
    Role { policies, boundary: Some("bound".to_owned()) }
}

fn nothing() -> Role {
    Role { policies: Vec::new(), boundary: None }
}

async fn named(wire: &Wire, roles: &[Arn]) -> Reading<Roles> {
    super::named(&wire.context(), &OncePerPass::default(), &roles.iter().cloned().collect::<BTreeSet<_>>()).await
}

#[tokio::test]
async fn the_listing_joins_roles_with_the_policies_of_all_pages() {
    let wire = Wire::new(listing);
    let roles = super::all(&wire.context()).await.unwrap();
    assert_eq!(roles, Roles::from([(role("ingest"), ingest()), (role("path/to/plain"), nothing())]));
    let expected = ["GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails", "GetPolicy", "GetPolicyVersion"];
    assert_eq!(wire.counted(), expected.map(|operation| format!("iam {operation} OK")));
    let filter = ["Filter.member.1=Role", "Filter.member.2=LocalManagedPolicy", "Filter.member.3=AWSManagedPolicy", "MaxItems=1000"];
    assert!(filter.iter().all(|field| asks(&wire.seen()[0], field)), "{:?}", wire.seen()[0]);
    assert!(wire.seen()[0].uri.starts_with("iam.amazonaws.com"), "the global endpoint");
}

#[tokio::test]
async fn a_role_without_one_of_its_policies_is_not_shown() {
    let wire = Wire::new(|seen| if called(seen) == "GetPolicy" { error(403, "AccessDenied") } else { listing(seen) });
    let failed = super::all(&wire.context()).await.unwrap_err();
    assert_eq!((failed.class, failed.missing_action), (ErrorClass::Denied, Some("iam:GetPolicy")));
    let wire = Wire::new(|_| error(403, "AccessDenied"));
    let failed = super::all(&wire.context()).await.unwrap_err();
    assert_eq!((failed.class, failed.missing_action), (ErrorClass::Denied, Some("iam:GetAccountAuthorizationDetails")));
}

#[tokio::test]
async fn few_roles_are_read_one_by_one_and_look_the_same() {
    let wire = Wire::new(single);
    let roles = named(&wire, &[role("ingest"), role("path/to/plain")]).await;
    assert_eq!(roles, Reading::Known(Roles::from([(role("ingest"), ingest()), (role("path/to/plain"), nothing())])));
    assert!(!wire.counted().iter().any(|call| call.contains("GetAccountAuthorizationDetails")));
}

#[tokio::test]
async fn many_roles_are_read_with_one_listing_and_others_are_left_out() {
    let wire = Wire::new(listing);
    let absent: Vec<Arn> = (0..5).map(|number| role(&format!("gone{number}"))).collect();
    let mut wanted = absent.clone();
    wanted.push(role("ingest"));
    let roles = named(&wire, &wanted).await;
    let mut expected: Roles = absent.into_iter().map(|arn| (arn, nothing())).collect();
    expected.insert(role("ingest"), ingest());
    assert_eq!(roles, Reading::Known(expected));
    assert!(!wire.counted().iter().any(|call| call.contains("GetRole")));
}

/// Asked again for ever it would be, were it left out.
#[tokio::test]
async fn a_role_that_does_not_exist_is_allowed_nothing() {
    let wire = Wire::new(single);
    let other_path = role("plain");
    let roles = named(&wire, &[role("gone"), other_path.clone()]).await;
    assert_eq!(roles, Reading::Known(Roles::from([(role("gone"), nothing()), (other_path, nothing())])));
    assert_eq!(wire.counted(), ["iam GetRole NoSuchEntity", "iam GetRole OK"]);
}

#[tokio::test]
async fn a_role_that_cannot_be_read_makes_all_unreadable() {
    for (denied, action) in [
        ("GetRole", "iam:GetRole"),
        ("ListRolePolicies", "iam:ListRolePolicies"),
        ("GetRolePolicy", "iam:GetRolePolicy"),
        ("ListAttachedRolePolicies", "iam:ListAttachedRolePolicies"),
        ("GetPolicy", "iam:GetPolicy"),
        ("GetPolicyVersion", "iam:GetPolicyVersion"),
    ] {
        let wire = Wire::new(move |seen| if called(seen) == denied { error(403, "AccessDenied") } else { single(seen) });
        let Reading::Unreadable { unreadable } = named(&wire, &[role("ingest"), role("path/to/plain")]).await else { panic!("{denied}") };
        assert_eq!((unreadable.class, unreadable.missing_action.as_deref()), (ErrorClass::Denied, Some(action)));
    }
}

/// A policy that is deleted while its role is read is no proof that the role is gone.
#[tokio::test]
async fn a_policy_that_is_gone_does_not_make_the_role_gone() {
    let wire = Wire::new(|seen| if called(seen) == "GetPolicy" { error(404, "NoSuchEntity") } else { single(seen) });
    let Reading::Unreadable { unreadable } = named(&wire, &[role("ingest")]).await else { panic!("not unreadable") };
    assert_eq!((unreadable.class, unreadable.operation.as_str()), (ErrorClass::NotFound, "GetPolicy"));
}

#[tokio::test]
async fn only_roles_of_the_account_are_asked_for() {
    let wire = Wire::new(|seen| panic!("{seen:?}"));
    let foreign = Arn::parse("arn:aws:iam::444455556666:role/ingest").unwrap();
    assert_eq!(named(&wire, &[foreign]).await, Reading::Known(Roles::new()));
    let others = ["arn:aws:iam::111122223333:user/ann", "arn:aws:s3:::role", "arn:aws:sts::111122223333:assumed-role/ingest/i"];
    assert_eq!(named(&wire, &others.map(|text| Arn::parse(text).unwrap())).await, Reading::NotRead);
}
