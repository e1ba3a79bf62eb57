//! An account in memory for tests of the loop: it holds a true inventory, changes it as AWS would,
//! and fails, forgets, delays and shows old values where a test tells it to.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use everseal_planner::firehose::observed::StreamEncryption;
use everseal_planner::inventory::{DeliveryStream, DeliveryStreamDescription, ErrorClass, Queue, QueueAttributes, Unreadable};
use everseal_planner::plan::{Change, Reads, Target};
use everseal_planner::policy::{self, Source};
use everseal_planner::rds::migration::report::{MigrationReport, Stage, Way};
use everseal_planner::{Arn, Inventory, PolicySet, Reading, Scope, Service, sim};
use object_store::memory::InMemory;
use object_store::path::Path;
use prometheus::Registry;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::account::{Account, ApplyError, KmsErrorPoint};
use crate::clock::Clock;
use crate::cycle::{self, Applied};
use crate::executor::{Executor, ExecutorOptions};
use crate::ledger::{Actor, Entry, Filter, Ledger};
use crate::metrics::Metrics;
use crate::pass::{self, Memory, Pass, Surroundings};

/// 2026-11-24 12:00:00 UTC.
pub(crate) const NOON: i64 = 1_795_521_600;

pub(crate) fn scope() -> Scope {
    Scope { partition: "aws".to_owned(), account: "111122223333".to_owned(), region: "eu-west-1".to_owned() }
}

pub(crate) fn queue_arn(name: &str) -> Arn {
    scope().arn("sqs", name)
}

pub(crate) fn queue(name: &str) -> Queue {
    Queue {
        arn: queue_arn(name),
        url: format!("https://sqs.eu-west-1.amazonaws.com/111122223333/{name}"),
        attributes: Reading::Known(QueueAttributes::default()),
        tags: Reading::NotRead,
    }
}

/// A Direct PUT stream with a customer managed key.
pub(crate) fn customer_key_stream(name: &str) -> DeliveryStream {
    DeliveryStream {
        arn: scope().arn("firehose", &format!("deliverystream/{name}")),
        name: name.to_owned(),
        description: Reading::Known(DeliveryStreamDescription {
            stream_type: "DirectPut".to_owned(),
            status: "ACTIVE".to_owned(),
            version_id: "1".to_owned(),
            created_at: None,
            encryption: StreamEncryption {
                status: "ENABLED".to_owned(),
                key_type: Some("CUSTOMER_MANAGED_CMK".to_owned()),
                kms_key: Some(scope().arn("kms", "key/1").to_string()),
                failure: None,
            },
            source_stream: None,
            source_role: None,
            destinations: Vec::new(),
        }),
        tags: Reading::NotRead,
        kms_errors: Reading::NotRead,
    }
}

pub(crate) fn inventory(queues: &[&str]) -> Inventory {
    let mut inventory = Inventory::empty(scope(), NOON);
    inventory.queues.extend(queues.iter().map(|name| (queue_arn(name), queue(name))));
    inventory.aliases = Reading::Known(BTreeMap::new());
    inventory.keys_awaiting_alias = Reading::Known(BTreeMap::new());
    inventory
}

pub(crate) fn policies(spec: &str) -> Arc<PolicySet> {
    let text = format!("apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: {{ name: test }}\nspec:\n{spec}");
    let loaded = policy::load(&[Source { file: "test.yaml".to_owned(), text }], NOON);
    Arc::new(loaded.unwrap_or_else(|errors| panic!("{errors:#?}")).set)
}

/// Every queue with SSE-SQS.
pub(crate) const SEALED_QUEUES: &str = "  mode: enforce\n  sqs:\n    - { name: queues, atRest: { encryption: SSE-SQS } }\n";

/// A database on its way to an encrypted copy.
pub(crate) fn migration(name: &str, stage: Stage) -> MigrationReport {
    MigrationReport {
        database: scope().arn("rds", &format!("db:{name}")),
        name: name.to_owned(),
        way: Way::Snapshot,
        stage,
        since: None,
        times_out_at: None,
        wakes_at: None,
        percent: None,
        copy: None,
        message: String::new(),
        blocked: None,
        differences: Vec::new(),
        by_hand: Vec::new(),
    }
}

