//! `path-sealed`: findings on whole paths, once the plan is known.
//!
//! One for each managed resource at which data enters from somebody whom no rule is for. Only what belongs to no single
//! resource is drift here: a hop over plain HTTP, a need that fails, a setting that stops data. How a resource stores data
//! and what it accepts is that resource's own check. Nothing is found where facts were not read: a path of which something
//! is unknown is neither compliant nor drifted, unless a hop is certainly bad.

use std::collections::{BTreeMap, BTreeSet};

use super::after::after;
use super::model::{Graph, Hop, HopId, HopKind, Node, PathState, Trouble, TroubleKind};
use super::nodes::{self, Ruled};
use super::report::Paths;
use super::run::Run;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::gates::finish;
use crate::plan::step::Gate;
use crate::plan::{Context, Plan};
use crate::{Arn, Check, Finding, Service, State};

const CHECK: Check = Check::PathSealed;
/// Reasons that one finding tells; the others are counted.
const MOST_REASONS: usize = 3;
/// Nodes that are looked at for the reasons of one finding.
const MOST_LOOKED_AT: usize = 2_000;

/// Judges the paths of an inventory whose neighbours were read, and adds their findings and proposals to `plan`. `None`
/// where they were not read: nothing is said then.
pub fn judge(cx: &Context<'_>, plan: &mut Plan) -> Option<Paths> {
    if !cx.inventory.path_facts.tell_of_paths() {
        return None;
    }
    let later = after(cx, plan);
    let later = later.as_ref().unwrap_or(cx.inventory);
    let paths = Paths::between(cx.policies, &[cx.inventory], &[later]);
    let mut draft = Draft::default();
    Judging::new(cx, plan, &paths).judge(&mut draft);
    let Plan { findings, steps, unmanaged: _, wanted_facts: _, helpful_facts: _, migrations: _ } = finish(cx, draft);
    plan.findings.extend(findings);
    plan.findings.sort_by(|a, b| (a.service, &a.resource, a.check).cmp(&(b.service, &b.resource, b.check)));
    plan.steps.extend(steps);
    Some(paths)
}

/// Hops by one of their ends.
type Arrows<'p> = BTreeMap<&'p str, Vec<&'p HopId>>;

struct Judging<'p> {
    cx: &'p Context<'p>,
    /// Topics whose own check reports what they deliver over plain HTTP.
    reported: BTreeSet<&'p Arn>,
    paths: &'p Paths,
    onward: Arrows<'p>,
    inward: Arrows<'p>,
    managed: BTreeMap<String, (Service, Ruled)>,
    /// The worst that each node reaches after the plan.
    worst: BTreeMap<&'p str, PathState>,
    /// Nodes from which a bad hop is reached.
    bad: BTreeSet<&'p str>,
}

impl<'p> Judging<'p> {
    fn new(cx: &'p Context<'p>, plan: &'p Plan, paths: &'p Paths) -> Self {
        let (mut onward, mut inward) = (Arrows::new(), Arrows::new());
        for id in paths.after.hops.keys() {
            onward.entry(id.0.as_str()).or_default().push(id);
            inward.entry(id.1.as_str()).or_default().push(id);
        }
        let reports = |finding: &&Finding| finding.check == Check::SnsHttpSubscription && finding.state != State::Compliant;
        let reported = plan.findings.iter().filter(reports).map(|finding| &finding.resource).collect();
        let mut judging = Self {
            cx,
            reported,
            paths,
            onward,
            inward,
            managed: managed(cx),
            worst: super::trace::worst(&paths.after),
            bad: BTreeSet::new(),
        };
        let mut open: Vec<&str> =
            paths.after.hops.values().filter(|hop| judging.bad_of(hop).next().is_some()).map(|hop| hop.from.as_str()).collect();
        while let Some(node) = open.pop() {
            if judging.bad.insert(node) {
                open.extend(judging.inward.get(node).into_iter().flatten().map(|id| id.0.as_str()));
            }
        }
        judging
    }

