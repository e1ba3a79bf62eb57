//! The inventory as it is once everything is made that no gate stops: what paths look like then.

use std::collections::BTreeSet;

use crate::plan::{Context, Plan, StepId, without_paths};
use crate::{Inventory, sim};

/// Key, key document, resource: steps that wait for a key are planned again once it is there.
const MOST_ROUNDS: usize = 4;

/// `cx.inventory` after the ungated steps of `first`, its plan. `None` where the plan changes nothing.
pub fn after(cx: &Context<'_>, first: &Plan) -> Option<Inventory> {
    let mut inventory = cx.inventory.clone();
    let mut past = cx.past.clone();
    let mut made = BTreeSet::new();
    let mut waits = make(&mut inventory, first, &mut made);
    for _ in 1..MOST_ROUNDS {
        if !waits {
            break;
        }
        let before = made.len();
        past.changes_this_cycle = cx.past.changes_this_cycle.saturating_add(u32::try_from(before).unwrap_or(u32::MAX));
        let next = without_paths(&Context { inventory: &inventory, past: &past, ..*cx });
        waits = make(&mut inventory, &next, &mut made);
        if made.len() == before {
            break;
        }
    }
    (!made.is_empty()).then_some(inventory)
}

/// Makes what can be made now; true where a step waits for a key that only another step brings.
fn make(inventory: &mut Inventory, plan: &Plan, made: &mut BTreeSet<StepId>) -> bool {
    let mut waiting: BTreeSet<&StepId> = BTreeSet::new();
    for step in plan.steps.iter().filter(|step| step.gate.is_none()) {
        let Some(change) = step.change.as_ref().filter(|_| !made.contains(&step.id)) else { continue };
        if change.waits_for_key().is_some() || step.needs.iter().any(|need| waiting.contains(need)) {
            waiting.insert(&step.id);
            continue;
        }
        sim::make(inventory, &step.resource, change);
        made.insert(step.id.clone());
    }
    !waiting.is_empty()
}
