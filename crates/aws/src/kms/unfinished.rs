//! Finds keys that Everseal created and that do not bear their alias yet: the process died in between.
//!
//! They bear the tag `everseal:alias`. A search that failed must never be taken for "there is none": a
//! second key would be made. The Resource Groups Tagging API answers in one call and lags by seconds;
//! where it refuses, all keys of the scope are asked for their tags.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_resourcegroupstagging::types::TagFilter;
use everseal_planner::Arn;
use everseal_planner::kms::observed::ALIAS_TAG;
use futures::{StreamExt, TryStreamExt, stream};

use super::{observe, operations};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::Api;

/// States in which a key can't be given an alias any more: somebody is removing it. [KMS: Key states]
const LEAVING: [&str; 2] = ["PendingDeletion", "PendingReplicaDeletion"];
/// Resources of one page, the most that the Tagging API gives.
const TAGGED_PAGE: i32 = 100;
/// Keys of one page, the most that AWS gives. [kms:ListKeys]
const KEYS_PAGE: i32 = 1000;

/// Alias → key, for those of `aliases` that a key waits to bear; the first by ARN where there are several.
pub(super) async fn keys_awaiting(ctx: &ScopeContext, aliases: &BTreeSet<String>) -> Result<BTreeMap<String, Arn>, AwsError> {
    if aliases.is_empty() {
        return Ok(BTreeMap::new());
    }
    let tagged = match tagged(ctx).await {
        Ok(tagged) => tagged,
        Err(_) => tagged_one_by_one(ctx).await?,
    };
    let mut awaiting = BTreeMap::new();
    for (key, alias) in tagged {
        if aliases.contains(&alias) && !awaiting.contains_key(&alias) && is_staying(ctx, &key).await? {
            awaiting.insert(alias, key);
        }
    }
    Ok(awaiting)
}

/// A key that is gone or going does not wait for anything.
async fn is_staying(ctx: &ScopeContext, key: &Arn) -> Result<bool, AwsError> {
    match observe::describe(ctx, key.as_str()).await {
        Ok((_, metadata)) => Ok(!LEAVING.contains(&metadata.state.as_str())),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Keys with our tag, and the alias it names.
async fn tagged(ctx: &ScopeContext) -> Result<BTreeMap<Arn, String>, AwsError> {
    let filter = TagFilter::builder().key(ALIAS_TAG).build();
    let (mut found, mut token) = (BTreeMap::new(), None);
    loop {
        let request = ctx.tagging().get_resources().resource_type_filters("kms:key").tag_filters(filter.clone());
        let request = request.resources_per_page(TAGGED_PAGE).set_pagination_token(token);
        let page = ctx.call(&crate::tags::operations::GET_RESOURCES, request.send()).await?;
        for mapping in page.resource_tag_mapping_list() {
            let alias = mapping.tags().iter().find(|tag| tag.key() == ALIAS_TAG).map(|tag| tag.value().to_owned());
            if let (Some(Ok(key)), Some(alias)) = (mapping.resource_arn().map(Arn::parse), alias) {
                found.insert(key, alias);
            }
        }
        token = page.pagination_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

async fn tagged_one_by_one(ctx: &ScopeContext) -> Result<BTreeMap<Arn, String>, AwsError> {
    let mut keys = Vec::new();
    let mut marker = None;
    loop {
        let request = ctx.kms().list_keys().limit(KEYS_PAGE).set_marker(marker);
        let page = ctx.call(&operations::LIST_KEYS, request.send()).await?;
        keys.extend(page.keys().iter().filter_map(|key| Arn::parse(key.key_arn()?).ok()));
        if !page.truncated || page.next_marker.is_none() {
            break;
        }
        marker = page.next_marker;
    }
    let read = stream::iter(keys).map(|key| async move {
        let alias = alias_tag(ctx, &key).await?;
        Ok::<_, AwsError>(alias.map(|alias| (key, alias)))
    });
    let found: Vec<Option<(Arn, String)>> = read.buffer_unordered(Api::Kms.in_flight()).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// The alias that our tag on a key names; `None` also where the key is gone.
pub(super) async fn alias_tag(ctx: &ScopeContext, key: &Arn) -> Result<Option<String>, AwsError> {
    let mut marker = None;
    loop {
        let request = ctx.kms().list_resource_tags().key_id(key.as_str()).set_marker(marker);
        let page = match ctx.call(&operations::LIST_RESOURCE_TAGS, request.send()).await {
            Err(error) if error.is_not_found() => return Ok(None),
            page => page?,
        };
        if let Some(tag) = page.tags().iter().find(|tag| tag.tag_key() == ALIAS_TAG) {
            return Ok(Some(tag.tag_value().to_owned()));
        }
        if !page.truncated || page.next_marker.is_none() {
            return Ok(None);
        }
        marker = page.next_marker;
    }
}
