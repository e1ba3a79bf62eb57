//! A topic and its subscriptions.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Place;
use crate::access::Document;
use crate::moment::Moment;

/// A document as written, and parsed once.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) text: Box<str>,
    pub(super) document: Document,
}

/// A topic.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) arn: Arc<str>,
    /// `None`: the one that SNS gives to a new topic.
    pub(super) policy: Option<Box<Policy>>,
    pub(super) kms_key: Option<Box<str>>,
    /// `Some`: FIFO, and whether deduplication is by content.
    pub(super) fifo: Option<bool>,
    /// Attributes that nothing here depends on.
    pub(super) others: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) deleted_subscriptions: u64,
    /// Data keys at hand: whose, which → until when.
    pub(super) data_keys: BTreeMap<(String, String), Moment>,
    /// FIFO: deduplication id → (until when, message id).
    pub(super) recent: BTreeMap<String, (Moment, String)>,
}

impl Topic {
    pub(super) fn new(arn: &str, fifo: bool) -> Self {
        Self {
            arn: Arc::from(arn),
            policy: None,
            kms_key: None,
            fifo: fifo.then_some(false),
            others: BTreeMap::new(),
            tags: BTreeMap::new(),
            deleted_subscriptions: 0,
            data_keys: BTreeMap::new(),
            recent: BTreeMap::new(),
        }
    }

    /// The document's text.
    pub(super) fn policy_text(&self, owner: &str) -> String {
        self.policy.as_ref().map_or_else(|| default_policy(&self.arn, owner).to_string(), |policy| policy.text.to_string())
    }
}

/// What a new topic has: its owner may do everything that a document can allow. [SNS: Access control, default policy]
pub(super) fn default_policy(arn: &str, owner: &str) -> Value {
    let actions = [
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
    ];
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": actions,
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": owner } },
        }],
    })
}

/// A subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) topic: String,
    pub(super) protocol: String,
    pub(super) endpoint: String,
    pub(super) owner: String,
    /// `None`: confirmed.
    pub(super) token: Option<String>,
    /// As written: `RawMessageDelivery`, `FilterPolicy`, `RedrivePolicy`, `SubscriptionRoleArn` …
    pub(super) attributes: BTreeMap<String, String>,
    /// `FilterPolicy`, parsed.
    pub(super) filter: Option<Value>,
}

impl Subscription {
    pub(super) fn is(&self, attribute: &str, value: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|written| written == value)
    }

    /// Where messages go that can't be delivered.
    pub(super) fn dead_letter_queue(&self) -> Option<String> {
        let policy: Value = serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()?;
        policy.get("deadLetterTargetArn")?.as_str().map(str::to_owned)
    }

    /// The topic's account.
    pub(super) fn topic_owner(&self) -> &str {
        Place::of_arn(&self.topic).map_or("", |place| place.account)
    }
}
