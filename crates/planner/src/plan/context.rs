//! What planning may look at: policy, inventory, and what the caller knows of time and of its own past.

use std::collections::BTreeMap;

use super::select::{Selection, select};
use crate::policy::PolicySet;
use crate::policy::model::{EncryptionPolicy, KeySpec, Spec};
use crate::{Arn, Inventory, Reading, Scope};

/// What the controller remembers of its own doing, none of it needed for correctness.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// Steps already made in this cycle and scope: they count against the policy's limits.
    pub changes_this_cycle: u32,
    /// `StartDeliveryStreamEncryption` calls per stream in the last 24 hours.
    pub delivery_stream_encryption_calls: BTreeMap<Arn, u32>,
    /// When parameter groups were created in the last minutes, in seconds since the Unix epoch, by ARN (`pg:…`, `cluster-pg:…`):
    /// AWS does not show it.
    pub parameter_groups_created: BTreeMap<Arn, i64>,
    /// When databases were last rebooted in the last 24 hours, likewise, by ARN of the instance or cluster.
    pub reboots: BTreeMap<Arn, i64>,
}

/// Input of planning.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The policies in force.
    pub policies: &'a PolicySet,
    /// What AWS says.
    pub inventory: &'a Inventory,
    /// Seconds since the Unix epoch: decides whether exemptions have expired.
    pub now: i64,
    /// The controller's own past.
    pub past: &'a Past,
}

impl<'a> Context<'a> {
    /// Policies that hold in this scope, in order.
    pub fn policies_in_scope(&self) -> impl Iterator<Item = &'a EncryptionPolicy> + use<'a> {
        policies_in(self.policies, &self.inventory.scope)
    }

    /// The first rule that matches a resource, among the lists that `rules` picks.
    pub(crate) fn select<R: super::select::Rule + 'a>(
        &self,
        rules: impl Fn(&'a Spec) -> &'a [R],
        name: &str,
        engine: &str,
        tags: &Reading<BTreeMap<String, String>>,
    ) -> Selection<'a, R> {
        select(self.policies_in_scope(), rules, name, engine, tags)
    }

    /// The key that a policy in this scope lists under `alias`, with its policy.
    pub fn listed_key(&self, alias: &str) -> Option<(&'a EncryptionPolicy, &'a KeySpec)> {
        self.policies_in_scope().find_map(|policy| policy.spec.keys.iter().find(|key| key.alias == alias).map(|key| (policy, key)))
    }
}

impl<'a> Context<'a> {
    /// The key that a policy in this scope lists and whose ARN is `key`: its document is ours to add grants to.
    pub(crate) fn listed_by_arn(&self, key: &Arn) -> Option<&'a KeySpec> {
        let aliases = self.inventory.aliases.known()?;
        self.policies_in_scope().flat_map(|policy| &policy.spec.keys).find(|listed| aliases.get(&listed.alias) == Some(key))
    }

    /// Is `key` one that a policy in this scope lists?
    pub(crate) fn lists(&self, key: &Arn) -> bool {
        self.listed_by_arn(key).is_some()
    }
}

/// Policies that hold in `scope`, in order.
pub fn policies_in<'a>(policies: &'a PolicySet, scope: &Scope) -> impl Iterator<Item = &'a EncryptionPolicy> + use<'a> {
    let Scope { partition: _, account, region } = scope.clone();
    policies.policies.iter().filter(move |policy| {
        let scopes = &policy.spec.scopes;
        (scopes.regions.is_empty() || scopes.regions.contains(&region))
            && (scopes.accounts.is_empty() || scopes.accounts.iter().any(|listed| listed.id == account))
    })
}
