//! Policy texts as IAM sends them.

use crate::error::AwsError;
use crate::operation::Operation;

/// IAM percent-encodes every policy text. [IAM: "policies returned by this operation are URL-encoded compliant with RFC 3986"]
/// In that encoding `+` stands for itself.
pub(super) fn decoded(operation: &'static Operation, text: Option<&str>) -> Result<String, AwsError> {
    let text = text.ok_or_else(|| AwsError::incomplete(operation, "a policy's text"))?;
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| AwsError::incomplete(operation, "a policy's text in UTF-8"))
}
