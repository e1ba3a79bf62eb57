//! Writes a queue's encryption or policy.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use everseal_controller::ApplyError;
use everseal_planner::Arn;
use everseal_planner::plan::change::QueueEncryption;
use everseal_planner::plan::{Change, KeyRef};

use super::operations as ops;
use crate::account::{key_not_there, misrouted};
use crate::call::ScopeContext;
use crate::error::AwsError;

/// Makes one change to a queue.
pub(crate) async fn apply(ctx: &ScopeContext, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
    let (url, attributes) = match change {
        Change::QueueEncryption { waits_for: Some(KeyRef::ToBeCreated { alias }), .. } => return Err(key_not_there(change, alias)),
        Change::QueueEncryption { url, before, after, waits_for: Some(KeyRef::Arn(_)) | None } => (url, encryption(before, after)?),
        Change::QueueDocument { url, before: _, after } => (url, HashMap::from([(QueueAttributeName::Policy, after.clone())])),
        _ => return Err(misrouted(resource, change)),
    };
    let request = ctx.sqs().set_queue_attributes().queue_url(url).set_attributes(Some(attributes));
    ctx.call(&ops::SET_QUEUE_ATTRIBUTES, request.send()).await?;
    Ok(())
}

/// One call, so that the queue is never unencrypted in between. SQS rejects a key together with
/// SSE-SQS, and turning the key off does not turn SSE-SQS on. [SQS: Configuring SSE-SQS]
fn encryption(before: &QueueEncryption, after: &QueueEncryption) -> Result<HashMap<QueueAttributeName, String>, AwsError> {
    let QueueEncryption { kms_key, data_key_reuse_seconds, sqs_managed_sse } = after;
    let mut attributes = HashMap::new();
    match (kms_key, sqs_managed_sse) {
        (Some(key), _) => {
            attributes.insert(QueueAttributeName::KmsMasterKeyId, key.clone());
            if let Some(seconds) = data_key_reuse_seconds {
                attributes.insert(QueueAttributeName::KmsDataKeyReusePeriodSeconds, seconds.to_string());
            }
        }
        (None, true) => {
            attributes.insert(QueueAttributeName::SqsManagedSseEnabled, "true".to_owned());
            if before.kms_key.is_some() {
                attributes.insert(QueueAttributeName::KmsMasterKeyId, String::new());
            }
        }
        (None, false) => return Err(AwsError::invalid(&ops::SET_QUEUE_ATTRIBUTES, "a queue is never left unencrypted")),
    }
    Ok(attributes)
}
