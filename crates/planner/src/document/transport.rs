//! Does a document refuse plain HTTP (and old TLS), proven for everybody, every action and every object?

use super::{Answer, Document};
use crate::Arn;
use crate::policy::model::TlsVersion;

/// The resource that a document protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protected<'a> {
    /// A bucket and the objects in it.
    Bucket(&'a Arn),
    /// A queue.
    Queue(&'a Arn),
    /// A topic: publishing is what carries data.
    Topic(&'a Arn),
}

/// Three verdicts on one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportVerdict {
    /// Every request over plain HTTP is denied: every principal, action and object.
    pub denies_plain_http: Answer,
    /// Requests over HTTPS are denied to everybody as well: nobody can use the resource.
    pub locks_out_https: Answer,
    /// Checkers that compare form instead of meaning (AWS Config, Security Hub) will call it compliant.
    pub form_checkers_agree: bool,
    /// What is missing or undecidable, in words; empty where plain HTTP is denied.
    pub gap: String,
}

/// Judges a document; `None` is "there is no document".
pub fn transport(document: Option<&Document>, protected: Protected<'_>) -> TransportVerdict {
    let _ = (document, protected);
    TransportVerdict { denies_plain_http: Answer::CannotTell, locks_out_https: Answer::No, form_checkers_agree: false, gap: String::new() }
}

/// Every request with a TLS version below `version` is denied (`s3:TlsVersion`).
pub fn denies_tls_below(document: Option<&Document>, bucket: &Arn, version: TlsVersion) -> Answer {
    let _ = (document, bucket, version);
    Answer::CannotTell
}
