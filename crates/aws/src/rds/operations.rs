//! The RDS calls that Everseal makes. RDS publishes no rates.

use crate::operation::{Api, Need, Rate, operations};

operations! { Api::Rds;
    /// Instances, with tags, encryption and certificate authority.
    DESCRIBE_DB_INSTANCES = "DescribeDBInstances", ["rds:DescribeDBInstances"], Need::Audit, Rate::Unpublished;
    /// Clusters, with tags, encryption and members.
    DESCRIBE_DB_CLUSTERS = "DescribeDBClusters", ["rds:DescribeDBClusters"], Need::Audit, Rate::Unpublished;
    /// Families of instance parameter groups.
    DESCRIBE_DB_PARAMETER_GROUPS = "DescribeDBParameterGroups", ["rds:DescribeDBParameterGroups"], Need::Audit, Rate::Unpublished;
    /// Families of cluster parameter groups.
    DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS = "DescribeDBClusterParameterGroups",
        ["rds:DescribeDBClusterParameterGroups"], Need::Audit, Rate::Unpublished;
    /// Parameters of an instance group.
    DESCRIBE_DB_PARAMETERS = "DescribeDBParameters", ["rds:DescribeDBParameters"], Need::Audit, Rate::Unpublished;
    /// Parameters of a cluster group.
    DESCRIBE_DB_CLUSTER_PARAMETERS = "DescribeDBClusterParameters",
        ["rds:DescribeDBClusterParameters"], Need::Audit, Rate::Unpublished;
    /// Snapshots of instances that migrations have made.
    DESCRIBE_DB_SNAPSHOTS = "DescribeDBSnapshots", ["rds:DescribeDBSnapshots"], Need::Audit, Rate::Unpublished;
    /// Snapshots of clusters that migrations have made.
    DESCRIBE_DB_CLUSTER_SNAPSHOTS = "DescribeDBClusterSnapshots", ["rds:DescribeDBClusterSnapshots"], Need::Audit, Rate::Unpublished;
    /// Blue/green deployments.
    DESCRIBE_BLUE_GREEN_DEPLOYMENTS = "DescribeBlueGreenDeployments",
        ["rds:DescribeBlueGreenDeployments"], Need::Audit, Rate::Unpublished;
    /// Proxies, to find those of a database that is migrated.
    DESCRIBE_DB_PROXIES = "DescribeDBProxies", ["rds:DescribeDBProxies"], Need::Audit, Rate::Unpublished;
    /// Target groups of a proxy.
    DESCRIBE_DB_PROXY_TARGET_GROUPS = "DescribeDBProxyTargetGroups",
        ["rds:DescribeDBProxyTargetGroups"], Need::Audit, Rate::Unpublished;
    /// Databases behind a proxy.
    DESCRIBE_DB_PROXY_TARGETS = "DescribeDBProxyTargets", ["rds:DescribeDBProxyTargets"], Need::Audit, Rate::Unpublished;
    /// Event subscriptions that name a database that is migrated.
    DESCRIBE_EVENT_SUBSCRIPTIONS = "DescribeEventSubscriptions", ["rds:DescribeEventSubscriptions"], Need::Audit, Rate::Unpublished;
    /// Whether an engine version takes a new server certificate without a restart.
    DESCRIBE_DB_ENGINE_VERSIONS = "DescribeDBEngineVersions", ["rds:DescribeDBEngineVersions"], Need::Enforce, Rate::Unpublished;
    /// The copy of a default instance group.
    CREATE_DB_PARAMETER_GROUP = "CreateDBParameterGroup",
        ["rds:CreateDBParameterGroup"], Need::Enforce, Rate::Unpublished;
    /// The copy of a default cluster group.
    CREATE_DB_CLUSTER_PARAMETER_GROUP = "CreateDBClusterParameterGroup",
        ["rds:CreateDBClusterParameterGroup"], Need::Enforce, Rate::Unpublished;
    /// Parameters of an instance group.
    MODIFY_DB_PARAMETER_GROUP = "ModifyDBParameterGroup", ["rds:ModifyDBParameterGroup"], Need::Enforce, Rate::Unpublished;
    /// Parameters of a cluster group.
    MODIFY_DB_CLUSTER_PARAMETER_GROUP = "ModifyDBClusterParameterGroup",
        ["rds:ModifyDBClusterParameterGroup"], Need::Enforce, Rate::Unpublished;
    /// Attaches a parameter group, or changes the certificate authority.
    MODIFY_DB_INSTANCE = "ModifyDBInstance", ["rds:ModifyDBInstance"], Need::Enforce, Rate::Unpublished;
    /// Attaches a cluster parameter group.
    MODIFY_DB_CLUSTER = "ModifyDBCluster", ["rds:ModifyDBCluster"], Need::Enforce, Rate::Unpublished;
}
