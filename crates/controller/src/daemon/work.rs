//! What is done with each item of a scope's queue.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use everseal_planner::inventory::{ErrorClass, Unreadable};
use everseal_planner::plan::StepId;
use everseal_planner::rds::migration::report::MigrationReport;
use everseal_planner::{Arn, Inventory, Service};

use tokio::time::Instant;

use super::pace;
use super::scope_loop::{Item, ScopeLoop};
use super::view::{View, streams_only};
use crate::account::Account;
use crate::error_policy::{self, Next};
use crate::executor::{Executor, Seen, StepError, StepReport, StepResult};
use crate::ledger::Actor;
use crate::metrics::{StepOutcome, WorkResult};
use crate::pass::{self, Depth, MAX_FACT_ROUNDS, Surroundings};
use crate::queue::{Done, Priority};

/// Many resources change within moments of each other: they are planned again together.
const PLAN_TOGETHER: Duration = Duration::from_millis(500);
/// Planning again after writes may take this part of the time: one in ten.
const PLAN_SHARE: u32 = 10;
/// A key that was made and is not to be seen yet is looked for again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// A stale step is planned afresh at once this often, then after a wait.
const MAX_ROUNDS: usize = 3;
/// Reads that failed are tried again this often before the next full pass.
const MAX_READ_TRIES: u32 = 3;

type Ended = (Done, WorkResult);

/// What came of reading a resource.
enum Look {
    Whole,
    /// Its service could not be asked: what was known before still stands.
    Partial,
    /// The program was told to stop meanwhile.
    Stopped,
}

impl<A: Account> ScopeLoop<A> {
    /// One full pass: observe everything, plan, have every resource with a step worked on.
    pub(super) async fn resync(&self, failures: u32) -> Ended {
        let (account, policies) = (self.account(), self.policies());
        let around = self.surroundings(&policies);
        let depth = {
            let mut view = self.view.lock().await;
            view.resync_begins();
            let due = view.paths_are_due(self.shared.options.paths_interval, &policies.revision);
            if due { Depth::Paths } else { Depth::Plan }
        };
        around.memory().changes_this_cycle = 0;
        let inventory = pass::observe_all(&*account, &around, depth).await;
        let services = around.reads(&self.scope).services;
        let unlisted = inventory.unlisted.clone();
        self.view.lock().await.resync_observed(inventory);
        self.replan(&account, &around).await;
        self.publish_kms_errors();
        self.count_gated().await;
        self.begin(None).await;
        for service in services.iter().filter(|service| !unlisted.contains_key(service)) {
            self.shared.metrics.succeeded(&self.scope, *service, self.shared.clock.now());
        }
        self.after_resync(&services, &unlisted, failures)
    }

    fn after_resync(
        &self,
        services: &BTreeSet<Service>,
        unlisted: &std::collections::BTreeMap<Service, Unreadable>,
        failures: u32,
    ) -> Ended {
        let reached = services.is_empty() || services.iter().any(|service| !unlisted.contains_key(service));
        let error = unlisted.iter().next().map(|(service, why)| format!("{service} can't be listed: {}: {}", why.operation, why.message));
        if let Some(error) = &error {
            tracing::warn!(scope = %self.scope, services = ?unlisted.keys(), "{error}");
        }
        let now = self.shared.clock.now();
        self.shared.status.update(&self.scope, |status| {
            status.first_pass_done |= reached;
            status.last_success = if error.is_none() { Some(now) } else { status.last_success };
            status.last_error.clone_from(&error);
        });
        // A permission that is missing stays missing: reading everything again at once would not help.
        let passes = |class| class != ErrorClass::Denied && error_policy::next(class, failures + 1) == Next::Backoff;
        let transient = unlisted.values().any(|why| passes(why.class));
        if !reached || (transient && failures < MAX_READ_TRIES) {
            return (Done::Backoff, WorkResult::Error);
        }
        let result = if error.is_none() { WorkResult::Success } else { WorkResult::Error };
        (Done::After(self.next_interval()), result)
    }

    /// The interval, a twentieth more or less: scopes drift apart instead of meeting again and again.
    fn next_interval(&self) -> Duration {
        let fraction = self.jitter.lock().unwrap_or_else(PoisonError::into_inner).fraction();
        self.shared.options.interval.mul_f64(0.95 + 0.1 * fraction)
    }

