//! Is a caller one of those that a `Principal` element names? [IAM JSON policy elements: Principal]

use super::statement::{PrincipalPattern, Selector, account_of_root};
use super::{Answer, Effect, Principal, StatementView};

/// How a statement's principals match a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    /// The caller itself is matched.
    pub(super) itself: Answer,
    /// Its account is named: the account's own IAM policies decide.
    pub(super) by_account: bool,
}

/// The account of an AWS caller; services have none.
pub(super) fn account_of(caller: &Principal) -> Option<&str> {
    match caller {
        Principal::Aws(name) => account_of_root(name).or_else(|| name.split(':').nth(4).filter(|account| !account.is_empty())),
        Principal::Service(_) => None,
    }
}

/// Whether `view` is about `caller`.
pub(super) fn named(view: &StatementView<'_>, caller: &Principal) -> Named {
    match &view.principals {
        Selector::Absent => Named { itself: Answer::No, by_account: false },
        Selector::In(members) => {
            let itself = members.iter().map(|member| is(member, caller)).fold(Answer::No, Answer::or);
            let by_account = itself != Answer::Yes && names_account(members, caller);
            // An account in a Deny is everybody in it. [IAM: AWS account principals]
            let itself = if by_account && view.effect != Some(Effect::Allow) { Answer::Yes } else { itself };
            Named { itself, by_account }
        }
        Selector::NotIn(members) => Named { itself: all_but(members, caller, view.effect), by_account: false },
    }
}

/// `NotPrincipal`: with Allow it is not supported. With Deny it spares a caller only if its account is listed
/// beside it. [IAM JSON policy elements: `NotPrincipal`]
fn all_but(members: &[PrincipalPattern<'_>], caller: &Principal, effect: Option<Effect>) -> Answer {
    if effect != Some(Effect::Deny) {
        return Answer::CannotTell;
    }
    let itself = members.iter().map(|member| is(member, caller)).fold(Answer::No, Answer::or);
    let account = names_account(members, caller);
    let needs_account = account_of(caller).is_some() && !members.contains(&PrincipalPattern::Everyone);
    match (itself, account || !needs_account) {
        (Answer::Yes, true) => Answer::No,
        (Answer::No, _) if !account => Answer::Yes,
        _ => Answer::CannotTell,
    }
}

fn names_account(members: &[PrincipalPattern<'_>], caller: &Principal) -> bool {
    let account = account_of(caller);
    members.iter().any(|member| matches!(member, PrincipalPattern::Account(text) if account.is_some() && account_of_root(text) == account))
}

fn is(member: &PrincipalPattern<'_>, caller: &Principal) -> Answer {
    match (member, caller) {
        (PrincipalPattern::Everyone, _) => Answer::Yes,
        (PrincipalPattern::Account(text), Principal::Aws(name)) => {
            (account_of_root(name).is_some() && account_of_root(text) == account_of_root(name)).into()
        }
        (PrincipalPattern::Aws(text), Principal::Aws(name)) => is_identity(text, name),
        (PrincipalPattern::Service(text), Principal::Service(name)) => is_service(text, name),
        // A role's session may have come through any identity provider, a caller may have any canonical id.
        (PrincipalPattern::Federated(_), Principal::Aws(name)) if role_name(name).is_some() => Answer::CannotTell,
        (PrincipalPattern::CanonicalUser(_), Principal::Aws(_)) => Answer::CannotTell,
        (PrincipalPattern::Account(_) | PrincipalPattern::Aws(_) | PrincipalPattern::CanonicalUser(_), Principal::Service(_))
        | (PrincipalPattern::Service(_), Principal::Aws(_))
        | (PrincipalPattern::Federated(_), _) => Answer::No,
    }
}

/// Names are compared whole: IAM has no wildcards inside a principal.
fn is_identity(text: &str, name: &str) -> Answer {
    if text == name {
        return Answer::Yes;
    }
    if text.contains(['*', '?', '$']) {
        return Answer::CannotTell;
    }
    let (Some(named), Some(caller)) = (role_name(text), role_name(name)) else { return Answer::No };
    if (named.partition, named.account, named.name) != (caller.partition, caller.account, caller.name) {
        return Answer::No;
    }
    match (named.session, caller.session) {
        // A role's name is unique in its account whatever its path, which a session's ARN leaves out.
        (None, Some(_)) => Answer::Yes,
        // One of the role's sessions is named; the role is not that session alone.
        (Some(_), None) => Answer::CannotTell,
        // Two ARNs of one role, or two sessions of it.
        (None, None) | (Some(_), Some(_)) => Answer::No,
    }
}

struct Role<'a> {
    partition: &'a str,
    account: &'a str,
    name: &'a str,
    session: Option<&'a str>,
}

/// Reads `arn:…:iam::A:role/path/name` and `arn:…:sts::A:assumed-role/name/session`.
fn role_name(arn: &str) -> Option<Role<'_>> {
    let mut parts = arn.splitn(6, ':');
    let (_, partition, service, _, account, resource) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    match service {
        "iam" => {
            let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
            Some(Role { partition, account, name, session: None })
        }
        "sts" => {
            let (name, session) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
            Some(Role { partition, account, name, session: Some(session) })
        }
        _ => None,
    }
}

/// Regional names (`logs.us-east-1.amazonaws.com`) may stand for the same service.
fn is_service(text: &str, name: &str) -> Answer {
    if text.eq_ignore_ascii_case(name) {
        return Answer::Yes;
    }
    let first = |service: &str| service.split('.').next().unwrap_or_default().to_ascii_lowercase();
    if text.contains(['*', '?', '$']) || first(text) == first(name) { Answer::CannotTell } else { Answer::No }
}
