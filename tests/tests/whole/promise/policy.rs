//! The policy of a seed, as a person would write it.

use std::fmt::Write;

use everseal_planner::PolicySet;
use everseal_planner::policy::{Source, load};

use super::estate::REGION;

/// Queues that a seed's policy may exempt.
pub const EXEMPT: &str = "arn:aws:sqs:us-east-1:111122223333:p1-*";

/// A key that a seed's policy may exempt, with its alias.
const KEYS: [&str; 2] = ["arn:aws:kms:us-east-1:111122223333:key/*", "arn:aws:kms:us-east-1:111122223333:alias/*"];

/// The text of a seed's policy.
pub fn text(seed: u64) -> String {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed_0f90);
    let mut pick = |choices: &[&str]| choices[rng.usize(0..choices.len())].to_owned();
    let usable_by = pick(&[
        "",
        "      usableBy: { services: [s3, sns, events] }\n",
        "      usableBy: { services: [s3, sns, events, sqs, firehose, kinesis], producers: [\"arn:aws:iam::111122223333:role/ingest\"], consumers: [\"arn:aws:iam::111122223333:role/settlement\"] }\n",
        "      usableBy: { consumers: [\"arn:aws:iam::111122223333:role/settlement\"] }\n",
    ]);
    let heal = pick(&["", "      heal: [enable, cancelDeletion]\n"]);
    let tls = ["", ", inTransit: { denyInsecureTransport: true }"];
    let s3 = pick(&[
        "atRest: { algorithm: \"aws:kms\", key: alias/data, bucketKey: true }",
        "atRest: { algorithm: \"aws:kms\", key: alias/data, bucketKey: false }",
        "atRest: { algorithm: \"aws:kms\", key: alias/data }",
        "atRest: { algorithm: AES256 }",
    ]) + &pick(&tls);
    let sqs = pick(&[
        "atRest: { encryption: SSE-KMS, key: alias/data }",
        "atRest: { encryption: SSE-KMS, key: alias/legacy }",
        "atRest: { encryption: SSE-SQS }",
    ]) + &pick(&tls);
    let sns = pick(&["atRest: { key: alias/data }", "atRest: { key: alias/legacy }"]) + &pick(&tls);
    let firehose = pick(&[
        "atRest: { keyType: CUSTOMER_MANAGED_CMK, key: alias/data }",
        "atRest: { keyType: AWS_OWNED_CMK }",
        "atRest: { keyType: CUSTOMER_MANAGED_CMK, key: alias/data }, destination: { requireEncryption: true }",
    ]);
    let audited = pick(&["", "mode: audit, "]);
    let watched = format!("{{ name: watched, match: {{ names: [\"p0-*\"] }}, {audited}{s3} }}");
    let mut text =
        format!("apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: {{ name: seed-{seed} }}\nspec:\n  mode: enforce\n");
    let _ = write!(text, "  scopes: {{ regions: [{REGION}] }}\n  keys:\n    - alias: alias/data\n{usable_by}{heal}");
    let _ = write!(text, "  s3:\n    - {watched}\n    - {{ name: buckets, {s3} }}\n");
    let _ = write!(text, "  sqs:\n    - {{ name: queues, {sqs} }}\n  sns:\n    - {{ name: topics, {sns} }}\n");
    let _ = write!(text, "  firehose:\n    - {{ name: streams, {firehose} }}\n");
    text += "  kinesis:\n    - { name: sources, atRest: { key: alias/data } }\n";
    text += &exemptions(&mut rng);
    match rng.u8(0..8) {
        0 => drop(writeln!(text, "  limits: {{ maxChangesPerCycle: {} }}", rng.u8(1..6))),
        1 => drop(writeln!(text, "  limits: {{ maxChangesPercent: {} }}", rng.u8(10..60))),
        _ => {}
    }
    text
}

/// Queues of a partner's, and keys of whose documents, states or very existence somebody else takes care.
fn exemptions(rng: &mut fastrand::Rng) -> String {
    let mut lines = String::new();
    if rng.u8(0..3) == 0 {
        let _ = writeln!(
            lines,
            "    - {{ resource: \"{EXEMPT}\", checks: [sqs-encryption, sqs-secure-transport], reason: a partner is not ready }}"
        );
    }
    if rng.u8(0..6) == 0 {
        let checks = ["kms-key-document", "kms-key-state", "kms-key-exists", "kms-key-document, kms-key-state, kms-key-exists"];
        let checks = checks[rng.usize(0..checks.len())];
        for key in KEYS {
            let _ = writeln!(lines, "    - {{ resource: \"{key}\", checks: [{checks}], reason: another team sees to its keys }}");
        }
    }
    if lines.is_empty() { lines } else { format!("  exemptions:\n{lines}") }
}

/// A policy, loaded.
pub fn load_text(text: &str, now: i64) -> PolicySet {
    match load(&[Source { file: "policy.yaml".into(), text: text.to_owned() }], now) {
        Ok(loaded) => loaded.set,
        Err(diagnostics) => panic!("the policy of the test is wrong: {diagnostics:?}\n{text}"),
    }
}
