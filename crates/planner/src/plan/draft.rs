//! The plan while it is being written: services put judgements in, gates that hold for all of them
//! are applied in one place ([`super::gates`]).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::admission::Demand;
use super::change::Change;
use super::keys::{KeyRequirement, KeyUser, PlannedDocument};
use super::select::{Rule, Selected};
use super::step::{Block, Gate, Risk, Step, StepId};
use crate::paths::roles::{AccountRole, account_roles};
use crate::policy::model::Mode;
use crate::rds::migration::report::MigrationReport;
use crate::{Arn, Check, Finding, Inventory, Scope, Service, State};

/// The resource under judgement, and the rule that asks.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) resource: Arn,
    pub(crate) service: Service,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) policy: String,
    pub(crate) rule: String,
    pub(crate) mode: Mode,
}

impl Subject {
    pub(crate) fn new<R: Rule>(resource: &Arn, service: Service, scope: &Scope, selected: &Selected<'_, R>) -> Self {
        Self {
            resource: resource.clone(),
            service,
            account: scope.account.clone(),
            region: scope.region.clone(),
            policy: selected.policy.metadata.name.clone(),
            rule: selected.rule.name().to_owned(),
            mode: selected.mode(),
        }
    }
}

/// The words of a finding.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    pub(crate) expected: String,
    pub(crate) actual: String,
    pub(crate) message: String,
    pub(crate) notes: Vec<String>,
}

/// How a drift is put right.
#[derive(Debug, Clone)]
pub(crate) struct Remedy {
    /// `None`: only a person can, and `block` says how.
    pub(crate) change: Option<Change>,
    pub(crate) summary: String,
    pub(crate) needs: Vec<StepId>,
    pub(crate) risk: Risk,
    /// The first gate of the service's own that stops it.
    pub(crate) block: Option<Block>,
    pub(crate) undo: String,
    /// What has to be granted first on keys of ours, and is not yet in a step.
    pub(crate) demands: Vec<Demand>,
    /// Tells steps apart that make the same call for the same check and resource (S3 parts of a stream, regions of a key).
    pub(crate) part: Option<String>,
}

impl Remedy {
    /// A change that nothing of the service's own stops.
    pub(crate) fn change(change: Change, summary: impl Into<String>, undo: impl Into<String>) -> Self {
        Self {
            change: Some(change),
            summary: summary.into(),
            needs: Vec::new(),
            risk: Risk::None,
            block: None,
            undo: undo.into(),
            demands: Vec::new(),
            part: None,
        }
    }

    /// Work for a person.
    pub(crate) fn manual(summary: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            change: None,
            summary: summary.into(),
            needs: Vec::new(),
            risk: Risk::None,
            block: Some(Block { name: Gate::Manual, reason: reason.into() }),
            undo: String::new(),
            demands: Vec::new(),
            part: None,
        }
    }

    /// One of several steps that make the same call for the same check and resource.
    pub(crate) fn of_part(mut self, part: impl Into<String>) -> Self {
        self.part = Some(part.into());
        self
    }

    /// Blocks the step, unless something blocks it already.
    pub(crate) fn blocked(mut self, gate: Gate, reason: impl Into<String>) -> Self {
        self.block.get_or_insert(Block { name: gate, reason: reason.into() });
        self
    }

    pub(crate) fn needing(mut self, needs: impl IntoIterator<Item = StepId>) -> Self {
        self.needs.extend(needs);
        self
    }

    /// Waits for the steps of a key requirement, and is blocked where it is.
    pub(crate) fn requiring(mut self, requirement: KeyRequirement) -> Self {
        let KeyRequirement { needs, block, demands } = requirement;
        self.needs.extend(needs);
        self.demands.extend(demands);
        self.block = self.block.or(block);
        self
    }

    pub(crate) fn risking(mut self, risk: Risk) -> Self {
        self.risk = risk;
        self
    }

    /// The id the step will have.
    pub(crate) fn step_id(check: Check, action: &str, resource: &Arn) -> StepId {
        StepId(format!("{check}:{action}:{resource}"))
    }
}

/// A proposed step with the mode it may be made in.
#[derive(Debug, Clone)]
pub(crate) struct Proposal {
    pub(crate) step: Step,
    pub(crate) mode: Mode,
    /// What has to be granted first on keys of ours, and is not yet in a step.
    pub(crate) demands: Vec<Demand>,
}

