//! `everseal migrations`: where the migrations of unencrypted databases stand, and the way back.

mod steer;
mod text;

use std::io::{self, Write};

use anyhow::Result;
use everseal_controller::Clock;
use everseal_planner::rds::migration::report::MigrationReport;

use crate::args::{MigrationsArgs, MigrationsCommand, Output};
use crate::exit::Outcome;
use crate::world::World;
use crate::{inventories, live, sources};
use steer::Direction;

/// Shows every migration, or steers one.
pub fn run(args: &MigrationsArgs) -> Result<Outcome> {
    match &args.command {
        None => list(args),
        Some(MigrationsCommand::Abort(args)) => steer::run(args, Direction::Abort),
        Some(MigrationsCommand::Resume(args)) => steer::run(args, Direction::Resume),
    }
}

fn list(args: &MigrationsArgs) -> Result<Outcome> {
    let policies = sources::load_policies(&args.policy.policies)?.set;
    let world = match &args.inventory {
        Some(file) => World::from_inventories(&policies, &inventories::read(file)?),
        None => live::block_on(async { Ok(live::pass_everywhere(&policies, Clock::default()).await?.world()) })?,
    };
    let migrations = &world.plan.migrations;
    let mut out = io::stdout().lock();
    match args.output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&serde_json::json!({ "migrations": migrations }))?)?,
        Output::Text => out.write_all(text::text(migrations).as_bytes())?,
    }
    live::complain(&world.unread);
    Ok(outcome(migrations, world.unread.is_empty()))
}

/// What is open is certain, and weighs more than what could not be read.
fn outcome(migrations: &[MigrationReport], whole: bool) -> Outcome {
    if migrations.iter().any(|report| text::is_open(report.stage)) {
        Outcome::Drift
    } else if whole {
        Outcome::InSync
    } else {
        Outcome::Incomplete
    }
}
