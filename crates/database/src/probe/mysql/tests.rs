#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    [&[length[0], length[1], length[2], sequence], payload].concat()
}

fn handshake_packet(version: &str, capabilities: u16) -> Vec<u8> {
    let mut payload = vec![10];
    payload.extend(version.as_bytes());
    payload.extend(b"\0\x2a\0\0\0abcdefgh\0");
    payload.extend(capabilities.to_le_bytes());
    payload.extend(b"\x2d\x02\0\x0f\x80\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0mysql_native_password\0");
    packet(0, &payload)
}

#[test]
fn one_bit_says_whether_tls_is_offered() {
    for (capabilities, tls) in [(0xffff, true), (0xf7ff, false), (0x0800, true), (0, false)] {
        let expected = Greeting::Handshake { version: "5.5.5-10.11.6-MariaDB".into(), tls };
        assert_eq!(greeting(&handshake_packet("5.5.5-10.11.6-MariaDB", capabilities)), Ok(Some(expected)));
    }
}

#[test]
fn errors_come_with_and_without_a_state() {
    let bare = packet(0, b"\xff\x69\x04Host 'h' is blocked because of many connection errors");
    let expected = Greeting::Error { code: 1129, message: "Host 'h' is blocked because of many connection errors".into() };
    assert_eq!(greeting(&bare), Ok(Some(expected)));
    let stated = packet(0, b"\xff\x10\x04#08004Too many connections");
    assert_eq!(greeting(&stated), Ok(Some(Greeting::Error { code: 1040, message: "Too many connections".into() })));
}

#[test]
fn what_is_no_greeting_is_refused() {
    for (bytes, why) in [
        (packet(1, b"\x0a8.0\0"), "number"),
        (packet(0, b""), "length"),
        (packet(0, b"\x093.23\0"), "version 10"),
        (packet(0, b"\x0a8.0"), "end"),
        (packet(0, b"\x0a8.0\0\0\0\0\0abc"), "capabilities"),
        (packet(0, b"\xff\x01"), "code"),
        (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), "length"),
        (b"\xff\xff\xff\0\x0a".to_vec(), "length"),
        (b"\x20\0\0\0\x45".to_vec(), "neither"),
        ([handshake_packet("8.0.39", 0xffff), vec![0]].concat(), "before the client's answer"),
    ] {
        let error = greeting(&bytes).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn the_request_for_tls_is_a_handshake_response_cut_before_the_user_name() {
    let request = ssl_request();
    assert_eq!(request[..4], [32, 0, 0, 1], "32 bytes, packet 1");
    let capabilities = u32::from_le_bytes(*request[4..].first_chunk().unwrap());
    assert_eq!(capabilities & 0x0a00, 0x0a00, "CLIENT_SSL and CLIENT_PROTOCOL_41");
    assert!(request[13..].iter().all(|byte| *byte == 0));
}

proptest! {
    #[test]
    fn greetings_are_read_whatever_their_version(version in "[ -~]{0,100}", capabilities: u16) {
        let expected = Greeting::Handshake { version: version.trim().to_owned(), tls: capabilities & 0x0800 != 0 };
        let bytes = handshake_packet(&version, capabilities);
        prop_assert_eq!(greeting(&bytes), Ok(Some(expected)));
        for end in 0..bytes.len() {
            prop_assert_eq!(greeting(&bytes[..end]), Ok(None));
        }
    }
}
