//! Blue/green deployments: the green side gets encrypted, and AWS switches.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::types::{BlueGreenDeployment, Filter, TargetResourceConfiguration};
use everseal_planner::inventory::ErrorClass;
use everseal_planner::rds::migration::observed::TAG_OF;

use super::apply::{set_tags, tag_list};
use super::identity::{Named, refusal, tag};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::rds::operations;

/// `CreateBlueGreenDeployment`: one entry for the source and for each of its replicas. [rds:TargetResourceConfiguration]
pub(super) async fn create(ctx: &ScopeContext, named: &Named<'_>, source: &str, (encrypt, key): (&[String], &str)) -> Result<(), AwsError> {
    let operation = &operations::CREATE_BLUE_GREEN_DEPLOYMENT;
    let configuration = |arn: &String| TargetResourceConfiguration::builder().source_arn(arn).target_kms_key_id(key).build();
    let configurations: Result<Vec<_>, _> = encrypt.iter().map(configuration).collect();
    let configurations = configurations.map_err(|error| AwsError::invalid(operation, &error.to_string()))?;
    let request = ctx.rds().create_blue_green_deployment().blue_green_deployment_name(named.name).source(source);
    let request = request.set_target_resource_configurations(Some(configurations)).set_tags(tag_list(named.tags));
    let created = ctx.call(operation, request.send()).await;
    let tags_there = async {
        let filter = Filter::builder().name("blue-green-deployment-name").values(named.name).build();
        let found = find(ctx, ctx.rds().describe_blue_green_deployments().filters(filter)).await?;
        let of_source = found.filter(|there| there.source() == Some(source));
        Ok(of_source.and_then(|there| there.tag_list).unwrap_or_default())
    };
    named.made(created, tags_there).await
}

/// AWS has no such deployment of this database, or takes no key for its green side. [rds:CreateBlueGreenDeployment, Errors]
const REFUSALS: [&str; 4] =
    ["SourceDatabaseNotSupportedFault", "SourceClusterNotSupportedFault", "InvalidParameterCombination", "InvalidParameterValue"];

/// Notes on the source that AWS refused; the refusal stays what came of the step.
pub(super) async fn noting_refusal(
    ctx: &ScopeContext,
    source: &str,
    note: &BTreeMap<String, String>,
    created: Result<(), AwsError>,
) -> Result<(), AwsError> {
    let Err(mut refused) = created else { return Ok(()) };
    if !note.is_empty() && REFUSALS.iter().any(|code| refused.has_code(code)) {
        set_tags(ctx, source, note, &BTreeSet::new()).await?;
        refused.message.push_str("; this is noted on the database, which goes by snapshot");
    }
    Err(refused)
}

/// `SwitchoverBlueGreenDeployment`: AWS rolls back by itself what takes longer than `timeout` seconds.
pub(super) async fn switch_over(ctx: &ScopeContext, identifier: &str, timeout: u32) -> Result<(), AwsError> {
    let operation = &operations::SWITCHOVER_BLUE_GREEN_DEPLOYMENT;
    let timeout = i32::try_from(timeout).map_err(|_| AwsError::invalid(operation, "a switch-over may take at most 3600 seconds"))?;
    let request = ctx.rds().switchover_blue_green_deployment().blue_green_deployment_identifier(identifier).switchover_timeout(timeout);
    ctx.call(operation, request.send()).await.map(drop)
}

/// `DeleteBlueGreenDeployment`. The green side goes only where the migration made the deployment and clients have not been
/// switched to it; it is marked as ours first, because only what is marked may be deleted (see `everseal iam-policy`).
pub(super) async fn delete(ctx: &ScopeContext, identifier: &str, delete_target: bool) -> Result<(), AwsError> {
    let operation = &operations::DELETE_BLUE_GREEN_DEPLOYMENT;
    let described = find(ctx, ctx.rds().describe_blue_green_deployments().blue_green_deployment_identifier(identifier)).await;
    let deployment = match described {
        Err(error) if error.is_not_found() => return Ok(()),
        found => found?.ok_or_else(|| AwsError::incomplete(&operations::DESCRIBE_BLUE_GREEN_DEPLOYMENTS, "the deployment"))?,
    };
    let Some(of) = tag(deployment.tag_list(), TAG_OF) else {
        let message = format!("blue/green deployment {identifier} bears no tag {TAG_OF}: no migration has made it, and it is not deleted");
        return Err(refusal(operation, "NotOurs", ErrorClass::Conflict, &message));
    };
    if delete_target {
        mark_green_side(ctx, &deployment, of).await?;
    }
    let request = ctx.rds().delete_blue_green_deployment().blue_green_deployment_identifier(identifier);
    match ctx.call(operation, request.set_delete_target(delete_target.then_some(true)).send()).await {
        Err(error) if error.is_not_found() => Ok(()),
        deleted => deleted.map(drop),
    }
}

async fn mark_green_side(ctx: &ScopeContext, deployment: &BlueGreenDeployment, of: &str) -> Result<(), AwsError> {
    let status = deployment.status().unwrap_or_default();
    if status.starts_with("SWITCHOVER_IN_PROGRESS") || status.starts_with("SWITCHOVER_COMPLETED") {
        let message = format!("the blue/green deployment is {status}: its green side is what clients reach, and is not deleted");
        return Err(refusal(&operations::DELETE_BLUE_GREEN_DEPLOYMENT, "SwitchedOver", ErrorClass::Conflict, &message));
    }
    let members = deployment.switchover_details().iter().filter_map(|detail| detail.target_member());
    let green: BTreeSet<&str> = members.chain(deployment.target()).filter(|arn| !arn.is_empty()).collect();
    let ours = BTreeMap::from([(TAG_OF.to_owned(), of.to_owned())]);
    for arn in green {
        match set_tags(ctx, arn, &ours, &BTreeSet::new()).await {
            Err(error) if error.is_not_found() => {}
            marked => marked?,
        }
    }
    Ok(())
}

type Describe = aws_sdk_rds::operation::describe_blue_green_deployments::builders::DescribeBlueGreenDeploymentsFluentBuilder;

async fn find(ctx: &ScopeContext, request: Describe) -> Result<Option<BlueGreenDeployment>, AwsError> {
    let page = ctx.call(&operations::DESCRIBE_BLUE_GREEN_DEPLOYMENTS, request.send()).await?;
    Ok(page.blue_green_deployments.unwrap_or_default().into_iter().next())
}
