//! What AWS shows of a migration: it is the whole memory of it.
//!
//! Everything that Everseal makes for a migration carries the tag [`TAG_OF`] with the `DbiResourceId` (or
//! `DbClusterResourceId`) of the old database, which stays the same through every rename. So whatever moment the process
//! dies, the next pass sees from the names, tags and states where the migration stands.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Arn;
use crate::inventory::Reading;
use crate::rds::observed::StorageEncryption;

/// On whatever a migration made: `DbiResourceId` or `DbClusterResourceId` of the old database.
pub const TAG_OF: &str = "everseal:migration-of";
/// On the same: the name that the old database had when the migration began, which the new one gets.
pub const TAG_NAME: &str = "everseal:migration-name";
/// On the old database while it is isolated: its security groups before, separated by spaces.
pub const TAG_SECURITY_GROUPS: &str = "everseal:security-groups";
/// On the old database while it is isolated: since when, in seconds since the Unix epoch.
pub const TAG_ISOLATED_AT: &str = "everseal:isolated-at";
/// On the isolated old database once no connection to it is left: since when, in seconds since the Unix epoch. Data of a later
/// moment is all there is.
pub const TAG_WRITES_STOPPED_AT: &str = "everseal:writes-stopped-at";
/// On a database that was isolated and let in again: since when. It is isolated again in another window only.
pub const TAG_LET_IN_AT: &str = "everseal:let-in-at";
/// On a copy: `rehearsal`, or since when writes had been stopped when its snapshot was taken, in seconds since the Unix epoch.
pub const TAG_DATA_OF: &str = "everseal:migration-data-of";
/// On whatever a migration made: when it was begun, in seconds since the Unix epoch.
pub const TAG_STARTED_AT: &str = "everseal:migration-started-at";
/// On a database for which AWS refused a blue/green deployment of ours: it goes by snapshot. A person may set it too.
pub const TAG_BLUE_GREEN_REFUSED: &str = "everseal:blue-green-refused";
/// On the old database once clients reach the new one: since when, in seconds since the Unix epoch.
pub const TAG_REPLACED_AT: &str = "everseal:replaced-at";
/// On a database whose migration a person has aborted: since when, in seconds since the Unix epoch. It is left alone until
/// the tag is gone (`everseal migrations resume`).
pub const TAG_ABORTED_AT: &str = "everseal:migration-aborted-at";

/// What lies beside the databases of a scope where a policy asks for migrations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MigrationFacts {
    /// Manual snapshots of instances and clusters that carry [`TAG_OF`], by ARN.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub snapshots: Reading<BTreeMap<Arn, DbSnapshot>>,
    /// Every blue/green deployment of the scope, by `BlueGreenDeploymentIdentifier`.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub blue_green_deployments: Reading<BTreeMap<String, BlueGreenDeployment>>,
    /// What was read of single databases because a step depends on it, by ARN.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub databases: BTreeMap<Arn, DatabaseSurroundings>,
}

impl MigrationFacts {
    /// Keeps what is newer; what was not read this time stays as it was.
    pub(crate) fn refresh(&mut self, newer: Self) {
        let Self { snapshots, blue_green_deployments, databases } = newer;
        self.snapshots.refresh(snapshots);
        self.blue_green_deployments.refresh(blue_green_deployments);
        self.databases.extend(databases);
    }

    /// Nothing was read.
    pub fn is_empty(&self) -> bool {
        let Self { snapshots, blue_green_deployments, databases } = self;
        snapshots.is_not_read() && blue_green_deployments.is_not_read() && databases.is_empty()
    }
}

