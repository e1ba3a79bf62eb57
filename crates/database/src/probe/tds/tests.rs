#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

/// A server's answer as MS-TDS 2.2.6.5 describes it: version, encryption, instance, thread id without a value, MARS.
fn answer(encryption: u8) -> Vec<u8> {
    let mut packet = b"\x04\x01\0\x2b\0\0\x01\0\0\0\x1a\0\x06\x01\0\x20\0\x01\x02\0\x21\0\x01\x03\0\x22\0\0\x04\0\x22\0\x01\xff".to_vec();
    packet.extend(b"\x10\0\x0f\xa0\0\0");
    packet.extend([encryption, 0, 0]);
    packet
}

#[test]
fn the_option_says_what_is_encrypted() {
    for (byte, expected) in [(0, Encryption::LoginOnly), (1, Encryption::On), (2, Encryption::NotSupported), (3, Encryption::Required)] {
        assert_eq!(prelogin_answer(&answer(byte)), Ok(Some(expected)));
    }
    assert!(prelogin_answer(&answer(4)).is_err());
}

#[test]
fn a_message_may_come_in_several_packets() {
    let whole = answer(3);
    let (one, other) = whole[8..].split_at(10);
    let packet = |status: u8, payload: &[u8]| [&[4, status, 0, u8::try_from(payload.len() + 8).unwrap(), 0, 0, 1, 0], payload].concat();
    let both = [packet(0, one), packet(1, other)].concat();
    assert_eq!(prelogin_answer(&both), Ok(Some(Encryption::Required)));
    assert_eq!(prelogin_answer(&both[..20]), Ok(None));
    assert!(prelogin_answer(&packet(0, b"")).is_err(), "nothing, for ever");
}

#[test]
fn what_is_no_answer_is_refused() {
    let with = |at: usize, byte: u8| {
        let mut bytes = answer(3);
        bytes[at] = byte;
        bytes
    };
    for (bytes, why) in [
        (with(0, 0x12), "no response"),
        (with(0, 0x48), "does not belong"),
        (with(2, 0xff), "length"),
        (with(8, 0x01), "version"),
        (with(13, 0x07), "nothing of encryption"),
        (with(15, 0xff), "outside"),
        (with(17, 0x02), "length"),
        ([answer(3), vec![0x16]].concat(), "before the TLS handshake"),
        (b"\x04\x01\0\x0d\0\0\x01\0\0\0\x1a\0\x06".to_vec(), "without an end"),
    ] {
        let error = prelogin_answer(&bytes).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[test]
fn our_own_pre_login_asks_for_encryption_of_the_login_only() {
    let bytes = prelogin();
    let packet = packet(&bytes).unwrap().unwrap();
    assert_eq!((packet.kind, packet.last, packet.length), (PRELOGIN, true, bytes.len()));
    assert_eq!(encryption(packet.payload), Ok(Encryption::LoginOnly));
    assert_eq!(packet.payload.len(), 26 + 6 + 1 + 1 + 4 + 1);
}

proptest! {
    #[test]
    fn what_is_wrapped_comes_out_again(payload in proptest::collection::vec(any::<u8>(), 1..10_000)) {
        let bytes = wrap(&payload);
        let (mut rest, mut out, mut last) = (bytes.as_slice(), Vec::new(), false);
        while !rest.is_empty() {
            prop_assert!(!last);
            let packet = packet(rest).unwrap().unwrap();
            out.extend_from_slice(packet.payload);
            last = packet.last;
            rest = &rest[packet.length..];
        }
        prop_assert!(last);
        prop_assert_eq!(out, payload);
    }
}
