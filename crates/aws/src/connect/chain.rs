//! Region, endpoint and credentials of the SDK's standard chain, for what talks to AWS beside the adapters: the ledger's
//! object store must end up where everything else does.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

use super::{ConnectError, ConnectOptions, load, named_endpoint};

/// Credentials are asked for again this long before they expire.
const EARLY: Duration = Duration::from_mins(5);

/// What the standard chain says.
#[derive(Debug)]
pub struct StandardChain {
    region: Option<String>,
    s3_endpoint: Option<String>,
    provider: Option<SharedCredentialsProvider>,
    cached: Mutex<Option<Credentials>>,
}

impl StandardChain {
    /// Reads environment and profiles; asks nobody for credentials yet.
    pub async fn load() -> Self {
        let sdk = load(ConnectOptions::default()).await;
        Self {
            region: sdk.region().map(ToString::to_string),
            s3_endpoint: named_endpoint(&sdk, "S3"),
            provider: sdk.credentials_provider(),
            cached: Mutex::default(),
        }
    }

    /// The region, where one is named.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The endpoint that the user named for S3; `None` is AWS's own.
    pub fn s3_endpoint(&self) -> Option<&str> {
        self.s3_endpoint.as_deref()
    }

    /// Credentials that are valid now.
    pub async fn credentials(&self) -> Result<Credentials, ConnectError> {
        if let Some(credentials) = self.cached() {
            return Ok(credentials);
        }
        let provider = self.provider.as_ref().ok_or_else(|| ConnectError::NoCredentials("the chain has no provider".to_owned()))?;
        let credentials = provider.provide_credentials().await.map_err(|error| ConnectError::NoCredentials(error.to_string()))?;
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials.clone());
        Ok(credentials)
    }

    fn cached(&self) -> Option<Credentials> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.clone().filter(|credentials| credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + EARLY))
    }
}
