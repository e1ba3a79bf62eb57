//! Reads buckets into plain values.

use std::collections::BTreeSet;

use aws_sdk_s3::types::ServerSideEncryptionRule;
use everseal_planner::inventory::{Bucket, BucketEncryption};
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Inventory, Reading, Service};
use futures::stream;

use super::facts::{self, Facts};
use super::listing::BucketListing;
use super::operations as ops;
use crate::call::ScopeContext;
use crate::error::{AwsError, reading};
use crate::listing::read_all;
use crate::operation::Api;

/// Buckets of the scope's region. A named bucket that is gone, or lives elsewhere, is left out.
pub(crate) async fn observe(ctx: &ScopeContext, listing: &BucketListing, target: &Target, reads: &Reads) -> Inventory {
    let mut part = ctx.part();
    let names = match target {
        Target::Everything => {
            let (names, failed) = listing.names(ctx).await;
            if let Some(error) = failed {
                part.unlisted.insert(Service::S3, error.into());
            }
            names
        }
        Target::Resources(arns) => arns.iter().filter(|arn| arn.service() == "s3").map(|arn| arn.resource().to_owned()).collect(),
    };
    let names = stream::iter(names.into_iter().map(Ok));
    let (buckets, _) = read_all(names, Api::S3.in_flight(), |name| bucket(ctx, name, reads)).await;
    part.buckets = buckets.into_iter().map(|bucket| (bucket.arn.clone(), bucket)).collect();
    part
}

async fn bucket(ctx: &ScopeContext, name: String, reads: &Reads) -> Option<Bucket> {
    let (encryption, document, facts) = futures::join!(
        wanted(reads.bucket_encryption, encryption(ctx, &name)),
        // Gates look into it where no rule does: whether logs are delivered, and who reads the bucket.
        wanted(reads.bucket_documents || reads.gate_facts, document(ctx, &name)),
        // Rarely asked for, and large: on the heap only then.
        wanted(reads.gate_facts || reads.path_facts, async { Box::pin(facts::read(ctx, &name, reads)).await }),
    );
    let settings = [encryption.as_ref().and_then(|read| read.as_ref().err()), document.as_ref().and_then(|read| read.as_ref().err())];
    if settings.into_iter().flatten().any(|error| is_elsewhere(error, &ctx.scope().region)) {
        return None;
    }
    let Facts { website, log_delivery_acl, logging_target, replication, notifications, public_access } = facts.unwrap_or_default();
    Some(Bucket {
        arn: ctx.scope().bucket_arn(&name),
        name,
        encryption: encryption.map_or(Reading::NotRead, reading),
        document: document.map_or(Reading::NotRead, reading),
        tags: Reading::NotRead,
        website,
        log_delivery_acl,
        logging_target,
        replication,
        notifications,
        public_access,
    })
}

async fn wanted<T>(wanted: bool, read: impl Future<Output = T>) -> Option<T> {
    if wanted { Some(read.await) } else { None }
}

/// The bucket is gone, or in a region that another scope works in.
fn is_elsewhere(error: &AwsError, region: &str) -> bool {
    error.has_code("NoSuchBucket") || error.bucket_region.as_deref().is_some_and(|found| found != region)
}

async fn encryption(ctx: &ScopeContext, bucket: &str) -> Result<Option<BucketEncryption>, AwsError> {
    let request = ctx.s3().get_bucket_encryption().bucket(bucket).expected_bucket_owner(&ctx.scope().account);
    let answer = match ctx.call(&ops::GET_BUCKET_ENCRYPTION, request.send()).await {
        Err(error) if error.has_code("ServerSideEncryptionConfigurationNotFoundError") => return Ok(None),
        answer => answer?,
    };
    let rule = answer.server_side_encryption_configuration.and_then(|configuration| configuration.rules.into_iter().next());
    rule.map(whole_rule).transpose()
}

fn whole_rule(rule: ServerSideEncryptionRule) -> Result<BucketEncryption, AwsError> {
    let by_default = rule.apply_server_side_encryption_by_default;
    let by_default = by_default.ok_or_else(|| AwsError::incomplete(&ops::GET_BUCKET_ENCRYPTION, "the default algorithm"))?;
    let blocked = rule.blocked_encryption_types.map(|blocked| blocked.encryption_type.unwrap_or_default());
    Ok(BucketEncryption {
        algorithm: by_default.sse_algorithm.as_str().to_owned(),
        kms_key: by_default.kms_master_key_id.filter(|key| !key.is_empty()),
        bucket_key: rule.bucket_key_enabled.unwrap_or(false),
        blocked_encryption_types: blocked.map(|types| types.iter().map(|kind| kind.as_str().to_owned()).collect::<BTreeSet<_>>()),
    })
}

async fn document(ctx: &ScopeContext, bucket: &str) -> Result<Option<String>, AwsError> {
    let request = ctx.s3().get_bucket_policy().bucket(bucket).expected_bucket_owner(&ctx.scope().account);
    match ctx.call(&ops::GET_BUCKET_POLICY, request.send()).await {
        Err(error) if error.has_code("NoSuchBucketPolicy") => Ok(None),
        answer => Ok(answer?.policy),
    }
}
