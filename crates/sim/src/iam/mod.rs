//! IAM: who credentials belong to, and what identities are allowed.
//!
//! Users that nobody made are administrators of their account; a role is allowed what its policies say, and one that
//! nobody made, or that has no policy, nothing. What must never happen here: a role does what no policy of its own allows.

mod attachments;
mod aws_policies;
mod details;
mod policies;
mod roles;
mod seed;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use self::policies::Policy;
use self::roles::Role;
use crate::access::{Caller, Document, Identity, RequestContext, is_account_id};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::wire::query::{self, Form};
use crate::wire::xml::Element;
use crate::wire::{Protocol, Route};
use crate::world::{Ask, Origin, World};

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// What an account's administrator may do: everything.
static EVERYTHING: LazyLock<Vec<Document>> = LazyLock::new(|| {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    vec![Document::parse(text).expect("the text is a document")]
});

/// Everything this service holds.
#[derive(Debug)]
pub(crate) struct State {
    /// The account of credentials that name none.
    account: String,
    /// By account and name: a name is one role's, whatever its path.
    roles: BTreeMap<(String, String), Role>,
    /// Customers' managed policies, by ARN.
    policies: BTreeMap<String, Policy>,
    /// What the policies of roles say, parsed, by the role's ARN.
    identities: BTreeMap<String, Policies>,
    /// Sessions behind access keys that were given out.
    sessions: BTreeMap<String, Session>,
}

/// What an identity is allowed.
#[derive(Debug, Clone, Default)]
struct Policies {
    /// Inline and attached policies.
    documents: Vec<Document>,
    boundary: Option<Document>,
}

/// A session of a role.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) caller: Caller,
    pub(crate) began: Moment,
    pub(crate) until: Moment,
}

impl State {
    pub(crate) fn new(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            roles: BTreeMap::new(),
            policies: BTreeMap::new(),
            identities: BTreeMap::new(),
            sessions: BTreeMap::new(),
        }
    }

    /// Whom an access key belongs to: a session that STS gave out; a twelve-digit account id is that account's
    /// administrator; any other key is the home account's.
    pub(crate) fn caller(&self, access_key: &str) -> Caller {
        if access_key.is_empty() {
            return Caller::Anonymous;
        }
        if let Some(session) = self.sessions.get(access_key) {
            return session.caller.clone();
        }
        let account = if is_account_id(access_key) { access_key.to_owned() } else { self.account.clone() };
        Caller::User { arn: format!("arn:aws:iam::{account}:user/administrator"), account }
    }

    /// The refusal of credentials whose time is over.
    pub(crate) fn expired(&self, route: &Route, now: Moment) -> Option<ApiError> {
        let over = self.sessions.get(&route.access_key).is_some_and(|session| session.until <= now);
        let (status, code) = match route.protocol {
            Protocol::Json10 | Protocol::Json11 | Protocol::Cbor => (400, "ExpiredTokenException"),
            Protocol::Query => (403, "ExpiredToken"),
            Protocol::RestXml => (400, "ExpiredToken"),
        };
        over.then(|| ApiError::new(status, code, "The security token included in the request is expired"))
    }

    /// Gives credentials to a session.
    pub(crate) fn begin(&mut self, access_key: String, session: Session) {
        self.sessions.insert(access_key, session);
    }

    /// When the latest session of this name began; `None` for callers whose credentials do not end.
    pub(crate) fn session_began(&self, caller: &Caller) -> Option<Moment> {
        self.sessions.values().filter(|session| session.caller == *caller).map(|session| session.began).max()
    }

    /// What a caller's own policies are.
    pub(crate) fn identity(&self, caller: &Caller) -> Identity<'_> {
        let own = match caller {
            Caller::Role { arn, .. } => self.identities.get(arn),
            Caller::User { .. } => return Identity { policies: &EVERYTHING, boundary: None },
            Caller::Root { .. } | Caller::Service { .. } | Caller::Anonymous => None,
        };
        own.map_or_else(Identity::default, |own| Identity { policies: &own.documents, boundary: own.boundary.as_ref() })
    }

    /// Parses anew what a role is allowed.
    fn refresh(&mut self, role: &(String, String)) {
        let Some(role) = self.roles.get(role) else { return };
        let managed = |arn: &String| self.document(arn).and_then(|text| Document::parse(&text));
        let inline = role.inline.values().filter_map(|text| Document::parse(text));
        let documents = inline.chain(role.attached.iter().filter_map(managed)).collect();
        let boundary = role.boundary.as_ref().and_then(managed);
        self.identities.insert(role.arn(), Policies { documents, boundary });
    }
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let form = Form::of(call);
    let result = answer(world, origin, &route.operation, &form);
    query::reply(&route.operation, NAMESPACE, &world.uuid(), result)
}

