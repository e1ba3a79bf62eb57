//! The gates that hold for every step, and the order of the plan.
//!
//! Services put their own gates on their steps (key use, website, log target …); here come those that
//! need the whole plan: exemptions, modes, steps that others need, and the limits of a cycle. A step keeps the first
//! gate that stops it, except that an exemption, which is the user's own word, replaces any other.

use std::collections::{BTreeMap, BTreeSet};

use super::Plan;
use super::admission::Demand;
use super::context::Context;
use super::draft::{Draft, Proposal};
use super::keys::{KeyUser, statement_to_add};
use super::step::{Block, Gate, Step, StepId};
use crate::policy::model::{EncryptionPolicy, Exemption, Mode};
use crate::{Arn, Finding, State};

/// Applies exemptions, modes, dependencies and limits to the proposals and orders them.
pub(crate) fn finish(cx: &Context<'_>, draft: Draft) -> Plan {
    let Draft {
        mut findings,
        mut proposals,
        unmanaged,
        managed,
        wanted_facts,
        helpful_facts,
        planned_documents: _,
        demands: _,
        refused_documents: _,
        account_roles: _,
        healing_steps: _,
        mut migrations,
    } = draft;
    #[cfg(feature = "mutation")]
    super::mutation::open_gates(proposals.iter_mut().map(|proposal| &mut proposal.step));
    exempt(cx, &mut findings, &mut proposals);
    narrow_to_mode(&mut proposals);
    hold_ungranted(&mut proposals);
    let mut steps = order(proposals.into_iter().map(|proposal| proposal.step).collect());
    #[cfg(feature = "mutation")]
    super::mutation::forget_order(&mut steps);
    hold_back(cx, &managed, &mut steps);
    #[cfg(feature = "mutation")]
    super::mutation::open_gates(steps.iter_mut());
    findings.sort_by(|a, b| (a.service, &a.resource, a.check).cmp(&(b.service, &b.resource, b.check)));
    crate::rds::migration::fill_in_blocks(&mut migrations, &steps);
    migrations.sort_by(|a, b| a.database.cmp(&b.database));
    Plan { findings, steps, unmanaged, wanted_facts, helpful_facts, migrations }
}

/// What the steps need on documents of keys of ours that nothing else stops: no grant is given for a switch that is
/// not made. A step that only the limits of a cycle stop will be made in the next, so its grants may come now.
pub(super) fn demands_of_open_steps(cx: &Context<'_>, draft: &Draft) -> BTreeMap<Arn, Vec<KeyUser>> {
    let mut demands: BTreeMap<Arn, Vec<KeyUser>> = BTreeMap::new();
    if draft.proposals.iter().all(|proposal| proposal.demands.is_empty()) {
        return demands;
    }
    let mut proposals = draft.proposals.clone();
    #[cfg(feature = "mutation")]
    super::mutation::open_gates(proposals.iter_mut().map(|proposal| &mut proposal.step));
    exempt(cx, &mut [], &mut proposals);
    narrow_to_mode(&mut proposals);
    // Work that the grant alone ends has no change of its own.
    for proposal in proposals.iter_mut().filter(|proposal| proposal.step.change.is_none() && proposal.mode == Mode::Enforce) {
        proposal.step.gate = proposal.step.gate.take().filter(|gate| gate.name != Gate::Manual);
    }
    let asked: BTreeMap<StepId, Vec<Demand>> =
        proposals.iter_mut().map(|proposal| (proposal.step.id.clone(), std::mem::take(&mut proposal.demands))).collect();
    let mut steps = order(proposals.into_iter().map(|proposal| proposal.step).collect());
    #[cfg(feature = "mutation")]
    super::mutation::forget_order(&mut steps);
    hold_dependents(&mut steps);
    let mut seen: BTreeSet<(&Arn, &KeyUser)> = BTreeSet::new();
    for Demand { key, users } in steps.iter().filter(|step| step.gate.is_none()).flat_map(|step| asked.get(&step.id).into_iter().flatten())
    {
        let fresh: Vec<KeyUser> = users.iter().filter(|user| seen.insert((key, user))).cloned().collect();
        demands.entry(key.clone()).or_default().extend(fresh);
    }
    demands
}

/// Never: a step that needs a grant which is in no step of the plan. Should it come to that, the path holds.
fn hold_ungranted(proposals: &mut [Proposal]) {
    for Proposal { step, mode: _, demands } in proposals {
        if step.gate.is_none()
            && let Some(Demand { key, users }) = demands.first()
        {
            let reason =
                format!("Add to the document of key {key} first: {}", users.iter().map(statement_to_add).collect::<Vec<_>>().join(", "));
            step.gate = Some(Block { name: Gate::Path, reason });
        }
    }
}

fn exempt(cx: &Context<'_>, findings: &mut [Finding], proposals: &mut [Proposal]) {
    let exemptions: Vec<&Exemption> =
        cx.policies_in_scope().flat_map(|policy| &policy.spec.exemptions).filter(|exemption| exemption.holds(cx.now)).collect();
    if exemptions.is_empty() {
        return;
    }
    let holding = |resource: &Arn, check| exemptions.iter().find(|exemption| exemption.covers(resource, check));
    for finding in findings.iter_mut().filter(|finding| finding.state == State::Drifted) {
        if let Some(exemption) = holding(&finding.resource, finding.check) {
            finding.state = State::Exempt;
            finding.message = accepted(exemption);
        }
    }
    for proposal in proposals {
        if let Some(exemption) = holding(&proposal.step.resource, proposal.step.check) {
            proposal.step.gate = Some(Block { name: Gate::Exemption, reason: accepted(exemption) });
        }
    }
}

