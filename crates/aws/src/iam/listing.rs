//! All roles of the account in one paged listing, their managed policies included.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{EntityType, ManagedPolicyDetail, RoleDetail};
use everseal_planner::Arn;
use everseal_planner::inventory::Role;
use futures::TryStreamExt;

use super::operations::GET_ACCOUNT_AUTHORIZATION_DETAILS as LISTING;
use super::{Roles, convert, policy};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::listing::pages;

/// The largest page. [iam:GetAccountAuthorizationDetails, `MaxItems`]
const PAGE: i32 = 1000;

/// What a page holds.
enum Detail {
    Role(Box<RoleDetail>),
    Policy(Box<ManagedPolicyDetail>),
}

/// A role that still names its managed policies.
struct Named {
    arn: Arn,
    inline: Vec<String>,
    attached: Vec<String>,
    boundary: Option<String>,
}

/// Texts of managed policies by ARN.
type Texts = BTreeMap<String, String>;

/// All of them or none: a part of the listing would hide what a role may do.
pub(crate) async fn all(ctx: &ScopeContext) -> Result<Roles, AwsError> {
    let (mut roles, mut texts) = (Vec::new(), Texts::new());
    let mut details = std::pin::pin!(details(ctx));
    while let Some(detail) = details.try_next().await? {
        match detail {
            Detail::Role(role) => roles.push(named(*role)?),
            Detail::Policy(policy) => texts.extend(in_force(*policy)?),
        }
    }
    add_missing(ctx, &roles, &mut texts).await?;
    roles.into_iter().map(|role| joined(role, &texts)).collect()
}

fn details(ctx: &ScopeContext) -> impl futures::Stream<Item = Result<Detail, AwsError>> {
    pages(move |marker| async move {
        let filter = vec![EntityType::Role, EntityType::LocalManagedPolicy, EntityType::AwsManagedPolicy];
        let request = ctx.iam().get_account_authorization_details().set_filter(Some(filter)).max_items(PAGE).set_marker(marker);
        let page = ctx.call(&LISTING, request.send()).await?;
        let roles = page.role_detail_list.unwrap_or_default().into_iter().map(|role| Detail::Role(Box::new(role)));
        let policies = page.policies.unwrap_or_default().into_iter().map(|policy| Detail::Policy(Box::new(policy)));
        Ok((roles.chain(policies).collect(), page.marker.filter(|_| page.is_truncated)))
    })
}

fn named(listed: RoleDetail) -> Result<Named, AwsError> {
    let arn = Arn::parse(&listed.arn.unwrap_or_default()).map_err(|_| AwsError::incomplete(&LISTING, "a role's ARN"))?;
    let inline = listed.role_policy_list.unwrap_or_default();
    let inline = inline.iter().map(|policy| convert::decoded(&LISTING, policy.policy_document.as_deref()));
    let attached = listed.attached_managed_policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn);
    let boundary = listed.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn);
    Ok(Named { arn, inline: inline.collect::<Result<_, _>>()?, attached: attached.collect(), boundary })
}

/// `None` where the listing does not show the default version's text.
fn in_force(listed: ManagedPolicyDetail) -> Result<Option<(String, String)>, AwsError> {
    let version = listed.policy_version_list.unwrap_or_default().into_iter().find(|version| version.is_default_version);
    match (listed.arn, version.and_then(|version| version.document)) {
        (Some(arn), Some(document)) => Ok(Some((arn, convert::decoded(&LISTING, Some(&document))?))),
        (Some(_) | None, _) => Ok(None),
    }
}

/// Policies that were attached while the pages were read, or that the listing leaves out.
async fn add_missing(ctx: &ScopeContext, roles: &[Named], texts: &mut Texts) -> Result<(), AwsError> {
    let in_use = roles.iter().flat_map(|role| role.attached.iter().chain(&role.boundary));
    let missing: BTreeSet<&String> = in_use.filter(|arn| !texts.contains_key(*arn)).collect();
    for arn in missing {
        texts.insert(arn.clone(), policy::managed(ctx, arn).await?);
    }
    Ok(())
}

fn joined(role: Named, texts: &Texts) -> Result<(Arn, Role), AwsError> {
    let Named { arn, inline, attached, boundary } = role;
    let text = |arn: &String| texts.get(arn).cloned().ok_or_else(|| AwsError::incomplete(&LISTING, "a managed policy's text"));
    let attached: Vec<String> = attached.iter().map(text).collect::<Result<_, _>>()?;
    let boundary = boundary.as_ref().map(text).transpose()?;
    Ok((arn, Role { policies: inline.into_iter().chain(attached).collect(), boundary }))
}
