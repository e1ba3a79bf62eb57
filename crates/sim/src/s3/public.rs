//! Is a bucket policy public? [S3: Blocking public access, "The meaning of public"; s3:PublicAccessBlockConfiguration]

use serde_json::{Map, Value};

use crate::access::{Written, strings};

/// A fixed value of one of these keys narrows a statement enough.
const NARROWING: &[&str] = &[
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:userid",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "s3:dataaccesspointaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// A policy is public where one of its statements lets everybody in.
pub(super) fn is_public(document: &Written) -> bool {
    document.statements().iter().any(lets_everybody_in)
}

fn lets_everybody_in(statement: &Map<String, Value>) -> bool {
    let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    let everybody = statement.contains_key("NotPrincipal") || statement.get("Principal").is_some_and(names_everybody);
    allows && everybody && !statement.get("Condition").is_some_and(narrows)
}

fn names_everybody(principal: &Value) -> bool {
    match principal {
        Value::String(text) => text == "*",
        Value::Object(kinds) => kinds.values().any(|listed| strings(listed).any(|one| one == "*")),
        _ => false,
    }
}

fn narrows(condition: &Value) -> bool {
    let Value::Object(operators) = condition else { return false };
    operators.iter().any(|(operator, keys)| {
        let operator = operator.to_ascii_lowercase();
        let keys = keys.as_object().into_iter().flatten();
        keys.into_iter().any(|(key, values)| {
            let (key, values) = (key.to_ascii_lowercase(), strings(values).collect::<Vec<_>>());
            !values.is_empty()
                && match operator.trim_start_matches("foranyvalue:") {
                    "stringequals" | "stringequalsignorecase" | "stringlike" | "arnequals" | "arnlike" => {
                        NARROWING.contains(&key.as_str()) && values.iter().all(|value| is_fixed(value))
                    }
                    "ipaddress" => key == "aws:sourceip" && values.iter().all(|range| is_narrow(range)),
                    _ => false,
                }
        })
    })
}

/// Neither wildcards nor policy variables.
fn is_fixed(value: &str) -> bool {
    !value.contains(['*', '?']) && !value.contains("${")
}

/// Very wide ranges are public: IPv4 wider than /8, IPv6 wider than /32. [S3: The meaning of "public"]
fn is_narrow(range: &str) -> bool {
    let (address, bits) = range.split_once('/').map_or((range, None), |(address, bits)| (address, bits.parse::<u8>().ok()));
    let narrowest = if address.contains(':') { 32 } else { 8 };
    bits.is_none_or(|bits| bits >= narrowest)
}
