//! An IAM document and what it says of one request.

use serde_json::{Map, Value};

use super::{Caller, RequestContext};

/// A parsed document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    statements: Vec<Map<String, Value>>,
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
        Some(Self { statements })
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

    /// What it says of a request. A principal that an Allow names by its account's root counts only where
    /// `delegation` asks for it (KMS and cross-account access leave the rest to IAM then).
    pub(crate) fn judge(&self, question: Question<'_>, delegation: bool) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            let deny = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
            if !matches(statement, question, deny || delegation) {
                continue;
            }
            if deny {
                return Verdict::Deny;
            }
            verdict = Verdict::Allow;
        }
        verdict
    }
}

fn matches(statement: &Map<String, Value>, question: Question<'_>, root_means_account: bool) -> bool {
    names_principal(statement, question.principal, root_means_account)
        && one_of(statement, "Action", "NotAction", |pattern| like(&pattern.to_ascii_lowercase(), &question.action.to_ascii_lowercase()))
        && one_of(statement, "Resource", "NotResource", |pattern| like(&expand(pattern, question.context), question.resource))
        && statement.get("Condition").is_none_or(|condition| holds(condition, question.context))
}

fn names_principal(statement: &Map<String, Value>, caller: Option<&Caller>, root_means_account: bool) -> bool {
    let Some(caller) = caller else { return true };
    if let Some(principal) = statement.get("Principal") {
        principal_matches(principal, caller, root_means_account)
    } else if let Some(principal) = statement.get("NotPrincipal") {
        !principal_matches(principal, caller, true)
    } else {
        false
    }
}

fn principal_matches(principal: &Value, caller: &Caller, root_means_account: bool) -> bool {
    let Value::Object(kinds) = principal else { return principal.as_str() == Some("*") };
    let aws = kinds.get("AWS").into_iter().flat_map(list);
    let service = kinds.get("Service").into_iter().flat_map(list);
    match caller {
        // `*` under AWS is everybody, services and unsigned requests included.
        Caller::Service { name, .. } => {
            service.into_iter().any(|listed| listed == name || listed == "*") || aws.into_iter().any(|listed| listed == "*")
        }
        Caller::Anonymous => aws.into_iter().any(|listed| listed == "*"),
        Caller::Root { account } | Caller::User { account, .. } | Caller::Role { account, .. } => {
            let root = format!("arn:aws:iam::{account}:root");
            let (own, session) = (caller.principal_arn().unwrap_or_default(), caller.arn());
            aws.into_iter().any(|listed| {
                listed == "*" || listed == own || listed == session || (root_means_account && (listed == root || listed == account))
            })
        }
    }
}

fn list(value: &Value) -> Vec<&str> {
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

/// Policy variables: `${aws:PrincipalAccount}`; one that the request lacks matches nothing.
fn expand(pattern: &str, context: &RequestContext) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        let name = rest[start + 2..start + length].to_ascii_lowercase();
        let value = context.get(&name).and_then(|values| values.first());
        out.push_str(value.map_or("\u{0}", String::as_str));
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

fn holds(condition: &Value, context: &RequestContext) -> bool {
    let Value::Object(operators) = condition else { return false };
    operators.iter().all(|(operator, keys)| {
        let Value::Object(keys) = keys else { return false };
        keys.iter().all(|(key, wanted)| tests(operator, &key.to_ascii_lowercase(), wanted, context))
    })
}

/// One line of a condition. [IAM: Condition operators; multivalued context keys]
fn tests(operator: &str, key: &str, wanted: &Value, context: &RequestContext) -> bool {
    let operator = operator.to_ascii_lowercase();
    let values: Vec<String> = match wanted {
        Value::Array(values) => values.iter().map(text).collect(),
        one => vec![text(one)],
    };
    let present = context.get(key);
    if operator == "null" {
        return values.iter().any(|value| (value == "true") == present.is_none());
    }
    let (set, operator) = match operator.split_once(':') {
        Some((set, rest)) => (Some(set.to_owned()), rest.to_owned()),
        None => (None, operator),
    };
    let (operator, if_exists) = operator.strip_suffix("ifexists").map_or((operator.as_str(), false), |rest| (rest, true));
    let Some(present) = present else {
        return if_exists || set.as_deref() == Some("forallvalues") || is_negated(operator);
    };
    let one = |actual: &String| {
        let any = values.iter().any(|value| compares(operator, &expand(value, context), actual));
        if is_negated(operator) { !any } else { any }
    };
    match set.as_deref() {
        Some("forallvalues") => present.iter().all(one),
        _ => present.iter().any(one),
    }
}

fn is_negated(operator: &str) -> bool {
    operator.contains("not")
}

/// The positive form of an operator on one pair of values.
fn compares(operator: &str, wanted: &str, actual: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let ordered = |test: fn(f64, f64) -> bool| matches!((number(actual), number(wanted)), (Some(a), Some(w)) if test(a, w));
    match operator {
        "stringequals" | "stringnotequals" => wanted == actual,
        "stringequalsignorecase" | "stringnotequalsignorecase" | "bool" => wanted.eq_ignore_ascii_case(actual),
        "stringlike" | "stringnotlike" | "arnlike" | "arnequals" | "arnnotlike" | "arnnotequals" => like(wanted, actual),
        "numericequals" | "numericnotequals" => ordered(|a, w| (a - w).abs() < f64::EPSILON),
        "numericlessthan" => ordered(|a, w| a < w),
        "numericlessthanequals" => ordered(|a, w| a <= w),
        "numericgreaterthan" => ordered(|a, w| a > w),
        "numericgreaterthanequals" => ordered(|a, w| a >= w),
        // Dates in one format sort as text; addresses are not simulated, so a condition on them never holds.
        "datelessthan" => actual < wanted,
        "dategreaterthan" => actual > wanted,
        _ => false,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
