//! The account's buckets by region: listed once per pass, whichever scope comes first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::operations as ops;
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::listing::{pages, read_all};
use crate::operation::Api;

/// With a page size in the request S3 answers with each bucket's region. [s3:ListBuckets]
const PAGE: i32 = 1000;
/// A listing older than this belongs to an earlier pass.
const FRESH: Duration = Duration::from_secs(60);

/// The listing that an account's scopes share. Each scope takes a listing once: the next time it
/// asks, a new pass has begun.
#[derive(Debug, Default)]
pub(crate) struct BucketListing(Mutex<Option<Taken>>);

#[derive(Debug)]
struct Taken {
    at: Instant,
    by: BTreeSet<String>,
    listed: Arc<Listed>,
}

/// What the listing showed.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    by_region: BTreeMap<String, Vec<String>>,
    /// Set where not everything could be listed or placed in a region.
    pub(crate) failed: Option<AwsError>,
}

impl Listed {
    /// Names of the buckets in a region.
    pub(crate) fn in_region(&self, region: &str) -> Vec<String> {
        self.by_region.get(region).cloned().unwrap_or_default()
    }
}

impl BucketListing {
    /// This pass's listing, for the scope of `ctx`. Scopes that come while it is made wait for it.
    pub(crate) async fn of(&self, ctx: &ScopeContext) -> Arc<Listed> {
        let region = &ctx.scope().region;
        let mut shared = self.0.lock().await;
        if let Some(taken) = shared.as_mut()
            && taken.at.elapsed() < FRESH
            && taken.by.insert(region.clone())
        {
            return Arc::clone(&taken.listed);
        }
        let listed = Arc::new(list(ctx).await);
        *shared = Some(Taken { at: Instant::now(), by: BTreeSet::from([region.clone()]), listed: Arc::clone(&listed) });
        listed
    }
}

async fn list(ctx: &ScopeContext) -> Listed {
    let buckets = pages(|token| async {
        let request = ctx.s3().list_buckets().max_buckets(PAGE).set_continuation_token(token);
        let page = ctx.call(&ops::LIST_BUCKETS, request.send()).await?;
        let buckets = page.buckets.unwrap_or_default().into_iter();
        Ok((buckets.filter_map(|bucket| Some((bucket.name?, bucket.bucket_region))).collect(), page.continuation_token))
    });
    let placed = |(name, region): (String, Option<String>)| async {
        match region.filter(|region| !region.is_empty()) {
            Some(region) => Some(Ok((name, region))),
            None => region_of(ctx, &name).await.transpose().map(|region| region.map(|region| (name, region))),
        }
    };
    let (placed, mut failed) = read_all(buckets.boxed(), Api::S3.in_flight(), placed).await;
    let mut by_region: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for bucket in placed {
        match bucket {
            Ok((name, region)) => by_region.entry(region).or_default().push(name),
            Err(error) => failed = Some(error),
        }
    }
    by_region.values_mut().for_each(|names| names.sort_unstable());
    Listed { by_region, failed }
}

/// `None` where the bucket is gone. S3 names the region even where it refuses everything else.
async fn region_of(ctx: &ScopeContext, bucket: &str) -> Result<Option<String>, AwsError> {
    match ctx.call(&ops::HEAD_BUCKET, ctx.s3().head_bucket().bucket(bucket).send()).await {
        Ok(head) => Ok(Some(head.bucket_region.unwrap_or_else(|| ctx.scope().region.clone()))),
        Err(error) if error.bucket_region.is_some() => Ok(error.bucket_region),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
