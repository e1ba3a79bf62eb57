//! Paths as Graphviz: `everseal paths --dot | dot -Tsvg`.

use std::fmt::Write;

use crate::paths::Paths;
use crate::paths::model::{Hop, Node, NodeKind, PathState, Transport};

/// The whole graph as it stands now; what becomes of it after the plan stands in the labels.
pub fn paths_dot(paths: &Paths) -> String {
    let mut out = String::from(
        "digraph everseal {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", style=filled, fillcolor=white];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for node in paths.now.nodes.values() {
        let after = paths.after.nodes.get(&node.id).map_or(PathState::Unknown, Node::state);
        let mut lines = vec![node.name().to_owned(), node.kind.id().to_owned()];
        lines.extend(Some(&node.at_rest).filter(|words| !words.is_empty()).cloned());
        lines.extend(node.key.clone());
        lines.extend(change(node.state(), after));
        let _ = writeln!(
            out,
            "  {} [label={}, shape={}, color={}, tooltip={}];",
            quoted(&node.id),
            quoted(&lines.join("\n")),
            shape(node.kind),
            colour(node.state()),
            quoted(&tooltip(&node.id, node.troubles.iter().map(|trouble| trouble.what.as_str())))
        );
    }
    for hop in paths.now.hops.values() {
        let after = paths.after.hops.get(&hop.id()).map_or(PathState::Unknown, Hop::state);
        let mut lines = vec![hop.kind.id().to_owned()];
        lines.extend((hop.transport != Transport::Tls).then(|| hop.transport.id().to_owned()));
        lines.extend(change(hop.state(), after));
        let _ = writeln!(
            out,
            "  {} -> {} [label={}, color={}, style={}, tooltip={}];",
            quoted(&hop.from),
            quoted(&hop.to),
            quoted(&lines.join("\n")),
            colour(hop.state()),
            if hop.state() == PathState::Broken { "dashed" } else { "solid" },
            quoted(&tooltip(hop.kind.id(), hop.troubles.iter().map(|trouble| trouble.what.as_str())))
        );
    }
    out.push_str("}\n");
    out
}

fn change(now: PathState, after: PathState) -> Option<String> {
    match (now, after) {
        (PathState::Sealed, PathState::Sealed) => None,
        (now, after) if now == after => Some(now.id().to_owned()),
        (now, after) => Some(format!("{now} now, {after} after the plan")),
    }
}

fn tooltip<'a>(first: &'a str, troubles: impl Iterator<Item = &'a str>) -> String {
    std::iter::once(first).chain(troubles).collect::<Vec<_>>().join("\n")
}

const fn colour(state: PathState) -> &'static str {
    match state {
        PathState::Sealed => "darkgreen",
        PathState::Unknown => "goldenrod",
        PathState::Exposed => "red",
        PathState::Broken => "purple",
    }
}

const fn shape(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Bucket => "cylinder",
        NodeKind::Queue | NodeKind::Topic | NodeKind::DeliveryStream | NodeKind::DataStream | NodeKind::Channel => "box",
        NodeKind::EventRule | NodeKind::Distribution | NodeKind::Function | NodeKind::Service | NodeKind::Other => "component",
        NodeKind::Principal | NodeKind::Endpoint | NodeKind::Anybody => "ellipse",
    }
}

/// A quoted string of the DOT language: a quote and a backslash are escaped, a line break is `\n`, other control
/// characters are left out. [Graphviz: The DOT language]
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
