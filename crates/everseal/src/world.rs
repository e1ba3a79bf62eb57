//! The plans of several scopes as one, and what that means for the exit code.

use std::io::{self, IsTerminal};

use everseal_planner::plan::{Context, Past, plan};
use everseal_planner::render::Paint;
use everseal_planner::{Inventory, Plan, PolicySet, State};

use crate::exit::Outcome;

/// Plans of several scopes as one, and what could not be read.
#[derive(Debug, Default)]
pub struct World {
    /// All findings and steps.
    pub plan: Plan,
    /// One line each.
    pub unread: Vec<String>,
}

impl World {
    /// Plans saved inventories, each at the moment when it was observed.
    pub fn from_inventories(policies: &PolicySet, inventories: &[Inventory]) -> Self {
        let mut world = Self::default();
        let past = Past::default();
        for inventory in inventories {
            world.add(inventory, plan(&Context { policies, inventory, now: inventory.observed_at, past: &past }));
        }
        world
    }

    /// Adds one more scope.
    pub fn add(&mut self, inventory: &Inventory, part: Plan) {
        let Plan { findings, steps, unmanaged, wanted_facts, helpful_facts, migrations } = part;
        self.plan.findings.extend(findings);
        self.plan.steps.extend(steps);
        self.plan.unmanaged.extend(unmanaged);
        self.plan.wanted_facts.extend(wanted_facts);
        self.plan.helpful_facts.extend(helpful_facts);
        self.plan.migrations.extend(migrations);
        self.unread.extend(inventory.unread());
    }

    /// Drift weighs more than what could not be read: it is certain.
    pub fn outcome(&self) -> Outcome {
        if self.plan.findings.iter().any(|finding| finding.state == State::Drifted) {
            Outcome::Drift
        } else if self.unread.is_empty() {
            Outcome::InSync
        } else {
            Outcome::Incomplete
        }
    }
}

/// Colour on a terminal, unless <https://no-color.org> says no.
pub fn paint() -> Paint {
    if io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() { Paint::Colour } else { Paint::Plain }
}
