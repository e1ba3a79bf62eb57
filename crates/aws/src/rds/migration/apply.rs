//! One change of a migration, one call.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::types::Tag;
use everseal_planner::plan::change::ParameterGroupKind;
use everseal_planner::rds::migration::change::MigrationChange;

use super::identity::Named;
use super::words::explained;
use super::{blue_green, configure, create, identity, proxies, remove, snapshots};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::rds::operations;

/// Makes the change. What AWS refuses comes with words on what to do.
pub(in crate::rds) async fn apply(ctx: &ScopeContext, change: &MigrationChange) -> Result<(), AwsError> {
    Box::pin(make(ctx, change)).await.map_err(explained)
}

async fn make(ctx: &ScopeContext, change: &MigrationChange) -> Result<(), AwsError> {
    match change {
        MigrationChange::Tags { arn, set, remove } => set_tags(ctx, arn, set, remove).await,
        MigrationChange::SecurityGroups { kind, database, before: _, after } => security_groups(ctx, *kind, database, after).await,
        MigrationChange::CreateSnapshot { kind, database, snapshot, tags } => {
            snapshots::take(ctx, *kind, &snapshots::Wanted { of: database, name: snapshot, tags }).await
        }
        MigrationChange::CopySnapshot { source, target, key, tags } => {
            snapshots::copy(ctx, &snapshots::Wanted { of: source, name: target, tags }, key).await
        }
        MigrationChange::RestoreInstance { snapshot, instance, settings, tags } => {
            create::instance(ctx, &Named { name: instance, tags }, snapshot, settings).await
        }
        MigrationChange::ConfigureInstance { instance, before, after } => configure::instance(ctx, instance, before, after).await,
        MigrationChange::AddRole { kind, database, feature, role } => add_role(ctx, *kind, database, (feature, role)).await,
        MigrationChange::RestoreCluster { snapshot, cluster, engine, engine_version, key, settings, tags } => {
            let from = create::Encrypted { snapshot, engine, engine_version, key };
            create::cluster(ctx, &Named { name: cluster, tags }, &from, settings).await
        }
        MigrationChange::ConfigureCluster { cluster, before, after } => configure::cluster(ctx, cluster, before, after).await,
        MigrationChange::CreateClusterMember { cluster, instance, engine, settings, tags } => {
            create::member(ctx, &Named { name: instance, tags }, (cluster, engine), settings).await
        }
        MigrationChange::Rename { kind, resource_id, from, to } => rename(ctx, *kind, resource_id, (from, to)).await,
        MigrationChange::DeletionProtection { kind, database, on } => deletion_protection(ctx, *kind, database, *on).await,
        MigrationChange::RetargetProxy { proxy, target_group, from, to, kind } => {
            proxies::retarget(ctx, (proxy, target_group), *kind, (from, to)).await
        }
        MigrationChange::SubscribeEvents { subscription, database } => {
            let request = ctx.rds().add_source_identifier_to_subscription().subscription_name(subscription).source_identifier(database);
            ctx.call(&operations::ADD_SOURCE_IDENTIFIER_TO_SUBSCRIPTION, request.send()).await.map(drop)
        }
        MigrationChange::CreateBlueGreen { name, source, encrypt, key, tags, note_refusal } => {
            let created = blue_green::create(ctx, &Named { name, tags }, source, (encrypt, key)).await;
            blue_green::noting_refusal(ctx, source, note_refusal, created).await
        }
        MigrationChange::SwitchoverBlueGreen { identifier, timeout } => blue_green::switch_over(ctx, identifier, *timeout).await,
        MigrationChange::DeleteBlueGreen { identifier, delete_target } => blue_green::delete(ctx, identifier, *delete_target).await,
        MigrationChange::DeleteSnapshot { kind, snapshot } => snapshots::delete(ctx, *kind, snapshot).await,
        MigrationChange::DeleteDatabase { kind, resource_id, database, final_snapshot } => {
            remove::database(ctx, *kind, (database, resource_id), final_snapshot.as_deref()).await
        }
    }
}

/// Tags of a call. Those that AWS itself has set (`aws:…`) can't be given to another resource. [RDS: tagging]
pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> Option<Vec<Tag>> {
    let own = tags.iter().filter(|(key, _)| !key.starts_with("aws:"));
    let list: Vec<Tag> = own.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    (!list.is_empty()).then_some(list)
}

