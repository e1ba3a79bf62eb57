//! What `CloudFront` says of a distribution, as the planner's values.

use aws_sdk_cloudfront::types::{self, DistributionSummary};
use everseal_planner::Arn;
use everseal_planner::inventory::{Distribution, Origin};

use super::operations::LIST_DISTRIBUTIONS;
use crate::error::AwsError;

/// One distribution of the listing.
pub(super) fn distribution(listed: DistributionSummary) -> Result<Distribution, AwsError> {
    let arn = Arn::parse(&listed.arn).map_err(|_| AwsError::incomplete(&LIST_DISTRIBUTIONS, "a distribution's ARN"))?;
    let origins = listed.origins.map(|origins| origins.items).unwrap_or_default();
    let by_default = listed.default_cache_behavior.map(|behavior| behavior.viewer_protocol_policy);
    let by_path = listed.cache_behaviors.and_then(|behaviors| behaviors.items).unwrap_or_default();
    let policies = by_default.into_iter().chain(by_path.into_iter().map(|behavior| behavior.viewer_protocol_policy));
    let mut viewer_protocol_policies: Vec<String> = Vec::new();
    for policy in policies {
        if !viewer_protocol_policies.iter().any(|known| known == policy.as_str()) {
            viewer_protocol_policies.push(policy.as_str().to_owned());
        }
    }
    Ok(Distribution {
        arn,
        domain: listed.domain_name,
        enabled: listed.enabled,
        origins: origins.into_iter().map(origin).collect(),
        viewer_protocol_policies,
    })
}

/// Neither kind of access to a bucket is left out by `CloudFront`: the one that is not used is empty.
fn origin(origin: types::Origin) -> Origin {
    let said = |text: String| (!text.is_empty()).then_some(text);
    Origin {
        domain: origin.domain_name,
        access_control: origin.origin_access_control_id.and_then(said),
        access_identity: origin.s3_origin_config.and_then(|config| said(config.origin_access_identity)),
        protocol_policy: origin.custom_origin_config.map(|config| config.origin_protocol_policy.as_str().to_owned()),
    }
}
