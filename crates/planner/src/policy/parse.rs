//! YAML text, read once into positioned trees.
//!
//! What must never happen here: work or memory out of proportion to the text (aliases are expanded only
//! within [`MAX_WEIGHT`] and [`MAX_DEPTH`]), or recursion on input.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::report::{Position, Report};
use super::tree::{Entry, Item, Node, Value, child_path};

/// Bytes that a file may have: room for about ten thousand rules.
const MAX_FILE_BYTES: usize = 4 << 20;
/// Nodes of a file once its aliases are expanded; long texts weigh more than one.
const MAX_WEIGHT: usize = 400_000;
/// Levels of lists and mappings; the language itself needs eight.
const MAX_DEPTH: usize = 48;

/// Reads all documents of a file that are not empty. What is wrong goes to the report; the
/// documents before a fatal error are returned all the same.
pub(super) fn read(text: &str, report: &mut Report<'_>) -> Vec<Node> {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("the file has {} bytes, more than the {MAX_FILE_BYTES} a policy file may have; split it", text.len());
        report.error(Position::START, "", message);
        return Vec::new();
    }
    let mut builder = Builder { report, documents: Vec::new(), stack: Vec::new(), anchors: HashMap::new(), weight: 0 };
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(syntax_error(&error)),
        };
        if let Err(Fatal { at, message }) = step {
            let path = builder.path();
            builder.report.error(at, path, message);
            break;
        }
    }
    builder.documents
}

/// After this nothing more can be read of the file.
struct Fatal {
    at: Position,
    message: String,
}

fn syntax_error(error: &ScanError) -> Fatal {
    let info = error.info();
    let advice = if info.contains("tab") {
        "; indent with spaces, YAML allows no tabs there"
    } else if info.contains("unknown anchor") {
        "; an alias (`*name`) needs an anchor (`&name`) before it in the same document; put a text that begins with `*` in quotes"
    } else if info.contains("mapping values are not allowed") {
        "; put a text that contains `: ` in quotes, and check the indentation"
    } else if info.contains("end of stream") {
        "; a quote or bracket is opened here and never closed"
    } else {
        "; check indentation, quotes and brackets up to here"
    };
    let at = Position { line: error.marker().line(), column: error.marker().col() + 1 };
    Fatal { at, message: format!("not valid YAML: {info}{advice}") }
}

/// A list or mapping that is not complete yet.
struct Frame {
    at: Position,
    anchor: usize,
    /// Weight of the file when it began.
    before: usize,
    /// Levels below it.
    height: usize,
    open: Open,
}

enum Open {
    List { items: Vec<Item> },
    Map { entries: Vec<Entry>, lines: HashMap<String, usize>, pending: Pending },
}

/// What the next node in a mapping is.
enum Pending {
    Key,
    ValueOf(String, Position),
    /// The value of a key that was reported.
    Ignored,
}

/// An anchored node, with what expanding it costs.
struct Anchored {
    node: Node,
    weight: usize,
    height: usize,
}

struct Builder<'r, 'f> {
    report: &'r mut Report<'f>,
    documents: Vec<Node>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    weight: usize,
}

