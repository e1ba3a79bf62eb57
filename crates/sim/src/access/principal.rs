//! Is a caller one of those whom a statement is about? [IAM JSON policy elements: Principal; `NotPrincipal`]

use serde_json::{Map, Value};

use super::Caller;
use super::document::Naming;
use super::statement::Texts;
use super::written::strings;

/// Whom a statement is about.
#[derive(Debug, Clone)]
pub(super) enum Who {
    /// It has neither element. A document of an identity names nobody: it is about that identity.
    Unnamed,
    /// `Principal`.
    Among(People),
    /// `NotPrincipal`.
    Except(People),
}

/// Who is listed.
#[derive(Debug, Clone)]
pub(super) enum People {
    /// `"*"` and `{"AWS": "*"}` are equivalent: services and unsigned requests are included.
    Everybody,
    Listed {
        aws: Texts,
        services: Texts,
    },
}

impl Who {
    pub(super) fn read(written: &Map<String, Value>) -> Self {
        match (written.get("Principal"), written.get("NotPrincipal")) {
            (Some(listed), _) => Self::Among(People::read(listed)),
            (None, Some(listed)) => Self::Except(People::read(listed)),
            (None, None) => Self::Unnamed,
        }
    }

    /// `None`: the identity itself.
    pub(super) fn include(&self, caller: Option<&Caller>, naming: Naming) -> bool {
        let Some(caller) = caller else { return true };
        match self {
            Self::Unnamed => false,
            Self::Among(people) => people.have(caller, naming),
            Self::Except(people) => !people.spare(caller),
        }
    }
}

impl People {
    fn read(principal: &Value) -> Self {
        let of_kind = |kind: &str| {
            let listed = principal.as_object().and_then(|kinds| kinds.get(kind));
            Texts::new(listed.into_iter().flat_map(strings).map(str::to_owned))
        };
        let aws = of_kind("AWS");
        if principal.as_str() == Some("*") || aws.have("*") {
            return Self::Everybody;
        }
        Self::Listed { aws, services: of_kind("Service") }
    }

    fn have(&self, caller: &Caller, naming: Naming) -> bool {
        let Self::Listed { aws, services } = self else { return true };
        match caller {
            Caller::Service { name, .. } => services.any(|listed| listed.eq_ignore_ascii_case(name)),
            Caller::Anonymous => false,
            Caller::Root { account } | Caller::User { account, .. } | Caller::Role { account, .. } => {
                let by_account = naming == Naming::Account || matches!(caller, Caller::Root { .. });
                aws.any(|listed| is_named(listed, caller, naming) || (by_account && is_account(listed, account)))
            }
        }
    }

    /// `NotPrincipal` spares a caller only if everything that it is part of is listed: a user and its account, a session,
    /// its role and the account. [IAM JSON policy elements: `NotPrincipal`, "you must also specify the account ARN"]
    fn spare(&self, caller: &Caller) -> bool {
        let Self::Listed { aws, .. } = self else { return true };
        match caller {
            Caller::Root { account } => aws.any(|listed| is_account(listed, account)),
            Caller::User { account, arn } | Caller::Role { account, arn, .. } => {
                aws.any(|listed| listed == caller.arn() || listed == arn) && aws.any(|listed| is_account(listed, account))
            }
            Caller::Service { .. } | Caller::Anonymous => self.have(caller, Naming::Itself),
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
