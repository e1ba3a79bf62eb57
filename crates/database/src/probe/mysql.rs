//! The first packet of MySQL and MariaDB, and the request for TLS that answers it.
//! [MySQL Internals, `Protocol::HandshakeV10`, `Protocol::SSLRequest`, `ERR_Packet`; MariaDB documentation, "Connection"]

use super::{Malformed, words};

/// `CLIENT_SSL`: the server can do TLS.
const CLIENT_SSL: u32 = 0x0800;
/// `CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH`.
const OUR_CAPABILITIES: u32 = 0x0200 | CLIENT_SSL | 0x8000 | 0x0008_0000;
/// No greeting is longer: its only text of free length is the version.
const MAX_PACKET: usize = 4096;

/// What the server says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// A handshake packet.
    Handshake {
        /// For example `8.0.39` or `5.5.5-10.11.6-MariaDB`.
        version: String,
        /// It offers TLS.
        tls: bool,
    },
    /// An error: the host is blocked, there are too many connections …
    Error {
        /// For example 1129.
        code: u16,
        /// For people.
        message: String,
    },
}

/// Parses the server's first packet; `None` while it is not complete.
pub fn greeting(bytes: &[u8]) -> Result<Option<Greeting>, Malformed> {
    let Some([low, middle, high, sequence]) = bytes.first_chunk() else { return Ok(None) };
    let length = usize::from(*low) | usize::from(*middle) << 8 | usize::from(*high) << 16;
    if length == 0 || length > MAX_PACKET {
        return Err(Malformed("a first packet of impossible length"));
    }
    if *sequence != 0 {
        return Err(Malformed("the first packet does not have the number 0"));
    }
    let Some(payload) = bytes.get(4..4 + length) else {
        return match bytes.get(4) {
            None | Some(10 | 0xff) => Ok(None),
            Some(_) => Err(Malformed("the first packet is neither a handshake of version 10 nor an error")),
        };
    };
    if bytes.len() > 4 + length {
        return Err(Malformed("data before the client's answer"));
    }
    match payload {
        [10, rest @ ..] => handshake(rest).map(Some),
        [0xff, rest @ ..] => error(rest).map(Some),
        _ => Err(Malformed("the first packet is neither a handshake of version 10 nor an error")),
    }
}

fn handshake(rest: &[u8]) -> Result<Greeting, Malformed> {
    let end = rest.iter().position(|byte| *byte == 0).ok_or(Malformed("a server version without an end"))?;
    let (version, rest) = rest.split_at(end);
    // The end of the version (1), thread id (4), first part of the challenge (8), filler (1).
    let capabilities = rest.get(14..16).and_then(<[u8]>::first_chunk).ok_or(Malformed("a handshake without capabilities"))?;
    let tls = u32::from(u16::from_le_bytes(*capabilities)) & CLIENT_SSL != 0;
    Ok(Greeting::Handshake { version: words(version), tls })
}

/// Before the handshake, errors have no SQLSTATE; `#` and five characters where they do.
fn error(rest: &[u8]) -> Result<Greeting, Malformed> {
    let (code, text) = rest.split_first_chunk().ok_or(Malformed("an error without a code"))?;
    let message = if text.first() == Some(&b'#') { text.get(6..).unwrap_or_default() } else { text };
    Ok(Greeting::Error { code: u16::from_le_bytes(*code), message: words(message) })
}

/// The 32 bytes that ask for TLS, as packet number 1: capabilities, largest packet, character set, and no user name.
pub fn ssl_request() -> [u8; 36] {
    let mut packet = [0; 36];
    packet[0] = 32;
    packet[3] = 1;
    packet[4..8].copy_from_slice(&OUR_CAPABILITIES.to_le_bytes());
    packet[8..12].copy_from_slice(&0x0100_0000_u32.to_le_bytes());
    // utf8mb4_general_ci
    packet[12] = 45;
    packet
}

#[cfg(test)]
mod tests;
