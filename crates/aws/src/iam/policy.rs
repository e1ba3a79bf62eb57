//! Reads one managed policy: the version of it that is in force.

use super::{convert, operations as ops};
use crate::call::ScopeContext;
use crate::error::AwsError;

/// The decoded text of the default version.
pub(super) async fn managed(ctx: &ScopeContext, arn: &str) -> Result<String, AwsError> {
    let answer = ctx.call(&ops::GET_POLICY, ctx.iam().get_policy().policy_arn(arn).send()).await?;
    let version = answer.policy.and_then(|policy| policy.default_version_id);
    let version = version.ok_or_else(|| AwsError::incomplete(&ops::GET_POLICY, "the default version"))?;
    let request = ctx.iam().get_policy_version().policy_arn(arn).version_id(version);
    let answer = ctx.call(&ops::GET_POLICY_VERSION, request.send()).await?;
    convert::decoded(&ops::GET_POLICY_VERSION, answer.policy_version.and_then(|version| version.document).as_deref())
}
