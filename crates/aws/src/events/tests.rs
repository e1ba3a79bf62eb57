//! Bodies are those of the EventBridge API reference, with names of ours.

use everseal_planner::Arn;
use everseal_planner::inventory::{ErrorClass, EventRule, EventTarget};
use serde_json::{Value, json};

use crate::testing::{Answer, Seen, Wire};

fn arn(text: &str) -> Arn {
    Arn::parse(text).unwrap()
}

fn asked(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap()
}

fn rule(name: &str, state: &str, pattern: &str) -> Value {
    json!({ "Name": name.rsplit('/').next(), "Arn": format!("arn:aws:events:us-east-1:111122223333:rule/{name}"), "State": state,
        "EventPattern": pattern, "EventBusName": "default" })
}

/// Two buses; the default one has a page with a rule for uploads and a page with a disabled, scheduled one.
fn estate(seen: &Seen) -> Answer {
    let asked = asked(seen);
    let second = asked["NextToken"] == "page2";
    let answer = match (seen.target.as_str(), asked["EventBusName"].as_str()) {
        ("ListEventBuses", _) if second => json!({ "EventBuses": [{ "Name": "orders" }] }),
        ("ListEventBuses", _) => json!({ "EventBuses": [{ "Name": "default" }], "NextToken": "page2" }),
        ("ListRules", Some("default")) if second => {
            json!({ "Rules": [{ "Name": "nightly", "Arn": "arn:aws:events:us-east-1:111122223333:rule/nightly", "State": "DISABLED",
                "ScheduleExpression": "rate(1 day)", "EventBusName": "default" }] })
        }
        ("ListRules", Some("default")) => {
            json!({ "Rules": [rule("uploads", "ENABLED", r#"{"source":["aws.s3"]}"#)], "NextToken": "page2" })
        }
        ("ListRules", Some("orders")) => {
            json!({ "Rules": [rule("orders/audit", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "{}")] })
        }
        ("ListTargetsByRule", Some("default")) if asked["Rule"] == "uploads" && second => {
            json!({ "Targets": [{ "Id": "2", "Arn": "arn:aws:sns:us-east-1:111122223333:t" }] })
        }
        ("ListTargetsByRule", Some("default")) if asked["Rule"] == "uploads" => json!({
            "Targets": [{ "Id": "1", "Arn": "arn:aws:sqs:us-east-1:111122223333:q", "RoleArn": "arn:aws:iam::111122223333:role/to-queue",
                "DeadLetterConfig": { "Arn": "arn:aws:sqs:us-east-1:111122223333:dead" } }],
            "NextToken": "page2",
        }),
        ("ListTargetsByRule", Some(_)) => json!({ "Targets": [] }),
        other => panic!("{other:?}"),
    };
    Answer::ok(answer.to_string())
}

#[tokio::test]
async fn every_page_of_buses_rules_and_targets_is_read() {
    let wire = Wire::new(estate);
    let rules = super::rules(&wire.context()).await.unwrap();
    let target = |id: &str, to: &str| EventTarget { id: id.to_owned(), arn: arn(to), role: None, dead_letter_queue: None };
    let uploads = EventRule {
        arn: arn("arn:aws:events:us-east-1:111122223333:rule/uploads"),
        bus: "default".to_owned(),
        enabled: true,
        pattern: Some(r#"{"source":["aws.s3"]}"#.to_owned()),
        targets: vec![
            EventTarget {
                role: Some(arn("arn:aws:iam::111122223333:role/to-queue")),
                dead_letter_queue: Some(arn("arn:aws:sqs:us-east-1:111122223333:dead")),
                ..target("1", "arn:aws:sqs:us-east-1:111122223333:q")
            },
            target("2", "arn:aws:sns:us-east-1:111122223333:t"),
        ],
    };
    assert_eq!(rules[0], uploads);
    let shown: Vec<_> = rules[1..].iter().map(|rule| (rule.arn.name(), rule.bus.as_str(), rule.enabled, rule.pattern.as_deref())).collect();
    assert_eq!(shown, [("nightly", "default", false, None), ("audit", "orders", true, Some("{}"))]);
    let mut counted = wire.counted();
    counted.sort();
    let mut expected = vec!["events ListEventBuses OK"; 2];
    expected.extend(["events ListRules OK"; 3]);
    expected.extend(["events ListTargetsByRule OK"; 4]);
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn a_denied_listing_is_an_error_that_names_the_permission() {
    for (denied, action) in
        [("ListEventBuses", "events:ListEventBuses"), ("ListRules", "events:ListRules"), ("ListTargetsByRule", "events:ListTargetsByRule")]
    {
        let wire = Wire::new(move |seen| {
            let refused = json!({ "__type": "AccessDeniedException", "message": "not authorized" });
            if seen.target == denied { Answer::new(400, refused.to_string()) } else { estate(seen) }
        });
        let error = super::rules(&wire.context()).await.unwrap_err();
        assert_eq!((error.class, error.missing_action), (ErrorClass::Denied, Some(action)));
    }
}

#[tokio::test]
async fn what_is_deleted_meanwhile_is_left_out() {
    for (target, gone, left) in [("ListRules", "orders", ["uploads", "nightly"]), ("ListTargetsByRule", "nightly", ["uploads", "audit"])] {
        let wire = Wire::new(move |seen| {
            let asked = asked(seen);
            if seen.target == target && (asked["EventBusName"] == gone || asked["Rule"] == gone) {
                return Answer::new(400, json!({ "__type": "ResourceNotFoundException", "message": "gone" }).to_string());
            }
            estate(seen)
        });
        let rules = super::rules(&wire.context()).await.unwrap();
        assert_eq!(rules.iter().map(|rule| rule.arn.name()).collect::<Vec<_>>(), left, "{gone}");
    }
}

#[tokio::test]
async fn a_target_without_an_arn_is_not_taken_for_no_target() {
    let wire = Wire::new(|seen| {
        let nothing = json!({ "Targets": [{ "Id": "1", "Arn": "" }] });
        if seen.target == "ListTargetsByRule" { Answer::ok(nothing.to_string()) } else { estate(seen) }
    });
    let error = super::rules(&wire.context()).await.unwrap_err();
    assert_eq!((error.class, error.operation), (ErrorClass::Unavailable, "ListTargetsByRule"));
}
