//! What a step does: one idempotent change that holds every value it writes, and what it found.
//!
//! `before` is what the plan was made from; the executor reads again and writes only where it still
//! holds. All lists and documents are complete: the adapter sends them as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::firehose::observed::{DestinationKind, StreamEncryption};
use crate::rds::migration::change::MigrationChange;
use crate::s3::observed::BucketEncryption;
use crate::{Arn, Scope};

/// A key as a step names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyRef {
    /// A key that exists.
    Arn(Arn),
    /// A key that an earlier step creates: the step waits until a fresh plan knows the ARN.
    ToBeCreated {
        /// Its alias.
        alias: String,
    },
}

impl KeyRef {
    /// The ARN, where the key exists.
    pub const fn arn(&self) -> Option<&Arn> {
        match self {
            Self::Arn(arn) => Some(arn),
            Self::ToBeCreated { .. } => None,
        }
    }
}

/// A queue's encryption settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueEncryption {
    /// `KmsMasterKeyId` as written.
    pub kms_key: Option<String>,
    /// `KmsDataKeyReusePeriodSeconds`; `None` leaves it alone.
    pub data_key_reuse_seconds: Option<u32>,
    /// `SqsManagedSseEnabled`.
    pub sqs_managed_sse: bool,
}

/// Instance or cluster parameter group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ParameterGroupKind {
    /// `DBParameterGroup`.
    Instance,
    /// `DBClusterParameterGroup`.
    Cluster,
}

impl ParameterGroupKind {
    /// The ARN of an instance or cluster. [RDS: Amazon Resource Names (ARNs)]
    pub fn database(self, scope: &Scope, identifier: &str) -> Arn {
        let of = match self {
            Self::Instance => "db",
            Self::Cluster => "cluster",
        };
        scope.arn("rds", &format!("{of}:{identifier}"))
    }

    /// The ARN of a parameter group.
    pub fn group(self, scope: &Scope, name: &str) -> Arn {
        let of = match self {
            Self::Instance => "pg",
            Self::Cluster => "cluster-pg",
        };
        scope.arn("rds", &format!("{of}:{name}"))
    }
}

/// A parameter's new value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParameterValue {
    /// The value, always text (`1`, `ON`).
    pub value: String,
    /// Apply with a reboot (static parameters) instead of at once.
    pub pending_reboot: bool,
}

