//! Shape: fields, kinds, words and ranges, judged against the JSON Schema that is made from the types.
//!
//! Whatever is wrong is reported and taken out of the tree, so that the meaning of the rest can still
//! be judged. The field lists live in `model` alone: what must never happen here is a second list.

use serde_json::Value as Json;

use super::report::{Position, Report};
use super::tree::{Entry, Health, Item, Node, Plain, Value, child_path, plain_kind};
use super::words;

/// A walk over one document.
pub(super) struct Shape<'s, 'r, 'f> {
    schema: &'s Json,
    report: &'r mut Report<'f>,
}

impl<'s, 'r, 'f> Shape<'s, 'r, 'f> {
    pub(super) fn new(schema: &'s Json, report: &'r mut Report<'f>) -> Self {
        Self { schema, report }
    }

    /// What is right of a document; `None` if it is not a mapping at all.
    pub(super) fn document(&mut self, node: Node) -> Option<Node> {
        if self.is_foreign(&node) {
            return None;
        }
        self.mapping(node, self.schema, "").map(|(node, _)| node)
    }

    /// Whether the document is of quite another kind, of whose fields nothing can be said.
    fn is_foreign(&mut self, node: &Node) -> bool {
        let known = words_of(&self.schema["properties"]["kind"]);
        let Some(kind) =
            node.get("kind").filter(|kind| kind.text().is_some_and(|kind| words::nearest(kind, known.iter().copied()).is_none()))
        else {
            return false;
        };
        for (field, node) in [("apiVersion", node.get("apiVersion")), ("kind", Some(kind))] {
            if let Some(node) = node {
                let _ = self.prune(node.clone(), &self.schema["properties"][field], field);
            }
        }
        true
    }

    /// What is right of a node; `None` if it cannot be used.
    fn prune(&mut self, node: Node, schema: &'s Json, path: &str) -> Option<Node> {
        let schema = self.resolve(schema);
        let words = words_of(schema);
        if !words.is_empty() {
            return self.word(node, &words, path);
        }
        match schema["type"].as_str() {
            Some("object") => self.mapping(node, schema, path).and_then(|(node, complete)| complete.then_some(node)),
            Some("array") => self.list(node, schema, path),
            Some("integer") => self.integer(node, schema, path),
            Some("boolean") => self.boolean(node, path),
            _ => self.text(node, schema, path),
        }
    }

