//! Snapshots, their encrypted copies, and their removal.

use std::collections::BTreeMap;

use aws_sdk_rds::types::Tag;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::change::ParameterGroupKind;
use everseal_planner::rds::migration::observed::TAG_OF;

use super::apply::tag_list;
use super::identity::{Named, refusal, tag};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::rds::operations;

/// A snapshot to make.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// The database, or the snapshot to copy.
    pub(super) of: &'a str,
    pub(super) name: &'a str,
    pub(super) tags: &'a BTreeMap<String, String>,
}

/// `CreateDBSnapshot` or `CreateDBClusterSnapshot`.
pub(super) async fn take(ctx: &ScopeContext, kind: ParameterGroupKind, wanted: &Wanted<'_>) -> Result<(), AwsError> {
    let Wanted { of, name, tags } = *wanted;
    let created = match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().create_db_snapshot().db_instance_identifier(of).db_snapshot_identifier(name);
            ctx.call(&operations::CREATE_DB_SNAPSHOT, request.set_tags(tag_list(tags)).send()).await.map(drop)
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().create_db_cluster_snapshot().db_cluster_identifier(of).db_cluster_snapshot_identifier(name);
            ctx.call(&operations::CREATE_DB_CLUSTER_SNAPSHOT, request.set_tags(tag_list(tags)).send()).await.map(drop)
        }
    };
    Named { name, tags }.made(created, tags_of(ctx, kind, name)).await
}

/// `CopyDBSnapshot` within the Region: the copy is what becomes encrypted. The call's own tags stand for those of the source.
pub(super) async fn copy(ctx: &ScopeContext, wanted: &Wanted<'_>, key: &str) -> Result<(), AwsError> {
    let Wanted { of, name, tags } = *wanted;
    let request = ctx.rds().copy_db_snapshot().source_db_snapshot_identifier(of).target_db_snapshot_identifier(name);
    let request = request.kms_key_id(key).set_tags(tag_list(tags));
    let copied = ctx.call(&operations::COPY_DB_SNAPSHOT, request.send()).await;
    Named { name, tags }.made(copied, tags_of(ctx, ParameterGroupKind::Instance, name)).await
}

/// Only what a migration has made. One that is gone already is what was wanted.
pub(super) async fn delete(ctx: &ScopeContext, kind: ParameterGroupKind, name: &str) -> Result<(), AwsError> {
    let tags = match tags_of(ctx, kind, name).await {
        Err(error) if error.is_not_found() => return Ok(()),
        tags => tags?,
    };
    let operation = match kind {
        ParameterGroupKind::Instance => &operations::DELETE_DB_SNAPSHOT,
        ParameterGroupKind::Cluster => &operations::DELETE_DB_CLUSTER_SNAPSHOT,
    };
    if tag(&tags, TAG_OF).is_none() {
        let message = format!("snapshot {name} bears no tag {TAG_OF}: no migration has made it, and it is not deleted");
        return Err(refusal(operation, "NotOurs", ErrorClass::Conflict, &message));
    }
    let deleted = match kind {
        ParameterGroupKind::Instance => {
            ctx.call(operation, ctx.rds().delete_db_snapshot().db_snapshot_identifier(name).send()).await.map(drop)
        }
        ParameterGroupKind::Cluster => {
            ctx.call(operation, ctx.rds().delete_db_cluster_snapshot().db_cluster_snapshot_identifier(name).send()).await.map(drop)
        }
    };
    match deleted {
        Err(error) if error.is_not_found() => Ok(()),
        deleted => deleted,
    }
}

async fn tags_of(ctx: &ScopeContext, kind: ParameterGroupKind, name: &str) -> Result<Vec<Tag>, AwsError> {
    let (operation, tags) = match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().describe_db_snapshots().db_snapshot_identifier(name);
            let page = ctx.call(&operations::DESCRIBE_DB_SNAPSHOTS, request.send()).await?;
            let found = page.db_snapshots.unwrap_or_default().into_iter().next();
            (&operations::DESCRIBE_DB_SNAPSHOTS, found.map(|one| one.tag_list.unwrap_or_default()))
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().describe_db_cluster_snapshots().db_cluster_snapshot_identifier(name);
            let page = ctx.call(&operations::DESCRIBE_DB_CLUSTER_SNAPSHOTS, request.send()).await?;
            let found = page.db_cluster_snapshots.unwrap_or_default().into_iter().next();
            (&operations::DESCRIBE_DB_CLUSTER_SNAPSHOTS, found.map(|one| one.tag_list.unwrap_or_default()))
        }
    };
    tags.ok_or_else(|| AwsError::incomplete(operation, "the snapshot"))
}
