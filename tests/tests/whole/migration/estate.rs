//! Databases with everything that a restore may lose.

use everseal_sim::World;

use super::rig::{arn, ok};
use crate::simulated::{HOME, REGION};

/// All that a restored instance may lose. [AWS-FACTS §8.2: 5 and 6]
const RICH: &[(&str, &str)] = &[
    ("DBInstanceClass", "db.m6g.large"),
    ("Engine", "postgres"),
    ("EngineVersion", "15.4"),
    ("MasterUsername", "root"),
    ("MasterUserPassword", "not-a-secret"),
    ("AllocatedStorage", "200"),
    ("StorageType", "io1"),
    ("Iops", "3000"),
    ("MaxAllocatedStorage", "500"),
    ("MultiAZ", "true"),
    ("Port", "6432"),
    ("DBName", "ledger"),
    ("DBSubnetGroupName", "private"),
    ("DBParameterGroupName", "tuned"),
    ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-app"),
    ("VpcSecurityGroupIds.VpcSecurityGroupId.2", "sg-ops"),
    ("BackupRetentionPeriod", "14"),
    ("PreferredBackupWindow", "12:00-12:30"),
    ("PreferredMaintenanceWindow", "wed:13:00-wed:13:30"),
    ("CopyTagsToSnapshot", "true"),
    ("DeletionProtection", "true"),
    ("EnableIAMDatabaseAuthentication", "true"),
    ("EnableCloudwatchLogsExports.member.1", "postgresql"),
    ("AutoMinorVersionUpgrade", "false"),
    ("MonitoringInterval", "60"),
    ("MonitoringRoleArn", "arn:aws:iam::111122223333:role/monitoring"),
    ("EnablePerformanceInsights", "true"),
    ("CACertificateIdentifier", "rds-ca-ecc384-g1"),
    ("NetworkType", "DUAL"),
    ("PubliclyAccessible", "false"),
    ("ProcessorFeatures.ProcessorFeature.1.Name", "coreCount"),
    ("ProcessorFeatures.ProcessorFeature.1.Value", "4"),
    ("Tags.Tag.1.Key", "team"),
    ("Tags.Tag.1.Value", "ledger"),
];

/// What must be alike on the old database and the new one, as AWS shows it.
pub const CARRIED_OVER: &[&str] = &[
    "DBInstanceClass",
    "Engine",
    "EngineVersion",
    "AllocatedStorage",
    "StorageType",
    "Iops",
    "MaxAllocatedStorage",
    "MultiAZ",
    "PubliclyAccessible",
    "BackupRetentionPeriod",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "CopyTagsToSnapshot",
    "DeletionProtection",
    "IAMDatabaseAuthenticationEnabled",
    "EnabledCloudwatchLogsExports",
    "AutoMinorVersionUpgrade",
    "MonitoringInterval",
    "MonitoringRoleArn",
    "PerformanceInsightsEnabled",
    "PerformanceInsightsRetentionPeriod",
    "CACertificateIdentifier",
    "NetworkType",
    "ProcessorFeatures",
    "DBSubnetGroup",
    "VpcSecurityGroups",
    "DBParameterGroups",
    "OptionGroupMemberships",
    "AssociatedRoles",
    "MasterUsername",
    "DBName",
    "LicenseModel",
];

/// A database that differs from AWS's defaults wherever it can, with a role, a proxy, an event subscription and an alarm.
pub fn rich(world: &mut World) {
    let group = [("DBParameterGroupName", "tuned"), ("DBParameterGroupFamily", "postgres15"), ("Description", "ours")];
    ok(world, "CreateDBParameterGroup", &group);
    let members: Vec<_> = [("DBInstanceIdentifier", "orders")].iter().chain(RICH).copied().collect();
    ok(world, "CreateDBInstance", &members);
}

/// What goes with it, once it is there.
pub fn surround(world: &mut World) {
    let import = [("DBInstanceIdentifier", "orders"), ("FeatureName", "s3Import"), ("RoleArn", "arn:aws:iam::111122223333:role/import")];
    ok(world, "AddRoleToDBInstance", &import);
    let topic = world.create_topic(HOME, REGION, "ops");
    let subscription =
        [("SubscriptionName", "ops"), ("SnsTopicArn", topic.as_str()), ("SourceType", "db-instance"), ("SourceIds.SourceId.1", "orders")];
    ok(world, "CreateEventSubscription", &subscription);
    let proxy = [
        ("DBProxyName", "pool"),
        ("EngineFamily", "POSTGRESQL"),
        ("RoleArn", "arn:aws:iam::111122223333:role/proxy"),
        ("VpcSubnetIds.member.1", "subnet-1"),
        ("Auth.member.1.SecretArn", "arn:aws:secretsmanager:us-east-1:111122223333:secret:app-AbCdEf"),
    ];
    ok(world, "CreateDBProxy", &proxy);
}

/// The proxy leads to it, once both are there.
pub fn behind_the_proxy(world: &mut World) {
    ok(world, "RegisterDBProxyTargets", &[("DBProxyName", "pool"), ("DBInstanceIdentifiers.member.1", "orders")]);
}

/// Databases as people make them.
pub fn plain(world: &mut World, names: &[&str]) {
    for name in names {
        let members = [
            ("DBInstanceIdentifier", *name),
            ("DBInstanceClass", "db.t3.medium"),
            ("Engine", "postgres"),
            ("EngineVersion", "15.4"),
            ("AllocatedStorage", "20"),
            ("MasterUsername", "root"),
            ("MasterUserPassword", "not-a-secret"),
            ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-app"),
        ];
        ok(world, "CreateDBInstance", &members);
    }
}

/// Resource id of an instance, by its name of now.
pub fn resource_id(world: &mut World, name: &str) -> Option<String> {
    super::rig::instance(world, name)?.value("DbiResourceId").map(str::to_owned)
}

/// How the storage of an instance is encrypted.
pub fn encryption(world: &mut World, name: &str) -> Option<String> {
    super::rig::instance(world, name)?.value("StorageEncryptionType").map(str::to_owned)
}

pub fn orders() -> String {
    arn("db", "orders")
}
