//! Our evaluator against the crate `iam-rs`, where that crate is right.
//!
//! Left out, because iam-rs 0.8 answers otherwise than AWS documents:
//! - `{"AWS": "*"}` or an account for a service, an account id or root ARN for the account's roles and users, a role
//!   for its sessions: it compares kinds and names only. [IAM JSON policy elements: Principal]
//! - `NotPrincipal` without the account of the spared principal. [IAM JSON policy elements: `NotPrincipal`]
//! - several kinds in one `Principal`, element names in lower case: it does not read them.
//! - `ArnEquals` with wildcards: it compares text, AWS documents it as `ArnLike`. [IAM: ARN condition operators]
//! - policy variables in a document of version 2008-10-17: it replaces them. [IAM JSON policy elements: Version]
//! - `*` inside an ARN segment: AWS leaves open whether it crosses a colon, and we say "can't tell".

use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, Principal as Theirs, PrincipalId, evaluate_policy};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::super::{Answer, Document, Principal, Request, access};
use super::generate::{ACTIONS, Asked, RESOURCES, SERVICES, asked};
use super::holding;

const IDENTITIES: &[&str] = &["arn:aws:iam::111122223333:role/ingest", "arn:aws:iam::444455556666:user/ann"];

fn some_of(pool: Vec<&'static str>) -> impl Strategy<Value = Value> {
    let most = pool.len().min(3);
    (subsequence(pool, 1..=most), any::<bool>())
        .prop_map(|(texts, as_list)| if texts.len() == 1 && !as_list { json!(texts[0]) } else { json!(texts) })
}

fn condition() -> impl Strategy<Value = Value> {
    let text = vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "StringEqualsIfExists",
        "ArnLike",
        "ArnNotLike",
    ];
    let line = prop_oneof![
        (
            select(text),
            select(vec!["aws:SourceAccount", "aws:SourceArn", "aws:Other"]),
            some_of(vec!["111122223333", "arn:aws:s3:::*", "arn:aws:s3:::ledger", "*"])
        ),
        (select(vec!["Bool", "BoolIfExists"]), Just("aws:SecureTransport"), select(vec![json!("true"), json!("false")])),
        (
            select(vec!["NumericLessThan", "NumericGreaterThanEquals", "NumericEquals", "NumericNotEquals", "NumericLessThanIfExists"]),
            Just("s3:TlsVersion"),
            select(vec![json!("1.2"), json!("1.3")])
        ),
        (select(vec!["IpAddress", "NotIpAddress"]), Just("aws:SourceIp"), some_of(vec!["203.0.113.0/24", "198.51.100.0/24"])),
        (Just("Null"), select(vec!["aws:SourceAccount", "aws:Other"]), select(vec![json!("true"), json!("false")])),
    ];
    vec(line, 0..3).prop_map(|lines| {
        let mut block = Map::new();
        for (operator, key, values) in lines {
            block.entry(operator).or_insert_with(|| json!({}))[key] = values;
        }
        Value::Object(block)
    })
}

fn statement() -> impl Strategy<Value = Value> {
    let principal = prop_oneof![
        3 => Just(json!("*")),
        2 => some_of(IDENTITIES.to_vec()).prop_map(|names| json!({"AWS": names})),
        1 => some_of(SERVICES.to_vec()).prop_map(|names| json!({"Service": names})),
    ];
    let actions = some_of([ACTIONS, &["*", "s3:*", "S3:Get*", "kms:*", "s3:?etObject"]].concat());
    let resources = some_of([RESOURCES, &["*", "arn:aws:s3:::ledger/*", "arn:aws:s3:::led*", "arn:aws:sqs:*:111122223333:*"]].concat());
    let names = (prop_oneof![4 => Just("Action"), 1 => Just("NotAction")], prop_oneof![4 => Just("Resource"), 1 => Just("NotResource")]);
    (select(vec!["Allow", "Allow", "Deny"]), principal, names, actions, resources, condition()).prop_map(
        |(effect, principal, (what, on), actions, resources, condition)| {
            let mut body = json!({"Effect": effect, "Principal": principal});
            body[what] = actions;
            body[on] = resources;
            if condition != json!({}) {
                body["Condition"] = condition;
            }
            body
        },
    )
}

fn ask_theirs(document: &Document, asked: &Asked) -> Decision {
    let policy: IAMPolicy = serde_json::from_str(&document.text()).unwrap();
    let principal = match &asked.principal {
        Principal::Aws(name) => Theirs::Aws(PrincipalId::String(name.clone())),
        Principal::Service(name) => Theirs::Service(PrincipalId::String(name.clone())),
    };
    let mut context = Context::new();
    for (key, values) in &asked.context {
        let value = match key.as_str() {
            "aws:securetransport" => ContextValue::Boolean(values[0] == "true"),
            "s3:tlsversion" => ContextValue::Number(values[0].parse().unwrap()),
            _ => ContextValue::String(values[0].clone()),
        };
        context.insert(key.clone(), value);
    }
    let request = IAMRequest::new_with_context(principal, asked.action, Arn::parse(asked.resource).unwrap(), context);
    evaluate_policy(&policy, &request).unwrap()
}

fn ask_ours(document: &Document, asked: &Asked) -> Answer {
    let Asked { principal, action, resource, context, complete: _ } = asked;
    // The owner is a third account, so that no IAM policy of its own has a say.
    access(document, "999999999999", &Request { principal, action, resource, context, context_is_complete: true }).answer
}

/// A caller that both compare by name.
fn comparable(asked: &Asked) -> bool {
    match &asked.principal {
        Principal::Aws(name) => IDENTITIES.contains(&name.as_str()),
        // The regional name is another service to iam-rs, and undecided to us.
        Principal::Service(name) => name != "logs.us-east-1.amazonaws.com",
    }
}

#[test]
fn agrees_with_iam_rs() {
    let mut runner =
        proptest::test_runner::TestRunner::new(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() });
    let decided = std::cell::Cell::new([0_u32; 2]);
    let cases = (vec(statement(), 0..5), asked().prop_filter("comparable", comparable));
    runner
        .run(&cases, |(statements, asked)| {
            let document = holding(Value::Array(statements));
            let (ours, theirs) = (ask_ours(&document, &asked), ask_theirs(&document, &asked) == Decision::Allow);
            let mut tally = decided.get();
            match ours {
                Answer::Yes => prop_assert!(theirs, "we allow: {}", document.text()),
                Answer::No => prop_assert!(!theirs, "they allow: {}", document.text()),
                Answer::CannotTell => return Ok(()),
            }
            tally[usize::from(theirs)] += 1;
            decided.set(tally);
            Ok(())
        })
        .unwrap();
    let [no, yes] = decided.get();
    assert!(no > 200 && yes > 50, "too few decided cases to mean anything: {no} no, {yes} yes");
}
