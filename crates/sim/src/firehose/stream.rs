//! A delivery stream.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::delivery::Queue;
use super::destination::Destination;
use crate::moment::Moment;

/// A delivery stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) status: Status,
    /// Why its creation failed.
    pub(crate) failure: Option<Failure>,
    pub(crate) created: Moment,
    pub(crate) updated: Option<Moment>,
    /// Grows with each update of the destination.
    pub(crate) version: u32,
    pub(crate) source: Source,
    pub(crate) encryption: Encryption,
    pub(crate) destination: Destination,
    pub(crate) tags: BTreeMap<String, String>,
    /// What waits for the bucket, and what waits for the backup bucket.
    pub(crate) queues: [Queue; 2],
    /// Records accepted.
    pub(crate) accepted: u64,
}

/// `DeliveryStreamStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Creating,
    CreatingFailed,
    Active,
    Deleting,
}

impl Status {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::CreatingFailed => "CREATING_FAILED",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
        }
    }
}

/// `FailureDescription`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: &'static str,
    pub(crate) details: String,
}

impl Failure {
    pub(crate) fn describe(&self) -> Value {
        json!({ "Type": self.kind, "Details": self.details })
    }
}

/// Where records come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// Producers put them.
    DirectPut,
    /// A data stream that a role reads.
    Kinesis { stream: String, role: String, begins: Moment, after: u64, reading: bool },
    /// Anything else that can be described; nothing comes from it here.
    Other { kind: &'static str, description: Value },
}

impl Source {
    /// `DeliveryStreamType`.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::DirectPut => "DirectPut",
            Self::Kinesis { .. } => "KinesisStreamAsSource",
            Self::Other { kind, .. } => kind,
        }
    }
}

/// `DeliveryStreamEncryptionConfiguration`.
#[derive(Debug, Default)]
pub(crate) struct Encryption {
    pub(crate) status: EncryptionStatus,
    /// What new records are encrypted under.
    pub(crate) current: Option<StreamKey>,
    /// What was asked for last.
    pub(crate) requested: Option<Requested>,
    pub(crate) failure: Option<Failure>,
    /// Start and Stop calls of the last 24 hours.
    pub(crate) calls: VecDeque<Moment>,
    /// Grants on former keys that stored records still need: (key, grant).
    pub(crate) former: Vec<(String, String)>,
}

/// `DeliveryStreamEncryptionStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum EncryptionStatus {
    #[default]
    Disabled,
    Enabling,
    EnablingFailed,
    Enabled,
    Disabling,
}

impl EncryptionStatus {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Disabled => "DISABLED",
            Self::Enabling => "ENABLING",
            Self::EnablingFailed => "ENABLING_FAILED",
            Self::Enabled => "ENABLED",
            Self::Disabling => "DISABLING",
        }
    }

    /// A change is under way.
    pub(crate) const fn is_changing(self) -> bool {
        matches!(self, Self::Enabling | Self::Disabling)
    }
}

/// A key in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamKey {
    /// One of AWS's own, which nobody can take away.
    AwsOwned,
    /// The customer's: as written, its ARN, and Firehose's grant on it.
    Customer { written: String, key: String, grant: String },
}

/// A key asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requested {
    /// One of AWS's own.
    AwsOwned,
    /// The customer's, as written.
    Customer(String),
}

impl Requested {
    pub(crate) const fn of(key: &StreamKey) -> (&'static str, Option<&String>) {
        match key {
            StreamKey::AwsOwned => ("AWS_OWNED_CMK", None),
            StreamKey::Customer { written, .. } => ("CUSTOMER_MANAGED_CMK", Some(written)),
        }
    }

    const fn parts(&self) -> (&'static str, Option<&String>) {
        match self {
            Self::AwsOwned => ("AWS_OWNED_CMK", None),
            Self::Customer(written) => ("CUSTOMER_MANAGED_CMK", Some(written)),
        }
    }
}

impl Encryption {
    /// The key in force; where there is none, the one asked for while that is under way or has failed.
    pub(crate) fn describe(&self) -> Value {
        let asked = matches!(self.status, EncryptionStatus::Enabling | EncryptionStatus::EnablingFailed);
        let shown = match (&self.current, &self.requested) {
            (Some(key), _) => Some(Requested::of(key)),
            (None, Some(requested)) if asked => Some(requested.parts()),
            (None, _) => None,
        };
        let mut description = json!({ "Status": self.status.text() });
        if let Some((kind, key)) = shown {
            description["KeyType"] = json!(kind);
            if let Some(key) = key {
                description["KeyARN"] = json!(key);
            }
        }
        if let Some(failure) = &self.failure {
            description["FailureDescription"] = failure.describe();
        }
        description
    }

    /// The customer's key in force: its ARN.
    pub(crate) fn customer_key(&self) -> Option<&str> {
        match &self.current {
            Some(StreamKey::Customer { key, .. }) => Some(key),
            Some(StreamKey::AwsOwned) | None => None,
        }
    }
}