/// A manual snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DbSnapshot {
    /// `DBSnapshotArn` or `DBClusterSnapshotArn`.
    pub arn: Arn,
    /// `DBSnapshotIdentifier` or `DBClusterSnapshotIdentifier`.
    pub identifier: String,
    /// `DBInstanceIdentifier` or `DBClusterIdentifier` of what it is a snapshot of.
    pub database: String,
    /// `creating`, `copying`, `available`, `failed`.
    pub status: String,
    /// `PercentProgress`.
    #[serde(default)]
    pub percent_progress: u8,
    /// `SnapshotCreateTime` in seconds since the Unix epoch; for a copy, when the copy was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// `OriginalSnapshotCreateTime`: the moment whose data it holds, for a copy as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_of: Option<i64>,
    /// `SourceDBSnapshotIdentifier`: AWS tells it only of copies across accounts or Regions. [rds:DBSnapshot]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<String>,
    /// Encryption at rest; what an instance calls `StorageEncrypted` its snapshots call `Encrypted`.
    #[serde(flatten)]
    pub storage: StorageEncryption,
    /// Tags come with the description.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// A blue/green deployment. [rds:BlueGreenDeployment]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlueGreenDeployment {
    /// `BlueGreenDeploymentIdentifier` (`bgd-…`).
    pub identifier: String,
    /// `BlueGreenDeploymentName`.
    pub name: String,
    /// ARN of the blue database.
    pub source: String,
    /// ARN of the green database, once it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `PROVISIONING`, `AVAILABLE`, `SWITCHOVER_IN_PROGRESS`, `SWITCHOVER_COMPLETED`, `INVALID_CONFIGURATION`,
    /// `SWITCHOVER_FAILED`, `DELETING`, `PROVISIONING_FAILED`.
    pub status: String,
    /// `StatusDetails`, in AWS's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_details: Option<String>,
    /// `Tasks`: name → status.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<String, String>,
    /// `CreateTime` in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// `TagList`.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// What was read of one database because a migration or a change of its TLS depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseSurroundings {
    /// Connections and writes of the last minutes, from CloudWatch.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub activity: Reading<DatabaseActivity>,
    /// RDS proxies that have the database as a target.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub proxies: Reading<Vec<ProxyTarget>>,
    /// Names of event subscriptions that name it.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub event_subscriptions: Reading<BTreeSet<String>>,
    /// Names of CloudWatch alarms on its metrics.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub alarms: Reading<BTreeSet<String>>,
    /// Regions or ARNs to which its automated backups are replicated (`DBInstanceAutomatedBackupsReplications`).
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub automated_backup_replications: Reading<BTreeSet<String>>,
}

/// What CloudWatch says of a database's last minutes. [RDS: CloudWatch instance metrics]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseActivity {
    /// Start of the first minute with a data point of `DatabaseConnections`, in seconds since the Unix epoch.
    pub from: i64,
    /// End of the last such minute.
    pub to: i64,
    /// Highest `DatabaseConnections` in that time.
    pub most_connections: u32,
    /// End of the last minute with any connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_connection_at: Option<i64>,
    /// `DatabaseConnections` of the last minute.
    pub connections_now: u32,
    /// End of the last minute whose `WriteIOPS` were above [`IDLE_WRITE_IOPS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_busy_write_at: Option<i64>,
}

/// Writes per second that an engine makes for itself while nobody uses it: heartbeats of RDS, checkpoints, statistics. More
/// than that comes from somebody, a job inside the database for example, that needs no connection. AWS gives no figure.
pub const IDLE_WRITE_IOPS: u32 = 10;

/// A database behind an RDS proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxyTarget {
    /// `DBProxyName`.
    pub proxy: String,
    /// `TargetGroupName`.
    pub target_group: String,
}

