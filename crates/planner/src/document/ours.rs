//! Our own statements: made, merged into a document, and taken out again.

use serde_json::{Map, Value};

use super::Document;
use super::transport::Protected;
use crate::policy::model::TlsVersion;

/// Every Sid of ours starts with this.
pub const SID_PREFIX: &str = "Everseal";

/// Largest bucket policy, in bytes. [S3: bucket policies are limited to 20 KB]
pub const BUCKET_LIMIT: usize = 20 * 1024;
/// Largest queue policy, in bytes. [SQS policy quotas]
pub const QUEUE_LIMIT: usize = 8192;
/// Largest topic policy, in bytes. [SNS policy quotas: 30 KB]
pub const TOPIC_LIMIT: usize = 30 * 1024;
/// Largest key policy, in bytes. [KMS resource quotas]
pub const KEY_LIMIT: usize = 32 * 1024;

/// A statement that Everseal owns; its Sid starts with [`SID_PREFIX`].
#[derive(Debug, Clone, PartialEq)]
pub struct OwnStatement {
    /// `Everseal…`, letters and digits.
    pub sid: String,
    /// The whole statement, its `Sid` element included.
    pub body: Map<String, Value>,
}

/// Denies plain HTTP in the form that every checker accepts (AWS-FACTS §2.3, §3, §4).
pub fn deny_plain_http(protected: Protected<'_>) -> OwnStatement {
    let _ = protected;
    OwnStatement { sid: format!("{SID_PREFIX}DenyInsecureTransport"), body: Map::new() }
}

/// Denies TLS below `version` to a bucket, as a statement of its own.
pub fn deny_old_tls(bucket: &crate::Arn, version: TlsVersion) -> OwnStatement {
    let _ = (bucket, version);
    OwnStatement { sid: format!("{SID_PREFIX}DenyOldTls"), body: Map::new() }
}

/// The document with `statements` in it: a statement of ours with the same Sid is replaced in its place,
/// the others are appended, everything else stays. `None` starts a new document (version 2012-10-17; `id`
/// becomes its `Id` where given, as topics need one).
/// Where somebody else's statement bears the Sid (same Sid, other shape than ours could have), ours gets a number.
pub fn merge(document: Option<&Document>, statements: &[OwnStatement], id: Option<&str>) -> Document {
    let _ = (statements, id);
    document.cloned().unwrap_or_else(|| Document(Value::Null))
}

/// The document without any statement of ours; `None` where nothing is left.
pub fn remove_ours(document: &Document) -> Option<Document> {
    Some(document.clone())
}
