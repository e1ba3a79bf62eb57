//! SQL Server's packets, `PRELOGIN`, and TLS wrapped in them.
//! [MS-TDS 2.2.3.1 "Packet Header", 2.2.6.5 "PRELOGIN", 4.1 "Pre-Login Request"]

use super::Malformed;

/// Packet type of `PRELOGIN`, and of TLS records while the handshake lasts (TDS 7.x).
pub const PRELOGIN: u8 = 0x12;
/// Packet type of a server's answer.
pub const RESPONSE: u8 = 0x04;
/// The ALPN name of TDS 8.0, where TLS comes before everything.
pub const TDS_8: &[u8] = b"tds/8.0";

/// Type, status, length (2), process (2), number, window.
const HEADER: usize = 8;
/// The largest packet that a server may send before another size was agreed on.
const MAX_PACKET: usize = 4096;
/// No pre-login answer is longer: it holds a few options of a few bytes.
const MAX_MESSAGE: usize = 8192;
const END_OF_MESSAGE: u8 = 0x01;
const VERSION: u8 = 0x00;
const ENCRYPTION: u8 = 0x01;
const TERMINATOR: u8 = 0xff;

/// The option ENCRYPTION of a server's `PRELOGIN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// `ENCRYPT_OFF`: the login is encrypted, the data is not.
    LoginOnly,
    /// `ENCRYPT_ON`: no answer to `ENCRYPT_OFF`, by the specification.
    On,
    /// `ENCRYPT_NOT_SUP`.
    NotSupported,
    /// `ENCRYPT_REQ`: everything is encrypted, whatever the client asked for.
    Required,
}

/// A packet's header and payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its type.
    pub kind: u8,
    /// The message ends with it.
    pub last: bool,
    /// What it carries.
    pub payload: &'a [u8],
    /// Bytes of the packet, header included.
    pub length: usize,
}

/// The packet that `bytes` begin with; `None` while it is not complete.
pub fn packet(bytes: &[u8]) -> Result<Option<Packet<'_>>, Malformed> {
    if bytes.first().is_some_and(|kind| ![PRELOGIN, RESPONSE].contains(kind)) {
        return Err(Malformed("a packet of a type that does not belong here"));
    }
    let Some([kind, status, high, low, ..]) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if !(HEADER..=MAX_PACKET).contains(&length) {
        return Err(Malformed("a packet of impossible length"));
    }
    let payload = bytes.get(HEADER..length);
    Ok(payload.map(|payload| Packet { kind: *kind, last: status & END_OF_MESSAGE != 0, payload, length }))
}

/// Parses the answer to a `PRELOGIN`; `None` while it is not complete.
pub fn prelogin_answer(bytes: &[u8]) -> Result<Option<Encryption>, Malformed> {
    let (mut rest, mut message) = (bytes, Vec::new());
    while let Some(packet) = packet(rest)? {
        if packet.kind != RESPONSE {
            return Err(Malformed("the answer to a PRELOGIN is no response"));
        }
        message.extend_from_slice(packet.payload);
        if message.len() > MAX_MESSAGE {
            return Err(Malformed("a pre-login answer of impossible length"));
        }
        rest = &rest[packet.length..];
        if packet.last {
            return if rest.is_empty() { encryption(&message).map(Some) } else { Err(Malformed("data before the TLS handshake")) };
        }
        if packet.payload.is_empty() {
            return Err(Malformed("an empty packet within a message"));
        }
    }
    Ok(None)
}

/// Options are token, offset and length, then 0xFF, then what the offsets point to.
fn encryption(message: &[u8]) -> Result<Encryption, Malformed> {
    if message.first() != Some(&VERSION) {
        return Err(Malformed("a PRELOGIN that does not begin with the version"));
    }
    let mut options = message;
    loop {
        match options {
            [TERMINATOR, ..] => return Err(Malformed("a PRELOGIN that says nothing of encryption")),
            [ENCRYPTION, high, low, length_high, length_low, ..] => {
                if [*length_high, *length_low] != [0, 1] {
                    return Err(Malformed("an option ENCRYPTION of impossible length"));
                }
                let offset = usize::from(u16::from_be_bytes([*high, *low]));
                return match message.get(offset) {
                    Some(0x00) => Ok(Encryption::LoginOnly),
                    Some(0x01) => Ok(Encryption::On),
                    Some(0x02) => Ok(Encryption::NotSupported),
                    Some(0x03) => Ok(Encryption::Required),
                    Some(_) => Err(Malformed("an option ENCRYPTION of unknown value")),
                    None => Err(Malformed("an option that lies outside of its message")),
                };
            }
            [_, _, _, _, _, rest @ ..] => options = rest,
            _ => return Err(Malformed("a PRELOGIN without an end")),
        }
    }
}

/// A `PRELOGIN` that offers encryption of the login only (`ENCRYPT_OFF`): a server that wants more says so.
pub fn prelogin() -> Vec<u8> {
    // VERSION (6 bytes), ENCRYPTION, INSTOPT, THREADID (4), MARS; their values follow the terminator at 26.
    let options = [(VERSION, 6_u8), (ENCRYPTION, 1), (0x02, 1), (0x03, 4), (0x04, 1)];
    let (mut head, mut at) = (Vec::new(), 26_u8);
    for (token, length) in options {
        head.extend([token, 0, at, 0, length]);
        at += length;
    }
    head.push(TERMINATOR);
    // Version 9.0 of the sender, as in the specification's example; everything else is zero.
    head.push(9);
    head.extend([0; 12]);
    wrap(&head)
}

/// `payload` as one message of `PRELOGIN` packets.
pub fn wrap(payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    let mut pieces = payload.chunks(MAX_PACKET - HEADER).peekable();
    let mut number = 1_u8;
    while let Some(piece) = pieces.next() {
        let status = if pieces.peek().is_none() { END_OF_MESSAGE } else { 0 };
        let length = u16::try_from(piece.len() + HEADER).unwrap_or(u16::MAX).to_be_bytes();
        message.extend([PRELOGIN, status, length[0], length[1], 0, 0, number, 0]);
        message.extend_from_slice(piece);
        number = number.wrapping_add(1);
    }
    message
}

#[cfg(test)]
mod tests;