fn accepted(exemption: &Exemption) -> String {
    let until = exemption.expires.as_ref().map_or_else(String::new, |day| format!(", until {day}"));
    format!("the policy accepts this: {}{until}", exemption.reason)
}

fn narrow_to_mode(proposals: &mut [Proposal]) {
    for Proposal { step, mode, demands } in proposals {
        if *mode == Mode::Audit && step.gate.is_none() {
            step.gate = Some(Block {
                name: Gate::Mode,
                reason: format!(
                    "policy `{}`, rule `{}` is in audit mode: it only reports. Set mode: enforce to let Everseal change it.{}",
                    step.policy,
                    step.rule,
                    if demands.is_empty() { "" } else { " It would first add what the resource's users lack to the key's document." }
                ),
            });
        }
    }
}

/// Keys first, then by service, resource, check and the order in which the service proposed them; what a step needs stands
/// before it wherever that is possible.
fn order(mut steps: Vec<Step>) -> Vec<Step> {
    steps.sort_by(|a, b| (a.service, &a.resource, a.check).cmp(&(b.service, &b.resource, b.check)));
    let known: BTreeSet<StepId> = steps.iter().map(|step| step.id.clone()).collect();
    let mut placed: BTreeSet<StepId> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(steps.len());
    while !steps.is_empty() {
        let ready = |step: &Step, placed: &BTreeSet<StepId>| step.needs.iter().all(|need| placed.contains(need) || !known.contains(need));
        let (mut now, later): (Vec<Step>, Vec<Step>) = {
            let mut now = Vec::new();
            let mut later = Vec::new();
            for step in steps {
                if ready(&step, &placed) {
                    placed.insert(step.id.clone());
                    now.push(step);
                } else {
                    later.push(step);
                }
            }
            (now, later)
        };
        if now.is_empty() {
            // Steps that need each other: kept last, where `hold_back` blocks them.
            ordered.extend(later);
            break;
        }
        ordered.append(&mut now);
        steps = later;
    }
    ordered
}

/// Walks the plan in its order and blocks what needs a blocked step.
fn hold_dependents(steps: &mut [Step]) {
    let mut open: BTreeSet<StepId> = BTreeSet::new();
    for step in steps.iter_mut() {
        if step.gate.is_none() {
            step.gate = unmet_need(step, &open, &BTreeMap::new());
        }
        if step.gate.is_none() {
            open.insert(step.id.clone());
        }
    }
}

/// Walks the plan in its order and blocks what needs a blocked step, and what goes beyond the limits of the cycle.
fn hold_back(cx: &Context<'_>, managed: &BTreeSet<Arn>, steps: &mut [Step]) {
    let limits: BTreeMap<&str, &EncryptionPolicy> = cx.policies_in_scope().map(|policy| (policy.metadata.name.as_str(), policy)).collect();
    let mut open: BTreeSet<StepId> = BTreeSet::new();
    let mut stopped: BTreeMap<StepId, String> = BTreeMap::new();
    let mut spent: BTreeMap<String, Spent> = BTreeMap::new();
    for step in steps.iter_mut() {
        if step.gate.is_none() {
            step.gate = unmet_need(step, &open, &stopped);
        }
        if step.gate.is_none()
            && let Some(policy) = limits.get(step.policy.as_str())
        {
            let spent = spent.entry(step.policy.clone()).or_insert_with(|| Spent::so_far(cx.past.changes_this_cycle));
            step.gate = spent.beyond(policy, managed.len(), &step.resource);
            if step.gate.is_none() {
                spent.add(&step.resource);
            }
        }
        match &step.gate {
            Some(block) => {
                stopped.insert(step.id.clone(), format!("{} is blocked ({}): {}", step.action, block.name, block.reason));
            }
            None => {
                open.insert(step.id.clone());
            }
        }
    }
}

fn unmet_need(step: &Step, open: &BTreeSet<StepId>, stopped: &BTreeMap<StepId, String>) -> Option<Block> {
    let need = step.needs.iter().find(|need| !open.contains(need))?;
    let reason = match stopped.get(need) {
        Some(why) => format!("it needs an earlier step: {why}"),
        None => format!("it needs the step {need}, which this plan does not hold before it"),
    };
    Some(Block { name: Gate::Dependency, reason })
}

/// What a cycle has changed so far, for one policy.
struct Spent {
    changes: u32,
    resources: BTreeSet<Arn>,
    earlier: u32,
}

impl Spent {
    fn so_far(earlier: u32) -> Self {
        Self { changes: earlier, resources: BTreeSet::new(), earlier }
    }

    fn add(&mut self, resource: &Arn) {
        self.changes += 1;
        self.resources.insert(resource.clone());
    }

    fn beyond(&self, policy: &EncryptionPolicy, managed: usize, resource: &Arn) -> Option<Block> {
        let limits = &policy.spec.limits;
        let block = |reason: String| Some(Block { name: Gate::BlastRadius, reason });
        if let Some(most) = limits.max_changes_per_cycle
            && self.changes >= most
        {
            return block(format!(
                "policy `{}` allows {most} changes in one cycle (limits.maxChangesPerCycle): this one waits for the next",
                policy.metadata.name
            ));
        }
        if let Some(percent) = limits.max_changes_percent {
            let share = managed.saturating_mul(percent as usize) / 100;
            let most = share.max(1);
            let changed = self.resources.len() + self.earlier as usize;
            if changed >= most && !self.resources.contains(resource) {
                return block(format!(
                    "policy `{}` allows {percent} % of {managed} managed resources ({most}) to be changed in one cycle (limits.maxChangesPercent): this one waits for the next",
                    policy.metadata.name
                ));
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "gates_tests.rs"]
mod tests;
