//! What AWS says of a key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::inventory::Reading;

/// One key that the policy lists or a resource uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Key {
    /// The key's ARN; it may belong to another account or region than the scope.
    pub arn: Arn,
    /// `DescribeKey`.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub metadata: Reading<KeyMetadata>,
    /// `GetKeyPolicy` of the policy named `default`; read for keys the policy lists and, as a gate
    /// fact, for keys that a step switches a resource to.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub document: Reading<String>,
    /// `GetKeyRotationStatus`; read for keys the policy lists.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub rotation: Reading<KeyRotation>,
}

/// The parts of `KeyMetadata` that matter here. Texts are AWS's own: enums grow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyMetadata {
    /// `KeyState`: `Enabled`, `Disabled`, `PendingDeletion` …
    pub state: String,
    /// `KeyManager` is `AWS`: its document can't be edited, no other account or service may use it.
    pub aws_managed: bool,
    /// `KeyUsage`: everything here needs `ENCRYPT_DECRYPT`.
    pub usage: String,
    /// `KeySpec`: everything here needs `SYMMETRIC_DEFAULT`.
    pub spec: String,
    /// `Origin`: only `AWS_KMS` keys rotate by themselves.
    pub origin: String,
    /// `CustomKeyStoreId` is set.
    #[serde(default)]
    pub custom_key_store: bool,
    /// Multi-Region facts, where it is such a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_region: Option<MultiRegionKey>,
    /// When a pending deletion happens, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_date: Option<i64>,
}

/// `MultiRegionConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiRegionKey {
    /// The primary key.
    pub primary: Arn,
    /// Its replicas.
    #[serde(default)]
    pub replicas: Vec<Arn>,
}

/// `GetKeyRotationStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRotation {
    /// Automatic rotation is on.
    pub enabled: bool,
    /// The period, 90 to 2560 days; `None` where AWS gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_in_days: Option<u32>,
}

/// Tags that Everseal puts on keys it creates; `everseal:alias` finds a key again whose creation was cut short.
pub const ALIAS_TAG: &str = "everseal:alias";

/// The tags of a key that Everseal creates.
pub fn creation_tags(alias: &str, policy: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(ALIAS_TAG.to_owned(), alias.to_owned()), ("everseal:policy".to_owned(), policy.to_owned())])
}
