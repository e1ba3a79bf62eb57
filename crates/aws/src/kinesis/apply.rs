//! Changes data streams: `StartStreamEncryption`, which also switches to another key.

use aws_sdk_kinesis::types::EncryptionType;
use everseal_controller::ApplyError;
use everseal_planner::Arn;
use everseal_planner::plan::{Change, KeyRef};

use super::operations;
use crate::call::ScopeContext;

/// Makes one change of this service.
pub async fn apply(ctx: &ScopeContext, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
    let Change::DataStreamEncryption { before: _, after: KeyRef::Arn(key) } = change else {
        return Err(crate::account::misrouted(resource, change));
    };
    let request =
        ctx.kinesis().start_stream_encryption().stream_arn(resource.as_str()).encryption_type(EncryptionType::Kms).key_id(key.as_str());
    ctx.call(&operations::START_STREAM_ENCRYPTION, request.send()).await?;
    Ok(())
}
