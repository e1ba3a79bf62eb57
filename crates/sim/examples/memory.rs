//! What so many queues and buckets weigh, each with a key, a document and a tag: resident memory, printed as a few lines.
//!
//! `cargo run -p everseal-sim --example memory [COUNT]`; memory is the same in a debug build.

use everseal_sim::s3::BucketSetup;
use everseal_sim::{Moment, Settings, World};

const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";

fn main() {
    let count = std::env::args().nth(1).map_or(100_000, |text| text.parse().expect("a whole number of resources"));
    let mut world = World::new(Settings::default(), Moment(1_800_000_000_000));
    let empty = resident_kb();
    for number in 0..count {
        let arn = world.create_queue(ACCOUNT, REGION, &format!("q-{number}"));
        let document = deny_plain_http("sqs:*", &format!(r#""{arn}""#));
        world.set_queue_attributes(&arn, &[("KmsMasterKeyId", &key(number)), ("Policy", &document)]).expect("SQS accepts the attributes");
    }
    let queues = resident_kb();
    for number in 0..count {
        let name = format!("bucket-{number}");
        let document = deny_plain_http("s3:*", &format!(r#"["arn:aws:s3:::{name}","arn:aws:s3:::{name}/*"]"#));
        let setup = BucketSetup { kms_key: Some(key(number)), document: Some(document), ..BucketSetup::default() };
        world.create_bucket(ACCOUNT, REGION, &name, &setup).expect("S3 accepts the bucket");
    }
    let buckets = resident_kb();
    println!("{count} queues: {} MB, {} bytes each", (queues - empty) / 1024, (queues - empty) * 1024 / count);
    println!("{count} buckets: {} MB, {} bytes each", (buckets - queues) / 1024, (buckets - queues) * 1024 / count);
}

fn key(number: u64) -> String {
    format!("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-{number:012}")
}

fn deny_plain_http(actions: &str, resources: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"{actions}","Resource":{resources},"Condition":{{"Bool":{{"aws:SecureTransport":"false"}},"StringNotEquals":{{"aws:PrincipalAccount":"{ACCOUNT}"}}}}}}]}}"#
    )
}

/// [`proc_pid_status(5)`, `VmRSS`]
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux shows a process its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a status has VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("VmRSS is a number of kB")
}
