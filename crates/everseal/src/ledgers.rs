//! The ledger that a flag names: a local folder, or an S3 bucket.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use everseal_controller::Ledger;
use object_store::aws::AmazonS3Builder;

/// Opens `DIR` or `s3://BUCKET/PREFIX`.
pub fn open(place: &str) -> Result<Ledger> {
    let Some(rest) = place.strip_prefix("s3://") else {
        return Ledger::local(Path::new(place)).with_context(|| format!("can't open the ledger at {place} (--ledger)"));
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        bail!("--ledger {place} names no bucket: write s3://BUCKET/PREFIX");
    }
    let store = AmazonS3Builder::from_env().with_bucket_name(bucket).build().with_context(|| format!("can't use {place} as the ledger"))?;
    Ok(Ledger::new(Arc::new(store), object_store::path::Path::from(prefix)))
}
