//! PostgreSQL's wire protocol 3.0, as far as it goes before a login.
//! [PostgreSQL documentation, "Message Formats" and "SSL Session Encryption"]

use super::{Malformed, words};

/// Asks whether TLS is offered: length 8, code 80877103.
pub const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// No answer before a login is longer: libpq, too, takes a longer one for something else.
const MAX_MESSAGE: usize = 30_000;

/// The answer to [`SSL_REQUEST`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SslAnswer {
    /// `S`: begin the handshake.
    Tls,
    /// `N`: there is none.
    NoTls,
    /// An error instead of an answer.
    Error(ErrorResponse),
}

/// The answer to a `StartupMessage`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartupAnswer {
    /// Whoever it is may go on and authenticate (or need not).
    Authentication {
        /// 0: nothing to prove, 3: password in the clear, 5: MD5, 10: SASL …
        kind: u32,
    },
    /// The server refused.
    Error(ErrorResponse),
}

/// An `ErrorResponse`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorResponse {
    /// SQLSTATE, e.g. `28000`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl ErrorResponse {
    /// The host-based access rules turned the connection away, before anybody was asked for a name's proof: on RDS, whose
    /// rules name no users, for want of TLS. The file's name stands in every translation of the message.
    pub fn is_of_access_rules(&self) -> bool {
        self.code == "28000" && self.message.contains("pg_hba.conf")
    }
}

/// Parses the answer to [`SSL_REQUEST`]; `None` while it is not complete. A server says nothing more before the handshake:
/// whatever follows was put there by somebody between (CVE-2021-23222), and is refused.
pub fn ssl_answer(bytes: &[u8]) -> Result<Option<SslAnswer>, Malformed> {
    match bytes {
        [] => Ok(None),
        [b'S'] => Ok(Some(SslAnswer::Tls)),
        [b'N'] => Ok(Some(SslAnswer::NoTls)),
        [b'S' | b'N', ..] => Err(Malformed("data before the TLS handshake")),
        [b'E', ..] => Ok(message(bytes)?.map(|(_, body)| SslAnswer::Error(error(body)))),
        _ => Err(Malformed("the answer to an SSLRequest is none of S, N and E")),
    }
}

/// A `StartupMessage` of protocol 3.0, without a password: there is no place for one in it.
pub fn startup_message(user: &str, database: &str) -> Vec<u8> {
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    for text in ["user", user, "database", database] {
        body.extend(text.bytes().filter(|byte| *byte != 0));
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut message = length.to_be_bytes().to_vec();
    message.append(&mut body);
    message
}

/// Parses the first answer to a `StartupMessage`; `None` while it is not complete.
pub fn startup_answer(bytes: &[u8]) -> Result<Option<StartupAnswer>, Malformed> {
    if !matches!(bytes, [] | [b'R' | b'E', ..]) {
        return Err(Malformed("the answer to a StartupMessage is neither R nor E"));
    }
    match message(bytes)? {
        None => Ok(None),
        Some((b'R', body)) => {
            let kind = body.first_chunk().ok_or(Malformed("an authentication request without its kind"))?;
            Ok(Some(StartupAnswer::Authentication { kind: u32::from_be_bytes(*kind) }))
        }
        Some((_, body)) => Ok(Some(StartupAnswer::Error(error(body)))),
    }
}

/// Type and body of the message that `bytes` begin with.
fn message(bytes: &[u8]) -> Result<Option<(u8, &[u8])>, Malformed> {
    let Some((kind, rest)) = bytes.split_first() else { return Ok(None) };
    let Some(length) = rest.first_chunk() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if !(4..=MAX_MESSAGE).contains(&length) {
        return Err(Malformed("a message of impossible length"));
    }
    Ok(rest.get(4..length).map(|body| (*kind, body)))
}

/// Fields are a letter and a text each; unknown ones are passed over, missing ones are empty.
fn error(body: &[u8]) -> ErrorResponse {
    let mut error = ErrorResponse::default();
    for field in body.split(|byte| *byte == 0) {
        match field.split_first() {
            Some((b'C', code)) => error.code = words(code),
            Some((b'M', message)) => error.message = words(message),
            _ => {}
        }
    }
    error
}

#[cfg(test)]
mod tests;
