//! Where a request points: bucket and key, in the path or in the host's name, and the operation that it means.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::http::Call;

/// Path of S3 Control, which holds the settings of whole accounts.
const CONTROL: &str = "/v20180820/";

/// Bucket and key of a request; empty where it names none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Address {
    pub(super) bucket: String,
    pub(super) key: String,
    /// It came to a website endpoint.
    pub(super) website: bool,
    /// The host's name names one region's endpoint.
    pub(super) host_region: Option<String>,
}

impl Address {
    /// Reads the host's name and the path. [S3: Virtual hosting of buckets; Website endpoints]
    pub(super) fn of(call: &Call) -> Self {
        let host = call.header("host");
        let host = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(name, _)| name);
        let path = call.path.trim_start_matches('/');
        if let Some((bucket, endpoint)) = split_website(host) {
            let region = endpoint.trim_start_matches(['-', '.']).split('.').next().map(str::to_owned);
            return Self { bucket: bucket.to_owned(), key: decode(path), website: true, host_region: region };
        }
        let host_region = endpoint_region(host);
        if let Some(bucket) = bucket_of_host(host) {
            return Self { bucket: bucket.to_owned(), key: decode(path), website: false, host_region };
        }
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Self { bucket: decode(bucket), key: decode(key), website: false, host_region }
    }
}

fn split_website(host: &str) -> Option<(&str, &str)> {
    let at = host.find(".s3-website").filter(|at| *at > 0)?;
    Some((&host[..at], &host[at + ".s3-website".len()..]))
}

/// `bucket.s3.…`, `bucket.s3-region.…`, `bucket.localhost`.
fn bucket_of_host(host: &str) -> Option<&str> {
    let at = host.find(".s3.").or_else(|| host.find(".s3-")).or_else(|| host.strip_suffix(".localhost").map(str::len))?;
    let bucket = &host[..at];
    (!bucket.is_empty() && !bucket.starts_with("s3.") && bucket != "s3").then_some(bucket)
}

/// The region of `s3.eu-west-1.amazonaws.com` and its likes; `None` of the global endpoint and of other servers.
fn endpoint_region(host: &str) -> Option<String> {
    let front = host.strip_suffix(".amazonaws.com")?;
    let region = front.rsplit('.').next()?;
    (region != "s3" && !region.is_empty()).then(|| region.trim_start_matches("s3-").to_owned())
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A part of a bucket that a query member addresses, and what its operations are called after the verb. In the order in
/// which they win.
const SUBRESOURCES: &[(&str, &str)] = &[
    ("encryption", "BucketEncryption"),
    ("policyStatus", "BucketPolicyStatus"),
    ("policy", "BucketPolicy"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("notification", "BucketNotificationConfiguration"),
    ("acl", "BucketAcl"),
    ("website", "BucketWebsite"),
    ("logging", "BucketLogging"),
    ("replication", "BucketReplication"),
    ("tagging", "BucketTagging"),
    ("versioning", "BucketVersioning"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("inventory", "BucketInventoryConfiguration"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("cors", "BucketCors"),
    ("requestPayment", "BucketRequestPayment"),
    ("accelerate", "BucketAccelerateConfiguration"),
    ("object-lock", "ObjectLockConfiguration"),
    ("analytics", "BucketAnalyticsConfiguration"),
    ("metrics", "BucketMetricsConfiguration"),
    ("intelligent-tiering", "BucketIntelligentTieringConfiguration"),
];

/// The operation that a method, path and query mean.
pub(crate) fn operation(call: &Call) -> String {
    let address = Address::of(call);
    let query: Vec<(String, String)> = call.query_pairs().collect();
    let has = |name: &str| query.iter().any(|(key, _)| key == name);
    if call.path.starts_with(CONTROL) {
        return control(call);
    }
    if address.website {
        return "GetWebsiteObject".to_owned();
    }
    if address.bucket.is_empty() {
        return if call.method == Method::GET { "ListBuckets" } else { "Unknown" }.to_owned();
    }
    if address.key.is_empty() { bucket_operation(call, &has) } else { object_operation(call, &has) }
}

/// Account-wide settings have the same names as a bucket's: `Account` tells them apart in counts and faults.
fn control(call: &Call) -> String {
    if call.path.trim_end_matches('/') != "/v20180820/configuration/publicAccessBlock" {
        return format!("S3Control {}", call.path);
    }
    format!("{}AccountPublicAccessBlock", verb(&call.method))
}

fn verb(method: &Method) -> &'static str {
    match method.as_str() {
        "PUT" => "Put",
        "DELETE" => "Delete",
        "POST" => "Post",
        "HEAD" => "Head",
        _ => "Get",
    }
}

fn bucket_operation(call: &Call, has: &dyn Fn(&str) -> bool) -> String {
    if let Some((_, name)) = SUBRESOURCES.iter().find(|(query, _)| has(query)) {
        let lists = *name == "BucketInventoryConfiguration" && call.method == Method::GET && !has("id");
        if lists {
            return "ListBucketInventoryConfigurations".to_owned();
        }
        let name = if *name == "BucketLifecycleConfiguration" && call.method == Method::DELETE { "BucketLifecycle" } else { name };
        return format!("{}{name}", verb(&call.method));
    }
    let name = match *call.method.as_str().as_bytes() {
        [b'P', b'U', b'T'] => "CreateBucket",
        [b'D', ..] => "DeleteBucket",
        [b'H', ..] => "HeadBucket",
        [b'P', b'O', ..] if has("delete") => "DeleteObjects",
        [b'G', ..] if has("location") => "GetBucketLocation",
        [b'G', ..] if has("versions") => "ListObjectVersions",
        [b'G', ..] if has("uploads") => "ListMultipartUploads",
        [b'G', ..] if call.query_value("list-type").as_deref() == Some("2") => "ListObjectsV2",
        [b'G', ..] => "ListObjects",
        _ => "Unknown",
    };
    name.to_owned()
}

fn object_operation(call: &Call, has: &dyn Fn(&str) -> bool) -> String {
    let copies = call.headers.contains_key("x-amz-copy-source");
    let name = match call.method.as_str() {
        "PUT" if has("uploadId") && copies => "UploadPartCopy",
        "PUT" if has("uploadId") => "UploadPart",
        "PUT" if has("tagging") => "PutObjectTagging",
        "PUT" if has("acl") => "PutObjectAcl",
        "PUT" if has("encryption") => "UpdateObjectEncryption",
        "PUT" if copies => "CopyObject",
        "PUT" => "PutObject",
        "GET" if has("uploadId") => "ListParts",
        "GET" if has("tagging") => "GetObjectTagging",
        "GET" if has("acl") => "GetObjectAcl",
        "GET" if has("attributes") => "GetObjectAttributes",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" if has("tagging") => "DeleteObjectTagging",
        "DELETE" => "DeleteObject",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        _ => "Unknown",
    };
    name.to_owned()
}
