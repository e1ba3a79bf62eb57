//! `firehose-encryption`: the stream's own encryption.
//!
//! Only a Direct PUT stream has one. Behind a Kinesis stream Firehose buffers in memory alone and the Kinesis stream's
//! encryption is what counts; for MSK and database sources there is nothing to set. None of those is drift.
//! [`firehose:StartDeliveryStreamEncryption`; Data protection in Amazon Data Firehose]

use super::known_producers::known_producers;
use super::observed::StreamEncryption;
use super::plan::Judged;
use crate::inventory::ResolvedKey;
use crate::kms::{Fit, fit, note_on_key_in_use, why};
use crate::paths::iam_users::want_all_roles;
use crate::plan::change::Change;
use crate::plan::draft::{Draft, Remedy, Words};
use crate::plan::keys::{KeyUser, WantedKey, require_key, wanted_key};
use crate::plan::step::{Gate, Risk};
use crate::policy::model::{DeliveryStreamAtRest, FirehoseKeyType};
use crate::{Arn, Check, Reading};

/// Calls of Start and Stop that Everseal makes per stream in 24 hours. AWS takes 25; the rest is a person's reserve.
/// [`firehose:StartDeliveryStreamEncryption`]
const CALL_BUDGET: u32 = 20;

const CHECK: Check = Check::FirehoseEncryption;

/// Judges the stream's own encryption.
pub(super) fn judge(judged: &Judged<'_>, at_rest: &DeliveryStreamAtRest, draft: &mut Draft) {
    let mut words = Words { expected: expected(at_rest), ..Words::default() };
    let description = judged.description;
    match description.stream_type.as_str() {
        "DirectPut" => direct_put(judged, at_rest, words, draft),
        "KinesisStreamAsSource" => behind_kinesis(judged, description.source_stream.as_ref(), words, draft),
        "MSKAsSource" | "DatabaseAsSource" => {
            words.actual = format!("not applicable to {}", description.stream_type);
            words.notes.push("Firehose has no encryption of its own to set on a stream with this source.".to_owned());
            draft.compliant(&judged.subject, CHECK, words);
        }
        other => {
            words.actual = format!("a stream of type {other}");
            words.message = format!("Everseal does not know streams of type {other}, so it does not judge this one.");
            draft.unknown(&judged.subject, CHECK, words);
        }
    }
}

/// The wanted setting in words.
pub(super) fn expected(at_rest: &DeliveryStreamAtRest) -> String {
    match (at_rest.key_type, &at_rest.key) {
        (FirehoseKeyType::AwsOwnedCmk, _) => "encrypted with a key of AWS's or better".to_owned(),
        (FirehoseKeyType::CustomerManagedCmk, Some(key)) => format!("encrypted with {key}"),
        (FirehoseKeyType::CustomerManagedCmk, None) => "encrypted with a customer managed key".to_owned(),
    }
}

fn behind_kinesis(judged: &Judged<'_>, source: Option<&Arn>, mut words: Words, draft: &mut Draft) {
    let subject = &judged.subject;
    words.expected = "its Kinesis source stream is encrypted".into();
    let Some(source) = source else {
        words.actual = "source not known".into();
        words.message = "AWS did not say which Kinesis stream it reads.".into();
        return draft.unknown(subject, CHECK, words);
    };
    words.notes.push(format!(
        "A stream that reads a Kinesis stream buffers in memory only; {} is what is encrypted, and the kinesis rules judge it.",
        source.name()
    ));
    let summary = match judged.cx.inventory.data_streams.get(source).map(|stream| &stream.summary) {
        Some(Reading::Known(summary)) => summary,
        Some(Reading::Unreadable { unreadable }) => {
            words.actual = "source not readable".into();
            words.message = format!("The source stream {} could not be read: {}.", source.name(), why(unreadable));
            return draft.unknown(subject, CHECK, words);
        }
        Some(Reading::NotRead) | None => {
            words.actual = "source not read".into();
            words.message = format!("The source stream {source} was not read.");
            return draft.unknown(subject, CHECK, words);
        }
    };
    if summary.encrypted {
        words.actual = format!("source encrypted with {}", summary.kms_key.as_deref().unwrap_or("a KMS key"));
        words.notes.extend(summary.kms_key.as_deref().and_then(|key| note_on_key_in_use(judged.cx, key)));
        return draft.compliant(subject, CHECK, words);
    }
    words.actual = format!("source {} not encrypted", source.name());
    words.message = "What arrives at the source is stored there in the clear.".into();
    let remedy = Remedy::manual(
        format!("encrypt the source stream {}", source.name()),
        format!(
            "Encryption can't be started on a stream that reads a Kinesis stream. Encrypt {source}: a kinesis rule that matches it makes Everseal do so."
        ),
    );
    draft.drifted(subject, CHECK, words, vec![remedy]);
}