/// Everything the services have said.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) findings: Vec<Finding>,
    pub(crate) proposals: Vec<Proposal>,
    /// Resources that no rule matches.
    pub(crate) unmanaged: BTreeSet<Arn>,
    /// Resources that a rule matches.
    pub(crate) managed: BTreeSet<Arn>,
    /// Resources (buckets, keys) whose gate facts a step needs and nobody has read.
    pub(crate) wanted_facts: BTreeSet<Arn>,
    /// What would make steps surer ([`super::Plan::helpful_facts`]).
    pub(crate) helpful_facts: BTreeSet<Arn>,
    /// Documents that keys will have after this plan's earlier steps, by key ARN (by alias ARN for keys to be created).
    pub(crate) planned_documents: BTreeMap<Arn, PlannedDocument>,
    /// What steps of this plan need on documents of keys of ours, by key ARN (by alias ARN for keys to be created): found by
    /// an earlier planning of the same input.
    pub(crate) demands: BTreeMap<Arn, Vec<KeyUser>>,
    /// Keys of ours whose documents can't take in what is demanded of them, and why.
    pub(crate) refused_documents: BTreeMap<Arn, Block>,
    /// The account's roles, once somebody has asked for them.
    pub(crate) account_roles: Option<Rc<[AccountRole]>>,
    /// Ungated steps that bring a key back to `Enabled`, by key ARN.
    pub(crate) healing_steps: BTreeMap<Arn, Vec<StepId>>,
    /// Where migrations of databases stand.
    pub(crate) migrations: Vec<MigrationReport>,
}

impl Draft {
    /// The roles that the inventory shows, parsed the first time that they are asked for.
    pub(crate) fn account_roles(&mut self, inventory: &Inventory) -> Rc<[AccountRole]> {
        Rc::clone(self.account_roles.get_or_insert_with(|| account_roles(inventory).into()))
    }

    /// Records that the resource is as wanted.
    pub(crate) fn compliant(&mut self, subject: &Subject, check: Check, words: Words) {
        self.finding(subject, check, State::Compliant, words);
    }

    /// Records that nothing can be said.
    pub(crate) fn unknown(&mut self, subject: &Subject, check: Check, words: Words) {
        self.finding(subject, check, State::Unknown, words);
    }

    /// Records drift and how it ends; one remedy at least, so that no drift is ever dropped.
    pub(crate) fn drifted(&mut self, subject: &Subject, check: Check, words: Words, remedies: Vec<Remedy>) {
        debug_assert!(!remedies.is_empty(), "drift without remedy: {check} {}", subject.resource);
        self.finding(subject, check, State::Drifted, words);
        self.propose(subject, check, remedies);
    }

    /// Steps on a resource that is as wanted, or is judged elsewhere.
    pub(crate) fn propose(&mut self, subject: &Subject, check: Check, remedies: Vec<Remedy>) {
        for remedy in remedies {
            let action = remedy.change.as_ref().map_or("Manual", Change::action);
            let id = Remedy::step_id(check, action, &subject.resource);
            let step = Step {
                id: remedy.part.map_or(id.clone(), |part| StepId(format!("{id}#{part}"))),
                resource: subject.resource.clone(),
                service: subject.service,
                account: subject.account.clone(),
                region: subject.region.clone(),
                check,
                action: action.to_owned(),
                summary: remedy.summary,
                needs: remedy.needs,
                risk: remedy.risk,
                gate: remedy.block,
                change: remedy.change,
                undo: remedy.undo,
                rule: subject.rule.clone(),
                policy: subject.policy.clone(),
            };
            self.proposals.push(Proposal { step, mode: subject.mode, demands: remedy.demands });
        }
    }

    fn finding(&mut self, subject: &Subject, check: Check, state: State, words: Words) {
        self.findings.push(Finding {
            resource: subject.resource.clone(),
            service: subject.service,
            account: subject.account.clone(),
            region: subject.region.clone(),
            check,
            state,
            rule: subject.rule.clone(),
            expected: words.expected,
            actual: words.actual,
            message: words.message,
            notes: words.notes,
        });
    }
}
