//! Questions that all services ask of what was observed: is it the wanted key, and why is it not known?

use super::context::Context;
use super::draft::{Draft, Subject, Words};
use super::keys::WantedKey;
use super::step::Gate;
use crate::Check;
use crate::document::Answer;
use crate::inventory::{Reading, ResolvedKey, Unreadable};

/// Is the `observed` key reference the key that the rule names as `reference` and that resolved to `wanted`?
///
/// An alias and an ARN of the same key are the same. What can't be resolved is [`Answer::CannotTell`], save an alias
/// of this account that certainly does not exist: it is no key at all.
pub(crate) fn same_key(cx: &Context<'_>, reference: &str, wanted: &WantedKey, observed: &str) -> Answer {
    let resolved = cx.inventory.resolve_key(observed);
    let certain = cx.inventory.aliases.known().is_some();
    if reference == observed {
        // The same alias, and no key behind it: the service took it unseen, and nothing can be encrypted.
        let is_nothing = certain && matches!(&resolved, ResolvedKey::Unresolved(text) if is_own_alias(cx, text));
        return if is_nothing { Answer::No } else { Answer::Yes };
    }
    match (wanted, &resolved) {
        (WantedKey::Exists(_) | WantedKey::ToBeCreated { .. }, ResolvedKey::Unresolved(text)) if certain && is_own_alias(cx, text) => {
            Answer::No
        }
        (WantedKey::Exists(_) | WantedKey::ToBeCreated { .. }, _) => wanted.is(cx, observed),
        (WantedKey::Unusable(block), ResolvedKey::Key(_) | ResolvedKey::AwsManaged(_))
            if block.name == Gate::KeyState && is_own_alias(cx, reference) =>
        {
            Answer::No
        }
        (WantedKey::Unusable(_), _) => Answer::CannotTell,
    }
}

pub(crate) fn is_own_alias(cx: &Context<'_>, reference: &str) -> bool {
    reference.starts_with("alias/") || reference.starts_with(cx.inventory.scope.arn("kms", "alias/").as_str())
}

/// How a person knows a key reference: by alias where it has one.
pub(crate) fn key_words(cx: &Context<'_>, reference: &str) -> String {
    match cx.inventory.resolve_key(reference) {
        ResolvedKey::Key(arn) => cx.inventory.key_name(&arn),
        ResolvedKey::AwsManaged(text) | ResolvedKey::Unresolved(text) => text,
    }
}

/// Why a reading says nothing, in words; `action` is the IAM action that allows it. Empty where it is known.
pub(crate) fn why_unknown<T>(reading: &Reading<T>, action: &str) -> String {
    match reading {
        Reading::Known(_) => String::new(),
        Reading::Unreadable { unreadable } => unreadable_words(unreadable, action),
        Reading::NotRead => "It was not read.".to_owned(),
    }
}

/// A failed read, in words.
pub(crate) fn unreadable_words(unreadable: &Unreadable, action: &str) -> String {
    let Unreadable { class, operation, missing_action, message } = unreadable;
    let mut words = format!("{operation} failed: {message}");
    if !words.ends_with('.') {
        words.push('.');
    }
    if *class == crate::inventory::ErrorClass::Denied {
        words.push_str(" Allow ");
        words.push_str(missing_action.as_deref().unwrap_or(action));
        words.push('.');
    }
    words
}

/// Is the key an AWS-managed one, as far as the inventory shows?
pub(crate) fn is_aws_managed(cx: &Context<'_>, reference: &str) -> bool {
    match cx.inventory.resolve_key(reference) {
        ResolvedKey::AwsManaged(_) => true,
        ResolvedKey::Key(arn) => {
            let metadata = cx.inventory.keys.get(&arn).and_then(|key| key.metadata.known());
            metadata.is_some_and(|metadata| metadata.aws_managed) || cx.inventory.key_name(&arn).starts_with("alias/aws/")
        }
        ResolvedKey::Unresolved(_) => false,
    }
}

/// Every check of a rule whose tags might match a resource of this kind (`bucket`), where its tags are not known.
pub(crate) fn tags_unknown(draft: &mut Draft, subject: &Subject, kind: &str, checks: &[Check], why: Option<&Unreadable>) {
    let why = why.map_or_else(|| "They were not read.".to_owned(), |why| unreadable_words(why, "tag:GetResources"));
    for check in checks {
        let words = Words {
            expected: format!("as rule {} wants, if the {kind}'s tags match", subject.rule),
            actual: "tags unknown".to_owned(),
            message: format!("Whether rule {} is for this {kind} depends on its tags. {why}", subject.rule),
            notes: Vec::new(),
        };
        draft.unknown(subject, *check, words);
    }
}
