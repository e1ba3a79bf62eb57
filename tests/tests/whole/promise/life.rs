//! One seed's world, lived through with and without Everseal.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use everseal_controller::executor::ExecutorOptions;
use everseal_controller::ledger::Ledger;
use everseal_controller::{Clock as LoopClock, DaemonOptions, Memory, Status, Surroundings, pass};
use everseal_planner::PolicySet;
use everseal_planner::plan::Gate;
use everseal_planner::plan::mutation::{Safeguard, switch_off};
use everseal_sim::fault::{Fault, FaultRule};
use everseal_sim::world::{AfterWrite, JournalEntry};
use everseal_sim::{Clock, Moment, Settings, Sim};
use object_store::memory::InMemory;
use tokio::sync::watch;

use super::estate::Estate;
use super::scene::Scene;
use super::traffic::{self, Probes, Received, Traffic};
use super::{judge, policy};
use crate::simulated::{Process, Reach, daemon};

/// 2026-11-29, in seconds since the Unix epoch.
const BEGINS: i64 = 1_795_910_400;
/// Producers send and consumers look this often.
const TICK: Duration = Duration::from_mins(20);
/// Beside two passes: the time that they take.
const SETTLED: Duration = Duration::from_mins(2);

/// More passes than any estate needs whose policy lets one change be made in each.
const MOST_CYCLES: u32 = 60;

/// A seed's life.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    pub seed: u64,
    /// Built by hand instead of by chance.
    pub scene: Option<Scene>,
    /// What is switched off.
    pub without: Option<Without>,
}

/// What keeps data flowing, and may be switched off to see whether anybody notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// A safeguard of planning.
    Planning(Safeguard),
    /// The wait after a change to a key before anything relies on it.
    KeyPropagation,
}

/// What a life brought.
#[derive(Debug, Default)]
pub struct Run {
    pub received: Received,
    /// Consumers of each flow.
    consumers: Vec<Vec<String>>,
    /// Regular messages and probes of each producer.
    sent: (u64, u64),
    pub trace: Vec<String>,
    /// What must not have happened.
    pub problems: Vec<String>,
}

/// What chance decides of a life.
struct Plan {
    ticks: u32,
    /// Faults happen in the first so many ticks.
    troubled: u32,
    interval: Duration,
    faults: Vec<FaultRule>,
    /// Until a key's new document and grants count.
    key_propagation: Duration,
}

/// Facts that may be kept from the program for a while.
const HIDDEN: &[(&str, &str)] = &[
    ("kms", "GetKeyPolicy"),
    ("kms", "DescribeKey"),
    ("kms", "ListAliases"),
    ("s3", "GetBucket*"),
    ("s3", "GetBucketWebsite"),
    ("s3", "GetBucketPolicy"),
    ("s3", "GetBucketAcl"),
    ("s3", "GetBucketReplication"),
    ("s3", "GetPublicAccessBlock"),
    ("firehose", "DescribeDeliveryStream"),
    ("firehose", "ListDeliveryStreams"),
    ("sns", "ListSubscriptions"),
    ("iam", "*"),
];

impl Life {
    pub const fn of(seed: u64) -> Self {
        Self { seed, scene: None, without: None }
    }

    pub const fn in_scene(scene: Scene) -> Self {
        Self { seed: 1, scene: Some(scene), without: None }
    }

    pub const fn without(self, without: Without) -> Self {
        Self { without: Some(without), ..self }
    }

    /// Lives twice and compares. `Err`: what must not be.
    pub fn judged(self) -> Result<(), String> {
        self.judged_beside(&self.without_everseal())
    }

    /// Lives with Everseal and compares with the same life without it.
    pub fn judged_beside(self, alone: &Run) -> Result<(), String> {
        let mut with = self.with_everseal();
        let mut problems = std::mem::take(&mut with.problems);
        for (consumer, before) in &alone.received {
            let now = with.received.get(consumer).cloned().unwrap_or_default();
            let lost: Vec<&String> = before.difference(&now).collect();
            if !lost.is_empty() {
                problems.push(format!(
                    "{consumer}: {} of {} messages are lost, {:?} …",
                    lost.len(),
                    before.len(),
                    &lost[..lost.len().min(3)]
                ));
            }
        }
        problems.extend(lost_after_a_write(alone, &with));
        if problems.is_empty() {
            return Ok(());
        }
        problems.truncate(6);
        Err(format!("{}\npolicy:\n{}", problems.join("\n  "), self.policy()))
    }

    fn policy(self) -> String {
        self.scene.map_or_else(|| policy::text(self.seed), Scene::policy)
    }

