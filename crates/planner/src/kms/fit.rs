//! Is the key that a resource uses the one that its rule names?

use crate::document::Answer;
use crate::inventory::ResolvedKey;
use crate::plan::compare::is_own_alias;
use crate::plan::context::Context;
use crate::plan::keys::WantedKey;
use crate::plan::step::{Block, Gate};

/// How the key in use stands to the wanted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is the one.
    Same,
    /// An AWS-managed key is asked for, and a customer managed key is used: better protected, so it stays.
    Better,
    /// It is another.
    Other,
    /// It can't be told, and why.
    CannotTell(String),
}

/// Compares the key in use (as AWS returned it) with what `reference` stands for.
pub(crate) fn fit(cx: &Context<'_>, reference: &str, wanted: &WantedKey, observed: &str) -> Fit {
    if wanted.is(cx, observed) == Answer::Yes {
        return Fit::Same;
    }
    if asks_for_aws_managed(cx, reference, wanted) {
        return match cx.inventory.resolve_key(observed) {
            ResolvedKey::AwsManaged(alias) if alias == reference => Fit::Same,
            ResolvedKey::AwsManaged(_) => Fit::Other,
            ResolvedKey::Key(key) => match cx.inventory.keys.get(&key).and_then(|key| key.metadata.known()) {
                Some(metadata) if metadata.aws_managed => Fit::Other,
                Some(_) => Fit::Better,
                None => Fit::CannotTell(format!("it is not known whether key {key} is a customer managed one")),
            },
            ResolvedKey::Unresolved(text) => Fit::CannotTell(format!("it is not known which key {text} is")),
        };
    }
    // An alias of another account, or one that could not be looked up: AWS resolves equal texts alike.
    if reference == observed && !(is_own_alias(cx, reference) && cx.inventory.aliases.known().is_some()) {
        return Fit::Same;
    }
    match wanted {
        WantedKey::Unusable(Block { name: Gate::KeyState, reason: _ }) => Fit::Other,
        WantedKey::Unusable(Block { name: _, reason }) => Fit::CannotTell(reason.clone()),
        WantedKey::Exists(_) | WantedKey::ToBeCreated { .. } => match wanted.is(cx, observed) {
            Answer::Yes => Fit::Same,
            Answer::No => Fit::Other,
            Answer::CannotTell => Fit::CannotTell(format!("it is not known which key {observed} is")),
        },
    }
}

fn asks_for_aws_managed(cx: &Context<'_>, reference: &str, wanted: &WantedKey) -> bool {
    let managed = match wanted {
        WantedKey::Exists(arn) => {
            cx.inventory.keys.get(arn).and_then(|key| key.metadata.known()).is_some_and(|metadata| metadata.aws_managed)
        }
        WantedKey::ToBeCreated { .. } | WantedKey::Unusable(_) => false,
    };
    managed || reference.starts_with("alias/aws/")
}

/// A key in use that does not work breaks the resource, whatever its rule asks: the words that say so.
pub(crate) fn note_on_key_in_use(cx: &Context<'_>, observed: &str) -> Option<String> {
    let ResolvedKey::Key(key) = cx.inventory.resolve_key(observed) else { return None };
    let state = &cx.inventory.keys.get(&key)?.metadata.known()?.state;
    (!matches!(state.as_str(), "Enabled" | "Creating" | "Updating"))
        .then(|| format!("The key in use, {}, is {state}: data under it can be neither read nor written.", cx.inventory.key_name(&key)))
}
