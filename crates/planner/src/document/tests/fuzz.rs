//! The bodies of the fuzz targets, bounded, on every test run: `crates/planner/fuzz` itself needs a nightly compiler.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::generate::document;
use crate as planner;

#[path = "../../../fuzz/bodies.rs"]
mod bodies;

/// Places in a text and what to put there: a byte's worth of damage each.
fn damage() -> impl Strategy<Value = Vec<(Index, usize, &'static str)>> {
    let pieces = vec![
        "", "\"", "\\", "{", "}", "[", "]", ",", ":", "*", "?", "${", "null", "1e9", "-0", "é", "\u{0}", "\\ud83d", " ", "Effect",
        "Everseal",
    ];
    proptest::collection::vec((any::<Index>(), 0_usize..4, select(pieces)), 0..4)
}

fn damaged(text: &str, damage: &[(Index, usize, &str)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, length, piece) in damage {
        let at = at.index(characters.len() + 1);
        let end = (at + length).min(characters.len());
        characters.splice(at..end, piece.chars());
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn damaged_documents(document in document(), damage in damage()) {
        let text = damaged(&document.text(), &damage);
        bodies::parse(&text);
        bodies::merge(&text);
    }

    #[test]
    fn any_text(text in r#"[\[\]{}":,\\a-fu0-9. -]{0,60}|.{0,60}"#) {
        bodies::parse(&text);
        bodies::merge(&text);
    }
}

#[test]
fn hostile_texts() {
    let deep = format!(r#"{{"Statement":[],"x":{}1{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    let wide = format!(r#"{{"Statement":[{}]}}"#, vec!["{}"; 20_000].join(","));
    let stars = format!(r#"{{"Statement":{{"Effect":"Deny","Principal":"*","Action":"{0}","NotResource":"{0}x"}}}}"#, "*?".repeat(2_000));
    for text in [deep, wide, stars, "\u{feff}{}".to_owned(), "{\"Statement\":{}}\u{0}".to_owned()] {
        bodies::parse(&text);
        bodies::merge(&text);
    }
}
