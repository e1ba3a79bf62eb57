//! May principal P do action A? IAM's evaluation of one resource document, in three values.
//!
//! The document alone is judged: identity policies, permission boundaries, organisation policies and grants are
//! not seen. What they could decide is `CannotTell`, never yes. [IAM: policy evaluation logic]

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::condition::{Carried, holds};
use super::glob::{self, Reading};
use super::principal::{account_of, named};
use super::{Answer, Document, Effect, Selector, StatementView};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// A role, user, session or account root, by ARN.
    Aws(String),
    /// A service principal, e.g. `s3.amazonaws.com`.
    Service(String),
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// For example `kms:GenerateDataKey`: one action, without wildcards.
    pub action: &'a str,
    /// ARN of the resource asked for.
    pub resource: &'a str,
    /// Known condition keys in lower case (`aws:sourceaccount`, `kms:encryptioncontext:aws:s3:arn` …) with their values.
    /// A key that is not here is absent from the request only if `context_is_complete`.
    /// What follows from the principal (`aws:PrincipalAccount`, `kms:CallerAccount` …) need not be here.
    pub context: &'a BTreeMap<String, Vec<String>>,
    /// Every key that the request carries is in `context`; otherwise a condition on another key is undecidable.
    pub context_is_complete: bool,
}

/// What the document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Yes only if an Allow certainly applies and no Deny possibly does.
    pub answer: Answer,
    /// Nothing denies, and the decision lies with the IAM policies of the principal's account, which the document
    /// cannot show: it allows the account as such (account-root delegation), or, for anything but a key, the
    /// principal is of the owner account. `answer` is then `CannotTell`.
    pub delegated: bool,
    /// Which statement decided, or what could not be decided, in words.
    pub because: String,
}

/// What is known of a request's condition keys. There are few, so they are searched in turn.
pub(super) struct Facts<'a> {
    values: Vec<(&'a str, Vec<Cow<'a, str>>)>,
    complete: bool,
    /// The caller is somebody with an ARN: his requests carry more about him than his ARN shows.
    identity: bool,
}

impl<'a> Facts<'a> {
    /// The caller's own keys win over those derived from its principal.
    pub(super) fn of(request: &Request<'a>) -> Self {
        let given =
            request.context.iter().map(|(key, texts)| (key.as_str(), texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect()));
        let derived = derived(request.principal).into_iter().map(|(key, text)| (key, vec![text]));
        let identity = matches!(request.principal, Principal::Aws(_));
        Self { values: given.chain(derived).collect(), complete: request.context_is_complete, identity }
    }

    /// Some keys of an otherwise unknown request by an unknown caller.
    pub(super) fn only(known: &[(&'a str, &'a str)]) -> Self {
        Self { values: known.iter().map(|(key, value)| (*key, vec![Cow::Borrowed(*value)])).collect(), complete: false, identity: true }
    }

    /// These, and keys of one such request by a caller of its own.
    pub(super) fn such_as(mut self, example: &[(&'a str, &'a str)], caller: &'a Principal) -> Self {
        self.values.extend(example.iter().map(|(key, value)| (*key, vec![Cow::Borrowed(*value)])));
        self.values.extend(derived(caller).into_iter().map(|(key, text)| (key, vec![text])));
        self
    }

    /// What the request carries under `key`, in any case.
    pub(super) fn carried(&self, key: &str) -> Carried<'_> {
        match self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, values)) if values.is_empty() => Carried::Absent,
            Some((_, values)) => Carried::Values(values),
            None if self.complete && !(self.identity && is_about_caller(key)) => Carried::Absent,
            None => Carried::Unknown,
        }
    }
}

