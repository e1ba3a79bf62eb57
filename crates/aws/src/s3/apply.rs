//! Writes what a step holds, whole: S3 replaces rule and policy with what is sent.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{
    BlockedEncryptionTypes, EncryptionType, ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use everseal_controller::ApplyError;
use everseal_planner::inventory::BucketEncryption;
use everseal_planner::plan::Change;
use everseal_planner::{Arn, plan::KeyRef};

use super::operations as ops;
use crate::account::{key_not_there, misrouted};
use crate::call::ScopeContext;

/// Makes one change to a bucket.
pub(crate) async fn apply(ctx: &ScopeContext, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
    match change {
        Change::BucketEncryption { waits_for: Some(KeyRef::ToBeCreated { alias }), .. } => Err(key_not_there(change, alias)),
        Change::BucketEncryption { bucket, before: _, after, waits_for: Some(KeyRef::Arn(_)) | None } => {
            put_encryption(ctx, bucket, after).await
        }
        Change::BucketDocument { bucket, before: _, after } => {
            let request = ctx.s3().put_bucket_policy().bucket(bucket).policy(after).expected_bucket_owner(&ctx.scope().account);
            ctx.call(&ops::PUT_BUCKET_POLICY, request.send()).await?;
            Ok(())
        }
        _ => Err(misrouted(resource, change)),
    }
}

async fn put_encryption(ctx: &ScopeContext, bucket: &str, rule: &BucketEncryption) -> Result<(), ApplyError> {
    let BucketEncryption { algorithm, kms_key, bucket_key, blocked_encryption_types } = rule;
    let by_default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::from(algorithm.as_str()))
        .set_kms_master_key_id(kms_key.clone())
        .build()
        .map_err(|error| not_built(&error))?;
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by_default)
        .bucket_key_enabled(*bucket_key)
        .set_blocked_encryption_types(blocked_encryption_types.as_ref().and_then(blocked))
        .build();
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(|error| not_built(&error))?;
    let request = ctx
        .s3()
        .put_bucket_encryption()
        .bucket(bucket)
        .server_side_encryption_configuration(configuration)
        .expected_bucket_owner(&ctx.scope().account);
    ctx.call(&ops::PUT_BUCKET_ENCRYPTION, request.send()).await?;
    Ok(())
}

/// An empty element is not valid: nothing blocked and nothing said are then the same request.
fn blocked(types: &BTreeSet<String>) -> Option<BlockedEncryptionTypes> {
    let types: Vec<EncryptionType> = types.iter().map(|kind| EncryptionType::from(kind.as_str())).collect();
    (!types.is_empty()).then(|| BlockedEncryptionTypes::builder().set_encryption_type(Some(types)).build())
}

fn not_built(error: &aws_smithy_types::error::operation::BuildError) -> ApplyError {
    crate::error::AwsError::invalid(&ops::PUT_BUCKET_ENCRYPTION, &error.to_string()).into()
}
