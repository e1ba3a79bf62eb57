//! The policy language: what a person writes, and its errors.
//!
//! Text becomes a tree of positioned nodes (`parse`, `tree`), whose shape is judged against the schema of the
//! types (`shape`), whose meaning is judged on the types (`meaning`), and from which the typed policy is
//! made. All errors of all files are found in one go. What must never happen here: a wrong policy that
//! loads, a right one that does not, or an error without a place.

mod contain;
mod exemption;
mod format;
mod meaning;
mod parse;
mod place;
mod report;
mod schema;
mod shape;
mod tree;
mod words;

pub mod model;
pub mod window;

use std::fmt;

use sha2::{Digest, Sha256};

use meaning::Document;
use report::{Position, Report};
use shape::Shape;

use model::{EncryptionPolicy, Spec};

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

impl fmt::Display for Diagnostic {
    /// `file:line:column: error: path: message`, then the suggestion.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, file, line, column, path, message, suggestion } = self;
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{file}:{line}:{column}: {severity}: ")?;
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        f.write_str(message)?;
        match suggestion {
            Some(suggestion) => write!(f, " (did you mean `{suggestion}`?)"),
            None => Ok(()),
        }
    }
}

/// Loads policies; on any error, all errors (and warnings) of all files are returned and nothing may be used.
/// `now` is in seconds since the Unix epoch.
pub fn load(sources: &[Source], now: i64) -> Result<Loaded, Vec<Diagnostic>> {
    let mut reports: Vec<Report<'_>> = sources.iter().map(|source| Report::new(&source.file)).collect();
    if sources.is_empty() {
        let mut report = Report::new("");
        report.error(Position::START, "", "no policy was given; name a file, or a folder that holds at least one");
        return Err(report.found);
    }
    let mut documents = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        read_file(file, &source.text, &mut reports[file], &mut documents, now);
    }
    meaning::judge_together(&documents, &mut reports);

    let mut policies = Vec::new();
    if reports.iter().all(|report| !report.has_errors()) {
        for Document { file, node, spec: _ } in &documents {
            match serde_yaml::from_value(node.to_yaml()) {
                Ok(policy) => policies.push(policy),
                Err(error) => reports[*file].error(node.at, "", format!("the policy cannot be read: {error}")),
            }
        }
    }
    let failed = reports.iter().any(Report::has_errors);
    let found = reports.into_iter().flat_map(Report::into_sorted).collect();
    if failed {
        return Err(found);
    }
    let revision = revision(sources.iter().map(|source| source.text.as_str()));
    Ok(Loaded { set: PolicySet { policies, revision }, warnings: found })
}

/// Reads a file's documents and judges each on its own.
fn read_file(file: usize, text: &str, report: &mut Report<'_>, documents: &mut Vec<Document>, now: i64) {
    let nodes = parse::read(text, report);
    if nodes.is_empty() && report.found.is_empty() {
        report.error(Position::START, "", "no policy in this file; write one that begins with `apiVersion: everseal.io/v1`, or remove it");
    }
    for node in nodes {
        let Some(node) = Shape::new(schema::shared(), report).document(node) else { continue };
        // The spec is judged even where the rest of the document is wrong.
        let spec = match node.get("spec").filter(|spec| spec.text().is_none()).map(|spec| serde_yaml::from_value::<Spec>(spec.to_yaml())) {
            Some(Ok(spec)) => Some(spec),
            Some(Err(error)) => {
                report.error(node.at, "spec", format!("the policy cannot be read: {error}"));
                None
            }
            None => None,
        };
        let document = Document { file, node, spec };
        if let Some(spec) = &document.spec {
            meaning::judge(report, &document.spec_place(), spec, now);
        }
        documents.push(document);
    }
}

/// Twelve hexadecimal digits that change with any text.
fn revision<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    use fmt::Write as _;

    let mut digest = Sha256::new();
    for text in texts {
        // The length keeps two files apart from one that holds both.
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    digest.finalize().iter().take(6).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The JSON Schema of a policy document, made from the types.
pub fn schema() -> serde_json::Value {
    schema::shared().clone()
}

#[cfg(test)]
mod tests;
