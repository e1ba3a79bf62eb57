//! The unit of reconciling and of sharding: one account in one region.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One account × region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// `aws`, `aws-cn`, `aws-us-gov` …: ARNs are built from it, never from a constant.
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// For example `eu-west-1`.
    pub region: String,
}

impl Scope {
    /// The DNS suffix that service principals and endpoints share is partition independent for
    /// principals (`s3.amazonaws.com` also in `aws-cn`); only ARNs differ.
    pub fn arn(&self, service: &str, resource: &str) -> crate::Arn {
        crate::Arn::new(&self.partition, service, &self.region, &self.account, resource)
    }

    /// The ARN of a bucket, which carries neither region nor account.
    pub fn bucket_arn(&self, bucket: &str) -> crate::Arn {
        crate::Arn::new(&self.partition, "s3", "", "", bucket)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}
