//! `firehose-destination-encryption`: every S3 part is encrypted with a KMS key.
//!
//! `NoEncryption` means that Firehose sends no header, so the bucket's default encryption applies: a bucket that
//! encrypts with KMS by default makes the part compliant. Every kind of destination has an S3 part (staging,
//! backup), and each has its own setting. [firehose:EncryptionConfiguration]

use super::desired::delivering_role;
use super::observed::DeliveryDestination;
use super::plan::Judged;
use crate::Check;
use crate::inventory::Reading;
use crate::kms::{Fit, fit, note_on_key_in_use, why};
use crate::plan::admission::shut_out_today;
use crate::plan::change::Change;
use crate::plan::draft::{Draft, Remedy, Words};
use crate::plan::keys::{WantedKey, require_key, wanted_key};
use crate::plan::step::{Gate, Risk, StepId};
use crate::policy::model::DestinationSpec;
use crate::s3::encryption::DEFAULT_KEY;

const CHECK: Check = Check::FirehoseDestinationEncryption;

/// The verdict on one S3 part, with what is there in words.
enum Verdict {
    Encrypted(String),
    Open(String),
    CannotTell(String),
}

/// Judges all S3 parts of the stream in one finding.
pub(super) fn judge(judged: &Judged<'_>, wanted: &DestinationSpec, draft: &mut Draft) {
    let key = wanted.key.as_deref().map(|reference| (reference, wanted_key(judged.cx, reference)));
    let key = key.as_ref().map(|(reference, wanted)| (*reference, wanted));
    let mut words = Words {
        expected: wanted
            .key
            .as_ref()
            .map_or_else(|| "every S3 part encrypted with a KMS key".to_owned(), |key| format!("every S3 part encrypted with {key}")),
        ..Words::default()
    };
    let parts: Vec<(&DeliveryDestination, Verdict)> =
        judged.description.destinations.iter().map(|part| (part, verdict(judged, part, key))).collect();
    words.actual = parts
        .iter()
        .map(|(part, verdict)| format!("{} ({}): {}", part.bucket.name(), part.kind, verdict.text()))
        .collect::<Vec<_>>()
        .join("; ");
    words.notes = parts.iter().filter_map(|(part, _)| note_on_key_in_use(judged.cx, part.kms_key.as_deref()?)).collect();
    words.notes.extend(parts.iter().filter_map(|(part, _)| broken_today(judged, part)));
    let open: Vec<&DeliveryDestination> =
        parts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Open(_))).map(|(part, _)| *part).collect();
    if !open.is_empty() {
        words.message = "What Firehose delivers there is not encrypted as the policy asks.".into();
        let remedies = remedies(judged, &open, key, draft);
        return draft.drifted(&judged.subject, CHECK, words, remedies);
    }
    let doubts: Vec<&str> =
        parts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::CannotTell(_))).map(|(_, verdict)| verdict.text()).collect();
    if parts.is_empty() {
        words.actual = "no S3 part".into();
        words.message = "AWS described no destination with an S3 part.".into();
        draft.unknown(&judged.subject, CHECK, words);
    } else if doubts.is_empty() {
        draft.compliant(&judged.subject, CHECK, words);
    } else {
        words.message = format!("It can't be told whether what is delivered is encrypted: {}.", doubts.join("; "));
        draft.unknown(&judged.subject, CHECK, words);
    }
}

/// The role that delivers certainly can't use the key that it delivers under.
fn broken_today(judged: &Judged<'_>, part: &DeliveryDestination) -> Option<String> {
    let (cx, stream) = (judged.cx, judged.stream);
    let of_bucket = || {
        let encryption = cx.inventory.buckets.get(&part.bucket)?.encryption.known()?.as_ref()?;
        encryption.kms_key.clone().filter(|_| encryption.algorithm.starts_with("aws:kms"))
    };
    let key = part.kms_key.clone().or_else(of_bucket)?;
    shut_out_today(cx, &key, &[delivering_role(cx, stream, part)])
}

impl Verdict {
    fn text(&self) -> &str {
        match self {
            Self::Encrypted(text) | Self::Open(text) | Self::CannotTell(text) => text,
        }
    }
}

fn verdict(judged: &Judged<'_>, part: &DeliveryDestination, wanted: Option<(&str, &WantedKey)>) -> Verdict {
    match (&part.kms_key, wanted) {
        (Some(key), None) => Verdict::Encrypted(format!("encrypted with {key}")),
        (Some(key), Some((reference, wanted))) => match fit(judged.cx, reference, wanted, key) {
            Fit::Same | Fit::Better => Verdict::Encrypted(format!("encrypted with {key}")),
            Fit::Other => Verdict::Open(format!("encrypted with {key}")),
            Fit::CannotTell(reason) => Verdict::CannotTell(reason),
        },
        (None, wanted) => by_bucket(judged, part, wanted),
    }
}

