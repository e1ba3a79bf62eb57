//! What a rule wants of a bucket's default encryption.

use std::collections::BTreeSet;

use crate::plan::context::Context;
use crate::plan::keys::{WantedKey, wanted_key};
use crate::policy::model::{BlockedEncryptionType, BucketAlgorithm, BucketAtRest};

/// Wanted default encryption, its key resolved in the scope.
#[derive(Debug, Clone)]
pub(crate) struct DesiredEncryption<'a> {
    pub(crate) algorithm: BucketAlgorithm,
    /// The reference in the policy and the key behind it; `None`: any key.
    pub(crate) key: Option<(&'a str, WantedKey)>,
    /// `None`: unmanaged.
    pub(crate) bucket_key: Option<bool>,
    /// Must be blocked; others may be.
    pub(crate) blocked: BTreeSet<&'static str>,
}

impl<'a> DesiredEncryption<'a> {
    pub(crate) fn of(cx: &Context<'_>, rule: &'a BucketAtRest) -> Self {
        let BucketAtRest { algorithm, key, bucket_key, blocked_encryption_types } = rule;
        Self {
            algorithm: *algorithm,
            key: key.as_deref().map(|reference| (reference, wanted_key(cx, reference))),
            bucket_key: *bucket_key,
            blocked: blocked_encryption_types.iter().flatten().map(|kind| blocked_type(*kind)).collect(),
        }
    }

    /// In words, as findings show it.
    pub(crate) fn words(&self) -> String {
        let mut words = algorithm_words(algorithm_text(self.algorithm)).to_owned();
        if let Some((reference, _)) = &self.key {
            words = format!("{words} with {reference}");
        }
        match self.bucket_key {
            Some(true) => words.push_str(", bucket key on"),
            Some(false) => words.push_str(", bucket key off"),
            None => {}
        }
        for kind in &self.blocked {
            words = format!("{words}, {kind} blocked");
        }
        words
    }
}

const fn blocked_type(kind: BlockedEncryptionType) -> &'static str {
    match kind {
        BlockedEncryptionType::SseC => "SSE-C",
    }
}

/// `SSEAlgorithm` as S3 writes it.
pub(crate) const fn algorithm_text(algorithm: BucketAlgorithm) -> &'static str {
    match algorithm {
        BucketAlgorithm::Aes256 => "AES256",
        BucketAlgorithm::Kms => "aws:kms",
        BucketAlgorithm::KmsDsse => "aws:kms:dsse",
    }
}

/// `SSEAlgorithm` as people say it.
pub(crate) fn algorithm_words(algorithm: &str) -> &str {
    match algorithm {
        "AES256" => "SSE-S3 (AES256)",
        "aws:kms" => "SSE-KMS",
        "aws:kms:dsse" => "DSSE-KMS",
        younger => younger,
    }
}

/// DSSE-KMS over SSE-KMS over SSE-S3; `None`: an algorithm that is younger than this program.
pub(crate) fn strength(algorithm: &str) -> Option<u8> {
    match algorithm {
        "AES256" => Some(1),
        "aws:kms" => Some(2),
        "aws:kms:dsse" => Some(3),
        _ => None,
    }
}