pub(super) async fn set_tags(
    ctx: &ScopeContext,
    arn: &str,
    set: &BTreeMap<String, String>,
    remove: &BTreeSet<String>,
) -> Result<(), AwsError> {
    if let Some(tags) = tag_list(set) {
        let request = ctx.rds().add_tags_to_resource().resource_name(arn).set_tags(Some(tags));
        ctx.call(&operations::ADD_TAGS_TO_RESOURCE, request.send()).await?;
    }
    if !remove.is_empty() {
        let keys = remove.iter().cloned().collect();
        let request = ctx.rds().remove_tags_from_resource().resource_name(arn).set_tag_keys(Some(keys));
        ctx.call(&operations::REMOVE_TAGS_FROM_RESOURCE, request.send()).await?;
    }
    Ok(())
}

/// An instance's security groups change as soon as possible in any case, and `ApplyImmediately` would also set off whatever
/// else is pending on the old database. A cluster's concerns this request alone. [rds:ModifyDBInstance; rds:ModifyDBCluster]
async fn security_groups(ctx: &ScopeContext, kind: ParameterGroupKind, database: &str, groups: &BTreeSet<String>) -> Result<(), AwsError> {
    let groups = Some(groups.iter().cloned().collect());
    match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().modify_db_instance().db_instance_identifier(database).set_vpc_security_group_ids(groups);
            ctx.call(&operations::MODIFY_DB_INSTANCE, request.send()).await.map(drop)
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().modify_db_cluster().db_cluster_identifier(database).set_vpc_security_group_ids(groups);
            ctx.call(&operations::MODIFY_DB_CLUSTER, request.apply_immediately(true).send()).await.map(drop)
        }
    }
}

/// Takes effect at once, whatever `ApplyImmediately` says. [RDS: Settings for DB instances; Modifying an Aurora DB cluster]
async fn deletion_protection(ctx: &ScopeContext, kind: ParameterGroupKind, database: &str, on: bool) -> Result<(), AwsError> {
    match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().modify_db_instance().db_instance_identifier(database).deletion_protection(on);
            ctx.call(&operations::MODIFY_DB_INSTANCE, request.send()).await.map(drop)
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().modify_db_cluster().db_cluster_identifier(database).deletion_protection(on);
            ctx.call(&operations::MODIFY_DB_CLUSTER, request.send()).await.map(drop)
        }
    }
}

/// A name may have gone to another database since it was read: what is renamed is known by its own id.
async fn rename(ctx: &ScopeContext, kind: ParameterGroupKind, resource_id: &str, (from, to): (&str, &str)) -> Result<(), AwsError> {
    match kind {
        ParameterGroupKind::Instance => {
            let found = identity::instance(ctx, from).await?;
            identity::must_be(&operations::MODIFY_DB_INSTANCE, from, resource_id, found.dbi_resource_id())?;
            let request = ctx.rds().modify_db_instance().db_instance_identifier(from).new_db_instance_identifier(to);
            ctx.call(&operations::MODIFY_DB_INSTANCE, request.apply_immediately(true).send()).await.map(drop)
        }
        ParameterGroupKind::Cluster => {
            let found = identity::cluster(ctx, from).await?;
            identity::must_be(&operations::MODIFY_DB_CLUSTER, from, resource_id, found.db_cluster_resource_id())?;
            let request = ctx.rds().modify_db_cluster().db_cluster_identifier(from).new_db_cluster_identifier(to);
            ctx.call(&operations::MODIFY_DB_CLUSTER, request.apply_immediately(true).send()).await.map(drop)
        }
    }
}

/// The other daemon may have been faster: the very role under the very feature is what was wanted.
async fn add_role(ctx: &ScopeContext, kind: ParameterGroupKind, database: &str, (feature, role): (&str, &str)) -> Result<(), AwsError> {
    let named = Some(feature).filter(|feature| !feature.is_empty()).map(str::to_owned);
    let added = match kind {
        ParameterGroupKind::Instance => {
            let request = ctx.rds().add_role_to_db_instance().db_instance_identifier(database).role_arn(role).feature_name(feature);
            ctx.call(&operations::ADD_ROLE_TO_DB_INSTANCE, request.send()).await.map(drop)
        }
        ParameterGroupKind::Cluster => {
            let request = ctx.rds().add_role_to_db_cluster().db_cluster_identifier(database).role_arn(role).set_feature_name(named);
            ctx.call(&operations::ADD_ROLE_TO_DB_CLUSTER, request.send()).await.map(drop)
        }
    };
    let Err(error) = added else { return Ok(()) };
    if !error.code.contains("AlreadyExists") {
        return Err(error);
    }
    let roles = match kind {
        ParameterGroupKind::Instance => super::settings::instance(&identity::instance(ctx, database).await?).associated_roles,
        ParameterGroupKind::Cluster => super::settings::cluster(&identity::cluster(ctx, database).await?).associated_roles,
    };
    if roles.get(feature).is_some_and(|there| there == role) { Ok(()) } else { Err(error) }
}
