//! The ledger that a flag names: a local folder, or an S3 bucket.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use everseal_aws::connect::StandardChain;
use everseal_controller::Ledger;
use object_store::CredentialProvider;
use object_store::aws::{AmazonS3Builder, AwsCredential};

/// Opens `DIR` or `s3://BUCKET/PREFIX`.
pub async fn open(place: &str) -> Result<Ledger> {
    let Some(rest) = place.strip_prefix("s3://") else {
        return Ledger::local(Path::new(place)).with_context(|| format!("can't open the ledger at {place} (--ledger)"));
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        bail!("--ledger {place} names no bucket: write s3://BUCKET/PREFIX");
    }
    let store = s3(bucket).await.with_context(|| format!("can't use {place} as the ledger"))?;
    Ok(Ledger::new(Arc::new(store), object_store::path::Path::from(prefix)))
}

async fn s3(bucket: &str) -> Result<object_store::aws::AmazonS3> {
    let chain = StandardChain::load().await;
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
    if let Some(region) = chain.region() {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = chain.s3_endpoint() {
        // Plain HTTP only where the user named such an endpoint: an emulator.
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    Ok(builder.with_credentials(Arc::new(Chain(chain))).build()?)
}

/// The SDK's standard chain, as the object store asks for it.
#[derive(Debug)]
struct Chain(StandardChain);

#[async_trait]
impl CredentialProvider for Chain {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let credentials =
            self.0.credentials().await.map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })?;
        Ok(Arc::new(AwsCredential {
            key_id: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            token: credentials.session_token().map(str::to_owned),
        }))
    }
}