/// What goes wrong with one change.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// AWS refuses.
    Refuse(ErrorClass),
    /// The change is made, the answer is lost.
    LoseAnswer,
    /// The process dies before the change reaches AWS: the call never returns.
    DieBefore,
    /// The process dies after the change was made.
    DieAfter,
    /// A bug in the adapter.
    Panic,
    /// The change is made and accepted; reads show the former state this long.
    ShowOldFor(Duration),
    /// The change takes this long.
    TakeLong(Duration),
}

/// One call that reached the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    ObserveAll,
    Observe(BTreeSet<Arn>, bool),
    Apply(Arn, &'static str),
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) truth: Inventory,
    pub(crate) stale: Option<(Instant, Inventory)>,
    pub(crate) faults: BTreeMap<Arn, VecDeque<Fault>>,
    pub(crate) calls: Vec<Call>,
    pub(crate) unlisted: BTreeMap<Service, Unreadable>,
    /// Reading these panics, this often.
    pub(crate) panics: BTreeMap<Arn, u32>,
    /// A full pass takes this long; it shows what there was when it began.
    pub(crate) observe_takes: Duration,
    /// How often what lies beside resources was asked for.
    pub(crate) path_reads: usize,
    pub(crate) points: Result<Vec<KmsErrorPoint>, Unreadable>,
    /// Changes being made now, and the most there were of one resource at a time.
    pub(crate) in_hand: BTreeMap<Arn, usize>,
    pub(crate) most_in_hand: usize,
}

/// The account in memory.
#[derive(Debug)]
pub(crate) struct FakeAws {
    scope: Scope,
    world: Mutex<World>,
}

impl FakeAws {
    pub(crate) fn new(truth: Inventory) -> Arc<Self> {
        Arc::new(Self {
            scope: truth.scope.clone(),
            world: Mutex::new(World {
                truth,
                stale: None,
                faults: BTreeMap::new(),
                calls: Vec::new(),
                unlisted: BTreeMap::new(),
                panics: BTreeMap::new(),
                observe_takes: Duration::ZERO,
                path_reads: 0,
                points: Ok(Vec::new()),
                in_hand: BTreeMap::new(),
                most_in_hand: 0,
            }),
        })
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn fault(&self, resource: &Arn, fault: Fault) {
        self.world().faults.entry(resource.clone()).or_default().push_back(fault);
    }

    pub(crate) fn writes(&self) -> Vec<(Arn, &'static str)> {
        let calls = self.world().calls.clone();
        calls.into_iter().filter_map(|call| if let Call::Apply(arn, action) = call { Some((arn, action)) } else { None }).collect()
    }

    pub(crate) fn full_passes(&self) -> usize {
        self.world().calls.iter().filter(|call| **call == Call::ObserveAll).count()
    }

    pub(crate) fn is_sealed(&self, queue: &str) -> bool {
        self.world().truth.queues[&queue_arn(queue)].attributes.known().unwrap().sqs_managed_sse
    }

    pub(crate) fn unseal(&self, queue: &str) {
        self.world().truth.queues.insert(queue_arn(queue), self::queue(queue));
    }
}

fn error(class: ErrorClass) -> ApplyError {
    ApplyError { class, operation: "Test".to_owned(), code: format!("{class:?}"), message: "told to".to_owned(), missing_action: None }
}

pub(crate) fn unreadable(class: ErrorClass) -> Unreadable {
    Unreadable { class, operation: "ListTest".to_owned(), missing_action: None, message: "told to".to_owned() }
}

impl Account for FakeAws {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn observe(&self, target: &Target, reads: &Reads) -> Inventory {
        let (takes, at_first) = {
            let world = self.world();
            (world.observe_takes, world.truth.clone())
        };
        if *target == Target::Everything && !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        let mut world = self.world();
        world.path_reads += usize::from(reads.path_facts);
        let stale = world.stale.as_ref().filter(|(until, _)| *until > Instant::now()).map(|(_, shown)| shown.clone());
        let shown = stale.unwrap_or(at_first);
        world.calls.push(match target {
            Target::Everything => Call::ObserveAll,
            Target::Resources(arns) => Call::Observe(arns.clone(), reads.gate_facts),
        });
        let wanted = |arn: &Arn| match target {
            Target::Everything => true,
            Target::Resources(arns) => arns.contains(arn),
        };
        let bugs: Vec<Arn> = world.panics.iter().filter(|(arn, left)| **left > 0 && wanted(arn)).map(|(arn, _)| arn.clone()).collect();
        if let (Some(bug), Target::Resources(_)) = (bugs.first(), target) {
            *world.panics.get_mut(bug).unwrap() -= 1;
            drop(world);
            panic!("a bug, as the test wants");
        }
        let unlisted = world.unlisted.clone();
        drop(world);
        only(shown, target, reads, &unlisted, wanted)
    }

