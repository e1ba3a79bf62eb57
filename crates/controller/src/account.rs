//! The one boundary of the loop: an account in a region that can be observed and changed.
//!
//! Two implementations: AWS's, and one in memory for tests of the loop.

use std::future::Future;

use everseal_planner::firehose::observed::KmsError;
use everseal_planner::inventory::{ErrorClass, Unreadable};
use everseal_planner::plan::{Change, Reads, Target};
use everseal_planner::{Arn, Inventory, Scope};

/// One account × region.
pub trait Account: Send + Sync + 'static {
    /// Which one.
    fn scope(&self) -> &Scope;

    /// Reads the targets. Never fails as a whole: what could not be read is `Unreadable` in the
    /// inventory, a target that no longer exists is left out.
    fn observe(&self, target: &Target, reads: &Reads) -> impl Future<Output = Inventory> + Send;

    /// Makes one change, exactly as the step holds it.
    fn apply(&self, resource: &Arn, change: &Change) -> impl Future<Output = Result<(), ApplyError>> + Send;

    /// Data points above zero of the four Firehose KMS counters, one minute each, for the named
    /// streams, from `from` (inclusive) to `to` (exclusive), in seconds since the Unix epoch.
    fn kms_error_points(
        &self,
        streams: &[String],
        from: i64,
        to: i64,
    ) -> impl Future<Output = Result<Vec<KmsErrorPoint>, Unreadable>> + Send;
}

/// One data point of one counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsErrorPoint {
    /// The delivery stream's name.
    pub stream: String,
    /// Which counter.
    pub error: KmsError,
    /// Start of the minute, in seconds since the Unix epoch.
    pub at: i64,
    /// Errors in that minute.
    pub count: u64,
}

/// AWS refused or failed to make a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {message}{}", .missing_action.as_ref().map(|action| format!("; allow {action}")).unwrap_or_default())]
pub struct ApplyError {
    /// Decides what happens next.
    pub class: ErrorClass,
    /// The API operation.
    pub operation: String,
    /// AWS's error code, e.g. `AccessDeniedException`.
    pub code: String,
    /// AWS's own words, without secrets.
    pub message: String,
    /// The IAM action that is missing, where the class is `Denied`.
    pub missing_action: Option<String>,
}