    fn judge(&self, draft: &mut Draft) {
        // What flows from a managed resource is that one's path, whatever stands between.
        let mut behind: BTreeSet<&str> = BTreeSet::new();
        for id in self.managed.keys() {
            self.run_on(self.onward.get(id.as_str()).into_iter().flatten().map(|id| id.1.as_str()).collect(), &mut behind);
        }
        let mut judged: BTreeSet<&str> = BTreeSet::new();
        for entered in [true, false] {
            for (id, (service, ruled)) in &self.managed {
                let outside: Vec<&Hop> = self.hops(self.inward.get(id.as_str())).filter(|hop| !self.is_ours(&hop.from, &behind)).collect();
                // At last rings that nothing enters: they begin at their first resource.
                let begins =
                    if entered { !outside.is_empty() || !self.inward.contains_key(id.as_str()) } else { !judged.contains(id.as_str()) };
                let Some((id, _)) = self.paths.after.nodes.get_key_value(id).filter(|_| begins) else { continue };
                let Ok(arn) = Arn::parse(id) else { continue };
                self.run_on(vec![id], &mut judged);
                self.judge_entry(draft, &self.subject(&arn, *service, ruled), &outside);
            }
        }
    }

    fn is_ours(&self, id: &str, behind: &BTreeSet<&str>) -> bool {
        self.managed.contains_key(id) || behind.contains(id)
    }

    /// Adds everything that is reached from `open`.
    fn run_on(&self, mut open: Vec<&'p str>, reached: &mut BTreeSet<&'p str>) {
        while let Some(node) = open.pop() {
            if reached.insert(node) {
                open.extend(self.onward.get(node).into_iter().flatten().map(|id| id.1.as_str()));
            }
        }
    }

    fn subject(&self, arn: &Arn, service: Service, ruled: &Ruled) -> Subject {
        let scope = &self.cx.inventory.scope;
        Subject {
            resource: arn.clone(),
            service,
            account: scope.account.clone(),
            region: scope.region.clone(),
            policy: ruled.policy.clone(),
            rule: ruled.rule.clone(),
            mode: ruled.mode,
        }
    }

    fn judge_entry(&self, draft: &mut Draft, subject: &Subject, outside: &[&'p Hop]) {
        let Some((id, _)) = self.paths.after.nodes.get_key_value(subject.resource.as_str()) else { return };
        let mut words =
            Words { expected: "encrypted at rest and in transit all the way, and everybody on it gets through".into(), ..Words::default() };
        let bad = self.reasons(id, outside);
        if let Some((first, _)) = bad.first() {
            words.actual = format!("{}: {}", first.state, first.what);
            words.message = match first.state {
                PathState::Broken => "Data does not get through on this path.".to_owned(),
                PathState::Exposed | PathState::Unknown | PathState::Sealed => "Data on this path travels in clear text.".to_owned(),
            };
            return draft.drifted(subject, CHECK, words, vec![remedy(&bad)]);
        }
        let hops = outside.iter().map(|hop| hop.state()).max().unwrap_or(PathState::Sealed);
        let origins =
            outside.iter().filter_map(|hop| self.paths.after.nodes.get(&hop.from)).map(Node::state).max().unwrap_or(PathState::Sealed);
        let state = self.worst.get(id.as_str()).copied().unwrap_or(PathState::Unknown).max(hops).max(origins);
        if state == PathState::Sealed {
            let now = self.paths.now.nodes.get(id).map(|_| self.now(id, outside));
            words.actual = if now == Some(PathState::Sealed) { "sealed".into() } else { "sealed once the plan's steps are made".into() };
            draft.compliant(subject, CHECK, words);
        }
    }

    /// How the same stands before the plan.
    fn now(&self, id: &str, outside: &[&Hop]) -> PathState {
        let hops = outside.iter().filter_map(|hop| self.paths.now.hops.get(&hop.id())).map(Hop::state).max().unwrap_or(PathState::Sealed);
        let reached = self.reach(id);
        let nodes = reached.iter().filter_map(|id| self.paths.now.nodes.get(*id)).map(Node::state).max().unwrap_or(PathState::Sealed);
        let onward = reached.iter().flat_map(|id| self.onward.get(id).into_iter().flatten());
        let onward = onward.filter_map(|id| self.paths.now.hops.get(*id)).map(Hop::state).max().unwrap_or(PathState::Sealed);
        hops.max(nodes).max(onward)
    }

    fn hops(&self, ids: Option<&Vec<&'p HopId>>) -> impl Iterator<Item = &'p Hop> + use<'p> {
        let graph: &'p Graph = &self.paths.after;
        ids.cloned().unwrap_or_default().into_iter().filter_map(|id| graph.hops.get(id))
    }

    /// What of a hop belongs to no single resource, and is certain.
    fn bad_of<'h>(&self, hop: &'h Hop) -> impl Iterator<Item = &'h Trouble> + use<'h> {
        let reported = hop.kind == HopKind::Subscription && self.reported.iter().any(|topic| topic.as_str() == hop.from);
        let is_bad = move |trouble: &&Trouble| {
            let certain = matches!(trouble.state, PathState::Broken | PathState::Exposed);
            certain && !(reported && trouble.kind == TroubleKind::InTransit)
        };
        hop.troubles.iter().filter(is_bad)
    }

