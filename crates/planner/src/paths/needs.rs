//! What a hop needs of a key, and whether it has it.
//!
//! "Met" is proof: the key works, and its document (or, where that leaves it to IAM, the role's own policies) lets the
//! principal through. "Unmet" is proof of the contrary. Everything else is unknown, and never counts as met.

use super::model::{Need, NeedState, PathState, Trouble, TroubleKind};
use super::roles::{RoleReading, key_access};
use super::run::Run;
use crate::document::{Access, Answer, Document, Principal, Request};
use crate::inventory::{Key, Reading, ResolvedKey};
use crate::plan::keys::{KeyUser, statement_to_add};
use crate::{Arn, Inventory};

/// Whether `user` may use the key that a resource of `inventory` names as `reference`.
pub(crate) fn judge(run: &Run<'_>, inventory: &Inventory, reference: &str, user: &KeyUser) -> Need {
    let mut need = blank(reference, user);
    let (state, because) = match inventory.resolve_key(reference) {
        ResolvedKey::AwsManaged(alias) => aws_managed(inventory, &alias, user),
        ResolvedKey::Unresolved(text) => unresolved(inventory, &text),
        ResolvedKey::Key(arn) => {
            need.key = arn.to_string();
            of_key(run, inventory, &arn, user)
        }
    };
    // A statement helps only where the key's document is what refuses.
    if state != NeedState::Met && because.fixable {
        need.statement = Some(statement_to_add(user));
    }
    need.state = state;
    need.because = because.words;
    need
}

fn blank(reference: &str, user: &KeyUser) -> Need {
    let (Principal::Aws(principal) | Principal::Service(principal)) = &user.principal;
    Need {
        principal: principal.clone(),
        actions: user.actions.iter().map(|action| (*action).to_owned()).collect(),
        key: reference.to_owned(),
        context: user.context.clone(),
        role: user.role.clone(),
        state: NeedState::Unknown,
        because: String::new(),
        statement: None,
    }
}

struct Because {
    words: String,
    fixable: bool,
}

impl Because {
    fn given(words: impl Into<String>) -> Self {
        Self { words: words.into(), fixable: false }
    }

    fn by_document(words: impl Into<String>) -> Self {
        Self { words: words.into(), fixable: true }
    }
}

/// AWS-managed keys serve principals of their own account, and no service on its own behalf. [KMS concepts: AWS managed keys]
fn aws_managed(inventory: &Inventory, name: &str, user: &KeyUser) -> (NeedState, Because) {
    let outsider = match &user.principal {
        Principal::Service(_) => true,
        Principal::Aws(principal) => Arn::parse(principal).is_ok_and(|arn| arn.account() != inventory.scope.account),
    };
    if outsider {
        let words = format!(
            "{name} is an AWS-managed key, whose document can't be edited and lets in no service and no other account: use a customer managed key"
        );
        (NeedState::Unmet, Because::given(words))
    } else {
        (NeedState::Met, Because::given(format!("{name} serves the principals of its account")))
    }
}

fn unresolved(inventory: &Inventory, reference: &str) -> (NeedState, Because) {
    let own = reference.starts_with("alias/") || reference.starts_with(inventory.scope.arn("kms", "alias/").as_str());
    if own && inventory.aliases.known().is_some() {
        return (NeedState::Unmet, Because::given(format!("no key stands behind {reference}: nothing can be encrypted under it")));
    }
    (NeedState::Unknown, Because::given(format!("{reference} can't be resolved to a key from what was read")))
}

fn of_key(run: &Run<'_>, inventory: &Inventory, arn: &Arn, user: &KeyUser) -> (NeedState, Because) {
    if inventory.key_name(arn).starts_with("alias/aws/") {
        return aws_managed(inventory, &inventory.key_name(arn), user);
    }
    let Some(key) = run.key(arn) else {
        return (NeedState::Unknown, Because::given(format!("key {arn} was not read")));
    };
    match &key.metadata {
        Reading::Known(metadata) if metadata.aws_managed => return aws_managed(inventory, &inventory.key_name(arn), user),
        Reading::Known(metadata) => match metadata.state.as_str() {
            "Enabled" | "Updating" => {}
            state @ ("Disabled" | "PendingDeletion" | "PendingReplicaDeletion" | "PendingImport" | "Unavailable") => {
                return (NeedState::Unmet, Because::given(format!("key {arn} is {state}: nobody can use it until it is Enabled again")));
            }
            state => return (NeedState::Unknown, Because::given(format!("key {arn} is {state}"))),
        },
        Reading::Unreadable { unreadable } => {
            let why = crate::plan::compare::unreadable_words(unreadable, "kms:DescribeKey");
            return (NeedState::Unknown, Because::given(format!("the state of key {arn} could not be read: {why}")));
        }
        Reading::NotRead => return (NeedState::Unknown, Because::given(format!("the state of key {arn} was not read"))),
    }
    by_document(run, key, user)
}

fn by_document(run: &Run<'_>, key: &Key, user: &KeyUser) -> (NeedState, Because) {
    let document = run.key_document(key);
    let document = match document.as_ref() {
        Ok(document) => document,
        Err(why) => return (NeedState::Unknown, Because::given(format!("the document of key {}: {why}", key.arn))),
    };
    let mut worst = (NeedState::Met, Because::given(String::new()));
    for action in &user.actions {
        let (state, because) = one_action(run, key, document, user, action);
        match state {
            NeedState::Unmet => return (state, because),
            NeedState::Unknown => worst = (state, because),
            NeedState::Met if worst.1.words.is_empty() => worst.1 = because,
            NeedState::Met => {}
        }
    }
    worst
}

fn one_action(run: &Run<'_>, key: &Key, document: &Document, user: &KeyUser, action: &str) -> (NeedState, Because) {
    let request =
        Request { principal: &user.principal, action, resource: key.arn.as_str(), context: &user.context, context_is_complete: false };
    let role = run.role(&key.arn, &user.principal);
    let Access { answer, delegated, because } = key_access(document, &key.arn, &request, &role);
    let words = format!("{action} on {}: {because}", key.arn);
    match answer {
        Answer::Yes => (NeedState::Met, Because::given(words)),
        Answer::No => (NeedState::Unmet, Because::by_document(words)),
        Answer::CannotTell if delegated && matches!(role.as_ref(), RoleReading::NotRead(_)) => {
            (NeedState::Unknown, Because::by_document(format!("{words}, and those were not read")))
        }
        Answer::CannotTell => (NeedState::Unknown, Because::by_document(words)),
    }
}

/// What an unmet or unproven need makes of its hop.
pub(crate) fn trouble(need: &Need) -> Option<Trouble> {
    let actions = need.actions.join(" and ");
    let cure = need.statement.as_ref().map(|statement| format!("Add this statement to the document of {}: {statement}", need.key));
    match need.state {
        NeedState::Met => None,
        NeedState::Unmet => {
            let what = format!("{} can't use key {} ({actions}): {}", need.role, need.key, need.because);
            Some(Trouble::new(PathState::Broken, TroubleKind::Need, what).cured_by(cure.unwrap_or_default()))
        }
        NeedState::Unknown => {
            let what = format!("nobody can tell whether {} may use key {} ({actions}): {}", need.role, need.key, need.because);
            Some(Trouble::new(PathState::Unknown, TroubleKind::Need, what).cured_by(cure.unwrap_or_default()))
        }
    }
}
