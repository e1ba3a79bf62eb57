//! A simulated account with databases in use, and the daemon at work in it, in virtual time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use everseal_controller::cycle::make_asked;
use everseal_controller::ledger::{Actor, Ledger};
use everseal_controller::{Clock as LoopClock, DaemonOptions, Executor, ExecutorOptions, Memory, Status, Surroundings, pass};
use everseal_planner::plan::{Context, Past};
use everseal_planner::policy::{self, Source};
use everseal_planner::rds::migration;
use everseal_planner::rds::migration::report::{MigrationReport, Stage};
use everseal_planner::{Inventory, PolicySet};
use everseal_sim::rds::Connection;
use everseal_sim::wire::xml::Element;
use everseal_sim::{Clock, Moment, Settings, Sim, User, World};
use object_store::memory::InMemory;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::simulated::{HOME, Process, REGION, Reach, daemon};

/// Saturday, 2026-11-28, 22:00 UTC: four hours before the window of these tests opens.
pub const BEGINS: i64 = 1_795_910_400 - 2 * 3600;
/// A security group that lets nobody in.
pub const CLOSED: &str = "sg-0c105ed0";
/// Clients act this often.
const TICK: Duration = Duration::from_secs(20);

pub const MINUTE: Duration = Duration::from_mins(1);
pub const HOUR: Duration = Duration::from_hours(1);
pub const DAY: Duration = Duration::from_hours(24);

/// A policy with this migration; the key is made by Everseal itself.
pub fn policy(migration: &str) -> Arc<PolicySet> {
    let text = format!(
        "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: {{ name: test }}\nspec:\n  mode: enforce\n  \
         keys: [{{ alias: alias/finance }}]\n  rds:\n    - name: databases\n      atRest: {{ encrypted: true, key: alias/finance, \
         migration: {migration} }}\n"
    );
    let loaded = policy::load(&[Source { file: "test.yaml".to_owned(), text }], BEGINS);
    Arc::new(loaded.unwrap_or_else(|errors| panic!("{errors:#?}")).set)
}

/// A switch by snapshot whose clients Everseal cuts off.
pub const ISOLATE: &str = "{ action: cutover, method: snapshot, window: 'Sun 02:00-08:00 UTC', approvedBy: { orders: Ada }, \
     writes: isolate, isolationSecurityGroup: sg-0c105ed0, keepOldFor: 7d }";

pub fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:rds:{REGION}:{HOME}:{kind}:{name}")
}

pub fn admin() -> User {
    User::administrator(HOME, REGION)
}

/// A call of the administrator; its result element.
pub fn ask(world: &mut World, operation: &str, members: &[(&str, &str)]) -> Result<Element, String> {
    let answer = admin().query(world, "rds", operation, members).map_err(|error| format!("{operation}: {error}"))?;
    Ok(answer.first(&format!("{operation}Result")).cloned().unwrap_or_default())
}

pub fn ok(world: &mut World, operation: &str, members: &[(&str, &str)]) -> Element {
    ask(world, operation, members).unwrap_or_else(|error| panic!("{error}"))
}

/// The description of an instance.
pub fn instance(world: &mut World, name: &str) -> Option<Element> {
    let listed = ask(world, "DescribeDBInstances", &[("DBInstanceIdentifier", name)]).ok()?;
    listed.first("DBInstances")?.first("DBInstance").cloned()
}

pub fn cluster(world: &mut World, name: &str) -> Option<Element> {
    let listed = ask(world, "DescribeDBClusters", &[("DBClusterIdentifier", name)]).ok()?;
    listed.first("DBClusters")?.first("DBCluster").cloned()
}

/// Identifiers of all instances and manual snapshots, sorted: what is there is what nobody left behind.
pub fn everything(world: &mut World) -> BTreeSet<String> {
    let lists = [
        ("DescribeDBInstances", "DBInstances", "DBInstance", "DBInstanceIdentifier"),
        ("DescribeDBClusters", "DBClusters", "DBCluster", "DBClusterIdentifier"),
        ("DescribeDBSnapshots", "DBSnapshots", "DBSnapshot", "DBSnapshotIdentifier"),
        ("DescribeDBClusterSnapshots", "DBClusterSnapshots", "DBClusterSnapshot", "DBClusterSnapshotIdentifier"),
        ("DescribeBlueGreenDeployments", "BlueGreenDeployments", "member", "BlueGreenDeploymentName"),
    ];
    let mut found = BTreeSet::new();
    for (operation, list, item, name) in lists {
        let members: &[(&str, &str)] = if operation.contains("Snapshots") { &[("SnapshotType", "manual")] } else { &[] };
        let answer = ok(world, operation, members);
        let items = answer.first(list).into_iter().flat_map(|list| list.all(item));
        found.extend(items.filter_map(|item| item.value(name)).map(str::to_owned));
    }
    found
}

pub fn security_groups(described: &Element) -> Vec<String> {
    let groups = described.first("VpcSecurityGroups").into_iter().flat_map(|list| list.all("VpcSecurityGroupMembership"));
    groups.filter_map(|group| group.value("VpcSecurityGroupId")).map(str::to_owned).collect()
}

