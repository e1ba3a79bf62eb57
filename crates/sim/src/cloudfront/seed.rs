//! Doors for those who set a world up.

use super::{access, arn, distributions, viewer};
use crate::wire::xml::Element;
use crate::world::World;

/// How a distribution reaches its bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginAccess {
    /// REST endpoint, origin access control.
    Control,
    /// REST endpoint, origin access identity.
    Identity,
    /// REST endpoint, as nobody.
    Open,
    /// Website endpoint, plain HTTP.
    Website,
}

/// A distribution over one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistributionSetup {
    /// The bucket's name.
    pub bucket: String,
    /// The bucket's region.
    pub region: String,
    /// How it is reached.
    pub access: OriginAccess,
    /// `allow-all`, `redirect-to-https`, `https-only`.
    pub viewer_protocol_policy: String,
}

impl World {
    /// Makes a distribution. Its id.
    pub fn create_distribution(&mut self, account: &str, setup: &DistributionSetup) -> String {
        let DistributionSetup { bucket, region, access, viewer_protocol_policy } = setup;
        let reference = self.hex(16);
        let mut origin = Element::new("Origin").text("Id", bucket);
        origin = match access {
            OriginAccess::Website => {
                let custom = Element::new("CustomOriginConfig").text("HTTPPort", 80).text("HTTPSPort", 443);
                let domain = format!("{bucket}.s3-website-{region}.amazonaws.com");
                origin.text("DomainName", domain).child(custom.text("OriginProtocolPolicy", "http-only"))
            }
            OriginAccess::Control | OriginAccess::Identity | OriginAccess::Open => {
                origin.text("DomainName", format!("{bucket}.s3.{region}.amazonaws.com"))
            }
        };
        let identity = match access {
            OriginAccess::Identity => {
                let id = access::add_identity(self, account, reference.clone());
                Some(format!("origin-access-identity/cloudfront/{id}"))
            }
            OriginAccess::Control | OriginAccess::Open => Some(String::new()),
            OriginAccess::Website => None,
        };
        if let Some(identity) = identity {
            origin = origin.child(Element::new("S3OriginConfig").text("OriginAccessIdentity", identity));
        }
        if *access == OriginAccess::Control {
            let config = Element::new("OriginAccessControlConfig").text("Name", format!("{bucket}-{reference}"));
            let config = config.text("SigningProtocol", "sigv4").text("SigningBehavior", "always");
            let id = access::add_control(self, account, config.text("OriginAccessControlOriginType", "s3"));
            origin = origin.text("OriginAccessControlId", id);
        }
        let behavior = Element::new("DefaultCacheBehavior").text("TargetOriginId", bucket);
        let config = Element::new("DistributionConfig")
            .text("CallerReference", reference)
            .child(Element::new("Origins").text("Quantity", 1).child(Element::new("Items").child(origin)))
            .child(behavior.text("ViewerProtocolPolicy", viewer_protocol_policy))
            .text("Comment", "")
            .text("Enabled", true);
        distributions::add(self, account, config)
    }

    /// A distribution's ARN.
    pub fn distribution_arn(&self, distribution: &str) -> Option<String> {
        self.cloudfront.distributions.get(distribution).map(|found| arn(&found.account, distribution))
    }

    /// The principal of a distribution's origin access identity, as bucket policies name it.
    pub fn origin_access_identity(&self, distribution: &str) -> Option<String> {
        let config = &self.cloudfront.distributions.get(distribution)?.config;
        let path = config.at("Origins/Items/Origin/S3OriginConfig/OriginAccessIdentity").filter(|path| !path.is_empty())?;
        path.rsplit('/').next().map(viewer::identity_arn)
    }
}
