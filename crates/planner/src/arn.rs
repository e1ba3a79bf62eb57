//! Amazon Resource Names: the identity of every resource Everseal speaks of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A well-formed ARN, `arn:partition:service:region:account:resource`.
///
/// Region and account may be empty (S3 buckets have neither).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn(String);

/// The text is not `arn:partition:service:region:account:resource`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ARN (arn:partition:service:region:account:resource)")]
pub struct ArnError(pub String);

impl Arn {
    /// Parses a full ARN; its six colon-separated parts must be there, the resource not empty.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let well_formed = parts.len() == 6 && parts[0] == "arn" && !parts[1].is_empty() && !parts[2].is_empty() && !parts[5].is_empty();
        if well_formed { Ok(Self(text.to_owned())) } else { Err(ArnError(text.to_owned())) }
    }

    /// Builds an ARN from its parts, which the caller knows to be well formed.
    pub fn new(partition: &str, service: &str, region: &str, account: &str, resource: &str) -> Self {
        Self(format!("arn:{partition}:{service}:{region}:{account}:{resource}"))
    }

    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }

    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The service's ARN namespace: `s3`, `sqs`, `kms` …
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region, empty where the service's ARNs have none.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The twelve-digit account, empty where the service's ARNs have none.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// What follows the account: `my-bucket`, `key/1234…`, `deliverystream/orders`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    /// The last segment of [`Arn::resource`] after any `/` or `:`: the name a person uses.
    pub fn name(&self) -> &str {
        self.resource().rsplit(['/', ':']).next().unwrap_or_default()
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Arn {
    type Error = ArnError;
    fn try_from(text: String) -> Result<Self, ArnError> {
        Self::parse(&text)
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.0
    }
}
