//! The language as a person meets it: what loads, and what is said about what does not.
#![allow(clippy::unwrap_used)]

use super::*;

mod broken;
mod files;
mod fuzz;
mod several;

/// 2026-11-24T12:00:00Z.
const NOW: i64 = 1_795_521_600;

fn source(text: &str) -> Source {
    Source { file: "policy.yaml".to_owned(), text: text.to_owned() }
}

fn load_one(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    load(&[source(text)], NOW)
}

/// A policy with this `spec`, whose lines need two spaces of indentation; the first is line 5.
fn with_spec(spec: &str) -> String {
    format!("apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: {{ name: test }}\nspec:\n{spec}\n")
}

/// DESIGN.md §4, word for word.
const DESIGN: &str = include_str!("design.yaml");

#[test]
fn the_policy_of_the_design_loads() {
    let loaded = load_one(DESIGN).unwrap();
    assert_eq!(loaded.warnings, []);
    let policy = &loaded.set.policies[0];
    assert_eq!(policy.metadata.name, "finance");
    let rule = &policy.spec.s3[0];
    let at_rest = rule.at_rest.as_ref().unwrap();
    assert_eq!(
        (at_rest.algorithm, at_rest.key.as_deref(), at_rest.bucket_key),
        (model::BucketAlgorithm::Kms, Some("alias/finance"), Some(true))
    );
    assert_eq!(policy.spec.keys[0].rotation.as_ref().unwrap().period_in_days, 365);
    assert_eq!(policy.spec.s3[1].mode, Some(model::Mode::Audit));
    assert_eq!(policy.spec.limits.max_changes_percent, Some(10));
}
