//! Paths as people and machines see them: now, and after the plan.

use std::borrow::Cow;

use serde::Serialize;

use super::after::after;
use super::build::graph;
use super::model::{Graph, HopId, PathState};
use super::trace::{Traced, Traces};
use crate::plan::{Context, Past, without_paths};
use crate::{Inventory, PolicySet};

/// Ways that are listed over all origins: beyond it only the origins' states tell.
const MOST_BRANCHES_IN_ALL: usize = 10_000;

/// All paths of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    /// As observed.
    pub now: Graph,
    /// After every step that no gate stops.
    pub after: Graph,
    /// By origin.
    pub paths: Vec<Path>,
}

/// Everything that flows from one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Path {
    /// Where data begins.
    pub origin: String,
    /// The worst on all its ways, as observed.
    pub now: PathState,
    /// The same after the plan.
    pub after: PathState,
    /// The ways from origin to end.
    pub branches: Vec<Branch>,
    /// There are more ways than are listed.
    pub more: bool,
}

/// One way from an origin to an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Branch {
    /// Ids of nodes in the order in which data passes them; where the last stood before, the way is a ring.
    pub nodes: Vec<String>,
    /// The hops between: from, to, kind.
    pub hops: Vec<HopId>,
    /// As observed.
    pub now: PathState,
    /// After the plan.
    pub after: PathState,
}

/// Paths counted by what becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Sealed now.
    pub sealed: u64,
    /// Exposed now, sealed (or not provable) once the plan is made.
    pub exposed: u64,
    /// Broken, or still exposed once the plan is made: a step is blocked, or only a person can help.
    pub blocked: u64,
    /// Not read far enough to tell.
    pub unknown: u64,
}

/// The paths that inventories of one run show together, each inventory planned at the moment when it was observed.
pub fn paths(policies: &PolicySet, inventories: &[&Inventory]) -> Paths {
    let past = Past::default();
    let later: Vec<Cow<'_, Inventory>> = inventories
        .iter()
        .map(|inventory| {
            let cx = Context { policies, inventory, now: inventory.observed_at, past: &past };
            after(&cx, &without_paths(&cx)).map_or(Cow::Borrowed(*inventory), Cow::Owned)
        })
        .collect();
    let later: Vec<&Inventory> = later.iter().map(AsRef::as_ref).collect();
    Paths::between(policies, inventories, &later)
}

impl Paths {
    /// The paths of inventories as observed and as they will be.
    pub fn between(policies: &PolicySet, now: &[&Inventory], later: &[&Inventory]) -> Self {
        let (now, after) = (graph(policies, now), graph(policies, later));
        let mut paths = Vec::new();
        let (traces, later) = (Traces::of(&now), Traces::of(&after));
        let mut listed = 0;
        for origin in traces.origins() {
            let Traced { origin, state, branches, more } = traces.trace(origin);
            let over = listed >= MOST_BRANCHES_IN_ALL;
            listed += branches.len();
            let branches = branches.into_iter().filter(|_| !over).map(|branch| {
                let after = later.state_of(&branch.nodes, &branch.hops);
                Branch { nodes: branch.nodes, hops: branch.hops, now: branch.state, after }
            });
            let branches = branches.collect();
            paths.push(Path { now: state, after: later.state(&origin), origin, branches, more: more || over });
        }
        Self { now, after, paths }
    }

    /// Paths by what becomes of them.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for path in &self.paths {
            *match (path.now, path.after) {
                (PathState::Broken, _) | (PathState::Exposed, PathState::Broken | PathState::Exposed) => &mut tally.blocked,
                (PathState::Exposed, PathState::Sealed | PathState::Unknown) => &mut tally.exposed,
                (PathState::Sealed, _) => &mut tally.sealed,
                (PathState::Unknown, _) => &mut tally.unknown,
            } += 1;
        }
        tally
    }
}
