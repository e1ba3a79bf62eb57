//! What AWS says of a queue: one `GetQueueAttributes`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::inventory::Reading;

/// One queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Queue {
    /// The queue's ARN.
    pub arn: Arn,
    /// The URL that its API calls are addressed to.
    pub url: String,
    /// Its attributes.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub attributes: Reading<QueueAttributes>,
    /// Tags, read only where a rule asks for them.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub tags: Reading<BTreeMap<String, String>>,
}

/// The attributes that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueueAttributes {
    /// `KmsMasterKeyId` as written (id, ARN, alias or alias ARN); `None` where absent or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// `KmsDataKeyReusePeriodSeconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_key_reuse_seconds: Option<u32>,
    /// `SqsManagedSseEnabled`.
    #[serde(default)]
    pub sqs_managed_sse: bool,
    /// The queue policy's text; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Dead-letter queue (`RedrivePolicy.deadLetterTargetArn`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_queue: Option<Arn>,
}
