//! Invariants of the crate as a whole: what its dependencies and its sources may not contain.
// A test of the sources reads them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The dependencies of the built crate; those of its tests do not count.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    section.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_planner_depends_on_values_and_text_alone() {
    let allowed = ["saphyr-parser", "schemars", "serde", "serde_json", "serde_yaml", "sha2", "strsim", "thiserror", "time"];
    let found = dependencies();
    assert!(found.len() > 5, "the manifest was read: {found:?}");
    for name in found {
        assert!(allowed.contains(&name.as_str()), "{name}: the planner does no I/O and knows no runtime; say here why it may be used");
    }
}

#[test]
fn the_planner_looks_at_nothing_but_its_input() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let forbidden = [
        "std::fs",
        "std::net::Tcp",
        "std::net::Udp",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::",
        "async fn",
        "println!",
        "tokio",
    ];
    assert!(files.len() > 50);
    for file in files.iter().filter(|file| !is_test(file)) {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for word in forbidden {
                assert!(!line.contains(word), "{}: `{word}` in a pure crate: {line}", file.display());
            }
        }
    }
}

fn is_test(file: &Path) -> bool {
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    name.contains("tests") || name == "properties" || name == "fixtures" || file.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn every_metric_label_set_is_closed_and_every_id_unique() {
    use everseal_planner::{Check, Service, State};
    let services: Vec<&str> = Service::ALL.iter().map(|service| service.id()).collect();
    let checks: Vec<&str> = Check::ALL.iter().map(|check| check.id()).collect();
    let states: Vec<&str> = State::ALL.iter().map(|state| state.id()).collect();
    for ids in [&services, &checks, &states] {
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    }
    // DESIGN §5 lists these, in words that users and dashboards rely on.
    assert_eq!((services.len(), checks.len(), states.len()), (7, 22, 4));
    for check in Check::ALL {
        assert_eq!(Check::from_id(check.id()), Some(*check));
    }
}
