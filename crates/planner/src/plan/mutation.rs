//! For a test of the tests alone (feature `mutation`): planning with one safeguard switched off.
//!
//! A simulation that does not notice is too weak. Never part of the program: without the feature this module does not
//! exist, and with it nothing changes until somebody switches something off, for the current thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use super::step::{Gate, Step};
use crate::Check;

/// One thing that keeps a plan safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safeguard {
    /// Steps that this gate stops are let through.
    Gate(Gate),
    /// Steps no longer wait for steps of this check, which come last.
    Order(Check),
}

thread_local! {
    static OFF: Cell<Option<Safeguard>> = const { Cell::new(None) };
    static MET: RefCell<BTreeSet<Safeguard>> = const { RefCell::new(BTreeSet::new()) };
}

/// Switches a safeguard off for this thread; `None` switches everything on again.
pub fn switch_off(safeguard: Option<Safeguard>) {
    OFF.set(safeguard);
}

/// The safeguards that had something to hold back or to put in order in this thread since they were last asked for.
pub fn met() -> BTreeSet<Safeguard> {
    MET.take()
}

/// Takes the gate that is off away from the steps.
pub(crate) fn open_gates<'a>(steps: impl Iterator<Item = &'a mut Step>) {
    for step in steps.filter(|step| step.change.is_some()) {
        let Some(gate) = step.gate.as_ref().map(|block| Safeguard::Gate(block.name)) else { continue };
        MET.with_borrow_mut(|met| met.insert(gate));
        if OFF.get() == Some(gate) {
            step.gate = None;
        }
    }
}

/// Takes the needs that are off away, and puts what was needed last.
pub(crate) fn forget_order(steps: &mut [Step]) {
    for (step, need) in steps.iter().flat_map(|step| step.needs.iter().map(move |need| (step, need))) {
        let check = Check::ALL.iter().find(|check| need.0.starts_with(&format!("{check}:")));
        let order = check.filter(|check| **check != step.check).map(|check| Safeguard::Order(*check));
        MET.with_borrow_mut(|met| met.extend(order));
    }
    let Some(Safeguard::Order(check)) = OFF.get() else { return };
    let prefix = format!("{check}:");
    for step in steps.iter_mut().filter(|step| step.check != check) {
        step.needs.retain(|need| !need.0.starts_with(&prefix));
    }
    steps.sort_by_key(|step| step.check == check);
}
