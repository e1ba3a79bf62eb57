//! Keys that rules name: resolved, compared by ARN, and checked before a resource is moved to one.

use std::collections::BTreeMap;

use super::change::KeyRef;
use super::context::Context;
use super::draft::{Draft, Remedy};
use super::step::{Block, Gate, StepId};
use crate::document::{Document, Principal};
use crate::inventory::ResolvedKey;
use crate::{Arn, Service};

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
    /// For the reason: "S3 bucket `orders` publishes events to this queue".
    pub(crate) role: String,
}

/// A document that a key will have once this plan's earlier step is made.
#[derive(Debug, Clone)]
pub(crate) struct PlannedDocument {
    /// The step that writes it.
    pub(crate) step: StepId,
    /// The whole document.
    pub(crate) document: Document,
}

/// What stands between a resource and a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyRequirement {
    /// Steps that come first.
    pub(crate) needs: Vec<StepId>,
    /// Why the resource may not be moved to the key now.
    pub(crate) block: Option<Block>,
}
