use proptest::prelude::*;

use super::super::transport::{Protected, denies_tls_below, transport};
use super::super::{Answer, Document, OwnStatement, Request, access, deny_old_tls, deny_plain_http, merge, remove_ours};
use super::generate::{Asked, asked, document};
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
        prop_assume!(original.bodies().next().is_some());
        let left = remove_ours(&merge(Some(&original), &own, None)).unwrap();
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

    /// The two ways to an answer agree: what is proven for all requests holds for each.
    #[test]
    fn a_proven_deny_denies_every_plain_request(document in document(), mut asked in asked()) {
        let bucket = bucket();
        let verdict = transport(Some(&document), Protected::Bucket(&bucket));
        asked.action = if asked.resource.contains('/') { "s3:GetObject" } else { "s3:ListBucket" };
        prop_assume!(asked.resource.starts_with("arn:aws:s3:::ledger"));
        for (secure, proven) in [("false", verdict.denies_plain_http), ("true", verdict.locks_out_https)] {
            asked.context.insert("aws:securetransport".to_owned(), vec![secure.to_owned()]);
            if proven == Answer::Yes && secure == "false" {
                prop_assert_eq!(answer(&document, &asked), Answer::No);
            }
        }
        if verdict.denies_plain_http == Answer::Yes {
            prop_assert_eq!(verdict.gap, "");
        } else {
            prop_assert!(!verdict.form_checkers_agree);
        }
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
