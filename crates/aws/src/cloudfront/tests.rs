//! Bodies are those of the CloudFront API reference, with names of ours.

use everseal_planner::Arn;
use everseal_planner::inventory::{Distribution, ErrorClass, Origin};

use crate::testing::{Answer, Seen, Wire};

fn behavior(element: &str, policy: &str) -> String {
    format!(
        "<{element}><PathPattern>*</PathPattern><TargetOriginId>o</TargetOriginId><ViewerProtocolPolicy>{policy}</ViewerProtocolPolicy></{element}>"
    )
}

fn summary(id: &str, enabled: bool, origins: &str, others: &[&str]) -> String {
    let others: String = others.iter().map(|policy| behavior("CacheBehavior", policy)).collect();
    let default = behavior("DefaultCacheBehavior", "redirect-to-https");
    format!(
        "<DistributionSummary><Id>{id}</Id><ARN>arn:aws:cloudfront::111122223333:distribution/{id}</ARN><Status>Deployed</Status>\
         <LastModifiedTime>2026-05-01T00:00:00Z</LastModifiedTime><DomainName>{id}.cloudfront.net</DomainName>\
         <Origins><Quantity>1</Quantity><Items>{origins}</Items></Origins>{default}\
         <CacheBehaviors><Quantity>1</Quantity><Items>{others}</Items></CacheBehaviors><Comment></Comment>\
         <PriceClass>PriceClass_All</PriceClass><Enabled>{enabled}</Enabled><WebACLId></WebACLId><HttpVersion>http2</HttpVersion>\
         <IsIPV6Enabled>true</IsIPV6Enabled><Staging>false</Staging></DistributionSummary>"
    )
}

fn list(items: &str, more: &str) -> Answer {
    Answer::ok(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><DistributionList xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Marker></Marker><MaxItems>100</MaxItems>{more}<Quantity>1</Quantity><Items>{items}</Items></DistributionList>"#
    ))
}

fn estate(seen: &Seen) -> Answer {
    assert!(seen.uri.starts_with("cloudfront.amazonaws.com/2020-05-31/distribution"), "{seen:?}");
    let s3 = |domain: &str, control: &str, identity: &str| {
        format!(
            "<Origin><Id>o</Id><DomainName>{domain}</DomainName><OriginPath></OriginPath><S3OriginConfig><OriginAccessIdentity>{identity}</OriginAccessIdentity></S3OriginConfig>\
             <OriginAccessControlId>{control}</OriginAccessControlId></Origin>"
        )
    };
    if seen.uri.contains("Marker=E1") {
        let website = "<Origin><Id>o</Id><DomainName>site.s3-website-us-east-1.amazonaws.com</DomainName><CustomOriginConfig><HTTPPort>80</HTTPPort>\
             <HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin>";
        list(&summary("E2", false, website, &["allow-all", "redirect-to-https"]), "<IsTruncated>false</IsTruncated>")
    } else {
        let origins =
            s3("data.s3.us-east-1.amazonaws.com", "E10", "") + &s3("old.s3.amazonaws.com", "", "origin-access-identity/cloudfront/E11");
        list(&summary("E1", true, &origins, &[]), "<IsTruncated>true</IsTruncated><NextMarker>E1</NextMarker>")
    }
}

fn origin(domain: &str) -> Origin {
    Origin { domain: domain.to_owned(), access_control: None, access_identity: None, protocol_policy: None }
}

#[tokio::test]
async fn distributions_of_all_pages_are_read_with_origins_and_viewer_policies() {
    let wire = Wire::new(estate);
    let distributions = super::distributions(&wire.context()).await.unwrap();
    let expected = |id: &str, enabled: bool, origins: Vec<Origin>, policies: &[&str]| Distribution {
        arn: Arn::parse(&format!("arn:aws:cloudfront::111122223333:distribution/{id}")).unwrap(),
        domain: format!("{id}.cloudfront.net"),
        enabled,
        origins,
        viewer_protocol_policies: policies.iter().map(|policy| (*policy).to_owned()).collect(),
    };
    let signed = Origin { access_control: Some("E10".to_owned()), ..origin("data.s3.us-east-1.amazonaws.com") };
    let identity = "origin-access-identity/cloudfront/E11".to_owned();
    let identified = Origin { access_identity: Some(identity), ..origin("old.s3.amazonaws.com") };
    let website = Origin { protocol_policy: Some("http-only".to_owned()), ..origin("site.s3-website-us-east-1.amazonaws.com") };
    assert_eq!(
        distributions,
        [
            expected("E1", true, vec![signed, identified], &["redirect-to-https"]),
            expected("E2", false, vec![website], &["redirect-to-https", "allow-all"]),
        ]
    );
    assert_eq!(wire.counted(), ["cloudfront ListDistributions OK", "cloudfront ListDistributions OK"]);
}

/// An account without distributions: no `Items` at all. [cloudfront:DistributionList]
#[tokio::test]
async fn an_empty_list_is_known_to_be_empty() {
    let wire = Wire::new(|_| {
        Answer::ok(
            r#"<DistributionList xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Marker></Marker><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>0</Quantity></DistributionList>"#,
        )
    });
    assert_eq!(super::distributions(&wire.context()).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_denied_listing_is_an_error_that_names_the_permission() {
    let wire = Wire::new(|_| {
        Answer::new(
            403,
            r#"<ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized</Message></Error><RequestId>1</RequestId></ErrorResponse>"#,
        )
    });
    let error = super::distributions(&wire.context()).await.unwrap_err();
    assert_eq!((error.class, error.missing_action), (ErrorClass::Denied, Some("cloudfront:ListDistributions")));
}

/// The service is global: from another region of the partition the same endpoint is asked.
#[tokio::test]
async fn the_one_endpoint_is_asked_from_every_region() {
    let wire = Wire::new(estate);
    super::distributions(&wire.context().in_region("eu-west-1")).await.unwrap();
    let signed = wire.seen()[0].header("authorization").unwrap().to_owned();
    assert!(signed.contains("/us-east-1/cloudfront/aws4_request"), "{signed}");
}
