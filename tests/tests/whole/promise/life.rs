//! One seed's world, lived through with and without Everseal.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use everseal_aws::{Aws, AwsAccount, ConnectOptions};
use everseal_controller::daemon::Shared;
use everseal_controller::ledger::Ledger;
use everseal_controller::{
    Clock as LoopClock, Connect, Connected, Daemon, DaemonOptions, Memory, Metrics, Status, Surroundings, Unwatched, pass,
};
use everseal_planner::PolicySet;
use everseal_sim::fault::{Fault, FaultRule};
use everseal_sim::world::JournalEntry;
use everseal_sim::{Clock, Moment, Settings, Sim};
use object_store::memory::InMemory;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::estate::{Estate, HOME, REGION};
use super::traffic::{Received, Traffic};
use super::{judge, policy};

/// 2026-11-29, in seconds since the Unix epoch.
const BEGINS: i64 = 1_795_910_400;
/// Producers send and consumers look this often.
const TICK: Duration = Duration::from_mins(20);
/// Beside two passes: the time that they take.
const SETTLED: Duration = Duration::from_mins(2);

/// A seed's life.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    pub seed: u64,
    /// A safeguard of planning that is switched off.
    pub without: Option<everseal_planner::plan::mutation::Safeguard>,
}

/// What a life brought.
#[derive(Debug, Default)]
pub struct Run {
    pub received: Received,
    pub trace: Vec<String>,
    /// What must not have happened.
    pub problems: Vec<String>,
}

/// Simulated time for the SDK.
#[derive(Debug)]
struct SimTime(Sim);

impl TimeSource for SimTime {
    fn now(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + Duration::from_millis(self.0.now().0)
    }
}

/// The way into the simulated account; each has a client of its own, which may die.
struct Reach {
    sim: Sim,
    client: SharedHttpClient,
}

impl Reach {
    fn new(sim: &Sim) -> Self {
        Self { sim: sim.clone(), client: SharedHttpClient::new(sim.http_client()) }
    }

    async fn accounts(&self) -> Result<Vec<AwsAccount>, everseal_aws::ConnectError> {
        let credentials = Credentials::new(HOME, "secret", None, None, "simulated");
        let options = ConnectOptions {
            fallback_region: Some(REGION.to_owned()),
            http_client: Some(self.client.clone()),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            time_source: Some(SharedTimeSource::new(SimTime(self.sim.clone()))),
        };
        let aws = Aws::connect(options, Arc::new(Unwatched)).await?;
        aws.account(None, &[REGION.to_owned()]).await
    }
}

impl Connect for Reach {
    type Account = AwsAccount;

    async fn connect(&self, _: &PolicySet) -> Connected<AwsAccount> {
        match self.accounts().await {
            Ok(accounts) => Connected { accounts: accounts.into_iter().map(Arc::new).collect(), failures: Vec::new() },
            Err(error) => Connected { accounts: Vec::new(), failures: vec![error.to_string()] },
        }
    }
}

/// What chance decides of a life.
struct Plan {
    ticks: u32,
    /// Faults happen in the first so many ticks.
    troubled: u32,
    interval: Duration,
    faults: Vec<FaultRule>,
}

impl Life {
    pub const fn of(seed: u64) -> Self {
        Self { seed, without: None }
    }

    /// Lives twice and compares. `Err`: what must not be.
    pub fn judged(self) -> Result<(), String> {
        let alone = self.without_everseal();
        let with = self.with_everseal();
        let mut problems = with.problems;
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
        if problems.is_empty() {
            return Ok(());
        }
        problems.truncate(6);
        Err(format!("{}\npolicy:\n{}", problems.join("\n  "), policy::text(self.seed)))
    }

