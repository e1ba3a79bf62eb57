//! rds: observing and applying.

pub mod operations;

use everseal_controller::ApplyError;
use everseal_planner::plan::{Change, Reads, Target};
use everseal_planner::{Arn, Inventory};

use crate::call::ScopeContext;

/// Reads this service's resources into an inventory of their own; the account joins the parts.
/// A failed listing goes into `unlisted`; a target that is gone, or is another service's, is left out.
/// Tags are not read here (see [`crate::tags`]), except where they come with a description.
pub async fn observe(ctx: &ScopeContext, target: &Target, reads: &Reads) -> Inventory {
    let _ = (target, reads);
    ctx.part()
}

/// Makes one change of this service.
pub async fn apply(ctx: &ScopeContext, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
    let _ = ctx;
    Err(crate::account::misrouted(resource, change))
}
