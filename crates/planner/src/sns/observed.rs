//! What AWS says of a topic: one `GetTopicAttributes`, and one paged listing of subscriptions for the scope.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::inventory::Reading;

/// One topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Topic {
    /// The topic's ARN.
    pub arn: Arn,
    /// Its attributes.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub attributes: Reading<TopicAttributes>,
    /// Tags, read only where a rule asks for them.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub tags: Reading<BTreeMap<String, String>>,
}

/// The attributes that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopicAttributes {
    /// `KmsMasterKeyId` as written; `None` where absent or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// The topic policy's text (every real topic has one; `None` only on emulators).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// One subscription, of any topic of the scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscription {
    /// The subscription's ARN, or `PendingConfirmation`.
    pub id: String,
    /// The topic.
    pub topic: Arn,
    /// `http`, `https`, `sqs`, `lambda`, `email` …
    pub protocol: String,
    /// Where messages go.
    pub endpoint: String,
}
