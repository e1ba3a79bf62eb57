//! Keys that rules name: resolved, compared by ARN, and checked before a resource is moved to one.
//!
//! A resource that is moved to a key which somebody on its data path may not use goes silent, and AWS
//! does not say so when the setting is written. So nothing is moved to a key before its state, its kind
//! and its document are known and every known user of the resource is proven to get through.

use std::collections::BTreeMap;

pub(crate) use super::admission::statement_to_add;
use super::admission::{Demand, let_through, let_through_new};
use super::change::KeyRef;
use super::context::Context;
use super::draft::{Draft, Remedy};
use super::step::{Block, Gate, StepId};
use crate::document::{Answer, Document, Principal};
use crate::inventory::{Key, KeyMetadata, ResolvedKey};
use crate::kms::desired::Home;
use crate::{Arn, Check, Reading};

/// The key that a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WantedKey {
    /// It exists.
    Exists(Arn),
    /// The policy lists it and it does not exist yet: this step creates it.
    ToBeCreated {
        /// Its alias.
        alias: String,
        /// The step.
        step: StepId,
    },
    /// No key can be named: the gate and the reason in words.
    Unusable(Block),
}

/// Somebody who must be able to use a key for data to go on flowing through a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyUser {
    /// Who.
    pub(crate) principal: Principal,
    /// KMS actions needed, e.g. `kms:GenerateDataKey`.
    pub(crate) actions: Vec<&'static str>,
    /// Condition keys (lower case) that AWS certainly sends, with their values.
    pub(crate) context: BTreeMap<String, Vec<String>>,
    /// AWS sends neither `aws:SourceArn` nor `aws:SourceAccount` on this hop: a statement that asks for one shuts it out.
    pub(crate) sends_no_source: bool,
    /// For the reason: "bucket `orders` publishes events to this queue".
    pub(crate) role: String,
}

/// A document that a key will have once an earlier step of this plan is made.
#[derive(Debug, Clone)]
pub(crate) struct PlannedDocument {
    /// The step that writes it.
    pub(crate) step: StepId,
    /// The whole document.
    pub(crate) document: Document,
    /// The step may still be given more grants: it is not yet written what the document will be.
    pub(crate) grows: bool,
}

/// What stands between a resource and a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyRequirement {
    /// Steps that come first.
    pub(crate) needs: Vec<StepId>,
    /// Why the resource may not be moved to the key now.
    pub(crate) block: Option<Block>,
    /// What has to be granted first on keys of ours, and is not yet in a step.
    pub(crate) demands: Vec<Demand>,
}

impl KeyRequirement {
    /// Nothing but a block.
    pub(crate) fn blocked(block: Block) -> Self {
        Self { block: Some(block), ..Self::default() }
    }

    /// This one and another.
    pub(crate) fn and(mut self, other: Self) -> Self {
        let Self { needs, block, demands } = other;
        for need in needs {
            if !self.needs.contains(&need) {
                self.needs.push(need);
            }
        }
        self.demands.extend(demands);
        self.block = self.block.or(block);
        self
    }
}

impl WantedKey {
    /// How a step names the key; `None` where it can't be named.
    pub(crate) fn key_ref(&self) -> Option<KeyRef> {
        match self {
            Self::Exists(arn) => Some(KeyRef::Arn(arn.clone())),
            Self::ToBeCreated { alias, .. } => Some(KeyRef::ToBeCreated { alias: alias.clone() }),
            Self::Unusable(_) => None,
        }
    }

    /// Is `observed` (a key reference as AWS returned it) this key? Compared by resolved ARN; an alias that can't be
    /// resolved is [`Answer::CannotTell`].
    pub(crate) fn is(&self, cx: &Context<'_>, observed: &str) -> Answer {
        match (self, cx.inventory.resolve_key(observed)) {
            (Self::Exists(wanted), ResolvedKey::Key(key)) => {
                if *wanted == key {
                    Answer::Yes
                } else {
                    Answer::No
                }
            }
            (Self::Exists(_) | Self::ToBeCreated { .. }, ResolvedKey::AwsManaged(_)) | (Self::ToBeCreated { .. }, ResolvedKey::Key(_)) => {
                Answer::No
            }
            (Self::Unusable(_), _) | (_, ResolvedKey::Unresolved(_)) => Answer::CannotTell,
        }
    }
}

