//! The policy of a seed, as a person would write it.

use std::fmt::Write;

use everseal_planner::PolicySet;
use everseal_planner::policy::{Source, load};

use super::estate::REGION;

/// Queues that a seed's policy may exempt.
pub const EXEMPT: &str = "arn:aws:sqs:us-east-1:111122223333:p1-*";

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
    if rng.u8(0..3) == 0 {
        let _ = write!(
            text,
            "  exemptions:\n    - {{ resource: \"{EXEMPT}\", checks: [sqs-encryption, sqs-secure-transport], reason: a partner is not ready }}\n"
        );
    }
    text += "  kinesis:\n    - { name: sources, atRest: { key: alias/data } }\n";
    text
}

/// The policy, loaded.
pub fn of(seed: u64, now: i64) -> PolicySet {
    let text = text(seed);
    match load(&[Source { file: "policy.yaml".into(), text: text.clone() }], now) {
        Ok(loaded) => loaded.set,
        Err(diagnostics) => panic!("the generated policy is wrong: {diagnostics:?}\n{text}"),
    }
}