    /// Bad hops into the resource from outside, and everywhere that its data goes.
    fn reasons(&self, id: &'p str, outside: &[&'p Hop]) -> Vec<(&'p Trouble, &'p Hop)> {
        let mut found: Vec<(&Trouble, &Hop)> = outside.iter().flat_map(|hop| self.bad_of(hop).map(|trouble| (trouble, *hop))).collect();
        if self.bad.contains(id) {
            for node in self.reach(id) {
                let hops = self.hops(self.onward.get(node));
                found.extend(hops.flat_map(|hop| self.bad_of(hop).map(move |trouble| (trouble, hop))));
            }
        }
        found.sort_by_key(|(trouble, _)| std::cmp::Reverse(trouble.state));
        found
    }

    fn reach(&self, from: &'p str) -> Vec<&'p str> {
        let (mut reached, mut order, mut open) = (BTreeSet::new(), Vec::new(), vec![from]);
        while let Some(node) = open.pop().filter(|_| order.len() < MOST_LOOKED_AT) {
            if reached.insert(node) {
                order.push(node);
                open.extend(self.onward.get(node).into_iter().flatten().rev().map(|id| id.1.as_str()));
            }
        }
        order
    }
}

fn remedy(bad: &[(&Trouble, &Hop)]) -> Remedy {
    let reasons: Vec<String> = bad
        .iter()
        .take(MOST_REASONS)
        .map(|(trouble, hop)| {
            let Trouble { state, kind: _, what, cure } = trouble;
            let cure = if cure.is_empty() { String::new() } else { format!(" {}", cure.trim_end_matches('.')) };
            format!("{} → {} ({}) is {state}: {what}.{cure}", hop.from, hop.to, hop.kind)
        })
        .collect();
    let more = bad.len().saturating_sub(MOST_REASONS);
    let more = if more == 0 { String::new() } else { format!(" And {more} more: see everseal paths.") };
    let mut remedy = Remedy::manual("mend the path by hand", String::new());
    remedy.block = Some(crate::plan::Block { name: Gate::Path, reason: format!("{}{more}", reasons.join(" ")) });
    remedy
}

/// Resources on paths that a rule is for, with that rule.
fn managed(cx: &Context<'_>) -> BTreeMap<String, (Service, Ruled)> {
    let inventories = [cx.inventory];
    let run = Run::new(cx.policies, &inventories);
    let inventory = cx.inventory;
    let mut managed = BTreeMap::new();
    let mut note = |arn: &Arn, service: Service, asked: nodes::Asked| {
        if let Some(ruled) = asked.ruled.filter(|_| !asked.unsure) {
            managed.insert(arn.to_string(), (service, ruled));
        }
    };
    inventory.buckets.values().for_each(|bucket| note(&bucket.arn, Service::S3, nodes::asked_of_bucket(&run, inventory, bucket)));
    inventory.queues.values().for_each(|queue| note(&queue.arn, Service::Sqs, nodes::asked_of_queue(&run, inventory, queue)));
    inventory.topics.values().for_each(|topic| note(&topic.arn, Service::Sns, nodes::asked_of_topic(&run, inventory, topic)));
    for stream in inventory.delivery_streams.values() {
        note(&stream.arn, Service::Firehose, nodes::asked_of_delivery_stream(&run, inventory, stream));
    }
    for stream in inventory.data_streams.values() {
        note(&stream.arn, Service::Kinesis, nodes::asked_of_data_stream(&run, inventory, stream));
    }
    managed
}