fn direct_put(judged: &Judged<'_>, at_rest: &DeliveryStreamAtRest, mut words: Words, draft: &mut Draft) {
    let encryption = &judged.description.encryption;
    let StreamEncryption { status, key_type: _, kms_key, failure } = encryption;
    words.actual = actual(encryption);
    words.notes.extend(kms_key.as_deref().and_then(|key| note_on_key_in_use(judged.cx, key)));
    words.notes.extend(producer_note(judged));
    let wanted = at_rest.key.as_deref().map(|key| wanted_key(judged.cx, key));
    let fit = suits(judged, at_rest, wanted.as_ref());
    match (status.as_str(), fit) {
        ("ENABLED", Fit::Same | Fit::Better) => return draft.compliant(&judged.subject, CHECK, words),
        ("ENABLED", Fit::CannotTell(reason)) => {
            words.message = format!("Whether that is the wanted key can't be told: {reason}.");
            return draft.unknown(&judged.subject, CHECK, words);
        }
        ("ENABLED", Fit::Other) => words.message = "The stream is encrypted with another key than the policy asks for.".into(),
        ("ENABLING", _) => {
            words.message = "Firehose is turning encryption on; records may be stored in the clear until it is done.".into();
        }
        ("ENABLING_FAILED", _) => {
            words.message = format!(
                "Firehose could not turn on the encryption that was asked for last: {}. If it was a change of keys, the stream is still encrypted with the former key; if not, records are stored in the clear.",
                failure_in_words(failure.as_deref())
            );
        }
        ("" | "DISABLED", _) => words.message = "Records are stored in the clear until they are delivered.".into(),
        ("DISABLING", _) => words.message = "Somebody is turning encryption off.".into(),
        ("DISABLING_FAILED", _) => {
            words.message = format!("Somebody tried to turn encryption off, and it failed: {}.", failure_in_words(failure.as_deref()));
        }
        (other, _) => {
            words.message = format!("Everseal does not know the encryption status {other}.");
            return draft.unknown(&judged.subject, CHECK, words);
        }
    }
    let remedy = remedy(judged, at_rest, wanted.as_ref(), draft);
    draft.drifted(&judged.subject, CHECK, words, vec![remedy]);
}

fn actual(encryption: &StreamEncryption) -> String {
    let StreamEncryption { status, key_type, kms_key, failure: _ } = encryption;
    let key = kms_key.as_deref().or(key_type.as_deref()).map(|key| format!(", {key}")).unwrap_or_default();
    match status.as_str() {
        "ENABLED" => format!("encrypted{key}"),
        "" | "DISABLED" => "not encrypted".to_owned(),
        other => format!("{other}{key}"),
    }
}

/// `FailureDescription.Type`. [firehose:DeliveryStreamFailureType]
fn failure_in_words(failure: Option<&str>) -> String {
    let words = match failure {
        Some("RETIRE_KMS_GRANT_FAILED") => "the grant on the former key could not be retired",
        Some("CREATE_KMS_GRANT_FAILED") => {
            "the grant on the key could not be made: the caller lacks kms:CreateGrant, or its session was older than 6 hours"
        }
        Some("KMS_ACCESS_DENIED") => "the key's document or the caller's IAM policies deny the use of the key",
        Some("DISABLED_KMS_KEY") => "the key is disabled",
        Some("INVALID_KMS_KEY") => "the key is not a symmetric encryption key, or can't be used in its state",
        Some("KMS_KEY_NOT_FOUND") => "the key does not exist",
        Some("KMS_OPT_IN_REQUIRED") => "KMS must be enabled for the account in this region first",
        Some(other) => return format!("AWS says {other}"),
        None => return "AWS did not say why".to_owned(),
    };
    format!("{words} ({})", failure.unwrap_or_default())
}

fn suits(judged: &Judged<'_>, at_rest: &DeliveryStreamAtRest, wanted: Option<&WantedKey>) -> Fit {
    let StreamEncryption { status: _, key_type, kms_key, failure: _ } = &judged.description.encryption;
    let customer = key_type.as_deref() == Some("CUSTOMER_MANAGED_CMK");
    let (reference, wanted) = match (at_rest.key_type, &at_rest.key, wanted) {
        (FirehoseKeyType::AwsOwnedCmk, ..) => return if customer { Fit::Better } else { Fit::Same },
        (FirehoseKeyType::CustomerManagedCmk, ..) if !customer => return Fit::Other,
        (FirehoseKeyType::CustomerManagedCmk, Some(reference), Some(wanted)) => (reference, wanted),
        (FirehoseKeyType::CustomerManagedCmk, _, _) => return Fit::Same,
    };
    match kms_key {
        Some(key) => fit(judged.cx, reference, wanted, key),
        None => Fit::CannotTell("AWS did not say which key encrypts the stream".to_owned()),
    }
}

