//! Paths in their three forms: what a terminal, Graphviz and a program get.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::{Paint, bounded_paths_json, paths_dot, paths_json, paths_text, paths_through};
use crate::fixtures::{KEY, bucket, fed, inventory, policies, queue};
use crate::paths::{Paths, paths};

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders";

/// A bucket that notifies two queues, one of them unencrypted, and a producer with an awkward name.
fn drawn() -> Paths {
    let open = "arn:aws:sqs:us-east-1:111122223333:open";
    let statement = json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:role/a\"b\\c\u{1b}[31m\n"}, "Action": "sqs:SendMessage", "Resource": "*"}]);
    let mut queues = queue("orders", &json!({"kmsKey": KEY, "document": crate::fixtures::document(&statement)}));
    queues.as_object_mut().unwrap().extend(queue("open", &json!({})).as_object().unwrap().clone());
    let buckets = bucket("data", &json!({"loggingTarget": null, "notifications": {"targets": [QUEUE, open]}}));
    let facts = json!({"eventRules": [], "distributions": [], "channels": [], "roles": {}});
    let world = fed(inventory(&json!([]), &json!({"buckets": buckets, "queues": queues, "pathFacts": facts})));
    paths(&policies("{sqs: [{name: q, match: {names: [open]}, atRest: {encryption: SSE-SQS}}]}"), &[&world])
}

/// Reads a graph as the DOT language defines it, as far as this program writes it: statements of quoted ids with attribute
/// lists. Returns how many nodes and edges there are.
fn read_dot(text: &str) -> (usize, usize) {
    let body = text.strip_prefix("digraph everseal {\n").unwrap().strip_suffix("}\n").unwrap();
    let (mut nodes, mut edges) = (0, 0);
    for line in body.lines() {
        let mut rest = line.trim().strip_suffix(';').unwrap_or_else(|| panic!("no semicolon: {line}"));
        if !rest.starts_with('"') {
            continue;
        }
        rest = quoted(rest).trim_start();
        if let Some(to) = rest.strip_prefix("-> ") {
            rest = quoted(to).trim_start();
            edges += 1;
        } else {
            nodes += 1;
        }
        let mut attributes = rest.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
        while !attributes.is_empty() {
            let (name, value) = attributes.split_once('=').unwrap();
            assert!(name.chars().all(|c| c.is_ascii_lowercase()), "{name}");
            attributes = if value.starts_with('"') { quoted(value) } else { value.trim_start_matches(|c: char| c.is_ascii_alphanumeric()) };
            attributes = attributes.strip_prefix(", ").unwrap_or(attributes);
        }
    }
    (nodes, edges)
}

/// What follows a quoted string; a quote in it must be escaped.
fn quoted(text: &str) -> &str {
    let inner = text.strip_prefix('"').unwrap_or_else(|| panic!("no quote: {text}"));
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return &inner[at + 1..],
            _ => {}
        }
    }
    panic!("never closed: {text}")
}

#[test]
fn graphviz_can_read_the_graph_whatever_names_hold() {
    let paths = drawn();
    let dot = paths_dot(&paths);
    assert_eq!(read_dot(&dot), (paths.now.nodes.len(), paths.now.hops.len()));
    assert_eq!(read_dot(&dot), (4, 3));
    assert!(!dot.contains('\u{1b}'), "{dot}");
    assert!(dot.contains(r#"a\"b\\c"#), "{dot}");
    assert!(dot.contains("exposed now, sealed after the plan"), "{dot}");
}

#[test]
fn the_tree_shows_each_trouble_with_its_cure_and_ends_in_a_summary() {
    let text = paths_text(&drawn(), Paint::Plain);
    assert!(text.chars().all(|c| !c.is_control() || c == '\n'), "{text:?}");
    for words in [
        "arn:aws:s3:::data",
        "├─ notification → open  queue, it stores messages unencrypted",
        "└─ notification → orders  queue, SSE-KMS, alias/finance",
        "the plan ends this",
        "⛔ broken: s3.amazonaws.com (sends to queue orders for arn:aws:s3:::data) can't use key",
        "Add this statement to the document of",
        "Paths: 0 sealed, 0 exposed, 2 broken, 0 unknown.",
    ] {
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
    assert!(paths_text(&drawn(), Paint::Colour).contains("\u{1b}[31m⛔ broken"));
    let nothing = paths(&policies("{}"), &[&inventory(&json!([]), &json!({}))]);
    assert!(paths_text(&nothing, Paint::Plain).starts_with("No data paths"));
}

#[test]
fn explain_shows_the_needs_of_a_resources_hops() {
    let text = paths_through(&drawn(), QUEUE, Paint::Plain);
    assert!(text.contains("hop data → orders (notification, tls)"), "{text}");
    assert!(text.contains("needs kms:GenerateDataKey and kms:Decrypt on"), "{text}");
    assert!(text.contains("AWS tells KMS:") && text.contains("aws:sourcearn=arn:aws:s3:::data"), "{text}");
    assert_eq!(paths_through(&drawn(), "arn:aws:sqs:us-east-1:111122223333:elsewhere", Paint::Plain), "");
}

#[test]
fn json_names_nodes_and_hops_once_and_can_be_bounded() {
    let paths = drawn();
    let all = paths_json(&paths);
    assert_eq!(all["summary"]["now"], json!({"sealed": 0, "unknown": 0, "exposed": 0, "broken": 2}));
    let way = &all["paths"][1]["branches"][0];
    assert_eq!((&way["nodes"][0], &way["hops"][0]), (&json!("arn:aws:s3:::data"), &json!("notification")));
    assert_eq!((&way["now"], &way["after"]), (&json!("exposed"), &json!("sealed")));
    let hop = all["hops"].as_array().unwrap().iter().find(|hop| hop["to"] == QUEUE && hop["from"] == "arn:aws:s3:::data").unwrap();
    assert_eq!(hop["now"]["needs"][0]["principal"], "s3.amazonaws.com");
    assert_eq!((&hop["now"]["state"], &hop["transport"]), (&json!("broken"), &json!("tls")));
    let bounded = bounded_paths_json(&paths, 1);
    assert_eq!((bounded["paths"].as_array().unwrap().len(), &bounded["left"]), (1, &json!(1)));
    assert_eq!(bounded["summary"], all["summary"], "the summary counts everything");
    let named = bounded["nodes"].as_array().unwrap().len();
    assert!(named < all["nodes"].as_array().unwrap().len());
}
