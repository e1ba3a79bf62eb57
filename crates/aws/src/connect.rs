//! Where everything that comes from outside is injected, once: HTTP client, time, sleep, credentials,
//! endpoint and region. Every client of every account is made from what this module builds.
//!
//! Credentials, region and endpoint follow the SDK's standard chain (`AWS_ENDPOINT_URL`, profiles,
//! IRSA, pod identity, ECS task role …). Other accounts are entered with AssumeRole; their failure
//! is theirs alone. Whatever is missing or unreachable is said within [`CONNECT_LIMIT`], with what
//! to do about it.

mod http;
mod role;
pub mod sts;

use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::identity::IdentityCache;
use aws_config::imds;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::checksum_config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_types::service_config::ServiceConfigKey;
use everseal_controller::CallObserver;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::policy::model::AccountRef;
use everseal_planner::{Arn, Scope};

use crate::account::{AccountShared, AwsAccount};
use crate::call::{Observer, ScopeContext};
use crate::error::AwsError;
pub(crate) use role::RoleCredentials;

/// Connecting succeeds or fails within this time.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(9);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// A whole call with its retries.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// Attempts of one call, the first included. AWS's own backoff lies between them, and [`CALL_TIMEOUT`] bounds them all.
const MAX_ATTEMPTS: u32 = 8;

/// What a program or a test may decide of the connection.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// Used where the standard chain names no region: the policy's first.
    pub fallback_region: Option<String>,
    /// Replaces the HTTPS client (recorded exchanges in tests).
    pub http_client: Option<SharedHttpClient>,
    /// Replaces the credentials of the standard chain.
    pub credentials: Option<SharedCredentialsProvider>,
    /// Replaces the system's clock (simulated time).
    pub time_source: Option<SharedTimeSource>,
}

/// Who we are: `GetCallerIdentity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}

/// There is no usable connection to AWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nothing names a region.
    #[error("no AWS region: set AWS_REGION, a region in the profile, or `scopes.regions` in the policy")]
    NoRegion,
    /// The standard chain found no credentials, or they could not be loaded.
    #[error(
        "no AWS credentials: set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run under a role \
         (IRSA, EKS pod identity, ECS task role, instance profile): {0}"
    )]
    NoCredentials(String),
    /// AWS does not accept the credentials.
    #[error("AWS refuses the credentials ({code}): {message}; renew them (for example `aws sso login`) and check the clock of this host")]
    BadCredentials {
        /// AWS's code, e.g. `ExpiredToken`.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// Nothing answers.
    #[error("AWS does not answer at {endpoint}: {message}; check network, proxy, AWS_ENDPOINT_URL and the region's name")]
    Unreachable {
        /// The endpoint, or which AWS endpoint it would be.
        endpoint: String,
        /// What happened.
        message: String,
    },
    /// STS refused to let us into an account.
    #[error("cannot assume {role}: {message}; its trust policy must name {caller}, and its external id must be the policy's")]
    Role {
        /// The role.
        role: String,
        /// Who asked.
        caller: String,
        /// AWS's words.
        message: String,
    },
    /// The credentials lead into another account than the policy says.
    #[error("account {wanted} was wanted, but {by} leads into account {found}: correct `id` or `roleArn` in `scopes.accounts`")]
    WrongAccount {
        /// The account in the policy.
        wanted: String,
        /// The account that STS names.
        found: String,
        /// The role, or the credentials.
        by: String,
    },
    /// STS, or something that answers in its place, failed in another way.
    #[error("{endpoint} does not answer like STS: {error}; check AWS_ENDPOINT_URL and proxies")]
    Other {
        /// The endpoint, or which AWS endpoint it would be.
        endpoint: String,
        /// What it answered.
        error: AwsError,
    },
}

/// A connection: our own identity, and the way into accounts.
#[derive(Debug, Clone)]
pub struct Aws {
    sdk: SdkConfig,
    region: String,
    identity: Identity,
    observer: Observer,
}

impl Aws {
    /// Finds region and credentials, and asks STS who we are.
    pub async fn connect(options: ConnectOptions, observer: Arc<dyn CallObserver>) -> Result<Self, ConnectError> {
        let unreachable = ConnectError::Unreachable { endpoint: "STS".to_owned(), message: format!("no answer in {CONNECT_LIMIT:?}") };
        tokio::time::timeout(CONNECT_LIMIT, Self::connect_unbounded(options, observer)).await.unwrap_or(Err(unreachable))
    }

    async fn connect_unbounded(options: ConnectOptions, observer: Arc<dyn CallObserver>) -> Result<Self, ConnectError> {
        let sdk = load(options).await;
        let region = sdk.region().ok_or(ConnectError::NoRegion)?.to_string();
        let identity = identify(&sdk, &region, &observer).await.map_err(|error| connect_error(error, &sdk, &region))?;
        Ok(Self { sdk, region, identity, observer: Observer(observer) })
    }

