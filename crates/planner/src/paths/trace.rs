//! From the graph to paths: where data begins, every way it takes from there, and how each stands.
//!
//! An origin is a node that nothing flows into (of a ring that nothing enters: its first node). How an origin stands is
//! reckoned over everything that it reaches, in time that grows with the graph and not with the number of ways through
//! it; the ways themselves are listed up to a bound.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Graph, HopId, PathState};

/// Ways of one origin that are listed; beyond it only the origin's state tells.
pub const MOST_BRANCHES: usize = 100;
/// Hops that are tried in search of them.
const MOST_TRIED: usize = 10_000;

/// One way from an origin to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Nodes in the order in which data passes them; the last closes a ring where the same stands before.
    pub nodes: Vec<String>,
    /// The hops between.
    pub hops: Vec<HopId>,
    /// The worst on this way.
    pub state: PathState,
}

/// Everything that flows from one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// Where data begins.
    pub origin: String,
    /// The worst of all that it reaches.
    pub state: PathState,
    /// The ways, each once, in the order of their nodes.
    pub branches: Vec<Branch>,
    /// There are more ways than are listed.
    pub more: bool,
}

/// A graph with its arrows by where they begin.
pub(crate) struct Traces<'g> {
    graph: &'g Graph,
    onward: BTreeMap<&'g str, Vec<&'g HopId>>,
    /// The worst that each node reaches, itself included.
    worst: BTreeMap<&'g str, PathState>,
}

impl<'g> Traces<'g> {
    pub(crate) fn of(graph: &'g Graph) -> Self {
        let mut onward: BTreeMap<&str, Vec<&HopId>> = BTreeMap::new();
        for id in graph.hops.keys() {
            onward.entry(id.0.as_str()).or_default().push(id);
        }
        let worst = worst(graph);
        Self { graph, onward, worst }
    }

    /// How an origin stands; a node that is not in the graph is not known.
    pub(crate) fn state(&self, origin: &str) -> PathState {
        self.worst.get(origin).copied().unwrap_or(PathState::Unknown)
    }

    fn onward(&self, node: &str) -> &[&'g HopId] {
        self.onward.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    /// Nodes that nothing flows into, and one of each ring that nothing enters.
    pub(crate) fn origins(&self) -> Vec<&'g str> {
        let entered: BTreeSet<&str> = self.graph.hops.keys().filter(|id| id.0 != id.1).map(|id| id.1.as_str()).collect();
        let mut origins: Vec<&str> = self.graph.nodes.keys().map(String::as_str).filter(|id| !entered.contains(id)).collect();
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        for origin in &origins {
            self.reach(origin, &mut reached);
        }
        for id in self.graph.nodes.keys() {
            if !reached.contains(id.as_str()) {
                origins.push(id);
                self.reach(id, &mut reached);
            }
        }
        origins.sort_unstable();
        origins
    }

    fn reach(&self, from: &'g str, reached: &mut BTreeSet<&'g str>) {
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            if reached.insert(node) {
                open.extend(self.onward(node).iter().map(|id| id.1.as_str()));
            }
        }
    }

    /// Every way from `origin`, up to the bounds. A ring is followed once around.
    pub(crate) fn trace(&self, origin: &str) -> Traced {
        let mut traced = Traced { origin: origin.to_owned(), state: self.state(origin), branches: Vec::new(), more: false };
        let mut tried = 0;
        let mut open: Vec<Vec<&'g HopId>> = self.onward(origin).iter().rev().map(|id| vec![*id]).collect();
        while let Some(way) = open.pop() {
            tried += 1;
            if traced.branches.len() == MOST_BRANCHES || tried > MOST_TRIED {
                traced.more = true;
                break;
            }
            let last = way[way.len() - 1].1.as_str();
            let ring = way.iter().any(|id| id.0 == last);
            let next = self.onward(last);
            if ring || next.is_empty() {
                traced.branches.push(self.branch(origin, &way));
            } else {
                open.extend(next.iter().rev().map(|id| way.iter().copied().chain([*id]).collect::<Vec<_>>()));
            }
        }
        traced
    }

    fn branch(&self, origin: &str, way: &[&HopId]) -> Branch {
        let nodes: Vec<String> = std::iter::once(origin.to_owned()).chain(way.iter().map(|id| id.1.clone())).collect();
        let hops: Vec<HopId> = way.iter().map(|id| (*id).clone()).collect();
        let state = self.state_of(&nodes, &hops);
        Branch { nodes, hops, state }
    }

    /// The worst of nodes and hops; what is not in the graph is not known.
    pub(crate) fn state_of(&self, nodes: &[String], hops: &[HopId]) -> PathState {
        let of_nodes = nodes.iter().map(|id| self.graph.nodes.get(id).map_or(PathState::Unknown, super::model::Node::state));
        let of_hops = hops.iter().map(|id| self.graph.hops.get(id).map_or(PathState::Unknown, super::model::Hop::state));
        of_nodes.chain(of_hops).max().unwrap_or(PathState::Sealed)
    }
}

/// The worst that each node reaches: worst first, each state runs back along the arrows from wherever it is found.
pub(super) fn worst(graph: &Graph) -> BTreeMap<&str, PathState> {
    let mut backward: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for id in graph.hops.keys() {
        backward.entry(id.1.as_str()).or_default().push(id.0.as_str());
    }
    let mut worst: BTreeMap<&str, PathState> = BTreeMap::new();
    for state in [PathState::Broken, PathState::Exposed, PathState::Unknown, PathState::Sealed] {
        let nodes = graph.nodes.values().filter(|node| node.state() == state).map(|node| node.id.as_str());
        let mut open: Vec<&str> =
            nodes.chain(graph.hops.values().filter(|hop| hop.state() == state).map(|hop| hop.from.as_str())).collect();
        while let Some(node) = open.pop() {
            if !worst.contains_key(node) {
                worst.insert(node, state);
                open.extend(backward.get(node).into_iter().flatten());
            }
        }
    }
    worst
}
