//! `everseal paths`: where data flows, and how each path stands now and after the plan; changes nothing.

use std::io::{self, Write};

use anyhow::Result;
use everseal_controller::Clock;
use everseal_planner::paths::model::PathState;
use everseal_planner::paths::{Paths, paths};
use everseal_planner::{Inventory, PolicySet, render};

use crate::args::PathsArgs;
use crate::exit::Outcome;
use crate::world::paint;
use crate::{inventories, live, sources};

/// Shows every path.
pub fn run(args: &PathsArgs) -> Result<Outcome> {
    let policies = sources::load_policies(&args.policy.policies)?.set;
    let (inventories, closed) = seen(&policies, args)?;
    let borrowed: Vec<&Inventory> = inventories.iter().collect();
    let paths = paths(&policies, &borrowed);
    show(&paths, args)?;
    let mut unread: Vec<String> = inventories.iter().flat_map(Inventory::unread).collect();
    unread.extend(closed);
    live::complain(&unread);
    Ok(outcome(&paths, unread.is_empty()))
}

/// Saved inventories, or what AWS says now; and accounts that stay closed, one line each.
fn seen(policies: &PolicySet, args: &PathsArgs) -> Result<(Vec<Inventory>, Vec<String>)> {
    match &args.inventory {
        Some(file) => Ok((inventories::read(file)?, Vec::new())),
        None => live::block_on(live::paths_everywhere(policies, Clock::default())),
    }
}

fn show(paths: &Paths, args: &PathsArgs) -> Result<()> {
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&render::paths_json(paths))?)?;
    } else if args.dot {
        out.write_all(render::paths_dot(paths).as_bytes())?;
    } else {
        out.write_all(render::paths_text(paths, paint()).as_bytes())?;
    }
    Ok(())
}

/// What is certain weighs more than what could not be read.
fn outcome(paths: &Paths, whole: bool) -> Outcome {
    match paths.paths.iter().map(|path| path.now).max() {
        Some(PathState::Exposed | PathState::Broken) => Outcome::Drift,
        Some(PathState::Sealed) | None if whole => Outcome::InSync,
        Some(PathState::Unknown | PathState::Sealed) | None => Outcome::Incomplete,
    }
}
