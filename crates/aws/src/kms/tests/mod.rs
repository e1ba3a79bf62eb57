#![allow(clippy::unwrap_used)]

mod applying;
mod observing;

use everseal_planner::Arn;
use serde_json::{Value, json};

use crate::testing::{Answer, Seen};

const ALIAS: &str = "alias/finance";

fn key(id: &str) -> Arn {
    Arn::new("aws", "kms", "us-east-1", "111122223333", &format!("key/{id}"))
}

fn body(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap()
}

fn ok(body: &Value) -> Answer {
    Answer::ok(body.to_string())
}

fn refused(code: &str) -> Answer {
    Answer::new(400, json!({ "__type": code, "message": "refused" }).to_string())
}

fn denied() -> Answer {
    refused("AccessDeniedException")
}

/// `DescribeKey`'s answer for a symmetric customer key in the named state.
fn described(key: &Arn, state: &str) -> Value {
    json!({ "KeyMetadata": {
        "AWSAccountId": key.account(), "KeyId": key.name(), "Arn": key.as_str(), "Enabled": state == "Enabled", "KeyState": state,
        "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "MultiRegion": false,
    } })
}

fn tagged(keys: &[(&Arn, &str)]) -> Value {
    let mappings =
        keys.iter().map(|(key, alias)| json!({ "ResourceARN": key.as_str(), "Tags": [{ "Key": "everseal:alias", "Value": alias }] }));
    json!({ "ResourceTagMappingList": mappings.collect::<Vec<_>>(), "PaginationToken": "" })
}

fn operations(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|seen| seen.target.as_str()).collect()
}
