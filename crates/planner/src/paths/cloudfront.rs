//! `CloudFront` distributions and website endpoints: the two ways by which a bucket answers the world.

use super::build::{Builder, NewHop};
use super::model::{HopKind, NodeKind, PathState, Transport, Trouble, TroubleKind};
use super::sources::Use;
use crate::document::{Answer, Document, Principal, Protected, transport};
use crate::inventory::{Bucket, Distribution, Origin};
use crate::{Arn, Inventory};

const CLOUDFRONT: &str = "cloudfront.amazonaws.com";
const READ_ORIGIN: Use = Use { action: "s3:GetObject", needs: &["kms:Decrypt"], verb: "reads from" };

/// Adds the distributions that an inventory's account has, as far as they read buckets of the run, and its websites.
pub(crate) fn add(builder: &mut Builder<'_>, inventory: &Inventory) {
    for distribution in inventory.path_facts.distributions.known().into_iter().flatten().filter(|distribution| distribution.enabled) {
        let buckets: Vec<(&Origin, Arn, bool)> = distribution
            .origins
            .iter()
            .filter_map(|origin| {
                let (name, website) = bucket_of(&origin.domain)?;
                let arn = inventory.scope.bucket_arn(name);
                inventory.buckets.contains_key(&arn).then_some((origin, arn, website))
            })
            .collect();
        for (origin, bucket, website) in &buckets {
            add_origin(builder, distribution, origin, bucket, *website);
        }
        if !buckets.is_empty() {
            add_viewers(builder, distribution);
        }
    }
    for bucket in inventory.buckets.values().filter(|bucket| matches!(bucket.website.known(), Some(true))) {
        add_website(builder, bucket);
    }
}

/// The bucket behind an origin's domain, and whether that is its website endpoint. [S3: Website endpoints; Virtual hosting]
pub(crate) fn bucket_of(domain: &str) -> Option<(&str, bool)> {
    let host = domain.strip_suffix(".amazonaws.com").or_else(|| domain.strip_suffix(".amazonaws.com.cn"))?;
    for (marker, website) in [(".s3-website-", true), (".s3-website.", true), (".s3.", false), (".s3-", false)] {
        if let Some(at) = host.rfind(marker) {
            return Some((&host[..at], website));
        }
    }
    host.strip_suffix(".s3").map(|bucket| (bucket, false))
}

fn viewers_may_use_http(distribution: &Distribution) -> bool {
    distribution.viewer_protocol_policies.iter().any(|policy| policy == "allow-all")
}

fn add_origin(builder: &mut Builder<'_>, distribution: &Distribution, origin: &Origin, bucket: &Arn, website: bool) {
    builder.stand_in(distribution.arn.as_str(), NodeKind::Distribution, "");
    let transport = origin_transport(distribution, origin, website);
    let mut hop = NewHop::aws(bucket, distribution.arn.as_str(), HopKind::Origin, CLOUDFRONT).over(transport);
    if transport == Transport::PlainHttp {
        let what = if website {
            "CloudFront reads the bucket's website endpoint, which speaks nothing but plain HTTP"
        } else {
            "CloudFront may read the bucket over plain HTTP"
        };
        let cure = "Let the distribution read the bucket's REST endpoint with origin access control (OAC): requests are then signed and sent over HTTPS.";
        hop = hop.troubled([Trouble::new(PathState::Exposed, TroubleKind::InTransit, what).cured_by(cure)]);
    }
    if builder.keys.contains_key(bucket.as_str()) {
        hop = if origin.access_control.is_some() {
            let needs = builder.needs_of(bucket, Principal::Service(CLOUDFRONT.to_owned()), &READ_ORIGIN, Some(&distribution.arn));
            hop.needing(needs)
        } else if origin.access_identity.is_some() {
            hop.troubled([Trouble::new(
                PathState::Broken,
                TroubleKind::Stopped,
                "an origin access identity can't read objects under a KMS key",
            )
            .cured_by("Move the distribution to origin access control (OAC), and let cloudfront.amazonaws.com use the key for it.")])
        } else {
            hop.troubled([anonymous()])
        };
    }
    builder.add(hop);
}

