//! Which API operation an HTTP request is, and whether it reads or writes: told from the wire alone.
//!
//! What is not known to read counts as a write, so that a test of "no writes" can't pass by ignorance.

use hyper::Method;
use hyper::header::HeaderMap;

/// How a service speaks, which decides what its errors look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON (KMS, SQS, Firehose, Kinesis, tagging).
    Json,
    /// Query with XML answers (SNS, RDS, STS).
    Query,
    /// S3's REST with XML.
    Rest,
    /// RPC v2 CBOR (`CloudWatch`).
    Cbor,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The API operation, e.g. `PutBucketPolicy`.
    pub operation: String,
    /// How it was spoken.
    pub protocol: Protocol,
    /// It changes something.
    pub writes: bool,
    /// For S3 the bucket, else empty.
    pub bucket: String,
    /// The region it was signed for.
    pub region: String,
    /// The request's body: names the resource where it is not a bucket.
    pub body: String,
}

/// Tells the operation from method, path with query, headers and body.
pub fn classify(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Call {
    let (operation, protocol, bucket) = operation(method, path, headers, body);
    let reads = ["Get", "List", "Describe", "Head", "AssumeRole"].iter().any(|verb| operation.starts_with(verb));
    Call { writes: !reads, operation, protocol, bucket, region: region(headers), body: String::from_utf8_lossy(body).into_owned() }
}

fn operation(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> (String, Protocol, String) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(target) = header("x-amz-target") {
        return (target.rsplit('.').next().unwrap_or(target).to_owned(), Protocol::Json, String::new());
    }
    if let Some((_, operation)) = path.split_once("/operation/") {
        return (operation.to_owned(), Protocol::Cbor, String::new());
    }
    if header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        let text = String::from_utf8_lossy(body);
        let action = text.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or("Unknown");
        return (action.to_owned(), Protocol::Query, String::new());
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let bucket = parts.next().unwrap_or_default();
    let object = parts.next().unwrap_or_default();
    (s3_operation(method, bucket, object, query), Protocol::Rest, bucket.to_owned())
}

/// Bucket sub-resources that the tests meet, with the rest of the operation's name.
const SUB_RESOURCES: [(&str, &str); 14] = [
    ("encryption", "BucketEncryption"),
    ("policyStatus", "BucketPolicyStatus"),
    ("policy", "BucketPolicy"),
    ("website", "BucketWebsite"),
    ("acl", "BucketAcl"),
    ("replication", "BucketReplication"),
    ("notification", "BucketNotificationConfiguration"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("location", "BucketLocation"),
    ("logging", "BucketLogging"),
    ("tagging", "BucketTagging"),
    ("versioning", "BucketVersioning"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("object-lock", "ObjectLockConfiguration"),
];

fn s3_operation(method: &Method, bucket: &str, object: &str, query: &str) -> String {
    let verb = match *method {
        Method::GET => "Get",
        Method::HEAD => "Head",
        Method::PUT => "Put",
        Method::DELETE => "Delete",
        _ => "Post",
    };
    let asked = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    match SUB_RESOURCES.iter().find(|(name, _)| asked(name)) {
        Some((_, rest)) => format!("{verb}{rest}"),
        None if bucket.is_empty() && verb == "Get" => "ListBuckets".to_owned(),
        None if object.is_empty() => format!("{verb}Bucket"),
        None => format!("{verb}Object"),
    }
}

/// From `Credential=AKID/date/region/service/aws4_request`.
fn region(headers: &HeaderMap) -> String {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scope = signed.split_once("Credential=").map_or("", |(_, rest)| rest);
    scope.split('/').nth(2).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn call(method: &Method, path: &str, headers: &[(&'static str, &str)], body: &str) -> Call {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        classify(method, path, &headers, body.as_bytes())
    }

    #[test]
    fn every_protocol_is_told_apart() {
        let json = call(&Method::POST, "/", &[("x-amz-target", "TrentService.PutKeyPolicy")], "{}");
        assert_eq!((json.operation.as_str(), json.protocol, json.writes), ("PutKeyPolicy", Protocol::Json, true));
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let query = call(&Method::POST, "/", &form, "Action=GetTopicAttributes&Version=2010-03-31");
        assert_eq!((query.operation.as_str(), query.protocol, query.writes), ("GetTopicAttributes", Protocol::Query, false));
        let cbor = call(&Method::POST, "/service/GraniteServiceVersion20100801/operation/GetMetricData", &[], "");
        assert_eq!((cbor.operation.as_str(), cbor.protocol, cbor.writes), ("GetMetricData", Protocol::Cbor, false));
    }

    #[test]
    fn buckets_are_told_by_their_sub_resource() {
        let put = call(&Method::PUT, "/orders/?encryption", &[], "");
        assert_eq!((put.operation.as_str(), put.bucket.as_str(), put.writes), ("PutBucketEncryption", "orders", true));
        assert_eq!(call(&Method::GET, "/orders?policyStatus", &[], "").operation, "GetBucketPolicyStatus");
        assert_eq!(call(&Method::GET, "/?max-buckets=100", &[], "").operation, "ListBuckets");
        assert!(call(&Method::PUT, "/orders/key", &[], "").writes);
        assert!(call(&Method::POST, "/orders?delete", &[], "").writes);
    }

    #[test]
    fn what_is_unknown_counts_as_a_write() {
        assert!(call(&Method::POST, "/", &[("x-amz-target", "TrentService.Frobnicate")], "{}").writes);
    }

    #[test]
    fn the_region_is_the_signed_one() {
        let signed = [("authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-west-1/s3/aws4_request, SignedHeaders=host")];
        assert_eq!(call(&Method::GET, "/orders?policy", &signed, "").region, "eu-west-1");
    }
}
