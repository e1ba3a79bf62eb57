//! Whose a resource is: a name alone says nothing.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{DbCluster, DbInstance, Tag};
use everseal_planner::inventory::ErrorClass;
use everseal_planner::rds::migration::observed::TAG_OF;

use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::Operation;
use crate::rds::operations;

/// What a migration makes: the name that it gets, and its tags.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) tags: &'a BTreeMap<String, String>,
}

impl Named<'_> {
    /// The outcome of a creation: where the name exists already, `tags_there` tells whether the same migration has made it,
    /// as another daemon or an earlier start did.
    pub(super) async fn made<T>(
        &self,
        created: Result<T, AwsError>,
        tags_there: impl Future<Output = Result<Vec<Tag>, AwsError>>,
    ) -> Result<(), AwsError> {
        let error = match created {
            Ok(_) => return Ok(()),
            Err(error) if error.code.contains("AlreadyExists") => error,
            Err(error) => return Err(error),
        };
        if self.is_made_by_same(&tags_there.await?) {
            return Ok(());
        }
        let message = format!("{} exists and was not made by this migration: rename or remove it", self.name);
        Err(AwsError { class: ErrorClass::Conflict, message, ..error })
    }

    fn is_made_by_same(&self, tags: &[Tag]) -> bool {
        self.tags.get(TAG_OF).is_some_and(|wanted| tag(tags, TAG_OF) == Some(wanted))
    }
}

/// A tag's value.
pub(super) fn tag<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.key() == Some(key)).map(|tag| tag.value().unwrap_or_default())
}

/// The instance of this name, now.
pub(super) async fn instance(ctx: &ScopeContext, name: &str) -> Result<DbInstance, AwsError> {
    let request = ctx.rds().describe_db_instances().db_instance_identifier(name);
    let page = ctx.call(&operations::DESCRIBE_DB_INSTANCES, request.send()).await?;
    let found = page.db_instances.unwrap_or_default().into_iter().next();
    found.ok_or_else(|| AwsError::incomplete(&operations::DESCRIBE_DB_INSTANCES, "the instance"))
}

/// The cluster of this name, now.
pub(super) async fn cluster(ctx: &ScopeContext, name: &str) -> Result<DbCluster, AwsError> {
    let request = ctx.rds().describe_db_clusters().db_cluster_identifier(name);
    let page = ctx.call(&operations::DESCRIBE_DB_CLUSTERS, request.send()).await?;
    let found = page.db_clusters.unwrap_or_default().into_iter().next();
    found.ok_or_else(|| AwsError::incomplete(&operations::DESCRIBE_DB_CLUSTERS, "the cluster"))
}

/// Nothing happens to a database that bears the name but is another one.
pub(super) fn must_be(operation: &'static Operation, name: &str, wanted: &str, found: Option<&str>) -> Result<(), AwsError> {
    if found == Some(wanted) {
        return Ok(());
    }
    let found = found.unwrap_or("without a resource id");
    let message = format!("{name} is another database by now ({found}, not {wanted}): nothing was done to it");
    Err(refusal(operation, "AnotherDatabase", ErrorClass::Conflict, &message))
}

/// A call that was not made.
pub(super) fn refusal(operation: &'static Operation, code: &str, class: ErrorClass, message: &str) -> AwsError {
    AwsError { class, ..AwsError::unavailable(operation, code, message) }
}
