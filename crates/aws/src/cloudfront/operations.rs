//! The `CloudFront` calls that Everseal makes.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::CloudFront;
    /// Path fact: all distributions of the account.
    LIST_DISTRIBUTIONS = "ListDistributions", ["cloudfront:ListDistributions"], Need::Audit, Rate::Unpublished;
}
