//! Tags through the Resource Groups Tagging API: 100 resources a page instead of one call each.

use std::collections::BTreeMap;

use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory, Reading};

use crate::call::ScopeContext;

/// The API calls made here.
pub mod operations {
    use crate::operation::{Api, Need, Rate, operations};

    operations! { Api::Tagging;
        /// Tags of resources, of several services at once.
        GET_RESOURCES = "GetResources", ["tag:GetResources"], Need::Audit, Rate::Unpublished;
    }
}

/// Tags by ARN; a resource that is not in it has none.
pub(crate) async fn observe(ctx: &ScopeContext, target: &Target, reads: &Reads) -> Reading<BTreeMap<Arn, BTreeMap<String, String>>> {
    let _ = (ctx, target, reads);
    Reading::NotRead
}

/// Gives the resources of the services in `reads.tags_of` their tags.
pub(crate) fn assign(inventory: &mut Inventory, tags: &Reading<BTreeMap<Arn, BTreeMap<String, String>>>, reads: &Reads) {
    let _ = (inventory, tags, reads);
}
