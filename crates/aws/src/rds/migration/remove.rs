//! Deletes databases: a copy that a migration made, or what was replaced, and then never without a last snapshot.
//!
//! This looks again right before the call, whatever the planner saw: the id, and the tag that says whose it is.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::types::{DbCluster, DbInstance};
use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::change::ParameterGroupKind;
use everseal_planner::rds::migration::observed::{TAG_OF, TAG_REPLACED_AT};

use super::apply::set_tags;
use super::identity::{self, must_be, refusal, tag};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::Operation;
use crate::rds::operations;

/// `DeleteDBInstance` or `DeleteDBCluster`. One that is gone already is what was wanted.
pub(super) async fn database(
    ctx: &ScopeContext,
    kind: ParameterGroupKind,
    (name, resource_id): (&str, &str),
    final_snapshot: Option<&str>,
) -> Result<(), AwsError> {
    let deleted = match kind {
        ParameterGroupKind::Instance => match identity::instance(ctx, name).await {
            Ok(found) => instance(ctx, &found, (name, resource_id), final_snapshot).await,
            Err(error) => Err(error),
        },
        ParameterGroupKind::Cluster => match identity::cluster(ctx, name).await {
            Ok(found) => cluster(ctx, &found, (name, resource_id), final_snapshot).await,
            Err(error) => Err(error),
        },
    };
    match deleted {
        Err(error) if error.is_not_found() => Ok(()),
        deleted => deleted,
    }
}

async fn instance(
    ctx: &ScopeContext,
    found: &DbInstance,
    (name, resource_id): (&str, &str),
    final_snapshot: Option<&str>,
) -> Result<(), AwsError> {
    let operation = &operations::DELETE_DB_INSTANCE;
    must_be(operation, name, resource_id, found.dbi_resource_id())?;
    let made_here = tag(found.tag_list(), TAG_OF).is_some();
    match (found.db_cluster_identifier().filter(|cluster| !cluster.is_empty()), final_snapshot) {
        (Some(cluster), _) if !made_here => mark_member(ctx, found, cluster).await?,
        (None, None) if !made_here => return Err(not_ours(operation, name)),
        (None, Some(_)) => must_be_replaced(operation, name, found.tag_list())?,
        (Some(_), _) | (None, None) => {}
    }
    // The automated backups of a replaced database stay as long as its retention says; those of a copy are worth nothing.
    let keep_backups = final_snapshot.map(|_| false);
    let request = ctx.rds().delete_db_instance().db_instance_identifier(name).skip_final_snapshot(final_snapshot.is_none());
    let request = request.set_final_db_snapshot_identifier(final_snapshot.map(str::to_owned)).set_delete_automated_backups(keep_backups);
    ctx.call(operation, request.send()).await.map(drop)
}

/// A member of a replaced cluster holds no data of its own. It is marked like its cluster, because only what is marked may be
/// deleted (see `everseal iam-policy`).
async fn mark_member(ctx: &ScopeContext, member: &DbInstance, cluster: &str) -> Result<(), AwsError> {
    let found = identity::cluster(ctx, cluster).await?;
    let Some(since) = tag(found.tag_list(), TAG_REPLACED_AT) else {
        let name = member.db_instance_identifier().unwrap_or_default();
        let message = format!("{name} belongs to cluster {cluster}, which no migration has replaced: it is not deleted");
        return Err(refusal(&operations::DELETE_DB_INSTANCE, "NotOurs", ErrorClass::Conflict, &message));
    };
    if tag(member.tag_list(), TAG_REPLACED_AT).is_some() {
        return Ok(());
    }
    let tags = BTreeMap::from([(TAG_REPLACED_AT.to_owned(), since.to_owned())]);
    set_tags(ctx, member.db_instance_arn().unwrap_or_default(), &tags, &BTreeSet::new()).await
}

async fn cluster(
    ctx: &ScopeContext,
    found: &DbCluster,
    (name, resource_id): (&str, &str),
    final_snapshot: Option<&str>,
) -> Result<(), AwsError> {
    let operation = &operations::DELETE_DB_CLUSTER;
    must_be(operation, name, resource_id, found.db_cluster_resource_id())?;
    match final_snapshot {
        None if tag(found.tag_list(), TAG_OF).is_none() => return Err(not_ours(operation, name)),
        None => {}
        Some(_) => must_be_replaced(operation, name, found.tag_list())?,
    }
    let keep_backups = final_snapshot.map(|_| false);
    let request = ctx.rds().delete_db_cluster().db_cluster_identifier(name).skip_final_snapshot(final_snapshot.is_none());
    let request = request.set_final_db_snapshot_identifier(final_snapshot.map(str::to_owned)).set_delete_automated_backups(keep_backups);
    ctx.call(operation, request.send()).await.map(drop)
}

fn not_ours(operation: &'static Operation, name: &str) -> AwsError {
    let message = format!("{name} bears no tag {TAG_OF}: no migration has made it, and it is not deleted without a last snapshot");
    refusal(operation, "NotOurs", ErrorClass::Conflict, &message)
}

fn must_be_replaced(operation: &'static Operation, name: &str, tags: &[aws_sdk_rds::types::Tag]) -> Result<(), AwsError> {
    if tag(tags, TAG_REPLACED_AT).is_some() {
        return Ok(());
    }
    let message = format!("{name} bears no tag {TAG_REPLACED_AT}: it is not known to be replaced, and is not deleted");
    Err(refusal(operation, "NotReplaced", ErrorClass::Conflict, &message))
}
