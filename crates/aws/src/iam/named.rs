//! The few roles that a step hangs on.

use std::collections::BTreeSet;

use everseal_planner::inventory::Role;
use everseal_planner::{Arn, Reading};
use futures::TryStreamExt;
use futures::future::try_join_all;

use super::{Roles, convert, listing, operations as ops, policy};
use crate::account::once::OncePerPass;
use crate::call::ScopeContext;
use crate::error::{AwsError, reading};
use crate::listing::pages;

/// More roles than this are read faster with the account's whole listing: one role takes about as many calls as one listing
/// takes pages.
const FEW: usize = 5;

/// The ARN of an IAM role, whatever its account.
fn is_role(arn: &Arn) -> bool {
    arn.service() == "iam" && arn.resource().starts_with("role/")
}

/// The roles among `targets`; not read where there is none. Roles of other accounts are left out: here is nobody to ask.
/// One that cannot be read makes all of them unreadable, one that does not exist is allowed nothing.
pub(crate) async fn named(ctx: &ScopeContext, shared: &OncePerPass<Reading<Roles>>, targets: &BTreeSet<Arn>) -> Reading<Roles> {
    if !targets.iter().any(is_role) {
        return Reading::NotRead;
    }
    let wanted: Vec<&Arn> = targets.iter().filter(|arn| is_role(arn) && arn.account() == ctx.scope().account).collect();
    if wanted.len() <= FEW {
        let roles = wanted.into_iter().map(|arn| async { Ok::<_, AwsError>((arn.clone(), one(ctx, arn).await?)) });
        return reading(try_join_all(roles).await.map(|roles| roles.into_iter().collect()));
    }
    let all = shared.take(&ctx.scope().region, async { reading(listing::all(ctx).await) }).await;
    all.as_ref().as_ref().map(|all| wanted.into_iter().map(|arn| (arn.clone(), all.get(arn).cloned().unwrap_or_else(nobody))).collect())
}

/// A role that does not exist.
const fn nobody() -> Role {
    Role { policies: Vec::new(), boundary: None }
}

async fn one(ctx: &ScopeContext, arn: &Arn) -> Result<Role, AwsError> {
    let name = arn.name();
    let role = match ctx.call(&ops::GET_ROLE, ctx.iam().get_role().role_name(name).send()).await {
        Ok(answer) => answer.role,
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error),
    };
    // The role of that name may have another path: then it is another role.
    let Some(role) = role.filter(|role| role.arn == arn.as_str()) else { return Ok(nobody()) };
    let boundary = role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn);
    let (inline, attached, boundary) = futures::join!(inline(ctx, name), attached(ctx, name), async {
        match boundary {
            Some(arn) => policy::managed(ctx, &arn).await.map(Some),
            None => Ok(None),
        }
    });
    Ok(Role { policies: inline?.into_iter().chain(attached?).collect(), boundary: boundary? })
}

async fn inline(ctx: &ScopeContext, role: &str) -> Result<Vec<String>, AwsError> {
    let names = pages(move |marker| async move {
        let page = ctx.call(&ops::LIST_ROLE_POLICIES, ctx.iam().list_role_policies().role_name(role).set_marker(marker).send()).await?;
        Ok((page.policy_names, page.marker.filter(|_| page.is_truncated)))
    });
    let names: Vec<String> = names.try_collect().await?;
    let texts = names.iter().map(|name| async move {
        let request = ctx.iam().get_role_policy().role_name(role).policy_name(name);
        let answer = ctx.call(&ops::GET_ROLE_POLICY, request.send()).await?;
        convert::decoded(&ops::GET_ROLE_POLICY, Some(&answer.policy_document))
    });
    try_join_all(texts).await
}

async fn attached(ctx: &ScopeContext, role: &str) -> Result<Vec<String>, AwsError> {
    let arns = pages(move |marker| async move {
        let request = ctx.iam().list_attached_role_policies().role_name(role).set_marker(marker);
        let page = ctx.call(&ops::LIST_ATTACHED_ROLE_POLICIES, request.send()).await?;
        let arns = page.attached_policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn);
        Ok((arns.collect(), page.marker.filter(|_| page.is_truncated)))
    });
    let arns: Vec<String> = arns.try_collect().await?;
    try_join_all(arns.iter().map(|arn| policy::managed(ctx, arn))).await
}