    /// Plans again from what is known, and begins what has become possible.
    pub(super) async fn plan_and_begin(&self) -> Ended {
        let (account, policies) = (self.account(), self.policies());
        self.replan(&account, &self.surroundings(&policies)).await;
        self.begin(None).await;
        (Done::Forget, WorkResult::Success)
    }

    /// Has databases looked at whose migration moves by itself, or for which a moment has come.
    pub(super) async fn migrations(&self) -> Ended {
        let now = self.shared.clock.now();
        let (due, next) = {
            let mut view = self.view.lock().await;
            view.made.clear();
            let due = self.paced(&view).filter(|(report, goes_on)| pace::is_due(report, *goes_on, now));
            let due: Vec<Arn> = due.map(|(report, _)| report.database.clone()).collect();
            (due, pace::next_look(self.paced(&view), now))
        };
        for database in due {
            self.queue.add(Item::Resource(database), Priority::Retry);
        }
        (next.map_or(Done::Forget, Done::After), WorkResult::Success)
    }

    fn paced<'v>(&self, view: &'v View) -> impl Iterator<Item = (&'v MigrationReport, bool)> {
        let dry_run = self.shared.options.dry_run;
        view.migrations().map(move |(report, goes_on)| (report, goes_on && !dry_run))
    }

    /// Reads Firehose's KMS counters.
    pub(super) async fn kms_errors(&self) -> Ended {
        let (account, policies) = (self.account(), self.policies());
        let around = self.surroundings(&policies);
        let streams = self.view.lock().await.inventory.as_ref().map(streams_only);
        if let Some(streams) = streams {
            pass::poll_kms_errors(&*account, &around, &streams).await;
            let mut view = self.view.lock().await;
            if let Some(inventory) = &mut view.inventory {
                around.memory().kms_errors.dress(inventory);
                view.touch();
            }
            drop(view);
            self.publish_kms_errors();
            self.queue.add(Item::Plan, Priority::Resync);
        }
        (Done::After(self.shared.options.kms_errors_interval), WorkResult::Success)
    }

    fn publish_kms_errors(&self) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let (metrics, watch) = (&self.shared.metrics, &mut memory.kms_errors);
        for stream in watch.drain_gone() {
            metrics.forget_stream(&self.scope, &stream);
        }
        for stream in watch.watched() {
            metrics.watch_stream(&self.scope, stream);
            metrics.loss_deadline(&self.scope, stream, watch.loss_deadline(stream));
        }
        for increase in watch.drain_increases() {
            metrics.kms_errors(&self.scope, &increase.stream, increase.error, increase.count);
        }
    }

    /// Looks at one resource and makes its steps.
    pub(super) async fn resource(&self, arn: &Arn, priority: Priority, failures: u32) -> Ended {
        let (account, policies) = (self.account(), self.policies());
        let around = self.surroundings(&policies);
        // A step of a migration is only ever made of what was seen just now.
        let mut fresh = priority != Priority::Resync || self.view.lock().await.is_migrating(arn);
        if priority == Priority::Event {
            self.view.lock().await.try_again(arn);
        }
        let (mut reports, mut partial) = (Vec::new(), false);
        for _ in 0..MAX_ROUNDS {
            if fresh {
                match self.look_and_plan(&account, &around, arn).await {
                    Look::Stopped => return (Done::Forget, WorkResult::Success),
                    Look::Partial => partial = true,
                    Look::Whole => partial = false,
                }
                self.begin(Some(arn)).await;
            }
            let round = self.make_steps(&account, &around, arn).await;
            fresh = round.iter().any(|report| matches!(report.result, StepResult::Stale(_) | StepResult::Deferred(_)));
            reports = round;
            if !fresh {
                break;
            }
        }
        if reports.is_empty() {
            let unknown = partial || (priority != Priority::Resync && self.view.lock().await.is_unknown(arn));
            let again = unknown && failures < MAX_READ_TRIES;
            return if again { (Done::Backoff, WorkResult::Error) } else { (Done::Forget, WorkResult::Success) };
        }
        self.after_steps(&reports, failures).await
    }

    /// Reads a resource and plans; where that leaves a step, reads the facts that gates rest on afresh as well.
    async fn look_and_plan(&self, account: &A, around: &Surroundings<'_>, arn: &Arn) -> Look {
        let look = async {
            let mut look = Look::Whole;
            for gate_facts in [false, true] {
                let seen = self.see(account, around, arn, gate_facts).await;
                if !seen.inventory.unlisted.is_empty() {
                    look = Look::Partial;
                }
                self.view.lock().await.absorb(seen);
                self.replan(account, around).await;
                if !self.view.lock().await.has_steps(arn) {
                    break;
                }
            }
            look
        };
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Look::Stopped,
            look = look => look,
        }
    }

    /// Reads one resource; of a database whose migration moves names, every database: whoever asks by name while names change
    /// hands misses what has just got another one.
    async fn see(&self, account: &A, around: &Surroundings<'_>, arn: &Arn, gate_facts: bool) -> Seen {
        let (migrating, copy, known) = {
            let view = self.view.lock().await;
            (view.is_migrating(arn), view.copy_of(arn), view.databases())
        };
        if !migrating {
            let targets = BTreeSet::from([arn.clone()]);
            return Seen { inventory: pass::observe_some(account, around, &targets, gate_facts).await, targets };
        }
        if !gate_facts {
            let inventory = pass::observe_databases(account, around, &known).await;
            return Seen { targets: known, inventory };
        }
        let targets = [arn.clone()].into_iter().chain(copy).collect();
        let inventory = pass::observe_some(account, around, &targets, true).await;
        // What was listed a moment ago is not gone because it is not found under its name.
        Seen { targets: BTreeSet::new(), inventory }
    }

    async fn make_steps(&self, account: &A, around: &Surroundings<'_>, arn: &Arn) -> Vec<StepReport> {
        if self.shared.options.dry_run {
            return Vec::new();
        }
        let (steps, aliases) = {
            let mut view = self.view.lock().await;
            // Nothing is ever made of a plan whose policies are not in force any more.
            self.plan_view(&mut view, around);
            (view.ready_steps(arn), view.aliases.clone())
        };
        let executor = Executor {
            account,
            around: *around,
            ledger: &self.shared.ledger,
            actor: Actor::Daemon,
            options: &self.shared.options.executor,
            stop: &self.stopping,
        };
        let mut reports = executor.run(&steps, &aliases, &|report| self.report(report)).await;
        let mut view = self.view.lock().await;
        for report in &mut reports {
            if let Some(seen) = report.seen.take() {
                view.absorb(seen);
            }
        }
        reports
    }

    fn report(&self, report: &StepReport) {
        let (metrics, scope) = (&self.shared.metrics, &self.scope);
        match &report.result {
            StepResult::Applied => metrics.step(report.service, report.check, StepOutcome::Applied),
            StepResult::Settling if report.entry.is_some() => metrics.step(report.service, report.check, StepOutcome::Applied),
            StepResult::Failed(_) => metrics.step(report.service, report.check, StepOutcome::Failed),
            StepResult::Settling
            | StepResult::Unchanged
            | StepResult::Stale(_)
            | StepResult::Gone
            | StepResult::Deferred(_)
            | StepResult::Unmet(_)
            | StepResult::Unread(_)
            | StepResult::Stopped => {}
        }
        if let Some(entry) = &report.entry {
            self.shared.status.changed(entry.clone());
        }
        let words = report.result.words();
        if matches!(report.result, StepResult::Failed(_) | StepResult::Unread(_)) {
            tracing::warn!(%scope, step = %report.id, summary = %report.summary, "{words}");
            self.shared.status.update(scope, |status| status.last_error = Some(format!("{}: {words}", report.resource)));
        } else {
            tracing::info!(%scope, step = %report.id, summary = %report.summary, "{words}");
        }
    }

    /// Remembers what is not to be tried again in this cycle and decides when the resource comes back.
    async fn after_steps(&self, reports: &[StepReport], failures: u32) -> Ended {
        let (mut held, mut made): (Vec<StepId>, Vec<StepId>) = (Vec::new(), Vec::new());
        let (mut done, mut result) = (Done::Forget, WorkResult::Success);
        for report in reports {
            let class = match &report.result {
                StepResult::Failed(error) => {
                    let panicked = matches!(error, StepError::Panicked(_));
                    result = if panicked { WorkResult::Panic } else { WorkResult::Error };
                    error.class()
                }
                StepResult::Unread(_) => {
                    result = WorkResult::Error;
                    if failures < MAX_READ_TRIES { ErrorClass::Unavailable } else { ErrorClass::Invalid }
                }
                StepResult::Stale(_) | StepResult::Deferred(_) => ErrorClass::Conflict,
                StepResult::Unmet(_) | StepResult::Stopped => continue,
                StepResult::Settling if report.service == Service::Kms && done == Done::Forget => {
                    done = Done::After(LOOK_AGAIN);
                    continue;
                }
                StepResult::Applied | StepResult::Settling | StepResult::Unchanged | StepResult::Gone if report.migrates => {
                    made.push(report.id.clone());
                    continue;
                }
                StepResult::Applied | StepResult::Settling | StepResult::Unchanged | StepResult::Gone => {
                    held.push(report.id.clone());
                    continue;
                }
            };
            match error_policy::next(class, failures + 1) {
                Next::Backoff => done = Done::Backoff,
                Next::NextResync => held.push(report.id.clone()),
                Next::Forget => {}
            }
        }
        let plan_took = {
            let mut view = self.view.lock().await;
            view.held.extend(held);
            view.made.extend(made);
            view.plan_took
        };
        self.plan_soon(reports, plan_took);
        (done, result)
    }

    /// What was made may make other steps possible: at once after a key, together with others' otherwise.
    fn plan_soon(&self, reports: &[StepReport], plan_took: Duration) {
        if reports.iter().any(|report| report.service == Service::Kms && report.result.is_done()) {
            self.queue.add(Item::Plan, Priority::Event);
        } else if reports.iter().any(|report| report.result.is_done()) {
            self.queue.add_after(Item::Plan, Priority::Resync, plan_took.saturating_mul(PLAN_SHARE).max(PLAN_TOGETHER));
        }
    }

    /// Has every resource worked on that has a step which may be begun, `but` the one in hand.
    async fn begin(&self, but: Option<&Arn>) {
        if self.shared.options.dry_run {
            return;
        }
        let ready = self.view.lock().await.ready_resources();
        for resource in ready.into_iter().filter(|resource| Some(resource) != but) {
            self.queue.add(Item::Resource(resource), Priority::Resync);
        }
    }

    async fn count_gated(&self) {
        for step in self.view.lock().await.plan.steps.iter().filter(|step| step.gate.is_some()) {
            self.shared.metrics.step(step.service, step.check, StepOutcome::Gated);
        }
    }

    /// Plans from the inventory as it is, unless somebody else just has, and reads the facts that gates want.
    async fn replan(&self, account: &A, around: &Surroundings<'_>) {
        let mut asked: BTreeSet<Arn> = BTreeSet::new();
        for _ in 0..=MAX_FACT_ROUNDS {
            let wanted: BTreeSet<Arn> = {
                let mut view = self.view.lock().await;
                self.plan_view(&mut view, around);
                view.plan.facts_to_read().filter(|fact| !asked.contains(*fact)).cloned().collect()
            };
            if wanted.is_empty() {
                return;
            }
            let inventory = pass::observe_some(account, around, &wanted, true).await;
            self.view.lock().await.absorb(Seen { inventory, targets: wanted.clone() });
            asked.extend(wanted);
        }
    }

    fn plan_view(&self, view: &mut View, around: &Surroundings<'_>) {
        let revision = &around.policies.revision;
        if view.is_planned(revision) {
            return;
        }
        let Some(inventory) = &view.inventory else { return };
        let began = Instant::now();
        let mut plan = around.plan(inventory);
        let paths = view.beside.as_ref().and_then(|beside| around.judge_paths(inventory, beside, &mut plan));
        view.plan_took = began.elapsed();
        let planned = view.adopt(plan, revision, self.shared.clock.now());
        let (metrics, scope) = (&self.shared.metrics, &self.scope);
        metrics.planned(scope, &planned.tally);
        metrics.drift_since(scope, planned.drift_since);
        let Some(inventory): Option<&Inventory> = view.inventory.as_ref() else { return };
        metrics.keys(scope, &inventory.keys);
        metrics.migrations(scope, &view.plan.migrations);
        metrics.certificates(scope, &around.certificate_ends(inventory));
        if let Some(wait) = pace::next_look(self.paced(view), self.shared.clock.now()) {
            self.queue.add_by(Item::Migrations, Priority::Retry, wait);
        }
        let read_at = view.beside.as_ref().map(|beside| beside.read_at);
        if let Some(paths) = &paths {
            metrics.paths(scope, paths.tally());
        }
        self.shared.status.update(scope, |status| {
            status.planned(&view.plan, planned.tally, inventory);
            if let Some(paths) = &paths {
                status.traced(paths, read_at);
            }
        });
    }
}