    fn resolve(&self, schema: &'s Json) -> &'s Json {
        let definition = schema["$ref"].as_str().and_then(|reference| self.schema.pointer(reference.trim_start_matches('#')));
        definition.unwrap_or(schema)
    }

    /// What is right of a mapping, and whether everything that its type requires is there.
    fn mapping(&mut self, node: Node, schema: &'s Json, path: &str) -> Option<(Node, bool)> {
        let Node { at, value, mut health } = node;
        let Value::Map(entries) = value else {
            self.wrong_kind(&Node { at, value, health }, "a mapping (`field: value`)", path);
            return None;
        };
        let free = schema.get("additionalProperties").filter(|values| values.is_object());
        let mut kept = Vec::with_capacity(entries.len());
        let mut complete = true;
        for Entry { key, at, node } in entries {
            let child = child_path(path, &key);
            let Some(field) = schema["properties"].get(&key).or(free) else {
                self.unknown_field(&key, at, schema, &child);
                health = Health::Damaged;
                continue;
            };
            let place = node.at;
            if let Some(node) = self.prune(node, field, &child) {
                kept.push(Entry { key, at, node });
                continue;
            }
            health = Health::Damaged;
            if required(schema).any(|name| name == key) {
                if self.is_text(field) {
                    kept.push(Entry { key, at, node: stand_in(place) });
                } else {
                    complete = false;
                    // Only so that it is not reported as missing, too.
                    kept.push(Entry { key: key.clone(), at, node: stand_in(place) });
                }
            }
        }
        complete &= self.missing_fields(&mut kept, at, schema, path);
        if kept.iter().any(|entry| entry.node.health == Health::StandIn) {
            health = Health::Damaged;
        }
        Some((Node { at, value: Value::Map(kept), health }, complete))
    }

    /// Reports required fields that are not there; false if one is gone that nothing can stand in for.
    fn missing_fields(&mut self, kept: &mut Vec<Entry>, at: Position, schema: &'s Json, path: &str) -> bool {
        let mut complete = true;
        for field in required(schema) {
            if kept.iter().any(|entry| entry.key == field) {
                continue;
            }
            let about = self.resolve(&schema["properties"][field]);
            let words = words_of(about);
            let hint = match words.as_slice() {
                [] => String::new(),
                [only] => format!(": write `{field}: {only}`"),
                several => format!(": {}", words::list(several.iter().copied())),
            };
            self.report.error(at, path, format!("`{field}` is missing{hint}"));
            complete &= self.is_text(about);
            kept.push(Entry { key: field.to_owned(), at, node: stand_in(at) });
        }
        complete
    }

    /// Free text, or one fixed text: what a stand-in can replace without saying anything.
    fn is_text(&self, schema: &'s Json) -> bool {
        let schema = self.resolve(schema);
        schema["type"] == "string" && words_of(schema).len() <= 1
    }

    fn unknown_field(&mut self, key: &str, at: Position, schema: &'s Json, path: &str) {
        let known = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        if key == "<<" {
            self.report.error(at, path, "merge keys (`<<`) are not part of the policy language; use an alias for the whole value");
            return;
        }
        let message = format!("unknown field `{key}`; known here: {}", known.clone().collect::<Vec<_>>().join(", "));
        self.report.misspelt(at, path, message, words::nearest(key, known));
    }

    fn list(&mut self, node: Node, schema: &'s Json, path: &str) -> Option<Node> {
        let Node { at, value, mut health } = node;
        let Value::List(items) = value else {
            self.wrong_kind(&Node { at, value, health }, "a list (`[a, b]`, or lines that begin with `- `)", path);
            return None;
        };
        if items.is_empty() && schema["minItems"].as_u64().is_some_and(|least| least > 0) {
            self.report.error(at, path, "an empty list matches nothing; add an entry, or remove the field");
            return None;
        }
        let unique = schema["uniqueItems"] == true;
        let mut kept: Vec<Item> = Vec::with_capacity(items.len());
        for Item { index, node } in items {
            let child = format!("{path}[{index}]");
            let Some(node) = self.prune(node, &schema["items"], &child) else {
                health = Health::Damaged;
                continue;
            };
            if unique && kept.iter().any(|item| item.node.text() == node.text()) {
                self.report.error(node.at, child, format!("`{}` is listed twice; keep one", node.text().unwrap_or_default()));
            }
            kept.push(Item { index, node });
        }
        Some(Node { at, value: Value::List(kept), health })
    }

    fn word(&mut self, node: Node, known: &[&str], path: &str) -> Option<Node> {
        let Value::Scalar { text, plain } = &node.value else {
            self.wrong_kind(&node, &words::list(known.iter().copied()), path);
            return None;
        };
        match (plain_kind(text, *plain), known.contains(&text.as_str())) {
            (Plain::Text, true) => return Some(node),
            (Plain::Null, _) => self.empty(node.at, &words::list(known.iter().copied()), path),
            (_, true) => self.needs_quotes(&node, text, path),
            (_, false) => {
                let message = format!("`{text}` is not known here; write {}", words::list(known.iter().copied()));
                self.report.misspelt(node.at, path, message, words::nearest(text, known.iter().copied()));
            }
        }
        None
    }

    fn integer(&mut self, node: Node, schema: &'s Json, path: &str) -> Option<Node> {
        let least = schema["minimum"].as_i64().unwrap_or(0);
        let most = schema["maximum"].as_i64().unwrap_or_else(|| u32::MAX.into());
        let wanted = format!("a whole number from {least} to {most}");
        let Value::Scalar { text, plain } = &node.value else {
            self.wrong_kind(&node, &wanted, path);
            return None;
        };
        match (plain_kind(text, *plain), text.parse::<i64>()) {
            (Plain::Integer, Ok(number)) if (least..=most).contains(&number) => return Some(node),
            (Plain::Integer, _) => self.report.error(node.at, path, format!("{text} is out of range; write {wanted}")),
            (Plain::Text, Ok(number)) if !plain => {
                self.report.error(node.at, path, format!("a number is wanted, and quotes make it text; write {number}"));
            }
            _ => self.wrong_kind(&node, &wanted, path),
        }
        None
    }

    fn boolean(&mut self, node: Node, path: &str) -> Option<Node> {
        let Value::Scalar { text, plain } = &node.value else {
            self.wrong_kind(&node, "`true` or `false`", path);
            return None;
        };
        if matches!(plain_kind(text, *plain), Plain::Bool(_)) {
            return Some(node);
        }
        let meant = match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" | "enabled" => Some("true"),
            "no" | "off" | "n" | "false" | "disabled" => Some("false"),
            _ => None,
        };
        match meant {
            Some(word) if !node.is_empty() => {
                let message = format!("`true` or `false` is wanted, without quotes, not `{text}`");
                self.report.misspelt(node.at, path, message, Some(word.to_owned()));
            }
            _ => self.wrong_kind(&node, "`true` or `false`", path),
        }
        None
    }

