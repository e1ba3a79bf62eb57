//! What a scope's loop knows: its inventory and the plan made from it.
//!
//! The inventory is kept whole, because a change event plans from it again; of the plan, what is
//! compliant is counted and dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use everseal_planner::paths::Beside;
use everseal_planner::plan::{Gate, Step, StepId};
use everseal_planner::rds::migration::report::{MigrationReport, Stage};
use everseal_planner::{Arn, Check, Inventory, Plan, Reading, Service, State};

use crate::cycle::is_executable;
use crate::executor::{Aliases, Seen};
use crate::tally::Tally;
use tokio::time::Instant;

/// The state of one scope between units of work.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) inventory: Option<Inventory>,
    /// The latest plan, without its compliant findings.
    pub(super) plan: Plan,
    /// What lies beside the inventory's resources on data paths, as it was read last, for paths alone.
    pub(super) beside: Option<Beside>,
    /// When that was asked for, and under which revision of the policies.
    beside_asked: Option<(Instant, String)>,
    /// Changes of the inventory so far, and how many of them the plan has seen.
    observed: u64,
    planned: u64,
    /// What was seen since the running resync began to observe: it is newer than what that will bring.
    since_resync: Option<Vec<Seen>>,
    /// When each drift was first seen, in Unix time.
    first_seen: BTreeMap<(Arn, Check), i64>,
    /// Steps that are not begun again in this cycle: they were made, or can only fail again.
    pub(super) held: BTreeSet<StepId>,
    /// Steps of migrations that were made, until their database is looked at again: AWS takes its time, and the same kind of
    /// step may come again in the same cycle.
    pub(super) made: BTreeSet<StepId>,
    pub(super) aliases: Arc<Aliases>,
    /// Places of the plan's executable steps, by resource and by id.
    steps_of: BTreeMap<Arn, Vec<usize>>,
    place_of: BTreeMap<StepId, usize>,
    /// How long planning took last.
    pub(super) plan_took: Duration,
    /// The revision of the policies that the plan was made from.
    revision: String,
}

/// The numbers of a plan that was just taken in.
pub(super) struct Planned {
    pub(super) tally: Tally,
    pub(super) drift_since: BTreeMap<(Service, Check), i64>,
}

impl View {
    /// Paths are to be read again: it is time, or the policies ask about other resources.
    pub(super) fn paths_are_due(&mut self, interval: Duration, revision: &str) -> bool {
        let fresh = |(at, under): &(Instant, String)| at.elapsed() < interval && under == revision;
        let due = !interval.is_zero() && !self.beside_asked.as_ref().is_some_and(fresh);
        if due {
            self.beside_asked = Some((Instant::now(), revision.to_owned()));
        }
        due
    }

    pub(super) fn resync_begins(&mut self) {
        self.since_resync = Some(Vec::new());
        self.held.clear();
        self.made.clear();
    }

    /// Replaces the inventory by a full observation, and puts what was seen meanwhile on top of it.
    pub(super) fn resync_observed(&mut self, mut inventory: Inventory) {
        for seen in self.since_resync.take().unwrap_or_default() {
            inventory.absorb(seen.inventory, &seen.targets);
        }
        if let Some(beside) = Beside::take(&mut inventory) {
            self.beside = Some(beside);
        }
        self.inventory = Some(inventory);
        self.touch();
    }

    /// Takes in a partial observation.
    pub(super) fn absorb(&mut self, seen: Seen) {
        if let Some(inventory) = &mut self.inventory {
            inventory.absorb(seen.inventory.clone(), &seen.targets);
        }
        if let Some(since) = &mut self.since_resync {
            since.push(seen);
        }
        self.touch();
    }

    /// The inventory changed: the plan is out of date.
    pub(super) fn touch(&mut self) {
        self.observed += 1;
    }

    /// The plan is what these policies say of this inventory.
    pub(super) fn is_planned(&self, revision: &str) -> bool {
        self.planned == self.observed && self.revision == revision
    }

    /// Takes over a plan made from the inventory as it is now.
    pub(super) fn adopt(&mut self, mut plan: Plan, revision: &str, now: i64) -> Planned {
        self.planned = self.observed;
        revision.clone_into(&mut self.revision);
        let tally = Tally::of(&plan);
        plan.findings.retain(|finding| finding.state != State::Compliant);
        let mut first_seen = BTreeMap::new();
        let mut drift_since: BTreeMap<(Service, Check), i64> = BTreeMap::new();
        for finding in plan.findings.iter().filter(|finding| finding.state == State::Drifted) {
            let key = (finding.resource.clone(), finding.check);
            let since = self.first_seen.get(&key).copied().unwrap_or(now);
            let oldest = drift_since.entry((finding.service, finding.check)).or_insert(since);
            *oldest = since.min(*oldest);
            first_seen.insert(key, since);
        }
        self.first_seen = first_seen;
        if let Some(inventory) = &self.inventory
            && *self.aliases != inventory.aliases
        {
            self.aliases = Arc::new(inventory.aliases.clone());
        }
        self.plan = plan;
        self.index();
        Planned { tally, drift_since }
    }

