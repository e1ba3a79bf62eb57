//! Bodies are those of the Secrets Manager API reference, with names of ours.
#![allow(clippy::unwrap_used)]

use everseal_planner::inventory::ErrorClass;
use serde_json::{Value, json};

use crate::testing::{Answer, Seen, Wire};

const SECRET: &str = r#"{"username":"everseal","password":"s3cret"}"#;

fn estate(seen: &Seen) -> Answer {
    assert_eq!(seen.target, "GetSecretValue");
    let asked: Value = serde_json::from_str(&seen.body).unwrap();
    let error = |status, code: &str, message: &str| Answer::new(status, json!({ "__type": code, "message": message }).to_string());
    match asked["SecretId"].as_str().unwrap() {
        "everseal/orders" => Answer::ok(
            json!({ "ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:everseal/orders-AbCdEf", "Name": "everseal/orders",
                "SecretString": SECRET, "VersionId": "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1", "VersionStages": ["AWSCURRENT"],
                "CreatedDate": 1_523_477_145.713 })
            .to_string(),
        ),
        "everseal/file" => Answer::ok(json!({ "Name": "everseal/file", "SecretBinary": "czNjcmV0" }).to_string()),
        "everseal/other" => error(
            400,
            "AccessDeniedException",
            "User: arn:aws:sts::111122223333:assumed-role/everseal/x is not authorized to perform: secretsmanager:GetSecretValue on \
             resource: everseal/other because no identity-based policy allows the secretsmanager:GetSecretValue action",
        ),
        "everseal/broken" => Answer::ok(format!("{{\"SecretString\": \"{}", SECRET.replace('"', "\\\""))),
        arn if arn.starts_with("arn:") => Answer::ok(json!({ "ARN": arn, "SecretString": seen.uri }).to_string()),
        _ => error(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
    }
}

#[tokio::test]
async fn a_secret_is_read_by_its_name() {
    let wire = Wire::new(estate);
    let text = super::secret(&wire.context(), "everseal/orders").await.unwrap();
    assert_eq!(text.as_str(), SECRET);
}

#[tokio::test]
async fn an_arn_says_in_which_region_the_secret_is() {
    let wire = Wire::new(estate);
    let arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:everseal/orders-AbCdEf";
    let asked = super::secret(&wire.context(), arn).await.unwrap();
    assert!(asked.contains("secretsmanager.eu-central-1.amazonaws.com"), "{}", asked.as_str());
}

#[tokio::test]
async fn what_can_not_be_read_says_why_and_what_to_allow() {
    let wire = Wire::new(estate);
    let denied = super::secret(&wire.context(), "everseal/other").await.unwrap_err();
    assert_eq!((denied.class, denied.missing_action), (ErrorClass::Denied, Some("secretsmanager:GetSecretValue")));
    let gone = super::secret(&wire.context(), "everseal/nobody").await.unwrap_err();
    assert_eq!(gone.class, ErrorClass::NotFound);
    let binary = super::secret(&wire.context(), "everseal/file").await.unwrap_err();
    assert!(binary.message.contains("a text"), "{binary}");
    let broken = super::secret(&wire.context(), "everseal/broken").await.unwrap_err();
    for error in [binary, broken] {
        let said = format!("{error} {error:?}");
        assert!(!said.contains("s3cret") && !said.contains("czNjcmV0"), "{said}");
    }
}