    async fn apply(&self, resource: &Arn, change: &Change) -> Result<(), ApplyError> {
        let fault = {
            let mut world = self.world();
            world.calls.push(Call::Apply(resource.clone(), change.action()));
            let in_hand = world.in_hand.entry(resource.clone()).or_default();
            *in_hand += 1;
            let in_hand = *in_hand;
            world.most_in_hand = world.most_in_hand.max(in_hand);
            world.faults.get_mut(resource).and_then(VecDeque::pop_front)
        };
        let make = || sim::make(&mut self.world().truth, resource, change);
        let result = match fault {
            None => {
                make();
                Ok(())
            }
            Some(Fault::Refuse(class)) => Err(error(class)),
            Some(Fault::LoseAnswer) => {
                make();
                Err(error(ErrorClass::Unavailable))
            }
            Some(Fault::DieBefore) => std::future::pending().await,
            Some(Fault::DieAfter) => {
                make();
                std::future::pending().await
            }
            Some(Fault::Panic) => panic!("a bug, as the test wants"),
            Some(Fault::ShowOldFor(time)) => {
                let old = self.world().truth.clone();
                make();
                self.world().stale = Some((Instant::now() + time, old));
                Ok(())
            }
            Some(Fault::TakeLong(time)) => {
                tokio::time::sleep(time).await;
                make();
                Ok(())
            }
        };
        *self.world().in_hand.get_mut(resource).unwrap() -= 1;
        result
    }

