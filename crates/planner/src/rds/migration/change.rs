//! The single changes that a migration is made of. Each holds every value that it writes, and recognises from what AWS
//! shows whether it is done.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::observed::{ClusterSettings, InstanceSettings};
use crate::plan::change::ParameterGroupKind;

/// One step of a migration. The step's resource is the old database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum MigrationChange {
    /// `AddTagsToResource` and `RemoveTagsFromResource`: tags of ours on the old database, the copy or a snapshot.
    Tags {
        /// ARN of what is tagged.
        arn: String,
        /// Tags to set (all begin with `everseal:`).
        set: BTreeMap<String, String>,
        /// Tags to take away (all begin with `everseal:`).
        remove: BTreeSet<String>,
    },
    /// `ModifyDBInstance(VpcSecurityGroupIds)` or `ModifyDBCluster`, at once: isolates the old database, or lets clients in
    /// again.
    SecurityGroups {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// The database's identifier.
        database: String,
        /// As read.
        before: BTreeSet<String>,
        /// What to set.
        after: BTreeSet<String>,
    },
    /// `CreateDBSnapshot` or `CreateDBClusterSnapshot`.
    CreateSnapshot {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// What is taken a snapshot of.
        database: String,
        /// The snapshot's identifier: the same for the same work, so that two daemons make one.
        snapshot: String,
        /// Tags, [`super::observed::TAG_OF`] among them.
        tags: BTreeMap<String, String>,
    },
    /// `CopyDBSnapshot` with `KmsKeyId`: the copy is what becomes encrypted.
    CopySnapshot {
        /// `SourceDBSnapshotIdentifier`.
        source: String,
        /// `TargetDBSnapshotIdentifier`.
        target: String,
        /// ARN of the key.
        key: String,
        /// Tags.
        tags: BTreeMap<String, String>,
    },
    /// `RestoreDBInstanceFromDBSnapshot`, with everything that would otherwise fall to AWS's defaults.
    RestoreInstance {
        /// The encrypted snapshot.
        snapshot: String,
        /// The new `DBInstanceIdentifier`.
        instance: String,
        /// The old database's settings.
        settings: Box<InstanceSettings>,
        /// The old database's tags and ours.
        tags: BTreeMap<String, String>,
    },
    /// `ModifyDBInstance`, at once, of settings that a restore can't take (AWS-FACTS §8.2, item 6).
    ConfigureInstance {
        /// `DBInstanceIdentifier` of the copy.
        instance: String,
        /// Settings as read of the copy.
        before: Box<InstanceSettings>,
        /// Settings wanted; what differs is set, what no call can set is left out.
        after: Box<InstanceSettings>,
    },
    /// `AddRoleToDBInstance` or `AddRoleToDBCluster`.
    AddRole {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// The copy's identifier.
        database: String,
        /// `FeatureName`; may be empty for clusters.
        feature: String,
        /// `RoleArn`.
        role: String,
    },
    /// `RestoreDBClusterFromSnapshot` with `KmsKeyId`: encrypts an unencrypted snapshot in one step, and gives no instances.
    RestoreCluster {
        /// The unencrypted cluster snapshot.
        snapshot: String,
        /// The new `DBClusterIdentifier`.
        cluster: String,
        /// `Engine`.
        engine: String,
        /// `EngineVersion`.
        engine_version: String,
        /// ARN of the key.
        key: String,
        /// The old cluster's settings.
        settings: Box<ClusterSettings>,
        /// The old cluster's tags and ours.
        tags: BTreeMap<String, String>,
    },
    /// `ModifyDBCluster`, at once, of settings that a restore can't take.
    ConfigureCluster {
        /// `DBClusterIdentifier` of the copy.
        cluster: String,
        /// Settings as read of the copy.
        before: Box<ClusterSettings>,
        /// Settings wanted.
        after: Box<ClusterSettings>,
    },
    /// `CreateDBInstance` in a restored cluster (Aurora).
    CreateClusterMember {
        /// `DBClusterIdentifier` of the copy.
        cluster: String,
        /// The new `DBInstanceIdentifier`.
        instance: String,
        /// `Engine`.
        engine: String,
        /// Settings of the old member that it stands for.
        settings: Box<InstanceSettings>,
        /// The old member's tags and ours.
        tags: BTreeMap<String, String>,
    },
    /// `ModifyDBInstance(NewDBInstanceIdentifier)` or `ModifyDBCluster(NewDBClusterIdentifier)`, at once.
    Rename {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// `DbiResourceId` or `DbClusterResourceId`: what is renamed, whatever it is called.
        resource_id: String,
        /// Its identifier as read.
        from: String,
        /// The identifier it gets.
        to: String,
    },
    /// `ModifyDBInstance(DeletionProtection)` or `ModifyDBCluster`: on for the new database as it was on the old one; off
    /// only on what the migration made or, with the policy's word, on the replaced database.
    DeletionProtection {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// The database's identifier.
        database: String,
        /// What to set.
        on: bool,
    },
    /// `RegisterDBProxyTargets`: a proxy of the old database gets the new one as its target, the old one leaves.
    RetargetProxy {
        /// `DBProxyName`.
        proxy: String,
        /// `TargetGroupName`.
        target_group: String,
        /// The target that leaves (`DBInstanceIdentifier` or `DBClusterIdentifier`).
        from: String,
        /// The target that comes.
        to: String,
        /// Instance or cluster.
        kind: ParameterGroupKind,
    },
    /// `AddSourceIdentifierToSubscription` for a subscription that named the old database.
    SubscribeEvents {
        /// `SubscriptionName`.
        subscription: String,
        /// `SourceIdentifier`.
        database: String,
    },
    /// `CreateBlueGreenDeployment` with `TargetResourceConfigurations[].TargetKmsKeyId`.
    CreateBlueGreen {
        /// `BlueGreenDeploymentName`: the same for the same work.
        name: String,
        /// ARN of the blue database.
        source: String,
        /// ARN of each resource that is encrypted in the green environment (the source, and each of its replicas).
        encrypt: Vec<String>,
        /// ARN of the key.
        key: String,
        /// Tags.
        tags: BTreeMap<String, String>,
        /// Tags (all begin with `everseal:`) that the source gets where AWS refuses such a deployment of this database: a refused
        /// call leaves nothing else by which the next pass could tell. Empty: nothing is noted.
        #[serde(default)]
        note_refusal: BTreeMap<String, String>,
    },
    /// `SwitchoverBlueGreenDeployment`.
    SwitchoverBlueGreen {
        /// `BlueGreenDeploymentIdentifier`.
        identifier: String,
        /// `SwitchoverTimeout`, seconds (30 to 3600).
        timeout: u32,
    },
    /// `DeleteBlueGreenDeployment`; with `delete_target` only before a switch-over, of a green side that we made.
    DeleteBlueGreen {
        /// `BlueGreenDeploymentIdentifier`.
        identifier: String,
        /// `DeleteTarget`.
        delete_target: bool,
    },
    /// `DeleteDBSnapshot` or `DeleteDBClusterSnapshot` of a snapshot that we made.
    DeleteSnapshot {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// Its identifier.
        snapshot: String,
    },
    /// `DeleteDBInstance` or `DeleteDBCluster`: of a copy that we made and nobody uses, or, with the policy's word and after
    /// `keepOldFor`, of the replaced database.
    DeleteDatabase {
        /// Instance or cluster.
        kind: ParameterGroupKind,
        /// `DbiResourceId` or `DbClusterResourceId`: what is deleted, whatever it is called.
        resource_id: String,
        /// Its identifier as read.
        database: String,
        /// `FinalDBSnapshotIdentifier`; `None` only for copies of ours.
        final_snapshot: Option<String>,
    },
}

