//! What the fuzz targets check. libFuzzer needs a nightly compiler, so the planner's tests include this file too
//! and run the same bodies over generated and damaged documents on every test run (`document/tests/fuzz.rs`).
//!
//! Whoever includes this file names the crate `planner` beside it.
#![allow(dead_code, reason = "each fuzz target uses one of the bodies")]

use super::planner::Arn;
use super::planner::document::ours::is_ours;
use super::planner::document::{
    Document, Protected, denies_tls_below, deny_old_tls, deny_plain_http, merge as merged, remove_ours, transport,
};
use super::planner::policy::model::TlsVersion;

fn bucket() -> Arn {
    Arn::new("aws", "s3", "", "", "ledger")
}

fn foreign(document: &Document) -> Vec<String> {
    let bodies = document.bodies().zip(document.statements()).filter(|(_, view)| !is_ours(view));
    bodies.map(|(body, _)| format!("{body:?}")).collect()
}

/// A text is refused, or comes back as it was and can be judged.
pub fn parse(text: &str) {
    let Ok(document) = Document::parse(text) else { return };
    let written = document.text();
    let again = Document::parse(&written).expect("what we wrote is a document");
    assert_eq!(again, document);
    assert_eq!(again.text(), written);
    assert!(again.equivalent(&document));
    let bucket = bucket();
    let verdict = transport(Some(&document), Protected::Bucket(&bucket));
    assert_eq!(verdict.denies_plain_http == super::planner::document::Answer::Yes, verdict.gap.is_empty());
    denies_tls_below(Some(&document), &bucket, TlsVersion::V1_3);
}

/// Merging keeps every foreign statement in its order, is idempotent, and removing takes out all of ours.
pub fn merge(text: &str) {
    let Ok(document) = Document::parse(text) else { return };
    let bucket = bucket();
    let own = [deny_plain_http(Protected::Bucket(&bucket)), deny_old_tls(&bucket, TlsVersion::V1_2)];
    let once = merged(Some(&document), &own, None);
    assert_eq!(foreign(&once), foreign(&document));
    assert_eq!(merged(Some(&once), &own, None).text(), once.text());
    let left = remove_ours(&once);
    assert_eq!(left.as_ref().map(foreign).unwrap_or_default(), foreign(&document));
    assert!(left.is_none_or(|left| left.statements().all(|view| !is_ours(&view))));
}