/// Resolves the key reference of a rule (`alias/…`, alias ARN, key ARN) in the scope.
pub(crate) fn wanted_key(cx: &Context<'_>, reference: &str) -> WantedKey {
    match cx.inventory.resolve_key(reference) {
        ResolvedKey::Key(arn) => WantedKey::Exists(arn),
        ResolvedKey::AwsManaged(alias) => WantedKey::Unusable(Block {
            name: Gate::KeyState,
            reason: format!(
                "{alias} does not exist in this account and region yet: AWS creates it on first use, and its document can't be edited. Name a customer managed key."
            ),
        }),
        ResolvedKey::Unresolved(text) => unresolved(cx, &text),
    }
}

fn unresolved(cx: &Context<'_>, reference: &str) -> WantedKey {
    match &cx.inventory.aliases {
        Reading::Unreadable { unreadable } => WantedKey::Unusable(Block {
            name: Gate::Unread,
            reason: format!(
                "the aliases of this account and region could not be read ({}: {}), so {reference} is not known to exist",
                unreadable.operation, unreadable.message
            ),
        }),
        Reading::NotRead => WantedKey::Unusable(Block {
            name: Gate::Unread,
            reason: format!("the aliases of this account and region were not read, so {reference} is not known to exist"),
        }),
        Reading::Known(_) if cx.listed_key(reference).is_some() => {
            WantedKey::ToBeCreated { alias: reference.to_owned(), step: creation_step(cx, reference) }
        }
        Reading::Known(_) => WantedKey::Unusable(Block {
            name: Gate::KeyState,
            reason: format!(
                "{reference} does not exist in {}: create it, or list it under spec.keys so that Everseal creates it",
                cx.inventory.scope
            ),
        }),
    }
}

/// The step that brings a listed key into being under `alias`: create, or give a half-created key its alias. Where the
/// key can't come into being in this scope (a replica is made from its primary's), it is the manual one that says so.
/// The resource of these steps is the alias's ARN.
pub(crate) fn creation_step(cx: &Context<'_>, alias: &str) -> StepId {
    let scope = &cx.inventory.scope;
    let awaiting = cx.inventory.keys_awaiting_alias.known().is_some_and(|keys| keys.contains_key(alias));
    let home = cx.listed_key(alias).map(|(policy, key)| Home::of(policy, key, &scope.region));
    let action = match home {
        _ if awaiting => "CreateAlias",
        Some(Home::Replica { .. } | Home::NotHere { .. }) => "Manual",
        Some(Home::Own { .. }) | None => "CreateKey",
    };
    Remedy::step_id(Check::KmsKeyExists, action, &scope.arn("kms", alias))
}

/// What must be true before a resource of this scope is moved to `wanted`, so that every user in `users` gets through.
///
/// Order of the answers: not nameable → wrong state or kind → document not read yet (the key is put on
/// `draft.wanted_facts`) → a user that the document does not let through ([`super::admission`]). A document that an earlier
/// step of this plan writes counts as if written, and that step becomes a need.
pub(crate) fn require_key(cx: &Context<'_>, draft: &mut Draft, wanted: &WantedKey, users: &[KeyUser]) -> KeyRequirement {
    let mut requirement = KeyRequirement::default();
    let outcome = match wanted {
        WantedKey::Unusable(block) => Err(block.clone()),
        WantedKey::ToBeCreated { alias, step } => {
            requirement.needs.push(step.clone());
            let_through_new(cx, draft, &cx.inventory.scope.arn("kms", alias), users, &mut requirement);
            Ok(())
        }
        WantedKey::Exists(arn) => existing_key(cx, draft, arn, users, &mut requirement),
    };
    match outcome {
        Ok(()) => requirement,
        Err(block) => KeyRequirement::blocked(block),
    }
}