    fn plan(self) -> Plan {
        if let Some(scene) = self.scene {
            let (troubled, interval) = (Scene::TROUBLED, Scene::INTERVAL);
            return Plan { ticks: scene.ticks(), troubled, interval, faults: scene.faults(), key_propagation: scene.key_propagation() };
        }
        let mut rng = fastrand::Rng::with_seed(self.seed ^ 0xfa01);
        let troubled = rng.u32(6..30);
        let mut faults = Vec::new();
        let until = Moment(u64::try_from(BEGINS).unwrap() * 1000) + TICK * troubled;
        let mut fault = |fault: Fault, ppm: u32, writes: bool, times: Option<u32>| {
            let rule = FaultRule { times, ..FaultRule::always(fault).with_chance(ppm).during(Moment(0), until) };
            faults.push(if writes { rule.writes() } else { rule });
        };
        let few = |rng: &mut fastrand::Rng| rng.u32(1_000..80_000);
        for kind in 0..9 {
            if rng.u8(0..3) > 0 {
                continue;
            }
            match kind {
                0 => fault(Fault::Throttle, few(&mut rng), false, None),
                1 => fault(Fault::ServerError, few(&mut rng), false, None),
                2 => fault(Fault::Unavailable, few(&mut rng), false, None),
                3 => fault(Fault::TimeOut, 3_000, false, Some(5)),
                4 => fault(Fault::Drop, few(&mut rng), false, None),
                5 => fault(Fault::LostAnswer, rng.u32(10_000..300_000), true, None),
                6 => fault(Fault::Stale(Duration::from_secs(rng.u64(1..60))), few(&mut rng), false, None),
                7 => fault(Fault::CrashBefore, 100_000, true, Some(rng.u32(1..4))),
                _ => fault(Fault::CrashAfter, 100_000, true, Some(rng.u32(1..4))),
            }
        }
        if rng.u8(0..4) == 0 {
            let (service, operation) = HIDDEN[rng.usize(0..HIDDEN.len())];
            faults.insert(0, FaultRule { until, ..FaultRule::always(Fault::Deny).on(service, operation) });
        }
        let interval = Duration::from_mins(rng.u64(20..150));
        let settled = u32::try_from(interval.as_secs().div_ceil(TICK.as_secs())).unwrap() * 3 + 6;
        let key_propagation = Duration::from_secs([0, 0, 2, 4][rng.usize(0..4)]);
        Plan { ticks: troubled + settled, troubled, interval, faults, key_propagation }
    }

    pub fn without_everseal(self) -> Run {
        self.live(false)
    }

    pub fn with_everseal(self) -> Run {
        self.live(true)
    }

    fn live(self, with: bool) -> Run {
        fastrand::seed(self.seed);
        let planning = if let Some(Without::Planning(safeguard)) = self.without { Some(safeguard) } else { None };
        switch_off(planning.filter(|_| with));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let run = runtime.block_on(self.lived(with));
        runtime.shutdown_background();
        switch_off(None);
        run
    }

    async fn lived(self, with: bool) -> Run {
        let plan = self.plan();
        let clock = Clock::starting_at(Moment(u64::try_from(BEGINS).unwrap() * 1000));
        let settings = Settings { seed: self.seed, key_propagation: plan.key_propagation, ..Settings::default() };
        let sim = Sim::new(settings, clock);
        let estate = sim.with(|world| match self.scene {
            Some(scene) => scene.raise(world),
            None => Estate::raise(self.seed, world),
        });
        let policies = Arc::new(policy::load_text(&self.policy(), BEGINS));
        let in_force = watch::Sender::new(Arc::clone(&policies));
        tokio::time::sleep(Duration::from_mins(5)).await;
        let driving = sim.clone();
        tokio::spawn(async move { driving.drive().await });
        let ledger = Ledger::new(Arc::new(InMemory::new()), object_store::path::Path::default());
        let probes = Arc::new(Mutex::new(Probes::of(&estate.flows)));
        if with {
            let probing = Arc::clone(&probes);
            sim.with(|world| {
                world.journal = Some(Vec::new());
                world.faults.rules.clone_from(&plan.faults);
                world.after_write = Some(AfterWrite(Box::new(move |world| probing.lock().unwrap().send(world))));
            });
            let (options, clock) = (self.options(&plan), LoopClock::starting_at(BEGINS + 300));
            let process = Process { ledger: ledger.clone(), clock, options, status: Status::new(clock) };
            tokio::spawn(daemon(sim.clone(), in_force.subscribe(), process));
        }
        let mut run = Run { consumers: consumers(&estate), ..Run::default() };
        let mut traffic = Traffic::default();
        let first = sim.with(|world| judge::look(&estate, world));
        let mut before = first.clone();
        for tick in 0..plan.ticks {
            sim.with(|world| {
                traffic.produce(&estate.flows, world);
                if tick == plan.troubled {
                    world.faults.rules.clear();
                }
            });
            tokio::time::sleep(TICK).await;
            sim.with(|world| traffic.consume(&estate.flows, world));
            let after = sim.with(|world| judge::look(&estate, world));
            run.problems.extend(judge::fallen(&before, &after));
            before = after;
        }
        run.problems.extend(judge::touched(&policies, &first, &before));
        if with {
            let settling = Settling { sim: &sim, policies: &policies, interval: plan.interval, ledger: &ledger };
            settling.settle(&estate, &mut traffic, &mut run).await;
        } else {
            tokio::time::sleep(plan.interval * 2 + SETTLED).await;
        }
        tokio::time::sleep(Duration::from_mins(30)).await;
        sim.with(|world| traffic.consume(&estate.flows, world));
        run.received = std::mem::take(&mut traffic.received);
        run.sent = (traffic.sent, probes.lock().unwrap().sent);
        let journal = sim.with(|world| world.journal.take()).unwrap_or_default();
        run.problems.extend(judge::refused(&journal));
        run.problems.extend(judge::overdrawn(&journal));
        run.problems.extend(judge::beyond_limits(&policies, &journal, first.len() + 2));
        run.trace = journal.iter().map(line).collect();
        run
    }

