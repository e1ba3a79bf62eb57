//! A certificate authority for tests, and servers' certificates of it.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use time::{Duration, OffsetDateTime};

/// An authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// What trusts it.
    pub bundle: String,
}

/// A server's certificate with its key, PEM.
#[derive(Clone)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let bundle = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), bundle }
    }

    /// The authority's own certificate, as a server's.
    pub fn itself(name: &str) -> (Identity, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        (Identity { certificate: certificate.clone(), key: key.serialize_pem() }, certificate)
    }

    /// Valid from yesterday until tomorrow.
    pub fn identity(&self, name: &str) -> Identity {
        self.identity_until(name, OffsetDateTime::now_utc() + Duration::days(1))
    }

    pub fn identity_until(&self, name: &str, until: OffsetDateTime) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = until - Duration::days(2);
        params.not_after = until;
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}
