use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::super::transport::{Protected, denies_tls_below, transport};
use super::super::{Answer, Document, OwnStatement, Request, access, deny_old_tls, deny_plain_http, merge, remove_ours};
use super::generate::{Asked, asked, denying, document};
use super::{bucket, queue, topic};
use crate::policy::model::TlsVersion;

fn answer(document: &Document, asked: &Asked) -> Answer {
    let Asked { principal, action, resource, context, complete } = asked;
    access(document, "111122223333", &Request { principal, action, resource, context, context_is_complete: *complete }).answer
}

/// How much an answer lets through.
fn permissive(answer: Answer) -> u8 {
    match answer {
        Answer::No => 0,
        Answer::CannotTell => 1,
        Answer::Yes => 2,
    }
}

fn denies() -> impl Strategy<Value = Vec<OwnStatement>> {
    let (bucket, queue, topic) = (bucket(), queue(), topic());
    prop_oneof![
        Just(vec![deny_plain_http(Protected::Bucket(&bucket))]),
        Just(vec![deny_plain_http(Protected::Bucket(&bucket)), deny_old_tls(&bucket, TlsVersion::V1_2)]),
        Just(vec![deny_old_tls(&bucket, TlsVersion::V1_3)]),
        Just(vec![deny_plain_http(Protected::Queue(&queue))]),
        Just(vec![deny_plain_http(Protected::Topic(&topic))]),
    ]
}

/// Without statements of ours, as a document still (`None` would be no document at all).
fn without_ours(document: &Document) -> Document {
    remove_ours(document).unwrap_or_else(|| Document::parse(r#"{"Statement":[]}"#).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn text_comes_back(document in document()) {
        let again = Document::parse(&document.text()).unwrap();
        prop_assert_eq!(again.text(), document.text());
        prop_assert!(again.equivalent(&document));
        prop_assert_eq!(again, document);
    }

    #[test]
    fn merging_twice_is_merging_once(document in document(), own in denies()) {
        let once = merge(Some(&document), &own, None);
        let twice = merge(Some(&once), &own, None);
        prop_assert_eq!(twice.text(), once.text());
    }

    #[test]
    fn removing_after_merging_gives_the_original(document in document(), own in denies()) {
        let original = without_ours(&document);
        // A document that holds nothing but ours is no document without them.
        let Some(left) = remove_ours(&merge(Some(&original), &own, None)) else {
            prop_assert!(original.bodies().next().is_none());
            return Ok(());
        };
        prop_assert!(left.equivalent(&original), "{} {}", left.text(), original.text());
        // Statement by statement, in order and byte for byte.
        prop_assert!(left.bodies().map(|body| serde_json::to_string(body).unwrap()).eq(original.bodies().map(|body| serde_json::to_string(body).unwrap())));
        prop_assert_eq!(left.version(), original.version());
    }

    #[test]
    fn merging_a_deny_never_widens(document in document(), own in denies(), asked in asked()) {
        let before = answer(&without_ours(&document), &asked);
        let after = answer(&merge(Some(&document), &own, None), &asked);
        prop_assert!(permissive(after) <= permissive(before), "{before:?} became {after:?}");
    }

    #[test]
    fn merging_makes_the_verdict_yes(document in document()) {
        let bucket = bucket();
        let own = [deny_plain_http(Protected::Bucket(&bucket)), deny_old_tls(&bucket, TlsVersion::V1_3)];
        let merged = merge(Some(&document), &own, None);
        prop_assert_eq!(transport(Some(&merged), Protected::Bucket(&bucket)).denies_plain_http, Answer::Yes);
        prop_assert_eq!(denies_tls_below(Some(&merged), &bucket, TlsVersion::V1_3), Answer::Yes);
    }

    /// Knowing more of a request turns "can't tell" into an answer, and no answer into another.
    #[test]
    fn answers_survive_knowledge(document in document(), mut asked in asked()) {
        asked.complete = false;
        let vague = answer(&document, &asked);
        asked.complete = true;
        let sure = answer(&document, &asked);
        prop_assert!(vague == sure || vague == Answer::CannotTell, "{vague:?} became {sure:?}");
    }
}

/// The two ways to an answer agree: what is proven for all requests holds for each, whoever asks for whatever.
#[test]
fn what_is_proven_of_all_requests_holds_for_each() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() });
    let proven = std::cell::Cell::new([0_u32; 3]);
    let bucket = bucket();
    runner
        .run(&(denying(), asked()), |(document, mut asked)| {
            let verdict = transport(Some(&document), Protected::Bucket(&bucket));
            let old_tls = denies_tls_below(Some(&document), &bucket, TlsVersion::V1_2);
            prop_assert_eq!(verdict.gap.is_empty(), verdict.denies_plain_http == Answer::Yes);
            prop_assert!(!verdict.form_checkers_agree || verdict.denies_plain_http == Answer::Yes);
            let mut ask = |secure: &str, tls: Option<&str>| {
                asked.context.insert("aws:securetransport".to_owned(), vec![secure.to_owned()]);
                asked.context.remove("s3:tlsversion");
                if let Some(version) = tls {
                    asked.context.insert("s3:tlsversion".to_owned(), vec![version.to_owned()]);
                }
                [("s3:ListBucket", "arn:aws:s3:::ledger"), ("s3:GetObject", "arn:aws:s3:::ledger/in/a")].map(|(action, resource)| {
                    (asked.action, asked.resource) = (action, resource);
                    answer(&document, &asked)
                })
            };
            let mut tally = proven.get();
            if verdict.denies_plain_http == Answer::Yes {
                prop_assert_eq!(ask("false", None), [Answer::No; 2]);
                tally[0] += 1;
            }
            if verdict.locks_out_https == Answer::Yes {
                prop_assert!(ask("true", Some("1.3")).contains(&Answer::No));
                tally[1] += 1;
            }
            if old_tls == Answer::Yes {
                prop_assert_eq!([ask("true", Some("1.0")), ask("true", Some("1.1"))], [[Answer::No; 2]; 2]);
                tally[2] += 1;
            }
            proven.set(tally);
            Ok(())
        })
        .unwrap();
    assert!(proven.get().iter().all(|count| *count > 20), "too few proofs to mean anything: {:?}", proven.get());
}
