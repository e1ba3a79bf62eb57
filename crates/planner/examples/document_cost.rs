//! What judging documents costs: `cargo run --release -p everseal-planner --example document_cost`.
#![allow(clippy::disallowed_methods, reason = "this measures; the planner itself has no clock")]
#![allow(clippy::print_stdout, reason = "the measurement is the output")]

use std::hint::black_box;
use std::time::Instant;

use everseal_planner::Arn;
use everseal_planner::document::{Document, Protected, denies_tls_below, deny_plain_http, merge, transport};
use everseal_planner::policy::model::TlsVersion;

const DOCUMENTS: usize = 1_000;

/// A bucket policy of usual size: log delivery, a reader in another account, and a Deny of our own.
fn text(bucket: &Arn) -> String {
    let foreign = format!(
        r#"{{"Version":"2012-10-17","Statement":[
        {{"Sid":"Logs","Effect":"Allow","Principal":{{"Service":"logging.s3.amazonaws.com"}},"Action":"s3:PutObject","Resource":"{bucket}/logs/*",
          "Condition":{{"ArnLike":{{"aws:SourceArn":"arn:aws:s3:::source"}},"StringEquals":{{"aws:SourceAccount":"111122223333"}}}}}},
        {{"Sid":"Read","Effect":"Allow","Principal":{{"AWS":["arn:aws:iam::444455556666:role/reader"]}},"Action":["s3:GetObject","s3:ListBucket"],
          "Resource":["{bucket}","{bucket}/*"]}}]}}"#
    );
    let document = Document::parse(&foreign).expect("the text above is a document");
    merge(Some(&document), &[deny_plain_http(Protected::Bucket(bucket))], None).text()
}

fn main() {
    let inventory: Vec<(Arn, String)> = (0..DOCUMENTS)
        .map(|number| {
            let bucket = Arn::new("aws", "s3", "", "", &format!("bucket-{number}"));
            let text = text(&bucket);
            (bucket, text)
        })
        .collect();
    let mut best = [f64::MAX; 2];
    for _ in 0..20 {
        let start = Instant::now();
        let documents: Vec<Document> = inventory.iter().filter_map(|(_, text)| Document::parse(text).ok()).collect();
        let parsed = start.elapsed().as_secs_f64();
        for ((bucket, _), document) in inventory.iter().zip(&documents) {
            black_box(transport(Some(document), Protected::Bucket(bucket)));
            black_box(denies_tls_below(Some(document), bucket, TlsVersion::V1_2));
        }
        best = [best[0].min(parsed), best[1].min(start.elapsed().as_secs_f64() - parsed)];
    }
    let bytes: usize = inventory.iter().map(|(_, text)| text.len()).sum();
    println!("{DOCUMENTS} documents, {bytes} bytes: parsed in {:.2} ms, judged in {:.2} ms", best[0] * 1e3, best[1] * 1e3);
}
