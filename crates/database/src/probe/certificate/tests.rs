#![allow(clippy::unwrap_used)]
use rcgen::{CertificateParams, DnType, KeyPair};
use time::macros::datetime;

use super::*;

fn params() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["orders.example".to_owned(), "10.1.2.3".to_owned(), "::1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "orders\n");
    params.not_before = datetime!(2026-01-01 0:00 UTC);
    params.not_after = datetime!(2027-01-01 0:00 UTC);
    params
}

#[test]
fn a_certificate_says_who_it_is_for_and_how_long() {
    let certificate = params().self_signed(&KeyPair::generate().unwrap()).unwrap();
    let read = read_certificate(certificate.der()).unwrap();
    assert_eq!(read.names, ["orders.example", "10.1.2.3", "::1"]);
    // 2026-01-01T00:00:00Z and a year later.
    assert_eq!((read.not_before, read.not_after), (1_767_225_600, 1_798_761_600));
    assert!(read.subject.contains("CN=orders") && !read.subject.contains('\n'), "{}", read.subject);
    assert!(!read.expired(1_798_761_600) && read.expired(1_798_761_601));
    assert!(read.not_yet_valid(1_767_225_599) && !read.not_yet_valid(1_767_225_600));
    assert_eq!(read_certificate(&certificate.der()[..100]), None);
}

#[test]
fn a_bundle_is_taken_whole_or_not_at_all() {
    let pem = || params().self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    let two = pem() + &pem();
    assert_eq!(Authorities::from_pem(two.as_bytes()).unwrap().store.len(), 2);
    assert_eq!(Authorities::from_pem(b"# nothing\n").unwrap_err(), NoAuthorities::Empty);
    let broken = pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(Authorities::from_pem(broken.as_bytes()).unwrap_err(), NoAuthorities::Certificate { place: 2, .. }));
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA";
    assert!(matches!(Authorities::from_pem(cut.as_bytes()).unwrap_err(), NoAuthorities::NotPem(_)));
}
