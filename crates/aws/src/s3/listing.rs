//! The account's buckets by region: listed once per pass, whichever scope comes first.

use std::collections::BTreeMap;

use futures::stream::{self, BoxStream, StreamExt};

use super::operations as ops;
use crate::account::once::OncePerPass;
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::listing::{pages, read_all};
use crate::operation::Api;

/// With a page size in the request S3 answers with each bucket's region. [s3:ListBuckets]
const PAGE: i32 = 1000;

/// The listing that an account's scopes share.
#[derive(Debug, Default)]
pub(crate) struct BucketListing(OncePerPass<Listed>);

/// What the listing showed.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    by_region: BTreeMap<String, Vec<String>>,
    /// The server told no regions, but lists by region when it is asked to.
    by_filter: bool,
    /// Set where not everything could be listed or placed in a region.
    failed: Option<AwsError>,
}

impl BucketListing {
    /// Names of the buckets in the region of `ctx`, and what went wrong while they were listed.
    pub(crate) async fn names(&self, ctx: &ScopeContext) -> (Vec<String>, Option<AwsError>) {
        let listed = self.0.take(&ctx.scope().region, list(ctx)).await;
        let mut names = listed.by_region.get(&ctx.scope().region).cloned().unwrap_or_default();
        let mut failed = listed.failed.clone();
        if listed.by_filter {
            let (filtered, error) = collect(buckets(ctx, Some(&ctx.scope().region))).await;
            names.extend(filtered.into_iter().map(|(name, _)| name));
            failed = failed.or(error);
        }
        (names, failed)
    }
}

type Named = (String, Option<String>);

/// Name and region of every bucket, or of those in `region` alone.
fn buckets<'a>(ctx: &'a ScopeContext, region: Option<&'a str>) -> BoxStream<'a, Result<Named, AwsError>> {
    let listing = pages(move |token| async move {
        let request = ctx.s3().list_buckets().max_buckets(PAGE).set_bucket_region(region.map(str::to_owned)).set_continuation_token(token);
        let page = ctx.call(&ops::LIST_BUCKETS, request.send()).await?;
        let buckets = page.buckets.unwrap_or_default().into_iter();
        let named = buckets.filter_map(|bucket| Some((bucket.name?, bucket.bucket_region.filter(|region| !region.is_empty()))));
        Ok((named.collect(), page.continuation_token))
    });
    listing.boxed()
}

async fn collect(listing: BoxStream<'_, Result<Named, AwsError>>) -> (Vec<Named>, Option<AwsError>) {
    read_all(listing, 1, |named| async { Some(named) }).await
}

async fn list(ctx: &ScopeContext) -> Listed {
    let (named, failed) = collect(buckets(ctx, None)).await;
    let mut listed = Listed { failed, ..Listed::default() };
    let mut unplaced = Vec::new();
    for (name, region) in named {
        match region {
            Some(region) => listed.by_region.entry(region).or_default().push(name),
            None => unplaced.push(name),
        }
    }
    if let Some(first) = unplaced.first() {
        listed.by_filter = filters_by_region(ctx, first).await;
        if !listed.by_filter {
            place(ctx, unplaced, &mut listed).await;
        }
    }
    listed
}

/// S3 itself always tells the region. Of a server that does not, one bucket shows whether its listing
/// can be narrowed to a region, which spares a call for each of the others.
async fn filters_by_region(ctx: &ScopeContext, bucket: &str) -> bool {
    let Ok(Some(region)) = region_of(ctx, bucket).await else { return false };
    let elsewhere = if region == "us-east-1" { "eu-west-1" } else { "us-east-1" };
    let (listed, failed) = collect(buckets(ctx, Some(elsewhere))).await;
    failed.is_none() && listed.iter().all(|(name, _)| name != bucket)
}

/// Asks for the region of each bucket.
async fn place(ctx: &ScopeContext, names: Vec<String>, listed: &mut Listed) {
    let names = stream::iter(names.into_iter().map(Ok));
    let (placed, _) = read_all(names, Api::S3.in_flight(), |name| async {
        let region = region_of(ctx, &name).await.transpose()?;
        Some(region.map(|region| (name, region)))
    })
    .await;
    for bucket in placed {
        match bucket {
            Ok((name, region)) => listed.by_region.entry(region).or_default().push(name),
            Err(error) => listed.failed = Some(error),
        }
    }
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
