//! The files of `config/`, and the committed schema.

use std::collections::BTreeSet;

use super::*;

const SAMPLE: &str = include_str!("../../../../../config/sample.yaml");
const MINIMAL: &str = include_str!("../../../../../config/minimal.yaml");
const FINANCE: &str = include_str!("../../../../../config/finance.yaml");
const SCHEMA: &str = include_str!("../../../../../config/policy.schema.json");

#[test]
fn every_file_loads_without_a_word() {
    for (file, text) in [("sample", SAMPLE), ("minimal", MINIMAL), ("finance", FINANCE)] {
        let loaded = load_one(text).unwrap_or_else(|found| panic!("{file}: {found:?}"));
        assert_eq!(loaded.warnings, [], "{file}");
        assert_eq!(loaded.set.policies.len(), 1);
        assert_eq!(loaded.set.policies[0].metadata.name, file);
    }
}

#[test]
fn the_finance_pipeline_is_the_one_of_the_design() {
    let mut design = load_one(DESIGN).unwrap().set.policies.remove(0);
    // Looking takes a network that reaches the databases: nothing to begin with.
    design.spec.rds[0].in_transit.as_mut().unwrap().verify = false;
    assert_eq!(load_one(FINANCE).unwrap().set.policies, [design]);
}

#[test]
fn the_sample_shows_every_field_of_the_language() {
    let node = parse::read(SAMPLE, &mut Report::new("sample")).remove(0);
    let mut missing = BTreeSet::new();
    fields_not_shown(&schema(), &schema(), &[&node], "", &mut missing);
    assert_eq!(missing, BTreeSet::new());
}

/// Walks the schema with all nodes that stand at its place.
fn fields_not_shown(
    root: &serde_json::Value,
    schema: &serde_json::Value,
    nodes: &[&tree::Node],
    path: &str,
    missing: &mut BTreeSet<String>,
) {
    let schema = schema["$ref"].as_str().map_or(schema, |name| root.pointer(name.trim_start_matches('#')).unwrap());
    if let Some(fields) = schema["properties"].as_object() {
        for (field, about) in fields {
            let path = tree::child_path(path, field);
            let values: Vec<&tree::Node> = nodes.iter().filter_map(|node| node.get(field)).collect();
            if values.is_empty() {
                missing.insert(path.clone());
            }
            fields_not_shown(root, about, &values, &path, missing);
        }
    } else if schema["type"] == "array" {
        let items = nodes.iter().flat_map(|node| match &node.value {
            tree::Value::List(items) => items.iter().map(|item| &item.node).collect(),
            _ => Vec::new(),
        });
        fields_not_shown(root, &schema["items"], &items.collect::<Vec<_>>(), path, missing);
    }
}

/// To make it current: `cargo run -p everseal -- schema > config/policy.schema.json`
#[test]
fn the_committed_schema_is_current() {
    let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    assert!(
        SCHEMA == current,
        "config/policy.schema.json is not what the types say; run `cargo run -p everseal -- schema > config/policy.schema.json`"
    );
}

#[test]
fn the_schema_is_strict() {
    fn walk(schema: &serde_json::Value, path: &str) {
        match schema {
            serde_json::Value::Object(object) => {
                if object.contains_key("properties") {
                    assert_eq!(object["additionalProperties"], false, "{path}");
                }
                assert!(object.get("type").is_none_or(|kind| kind.is_string() || path.ends_with("/properties")), "{path} takes null");
                for (name, value) in object {
                    walk(value, &format!("{path}/{name}"));
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(|value| walk(value, path)),
            _ => {}
        }
    }
    let schema = schema();
    walk(&schema, "");
    let definitions = &schema["$defs"];
    assert_eq!(schema["properties"]["apiVersion"]["const"], "everseal.io/v1");
    assert_eq!(definitions["RotationSpec"]["properties"]["periodInDays"]["minimum"], 90);
    assert_eq!(definitions["RotationSpec"]["properties"]["periodInDays"]["maximum"], 2560);
    assert_eq!(definitions["QueueAtRest"]["properties"]["dataKeyReuseSeconds"]["maximum"], 86400);
    assert_eq!(definitions["AccountRef"]["properties"]["id"]["pattern"], "^[0-9]{12}$");
    assert_eq!(definitions["Scopes"]["properties"]["regions"]["items"]["pattern"], format::REGION);
    assert_eq!(definitions["Match"]["properties"]["names"]["minItems"], 1);
    assert_eq!(definitions["Match"]["properties"]["names"]["items"]["minLength"], 1);
    assert_eq!(definitions["Limits"]["properties"]["maxChangesPercent"]["maximum"], 100);
    assert_eq!(definitions["BucketRule"]["required"], serde_json::json!(["name"]));
}
