//! `everseal explain ARN`: which rule decides, what it wants, what AWS says, what will be done or why not,
//! and the paths that run through it with what their hops need.

use std::io::{self, Write};

use anyhow::{Context as _, Result, bail};
use everseal_controller::Clock;
use everseal_planner::paths::paths;
use everseal_planner::plan::{Context, Past, Plan};
use everseal_planner::render::{self, Show};
use everseal_planner::{Arn, Inventory, PolicySet};

use crate::args::ExplainArgs;
use crate::exit::Outcome;
use crate::world::{World, paint};
use crate::{inventories, live, sources};

/// Explains one resource.
pub fn run(args: &ExplainArgs) -> Result<Outcome> {
    let arn = Arn::parse(&args.arn).context("name the resource by its ARN, e.g. arn:aws:s3:::my-bucket")?;
    let policies = sources::load_policies(&args.policy.policies)?.set;
    let inventories = match &args.inventory {
        Some(file) => inventories::read(file)?,
        None => live::block_on(live::paths_everywhere(&policies, Clock::default()))?.0,
    };
    explain(&arn, &policies, &inventories)
}

fn explain(arn: &Arn, policies: &PolicySet, inventories: &[Inventory]) -> Result<Outcome> {
    let Some(inventory) = inventories.iter().find(|inventory| inventory.holds(arn)) else {
        bail!("{arn} was not found in the scopes of the policy: check the name, and scopes.regions and scopes.accounts");
    };
    let past = Past::default();
    let cx = Context { policies, inventory, now: inventory.observed_at, past: &past };
    let mut out = io::stdout().lock();
    writeln!(out, "{arn}\n  account {}, region {}", inventory.scope.account, inventory.scope.region)?;
    for line in cx.rules_considered(arn) {
        writeln!(out, "  {line}")?;
    }
    let mut world = World::from_inventories(policies, std::slice::from_ref(inventory));
    narrow(&mut world.plan, arn);
    world.unread.retain(|line| line.starts_with(arn.as_str()));
    out.write_all(render::text(&world.plan, paint(), Show::Everything).as_bytes())?;
    let all: Vec<&Inventory> = inventories.iter().collect();
    let through = render::paths_through(&paths(policies, &all), arn.as_str(), paint());
    if through.is_empty() {
        writeln!(out, "\nno data path that was observed runs through it")?;
    } else {
        write!(out, "\npaths through it\n{through}")?;
    }
    live::complain(&world.unread);
    Ok(world.outcome())
}

/// Keeps what is about one resource, and the steps that its own need.
fn narrow(plan: &mut Plan, arn: &Arn) {
    plan.findings.retain(|finding| finding.resource == *arn);
    let needs: Vec<_> = plan.steps.iter().filter(|step| step.resource == *arn).flat_map(|step| step.needs.clone()).collect();
    plan.steps.retain(|step| step.resource == *arn || needs.contains(&step.id));
    plan.unmanaged.retain(|resource| resource == arn);
}
