//! Lists the account's distributions.

use everseal_planner::inventory::Distribution;
use futures::{StreamExt, TryStreamExt};

use super::{convert, operations as ops};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::listing::pages;

/// All of them or none: a part of the listing would hide a path.
pub(crate) async fn distributions(ctx: &ScopeContext) -> Result<Vec<Distribution>, AwsError> {
    let listed = pages(|marker| async {
        let page = ctx.call(&ops::LIST_DISTRIBUTIONS, ctx.cloudfront().list_distributions().set_marker(marker).send()).await?;
        let list = page.distribution_list.ok_or_else(|| AwsError::incomplete(&ops::LIST_DISTRIBUTIONS, "the list"))?;
        Ok((list.items.unwrap_or_default(), list.next_marker.filter(|_| list.is_truncated)))
    });
    listed.map(|listed| listed.and_then(convert::distribution)).try_collect().await
}
