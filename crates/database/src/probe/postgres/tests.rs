#![allow(clippy::unwrap_used)]
use super::*;

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    message.extend(body);
    message
}

#[test]
fn the_request_is_the_documented_one() {
    assert_eq!(SSL_REQUEST[4..], 80_877_103_u32.to_be_bytes());
}

#[test]
fn a_byte_answers_the_request_and_nothing_may_follow_it() {
    assert_eq!(ssl_answer(b""), Ok(None));
    assert_eq!(ssl_answer(b"S"), Ok(Some(SslAnswer::Tls)));
    assert_eq!(ssl_answer(b"N"), Ok(Some(SslAnswer::NoTls)));
    assert_eq!(ssl_answer(b"S\x16"), Err(Malformed("data before the TLS handshake")));
    assert!(ssl_answer(b"HTTP/1.1 400").is_err());
    let error = framed(b'E', b"C53300\0Mtoo many\0\0");
    let expected = ErrorResponse { code: "53300".into(), message: "too many".into() };
    assert_eq!(ssl_answer(&error), Ok(Some(SslAnswer::Error(expected))));
    assert_eq!(ssl_answer(&error[..error.len() - 1]), Ok(None));
}

#[test]
fn a_startup_message_holds_two_names_and_no_password() {
    let mut expected = vec![0, 0, 0, 26, 0, 3, 0, 0];
    expected.extend(b"user\0a\0database\0b\0\0");
    expected[3] = u8::try_from(expected.len()).unwrap();
    assert_eq!(startup_message("a", "b"), expected);
    assert_eq!(startup_message("a\0", "b"), expected, "a name can't end early");
}

#[test]
fn an_authentication_request_means_that_the_access_rules_were_passed() {
    for kind in [0, 3, 5, 10] {
        let message = framed(b'R', &u32::to_be_bytes(kind));
        assert_eq!(startup_answer(&message), Ok(Some(StartupAnswer::Authentication { kind })));
    }
    assert!(startup_answer(&framed(b'R', b"")).is_err());
    assert!(startup_answer(b"N").is_err());
}

#[test]
fn only_the_access_rules_speak_of_their_file() {
    let refused = |code: &str, text: &str| {
        let body = format!("SFATAL\0VFATAL\0C{code}\0M{text}\0Fauth.c\0L573\0\0");
        match startup_answer(&framed(b'E', body.as_bytes())) {
            Ok(Some(StartupAnswer::Error(error))) => error.is_of_access_rules(),
            other => panic!("{other:?}"),
        }
    };
    assert!(refused("28000", "no pg_hba.conf entry for host \"10.0.0.1\", user \"u\", database \"d\", no encryption"));
    assert!(
        refused("28000", "no pg_hba.conf entry for host \"10.0.0.1\", user \"u\", database \"d\", SSL off"),
        "PostgreSQL 13 and before"
    );
    assert!(refused("28000", "pg_hba.conf rejects connection for host \"10.0.0.1\", user \"u\", database \"d\", no encryption"));
    assert!(refused("28000", "kein pg_hba.conf-Eintrag für Host »10.0.0.1«"), "in the server's language");
    assert!(!refused("28000", "role \"u\" does not exist"));
    assert!(!refused("53300", "sorry, too many clients already"));
}

#[test]
fn impossible_lengths_are_refused_at_once() {
    for length in [0_u32, 3, 30_001, u32::MAX] {
        let mut message = vec![b'E'];
        message.extend(length.to_be_bytes());
        assert!(startup_answer(&message).is_err(), "{length}");
    }
    assert_eq!(startup_answer(b"E\0\0\x75"), Ok(None));
}