    fn index(&mut self) {
        self.steps_of.clear();
        self.place_of.clear();
        for (place, step) in self.plan.steps.iter().enumerate().filter(|(_, step)| is_executable(step)) {
            self.steps_of.entry(step.resource.clone()).or_default().push(place);
            self.place_of.insert(step.id.clone(), place);
        }
    }

    /// A step on another resource comes first.
    fn waits(&self, step: &Step) -> bool {
        let needed = |need: &StepId| self.place_of.get(need).is_some_and(|place| self.plan.steps[*place].resource != step.resource);
        step.needs.iter().any(needed)
    }

    fn is_ready(&self, step: &Step) -> bool {
        !self.held.contains(&step.id) && !self.made.contains(&step.id) && !self.waits(step)
    }

    /// Steps of a resource that may be begun now: they were not tried yet, and what they need on other resources is made.
    pub(super) fn ready_steps(&self, resource: &Arn) -> Vec<Step> {
        let steps = self.steps_of.get(resource).into_iter().flatten().map(|place| &self.plan.steps[*place]);
        steps.filter(|step| self.is_ready(step)).cloned().collect()
    }

    /// Resources that have a step that may be begun now.
    pub(super) fn ready_resources(&self) -> BTreeSet<Arn> {
        let ready = |places: &Vec<usize>| places.iter().any(|place| self.is_ready(&self.plan.steps[*place]));
        self.steps_of.iter().filter(|(_, places)| ready(places)).map(|(resource, _)| resource.clone()).collect()
    }

    /// A resource has steps, whether they may be begun or not.
    pub(super) fn has_steps(&self, resource: &Arn) -> bool {
        self.plan.steps.iter().any(|step| step.resource == *resource)
    }

    /// Steps to the resource may be begun again in this cycle.
    pub(super) fn try_again(&mut self, resource: &Arn) {
        // A resource's several steps of one kind are told apart by what follows a `#`.
        let (end, part) = (format!(":{resource}"), format!(":{resource}#"));
        self.held.retain(|id| !id.0.ends_with(&end) && !id.0.contains(&part));
    }

    /// The resource is a database on its way to an encrypted copy.
    pub(super) fn is_migrating(&self, resource: &Arn) -> bool {
        self.plan.migrations.iter().any(|report| report.database == *resource)
    }

    /// Migrations, each with whether it goes on without anybody's help: a step may be made and was not tried in vain, or AWS
    /// is at work on something.
    pub(super) fn migrations(&self) -> impl Iterator<Item = (&MigrationReport, bool)> {
        self.plan.migrations.iter().map(|report| {
            let own = self.plan.steps.iter().filter(|step| step.resource == report.database && step.check == Check::RdsEncryption);
            (report, own.into_iter().any(|step| self.goes_on(report, step)))
        })
    }

    fn goes_on(&self, report: &MigrationReport, step: &Step) -> bool {
        match &step.gate {
            None => step.change.is_some() && !self.held.contains(&step.id),
            // An old database is kept for days.
            Some(gate) => gate.name == Gate::NotReady && step.change.is_none() && report.stage != Stage::KeepingOld,
        }
    }

    /// The copy of a database that is being migrated.
    pub(super) fn copy_of(&self, database: &Arn) -> Option<Arn> {
        let report = self.plan.migrations.iter().find(|report| report.database == *database)?;
        let (kind, _) = database.resource().split_once(':')?;
        let copy = format!("{kind}:{}", report.copy.as_deref()?);
        Some(Arn::new(database.partition(), database.service(), database.region(), database.account(), &copy))
    }

    /// Every database that is known.
    pub(super) fn databases(&self) -> BTreeSet<Arn> {
        let of = |inventory: &Inventory| inventory.db_instances.keys().chain(inventory.db_clusters.keys()).cloned().collect::<Vec<_>>();
        self.inventory.iter().flat_map(of).collect()
    }

    /// A check of the resource could not be judged.
    pub(super) fn is_unknown(&self, resource: &Arn) -> bool {
        self.plan.findings.iter().any(|finding| finding.resource == *resource && finding.state == State::Unknown)
    }
}

/// An inventory that holds nothing but the delivery streams of this one.
pub(super) fn streams_only(inventory: &Inventory) -> Inventory {
    let mut streams = Inventory::empty(inventory.scope.clone(), inventory.observed_at);
    streams.delivery_streams.clone_from(&inventory.delivery_streams);
    streams.aliases = Reading::NotRead;
    streams
}