fn answer(world: &mut World, origin: &Origin, operation: &str, form: &Form) -> Result<Element, ApiError> {
    if origin.caller == Caller::Anonymous {
        return Err(ApiError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token"));
    }
    match operation {
        "CreateRole" => roles::create(world, origin, form),
        "GetRole" => roles::get(world, origin, form),
        "ListRoles" => roles::list(world, origin, form),
        "DeleteRole" => roles::delete(world, origin, form),
        "UpdateAssumeRolePolicy" => roles::update_trust(world, origin, form),
        "PutRolePolicy" => attachments::put_inline(world, origin, form),
        "GetRolePolicy" => attachments::get_inline(world, origin, form),
        "ListRolePolicies" => attachments::list_inline(world, origin, form),
        "DeleteRolePolicy" => attachments::delete_inline(world, origin, form),
        "AttachRolePolicy" => attachments::attach(world, origin, form),
        "DetachRolePolicy" => attachments::detach(world, origin, form),
        "ListAttachedRolePolicies" => attachments::list_attached(world, origin, form),
        "PutRolePermissionsBoundary" => attachments::put_boundary(world, origin, form),
        "DeleteRolePermissionsBoundary" => attachments::delete_boundary(world, origin, form),
        "CreatePolicy" => policies::create(world, origin, form),
        "GetPolicy" => policies::get(world, origin, form),
        "GetPolicyVersion" => policies::get_version(world, origin, form),
        "CreatePolicyVersion" => policies::create_version(world, origin, form),
        "ListPolicies" => policies::list(world, origin, form),
        "DeletePolicy" => policies::delete(world, origin, form),
        "GetAccountAuthorizationDetails" => details::get(world, origin, form),
        other => Err(ApiError::unknown_operation(other)),
    }
}

/// IAM asks itself.
fn permitted(world: &World, origin: &Origin, action: &str, resource: &str) -> Result<(), ApiError> {
    let ask = Ask { action, resource, owner: origin.account(), document: None, context: RequestContext::new() };
    world.permit(origin, &ask).map_err(|denial| ApiError::new(403, "AccessDenied", denial.message))
}

fn no_such_entity(message: String) -> ApiError {
    ApiError::new(404, "NoSuchEntity", message)
}

fn conflict(message: &str) -> ApiError {
    ApiError::new(409, "DeleteConflict", message)
}

/// A policy's text of at most so many characters, white space not counted. [IAM: Quotas, character limits]
fn policy_text(form: &Form, member: &str, most: usize) -> Result<String, ApiError> {
    let text = form.need(member)?;
    if Document::parse(text).is_none() {
        return Err(ApiError::bad_request("MalformedPolicyDocument", "Syntax errors in policy."));
    }
    if length(text) > most {
        return Err(ApiError::new(409, "LimitExceeded", format!("Cannot exceed quota for PolicySize: {most}")));
    }
    Ok(text.to_owned())
}

fn length(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// As IAM returns documents. [iam:GetRolePolicy: "URL-encoded compliant with RFC 3986"]
fn encoded(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

/// One page of a listing: `MaxItems`, `Marker`, `IsTruncated`. Markers name the last item of the page before.
fn page<T>(form: &Form, items: impl Iterator<Item = (String, T)>) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit: usize = form.get("MaxItems").map_or(Ok(100), str::parse).unwrap_or(0);
    if !(1..=1000).contains(&limit) {
        return Err(ApiError::bad_request("ValidationError", "Value at 'maxItems' failed to satisfy constraint: between 1 and 1000"));
    }
    let after = form.get("Marker").unwrap_or_default();
    let mut rest = items.skip_while(|(name, _)| !after.is_empty() && name.as_str() <= after).peekable();
    let (mut page, mut last) = (Vec::new(), String::new());
    while page.len() < limit {
        let Some((name, item)) = rest.next() else { break };
        page.push(item);
        last = name;
    }
    Ok((page, rest.peek().is_some().then_some(last)))
}

/// The end of a listing's answer.
fn paged(answer: Element, marker: Option<String>) -> Element {
    answer.text("IsTruncated", marker.is_some()).maybe("Marker", marker)
}

fn members(name: &'static str, items: impl IntoIterator<Item = Element>) -> Element {
    Element::new(name).children(items.into_iter().map(|item| item.named("member")))
}
