//! `firehose-kms-errors`: Firehose can use the stream's key now.
//!
//! Records that Firehose can't decrypt are kept for 24 hours and then dropped for good, so the finding says by when.
//! The counters say that it fails; why is read from the key's state and document.
//! [Firehose: Monitoring with CloudWatch metrics, server-side encryption]

use super::observed::{KmsError, KmsErrorRun, KmsErrors};
use super::plan::Judged;
use crate::inventory::{KeyMetadata, Reading, ResolvedKey};
use crate::kms::why;
use crate::plan::draft::{Draft, Remedy, Words};
use crate::{Arn, Check};

const CHECK: Check = Check::FirehoseKmsErrors;
/// How long Firehose keeps what it can't decrypt, in seconds.
const KEPT: i64 = 24 * 60 * 60;

/// Judges the counters of a stream with a customer managed key; counters that nobody has polled yet say nothing.
pub(super) fn judge(judged: &Judged<'_>, draft: &mut Draft) {
    let mut words = Words { expected: "Firehose can use its key".to_owned(), ..Words::default() };
    let KmsErrors { current } = match &judged.stream.kms_errors {
        Reading::Known(errors) => errors,
        Reading::Unreadable { unreadable } => {
            words.actual = "not known".into();
            words.message = format!("The KMS error counters could not be read: {}.", why(unreadable));
            return draft.unknown(&judged.subject, CHECK, words);
        }
        Reading::NotRead => return,
    };
    let Some(first) = current.iter().map(|run| run.first_at).min() else {
        words.actual = "no KMS errors".into();
        return draft.compliant(&judged.subject, CHECK, words);
    };
    let deadline = first.saturating_add(KEPT);
    words.actual = current.iter().map(in_words).collect::<Vec<_>>().join("; ");
    words.message = if deadline > judged.cx.now {
        format!("Firehose keeps what it can't decrypt until {} and then drops it for good.", at(deadline))
    } else {
        format!("Firehose has been dropping records since {}; what it dropped is lost.", at(deadline))
    };
    let key = judged.description.encryption.kms_key.as_deref();
    let remedies = current.iter().map(|run| remedy(judged, run, key, draft)).collect();
    draft.drifted(&judged.subject, CHECK, words, remedies);
}

fn in_words(run: &KmsErrorRun) -> String {
    let KmsErrorRun { error, count, first_at, last_at } = run;
    format!("{count} {error} from {} to {}", at(*first_at), at(*last_at))
}

fn at(seconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .map_or_else(|_| format!("{seconds} s since 1970"), |time| format!("{} {:02}:{:02} UTC", time.date(), time.hour(), time.minute()))
}

fn remedy(judged: &Judged<'_>, run: &KmsErrorRun, key: Option<&str>, draft: &Draft) -> Remedy {
    let name = key.map_or_else(|| "the stream's key".to_owned(), |key| format!("key {key}"));
    let summary = format!("let Firehose use {name} again");
    let arn = key.and_then(|key| match judged.cx.inventory.resolve_key(key) {
        ResolvedKey::Key(arn) => Some(arn),
        ResolvedKey::AwsManaged(_) | ResolvedKey::Unresolved(_) => None,
    });
    let healing = arn.as_ref().and_then(|arn| draft.healing_steps.get(arn)).filter(|_| run.error != KmsError::NotFound);
    let remedy = match healing {
        Some(steps) => Remedy::manual(summary, "The steps of this plan that bring the key back end it; nothing else is to be done.")
            .needing(steps.iter().cloned()),
        None => {
            Remedy::manual(summary, format!("{} {}", cause(judged, run.error, &name, arn.as_ref()), what_to_do(judged, run.error, &name)))
        }
    };
    remedy.of_part(run.error.id())
}

/// The state of the key now: the counters lag behind it.
fn cause(judged: &Judged<'_>, error: KmsError, name: &str, key: Option<&Arn>) -> String {
    let metadata = key.and_then(|key| judged.cx.inventory.keys.get(key)).and_then(|key| key.metadata.known());
    match (error, metadata) {
        (KmsError::NotFound, _) => format!("{name} was deleted, or never was."),
        (KmsError::AccessDenied, Some(KeyMetadata { state, .. })) if state == "Enabled" => {
            format!("{name} is Enabled, so the grant that Firehose holds on it was revoked, or its document denies its use.")
        }
        (KmsError::AccessDenied, None) => format!("The grant that Firehose holds on {name} was revoked, or its document denies its use."),
        (_, Some(KeyMetadata { state, .. })) if state == "Enabled" => {
            format!("{name} is Enabled again; the errors end when Firehose has tried once more.")
        }
        (_, Some(KeyMetadata { state, .. })) => format!("{name} is {state}."),
        (KmsError::Disabled, None) => format!("{name} is disabled."),
        (KmsError::InvalidState, None) => format!("{name} is pending deletion or import, or its key store is unavailable."),
    }
}

fn what_to_do(judged: &Judged<'_>, error: KmsError, name: &str) -> String {
    let stream = &judged.stream.name;
    match error {
        KmsError::AccessDenied => format!(
            "Take out of the key's document what denies kms:Decrypt and kms:GenerateDataKey, then have the grant made anew: aws firehose start-delivery-stream-encryption --delivery-stream-name {stream} with the same key."
        ),
        KmsError::Disabled => format!("Enable it: aws kms enable-key for {name}, or heal: [enable] on the key in the policy."),
        KmsError::InvalidState => "Pending deletion: aws kms cancel-key-deletion, then enable-key (heal: [cancelDeletion, enable]). Pending import: import the key material again. Unavailable: connect the custom key store again.".to_owned(),
        KmsError::NotFound => format!("What is stored under it can't be recovered. For new records name another key: aws firehose start-delivery-stream-encryption --delivery-stream-name {stream}."),
    }
}