    fn text(&mut self, node: Node, schema: &'s Json, path: &str) -> Option<Node> {
        let Value::Scalar { text, plain } = &node.value else {
            self.wrong_kind(&node, "text", path);
            return None;
        };
        match plain_kind(text, *plain) {
            Plain::Text => {}
            Plain::Null => {
                self.empty(node.at, "text", path);
                return None;
            }
            Plain::Bool(_) | Plain::Integer | Plain::Float => {
                self.needs_quotes(&node, text, path);
                return None;
            }
        }
        let length = text.chars().count() as u64;
        if text.trim().is_empty() && schema["minLength"].as_u64().is_some_and(|least| least > 0) {
            self.report.error(node.at, path, "this text must not be empty");
            return None;
        }
        if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
            self.report.error(node.at, path, format!("{length} characters are too long; at most {most} are allowed"));
            return None;
        }
        Some(node)
    }

    fn needs_quotes(&mut self, node: &Node, text: &str, path: &str) {
        let message = format!("text is wanted, and without quotes YAML reads {text} as {}; put it in quotes: \"{text}\"", node.kind());
        self.report.misspelt(node.at, path, message, Some(format!("\"{text}\"")));
    }

    fn empty(&mut self, at: Position, wanted: &str, path: &str) {
        self.report.error(at, path, format!("the value is empty; write {wanted}, or remove the field"));
    }

    fn wrong_kind(&mut self, node: &Node, wanted: &str, path: &str) {
        if node.is_empty() {
            return self.empty(node.at, wanted, path);
        }
        self.report.error(node.at, path, format!("{wanted} is wanted here, not {}", node.kind()));
    }
}

fn stand_in(at: Position) -> Node {
    Node { at, value: Value::Scalar { text: String::new(), plain: false }, health: Health::StandIn }
}

fn required(schema: &Json) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str)
}

/// The words that a schema allows, in the forms that schemars writes: `const`, `enum`, `oneOf` of them.
fn words_of(schema: &Json) -> Vec<&str> {
    let mut words: Vec<&str> = schema["const"].as_str().into_iter().collect();
    words.extend(schema["enum"].as_array().into_iter().flatten().filter_map(Json::as_str));
    words.extend(schema["oneOf"].as_array().into_iter().flatten().flat_map(words_of));
    words
}
