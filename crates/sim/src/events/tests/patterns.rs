use super::*;
use crate::events::pattern::{check, matches};

#[test]
fn operators_match_as_documented() {
    let event = json!({
        "source": "aws.s3", "detail": { "bucket": { "name": "finance-in" }, "size": 300, "tags": ["a", "b"], "none": null, "items": [{ "id": 1 }, { "id": 2 }] }
    });
    for (detail, expected) in [
        (json!({ "bucket": { "name": ["finance-in"] } }), true),
        (json!({ "bucket": { "name": ["other", "finance-in"] } }), true),
        (json!({ "bucket": { "name": ["finance"] } }), false),
        (json!({ "bucket": { "name": [{ "prefix": "finance-" }] } }), true),
        (json!({ "bucket": { "name": [{ "prefix": { "equals-ignore-case": "FINANCE-" } }] } }), true),
        (json!({ "bucket": { "name": [{ "suffix": "-in" }] } }), true),
        (json!({ "bucket": { "name": [{ "suffix": "-out" }] } }), false),
        (json!({ "bucket": { "name": [{ "equals-ignore-case": "FINANCE-IN" }] } }), true),
        (json!({ "bucket": { "name": [{ "wildcard": "f*-in" }] } }), true),
        (json!({ "bucket": { "name": [{ "anything-but": "finance-in" }] } }), false),
        (json!({ "bucket": { "name": [{ "anything-but": ["a", "b"] }] } }), true),
        (json!({ "bucket": { "name": [{ "anything-but": { "prefix": "finance" } }] } }), false),
        (json!({ "absent": [{ "anything-but": "x" }] }), false),
        (json!({ "size": [300] }), true),
        (json!({ "size": [300.0] }), true),
        (json!({ "size": ["300"] }), false),
        (json!({ "size": [{ "numeric": [">", 0, "<=", 300] }] }), true),
        (json!({ "size": [{ "numeric": [">", 300] }] }), false),
        (json!({ "tags": ["b", "c"] }), true),
        (json!({ "tags": ["c"] }), false),
        (json!({ "none": [null] }), true),
        (json!({ "size": [{ "exists": true }], "errorCode": [{ "exists": false }] }), true),
        (json!({ "size": [{ "exists": false }] }), false),
        (json!({ "deep": { "er": [{ "exists": false }] } }), true),
        (json!({ "items": { "id": [2] } }), true),
        (json!({ "$or": [{ "size": [1] }, { "tags": ["a"] }] }), true),
        (json!({ "$or": [{ "size": [1] }, { "tags": ["z"] }] }), false),
    ] {
        let pattern = json!({ "source": ["aws.s3"], "detail": detail });
        assert_eq!(check(&pattern), Ok(()), "{pattern}");
        assert_eq!(matches(&pattern, &event), expected, "{pattern}");
    }
    assert!(!matches(&json!({ "source": ["aws.kms"] }), &event));
}

#[test]
fn what_is_no_pattern_is_refused() {
    for bad in [
        json!([]),
        json!({}),
        json!({ "source": "aws.s3" }),
        json!({ "source": [] }),
        json!({ "a": [{ "regex": "x" }] }),
        json!({ "a": [["x"]] }),
    ] {
        assert!(check(&bad).is_err(), "{bad}");
    }
}
