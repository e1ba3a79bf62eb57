//! One statement, read: who may or may not do what, on what, and when.
//!
//! A view borrows from the document and changes nothing in it. What it does not understand it keeps in
//! [`StatementView::unread`]: such a statement is never taken as proof of anything.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What a statement does to the requests that it matches. [IAM: the value is case sensitive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allows them.
    Allow,
    /// Denies them, whatever else allows them.
    Deny,
}

/// A set given by its members or by its exceptions: `Action` or `NotAction`, `Principal` or `NotPrincipal` …
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector<T> {
    /// The element is missing: it selects nothing. [KMS: a statement with no Action or Resource has no effect]
    Absent,
    /// These.
    In(Vec<T>),
    /// Everything but these.
    NotIn(Vec<T>),
}

impl<T> Selector<T> {
    /// The members, where they are given as such.
    pub fn members(&self) -> &[T] {
        match self {
            Self::In(members) => members,
            Self::Absent | Self::NotIn(_) => &[],
        }
    }
}

/// One entry of a `Principal` element. [IAM JSON policy elements: Principal]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalPattern<'a> {
    /// `"*"` or `{"AWS": "*"}`: everybody, anonymous callers and services included.
    Everyone,
    /// An account (its id or its root ARN): its own IAM policies say who of it.
    Account(&'a str),
    /// A role, user, session, or the unique id of one that was deleted.
    Aws(&'a str),
    /// A service principal, e.g. `s3.amazonaws.com`.
    Service(&'a str),
    /// An identity provider.
    Federated(&'a str),
    /// An S3 canonical user id.
    CanonicalUser(&'a str),
}

/// One line of a `Condition` block: all of them must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition<'a> {
    /// As written: `StringEquals`, `ForAnyValue:ArnLikeIfExists` … (any case).
    pub operator: &'a str,
    /// As written: `aws:SourceAccount` … (any case).
    pub key: &'a str,
    /// The values, JSON booleans and numbers as their text.
    pub values: Vec<Cow<'a, str>>,
}

impl Condition<'_> {
    /// Whether this line tests `key` (lower case).
    pub fn tests(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }
}

/// A statement with its elements read.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementView<'a> {
    /// Its `Sid`.
    pub sid: Option<&'a str>,
    /// `None` where the document says neither `Allow` nor `Deny`.
    pub effect: Option<Effect>,
    /// Whose requests.
    pub principals: Selector<PrincipalPattern<'a>>,
    /// Which actions, with wildcards, as written.
    pub actions: Selector<&'a str>,
    /// On what, with wildcards, as written.
    pub resources: Selector<&'a str>,
    /// Under which conditions; all must hold.
    pub conditions: Vec<Condition<'a>>,
    /// Elements that could not be read, or that IAM does not have.
    pub unread: Vec<(&'a str, &'a Value)>,
    /// `${…}` in this statement is a policy variable. [IAM: only with Version 2012-10-17]
    pub has_variables: bool,
}

impl<'a> StatementView<'a> {
    pub(super) fn read(body: &'a Map<String, Value>, has_variables: bool) -> Self {
        let mut view = Self {
            sid: None,
            effect: None,
            principals: Selector::Absent,
            actions: Selector::Absent,
            resources: Selector::Absent,
            conditions: Vec::new(),
            unread: Vec::new(),
            has_variables,
        };
        for (name, value) in body {
            if view.take(name, value).is_none() {
                view.unread.push((name, value));
            }
        }
        view
    }

    /// Reads one element; `None` leaves it unread.
    fn take(&mut self, name: &str, value: &'a Value) -> Option<()> {
        let is = |element: &str| name.eq_ignore_ascii_case(element);
        if is("Sid") {
            self.sid = Some(value.as_str().filter(|_| self.sid.is_none())?);
        } else if is("Effect") {
            let effect = match value.as_str()? {
                "Allow" => Effect::Allow,
                "Deny" => Effect::Deny,
                _ => return None,
            };
            self.effect = Some(effect).filter(|_| self.effect.is_none());
            self.effect?;
        } else if is("Principal") {
            fill(&mut self.principals, Selector::In(principals(value)?))?;
        } else if is("NotPrincipal") {
            fill(&mut self.principals, Selector::NotIn(principals(value)?))?;
        } else if is("Action") {
            fill(&mut self.actions, Selector::In(texts(value)?))?;
        } else if is("NotAction") {
            fill(&mut self.actions, Selector::NotIn(texts(value)?))?;
        } else if is("Resource") {
            fill(&mut self.resources, Selector::In(texts(value)?))?;
        } else if is("NotResource") {
            fill(&mut self.resources, Selector::NotIn(texts(value)?))?;
        } else if is("Condition") && self.conditions.is_empty() {
            self.conditions = conditions(value)?;
        } else {
            return None;
        }
        Some(())
    }

    /// A name for people: the `Sid`, or the place in the document (counted from 1).
    pub fn name(&self, index: usize) -> String {
        self.sid.map_or_else(|| format!("statement {}", index + 1), |sid| format!("statement `{sid}`"))
    }

    /// Whether everybody is selected, provably.
    pub fn is_for_everyone(&self) -> bool {
        match &self.principals {
            Selector::In(members) => members.contains(&PrincipalPattern::Everyone),
            Selector::NotIn(members) => members.is_empty(),
            Selector::Absent => false,
        }
    }

    /// The services that a statement names as principals: who is known to use the resource.
    pub fn services(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.principals.members().iter().filter_map(|member| match member {
            PrincipalPattern::Service(name) => Some(*name),
            _ => None,
        })
    }
}

/// Sets an element once: `Action` beside `NotAction` is a document that we don't understand.
fn fill<T>(selector: &mut Selector<T>, value: Selector<T>) -> Option<()> {
    if !matches!(selector, Selector::Absent) {
        return None;
    }
    *selector = value;
    Some(())
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn principals(value: &Value) -> Option<Vec<PrincipalPattern<'_>>> {
    let entries = match value {
        Value::String(text) if text == "*" => return Some(vec![PrincipalPattern::Everyone]),
        Value::Object(entries) => entries,
        _ => return None,
    };
    let mut members = Vec::new();
    for (kind, names) in entries {
        let make: fn(&str) -> PrincipalPattern<'_> = match kind.to_ascii_lowercase().as_str() {
            "aws" => aws_principal,
            "service" => |name| PrincipalPattern::Service(name),
            "federated" => |name| PrincipalPattern::Federated(name),
            "canonicaluser" => |name| PrincipalPattern::CanonicalUser(name),
            _ => return None,
        };
        members.extend(texts(names)?.into_iter().map(make));
    }
    Some(members)
}

