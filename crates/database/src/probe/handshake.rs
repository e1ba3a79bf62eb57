//! A TLS handshake that records the certificate instead of judging it, and then ends.
//!
//! The signature over the handshake is verified as always: whoever shows a certificate must hold its key. Whether the
//! certificate is worth anything is written down, and nothing is sent over the session, whatever it is worth.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use everseal_planner::rds::live::{LiveCertificate, LiveChain, LiveName, LiveOffer, LiveSession};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme,
};

use super::wire::{Wire, WireError};
use super::{Authorities, Options, certificate, tds};

/// How TLS records travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// As they are.
    Bare,
    /// In packets of type `PRELOGIN`, until the handshake is over (TDS 7.x).
    InPrelogin,
}

/// Who makes handshakes: the name to ask for, whom to trust, and the time.
#[derive(Debug)]
pub(super) struct Client {
    name: ServerName<'static>,
    authorities: Option<Arc<Authorities>>,
    provider: Arc<CryptoProvider>,
    now: i64,
}

/// How a handshake ended.
#[derive(Debug)]
enum Ended {
    Tls(Error),
    Wire(WireError),
}

impl Client {
    pub(super) fn new(name: ServerName<'static>, options: &Options) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        Self { name, authorities: options.authorities.clone(), provider, now: options.now }
    }

    /// Makes a handshake on `wire`, ends the session and closes.
    pub(super) async fn handshake(&self, mut wire: Wire, framing: Framing, alpn: Option<&[u8]>) -> LiveOffer {
        let recorder = Arc::new(Recorder {
            authorities: self.authorities.clone(),
            algorithms: self.provider.signature_verification_algorithms,
            now: self.now,
            seen: Mutex::new(None),
        });
        let offer = match self.connection(&recorder, alpn) {
            Ok(mut connection) => {
                let ended = drive(&mut connection, &mut wire, framing).await;
                let offer = match offer(ended, &connection, &recorder) {
                    LiveOffer::Offered(_) if alpn != connection.alpn_protocol() => {
                        LiveOffer::Broken { reason: "it does TLS and does not choose the application protocol tds/8.0".to_owned() }
                    }
                    offer => offer,
                };
                farewell(&mut connection, &mut wire).await;
                offer
            }
            Err(error) => LiveOffer::Broken { reason: error.to_string() },
        };
        wire.close().await;
        offer
    }

    fn connection(&self, recorder: &Arc<Recorder>, alpn: Option<&[u8]>) -> Result<ClientConnection, Error> {
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions()?;
        let verifier: Arc<dyn ServerCertVerifier> = Arc::<Recorder>::clone(recorder);
        let mut config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.alpn_protocols.extend(alpn.map(<[u8]>::to_vec));
        ClientConnection::new(Arc::new(config), self.name.clone())
    }
}

async fn drive(connection: &mut ClientConnection, wire: &mut Wire, framing: Framing) -> Result<(), Ended> {
    loop {
        flush(connection, wire, framing).await.map_err(Ended::Wire)?;
        if !connection.is_handshaking() {
            return Ok(());
        }
        let records = records(wire, framing).await.map_err(Ended::Wire)?;
        let mut rest = records.as_slice();
        while !rest.is_empty() {
            let read = connection.read_tls(&mut rest).map_err(|error| Ended::Wire(WireError::Io(error)))?;
            if let Err(error) = connection.process_new_packets() {
                // The server gets to know why.
                let _ = flush(connection, wire, framing).await;
                return Err(Ended::Tls(error));
            }
            if read == 0 {
                break;
            }
        }
    }
}

/// Sends what is to be sent.
async fn flush(connection: &mut ClientConnection, wire: &mut Wire, framing: Framing) -> Result<(), WireError> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut bytes).map_err(WireError::Io)?;
    }
    match framing {
        _ if bytes.is_empty() => Ok(()),
        Framing::Bare => wire.send(&bytes).await,
        Framing::InPrelogin => wire.send(&tds::wrap(&bytes)).await,
    }
}

/// Some more bytes of TLS records.
async fn records(wire: &mut Wire, framing: Framing) -> Result<Vec<u8>, WireError> {
    match framing {
        Framing::Bare => {
            wire.read().await?;
            Ok(std::mem::take(&mut wire.unused))
        }
        Framing::InPrelogin => loop {
            if let Some(packet) = tds::packet(&wire.unused)? {
                let (records, length) = (packet.payload.to_vec(), packet.length);
                wire.unused.drain(..length);
                if !records.is_empty() {
                    return Ok(records);
                }
            } else {
                wire.read().await?;
            }
        },
    }
}

