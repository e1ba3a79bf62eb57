//! Is a caller one of those whom a statement is about? [IAM JSON policy elements: Principal; `NotPrincipal`]

use serde_json::{Map, Value};

use super::Caller;
use super::document::{Naming, list};

/// A document of an identity names nobody: it is about that identity.
pub(super) fn names(statement: &Map<String, Value>, caller: Option<&Caller>, naming: Naming) -> bool {
    let Some(caller) = caller else { return true };
    if let Some(principal) = statement.get("Principal") {
        is_among(principal, caller, naming)
    } else if let Some(principal) = statement.get("NotPrincipal") {
        !is_spared(principal, caller)
    } else {
        false
    }
}

fn is_among(principal: &Value, caller: &Caller, naming: Naming) -> bool {
    // `"*"` and `{"AWS": "*"}` are equivalent: everybody, services and unsigned requests included.
    let Value::Object(kinds) = principal else { return principal.as_str() == Some("*") };
    let members = |kind: &str| kinds.get(kind).map(list).unwrap_or_default();
    if members("AWS").contains(&"*") {
        return true;
    }
    match caller {
        Caller::Service { name, .. } => members("Service").iter().any(|listed| listed.eq_ignore_ascii_case(name)),
        Caller::Anonymous => false,
        Caller::Root { account } | Caller::User { account, .. } | Caller::Role { account, .. } => {
            let by_account = naming == Naming::Account || matches!(caller, Caller::Root { .. });
            members("AWS").into_iter().any(|listed| is_named(listed, caller, naming) || (by_account && is_account(listed, account)))
        }
    }
}

fn is_named(listed: &str, caller: &Caller, naming: Naming) -> bool {
    let by_role = naming != Naming::Session || !matches!(caller, Caller::Role { .. });
    listed == caller.arn() || (by_role && caller.principal_arn().is_some_and(|own| own == listed))
}

fn is_account(listed: &str, account: &str) -> bool {
    listed == account || listed.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root")) == Some(account)
}

/// `NotPrincipal` spares a caller only if everything that it is part of is listed: a user and its account, a session, its
/// role and the account. [IAM JSON policy elements: `NotPrincipal`, "you must also specify the account ARN"]
fn is_spared(principal: &Value, caller: &Caller) -> bool {
    let Value::Object(kinds) = principal else { return principal.as_str() == Some("*") };
    let aws = kinds.get("AWS").map(list).unwrap_or_default();
    if aws.contains(&"*") {
        return true;
    }
    match caller {
        Caller::Root { account } => aws.iter().any(|listed| is_account(listed, account)),
        Caller::User { account, arn } | Caller::Role { account, arn, .. } => {
            let itself = aws.iter().any(|listed| *listed == caller.arn() || listed == arn);
            itself && aws.iter().any(|listed| is_account(listed, account))
        }
        Caller::Service { .. } | Caller::Anonymous => is_among(principal, caller, Naming::Itself),
    }
}
