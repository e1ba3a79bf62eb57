//! What a key is.

use std::time::Duration;

use serde_json::{Value, json};

use crate::access::Document;
use crate::moment::Moment;

/// States that this simulator reaches. [KMS: Key states of AWS KMS keys]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// A replica on its way: it can be managed, not used.
    Creating,
    /// In use.
    Enabled,
    /// Switched off.
    Disabled,
    /// To be deleted at the end of its waiting period.
    PendingDeletion,
    /// To be deleted once its replicas are.
    PendingReplicaDeletion,
    /// Without the material that somebody must bring.
    PendingImport,
    /// Its custom key store can't be reached.
    Unavailable,
}

impl KeyState {
    /// As AWS spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion => "PendingDeletion",
            Self::PendingReplicaDeletion => "PendingReplicaDeletion",
            Self::PendingImport => "PendingImport",
            Self::Unavailable => "Unavailable",
        }
    }

    /// As error messages say it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Creating => "being created",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::PendingDeletion => "pending deletion",
            Self::PendingReplicaDeletion => "pending replica deletion",
            Self::PendingImport => "pending import",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A key of a multi-Region family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Family {
    Single,
    /// Regions of its replicas, sorted.
    Primary {
        replicas: Vec<String>,
    },
    /// Region of its primary.
    Replica {
        primary: String,
    },
}

/// A document that decides from a time on.
#[derive(Debug, Clone)]
pub(super) struct Edition {
    pub(super) from: Moment,
    pub(super) document: Document,
}

/// A key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) id: String,
    pub(super) created: Moment,
    pub(super) description: String,
    pub(super) usage: String,
    pub(super) spec: String,
    pub(super) origin: String,
    /// Made and managed by this service for its users; `None`: a customer's.
    pub(super) managed_by: Option<String>,
    pub(super) state: KeyState,
    /// When it will be gone, while it is pending deletion.
    pub(super) deletion: Option<Moment>,
    /// Days of the waiting period, while it is pending deletion.
    pub(super) waiting_days: u64,
    pub(super) family: Family,
    /// The document as `GetKeyPolicy` shows it.
    pub(super) document: String,
    /// Documents that decide or will: never empty, oldest first.
    pub(super) editions: Vec<Edition>,
    pub(super) rotation_days: Option<u16>,
    pub(super) rotation_since: Moment,
    pub(super) tags: Vec<(String, String)>,
    pub(super) grants: Vec<super::grants::Grant>,
}

impl Key {
    pub(super) fn arn(&self) -> String {
        arn(&self.account, &self.region, &self.id)
    }

    /// The document that decides at a time.
    pub(super) fn deciding(&self, now: Moment) -> &Document {
        let edition = self.editions.iter().rev().find(|edition| edition.from <= now).or_else(|| self.editions.first());
        &edition.expect("a key has a document from its first moment on").document
    }

    /// A new document, which decides after `delay`.
    pub(super) fn put_document(&mut self, text: String, document: Document, now: Moment, delay: Duration) {
        let deciding = self.deciding(now).clone();
        self.editions.retain(|edition| edition.from > now);
        self.editions.insert(0, Edition { from: now, document: deciding });
        let from = now + delay;
        self.editions.retain(|edition| edition.from < from);
        self.editions.push(Edition { from, document });
        self.document = text;
    }

    /// For encryption of data by services: nothing else is. [kms:GenerateDataKey `KeyId`]
    pub(super) fn is_symmetric_encryption(&self) -> bool {
        self.usage == "ENCRYPT_DECRYPT" && self.spec == "SYMMETRIC_DEFAULT"
    }

    /// `KeyMetadata`. [kms:KeyMetadata]
    pub(super) fn metadata(&self) -> Value {
        let mut out = json!({
            "AWSAccountId": self.account,
            "KeyId": self.id,
            "Arn": self.arn(),
            "CreationDate": self.created.epoch_seconds(),
            "Enabled": self.state == KeyState::Enabled,
            "Description": self.description,
            "KeyUsage": self.usage,
            "KeyState": self.state.name(),
            "Origin": self.origin,
            "KeyManager": if self.managed_by.is_some() { "AWS" } else { "CUSTOMER" },
            "CustomerMasterKeySpec": self.spec,
            "KeySpec": self.spec,
            "MultiRegion": self.family != Family::Single,
        });
        if self.usage == "ENCRYPT_DECRYPT" {
            out["EncryptionAlgorithms"] = if self.is_symmetric_encryption() {
                json!(["SYMMETRIC_DEFAULT"])
            } else {
                json!(["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
            };
        }
        if self.is_symmetric_encryption() {
            out["CurrentKeyMaterialId"] = json!(material(&self.id));
        }
        match self.state {
            KeyState::PendingDeletion => out["DeletionDate"] = json!(self.deletion.map(Moment::epoch_seconds)),
            KeyState::PendingReplicaDeletion => out["PendingDeletionWindowInDays"] = json!(self.waiting_days),
            KeyState::Creating | KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport | KeyState::Unavailable => {}
        }
        out
    }
}

/// The id of a symmetric key's material: 64 hexadecimal digits, the same for a multi-Region key and its replicas. It goes by
/// the key's id or ARN, which is enough: no material is ever exchanged here.
pub(super) fn material(key: &str) -> String {
    let id = key.rsplit('/').next().unwrap_or_default();
    let id = id.strip_prefix("mrk-").unwrap_or(id);
    id.chars().filter(char::is_ascii_hexdigit).collect::<String>().repeat(2)
}

/// A key's ARN.
pub(super) fn arn(account: &str, region: &str, id: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:key/{id}")
}

/// An alias. Its name and place are in its ARN.
#[derive(Debug, Clone)]
pub(super) struct Alias {
    /// The key's id.
    pub(super) key: String,
    pub(super) created: Moment,
    pub(super) updated: Moment,
}
