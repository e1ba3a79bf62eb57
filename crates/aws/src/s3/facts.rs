//! What only gates and paths need of a bucket: read for buckets that have a step, or where paths are asked for.

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{Permission, ReplicationRuleStatus, SseKmsEncryptedObjectsStatus};
use everseal_planner::plan::Reads;
use everseal_planner::s3::observed::{BucketNotifications, PublicAccess, ReplicationRule};
use everseal_planner::{Arn, Reading};

use super::operations as ops;
use crate::call::ScopeContext;
use crate::error::{AwsError, EMPTY_RESPONSE, reading};

/// S3's own log delivery writes by the bucket's ACL where no bucket policy lets it. [S3: Log delivery group]
const LOG_DELIVERY_GROUP: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// All gate and path facts of one bucket.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) website: Reading<bool>,
    pub(super) log_delivery_acl: Reading<bool>,
    pub(super) logging_target: Reading<Option<String>>,
    pub(super) replication: Reading<Vec<ReplicationRule>>,
    pub(super) notifications: Reading<BucketNotifications>,
    pub(super) public_access: Reading<PublicAccess>,
}

/// Each fact is read for itself: one that is denied leaves the others.
pub(super) async fn read(ctx: &ScopeContext, bucket: &str, reads: &Reads) -> Facts {
    let (gates, paths) = (reads.gate_facts, reads.path_facts);
    let (website, log_delivery_acl, logging_target, replication, notifications, public_access) = futures::join!(
        fact(gates, website(ctx, bucket)),
        fact(gates, log_delivery_acl(ctx, bucket)),
        fact(paths, logging_target(ctx, bucket)),
        fact(gates || paths, replication(ctx, bucket)),
        fact(gates || paths, notifications(ctx, bucket)),
        fact(gates, public_access(ctx, bucket)),
    );
    Facts { website, log_delivery_acl, logging_target, replication, notifications, public_access }
}

async fn fact<T>(wanted: bool, read: impl Future<Output = Result<T, AwsError>>) -> Reading<T> {
    if wanted { reading(read.await) } else { Reading::NotRead }
}

async fn website(ctx: &ScopeContext, bucket: &str) -> Result<bool, AwsError> {
    let request = ctx.s3().get_bucket_website().bucket(bucket).expected_bucket_owner(&ctx.scope().account);
    match ctx.call(&ops::GET_BUCKET_WEBSITE, request.send()).await {
        Ok(_) => Ok(true),
        Err(error) if error.has_code("NoSuchWebsiteConfiguration") => Ok(false),
        Err(error) => Err(error),
    }
}

async fn log_delivery_acl(ctx: &ScopeContext, bucket: &str) -> Result<bool, AwsError> {
    let request = ctx.s3().get_bucket_acl().bucket(bucket).expected_bucket_owner(&ctx.scope().account);
    let acl = ctx.call(&ops::GET_BUCKET_ACL, request.send()).await?;
    Ok(acl.grants().iter().any(|grant| {
        let to_log_delivery = grant.grantee().and_then(|grantee| grantee.uri()) == Some(LOG_DELIVERY_GROUP);
        to_log_delivery && matches!(grant.permission(), Some(Permission::Write | Permission::FullControl))
    }))
}

async fn logging_target(ctx: &ScopeContext, bucket: &str) -> Result<Option<String>, AwsError> {
    let request = ctx.s3().get_bucket_logging().bucket(bucket).expected_bucket_owner(&ctx.scope().account);
    match ctx.call(&ops::GET_BUCKET_LOGGING, request.send()).await {
        // S3 answers an empty element where logging is off, servers like it answer nothing.
        Err(error) if error.has_code(EMPTY_RESPONSE) => Ok(None),
        answer => Ok(answer?.logging_enabled.map(|logging| logging.target_bucket)),
    }
}

