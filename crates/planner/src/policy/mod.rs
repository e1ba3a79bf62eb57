//! The policy language: what a person writes, and its errors.

pub mod model;

use model::EncryptionPolicy;

/// All policies in force, in the order of files and documents: across them, too, the first rule that matches wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicySet {
    /// The documents.
    pub policies: Vec<EncryptionPolicy>,
    /// A short digest of the documents' text: names the revision in metrics, logs and ledger.
    pub revision: String,
}