/// What a restore takes from the call, or falls to AWS's defaults, and what only other calls can set
/// (AWS-FACTS §8.2, items 5 and 6). Compared field by field between old and new before anything is switched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InstanceSettings {
    /// `DBInstanceClass`.
    pub db_instance_class: Option<String>,
    /// `DBParameterGroups[0].DBParameterGroupName`.
    pub db_parameter_group: Option<String>,
    /// Active `VpcSecurityGroups`.
    pub vpc_security_groups: BTreeSet<String>,
    /// `DBSubnetGroup.DBSubnetGroupName`.
    pub db_subnet_group: Option<String>,
    /// `OptionGroupMemberships[0].OptionGroupName`.
    pub option_group: Option<String>,
    /// `MultiAZ`.
    pub multi_az: bool,
    /// `AvailabilityZone`; not compared: a restore may land in another.
    pub availability_zone: Option<String>,
    /// `PubliclyAccessible`.
    pub publicly_accessible: bool,
    /// `Endpoint.Port`.
    pub port: Option<u16>,
    /// `StorageType`.
    pub storage_type: Option<String>,
    /// `Iops`.
    pub iops: Option<u32>,
    /// `StorageThroughput`.
    pub storage_throughput: Option<u32>,
    /// `AllocatedStorage`, GiB.
    pub allocated_storage: Option<u32>,
    /// `MaxAllocatedStorage`, GiB: storage autoscaling.
    pub max_allocated_storage: Option<u32>,
    /// `BackupRetentionPeriod`, days.
    pub backup_retention_period: u16,
    /// `PreferredBackupWindow`.
    pub preferred_backup_window: Option<String>,
    /// `PreferredMaintenanceWindow`.
    pub preferred_maintenance_window: Option<String>,
    /// `DeletionProtection`.
    pub deletion_protection: bool,
    /// `CopyTagsToSnapshot`.
    pub copy_tags_to_snapshot: bool,
    /// `EnabledCloudwatchLogsExports`.
    pub cloudwatch_logs_exports: BTreeSet<String>,
    /// `IAMDatabaseAuthenticationEnabled`.
    pub iam_database_authentication: bool,
    /// `AutoMinorVersionUpgrade`.
    pub auto_minor_version_upgrade: bool,
    /// `LicenseModel`.
    pub license_model: Option<String>,
    /// `DomainMemberships`: domain ids (and their IAM roles as `domain role`).
    pub domains: BTreeSet<String>,
    /// `NetworkType`: `IPV4`, `DUAL`.
    pub network_type: Option<String>,
    /// `CACertificateIdentifier`.
    pub ca_certificate: Option<String>,
    /// `ProcessorFeatures`.
    pub processor_features: BTreeMap<String, String>,
    /// `DedicatedLogVolume`.
    pub dedicated_log_volume: bool,
    /// `EngineLifecycleSupport`.
    pub engine_lifecycle_support: Option<String>,
    /// `MasterUserSecret` is there: the password lives in Secrets Manager (`ManageMasterUserPassword`).
    pub manage_master_user_password: bool,
    /// `MasterUserSecret.KmsKeyId`: without it the copy's secret would fall back to `aws/secretsmanager`.
    pub master_user_secret_kms_key: Option<String>,
    /// `MonitoringInterval`, seconds; 0 = off.
    pub monitoring_interval: u16,
    /// `MonitoringRoleArn`.
    pub monitoring_role_arn: Option<String>,
    /// `PerformanceInsightsEnabled`.
    pub performance_insights: bool,
    /// `PerformanceInsightsKMSKeyId`.
    pub performance_insights_kms_key: Option<String>,
    /// `PerformanceInsightsRetentionPeriod`, days.
    pub performance_insights_retention: Option<u16>,
    /// `DatabaseInsightsMode`.
    pub database_insights_mode: Option<String>,
    /// `PromotionTier`, for members of clusters.
    pub promotion_tier: Option<u8>,
    /// `AssociatedRoles`: feature name (may be empty) → role ARN.
    pub associated_roles: BTreeMap<String, String>,
    /// `ReplicaMode`.
    pub replica_mode: Option<String>,
    /// `ActivityStreamStatus` is `started`.
    pub activity_stream: bool,
    /// `ReadReplicaSourceDBInstanceIdentifier`.
    pub replica_of: Option<String>,
    /// `ReadReplicaDBInstanceIdentifiers` and `ReadReplicaDBClusterIdentifiers`.
    pub read_replicas: BTreeSet<String>,
    /// `MultiTenant`.
    pub multi_tenant: bool,
    /// Time zone (SQL Server) and character set (Oracle) can't be chosen at a restore; they come with the data.
    pub timezone: Option<String>,
}