async fn replication(ctx: &ScopeContext, bucket: &str) -> Result<Vec<ReplicationRule>, AwsError> {
    let request = ctx.s3().get_bucket_replication().bucket(bucket).expected_bucket_owner(&ctx.scope().account);
    let answer = match ctx.call(&ops::GET_BUCKET_REPLICATION, request.send()).await {
        Err(error) if error.has_code("ReplicationConfigurationNotFoundError") => return Ok(Vec::new()),
        answer => answer?,
    };
    let (role, rules) = answer.replication_configuration.map(|configuration| (configuration.role, configuration.rules)).unwrap_or_default();
    let role = Arn::parse(&role).ok();
    let enabled = rules.into_iter().filter(|rule| rule.status == ReplicationRuleStatus::Enabled);
    Ok(enabled
        .map(|rule| {
            let kms_objects = rule.source_selection_criteria.and_then(|criteria| criteria.sse_kms_encrypted_objects);
            let (destination, encryption) =
                rule.destination.map(|destination| (destination.bucket, destination.encryption_configuration)).unwrap_or_default();
            ReplicationRule {
                id: rule.id.unwrap_or_default(),
                destination,
                replicates_kms_objects: kms_objects.is_some_and(|objects| objects.status == SseKmsEncryptedObjectsStatus::Enabled),
                replica_kms_key: encryption.and_then(|encryption| encryption.replica_kms_key_id),
                role: role.clone(),
            }
        })
        .collect())
}

async fn notifications(ctx: &ScopeContext, bucket: &str) -> Result<BucketNotifications, AwsError> {
    let request = ctx.s3().get_bucket_notification_configuration().bucket(bucket).expected_bucket_owner(&ctx.scope().account);
    let answer = match ctx.call(&ops::GET_BUCKET_NOTIFICATION_CONFIGURATION, request.send()).await {
        // S3 answers an empty element where nothing is configured, servers like it answer nothing.
        Err(error) if error.has_code(EMPTY_RESPONSE) => return Ok(BucketNotifications::default()),
        answer => answer?,
    };
    let GetBucketNotificationConfigurationOutput {
        topic_configurations,
        queue_configurations,
        lambda_function_configurations,
        event_bridge_configuration,
        ..
    } = answer;
    let topics = topic_configurations.unwrap_or_default().into_iter().map(|target| target.topic_arn);
    let queues = queue_configurations.unwrap_or_default().into_iter().map(|target| target.queue_arn);
    let functions = lambda_function_configurations.unwrap_or_default().into_iter().map(|target| target.lambda_function_arn);
    let targets: Result<Vec<Arn>, AwsError> = topics
        .chain(queues)
        .chain(functions)
        .map(|target| Arn::parse(&target).map_err(|_| AwsError::incomplete(&ops::GET_BUCKET_NOTIFICATION_CONFIGURATION, "a target's ARN")))
        .collect();
    Ok(BucketNotifications { targets: targets?, event_bridge: event_bridge_configuration.is_some() })
}

async fn public_access(ctx: &ScopeContext, bucket: &str) -> Result<PublicAccess, AwsError> {
    let owner = &ctx.scope().account;
    let status = ctx.s3().get_bucket_policy_status().bucket(bucket).expected_bucket_owner(owner);
    let policy_is_public = match ctx.call(&ops::GET_BUCKET_POLICY_STATUS, status.send()).await {
        Ok(answer) => answer.policy_status.and_then(|status| status.is_public).unwrap_or(false),
        Err(error) if error.has_code("NoSuchBucketPolicy") => false,
        Err(error) => return Err(error),
    };
    let block = ctx.s3().get_public_access_block().bucket(bucket).expected_bucket_owner(owner);
    let block_public_policy = match ctx.call(&ops::GET_PUBLIC_ACCESS_BLOCK, block.send()).await {
        Ok(answer) => answer.public_access_block_configuration.and_then(|block| block.block_public_policy).unwrap_or(false),
        Err(error) if error.has_code("NoSuchPublicAccessBlockConfiguration") => false,
        Err(error) => return Err(error),
    };
    Ok(PublicAccess { policy_is_public, block_public_policy })
}
