//! Where a monitoring login is found: Secrets Manager, or the environment of this process.

use std::future::Future;

use everseal_aws::AwsAccount;
use everseal_database::sessions::Login;
use everseal_planner::inventory::{ErrorClass, Unreadable};
use everseal_planner::policy::model::{LoginSource, Monitoring};
use zeroize::Zeroizing;

use super::not_counted;

/// Reads secrets of an account.
pub trait Secrets {
    /// The text of a secret, by its name or ARN.
    fn secret(&self, id: &str) -> impl Future<Output = Result<Zeroizing<String>, Unreadable>> + Send;
}

impl Secrets for AwsAccount {
    async fn secret(&self, id: &str) -> Result<Zeroizing<String>, Unreadable> {
        AwsAccount::secret(self, id).await
    }
}

/// Finds logins. Each is found anew when it is needed, and dropped with the count that it was for.
#[derive(Debug, Clone, Copy)]
pub struct Logins {
    /// A variable of the environment.
    pub variable: fn(&str) -> Option<String>,
}

impl Default for Logins {
    fn default() -> Self {
        Self { variable: |name| std::env::var(name).ok() }
    }
}

impl Logins {
    /// The login that a rule names.
    pub(super) async fn find(&self, account: &(impl Secrets + Sync), monitoring: &Monitoring) -> Result<Login, Unreadable> {
        match monitoring.source() {
            Some(LoginSource::SecretsManager(id)) => {
                let text = account.secret(id).await?;
                Login::from_json(&text).map_err(|error| not_counted(ErrorClass::Invalid, format!("secret {id}: {error}")))
            }
            Some(LoginSource::Environment(name)) => {
                let variable = |part: &str| {
                    let name = format!("{name}_{part}");
                    let value = (self.variable)(&name).filter(|value| !value.is_empty());
                    value.ok_or_else(|| not_counted(ErrorClass::Invalid, format!("the environment variable {name} is not set")))
                };
                Ok(Login::new(variable("USERNAME")?, variable("PASSWORD")?))
            }
            None => Err(not_counted(ErrorClass::Invalid, "the policy names no login".to_owned())),
        }
    }
}
