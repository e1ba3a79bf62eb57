//! The key document: made for a new key, merged for one that is there.
//!
//! A new key gets the delegation to its account's IAM policies and exactly the grants of `usableBy`. In a document
//! that is there, only statements of ours are added to: nothing of anybody's is taken away, no delegation is added
//! that somebody left out, and what is already allowed, in whatever form, is not written again.

use serde_json::{Map, Value, json};

use super::grants::{Grant, Grantee, Place};
use super::needs::PATH_SID_PREFIX;
use crate::document::ours::{SID_PREFIX, check_key_text, is_unique_id};
use crate::document::{Answer, Document, DocumentError, OwnStatement, Request, access, merge};

/// Stands between our Sid and a number.
const SID_NUMBER: &str = "Number";

/// The document of a key that Everseal creates.
///
/// The delegation is AWS's own default statement under AWS's own Sid. [KMS: Default key policy]
pub(crate) fn new_document(grants: &[Grant], place: Place<'_>) -> Result<Document, DocumentError> {
    let root = format!("arn:{}:iam::{}:root", place.partition, place.account);
    let delegation = json!({ "Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": { "AWS": root }, "Action": "kms:*", "Resource": "*" });
    let statements: Vec<Value> = std::iter::once(delegation).chain(statements(grants).into_iter().map(Value::Object)).collect();
    Document::parse(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}

/// The statements of `grants`, each Sid once, in the order of the grants.
pub(crate) fn statements(grants: &[Grant]) -> Vec<Map<String, Value>> {
    let mut made = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for grant in grants {
        if !done.contains(&grant.sid.as_str()) {
            done.push(&grant.sid);
            let same: Vec<&Grant> = grants.iter().filter(|other| other.sid == grant.sid).collect();
            made.push(grant.statement(&grant.sid, &members(&same)));
        }
    }
    made
}

/// A document compared with what it must allow.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    /// Not proven to be allowed now.
    pub(crate) missing: Vec<&'a Grant>,
    /// The document to write; `None` where a write would change nothing.
    pub(crate) merged: Option<Document>,
    /// What the merged document still does not allow for certain, and why: somebody's Deny.
    pub(crate) stopped: Vec<Stopped<'a>>,
}

/// A grant that a Deny stands against.
#[derive(Debug)]
pub(crate) struct Stopped<'a> {
    pub(crate) grant: &'a Grant,
    /// Denied for certain; else it can't be decided.
    pub(crate) certain: bool,
    pub(crate) because: String,
}

/// What a document must allow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// By the policy's `usableBy`.
    pub(crate) by_policy: &'a [Grant],
    /// By the paths of resources that move to the key; what `by_policy` gives already is not given twice.
    pub(crate) by_paths: &'a [Grant],
}

/// Compares the document of key `key` with what is wanted.
pub(crate) fn compare<'a>(document: &Document, key: &str, account: &str, wanted: Wanted<'a>) -> Comparison<'a> {
    let mut missing: Vec<&Grant> = Vec::new();
    let mut merged: Option<Document> = None;
    for grants in [wanted.by_policy, wanted.by_paths] {
        let so_far = merged.as_ref().unwrap_or(document);
        let lacking: Vec<&Grant> = grants.iter().filter(|grant| refusal(so_far, key, account, grant).is_some()).collect();
        let statements = own_additions(so_far, &lacking);
        if !statements.is_empty() {
            merged = Some(merge(Some(so_far), &statements, None));
        }
        missing.extend(lacking);
    }
    let after = merged.as_ref().unwrap_or(document);
    let stopped = missing.iter().filter_map(|grant| refusal(after, key, account, grant)).collect();
    Comparison { merged: merged.filter(|merged| !merged.equivalent(document)), missing, stopped }
}

fn own_additions(document: &Document, lacking: &[&Grant]) -> Vec<OwnStatement> {
    let present = if lacking.is_empty() { Vec::new() } else { own_statements(document) };
    let mut statements: Vec<OwnStatement> = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for grant in lacking {
        if !done.contains(&grant.sid.as_str()) {
            done.push(&grant.sid);
            let same: Vec<&Grant> = lacking.iter().copied().filter(|other| other.sid == grant.sid).collect();
            statements.push(statement_for(&present, grant, &same));
        }
    }
    statements
}

fn refusal<'a>(document: &Document, key: &str, account: &str, grant: &'a Grant) -> Option<Stopped<'a>> {
    grant.actions.iter().find_map(|action| {
        let request = Request { principal: &grant.probe, action, resource: key, context: &grant.context, context_is_complete: false };
        let answer = access(document, account, &request);
        match answer.answer {
            Answer::Yes => None,
            Answer::No => Some(Stopped { grant, certain: true, because: answer.because }),
            Answer::CannotTell => Some(Stopped { grant, certain: false, because: answer.because }),
        }
    })
}

