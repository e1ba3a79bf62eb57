//! Paths as trees for a terminal: from each origin on, what is not sealed with its reason and its cure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Paint;
use crate::paths::model::{Graph, Hop, HopId, Node, PathState, Transport, Trouble};
use crate::paths::{Path, Paths};

/// Lines of one tree; beyond it, how to see the rest.
const MOST_LINES: usize = 400;

/// All paths as trees, and a summary line.
pub fn paths_text(paths: &Paths, paint: Paint) -> String {
    let mut tree = Tree::new(paths, paint);
    for path in &paths.paths {
        tree.path(path);
    }
    let Tree { mut out, .. } = tree;
    out.push_str(&summary(paths, paint));
    out
}

/// The paths that run through a resource, as `explain` shows them: heading, ways through it, its hops and their needs.
pub fn paths_through(paths: &Paths, id: &str, paint: Paint) -> String {
    let mut tree = Tree::new(paths, paint);
    for path in &paths.paths {
        let through = path.origin == id || path.branches.iter().any(|branch| branch.nodes.iter().any(|node| node == id));
        if through {
            tree.path(path);
        }
    }
    for hop in paths.now.hops.values().filter(|hop| hop.from == id || hop.to == id) {
        tree.needs(hop);
    }
    tree.out
}

struct Tree<'p> {
    paths: &'p Paths,
    paint: Paint,
    onward: BTreeMap<&'p str, Vec<&'p HopId>>,
    out: String,
    lines: usize,
}

impl<'p> Tree<'p> {
    fn new(paths: &'p Paths, paint: Paint) -> Self {
        let mut onward: BTreeMap<&str, Vec<&HopId>> = BTreeMap::new();
        for id in paths.now.hops.keys() {
            onward.entry(id.0.as_str()).or_default().push(id);
        }
        Self { paths, paint, onward, out: String::new(), lines: 0 }
    }

    fn path(&mut self, path: &'p Path) {
        self.lines = 0;
        let heading = format!("{}  {}", self.becomes(path.now, path.after), self.paint.bold(&clean(&path.origin)));
        let _ = writeln!(self.out, "{heading}");
        let mut passed = BTreeSet::new();
        if let Some(node) = self.paths.now.nodes.get(&path.origin) {
            self.node_troubles(node, "  ");
        }
        self.onward(&path.origin, "  ", &mut passed);
        self.out.push('\n');
    }

    /// Draws what follows a node, each node once: a ring, and ways that meet again, end in "as above".
    fn onward(&mut self, from: &'p str, indent: &str, passed: &mut BTreeSet<&'p str>) {
        passed.insert(from);
        let hops = self.onward.get(from).cloned().unwrap_or_default();
        for (index, id) in hops.iter().enumerate() {
            if self.lines >= MOST_LINES {
                if self.lines == MOST_LINES {
                    let _ = writeln!(self.out, "{indent}… more: everseal paths --json has everything");
                    self.lines += 1;
                }
                return;
            }
            self.lines += 1;
            let last = index + 1 == hops.len();
            let Some((hop, node)) = self.paths.now.hops.get(*id).zip(self.paths.now.nodes.get(&id.1)) else { continue };
            let again = passed.contains(node.id.as_str());
            self.hop(hop, node, &format!("{indent}{}", if last { "└─ " } else { "├─ " }), again);
            let deeper = format!("{indent}{}", if last { "   " } else { "│  " });
            self.hop_troubles(hop, &deeper);
            if !again {
                self.node_troubles(node, &deeper);
                self.onward(&node.id, &deeper, passed);
            }
        }
    }

    fn hop(&mut self, hop: &Hop, node: &Node, indent: &str, again: bool) {
        let over = match hop.transport {
            Transport::Tls => String::new(),
            other => format!(" over {other}"),
        };
        let mut told: Vec<String> = vec![node.kind.id().to_owned()];
        told.extend(Some(node.at_rest.clone()).filter(|words| !words.is_empty()));
        told.extend(node.key.clone());
        let again = if again { "  (as above)" } else { "" };
        let about = self.paint.faint(&clean(&format!("{}{again}", told.join(", "))));
        let arrow = self.paint.faint(&format!("{}{over} →", hop.kind));
        let _ = writeln!(self.out, "{indent}{arrow} {}  {about}", clean(node.name()));
    }

