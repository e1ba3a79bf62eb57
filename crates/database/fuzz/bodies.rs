//! What the fuzz target checks. libFuzzer needs a nightly compiler, so the crate's tests include this file too and run
//! the same body over generated and damaged answers on every test run (`src/probe/fuzz.rs`).
//!
//! Whoever includes this file names the crate `database` beside it.

use std::fmt::Debug;

use super::database::probe::{Malformed, mysql, postgres, read_certificate, tds};

/// Every answer is complete at this length: the longest is a TDS message of packets that carry one byte each.
const ENOUGH: usize = 9 * 8193;

/// Every parser takes any bytes; none decides before the answer is whole, none asks for more without end.
pub fn answers(bytes: &[u8]) {
    whole_or_not(bytes, postgres::ssl_answer);
    whole_or_not(bytes, postgres::startup_answer);
    whole_or_not(bytes, mysql::greeting);
    whole_or_not(bytes, tds::prelogin_answer);
    if let Ok(Some(packet)) = tds::packet(bytes) {
        assert_eq!(packet.payload, &bytes[8..packet.length]);
    }
    let _ = read_certificate(bytes);
}

fn whole_or_not<T: Debug + PartialEq>(bytes: &[u8], parse: impl Fn(&[u8]) -> Result<Option<T>, Malformed>) {
    match parse(bytes) {
        Ok(Some(answer)) => {
            let start = bytes.len().saturating_sub(64);
            for end in (start..bytes.len()).chain([0, 1, 4].into_iter().filter(|end| *end < bytes.len())) {
                let early = parse(&bytes[..end]);
                assert!(
                    early == Ok(None) || early == Ok(Some(answer_again(&parse, bytes))),
                    "{end} of {}: {early:?}, then {answer:?}",
                    bytes.len()
                );
            }
        }
        Ok(None) => assert!(bytes.len() < ENOUGH, "{} bytes, and it asks for more", bytes.len()),
        Err(_) => {}
    }
}

fn answer_again<T: Debug>(parse: &impl Fn(&[u8]) -> Result<Option<T>, Malformed>, bytes: &[u8]) -> T {
    match parse(bytes) {
        Ok(Some(answer)) => answer,
        other => panic!("the same bytes were an answer a moment ago: {other:?}"),
    }
}
