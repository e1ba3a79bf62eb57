//! What the policy wants of data streams, compared with what AWS says.
//!
//! Encryption protects records written after it is on; the stream is never set back to none.
//! [Kinesis Data Streams: server-side encryption]

use super::desired::known_users;
use super::observed::{DataStream, DataStreamSummary};
use crate::kms::{Fit, fit, note_on_key_in_use, why};
use crate::paths::users_of_moved_data_stream;
use crate::plan::change::Change;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::keys::{WantedKey, require_key, wanted_key};
use crate::plan::select::Selection;
use crate::plan::step::{Gate, Risk};
use crate::policy::model::KeyAtRest;
use crate::{Check, Reading, Service};

/// Judges every data stream of the inventory.
pub(crate) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    for stream in cx.inventory.data_streams.values() {
        let (selected, tags) = match cx.select(|spec| &spec.kinesis, &stream.name, "", &stream.tags) {
            Selection::Unmanaged => {
                draft.unmanaged.insert(stream.arn.clone());
                continue;
            }
            Selection::CannotTell(selected, unreadable) => (selected, Some(unreadable)),
            Selection::Rule(selected) => (selected, None),
        };
        draft.managed.insert(stream.arn.clone());
        let Some(at_rest) = &selected.rule.at_rest else { continue };
        let subject = Subject::new(&stream.arn, Service::Kinesis, &cx.inventory.scope, &selected);
        if let Some(unreadable) = tags {
            let cause = unreadable.map_or_else(|| "they were not read".to_owned(), |unreadable| why(&unreadable));
            let message = format!("The rule goes by tags, and the stream's tags are not known: {cause}.");
            unknown(&subject, at_rest, &message, draft);
            continue;
        }
        match &stream.summary {
            Reading::Known(summary) => judge(cx, &subject, (stream, summary), at_rest, draft),
            Reading::Unreadable { unreadable } => {
                unknown(&subject, at_rest, &format!("The stream could not be read: {}.", why(unreadable)), draft);
            }
            Reading::NotRead => unknown(&subject, at_rest, "The stream was not read.", draft),
        }
    }
}

fn unknown(subject: &Subject, at_rest: &KeyAtRest, message: &str, draft: &mut Draft) {
    let words = Words { expected: expected(at_rest), actual: "not known".to_owned(), message: message.to_owned(), notes: Vec::new() };
    draft.unknown(subject, Check::KinesisEncryption, words);
}

fn expected(at_rest: &KeyAtRest) -> String {
    format!("encrypted with {}", at_rest.key)
}

fn judge(
    cx: &Context<'_>,
    subject: &Subject,
    (stream, summary): (&DataStream, &DataStreamSummary),
    at_rest: &KeyAtRest,
    draft: &mut Draft,
) {
    let DataStreamSummary { status: _, encrypted, kms_key } = summary;
    let wanted = wanted_key(cx, &at_rest.key);
    let mut words = Words { expected: expected(at_rest), actual: "not encrypted".to_owned(), ..Words::default() };
    if *encrypted {
        let Some(key) = kms_key else {
            return unknown(subject, at_rest, "AWS did not say which key encrypts the stream.", draft);
        };
        words.actual = format!("encrypted with {key}");
        words.notes.extend(note_on_key_in_use(cx, key));
        match fit(cx, &at_rest.key, &wanted, key) {
            Fit::Same => return draft.compliant(subject, Check::KinesisEncryption, words),
            Fit::Better => {
                words
                    .notes
                    .push("A customer managed key protects better than the AWS-managed one that the policy asks for; it stays.".to_owned());
                return draft.compliant(subject, Check::KinesisEncryption, words);
            }
            Fit::CannotTell(reason) => {
                words.message = format!("Whether that is the wanted key can't be told: {reason}.");
                return draft.unknown(subject, Check::KinesisEncryption, words);
            }
            Fit::Other => words.message = "The stream is encrypted with another key than the policy names.".into(),
        }
    } else {
        words.message = "Records are stored in the clear.".into();
    }
    let remedy = remedy(cx, (stream, summary), (at_rest, &wanted), draft);
    draft.drifted(subject, Check::KinesisEncryption, words, vec![remedy]);
}

fn remedy(
    cx: &Context<'_>,
    (stream, summary): (&DataStream, &DataStreamSummary),
    (at_rest, wanted): (&KeyAtRest, &WantedKey),
    draft: &mut Draft,
) -> Remedy {
    let summary_line = format!("encrypt {} with {}", stream.name, at_rest.key);
    let after = match (wanted, wanted.key_ref()) {
        (_, Some(after)) => after,
        (WantedKey::Unusable(block), None) => return Remedy::manual(summary_line, block.reason.clone()),
        (WantedKey::Exists(_) | WantedKey::ToBeCreated { .. }, None) => return Remedy::manual(summary_line, "the key can't be named"),
    };
    let before = summary.kms_key.clone().filter(|_| summary.encrypted);
    let undo = match &before {
        Some(key) => format!("aws kinesis start-stream-encryption --encryption-type KMS --key-id {key} --stream-arn {}", stream.arn),
        None => format!("aws kinesis stop-stream-encryption --encryption-type KMS --key-id <the new key> --stream-arn {}", stream.arn),
    };
    let mut remedy = Remedy::change(Change::DataStreamEncryption { before, after }, summary_line, undo).risking(Risk::Brief);
    if summary.status != "ACTIVE" {
        remedy =
            remedy.blocked(Gate::NotReady, format!("the stream is {}; encryption can be changed only while it is ACTIVE", summary.status));
    }
    let key_today = summary.kms_key.as_deref().filter(|_| summary.encrypted);
    let users = known_users(cx, &stream.arn).and_then(|mut users| {
        users.extend(users_of_moved_data_stream(cx, draft, (&stream.arn, key_today))?);
        Ok(users)
    });
    match users {
        Ok(users) => remedy.requiring(require_key(cx, draft, wanted, &users)),
        Err(block) => remedy.requiring(require_key(cx, draft, wanted, &[])).blocked(block.name, block.reason),
    }
}
