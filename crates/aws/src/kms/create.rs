//! Makes keys and replicas. Each is several calls, and the process may die between any two: every start
//! looks first at what an earlier one left behind and goes on from there.
//!
//! What must never happen: two keys for one alias; an alias taken from somebody else's key.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_kms::types::{KeySpec, KeyUsageType, Tag};
use everseal_planner::Arn;
use everseal_planner::inventory::ErrorClass;

use super::{observe, operations, unfinished};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::Operation;

/// Pauses while KMS spreads word of a new key, or finishes making a replica: usually seconds.
/// [KMS: eventual consistency; Key states, `Creating`] Together shorter than a graceful stop.
const SETTLING: [Duration; 4] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// A key to be made.
pub(super) struct NewKey<'a> {
    pub(super) alias: &'a str,
    pub(super) description: &'a str,
    pub(super) multi_region: bool,
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) document: &'a str,
    pub(super) rotation_period_in_days: Option<u32>,
}

/// A replica to be made in another region.
pub(super) struct NewReplica<'a> {
    pub(super) primary: &'a Arn,
    pub(super) region: &'a str,
    pub(super) alias: &'a str,
    pub(super) description: &'a str,
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) document: &'a str,
}

/// `CreateKey`, `CreateAlias`, `EnableKeyRotation`, as far as they are not done yet.
pub(super) async fn key(ctx: &ScopeContext, new: &NewKey<'_>) -> Result<(), AwsError> {
    let key = match observe::describe(ctx, new.alias).await {
        Ok((key, _)) => own(ctx, key, new.alias).await?,
        Err(error) if error.is_not_found() => {
            let left_behind = unfinished::keys_awaiting(ctx, &BTreeSet::from([new.alias.to_owned()])).await?;
            let key = match left_behind.into_values().next() {
                Some(key) => key,
                None => create(ctx, new).await?,
            };
            alias(ctx, new.alias, &key).await?;
            key
        }
        Err(error) => return Err(error),
    };
    match new.rotation_period_in_days {
        Some(days) => settled(|| rotate(ctx, &key, days)).await,
        None => Ok(()),
    }
}

/// The alias is there already: it is ours if its key was made for it.
async fn own(ctx: &ScopeContext, key: Arn, alias: &str) -> Result<Arn, AwsError> {
    match unfinished::alias_tag(ctx, &key).await? {
        Some(made_for) if made_for == alias => Ok(key),
        Some(_) | None => Err(conflict(&operations::CREATE_ALIAS, format!("{alias} names {key}, which Everseal did not create"))),
    }
}

async fn create(ctx: &ScopeContext, new: &NewKey<'_>) -> Result<Arn, AwsError> {
    let operation = &operations::CREATE_KEY;
    let request = ctx
        .kms()
        .create_key()
        // AWS's defaults, said aloud: everything here needs them.
        .key_usage(KeyUsageType::EncryptDecrypt)
        .key_spec(KeySpec::SymmetricDefault)
        .description(new.description)
        .multi_region(new.multi_region)
        .policy(new.document)
        .set_tags(Some(tags(operation, new.tags)?));
    let output = ctx.call(operation, request.send()).await?;
    let arn = output.key_metadata().and_then(|metadata| metadata.arn()).unwrap_or_default();
    Arn::parse(arn).map_err(|error| AwsError::incomplete(operation, &error.to_string()))
}

/// `ReplicateKey` from the primary's region, then `CreateAlias` in the replica's.
pub(super) async fn replica(ctx: &ScopeContext, new: &NewReplica<'_>) -> Result<(), AwsError> {
    let operation = &operations::REPLICATE_KEY;
    let (there, here) = (ctx.in_region(new.primary.region()), ctx.in_region(new.region));
    let request = there
        .kms()
        .replicate_key()
        .key_id(new.primary.name())
        .replica_region(new.region)
        .policy(new.document)
        .description(new.description)
        .set_tags(Some(tags(operation, new.tags)?));
    match there.call(operation, request.send()).await {
        Ok(_) => {}
        // Made by an earlier start, or by somebody else for the same key: a replica has the primary's id.
        Err(error) if error.has_code("AlreadyExistsException") => {}
        Err(error) => return Err(error),
    }
    let primary = new.primary;
    let replica = Arn::new(primary.partition(), "kms", new.region, primary.account(), primary.resource());
    alias(&here, new.alias, &replica).await
}

/// `CreateAlias`; done too if the alias names this very key already.
pub(super) async fn alias(ctx: &ScopeContext, alias: &str, key: &Arn) -> Result<(), AwsError> {
    let operation = &operations::CREATE_ALIAS;
    match settled(|| create_alias(ctx, alias, key)).await {
        Ok(()) => Ok(()),
        Err(error) if error.has_code("AlreadyExistsException") => {
            let (named, _) = observe::describe(ctx, alias).await?;
            if named == *key { Ok(()) } else { Err(conflict(operation, format!("{alias} names {named} and not {key}"))) }
        }
        Err(error) => Err(error),
    }
}

async fn create_alias(ctx: &ScopeContext, alias: &str, key: &Arn) -> Result<(), AwsError> {
    let request = ctx.kms().create_alias().alias_name(alias).target_key_id(key.as_str());
    ctx.call(&operations::CREATE_ALIAS, request.send()).await?;
    Ok(())
}

/// `EnableKeyRotation`, which also changes the period.
pub(super) async fn rotate(ctx: &ScopeContext, key: &Arn, days: u32) -> Result<(), AwsError> {
    let operation = &operations::ENABLE_KEY_ROTATION;
    let days = i32::try_from(days).map_err(|_| conflict(operation, format!("{days} days are no rotation period")))?;
    let request = ctx.kms().enable_key_rotation().key_id(key.as_str()).rotation_period_in_days(days);
    ctx.call(operation, request.send()).await?;
    Ok(())
}

/// Calls again while KMS does not know the new key yet, or is still making it.
async fn settled<T, F: Future<Output = Result<T, AwsError>>>(call: impl Fn() -> F) -> Result<T, AwsError> {
    for pause in SETTLING {
        match call().await {
            Err(error) if error.is_not_found() || error.has_code("KMSInvalidStateException") => tokio::time::sleep(pause).await,
            outcome => return outcome,
        }
    }
    call().await
}

fn tags(operation: &'static Operation, tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, AwsError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().tag_key(key).tag_value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| AwsError::incomplete(operation, &error.to_string()))
}

fn conflict(operation: &'static Operation, message: String) -> AwsError {
    AwsError { class: ErrorClass::Conflict, message, ..AwsError::unavailable(operation, "Conflict", "") }
}
