//! Rules of the six lists: which resources, and what is wanted of them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Mode;
use super::migration::Migration;
use super::monitoring::Monitoring;

/// Which resources a rule is for: every condition given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// Patterns with `*` and `?`, one of which must match the name; absent: every name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub names: Option<Vec<String>>,
    /// Tags that must all be there; values may be patterns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Patterns of names that are left out.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub exclude: Vec<String>,
}

/// As [`Match`], with database engines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseMatch {
    /// Patterns with `*` and `?`, one of which must match the identifier; absent: every name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub names: Option<Vec<String>>,
    /// Tags that must all be there; values may be patterns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Patterns of identifiers that are left out.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub exclude: Vec<String>,
    /// Engines (`postgres`, `mysql`, `aurora-postgresql` …, patterns allowed); absent: every engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub engines: Option<Vec<String>>,
}

macro_rules! rule {
    ($(#[$meta:meta])* $name:ident<$matcher:ident> { $($(#[$doc:meta])* $field:ident: $ty:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            /// Unique within its list; shown in findings.
            #[schemars(length(min = 1))]
            pub name: String,
            /// Which resources.
            #[serde(rename = "match", default)]
            pub matches: $matcher,
            /// `audit` narrows an enforcing policy for this rule.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub mode: Option<Mode>,
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $field: Option<$ty>),+
        }
    };
}

rule! {
    /// A rule for buckets.
    BucketRule<Match> {
        /// Default encryption; absent: unmanaged.
        at_rest: BucketAtRest,
        /// Bucket policy against plain HTTP and old TLS; absent: unmanaged.
        in_transit: BucketInTransit,
        /// Objects that are already there; absent: unmanaged.
        existing_objects: ExistingObjects,
        /// What to do with website buckets.
        website: WebsiteSpec,
    }
}

/// Default encryption of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketAtRest {
    /// `AES256` (SSE-S3), `aws:kms` or `aws:kms:dsse`.
    pub algorithm: BucketAlgorithm,
    /// Alias of a key in `spec.keys`, or any alias or key ARN; only with the two KMS algorithms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The bucket key; only with `aws:kms`. Absent: unmanaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_key: Option<bool>,
    /// Encryption types that writes may not use. Absent: unmanaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_encryption_types: Option<BTreeSet<BlockedEncryptionType>>,
}

/// Algorithms that a bucket's default encryption may be set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum BucketAlgorithm {
    /// SSE-S3.
    #[serde(rename = "AES256")]
    Aes256,
    /// SSE-KMS.
    #[serde(rename = "aws:kms")]
    Kms,
    /// DSSE-KMS: two layers.
    #[serde(rename = "aws:kms:dsse")]
    KmsDsse,
}

/// Encryption types that can be blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum BlockedEncryptionType {
    /// Keys that the client brings.
    #[serde(rename = "SSE-C")]
    SseC,
}

/// A bucket's protection in transit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketInTransit {
    /// Refuse every request over plain HTTP. `false`: unmanaged, never removed.
    #[serde(default)]
    pub deny_insecure_transport: bool,
    /// Refuse TLS below this version (`1.2` or `1.3`, in quotes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_tls_version: Option<TlsVersion>,
}

/// TLS versions that S3 serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3: cuts clients on `PrivateLink`.
    #[serde(rename = "1.3")]
    V1_3,
}

/// Objects written before the default encryption was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExistingObjects {
    /// Report them or encrypt them again.
    pub action: ExistingObjectsAction,
}

/// What happens to existing objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExistingObjectsAction {
    /// Only say so.
    Report,
    /// Encrypt them again.
    Reencrypt,
}

/// Website buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebsiteSpec {
    /// A website whose one reader is a CloudFront distribution over HTTPS.
    #[serde(default)]
    pub behind_cloud_front: WebsiteAction,
    /// A website that anybody reads over HTTP.
    #[serde(default)]
    pub public: WebsiteAction,
}

/// What happens to a website bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WebsiteAction {
    /// Only say so.
    #[default]
    Report,
    /// Refuse plain HTTP: the website endpoint, which speaks nothing else, stops working.
    Enforce,
}

rule! {
    /// A rule for queues.
    QueueRule<Match> {
        /// Encryption at rest; absent: unmanaged.
        at_rest: QueueAtRest,
        /// Queue policy against plain HTTP; absent: unmanaged.
        in_transit: InTransit,
    }
}

/// A queue's encryption at rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueueAtRest {
    /// `SSE-KMS` or `SSE-SQS`.
    pub encryption: QueueEncryptionKind,
    /// With `SSE-KMS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// 60 to 86400 seconds, with `SSE-KMS`. Absent: unmanaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 86400))]
    pub data_key_reuse_seconds: Option<u32>,
}