/// The same for clusters (AWS-FACTS §8.2, "Aurora / Multi-AZ clusters").
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterSettings {
    /// `DBClusterParameterGroup`.
    pub db_cluster_parameter_group: Option<String>,
    /// Active `VpcSecurityGroups`.
    pub vpc_security_groups: BTreeSet<String>,
    /// `DBSubnetGroup`.
    pub db_subnet_group: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `EngineMode`.
    pub engine_mode: Option<String>,
    /// `DatabaseName`; comes with the data.
    pub database_name: Option<String>,
    /// `BackupRetentionPeriod`, days.
    pub backup_retention_period: u16,
    /// `PreferredBackupWindow`.
    pub preferred_backup_window: Option<String>,
    /// `PreferredMaintenanceWindow`.
    pub preferred_maintenance_window: Option<String>,
    /// `DeletionProtection`.
    pub deletion_protection: bool,
    /// `CopyTagsToSnapshot`.
    pub copy_tags_to_snapshot: bool,
    /// `EnabledCloudwatchLogsExports`.
    pub cloudwatch_logs_exports: BTreeSet<String>,
    /// `IAMDatabaseAuthenticationEnabled`.
    pub iam_database_authentication: bool,
    /// `HttpEndpointEnabled` (Data API).
    pub http_endpoint: bool,
    /// `BacktrackWindow`, seconds; 0 = off.
    pub backtrack_window: i64,
    /// `ServerlessV2ScalingConfiguration` as `min-max` capacity units, and `/seconds` until it pauses where AWS shows them.
    pub serverless_v2_scaling: Option<String>,
    /// `StorageType`.
    pub storage_type: Option<String>,
    /// `Iops`, Multi-AZ clusters.
    pub iops: Option<u32>,
    /// `AllocatedStorage`, GiB, Multi-AZ clusters.
    pub allocated_storage: Option<u32>,
    /// `DBClusterInstanceClass`, Multi-AZ clusters.
    pub db_cluster_instance_class: Option<String>,
    /// `PubliclyAccessible`, Multi-AZ clusters.
    pub publicly_accessible: bool,
    /// `CertificateDetails.CAIdentifier`, Multi-AZ clusters.
    pub ca_certificate: Option<String>,
    /// `NetworkType`.
    pub network_type: Option<String>,
    /// `EngineLifecycleSupport`.
    pub engine_lifecycle_support: Option<String>,
    /// `MasterUserSecret` is there.
    pub manage_master_user_password: bool,
    /// `MasterUserSecret.KmsKeyId`.
    pub master_user_secret_kms_key: Option<String>,
    /// `MonitoringInterval`, seconds; Multi-AZ clusters.
    pub monitoring_interval: u16,
    /// `MonitoringRoleArn`.
    pub monitoring_role_arn: Option<String>,
    /// `PerformanceInsightsEnabled`.
    pub performance_insights: bool,
    /// `PerformanceInsightsKMSKeyId`: without it the copy's would fall back to `aws/rds`.
    pub performance_insights_kms_key: Option<String>,
    /// `PerformanceInsightsRetentionPeriod`, days.
    pub performance_insights_retention: Option<u16>,
    /// `DatabaseInsightsMode`.
    pub database_insights_mode: Option<String>,
    /// `AutoMinorVersionUpgrade`, Multi-AZ clusters.
    pub auto_minor_version_upgrade: bool,
    /// `AssociatedRoles`: feature name (may be empty) → role ARN.
    pub associated_roles: BTreeMap<String, String>,
    /// `DomainMemberships`.
    pub domains: BTreeSet<String>,
    /// `ReplicationSourceIdentifier`.
    pub replica_of: Option<String>,
    /// `ReadReplicaIdentifiers`.
    pub read_replicas: BTreeSet<String>,
    /// `GlobalWriteForwardingStatus` or a membership in a global cluster: its identifier.
    pub global_cluster: Option<String>,
    /// `ActivityStreamStatus` is `started`.
    pub activity_stream: bool,
}