/// Tags by `key=value`.
pub fn tags(described: &Element) -> BTreeSet<String> {
    let tags = described.first("TagList").into_iter().flat_map(|list| list.all("Tag"));
    tags.map(|tag| format!("{}={}", tag.value("Key").unwrap_or_default(), tag.value("Value").unwrap_or_default())).collect()
}

/// An application that writes to a database by its host name, and counts only what the database has acknowledged.
pub struct Writer {
    host: String,
    connection: Option<Connection>,
    /// It closes its connection after so many rows, as pools do; `None`: it never does by itself.
    rows_per_connection: Option<usize>,
    on_this_connection: usize,
    pub acknowledged: Vec<String>,
    /// It still wants to write.
    pub writes: bool,
    number: u32,
    /// Ticks without an acknowledgement, in a row, the most there were.
    pub longest_outage: u32,
    outage: u32,
}

impl Writer {
    pub fn of(world: &mut World, arn: &str, rows_per_connection: Option<usize>) -> Self {
        let host = world.db_endpoint(arn).unwrap();
        Self {
            host,
            connection: None,
            rows_per_connection,
            on_this_connection: 0,
            acknowledged: Vec::new(),
            writes: true,
            number: 0,
            longest_outage: 0,
            outage: 0,
        }
    }

    /// The application shuts down.
    pub fn stop(&mut self, world: &mut World) {
        self.writes = false;
        self.hang_up(world);
    }

    fn hang_up(&mut self, world: &mut World) {
        if let Some(connection) = self.connection.take() {
            world.disconnect(&connection);
        }
    }

    fn tick(&mut self, world: &mut World) {
        if !self.writes {
            return;
        }
        if self.rows_per_connection.is_some_and(|most| self.on_this_connection >= most) {
            self.hang_up(world);
        }
        if self.connection.is_none() {
            self.connection = world.connect(&self.host).ok();
            self.on_this_connection = 0;
        }
        self.number += 1;
        let row = format!("{} {}", self.host.split('.').next().unwrap(), self.number);
        let written = self.connection.as_ref().is_some_and(|connection| world.write_on(connection, &row).is_ok());
        if written {
            self.acknowledged.push(row);
            self.on_this_connection += 1;
            self.outage = 0;
        } else {
            self.hang_up(world);
            self.outage += 1;
            self.longest_outage = self.longest_outage.max(self.outage);
        }
    }
}

/// Where a person steers a migration to.
#[derive(Debug, Clone, Copy)]
pub enum Direction {
    Abort,
    Resume,
}

/// Everything that a test watches.
pub struct Rig {
    pub sim: Sim,
    pub policies: watch::Sender<Arc<PolicySet>>,
    pub status: Status,
    pub writers: Vec<Writer>,
    process: Process,
    /// Stages that were seen, in order, each once in a row, as `name stage`.
    pub stages: Vec<String>,
}

impl Rig {
    /// A world that `seed` fills, an hour old, and a daemon that has just started.
    pub async fn start(migration: &str, seed: impl FnOnce(&mut World)) -> Self {
        let rig = Self::without_daemon(migration, seed).await;
        rig.start_daemon();
        rig
    }

    pub async fn without_daemon(migration: &str, seed: impl FnOnce(&mut World)) -> Self {
        fastrand::seed(7);
        let clock = Clock::starting_at(Moment(u64::try_from(BEGINS - 3600).unwrap() * 1000));
        let sim = Sim::new(Settings { seed: 7, ..Settings::default() }, clock);
        sim.with(seed);
        let driving = sim.clone();
        tokio::spawn(async move { driving.drive().await });
        tokio::time::sleep(HOUR).await;
        sim.with(|world| world.close_security_group(HOME, REGION, CLOSED));
        let clock = LoopClock::starting_at(BEGINS);
        let status = Status::new(clock);
        let process = Process {
            ledger: Ledger::new(Arc::new(InMemory::new()), object_store::path::Path::default()),
            clock,
            // Long: what a migration waits for must be noticed between two full passes.
            options: DaemonOptions { seed: Some(7), interval: MINUTE * 30, ..DaemonOptions::default() },
            status: status.clone(),
        };
        let (policies, _) = watch::channel(policy(migration));
        Self { sim, policies, status, writers: Vec::new(), process, stages: Vec::new() }
    }

    /// One more daemon, with the same ledger.
    pub fn start_daemon(&self) {
        tokio::spawn(daemon(self.sim.clone(), self.policies.subscribe(), self.process.clone()));
    }

    /// Another policy is in force.
    pub fn policy(&self, migration: &str) {
        self.policies.send(policy(migration)).unwrap();
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        self.sim.with(work)
    }

    pub fn write_to(&mut self, arn: &str, rows_per_connection: Option<usize>) {
        let writer = self.sim.with(|world| Writer::of(world, arn, rows_per_connection));
        self.writers.push(writer);
    }

    pub fn report(&self, name: &str) -> Option<MigrationReport> {
        self.status.scopes().iter().flat_map(|scope| &scope.migrations).find(|report| report.name == name).cloned()
    }

