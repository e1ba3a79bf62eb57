//! May principal P do action A? IAM's evaluation of one resource document, in three values.

use std::collections::BTreeMap;

use super::{Answer, Document};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// A role, user or account root, by ARN.
    Aws(String),
    /// A service principal, e.g. `s3.amazonaws.com`.
    Service(String),
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// For example `kms:GenerateDataKey`.
    pub action: &'a str,
    /// ARN of the resource asked for.
    pub resource: &'a str,
    /// Known condition keys in lower case (`aws:sourceaccount`, `kms:encryptioncontext:aws:s3:arn` …) with their values.
    /// A key that is not here is absent from the request only if `context_is_complete`.
    pub context: &'a BTreeMap<String, Vec<String>>,
    /// Every key that the request carries is in `context`; otherwise a condition on another key is undecidable.
    pub context_is_complete: bool,
}

/// What the document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Yes only if an Allow certainly applies and no Deny possibly does.
    pub answer: Answer,
    /// The document hands the decision to the IAM policies of the owner account (account-root delegation),
    /// which the document alone cannot show: `answer` is then `CannotTell`.
    pub delegated: bool,
    /// Which statement decided, or what could not be decided, in words.
    pub because: String,
}

/// What `document`, of a resource owned by `owner_account`, says to `request`.
pub fn access(document: &Document, owner_account: &str, request: &Request<'_>) -> Access {
    let _ = (document, owner_account, request);
    Access { answer: Answer::CannotTell, delegated: false, because: String::new() }
}