/// After the handshake TDS wraps nothing any more.
async fn farewell(connection: &mut ClientConnection, wire: &mut Wire) {
    if !connection.is_handshaking() {
        connection.send_close_notify();
        let _ = flush(connection, wire, Framing::Bare).await;
    }
}

fn offer(ended: Result<(), Ended>, connection: &ClientConnection, recorder: &Recorder) -> LiveOffer {
    let error = match ended {
        Ok(()) => return session(connection, recorder).map_or_else(|reason| LiveOffer::Broken { reason }, LiveOffer::Offered),
        Err(error) => error,
    };
    match error {
        Ended::Tls(error) if is_refusal(&error) => LiveOffer::Outdated { reason: error.to_string() },
        Ended::Tls(error) => LiveOffer::Broken { reason: error.to_string() },
        Ended::Wire(error) => LiveOffer::Broken { reason: error.to_string() },
    }
}

/// No version or cipher suite in common.
const fn is_refusal(error: &Error) -> bool {
    use AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
    matches!(error, Error::PeerIncompatible(_) | Error::AlertReceived(ProtocolVersion | HandshakeFailure | InsufficientSecurity))
}

fn session(connection: &ClientConnection, recorder: &Recorder) -> Result<LiveSession, String> {
    let seen = recorder.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Seen { certificate, chain, name } = seen.ok_or("the server showed no certificate")?;
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        other => return Err(format!("the handshake ended with the protocol version {other:?}")),
    };
    let suite = connection.negotiated_cipher_suite().ok_or("the handshake ended without a cipher suite")?;
    let cipher_suite = suite.suite().as_str().unwrap_or("unknown").to_owned();
    Ok(LiveSession { version, cipher_suite, certificate: certificate.ok_or("the server's certificate can't be read")?, chain, name })
}

struct Seen {
    certificate: Option<LiveCertificate>,
    chain: LiveChain,
    name: LiveName,
}

/// Writes down what a server shows, and lets the handshake go on.
struct Recorder {
    authorities: Option<Arc<Authorities>>,
    algorithms: WebPkiSupportedAlgorithms,
    now: i64,
    seen: Mutex<Option<Seen>>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("authorities", &self.authorities).finish_non_exhaustive()
    }
}

impl Recorder {
    /// The chain at a time at which the server's own certificate is valid: expiry is reported beside it, not instead of it.
    fn chain(&self, certificate: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>], read: Option<&LiveCertificate>) -> LiveChain {
        let Some(authorities) = &self.authorities else { return LiveChain::NotChecked };
        let parsed = match ParsedCertificate::try_from(certificate) {
            Ok(parsed) => parsed,
            Err(error) => return LiveChain::Invalid { reason: error.to_string() },
        };
        let at = read.map_or(self.now, |read| self.now.min(read.not_after).max(read.not_before));
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at.try_into().unwrap_or(0)));
        let algorithms = self.algorithms.all;
        match verify_server_cert_signed_by_trust_anchor(&parsed, &authorities.store, intermediates, at, algorithms) {
            Ok(()) => LiveChain::Verified,
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => LiveChain::UnknownAuthority,
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => {
                LiveChain::Invalid { reason: "it is not signed by the trusted authority whose name it bears".to_owned() }
            }
            Err(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
                LiveChain::Invalid { reason: "the certificate of an authority in its chain has expired".to_owned() }
            }
            Err(Error::InvalidCertificate(CertificateError::Other(error))) if error.to_string().contains("CaUsedAsEndEntity") => {
                LiveChain::Invalid {
                    reason: "it is an authority's own certificate, and none that an authority made out to a server".to_owned(),
                }
            }
            Err(Error::InvalidCertificate(error)) => LiveChain::Invalid { reason: error.to_string() },
            Err(error) => LiveChain::Invalid { reason: error.to_string() },
        }
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let read = certificate::read_certificate(certificate);
        let chain = self.chain(certificate, intermediates, read.as_ref());
        let matches = ParsedCertificate::try_from(certificate).is_ok_and(|parsed| verify_server_name(&parsed, server_name).is_ok());
        let name = if matches { LiveName::Matches } else { LiveName::Differs };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Seen { certificate: read, chain, name });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