fn aws_principal(text: &str) -> PrincipalPattern<'_> {
    if text == "*" {
        PrincipalPattern::Everyone
    } else {
        account_of_root(text).map_or(PrincipalPattern::Aws(text), PrincipalPattern::Account)
    }
}

/// The account that `111122223333` or `arn:aws:iam::111122223333:root` names.
pub(super) fn account_of_root(text: &str) -> Option<&str> {
    let is_account = |id: &&str| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    let root = || {
        let mut parts = text.splitn(6, ':');
        let well_formed = parts.next() == Some("arn") && parts.next().is_some_and(|partition| !partition.is_empty());
        let iam = well_formed && parts.next() == Some("iam") && parts.next() == Some("");
        let account = parts.next().filter(|_| iam)?;
        (parts.next() == Some("root")).then_some(account)
    };
    Some(text).filter(is_account).or_else(|| root().filter(is_account))
}

fn conditions(value: &Value) -> Option<Vec<Condition<'_>>> {
    let mut lines = Vec::new();
    for (operator, keys) in value.as_object()? {
        for (key, values) in keys.as_object()? {
            let values = match values {
                Value::Array(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>()?,
                single => vec![scalar(single)?],
            };
            lines.push(Condition { operator, key, values });
        }
    }
    Some(lines)
}

/// IAM stores booleans and numbers as strings: both spellings mean the same. [IAM policy grammar: quotation marks are optional]
fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
