//! What AWS shows of migrations: our snapshots, every blue/green deployment, and which databases' settings are worth keeping.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types;
use everseal_planner::Arn;
use everseal_planner::arn::ArnError;
use everseal_planner::rds::migration::observed::{BlueGreenDeployment, DbSnapshot, MigrationFacts, TAG_OF};
use everseal_planner::rds::observed::StorageEncryption;
use futures::TryStreamExt;

use crate::call::ScopeContext;
use crate::error::{AwsError, reading};
use crate::listing::pages;
use crate::rds::observe::{PAGE, not_an_arn};
use crate::rds::{convert, operations};

/// Tags of ours begin with this.
const OUR_TAGS: &str = "everseal:";

/// The three listings, each of which may fail alone. They are read whole also for single databases: none can be asked for
/// what carries a tag, and what is missing from a part would look like "not made".
pub(in crate::rds) async fn observe(ctx: &ScopeContext) -> MigrationFacts {
    let (snapshots, blue_green) = futures::join!(snapshots(ctx), blue_green_deployments(ctx));
    MigrationFacts { snapshots: reading(snapshots), blue_green_deployments: reading(blue_green), databases: BTreeMap::new() }
}

async fn snapshots(ctx: &ScopeContext) -> Result<BTreeMap<Arn, DbSnapshot>, AwsError> {
    let (of_instances, of_clusters) = futures::try_join!(instance_snapshots(ctx), cluster_snapshots(ctx))?;
    Ok(of_instances.into_iter().chain(of_clusters).map(|snapshot| (snapshot.arn.clone(), snapshot)).collect())
}

async fn instance_snapshots(ctx: &ScopeContext) -> Result<Vec<DbSnapshot>, AwsError> {
    let operation = &operations::DESCRIBE_DB_SNAPSHOTS;
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_db_snapshots().snapshot_type("manual").max_records(PAGE).set_marker(marker);
        let page = ctx.call(operation, request.send()).await?;
        Ok((page.db_snapshots.unwrap_or_default(), page.marker))
    });
    let ours = listing.try_filter_map(|one| async move {
        ours(one.tag_list()).then(|| snapshot(&one)).transpose().map_err(|error| not_an_arn(operation, &error))
    });
    ours.try_collect().await
}

async fn cluster_snapshots(ctx: &ScopeContext) -> Result<Vec<DbSnapshot>, AwsError> {
    let operation = &operations::DESCRIBE_DB_CLUSTER_SNAPSHOTS;
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_db_cluster_snapshots().snapshot_type("manual").max_records(PAGE).set_marker(marker);
        let page = ctx.call(operation, request.send()).await?;
        Ok((page.db_cluster_snapshots.unwrap_or_default(), page.marker))
    });
    let ours = listing.try_filter_map(|one| async move {
        ours(one.tag_list()).then(|| cluster_snapshot(&one)).transpose().map_err(|error| not_an_arn(operation, &error))
    });
    ours.try_collect().await
}

async fn blue_green_deployments(ctx: &ScopeContext) -> Result<BTreeMap<String, BlueGreenDeployment>, AwsError> {
    let listing = pages(|marker| async move {
        let request = ctx.rds().describe_blue_green_deployments().max_records(PAGE).set_marker(marker);
        let page = ctx.call(&operations::DESCRIBE_BLUE_GREEN_DEPLOYMENTS, request.send()).await?;
        Ok((page.blue_green_deployments.unwrap_or_default(), page.marker))
    });
    listing.map_ok(|one| blue_green(&one)).map_ok(|one| (one.identifier.clone(), one)).try_collect().await
}

fn ours(tags: &[types::Tag]) -> bool {
    tags.iter().any(|tag| tag.key() == Some(TAG_OF))
}

fn snapshot(described: &types::DbSnapshot) -> Result<DbSnapshot, ArnError> {
    Ok(DbSnapshot {
        arn: Arn::parse(described.db_snapshot_arn().unwrap_or_default())?,
        identifier: convert::text(described.db_snapshot_identifier()),
        database: convert::text(described.db_instance_identifier()),
        status: convert::text(described.status()),
        percent_progress: percent(described.percent_progress()),
        created_at: described.snapshot_create_time().map(DateTime::secs),
        data_of: described.original_snapshot_create_time().map(DateTime::secs),
        copied_from: filled(described.source_db_snapshot_identifier()),
        storage: convert::storage(described.encrypted(), described.storage_encryption_type(), described.kms_key_id()),
        tags: convert::tags(described.tag_list()),
    })
}

