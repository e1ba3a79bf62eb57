//! What a person does about a refusal: AWS's words say what is wrong, seldom what helps.

use everseal_planner::inventory::ErrorClass;

use crate::error::AwsError;

/// Code → what it means for a migration beside its usual class, and what to do.
/// [rds: errors of each operation]
const ADVICE: &[(&str, Option<ErrorClass>, &str)] = &[
    (
        "KMSKeyNotAccessibleFault",
        Some(ErrorClass::Denied),
        "RDS can't use the key: it must be enabled, and its document must let Everseal's role call kms:CreateGrant and kms:DescribeKey",
    ),
    ("SnapshotQuotaExceeded", None, "delete manual snapshots that nobody needs, or have the quota for them raised"),
    ("InstanceQuotaExceeded", None, "the copy needs one more instance for a while: have the quota for DB instances raised"),
    ("DBClusterQuotaExceededFault", None, "the copy needs one more cluster for a while: have the quota for DB clusters raised"),
    ("StorageQuotaExceeded", None, "the copy needs the same storage once more for a while: have the quota for storage raised"),
    ("InsufficientDBInstanceCapacity", Some(ErrorClass::Unavailable), "AWS has no such instance free now: it is tried again"),
    ("InsufficientDBClusterCapacityFault", Some(ErrorClass::Unavailable), "AWS has no such instances free now: it is tried again"),
    ("InsufficientStorageClusterCapacity", Some(ErrorClass::Unavailable), "AWS has no such storage free now: it is tried again"),
    ("DBSubnetGroupDoesNotCoverEnoughAZs", None, "add subnets in two more Availability Zones to the DB subnet group"),
    ("SourceDatabaseNotSupportedFault", None, "AWS makes no blue/green deployment of it: set `migration.method: snapshot`"),
    ("SourceClusterNotSupportedFault", None, "AWS makes no blue/green deployment of it: set `migration.method: snapshot`"),
    ("DBInstanceAutomatedBackupQuotaExceeded", None, "delete retained automated backups that nobody needs"),
    ("DBClusterAutomatedBackupQuotaExceededFault", None, "delete retained automated backups that nobody needs"),
];

/// Restores from an encrypted snapshot bear no field that says "encrypted", so a policy which asks for it denies them too.
const CONTROL_POLICY: &str = "a service control policy denies it: one that asks for rds:StorageEncrypted also denies restores of \
                              encrypted snapshots, whose request does not bear it; let this role's restores through";

/// The error with what to do about it.
pub(super) fn explained(error: AwsError) -> AwsError {
    let restore = error.operation.starts_with("Restore");
    if restore && error.class == ErrorClass::Denied && error.message.contains("service control policy") {
        return AwsError { message: format!("{}; {CONTROL_POLICY}", error.message), ..error };
    }
    match ADVICE.iter().find(|(code, ..)| error.has_code(code)) {
        Some((_, class, what)) => {
            AwsError { class: class.unwrap_or(error.class), message: format!("{}; {what}", error.message.trim_end_matches('.')), ..error }
        }
        None => error,
    }
}