    async fn kms_error_points(&self, streams: &[String], from: i64, to: i64) -> Result<Vec<KmsErrorPoint>, Unreadable> {
        let points = self.world().points.clone()?;
        Ok(points.into_iter().filter(|point| streams.contains(&point.stream) && (from..to).contains(&point.at)).collect())
    }
}

/// What an observation of `target` would bring of all that is shown.
fn only(
    shown: Inventory,
    target: &Target,
    reads: &Reads,
    unlisted: &BTreeMap<Service, Unreadable>,
    wanted: impl Fn(&Arn) -> bool,
) -> Inventory {
    let mut seen = Inventory::empty(shown.scope.clone(), shown.observed_at);
    let listed = |service: Service| {
        let asked = matches!(target, Target::Resources(_)) || reads.services.contains(&service);
        asked && !unlisted.contains_key(&service)
    };
    if listed(Service::Sqs) {
        seen.queues.extend(shown.queues.into_iter().filter(|(arn, _)| wanted(arn)));
    }
    if listed(Service::Rds) {
        seen.db_instances.extend(shown.db_instances.into_iter().filter(|(arn, _)| wanted(arn)));
    }
    if listed(Service::Sns) {
        seen.topics.extend(shown.topics.into_iter().filter(|(arn, _)| wanted(arn)));
    }
    if listed(Service::Firehose) {
        seen.delivery_streams.extend(shown.delivery_streams.into_iter().filter(|(arn, _)| wanted(arn)));
    }
    if listed(Service::S3) {
        seen.buckets.extend(shown.buckets.into_iter().filter(|(arn, _)| wanted(arn)));
        for bucket in seen.buckets.values_mut().filter(|_| !reads.gate_facts) {
            bucket.website = Reading::NotRead;
            bucket.log_delivery_acl = Reading::NotRead;
            bucket.replication = Reading::NotRead;
            bucket.notifications = Reading::NotRead;
            bucket.public_access = Reading::NotRead;
        }
        for bucket in seen.buckets.values_mut().filter(|_| !reads.path_facts) {
            bucket.logging_target = Reading::NotRead;
        }
    }
    if reads.path_facts {
        seen.path_facts = shown.path_facts;
    }
    if reads.subscriptions {
        seen.subscriptions = shown.subscriptions;
    }
    if listed(Service::Kms) {
        let aliases = matches!(target, Target::Everything)
            || matches!(target, Target::Resources(arns) if arns.iter().any(|arn| arn.resource().starts_with("alias/")));
        seen.keys.extend(shown.keys.into_iter().filter(|(arn, _)| aliases || wanted(arn)));
        if aliases {
            seen.aliases = shown.aliases;
            seen.keys_awaiting_alias = shown.keys_awaiting_alias;
        }
    }
    seen.unlisted.extend(unlisted.iter().filter(|(service, _)| reads.services.contains(service)).map(|(s, why)| (*s, why.clone())));
    seen
}

/// Everything that a test of passes and steps needs, in one process's life.
pub(crate) struct Bench {
    pub(crate) account: Arc<FakeAws>,
    pub(crate) policies: Arc<PolicySet>,
    pub(crate) memory: Mutex<Memory>,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    pub(crate) options: ExecutorOptions,
    pub(crate) stop: CancellationToken,
}

impl Bench {
    pub(crate) fn new(truth: Inventory, spec: &str) -> Self {
        let clock = Clock::starting_at(NOON);
        Self {
            account: FakeAws::new(truth),
            policies: policies(spec),
            memory: Mutex::new(Memory::starting(NOON)),
            clock,
            ledger: Ledger::new(Arc::new(InMemory::new()), Path::default()),
            options: ExecutorOptions::default(),
            stop: CancellationToken::new(),
        }
    }

    pub(crate) fn around(&self) -> Surroundings<'_> {
        Surroundings { policies: &self.policies, memory: &self.memory, clock: self.clock }
    }

    pub(crate) fn executor(&self) -> Executor<'_, FakeAws> {
        Executor {
            account: &self.account,
            around: self.around(),
            ledger: &self.ledger,
            actor: Actor::CommandLine,
            options: &self.options,
            stop: &self.stop,
        }
    }

    pub(crate) async fn pass(&self) -> Pass {
        pass::run(&*self.account, &self.around()).await
    }

    /// One `everseal apply`.
    pub(crate) async fn apply(&self) -> Applied {
        let pass = self.pass().await;
        cycle::apply(&self.executor(), pass, &|_| {}).await
    }

    /// The process starts again: what it remembered is gone, the ledger and AWS stay.
    pub(crate) fn restart(&mut self) {
        self.memory = Mutex::new(Memory::starting(self.clock.now()));
    }

    pub(crate) async fn recorded(&self) -> Vec<Entry> {
        self.ledger.latest(Filter::default(), usize::MAX).await.unwrap()
    }
}

pub(crate) fn metrics(clock: Clock) -> (Arc<Metrics>, Registry) {
    let registry = Registry::new();
    (Arc::new(Metrics::register(&registry, clock).unwrap()), registry)
}

/// The value of a series, by name and the labels given; the sum where several match.
pub(crate) fn value(registry: &Registry, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let family = registry.gather().into_iter().find(|family| family.name() == name)?;
    let matches = |metric: &&prometheus::proto::Metric| {
        labels.iter().all(|(name, value)| metric.get_label().iter().any(|label| label.name() == *name && label.value() == *value))
    };
    let values: Vec<f64> = family
        .get_metric()
        .iter()
        .filter(matches)
        .map(|metric| match family.get_field_type() {
            prometheus::proto::MetricType::COUNTER => metric.get_counter().get_value(),
            prometheus::proto::MetricType::HISTOGRAM => f64::from(u32::try_from(metric.get_histogram().get_sample_count()).unwrap()),
            _ => metric.get_gauge().get_value(),
        })
        .collect();
    if values.is_empty() { None } else { Some(values.iter().sum()) }
}
