//! A fast AWS for the benchmark: a compliant estate in memory that answers read calls on the real wire
//! formats, page by page as AWS does. Emulators are too slow to measure a wall time against.
//!
//! It checks nothing and keeps nothing; what it does not know it refuses, so that a benchmark can't
//! be fast by being refused unnoticed.

pub mod cbor;
mod json;
mod xml;

use std::fmt::Write as _;
use std::ops::Range;

use crate::wire::{Call, Protocol};

/// The account that everything belongs to.
pub const ACCOUNT: &str = "123456789012";
/// The region that everything is in: SNS's published rates differ by region.
pub const REGION: &str = "us-east-1";

/// How many there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estate {
    /// Buckets.
    pub buckets: usize,
    /// Queues.
    pub queues: usize,
    /// Topics.
    pub topics: usize,
    /// DB instances.
    pub databases: usize,
    /// Firehose streams.
    pub delivery_streams: usize,
    /// Keys; resource number n uses key n modulo this.
    pub keys: usize,
}

impl Estate {
    /// Of `resources` 30 % each are buckets, queues and topics, 6 % databases, 1 % streams, the rest keys.
    pub fn of(resources: usize) -> Self {
        let (third, databases, delivery_streams) = (resources * 3 / 10, resources * 6 / 100, resources / 100);
        let keys = resources - 3 * third - databases - delivery_streams;
        Self { buckets: third, queues: third, topics: third, databases, delivery_streams, keys: keys.max(1) }
    }

    /// The policy that this estate meets: a rule for each key and service.
    pub fn policy(&self) -> String {
        let mut policy = format!(
            "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: {{ name: bench }}\nspec:\n  mode: enforce\n  scopes: {{ regions: [{REGION}] }}\n  keys:\n"
        );
        for key in 0..self.keys.min(5) {
            let _ = writeln!(policy, "    - {{ alias: {}, rotation: {{ enabled: true }} }}", alias(key));
        }
        let services = [
            ("s3", "atRest: { algorithm: \"aws:kms\", key: KEY, bucketKey: true }, inTransit: { denyInsecureTransport: true }"),
            ("sqs", "atRest: { encryption: SSE-KMS, key: KEY, dataKeyReuseSeconds: 300 }, inTransit: { denyInsecureTransport: true }"),
            ("sns", "atRest: { key: KEY }, inTransit: { denyInsecureTransport: true, forbidHttpSubscriptions: true }"),
            ("firehose", "atRest: { keyType: CUSTOMER_MANAGED_CMK, key: KEY }, destination: { requireEncryption: true }"),
            ("rds", "atRest: { encrypted: true, key: KEY }, inTransit: { requireTls: true }"),
        ];
        for (service, wanted) in services {
            let _ = writeln!(policy, "  {service}:");
            for key in 0..self.keys {
                let wanted = wanted.replace("KEY", &alias(key));
                let _ = writeln!(policy, "    - {{ name: k{key}, match: {{ names: [\"*-k{key}\"] }}, {wanted} }}");
            }
        }
        policy
    }

    fn key_of(&self, number: usize) -> usize {
        number % self.keys
    }

    /// `queue-17-k2`.
    fn name(&self, kind: &str, number: usize) -> String {
        format!("{kind}-{number}-k{}", self.key_of(number))
    }

    /// The key of a resource by the resource's name.
    fn key_of_name(name: &str) -> String {
        let key = name.rsplit("-k").next().and_then(|number| number.parse().ok()).unwrap_or_default();
        key_arn(key)
    }

    /// Status, content type and body of an answer.
    pub fn answer(&self, call: &Call, query: &str) -> (u16, &'static str, String) {
        let body = match call.protocol {
            Protocol::Json => json::answer(*self, &call.operation, &call.body).map(|body| ("application/x-amz-json-1.1", body)),
            Protocol::Query => xml::query(*self, &call.operation, &call.body).map(|body| ("text/xml", body)),
            Protocol::Rest => xml::rest(*self, &call.operation, &call.bucket, query).map(|body| ("application/xml", body)),
            Protocol::Cbor => None,
        };
        body.map_or((501, "text/plain", "NotImplemented".to_owned()), |(kind, body)| (200, kind, body))
    }
}

fn key_id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn key_arn(number: usize) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{}", key_id(number))
}

fn alias(number: usize) -> String {
    format!("alias/bench-{number}")
}

/// The canonical statement of AWS-FACTS §2.3 for these resources.
fn document(action: &str, resources: &[&str]) -> String {
    let resource = serde_json::to_string(resources).expect("strings are JSON");
    let resource = if let [one] = resources { format!("\"{one}\"") } else { resource };
    format!(
        r#"{{"Version":"2012-10-17","Id":"bench","Statement":[{{"Sid":"Owner","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"{action}","Resource":{resource}}},{{"Sid":"AllowSSLRequestsOnly","Effect":"Deny","Principal":"*","Action":"{action}","Resource":{resource},"Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}]}}"#
    )
}

/// One page of `total` things from `start`, and where the next page starts.
fn page(start: usize, size: usize, total: usize) -> (Range<usize>, Option<usize>) {
    let end = (start + size).min(total);
    (start.min(total)..end, (end < total).then_some(end))
}

fn concat(these: Range<usize>, text: impl Fn(usize) -> String) -> String {
    these.map(text).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_resources_are_a_thousand() {
        let Estate { buckets, queues, topics, databases, delivery_streams, keys } = Estate::of(1000);
        assert_eq!([buckets, queues, topics, databases, delivery_streams, keys], [300, 300, 300, 60, 10, 30]);
    }

    #[test]
    fn pages_end() {
        assert_eq!(page(0, 100, 250), (0..100, Some(100)));
        assert_eq!(page(200, 100, 250), (200..250, None));
        assert_eq!(page(0, 100, 0), (0..0, None));
        assert_eq!(page(0, 100, 100), (0..100, None));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let call = Call {
            operation: "PutKeyPolicy".to_owned(),
            protocol: Protocol::Json,
            writes: true,
            bucket: String::new(),
            region: String::new(),
            body: "{}".to_owned(),
        };
        assert_eq!(Estate::of(1000).answer(&call, "").0, 501);
    }
}
