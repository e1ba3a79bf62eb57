//! What may stop a bucket's step: facts that are read only for buckets that have one.

use super::bucket_key;
use super::desired::DesiredEncryption;
use super::encryption::{DEFAULT_KEY, Difference};
use super::key_today;
use super::log_targets::{stops_acl_logs, stops_logs};
use super::observed::{Bucket, PublicAccess, ReplicationRule};
use crate::Arn;
use crate::document::{Document, Principal};
use crate::inventory::Reading;
use crate::paths::users_of_moved_bucket;
use crate::plan::compare::why_unknown;
use crate::plan::context::Context;
use crate::plan::draft::Draft;
use crate::plan::keys::{KeyRequirement, KeyUser, require_key};
use crate::plan::step::{Block, Gate};
use crate::policy::model::{WebsiteAction, WebsiteSpec};

/// Gates of a default encryption step.
pub(crate) fn encryption(
    cx: &Context<'_>,
    draft: &mut Draft,
    bucket: &Bucket,
    website: Option<&WebsiteSpec>,
    (desired, difference): (&DesiredEncryption<'_>, &Difference),
) -> KeyRequirement {
    let mut found = difference.block.clone();
    if found.is_none() && difference.begins_kms {
        found = begins_kms(draft, bucket, website);
    }
    let mut requirement = KeyRequirement { block: found, ..KeyRequirement::default() };
    if difference.moves_to_key() {
        let of_key = new_key(cx, draft, bucket, desired, difference);
        requirement = requirement.and(of_key);
    }
    if requirement.block.is_none() && (difference.changes_bucket_key || (difference.changes_key && difference.after.bucket_key)) {
        requirement = requirement.and(bucket_key::change(cx, draft, bucket, difference));
    }
    requirement
}

/// Websites, log targets and replication can't be moved from SSE-S3 to a KMS key blindly.
fn begins_kms(draft: &mut Draft, bucket: &Bucket, website: Option<&WebsiteSpec>) -> Option<Block> {
    if let Some(block) = keeps_website(draft, bucket, website, WEBSITE_NEEDS_SSE_S3) {
        return Some(block);
    }
    let facts = (
        fact(draft, bucket, &bucket.log_delivery_acl, "logs are delivered to it", "s3:GetBucketAcl"),
        fact(draft, bucket, &bucket.replication, "it replicates to other buckets", "s3:GetReplicationConfiguration"),
        fact(draft, bucket, &bucket.document, "logs are delivered to it", "s3:GetBucketPolicy"),
    );
    let (log_delivery, replication, document) = match facts {
        (Ok(logs), Ok(replication), Ok(document)) => (*logs, replication, document),
        (Err(block), ..) | (_, Err(block), _) | (.., Err(block)) => return Some(block),
    };
    if log_delivery {
        return Some(Block { name: Gate::LogTarget, reason: stops_acl_logs() });
    }
    // A document that can't be parsed is met again, and reported, where the bucket's users are looked for.
    let document = document.as_deref().and_then(|text| Document::parse(text).ok());
    if let Some(reason) = document.as_ref().and_then(stops_logs) {
        return Some(Block { name: Gate::LogTarget, reason });
    }
    replication.iter().find(|rule| !rule.replicates_kms_objects).map(not_replicated)
}

fn not_replicated(rule: &ReplicationRule) -> Block {
    Block {
        name: Gate::Replication,
        reason: format!(
            "Replication rule {} (to {}) does not replicate objects under a KMS key: from the switch on, new objects would stay behind. Enable SseKmsEncryptedObjects with a ReplicaKmsKeyID in the rule, and let its role decrypt with the new key.",
            rule.id, rule.destination
        ),
    }
}

/// The new key must let every known user of the bucket through.
fn new_key(
    cx: &Context<'_>,
    draft: &mut Draft,
    bucket: &Bucket,
    desired: &DesiredEncryption<'_>,
    difference: &Difference,
) -> KeyRequirement {
    if bucket.document.is_not_read() {
        draft.wanted_facts.insert(bucket.arn.clone());
    }
    let (users, cannot_tell) = match users_of_moved_bucket(cx, draft, (&bucket.arn, key_today(bucket)), difference.after.bucket_key) {
        Ok(users) => (users, None),
        Err(block) => (Vec::new(), Some(block)),
    };
    let mut requirement = match &desired.key {
        Some((_, wanted)) => require_key(cx, draft, wanted, &users),
        None => KeyRequirement { block: shut_out_of_default_key(cx, &users), ..KeyRequirement::default() },
    };
    if requirement.block.is_none() {
        requirement.block = cannot_tell;
    }
    requirement
}

/// `aws/s3` serves principals of its own account only. [S3: using SSE-KMS encryption for cross-account operations]
fn shut_out_of_default_key(cx: &Context<'_>, users: &[KeyUser]) -> Option<Block> {
    let account = &cx.inventory.scope.account;
    let outsider = users.iter().find(|user| match &user.principal {
        Principal::Service(_) => true,
        Principal::Aws(name) => Arn::parse(name).is_ok_and(|arn| arn.account() != account),
    })?;
    Some(Block {
        name: Gate::Path,
        reason: format!(
            "The rule names no key, so S3 would use {DEFAULT_KEY}, whose document can't be edited: {} could not use it. Name a customer managed key.",
            outsider.role
        ),
    })
}

/// Gates of a bucket policy step.
pub(crate) fn document(draft: &mut Draft, bucket: &Bucket, website: Option<&WebsiteSpec>, refuses_http: bool) -> Option<Block> {
    // A website endpoint speaks no TLS: only a refusal of plain HTTP can cut it off.
    let cut_off = if refuses_http { keeps_website(draft, bucket, website, WEBSITE_NEEDS_HTTP) } else { None };
    // A document that holds nothing but our Deny is never public.
    if matches!(bucket.document.known(), Some(None)) {
        return cut_off;
    }
    let public =
        fact(draft, bucket, &bucket.public_access, "Block Public Access stands in the way", "s3:GetBucketPublicAccessBlock").cloned();
    if cut_off.is_some() {
        return cut_off;
    }
    match public {
        Ok(PublicAccess { policy_is_public: true, block_public_policy: true }) => Some(Block {
            name: Gate::PublicAccessBlock,
            reason: "The bucket's policy is public already and Block Public Access (BlockPublicPolicy) is on: AWS refuses every new policy that is public, even one with a Deny more. Remove the public statement first.".to_owned(),
        }),
        Ok(PublicAccess { policy_is_public: _, block_public_policy: _ }) => None,
        Err(block) => Some(block),
    }
}

const WEBSITE_NEEDS_SSE_S3: &str = "A website is served from this bucket, and anonymous readers can't read objects under a KMS key. Ask for AES256 for this bucket, or serve it through CloudFront and remove the website configuration.";
const WEBSITE_NEEDS_HTTP: &str = "A website is served from this bucket, and website endpoints speak nothing but HTTP: refusing it cuts the website off. This version does not read whether CloudFront alone reads the bucket over HTTPS, so it counts as a public website. Set website: { public: enforce } in the rule if nobody needs the website endpoint.";

/// A website stays as it is, unless the policy gives it up by name: then nobody needs to know whether there is one.
fn keeps_website(draft: &mut Draft, bucket: &Bucket, website: Option<&WebsiteSpec>, reason: &str) -> Option<Block> {
    if website.is_some_and(|website| website.public == WebsiteAction::Enforce) {
        return None;
    }
    match fact(draft, bucket, &bucket.website, "a website is served from it", "s3:GetBucketWebsite") {
        Ok(true) => Some(Block { name: Gate::Website, reason: reason.to_owned() }),
        Ok(false) => None,
        Err(block) => Some(block),
    }
}

/// A fact, or the gate that its absence is; a fact that nobody read is asked for.
fn fact<'b, T>(draft: &mut Draft, bucket: &Bucket, reading: &'b Reading<T>, what: &str, action: &str) -> Result<&'b T, Block> {
    match reading {
        Reading::Known(value) => return Ok(value),
        Reading::NotRead => drop(draft.wanted_facts.insert(bucket.arn.clone())),
        Reading::Unreadable { .. } => {}
    }
    Err(Block { name: Gate::Unread, reason: format!("Nobody knows whether {what}: {}", why_unknown(reading, action)) })
}
