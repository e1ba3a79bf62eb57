//! What AWS says of a bucket.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::inventory::Reading;

/// One bucket. The settings are read in every pass, the facts that only gates need
/// only for buckets that have a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bucket {
    /// `arn:aws:s3:::name`.
    pub arn: Arn,
    /// The bucket's name.
    pub name: String,
    /// Default encryption; `None` where no rule is configured (legacy and emulators: AWS itself
    /// has applied SSE-S3 to every bucket since January 2023).
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub encryption: Reading<Option<BucketEncryption>>,
    /// The bucket policy's text as returned; `None` where there is none.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub document: Reading<Option<String>>,
    /// Tags, read only where a rule asks for them.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub tags: Reading<BTreeMap<String, String>>,
    /// Gate fact: the bucket has a website configuration.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub website: Reading<bool>,
    /// Gate fact: its ACL lets S3's log delivery group write (server access logs arrive here).
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub log_delivery_acl: Reading<bool>,
    /// Path fact: the bucket that this one's server access logs go to; `None` where logging is off.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub logging_target: Reading<Option<String>>,
    /// Gate fact: rules by which this bucket replicates to others; empty where none.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub replication: Reading<Vec<ReplicationRule>>,
    /// Gate fact: where object events of this bucket go.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub notifications: Reading<BucketNotifications>,
    /// Gate fact: what stands in the way of a new bucket policy.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub public_access: Reading<PublicAccess>,
}

/// The first rule of `GetBucketEncryption`, whole: a write sends everything back that the policy does not manage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketEncryption {
    /// `AES256`, `aws:kms`, `aws:kms:dsse`, or a value that is younger than this program.
    pub algorithm: String,
    /// The key as written: id, ARN, alias or alias ARN; absent means `aws/s3` for the two KMS algorithms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// The bucket key (fewer KMS calls; SSE-KMS only).
    #[serde(default)]
    pub bucket_key: bool,
    /// Encryption types that writes may not use (`SSE-C`). `None` where AWS returned no such element.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_encryption_types: Option<BTreeSet<String>>,
}

/// One enabled replication rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplicationRule {
    /// The rule's id.
    pub id: String,
    /// Destination bucket.
    pub destination: String,
    /// `SourceSelectionCriteria.SseKmsEncryptedObjects` is enabled: without it SSE-KMS objects are not replicated.
    pub replicates_kms_objects: bool,
    /// `ReplicaKmsKeyID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_kms_key: Option<String>,
    /// The role that replicates (`ReplicationConfiguration.Role`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Arn>,
}

/// Targets of a bucket's event notifications.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketNotifications {
    /// Queues, topics and functions.
    #[serde(default)]
    pub targets: Vec<Arn>,
    /// Events also go to EventBridge.
    #[serde(default)]
    pub event_bridge: bool,
}

/// Block Public Access as far as it can refuse a `PutBucketPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublicAccess {
    /// `GetBucketPolicyStatus.IsPublic`.
    pub policy_is_public: bool,
    /// The bucket's `BlockPublicPolicy`.
    pub block_public_policy: bool,
}
