//! `kms-key-rotation`: the key rotates at least as often as the policy says.
//!
//! Many keys can't rotate by themselves, and asking it of them is an error on every pass: imported material, custom
//! key stores, asymmetric and HMAC keys, AWS-managed keys, and replicas, whose primary decides. While a deletion is
//! pending AWS reports rotation as off, whatever it was. Rotation is never turned off, and a shorter period than the
//! policy's is better protected: it stays. [KMS: Rotating KMS keys; kms:GetKeyRotationStatus]

use super::exists::why;
use super::observed::{Key, KeyMetadata, KeyRotation};
use super::plan::Listed;
use crate::plan::change::Change;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::step::Gate;
use crate::{Check, Reading};

/// Days, where no period was ever set. [`kms:EnableKeyRotation`]
const DEFAULT_PERIOD: u32 = 365;

/// Judges the rotation of a key for which the policy asks it.
pub(crate) fn judge(listed: &Listed<'_>, subject: &Subject, key: &Key, draft: &mut Draft) {
    let Some(wanted) = listed.key.rotation.as_ref().filter(|rotation| rotation.enabled).map(|rotation| rotation.period_in_days) else {
        return;
    };
    let mut words = Words { expected: format!("rotated every {wanted} days"), ..Words::default() };
    let metadata = match &key.metadata {
        Reading::Known(metadata) => metadata,
        Reading::Unreadable { unreadable } => {
            return unknown(subject, words, &format!("What kind of key it is could not be read: {}.", why(unreadable)), draft);
        }
        Reading::NotRead => return unknown(subject, words, "What kind of key it is was not read.", draft),
    };
    if let Some(note) = not_asked(&key.arn, metadata) {
        words.actual = "not applicable".into();
        words.notes.push(note);
        return draft.compliant(subject, Check::KmsKeyRotation, words);
    }
    let rotation = match &key.rotation {
        Reading::Known(rotation) => rotation,
        Reading::Unreadable { unreadable } => {
            return unknown(subject, words, &format!("The rotation could not be read: {}.", why(unreadable)), draft);
        }
        Reading::NotRead => return unknown(subject, words, "The rotation was not read.", draft),
    };
    let before = match rotation {
        KeyRotation { enabled: false, period_in_days: _ } => {
            words.actual = "not rotated".into();
            words.message = "The key's material stays the same for ever.".into();
            None
        }
        KeyRotation { enabled: true, period_in_days: None } if wanted < DEFAULT_PERIOD => {
            return unknown(subject, words, "The key is rotated, and AWS did not say how often.", draft);
        }
        KeyRotation { enabled: true, period_in_days: None } => {
            words.actual = "rotated".into();
            words.notes.push("AWS did not say how often: every 365 days where nobody set a period.".to_owned());
            return draft.compliant(subject, Check::KmsKeyRotation, words);
        }
        KeyRotation { enabled: true, period_in_days: Some(days) } => {
            words.actual = format!("rotated every {days} days");
            if *days <= wanted {
                if *days < wanted {
                    words.notes.push("The key rotates more often than the policy asks; that stays.".to_owned());
                }
                return draft.compliant(subject, Check::KmsKeyRotation, words);
            }
            words.message = "The key rotates less often than the policy asks.".into();
            Some(*days)
        }
    };
    draft.drifted(subject, Check::KmsKeyRotation, words, vec![remedy(listed, subject, metadata, (before, wanted), draft)]);
}

fn unknown(subject: &Subject, mut words: Words, message: &str, draft: &mut Draft) {
    words.actual = "not known".into();
    words.message = message.into();
    draft.unknown(subject, Check::KmsKeyRotation, words);
}

fn not_asked(key: &crate::Arn, metadata: &KeyMetadata) -> Option<String> {
    let KeyMetadata { state, aws_managed, usage, spec, origin, custom_key_store, multi_region, deletion_date: _ } = metadata;
    let reason = if *aws_managed {
        "AWS rotates its managed keys every year by itself."
    } else if spec != "SYMMETRIC_DEFAULT" || usage != "ENCRYPT_DECRYPT" {
        "Only symmetric encryption keys rotate by themselves."
    } else if *custom_key_store {
        "Keys in a custom key store do not rotate by themselves."
    } else if origin != "AWS_KMS" {
        "A key with imported material does not rotate by itself: import new material on demand."
    } else if multi_region.as_ref().is_some_and(|family| family.primary != *key) {
        "A replica rotates with its primary."
    } else if state == "PendingDeletion" || state == "PendingReplicaDeletion" {
        "AWS reports rotation as off while the deletion is pending; it is judged again once that is cancelled."
    } else {
        return None;
    };
    Some(reason.to_owned())
}

fn remedy(listed: &Listed<'_>, subject: &Subject, metadata: &KeyMetadata, (before, after): (Option<u32>, u32), draft: &Draft) -> Remedy {
    let undo = match before {
        Some(days) => format!("aws kms enable-key-rotation --rotation-period-in-days {days} --key-id {}", subject.resource),
        None => format!("aws kms disable-key-rotation --key-id {}", subject.resource),
    };
    let remedy = Remedy::change(Change::KeyRotation { before, after }, format!("rotate {} every {after} days", listed.key.alias), undo);
    match (metadata.state.as_str(), draft.healing_steps.get(&subject.resource)) {
        ("Enabled", _) => remedy,
        (_, Some(steps)) => remedy.needing(steps.iter().cloned()),
        (state, None) => remedy.blocked(Gate::KeyState, format!("rotation can be set only on an Enabled key, and this one is {state}")),
    }
}