    fn options(self, plan: &Plan) -> DaemonOptions {
        let mut executor = ExecutorOptions::default();
        if self.without == Some(Without::KeyPropagation) {
            executor.key_propagation = Duration::ZERO;
        }
        let kms_errors_interval = Duration::from_hours(2);
        DaemonOptions { interval: plan.interval, kms_errors_interval, seed: Some(self.seed), executor, ..DaemonOptions::default() }
    }
}

fn consumers(estate: &Estate) -> Vec<Vec<String>> {
    let of_flow = |flow: &traffic::Flow| (0..flow.consumers.len()).map(|place| traffic::consumer(flow, place)).collect();
    estate.flows.iter().map(of_flow).collect()
}

/// A consumer that got every message without the program also gets those that were sent just after its writes.
fn lost_after_a_write(alone: &Run, with: &Run) -> Vec<String> {
    let (sent, probes) = (alone.sent.0, with.sent.1);
    let mut problems = Vec::new();
    for (flow, consumers) in with.consumers.iter().enumerate() {
        for consumer in consumers {
            let (Some(before), Some(now)) = (alone.received.get(consumer), with.received.get(consumer)) else { continue };
            if !(1..=sent).all(|number| before.contains(&traffic::message(flow, number))) {
                continue;
            }
            let lost: Vec<u64> = (1..=probes).filter(|number| !now.contains(&traffic::probe(flow, *number))).collect();
            if !lost.is_empty() {
                problems.push(format!("{consumer}: what was sent just after writes {:?} of {probes} is lost", &lost[..lost.len().min(5)]));
            }
        }
    }
    problems
}

fn line(entry: &JournalEntry) -> String {
    format!("{} {} {} {} {} {:?}", entry.at.0, entry.service, entry.operation, entry.request.0, judge::text(&entry.request.1), entry.status)
}

/// A life after its faults have stopped and two passes have gone by.
struct Settling<'a> {
    sim: &'a Sim,
    policies: &'a PolicySet,
    interval: Duration,
    ledger: &'a Ledger,
}

impl Settling<'_> {
    /// Nothing is left to do, and nothing is done. Where the policy limits a cycle, work that waits for the next may take
    /// as many passes as there are steps.
    async fn settle(&self, estate: &Estate, traffic: &mut Traffic, run: &mut Run) {
        let mut left = self.left().await;
        for _ in 0..MOST_CYCLES {
            if left.waiting == 0 {
                break;
            }
            tokio::time::sleep(self.interval * 2).await;
            self.sim.with(|world| traffic.consume(&estate.flows, world));
            left = self.left().await;
        }
        if !left.open.is_empty() {
            run.problems.push(format!("after two passes without faults there is work left: {:?}", left.open));
        }
        let writes = self.sim.with(|world| world.writes());
        tokio::time::sleep(self.interval * 2 + SETTLED).await;
        let more = self.sim.with(|world| world.writes()) - writes;
        if more > 0 {
            run.problems.push(format!("{more} writes were made after everything was settled"));
        }
    }

    async fn left(&self) -> Left {
        let account = Reach::new(self.sim).accounts().await.unwrap().remove(0);
        let clock = LoopClock::starting_at(i64::try_from(self.sim.now().seconds()).unwrap());
        let since = clock.now() - 24 * 3600;
        let calls = self.ledger.encryption_calls(everseal_controller::Account::scope(&account), since).await.unwrap();
        let memory = Mutex::new(Memory::starting(clock.now()).with_encryption_calls(calls));
        let seen = pass::run(&account, &Surroundings { policies: self.policies, memory: &memory, clock }).await;
        let limited = seen.plan.steps.iter().any(|step| step.gate.as_ref().is_some_and(|block| block.name == Gate::BlastRadius));
        let open: Vec<String> = seen.plan.steps.iter().filter(|step| step.gate.is_none()).map(|step| step.summary.clone()).collect();
        let limits = &self.policies.policies[0].spec.limits;
        let limits = limits.max_changes_per_cycle.is_some() || limits.max_changes_percent.is_some();
        Left { waiting: if limits { open.len() + usize::from(limited) } else { 0 }, open }
    }
}

/// Work that is left.
struct Left {
    /// Steps that nothing stops.
    open: Vec<String>,
    /// How many of the steps may only wait for the next cycle.
    waiting: usize,
}