/// One change. The resource it is made to is the step's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Change {
    /// `PutBucketEncryption`. `after.kms_key` is a key ARN, or `None` where the algorithm is `AES256`.
    BucketEncryption {
        /// The bucket's name.
        bucket: String,
        /// As read.
        before: Option<BucketEncryption>,
        /// Whole rule to write.
        after: BucketEncryption,
        /// Set while the key named by the policy does not exist yet.
        waits_for: Option<KeyRef>,
    },
    /// `PutBucketPolicy`.
    BucketDocument {
        /// The bucket's name.
        bucket: String,
        /// As read; `None` where there was none.
        before: Option<String>,
        /// Whole document to write.
        after: String,
    },
    /// `SetQueueAttributes` of the three encryption attributes.
    QueueEncryption {
        /// The queue's URL.
        url: String,
        /// As read.
        before: QueueEncryption,
        /// What to write.
        after: QueueEncryption,
        /// Set while the key named by the policy does not exist yet.
        waits_for: Option<KeyRef>,
    },
    /// `SetQueueAttributes(Policy)`.
    QueueDocument {
        /// The queue's URL.
        url: String,
        /// As read.
        before: Option<String>,
        /// Whole document to write.
        after: String,
    },
    /// `SetTopicAttributes(KmsMasterKeyId)`.
    TopicEncryption {
        /// As read.
        before: Option<String>,
        /// The key.
        after: KeyRef,
    },
    /// `SetTopicAttributes(Policy)`.
    TopicDocument {
        /// As read.
        before: Option<String>,
        /// Whole document to write.
        after: String,
    },
    /// `StartDeliveryStreamEncryption`; counts against 25 calls per stream and 24 hours.
    DeliveryStreamEncryption {
        /// The stream's name.
        stream: String,
        /// As read.
        before: StreamEncryption,
        /// The customer managed key; `None` = `AWS_OWNED_CMK`.
        after: Option<KeyRef>,
    },
    /// `UpdateDestination` of one S3 part's encryption.
    DeliveryDestinationEncryption {
        /// The stream's name.
        stream: String,
        /// `CurrentDeliveryStreamVersionId` as read.
        version_id: String,
        /// `DestinationId`.
        destination_id: String,
        /// Which S3 part.
        kind: DestinationKind,
        /// As read.
        before: Option<String>,
        /// The key.
        after: KeyRef,
    },
    /// `StartStreamEncryption`.
    DataStreamEncryption {
        /// The key as read; `None` = not encrypted.
        before: Option<String>,
        /// The key.
        after: KeyRef,
    },
    /// `CreateDBParameterGroup` or `CreateDBClusterParameterGroup`, then its parameters.
    CreateParameterGroup {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// The new group's name.
        name: String,
        /// `DBParameterGroupFamily`.
        family: String,
        /// Says what it is a copy of.
        description: String,
        /// Everything that is set in it.
        parameters: BTreeMap<String, ParameterValue>,
    },
    /// `ModifyDBParameterGroup` or `ModifyDBClusterParameterGroup`.
    ParameterGroup {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// The group's name.
        name: String,
        /// As read, of the parameters in `after`.
        before: BTreeMap<String, Option<String>>,
        /// What to set.
        after: BTreeMap<String, ParameterValue>,
    },
    /// `ModifyDBInstance(DBParameterGroupName)` or `ModifyDBCluster(DBClusterParameterGroupName)`, never with a reboot.
    AttachParameterGroup {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// `DBInstanceIdentifier` or `DBClusterIdentifier`.
        database: String,
        /// The group as read.
        before: String,
        /// The group to attach.
        after: String,
    },
    /// `ModifyDBInstance(CACertificateIdentifier)`, restart avoided where the engine version allows.
    CaCertificate {
        /// `DBInstanceIdentifier`.
        instance: String,
        /// As read.
        before: Option<String>,
        /// The authority to use.
        after: String,
    },
    /// `RebootDBInstance`, or `RebootDBCluster` for a Multi-AZ cluster; never with a failover.
    RebootDatabase {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// `DBInstanceIdentifier` (which may be a member of the step's cluster) or `DBClusterIdentifier`.
        database: String,
    },
    /// `ModifyDBProxy(RequireTLS)`: on, never off.
    ProxyTls {
        /// `DBProxyName`.
        proxy: String,
    },
    /// `CreateKey`, `CreateAlias` and, where wanted, `EnableKeyRotation`.
    CreateKey {
        /// `alias/…`.
        alias: String,
        /// The key's description.
        description: String,
        /// `MultiRegion`.
        multi_region: bool,
        /// Tags, among them `everseal:alias`.
        tags: BTreeMap<String, String>,
        /// The whole key document.
        document: String,
        /// Rotation period in days; `None` = leave off.
        rotation_period_in_days: Option<u32>,
    },
    /// `CreateAlias` for a key whose creation was cut short.
    CreateAlias {
        /// `alias/…`.
        alias: String,
        /// The key.
        key: Arn,
    },
    /// `ReplicateKey` from the primary's region, then `CreateAlias` in the replica's.
    ReplicateKey {
        /// The primary key.
        primary: Arn,
        /// The region that gets a replica.
        region: String,
        /// The replica's alias.
        alias: String,
        /// The replica's description.
        description: String,
        /// The replica's tags.
        tags: BTreeMap<String, String>,
        /// The replica's whole document.
        document: String,
    },
    /// `PutKeyPolicy`, never with `BypassPolicyLockoutSafetyCheck`.
    KeyDocument {
        /// As read.
        before: String,
        /// Whole document to write.
        after: String,
    },
    /// `EnableKey`.
    EnableKey {},
    /// `CancelKeyDeletion`; leaves the key disabled.
    CancelKeyDeletion {},
    /// `EnableKeyRotation`.
    KeyRotation {
        /// The period as read; `None` = off.
        before: Option<u32>,
        /// 90 to 2560 days.
        after: u32,
    },
    /// One step of a database's move to an encrypted copy.
    Migration(Box<MigrationChange>),
}

