//! `everseal migrations abort` and `resume`: a person's word, made like the steps of `apply`: read again, recorded, read back.

use std::io::{self, Write};

use anyhow::{Result, anyhow, bail};
use everseal_controller::cycle::make_asked;
use everseal_controller::ledger::Actor;
use everseal_controller::{Clock, Executor, ExecutorOptions, Ledger, StepReport, Surroundings};
use everseal_planner::plan::{Context, Past, StepId};
use everseal_planner::rds::migration::{self, report::MigrationReport};
use everseal_planner::{Arn, Inventory, PolicySet, Step};
use tokio_util::sync::CancellationToken;

use super::text::identifier;
use crate::args::SteerArgs;
use crate::exit::Outcome;
use crate::live::{Everywhere, Worked};
use crate::{consent, ledgers, live, signals, sources};

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Back to the database as it was.
    Abort,
    /// On with an aborted migration.
    Resume,
}

impl Direction {
    fn steps(self, policies: &PolicySet, inventory: &Inventory, now: i64, database: &Arn) -> Result<Vec<Step>, String> {
        let cx = Context { policies, inventory, now, past: &Past::default() };
        match self {
            Self::Abort => migration::abort(&cx, database),
            Self::Resume => migration::resume(&cx, database),
        }
    }

    const fn question(self) -> &'static str {
        match self {
            Self::Abort => "Abort the migration?",
            Self::Resume => "Resume the migration?",
        }
    }

    /// What a person must know at the end.
    const fn farewell(self) -> &'static str {
        match self {
            Self::Abort => {
                "What AWS is still at work on is removed by `everseal run`, or by the same command once more. The database is left \
                 alone until `everseal migrations resume`."
            }
            Self::Resume => "`everseal run` goes on with it, or each `everseal apply` makes the next step.",
        }
    }
}

/// Steers the migration of one database.
pub fn run(args: &SteerArgs, direction: Direction) -> Result<Outcome> {
    let policies = sources::load_policies(&args.policy.policies)?.set;
    let ledger = ledgers::open(&args.ledger.ledger)?;
    live::block_on(async {
        let clock = Clock::default();
        let everywhere = live::pass_everywhere(&policies, clock).await?;
        let (worked, report) = find(&everywhere, &args.database)?;
        let steps = direction
            .steps(&policies, &worked.pass.inventory, clock.now(), &report.database)
            .map_err(|why| anyhow!("{}: {why}", report.database))?;
        if steps.is_empty() {
            writeln!(io::stdout(), "nothing to do: {}", report.message)?;
            return Ok(Outcome::InSync);
        }
        show(report, &steps)?;
        if !args.yes && !consent::given(direction.question(), "add --yes")? {
            writeln!(io::stdout(), "nothing was changed")?;
            return Ok(Outcome::InSync);
        }
        let stop = CancellationToken::new();
        signals::cancel_on_signal(stop.clone());
        let steering = Steering { policies: &policies, ledger: &ledger, clock, stop: &stop, direction, database: &report.database };
        let reports = steering.make(worked).await;
        finish(&reports, direction, &stop)
    })
}

/// The migration of the database with this name (as clients know it, or of now) or ARN.
fn find<'w>(everywhere: &'w Everywhere, wanted: &str) -> Result<(&'w Worked, &'w MigrationReport)> {
    let is =
        |report: &MigrationReport| report.database.as_str() == wanted || report.name == wanted || identifier(&report.database) == wanted;
    let all = everywhere.scopes.iter().flat_map(|worked| worked.pass.plan.migrations.iter().map(move |report| (worked, report)));
    let found: Vec<_> = all.clone().filter(|(_, report)| is(report)).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let known: Vec<&str> = all.map(|(_, report)| report.name.as_str()).collect();
            let known = if known.is_empty() { "there is none".to_owned() } else { format!("there are: {}", known.join(", ")) };
            bail!("no migration of a database called {wanted} in the scopes of the policy; {known}")
        }
        several => {
            let arns: Vec<&str> = several.iter().map(|(_, report)| report.database.as_str()).collect();
            bail!("several databases are called {wanted}: name one by its ARN: {}", arns.join(", "))
        }
    }
}

fn show(report: &MigrationReport, steps: &[Step]) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{} is {}: {}", report.name, report.stage, report.message)?;
    for step in steps {
        writeln!(out, "  ~ step   {}: {}", step.action, step.summary)?;
    }
    Ok(())
}

struct Steering<'a> {
    policies: &'a PolicySet,
    ledger: &'a Ledger,
    clock: Clock,
    stop: &'a CancellationToken,
    direction: Direction,
    database: &'a Arn,
}

impl Steering<'_> {
    async fn make(&self, worked: &Worked) -> Vec<StepReport> {
        let Worked { account, memory, pass } = worked;
        let options = ExecutorOptions::default();
        let executor = Executor {
            account,
            around: Surroundings { policies: self.policies, memory, clock: self.clock },
            ledger: self.ledger,
            actor: Actor::CommandLine,
            options: &options,
            stop: self.stop,
        };
        // Once a migration goes on, there is nothing to resume any more: that is no error.
        let propose =
            |inventory: &Inventory| self.direction.steps(self.policies, inventory, self.clock.now(), self.database).unwrap_or_default();
        make_asked(&executor, pass.inventory.clone(), &propose, &tell).await
    }
}

fn tell(report: &StepReport) {
    let _ = writeln!(io::stdout(), "{}: {} {}: {}", report.result.words(), report.action, report.resource, report.summary);
}

fn finish(reports: &[StepReport], direction: Direction, stop: &CancellationToken) -> Result<Outcome> {
    let last_of = |place: usize, id: &StepId| !reports[place + 1..].iter().any(|later| later.id == *id);
    let failed = reports.iter().enumerate().filter(|(place, report)| !report.result.is_done() && last_of(*place, &report.id)).count();
    if failed > 0 || stop.is_cancelled() {
        writeln!(io::stdout(), "{failed} step(s) failed: the same command goes on where this one ended.")?;
        return Ok(Outcome::StepFailed);
    }
    writeln!(io::stdout(), "{}", direction.farewell())?;
    Ok(Outcome::InSync)
}
