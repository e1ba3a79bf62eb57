//! The policy as values: what a person may write (DESIGN.md §4), nothing interpreted.
//!
//! Enums are externally tagged or plain strings, because the YAML library loses positions inside
//! internally tagged ones. The JSON Schema is made from these types, so their doc comments are
//! what an editor shows.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::format;

mod migration;
mod monitoring;
mod rules;

pub use migration::*;
pub use monitoring::*;
pub use rules::*;

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
    #[schemars(length(min = 1))]
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
    #[schemars(inner(regex(pattern = format::REGION)))]
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
    #[schemars(regex(pattern = format::ACCOUNT))]
    pub id: String,
    /// The role to assume; absent: the credentials' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = format::EXTERNAL_ID))]
    pub external_id: Option<String>,
}

/// A customer managed key that must exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySpec {
    /// `alias/…`, not `alias/aws/…`.
    #[schemars(regex(pattern = format::ALIAS))]
    pub alias: String,
    /// Set when the key is created.
    #[serde(default)]
    #[schemars(length(max = 8192))]
    pub description: String,
    /// A multi-Region key; its primary lives in the first region of `scopes.regions`.
    #[serde(default)]
    pub multi_region: bool,
    /// Regions that get a replica; needs `multiRegion: true`.
    #[serde(default)]
    #[schemars(inner(regex(pattern = format::REGION)))]
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
    #[schemars(range(min = 90, max = 2560))]
    pub period_in_days: u32,
}

fn default_rotation_period() -> u32 {
    365
}

/// Who may use a key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsableBy {
    /// Services, by the first part of their principal (`s3`, `sns`, `events`, `cloudwatch` …), always narrowed to the
    /// account (`aws:SourceAccount` or `aws:SourceArn`) where AWS sends it. `sqs`, `firehose`, `kinesis` and `rds` do not
    /// call KMS as themselves: they stand for principals of the account that come through the service (`kms:ViaService`).
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

/// Drift that is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exemption {
    /// ARN of the resource, patterns allowed.
    pub resource: String,
    /// Ids of the checks.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub checks: Vec<String>,
    /// Why, for the person who reads the report.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Last day (UTC) on which it holds, `YYYY-MM-DD`; absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = format::DATE))]
    pub expires: Option<String>,
}

/// How much may change in one cycle and scope: work beyond it waits for the next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_changes_per_cycle: Option<u32>,
    /// Share of the managed resources that may be changed, 1 to 100; at least one may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max_changes_percent: Option<u32>,
}
