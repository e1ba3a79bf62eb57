//! What a rule wants of a queue's encryption, compared with what there is.

use super::observed::QueueAttributes;
use crate::document::Answer;
use crate::plan::change::QueueEncryption;
use crate::plan::compare::{key_words, same_key};
use crate::plan::context::Context;
use crate::plan::keys::{WantedKey, wanted_key};
use crate::plan::{Block, Gate, KeyRef};
use crate::policy::model::{QueueAtRest, QueueEncryptionKind};

/// The reuse period where none was ever set. [SQS: `SetQueueAttributes`]
const DEFAULT_REUSE_SECONDS: u32 = 300;

/// Wanted encryption, its key resolved in the scope.
#[derive(Debug, Clone)]
pub(crate) struct DesiredEncryption<'a> {
    pub(crate) kind: QueueEncryptionKind,
    /// The reference in the policy and the key behind it; `None`: any key.
    pub(crate) key: Option<(&'a str, WantedKey)>,
    /// `None`: unmanaged.
    pub(crate) reuse_seconds: Option<u32>,
}

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Comparison {
    Compliant,
    /// SSE-KMS where SSE-SQS is asked.
    Better,
    /// Nothing can be said, in words.
    Unknown(String),
    Differs {
        after: QueueEncryption,
        /// The key that does not exist yet.
        waits_for: Option<KeyRef>,
        /// Senders and receivers need a key that they did not need before.
        moves_to_key: bool,
        /// The rule can't be written at all.
        block: Option<Block>,
    },
}

impl<'a> DesiredEncryption<'a> {
    pub(crate) fn of(cx: &Context<'_>, rule: &'a QueueAtRest) -> Self {
        let QueueAtRest { encryption, key, data_key_reuse_seconds } = rule;
        Self {
            kind: *encryption,
            key: key.as_deref().map(|reference| (reference, wanted_key(cx, reference))),
            reuse_seconds: *data_key_reuse_seconds,
        }
    }

    /// In words, as findings show it.
    pub(crate) fn words(&self) -> String {
        match (self.kind, &self.key) {
            (QueueEncryptionKind::SseSqs, _) => "SSE-SQS".to_owned(),
            (QueueEncryptionKind::SseKms, key) => {
                let key = key.as_ref().map_or("any key", |(reference, _)| reference);
                let reuse = self.reuse_seconds.map(|seconds| format!(", data keys reused for {seconds} s")).unwrap_or_default();
                format!("SSE-KMS with {key}{reuse}")
            }
        }
    }

    /// Compares. Where both kinds are set, as no real queue has it, the KMS key is what counts.
    pub(crate) fn compare(&self, cx: &Context<'_>, observed: &QueueAttributes) -> Comparison {
        let QueueAttributes { kms_key, data_key_reuse_seconds, sqs_managed_sse, document: _, dead_letter_queue: _ } = observed;
        match (self.kind, kms_key.as_deref()) {
            (QueueEncryptionKind::SseSqs, Some(_)) => Comparison::Better,
            (QueueEncryptionKind::SseSqs, None) if *sqs_managed_sse => Comparison::Compliant,
            (QueueEncryptionKind::SseSqs, None) => Comparison::Differs {
                after: QueueEncryption { kms_key: None, data_key_reuse_seconds: None, sqs_managed_sse: true },
                waits_for: None,
                moves_to_key: false,
                block: None,
            },
            (QueueEncryptionKind::SseKms, None) => self.switched(),
            (QueueEncryptionKind::SseKms, Some(current)) => self.compare_kms(cx, current, *data_key_reuse_seconds),
        }
    }

    fn compare_kms(&self, cx: &Context<'_>, current: &str, reuse: Option<u32>) -> Comparison {
        let same = match &self.key {
            None => Answer::Yes,
            Some((reference, wanted)) => same_key(cx, reference, wanted, current),
        };
        match same {
            Answer::No => self.switched(),
            Answer::CannotTell => Comparison::Unknown(format!(
                "The queue's key {current} can't be compared with {}: one of them can't be resolved to the ARN of a key.",
                self.key.as_ref().map_or("the wanted key", |(reference, _)| reference)
            )),
            Answer::Yes if self.reuse_seconds.is_some_and(|wanted| wanted != reuse.unwrap_or(DEFAULT_REUSE_SECONDS)) => {
                Comparison::Differs {
                    // The key is the one that is set already: written as it stands, so that nothing else changes.
                    after: QueueEncryption {
                        kms_key: Some(current.to_owned()),
                        data_key_reuse_seconds: self.reuse_seconds,
                        sqs_managed_sse: false,
                    },
                    waits_for: None,
                    moves_to_key: false,
                    block: None,
                }
            }
            Answer::Yes => Comparison::Compliant,
        }
    }

    /// To the wanted key in one write: SQS replaces one kind by the other, so the queue is never without.
    fn switched(&self) -> Comparison {
        let (kms_key, waits_for, block) = match self.key.as_ref().map(|(_, wanted)| wanted.key_ref()) {
            Some(Some(KeyRef::Arn(arn))) => (Some(arn.to_string()), None, None),
            Some(Some(created @ KeyRef::ToBeCreated { .. })) => (None, Some(created), None),
            // The key requirement says why.
            Some(None) => (None, None, None),
            None => (None, None, Some(no_key())),
        };
        Comparison::Differs {
            after: QueueEncryption { kms_key, data_key_reuse_seconds: self.reuse_seconds, sqs_managed_sse: false },
            waits_for,
            moves_to_key: true,
            block,
        }
    }
}

fn no_key() -> Block {
    let reason = "The rule asks for SSE-KMS and names no key: name one under atRest.key.";
    Block { name: Gate::KeyState, reason: reason.to_owned() }
}

/// Observed encryption in words, as findings show it.
pub(crate) fn observed_words(cx: &Context<'_>, observed: &QueueEncryption) -> String {
    let QueueEncryption { kms_key, data_key_reuse_seconds, sqs_managed_sse } = observed;
    match (kms_key, sqs_managed_sse) {
        (Some(key), _) => {
            let reuse = data_key_reuse_seconds.map(|seconds| format!(", data keys reused for {seconds} s")).unwrap_or_default();
            format!("SSE-KMS with {}{reuse}", key_words(cx, key))
        }
        (None, true) => "SSE-SQS".to_owned(),
        (None, false) => "not encrypted".to_owned(),
    }
}