    /// Who we are.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The region of the standard chain: where a policy holds that names none.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The scopes of one account, one for each region. `None` is the credentials' own account.
    pub async fn account(&self, account: Option<&AccountRef>, regions: &[String]) -> Result<Vec<AwsAccount>, ConnectError> {
        let (sdk, id) = match account {
            Some(AccountRef { id, role_arn: Some(role), external_id }) => {
                (self.assume(id, role, external_id.as_deref()).await?, id.clone())
            }
            Some(AccountRef { id, role_arn: None, external_id: _ }) if *id != self.identity.account => {
                let (wanted, found) = (id.clone(), self.identity.account.clone());
                return Err(ConnectError::WrongAccount { wanted, found, by: self.identity.arn.clone() });
            }
            Some(_) | None => (self.sdk.clone(), self.identity.account.clone()),
        };
        let shared = Arc::new(AccountShared::default());
        let scope = |region: &String| {
            let scope = Scope { partition: self.identity.partition.clone(), account: id.clone(), region: region.clone() };
            AwsAccount::new(ScopeContext::new(scope, &sdk, Arc::clone(&self.observer.0)), Arc::clone(&shared))
        };
        Ok(regions.iter().map(scope).collect())
    }

    async fn assume(&self, id: &str, role: &str, external_id: Option<&str>) -> Result<SdkConfig, ConnectError> {
        let own = self.own_context();
        let provider = RoleCredentials::new(own, role.to_owned(), external_id.map(str::to_owned));
        let sdk = self.sdk.clone().into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
        let refused = |message: String| ConnectError::Role { role: role.to_owned(), caller: self.identity.arn.clone(), message };
        let identity = tokio::time::timeout(CONNECT_LIMIT, identify(&sdk, &self.region, &self.observer.0))
            .await
            .map_err(|_| refused(format!("no answer in {CONNECT_LIMIT:?}")))?
            .map_err(|error| refused(error.message))?;
        if identity.account != id {
            return Err(ConnectError::WrongAccount { wanted: id.to_owned(), found: identity.account, by: role.to_owned() });
        }
        Ok(sdk)
    }

    fn own_context(&self) -> ScopeContext {
        let Identity { partition, account, arn: _ } = self.identity.clone();
        ScopeContext::new(Scope { partition, account, region: self.region.clone() }, &self.sdk, Arc::clone(&self.observer.0))
    }
}

async fn load(options: ConnectOptions) -> SdkConfig {
    let ConnectOptions { fallback_region, http_client, credentials, time_source } = options;
    let http_client = http_client.unwrap_or_else(http::client);
    let metadata = ProviderConfig::without_region().with_http_client(http_client.clone()).with_sleep_impl(TokioSleep::new());
    let metadata = imds::Client::builder().configure(&metadata).max_attempts(2).build();
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(fallback_region.map(Region::new))
        .or_else(imds::region::ImdsRegionProvider::builder().imds_client(metadata).build());
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region)
        .http_client(http_client)
        .time_source(time_source.unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new())))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        // Not the SDK's adaptive mode: its limiter cuts by a third at every single throttled answer, and one in a hundred
        // brings it down to a call every other second. The send rate is `pace`'s, which looks at the share.
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(MAX_ATTEMPTS)
                .with_initial_backoff(Duration::from_millis(300))
                .with_max_backoff(Duration::from_secs(8)),
        )
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).operation_timeout(CALL_TIMEOUT).build(),
        )
        .identity_cache(IdentityCache::lazy().load_timeout(Duration::from_secs(5)).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Ok(name) = AppName::new("everseal") {
        loader = loader.app_name(name);
    }
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials);
    }
    loader.load().await
}

/// The endpoint that a failed STS call went to, in words.
fn endpoint(sdk: &SdkConfig, region: &str) -> String {
    let key = ServiceConfigKey::builder().service_id("STS").env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok();
    let own = key.and_then(|key| sdk.service_config()?.load_config(key));
    let named = own.or_else(|| sdk.endpoint_url().map(str::to_owned));
    named.unwrap_or_else(|| format!("the STS endpoint of {region}"))
}

fn connect_error(error: AwsError, sdk: &SdkConfig, region: &str) -> ConnectError {
    match (error.class, error.code.as_str()) {
        (_, "NoCredentials" | "CredentialsTimeout") => ConnectError::NoCredentials(error.message),
        (ErrorClass::Denied, _) => ConnectError::BadCredentials { code: error.code, message: error.message },
        (ErrorClass::Unavailable, _) => ConnectError::Unreachable { endpoint: endpoint(sdk, region), message: error.message },
        (ErrorClass::Throttled | ErrorClass::NotFound | ErrorClass::Conflict | ErrorClass::Invalid | ErrorClass::LimitExceeded, _) => {
            ConnectError::Other { endpoint: endpoint(sdk, region), error }
        }
    }
}

async fn identify(sdk: &SdkConfig, region: &str, observer: &Arc<dyn CallObserver>) -> Result<Identity, AwsError> {
    let nobody = Scope { partition: String::new(), account: String::new(), region: region.to_owned() };
    // Somebody waits for the answer: what does not come at once is said.
    let hasty = sdk.clone().into_builder().retry_config(RetryConfig::standard().with_max_attempts(3)).build();
    let ctx = ScopeContext::new(nobody, &hasty, Arc::clone(observer));
    let answer = ctx.call(&sts::GET_CALLER_IDENTITY, ctx.sts().get_caller_identity().send()).await?;
    let arn = answer.arn.unwrap_or_default();
    let parsed = Arn::parse(&arn).map_err(|_| AwsError::incomplete(&sts::GET_CALLER_IDENTITY, "the caller's ARN"))?;
    let account = answer.account.ok_or_else(|| AwsError::incomplete(&sts::GET_CALLER_IDENTITY, "the account"))?;
    Ok(Identity { partition: parsed.partition().to_owned(), account, arn })
}