/// Snapshots of clusters don't tell when the data of a copy is of; we make no copies of them.
fn cluster_snapshot(described: &types::DbClusterSnapshot) -> Result<DbSnapshot, ArnError> {
    let copied_from = filled(described.source_db_cluster_snapshot_arn());
    let created_at = described.snapshot_create_time().map(DateTime::secs);
    Ok(DbSnapshot {
        arn: Arn::parse(described.db_cluster_snapshot_arn().unwrap_or_default())?,
        identifier: convert::text(described.db_cluster_snapshot_identifier()),
        database: convert::text(described.db_cluster_identifier()),
        status: convert::text(described.status()),
        percent_progress: percent(described.percent_progress()),
        created_at,
        data_of: created_at.filter(|_| copied_from.is_none()),
        copied_from,
        storage: convert::storage(described.storage_encrypted(), described.storage_encryption_type(), described.kms_key_id()),
        tags: convert::tags(described.tag_list()),
    })
}

fn blue_green(described: &types::BlueGreenDeployment) -> BlueGreenDeployment {
    let tasks = described.tasks().iter().map(|task| (convert::text(task.name()), convert::text(task.status())));
    BlueGreenDeployment {
        identifier: convert::text(described.blue_green_deployment_identifier()),
        name: convert::text(described.blue_green_deployment_name()),
        source: convert::text(described.source()),
        target: filled(described.target()),
        status: convert::text(described.status()),
        status_details: filled(described.status_details()),
        tasks: tasks.collect(),
        created_at: described.create_time().map(DateTime::secs),
        tags: convert::tags(described.tag_list()),
    }
}

fn filled(value: Option<&str>) -> Option<String> {
    value.filter(|value| !value.is_empty()).map(str::to_owned)
}

fn percent(progress: Option<i32>) -> u8 {
    progress.and_then(|progress| u8::try_from(progress).ok()).unwrap_or_default()
}

/// Which databases a migration may concern: only theirs are the settings kept.
#[derive(Debug, Default)]
pub(in crate::rds) struct Concerned {
    wanted: bool,
    /// ARNs of both sides of blue/green deployments.
    beside: BTreeSet<String>,
    /// Clusters by identifier, once they are read: whether their settings are kept.
    clusters: BTreeMap<String, bool>,
}

impl Concerned {
    /// Databases of `facts`; none at all where nobody asks for migrations.
    pub(in crate::rds) fn by(wanted: bool, facts: &MigrationFacts) -> Self {
        let deployments = facts.blue_green_deployments.known().into_iter().flat_map(BTreeMap::values);
        let beside = deployments.flat_map(|one| std::iter::once(&one.source).chain(&one.target)).cloned().collect();
        Self { wanted, beside, clusters: BTreeMap::new() }
    }

    /// Settings of this instance are kept. A member of a cluster goes with the cluster, where that was read.
    pub(in crate::rds) fn instance(&self, described: &types::DbInstance, storage: &StorageEncryption) -> bool {
        let cluster = described.db_cluster_identifier().and_then(|cluster| self.clusters.get(cluster).copied());
        self.wanted && (cluster.unwrap_or_else(|| is_open(storage)) || self.is_ours(described.db_instance_arn(), described.tag_list()))
    }

    /// Settings of this cluster are kept, and those of its members.
    pub(in crate::rds) fn cluster(&mut self, described: &types::DbCluster, storage: &StorageEncryption) -> bool {
        let concerned = self.wanted && (is_open(storage) || self.is_ours(described.db_cluster_arn(), described.tag_list()));
        self.clusters.insert(convert::text(described.db_cluster_identifier()), concerned);
        concerned
    }

    fn is_ours(&self, arn: Option<&str>, tags: &[types::Tag]) -> bool {
        let tagged = tags.iter().any(|tag| tag.key().is_some_and(|key| key.starts_with(OUR_TAGS)));
        tagged || arn.is_some_and(|arn| self.beside.contains(arn))
    }
}

/// `StorageEncryptionType` decides where it is present: clusters under SSE-RDS bear `StorageEncrypted` = false.
fn is_open(storage: &StorageEncryption) -> bool {
    let StorageEncryption { storage_encrypted, storage_encryption_type, kms_key: _ } = storage;
    storage_encryption_type.as_deref().map_or(!storage_encrypted, |kind| kind == "none")
}
