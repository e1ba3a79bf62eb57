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
    /// Whether a proxy without a target is one that a migration was about to lead to another database.
    LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", ["rds:ListTagsForResource"], Need::Audit, Rate::Unpublished;
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
    /// Attaches a parameter group, changes the certificate authority; isolates, configures and renames what is migrated. Roles
    /// are those that the replaced database has; a password that lives in Secrets Manager gets its secret anew.
    MODIFY_DB_INSTANCE = "ModifyDBInstance",
        ["rds:ModifyDBInstance", "iam:PassRole", "secretsmanager:CreateSecret", "secretsmanager:TagResource"],
        Need::Enforce, Rate::Unpublished;
    /// The same of a cluster.
    MODIFY_DB_CLUSTER = "ModifyDBCluster",
        ["rds:ModifyDBCluster", "iam:PassRole", "secretsmanager:CreateSecret", "secretsmanager:TagResource"],
        Need::Enforce, Rate::Unpublished;
    /// Tags of migrations.
    ADD_TAGS_TO_RESOURCE = "AddTagsToResource", ["rds:AddTagsToResource"], Need::Enforce, Rate::Unpublished;
    /// Tags of migrations that are over.
    REMOVE_TAGS_FROM_RESOURCE = "RemoveTagsFromResource", ["rds:RemoveTagsFromResource"], Need::Enforce, Rate::Unpublished;
    /// The snapshot that a migration starts from.
    CREATE_DB_SNAPSHOT = "CreateDBSnapshot", ["rds:CreateDBSnapshot", "rds:AddTagsToResource"], Need::Enforce, Rate::Unpublished;
    /// The same of a cluster.
    CREATE_DB_CLUSTER_SNAPSHOT = "CreateDBClusterSnapshot",
        ["rds:CreateDBClusterSnapshot", "rds:AddTagsToResource"], Need::Enforce, Rate::Unpublished;
    /// Its encrypted copy: RDS uses the key by a grant of its caller's.
    COPY_DB_SNAPSHOT = "CopyDBSnapshot",
        ["rds:CopyDBSnapshot", "rds:AddTagsToResource", "kms:CreateGrant"], Need::Enforce, Rate::Unpublished;
    /// The encrypted instance.
    RESTORE_DB_INSTANCE_FROM_DB_SNAPSHOT = "RestoreDBInstanceFromDBSnapshot",
        ["rds:RestoreDBInstanceFromDBSnapshot", "rds:AddTagsToResource", "iam:PassRole", "kms:CreateGrant"],
        Need::Enforce, Rate::Unpublished;
    /// The encrypted cluster; a Multi-AZ cluster makes its instances with it.
    RESTORE_DB_CLUSTER_FROM_SNAPSHOT = "RestoreDBClusterFromSnapshot",
        ["rds:RestoreDBClusterFromSnapshot", "rds:CreateDBInstance", "rds:AddTagsToResource", "iam:PassRole", "kms:CreateGrant"],
        Need::Enforce, Rate::Unpublished;
    /// Members of an encrypted cluster.
    CREATE_DB_INSTANCE = "CreateDBInstance",
        ["rds:CreateDBInstance", "rds:AddTagsToResource", "iam:PassRole", "kms:CreateGrant"], Need::Enforce, Rate::Unpublished;
    /// Roles of the replaced instance.
    ADD_ROLE_TO_DB_INSTANCE = "AddRoleToDBInstance", ["rds:AddRoleToDBInstance", "iam:PassRole"], Need::Enforce, Rate::Unpublished;
    /// Roles of the replaced cluster.
    ADD_ROLE_TO_DB_CLUSTER = "AddRoleToDBCluster", ["rds:AddRoleToDBCluster", "iam:PassRole"], Need::Enforce, Rate::Unpublished;
    /// Proxies lead to the encrypted database.
    REGISTER_DB_PROXY_TARGETS = "RegisterDBProxyTargets", ["rds:RegisterDBProxyTargets"], Need::Enforce, Rate::Unpublished;
    /// And no more to the replaced one.
    DEREGISTER_DB_PROXY_TARGETS = "DeregisterDBProxyTargets", ["rds:DeregisterDBProxyTargets"], Need::Enforce, Rate::Unpublished;
    /// Event subscriptions name the encrypted database.
    ADD_SOURCE_IDENTIFIER_TO_SUBSCRIPTION = "AddSourceIdentifierToSubscription",
        ["rds:AddSourceIdentifierToSubscription"], Need::Enforce, Rate::Unpublished;
    /// The green side is made on behalf of the caller. [RDS and Aurora: authorizing access to blue/green deployments]
    CREATE_BLUE_GREEN_DEPLOYMENT = "CreateBlueGreenDeployment",
        ["rds:CreateBlueGreenDeployment", "rds:AddTagsToResource", "rds:CreateDBInstanceReadReplica", "rds:CreateDBCluster",
         "rds:CreateDBInstance", "rds:CreateDBClusterEndpoint", "iam:PassRole", "kms:CreateGrant"],
        Need::Enforce, Rate::Unpublished;
    /// Names and endpoints go to the green side.
    SWITCHOVER_BLUE_GREEN_DEPLOYMENT = "SwitchoverBlueGreenDeployment",
        ["rds:SwitchoverBlueGreenDeployment", "rds:ModifyDBInstance", "rds:ModifyDBCluster", "rds:PromoteReadReplica",
         "rds:PromoteReadReplicaDBCluster"],
        Need::Enforce, Rate::Unpublished;
    /// The deployment, and a green side that nobody was switched to. `rds:DeleteDBClusterEndpoint` is left out, which AWS asks
    /// for where a green cluster has endpoints of its own: it can't be narrowed to those, and a production cluster has them too.
    DELETE_BLUE_GREEN_DEPLOYMENT = "DeleteBlueGreenDeployment",
        ["rds:DeleteBlueGreenDeployment", "rds:DeleteDBInstance", "rds:DeleteDBCluster"],
        Need::Enforce, Rate::Unpublished;
    /// A snapshot of a migration.
    DELETE_DB_SNAPSHOT = "DeleteDBSnapshot", ["rds:DeleteDBSnapshot"], Need::Enforce, Rate::Unpublished;
    /// The same of a cluster.
    DELETE_DB_CLUSTER_SNAPSHOT = "DeleteDBClusterSnapshot", ["rds:DeleteDBClusterSnapshot"], Need::Enforce, Rate::Unpublished;
    /// A copy of a migration that was given up, or with the policy's word what was replaced, with a last snapshot.
    DELETE_DB_INSTANCE = "DeleteDBInstance", ["rds:DeleteDBInstance", "rds:CreateDBSnapshot"], Need::Enforce, Rate::Unpublished;
    /// The same of a cluster.
    DELETE_DB_CLUSTER = "DeleteDBCluster", ["rds:DeleteDBCluster", "rds:CreateDBClusterSnapshot"], Need::Enforce, Rate::Unpublished;
    /// Applies what waits for a reboot, in the policy's window.
    REBOOT_DB_INSTANCE = "RebootDBInstance", ["rds:RebootDBInstance"], Need::Enforce, Rate::Unpublished;
    /// The same for a Multi-AZ cluster.
    REBOOT_DB_CLUSTER = "RebootDBCluster", ["rds:RebootDBCluster"], Need::Enforce, Rate::Unpublished;
    /// Requires TLS of a proxy's clients.
    MODIFY_DB_PROXY = "ModifyDBProxy", ["rds:ModifyDBProxy"], Need::Enforce, Rate::Unpublished;
}