/// Condition keys that follow from who asks. [IAM: AWS global condition context keys; KMS: kms:CallerAccount]
fn derived(caller: &Principal) -> Vec<(&'static str, Cow<'_, str>)> {
    match caller {
        Principal::Aws(name) => {
            let mut keys = vec![("aws:principalisawsservice", Cow::Borrowed("false"))];
            if let Some(account) = account_of(caller) {
                keys.push(("aws:principalaccount", Cow::Borrowed(account)));
                keys.push(("kms:calleraccount", Cow::Borrowed(account)));
            }
            // A session's key holds the role's ARN, whose path the session's ARN does not show.
            if name.split(':').nth(2) == Some("iam") {
                keys.push(("aws:principalarn", Cow::Borrowed(name)));
            }
            keys
        }
        Principal::Service(name) => {
            vec![("aws:principalisawsservice", Cow::Borrowed("true")), ("aws:principalservicename", Cow::Borrowed(name))]
        }
    }
}

/// Keys that follow from who asks, though not from his ARN: a session's `aws:PrincipalArn`, tags, the organisation.
/// [IAM: AWS global condition context keys, properties of the principal and of a role session]
fn is_about_caller(key: &str) -> bool {
    let begins = |prefix: &str| key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    ["aws:principal", "aws:userid", "aws:username", "aws:tokenissuetime", "aws:multifactorauth", "aws:federatedprovider"]
        .into_iter()
        .any(begins)
}

/// How one statement meets one request.
pub(super) struct Meeting {
    /// The statement applies to it.
    pub(super) applies: Answer,
    /// It would apply to the caller's account as a whole.
    pub(super) delegates: Answer,
}

/// Whether `view` applies to `request`. The cheapest elements to refute come first.
pub(super) fn meet(view: &StatementView<'_>, request: &Request<'_>, facts: &Facts<'_>) -> Meeting {
    let rest = meet_whoever_asks(view, request, facts);
    if rest == Answer::No {
        return Meeting { applies: Answer::No, delegates: Answer::No };
    }
    let who = named(view, request.principal);
    let itself = absent_or_unread(view, who.itself, view.principals == Selector::Absent);
    Meeting { applies: itself.and(rest), delegates: if who.by_account { rest } else { Answer::No } }
}

/// An element that could not be read may be the missing one.
fn absent_or_unread(view: &StatementView<'_>, answer: Answer, absent: bool) -> Answer {
    if absent && !view.unread.is_empty() { Answer::CannotTell } else { answer }
}

/// The same, whoever the statement is about.
fn meet_whoever_asks(view: &StatementView<'_>, request: &Request<'_>, facts: &Facts<'_>) -> Answer {
    let mut rest = Answer::yes_or(view.unread.is_empty(), Answer::CannotTell);
    rest = rest.and(absent_or_unread(view, action(view, request.action), view.actions == Selector::Absent));
    for line in &view.conditions {
        if rest == Answer::No {
            break;
        }
        rest = rest.and(holds(line, view.has_variables, facts));
    }
    if rest != Answer::No {
        rest = rest.and(absent_or_unread(view, resource(view, request.resource), view.resources == Selector::Absent));
    }
    rest
}

fn action(view: &StatementView<'_>, asked: &str) -> Answer {
    let covers = |pattern: &&str| Answer::from(glob::covers(pattern, asked, Reading::Text, true));
    select(&view.actions, covers)
}

fn resource(view: &StatementView<'_>, asked: &str) -> Answer {
    let covers = |pattern: &&str| match glob::widen_variables(pattern).filter(|_| view.has_variables) {
        None => glob::resource_covers(pattern, asked, Reading::Text),
        Some(wide) => Answer::from(glob::covers(&wide, asked, Reading::Text, false)).and(Answer::CannotTell),
    };
    select(&view.resources, covers)
}

fn select<T>(selector: &Selector<T>, covers: impl Fn(&T) -> Answer) -> Answer {
    let any = |members: &[T]| members.iter().map(&covers).fold(Answer::No, Answer::or);
    match selector {
        Selector::Absent => Answer::No,
        Selector::In(members) => any(members),
        Selector::NotIn(members) => any(members).not(),
    }
}

