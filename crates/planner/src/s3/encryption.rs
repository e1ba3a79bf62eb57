//! Wanted against observed default encryption: what to write, if anything.
//!
//! `PutBucketEncryption` replaces the rule, so everything that the policy does not manage is carried over.
//! [S3: `PutBucketEncryption`]

use std::collections::BTreeSet;

use super::desired::{DesiredEncryption, algorithm_text, algorithm_words, strength};
use super::observed::BucketEncryption;
use crate::document::Answer;
use crate::inventory::ResolvedKey;
use crate::plan::KeyRef;
use crate::plan::compare::{key_words, same_key};
use crate::plan::context::Context;
use crate::plan::step::{Block, Gate};

/// The alias that S3 uses where no key is named. [S3: `ServerSideEncryptionByDefault`]
pub(crate) const DEFAULT_KEY: &str = "alias/aws/s3";
const SSE_S3: &str = "AES256";
const SSE_KMS: &str = "aws:kms";

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// As wanted, or better protected.
    Compliant {
        /// Better: how, in words.
        better: Option<String>,
    },
    /// Nothing can be said, in words.
    Unknown(String),
    /// To be written.
    Differs(Box<Difference>),
}

/// What is to be written and what that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) after: BucketEncryption,
    /// The key that does not exist yet.
    pub(crate) waits_for: Option<KeyRef>,
    /// Objects that were written under SSE-S3 will be written under a KMS key.
    pub(crate) begins_kms: bool,
    /// Another KMS key than before.
    pub(crate) changes_key: bool,
    pub(crate) changes_bucket_key: bool,
    /// SSE-C or other types are refused from now on.
    pub(crate) blocks_more: bool,
    /// The rule can't be written at all.
    pub(crate) block: Option<Block>,
}

impl Difference {
    /// Everybody who writes or reads needs a key that they did not need before.
    pub(crate) const fn moves_to_key(&self) -> bool {
        self.begins_kms || self.changes_key
    }
}

/// Compares; an absent rule (emulators, buckets from before 2023) is "nothing configured", never "unreadable".
pub(crate) fn compare(cx: &Context<'_>, desired: &DesiredEncryption<'_>, observed: Option<&BucketEncryption>) -> Comparison {
    let nothing = BucketEncryption { algorithm: String::new(), kms_key: None, bucket_key: false, blocked_encryption_types: None };
    let before = observed.unwrap_or(&nothing);
    let has = match observed {
        None => 0,
        Some(observed) => match strength(&observed.algorithm) {
            Some(strength) => strength,
            None => return Comparison::Unknown(younger(&observed.algorithm)),
        },
    };
    let wanted_text = algorithm_text(desired.algorithm);
    let wants = strength(wanted_text).unwrap_or_default();
    let algorithm = if wants > has { wanted_text } else { before.algorithm.as_str() };
    let uses_kms = has >= 2;
    let other_key = match uses_other_key(cx, desired, before) {
        Ok(other) => other && uses_kms,
        Err(why) if uses_kms => return Comparison::Unknown(why),
        Err(_) => false,
    };
    let bucket_key = match desired.bucket_key {
        Some(wanted) if algorithm == SSE_KMS => wanted,
        // DSSE-KMS has no bucket key. [S3 Bucket Keys]
        Some(_) | None => before.bucket_key && (wants <= has || algorithm == SSE_KMS),
    };
    let blocked = blocked_after(before.blocked_encryption_types.as_ref(), &desired.blocked);
    let changes_bucket_key = bucket_key != before.bucket_key;
    let blocks_more = blocked != before.blocked_encryption_types;
    if wants <= has && !other_key && !changes_bucket_key && !blocks_more {
        return Comparison::Compliant { better: (has > wants).then(|| better(&before.algorithm, wanted_text)) };
    }
    let begins_kms = algorithm != SSE_S3 && !uses_kms;
    let (kms_key, waits_for, block) = key_after(cx, desired, before, algorithm, begins_kms || other_key);
    Comparison::Differs(Box::new(Difference {
        after: BucketEncryption { algorithm: algorithm.to_owned(), kms_key, bucket_key, blocked_encryption_types: blocked },
        waits_for,
        begins_kms,
        changes_key: other_key,
        changes_bucket_key,
        blocks_more,
        block,
    }))
}

