use std::collections::HashMap;

use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, Principal as Them, PrincipalId, evaluate_policy};
use proptest::prelude::*;

use super::super::{Answer, Document, Principal, Request, access};
use super::generate::{Asked, asked, document};

fn ask_them(document: &Document, asked: &Asked) -> Option<Decision> {
    let policy: IAMPolicy = serde_json::from_str(&document.text()).ok()?;
    let principal = match &asked.principal {
        Principal::Aws(name) => Them::Aws(PrincipalId::String(name.clone())),
        Principal::Service(name) => Them::Service(PrincipalId::String(name.clone())),
    };
    let mut context = Context::new();
    for (key, values) in &asked.context {
        context.insert(key.clone(), ContextValue::String(values[0].clone()));
    }
    evaluate_policy(&policy, &IAMRequest::new_with_context(principal, asked.action, Arn::parse(asked.resource).ok()?, context)).ok()
}

#[test]
fn count() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut tally: HashMap<String, usize> = HashMap::new();
    for _ in 0..20000 {
        let d = document().new_tree(&mut runner).unwrap().current();
        let mut a = asked().new_tree(&mut runner).unwrap().current();
        a.complete = true;
        let ours = access(&d, "999999999999", &Request { principal: &a.principal, action: a.action, resource: a.resource, context: &a.context, context_is_complete: true }).answer;
        let theirs = ask_them(&d, &a);
        let key = format!("{ours:?} {theirs:?}");
        let n = tally.entry(key.clone()).or_default();
        *n += 1;
        let bad = matches!((ours, theirs), (Answer::Yes, Some(Decision::Deny | Decision::NotApplicable)) | (Answer::No, Some(Decision::Allow)));
        if bad && *n < 14 { println!("{key}\n  {}\n  {a:?}", d.text()); }
    }
    println!("{tally:?}");
}