impl MigrationChange {
    /// The API call that makes the change.
    pub fn action(&self) -> &'static str {
        use ParameterGroupKind::{Cluster, Instance};
        match self {
            Self::Tags { set, .. } if set.is_empty() => "RemoveTagsFromResource",
            Self::Tags { .. } => "AddTagsToResource",
            Self::CreateSnapshot { kind: Instance, .. } => "CreateDBSnapshot",
            Self::CreateSnapshot { kind: Cluster, .. } => "CreateDBClusterSnapshot",
            Self::CopySnapshot { .. } => "CopyDBSnapshot",
            Self::RestoreInstance { .. } => "RestoreDBInstanceFromDBSnapshot",
            Self::SecurityGroups { kind: Instance, .. }
            | Self::Rename { kind: Instance, .. }
            | Self::DeletionProtection { kind: Instance, .. }
            | Self::ConfigureInstance { .. } => "ModifyDBInstance",
            Self::SecurityGroups { kind: Cluster, .. }
            | Self::Rename { kind: Cluster, .. }
            | Self::DeletionProtection { kind: Cluster, .. }
            | Self::ConfigureCluster { .. } => "ModifyDBCluster",
            Self::AddRole { kind: Instance, .. } => "AddRoleToDBInstance",
            Self::AddRole { kind: Cluster, .. } => "AddRoleToDBCluster",
            Self::RestoreCluster { .. } => "RestoreDBClusterFromSnapshot",
            Self::CreateClusterMember { .. } => "CreateDBInstance",
            Self::RetargetProxy { .. } => "RegisterDBProxyTargets",
            Self::SubscribeEvents { .. } => "AddSourceIdentifierToSubscription",
            Self::CreateBlueGreen { .. } => "CreateBlueGreenDeployment",
            Self::SwitchoverBlueGreen { .. } => "SwitchoverBlueGreenDeployment",
            Self::DeleteBlueGreen { .. } => "DeleteBlueGreenDeployment",
            Self::DeleteSnapshot { kind: Instance, .. } => "DeleteDBSnapshot",
            Self::DeleteSnapshot { kind: Cluster, .. } => "DeleteDBClusterSnapshot",
            Self::DeleteDatabase { kind: Instance, .. } => "DeleteDBInstance",
            Self::DeleteDatabase { kind: Cluster, .. } => "DeleteDBCluster",
        }
    }

    /// Databases beside the step's own resource that must be read to tell how the change stands: kind and identifier.
    pub fn other_databases(&self) -> Vec<(ParameterGroupKind, &str)> {
        match self {
            Self::RestoreInstance { instance, .. } | Self::ConfigureInstance { instance, .. } => {
                vec![(ParameterGroupKind::Instance, instance)]
            }
            Self::RestoreCluster { cluster, .. } | Self::ConfigureCluster { cluster, .. } => vec![(ParameterGroupKind::Cluster, cluster)],
            Self::CreateClusterMember { cluster, instance, .. } => {
                vec![(ParameterGroupKind::Cluster, cluster), (ParameterGroupKind::Instance, instance)]
            }
            Self::AddRole { kind, database, .. }
            | Self::SecurityGroups { kind, database, .. }
            | Self::DeletionProtection { kind, database, .. }
            | Self::DeleteDatabase { kind, database, .. } => vec![(*kind, database)],
            Self::Rename { kind, from, to, .. } | Self::RetargetProxy { kind, from, to, .. } => vec![(*kind, from), (*kind, to)],
            Self::SubscribeEvents { database, .. } => vec![(ParameterGroupKind::Instance, database)],
            Self::Tags { .. }
            | Self::CreateSnapshot { .. }
            | Self::CopySnapshot { .. }
            | Self::CreateBlueGreen { .. }
            | Self::SwitchoverBlueGreen { .. }
            | Self::DeleteBlueGreen { .. }
            | Self::DeleteSnapshot { .. } => Vec::new(),
        }
    }
}