impl Change {
    /// The API call that makes the change: stable text for plans, logs and the ledger.
    pub fn action(&self) -> &'static str {
        match self {
            Self::BucketEncryption { .. } => "PutBucketEncryption",
            Self::BucketDocument { .. } => "PutBucketPolicy",
            Self::QueueEncryption { .. } | Self::QueueDocument { .. } => "SetQueueAttributes",
            Self::TopicEncryption { .. } | Self::TopicDocument { .. } => "SetTopicAttributes",
            Self::DeliveryStreamEncryption { .. } => "StartDeliveryStreamEncryption",
            Self::DeliveryDestinationEncryption { .. } => "UpdateDestination",
            Self::DataStreamEncryption { .. } => "StartStreamEncryption",
            Self::CreateParameterGroup { kind: ParameterGroupKind::Instance, .. } => "CreateDBParameterGroup",
            Self::CreateParameterGroup { kind: ParameterGroupKind::Cluster, .. } => "CreateDBClusterParameterGroup",
            Self::ParameterGroup { kind: ParameterGroupKind::Instance, .. } => "ModifyDBParameterGroup",
            Self::ParameterGroup { kind: ParameterGroupKind::Cluster, .. } => "ModifyDBClusterParameterGroup",
            Self::AttachParameterGroup { kind: ParameterGroupKind::Instance, .. } | Self::CaCertificate { .. } => "ModifyDBInstance",
            Self::AttachParameterGroup { kind: ParameterGroupKind::Cluster, .. } => "ModifyDBCluster",
            Self::RebootDatabase { kind: ParameterGroupKind::Instance, .. } => "RebootDBInstance",
            Self::RebootDatabase { kind: ParameterGroupKind::Cluster, .. } => "RebootDBCluster",
            Self::ProxyTls { .. } => "ModifyDBProxy",
            Self::CreateKey { .. } => "CreateKey",
            Self::CreateAlias { .. } => "CreateAlias",
            Self::ReplicateKey { .. } => "ReplicateKey",
            Self::KeyDocument { .. } => "PutKeyPolicy",
            Self::EnableKey {} => "EnableKey",
            Self::CancelKeyDeletion {} => "CancelKeyDeletion",
            Self::KeyRotation { .. } => "EnableKeyRotation",
            Self::Migration(change) => change.action(),
        }
    }

    /// The alias of a key that must be created before this change can be made; the executor defers
    /// such a step to a fresh plan.
    pub fn waits_for_key(&self) -> Option<&str> {
        let key = match self {
            Self::BucketEncryption { waits_for, .. } | Self::QueueEncryption { waits_for, .. } => waits_for.as_ref(),
            Self::TopicEncryption { after, .. }
            | Self::DeliveryDestinationEncryption { after, .. }
            | Self::DataStreamEncryption { after, .. } => Some(after),
            Self::DeliveryStreamEncryption { after, .. } => after.as_ref(),
            Self::BucketDocument { .. }
            | Self::QueueDocument { .. }
            | Self::TopicDocument { .. }
            | Self::CreateParameterGroup { .. }
            | Self::ParameterGroup { .. }
            | Self::AttachParameterGroup { .. }
            | Self::CaCertificate { .. }
            | Self::RebootDatabase { .. }
            | Self::ProxyTls { .. }
            | Self::CreateKey { .. }
            | Self::CreateAlias { .. }
            | Self::ReplicateKey { .. }
            | Self::KeyDocument { .. }
            | Self::EnableKey {}
            | Self::CancelKeyDeletion {}
            | Self::KeyRotation { .. }
            | Self::Migration(_) => None,
        };
        match key {
            Some(KeyRef::ToBeCreated { alias }) => Some(alias),
            Some(KeyRef::Arn(_)) | None => None,
        }
    }
}
