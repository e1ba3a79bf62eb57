//! Credentials of another account: AssumeRole through the same counted and judged call as everything
//! else, so that a refusal names its cause wherever it surfaces.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::sts;
use crate::call::ScopeContext;
use crate::error::AwsError;

/// Named in CloudTrail of the other account.
const SESSION_NAME: &str = "everseal";
/// Sessions stay short: Firehose refuses to make a grant for one older than six hours.
const SESSION: Duration = Duration::from_hours(1);

/// Asks for a new session whenever the identity cache finds the last one about to expire.
#[derive(Debug)]
pub(crate) struct RoleCredentials {
    ctx: ScopeContext,
    role: String,
    external_id: Option<String>,
}

impl RoleCredentials {
    pub(crate) fn new(ctx: ScopeContext, role: String, external_id: Option<String>) -> Self {
        Self { ctx, role, external_id }
    }

    async fn session(&self) -> Result<Credentials, AwsError> {
        let seconds = i32::try_from(SESSION.as_secs()).unwrap_or(i32::MAX);
        let request = self
            .ctx
            .sts()
            .assume_role()
            .role_arn(&self.role)
            .role_session_name(SESSION_NAME)
            .set_external_id(self.external_id.clone())
            .duration_seconds(seconds);
        let answer = self.ctx.call(&sts::ASSUME_ROLE, request.send()).await?;
        let session = answer.credentials.ok_or_else(|| AwsError::incomplete(&sts::ASSUME_ROLE, "the session's credentials"))?;
        let expires = SystemTime::try_from(session.expiration).ok();
        Ok(Credentials::new(session.access_key_id, session.secret_access_key, Some(session.session_token), expires, "AssumeRole"))
    }
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.session().await.map_err(CredentialsError::provider_error) })
    }
}
