//! What AWS says of a data stream: one `DescribeStreamSummary`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::inventory::Reading;

/// One data stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataStream {
    /// The stream's ARN.
    pub arn: Arn,
    /// The stream's name.
    pub name: String,
    /// Its summary.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub summary: Reading<DataStreamSummary>,
    /// Tags, read only where a rule asks for them.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub tags: Reading<BTreeMap<String, String>>,
}

/// The parts of a summary that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataStreamSummary {
    /// `ACTIVE`, `UPDATING` …
    pub status: String,
    /// `EncryptionType` is `KMS`.
    pub encrypted: bool,
    /// The key as written (id, ARN, alias, alias ARN).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}