fn producer_note(judged: &Judged<'_>) -> Option<String> {
    let encryption = &judged.description.encryption;
    let key = encryption.kms_key.as_deref().filter(|_| encryption.key_type.as_deref() == Some("CUSTOMER_MANAGED_CMK"))?;
    let ResolvedKey::Key(arn) = judged.cx.inventory.resolve_key(key) else { return None };
    let listed = judged.cx.listed_by_arn(&arn);
    let named = !known_producers(judged.cx, judged.stream, listed, &[&arn], judged.roles).is_empty();
    (!named).then(|| {
        "From 2027-02-28 (on streams made since 2026-04-20 already) whoever calls PutRecord needs kms:GenerateDataKey and kms:Decrypt on the stream's key. Name them under usableBy.producers of the key to have that checked.".to_owned()
    })
}

fn remedy(judged: &Judged<'_>, at_rest: &DeliveryStreamAtRest, wanted: Option<&WantedKey>, draft: &mut Draft) -> Remedy {
    let Judged { cx, stream, description, subject: _, roles } = judged;
    let summary = format!("make {} {}", stream.name, expected(at_rest));
    let (after, wanted) = match (at_rest.key_type, wanted) {
        (FirehoseKeyType::AwsOwnedCmk, _) => (None, None),
        (FirehoseKeyType::CustomerManagedCmk, None) => {
            return Remedy::manual(summary, "Name the key in the rule (atRest.key): Everseal does not choose one.");
        }
        (FirehoseKeyType::CustomerManagedCmk, Some(WantedKey::Unusable(block))) => return Remedy::manual(summary, block.reason.clone()),
        (FirehoseKeyType::CustomerManagedCmk, Some(wanted)) => (wanted.key_ref(), Some(wanted)),
    };
    let undo = match &description.encryption.kms_key {
        Some(key) => {
            format!("aws firehose start-delivery-stream-encryption --delivery-stream-name {} with the former key {key}", stream.name)
        }
        None => format!("aws firehose stop-delivery-stream-encryption --delivery-stream-name {}", stream.name),
    };
    let change = Change::DeliveryStreamEncryption { stream: stream.name.clone(), before: description.encryption.clone(), after };
    let mut remedy = Remedy::change(change, summary, undo).risking(Risk::Brief);
    if wanted.is_none() && may_be_better(&description.encryption) {
        remedy = remedy.blocked(
            Gate::Manual,
            "The stream is, or may still be, encrypted with a customer managed key, and a key of AWS's would be less. Start its encryption again with that key, or with a key of AWS's if that is what you want.",
        );
    }
    if let Some(reason) = not_ready(judged) {
        remedy = remedy.blocked(Gate::NotReady, reason);
    }
    let calls = cx.past.delivery_stream_encryption_calls.get(&stream.arn).copied().unwrap_or(0);
    if calls >= CALL_BUDGET {
        remedy = remedy.blocked(
            Gate::CallBudget,
            format!("Everseal has changed the encryption of this stream {calls} times in 24 hours; AWS takes 25 calls, and the rest is kept for people. Something undoes the change, or it fails each time: find out what."),
        );
    }
    let Some(wanted) = wanted else { return remedy };
    let listed = at_rest.key.as_deref().and_then(|alias| cx.listed_key(alias)).map(|(_, key)| key);
    let listed = listed.or_else(|| wanted_arn(wanted).and_then(|arn| cx.listed_by_arn(arn)));
    let in_use = description.encryption.kms_key.as_deref().map(|key| cx.inventory.resolve_key(key));
    let in_use = if let Some(ResolvedKey::Key(arn)) = &in_use { Some(arn) } else { None };
    want_all_roles(draft, cx.inventory);
    let keys: Vec<&Arn> = in_use.into_iter().chain(wanted_arn(wanted)).collect();
    let users: Vec<KeyUser> = known_producers(cx, stream, listed, &keys, roles).into_iter().map(|producer| producer.user).collect();
    remedy.requiring(require_key(cx, draft, wanted, &users))
}

/// A change that failed leaves the former key in force. [firehose:DeliveryStreamEncryptionStatus]
fn may_be_better(encryption: &StreamEncryption) -> bool {
    let StreamEncryption { status, key_type, kms_key: _, failure: _ } = encryption;
    matches!(status.as_str(), "ENABLING_FAILED" | "DISABLING_FAILED") && key_type.as_deref() == Some("CUSTOMER_MANAGED_CMK")
}

const fn wanted_arn(wanted: &WantedKey) -> Option<&Arn> {
    match wanted {
        WantedKey::Exists(arn) => Some(arn),
        WantedKey::ToBeCreated { .. } | WantedKey::Unusable(_) => None,
    }
}

fn not_ready(judged: &Judged<'_>) -> Option<String> {
    let description = judged.description;
    let encryption = description.encryption.status.as_str();
    if description.status != "ACTIVE" {
        return Some(format!("the stream is {}; its encryption can be changed only while it is ACTIVE", description.status));
    }
    matches!(encryption, "ENABLING" | "DISABLING")
        .then(|| format!("its encryption is {encryption}; it is judged again when Firehose is done"))
}
