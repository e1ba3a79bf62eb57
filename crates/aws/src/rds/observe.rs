//! Reads databases: two paged listings bring everything but parameters, tags included.
//!
//! The same listings return Neptune's and `DocumentDB`'s databases: they are left out, for their
//! encryption and parameters follow other rules and nothing here may change them.

use std::collections::BTreeSet;

use aws_sdk_rds::types::Filter;
use everseal_planner::arn::ArnError;
use everseal_planner::plan::{Reads, Target};
use everseal_planner::rds::observed::{DbCluster, DbInstance};
use everseal_planner::{Arn, Inventory, Service};

use super::migration::{Concerned, Replications};
use super::{convert, migration, operations, parameters, proxies};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::Operation;

/// Records of one page, the most that AWS gives. [rds:DescribeDBInstances]
pub(super) const PAGE: i32 = 100;

/// Reads this service's resources into an inventory of their own; the account joins the parts.
/// A failed listing goes into `unlisted`; a target that is gone, or is another service's, is left out.
pub async fn observe(ctx: &ScopeContext, target: &Target, reads: &Reads) -> Inventory {
    let mut part = ctx.part();
    if reads.migrations && has_databases(target) {
        part.migrations = Box::pin(migration::observe(ctx)).await;
    }
    let replications = match Box::pin(read_databases(ctx, target, reads, &mut part)).await {
        Ok(replications) => replications,
        Err(error) => {
            part.unlisted.insert(Service::Rds, error.into());
            Replications::new()
        }
    };
    if reads.parameter_groups {
        Box::pin(parameters::observe(ctx, target, &mut part)).await;
    }
    if reads.gate_facts && (reads.migrations || (reads.parameter_groups && *target != Target::Everything)) {
        part.migrations.databases = Box::pin(migration::surroundings(ctx, target, reads, (&part, &replications))).await;
    }
    if reads.proxies {
        Box::pin(proxies::observe(ctx, target, reads, &mut part)).await;
    }
    part
}

fn has_databases(target: &Target) -> bool {
    [identifiers(target, "db"), identifiers(target, "cluster")].iter().any(|wanted| wanted.as_ref().is_none_or(|wanted| !wanted.is_empty()))
}

/// One listing that failed takes nothing from what the other one saw. Where migrations are read, instances come after the
/// clusters: what is kept of a member hangs on its cluster.
async fn read_databases(ctx: &ScopeContext, target: &Target, reads: &Reads, part: &mut Inventory) -> Result<Replications, AwsError> {
    let mut concerned = Concerned::by(reads.migrations, &part.migrations);
    let (instances, clusters) = if reads.migrations {
        let clusters = clusters(ctx, target, &mut concerned).await;
        (instances(ctx, target, &concerned).await, clusters)
    } else {
        let (of_instances, mut of_clusters) = (Concerned::default(), concerned);
        futures::join!(instances(ctx, target, &of_instances), clusters(ctx, target, &mut of_clusters))
    };
    let mut outcome = Ok(Replications::new());
    match clusters {
        Ok(clusters) => part.db_clusters.extend(clusters.into_iter().map(|cluster| (cluster.arn.clone(), cluster))),
        Err(error) => outcome = Err(error),
    }
    match instances {
        Ok((instances, replications)) => {
            part.db_instances.extend(instances.into_iter().map(|instance| (instance.arn.clone(), instance)));
            outcome = outcome.map(|_| replications);
        }
        Err(error) => outcome = Err(error),
    }
    outcome
}

pub(super) fn not_an_arn(operation: &'static Operation, error: &ArnError) -> AwsError {
    AwsError::incomplete(operation, &format!("an ARN: {error}"))
}

/// Identifiers of the targets of one kind (`db`, `cluster`, `pg`, `cluster-pg`); `None` = all there are.
pub(super) fn identifiers(target: &Target, kind: &str) -> Option<BTreeSet<String>> {
    let Target::Resources(arns) = target else { return None };
    let of_kind = |arn: &Arn| {
        let (found, identifier) = arn.resource().split_once(':')?;
        (arn.service() == "rds" && found == kind).then(|| identifier.to_owned())
    };
    Some(arns.iter().filter_map(of_kind).collect())
}

/// One call for all targets of a kind. A filter that matches nothing is an empty answer, not an error.
fn filters(name: &str, identifiers: Option<BTreeSet<String>>) -> Option<Vec<Filter>> {
    identifiers.map(|identifiers| vec![Filter::builder().name(name).set_values(Some(identifiers.into_iter().collect())).build()])
}

async fn instances(ctx: &ScopeContext, target: &Target, concerned: &Concerned) -> Result<(Vec<DbInstance>, Replications), AwsError> {
    let (mut found, mut replications, mut marker) = (Vec::new(), Replications::new(), None);
    let wanted = identifiers(target, "db");
    if wanted.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok((found, replications));
    }
    let filters = filters("db-instance-id", wanted);
    loop {
        let request = ctx.rds().describe_db_instances().max_records(PAGE).set_filters(filters.clone()).set_marker(marker);
        let page = match ctx.call(&operations::DESCRIBE_DB_INSTANCES, request.send()).await {
            Err(error) if error.is_not_found() => return Ok((found, replications)),
            page => page?,
        };
        marker = page.marker().map(str::to_owned);
        for one in page.db_instances().iter().filter(|one| convert::is_rds_engine(one.engine())) {
            let mut instance = convert::instance(one).map_err(|error| not_an_arn(&operations::DESCRIBE_DB_INSTANCES, &error))?;
            if concerned.instance(one, &instance.storage) {
                instance.settings = Some(Box::new(migration::settings::instance(one)));
            }
            let replicated = one.db_instance_automated_backups_replications().iter();
            let replicated: BTreeSet<String> = replicated.filter_map(|to| to.db_instance_automated_backups_arn.clone()).collect();
            if !replicated.is_empty() {
                replications.insert(instance.arn.clone(), replicated);
            }
            found.push(instance);
        }
        if marker.is_none() {
            return Ok((found, replications));
        }
    }
}

async fn clusters(ctx: &ScopeContext, target: &Target, concerned: &mut Concerned) -> Result<Vec<DbCluster>, AwsError> {
    let wanted = identifiers(target, "cluster");
    if wanted.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(Vec::new());
    }
    let filters = filters("db-cluster-id", wanted);
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let request = ctx.rds().describe_db_clusters().max_records(PAGE).set_filters(filters.clone()).set_marker(marker);
        let page = match ctx.call(&operations::DESCRIBE_DB_CLUSTERS, request.send()).await {
            Err(error) if error.is_not_found() => return Ok(found),
            page => page?,
        };
        marker = page.marker().map(str::to_owned);
        for one in page.db_clusters().iter().filter(|one| convert::is_rds_engine(one.engine())) {
            let mut cluster = convert::cluster(one).map_err(|error| not_an_arn(&operations::DESCRIBE_DB_CLUSTERS, &error))?;
            if concerned.cluster(one, &cluster.storage) {
                cluster.settings = Some(Box::new(migration::settings::cluster(one)));
            }
            found.push(cluster);
        }
        if marker.is_none() {
            return Ok(found);
        }
    }
}
