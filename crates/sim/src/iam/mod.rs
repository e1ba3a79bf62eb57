//! IAM: who credentials belong to, and what identities are allowed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::access::Identity;
use crate::access::{Caller, Document};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::{Route, query};
use crate::world::{Origin, World};

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
    /// Identities with policies of their own, by ARN.
    pub(crate) identities: BTreeMap<String, Policies>,
    /// Callers behind access keys that were given out.
    pub(crate) sessions: BTreeMap<String, Caller>,
}

/// What an identity is allowed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    /// Inline and attached policies, parsed.
    pub(crate) documents: Vec<Document>,
    /// The permissions boundary, parsed.
    pub(crate) boundary: Option<Document>,
}

impl State {
    pub(crate) fn new(account: &str) -> Self {
        Self { account: account.to_owned(), identities: BTreeMap::new(), sessions: BTreeMap::new() }
    }

    /// Whom an access key belongs to: a session that STS gave out; a twelve-digit account id is that account's
    /// administrator; any other key is the home account's.
    pub(crate) fn caller(&self, access_key: &str) -> Caller {
        if access_key.is_empty() {
            return Caller::Anonymous;
        }
        if let Some(caller) = self.sessions.get(access_key) {
            return caller.clone();
        }
        let is_account = access_key.len() == 12 && access_key.bytes().all(|byte| byte.is_ascii_digit());
        let account = if is_account { access_key.to_owned() } else { self.account.clone() };
        Caller::User { arn: format!("arn:aws:iam::{account}:user/administrator"), account }
    }

    /// What a caller's own policies are. Users that nobody made are administrators; a role that nobody made has none.
    pub(crate) fn identity(&self, caller: &Caller) -> Identity<'_> {
        let own = caller.principal_arn().and_then(|arn| self.identities.get(&arn));
        match (own, caller) {
            (Some(own), _) => Identity { policies: &own.documents, boundary: own.boundary.as_ref() },
            (None, Caller::User { .. }) => Identity { policies: &EVERYTHING, boundary: None },
            (None, _) => Identity::default(),
        }
    }
}

pub(crate) fn handle(_world: &mut World, _origin: &Origin, route: &Route, _call: &Call) -> Reply {
    query::error(&ApiError::unknown_operation(&route.operation))
}
