//! Changes parameter groups, and which one a database uses. Nothing here restarts a database but [`reboot`]: migrations are
//! another matter.

use std::collections::BTreeMap;

use everseal_controller::ApplyError;
use everseal_planner::Arn;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::Change;
use everseal_planner::plan::change::{ParameterGroupKind, ParameterValue};

use super::{certificate, convert, migration, operations, proxies, reboot};
use crate::call::ScopeContext;
use crate::error::AwsError;

/// Parameters of one call. [rds:ModifyDBParameterGroup]
const PARAMETERS_PER_CALL: usize = 20;

/// Makes one change of this service.
pub async fn apply(ctx: &ScopeContext, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
    match change {
        Change::CreateParameterGroup { kind, name, family, description, parameters } => {
            create_group(ctx, *kind, &NewGroup { name, family, description }).await?;
            set_parameters(ctx, *kind, name, parameters).await?;
        }
        Change::ParameterGroup { kind, name, before: _, after } => set_parameters(ctx, *kind, name, after).await?,
        Change::AttachParameterGroup { kind, database, before: _, after } => Box::pin(attach(ctx, *kind, database, after)).await?,
        Change::RebootDatabase { kind, database } => reboot::reboot(ctx, *kind, database).await?,
        Change::ProxyTls { proxy } => Box::pin(proxies::require_tls(ctx, proxy)).await?,
        Change::CaCertificate { instance, before: _, after } => Box::pin(certificate::change(ctx, instance, after)).await?,
        Change::Migration(change) => migration::apply(ctx, change).await?,
        _ => return Err(crate::account::misrouted(resource, change)),
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct NewGroup<'a> {
    name: &'a str,
    family: &'a str,
    description: &'a str,
}

async fn create_group(ctx: &ScopeContext, kind: ParameterGroupKind, group: &NewGroup<'_>) -> Result<(), AwsError> {
    let NewGroup { name, family, description } = *group;
    let created = match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().create_db_parameter_group().db_parameter_group_name(name);
            let request = request.db_parameter_group_family(family).description(description);
            ctx.call(&operations::CREATE_DB_PARAMETER_GROUP, request.send()).await.map(drop)
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().create_db_cluster_parameter_group().db_cluster_parameter_group_name(name);
            let request = request.db_parameter_group_family(family).description(description);
            ctx.call(&operations::CREATE_DB_CLUSTER_PARAMETER_GROUP, request.send()).await.map(drop)
        }
    };
    match created {
        Err(error) if error.code.contains("AlreadyExists") => resume(ctx, kind, group, error).await,
        created => created,
    }
}

/// A group of this name exists: ours, whose creation was cut short, or somebody else's, which is not touched.
async fn resume(ctx: &ScopeContext, kind: ParameterGroupKind, wanted: &NewGroup<'_>, exists: AwsError) -> Result<(), AwsError> {
    let (family, description) = match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().describe_db_parameter_groups().db_parameter_group_name(wanted.name);
            let page = ctx.call(&operations::DESCRIBE_DB_PARAMETER_GROUPS, request.send()).await?;
            let found = page.db_parameter_groups.unwrap_or_default().into_iter().next();
            found.map(|group| (group.db_parameter_group_family, group.description)).unwrap_or_default()
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().describe_db_cluster_parameter_groups().db_cluster_parameter_group_name(wanted.name);
            let page = ctx.call(&operations::DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS, request.send()).await?;
            let found = page.db_cluster_parameter_groups.unwrap_or_default().into_iter().next();
            found.map(|group| (group.db_parameter_group_family, group.description)).unwrap_or_default()
        }
    };
    if family.as_deref() == Some(wanted.family) && description.as_deref() == Some(wanted.description) {
        return Ok(());
    }
    let message = format!("parameter group {} exists and was not made by Everseal: rename or remove it", wanted.name);
    Err(AwsError { class: ErrorClass::Conflict, message, ..exists })
}

async fn set_parameters(
    ctx: &ScopeContext,
    kind: ParameterGroupKind,
    group: &str,
    values: &BTreeMap<String, ParameterValue>,
) -> Result<(), AwsError> {
    for chunk in convert::parameters(values).chunks(PARAMETERS_PER_CALL) {
        let chunk = Some(chunk.to_vec());
        match kind {
            ParameterGroupKind::Instance => {
                let request = ctx.rds().modify_db_parameter_group().db_parameter_group_name(group).set_parameters(chunk);
                ctx.call(&operations::MODIFY_DB_PARAMETER_GROUP, request.send()).await?;
            }
            ParameterGroupKind::Cluster => {
                let request = ctx.rds().modify_db_cluster_parameter_group().db_cluster_parameter_group_name(group).set_parameters(chunk);
                ctx.call(&operations::MODIFY_DB_CLUSTER_PARAMETER_GROUP, request.send()).await?;
            }
        }
    }
    Ok(())
}

/// An instance takes the new group's name at once in any case, and `ApplyImmediately` would also set off
/// whatever else is pending on it (a class change is an outage), so it stays off. A cluster would wait for its
/// maintenance window, and its `ApplyImmediately` concerns this request alone. Neither restarts anything.
/// [rds:ModifyDBInstance `DBParameterGroupName`, `ApplyImmediately`; rds:ModifyDBCluster `ApplyImmediately`]
async fn attach(ctx: &ScopeContext, kind: ParameterGroupKind, database: &str, group: &str) -> Result<(), AwsError> {
    match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().modify_db_instance().db_instance_identifier(database).db_parameter_group_name(group);
            ctx.call(&operations::MODIFY_DB_INSTANCE, Box::pin(request.send())).await?;
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().modify_db_cluster().db_cluster_identifier(database).db_cluster_parameter_group_name(group);
            ctx.call(&operations::MODIFY_DB_CLUSTER, request.apply_immediately(true).send()).await?;
        }
    }
    Ok(())
}
