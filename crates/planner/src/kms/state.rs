//! `kms-key-state`: the key works.
//!
//! Somebody may have disabled a key on purpose, so nothing is done to it unless `heal` says so. Healing takes two
//! calls where a deletion is pending: cancelling leaves the key disabled. [KMS: Key states of AWS KMS keys]

use super::exists::why;
use super::observed::KeyMetadata;
use super::plan::Listed;
use crate::plan::change::Change;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::policy::model::Heal;
use crate::{Check, Reading};

/// Judges the key's state, and records the steps that bring it back.
pub(crate) fn judge(listed: &Listed<'_>, subject: &Subject, metadata: &Reading<KeyMetadata>, draft: &mut Draft) {
    let mut words = Words { expected: "Enabled".to_owned(), ..Words::default() };
    let metadata = match metadata {
        Reading::Known(metadata) => metadata,
        Reading::Unreadable { unreadable } => {
            words.actual = "not readable".into();
            words.message = format!("The key's state could not be read: {}.", why(unreadable));
            return draft.unknown(subject, Check::KmsKeyState, words);
        }
        Reading::NotRead => {
            words.actual = "not read".into();
            words.message = "The key's state was not read.".into();
            return draft.unknown(subject, Check::KmsKeyState, words);
        }
    };
    words.actual.clone_from(&metadata.state);
    let broken = "Whatever is encrypted under it can be neither read nor written.";
    match metadata.state.as_str() {
        "Enabled" => return draft.compliant(subject, Check::KmsKeyState, words),
        "Creating" | "Updating" => {
            words.message = format!("KMS is still working on the key ({}); it is judged again in the next pass.", metadata.state);
            return draft.unknown(subject, Check::KmsKeyState, words);
        }
        "Disabled" => words.message = format!("The key is disabled. {broken}"),
        "PendingDeletion" => words.message = format!("The key will be deleted{}. {broken}", on_day(metadata.deletion_date)),
        "PendingReplicaDeletion" => words.message = format!("The key will be deleted once its replicas are. {broken}"),
        "PendingImport" => words.message = format!("The key waits for its key material. {broken}"),
        "Unavailable" => words.message = format!("The key's custom key store can't be reached. {broken}"),
        state => {
            words.message = format!("Everseal does not know the key state {state}.");
            return draft.unknown(subject, Check::KmsKeyState, words);
        }
    }
    let remedies = remedies(listed, subject, &metadata.state);
    let healed = remedies.iter().all(|remedy| remedy.block.is_none());
    if healed {
        let ids = remedies.iter().filter_map(|remedy| remedy.change.as_ref());
        let ids = ids.map(|change| Remedy::step_id(Check::KmsKeyState, change.action(), &subject.resource)).collect();
        draft.healing_steps.insert(subject.resource.clone(), ids);
    }
    draft.drifted(subject, Check::KmsKeyState, words, remedies);
}

fn on_day(deletion: Option<i64>) -> String {
    let day = deletion.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok());
    day.map(|at| format!(" on {}", at.date())).unwrap_or_default()
}

fn remedies(listed: &Listed<'_>, subject: &Subject, state: &str) -> Vec<Remedy> {
    let alias = &listed.key.alias;
    let enable = listed.key.heal.contains(&Heal::Enable);
    let cancel = listed.key.heal.contains(&Heal::CancelDeletion);
    let enabling =
        || Remedy::change(Change::EnableKey {}, format!("enable {alias}"), format!("aws kms disable-key --key-id {}", subject.resource));
    let cancelling = || {
        Remedy::change(
            Change::CancelKeyDeletion {},
            format!("cancel the deletion of {alias}; the key is then disabled"),
            format!("aws kms schedule-key-deletion --key-id {}", subject.resource),
        )
    };
    let manual = |what: &str, how: String| Remedy::manual(format!("{what} {alias}"), how);
    match state {
        "Disabled" if enable => vec![enabling()],
        "Disabled" => vec![manual(
            "enable",
            format!(
                "Somebody may have disabled {alias} on purpose. Enable it (aws kms enable-key --key-id {}), or let Everseal do so with heal: [enable].",
                subject.resource
            ),
        )],
        "PendingDeletion" if cancel && enable => {
            let first = Remedy::step_id(Check::KmsKeyState, Change::CancelKeyDeletion {}.action(), &subject.resource);
            vec![cancelling(), enabling().needing([first])]
        }
        "PendingDeletion" if cancel => vec![
            cancelling(),
            manual(
                "enable",
                format!(
                    "Once its deletion is cancelled, {alias} is disabled. Enable it, or let Everseal do so with heal: [cancelDeletion, enable]."
                ),
            ),
        ],
        "PendingDeletion" => vec![manual(
            "cancel the deletion of",
            format!(
                "Cancel the deletion (aws kms cancel-key-deletion --key-id {}) and enable the key, or let Everseal do both with heal: [cancelDeletion, enable].",
                subject.resource
            ),
        )],
        "PendingReplicaDeletion" => {
            vec![manual("cancel the deletion of", format!("Cancel the deletion on the primary key of {alias}, then enable it."))]
        }
        "PendingImport" => vec![manual(
            "import key material for",
            format!(
                "Import the key material of {} again (GetParametersForImport, ImportKeyMaterial): only whoever holds it can.",
                subject.resource
            ),
        )],
        _ => vec![manual(
            "connect the key store of",
            "Connect the key's custom key store again (ConnectCustomKeyStore): enabling the key has no effect until then.".to_owned(),
        )],
    }
}