fn anonymous() -> Trouble {
    Trouble::unread(
        "it is read without signed requests, and nobody can tell which objects are under a KMS key, which such requests can't read",
    )
}

/// Without signing, `CloudFront` follows the viewer's protocol. [Require HTTPS between `CloudFront` and your S3 origin]
fn origin_transport(distribution: &Distribution, origin: &Origin, website: bool) -> Transport {
    let as_viewers = if viewers_may_use_http(distribution) { Transport::PlainHttp } else { Transport::Https };
    match (website, origin.protocol_policy.as_deref()) {
        (true, _) | (false, Some("http-only")) => Transport::PlainHttp,
        (false, _) if origin.access_control.is_some() => Transport::SignedHttps,
        (false, Some("https-only")) => Transport::Https,
        (false, Some(_) | None) => as_viewers,
    }
}

fn add_viewers(builder: &mut Builder<'_>, distribution: &Distribution) {
    let viewers = format!("viewers of {}", distribution.domain);
    builder.stand_in(&viewers, NodeKind::Anybody, "");
    let hop = NewHop::aws(&distribution.arn, &viewers, HopKind::View, CLOUDFRONT).over(Transport::Https);
    builder.add(if viewers_may_use_http(distribution) {
        let what = "the distribution answers viewers over plain HTTP (ViewerProtocolPolicy allow-all)";
        let trouble = Trouble::new(PathState::Exposed, TroubleKind::InTransit, what)
            .cured_by("Set ViewerProtocolPolicy to redirect-to-https or https-only in every cache behaviour.");
        hop.over(Transport::PlainHttp).troubled([trouble])
    } else if distribution.viewer_protocol_policies.is_empty() {
        hop.troubled([Trouble::unread("the distribution's viewer protocol policies were not read")])
    } else {
        hop
    });
}

/// A document that refuses plain HTTP cuts the website off: then nothing flows that way.
fn add_website(builder: &mut Builder<'_>, bucket: &Bucket) {
    let document = bucket.document.known().and_then(|text| text.as_deref()).map(Document::parse);
    if let Some(Ok(document)) = &document
        && transport(Some(document), Protected::Bucket(&bucket.arn)).denies_plain_http == Answer::Yes
    {
        return;
    }
    let visitors = format!("visitors of the website of {}", bucket.name);
    builder.stand_in(&visitors, NodeKind::Anybody, "");
    let trouble = Trouble::new(PathState::Exposed, TroubleKind::InTransit, "the bucket's website endpoint speaks nothing but plain HTTP")
        .cured_by(
            "Serve it through CloudFront with origin access control (OAC) on the REST endpoint, and remove the website configuration.",
        );
    let keyed = builder.keys.contains_key(bucket.arn.as_str()).then(anonymous);
    let hop = NewHop::aws(&bucket.arn, &visitors, HopKind::View, "").over(Transport::PlainHttp);
    builder.add(hop.troubled([trouble]).troubled(keyed));
}

#[cfg(test)]
mod tests {
    use super::bucket_of;

    #[test]
    fn origins_name_their_bucket_in_every_form_of_endpoint() {
        for (domain, expected) in [
            ("data.s3.us-east-1.amazonaws.com", Some(("data", false))),
            ("data.s3.amazonaws.com", Some(("data", false))),
            ("data.s3-us-west-2.amazonaws.com", Some(("data", false))),
            ("my.data.s3.dualstack.eu-west-1.amazonaws.com", Some(("my.data", false))),
            ("data.s3-website-us-east-1.amazonaws.com", Some(("data", true))),
            ("www.example.com.s3-website.eu-central-1.amazonaws.com", Some(("www.example.com", true))),
            ("data.s3.cn-north-1.amazonaws.com.cn", Some(("data", false))),
            ("lb-1.us-east-1.elb.amazonaws.com", None),
            ("example.com", None),
        ] {
            assert_eq!(bucket_of(domain), expected, "{domain}");
        }
    }
}