/// Our statement with the missing members in it. One of ours that is already there is extended and keeps every
/// member it has; one that was changed into another shape stays as it is, and ours gets a number.
fn statement_for(present: &[Map<String, Value>], grant: &Grant, missing: &[&Grant]) -> OwnStatement {
    let mut wanted = members(missing);
    let mut sid = grant.sid.clone();
    for number in 2.. {
        let there: Vec<&Map<String, Value>> = present.iter().filter(|statement| text(statement, "sid") == sid).collect();
        if there.iter().all(|statement| **statement == grant.statement(&sid, &members_in(statement, grant))) {
            // Statements of one Sid are merged into one: none of their members may get lost.
            // A deleted principal has become an id, which nobody can use and KMS refuses to take back.
            let named = there.iter().rev().flat_map(|statement| members_in(statement, grant).into_iter().rev());
            for member in named.filter(|member| !is_unique_id(member)) {
                wanted.retain(|other| *other != member);
                wanted.insert(0, member);
            }
            break;
        }
        sid = format!("{}{SID_NUMBER}{number}", grant.sid);
    }
    OwnStatement { body: grant.statement(&sid, &wanted), sid }
}

fn members(grants: &[&Grant]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for member in grants.iter().filter_map(|grant| grant.member()) {
        if !found.iter().any(|other| other == member) {
            found.push(member.to_owned());
        }
    }
    found
}

/// The members that a statement made for grants like `grant` lists.
fn members_in(statement: &Map<String, Value>, grant: &Grant) -> Vec<String> {
    match &grant.grantee {
        Grantee::ServiceFor { .. } => {
            let condition = element(statement, "condition").and_then(Value::as_object);
            let sources = condition.and_then(|condition| element(condition, "arnlike")).and_then(Value::as_object);
            texts(sources.and_then(|sources| element(sources, "aws:sourcearn")))
        }
        Grantee::Aws(_) | Grantee::Service(_) | Grantee::Everybody => named_principals(statement),
    }
}

/// Permissions that statements of ours still give and the policy no longer asks for: they are kept, and said.
pub(crate) fn surplus(document: &Document, grants: &[Grant]) -> Vec<String> {
    let mut notes = Vec::new();
    for statement in own_statements(document) {
        let sid = text(&statement, "sid");
        // What paths needed is not asked for by the policy's text; who may have relied on it since is not known here.
        if sid.starts_with(PATH_SID_PREFIX) {
            continue;
        }
        let base = sid.rsplit_once(SID_NUMBER).map_or(sid, |(base, _)| base);
        let asked: Vec<&Grant> = grants.iter().filter(|grant| grant.sid == base).collect();
        let wanted = members(&asked);
        let rest: Vec<String> = named_principals(&statement).into_iter().filter(|principal| !wanted.contains(principal)).collect();
        let kept = if asked.is_empty() { format!("statement {sid}") } else { format!("{} in statement {sid}", rest.join(", ")) };
        if asked.is_empty() || !rest.is_empty() {
            notes.push(format!(
                "The policy no longer asks for {kept}; Everseal never takes a permission away. Remove it by hand if nobody needs it."
            ));
        }
    }
    notes
}

/// Why AWS would refuse the text. [KMS resource quotas; `kms:PutKeyPolicy`, Policy]
pub(crate) fn refused_by_kms(text: &str) -> Option<String> {
    check_key_text(text).err().map(|refused| format!("{refused}: shorten or correct the statements that are not Everseal's"))
}

fn own_statements(document: &Document) -> Vec<Map<String, Value>> {
    let Ok(Value::Object(body)) = serde_json::from_str(&document.text()) else { return Vec::new() };
    let list = match element(&body, "statement") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).cloned().collect(),
        Some(Value::Object(one)) => vec![one.clone()],
        _ => Vec::new(),
    };
    list.into_iter().filter(|statement| text(statement, "sid").starts_with(SID_PREFIX)).collect()
}

fn element<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn text<'a>(statement: &'a Map<String, Value>, name: &str) -> &'a str {
    element(statement, name).and_then(Value::as_str).unwrap_or_default()
}

fn named_principals(statement: &Map<String, Value>) -> Vec<String> {
    let Some(Value::Object(principal)) = element(statement, "principal") else { return Vec::new() };
    let named = texts(element(principal, "aws"));
    if named == ["*"] { Vec::new() } else { named }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