    fn node_troubles(&mut self, node: &Node, indent: &str) {
        let later = self.paths.after.nodes.get(&node.id).map(|later| later.troubles.as_slice());
        self.troubles(&node.troubles, later, indent);
    }

    fn hop_troubles(&mut self, hop: &Hop, indent: &str) {
        let later = self.paths.after.hops.get(&hop.id()).map(|later| later.troubles.as_slice());
        self.troubles(&hop.troubles, later, indent);
    }

    /// One line for each trouble, and what ends it: the plan, or the reader.
    fn troubles(&mut self, now: &[Trouble], later: Option<&[Trouble]>, indent: &str) {
        for trouble in now {
            let what = self.state(trouble.state, &format!("{} {}: {}", mark(trouble.state), trouble.state, clean(&trouble.what)));
            let _ = writeln!(self.out, "{indent}{what}");
            let mended = later.is_some_and(|later| later.iter().all(|left| left.kind != trouble.kind));
            if mended {
                let _ = writeln!(self.out, "{indent}  {}", self.paint.green("the plan ends this"));
            } else if !trouble.cure.is_empty() {
                let _ = writeln!(self.out, "{indent}  {}", clean(&trouble.cure));
            }
        }
        let fresh = later.into_iter().flatten().filter(|left| now.iter().all(|trouble| trouble.kind != left.kind));
        for trouble in fresh {
            let _ = writeln!(
                self.out,
                "{indent}{}",
                self.state(trouble.state, &format!("after the plan, {}: {}", trouble.state, clean(&trouble.what)))
            );
        }
    }

    fn needs(&mut self, hop: &Hop) {
        let line = format!("{} → {} ({}, {})", name(&self.paths.now, &hop.from), name(&self.paths.now, &hop.to), hop.kind, hop.transport);
        let _ = writeln!(self.out, "hop {}", clean(&line));
        for need in &hop.needs {
            let line = format!("needs {} on {} for {}: {} ({})", need.actions.join(" and "), need.key, need.role, need.state, need.because);
            let _ = writeln!(self.out, "  {}", clean(&line));
            if !need.context.is_empty() {
                let context: Vec<String> = need.context.iter().map(|(key, values)| format!("{key}={}", values.join("|"))).collect();
                let _ = writeln!(self.out, "    {}", self.paint.faint(&clean(&format!("AWS tells KMS: {}", context.join(", ")))));
            }
        }
    }

    fn becomes(&self, now: PathState, after: PathState) -> String {
        let now_words = self.state(now, &format!("{} {now}", mark(now)));
        if now == after {
            return now_words;
        }
        format!("{now_words} → {} after the plan", self.state(after, &format!("{} {after}", mark(after))))
    }

    fn state(&self, state: PathState, words: &str) -> String {
        match state {
            PathState::Sealed => self.paint.green(words),
            PathState::Unknown => self.paint.yellow(words),
            PathState::Exposed | PathState::Broken => self.paint.red(words),
        }
    }
}

const fn mark(state: PathState) -> &'static str {
    match state {
        PathState::Sealed => "🔒",
        PathState::Unknown => "❔",
        PathState::Exposed => "🔓",
        PathState::Broken => "⛔",
    }
}

fn name(graph: &Graph, id: &str) -> String {
    graph.nodes.get(id).map_or(id, Node::name).to_owned()
}

/// Names come from AWS; nothing in them may move the cursor.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `Paths: 3 sealed, 1 exposed, 0 broken, 0 unknown. After the plan: 4 sealed, …`
fn summary(paths: &Paths, paint: Paint) -> String {
    if paths.paths.is_empty() {
        return "No data paths: nothing that was read sends to, or is read by, anything else.\n".to_owned();
    }
    let count = |of: &dyn Fn(&Path) -> PathState| {
        let count = |state| paths.paths.iter().filter(|path| of(path) == state).count();
        let states = [PathState::Sealed, PathState::Exposed, PathState::Broken, PathState::Unknown];
        states.map(|state| format!("{} {state}", count(state))).join(", ")
    };
    let now = paint.bold(&format!("Paths: {}.", count(&|path| path.now)));
    format!("{now} After the plan: {}.\n", count(&|path| path.after))
}
