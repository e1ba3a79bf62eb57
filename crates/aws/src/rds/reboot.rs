//! Reboots a database: an instance, or a Multi-AZ cluster as one.
//!
//! Never with a failover: a failover moves clients to another machine, and what waits for a reboot applies in one without.
//! [rds:CreateDBParameterGroup; rds:RebootDBInstance `ForceFailover`; rds:RebootDBCluster]

use everseal_planner::plan::change::ParameterGroupKind;

use super::operations;
use crate::call::ScopeContext;
use crate::error::AwsError;

/// `RebootDBInstance` or `RebootDBCluster`; returns once the reboot has begun.
pub(super) async fn reboot(ctx: &ScopeContext, kind: ParameterGroupKind, database: &str) -> Result<(), AwsError> {
    match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().reboot_db_instance().db_instance_identifier(database).force_failover(false);
            ctx.call(&operations::REBOOT_DB_INSTANCE, Box::pin(request.send())).await.map(drop)
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().reboot_db_cluster().db_cluster_identifier(database);
            ctx.call(&operations::REBOOT_DB_CLUSTER, Box::pin(request.send())).await.map(drop)
        }
    }
}
