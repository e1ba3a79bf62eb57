//! The planner's judgement and the simulator's, on the same documents and requests.
//!
//! They share no code. The planner may say that it cannot tell; where it says yes or no, AWS would say the same, and so
//! does the simulator.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use everseal_planner::document::{self as planner, Answer};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::document::{Naming, Question};
use super::{Access, Caller, Document, Verdict};

const ACTIONS: &[&str] = &["s3:GetObject", "s3:PutObject", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"];
const RESOURCES: &[&str] = &[
    "arn:aws:s3:::ledger",
    "arn:aws:s3:::ledger/in/a",
    "arn:aws:sqs:us-east-1:111122223333:orders",
    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
];
const AWS: &[&str] = &[
    "*",
    "111122223333",
    "arn:aws:iam::444455556666:root",
    "arn:aws:iam::111122223333:role/ingest",
    "arn:aws:iam::111122223333:role/other",
    "arn:aws:sts::111122223333:assumed-role/ingest/s",
    "arn:aws:sts::111122223333:assumed-role/ingest/t",
    "arn:aws:iam::444455556666:user/ann",
];
const SERVICES: &[&str] = &["s3.amazonaws.com", "sns.amazonaws.com", "logs.us-east-1.amazonaws.com"];
const KEYS: &[(&str, &[&str])] = &[
    ("aws:securetransport", &["true", "false"]),
    ("aws:sourceaccount", &["111122223333", "444455556666"]),
    ("aws:sourcearn", &["arn:aws:s3:::ledger", "arn:aws:sns:us-east-1:111122223333:t"]),
    ("s3:tlsversion", &["1.1", "1.2", "1.3"]),
    ("aws:sourceip", &["203.0.113.9", "2001:db8::1"]),
    ("aws:currenttime", &["2020-04-01T00:00:00Z"]),
    ("kms:viaservice", &["s3.us-east-1.amazonaws.com"]),
];

fn some_of(pool: &'static [&'static str]) -> impl Strategy<Value = Value> {
    (subsequence(pool, 1..=pool.len().min(3)), any::<bool>()).prop_map(|(texts, alone)| match &texts[..] {
        [one] if alone => json!(one),
        many => json!(many),
    })
}

fn principal() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(json!("*")),
        4 => some_of(AWS).prop_map(|names| json!({ "AWS": names })),
        2 => some_of(SERVICES).prop_map(|names| json!({ "Service": names })),
        1 => (some_of(AWS), some_of(SERVICES)).prop_map(|(aws, services)| json!({ "AWS": aws, "Service": services })),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let bases = &[
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "ArnLike",
        "ArnNotEquals",
        "Bool",
        "NumericLessThan",
        "NumericGreaterThanEquals",
        "NumericNotEquals",
        "IpAddress",
        "NotIpAddress",
        "DateLessThan",
        "DateGreaterThanEquals",
        "Null",
    ][..];
    let operator = (select(&["", "", "", "ForAnyValue:", "ForAllValues:"][..]), select(bases), select(&["", "", "IfExists"][..]));
    let operator = operator.prop_map(|(set, base, suffix)| if base == "Null" { base.to_owned() } else { format!("{set}{base}{suffix}") });
    let keys = &[
        "aws:SecureTransport",
        "aws:SourceAccount",
        "AWS:SourceArn",
        "s3:TlsVersion",
        "aws:SourceIp",
        "aws:CurrentTime",
        "aws:Other",
        "kms:ViaService",
        "kms:CallerAccount",
        "aws:PrincipalAccount",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalArn",
        "aws:PrincipalServiceName",
    ][..];
    let literals = vec![
        json!("true"),
        json!("false"),
        json!(true),
        json!(false),
        json!("111122223333"),
        json!("444455556666"),
        json!("arn:aws:s3:::*"),
        json!("arn:aws:s3:::ledger"),
        json!("arn:aws:sns:*:111122223333:*"),
        json!("arn:aws:iam::111122223333:role/*"),
        json!("1.2"),
        json!(1.3),
        json!("203.0.113.0/24"),
        json!("2001:db8::/32"),
        json!("2020-06-01"),
        json!("2020-01-01T00:00:00Z"),
        json!("*"),
        json!("s3.*.amazonaws.com"),
        json!("${aws:PrincipalAccount}"),
        json!("${aws:Nothing}"),
    ];
    let values = vec(select(literals), 1..3).prop_map(|values| if values.len() == 1 { values[0].clone() } else { json!(values) });
    vec((operator, select(keys), values), 0..3).prop_map(|lines| {
        let mut block = Map::new();
        for (operator, key, values) in lines {
            block.entry(operator).or_insert_with(|| json!({}))[key] = values;
        }
        Value::Object(block)
    })
}

