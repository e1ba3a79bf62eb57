//! What a database's status says of it. [RDS: Viewing DB instance status; Viewing DB cluster status]

/// As far as a migration must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// It takes connections and changes.
    Ready,
    /// AWS is at work on it, and will be done.
    Busy,
    /// It is stopped, by somebody who can start it.
    Stopped,
    /// It does not come back by itself.
    Failed,
    /// It is going.
    Deleting,
}

/// A status that is younger than this program counts as busy: nothing is done to it, and the stage's time-out tells.
pub(super) fn condition(status: &str) -> Condition {
    match status {
        "available" | "storage-optimization" => Condition::Ready,
        "stopped" | "stopping" => Condition::Stopped,
        "deleting" | "delete-precheck" => Condition::Deleting,
        "failed"
        | "incompatible-network"
        | "incompatible-option-group"
        | "incompatible-parameters"
        | "incompatible-restore"
        | "incompatible-create"
        | "insufficient-capacity"
        | "insufficient-resource-limits"
        | "inaccessible-encryption-credentials"
        | "inaccessible-encryption-credentials-recoverable"
        | "restore-error"
        | "storage-full"
        | "cloning-failed"
        | "migration-failed" => Condition::Failed,
        _ => Condition::Busy,
    }
}
