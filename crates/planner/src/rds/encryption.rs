//! `rds-encryption`: the database's storage is encrypted, with the key that the policy names.
//!
//! `StorageEncryptionType` decides: for clusters under SSE-RDS the older `StorageEncrypted` says `false` although
//! the data is encrypted. Storage can't be encrypted in place, nor its key changed, so drift here is work for a
//! person, with the way that the engine allows. [rds:DBCluster; Encrypting Amazon RDS resources]

use super::observed::StorageEncryption;
use super::plan::Database;
use crate::Check;
use crate::kms::{Fit, fit, note_on_key_in_use};
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::keys::wanted_key;
use crate::policy::model::{DatabaseAtRest, Migration, MigrationAction};

const CHECK: Check = Check::RdsEncryption;

/// How the storage is encrypted, as far as AWS says.
pub(in crate::rds) enum Storage<'a> {
    Open,
    /// With a key that AWS owns.
    AwsOwned,
    /// With a KMS key, where AWS named it.
    Kms(Option<&'a str>),
    /// A type that is younger than this program.
    Unknown(&'a str),
}

pub(in crate::rds) fn storage(observed: &StorageEncryption) -> Storage<'_> {
    let StorageEncryption { storage_encrypted, storage_encryption_type, kms_key } = observed;
    match storage_encryption_type.as_deref() {
        Some("none") => Storage::Open,
        Some("sse-rds") => Storage::AwsOwned,
        Some("sse-kms") => Storage::Kms(kms_key.as_deref()),
        Some(other) => Storage::Unknown(other),
        None if *storage_encrypted => Storage::Kms(kms_key.as_deref()),
        None => Storage::Open,
    }
}

/// Judges the storage of a database on its own or of a cluster.
pub(super) fn judge(cx: &Context<'_>, subject: &Subject, database: &Database<'_>, at_rest: &DatabaseAtRest, draft: &mut Draft) {
    let DatabaseAtRest { encrypted: _, key, migration } = at_rest;
    let mut words =
        Words { expected: key.as_ref().map_or_else(|| "encrypted".to_owned(), |key| format!("encrypted with {key}")), ..Words::default() };
    words.notes.extend(lost_key(database.status));
    match storage(database.storage) {
        Storage::Open => {
            words.actual = "not encrypted".into();
            words.message = "The database's storage, snapshots and backups are in the clear.".into();
            words.notes.extend(migration.as_ref().and_then(unnamed));
            let remedy = Remedy::manual(format!("encrypt {}", database.name()), how_to_encrypt(database));
            draft.drifted(subject, CHECK, words, vec![remedy]);
        }
        Storage::Unknown(other) => {
            words.actual = format!("StorageEncryptionType {other}");
            words.message = format!("Everseal does not know the storage encryption type {other}.");
            draft.unknown(subject, CHECK, words);
        }
        Storage::AwsOwned => {
            words.actual = "encrypted with a key that AWS owns (sse-rds)".into();
            match key {
                None => draft.compliant(subject, CHECK, words),
                Some(key) => other_key(subject, database, words, key, draft),
            }
        }
        Storage::Kms(observed) => judge_key(cx, (subject, database), words, (key.as_deref(), observed), draft),
    }
}

fn judge_key(
    cx: &Context<'_>,
    (subject, database): (&Subject, &Database<'_>),
    mut words: Words,
    (wanted, observed): (Option<&str>, Option<&str>),
    draft: &mut Draft,
) {
    words.actual = format!("encrypted with {}", observed.unwrap_or("a KMS key"));
    words.notes.extend(observed.and_then(|key| note_on_key_in_use(cx, key)));
    let Some(reference) = wanted else { return draft.compliant(subject, CHECK, words) };
    let fit = match observed {
        Some(observed) => fit(cx, reference, &wanted_key(cx, reference), observed),
        None => Fit::CannotTell("AWS did not say which key encrypts the storage".to_owned()),
    };
    match fit {
        Fit::Same => draft.compliant(subject, CHECK, words),
        Fit::Better => {
            words
                .notes
                .push("A customer managed key protects better than the AWS-managed one that the policy asks for; it stays.".to_owned());
            draft.compliant(subject, CHECK, words);
        }
        Fit::Other => other_key(subject, database, words, reference, draft),
        Fit::CannotTell(reason) => {
            words.message = format!("Whether that is the wanted key can't be told: {reason}.");
            draft.unknown(subject, CHECK, words);
        }
    }
}

fn other_key(subject: &Subject, database: &Database<'_>, mut words: Words, key: &str, draft: &mut Draft) {
    words.message = "The storage is encrypted, with another key than the policy names.".into();
    let reason = format!(
        "The key of a database's storage can't be changed in place. Move to a copy encrypted with {key}: {}",
        how_to_encrypt(database)
    );
    draft.drifted(subject, CHECK, words, vec![Remedy::manual(format!("move {} to {key}", database.name()), reason)]);
}

/// The ways that the engine allows. [Blue/Green deployments; Encrypting Amazon RDS and Aurora resources]
fn how_to_encrypt(database: &Database<'_>) -> String {
    let blue_green = "Create a blue/green deployment whose TargetResourceConfigurations name the wanted key (TargetKmsKeyId), check the green side and switch over: seconds to minutes without writes.";
    let snapshot = "Stop the writers, take a snapshot, copy it with the wanted key (CopyDBSnapshot with KmsKeyId), restore the copy under a new name with the same settings, and swap the names.";
    let restore = "Take a cluster snapshot and restore it with the wanted key (RestoreDBClusterFromSnapshot with KmsKeyId), then create its instances, and move the clients.";
    let engine = database.engine;
    let way = match engine {
        _ if engine.starts_with("aurora") => format!("{blue_green} Or: {restore}"),
        _ if database.is_cluster() => restore.to_owned(),
        "mysql" | "mariadb" | "postgres" => {
            format!("{blue_green} Where AWS refuses that: {} A read replica can be encrypted only if its source is.", lower_first(snapshot))
        }
        _ => format!("{engine} has no blue/green deployments. {snapshot}"),
    };
    match unsupported_class(database.class) {
        Some(class) => format!("Instance class {class} can't have encrypted storage: change the class first. {way}"),
        None => way,
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// [Encrypting Amazon RDS resources: limitations]
pub(super) fn unsupported_class(class: &str) -> Option<&str> {
    (class.starts_with("db.m1.") || class.starts_with("db.m2.") || class == "db.t2.micro").then_some(class)
}

/// A migration is recognised by the database's own id: without it none is begun.
fn unnamed(migration: &Migration) -> Option<String> {
    match migration.action {
        MigrationAction::Report => None,
        MigrationAction::Prepare | MigrationAction::Cutover => {
            Some("AWS did not show the database's resource id, so its migration can't be begun.".to_owned())
        }
    }
}

/// The database has lost its key. [rds: DB instance status]
fn lost_key(status: &str) -> Option<String> {
    match status {
        "inaccessible-encryption-credentials-recoverable" => Some(
            "The database can't reach its key. Make the key usable again and start the database within 7 days (StartDBInstance)."
                .to_owned(),
        ),
        "inaccessible-encryption-credentials" => Some("The database has lost its key for good: restore it from a backup.".to_owned()),
        _ => None,
    }
}
