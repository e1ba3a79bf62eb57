//! `everseal apply`: one pass: plan, ask, execute, verify.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use everseal_controller::cycle::{Applied, Progress, apply};
use everseal_controller::ledger::Actor;
use everseal_controller::{Account, Clock, Executor, ExecutorOptions, Ledger, StepReport, StepResult, Surroundings};
use everseal_planner::rds::migration::report::{MigrationReport, Stage};
use everseal_planner::render::{self, Show};
use everseal_planner::{Plan, PolicySet, Service};
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::args::ApplyArgs;
use crate::exit::Outcome;
use crate::live::{Everywhere, Worked};
use crate::world::{World, paint};
use crate::{consent, ledgers, live, signals, sources};

/// Plans, asks, changes, and looks again.
pub fn run(args: &ApplyArgs) -> Result<Outcome> {
    let policies = sources::load_policies(&args.policy.policies)?.set;
    let ledger = ledgers::open(&args.ledger.ledger)?;
    live::block_on(async {
        let clock = Clock::default();
        let everywhere = live::pass_everywhere(&policies, clock).await?;
        let before = everywhere.world();
        io::stdout().write_all(render::text(&before.plan, paint(), Show::Deviations).as_bytes())?;
        live::complain(&before.unread);
        let open = open_steps(&before.plan);
        if open == 0 {
            return Ok(before.outcome());
        }
        if !args.yes && !consent::given(&format!("Make these {open} changes?"), &format!("add --yes to make these {open} changes"))? {
            writeln!(io::stdout(), "nothing was changed")?;
            return Ok(before.outcome());
        }
        let stop = CancellationToken::new();
        signals::cancel_on_signal(stop.clone());
        let run = Run { policies: &policies, ledger: &ledger, clock, stop: &stop, progress: Bar::new(open) };
        let applied = Box::pin(run.all(everywhere)).await?;
        finish(&applied, &stop)
    })
}

fn open_steps(plan: &Plan) -> usize {
    plan.steps.iter().filter(|step| step.gate.is_none()).count()
}

/// A key made in one scope may be what another waits for (a replica, for one), so scopes are gone through again after keys
/// were made: primary, replica, and whatever uses it.
const MAX_SWEEPS: usize = 3;

/// What the scopes became.
#[derive(Default)]
struct Done {
    world: World,
    reports: Vec<StepReport>,
}

impl Done {
    /// Steps that were tried last without success. One that waited, and that a later plan blocked or dropped, is none.
    fn failures(&self) -> Vec<&StepReport> {
        let last: BTreeMap<_, _> = self.reports.iter().map(|report| (&report.id, report)).collect();
        let still_open = |report: &StepReport| self.world.plan.steps.iter().any(|step| step.gate.is_none() && step.id == report.id);
        let failed = |report: &StepReport| match report.result {
            StepResult::Failed(_) | StepResult::Unread(_) | StepResult::Stopped => true,
            StepResult::Stale(_) | StepResult::Deferred(_) | StepResult::Unmet(_) => still_open(report),
            StepResult::Applied | StepResult::Settling | StepResult::Unchanged | StepResult::Gone => false,
        };
        last.into_values().filter(|report| failed(report)).collect()
    }
}

struct Run<'a> {
    policies: &'a PolicySet,
    ledger: &'a Ledger,
    clock: Clock,
    stop: &'a CancellationToken,
    progress: Bar,
}

