//! What a client meets on a database's wire: plain facts, as a probe brought them.
//!
//! The probe itself lives outside of this crate (`everseal-database`); what its facts mean is said here once, for
//! `rds-tls-live` and for `everseal tls-probe` alike. A server that could not be reached is no fact: its reading is
//! `Unreadable`, and nothing is ever concluded from that.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::observed::DbEndpoint;

/// What one probe met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LiveTls {
    /// Where it connected.
    pub endpoint: DbEndpoint,
    /// The name that the certificate was compared with: the endpoint's address, if nobody said otherwise.
    pub server_name: String,
    /// When, in seconds since the Unix epoch.
    pub probed_at: i64,
    /// Whether TLS is offered, and how.
    pub tls: LiveOffer,
    /// What becomes of a connection without TLS.
    pub plain: LivePlain,
}

/// Whether a server offers TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LiveOffer {
    /// The server says that it has none.
    NotOffered,
    /// The server refused every protocol version and cipher suite of TLS 1.2 and 1.3.
    Outdated {
        /// The server's alert.
        reason: String,
    },
    /// The server offered TLS, and the handshake did not come to its end: nothing follows from that.
    Broken {
        /// How it ended.
        reason: String,
    },
    /// A handshake was made.
    Offered(LiveSession),
}

/// A TLS session that was set up, whatever its certificate is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LiveSession {
    /// `TLS 1.2` or `TLS 1.3`.
    pub version: String,
    /// By its IANA name, e.g. `TLS13_AES_256_GCM_SHA384`.
    pub cipher_suite: String,
    /// The server's own certificate.
    pub certificate: LiveCertificate,
    /// Whether it leads to an authority that is trusted.
    pub chain: LiveChain,
    /// Whether it is made out to the server's name.
    pub name: LiveName,
}

/// A server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LiveCertificate {
    /// For example `CN=orders.c1abc.us-east-1.rds.amazonaws.com`.
    pub subject: String,
    /// The authority that signed it.
    pub issuer: String,
    /// DNS names and IP addresses it is made out to (subject alternative names), at most 50.
    pub names: Vec<String>,
    /// Valid from, in seconds since the Unix epoch.
    pub not_before: i64,
    /// Valid until, in seconds since the Unix epoch.
    pub not_after: i64,
}

impl LiveCertificate {
    /// Whether its time is over at `now` (seconds since the Unix epoch).
    pub const fn expired(&self, now: i64) -> bool {
        self.not_after < now
    }

    /// Whether its time is still to come at `now`.
    pub const fn not_yet_valid(&self, now: i64) -> bool {
        now < self.not_before
    }
}

/// Whether a chain of certificates leads to a trusted authority, at a time at which the server's own one is valid: its
/// expiry is a fact of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LiveChain {
    /// It does.
    Verified,
    /// It leads to none of the given authorities.
    UnknownAuthority,
    /// No authorities were given to compare with.
    NotChecked,
    /// Something else is wrong with it.
    Invalid {
        /// What.
        reason: String,
    },
}

/// Whether a certificate is made out to the server's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LiveName {
    /// It is.
    Matches,
    /// It is made out to others.
    Differs,
}

/// What becomes of a connection without TLS, as far as can be told without a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LivePlain {
    /// It is refused before anybody is asked who they are.
    Refused,
    /// The server goes on to authentication, or to data, in the clear.
    Accepted,
    /// MySQL and MariaDB answer with a refusal only after a login: the parameter decides.
    NeedsLogin,
    /// The server's answer says nothing about TLS (too many connections, still starting …).
    Unclear {
        /// The answer.
        reason: String,
    },
}

/// What the facts of a probe come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveVerdict {
    /// What a careful client must not put up with, in words.
    pub weaknesses: Vec<String>,
    /// What could not be told, in words.
    pub doubts: Vec<String>,
}

impl LiveTls {
    /// What a client meets, judged at `now` (seconds since the Unix epoch). Without the authorities and without a login two
    /// things can't be told, and are left to the caller: an unchecked chain, and [`LivePlain::NeedsLogin`].
    pub fn verdict(&self, now: i64) -> LiveVerdict {
        let mut verdict = LiveVerdict::default();
        match &self.tls {
            LiveOffer::NotOffered => verdict.weaknesses.push("The server offers no TLS.".to_owned()),
            LiveOffer::Outdated { reason } => {
                verdict.weaknesses.push(format!("The server takes neither TLS 1.2 nor 1.3 with any current cipher suite ({reason})."));
            }
            LiveOffer::Broken { reason } => verdict.doubts.push(format!("The TLS handshake did not come to its end: {reason}.")),
            LiveOffer::Offered(session) => verdict.weaknesses.extend(session.weaknesses(&self.server_name, now)),
        }
        match &self.plain {
            LivePlain::Accepted => verdict.weaknesses.push("The server takes connections without TLS.".to_owned()),
            LivePlain::Unclear { reason } => {
                verdict.doubts.push(format!("Whether connections without TLS are refused can't be told: {reason}."));
            }
            LivePlain::Refused | LivePlain::NeedsLogin => {}
        }
        verdict
    }

    /// The session, where one was made.
    pub const fn session(&self) -> Option<&LiveSession> {
        match &self.tls {
            LiveOffer::Offered(session) => Some(session),
            LiveOffer::NotOffered | LiveOffer::Outdated { .. } | LiveOffer::Broken { .. } => None,
        }
    }
}

impl LiveSession {
    fn weaknesses(&self, server_name: &str, now: i64) -> Vec<String> {
        let Self { version: _, cipher_suite: _, certificate, chain, name } = self;
        let mut found = Vec::new();
        match chain {
            LiveChain::Verified | LiveChain::NotChecked => {}
            LiveChain::UnknownAuthority => {
                found.push(format!("The certificate is signed by {}, which leads to no trusted authority.", certificate.issuer));
            }
            LiveChain::Invalid { reason } => found.push(format!("The certificate can't be trusted: {reason}.")),
        }
        if certificate.expired(now) {
            found.push("The certificate has expired.".to_owned());
        } else if certificate.not_yet_valid(now) {
            found.push("The certificate is not valid yet.".to_owned());
        }
        if *name == LiveName::Differs {
            found.push(format!("The certificate is not made out to {server_name} but to {}.", certificate.made_out_to()));
        }
        found
    }
}

impl LiveCertificate {
    fn made_out_to(&self) -> String {
        if self.names.is_empty() { format!("no name at all (subject {})", self.subject) } else { self.names.join(", ") }
    }
}

impl fmt::Display for LiveChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified => f.write_str("verified"),
            Self::UnknownAuthority => f.write_str("leads to no trusted authority"),
            Self::NotChecked => f.write_str("not checked: no authorities were given"),
            Self::Invalid { reason } => write!(f, "invalid: {reason}"),
        }
    }
}

impl fmt::Display for LivePlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused"),
            Self::Accepted => f.write_str("accepted"),
            Self::NeedsLogin => f.write_str("can't be told without a login"),
            Self::Unclear { reason } => write!(f, "can't be told: {reason}"),
        }
    }
}
