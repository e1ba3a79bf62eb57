//! Changes a database's certificate authority without restarting it.
//!
//! An engine version that can take a new server certificate while it runs gets it in this call (unless
//! other modifications are pending, which `ApplyImmediately` would set off as well: then in the maintenance
//! window). One that can't is told not to restart: the new certificate comes with its next restart, whenever
//! its owner wants that. [rds:ModifyDBInstance `CertificateRotationRestart`; RDS: Rotating your SSL/TLS certificate]

use aws_sdk_rds::types::DbInstance;

use everseal_planner::inventory::ErrorClass;

use super::operations;
use crate::call::ScopeContext;
use crate::error::AwsError;

/// `ModifyDBInstance(CACertificateIdentifier)`.
pub(super) async fn change(ctx: &ScopeContext, instance: &str, authority: &str) -> Result<(), AwsError> {
    let described = describe(ctx, instance).await?;
    refuse_member(&described)?;
    let request = ctx.rds().modify_db_instance().db_instance_identifier(instance).ca_certificate_identifier(authority);
    let request = if rotates_while_running(ctx, &described).await? {
        if has_pending_values(&described) { request } else { request.apply_immediately(true) }
    } else {
        request.certificate_rotation_restart(false)
    };
    ctx.call(&operations::MODIFY_DB_INSTANCE, Box::pin(request.send())).await?;
    Ok(())
}

/// A Multi-AZ DB cluster bears the authority of all its members, and its call can't be told not to restart them.
/// [rds:ModifyDBCluster `CACertificateIdentifier`]
fn refuse_member(instance: &DbInstance) -> Result<(), AwsError> {
    let of_aurora = instance.engine().is_some_and(|engine| engine.starts_with("aurora"));
    match instance.db_cluster_identifier() {
        Some(cluster) if !of_aurora => {
            let message = format!(
                "it belongs to Multi-AZ DB cluster {cluster}: change the certificate authority of the cluster, when its members may restart"
            );
            let error = AwsError::unavailable(&operations::MODIFY_DB_INSTANCE, "MultiAzClusterMember", &message);
            Err(AwsError { class: ErrorClass::Invalid, ..error })
        }
        Some(_) | None => Ok(()),
    }
}

async fn describe(ctx: &ScopeContext, instance: &str) -> Result<DbInstance, AwsError> {
    let request = ctx.rds().describe_db_instances().db_instance_identifier(instance);
    let page = ctx.call(&operations::DESCRIBE_DB_INSTANCES, request.send()).await?;
    let found = page.db_instances.unwrap_or_default().into_iter().next();
    found.ok_or_else(|| AwsError::incomplete(&operations::DESCRIBE_DB_INSTANCES, "the instance"))
}

/// `SupportsCertificateRotationWithoutRestart`. An engine version that AWS does not list any more, or does not
/// tell about, counts as "no": then nothing restarts either way.
async fn rotates_while_running(ctx: &ScopeContext, instance: &DbInstance) -> Result<bool, AwsError> {
    let request = ctx.rds().describe_db_engine_versions().set_engine(instance.engine.clone());
    let request = request.set_engine_version(instance.engine_version.clone()).include_all(true);
    let page = match ctx.call(&operations::DESCRIBE_DB_ENGINE_VERSIONS, request.send()).await {
        Ok(page) => page,
        Err(error) if error.class == ErrorClass::Denied => return Err(error),
        Err(_) => return Ok(false),
    };
    Ok(page.db_engine_versions().iter().any(|version| version.supports_certificate_rotation_without_restart() == Some(true)))
}

/// Something of somebody else's waits for the maintenance window.
fn has_pending_values(instance: &DbInstance) -> bool {
    let nothing = aws_sdk_rds::types::PendingModifiedValues::builder().build();
    instance.pending_modified_values().is_some_and(|pending| {
        let mut others = pending.clone();
        // A change of the authority that waits already is what this call brings forward.
        others.ca_certificate_identifier = None;
        others != nothing
    })
}