impl Builder<'_, '_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fatal> {
        let at = Position { line: span.start.line(), column: span.start.col() + 1 };
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Alias(anchor) => self.alias(anchor, at)?,
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), at);
                let weight = 1 + text.len() / 64;
                self.grow(weight, at)?;
                let plain = style == ScalarStyle::Plain;
                let node = Node::new(at, Value::Scalar { text: text.into_owned(), plain });
                self.complete(node, anchor, weight, 0);
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), at);
                self.open(at, anchor, Open::List { items: Vec::new() })?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), at);
                self.open(at, anchor, Open::Map { entries: Vec::new(), lines: HashMap::new(), pending: Pending::Key })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
        Ok(())
    }

    fn refuse_tag(&mut self, tagged: bool, at: Position) {
        if tagged {
            let path = self.path();
            self.report.error(at, path, "YAML tags (`!…`) are not part of the policy language; remove it, and put text in quotes");
        }
    }

    fn grow(&mut self, weight: usize, at: Position) -> Result<(), Fatal> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_WEIGHT {
            let message = format!("with its aliases expanded the file has more than {MAX_WEIGHT} values; use fewer aliases, or split it");
            return Err(Fatal { at, message });
        }
        Ok(())
    }

    fn deep(&self, levels: usize, at: Position) -> Result<(), Fatal> {
        if self.stack.len() + levels > MAX_DEPTH {
            return Err(Fatal { at, message: format!("nested more than {MAX_DEPTH} levels deep; no policy needs that") });
        }
        Ok(())
    }

    fn open(&mut self, at: Position, anchor: usize, open: Open) -> Result<(), Fatal> {
        self.deep(1, at)?;
        let before = self.weight;
        self.grow(1, at)?;
        self.stack.push(Frame { at, anchor, before, height: 0, open });
        Ok(())
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), Fatal> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(Fatal { at, message: "this alias stands inside the value that it refers to, which would never end".to_owned() });
        };
        let (weight, height) = (anchored.weight, anchored.height);
        self.deep(height, at)?;
        self.grow(weight, at)?;
        // `grow` above bounds the sum of all copies.
        let node = self.anchors[&anchor].node.clone();
        self.attach(node, height);
        Ok(())
    }

    fn close(&mut self) {
        let Some(Frame { at, anchor, before, height, open }) = self.stack.pop() else { return };
        let value = match open {
            Open::List { items } => Value::List(items),
            Open::Map { entries, .. } => Value::Map(entries),
        };
        let weight = self.weight - before;
        self.complete(Node::new(at, value), anchor, weight, height + 1);
    }

    fn complete(&mut self, node: Node, anchor: usize, weight: usize, height: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), weight, height });
        }
        self.attach(node, height);
    }

    fn attach(&mut self, node: Node, height: usize) {
        let Some(frame) = self.stack.last_mut() else {
            if !node.is_empty() {
                self.documents.push(node);
            }
            return;
        };
        frame.height = frame.height.max(height);
        match &mut frame.open {
            Open::List { items } => items.push(Item { index: items.len(), node }),
            Open::Map { entries, lines, pending } => match std::mem::replace(pending, Pending::Key) {
                Pending::Key => match key(&node, lines) {
                    Ok(name) => *pending = Pending::ValueOf(name, node.at),
                    Err((name, message)) => {
                        *pending = Pending::Ignored;
                        let path = self.path();
                        self.report.error(node.at, name.map_or_else(|| path.clone(), |name| child_path(&path, &name)), message);
                    }
                },
                Pending::ValueOf(key, at) => {
                    // A value that was not written has no place of its own.
                    let written = node.text() != Some("") || !node.is_empty();
                    let node = if written { node } else { Node { at, ..node } };
                    entries.push(Entry { key, at, node });
                }
                Pending::Ignored => {}
            },
        }
    }

    /// Where the tree is being built.
    fn path(&self) -> String {
        let mut path = String::new();
        for frame in &self.stack {
            match &frame.open {
                Open::List { items } => path = format!("{path}[{}]", items.len()),
                Open::Map { pending: Pending::ValueOf(key, _), .. } => path = child_path(&path, key),
                Open::Map { pending: Pending::Key | Pending::Ignored, .. } => break,
            }
        }
        path
    }
}

/// The name of a field, or what is wrong with it (and the name, if it has one).
fn key(node: &Node, lines: &mut HashMap<String, usize>) -> Result<String, (Option<String>, String)> {
    let Value::Scalar { text, .. } = &node.value else {
        return Err((None, format!("a field's name must be text, this is {}", node.kind())));
    };
    if let Some(first) = lines.get(text) {
        return Err((Some(text.clone()), format!("`{text}` stands twice, on line {first} and on line {}; keep one", node.at.line)));
    }
    lines.insert(text.clone(), node.at.line);
    Ok(text.clone())
}
