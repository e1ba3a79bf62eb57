//! Several inventories as one estate: a path may begin in one account or region and end in another.
//!
//! Lookups only. What is in none of the inventories was not read, which is never taken for "not there".

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::roles::{RoleReading, role};
use crate::document::{Document, Principal};
use crate::inventory::{Key, Reading};
use crate::plan::context::policies_in;
use crate::policy::model::{EncryptionPolicy, KeySpec};
use crate::{Arn, Inventory, PolicySet};

/// Policies, and everything that was observed in one run.
pub(crate) struct Run<'a> {
    pub(crate) policies: &'a PolicySet,
    pub(crate) inventories: &'a [&'a Inventory],
    /// Documents are asked many questions: each is parsed once.
    documents: RefCell<BTreeMap<Arn, Rc<Result<Document, String>>>>,
    resource_documents: RefCell<BTreeMap<Arn, Rc<Option<Document>>>>,
    roles: RefCell<BTreeMap<Principal, Rc<RoleReading>>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(policies: &'a PolicySet, inventories: &'a [&'a Inventory]) -> Self {
        Self { policies, inventories, documents: RefCell::default(), resource_documents: RefCell::default(), roles: RefCell::default() }
    }

    /// The inventory that a resource was observed in.
    pub(crate) fn holder(&self, arn: &Arn) -> Option<&'a Inventory> {
        let candidates = self.inventories.iter().filter(|inventory| {
            let scope = &inventory.scope;
            (arn.region().is_empty() || arn.region() == scope.region) && (arn.account().is_empty() || arn.account() == scope.account)
        });
        candidates.copied().find(|inventory| inventory.holds(arn))
    }

    /// A bucket's ARN from its name or ARN.
    pub(crate) fn bucket_arn(inventory: &Inventory, name: &str) -> Arn {
        Arn::parse(name).unwrap_or_else(|_| inventory.scope.bucket_arn(name))
    }

    /// What is known of a key: its owner's reading of the document wins over a stranger's, who may not ask for it.
    pub(crate) fn key(&self, arn: &Arn) -> Option<&'a Key> {
        let seen = || self.inventories.iter().filter_map(|inventory| inventory.keys.get(arn));
        let whole = |key: &&Key| key.document.known().is_some() && key.metadata.known().is_some();
        seen().find(whole).or_else(|| seen().find(|key| key.metadata.known().is_some())).or_else(|| seen().next())
    }

    /// A key's document, parsed; `Err` says why there is none.
    pub(crate) fn key_document(&self, key: &Key) -> Rc<Result<Document, String>> {
        let parse = || match &key.document {
            Reading::Known(text) => Document::parse(text).map_err(|error| format!("it can't be parsed ({error})")),
            Reading::Unreadable { unreadable } => Err(crate::plan::compare::unreadable_words(unreadable, "kms:GetKeyPolicy")),
            Reading::NotRead => Err("it was not read".to_owned()),
        };
        Rc::clone(self.documents.borrow_mut().entry(key.arn.clone()).or_insert_with(|| Rc::new(parse())))
    }

    /// A queue's or topic's document, parsed the first time that it is asked; `None` where it can't be parsed.
    pub(crate) fn resource_document(&self, resource: &Arn, text: &str) -> Rc<Option<Document>> {
        let parsed = || Rc::new(Document::parse(text).ok());
        Rc::clone(self.resource_documents.borrow_mut().entry(resource.clone()).or_insert_with(parsed))
    }

    /// What IAM says of the role that asks for a key of its own account; of strangers nobody can tell.
    pub(crate) fn role(&self, key: &Arn, principal: &Principal) -> Rc<RoleReading> {
        let own = matches!(principal, Principal::Aws(name) if Arn::parse(name).is_ok_and(|arn| arn.account() == key.account()));
        if !own {
            return Rc::new(RoleReading::Unknown);
        }
        let read = || {
            let of_account = || self.inventories.iter().filter(|inventory| inventory.scope.account == key.account());
            let readings = of_account().map(|inventory| role(inventory, principal));
            readings.reduce(|one, other| if matches!(one, RoleReading::Known(_)) { one } else { other }).unwrap_or(RoleReading::Unknown)
        };
        Rc::clone(self.roles.borrow_mut().entry(principal.clone()).or_insert_with(|| Rc::new(read())))
    }

    /// The policies that hold where an inventory was made.
    pub(crate) fn policies_in(&self, inventory: &Inventory) -> impl Iterator<Item = &'a EncryptionPolicy> + use<'a> {
        policies_in(self.policies, &inventory.scope)
    }

    /// The key that a policy lists, by alias or by the ARN behind its alias.
    pub(crate) fn listed_key(&self, inventory: &Inventory, reference: &str) -> Option<&'a KeySpec> {
        let aliases = inventory.aliases.known();
        let same = |alias: &str| {
            alias == reference
                || aliases.and_then(|aliases| aliases.get(alias)).is_some_and(|key| {
                    key.as_str() == reference
                        || matches!(inventory.resolve_key(reference), crate::inventory::ResolvedKey::Key(arn) if arn == *key)
                })
        };
        self.policies_in(inventory).flat_map(|policy| &policy.spec.keys).find(|key| same(&key.alias))
    }
}
