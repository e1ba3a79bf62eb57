use super::*;

fn document(statements: &[Value]) -> Value {
    json!({ "Policy": json!({ "Version": "2012-10-17", "Statement": statements }).to_string() })
}

fn allow(principal: &Value, action: &str) -> Value {
    json!({ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn("orders") })
}

#[test]
fn another_account_gets_what_the_document_gives_it() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    let message = json!({ "QueueUrl": url("orders"), "MessageBody": "hello" });
    let (code, words) = call_as(&mut world, OTHER, "SendMessage", &message).unwrap_err();
    assert_eq!(code, "AccessDeniedException");
    assert!(words.contains("sqs:SendMessage") && words.contains(&arn("orders")), "{words}");
    set(&mut world, "orders", &document(&[allow(&json!({ "AWS": format!("arn:aws:iam::{OTHER}:root") }), "SQS:SendMessage")])).unwrap();
    call_as(&mut world, OTHER, "SendMessage", &message).unwrap();
    assert_eq!(call_as(&mut world, OTHER, "ReceiveMessage", &message).unwrap_err().0, "AccessDeniedException");
    set(&mut world, "orders", &document(&[allow(&json!("*"), "sqs:*")])).unwrap();
    let found = call_as(&mut world, OTHER, "GetQueueUrl", &json!({ "QueueName": "orders", "QueueOwnerAWSAccountId": ACCOUNT })).unwrap();
    assert_eq!(found["QueueUrl"], url("orders"));
    let own = json!({ "QueueUrl": url("orders"), "Attributes": { "DelaySeconds": "1" } });
    assert_eq!(call_as(&mut world, OTHER, "SetQueueAttributes", &own).unwrap_err().0, "AccessDeniedException");
}

#[test]
fn unsigned_senders_reach_only_open_queues_without_encryption() {
    let mut world = world();
    create(&mut world, "orders", &json!({ "SqsManagedSseEnabled": "false" }));
    let message = json!({ "QueueUrl": url("orders"), "MessageBody": "hello" });
    assert_eq!(call_as(&mut world, "", "SendMessage", &message).unwrap_err().0, "AccessDeniedException");
    set(&mut world, "orders", &document(&[allow(&json!("*"), "sqs:SendMessage")])).unwrap();
    call_as(&mut world, "", "SendMessage", &message).unwrap();
    set(&mut world, "orders", &json!({ "SqsManagedSseEnabled": "true" })).unwrap();
    assert_eq!(call_as(&mut world, "", "SendMessage", &message).unwrap_err().0, "InvalidSecurity");
}

#[test]
fn encryption_asks_for_tls_and_a_document_may() {
    let mut world = world();
    let queue = world.create_queue(ACCOUNT, REGION, "orders");
    let plain = Origin { secure: false, ..administrator(ACCOUNT) };
    assert_eq!(world.send_message(&plain, &queue, "x").unwrap_err().code, "InvalidSecurity");
    world.set_queue_attributes(&queue, &[("SqsManagedSseEnabled", "false")]).unwrap();
    world.send_message(&plain, &queue, "x").unwrap();
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": queue, "Condition": { "Bool": { "aws:SecureTransport": "false" } } });
    set(&mut world, "orders", &document(&[deny])).unwrap();
    assert_eq!(world.send_message(&plain, &queue, "x").unwrap_err().code, "AccessDeniedException");
    world.send_message(&administrator(ACCOUNT), &queue, "x").unwrap();
}

#[test]
fn a_service_needs_the_document() {
    let mut world = world();
    let queue = world.create_queue(ACCOUNT, REGION, "orders");
    let bucket = service("s3.amazonaws.com", "arn:aws:s3:::finance");
    assert_eq!(world.send_message(&bucket, &queue, "x").unwrap_err().code, "AccessDeniedException");
    let mut statement = allow(&json!({ "Service": "s3.amazonaws.com" }), "sqs:SendMessage");
    statement["Condition"] = json!({ "ArnEquals": { "aws:SourceArn": "arn:aws:s3:::finance" } });
    set(&mut world, "orders", &document(&[statement])).unwrap();
    world.send_message(&bucket, &queue, "x").unwrap();
    assert!(world.send_message(&service("s3.amazonaws.com", "arn:aws:s3:::other"), &queue, "x").is_err());
}

