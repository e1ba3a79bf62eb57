//! Bodies of uploads: as they are, or in chunks as SDKs send them. [`SigV4`: Multiple chunks; Trailing checksums]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};

use crate::error::ApiError;
use crate::http::{Call, Reply};

/// Headers that are kept with an object and given back.
const KEPT: &[&str] = &[
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "cache-control",
    "expires",
    "x-amz-website-redirect-location",
];

/// What an upload brings.
#[derive(Debug, Clone, Default)]
pub(super) struct Upload {
    pub(super) body: Bytes,
    /// Headers to give back.
    pub(super) headers: Vec<(String, String)>,
}

/// Reads an upload; a digest that does not fit is refused.
pub(super) fn read(call: &Call) -> Result<Upload, ApiError> {
    let chunked = call.header("x-amz-content-sha256").starts_with("STREAMING-") || call.header("content-encoding").contains("aws-chunked");
    let (body, trailers) = if chunked {
        join(&call.body).ok_or_else(|| ApiError::bad_request("IncompleteBody", "The request body terminated unexpectedly"))?
    } else {
        (call.body.clone(), Vec::new())
    };
    let digest = call.header("content-md5");
    if !digest.is_empty() && STANDARD.encode(Md5::digest(&body)) != digest {
        return Err(ApiError::bad_request("BadDigest", "The Content-MD5 you specified did not match what we received."));
    }
    let mut headers = kept_headers(call);
    headers.extend(trailers.into_iter().filter(|(name, _)| name.starts_with("x-amz-checksum-")));
    Ok(Upload { body, headers })
}

const CHECKSUM: &str = "x-amz-checksum-";

/// The checksums among an object's headers.
pub(super) fn checksums(headers: &[(String, String)]) -> Vec<(String, String)> {
    headers.iter().filter(|(name, _)| name.starts_with(CHECKSUM) && name != "x-amz-checksum-type").cloned().collect()
}

/// Tells checksums to whom they came from, or who asks; of an object that was not uploaded in parts they are of the whole.
/// [s3:PutObject, `ChecksumType`]
pub(super) fn tell(checksums: &[(String, String)], reply: &mut Reply) {
    let kind = (!checksums.is_empty()).then(|| ("x-amz-checksum-type".to_owned(), "FULL_OBJECT".to_owned()));
    for (name, value) in checksums.iter().chain(&kind) {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name.as_str()), http::HeaderValue::from_str(value)) {
            reply.headers.insert(name, value);
        }
    }
}

/// Which algorithms an object's checksums are by. [s3:Object]
pub(super) fn checksum_algorithms(headers: &[(String, String)]) -> Vec<String> {
    checksums(headers).iter().filter_map(|(name, _)| name.strip_prefix(CHECKSUM).map(str::to_ascii_uppercase)).collect()
}

/// Headers of a request that an object keeps.
pub(super) fn kept_headers(call: &Call) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value) in &call.headers {
        let (name, Ok(value)) = (name.as_str(), value.to_str()) else { continue };
        let checksum = name.starts_with("x-amz-checksum-") && !matches!(name, "x-amz-checksum-algorithm" | "x-amz-checksum-mode");
        if !(KEPT.contains(&name) || checksum || name.starts_with("x-amz-meta-")) {
            continue;
        }
        // The chunks are the transport's; what was encoded before stays.
        let value: Vec<&str> = value.split(',').map(str::trim).filter(|part| *part != "aws-chunked").collect();
        if !value.is_empty() {
            headers.push((name.to_owned(), value.join(",")));
        }
    }
    headers
}

/// Joins `size[;extensions]\r\ndata\r\n … 0\r\n[trailers]\r\n`.
fn join(mut rest: &[u8]) -> Option<(Bytes, Vec<(String, String)>)> {
    let mut body = BytesMut::new();
    loop {
        let head = line(&mut rest)?;
        let size = std::str::from_utf8(head).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
    let mut trailers = Vec::new();
    while let Some(trailer) = line(&mut rest).filter(|trailer| !trailer.is_empty()) {
        let (name, value) = std::str::from_utf8(trailer).ok()?.split_once(':')?;
        trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    Some((body.freeze(), trailers))
}

fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let found = &rest[..end];
    *rest = &rest[end + 2..];
    Some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::join;

    #[test]
    fn chunks_are_joined_and_trailers_are_kept() {
        let sent = b"5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
        let (body, trailers) = join(sent).unwrap();
        assert_eq!(&body[..], b"hello world");
        assert_eq!(trailers, [("x-amz-checksum-crc32".to_owned(), "DUoRhQ==".to_owned())]);
    }

    #[test]
    fn data_that_ends_early_is_refused() {
        assert_eq!(join(b"5\r\nhel"), None);
        assert_eq!(join(b"5\r\nhello\r\n"), None);
        assert_eq!(join(b"zz\r\nhello\r\n0\r\n\r\n"), None);
    }
}
