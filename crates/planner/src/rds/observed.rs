//! What AWS says of databases: paged `DescribeDBInstances` and `DescribeDBClusters`, and the parameter
//! groups in use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::migration::observed::{ClusterSettings, InstanceSettings};
use crate::Arn;

/// One DB instance, a member of a cluster or on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DbInstance {
    /// The instance's ARN.
    pub arn: Arn,
    /// `DBInstanceIdentifier`.
    pub identifier: String,
    /// `postgres`, `mysql`, `aurora-postgresql`, `sqlserver-ex` …
    pub engine: String,
    /// For example `15.4`.
    pub engine_version: String,
    /// `available`, `creating` …
    pub status: String,
    /// The instance class, e.g. `db.t3.medium`.
    #[serde(default)]
    pub class: String,
    /// Where clients connect; none while the instance is being created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<DbEndpoint>,
    /// The cluster it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Encryption at rest.
    #[serde(flatten)]
    pub storage: StorageEncryption,
    /// Instance parameter groups with their `ParameterApplyStatus`.
    #[serde(default)]
    pub parameter_groups: Vec<AttachedParameterGroup>,
    /// `CACertificateIdentifier`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// `CertificateDetails.ValidTill`, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_valid_till: Option<i64>,
    /// `PendingModifiedValues.CACertificateIdentifier`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_ca_certificate: Option<String>,
    /// Tags come with the description.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// `DbiResourceId`: stays the same through renames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// `InstanceCreateTime`, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// Kept only of what a migration may concern: instances that are not encrypted, members of such clusters, and what carries
    /// a tag of a migration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Box<InstanceSettings>>,
}

/// One Aurora or Multi-AZ cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DbCluster {
    /// The cluster's ARN.
    pub arn: Arn,
    /// `DBClusterIdentifier`.
    pub identifier: String,
    /// `aurora-mysql`, `aurora-postgresql`, `mysql`, `postgres`.
    pub engine: String,
    /// For example `16.1`.
    pub engine_version: String,
    /// `available` …
    pub status: String,
    /// The writer endpoint; none while the cluster is being created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<DbEndpoint>,
    /// Encryption at rest.
    #[serde(flatten)]
    pub storage: StorageEncryption,
    /// `DBClusterParameterGroup`.
    pub parameter_group: String,
    /// Members with their `DBClusterParameterGroupStatus`.
    #[serde(default)]
    pub members: Vec<ClusterMember>,
    /// Tags come with the description.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// `DbClusterResourceId`: stays the same through renames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// `ClusterCreateTime`, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// Kept only of what a migration may concern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Box<ClusterSettings>>,
}

/// Where clients connect: `Endpoint` of an instance, `Endpoint` and `Port` of a cluster. [rds:Endpoint; rds:DBCluster]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DbEndpoint {
    /// The DNS name, which the server's certificate bears too.
    pub address: String,
    /// The TCP port.
    pub port: u16,
}

/// Storage encryption as the API tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageEncryption {
    /// `StorageEncrypted`: `false` for SSE-RDS clusters, though they are encrypted.
    #[serde(default)]
    pub storage_encrypted: bool,
    /// `StorageEncryptionType`: `none`, `sse-rds`, `sse-kms`; decides where present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_encryption_type: Option<String>,
    /// The key as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}

/// A parameter group on an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttachedParameterGroup {
    /// The group's name.
    pub name: String,
    /// `in-sync`, `pending-reboot`, `applying` …
    pub apply_status: String,
}

/// A member of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterMember {
    /// `DBInstanceIdentifier`.
    pub instance: String,
    /// It takes the writes.
    #[serde(default)]
    pub writer: bool,
    /// `DBClusterParameterGroupStatus`.
    pub parameter_group_status: String,
}

/// A parameter group, instance or cluster, with the parameters that matter here: those that decide
/// TLS, and those a user changed (a copy must carry them over).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DbParameterGroup {
    /// The group's name; `default.…` groups can't be modified.
    pub name: String,
    /// For example `postgres15`.
    pub family: String,
    /// Parameter name → what is set.
    #[serde(default)]
    pub parameters: BTreeMap<String, DbParameter>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DbParameter {
    /// `ParameterValue`; `None` = the engine's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `user`, `system`, `engine-default`.
    #[serde(default)]
    pub source: String,
    /// `static` or `dynamic`.
    #[serde(default)]
    pub apply_type: String,
    /// It may be changed.
    #[serde(default)]
    pub is_modifiable: bool,
}
