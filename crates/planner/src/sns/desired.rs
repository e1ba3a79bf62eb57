//! What a rule wants of a topic's encryption, compared with what there is.

use super::observed::TopicAttributes;
use crate::document::Answer;
use crate::plan::compare::{key_words, same_key};
use crate::plan::context::Context;
use crate::plan::keys::{WantedKey, wanted_key};
use crate::policy::model::KeyAtRest;

/// Wanted encryption, its key resolved in the scope.
#[derive(Debug, Clone)]
pub(crate) struct DesiredEncryption<'a> {
    /// As the policy names it.
    pub(crate) reference: &'a str,
    /// The key behind it.
    pub(crate) key: WantedKey,
}

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Comparison {
    Compliant,
    /// Nothing can be said, in words.
    Unknown(String),
    /// To be switched to the wanted key.
    Differs,
}

impl<'a> DesiredEncryption<'a> {
    pub(crate) fn of(cx: &Context<'_>, rule: &'a KeyAtRest) -> Self {
        let KeyAtRest { key } = rule;
        Self { reference: key, key: wanted_key(cx, key) }
    }

    /// In words, as findings show it.
    pub(crate) fn words(&self) -> String {
        format!("SSE-KMS with {}", self.reference)
    }

    pub(crate) fn compare(&self, cx: &Context<'_>, observed: &TopicAttributes) -> Comparison {
        let TopicAttributes { kms_key, document: _ } = observed;
        let Some(current) = kms_key else { return Comparison::Differs };
        match same_key(cx, self.reference, &self.key, current) {
            Answer::Yes => Comparison::Compliant,
            Answer::No => Comparison::Differs,
            Answer::CannotTell => Comparison::Unknown(format!(
                "The topic's key {current} can't be compared with {}: one of them can't be resolved to the ARN of a key.",
                self.reference
            )),
        }
    }
}

/// Observed encryption in words, as findings show it.
pub(crate) fn observed_words(cx: &Context<'_>, key: Option<&str>) -> String {
    key.map_or_else(|| "not encrypted".to_owned(), |key| format!("SSE-KMS with {}", key_words(cx, key)))
}
