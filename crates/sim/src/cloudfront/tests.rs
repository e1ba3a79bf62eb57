//! The tests of `CloudFront`.

#![allow(clippy::unwrap_used)]

use http::{HeaderMap, HeaderValue, Method};

use super::{DistributionSetup, OriginAccess};
use crate::http::{Call, Reply};
use crate::s3::BucketSetup;
use crate::testing::{ACCOUNT, REGION, administrator, world};
use crate::wire::xml::Element;
use crate::world::{Outcome, World};

fn send(world: &mut World, line: &str, if_match: &str, body: &str) -> Reply {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let scope = format!("AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261124/us-east-1/cloudfront/aws4_request, Signature=0");
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(&scope).unwrap());
    if !if_match.is_empty() {
        headers.insert("if-match", HeaderValue::from_str(if_match).unwrap());
    }
    let call = Call {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        path: format!("/2020-05-31/{path}"),
        query: query.to_owned(),
        headers,
        body: body.to_owned().into(),
        secure: true,
    };
    match world.call(&call) {
        Outcome::Answer(reply, _) => reply,
        other => panic!("no answer: {other:?}"),
    }
}

fn root(reply: &Reply) -> Element {
    Element::parse(&reply.body).unwrap()
}

fn refusal(reply: &Reply) -> (u16, String) {
    (reply.status, root(reply).at("Error/Code").unwrap_or_default().to_owned())
}

/// A bucket `site` and a distribution over it.
fn site(access: OriginAccess, viewer_protocol_policy: &str) -> (World, String) {
    let mut world = world();
    let setup = BucketSetup { website: Some("index.html".to_owned()), public: true, ..BucketSetup::default() };
    world.create_bucket(ACCOUNT, REGION, "site", &setup).unwrap();
    world.put_object(&administrator(ACCOUNT), "site", "page", "text").unwrap();
    let setup = DistributionSetup {
        bucket: "site".to_owned(),
        region: REGION.to_owned(),
        access,
        viewer_protocol_policy: viewer_protocol_policy.to_owned(),
    };
    let distribution = world.create_distribution(ACCOUNT, &setup);
    (world, distribution)
}

const DENY_HTTP: &str = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::site","arn:aws:s3:::site/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;

