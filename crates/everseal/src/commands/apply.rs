//! `everseal apply`: one pass: plan, ask, execute, verify.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};
use everseal_controller::cycle::{Applied, Progress, apply};
use everseal_controller::ledger::Actor;
use everseal_controller::{Account, Clock, Executor, ExecutorOptions, Ledger, StepReport, Surroundings};
use everseal_planner::render::{self, Show};
use everseal_planner::{Plan, PolicySet};
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::args::ApplyArgs;
use crate::exit::Outcome;
use crate::live::{Everywhere, Worked};
use crate::world::{World, paint};
use crate::{ledgers, live, signals, sources};

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
        if !args.yes && !agreed(open)? {
            writeln!(io::stdout(), "nothing was changed")?;
            return Ok(before.outcome());
        }
        let stop = CancellationToken::new();
        signals::cancel_on_signal(stop.clone());
        let applied = Run { policies: &policies, ledger: &ledger, clock, stop: &stop, progress: Bar::new(open) }.all(everywhere).await?;
        finish(&applied, &stop)
    })
}

fn open_steps(plan: &Plan) -> usize {
    plan.steps.iter().filter(|step| step.gate.is_none()).count()
}

fn agreed(open: usize) -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("standard input is not a terminal, so nobody can be asked: add --yes to make these {open} changes");
    }
    write!(io::stdout(), "Make these {open} changes? Only `yes` is taken for yes: ")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// What the scopes became.
struct Done {
    world: World,
    reports: Vec<StepReport>,
    failed: usize,
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
        let Everywhere { scopes, closed } = everywhere;
        let mut done = Done { world: World::default(), reports: Vec::new(), failed: 0 };
        for worked in scopes {
            let applied = self.one(worked).await?;
            done.failed += applied.failures().count();
            let Applied { pass, reports } = applied;
            done.reports.extend(reports);
            done.world.add(&pass.inventory, pass.plan);
        }
        done.world.unread.extend(closed.iter().map(crate::scopes::Closed::line));
        self.progress.finish();
        Ok(done)
    }

    async fn one(&self, worked: Worked) -> Result<Applied> {
        let Worked { account, memory, pass } = worked;
        let since = self.clock.now() - 24 * 3600;
        let calls = self.ledger.encryption_calls(account.scope(), since).await?;
        if let Ok(mut memory) = memory.lock() {
            memory.encryption_calls = calls;
        }
        let executor = Executor {
            account: &account,
            around: Surroundings { policies: self.policies, memory: &memory, clock: self.clock },
            ledger: self.ledger,
            actor: Actor::CommandLine,
            options: &ExecutorOptions::default(),
            stop: self.stop,
        };
        Ok(apply(&executor, pass, &|progress| self.progress.show(&progress)).await)
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

/// What was done, what is left, and the exit code: a failed or stopped step weighs more than drift that gates keep.
fn finish(done: &Done, stop: &CancellationToken) -> Result<Outcome> {
    let Done { world, reports, failed } = done;
    let made = reports.iter().filter(|report| report.result.is_done()).count();
    let mut out = io::stdout().lock();
    let blocked = world.plan.steps.iter().filter(|step| step.gate.is_some()).count();
    writeln!(out, "{made} made, {failed} failed, {} left, {blocked} blocked.", open_steps(&world.plan))?;
    for step in world.plan.steps.iter().filter(|step| step.gate.is_some()) {
        if let Some(block) = &step.gate {
            writeln!(out, "  blocked ({}): {} {}: {}", block.name, step.action, step.resource, block.reason)?;
        }
    }
    live::complain(&world.unread);
    if stop.is_cancelled() {
        writeln!(out, "stopped: what was begun is finished, the rest was not begun")?;
    }
    if *failed > 0 || stop.is_cancelled() { Ok(Outcome::StepFailed) } else { Ok(world.outcome()) }
}