/// `Err`: the keys can't be compared, in words.
fn uses_other_key(cx: &Context<'_>, desired: &DesiredEncryption<'_>, before: &BucketEncryption) -> Result<bool, String> {
    let Some((reference, wanted)) = &desired.key else { return Ok(false) };
    let current = before.kms_key.as_deref().unwrap_or(DEFAULT_KEY);
    match same_key(cx, reference, wanted, current) {
        Answer::Yes => Ok(false),
        Answer::No => Ok(true),
        Answer::CannotTell => Err(incomparable(current, reference)),
    }
}

type KeyAfter = (Option<String>, Option<KeyRef>, Option<Block>);

/// The key to write: the wanted one, or the one in use, always by its ARN, because S3 looks an alias up in the account
/// of whoever makes the request.
fn key_after(cx: &Context<'_>, desired: &DesiredEncryption<'_>, before: &BucketEncryption, algorithm: &str, moves: bool) -> KeyAfter {
    if algorithm == SSE_S3 {
        return (None, None, None);
    }
    if moves {
        return match desired.key.as_ref().map(|(_, wanted)| wanted.key_ref()) {
            Some(Some(KeyRef::Arn(arn))) => (Some(arn.to_string()), None, None),
            Some(Some(created @ KeyRef::ToBeCreated { .. })) => (None, Some(created), None),
            Some(None) | None => (None, None, None),
        };
    }
    match before.kms_key.as_deref().map(|key| cx.inventory.resolve_key(key)) {
        None | Some(ResolvedKey::AwsManaged(_)) => (None, None, None),
        Some(ResolvedKey::Key(arn)) => (Some(arn.to_string()), None, None),
        Some(ResolvedKey::Unresolved(text)) => {
            let reason = format!(
                "The bucket's key {text} can't be resolved to the ARN of a key, and the whole encryption rule has to be written back. Name the key by its ARN in the bucket's encryption first."
            );
            (Some(text), None, Some(Block { name: Gate::Unread, reason }))
        }
    }
}

/// `NONE` says that nothing is blocked; what is blocked stays blocked. [S3: `BlockedEncryptionTypes`]
fn blocked_after(before: Option<&BTreeSet<String>>, wanted: &BTreeSet<&'static str>) -> Option<BTreeSet<String>> {
    if wanted.iter().all(|kind| before.is_some_and(|before| before.contains(*kind))) {
        return before.cloned();
    }
    let kept = before.into_iter().flatten().filter(|kind| *kind != "NONE").cloned();
    Some(kept.chain(wanted.iter().map(|kind| (*kind).to_owned())).collect())
}

fn younger(algorithm: &str) -> String {
    format!("The bucket's algorithm {algorithm} is younger than this version of Everseal, which can't judge it and leaves it alone.")
}

fn incomparable(current: &str, reference: &str) -> String {
    format!("The bucket's key {current} can't be compared with {reference}: one of them can't be resolved to the ARN of a key.")
}

fn better(has: &str, wanted: &str) -> String {
    format!("Better protected than asked: {} where {} is wanted.", algorithm_words(has), algorithm_words(wanted))
}

/// Observed encryption in words, as findings show it.
pub(crate) fn observed_words(cx: &Context<'_>, observed: Option<&BucketEncryption>) -> String {
    let Some(BucketEncryption { algorithm, kms_key, bucket_key, blocked_encryption_types }) = observed else {
        return "no default encryption configured".to_owned();
    };
    let mut words = algorithm_words(algorithm).to_owned();
    if strength(algorithm).is_some_and(|strength| strength >= 2) {
        words = format!("{words} with {}", key_words(cx, kms_key.as_deref().unwrap_or(DEFAULT_KEY)));
    }
    if algorithm == SSE_KMS {
        words.push_str(if *bucket_key { ", bucket key on" } else { ", bucket key off" });
    }
    for kind in blocked_encryption_types.iter().flatten().filter(|kind| *kind != "NONE") {
        words = format!("{words}, {kind} blocked");
    }
    words
}