fn policy(world: &mut World, principal: &str, condition: &str, deny_http: bool) {
    let condition = if condition.is_empty() { String::new() } else { format!(r#","Condition":{condition}"#) };
    let allow =
        format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::site/*"{condition}}}"#);
    let deny = if deny_http { format!(",{DENY_HTTP}") } else { String::new() };
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{allow}{deny}]}}"#);
    world.set_bucket_document("site", Some(&text)).unwrap();
}

#[test]
fn an_origin_access_control_reads_over_https_for_its_distribution_alone() {
    let (mut world, id) = site(OriginAccess::Control, "allow-all");
    assert_eq!(world.cloudfront_get(&id, "/page"), 403, "nothing lets it in");
    let arn = world.distribution_arn(&id).unwrap();
    let service = r#"{"Service":"cloudfront.amazonaws.com"}"#;
    policy(&mut world, service, &format!(r#"{{"StringEquals":{{"AWS:SourceArn":"{arn}x"}}}}"#), true);
    assert_eq!(world.cloudfront_get(&id, "/page"), 403, "another distribution");
    policy(&mut world, service, &format!(r#"{{"StringEquals":{{"AWS:SourceArn":"{arn}"}}}}"#), true);
    assert_eq!(world.cloudfront_get(&id, "/page"), 200);
    assert_eq!(world.cloudfront_get_over_http(&id, "/page"), 200, "what is signed goes over HTTPS however the viewer came");
}

#[test]
fn an_origin_access_control_needs_the_objects_key() {
    let (mut world, id) = site(OriginAccess::Control, "https-only");
    policy(&mut world, r#"{"Service":"cloudfront.amazonaws.com"}"#, "", true);
    let arn = world.distribution_arn(&id).unwrap();
    let root = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;
    let document = |more: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{root}{more}]}}"#);
    let key = world.create_key(ACCOUNT, REGION, Some(&document(""))).unwrap();
    let encryption = crate::s3::ObjectEncryption { algorithm: "aws:kms".to_owned(), kms_key: Some(key.clone()) };
    crate::s3::store(&mut world, &administrator(ACCOUNT), "site", "sealed", "text".into(), Some(&encryption)).unwrap();
    assert_eq!(world.cloudfront_get(&id, "/sealed"), 403);
    let grant = format!(
        r#",{{"Effect":"Allow","Principal":{{"Service":"cloudfront.amazonaws.com"}},"Action":"kms:Decrypt","Resource":"*","Condition":{{"StringEquals":{{"aws:SourceArn":"{arn}"}}}}}}"#
    );
    world.put_key_document(&key, &document(&grant)).unwrap();
    assert_eq!(world.cloudfront_get(&id, "/sealed"), 200);
}

#[test]
fn an_origin_access_identity_reads_what_kms_does_not_seal() {
    let (mut world, id) = site(OriginAccess::Identity, "redirect-to-https");
    let principal = world.origin_access_identity(&id).unwrap();
    policy(&mut world, &format!(r#"{{"AWS":"{principal}"}}"#), "", true);
    assert_eq!(world.cloudfront_get(&id, "/page"), 200);
    assert_eq!(world.cloudfront_get_over_http(&id, "/page"), 301);
    let everybody = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}"#;
    let key = world.create_key(ACCOUNT, REGION, Some(everybody)).unwrap();
    let encryption = crate::s3::ObjectEncryption { algorithm: "aws:kms".to_owned(), kms_key: Some(key) };
    crate::s3::store(&mut world, &administrator(ACCOUNT), "site", "sealed", "text".into(), Some(&encryption)).unwrap();
    assert_eq!(world.cloudfront_get(&id, "/sealed"), 400);
}

#[test]
fn requiring_tls_cuts_off_a_website_origin() {
    let (mut world, id) = site(OriginAccess::Website, "redirect-to-https");
    policy(&mut world, r#""*""#, "", false);
    assert_eq!(world.cloudfront_get(&id, "/page"), 200);
    policy(&mut world, r#""*""#, "", true);
    assert_eq!(world.cloudfront_get(&id, "/page"), 403, "CloudFront asks website endpoints over HTTP, however its viewer came");
    let hop = world.tally.hops().get(&("arn:aws:s3:::site".to_owned(), world.distribution_arn(&id).unwrap())).copied().unwrap();
    assert_eq!((hop.delivered, hop.lost), (1, 1));
}

#[test]
fn without_a_signature_the_origin_is_asked_as_the_viewer_came() {
    let (mut world, id) = site(OriginAccess::Open, "allow-all");
    policy(&mut world, r#""*""#, "", true);
    assert_eq!(world.cloudfront_get(&id, "/page"), 200);
    assert_eq!(world.cloudfront_get_over_http(&id, "/page"), 403);
    let (mut world, id) = site(OriginAccess::Open, "https-only");
    policy(&mut world, r#""*""#, "", true);
    assert_eq!(world.cloudfront_get_over_http(&id, "/page"), 403, "refused at the edge");
    assert_eq!(world.tally.total().lost, 0);
}

fn config(reference: &str, enabled: bool) -> String {
    format!(
        "<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><CallerReference>{reference}</CallerReference>\
         <Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>site.s3.us-east-1.amazonaws.com</DomainName>\
         <S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig></Origin></Items></Origins>\
         <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId><ViewerProtocolPolicy>https-only</ViewerProtocolPolicy>\
         </DefaultCacheBehavior><Comment>c</Comment><Enabled>{enabled}</Enabled></DistributionConfig>"
    )
}

#[test]
fn distributions_are_made_changed_and_deleted_by_their_version() {
    let mut world = world();
    let created = send(&mut world, "POST distribution", "", &config("one", true));
    assert_eq!(created.status, 201);
    let id = root(&created).value("Id").unwrap().to_owned();
    let etag = created.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(root(&created).value("Status"), Some("InProgress"));
    assert_eq!(refusal(&send(&mut world, "POST distribution", "", &config("one", true))), (409, "DistributionAlreadyExists".to_owned()));
    let later = world.now() + std::time::Duration::from_mins(10);
    world.advance(later);
    assert_eq!(root(&send(&mut world, &format!("GET distribution/{id}"), "", "")).value("Status"), Some("Deployed"));
    let target = format!("PUT distribution/{id}/config");
    assert_eq!(refusal(&send(&mut world, &target, "", &config("one", false))), (400, "InvalidIfMatchVersion".to_owned()));
    assert_eq!(refusal(&send(&mut world, &target, "E0", &config("one", false))), (412, "PreconditionFailed".to_owned()));
    let delete = format!("DELETE distribution/{id}");
    assert_eq!(refusal(&send(&mut world, &delete, &etag, "")), (409, "DistributionNotDisabled".to_owned()));
    let updated = send(&mut world, &target, &etag, &config("one", false));
    assert_eq!(updated.status, 200);
    let etag = updated.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(send(&mut world, &delete, &etag, "").status, 204);
    assert_eq!(refusal(&send(&mut world, &format!("GET distribution/{id}"), "", "")), (404, "NoSuchDistribution".to_owned()));
}

#[test]
fn distributions_are_listed_page_by_page() {
    let mut world = world();
    for reference in ["one", "two", "three"] {
        send(&mut world, "POST distribution", "", &config(reference, true));
    }
    let first = root(&send(&mut world, "GET distribution?MaxItems=2", "", ""));
    assert_eq!((first.value("Quantity"), first.value("IsTruncated")), (Some("2"), Some("true")));
    let summary = first.first("Items").unwrap().first("DistributionSummary").unwrap();
    assert_eq!(summary.at("Origins/Items/Origin/DomainName"), Some("site.s3.us-east-1.amazonaws.com"));
    assert_eq!(summary.at("DefaultCacheBehavior/ViewerProtocolPolicy"), Some("https-only"));
    let marker = first.value("NextMarker").unwrap();
    let rest = root(&send(&mut world, &format!("GET distribution?MaxItems=2&Marker={marker}"), "", ""));
    assert_eq!((rest.value("Quantity"), rest.value("IsTruncated"), rest.value("NextMarker")), (Some("1"), Some("false"), None));
}

#[test]
fn what_can_not_be_is_refused() {
    let mut world = world();
    for (from, to, expected) in [
        ("<TargetOriginId>o<", "<TargetOriginId>p<", (404, "NoSuchOrigin")),
        ("<ViewerProtocolPolicy>https-only<", "<ViewerProtocolPolicy>maybe<", (400, "InvalidArgument")),
        ("<S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig>", "", (400, "InvalidOrigin")),
        ("<OriginAccessIdentity><", "<OriginAccessIdentity>origin-access-identity/cloudfront/E0<", (400, "InvalidOriginAccessIdentity")),
        ("</S3OriginConfig>", "</S3OriginConfig><OriginAccessControlId>E0</OriginAccessControlId>", (400, "InvalidOriginAccessControl")),
    ] {
        let reply = send(&mut world, "POST distribution", "", &config("one", true).replace(from, to));
        assert_eq!(refusal(&reply), (expected.0, expected.1.to_owned()), "{to}");
    }
    assert_eq!(send(&mut world, "GET streaming-distribution", "", "").status, 501);
}
