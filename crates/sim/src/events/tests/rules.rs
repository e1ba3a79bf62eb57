use super::*;

fn rule(world: &mut World, name: &str, bus: Option<&str>) -> Result<Value, (String, String)> {
    let mut input = json!({ "Name": name, "EventPattern": r#"{"source":["shop"]}"# });
    if let Some(bus) = bus {
        input["EventBusName"] = json!(bus);
    }
    call(world, "PutRule", &input)
}

#[test]
fn a_rule_is_made_read_switched_and_deleted() {
    let mut world = world();
    assert_eq!(rule(&mut world, "orders", None).unwrap(), json!({ "RuleArn": rule_arn("orders") }));
    let read = call(&mut world, "DescribeRule", &json!({ "Name": "orders" })).unwrap();
    let expected = json!({
        "Name": "orders", "Arn": rule_arn("orders"), "State": "ENABLED", "EventBusName": "default",
        "EventPattern": r#"{"source":["shop"]}"#, "CreatedBy": ACCOUNT,
    });
    assert_eq!(read, expected);
    call(&mut world, "DisableRule", &json!({ "Name": "orders" })).unwrap();
    assert_eq!(call(&mut world, "DescribeRule", &json!({ "Name": "orders" })).unwrap()["State"], "DISABLED");
    call(&mut world, "EnableRule", &json!({ "Name": "orders" })).unwrap();
    call(&mut world, "PutTargets", &json!({ "Rule": "orders", "Targets": [{ "Id": "1", "Arn": "arn:aws:sqs:us-east-1:111122223333:x" }] }))
        .unwrap();
    rule(&mut world, "orders", None).unwrap();
    assert_eq!(refused(&mut world, "DeleteRule", &json!({ "Name": "orders" })), "ValidationException", "it has a target");
    let names = call(&mut world, "ListRuleNamesByTarget", &json!({ "TargetArn": "arn:aws:sqs:us-east-1:111122223333:x" })).unwrap();
    assert_eq!(names, json!({ "RuleNames": ["orders"] }));
    let removed = call(&mut world, "RemoveTargets", &json!({ "Rule": "orders", "Ids": ["1", "2"] })).unwrap();
    assert_eq!((&removed["FailedEntryCount"], &removed["FailedEntries"][0]["TargetId"]), (&json!(1), &json!("2")));
    call(&mut world, "DeleteRule", &json!({ "Name": "orders" })).unwrap();
    let (code, message) = call(&mut world, "DescribeRule", &json!({ "Name": "orders" })).unwrap_err();
    let expected = "Rule orders does not exist on EventBus default.";
    assert_eq!((code.as_str(), message.as_str()), ("ResourceNotFoundException", expected));
}

#[test]
fn rules_and_targets_are_checked() {
    let mut world = world();
    assert_eq!(refused(&mut world, "PutRule", &json!({ "Name": "x" })), "ValidationException");
    assert_eq!(refused(&mut world, "PutRule", &json!({ "Name": "x y", "EventPattern": "{}" })), "ValidationException");
    for bad in ["{", "{}", r#"{"source":"shop"}"#] {
        assert_eq!(refused(&mut world, "PutRule", &json!({ "Name": "x", "EventPattern": bad })), "InvalidEventPatternException");
    }
    rule(&mut world, "orders", None).unwrap();
    let put = |target: Value| json!({ "Rule": "orders", "Targets": [target] });
    for bad in [
        json!({ "Id": "1", "Arn": "queue" }),
        json!({ "Id": "1", "Arn": "arn:aws:firehose:us-east-1:111122223333:deliverystream/x" }),
        json!({ "Id": "1", "Arn": "arn:aws:sqs:us-east-1:111122223333:x.fifo" }),
    ] {
        assert_eq!(refused(&mut world, "PutTargets", &put(bad)), "ValidationException");
    }
    let six: Vec<_> = (0..6).map(|id| json!({ "Id": id.to_string(), "Arn": "arn:aws:sqs:us-east-1:111122223333:x" })).collect();
    assert_eq!(refused(&mut world, "PutTargets", &json!({ "Rule": "orders", "Targets": six })), "LimitExceededException");
}

#[test]
fn listings_are_paged() {
    let mut world = world();
    for number in 0..101 {
        rule(&mut world, &format!("r{number:03}"), None).unwrap();
    }
    let first = call(&mut world, "ListRules", &json!({})).unwrap();
    assert_eq!(first["Rules"].as_array().unwrap().len(), 100);
    let rest = call(&mut world, "ListRules", &json!({ "NextToken": first["NextToken"] })).unwrap();
    assert_eq!((&rest["Rules"][0]["Name"], rest.get("NextToken")), (&json!("r100"), None));
    let some = call(&mut world, "ListRules", &json!({ "NamePrefix": "r05", "Limit": 3 })).unwrap();
    assert_eq!(some["Rules"][2]["Name"], "r052");
}

#[test]
fn buses_have_rules_documents_and_tags_of_their_own() {
    let mut world = world();
    let arn = format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/shop");
    let made = call(&mut world, "CreateEventBus", &json!({ "Name": "shop", "Tags": [{ "Key": "team", "Value": "finance" }] })).unwrap();
    assert_eq!(made["EventBusArn"], json!(arn));
    assert_eq!(refused(&mut world, "CreateEventBus", &json!({ "Name": "shop" })), "ResourceAlreadyExistsException");
    assert_eq!(rule(&mut world, "orders", Some("shop")).unwrap()["RuleArn"], json!(rule_arn("shop/orders")));
    assert_eq!(rule(&mut world, "orders", Some("none")).unwrap_err().0, "ResourceNotFoundException");
    let buses = call(&mut world, "ListEventBuses", &json!({})).unwrap();
    let names: Vec<_> = buses["EventBuses"].as_array().unwrap().iter().map(|bus| bus["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["default", "shop"]);
    assert_eq!(
        call(&mut world, "ListTagsForResource", &json!({ "ResourceARN": arn })).unwrap()["Tags"],
        json!([{ "Key": "team", "Value": "finance" }])
    );
    call(&mut world, "TagResource", &json!({ "ResourceARN": rule_arn("shop/orders"), "Tags": [{ "Key": "a", "Value": "b" }] })).unwrap();
    call(&mut world, "UntagResource", &json!({ "ResourceARN": rule_arn("shop/orders"), "TagKeys": ["a"] })).unwrap();
    assert_eq!(call(&mut world, "ListTagsForResource", &json!({ "ResourceARN": rule_arn("shop/orders") })).unwrap()["Tags"], json!([]));
    assert_eq!(refused(&mut world, "DeleteEventBus", &json!({ "Name": "shop" })), "ValidationException", "it has a rule");
}

#[test]
fn another_account_puts_events_where_the_bus_lets_it() {
    let mut world = world();
    let bus = format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default");
    let input = json!({ "Entries": [{ "Source": "shop", "DetailType": "Sale", "Detail": "{}", "EventBusName": bus }] });
    assert_eq!(call_as(&mut world, OTHER, "PutEvents", &input).unwrap_err().0, "AccessDeniedException");
    call(&mut world, "PutPermission", &json!({ "Action": "events:PutEvents", "Principal": OTHER, "StatementId": "partner" })).unwrap();
    assert_eq!(call_as(&mut world, OTHER, "PutEvents", &input).unwrap()["FailedEntryCount"], 0);
    call(&mut world, "RemovePermission", &json!({ "StatementId": "partner" })).unwrap();
    assert_eq!(call_as(&mut world, OTHER, "PutEvents", &input).unwrap_err().0, "AccessDeniedException");
    assert_eq!(refused(&mut world, "RemovePermission", &json!({ "StatementId": "partner" })), "ResourceNotFoundException");
}

#[test]
fn entries_are_checked_each_for_itself() {
    let mut world = world();
    let entry = |source: &str, detail: &str| json!({ "Source": source, "DetailType": "Sale", "Detail": detail });
    let entries = [entry("shop", "{}"), entry("shop", "no JSON"), entry("aws.s3", "{}"), entry("", "{}")];
    let answer = call(&mut world, "PutEvents", &json!({ "Entries": entries })).unwrap();
    assert_eq!(answer["FailedEntryCount"], 3);
    let codes: Vec<_> = answer["Entries"].as_array().unwrap().iter().map(|one| one["ErrorCode"].as_str()).collect();
    assert_eq!(codes, [None, Some("MalformedDetail"), Some("NotAuthorizedForSourceException"), Some("InvalidArgument")]);
    assert_eq!(refused(&mut world, "PutEvents", &json!({ "Entries": [] })), "ValidationException");
}
