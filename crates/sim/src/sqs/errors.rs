//! Errors of SQS in both protocols: the JSON shape's name and the query protocol's older code.
//! [SQS: API reference, errors; the SDK model's awsQueryError traits]

use crate::access::Denial;
use crate::error::ApiError;
use crate::kms::KeyRefusal;

pub(super) fn no_such_queue() -> ApiError {
    ApiError::bad_request("QueueDoesNotExist", "The specified queue does not exist.").query_code("AWS.SimpleQueueService.NonExistentQueue")
}

pub(super) fn missing(parameter: &str) -> ApiError {
    ApiError::bad_request("MissingRequiredParameterException", format!("The request must contain the parameter {parameter}."))
        .query_code("MissingParameter")
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterValueException", message).query_code("InvalidParameterValue")
}

/// A parameter whose value is refused for a reason.
pub(super) fn invalid_value(value: &str, parameter: &str, reason: &str) -> ApiError {
    invalid(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
}

pub(super) fn invalid_attribute(name: &str) -> ApiError {
    ApiError::bad_request("InvalidAttributeValue", format!("Invalid value for the parameter {name}.")).query_code("InvalidAttributeValue")
}

pub(super) fn unknown_attribute(name: &str) -> ApiError {
    ApiError::bad_request("InvalidAttributeName", format!("Unknown Attribute {name}.")).query_code("InvalidAttributeName")
}

pub(super) fn simple(status: u16, code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(status, code, message).query_code(format!("AWS.SimpleQueueService.{code}"))
}

pub(super) fn over_limit(message: impl Into<String>) -> ApiError {
    ApiError::new(403, "OverLimit", message).query_code("OverLimit")
}

pub(super) fn denied(denial: Denial) -> ApiError {
    ApiError::new(403, "AccessDeniedException", denial.message).query_code("AccessDenied")
}

/// [SQS: Server-side encryption, "All requests to queues with SSE enabled must use HTTPS and Signature Version 4"]
pub(super) fn insecure() -> ApiError {
    ApiError::new(403, "InvalidSecurity", "All requests to this queue must use HTTPS and SigV4.").query_code("InvalidSecurity")
}

pub(super) fn bad_receipt(handle: &str) -> ApiError {
    ApiError::new(404, "ReceiptHandleIsInvalid", format!("The input receipt handle \"{handle}\" is not a valid receipt handle."))
        .query_code("ReceiptHandleIsInvalid")
}

/// A refusal of KMS as SQS passes it on.
pub(super) fn key_refused(refusal: KeyRefusal) -> ApiError {
    let (code, query, message) = match refusal {
        KeyRefusal::AccessDenied(message) => ("KmsAccessDenied", "KMS.AccessDeniedException", message),
        KeyRefusal::Disabled(message) => ("KmsDisabled", "KMS.DisabledException", message),
        KeyRefusal::InvalidState(message) => ("KmsInvalidState", "KMS.InvalidStateException", message),
        KeyRefusal::NotFound(message) => ("KmsNotFound", "KMS.NotFoundException", message),
    };
    ApiError::bad_request(code, message).query_code(query)
}