/// What `document`, of a resource owned by `owner_account`, says to `request`.
pub fn access(document: &Document, owner_account: &str, request: &Request<'_>) -> Access {
    let facts = Facts::of(request);
    let (mut denied, mut allowed, mut delegated) = (Tally::default(), Tally::default(), Tally::default());
    for (index, view) in document.statements().enumerate() {
        let Meeting { applies, delegates } = meet(&view, request, &facts);
        if view.effect != Some(Effect::Allow) {
            let certain = if view.effect.is_none() { applies.and(Answer::CannotTell) } else { applies };
            denied.note(certain, || view.name(index));
        }
        if view.effect != Some(Effect::Deny) {
            let certain = if view.effect.is_none() { applies.and(Answer::CannotTell) } else { applies };
            allowed.note(certain, || view.name(index));
            delegated.note(delegates, || view.name(index));
        }
    }
    let account = account_of(request.principal);
    let own_iam = account == Some(owner_account) && !is_key_action(request.action);
    conclude(&denied, &allowed, &delegated, own_iam)
}

/// What the identity policies of the caller itself say to `request`: they name no principal. No is "nothing allows it, or
/// something denies it"; boundaries, organisation policies and session policies are not seen.
pub fn identity_access(policies: &[Document], request: &Request<'_>) -> Access {
    let facts = Facts::of(request);
    let (mut denied, mut allowed) = (Tally::default(), Tally::default());
    for (index, view) in policies.iter().flat_map(Document::statements).enumerate() {
        let applies = meet_whoever_asks(&view, request, &facts);
        let certain = if view.effect.is_none() { applies.and(Answer::CannotTell) } else { applies };
        if view.effect != Some(Effect::Allow) {
            denied.note(certain, || view.name(index));
        }
        if view.effect != Some(Effect::Deny) {
            allowed.note(certain, || view.name(index));
        }
    }
    conclude(&denied, &allowed, &Tally::default(), false)
}

/// Only key documents leave the owner account's IAM policies without a say of their own. [KMS: key policies]
fn is_key_action(action: &str) -> bool {
    action.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("kms:"))
}

fn conclude(denied: &Tally, allowed: &Tally, delegated: &Tally, own_iam: bool) -> Access {
    let say = |answer, delegated, because: String| Access { answer, delegated, because };
    if let Some(name) = &denied.certain {
        return say(Answer::No, false, format!("{name} denies it"));
    }
    if !own_iam && [allowed, delegated].iter().all(|tally| tally.is_empty()) {
        return say(Answer::No, false, "no statement allows it".to_owned());
    }
    if let Some(name) = &denied.possible {
        return say(Answer::CannotTell, false, format!("{name} may deny it: that depends on what is not known of the request"));
    }
    if let Some(name) = &allowed.certain {
        return say(Answer::Yes, false, format!("{name} allows it"));
    }
    if let Some(name) = delegated.certain.as_ref().or(delegated.possible.as_ref()) {
        return say(Answer::CannotTell, true, format!("{name} leaves it to the IAM policies of the principal's account"));
    }
    if own_iam {
        return say(Answer::CannotTell, true, "no statement surely allows it; IAM policies of the owner account may".to_owned());
    }
    let name = allowed.possible.as_deref().unwrap_or_default();
    say(Answer::CannotTell, false, format!("{name} may allow it: that depends on what is not known of the request"))
}

/// The first statement that certainly applies, and the first that possibly does.
#[derive(Default)]
struct Tally {
    certain: Option<String>,
    possible: Option<String>,
}

impl Tally {
    fn is_empty(&self) -> bool {
        self.certain.is_none() && self.possible.is_none()
    }

    fn note(&mut self, answer: Answer, name: impl Fn() -> String) {
        let slot = match answer {
            Answer::Yes => &mut self.certain,
            Answer::CannotTell => &mut self.possible,
            Answer::No => return,
        };
        slot.get_or_insert_with(name);
    }
}