#[test]
fn documents_have_limits() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    let everybody = json!("*");
    let statement = allow(&everybody, "sqs:SendMessage");
    set(&mut world, "orders", &document(&vec![statement.clone(); 20])).unwrap();
    let (code, message) = set(&mut world, "orders", &document(&vec![statement.clone(); 21])).unwrap_err();
    assert_eq!((code.as_str(), message.as_str()), ("OverLimit", "21 Statements found, maximum allowed is 20."));
    let sized = |bytes: usize| {
        let padded = |length: usize| json!({ "Version": "2012-10-17", "Id": "x".repeat(length), "Statement": [statement] }).to_string();
        let padding = bytes - padded(0).len();
        json!({ "Policy": padded(padding) })
    };
    set(&mut world, "orders", &sized(8192)).unwrap();
    assert_eq!(set(&mut world, "orders", &sized(8193)).unwrap_err().0, "InvalidAttributeValue");
    let foreign = set(&mut world, "orders", &document(&[allow(&everybody, "sns:Publish")])).unwrap_err().1;
    assert_eq!(foreign, "Invalid value for the parameter Policy. Reason: Policy statement action out of service scope!");
    let deleted_role = json!({ "AWS": "AROAIOSFODNN7EXAMPLE" });
    assert_eq!(set(&mut world, "orders", &document(&[allow(&deleted_role, "sqs:*")])).unwrap_err().0, "InvalidAttributeValue");
    let mut many = statement.clone();
    many["Action"] = json!(vec!["sqs:SendMessage"; 8]);
    assert_eq!(set(&mut world, "orders", &document(&[many])).unwrap_err().0, "InvalidAttributeValue");
}

#[test]
fn a_document_is_replaced_whole_and_an_empty_one_deletes_it() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    let written = document(&[allow(&json!("*"), "sqs:SendMessage")]);
    set(&mut world, "orders", &written).unwrap();
    assert_eq!(get(&mut world, "orders", &["Policy"]), written, "as written, byte for byte");
    set(&mut world, "orders", &json!({ "Policy": "" })).unwrap();
    assert_eq!(get(&mut world, "orders", &["Policy"]), Value::Null);
}

#[test]
fn permissions_are_added_and_removed_as_statements() {
    let mut world = world();
    create(&mut world, "orders", &json!({}));
    let add = json!({ "QueueUrl": url("orders"), "Label": "partner", "AWSAccountIds": [OTHER], "Actions": ["SendMessage"] });
    call(&mut world, "AddPermission", &add).unwrap();
    let text = get(&mut world, "orders", &["Policy"]);
    let policy: Value = serde_json::from_str(text["Policy"].as_str().unwrap()).unwrap();
    let expected = json!({
        "Version": "2012-10-17", "Id": format!("{}/SQSDefaultPolicy", arn("orders")),
        "Statement": [{
            "Sid": "partner", "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{OTHER}:root") },
            "Action": "SQS:SendMessage", "Resource": arn("orders"),
        }],
    });
    assert_eq!(policy, expected);
    call_as(&mut world, OTHER, "SendMessage", &json!({ "QueueUrl": url("orders"), "MessageBody": "x" })).unwrap();
    assert_eq!(refused(&mut world, "AddPermission", &add), "InvalidParameterValueException", "the label is taken");
    let remove = json!({ "QueueUrl": url("orders"), "Label": "partner" });
    call(&mut world, "RemovePermission", &remove).unwrap();
    assert_eq!(get(&mut world, "orders", &["Policy"]), Value::Null);
    assert_eq!(refused(&mut world, "RemovePermission", &remove), "InvalidParameterValueException");
}
