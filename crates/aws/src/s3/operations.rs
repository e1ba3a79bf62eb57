//! The API calls of this service. S3's IAM actions bear other names than its operations.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::S3;
    /// All buckets of the account, whatever their region.
    LIST_BUCKETS = "ListBuckets", ["s3:ListAllMyBuckets"], Need::Audit, Rate::Unpublished;
    /// A bucket's region, where the listing does not tell it.
    HEAD_BUCKET = "HeadBucket", ["s3:ListBucket"], Need::Audit, Rate::Unpublished;
    /// Default encryption.
    GET_BUCKET_ENCRYPTION = "GetBucketEncryption", ["s3:GetEncryptionConfiguration"], Need::Audit, Rate::Unpublished;
    /// The bucket policy.
    GET_BUCKET_POLICY = "GetBucketPolicy", ["s3:GetBucketPolicy"], Need::Audit, Rate::Unpublished;
    /// Gate fact.
    GET_BUCKET_WEBSITE = "GetBucketWebsite", ["s3:GetBucketWebsite"], Need::Audit, Rate::Unpublished;
    /// Gate fact: grants to S3's log delivery group.
    GET_BUCKET_ACL = "GetBucketAcl", ["s3:GetBucketAcl"], Need::Audit, Rate::Unpublished;
    /// Gate fact.
    GET_BUCKET_REPLICATION = "GetBucketReplication", ["s3:GetReplicationConfiguration"], Need::Audit, Rate::Unpublished;
    /// Gate fact.
    GET_BUCKET_NOTIFICATION_CONFIGURATION =
        "GetBucketNotificationConfiguration", ["s3:GetBucketNotification"], Need::Audit, Rate::Unpublished;
    /// Gate fact.
    GET_PUBLIC_ACCESS_BLOCK = "GetPublicAccessBlock", ["s3:GetBucketPublicAccessBlock"], Need::Audit, Rate::Unpublished;
    /// Gate fact.
    GET_BUCKET_POLICY_STATUS = "GetBucketPolicyStatus", ["s3:GetBucketPolicyStatus"], Need::Audit, Rate::Unpublished;
    /// Path fact: where the bucket's access logs go.
    GET_BUCKET_LOGGING = "GetBucketLogging", ["s3:GetBucketLogging"], Need::Audit, Rate::Unpublished;
    /// Default encryption, the whole rule.
    PUT_BUCKET_ENCRYPTION = "PutBucketEncryption", ["s3:PutEncryptionConfiguration"], Need::Enforce, Rate::Unpublished;
    /// The whole bucket policy.
    PUT_BUCKET_POLICY = "PutBucketPolicy", ["s3:PutBucketPolicy"], Need::Enforce, Rate::Unpublished;
}
