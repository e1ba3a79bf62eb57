//! Errors of SNS. [SNS: API reference; the SDK model]

use crate::access::Denial;
use crate::error::ApiError;
use crate::kms::KeyRefusal;

pub(super) fn no_such_topic() -> ApiError {
    ApiError::new(404, "NotFound", "Topic does not exist")
}

pub(super) fn no_such_subscription() -> ApiError {
    ApiError::new(404, "NotFound", "Subscription does not exist")
}

pub(super) fn invalid(what: &str) -> ApiError {
    ApiError::bad_request("InvalidParameter", format!("Invalid parameter: {what}"))
}

pub(super) fn denied(denial: Denial) -> ApiError {
    ApiError::new(403, "AuthorizationError", denial.message)
}

/// [SNS: Encryption at rest, "All requests to topics with SSE enabled must use HTTPS and Signature Version 4"]
pub(super) fn insecure() -> ApiError {
    ApiError::new(403, "InvalidSecurity", "All requests to this topic must use HTTPS and SigV4.")
}

/// A refusal of KMS as SNS passes it on.
pub(super) fn key_refused(refusal: KeyRefusal) -> ApiError {
    let (code, message) = match refusal {
        KeyRefusal::AccessDenied(message) => ("KMSAccessDenied", message),
        KeyRefusal::Disabled(message) => ("KMSDisabled", message),
        KeyRefusal::InvalidState(message) => ("KMSInvalidState", message),
        KeyRefusal::NotFound(message) => ("KMSNotFound", message),
    };
    ApiError::bad_request(code, message)
}
