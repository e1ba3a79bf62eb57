//! Writes a topic's key or policy: one attribute a call, as SNS takes them.

use everseal_controller::ApplyError;
use everseal_planner::Arn;
use everseal_planner::plan::{Change, KeyRef};

use super::operations as ops;
use crate::account::{key_not_there, misrouted};
use crate::call::ScopeContext;

/// Makes one change to a topic.
pub(crate) async fn apply(ctx: &ScopeContext, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
    let (name, value) = match change {
        Change::TopicEncryption { after: KeyRef::ToBeCreated { alias }, .. } => return Err(key_not_there(change, alias)),
        Change::TopicEncryption { before: _, after: KeyRef::Arn(key) } => ("KmsMasterKeyId", key.as_str()),
        Change::TopicDocument { before: _, after } => ("Policy", after.as_str()),
        _ => return Err(misrouted(resource, change)),
    };
    let request = ctx.sns().set_topic_attributes().topic_arn(resource.as_str()).attribute_name(name).attribute_value(value);
    ctx.call(&ops::SET_TOPIC_ATTRIBUTES, request.send()).await?;
    Ok(())
}