    pub fn stage(&self, name: &str) -> Option<Stage> {
        self.report(name).map(|report| report.stage)
    }

    /// Time passes; clients write.
    pub async fn pass(&mut self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            // Days go by in longer steps: what happens in minutes is over by then.
            let step = left.min(if left > HOUR * 3 { MINUTE * 5 } else { TICK });
            tokio::time::sleep(step).await;
            left -= step;
            self.look();
        }
    }

    fn look(&mut self) {
        let Self { sim, writers, .. } = self;
        sim.with(|world| writers.iter_mut().for_each(|writer| writer.tick(world)));
        let reports: Vec<String> = self
            .status
            .scopes()
            .iter()
            .flat_map(|scope| &scope.migrations)
            .map(|report| format!("{} {}", report.name, report.stage))
            .collect();
        for report in reports {
            let name = report.split(' ').next().unwrap();
            let last = self.stages.iter().rev().find(|seen| seen.split(' ').next() == Some(name));
            if last != Some(&report) {
                self.stages.push(report);
            }
        }
    }

    /// Time passes until `reached`, at most `most`; panics where it is not.
    pub async fn until(&mut self, what: &str, most: Duration, mut reached: impl FnMut(&Self) -> bool) {
        let mut waited = Duration::ZERO;
        while !reached(self) {
            assert!(waited < most, "not within {most:?}: {what}\n{}", self.story());
            self.pass(TICK).await;
            waited += TICK;
        }
    }

    pub async fn until_stage(&mut self, name: &str, stage: Stage, most: Duration) {
        self.until(&format!("{name} is {stage}"), most, |rig| rig.stage(name) == Some(stage)).await;
    }

    /// Seconds since the daemon's beginning.
    pub fn now(&self) -> i64 {
        i64::try_from(self.sim.now().seconds()).unwrap()
    }

    /// Time passes until this moment, in seconds after midnight of the Sunday.
    pub async fn until_sunday(&mut self, hours: f64) {
        let at = 1_795_910_400 + Duration::from_secs_f64(hours * 3600.0).as_secs();
        let left = at.saturating_sub(self.sim.now().seconds());
        self.pass(Duration::from_secs(left)).await;
    }

    /// `everseal migrations abort`, or `resume`: its steps, each with how it ended.
    pub async fn steer(&self, name: &str, direction: Direction) -> Result<Vec<String>, String> {
        let account = Reach::new(&self.sim).accounts().await.unwrap().remove(0);
        let policies = Arc::clone(&self.policies.borrow());
        let (clock, options, stop) = (self.process.clock, ExecutorOptions::default(), CancellationToken::new());
        let memory = Mutex::new(Memory::starting(clock.now()));
        let around = Surroundings { policies: &policies, memory: &memory, clock };
        let pass = pass::run(&account, &around).await;
        let report = pass.plan.migrations.iter().find(|report| report.name == name).expect("it is being migrated");
        let propose = |inventory: &Inventory| {
            let cx = Context { policies: &policies, inventory, now: clock.now(), past: &Past::default() };
            match direction {
                Direction::Abort => migration::abort(&cx, &report.database),
                Direction::Resume => migration::resume(&cx, &report.database),
            }
        };
        propose(&pass.inventory)?;
        let executor =
            Executor { account: &account, around, ledger: &self.process.ledger, actor: Actor::CommandLine, options: &options, stop: &stop };
        let reports = make_asked(&executor, pass.inventory.clone(), &|inventory| propose(inventory).unwrap_or_default(), &|_| {}).await;
        Ok(reports.iter().map(|report| format!("{}: {}", report.summary, report.result.words())).collect())
    }

    /// Rows that were acknowledged to a writer and that the database does not hold.
    pub fn lost(&self, writer: usize, arn: &str) -> Vec<String> {
        let rows: BTreeSet<String> = self.sim.with(|world| world.rows(arn)).unwrap_or_default().into_iter().collect();
        self.writers[writer].acknowledged.iter().filter(|row| !rows.contains(*row)).cloned().collect()
    }

    /// For failures: what was seen.
    pub fn story(&self) -> String {
        let reports: Vec<MigrationReport> = self.status.scopes().iter().flat_map(|scope| scope.migrations.clone()).collect();
        let errors: Vec<Option<String>> = self.status.scopes().iter().map(|scope| scope.last_error.clone()).collect();
        let changes: Vec<String> = self
            .status
            .recent_changes()
            .iter()
            .map(|entry| format!("{} {} {}", entry.intent.at_millis / 1000 - BEGINS, entry.intent.action, entry.intent.summary))
            .collect();
        let steps: Vec<String> = self
            .status
            .scopes()
            .iter()
            .flat_map(|scope| &scope.steps)
            .map(|step| format!("{} {} {:?}", step.action, step.summary, step.gate))
            .collect();
        format!(
            "stages {:?}\nreports {reports:#?}\nerrors {errors:?}\nsteps {steps:#?}\nchanges {changes:#?}\nnow {}",
            self.stages,
            self.now() - BEGINS
        )
    }
}
