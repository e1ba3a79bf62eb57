//! An IAM document and what it says of one request.

use serde_json::Value;

use super::condition;
use super::statement::Statement;
use super::written::Written;
use super::{Caller, RequestContext};

/// A parsed document.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) statements: Box<[Statement]>,
    /// `${…}` are variables.
    pub(super) variables: bool,
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
        Some(Written::parse(text)?.document())
    }

    /// The same for a role's trust policy, whose statements name no resource: the role itself is it.
    pub fn parse_trust(text: &str) -> Option<Self> {
        let mut written = Written::parse(text)?;
        for statement in written.statements_mut() {
            if statement.contains_key("Resource") || statement.contains_key("NotResource") {
                return None;
            }
            statement.insert("Resource".to_owned(), Value::String("*".to_owned()));
        }
        Some(written.document())
    }

    /// What it says of a request. A principal that an Allow names by its account counts only as `naming` says.
    pub(crate) fn judge(&self, question: Question<'_>, naming: Naming) -> Verdict {
        let action = question.action.to_ascii_lowercase();
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            // A Deny for an account is for everybody in it. [IAM JSON policy elements: Principal, AWS account principals]
            let naming = if statement.denies { Naming::Account } else { naming };
            if !self.matches(statement, question, &action, naming) {
                continue;
            }
            if statement.denies {
                return Verdict::Deny;
            }
            verdict = Verdict::Allow;
        }
        verdict
    }

    fn matches(&self, statement: &Statement, question: Question<'_>, action: &str, naming: Naming) -> bool {
        let Statement { denies: _, who, actions, resources, condition } = statement;
        let resource = |pattern: &str| {
            if self.variables && pattern.contains("${") {
                like(&condition::expand(pattern, question.context), question.resource)
            } else {
                like(pattern, question.resource)
            }
        };
        who.include(question.principal, naming)
            && actions.cover(|pattern| like(pattern, action))
            && resources.cover(resource)
            && condition.holds(question.context, self.variables)
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
