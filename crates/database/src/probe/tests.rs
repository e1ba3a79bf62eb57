#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn a_servers_words_are_one_readable_line() {
    assert_eq!(words(b"  a\nb\0c\x1b[31m \xff "), "a b c [31m \u{fffd}");
    assert_eq!(words(&[b'x'; 5000]).len(), MAX_WORDS);
}

#[test]
fn engines_go_by_rdss_names() {
    for (name, engine) in [
        ("postgres", Engine::Postgres),
        ("aurora-postgresql", Engine::Postgres),
        ("mysql", Engine::MySql),
        ("aurora-mysql", Engine::MySql),
        ("mariadb", Engine::MariaDb),
        ("sqlserver-web", Engine::SqlServer),
        ("custom-sqlserver-ee", Engine::SqlServer),
    ] {
        assert_eq!(Engine::of_rds(name), Ok(engine), "{name}");
    }
    for name in ["oracle-ee", "custom-oracle-ee", "db2-se", "something-new"] {
        let words = Engine::of_rds(name).unwrap_err().to_string();
        assert!(words.contains(name) && words.contains("no probe"), "{words}");
    }
}

#[test]
fn names_and_addresses_are_told_apart() {
    assert!(matches!(parsed_name("127.0.0.1").unwrap(), ServerName::IpAddress(_)));
    assert!(matches!(parsed_name("::1").unwrap(), ServerName::IpAddress(_)));
    assert!(matches!(parsed_name("orders.c1.us-east-1.rds.amazonaws.com").unwrap(), ServerName::DnsName(_)));
    assert!(matches!(parsed_name("no name"), Err(ProbeError::ServerName(_))));
}

#[test]
fn what_may_pass_is_unavailable_and_what_stays_wrong_is_invalid() {
    let address = || "db:5432".to_owned();
    let silent = ProbeError::Silent { address: address(), reason: "no answer in time".into() };
    let other = ProbeError::OtherProtocol { address: address(), protocol: "TDS", reason: "garbage".into() };
    assert_eq!(Unreadable::from(silent).class, ErrorClass::Unavailable);
    let unreadable = Unreadable::from(other);
    assert_eq!(unreadable.class, ErrorClass::Invalid);
    assert_eq!(unreadable.message, "what answers on db:5432 does not speak TDS (garbage)");
}
