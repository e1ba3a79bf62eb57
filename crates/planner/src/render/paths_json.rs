//! JSON of paths: `everseal paths --json` and `/api/v1/paths`.
//!
//! Nodes and hops stand once, with what they are and how they stand now and after the plan; paths name them. The shape is
//! part of what users rely on.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::paths::model::{Graph, Hop, HopId, Node, PathState};
use crate::paths::{Branch, Path, Paths};

/// Paths, nodes and hops.
pub fn paths_json(paths: &Paths) -> Value {
    bounded_paths_json(paths, usize::MAX)
}

/// The same of at most `most` paths, those first that are not sealed, with the nodes and hops that these name.
/// `"left"` says how many paths there are beside them.
pub fn bounded_paths_json(paths: &Paths, most: usize) -> Value {
    let mut shown: Vec<&Path> = paths.paths.iter().collect();
    let left = shown.len().saturating_sub(most);
    if left > 0 {
        shown.sort_by_key(|path| std::cmp::Reverse((path.now, path.after)));
        shown.truncate(most);
        shown.sort_by(|a, b| a.origin.cmp(&b.origin));
    }
    let nodes: BTreeSet<&str> = shown.iter().flat_map(|path| path_nodes(path)).collect();
    let hops: BTreeSet<&HopId> = shown.iter().flat_map(|path| &path.branches).flat_map(|branch| &branch.hops).collect();
    let (named, passed) = (|id: &str| left == 0 || nodes.contains(id), |id: &HopId| left == 0 || hops.contains(id));
    let Paths { now, after, paths: _ } = paths;
    json!({
        "summary": { "now": counts(paths.paths.iter().map(|path| path.now)), "after": counts(paths.paths.iter().map(|path| path.after)) },
        "paths": shown.iter().map(|shown| path(shown)).collect::<Vec<_>>(),
        "nodes": now.nodes.values().filter(|seen| named(&seen.id)).map(|seen| node(seen, after)).collect::<Vec<_>>(),
        "hops": now.hops.values().filter(|seen| passed(&seen.id())).map(|seen| hop(seen, after)).collect::<Vec<_>>(),
        "left": left,
    })
}

fn path_nodes(path: &Path) -> impl Iterator<Item = &str> {
    std::iter::once(path.origin.as_str()).chain(path.branches.iter().flat_map(|branch| &branch.nodes).map(String::as_str))
}

fn counts(states: impl Iterator<Item = PathState>) -> Value {
    let mut counts: serde_json::Map<String, Value> = PathState::ALL.iter().map(|state| (state.id().to_owned(), json!(0))).collect();
    for state in states {
        let count = counts.get(state.id()).and_then(Value::as_u64).unwrap_or_default();
        counts.insert(state.id().to_owned(), json!(count + 1));
    }
    Value::Object(counts)
}

fn path(path: &Path) -> Value {
    let Path { origin, now, after, branches, more } = path;
    json!({ "origin": origin, "now": now, "after": after, "branches": branches.iter().map(branch).collect::<Vec<_>>(), "more": more })
}

fn branch(branch: &Branch) -> Value {
    let Branch { nodes, hops, now, after } = branch;
    let kinds: Vec<&str> = hops.iter().map(|(_, _, kind)| kind.id()).collect();
    json!({ "nodes": nodes, "hops": kinds, "now": now, "after": after })
}

fn node(node: &Node, after: &Graph) -> Value {
    let Node { id, kind, at_rest, key, troubles } = node;
    let later = after.nodes.get(id);
    json!({
        "id": id, "kind": kind,
        "now": { "state": node.state(), "atRest": at_rest, "key": key, "troubles": troubles },
        "after": later.map(|later| json!({ "state": later.state(), "atRest": later.at_rest, "key": later.key, "troubles": later.troubles })),
    })
}

fn hop(hop: &Hop, after: &Graph) -> Value {
    let Hop { from, to, kind, by, transport, needs, troubles } = hop;
    let later = after.hops.get(&hop.id());
    json!({
        "from": from, "to": to, "kind": kind, "by": by, "transport": transport,
        "now": { "state": hop.state(), "needs": needs, "troubles": troubles },
        "after": later.map(|later| json!({ "state": later.state(), "needs": later.needs, "troubles": later.troubles })),
    })
}
