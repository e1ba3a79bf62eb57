//! An IAM document and what it says of one request.

use serde_json::{Map, Value};

use super::condition;
use super::principal;
use super::{Caller, RequestContext};

/// A parsed document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    statements: Vec<Map<String, Value>>,
    /// `${…}` are variables: not in documents of the old version. [IAM JSON policy elements: Version]
    variables: bool,
}

/// What a document says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// An Allow matches and no Deny does.
    Allow,
    /// A Deny matches.
    Deny,
    /// Nothing matches.
    Silent,
}

/// A request as a document sees it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who; `None` in a document of an identity, which needs no principal.
    pub principal: Option<&'a Caller>,
    /// For example `sqs:SendMessage`.
    pub action: &'a str,
    /// The resource's ARN.
    pub resource: &'a str,
    /// Condition keys in lower case.
    pub context: &'a RequestContext,
}

impl Document {
    /// Parses a document's text. `None`: it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let Value::Object(body) = serde_json::from_str(text).ok()? else { return None };
        let statements = match body.get("Statement")? {
            Value::Array(list) => list.iter().map(|one| one.as_object().cloned()).collect::<Option<Vec<_>>>()?,
            Value::Object(one) => vec![one.clone()],
            _ => return None,
        };
        if statements.iter().any(|statement| !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny"))) {
            return None;
        }
        let variables = body.get("Version").and_then(Value::as_str) == Some("2012-10-17");
        Some(Self { statements, variables })
    }

    /// The same for a role's trust policy, whose statements name no resource: the role itself is it.
    pub fn parse_trust(text: &str) -> Option<Self> {
        let mut document = Self::parse(text)?;
        for statement in &mut document.statements {
            if statement.contains_key("Resource") || statement.contains_key("NotResource") {
                return None;
            }
            statement.insert("Resource".to_owned(), Value::String("*".to_owned()));
        }
        Some(document)
    }

    /// Its statements, as written.
    pub fn statements(&self) -> &[Map<String, Value>] {
        &self.statements
    }

    /// What it says of a request. A principal that an Allow names by its account counts only as `naming` says.
    pub(crate) fn judge(&self, question: Question<'_>, naming: Naming) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            let deny = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
            // A Deny for an account is for everybody in it. [IAM JSON policy elements: Principal, AWS account principals]
            if !self.matches(statement, question, if deny { Naming::Account } else { naming }) {
                continue;
            }
            if deny {
                return Verdict::Deny;
            }
            verdict = Verdict::Allow;
        }
        verdict
    }

    fn matches(&self, statement: &Map<String, Value>, question: Question<'_>, naming: Naming) -> bool {
        let action = question.action.to_ascii_lowercase();
        let resource = |pattern: &str| {
            like(&if self.variables { condition::expand(pattern, question.context) } else { pattern.to_owned() }, question.resource)
        };
        principal::names(statement, question.principal, naming)
            && one_of(statement, "Action", "NotAction", |pattern| like(&pattern.to_ascii_lowercase(), &action))
            && one_of(statement, "Resource", "NotResource", resource)
            && statement.get("Condition").is_none_or(|condition| condition::holds(condition, question.context, self.variables))
    }
}

/// By which of its names a principal is looked for in the `Principal` of an Allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// By its own, or as one of everybody.
    Itself,
    /// The same without the ARN of a session's role: what a permissions boundary does not limit.
    /// [IAM: Permissions boundaries, resource-based policies]
    Session,
    /// Also by its account: IAM policies there decide further.
    Account,
}

pub(super) fn list(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        _ => Vec::new(),
    }
}

fn one_of(statement: &Map<String, Value>, name: &str, not_name: &str, test: impl Fn(&str) -> bool) -> bool {
    if let Some(patterns) = statement.get(name) {
        list(patterns).into_iter().any(test)
    } else if let Some(patterns) = statement.get(not_name) {
        !list(patterns).into_iter().any(test)
    } else {
        false
    }
}

/// `*` is any run of characters, `?` exactly one.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}