impl Run<'_> {
    /// Scope after scope: a plan that somebody just agreed to is made in the order in which it was shown.
    async fn all(self, everywhere: Everywhere) -> Result<Done> {
        let Everywhere { mut scopes, closed } = everywhere;
        let mut reports = Vec::new();
        for sweep in 0..MAX_SWEEPS {
            let mut swept = Vec::with_capacity(scopes.len());
            let mut made_keys = false;
            for mut worked in scopes {
                if sweep > 0 {
                    worked.look_again(self.policies, self.clock).await;
                }
                let (worked, made) = self.one(worked).await?;
                made_keys |= made.iter().any(|report| report.service == Service::Kms && matches!(report.result, StepResult::Applied));
                reports.extend(made);
                swept.push(worked);
            }
            scopes = swept;
            if !made_keys || self.stop.is_cancelled() {
                break;
            }
        }
        self.progress.finish();
        Ok(Done { world: Everywhere { scopes, closed }.world(), reports })
    }

    async fn one(&self, worked: Worked) -> Result<(Worked, Vec<StepReport>)> {
        let Worked { account, memory, pass } = worked;
        let since = self.clock.now() - 24 * 3600;
        let calls = self.ledger.encryption_calls(account.scope(), since).await?;
        let database_calls = self.ledger.database_calls(account.scope(), since).await?;
        if let Ok(mut memory) = memory.lock() {
            memory.encryption_calls = calls;
            memory.database_calls = database_calls;
        }
        let executor = Executor {
            account: &account,
            around: Surroundings { policies: self.policies, memory: &memory, clock: self.clock },
            ledger: self.ledger,
            actor: Actor::CommandLine,
            options: &ExecutorOptions::default(),
            stop: self.stop,
        };
        let Applied { pass, reports } = apply(&executor, pass, &|progress| self.progress.show(&progress)).await;
        Ok((Worked { account, memory, pass }, reports))
    }
}

/// A bar on a terminal; a line a step elsewhere.
struct Bar {
    bar: Option<ProgressBar>,
    ended: AtomicUsize,
}

impl Bar {
    fn new(open: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}");
        let bar = match style {
            Ok(style) if io::stderr().is_terminal() => Some(ProgressBar::new(open as u64).with_style(style)),
            Ok(_) | Err(_) => None,
        };
        Self { bar, ended: AtomicUsize::new(0) }
    }

    fn show(&self, progress: &Progress<'_>) {
        match progress {
            Progress::Round(steps) => {
                if let Some(bar) = &self.bar {
                    bar.set_length((self.ended.load(Ordering::Relaxed) + steps) as u64);
                }
            }
            Progress::Ended(report) => {
                self.ended.fetch_add(1, Ordering::Relaxed);
                if matches!(report.result, StepResult::Deferred(_)) {
                    // Planned afresh within this run.
                    return;
                }
                let line = format!("{}: {} {}", report.result.words(), report.action, report.resource);
                match &self.bar {
                    Some(bar) => {
                        bar.println(line);
                        bar.inc(1);
                    }
                    None => drop(writeln!(io::stdout(), "{line}")),
                }
            }
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Begun, and not over: an `apply` makes what can be made now and does not wait for AWS.
const fn moves_by_itself(report: &MigrationReport) -> bool {
    match report.stage {
        Stage::Isolating
        | Stage::Snapshotting
        | Stage::Copying
        | Stage::Restoring
        | Stage::Configuring
        | Stage::Switching
        | Stage::Finishing => true,
        Stage::Planned | Stage::Prepared | Stage::KeepingOld | Stage::Done | Stage::Stuck | Stage::Aborted => false,
    }
}

/// What was done, what is left, and the exit code: a failed or stopped step weighs more than drift that gates keep.
fn finish(done: &Done, stop: &CancellationToken) -> Result<Outcome> {
    let failures = done.failures();
    let Done { world, reports } = done;
    let made = reports.iter().filter(|report| matches!(report.result, StepResult::Applied | StepResult::Settling)).count();
    let mut out = io::stdout().lock();
    for step in &world.plan.steps {
        if let Some(block) = &step.gate {
            writeln!(out, "blocked ({}): {} {}: {}", block.name, step.action, step.resource, block.reason)?;
        }
    }
    for report in &failures {
        writeln!(out, "failed: {} {}: {}", report.action, report.resource, report.result.words())?;
    }
    let blocked = world.plan.steps.iter().filter(|step| step.gate.is_some()).count();
    writeln!(out, "{made} made, {} failed, {} left, {blocked} blocked.", failures.len(), open_steps(&world.plan))?;
    for report in world.plan.migrations.iter().filter(|report| moves_by_itself(report)) {
        writeln!(
            out,
            "migration of {}: {}. `everseal run`, or another `everseal apply`, goes on from here; `everseal migrations` shows where it stands.",
            report.name, report.stage
        )?;
    }
    live::complain(&world.unread);
    if stop.is_cancelled() {
        writeln!(out, "stopped: what was begun is finished, the rest was not begun")?;
    }
    if !failures.is_empty() || stop.is_cancelled() { Ok(Outcome::StepFailed) } else { Ok(world.outcome()) }
}
