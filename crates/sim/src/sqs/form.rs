//! The query protocol: forms become the JSON input, and outputs XML. [SQS: API reference, Query]

use serde_json::{Map, Value, json};

use crate::http::Call;
use crate::wire::query::Form;
use crate::wire::xml::Element;

/// Of answers.
pub(super) const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";

/// Lists of texts: JSON member, form prefix.
const LISTS: &[(&str, &str)] = &[
    ("AttributeNames", "AttributeName"),
    ("MessageSystemAttributeNames", "MessageSystemAttributeName"),
    ("MessageAttributeNames", "MessageAttributeName"),
    ("TagKeys", "TagKey"),
    ("AWSAccountIds", "AWSAccountId"),
    ("Actions", "ActionName"),
];

/// Members that are one text.
const TEXTS: &[&str] = &[
    "QueueName",
    "QueueUrl",
    "QueueOwnerAWSAccountId",
    "QueueNamePrefix",
    "NextToken",
    "MaxResults",
    "Label",
    "MessageBody",
    "DelaySeconds",
    "MessageGroupId",
    "MessageDeduplicationId",
    "ReceiptHandle",
    "VisibilityTimeout",
    "MaxNumberOfMessages",
    "WaitTimeSeconds",
    "Id",
];

/// A form as the JSON input of an operation.
pub(super) fn input(call: &Call, operation: &str) -> Map<String, Value> {
    let form = Form::of(call);
    let mut input = members(&form);
    // Of old, requests go to the queue's own address. [SQS: Making Query API requests]
    if !input.contains_key("QueueUrl") && call.path.trim_matches('/').contains('/') {
        input.insert("QueueUrl".to_owned(), json!(format!("http://{}{}", call.header("host"), call.path)));
    }
    for (member, prefix) in LISTS {
        let values = form.values(prefix);
        if !values.is_empty() {
            input.insert((*member).to_owned(), json!(values));
        }
    }
    let pairs = |prefix: &str, key: &str, value: &str| -> Map<String, Value> {
        form.pairs(prefix, key, value).into_iter().map(|(key, value)| (key, json!(value))).collect()
    };
    input.insert("Attributes".to_owned(), Value::Object(pairs("Attribute", "Name", "Value")));
    let tags = if operation == "CreateQueue" { "tags" } else { "Tags" };
    input.insert(tags.to_owned(), Value::Object(pairs("Tag", "Key", "Value")));
    let entries: Vec<Value> = form.list(&format!("{operation}RequestEntry")).iter().map(|entry| Value::Object(members(entry))).collect();
    if !entries.is_empty() {
        input.insert("Entries".to_owned(), json!(entries));
    }
    input
}

/// Texts and message attributes of a form or of an entry in it.
fn members(form: &Form) -> Map<String, Value> {
    let mut members: Map<String, Value> = TEXTS.iter().filter_map(|name| Some(((*name).to_owned(), json!(form.get(name)?)))).collect();
    let attribute = |item: &Form| {
        let mut value = Map::new();
        for member in ["DataType", "StringValue", "BinaryValue"] {
            if let Some(text) = item.get(&format!("Value.{member}")) {
                value.insert(member.to_owned(), json!(text));
            }
        }
        Some((item.get("Name")?.to_owned(), Value::Object(value)))
    };
    let attributes: Map<String, Value> = form.list("MessageAttribute").iter().filter_map(attribute).collect();
    if !attributes.is_empty() {
        members.insert("MessageAttributes".to_owned(), Value::Object(attributes));
    }
    members
}

/// An output as the operation's result element.
pub(super) fn output(operation: &str, output: &Value) -> Element {
    let Value::Object(members) = output else { return Element::default() };
    members.iter().fold(Element::default(), |element, (name, value)| match (name.as_str(), value) {
        ("Attributes", Value::Object(pairs)) => element.children(pairs_of("Attribute", ["Name", "Value"], pairs)),
        ("Tags", Value::Object(pairs)) => element.children(pairs_of("Tag", ["Key", "Value"], pairs)),
        ("MessageAttributes", Value::Object(attributes)) => element.children(attributes.iter().map(|(name, value)| {
            let value = self::output(operation, value).named("Value");
            Element::new("MessageAttribute").text("Name", name).child(value)
        })),
        ("QueueUrls" | "queueUrls", Value::Array(urls)) => {
            urls.iter().fold(element, |element, url| element.text("QueueUrl", url.as_str().unwrap_or_default()))
        }
        ("Messages", Value::Array(list)) => element.children(list.iter().map(|one| self::output(operation, one).named("Message"))),
        ("Successful", Value::Array(list)) => {
            element.children(list.iter().map(|one| self::output(operation, one).named(format!("{operation}ResultEntry"))))
        }
        ("Failed", Value::Array(list)) => {
            element.children(list.iter().map(|one| self::output(operation, one).named("BatchResultErrorEntry")))
        }
        (_, Value::String(text)) => element.text(name.clone(), text),
        (_, other) => element.text(name.clone(), other),
    })
}

fn pairs_of<'a>(
    element: &'static str,
    [key, value]: [&'static str; 2],
    pairs: &'a Map<String, Value>,
) -> impl Iterator<Item = Element> + 'a {
    pairs.iter().map(move |(name, text)| Element::new(element).text(key, name).text(value, text.as_str().unwrap_or_default()))
}