fn by_bucket(judged: &Judged<'_>, part: &DeliveryDestination, wanted: Option<(&str, &WantedKey)>) -> Verdict {
    let bucket = part.bucket.name();
    let encryption = match judged.cx.inventory.buckets.get(&part.bucket).map(|bucket| &bucket.encryption) {
        None => {
            return Verdict::CannotTell(format!(
                "the stream names no key, and bucket {bucket} is not among the buckets of this account and region"
            ));
        }
        Some(Reading::NotRead) => {
            return Verdict::CannotTell(format!("the stream names no key, and the default encryption of bucket {bucket} was not read"));
        }
        Some(Reading::Unreadable { unreadable }) => {
            return Verdict::CannotTell(format!(
                "the stream names no key, and the default encryption of bucket {bucket} could not be read: {}",
                why(unreadable)
            ));
        }
        Some(Reading::Known(encryption)) => encryption,
    };
    match encryption.as_ref().map(|encryption| encryption.algorithm.as_str()) {
        Some(algorithm @ ("aws:kms" | "aws:kms:dsse")) => {
            let key = encryption.as_ref().and_then(|encryption| encryption.kms_key.as_deref()).unwrap_or(DEFAULT_KEY);
            let told = format!("the bucket's default, {algorithm} with {key}");
            match wanted.map(|(reference, wanted)| fit(judged.cx, reference, wanted, key)) {
                None | Some(Fit::Same | Fit::Better) => Verdict::Encrypted(told),
                Some(Fit::Other) => Verdict::Open(told),
                Some(Fit::CannotTell(reason)) => Verdict::CannotTell(reason),
            }
        }
        Some("AES256") => Verdict::Open("the bucket's default, AES256, which is no KMS key".to_owned()),
        None => Verdict::Open("the stream names no key, and the bucket has no default encryption".to_owned()),
        Some(other) => Verdict::CannotTell(format!("the default encryption of bucket {bucket} is {other}, which Everseal does not know")),
    }
}

fn remedies(judged: &Judged<'_>, open: &[&DeliveryDestination], wanted: Option<(&str, &WantedKey)>, draft: &mut Draft) -> Vec<Remedy> {
    let mut earlier: Option<StepId> = None;
    let mut remedies = Vec::new();
    for part in open {
        let summary = format!("encrypt what {} delivers to {} ({})", judged.stream.name, part.bucket.name(), part.kind);
        let remedy = match wanted {
            None => Remedy::manual(
                summary,
                format!(
                    "The rule names no key (destination.key). Name one, or set KMS as the default encryption of bucket {}: an s3 rule does so.",
                    part.bucket.name()
                ),
            ),
            Some((_, WantedKey::Unusable(block))) => Remedy::manual(summary, block.reason.clone()),
            Some((reference, wanted)) => change(judged, part, (reference, wanted), summary, draft).needing(earlier.clone()),
        };
        if remedy.change.is_some() && earlier.is_none() {
            earlier = Some(Remedy::step_id(CHECK, "UpdateDestination", &judged.stream.arn));
        }
        // The first keeps the plain id; the update makes a new version of the stream, so the others come after it.
        remedies.push(if remedies.is_empty() { remedy } else { remedy.of_part(part.kind.id()) });
    }
    remedies
}

fn change(
    judged: &Judged<'_>,
    part: &DeliveryDestination,
    (reference, wanted): (&str, &WantedKey),
    summary: String,
    draft: &mut Draft,
) -> Remedy {
    let Judged { cx, stream, description, subject: _, roles: _ } = judged;
    let Some(after) = wanted.key_ref() else { return Remedy::manual(summary, format!("{reference} can't be named")) };
    let undo = match &part.kms_key {
        Some(key) => format!("aws firehose update-destination with the former key {key}"),
        None => "aws firehose update-destination with NoEncryptionConfig".to_owned(),
    };
    let change = Change::DeliveryDestinationEncryption {
        stream: stream.name.clone(),
        version_id: description.version_id.clone(),
        destination_id: part.id.clone(),
        kind: part.kind,
        before: part.kms_key.clone(),
        after,
    };
    let mut remedy = Remedy::change(change, summary, undo).risking(Risk::Brief);
    if description.status != "ACTIVE" {
        remedy = remedy.blocked(
            Gate::NotReady,
            format!("the stream is {}; its destination can be changed only while it is ACTIVE", description.status),
        );
    }
    if !cx.inventory.buckets.contains_key(&part.bucket) {
        remedy = remedy.blocked(
            Gate::Unread,
            format!(
                "bucket {} is not among the buckets of this account and region, and the key must be in the bucket's region",
                part.bucket.name()
            ),
        );
    }
    remedy.requiring(require_key(cx, draft, wanted, &[delivering_role(cx, stream, part)]))
}
