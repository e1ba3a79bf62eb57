//! Who the simulator is over TLS: a certificate of an authority made at start, or one that is given.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Why there is no certificate to answer with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate can't be made.
    #[error("a certificate can't be made")]
    Make(#[from] rcgen::Error),
    /// The given text holds no certificate or no key.
    #[error("the certificate or its key can't be read")]
    Read(#[from] rustls::pki_types::pem::Error),
    /// Certificate and key don't go together.
    #[error("the certificate can't be used")]
    Use(#[from] rustls::Error),
}

/// A certificate chain with its key, and what a client must trust to accept it.
#[derive(Debug, Clone)]
pub struct TlsIdentity {
    config: Arc<ServerConfig>,
    trust: String,
}

impl TlsIdentity {
    /// An authority of its own and a certificate for `localhost`, its subdomains (buckets), the loopback addresses and
    /// `addresses`. Certificates are never part of a run's randomness: they differ from run to run.
    pub fn made(addresses: &[IpAddr]) -> Result<Self, TlsError> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "Everseal simulator");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let trust = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);

        let mut names: Vec<String> = ["localhost", "*.localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        names.extend(addresses.iter().filter(|address| !address.is_unspecified()).map(ToString::to_string));
        names.sort_unstable();
        names.dedup();
        let key = KeyPair::generate()?;
        let mut server = CertificateParams::new(names)?;
        server.distinguished_name.push(DnType::CommonName, "localhost");
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let certificate = server.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Self { config: configured(vec![certificate.der().clone()], key)?, trust })
    }

    /// A chain (its own certificate first) and a private key, both PEM.
    pub fn given(chain: &str, key: &str) -> Result<Self, TlsError> {
        let certificates = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
        Ok(Self { config: configured(certificates, key)?, trust: chain.to_owned() })
    }

    /// What clients must trust, PEM: for `AWS_CA_BUNDLE` or `SSL_CERT_FILE`.
    pub fn trust(&self) -> &str {
        &self.trust
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

fn configured(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
