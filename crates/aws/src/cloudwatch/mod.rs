//! cloudwatch: the four KMS counters of delivery streams.

pub mod operations;

use everseal_controller::KmsErrorPoint;
use everseal_planner::Unreadable;

use crate::call::ScopeContext;

/// See [`everseal_controller::Account::kms_error_points`].
pub async fn kms_error_points(ctx: &ScopeContext, streams: &[String], from: i64, to: i64) -> Result<Vec<KmsErrorPoint>, Unreadable> {
    let _ = (ctx, streams, from, to);
    Ok(Vec::new())
}