/// The two ways a queue can be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum QueueEncryptionKind {
    /// A KMS key.
    #[serde(rename = "SSE-KMS")]
    SseKms,
    /// A key that SQS owns. A queue under SSE-KMS is better protected and stays.
    #[serde(rename = "SSE-SQS")]
    SseSqs,
}

/// Protection in transit of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InTransit {
    /// Refuse every request over plain HTTP. `false`: unmanaged, never removed.
    #[serde(default)]
    pub deny_insecure_transport: bool,
}

rule! {
    /// A rule for topics.
    TopicRule<Match> {
        /// Encryption at rest; absent: unmanaged.
        at_rest: KeyAtRest,
        /// Topic policy against plain HTTP; absent: unmanaged.
        in_transit: TopicInTransit,
    }
}

/// Encryption at rest with a KMS key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyAtRest {
    /// Alias of a key in `spec.keys`, or any alias or key ARN.
    pub key: String,
}

/// Protection in transit of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopicInTransit {
    /// Refuse messages published over plain HTTP. `false`: unmanaged, never removed.
    #[serde(default)]
    pub deny_insecure_transport: bool,
    /// Report subscriptions that deliver over plain HTTP.
    #[serde(default)]
    pub forbid_http_subscriptions: bool,
}

rule! {
    /// A rule for Firehose streams.
    DeliveryStreamRule<Match> {
        /// The stream's own encryption (Direct PUT only; a Kinesis-fed stream is judged by its source). Absent: unmanaged.
        at_rest: DeliveryStreamAtRest,
        /// Encryption of what it delivers; absent: unmanaged.
        destination: DestinationSpec,
    }
}

/// A Firehose stream's own encryption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryStreamAtRest {
    /// `AWS_OWNED_CMK` or `CUSTOMER_MANAGED_CMK`.
    pub key_type: FirehoseKeyType,
    /// With `CUSTOMER_MANAGED_CMK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Kinds of keys that Firehose takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FirehoseKeyType {
    /// A key that AWS owns. A stream under a customer key is better protected and stays.
    #[serde(rename = "AWS_OWNED_CMK")]
    AwsOwnedCmk,
    /// A customer managed key.
    #[serde(rename = "CUSTOMER_MANAGED_CMK")]
    CustomerManagedCmk,
}

/// What a Firehose stream delivers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DestinationSpec {
    /// Every S3 part is encrypted with a KMS key: by the stream or by the bucket's default.
    #[serde(default)]
    pub require_encryption: bool,
    /// The key that the stream must name; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

rule! {
    /// A rule for Kinesis streams.
    DataStreamRule<Match> {
        /// Encryption at rest; absent: unmanaged.
        at_rest: KeyAtRest,
    }
}

rule! {
    /// A rule for DB instances and clusters.
    DatabaseRule<DatabaseMatch> {
        /// Storage encryption; absent: unmanaged.
        at_rest: DatabaseAtRest,
        /// TLS; absent: unmanaged.
        in_transit: DatabaseInTransit,
    }
}

/// Storage encryption of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseAtRest {
    /// Only `true` asks for anything.
    pub encrypted: bool,
    /// The wanted key; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How an unencrypted database gets there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migration>,
}

/// TLS of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseInTransit {
    /// Connections without TLS are refused: by the engine's parameter, and by `RequireTLS` of the RDS proxies in front.
    #[serde(default)]
    pub require_tls: bool,
    /// What is done about clients that connect without TLS and that a change would cut off; default `check`.
    #[serde(default)]
    pub plain_clients: PlainClients,
    /// Whether a database may be rebooted so that its parameter group or its certificate applies; default `never`.
    #[serde(default)]
    pub reboot: Reboot,
    /// When it may be, in UTC: `Sun 02:00-04:00 UTC`, `Mon-Fri 22:00-02:00 UTC`, `daily 03:00-04:00 UTC`. `reboot: inWindow`
    /// needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// `CACertificateIdentifier`; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// Connect and look (`rds-tls-live`): the daemon does, rarely, and never sends a password.
    #[serde(default)]
    pub verify: bool,
    /// Certificate authorities that clients trust, e.g. the RDS bundle: a PEM file where Everseal runs. The flag `--ca-bundle`
    /// wins. Without either, who signed a certificate is not checked, and `rds-tls-live` stays unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
    /// A login that counts who is connected without TLS before it is required; absent: nobody is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<Monitoring>,
}

/// What is known of clients without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlainClients {
    /// Everseal looks, and requires TLS only where it sees that nobody connects without.
    #[default]
    Check,
    /// A person has made sure that there are none: where Everseal can't tell, TLS is required all the same. Where it sees
    /// sessions without TLS, it is not.
    None,
}

/// Whether a database may be rebooted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Reboot {
    /// A person does it.
    #[default]
    Never,
    /// Everseal does, while `window` is open, where `rds-require-tls` or `rds-ca-certificate` waits for it.
    InWindow,
}