fn existing_key(cx: &Context<'_>, draft: &mut Draft, arn: &Arn, users: &[KeyUser], requirement: &mut KeyRequirement) -> Result<(), Block> {
    let (key, metadata) = known_metadata(cx, draft, arn)?;
    requirement.needs = usable(cx, draft, arn, metadata)?;
    if metadata.aws_managed {
        requirement.block = aws_managed_block(cx, arn, users);
    } else {
        let_through(cx, draft, key, users, requirement)?;
    }
    Ok(())
}

fn unread(reason: String) -> Block {
    Block { name: Gate::Unread, reason }
}

/// The key and its state; one that nobody has read yet is put on the facts to be read.
fn known_metadata<'a>(cx: &Context<'a>, draft: &mut Draft, arn: &Arn) -> Result<(&'a Key, &'a KeyMetadata), Block> {
    let key = cx.inventory.keys.get(arn);
    match key.map(|key| (key, &key.metadata)) {
        Some((key, Reading::Known(metadata))) => Ok((key, metadata)),
        Some((_, Reading::Unreadable { unreadable })) => {
            Err(unread(format!("the state of key {arn} could not be read: {}", unreadable.message)))
        }
        Some((_, Reading::NotRead)) | None => {
            draft.wanted_facts.insert(arn.clone());
            Err(unread(format!("the state of key {arn} was not read")))
        }
    }
}

fn usable(cx: &Context<'_>, draft: &Draft, arn: &Arn, metadata: &KeyMetadata) -> Result<Vec<StepId>, Block> {
    let block = |reason: String| Err(Block { name: Gate::KeyState, reason });
    let region = &cx.inventory.scope.region;
    if metadata.usage != "ENCRYPT_DECRYPT" || metadata.spec != "SYMMETRIC_DEFAULT" {
        return block(format!(
            "key {arn} is {} for {}: only symmetric encryption keys (SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT) can be used here",
            metadata.spec, metadata.usage
        ));
    }
    if arn.region() != region {
        return block(format!("key {arn} is in {}, the resource in {region}: a key must be in the resource's region", arn.region()));
    }
    match metadata.state.as_str() {
        "Enabled" => Ok(Vec::new()),
        state => match draft.healing_steps.get(arn) {
            Some(steps) if !steps.is_empty() => Ok(steps.clone()),
            _ => block(format!("key {arn} is {state}: {}", state_advice(state))),
        },
    }
}

fn state_advice(state: &str) -> &'static str {
    match state {
        "Disabled" => "enable it (EnableKey), or let Everseal do so with heal: [enable] on the key in the policy",
        "PendingDeletion" => {
            "cancel the deletion (CancelKeyDeletion) and enable it, or let Everseal do so with heal: [cancelDeletion, enable]"
        }
        "PendingReplicaDeletion" => "cancel the deletion on the primary key",
        "PendingImport" => "import its key material again (ImportKeyMaterial)",
        "Unavailable" => "connect its custom key store again",
        _ => "wait until it is Enabled",
    }
}

/// AWS-managed keys can be used only by principals of their own account, and never by a service on its own behalf;
/// their documents can't be edited. [AWS KMS concepts: AWS managed keys]
fn aws_managed_block(cx: &Context<'_>, arn: &Arn, users: &[KeyUser]) -> Option<Block> {
    let account = &cx.inventory.scope.account;
    let outsider = users.iter().find(|user| match &user.principal {
        Principal::Service(_) => true,
        Principal::Aws(principal) => Arn::parse(principal).is_ok_and(|principal| principal.account() != account),
    })?;
    Some(Block {
        name: Gate::Path,
        reason: format!(
            "{} is an AWS-managed key, whose document can't be edited: {} could not use it. Name a customer managed key.",
            cx.inventory.key_name(arn),
            outsider.role
        ),
    })
}
