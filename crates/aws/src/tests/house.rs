use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::operation::Api;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !["tests.rs", "testing.rs"].contains(&name.as_str()) {
            found.push(path);
        }
    }
}

/// Path and code, without comments and white space.
fn code() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 20);
    let without_comments = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(str::split_whitespace).collect();
        (path, code)
    };
    files.into_iter().map(without_comments).collect()
}

/// What is sent without [`crate::call::ScopeContext::call`] would be neither paced nor listed in the IAM policy.
#[test]
fn every_request_is_sent_through_the_one_call() {
    for (path, code) in code() {
        let sent = code.matches(".send()").count() + code.matches(".send_with(").count();
        assert!(sent <= code.matches(".call(").count(), "{}", path.display());
    }
}

/// An operation that stands in no table would be missing from the IAM policy.
#[test]
fn operations_are_made_by_the_tables_alone_and_every_table_is_in_the_policy() {
    let mut tables = 0;
    for (path, code) in code() {
        tables += code.matches("operations!{Api::").count();
        assert!(path.ends_with("operation.rs") || !code.contains("Operation{api"), "{}", path.display());
    }
    let listed: BTreeSet<Api> = crate::permissions::operations().map(|operation| operation.api).collect();
    assert_eq!((tables, listed.len()), (Api::ALL.len(), Api::ALL.len()));
}
