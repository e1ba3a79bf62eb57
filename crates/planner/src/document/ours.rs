//! Our own statements: made, merged into a document, and taken out again.
//!
//! Merging and removing touch statements of ours and nothing else. A statement is ours if its Sid is and if it has
//! a shape that ours have ([`is_ours`]): somebody else's statement that happens to bear our Sid is left alone.

use serde_json::{Map, Value, json};

use super::canonical::same_statement;
use super::transport::Protected;
use super::values::number;
use super::{Document, Effect, PrincipalPattern, Selector, StatementView};
use crate::policy::model::TlsVersion;

/// Every Sid of ours starts with this.
pub const SID_PREFIX: &str = "Everseal";
/// Between our Sid and a number, where somebody else's statement bears our Sid.
const SID_NUMBER: &str = "Number";
/// The newest version of the policy language. [IAM JSON policy elements: Version]
const VERSION: &str = "2012-10-17";

/// Largest bucket policy, in bytes. [S3: bucket policies are limited to 20 KB]
pub const BUCKET_LIMIT: usize = 20 * 1024;
/// Largest queue policy, in bytes. [SQS policy quotas]
pub const QUEUE_LIMIT: usize = 8192;
/// Largest topic policy, in bytes. [SNS policy quotas: 30 KB]
pub const TOPIC_LIMIT: usize = 30 * 1024;
/// Largest key policy, in bytes. [KMS resource quotas]
pub const KEY_LIMIT: usize = 32 * 1024;

/// AWS would refuse the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Longer than the service takes.
    #[error("the document would have {bytes} bytes, and the service takes at most {limit}")]
    TooLong {
        /// Bytes of its text.
        bytes: usize,
        /// The service's limit.
        limit: usize,
    },
    /// A character that a key document may not hold. [`kms:PutKeyPolicy`, `Policy`]
    #[error("the document holds the character U+{0:04X}, which a key document may not")]
    Character(u32),
}

/// Checks a document's text against a service's limit ([`BUCKET_LIMIT`] …).
pub fn check_size(document: &Document, limit: usize) -> Result<(), Refused> {
    let bytes = document.size();
    if bytes <= limit { Ok(()) } else { Err(Refused::TooLong { bytes, limit }) }
}

/// Checks a text against what KMS takes as a key document: its characters and its size.
pub fn check_key_text(text: &str) -> Result<(), Refused> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FF}');
    match text.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(Refused::Character(u32::from(c))),
        None if text.len() > KEY_LIMIT => Err(Refused::TooLong { bytes: text.len(), limit: KEY_LIMIT }),
        None => Ok(()),
    }
}

/// A statement that Everseal owns; its Sid starts with [`SID_PREFIX`] and [`is_ours`] knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnStatement {
    /// `Everseal…`, letters and digits.
    pub sid: String,
    /// The whole statement, its `Sid` element included.
    pub body: Map<String, Value>,
}

impl OwnStatement {
    /// A statement from its elements; `Sid` is put in front of them.
    pub fn new(sid: impl Into<String>, elements: impl IntoIterator<Item = (String, Value)>) -> Self {
        let sid = sid.into();
        let mut body = Map::from_iter([("Sid".to_owned(), Value::String(sid.clone()))]);
        body.extend(elements.into_iter().filter(|(name, _)| name != "Sid"));
        Self { sid, body }
    }

    fn deny(sid: &str, action: &str, resource: Value, condition: Value) -> Self {
        let elements = [
            ("Effect", json!("Deny")),
            ("Principal", json!("*")),
            ("Action", json!(action)),
            ("Resource", resource),
            ("Condition", condition),
        ];
        Self::new(format!("{SID_PREFIX}{sid}"), elements.map(|(name, value)| (name.to_owned(), value)))
    }

    fn with_sid(&self, sid: &str) -> Map<String, Value> {
        let mut body = self.body.clone();
        body.insert("Sid".to_owned(), Value::String(sid.to_owned()));
        body
    }
}

/// Denies plain HTTP in the form that every checker accepts (AWS-FACTS §2.3, §3, §4).
pub fn deny_plain_http(protected: Protected<'_>) -> OwnStatement {
    let (action, resource) = match protected {
        Protected::Bucket(arn) => ("s3:*", bucket_and_objects(arn)),
        Protected::Queue(arn) => ("sqs:*", json!(arn.as_str())),
        Protected::Topic(arn) => ("sns:Publish", json!(arn.as_str())),
    };
    OwnStatement::deny("DenyInsecureTransport", action, resource, json!({"Bool": {"aws:SecureTransport": "false"}}))
}

