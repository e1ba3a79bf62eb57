//! The one way to call AWS: bounded, paced, counted, and with errors that are judged.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::{Region, SdkConfig};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use everseal_controller::CallObserver;
use everseal_planner::{Inventory, Scope};
use tokio::sync::Semaphore;

use crate::error::AwsError;
use crate::operation::{Api, Operation};
use crate::pace::Pace;
use crate::wire::WireCount;

/// Retries that one API of a scope may owe before failures are final; a success pays one back, a retry after throttling costs
/// one. Enough for a storm over a large listing; an outage is over it soon.
const RETRY_QUOTA: usize = 2000;

/// Label of a call that did not come through [`ScopeContext::call`]: there is none.
pub(crate) const UNLISTED: &str = "Unlisted";

/// Whoever watches the calls.
#[derive(Clone)]
pub(crate) struct Observer(pub(crate) Arc<dyn CallObserver>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

impl std::ops::Deref for Observer {
    type Target = dyn CallObserver;
    fn deref(&self) -> &Self::Target {
        self.0.as_ref()
    }
}

/// The paces of one scope, made as operations are first called.
#[derive(Debug, Default)]
pub struct Paces(Mutex<HashMap<(Api, &'static str), Arc<Pace>>>);

impl Paces {
    fn of(&self, operation: &'static Operation, region: &str) -> Arc<Pace> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (operation.api, operation.name);
        Arc::clone(paces.entry(key).or_insert_with(|| Arc::new(Pace::new(operation.rate.in_region(region)))))
    }

    /// The listed name of an operation that the SDK names.
    pub(crate) fn known_name(&self, api: Api, operation: &str) -> &'static str {
        let paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paces.keys().find_map(|(of, name)| (*of == api && *name == operation).then_some(*name)).unwrap_or(UNLISTED)
    }

    /// AWS throttled a call of this operation.
    pub(crate) fn throttled(&self, api: Api, operation: &str) {
        let paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pace) = paces.iter().find_map(|(key, pace)| (*key == (api, operation)).then_some(pace)) {
            pace.throttled();
        }
    }
}

/// Everything that an adapter needs of one account × region: clients, limits, the way to call.
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct ScopeContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    scope: Scope,
    sdk: SdkConfig,
    observer: Observer,
    paces: Arc<Paces>,
    permits: [Semaphore; Api::ALL.len()],
    clients: Clients,
    /// Contexts of other regions of the same account.
    elsewhere: Mutex<HashMap<String, ScopeContext>>,
}

/// Clients are made on first use: a policy about buckets never builds a database client.
#[derive(Debug, Default)]
struct Clients {
    s3: OnceLock<aws_sdk_s3::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
    firehose: OnceLock<aws_sdk_firehose::Client>,
    kinesis: OnceLock<aws_sdk_kinesis::Client>,
    rds: OnceLock<aws_sdk_rds::Client>,
    kms: OnceLock<aws_sdk_kms::Client>,
    cloudwatch: OnceLock<aws_sdk_cloudwatch::Client>,
    events: OnceLock<aws_sdk_eventbridge::Client>,
    cloudfront: OnceLock<aws_sdk_cloudfront::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    secretsmanager: OnceLock<aws_sdk_secretsmanager::Client>,
    tagging: OnceLock<aws_sdk_resourcegroupstagging::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
}

