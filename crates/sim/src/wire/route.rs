//! Which service, operation, protocol, region and credentials a request is about.

use http::Method;

use crate::http::Call;

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.0.
    Json10,
    /// AWS JSON 1.1.
    Json11,
    /// AWS query: a form in, XML out.
    Query,
    /// Smithy RPC v2 with CBOR.
    Cbor,
    /// REST with XML bodies.
    RestXml,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The service's endpoint prefix as this simulator names it: `s3`, `sqs`, `monitoring` …
    pub service: &'static str,
    /// The operation, e.g. `GetQueueAttributes`.
    pub operation: String,
    /// How it is written.
    pub protocol: Protocol,
    /// The region of its signature; `us-east-1` where it has none.
    pub region: String,
    /// The access key of its signature; empty where it is unsigned.
    pub access_key: String,
}

/// `X-Amz-Target` prefixes.
const TARGETS: &[(&str, &str)] = &[
    ("AmazonSQS", "sqs"),
    ("Firehose_20150804", "firehose"),
    ("Kinesis_20131202", "kinesis"),
    ("TrentService", "kms"),
    ("ResourceGroupsTaggingAPI_20170126", "tagging"),
    ("GraniteServiceVersion20100801", "monitoring"),
    ("AWSEvents", "events"),
    ("AWSOrganizationsV20161128", "organizations"),
];

/// Reads a request's address.
pub fn route(call: &Call) -> Route {
    let (access_key, region, signed_service) = credential(call);
    let make = |service: &'static str, operation: String, protocol: Protocol| Route {
        service,
        operation,
        protocol,
        region: region.clone(),
        access_key: access_key.clone(),
    };
    if let Some((prefix, operation)) = call.header("x-amz-target").split_once('.') {
        let service = TARGETS.iter().find(|(name, _)| *name == prefix).map_or("s3", |(_, service)| service);
        let protocol = if call.header("content-type").ends_with("1.0") { Protocol::Json10 } else { Protocol::Json11 };
        return make(service, operation.to_owned(), protocol);
    }
    if let Some(rest) = call.path.strip_prefix("/service/")
        && let Some((service, operation)) = rest.split_once("/operation/")
    {
        let service = TARGETS.iter().find(|(name, _)| *name == service).map_or("monitoring", |(_, service)| service);
        return make(service, operation.to_owned(), Protocol::Cbor);
    }
    if call.header("content-type").starts_with("application/x-www-form-urlencoded") && call.method == Method::POST {
        let member =
            |wanted: &str| form_urlencoded::parse(&call.body).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        if let Some(action) = member("Action") {
            // Without a signature the API's version tells.
            let service = match member("Version").as_deref().filter(|_| signed_service.is_empty()) {
                Some("2012-11-05") => "sqs",
                Some("2010-03-31") => "sns",
                _ => of_signature(&signed_service),
            };
            return make(service, action, Protocol::Query);
        }
    }
    if call.path.starts_with("/2020-05-31/") {
        return make("cloudfront", crate::cloudfront::operation(call), Protocol::RestXml);
    }
    make("s3", crate::s3::operation(call), Protocol::RestXml)
}

fn of_signature(service: &str) -> &'static str {
    const QUERY: &[&str] = &["sqs", "sns", "rds", "iam", "sts", "monitoring"];
    QUERY.iter().find(|known| **known == service).copied().unwrap_or("sts")
}

/// Access key, region and service of the signature, in the header or, where presigned, in the query. [`SigV4`]
fn credential(call: &Call) -> (String, String, String) {
    let header = call.header("authorization");
    let scope = match header.split_once("Credential=") {
        Some((_, rest)) => rest.split([',', ' ']).next().unwrap_or_default().to_owned(),
        None => call.query_value("X-Amz-Credential").unwrap_or_default(),
    };
    let mut parts = scope.split('/');
    let access_key = parts.next().unwrap_or_default().to_owned();
    let region = parts.nth(1).filter(|region| !region.is_empty()).unwrap_or("us-east-1").to_owned();
    let service = parts.next().unwrap_or_default().to_owned();
    (access_key, region, service)
}
