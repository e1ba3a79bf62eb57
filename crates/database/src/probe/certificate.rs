//! Certificates: whom to trust, and what a server's own one says.

use std::fmt;
use std::net::IpAddr;

use everseal_planner::rds::live::LiveCertificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::words;

/// Names of a certificate that are reported.
const MAX_NAMES: usize = 50;

/// Certificate authorities to trust, e.g. the RDS bundle.
pub struct Authorities {
    pub(crate) store: RootCertStore,
    /// The bundle that they came from, for clients that read it themselves.
    pub(crate) pem: Vec<u8>,
}

/// No authorities in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAuthorities {
    /// It is no PEM.
    #[error("the bundle is no PEM file: {0}")]
    NotPem(String),
    /// One of its certificates can't be used.
    #[error("certificate {place} of the bundle can't be used: {reason}")]
    Certificate {
        /// From 1.
        place: usize,
        /// Why.
        reason: String,
    },
    /// It holds no certificate.
    #[error("the bundle holds no certificate")]
    Empty,
}

impl Authorities {
    /// All certificates of a PEM bundle. One that can't be used fails the whole: what it stands for would look untrusted.
    pub fn from_pem(bundle: &[u8]) -> Result<Self, NoAuthorities> {
        let mut store = RootCertStore::empty();
        for (index, certificate) in CertificateDer::pem_slice_iter(bundle).enumerate() {
            let certificate = certificate.map_err(|error| NoAuthorities::NotPem(error.to_string()))?;
            store.add(certificate).map_err(|error| NoAuthorities::Certificate { place: index + 1, reason: error.to_string() })?;
        }
        if store.is_empty() { Err(NoAuthorities::Empty) } else { Ok(Self { store, pem: bundle.to_vec() }) }
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.store.len())
    }
}

/// What a certificate (DER) says of itself; `None` where it can't be read.
pub fn read_certificate(certificate: &[u8]) -> Option<LiveCertificate> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let names = parsed.subject_alternative_name().ok()?;
    let names = names.iter().flat_map(|names| &names.value.general_names).filter_map(name);
    Some(LiveCertificate {
        subject: words(parsed.subject().to_string().as_bytes()),
        issuer: words(parsed.issuer().to_string().as_bytes()),
        names: names.take(MAX_NAMES).collect(),
        not_before: parsed.validity().not_before.timestamp(),
        not_after: parsed.validity().not_after.timestamp(),
    })
}

/// Names that a server can have; others (mail addresses, URIs …) are nobody's to connect to.
fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(words(name.as_bytes())),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
