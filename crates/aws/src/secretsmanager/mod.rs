//! Secrets Manager: logins of monitoring users, which a policy names and never holds.
//!
//! What must never happen here: a secret in a log, an error or a `Debug` text; a secret that outlives the login it is for.

pub(crate) mod operations;
#[cfg(test)]
mod tests;

use everseal_planner::Arn;
use zeroize::Zeroizing;

use self::operations::GET_SECRET_VALUE;
use crate::call::ScopeContext;
use crate::error::AwsError;

/// The text of a secret, by its name (in the scope's own account and region) or its ARN (wherever that is). Wiped from
/// memory when it is dropped.
pub(crate) async fn secret(ctx: &ScopeContext, id: &str) -> Result<Zeroizing<String>, AwsError> {
    let ctx = match Arn::parse(id) {
        Ok(arn) => ctx.in_region(arn.region()),
        Err(_) => ctx.clone(),
    };
    let answer = ctx.call(&GET_SECRET_VALUE, ctx.secretsmanager().get_secret_value().secret_id(id).send()).await?;
    // A binary secret is nobody's login.
    answer.secret_string.map(Zeroizing::new).ok_or_else(|| AwsError::incomplete(&GET_SECRET_VALUE, "a text"))
}
