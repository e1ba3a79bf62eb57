//! `everseal plan`: observe (or read saved inventories), plan, show; changes nothing.

use std::io::{self, IsTerminal, Write};

use anyhow::{Result, bail};
use everseal_planner::plan::{Context, Past, plan};
use everseal_planner::render::{self, Paint, Show};
use everseal_planner::{Inventory, Plan, PolicySet, State};

use crate::args::{Output, PlanArgs};
use crate::exit::Outcome;
use crate::{inventories, sources};

/// Shows what `apply` would do.
pub fn run(args: &PlanArgs) -> Result<Outcome> {
    let policies = sources::load_policies(&args.policy.policies)?.set;
    let Some(file) = &args.inventory else { bail!("not built yet") };
    let world = from_inventories(&policies, inventories::read(file)?);
    show(&world, &policies, args)
}

/// Plans of several scopes as one, and what could not be read.
pub struct World {
    /// All findings and steps.
    pub plan: Plan,
    /// One line each.
    pub unread: Vec<String>,
}

/// Plans saved inventories, each at the moment when it was observed.
pub fn from_inventories(policies: &PolicySet, inventories: Vec<Inventory>) -> World {
    let mut world = World { plan: Plan::default(), unread: Vec::new() };
    for inventory in inventories {
        let past = Past::default();
        let cx = Context { policies, inventory: &inventory, now: inventory.observed_at, past: &past };
        let part = plan(&cx);
        world.unread.extend(inventory.unread());
        merge(&mut world.plan, part);
    }
    world
}

/// Adds the plan of one more scope.
pub fn merge(whole: &mut Plan, part: Plan) {
    let Plan { findings, steps, unmanaged, wanted_facts } = part;
    whole.findings.extend(findings);
    whole.steps.extend(steps);
    whole.unmanaged.extend(unmanaged);
    whole.wanted_facts.extend(wanted_facts);
}

/// Prints the plan; what could not be read goes to standard error.
fn show(world: &World, policies: &PolicySet, args: &PlanArgs) -> Result<Outcome> {
    let mut out = io::stdout().lock();
    match args.output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&render::json(&world.plan, policies))?)?,
        Output::Text => {
            let show = if args.all { Show::Everything } else { Show::Deviations };
            out.write_all(render::text(&world.plan, paint(), show).as_bytes())?;
        }
    }
    for line in &world.unread {
        let _ = writeln!(io::stderr(), "not read: {line}");
    }
    Ok(outcome(world))
}

/// Colour on a terminal, unless <https://no-color.org> says no.
pub fn paint() -> Paint {
    if io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() { Paint::Colour } else { Paint::Plain }
}

/// Drift weighs more than what could not be read: it is certain.
pub fn outcome(world: &World) -> Outcome {
    if world.plan.findings.iter().any(|finding| finding.state == State::Drifted) {
        Outcome::Drift
    } else if world.unread.is_empty() {
        Outcome::InSync
    } else {
        Outcome::Incomplete
    }
}