/// Denies TLS below `version` to a bucket, as a statement of its own.
pub fn deny_old_tls(bucket: &crate::Arn, version: TlsVersion) -> OwnStatement {
    let version = match version {
        TlsVersion::V1_2 => "1.2",
        TlsVersion::V1_3 => "1.3",
    };
    OwnStatement::deny("DenyOldTls", "s3:*", bucket_and_objects(bucket), json!({"NumericLessThan": {"s3:TlsVersion": version}}))
}

fn bucket_and_objects(bucket: &crate::Arn) -> Value {
    json!([bucket.as_str(), format!("{bucket}/*")])
}

/// A principal that was deleted: AWS shows its unique id instead of its ARN, and S3 and KMS refuse every document that
/// holds one. [IAM identifiers: unique IDs; S3: `MalformedPolicy`; KMS: `MalformedPolicyDocumentException`]
pub(crate) fn deleted_principal(document: &Document) -> Option<String> {
    document.statements().flat_map(|view| view.principals.members().to_vec()).find_map(|principal| match principal {
        PrincipalPattern::Aws(name) if is_unique_id(name) => Some(name.to_owned()),
        _ => None,
    })
}

/// `AROA…` (a role), `AIDA…` (a user).
pub(crate) fn is_unique_id(name: &str) -> bool {
    (16..=128).contains(&name.len())
        && ["AROA", "AIDA"].iter().any(|prefix| name.starts_with(prefix))
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Why no document with `name` in it can be written, and what to do.
pub(crate) fn deleted_principal_words(name: &str) -> String {
    format!(
        "The document names {name}, a role or user that was deleted, and AWS refuses every document with it. Take it out of its statement first: nobody can use it any more."
    )
}

/// Whether a statement is ours: our Sid, and a shape that ours have.
///
/// Ours are either a Deny for everybody on one of the two transport keys, or a grant on a key (Allow, `kms:` actions,
/// Resource `*`). A Deny of ours that somebody narrowed is still ours, and is healed; one that lost its condition is not:
/// we never take away what somebody may rely on.
pub fn is_ours(view: &StatementView<'_>) -> bool {
    let StatementView { sid, effect, principals, actions, resources, conditions, unread, has_variables: _ } = view;
    let named = sid.is_some_and(|sid| sid.starts_with(SID_PREFIX));
    let (Selector::In(principals), Selector::In(actions), Selector::In(resources)) = (principals, actions, resources) else { return false };
    let shape = match effect {
        Some(Effect::Deny) => {
            let for_everyone = principals.as_slice() == [PrincipalPattern::Everyone];
            for_everyone && conditions.iter().any(|line| line.tests("aws:securetransport") || line.tests("s3:tlsversion"))
        }
        Some(Effect::Allow) => resources.as_slice() == ["*"] && actions.iter().all(|action| action.get(..4) == Some("kms:")),
        None => false,
    };
    named && unread.is_empty() && shape
}

/// The document with `statements` in it: a statement of ours with the same Sid is replaced in its place,
/// the others are appended, everything else stays. `None` starts a new document (version 2012-10-17; `id`
/// becomes its `Id` where given, as topics need one).
/// Where somebody else's statement bears the Sid (same Sid, other shape than ours could have), ours gets a number.
///
/// A statement of ours that already means the same, or denies more TLS versions, is left as it is; copies of it go. Where the result
/// is [`Document::equivalent`] to the original there is nothing to write.
pub fn merge(document: Option<&Document>, statements: &[OwnStatement], id: Option<&str>) -> Document {
    let mut merged = document.cloned().unwrap_or_else(|| fresh(id));
    for own in statements {
        place(&mut merged, own, statements);
    }
    merged
}

fn fresh(id: Option<&str>) -> Document {
    let mut elements = Map::from_iter([("Version".to_owned(), json!(VERSION))]);
    if let Some(id) = id {
        elements.insert("Id".to_owned(), json!(id));
    }
    elements.insert("Statement".to_owned(), json!([]));
    Document(elements)
}

/// Puts one statement where its predecessor is, or at the end; mere copies of it, piled up by whomever, go.
fn place(document: &mut Document, own: &OwnStatement, all: &[OwnStatement]) {
    let views: Vec<StatementView<'_>> = document.statements().collect();
    let mine = predecessors(&views, own, all);
    let Some((&first, others)) = mine.split_first() else {
        let sid = free_sid(&views, &own.sid);
        let body = own.with_sid(&sid);
        return append(document, body);
    };
    let sid = views[first].sid.unwrap_or(&own.sid);
    let body = own.with_sid(sid);
    let wanted = StatementView::read(&body, views[first].has_variables);
    let keeps = is_as_good(&views[first], &wanted);
    let result = if keeps { &views[first] } else { &wanted };
    let is_copy = |index: &usize| same_statement(&StatementView { sid: result.sid, ..views[*index].clone() }, result);
    let copies: Vec<usize> = others.iter().copied().filter(is_copy).collect();
    if !keeps {
        replace(document, first, body);
    }
    retain(document, |index| !copies.contains(&index));
}

/// Where statements of ours stand that `own` is a version of.
///
/// A numbered one counts where somebody else's statement has the plain Sid. A numbered Deny always does; a numbered grant
/// beside none or ours may hold other principals, and a permission is never taken away.
fn predecessors(views: &[StatementView<'_>], own: &OwnStatement, all: &[OwnStatement]) -> Vec<usize> {
    let plain = |view: &StatementView<'_>| view.sid == Some(own.sid.as_str());
    let taken = views.iter().any(|view| plain(view) && !is_ours(view));
    let numbered = |view: &StatementView<'_>| {
        let number = view.sid.and_then(|sid| sid.strip_prefix(own.sid.as_str())?.strip_prefix(SID_NUMBER));
        let is_number = number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
        is_number && (taken || view.effect == Some(Effect::Deny)) && !all.iter().any(|other| view.sid == Some(other.sid.as_str()))
    };
    let bears = |view: &StatementView<'_>| is_ours(view) && (plain(view) || numbered(view));
    (0..views.len()).filter(|&index| bears(&views[index])).collect()
}

fn free_sid(views: &[StatementView<'_>], sid: &str) -> String {
    let taken = |candidate: &str| views.iter().any(|view| view.sid == Some(candidate));
    let numbered = (2..=views.len() + 2).map(|number| format!("{sid}{SID_NUMBER}{number}"));
    std::iter::once(sid.to_owned()).chain(numbered).find(|candidate| !taken(candidate)).unwrap_or_else(|| sid.to_owned())
}

/// Same meaning; or the same but for a higher TLS version, which must not be lowered.
fn is_as_good(present: &StatementView<'_>, wanted: &StatementView<'_>) -> bool {
    if same_statement(present, wanted) {
        return true;
    }
    let version = |view: &StatementView<'_>| match view.conditions.as_slice() {
        [line] if line.tests("s3:tlsversion") && line.values.len() == 1 => number(&line.values[0]),
        _ => None,
    };
    let (Some(present_version), Some(wanted_version)) = (version(present), version(wanted)) else { return false };
    let mut level = present.clone();
    level.conditions[0].values.clone_from(&wanted.conditions[0].values);
    present_version > wanted_version && same_statement(&level, wanted)
}

/// The document without any statement of ours; `None` where nothing is left.
pub fn remove_ours(document: &Document) -> Option<Document> {
    let ours: Vec<bool> = document.statements().map(|view| is_ours(&view)).collect();
    if !ours.contains(&true) {
        return Some(document.clone());
    }
    if !ours.contains(&false) {
        return None;
    }
    let mut left = document.clone();
    retain(&mut left, |index| !ours[index]);
    Some(left)
}

/// The document's `Statement`, whatever the case of its name.
fn statements_of(document: &mut Document) -> Option<&mut Value> {
    document.0.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("statement")).map(|(_, value)| value)
}

fn append(document: &mut Document, body: Map<String, Value>) {
    match statements_of(document) {
        Some(Value::Array(items)) => items.push(Value::Object(body)),
        Some(single) => *single = json!([single.take(), body]),
        None => {}
    }
}

fn replace(document: &mut Document, index: usize, body: Map<String, Value>) {
    match statements_of(document) {
        Some(Value::Array(items)) => items[index] = Value::Object(body),
        Some(single) => *single = Value::Object(body),
        None => {}
    }
}

fn retain(document: &mut Document, keep: impl Fn(usize) -> bool) {
    if let Some(Value::Array(items)) = statements_of(document) {
        let mut index = 0..;
        items.retain(|_| index.next().is_none_or(&keep));
    }
}