fn statement() -> impl Strategy<Value = Value> {
    let who = (select(&["Principal", "Principal", "Principal", "NotPrincipal"][..]), principal());
    let actions = some_of(&["s3:GetObject", "sqs:SendMessage", "kms:Decrypt", "*", "s3:*", "S3:Get*", "kms:*", "kms:GenerateDataKey*"]);
    let what = (select(&["Action", "Action", "Action", "NotAction"][..]), actions);
    let resources = some_of(&[
        "*",
        "arn:aws:s3:::ledger",
        "arn:aws:s3:::ledger/*",
        "arn:aws:sqs:*:111122223333:*",
        "arn:aws:kms:us-east-1:${aws:PrincipalAccount}:key/*",
    ]);
    let on = (select(&["Resource", "Resource", "Resource", "NotResource"][..]), resources);
    (select(&["Allow", "Allow", "Deny"][..]), who, what, on, condition()).prop_map(|(effect, who, what, on, condition)| {
        let effect = if who.0 == "NotPrincipal" { "Deny" } else { effect };
        let mut body = json!({ "Effect": effect, who.0: who.1, what.0: what.1, on.0: on.1 });
        if condition != json!({}) {
            body["Condition"] = condition;
        }
        body
    })
}

fn caller() -> impl Strategy<Value = Caller> {
    prop_oneof![
        3 => Just(Caller::role("arn:aws:iam::111122223333:role/ingest", "s").unwrap()),
        1 => Just(Caller::User { account: "444455556666".to_owned(), arn: "arn:aws:iam::444455556666:user/ann".to_owned() }),
        1 => Just(Caller::Root { account: "111122223333".to_owned() }),
        2 => select(SERVICES).prop_map(|name| Caller::Service { name: name.to_owned(), source_arn: None, source_account: None }),
    ]
}

type Context = BTreeMap<String, Vec<String>>;

fn context() -> impl Strategy<Value = Context> {
    let keys: Vec<_> =
        KEYS.iter().map(|(key, values)| (Just((*key).to_owned()), proptest::option::weighted(0.7, select(*values)))).collect();
    keys.prop_map(|keys| keys.into_iter().filter_map(|(key, value)| Some((key, vec![value?.to_owned()]))).collect())
}

/// The planner's names of the same caller; a role's session has two.
fn names_of(caller: &Caller) -> planner::Principal {
    match caller {
        Caller::Service { name, .. } => planner::Principal::Service(name.clone()),
        other => planner::Principal::Aws(other.arn()),
    }
}

#[test]
fn the_planner_never_contradicts_the_simulator() {
    let config = ProptestConfig { cases: 6_000, failure_persistence: None, ..ProptestConfig::default() };
    let decided = std::cell::Cell::new([0_u32; 2]);
    let cases = (vec(statement(), 0..5), any::<bool>(), caller(), select(ACTIONS), select(RESOURCES), (context(), any::<bool>()));
    let run = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)).run(
        &cases,
        |(statements, old, caller, action, resource, (known, complete))| {
            let version = if old { "2008-10-17" } else { "2012-10-17" };
            let text = json!({ "Version": version, "Statement": statements }).to_string();
            // What is not known is absent from the concrete request: the planner may not decide on it.
            let request =
                planner::Request { principal: &names_of(&caller), action, resource, context: &known, context_is_complete: complete };
            let theirs = planner::access(&planner::Document::parse(&text).unwrap(), "999999999999", &request);
            let mut full = known.clone();
            if let Some(account) = caller.account() {
                full.insert("kms:calleraccount".to_owned(), vec![account.to_owned()]);
            }
            let access = Access { caller: &caller, action, resource, owner: "999999999999", context: &full };
            let context = access.full_context();
            let question = Question { principal: Some(&caller), action, resource, context: &context };
            let document = Document::parse(&text).unwrap();
            let (itself, by_account) = (document.judge(question, Naming::Itself), document.judge(question, Naming::Account));
            let mut tally = decided.get();
            match theirs.answer {
                Answer::Yes => prop_assert_eq!(itself, Verdict::Allow, "the planner allows it: {}; {} {:?}", theirs.because, text, caller),
                Answer::No => {
                    prop_assert!(by_account != Verdict::Allow, "the planner refuses it: {}; {} {:?}", theirs.because, text, caller);
                }
                Answer::CannotTell => return Ok(()),
            }
            tally[usize::from(theirs.answer == Answer::Yes)] += 1;
            decided.set(tally);
            Ok(())
        },
    );
    run.unwrap();
    let [no, yes] = decided.get();
    assert!(no > 500 && yes > 100, "too few decided cases to mean anything: {no} no, {yes} yes");
}