    fn plan(self) -> Plan {
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
            let facts =
                [("kms", "GetKeyPolicy"), ("s3", "GetBucket*"), ("firehose", "DescribeDeliveryStream"), ("sns", "ListSubscriptions")];
            let (service, operation) = facts[rng.usize(0..facts.len())];
            faults.insert(0, FaultRule { until, ..FaultRule::always(Fault::Deny).on(service, operation) });
        }
        let interval = Duration::from_mins(rng.u64(20..150));
        let settled = u32::try_from(interval.as_secs().div_ceil(TICK.as_secs())).unwrap() * 3 + 6;
        Plan { ticks: troubled + settled, troubled, interval, faults }
    }

    pub fn without_everseal(self) -> Run {
        self.live(false)
    }

    pub fn with_everseal(self) -> Run {
        self.live(true)
    }

    fn live(self, with: bool) -> Run {
        fastrand::seed(self.seed);
        everseal_planner::plan::mutation::switch_off(if with { self.without } else { None });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let run = runtime.block_on(self.lived(with));
        runtime.shutdown_background();
        everseal_planner::plan::mutation::switch_off(None);
        run
    }

    async fn lived(self, with: bool) -> Run {
        let clock = Clock::starting_at(Moment(u64::try_from(BEGINS).unwrap() * 1000));
        let sim = Sim::new(Settings { seed: self.seed, ..Settings::default() }, clock);
        let mut estate = sim.with(|world| Estate::raise(self.seed, world));
        let plan = self.plan();
        let policies = Arc::new(policy::of(self.seed, BEGINS));
        tokio::time::sleep(Duration::from_mins(5)).await;
        let driving = sim.clone();
        tokio::spawn(async move { driving.drive().await });
        let loop_clock = LoopClock::starting_at(BEGINS + 300);
        if with {
            sim.with(|world| {
                world.journal = Some(Vec::new());
                world.faults.rules.clone_from(&plan.faults);
            });
            tokio::spawn(everseal(sim.clone(), Arc::clone(&policies), plan.interval, loop_clock, self.seed));
        }
        let mut run = Run::default();
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
            settle(&sim, &policies, plan.interval, &mut run).await;
        } else {
            tokio::time::sleep(plan.interval * 2 + SETTLED).await;
        }
        tokio::time::sleep(Duration::from_mins(30)).await;
        sim.with(|world| traffic.consume(&estate.flows, world));
        run.received = std::mem::take(&mut traffic.received);
        let journal = sim.with(|world| world.journal.take()).unwrap_or_default();
        run.problems.extend(judge::refused(&journal));
        run.trace = journal.iter().map(line).collect();
        estate.flows.clear();
        run
    }
}

fn line(entry: &JournalEntry) -> String {
    format!("{} {} {} {} {} {:?}", entry.at.0, entry.service, entry.operation, entry.request.0, judge::text(&entry.request.1), entry.status)
}

/// After faults have stopped and two passes have gone by: nothing is left to do, and nothing is done.
async fn settle(sim: &Sim, policies: &PolicySet, interval: Duration, run: &mut Run) {
    let account = Reach::new(sim).accounts().await.unwrap().remove(0);
    let clock = LoopClock::starting_at(i64::try_from(sim.now().seconds()).unwrap());
    let memory = Mutex::new(Memory::starting(clock.now()));
    let seen = pass::run(&account, &Surroundings { policies, memory: &memory, clock }).await;
    let open: Vec<String> = seen.plan.steps.iter().filter(|step| step.gate.is_none()).map(|step| step.summary.clone()).collect();
    if !open.is_empty() {
        run.problems.push(format!("after two passes without faults there is work left: {open:?}"));
    }
    let writes = sim.with(|world| world.writes());
    tokio::time::sleep(interval * 2 + SETTLED).await;
    let more = sim.with(|world| world.writes()) - writes;
    if more > 0 {
        run.problems.push(format!("{more} writes were made after everything was settled"));
    }
}

/// The daemon, started again whenever a fault lets it die.
async fn everseal(sim: Sim, policies: Arc<PolicySet>, interval: Duration, clock: LoopClock, seed: u64) {
    let ledger = Ledger::new(Arc::new(InMemory::new()), object_store::path::Path::default());
    loop {
        let metrics = Arc::new(Metrics::register(&prometheus::Registry::new(), clock).unwrap());
        let options =
            DaemonOptions { interval, kms_errors_interval: Duration::from_hours(2), seed: Some(seed), ..DaemonOptions::default() };
        let shared = Shared { ledger: ledger.clone(), metrics, status: Status::new(clock), prober: None, clock, options: Arc::new(options) };
        let (_keep, receiver) = watch::channel(Arc::clone(&policies));
        let stop = CancellationToken::new();
        let daemon = Daemon::new(Reach::new(&sim), receiver, shared);
        tokio::select! {
            () = daemon.run(stop.clone()) => return,
            () = sim.crashed() => stop.cancel(),
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
}
