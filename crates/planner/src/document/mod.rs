//! AWS IAM documents (bucket, queue, topic and key policies): lossless values, the questions we ask
//! of them, and the only two changes we make to them.
//!
//! A document is somebody else's property: every statement that is not ours stays as it is, in its
//! place, with elements we do not know. What cannot be parsed is never overwritten, what cannot be
//! decided is [`Answer::CannotTell`], and that never counts as yes.

pub mod evaluate;
pub mod ours;
pub mod transport;

use serde_json::Value;

pub use evaluate::{Access, Principal, Request, access};
pub use ours::{OwnStatement, merge, remove_ours};
pub use transport::{Protected, TransportVerdict, transport};

/// The answer to a question about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Proven.
    Yes,
    /// Disproven.
    No,
    /// Neither; never counts as yes.
    CannotTell,
}

/// An IAM document as AWS returned it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document(Value);

/// The text is not an IAM document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an IAM document: {0}")]
pub struct DocumentError(pub String);

impl Document {
    /// Parses a document's text.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let _ = text;
        Err(DocumentError("stub".to_owned()))
    }

    /// The text to send: compact JSON, elements and statements in their order.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// Both mean the same to IAM (string or one-element list, order of lists and statements, `AWS: "111122223333"` or
    /// its root ARN, JSON boolean or its text, case of element keys …).
    pub fn equivalent(&self, other: &Self) -> bool {
        self == other
    }
}
