//! The policy as values: what a person may write (DESIGN.md §4), nothing interpreted.
//!
//! Enums are externally tagged or plain strings, because the YAML library loses positions inside
//! internally tagged ones. The JSON Schema is made from these types, so their doc comments are
//! what an editor shows.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One policy document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncryptionPolicy {
    /// `everseal.io/v1`.
    #[schemars(extend("const" = "everseal.io/v1"))]
    pub api_version: String,
    /// `EncryptionPolicy`.
    #[schemars(extend("const" = "EncryptionPolicy"))]
    pub kind: String,
    /// The policy's name.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: Spec,
}

/// Names a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Unique among all policies given.
    pub name: String,
    /// Free labels for people; Everseal does not read them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// `audit` reports only; `enforce` changes. A rule may narrow it to audit, never widen it.
    #[serde(default)]
    pub mode: Mode,
    /// Where the policy holds.
    #[serde(default)]
    pub scopes: Scopes,
    /// Customer managed keys that must exist; rules name them by alias.
    #[serde(default)]
    pub keys: Vec<KeySpec>,
    /// Rules for buckets. In every list the first rule that matches a resource wins, whole.
    #[serde(default)]
    pub s3: Vec<BucketRule>,
    /// Rules for queues.
    #[serde(default)]
    pub sqs: Vec<QueueRule>,
    /// Rules for topics.
    #[serde(default)]
    pub sns: Vec<TopicRule>,
    /// Rules for Firehose streams.
    #[serde(default)]
    pub firehose: Vec<DeliveryStreamRule>,
    /// Rules for Kinesis streams.
    #[serde(default)]
    pub kinesis: Vec<DataStreamRule>,
    /// Rules for DB instances and clusters.
    #[serde(default)]
    pub rds: Vec<DatabaseRule>,
    /// Drift that is accepted, for a reason and until a day.
    #[serde(default)]
    pub exemptions: Vec<Exemption>,
    /// How much may change in one cycle. Absent: no limit.
    #[serde(default)]
    pub limits: Limits,
}

/// Report only, or change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Report only.
    #[default]
    Audit,
    /// Change what has drifted.
    Enforce,
}

/// Where a policy holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scopes {
    /// Default: the SDK's region. Primary multi-Region keys live in the first one.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Default: the account of the credentials.
    #[serde(default)]
    pub accounts: Vec<AccountRef>,
}

/// An account and how to get into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountRef {
    /// Twelve digits, in quotes.
    pub id: String,
    /// The role to assume; absent: the credentials' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// A customer managed key that must exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySpec {
    /// `alias/…`, not `alias/aws/…`.
    pub alias: String,
    /// Set when the key is created.
    #[serde(default)]
    pub description: String,
    /// A multi-Region key; its primary lives in the first region of `scopes.regions`.
    #[serde(default)]
    pub multi_region: bool,
    /// Regions that get a replica; needs `multiRegion: true`.
    #[serde(default)]
    pub replica_regions: Vec<String>,
    /// Automatic rotation; absent: unmanaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationSpec>,
    /// Who may use the key; absent: its document is unmanaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usable_by: Option<UsableBy>,
    /// What may be done by itself to a key that is disabled or pending deletion.
    #[serde(default)]
    pub heal: BTreeSet<Heal>,
}

/// Automatic rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotationSpec {
    /// Only `true` does anything: rotation is never turned off.
    pub enabled: bool,
    /// 90 to 2560 days; default 365.
    #[serde(default = "default_rotation_period")]
    pub period_in_days: u32,
}

fn default_rotation_period() -> u32 {
    365
}

/// Who may use a key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsableBy {
    /// Services, by the first part of their principal (`s3`, `sns`, `sqs`, `firehose`, `events`, `cloudwatch` …),
    /// always narrowed with `aws:SourceAccount` where AWS sends it.
    #[serde(default)]
    pub services: Vec<String>,
    /// ARNs of principals that write: `kms:GenerateDataKey`, `kms:Decrypt`.
    #[serde(default)]
    pub producers: Vec<String>,
    /// ARNs of principals that read: `kms:Decrypt`.
    #[serde(default)]
    pub consumers: Vec<String>,
}

/// What may be done to a key without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Heal {
    /// `EnableKey` on a disabled key.
    Enable,
    /// `CancelKeyDeletion` (the key is then disabled: `enable` is what makes it work again).
    CancelDeletion,
}

/// Which resources a rule is for: every condition given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// Patterns with `*` and `?`, one of which must match the name; absent: every name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// Tags that must all be there; values may be patterns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Patterns of names that are left out.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// As [`Match`], with database engines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseMatch {
    /// Patterns with `*` and `?`, one of which must match the identifier; absent: every name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// Tags that must all be there; values may be patterns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Patterns of identifiers that are left out.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Engines (`postgres`, `mysql`, `aurora-postgresql` …, patterns allowed); absent: every engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engines: Option<Vec<String>>,
}

macro_rules! rule {
    ($(#[$meta:meta])* $name:ident<$matcher:ident> { $($(#[$doc:meta])* $field:ident: $ty:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            /// Unique within its list; shown in findings.
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
    /// TLS 1.3: cuts clients on PrivateLink.
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

/// How an unencrypted database gets encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Migration {
    /// How far to go.
    pub action: MigrationAction,
}

/// How far a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MigrationAction {
    /// Only say so.
    Report,
    /// Build the encrypted copy.
    Prepare,
    /// And switch to it.
    Cutover,
}

/// TLS of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseInTransit {
    /// Connections without TLS are refused, by the engine's parameter.
    #[serde(default)]
    pub require_tls: bool,
    /// `CACertificateIdentifier`; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// Connect and look (`rds-tls-live`).
    #[serde(default)]
    pub verify: bool,
}

/// Drift that is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exemption {
    /// ARN of the resource, patterns allowed.
    pub resource: String,
    /// Ids of the checks.
    pub checks: Vec<String>,
    /// Why, for the person who reads the report.
    pub reason: String,
    /// Last day (UTC) on which it holds, `YYYY-MM-DD`; absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

impl Exemption {
    /// True until the end of the last day (UTC). A date that can't be read never holds: policies are checked when loaded.
    pub fn holds(&self, now: i64) -> bool {
        let Some(expires) = &self.expires else { return true };
        let format = time::macros::format_description!("[year]-[month]-[day]");
        time::Date::parse(expires, format).is_ok_and(|day| now < day.midnight().assume_utc().unix_timestamp() + 86_400)
    }
}

/// How much may change in one cycle and scope: work beyond it waits for the next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_changes_per_cycle: Option<u32>,
    /// Share of the managed resources that may be changed, 1 to 100; at least one may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_changes_percent: Option<u32>,
}
