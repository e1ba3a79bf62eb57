//! The body of the fuzz target, bounded, on every test run: `crates/database/fuzz` itself needs a nightly compiler.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate as database;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

/// An answer of each kind as a server sends it.
fn whole() -> Vec<Vec<u8>> {
    let pg_error = b"SFATAL\0C28000\0Mno pg_hba.conf entry for host \"10.0.0.1\"\0\0";
    let mut error = vec![b'E'];
    error.extend((u32::try_from(pg_error.len()).unwrap_or(0) + 4).to_be_bytes());
    error.extend(pg_error);
    let mut greeting = b"\x4a\0\0\0\x0a8.0.39\0\x08\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15".to_vec();
    greeting.resize(4 + 0x4a, 0);
    let prelogin = b"\x04\x01\0\x2b\0\0\x01\0\0\0\x1a\0\x06\x01\0\x20\0\x01\x02\0\x21\0\x01\x03\0\x22\0\0\x04\0\x22\0\x01\xff\x10\0\x0f\xa0\0\0\x03\0\0";
    vec![
        b"S".to_vec(),
        error,
        b"R\0\0\0\x08\0\0\0\x0a".to_vec(),
        greeting,
        b"\x17\0\0\0\xff\x69\x04Host is blocked now".to_vec(),
        prelogin.to_vec(),
    ]
}

#[test]
fn whole_answers() {
    for answer in whole() {
        bodies::answers(&answer);
        for end in 0..answer.len() {
            bodies::answers(&answer[..end]);
        }
    }
}

#[test]
fn endless_answers() {
    for first in [b"S".as_slice(), b"E\0\0\x70\0", b"R\0\0\0\x08", b"\xff\x0f\0\0\x0a", b"\x04\0\0\x09\0\0\0\0v", b"\x30\x82\xff\xff"] {
        bodies::answers(&first.iter().copied().chain(std::iter::repeat(b'x')).take(200_000).collect::<Vec<u8>>());
        bodies::answers(&first.iter().copied().cycle().take(200_000).collect::<Vec<u8>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn damaged_answers(mut answer in select(whole()), damage in proptest::collection::vec((any::<Index>(), 0_usize..3, any::<Vec<u8>>()), 0..4)) {
        for (at, length, piece) in damage {
            let at = at.index(answer.len() + 1);
            let end = (at + length).min(answer.len());
            answer.splice(at..end, piece);
        }
        bodies::answers(&answer);
    }

    #[test]
    fn any_bytes(bytes in any::<Vec<u8>>(), first in select(b"SNER\x04\x12\x0a\x30".to_vec())) {
        bodies::answers(&bytes);
        bodies::answers(&[&[first], bytes.as_slice()].concat());
    }
}
