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

/// A file given to [`load`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's name as the user gave it.
    pub file: String,
    /// Its text: one or several YAML documents.
    pub text: String,
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The policy is not used.
    Error,
    /// The policy is used; somebody should look.
    Warning,
}

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// The YAML path, e.g. `spec.s3[0].atRest.key`; empty for the document itself.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The nearest right word, where one was misspelt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// Policies that may be used, with what somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The policies.
    pub set: PolicySet,
    /// Warnings only.
    pub warnings: Vec<Diagnostic>,
}

/// Loads policies; on any error, all errors (and warnings) of all files are returned and nothing may be used.
/// `now` is in seconds since the Unix epoch.
pub fn load(sources: &[Source], now: i64) -> Result<Loaded, Vec<Diagnostic>> {
    let _ = (sources, now);
    Err(Vec::new())
}

/// The JSON Schema of a policy document, made from the types.
pub fn schema() -> serde_json::Value {
    serde_json::Value::Null
}