macro_rules! client {
    ($(#[$doc:meta])* $name:ident, $krate:ident, $api:expr) => {
        $(#[$doc])*
        pub fn $name(&self) -> &$krate::Client {
            self.0.clients.$name.get_or_init(|| {
                let config = $krate::config::Builder::from(&self.0.sdk)
                    .retry_partition(self.retry_partition($api))
                    .interceptor(self.wire_count($api));
                $krate::Client::from_conf(config.build())
            })
        }
    };
}

impl ScopeContext {
    /// `sdk` carries the account's credentials; its region is replaced by the scope's.
    pub fn new(scope: Scope, sdk: &SdkConfig, observer: Arc<dyn CallObserver>) -> Self {
        let sdk = sdk.clone().into_builder().region(Region::new(scope.region.clone())).build();
        let permits = Api::ALL.map(|api| Semaphore::new(api.in_flight()));
        let (paces, clients, elsewhere) = (Arc::default(), Clients::default(), Mutex::default());
        let observer = Observer(observer);
        Self(Arc::new(Inner { scope, sdk, observer, paces, permits, clients, elsewhere }))
    }

    /// Where the calls go.
    pub fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// An empty inventory of this scope, for what an adapter is about to read.
    pub fn part(&self) -> Inventory {
        let now = i64::try_from(self.since_epoch().as_secs()).unwrap_or(i64::MAX);
        Inventory::empty(self.0.scope.clone(), now)
    }

    /// The same account in another region (or this very context).
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        if region == self.0.scope.region {
            return self.clone();
        }
        let mut elsewhere = self.0.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        let other = elsewhere.entry(region.to_owned()).or_insert_with(|| {
            let scope = Scope { region: region.to_owned(), ..self.0.scope.clone() };
            Self::new(scope, &self.0.sdk, Arc::clone(&self.0.observer.0))
        });
        other.clone()
    }

    /// Makes one call: waits for its turn, sends `request` (a `.send()` that nothing has polled yet)
    /// and judges the outcome.
    pub fn call<T, E, F>(&self, operation: &'static Operation, request: F) -> impl Future<Output = Result<T, AwsError>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        // The SDK's futures are many kilobytes: on the heap at once, never part of a caller's own.
        self.in_turn(operation, Box::pin(request))
    }

    async fn in_turn<T, E, F>(&self, operation: &'static Operation, request: Pin<Box<F>>) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        let pace = self.0.paces.of(operation, &self.0.scope.region);
        pace.admit().await;
        let _permit = self.0.permits[operation.api as usize].acquire().await;
        request.await.map_err(|error| AwsError::new(operation, &error))
    }

    /// Each scope and API has its own retry quota: one account's throttling is not another's.
    fn retry_partition(&self, api: Api) -> RetryPartition {
        let quota = TokenBucket::builder().capacity(RETRY_QUOTA).throttling_retry_cost(1).success_reward(1.0).build();
        RetryPartition::custom(format!("{}/{}", self.0.scope, api.id())).token_bucket(quota).build()
    }

    fn since_epoch(&self) -> Duration {
        let now = self.0.sdk.time_source().map_or_else(SystemTime::now, |time| time.now());
        now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    fn wire_count(&self, api: Api) -> WireCount {
        WireCount { api, paces: Arc::clone(&self.0.paces), observer: self.0.observer.clone() }
    }

    client!(
        /// Amazon SQS.
        sqs, aws_sdk_sqs, Api::Sqs
    );
    client!(
        /// Amazon SNS.
        sns, aws_sdk_sns, Api::Sns
    );
    client!(
        /// Amazon Data Firehose.
        firehose, aws_sdk_firehose, Api::Firehose
    );
    client!(
        /// Kinesis Data Streams.
        kinesis, aws_sdk_kinesis, Api::Kinesis
    );
    client!(
        /// Amazon RDS.
        rds, aws_sdk_rds, Api::Rds
    );
    client!(
        /// AWS KMS.
        kms, aws_sdk_kms, Api::Kms
    );
    client!(
        /// CloudWatch.
        cloudwatch, aws_sdk_cloudwatch, Api::CloudWatch
    );
    client!(
        /// Amazon EventBridge.
        events, aws_sdk_eventbridge, Api::Events
    );
    client!(
        /// Amazon CloudFront: the SDK finds the partition's one endpoint from any of its regions.
        cloudfront, aws_sdk_cloudfront, Api::CloudFront
    );
    client!(
        /// AWS IAM: one endpoint for the partition as well.
        iam, aws_sdk_iam, Api::Iam
    );
    client!(
        /// AWS Secrets Manager.
        secretsmanager, aws_sdk_secretsmanager, Api::SecretsManager
    );
    client!(
        /// Resource Groups Tagging API.
        tagging, aws_sdk_resourcegroupstagging, Api::Tagging
    );
    client!(
        /// Security Token Service.
        sts, aws_sdk_sts, Api::Sts
    );

    /// Amazon S3.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.0.clients.s3.get_or_init(|| {
            let config = aws_sdk_s3::config::Builder::from(&self.0.sdk)
                .retry_partition(self.retry_partition(Api::S3))
                .interceptor(self.wire_count(Api::S3))
                // One host for all buckets, so that they share connections: with a host for each, every
                // bucket costs a TLS handshake and keeps its buffers. Servers other than AWS know no other style.
                .force_path_style(true)
                .disable_s3_express_session_auth(true);
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }
}
