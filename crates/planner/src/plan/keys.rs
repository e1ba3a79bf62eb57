//! Keys that rules name: resolved, compared by ARN, and checked before a resource is moved to one.
//!
//! A resource that is moved to a key which somebody on its data path may not use goes silent, and AWS
//! does not say so when the setting is written. So nothing is moved to a key before its state, its kind
//! and its document are known and every known user of the resource is proven to get through.

use std::collections::BTreeMap;

use super::change::KeyRef;
use super::context::Context;
use super::draft::{Draft, Remedy};
use super::step::{Block, Gate, StepId};
use crate::document::{Access, Answer, Document, Principal, Request, access};
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyUser {
    /// Who.
    pub(crate) principal: Principal,
    /// KMS actions needed, e.g. `kms:GenerateDataKey`.
    pub(crate) actions: Vec<&'static str>,
    /// Condition keys (lower case) that AWS certainly sends, with their values.
    pub(crate) context: BTreeMap<String, Vec<String>>,
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
}

/// What stands between a resource and a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyRequirement {
    /// Steps that come first.
    pub(crate) needs: Vec<StepId>,
    /// Why the resource may not be moved to the key now.
    pub(crate) block: Option<Block>,
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
/// `draft.wanted_facts`) → a user that the document does not let through. A document that an earlier step of this plan
/// writes counts as if written, and that step becomes a need.
pub(crate) fn require_key(cx: &Context<'_>, draft: &mut Draft, wanted: &WantedKey, users: &[KeyUser]) -> KeyRequirement {
    let arn = match wanted {
        WantedKey::Unusable(block) => return KeyRequirement { needs: Vec::new(), block: Some(block.clone()) },
        WantedKey::ToBeCreated { alias, step } => return created_key_lets_users_through(cx, draft, alias, step, users),
        WantedKey::Exists(arn) => arn,
    };
    let required = known_metadata(cx, draft, arn).and_then(|(key, metadata)| {
        let mut requirement = KeyRequirement { needs: usable(cx, draft, arn, metadata)?, block: None };
        if metadata.aws_managed {
            requirement.block = aws_managed_block(cx, arn, users);
        } else if !users.is_empty() {
            let_through(draft, key, users, &mut requirement)?;
        }
        Ok(requirement)
    });
    required.unwrap_or_else(|block| KeyRequirement { needs: Vec::new(), block: Some(block) })
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

/// Today's document lets everybody through, or the one that an earlier step writes does, which then comes first.
fn let_through(draft: &mut Draft, key: &Key, users: &[KeyUser], requirement: &mut KeyRequirement) -> Result<(), Block> {
    let arn = &key.arn;
    let text = match &key.document {
        Reading::Known(text) => text,
        Reading::Unreadable { unreadable } => {
            let action = unreadable.missing_action.as_deref().unwrap_or("kms:GetKeyPolicy");
            return Err(unread(format!(
                "the document of key {arn} could not be read ({}; allow {action}), so nobody knows whether {} may use it",
                unreadable.message, users[0].role
            )));
        }
        Reading::NotRead => {
            draft.wanted_facts.insert(arn.clone());
            return Err(unread(format!("the document of key {arn} was not read")));
        }
    };
    let today = Document::parse(text).map_err(|error| unread(format!("the document of key {arn} can't be read: {error}")))?;
    requirement.block = shut_out(&today, arn, users);
    if requirement.block.is_some()
        && let Some(planned) = draft.planned_documents.get(arn)
    {
        requirement.needs.push(planned.step.clone());
        requirement.block = shut_out(&planned.document, arn, users);
    }
    Ok(())
}

fn created_key_lets_users_through(cx: &Context<'_>, draft: &Draft, alias: &str, step: &StepId, users: &[KeyUser]) -> KeyRequirement {
    let resource = cx.inventory.scope.arn("kms", alias);
    let block = match draft.planned_documents.get(&resource) {
        Some(planned) => shut_out(&planned.document, &resource, users),
        // A replica, or a key that lacks its alias only: steps that name it wait for a fresh plan, which reads its document.
        None => None,
    };
    KeyRequirement { needs: vec![step.clone()], block }
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
        name: Gate::KeyUse,
        reason: format!(
            "{} is an AWS-managed key, whose document can't be edited: {} could not use it. Name a customer managed key.",
            cx.inventory.key_name(arn),
            outsider.role
        ),
    })
}

fn shut_out(document: &Document, key: &Arn, users: &[KeyUser]) -> Option<Block> {
    users.iter().find_map(|user| {
        user.actions.iter().find_map(|action| {
            let request = Request { principal: &user.principal, action, resource: key.as_str(), context: &user.context, context_is_complete: false };
            let Access { answer, delegated, because } = access(document, key.account(), &request);
            match answer {
                Answer::Yes => None,
                Answer::No | Answer::CannotTell => Some(Block {
                    name: Gate::KeyUse,
                    reason: format!(
                        "{} needs {action} on key {key}, and its document does not let it for certain{}{}. Add this statement to the key's document: {}",
                        user.role,
                        if delegated { " (it leaves the decision to IAM policies, which the document can't show)" } else { "" },
                        if because.is_empty() { String::new() } else { format!(": {because}") },
                        statement_to_add(user)
                    ),
                }),
            }
        })
    })
}

/// The exact statement that would let `user` through, in one line of JSON.
pub(crate) fn statement_to_add(user: &KeyUser) -> String {
    let principal = match &user.principal {
        Principal::Aws(arn) => serde_json::json!({ "AWS": arn }),
        Principal::Service(service) => serde_json::json!({ "Service": service }),
    };
    let mut statement = serde_json::json!({ "Effect": "Allow", "Principal": principal, "Action": user.actions, "Resource": "*" });
    let mut conditions = serde_json::Map::new();
    for (key, operator) in [("aws:sourceaccount", "StringEquals"), ("aws:sourcearn", "ArnEquals")] {
        if let Some(values) = user.context.get(key) {
            let name = if key == "aws:sourceaccount" { "aws:SourceAccount" } else { "aws:SourceArn" };
            conditions.insert(operator.to_owned(), serde_json::json!({ name: values }));
        }
    }
    if !conditions.is_empty() {
        statement["Condition"] = serde_json::Value::Object(conditions);
    }
    statement.to_string()
}
