//! Where the login is found that counts a database's sessions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the login of a monitoring user is found: exactly one of the two. The login itself never stands in the policy, and
/// is sent over nothing but TLS whose certificate was verified.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Monitoring {
    /// Name or ARN of a secret of the scope's Secrets Manager, in RDS's own layout: a JSON object with `username`,
    /// `password` and, if need be, `dbname`. With Everseal's own IAM policy it must bear the tag `everseal:monitoring`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub secrets_manager: Option<String>,
    /// `NAME`: the environment variables `NAME_USERNAME` and `NAME_PASSWORD` of Everseal's own process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub environment: Option<String>,
}

/// Where a login is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoginSource<'a> {
    /// A secret, by its name or ARN.
    SecretsManager(&'a str),
    /// Two environment variables, by what their names begin with.
    Environment(&'a str),
}

impl Monitoring {
    /// The one that is given; a policy that was loaded has exactly one.
    pub fn source(&self) -> Option<LoginSource<'_>> {
        let Self { secrets_manager, environment } = self;
        let secret = secrets_manager.as_deref().map(LoginSource::SecretsManager);
        secret.or_else(|| environment.as_deref().map(LoginSource::Environment))
    }
}
