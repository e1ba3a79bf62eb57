//! Changes keys: state, rotation and document of one that exists; `super::create` makes new ones.

use everseal_controller::ApplyError;
use everseal_planner::Arn;
use everseal_planner::plan::Change;

use super::create::{self, NewKey, NewReplica};
use super::operations;
use crate::call::ScopeContext;
use crate::error::AwsError;

/// Makes one change of this service. A key is worked in its own region, and only in the scope's account:
/// there its id names it as well as its ARN does.
pub async fn apply(ctx: &ScopeContext, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
    if resource.account() != ctx.scope().account {
        return Err(crate::account::misrouted(resource, change));
    }
    match change {
        Change::CreateKey { alias, description, multi_region, tags, document, rotation_period_in_days } => {
            let (multi_region, rotation_period_in_days) = (*multi_region, *rotation_period_in_days);
            create::key(ctx, &NewKey { alias, description, multi_region, tags, document, rotation_period_in_days }).await?;
        }
        Change::CreateAlias { alias, key } => create::alias(&ctx.in_region(key.region()), alias, key).await?,
        Change::ReplicateKey { primary, region, alias, description, tags, document } => {
            create::replica(ctx, &NewReplica { primary, region, alias, description, tags, document }).await?;
        }
        Change::KeyDocument { before: _, after } => put_document(&ctx.in_region(resource.region()), resource, after).await?,
        Change::EnableKey {} => {
            let ctx = ctx.in_region(resource.region());
            ctx.call(&operations::ENABLE_KEY, ctx.kms().enable_key().key_id(resource.name()).send()).await?;
        }
        Change::CancelKeyDeletion {} => {
            let ctx = ctx.in_region(resource.region());
            ctx.call(&operations::CANCEL_KEY_DELETION, ctx.kms().cancel_key_deletion().key_id(resource.name()).send()).await?;
        }
        Change::KeyRotation { before: _, after } => create::rotate(&ctx.in_region(resource.region()), resource, *after).await?,
        _ => return Err(crate::account::misrouted(resource, change)),
    }
    Ok(())
}

/// `PutKeyPolicy` with KMS's own check against locking everybody out, always.
async fn put_document(ctx: &ScopeContext, key: &Arn, document: &str) -> Result<(), AwsError> {
    let request = ctx.kms().put_key_policy().key_id(key.as_str()).policy_name("default").policy(document);
    ctx.call(&operations::PUT_KEY_POLICY, request.send()).await?;
    Ok(())
}
