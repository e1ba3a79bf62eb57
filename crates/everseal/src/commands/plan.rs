//! `everseal plan`: observe (or read saved inventories), plan, show; changes nothing.

use std::io::{self, Write};

use anyhow::Result;
use everseal_controller::Clock;
use everseal_planner::PolicySet;
use everseal_planner::render::{self, Show};

use crate::args::{Output, PlanArgs};
use crate::exit::Outcome;
use crate::world::{World, paint};
use crate::{inventories, live, sources};

/// Shows what `apply` would do.
pub fn run(args: &PlanArgs) -> Result<Outcome> {
    let policies = sources::load_policies(&args.policy.policies)?.set;
    let world = match &args.inventory {
        Some(file) => World::from_inventories(&policies, &inventories::read(file)?),
        None => live::block_on(async { Ok(live::pass_everywhere(&policies, Clock::default()).await?.world()) })?,
    };
    show(&world, &policies, args)?;
    Ok(world.outcome())
}

/// Prints the plan; what could not be read goes to standard error.
fn show(world: &World, policies: &PolicySet, args: &PlanArgs) -> Result<()> {
    let mut out = io::stdout().lock();
    match args.output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&render::json(&world.plan, policies))?)?,
        Output::Text => {
            let show = if args.all { Show::Everything } else { Show::Deviations };
            out.write_all(render::text(&world.plan, paint(), show).as_bytes())?;
        }
    }
    live::complain(&world.unread);
    Ok(())
}
